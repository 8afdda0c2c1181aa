package cache

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// began is a build that is under way in tests.
func began(image string) Build {
	return Build{Image: image, Outcome: "interrupted", Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
}

func buildNode(name string) BuildNode {
	return BuildNode{
		Name: name, Key: KeyOf(name), Status: "run", Started: time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC), Duration: 2 * time.Second,
		Reasons: []Reason{{Kind: ReasonChanged, Input: "hook"}},
	}
}

func init() {
	// die-building is killed during builds of two images, of one of which
	// nothing is known yet.
	helpers["die-building"] = func(args []string) error {
		s, err := Open(args[0], Options{})
		if err != nil {
			return err
		}
		s.BeginBuild(began("idle"))
		log := s.BeginBuild(began("web"))
		for _, name := range []string{"first", "second"} {
			if err := log.Add(buildNode(name)); err != nil {
				return err
			}
		}
		return killMyself()
	}
}

func TestBuildLogOfKilledBuild(t *testing.T) {
	dir := t.TempDir() + "/store"
	living := openStore(t, dir, Options{})
	check(t, living.PutBuild(&Build{Image: "web", Outcome: "done"}))
	going := living.BeginBuild(began("web"))
	check(t, going.Add(buildNode("going on")))
	if err := helperCommand(t, "die-building", dir).Run(); err == nil {
		t.Fatal("the helper survived")
	}
	logs := must[[]string](t)(filepath.Glob(dir + "/tmp/*/build-*"))
	if len(logs) != 2 {
		t.Fatalf("the logs are %q, want one of the living and one of the dead", logs)
	}
	for _, log := range logs {
		if !strings.Contains(log, living.owner.id) {
			appendTo(t, log, "\n{\"name\":\"cut o")
			check(t, os.Mkdir(filepath.Join(filepath.Dir(log), "build-0"), 0o700)) // cannot be read
		}
	}
	var found *Build
	for _, o := range []Options{{ReadOnly: true}, {}, {ReadOnly: true}} {
		s := openStore(t, dir, o)
		ids := must[[]string](t)(s.Builds("web"))
		if len(ids) != 2 {
			t.Fatalf("%+v: there are the builds %q, want the one that ended and the one that was killed", o, ids)
		}
		b := must[*Build](t)(s.Build(ids[0]))
		var names []string
		for _, n := range b.Nodes {
			names = append(names, n.Name)
		}
		if !slices.Equal(names, []string{"first", "second"}) || b.Outcome != "interrupted" || b.Duration != 3*time.Second {
			t.Errorf("%+v: %s after %s with %q, want interrupted after 3s with first and second", o, b.Outcome, b.Duration, names)
		}
		if n := b.Nodes[1]; n.Key != KeyOf("second") || len(n.Reasons) != 1 {
			t.Errorf("%+v: the node is %+v", o, n)
		}
		if found != nil && found.ID != b.ID {
			t.Errorf("%+v: its id is %s, and was %s", o, b.ID, found.ID)
		}
		found = b
		if ids := must[[]string](t)(s.Builds("idle")); len(ids) != 0 {
			t.Errorf("%+v: of the build in which nothing happened there is %q", o, ids)
		}
		check(t, s.Close())
	}
}

func TestBuildLogClosed(t *testing.T) {
	s := newStore(t)
	log := s.BeginBuild(began("web"))
	check(t, log.Close())
	check(t, log.Add(buildNode("first")))
	check(t, log.Close())
	check(t, log.Close())
	if left := must[[]string](t)(filepath.Glob(s.path(tmpDir, "*", "build-*"))); len(left) != 0 {
		t.Errorf("there is left %q", left)
	}
	if ids := must[[]string](t)(s.Builds("")); len(ids) != 0 {
		t.Errorf("there are the builds %q", ids)
	}
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	f := must[*os.File](t)(os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0))
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}
