package trust

import "fmt"

// A Why is the kind of a refusal.
type Why string

// All kinds of refusals.
const (
	Damaged       Why = "damaged"        // no frame, or what is in it is no note
	Oversized     Why = "oversized"      // more than a pack has
	UnknownFormat Why = "unknown-format" // of another version of dibgraph
	Unsigned      Why = "unsigned"       // no signature, where one is required
	UnknownKey    Why = "unknown-key"    // signed, by no key that is trusted
	RevokedKey    Why = "revoked-key"    // signed with a key that was revoked
	KeyScope      Why = "key-scope"      // signed with a key that is not for the scope
	BadSignature  Why = "bad-signature"  // the signature is not of this text
	Unverified    Why = "unverified"     // a command could not say whether the signature is right
	OtherScope    Why = "other-scope"    // a pack of another scope
	OtherName     Why = "other-name"     // a pack that belongs under another name
	OtherSalt     Why = "other-salt"     // a pack of a generation that was disowned
	Altered       Why = "altered"        // the payload is not what the note says
	FromFuture    Why = "from-future"    // made later than now
	ScopeNotRead  Why = "scope-not-read" // a scope that is not read here
)

// A RefusedError says why something from a remote is not believed.
type RefusedError struct {
	Why Why
	// Text says it in words, for a person who asks why nothing was used.
	Text string
}

func (e *RefusedError) Error() string { return e.Text }

func refuse(why Why, format string, args ...any) error {
	return &RefusedError{why, fmt.Sprintf(format, args...)}
}
