package main

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/dibgraph/dibgraph/cache"
)

// firstReason is the first cause of a run, in a few words on one line.
func firstReason(reasons []cache.Reason) string {
	if len(reasons) == 0 {
		return "unknown reason"
	}
	text := reasonTitle(reasons[0])
	if more := len(reasons) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return text
}

// reasonTitle says in one line what is another than last time.
func reasonTitle(r cache.Reason) string {
	if r.Detail != "" {
		return r.Detail
	}
	if title, ok := tokenTitle(r); ok {
		return title
	}
	what := inputName(r)
	switch {
	case r.Kind == cache.ReasonChanged && strings.HasPrefix(r.Input, "validator "):
		return what + validatorChange(r.New)
	case r.Kind == cache.ReasonAdded, isAbsent(r.Old) && r.Kind == cache.ReasonChanged:
		return what + " is new"
	case r.Kind == cache.ReasonRemoved, isAbsent(r.New) && r.Kind == cache.ReasonChanged:
		return what + " is gone"
	case r.Kind == cache.ReasonChanged && sameContent(r):
		return "the mode of " + what + " changed"
	case r.Kind == cache.ReasonChanged:
		return what + " changed"
	}
	return r.Kind
}

// isAbsent reports whether a value says that there is no such file.
func isAbsent(value string) bool { return value == "absent" }

// sameContent reports whether two values are of one content, and differ in the
// mode that follows it.
func sameContent(r cache.Reason) bool {
	before, _, ok := contentOf(r.Old)
	after, _, also := contentOf(r.New)
	return ok && also && before == after
}

// contentOf splits a value of a description into the digest it begins with and
// the rest.
func contentOf(value string) (digest cache.Digest, rest string, ok bool) {
	word, rest, _ := strings.Cut(value, " ")
	digest, err := cache.ParseDigest(word)
	return digest, rest, err == nil
}

// inputName names an input as the user knows it.
func inputName(r cache.Reason) string {
	kind, rest, _ := strings.Cut(r.Input, " ")
	name, err := strconv.Unquote(rest)
	if err != nil {
		name = rest
	}
	switch kind {
	case "env":
		if function, ok := strings.CutPrefix(rest, "BASH_FUNC_"); ok {
			return "the shell function " + strings.TrimSuffix(function, "%%")
		}
		return "the variable " + rest
	case "list":
		return "what is in " + whereOr(r, name)
	case "host":
		if list, ok := strings.CutPrefix(rest, "list "); ok {
			return "what is in " + strings.Trim(list, `"`) + " of this host"
		}
		if link, ok := strings.CutPrefix(rest, "link "); ok {
			return "where " + strings.Trim(link, `"`) + " of this host leads"
		}
		return name + " of this host"
	case "tool":
		return "the program " + name + " of this host"
	case "hook", "file", "exists", "listed", "environment.d":
		return whereOr(r, name)
	case "validator":
		return name
	case "network":
		return strings.TrimSuffix("the declaration network: false of "+name, " of ")
	case "layout":
		return "the disk layout " + r.Where
	}
	return strings.TrimSpace(r.Input)
}

// validatorChange says by what a server shows that it has another file.
func validatorChange(value string) string {
	switch {
	case strings.HasPrefix(value, "ETag "):
		return " has a new ETag"
	case strings.HasPrefix(value, "modified "):
		return " was modified"
	case strings.HasPrefix(value, "image "):
		return " is another image now"
	case strings.HasPrefix(value, "none, "):
		return " has neither ETag nor Last-Modified, so that nobody knows whether it is still the same"
	}
	return " lists another checksum"
}

// whereOr returns where the file of a reason is, else the name that hooks know
// it under.
func whereOr(r cache.Reason, name string) string {
	if r.Where != "" {
		return r.Where
	}
	return path.Clean(name)
}

// plainDifference shows both values of a reason, a line each.
func plainDifference(r cache.Reason) []string {
	if r.Detail != "" {
		return nil
	}
	switch r.Kind {
	case cache.ReasonAdded:
		return []string{"+ " + shortValue(r.New)}
	case cache.ReasonRemoved:
		return []string{"- " + shortValue(r.Old)}
	case cache.ReasonChanged:
		return []string{"- " + shortValue(r.Old), "+ " + shortValue(r.New)}
	}
	return nil
}

// shortValue shortens what people cannot read anyway.
func shortValue(s string) string {
	const most = 200
	if d, rest, ok := contentOf(s); ok {
		s = strings.TrimSpace(d.Short() + " " + rest)
	}
	if rest, ok := strings.CutPrefix(s, "secret "); ok {
		if d, _, ok := contentOf(rest); ok {
			s = "a secret (" + d.Short() + ")"
		}
	}
	if len(s) > most {
		s = s[:most] + fmt.Sprintf("… (%d bytes)", len(s))
	}
	return s
}
