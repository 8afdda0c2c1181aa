package elements

import (
	"slices"
	"testing"
)

func TestPhaseHooks(t *testing.T) {
	tree := newTree([]File{
		directory("install.d"), directory("install.d/05-dir"), regular("install.d/100-last", 0o755), regular("install.d/10-first", 0o755),
		regular("install.d/9-before", 0o700), regular("install.d/20-plain", 0o644), regular("install.d/30.dot", 0o755),
		regular("install.d/README", 0o755), link("install.d/50-link", "../bin/tool"), link("install.d/51-plain", "20-plain"),
		link("install.d/52-lost", "../nothing"), directory("bin"), regular("bin/tool", 0o755), regular("install.d/05-dir/60-deep", 0o755),
		directory("install.d.d"), regular("install.d.d/1-x", 0o755), regular("install.d/70-only-others", 0o001),
	})
	install, _ := PhaseNamed("install")
	for _, test := range []struct {
		pattern string
		want    []string
	}{
		{"", []string{"README", "9-before", "10-first", "50-link", "70-only-others", "100-last"}},
		{"^[0-9]+-(first|last)$", []string{"10-first", "100-last"}},
		{"dot", []string{"30.dot"}},
		{"^$", nil},
	} {
		var got []string
		for _, h := range tree.PhaseHooks(install, test.pattern) {
			got = append(got, h.Name)
			if h.File.Path != "install.d/"+h.Name || !h.File.Executable || h.File.IsLink() {
				t.Errorf("hook %q has the file %+v", h.Name, h.File)
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("PhaseHooks(install, %q) = %q, want %q", test.pattern, got, test.want)
		}
	}
	if got := tree.PhaseHooks(Phases[0], ""); got != nil {
		t.Errorf("PhaseHooks(root) = %v, want none", got)
	}
}

func TestEnvironmentFiles(t *testing.T) {
	tree := newTree([]File{
		directory("environment.d"), regular("environment.d/9-a", 0o644), regular("environment.d/100-x", 0o644),
		regular("environment.d/10-a.bash", 0o644), regular("environment.d/10-01-x", 0o755), regular("environment.d/10~", 0o644),
		directory("environment.d/dir"), link("environment.d/20-link", "../x"), link("environment.d/21-lost", "../y"), regular("x", 0o644),
	})
	want := "environment.d/10-01-x environment.d/10-a.bash environment.d/100-x environment.d/20-link environment.d/9-a"
	if got := paths(EnvironmentFiles(tree)); got != want {
		t.Errorf("EnvironmentFiles = %s, want %s", got, want)
	}
}

func TestPhases(t *testing.T) {
	want := "root extra-data pre-install* install* post-install* post-root block-device+ pre-finalise+ finalise*+ cleanup+"
	got := ""
	for _, p := range Phases {
		got += " " + p.Name
		if p.Chroot {
			got += "*"
		}
		if p.InDisk {
			got += "+"
		}
		if found, ok := PhaseNamed(p.Name); !ok || found != p {
			t.Errorf("PhaseNamed(%q) = %v, %t", p.Name, found, ok)
		}
		if p.Dir() != p.Name+".d" || (p.Side() == Chroot) != p.Chroot {
			t.Errorf("phase %q: Dir %q, Side %v", p.Name, p.Dir(), p.Side())
		}
	}
	if got[1:] != want {
		t.Errorf("Phases = %s\nwant %s", got[1:], want)
	}
	if _, ok := PhaseNamed("install.d"); ok {
		t.Error(`PhaseNamed("install.d") found something`)
	}
}
