// Package host finds out what this machine has and what it lacks: programs and
// files, with the package of the distribution that brings each; features of the
// kernel; memory and space. It changes nothing: what can only be found out by
// trying is tried in a sandbox, in a directory that is removed afterwards.
//
//	var machine host.Machine
//	findings := machine.Look([]host.Need{{What: "tar", Programs: []string{"tar"}, For: "tar files"}})
//
// Every answer is a [Finding]: what, its [State], what it is needed for, and the
// command that fixes it.
package host
