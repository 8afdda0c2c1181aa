// Package registry reaches registries of container images.
//
//	c, err := registry.New(environment)
//	digest, err := c.Resolve(ctx, "oci://registry.example.org/web:1.0")
//	err = c.Pull(ctx, address, digest, platform, file) // the image as one tar
//	sink, err := c.Push("oci://registry.example.org/web:1.0")
//
// Who we are is what docker login or podman login wrote, see [Logins]. Registries
// are reached by HTTPS, those on this machine by HTTP; ?plain-http=true or false at
// the end of an address says otherwise.
//
// What may pass is tried a few times, and is a [fetch.Error] that says so.
package registry
