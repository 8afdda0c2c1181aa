package cache

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// A BuildLog keeps what comes of the nodes of a build that is under way, so that it
// is known after the process was killed: results that nobody can explain would stay
// behind. It is a file among what the store has not finished. Whoever opens the store
// next finds it without its owner, and makes a [Build] of it. Its methods may be
// called concurrently.
type BuildLog struct {
	store *Store
	build Build

	mu   sync.Mutex
	file *os.File // nil until something is added
}

// buildLogPrefix is how the names of build logs begin in the directory of an owner.
const buildLogPrefix = "build"

// BeginBuild returns the log of a build of which nothing is known yet but what b
// says. Its outcome is the one that a build has whose process was killed. The
// caller closes the log.
func (s *Store) BeginBuild(b Build) *BuildLog { return &BuildLog{store: s, build: b} }

// Add notes what came of a node.
func (l *BuildLog) Add(n BuildNode) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	line, err := json.Marshal(n)
	if err == nil {
		err = l.store.withRoom(func() error { return l.write(line) })
	}
	if err != nil {
		return fmt.Errorf("keep what came of %s: %w", n.Name, err)
	}
	return nil
}

func (l *BuildLog) write(line []byte) error {
	if l.file == nil {
		if err := l.begin(); err != nil {
			return err
		}
	}
	// A line that was cut off, for want of room, ends where the next begins.
	_, err := l.file.Write(slices.Concat([]byte("\n"), line))
	return err
}

// begin makes the file, with the build in its first line.
func (l *BuildLog) begin() (err error) {
	if l.store.readOnly {
		return ErrReadOnly
	}
	if l.build.ID == "" {
		if l.build.ID, err = l.store.newBuildID(); err != nil {
			return err
		}
	}
	head, err := json.Marshal(&l.build)
	if err != nil {
		return err
	}
	path := l.store.owner.name(buildLogPrefix)
	if err := os.WriteFile(path, head, 0o600); err != nil {
		return errors.Join(err, removeIfThere(path))
	}
	l.file, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	return err
}

// Close removes the log: there is a record of the build, or nothing to remember.
func (l *BuildLog) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	err := errors.Join(removeIfThere(l.file.Name()), l.file.Close())
	l.file = nil
	return err
}

// parseBuildLog returns the build in a log, and whether there is one. What was not
// written to its end is left out.
func parseBuildLog(data []byte) (*Build, bool) {
	head, nodes, _ := bytes.Cut(data, []byte("\n"))
	var b Build
	if json.Unmarshal(head, &b) != nil || !validBuildID(b.ID) {
		return nil, false
	}
	end := b.Started
	for line := range bytes.Lines(nodes) {
		var n BuildNode
		if json.Unmarshal(line, &n) != nil {
			continue
		}
		b.Nodes = append(b.Nodes, n)
		if ended := n.Started.Add(n.Duration); ended.After(end) {
			end = ended
		}
	}
	b.Duration = end.Sub(b.Started).Round(time.Millisecond)
	return &b, len(b.Nodes) > 0
}

// buildLogs returns the builds in the logs of an owner. What cannot be read is as
// good as not there; a reason then leads back less far.
func (s *Store) buildLogs(owner string) (builds []*Build) {
	names, _ := readNames(s.path(tmpDir, owner))
	for _, name := range names {
		if !strings.HasPrefix(name, buildLogPrefix+"-") {
			continue
		}
		data, err := os.ReadFile(s.path(tmpDir, owner, name))
		if err != nil {
			continue
		}
		if b, ok := parseBuildLog(data); ok {
			builds = append(builds, b)
		}
	}
	return builds
}

// adoptBuilds makes records of the builds of a dead owner. Without room for them
// the store has to open all the same: whoever makes some opens it first.
func (s *Store) adoptBuilds(owner string) {
	for _, b := range s.buildLogs(owner) {
		_ = s.PutBuild(b)
	}
}

// killedBuilds returns the builds of dead owners that nobody made records of yet:
// a store that is only read leaves that to others.
func (s *Store) killedBuilds() (builds []*Build) {
	if !s.readOnly {
		return nil
	}
	owners, _ := readNames(s.path(tmpDir))
	for _, owner := range owners {
		if !s.alive(owner) {
			builds = append(builds, s.buildLogs(owner)...)
		}
	}
	return builds
}
