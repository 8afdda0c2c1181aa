package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// callerVariable says which user and group called the program before it became
// root by itself, and get the files.
const callerVariable = "DIBGRAPH_CACHE_CALLER"

// becomeRoot runs the program again by sudo: diskimage-builder is called by
// ordinary users, and calls sudo where it has to.
func (d *dropIn) becomeRoot() error {
	sudo, err := exec.LookPath("sudo")
	if err != nil {
		return &hintError{errors.New("not running as root: hooks run in a chroot and filesystems have to be mounted"),
			"there is no sudo: run the same command as root"}
	}
	self, err := exec.LookPath(os.Args[0])
	if err == nil {
		self, err = filepath.Abs(self)
	}
	if err != nil {
		return fmt.Errorf("find the program to run it as root: %w", err)
	}
	words := append(sudoWords(os.LookupEnv, os.Getuid(), os.Getgid()), self)
	return fmt.Errorf("run sudo: %w", unix.Exec(sudo, append(words, os.Args[1:]...), os.Environ()))
}

// sudoWords returns the command before the program and its arguments. Sudo has
// its own idea of some variables, and env gives them back.
func sudoWords(lookup func(string) (string, bool), uid, gid int) []string {
	words := []string{"sudo", "-E", "env"}
	for _, name := range []string{"PATH", "HOME", "USER", "LOGNAME"} {
		if value, ok := lookup(name); ok {
			words = append(words, name+"="+value)
		}
	}
	return append(words, fmt.Sprintf("%s=%d:%d", callerVariable, uid, gid))
}

// giveAway gives the files that were made, and the directories made for them, to
// the user who called the program, if that was not root.
func giveAway(outputDir string, made []string) error {
	uid, gid, ok := strings.Cut(os.Getenv(callerVariable), ":")
	user, userErr := strconv.Atoi(uid)
	group, groupErr := strconv.Atoi(gid)
	if !ok || userErr != nil || groupErr != nil {
		return nil
	}
	var errs []error
	for _, path := range made {
		errs = append(errs, os.Lchown(path, user, group))
		for dir := filepath.Dir(path); dir != filepath.Clean(outputDir) && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
			errs = append(errs, os.Lchown(dir, user, group))
		}
	}
	return errors.Join(errs...)
}
