package trust

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// ErrExposed says that a file with a secret key can be read by others than its
// owner.
var ErrExposed = errors.New("others than its owner can read it")

// maxKeyFile is the size of the largest file with a key.
const maxKeyFile = 4 << 10

// ReadKeyFile returns the signer of the secret key in a file. It refuses one that
// others can read with an error that wraps [ErrExposed].
func ReadKeyFile(path string) (Signer, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the key to sign with: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("read the key to sign with: %w", err)
	}
	if mode := info.Mode(); mode.IsRegular() && mode.Perm()&0o077 != 0 {
		return nil, fmt.Errorf("read the key to sign with: %s has mode %04o: %w", path, mode.Perm(), ErrExposed)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxKeyFile))
	if err != nil {
		return nil, fmt.Errorf("read the key to sign with: %w", err)
	}
	signer, err := KeySigner(string(text))
	if err != nil {
		return nil, fmt.Errorf("read the key to sign with: %s: %w", path, err)
	}
	return signer, nil
}

// WriteKeyFile stores a secret key where only its owner can read it. It never
// replaces a file: the error then wraps [os.ErrExist].
func WriteKeyFile(path, secret string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("store the secret key: %w", err)
	}
	_, err = io.WriteString(file, secret+"\n")
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("store the secret key: %w", errors.Join(err, os.Remove(path)))
	}
	return nil
}

// syncDir makes the name of a new file durable: the public key may be handed out
// as soon as it is printed.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
