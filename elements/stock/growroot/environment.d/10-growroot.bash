export FS_TYPE="${FS_TYPE:-ext4}"
