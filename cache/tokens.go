package cache

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"
	"unicode/utf8"

	"github.com/dibgraph/dibgraph/internal/wholefile"
)

// A Token is the last known state of something remote that runs took content
// from, and how it came to be known. Name and Value are in the words of the
// caller.
type Token struct {
	Name  string `json:"name"`
	Value string `json:"value,omitempty"`
	// ETag and LastModified are what HTTP has to ask whether Value still holds.
	ETag         string `json:"etag,omitempty"`
	LastModified string `json:"last_modified,omitempty"`
	// Checked is when Value was last found to hold, Changed when it was first.
	Checked time.Time `json:"checked,omitzero"`
	Changed time.Time `json:"changed,omitzero"`
	// Tried is when asking last failed, Failure why; both are empty once it
	// succeeds.
	Tried   time.Time `json:"tried,omitzero"`
	Failure string    `json:"failure,omitempty"`
}

// Token returns what is known of a token, which is no more than its name if it
// was never put. A damaged one counts as never put.
func (s *Store) Token(name string) (Token, error) {
	path := s.tokenPath(name)
	data, err := wholefile.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Token{Name: name}, nil
	}
	if err != nil {
		return Token{}, fmt.Errorf("read token %q: %w", name, err)
	}
	var t Token
	if err := json.Unmarshal(data, &t); err != nil || t.Name != name {
		s.quarantine(path, "token")
		return Token{Name: name}, nil
	}
	return t, nil
}

// PutToken stores what is known of a token, in place of what was.
func (s *Store) PutToken(t Token) error {
	if !utf8.ValidString(t.Name + t.Value + t.ETag + t.LastModified + t.Failure) {
		return fmt.Errorf("put token %q: it is not valid UTF-8", t.Name)
	}
	e, err := s.begin()
	if err != nil {
		return err
	}
	defer e.end()
	data, err := json.MarshalIndent(t, "", "\t")
	if err == nil {
		err = s.writeFile(s.tokenPath(t.Name), append(data, '\n'))
	}
	if err != nil {
		return fmt.Errorf("put token %q: %w", t.Name, err)
	}
	return nil
}

func (s *Store) tokenPath(name string) string {
	return s.hashPath(tokensDir, DigestBytes([]byte(name)))
}
