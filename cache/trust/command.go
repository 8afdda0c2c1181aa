package trust

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/dibgraph/dibgraph/internal/command"
)

// commandPatience is how long a command may take: it may ask a service.
const commandPatience = time.Minute

// signatureArgument stands for the file with the signature in the arguments of a
// command that verifies.
const signatureArgument = "{signature}"

// A Command is a program that signs or verifies, with all it needs of the
// environment: it inherits nothing.
type Command struct {
	Args []string
	Env  []string // "NAME=value"
}

func (c Command) String() string { return fmt.Sprintf("%q", c.Args[0]) }

func (c Command) cmd(text []byte, args []string) command.Cmd {
	return command.Cmd{Path: args[0], Args: args[1:], Env: c.Env, Stdin: bytes.NewReader(text)}
}

func (c Command) output(ctx context.Context, text []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, commandPatience)
	defer cancel()
	return c.cmd(text, c.Args).Output(ctx)
}

// verify reports whether the command takes the signature for one of the text. The
// text is its standard input, the signature is in the file that stands in place
// of {signature} among its arguments, and status 0 says that it is right. The
// error is nil, too, if the command ran and said that it is not.
func (c Command) verify(ctx context.Context, text, signature []byte) (good bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, commandPatience)
	defer cancel()
	dir, err := os.MkdirTemp("", "dibgraph-verify-")
	if err != nil {
		return false, fmt.Errorf("store a signature for %s: %w", c, err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "signature")
	if err := os.WriteFile(file, signature, 0o600); err != nil {
		return false, fmt.Errorf("store a signature for %s: %w", c, err)
	}
	var args []string
	for _, arg := range c.Args {
		args = append(args, strings.ReplaceAll(arg, signatureArgument, file))
	}
	err = c.cmd(text, args).Run(ctx)
	var exit *command.ExitError
	if errors.As(err, &exit) {
		return false, nil
	}
	return err == nil, err
}
