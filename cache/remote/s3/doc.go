// Package s3 keeps the content and the packs of stores in a bucket of a server
// that speaks S3: that of Amazon, Ceph, MinIO and many others.
//
// Below the prefix there are "contents/", two digits of the SHA-256, "/" and all of
// it, and "objects/" with the names. A bucket knows nothing of what an object is
// about: what nobody needs any more is removed by who keeps the bucket, see
// [remote.Keeper].
//
// A large content is sent in parts. One that was interrupted goes on with the parts
// that the server has; a rule of the bucket (AbortIncompleteMultipartUpload) should
// remove those of uploads that nobody goes on with.
package s3
