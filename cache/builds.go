package cache

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
)

// maxBuilds is how many builds are kept, for all images together: enough to look
// back some weeks.
const maxBuilds = 200

// A Build is what happened in one build, for explain and log.
type Build struct {
	// ID orders builds by time. PutBuild sets it if it is empty.
	ID    string   `json:"id"`
	Epoch string   `json:"epoch,omitempty"` // set by PutBuild, see the package doc
	Image string   `json:"image"`
	Args  []string `json:"args,omitempty"`
	// Definition is what was asked for, in the caller's own form.
	Definition json.RawMessage `json:"definition,omitempty"`
	Started    time.Time       `json:"started"`
	Duration   time.Duration   `json:"duration,omitempty"` // nanoseconds
	Outcome    string          `json:"outcome"`
	Nodes      []BuildNode     `json:"nodes,omitempty"`
	Outputs    []string        `json:"outputs,omitempty"` // files made, outside the store
}

// A BuildNode is what happened to one node in a build. The words of Kind and
// Status are the caller's.
type BuildNode struct {
	Name   string `json:"name"`
	Kind   string `json:"kind"`
	Status string `json:"status"`
	Key    Key    `json:"key,omitzero"`
	Log    Blob   `json:"log,omitzero"`
	// Where is the file that the node runs, as the user knows it, if it is one.
	Where string `json:"where,omitempty"`
	// Reasons say what differs from last time, the first cause first: why the
	// node ran, or for a hit why its record is another one than last time.
	Reasons []Reason `json:"reasons,omitempty"`
	// Last is the key of the record that Reasons compare with.
	Last Key `json:"last,omitzero"`
	// Same says that the node ran and left what it had left before, so that
	// nothing after it had to run for its sake.
	Same bool `json:"same,omitempty"`
	// Coarse says that the run whose result was used could not be observed.
	Coarse bool `json:"coarse,omitempty"`
	// Started is when it began to run, or when it was found to hit.
	Started  time.Time     `json:"started,omitzero"`
	Duration time.Duration `json:"duration,omitempty"`
	Error    string        `json:"error,omitempty"`
	Saved    time.Duration `json:"saved,omitempty"` // how long the run took that a hit made unnecessary
	// From is the address of the remote that a result which hit came from.
	From string `json:"from,omitempty"`
	// Dependencies are the nodes of the build that had to be finished first.
	Dependencies []string `json:"dependencies,omitempty"`
}

// PutBuild stores b, or stores it again if there is one with its ID and image.
// The oldest builds beyond 200 are deleted.
func (s *Store) PutBuild(b *Build) error {
	e, err := s.begin()
	if err != nil {
		return err
	}
	defer e.end()
	if b.ID == "" {
		if b.ID, err = s.newBuildID(); err != nil {
			return fmt.Errorf("put a build of %q: %w", b.Image, err)
		}
	}
	if err := s.putBuild(b, e.name); err != nil {
		return fmt.Errorf("put build %s: %w", b.ID, err)
	}
	return nil
}

func (s *Store) putBuild(b *Build, epoch string) error {
	if !validBuildID(b.ID) {
		return fmt.Errorf("invalid id %q", b.ID)
	}
	stored := *b
	stored.Epoch = epoch
	data, err := json.MarshalIndent(&stored, "", "\t")
	if err != nil {
		return err
	}
	if err := s.writeFile(s.path(buildsDir, b.fileName()), append(data, '\n')); err != nil {
		return err
	}
	names, err := readNames(s.path(buildsDir))
	for len(names) > maxBuilds {
		err = errors.Join(err, removeIfThere(s.path(buildsDir, names[0])))
		names = names[1:]
	}
	return err
}

func (b *Build) fileName() string { return b.ID + "_" + escapeName(b.Image) }

// buildTime is how the id of a build begins.
const buildTime = "20060102T150405.000"

// newBuildID sorts by time, and after all builds there are also if the clock was
// put back since: the build would else be taken for an older one, and be deleted
// as the oldest. The end keeps apart what starts at the same time.
func (s *Store) newBuildID() (string, error) {
	names, err := readNames(s.path(buildsDir))
	if err != nil {
		return "", err
	}
	at := s.now().UTC()
	for _, name := range slices.Backward(names) {
		begin, _, _ := strings.Cut(name, "-")
		last, err := time.Parse(buildTime, begin)
		if err != nil {
			continue // none of ours
		}
		if !at.Truncate(time.Millisecond).After(last) {
			at = last.Add(time.Millisecond)
		}
		break
	}
	var random [3]byte
	rand.Read(random[:]) // never fails, see crypto/rand
	return at.Format(buildTime) + "-" + hex.EncodeToString(random[:]), nil
}

// validBuildID keeps "_", which ends the id in the name of the file, and "/" out.
func validBuildID(id string) bool {
	for i := range len(id) {
		if !safeInName(id[i]) {
			return false
		}
	}
	return id != "" && id[0] != '.' && len(id) <= 64
}

// Builds returns the ids of the builds of an image, or of all for "", newest
// first.
func (s *Store) Builds(image string) ([]string, error) {
	names, err := readNames(s.path(buildsDir))
	if err != nil {
		return nil, fmt.Errorf("list builds: %w", err)
	}
	for _, b := range s.killedBuilds() {
		names = append(names, b.fileName())
	}
	slices.Sort(names)
	names = slices.Compact(names)
	ids := []string{}
	for _, name := range slices.Backward(names) {
		id, of, _ := strings.Cut(name, "_")
		if image == "" || of == escapeName(image) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// Build returns a build. An id that is not there, or no longer, is ErrMissing.
func (s *Store) Build(id string) (*Build, error) {
	names, err := readNames(s.path(buildsDir))
	if err != nil {
		return nil, fmt.Errorf("read build %q: %w", id, err)
	}
	i := slices.IndexFunc(names, func(name string) bool { return strings.HasPrefix(name, id+"_") })
	if i < 0 {
		return s.killedBuild(id)
	}
	path := s.path(buildsDir, names[i])
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, missingBuild(id)
	}
	if err != nil {
		return nil, fmt.Errorf("read build %q: %w", id, err)
	}
	var b Build
	if err := json.Unmarshal(data, &b); err != nil {
		s.quarantine(path, "build")
		return nil, &contentError{what: "build " + id, damage: err.Error()}
	}
	return &b, nil
}

func (s *Store) killedBuild(id string) (*Build, error) {
	for _, b := range s.killedBuilds() {
		if b.ID == id {
			return b, nil
		}
	}
	return nil, missingBuild(id)
}

func missingBuild(id string) error { return &contentError{what: "build " + id} }
