package cache

// A Reason says why a node was not a hit, recorded where that was decided.
type Reason struct {
	// Kind is one of the constants below.
	Kind string `json:"kind"`
	// Detail is a sentence for people, where the other fields do not say it all.
	Detail string `json:"detail,omitempty"`
	// Input is the name of the input that differs, such as "file
	// hooks/bin/pkg-map", and Old and New its values as in the descriptions.
	Input string `json:"input,omitempty"`
	Old   string `json:"old,omitempty"`
	New   string `json:"new,omitempty"`
	// Cause is the node whose result made the difference, if it was one.
	Cause string `json:"cause,omitempty"`
	// Where is the file behind Input, as the user knows it, if it is one.
	Where string `json:"where,omitempty"`
	// Before and After are the layers that Cause left last time and left now,
	// where the difference is in the state that a node works on. A zero digest
	// is no layer.
	Before Digest `json:"before,omitzero"`
	After  Digest `json:"after,omitzero"`
}

// The kinds of reasons.
const (
	// ReasonNeverBuilt: there is nothing to compare with.
	ReasonNeverBuilt = "never built"
	// ReasonChanged: Input has another value than last time.
	ReasonChanged = "changed"
	// ReasonAdded: Input was not one last time.
	ReasonAdded = "added"
	// ReasonRemoved: Input was one last time.
	ReasonRemoved = "removed"
	// ReasonMissing: there is a record, but not all that it names.
	ReasonMissing = "content missing"
	// ReasonDamaged: the record or what it names is damaged.
	ReasonDamaged = "damaged"
	// ReasonEvicted: the inputs are those of last time, but there is no record.
	ReasonEvicted = "evicted"
	// ReasonWaits: whether the node runs depends on what Cause leaves.
	ReasonWaits = "waits"
	// ReasonForced: the user asked for it.
	ReasonForced = "forced"
	// ReasonExpired: the record is older than the user allows.
	ReasonExpired = "expired"
	// ReasonUntrusted: the record is from somebody who is not trusted.
	ReasonUntrusted = "not trusted"
	// ReasonUnreachable: the record may be in a remote that did not answer.
	ReasonUnreachable = "remote unreachable"
	// ReasonUncached: nodes of this kind are run every time.
	ReasonUncached = "not cached"
)
