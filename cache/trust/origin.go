package trust

// An Origin says where something was taken from, and why it was believed. It is
// stored with what was taken.
type Origin struct {
	Remote string `json:"remote"`
	Scope  string `json:"scope"`
	// Key is the name and hash of the key that signed it, "ci+1a2b3c4d".
	Key    string `json:"key,omitempty"`
	Signed bool   `json:"signed"`
}

// Allows says whether what has this origin is believed now: its key may have been
// revoked since, or this process may read other scopes than the one that took it.
// It asks no one and reads nothing. The error is a *RefusedError.
func (p *Policy) Allows(o Origin) error {
	key := p.keys[o.Key]
	switch {
	case !matches(p.scopes, o.Scope):
		return refuse(ScopeNotRead, "it is of scope %s, which is not read here", o.Scope)
	case o.Signed && p.revoked[o.Key]:
		return refuse(RevokedKey, "it is signed with %s, which was revoked", o.Key)
	case !p.NeedsSignature(o.Remote):
		return nil
	case !o.Signed:
		return refuse(Unsigned, "it is not signed, and %s needs signatures", o.Remote)
	case key == nil:
		return refuse(UnknownKey, "it is signed with %s, which is not trusted here", o.Key)
	case !matches(key.Scopes, o.Scope):
		return refuse(KeyScope, "it is signed with %s, which is not trusted for scope %s", o.Key, o.Scope)
	}
	return nil
}
