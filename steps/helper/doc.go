// Package helper holds the small programs that host hooks of the embedded
// elements call as
//
//	dibgraph-helper NAME ARGUMENT…
//
// They read what elements declare in YAML or JSON (package lists, package name
// maps, service name maps), check it, and write two files for each result: one
// under the name and in the format that diskimage-builder uses, so that other
// elements find what they expect, and beside it a flat one, tab-separated, that
// the counterpart inside the image reads with a shell and awk. An image needs
// no interpreter and no YAML reader for our sake.
//
// The programs are:
//
//	package-installs-squash --elements=NAMES --path=DIRS FILE
//	                        all package-installs files → FILE (JSON) and, with
//	                        .list for .json, one line "phase action element package"
//	pkg-map-compile DIR     each element's pkg-map → DIR/ELEMENT and DIR/ELEMENT.tsv,
//	                        lines "scope distro release name value"
//	svc-map-merge FILE      all svc-map files → FILE (YAML) and FILE.tsv,
//	                        lines "service key name"
//
// A mistake in an element's file is reported with file and line, all mistakes
// of a run at once.
package helper
