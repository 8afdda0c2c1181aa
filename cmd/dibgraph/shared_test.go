package main

import (
	"testing"

	"github.com/dibgraph/dibgraph/cache/settings"
)

// What a file says about signatures holds for a remote by whatever name it goes
// in messages and records.
func TestPolicyKnowsWhoNeedsSignatures(t *testing.T) {
	yes, no := true, false
	policy, err := policyOf(settings.Settings{
		From: []settings.Place{
			{URL: "dir:/srv/strict/", RequireSignature: &yes}, {URL: "dir:/srv/usual"},
			{URL: "https://user:secret@cache.example.org/open/", RequireSignature: &no}, {URL: "https://cache.example.org/usual"},
			{URL: "oci://registry.example.org/twice", RequireSignature: &no}, {URL: "sftp://cannot.be", RequireSignature: &no},
		},
		To: []settings.Place{{URL: "oci://registry.example.org/twice", RequireSignature: &yes}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]bool{
		"dir:/srv/strict": true, "dir:/srv/usual": false,
		"https://cache.example.org/open": false, "https://cache.example.org/usual": true,
		"oci://registry.example.org/twice": true,
	} {
		if got := policy.NeedsSignature(address); got != want {
			t.Errorf("%s needs signatures: %t, want %t", address, got, want)
		}
	}
}
