package main

import "testing"

func TestBuildID(t *testing.T) {
	ids := []string{"20261126T173037.000-bbbbbb", "20261126T173036.000-aaaaaa", "20261125T000000.000-cccccc"}
	for _, test := range []struct {
		name, want string
		ok, failed bool
	}{
		{"last", ids[0], true, false},
		{"last~0", ids[0], true, false},
		{"last~2", ids[2], true, false},
		{"last~3", "", true, true},
		{"last~-1", "", false, false},
		{"last~x", "", false, false},
		{"lasting", "", false, false},
		{ids[1], ids[1], true, false},
		{"20261125", ids[2], true, false},
		{"20261126T173036", ids[1], true, false},
		{"20261126", "", true, true},
		{"2", "", false, false},
		{"20270101", "", false, false},
		{"install.d/50-app", "", false, false},
	} {
		id, ok, err := buildID(ids, test.name)
		if id != test.want || ok != test.ok || (err != nil) != test.failed {
			t.Errorf("buildID(%q) = %q, %t, %v, want %q, %t and an error: %t", test.name, id, ok, err, test.want, test.ok, test.failed)
		}
	}
}
