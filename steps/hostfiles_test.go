package steps

import (
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/steps/mention"
)

func TestHostFiles(t *testing.T) {
	home, work := t.TempDir(), t.TempDir()
	h := HostFiles{Home: home, WorkDir: work}
	never := func(string) bool { return false }
	v := &Variables{Unkeyed: func(name string) bool { return name == "DIB_IMAGE_CACHE" }, Own: never}
	env := map[string]string{
		"DIB_APT_CONF":     filepath.Join(work, "apt.conf"),
		"DIB_LIST":         "./one.repo two.repo",
		"DIB_CONTEXT":      "~/context",
		"DIB_OWN":          RunDir + "/build/out/image.d/",
		"DIB_IMAGE_CACHE":  filepath.Join(work, "cache"),
		"DIB_UNMENTIONED":  filepath.Join(work, "one.repo"),
		"DIB_PROGRAM":      "/usr/bin/env",
		"OTHER":            filepath.Join(work, "apt.conf"),
		"DIB_MIRROR":       "https://example.org/one.repo",
		"DIB_BLOCK_CONFIG": "file://" + filepath.Join(work, "layout"),
	}
	text := "$DIB_APT_CONF $DIB_LIST $DIB_CONTEXT $DIB_OWN $DIB_IMAGE_CACHE $DIB_PROGRAM $DIB_MIRROR $OTHER $DIB_BLOCK_CONFIG ~/.ssh/authorized_keys"
	lines := func() map[string]string {
		var d graph.Description
		if err := h.describe(&d, v, env, readers{mention.Of([]byte(text))}, nil); err != nil {
			t.Fatal(err)
		}
		got := make(map[string]string)
		for _, l := range d.Lines() {
			got[l.Name] = l.Value
		}
		return got
	}
	put := func(path, content string) {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	line := func(path string) string { return `host "` + path + `"` }

	want := map[string]string{
		line("apt.conf"):               "absent",
		line("one.repo"):               "absent",
		line("~/context"):              "absent",
		line("layout"):                 "absent",
		line("~/.ssh/authorized_keys"): "absent",
	}
	if got := lines(); !maps.Equal(got, want) {
		t.Errorf("nothing there: %q, want %q", got, want)
	}

	put(work+"/apt.conf", "a")
	put(work+"/two.repo", "b")
	put(home+"/context/sub/file", "c")
	put(home+"/.ssh/authorized_keys", "d")
	want[line("apt.conf")] = graph.DigestText("a").String() + " 0644"
	want[line("two.repo")] = graph.DigestText("b").String() + " 0644"
	want[line("~/context")] = "tree " + graph.DigestText(`"/sub/file" `+graph.DigestText("c").String()+" 0644\n").String()
	want[line("~/.ssh/authorized_keys")] = graph.DigestText("d").String() + " 0644"
	if got := lines(); !maps.Equal(got, want) {
		t.Errorf("with content: %q, want %q", got, want)
	}
}
