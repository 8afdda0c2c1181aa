package steps

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/dibgraph/dibgraph/graph"
)

//go:embed all:lib
var libFiles embed.FS

// LibDigest stands in keys for everything below [LibDir]: the files hooks
// source, and the helper programs, whose behaviour helperVersion names.
var LibDigest = sync.OnceValue(func() graph.Digest {
	var text strings.Builder
	fmt.Fprintf(&text, "helper %d\n", helperVersion)
	err := fs.WalkDir(libFiles, "lib", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := libFiles.ReadFile(path)
		fmt.Fprintf(&text, "%s %s\n", path, graph.DigestBytes(content))
		return err
	})
	if err != nil {
		panic("steps: embedded library: " + err.Error())
	}
	return graph.DigestText(text.String())
})

// helperVersion is raised whenever a helper program writes something else for
// the same input.
const helperVersion = 1

// WriteLib writes the library that hooks find at [LibDir] into dir.
func WriteLib(dir string) error {
	err := fs.WalkDir(libFiles, "lib", func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel("lib", path)
		if err != nil {
			return err
		}
		target := filepath.Join(dir, rel)
		if e.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		content, err := libFiles.ReadFile(path)
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o644)
		if bytes.HasPrefix(content, []byte("#!")) {
			mode = 0o755
		}
		return os.WriteFile(target, content, mode)
	})
	if err != nil {
		return fmt.Errorf("write the hook library: %w", err)
	}
	// The running program is bound over this file.
	return os.WriteFile(filepath.Join(dir, "bin", filepath.Base(HelperPath)), nil, 0o755)
}
