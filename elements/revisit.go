package elements

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/steps"
)

// A Past opens nodes of a past build as far as they are recorded, whatever has
// become of the elements since.
type Past struct {
	Store *cache.Store
	Build *cache.Build
	// Environment is the caller's: secrets are not recorded, and those of now
	// have to do.
	Environment map[string]string
	// Helper is the path of this program.
	Helper string
}

// AskedFor returns what a build was asked for, without secrets.
func AskedFor(b *cache.Build) (def Definition, err error) {
	if err = json.Unmarshal(b.Definition, &def); err != nil {
		err = fmt.Errorf("read what the build %s of %s was asked for: %w", b.ID, b.Image, err)
	}
	return def, err
}

// Shell returns what opens a shell on a tree with the environment of a node.
// Of the elements there is what the node was seen to read, if the record of the
// node, which may be nil, has kept it.
func (p *Past) Shell(n cache.BuildNode, r *cache.Record) (*steps.Visit, error) {
	def, err := AskedFor(p.Build)
	if err != nil {
		return nil, err
	}
	if def.Environment == nil {
		def.Environment = map[string]string{}
	}
	for name, value := range p.Environment {
		if _, recorded := def.Environment[name]; !recorded && IsSecret(name, value) {
			def.Environment[name] = value
		}
	}
	var lines []graph.Line
	if r != nil {
		lines = graph.ParseDescription(r.Description)
	}
	phase := phaseOf(n)
	values, err := p.values(&Image{Definition: def}, phase, lines)
	if err != nil {
		return nil, err
	}
	site, err := p.site(def, lines)
	return &steps.Visit{Site: site, Values: values, Chroot: phase.Chroot, Kernel: phase.Name != "root"}, err
}

// phaseOf returns the phase a node belongs to; what belongs to none works on
// the host side.
func phaseOf(n cache.BuildNode) Phase {
	dir, _, _ := strings.Cut(n.Name, "/")
	name := strings.TrimSuffix(dir, ".d")
	switch n.Kind {
	case "environment":
		name = strings.TrimPrefix(n.Name, "env:")
	case "packages":
		name = "install"
	case "base":
		name = "root"
	case "disk":
		name = "block-device" // its first one
	}
	phase, _ := PhaseNamed(name)
	return phase
}

// values returns the environment: what the definition says, as environment.d of
// the phase changed it, with what is recorded to the letter over it.
func (p *Past) values(img *Image, phase Phase, lines []graph.Line) (map[string]string, error) {
	values := img.Environment(phase.Side(), phase)
	// Without the elements nothing is known of these; recorded ones come back.
	for _, name := range []string{"IMAGE_ELEMENT", "IMAGE_ELEMENT_YAML", "BASH_FUNC_get_image_element_array%%"} {
		delete(values, name)
	}
	for _, n := range p.Build.Nodes {
		if n.Name != "env:"+phase.Name || n.Key.IsZero() {
			continue
		}
		r, err := p.Store.Record(n.Key)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n.Name, err)
		}
		result, err := steps.ReadPhase(func(output string) ([]byte, error) { return p.Store.ReadBlob(r.Outputs[output].Digest) })
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n.Name, err)
		}
		values = result.Apply(values)
	}
	for _, line := range lines {
		name, ok := strings.CutPrefix(line.Name, "env ")
		if !ok {
			continue
		}
		quoted := line.Value
		word, _, _ := strings.Cut(quoted, " ")
		if digest, err := cache.ParseDigest(word); err == nil { // of a long one, which is a text
			text, err := p.Store.ReadBlob(digest)
			if err != nil && !errors.Is(err, cache.ErrMissing) {
				return nil, err
			}
			quoted = string(text)
		}
		if value, err := strconv.Unquote(quoted); err == nil { // a secret is no quoted value
			values[name] = value
		}
	}
	return values, nil
}

// site provides what is not in layers, with the files of elements whose texts
// are kept.
func (p *Past) site(def Definition, lines []graph.Line) (*steps.Site, error) {
	base, err := p.Store.TempDir("hooks")
	if err != nil {
		return nil, err
	}
	elements, err := p.Store.TempDir("elements")
	if err != nil {
		return nil, err
	}
	for _, dir := range []string{base + "/mnt", base + "/hooks", base + "/out"} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return nil, err
		}
	}
	for _, line := range lines {
		if err := p.restore(base, elements, line); err != nil {
			return nil, err
		}
	}
	for _, dir := range []string{base, elements} {
		if err := os.Chmod(dir, 0o755); err != nil {
			return nil, err
		}
	}
	workDir := def.WorkDir
	if info, err := os.Stat(workDir); err != nil || !info.IsDir() {
		workDir = "/"
	}
	return &steps.Site{
		Hooks:      func() (string, error) { return base, nil },
		Elements:   func() ([]string, error) { return []string{elements}, nil },
		Lib:        func() (string, error) { return writeLib(p.Store.TempDir) },
		Helper:     p.Helper,
		ImageCache: def.ImageCache,
		HostDirs:   []string{def.ImageCache, def.lockDir()},
		WorkDir:    workDir,
	}, nil
}

// restore writes the file that a line of a description is about, if its text
// was kept.
func (p *Past) restore(base, elements string, line graph.Line) error {
	name, digest, mode, ok := fileOf(line)
	if !ok {
		return nil
	}
	at := filepath.Join(base, name)
	if inElement, ok := strings.CutPrefix(name, "elements/"); ok {
		at = filepath.Join(elements, inElement)
	} else if !strings.HasPrefix(name, "hooks/") {
		return nil // of an overridden element
	}
	text, err := p.Store.ReadBlob(digest)
	if errors.Is(err, cache.ErrMissing) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return err
	}
	return os.WriteFile(at, text, mode)
}

// fileOf returns the file that a line of a description has the digest of.
func fileOf(line graph.Line) (name string, digest cache.Digest, mode os.FileMode, ok bool) {
	kind, quoted, _ := strings.Cut(line.Name, " ")
	name, notQuoted := strconv.Unquote(quoted)
	word, rest, _ := strings.Cut(line.Value, " ")
	digest, notFile := cache.ParseDigest(word)
	if notQuoted != nil || notFile != nil || !filepath.IsLocal(name) {
		return "", digest, 0, false
	}
	switch kind {
	case "hook":
		return name, digest, 0o755, true
	case "environment.d":
		return path.Join("hooks/environment.d", name), digest, 0o644, true
	case "file":
		bits, err := strconv.ParseUint(rest, 8, 9)
		return name, digest, os.FileMode(bits), err == nil
	}
	return "", digest, 0, false
}
