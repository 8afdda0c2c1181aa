package steps

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	"github.com/dibgraph/dibgraph/graph"
)

// ACI makes an app container image of the tar file of a [Disk]: a tar file with
// the tree in rootfs, and a manifest.
type ACI struct {
	// Disk is the node whose tar file is used.
	Disk *graph.Node
	// Manifest is the file of the user's that says what is in the image; empty is
	// none, and then there is none in the image. A relative name starts at Dir.
	Manifest, Dir string
}

// aciWriter names what decides the bytes beside the inputs.
const aciWriter = "dibgraph aci 1"

// Describe implements [graph.Action].
func (a *ACI) Describe(d *graph.Description, in *graph.Inputs) error {
	d.Add("writer", "%s", aciWriter)
	if a.Manifest != "" {
		digest, err := fileDigest(a.path())
		if err != nil {
			return fmt.Errorf("read the manifest of the image: %w", err)
		}
		d.Digest(fmt.Sprintf("file %q", a.Manifest), digest)
	}
	return describeTar(d, in, a.Disk)
}

func (a *ACI) path() string {
	if filepath.IsAbs(a.Manifest) {
		return a.Manifest
	}
	return filepath.Join(a.Dir, a.Manifest)
}

// Quote implements [graph.Quoter].
func (a *ACI) Quote(line string) (where string, read func() ([]byte, error), ok bool) {
	if a.Manifest == "" || line != fmt.Sprintf("file %q", a.Manifest) {
		return "", nil, false
	}
	return a.Manifest, func() ([]byte, error) { return os.ReadFile(a.path()) }, true
}

// Run implements [graph.Action].
func (a *ACI) Run(ctx context.Context, w *graph.Work) error {
	return fromTar(ctx, w, a.Disk, func(from io.Reader, to io.Writer) error {
		out := tar.NewWriter(to)
		if err := intoRootfs(out, tar.NewReader(from)); err != nil {
			return err
		}
		if a.Manifest != "" {
			if err := a.addManifest(out); err != nil {
				return fmt.Errorf("add the manifest: %w", err)
			}
		}
		return out.Close()
	})
}

// intoRootfs copies an archive with "rootfs" in place of the directory that it
// is of.
func intoRootfs(to *tar.Writer, from *tar.Reader) error {
	for {
		h, err := from.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name := h.Name
		h.Name = path.Join("rootfs", name)
		if h.Typeflag == tar.TypeDir {
			h.Name += "/"
		}
		if h.Typeflag == tar.TypeLink {
			h.Linkname = path.Join("rootfs", h.Linkname)
		}
		h.Format = tar.FormatPAX // which keeps the fractions of times
		if err := to.WriteHeader(h); err != nil {
			return fmt.Errorf("copy %q: %w", name, err)
		}
		if _, err := io.Copy(to, from); err != nil {
			return fmt.Errorf("copy %q: %w", name, err)
		}
	}
}

func (a *ACI) addManifest(to *tar.Writer) error {
	content, err := os.ReadFile(a.path())
	if err != nil {
		return err
	}
	if err := to.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "manifest", Size: int64(len(content)), Mode: 0o644}); err != nil {
		return err
	}
	_, err = to.Write(content)
	return err
}
