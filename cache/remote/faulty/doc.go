// Package faulty does to remotes what servers, networks and disks do when they
// fail, or lie: a proxy before a real server, and damage to the files of a
// directory. It is for tests only. What is done to which request follows from a
// seed, however the requests of a build are interleaved.
package faulty
