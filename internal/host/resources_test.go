package host

import (
	"strings"
	"testing"
)

func TestMemory(t *testing.T) {
	for _, test := range []struct {
		meminfo, detail string
		state           State
	}{
		{"MemTotal: 9 kB\nMemAvailable:   23772292 kB\n", "22.7 GiB available", OK},
		{"MemAvailable: 524288 kB\n", "512 MiB available", Degraded},
		{"MemTotal: 9 kB\n", "/proc/meminfo does not say what is available", Degraded},
		{"MemAvailable: many kB\n", `strconv.ParseInt: parsing "many": invalid syntax`, Degraded},
	} {
		got := fake(t, map[string]string{"/proc/meminfo": test.meminfo}).memory()
		if got.State != test.state || got.Detail != test.detail {
			t.Errorf("%q: %+v, want %s, %q", test.meminfo, got, test.state, test.detail)
		}
	}
}

func TestSpace(t *testing.T) {
	for free, want := range map[int64]State{0: Missing, leastSpace - 1: Missing, leastSpace: Degraded, minSpace: OK} {
		if got := spaceState(free); got != want {
			t.Errorf("spaceState(%d) = %s, want %s", free, got, want)
		}
	}
	store := t.TempDir() + "/not/yet"
	if got := space(store); !strings.HasSuffix(got.Detail, " free for "+store) {
		t.Errorf("space(%q): %+v", store, got)
	}
}

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{0: "0 KiB", 1 << 20: "1 MiB", 5 << 29: "2.5 GiB"} {
		if got := bytes(n); got != want {
			t.Errorf("bytes(%d) = %q, want %q", n, got, want)
		}
	}
}
