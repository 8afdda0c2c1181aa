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
// Partitions that package partition adds to a device go with it too. Those
// that the kernel reads from a file by itself are dropped: the one who has the
// device says which there are.
package loop
