package cache

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestHistory(t *testing.T) {
	s := newStore(t)
	a, b := testRecord(t, s, "a"), testRecord(t, s, "b")
	check(t, s.Put(a))
	check(t, s.Put(b))
	if _, err := s.Last("web", "n"); !errors.Is(err, ErrMiss) {
		t.Errorf("Last without a history: %v, want a miss", err)
	}
	check(t, s.SetLast("web", "n", b.Key))
	check(t, s.SetLast("web", "n", a.Key))
	check(t, s.SetLast("web2", "n", b.Key))
	if got := must[*Record](t)(s.Last("web", "n")); got.Key != a.Key {
		t.Errorf("Last = %s, want %s", got.Key.Short(), a.Key.Short())
	}
	overwrite(t, s.historyPath("web", "n"), "torn")
	if _, err := s.Last("web", "n"); !errors.Is(err, ErrMiss) {
		t.Errorf("Last with a torn history: %v, want a miss", err)
	}
	check(t, s.SetLast("web", "n", b.Key))
	if got := must[*Record](t)(s.Last("web", "n")); got.Key != b.Key {
		t.Errorf("Last = %s, want %s", got.Key.Short(), b.Key.Short())
	}
}

func TestHistoryOfAnyNames(t *testing.T) {
	s := newStore(t)
	name := rapid.OneOf(
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 400), func(b []byte) string { return string(b) }),
		rapid.SampledFrom([]string{"", ".", "..", "/", "../../x", "a/b", "a%2Fb", "a~b", strings.Repeat("long", 100)}))
	seen := map[[2]string]Key{}
	rapid.Check(t, func(t *rapid.T) {
		at := [2]string{name.Draw(t, "image"), name.Draw(t, "node")}
		k := KeyOf(rapid.String().Draw(t, "key"))
		if err := s.SetLast(at[0], at[1], k); err != nil {
			t.Fatal(err)
		}
		seen[at] = k
		for at, want := range seen {
			if got, err := s.lastKey(at[0], at[1]); got != want || err != nil {
				t.Errorf("the key of %q is %s, %v, want %s", at, got, err, want)
			}
		}
	})
}

func TestEscapeName(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"install.d/50-nginx", "install.d%2F50-nginx"},
		{"env:root", "env:root"},
		{"", "%"},
		{"%", "%25"},
		{".", "%2E"},
		{"..", "%2E."},
		{"a_b c", "a%5Fb%20c"},
		{"ä", "%C3%A4"},
	} {
		if got := escapeName(test.in); got != test.want {
			t.Errorf("escapeName(%q) = %q, want %q", test.in, got, test.want)
		}
	}
	a, b := escapeName(strings.Repeat("a", 161)), escapeName(strings.Repeat("a", 162))
	if a == b || len(a) != maxName || len(b) != maxName {
		t.Errorf("long names: %q and %q", a, b)
	}
}

func TestBuilds(t *testing.T) {
	now := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	s := openStore(t, t.TempDir()+"/store", Options{Now: func() time.Time { return now }})
	var ids []string
	for i, image := range []string{"web", "web_2", "web", "a/b"} {
		now = now.Add(time.Millisecond)
		b := &Build{
			Image: image, Args: []string{"build", image}, Started: now, Duration: 2, Outcome: "running",
			Nodes: []BuildNode{{
				Name: "install.d/50-x", Kind: "hook", Status: "ran", Key: KeyOf("k"), Started: now, Duration: 3, Saved: 4, Error: "exit 1",
				Reasons: []Reason{{Kind: ReasonChanged, Input: "env A", Old: `"1"`, New: `"2"`, Detail: "d", Cause: "c"}},
			}},
			Outputs: []string{fmt.Sprint(i, ".qcow2")},
		}
		check(t, s.PutBuild(b))
		ids = append(ids, b.ID)
		b.Outcome = "done"
		check(t, s.PutBuild(b))
		got := must[*Build](t)(s.Build(b.ID))
		b.Epoch = got.Epoch
		if !reflect.DeepEqual(got, b) || b.Epoch == "" {
			t.Errorf("got\n%+v, want\n%+v", got, b)
		}
	}
	if want := "20240506T070809.001-"; !strings.HasPrefix(ids[0], want) {
		t.Errorf("id = %q, want %s…", ids[0], want)
	}
	for _, test := range []struct {
		image string
		want  []string
	}{
		{"", []string{ids[3], ids[2], ids[1], ids[0]}},
		{"web", []string{ids[2], ids[0]}},
		{"web_2", []string{ids[1]}},
		{"a/b", []string{ids[3]}},
		{"none", []string{}},
	} {
		if got := must[[]string](t)(s.Builds(test.image)); !slices.Equal(got, test.want) {
			t.Errorf("Builds(%q) = %q, want %q", test.image, got, test.want)
		}
	}
	for _, id := range []string{"", "2024", "../x", ids[0][:len(ids[0])-1]} {
		if b, err := s.Build(id); !errors.Is(err, ErrMissing) {
			t.Errorf("Build(%q) = %v, %v, want ErrMissing", id, b, err)
		}
	}
	for _, id := range []string{"a/b", "a_b", ".x", "../x"} {
		if err := s.PutBuild(&Build{ID: id}); err == nil {
			t.Errorf("PutBuild of id %q succeeded", id)
		}
	}
}

func TestBuildsKeepTheNewest(t *testing.T) {
	s := newStore(t)
	for i := range maxBuilds + 5 {
		check(t, s.PutBuild(&Build{ID: fmt.Sprintf("%04d", i), Image: "i"}))
	}
	ids := must[[]string](t)(s.Builds(""))
	if len(ids) != maxBuilds || ids[0] != "0204" || ids[maxBuilds-1] != "0005" {
		t.Errorf("%d builds are left, %s to %s", len(ids), ids[len(ids)-1], ids[0])
	}
}

func TestDamagedBuild(t *testing.T) {
	s := newStore(t)
	check(t, s.PutBuild(&Build{ID: "b", Image: "i"}))
	overwrite(t, s.path(buildsDir, "b_i"), "{")
	if _, err := s.Build("b"); !errors.Is(err, ErrMissing) || !errors.Is(err, ErrDamaged) {
		t.Errorf("error = %v, want ErrMissing and ErrDamaged", err)
	}
	if ids := must[[]string](t)(s.Builds("")); len(ids) != 0 {
		t.Errorf("Builds = %q", ids)
	}
}

func TestPatterns(t *testing.T) {
	for _, test := range []struct {
		pattern, path string
		want          bool
	}{
		{"mnt/var/log/**", "mnt/var/log/dpkg.log", true},
		{"mnt/var/log/**", "mnt/var/log/apt/history.log", true},
		{"mnt/var/log/**", "mnt/var/log", true},
		{"mnt/var/log/**", "mnt/var/logs", false},
		{"mnt/var/log/**", "var/log/x", false},
		{"**/*.bin", "a.bin", true},
		{"**/*.bin", "a/b/c.bin", true},
		{"**/*.bin", "a/b/c.bin/d", false},
		{"a/**/z", "a/z", true},
		{"a/**/z", "a/b/c/z", true},
		{"a/**/z", "a/b/c/zz", false},
		{"a/**/m/**/z", "a/m/m/z", true},
		{"a/*/z", "a/b/z", true},
		{"a/*/z", "a/b/c/z", false},
		{"a/?", "a/b", true},
		{"a/[bc]", "a/c", true},
		{"a/[bc]", "a/d", false},
		{"**", "x/y", true},
	} {
		list := must[patterns](t)(parsePatterns([]string{"never", test.pattern}))
		if got := list.match(test.path); got != test.want {
			t.Errorf("%q matches %q: %t, want %t", test.pattern, test.path, got, test.want)
		}
	}
	for _, text := range []string{"", "/a", "a/", "a//b", "a/[b"} {
		if list, err := parsePatterns([]string{text}); err == nil {
			t.Errorf("parsePatterns(%q) = %q, want an error", text, list)
		}
	}
}
