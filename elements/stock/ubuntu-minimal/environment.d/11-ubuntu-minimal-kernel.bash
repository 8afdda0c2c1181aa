export DIB_UBUNTU_KERNEL="${DIB_UBUNTU_KERNEL:-linux-image-generic}"
