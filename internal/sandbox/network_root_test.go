package sandbox

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/dibgraph/dibgraph/internal/command"
	"github.com/dibgraph/dibgraph/internal/testroot"
)

// What the shell command shows of the network, and the namespace of the
// program's other threads.
type networks struct{ Inside, Outside string }

func init() {
	Register("network", func(ctx context.Context, _ []byte) (any, error) {
		// The address of the loopback interface shows that it is up.
		c := command.Cmd{Path: "sh", Args: []string{"-c", "readlink /proc/self/ns/net; cat /proc/net/fib_trie; cat /proc/net/dev"}}
		var inside []byte
		err := WithoutNetwork(func() (err error) {
			inside, err = c.Output(ctx)
			return err
		})
		outside, after := c.Output(ctx)
		return networks{string(inside), string(outside)}, errors.Join(err, after)
	})
}

func TestWithoutNetwork(t *testing.T) {
	testroot.Require(t)
	var got networks
	if err := Run(t.Context(), Config{Program: "network"}, &got); err != nil {
		t.Fatal(err)
	}
	here, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(got.Outside, here+"\n") {
		t.Errorf("afterwards a command is in\n%s\nwant %s", got.Outside, here)
	}
	_, devices, _ := strings.Cut(got.Inside, "Inter-|")
	if strings.HasPrefix(got.Inside, here) || !strings.Contains(got.Inside, "127.0.0.1") || strings.Count(devices, ":") != 1 || !strings.Contains(devices, "lo:") {
		t.Errorf("without a network a command finds\n%s", got.Inside)
	}
}
