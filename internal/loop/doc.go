// Package loop attaches files to loop devices by ioctl.
//
// Every device is set to clear itself: the kernel detaches it when the last
// open file and the last mount of it are gone. A process that holds a
// [Device] and is killed therefore leaves nothing attached, and there is no
// clean-up code that has to run for that.
//
//	dev, err := loop.Attach("disk.raw", loop.Options{})
//	if err != nil { … }
//	defer dev.Close()
//	fmt.Println(dev.Path) // /dev/loop3
//
// The kernel is never asked to read partition tables (LO_FLAGS_PARTSCAN):
// package partition adds the partition nodes itself, and a device without
// that flag refuses a re-read that udev might ask for in the middle of a build.
package loop
