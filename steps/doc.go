// Package steps holds the kinds of work a build is made of. Each is a plain
// struct that implements [graph.Action] and is whole once built:
//
//   - [Source] gets a file that hooks need from a server
//   - [Environment] evaluates the environment.d files of one phase
//   - [Hook] runs one hook, on the host or in the image
//   - [Base] turns what the root phase left into a root that hooks can use
//   - [Packages] installs the packages named on the command line
//   - [Disk] makes partitions and filesystems and fills them
//   - [Convert] and [Checksum] make other files of the raw image
//
// A step cannot know whether it is cached. Work that mounts runs as a program
// of package sandbox, in namespaces of its own, on a build tree at a fixed
// path:
//
//	/run/dibgraph/dib_build.fixed one overlay: the layers so far, then this step's
//	├── mnt/                      the root of the image
//	├── hooks/                    the merged hooks of all elements
//	└── out/                      files that hooks leave beside the image
//	/run/dibgraph/elements/NAME   the files of each element, read-only
//	/run/dibgraph/lib             what hooks source or call, read-only
package steps
