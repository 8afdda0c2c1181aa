// Package elements reads what is wanted: a [Definition] and the elements it
// names become an [Image], which says what is to be done, in which order and
// with which variables. It reads definition and element files, changes
// nothing, starts nothing and needs no privileges.
//
// An element is a directory with hooks and metadata, found by its name in a
// directory of the search path; the embedded library is always the last one:
//
//	web/
//	├── element-deps          names of elements it needs
//	├── element-provides      names it stands in for
//	├── environment.d/        variables of every phase
//	├── install.d/75-web      a hook of the install phase
//	└── static/ bin/ …        data; every directory is merged with those of
//	                          the other elements into one hooks tree
//
// The way from names to work has four stations, a file each:
//
//   - library.go finds elements on the search path,
//   - resolve.go turns the names asked for into the set that is needed,
//   - merge.go makes one hooks tree of it,
//   - order.go and hook.go select hooks and put them in order.
//
// environment.go constructs the variables hooks see, and mention.go tells
// which of them a hook can depend on. Both are what makes a build a function
// of its inputs: nothing of the caller's environment passes that is not an
// input or on the documented list of those that are not ([Unkeyed]).
//
// [Lint] looks for what is no error and hurts all the same: lint.go has the work,
// lintrules.go and lintscripts.go the rules, shell.go reads scripts for them.
//
//	image, err := elements.Load(elements.Definition{
//		Name: "web", Elements: []string{"debian-minimal", "vm"},
//	}, stock.Elements())
//	for _, problem := range elements.Problems(err) { … }
//	for _, phase := range elements.Phases {
//		hooks := image.Hooks.PhaseHooks(phase, "")
//		…
//	}
package elements
