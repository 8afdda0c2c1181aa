# Without them in the chroot, diskimage-builder builds no ramdisk.
export _BASE_ELEMENT_DIR=${_BASE_ELEMENT_DIR:-}
export TMP_IMAGE_PATH=${TMP_IMAGE_PATH:-/tmp/image}
