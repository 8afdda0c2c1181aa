package cache

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// validatorsDir holds what servers said last about the files that were fetched
// from them, by the hash of a name.
const validatorsDir = "validators"

// knownValidator is the content of a file there.
type knownValidator struct {
	Name    string    `json:"name"`
	Value   string    `json:"value"`
	Checked time.Time `json:"checked"`
}

// Validator returns the value that was set last for a name, and when that was.
// It is empty for a name that has none.
func (s *Store) Validator(name string) (value string, checked time.Time, err error) {
	data, err := os.ReadFile(s.validatorPath(name))
	if errors.Is(err, fs.ErrNotExist) {
		return "", time.Time{}, nil
	}
	if err != nil {
		return "", time.Time{}, fmt.Errorf("read the validator of %q: %w", name, err)
	}
	var known knownValidator
	if json.Unmarshal(data, &known) != nil || known.Name != name {
		return "", time.Time{}, nil // damaged: as good as none
	}
	return known.Value, known.Checked, nil
}

// SetValidator sets the value of a name as of now.
func (s *Store) SetValidator(name, value string) error {
	data, err := json.Marshal(knownValidator{name, value, s.now().UTC()})
	if err != nil {
		return err
	}
	e, err := s.begin()
	if err != nil {
		return err
	}
	defer e.end()
	if err := s.writeFile(s.validatorPath(name), append(data, '\n')); err != nil {
		return fmt.Errorf("write the validator of %q: %w", name, err)
	}
	return nil
}

func (s *Store) validatorPath(name string) string {
	return s.hashPath(validatorsDir, DigestBytes([]byte(name)))
}
