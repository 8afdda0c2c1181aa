// Package command runs a program to its end: with a constructed environment,
// optionally in a chroot, killed when the context ends or when this process
// dies, and with an error that says what ran, how it ended and what it said
// last.
//
//	fsck := command.Cmd{Path: "e2fsck", Args: []string{"-fn", device}}
//	err := fsck.Run(ctx)
//	var exit *command.ExitError
//	if errors.As(err, &exit) && exit.Status == 4 { … }
//
// Only the program itself is sure to die with this process. What it has started
// in turn dies too where package sandbox is around it.
package command
