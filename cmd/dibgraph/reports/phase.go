package reports

import "strings"

// PhaseOf returns the phase directory that a node belongs to, "" for none, and
// its name within it.
func PhaseOf(name string) (phase, rest string) {
	if phase, ok := strings.CutPrefix(name, "env:"); ok {
		return phase + ".d", "environment"
	}
	if phase, hook, ok := strings.Cut(name, "/"); ok {
		return phase, hook
	}
	return "", name
}

// Bands of nodes that belong to no phase.
const (
	bandSources = "sources"
	bandImage   = "image"
)

// bandsOf returns, for each node in the order of a build, the band of the
// drawing that it is in, and its name there. An internal step such as [base] is
// in that of the phase it follows.
func bandsOf(names []string) (bands, labels []string) {
	last := bandImage
	for _, name := range names {
		band, label := PhaseOf(name)
		switch {
		case strings.HasPrefix(name, "source:"):
			band, label = bandSources, strings.TrimPrefix(name, "source:")
		case band == "" && strings.HasPrefix(name, "["):
			band = last
		case band == "":
			band = bandImage
		default:
			last = band
		}
		bands, labels = append(bands, band), append(labels, label)
	}
	return bands, labels
}
