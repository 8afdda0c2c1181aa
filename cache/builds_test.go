package cache

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

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

// A build is the newest when it is stored, whatever the clock says by then.
func TestBuildsWhenTheClockIsPutBack(t *testing.T) {
	now := time.Date(2027, 5, 6, 7, 8, 9, 0, time.UTC)
	s := openStore(t, t.TempDir()+"/store", Options{Now: func() time.Time { return now }})
	for i := range maxBuilds + 5 {
		if i == 3 {
			now = now.AddDate(-2, 0, 0)
		}
		b := &Build{Image: "i", Started: now}
		check(t, s.PutBuild(b))
		if ids := must[[]string](t)(s.Builds("")); ids[0] != b.ID {
			t.Fatalf("build %d is %s, and the newest is %s", i, b.ID, ids[0])
		}
	}
	now = now.AddDate(10, 0, 0)
	b := &Build{Image: "i", Started: now}
	check(t, s.PutBuild(b))
	if want := "20350506T070809.000-"; !strings.HasPrefix(b.ID, want) {
		t.Errorf("id = %q, want %s…", b.ID, want)
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
