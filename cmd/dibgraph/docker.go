package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/dibgraph/dibgraph/internal/command"
)

// dockerPatience is how long docker gets to say whether it has a daemon.
const dockerPatience = 10 * time.Second

// loadIntoDocker gives a container image to the docker daemon, if there is one
// here, as diskimage-builder does. That there is none is no mistake: the file can
// be loaded anywhere.
func loadIntoDocker(ctx context.Context, file string, notice func(string)) error {
	docker, err := exec.LookPath("docker")
	if err != nil {
		notice(fmt.Sprintf("there is no docker here: \"docker load -i %s\" loads the image where there is one", file))
		return nil
	}
	ask := command.Cmd{Path: docker, Args: []string{"version", "--format", "{{.Server.Version}}"}, Env: os.Environ()}
	soon, cancel := context.WithTimeout(ctx, dockerPatience)
	defer cancel()
	if err := ask.Run(soon); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		notice(fmt.Sprintf("docker has no daemon here: \"docker load -i %s\" loads the image where there is one", file))
		return nil
	}
	load := command.Cmd{Path: docker, Args: []string{"load", "--input", file}, Env: os.Environ()}
	said, err := load.Output(ctx)
	var exit *command.ExitError
	if errors.As(err, &exit) {
		return &hintError{fmt.Errorf("load the container image: %w", err), "the image itself is made: " + file}
	}
	if err != nil {
		return fmt.Errorf("load the container image: %w", err)
	}
	notice(strings.TrimSpace(string(said)))
	return nil
}
