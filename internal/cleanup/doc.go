// Package cleanup keeps the undo of what a function has set up: mounts, loop
// devices, temporary directories. Set up one thing, add its undo on the next
// line, close the stack in one place:
//
//	var undo cleanup.Stack
//	defer func() { err = errors.Join(err, undo.Close()) }()
//	if err := mount.Bind("/dev", dev, false); err != nil {
//		return err
//	}
//	undo.Add(func() error { return mount.Unmount(dev) })
//
// An undo takes no context, because it has to run after a cancel as well.
package cleanup
