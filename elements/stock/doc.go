// Package stock embeds the element library that dibgraph brings along: enough
// to build a Debian image on a machine that has none of its own. The elements
// have the names, variables and hook numbers of diskimage-builder's, and were
// written for this project. Elements on the user's search path win over them.
//
// Host hooks call dibgraph-helper (package steps/helper) where they need a YAML
// or JSON reader; the image itself needs a shell and awk only.
package stock
