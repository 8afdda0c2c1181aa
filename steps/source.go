package steps

import (
	"cmp"
	"fmt"
	"net/url"
	"os"
	"path"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/dibgraph/dibgraph/graph"
	"github.com/dibgraph/dibgraph/internal/fetch"
	"github.com/dibgraph/dibgraph/internal/registry"
)

// SourceOutput is the output of a [Source] that holds the file.
const SourceOutput = "content"

// sourceText is the output that is the file once more if it is a text that a
// hook may run or source, and depend on what it mentions.
const sourceText = "text"

// AskNever is the MaxAge of a [Source] that is not asked for again once it is
// known.
const AskNever time.Duration = -1

// A Source gets a file that hooks need: from a server, from a path of the machine,
// or the root filesystem of an image in a registry as a tar archive. Without a checksum, its key holds what the server said last about
// the file, and so does the plan of it: only [Source.Ask], which a build calls
// first, and Run use the network.
type Source struct {
	// Name is that of the file in [SourcesDir].
	Name string
	// Address is where it is: an address with http, https or file, or a path
	// of the machine.
	Address fetch.Address
	// Checksum is "sha256:HEX" or "sha512:HEX"; empty if it is not known.
	Checksum string
	// List is where a list of checksums is that has the file, on a server; the
	// zero Address is none.
	List fetch.Address
	// MaxAge says how long an answer of the server is good for: 0 is for one
	// build, AskNever for ever.
	MaxAge time.Duration
	// Offline forbids the use of the network.
	Offline bool
	// Platform is that of the image that is wanted of a registry which has it for
	// several.
	Platform ocispec.Platform
	// Place says where the source is declared, for messages.
	Place string

	Files  HostFiles
	Client *fetch.Client
	Images *registry.Client
	Known  Validators

	// found is the validator of what this run got. What other processes learn
	// meanwhile must not get into the key of it.
	found string
}

// Validators keeps what servers said last.
type Validators interface {
	// Validator returns the value of a name and when it was set, an empty
	// value if it never was.
	Validator(name string) (value string, checked time.Time, err error)
	// SetValidator sets it as of now.
	SetValidator(name, value string) error
}

// localPath returns the path that an address names, and whether it is one.
func localPath(a fetch.Address) (name string, ok bool) {
	parsed, err := url.Parse(a.URL)
	switch {
	case err != nil || parsed.Scheme == "http" || parsed.Scheme == "https" || parsed.Scheme == "oci":
		return "", false
	case parsed.Scheme == "file":
		return parsed.Path, true
	}
	return a.URL, true
}

// fileName returns the name of the file at the address.
func fileName(a fetch.Address) string {
	if parsed, err := url.Parse(a.URL); err == nil {
		return path.Base(parsed.Path)
	}
	return path.Base(a.URL)
}

// describeAddress writes an address; a secret one by its digest.
func describeAddress(d *graph.Description, name string, a fetch.Address) {
	if a.URL == a.String() {
		d.Add(name, "%q", a.URL)
	} else {
		d.Add(name, "%q secret %s", a.String(), graph.DigestText(a.URL))
	}
}

// observedValidator is the observation that a run leaves whose result depends
// on what a server says.
const observedValidator = "validator"

// Describe implements [graph.Action].
func (s *Source) Describe(d *graph.Description, _ *graph.Inputs) error {
	if s.Checksum != "" {
		// It names the content; where that is from makes no difference.
		d.Add("checksum", "%s", s.Checksum)
		return nil
	}
	if image, ok := s.image(); ok {
		d.Add("platform", "%s %s %s", s.Platform.OS, s.Platform.Architecture, s.Platform.Variant)
		if digest, fixed := image.Fixed(); fixed {
			d.Add("image", "%s", digest)
			return nil
		}
	}
	describeAddress(d, "url", s.Address)
	if s.listed() {
		describeAddress(d, "checksum list", s.List)
	}
	return nil
}

// Observe implements [graph.Observer].
func (s *Source) Observe(d *graph.Description, name string, _ *graph.Inputs) (err error) {
	if name != observedValidator || s.fixed() {
		return nil
	}
	line, value := fmt.Sprintf("validator %q", s.asked().String()), s.found
	if at, ok := s.local(); ok {
		line = fmt.Sprintf("host %q", s.Files.spelled(at))
		if value == "" {
			value, err = s.localDigest(at)
		}
	} else if value == "" {
		value, _, err = s.Known.Validator(s.validatorName())
	}
	if err != nil {
		return s.failure(err)
	}
	d.Add(line, "%s", cmp.Or(value, "unknown"))
	return nil
}

// localDigest is the digest of the file alone: a source takes nothing else of it,
// so that its mode and the links to it do not matter.
func (s *Source) localDigest(name string) (string, error) {
	path := s.Files.path(name)
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return s.Files.contentDigest(path)
	}
	digest, err := fileDigest(path)
	if os.IsPermission(err) {
		return "unreadable", nil
	}
	return digest.String(), err
}

// local returns the path of a source whose content is an input by itself.
func (s *Source) local() (name string, ok bool) {
	name, ok = localPath(s.Address)
	return name, ok && s.Checksum == "" && !s.listed()
}

func (s *Source) listed() bool { return s.List.URL != "" }

// asks reports whether the key depends on what a server says.
func (s *Source) asks() bool {
	_, local := s.local()
	return !s.fixed() && !local
}

// fixed reports whether the content follows from the description alone.
func (s *Source) fixed() bool {
	if image, ok := s.image(); ok {
		_, fixed := image.Fixed()
		return fixed
	}
	return s.Checksum != ""
}

// image returns the address of an image in a registry, if the source is one.
func (s *Source) image() (a registry.Address, ok bool) {
	if !registry.IsAddress(s.Address.URL) {
		return a, false
	}
	a, err := registry.ParseAddress(s.Address.URL)
	return a, err == nil // elements checks it
}

// imageValidator is the validator of an image.
func imageValidator(digest string) string { return "image " + digest }

// asked returns what the server is asked about.
func (s *Source) asked() fetch.Address {
	if s.listed() {
		return s.List
	}
	return s.Address
}

// validatorName is what the answer is kept under. All images share it.
func (s *Source) validatorName() string {
	name := "source " + s.asked().String()
	if s.listed() {
		name += " " + fileName(s.Address)
	}
	if s.asked().URL != s.asked().String() {
		name += " " + graph.DigestText(s.asked().URL).String()
	}
	return name
}
