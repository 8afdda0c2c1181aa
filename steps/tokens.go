package steps

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dibgraph/dibgraph/graph"
)

// Tokens knows the states of what runs fetch from elsewhere. A token is the
// state of one such thing: a suite of a package archive, a reference of a git
// repository. Its methods never fail: what cannot be known has a value that
// says so.
type Tokens interface {
	// Value returns the present state, as far as it is known or can be asked.
	Value(name string) string
	// Used returns the state to record for a run that began then, which is
	// never newer than what the run met. found is the state that the run was
	// seen to fetch, empty if it left no trace of that.
	Used(name string, started time.Time, found string) string
}

// Names of observations that are tokens, each followed by what it is about in
// quotes: an address, a space, and the suite or reference.
const (
	observedApt = "apt "
	observedGit = "git "
	// observedOffline says that the run was told to get by with what there is.
	observedOffline = "offline"
)

// AptToken names the state of a suite of a package archive.
func AptToken(uri, suite string) string {
	return observedApt + strconv.Quote(withoutUserinfo(uri)+" "+suite)
}

// GitToken names the state of a reference of a git repository.
func GitToken(location, ref string) string {
	return observedGit + strconv.Quote(withoutUserinfo(location)+" "+ref)
}

// ParseToken returns what the name of a token is about: kind is "apt" or
// "git", part the suite or the reference.
func ParseToken(name string) (kind, address, part string, ok bool) {
	kind, quoted, _ := strings.Cut(name, " ")
	if kind != "apt" && kind != "git" {
		return "", "", "", false // most names are of files
	}
	about, err := strconv.Unquote(quoted)
	address, part, ok = strings.Cut(about, " ")
	return kind, address, part, ok && err == nil
}

// IsToken reports whether an observation, or the line it leads to, is a token.
func IsToken(name string) bool {
	_, _, _, ok := ParseToken(name)
	return ok
}

// withoutUserinfo takes credentials off an address: names are shown and stored.
func withoutUserinfo(address string) string {
	scheme, rest, ok := strings.Cut(address, "://")
	host, path, slash := strings.Cut(rest, "/")
	if i := strings.LastIndexByte(host, '@'); ok && i >= 0 {
		host = host[i+1:]
		if address = scheme + "://" + host; slash {
			address += "/" + path
		}
	}
	return address
}

// observe writes the line of an observation that is about something remote,
// and reports whether it is one.
func (s *Site) observe(d *graph.Description, name string) bool {
	switch {
	case name == observedOffline:
		d.Add(name, "%t", s.Offline)
	case !IsToken(name):
		return false
	case s.Tokens != nil:
		d.Add(name, "%s", s.Tokens.Value(name))
	}
	return true
}

// A use is a token that a run depends on, and what it was seen to fetch.
type use struct{ name, found string }

// record says in w which tokens a run that began at started depends on.
func (s *Site) record(w *graph.Work, uses []use, started time.Time) {
	if s.Tokens == nil {
		return
	}
	for _, u := range uses {
		if w.Found == nil {
			w.Found = make(map[string]string)
		}
		w.Observed = append(w.Observed, u.name)
		w.Found[u.name] = s.Tokens.Used(u.name, started, u.found)
	}
}

// recordOffline says in w that a run which may have done without the network
// was told to. words is what it mentions, besides the files it was seen to open.
func (s *Site) recordOffline(w *graph.Work, a *Ambient, words matcher) {
	if !s.Offline {
		return
	}
	mentioned := words.Match("DIB_OFFLINE")
	for _, name := range w.Observed {
		mentioned = mentioned || a.words(name).Match("DIB_OFFLINE")
	}
	if mentioned || len(w.Found) > 0 {
		w.Observed = append(w.Observed, observedOffline)
	}
}

// ask asks for the states of tokens that a run is about to use, so that what
// is recorded for them is not newer than that.
func (s *Site) ask(uses []use) {
	if s.Tokens == nil {
		return
	}
	var all sync.WaitGroup
	for _, u := range uses {
		all.Go(func() { s.Tokens.Value(u.name) })
	}
	all.Wait()
}
