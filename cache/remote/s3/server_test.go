package s3

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// gateway is the server of S3 that the tests run. It is a program of its own and
// no dependency of ours; it is built once, into the cache of the user.
const (
	gateway        = "github.com/versity/versitygw/cmd/versitygw"
	gatewayVersion = "v1.8.0"

	testID     = "TESTKEY"
	testSecret = "geheim-4711"
)

func program(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cache, "dibgraph-tests", "versitygw-"+gatewayVersion)
	file := filepath.Join(dir, "versitygw")
	if _, err := os.Stat(file); err == nil {
		return file
	}
	build := exec.Command("go", "install", gateway+"@"+gatewayVersion)
	build.Dir = t.TempDir()
	build.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", gateway, err, output)
	}
	return file
}

// serve runs a server with an empty bucket "cache", and returns its host and port.
func serve(t *testing.T) (host string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "cache"), 0o755); err != nil {
		t.Fatal(err)
	}
	host = free(t)
	server := exec.Command(program(t), "--port", host, "--access", testID, "--secret", testSecret, "--quiet", "posix", dir)
	server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	t.Cleanup(func() {
		server.Process.Kill()
		<-ended
	})
	for {
		if c, err := net.Dial("tcp", host); err == nil {
			c.Close()
			return host
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("the server ended before it listened: %v", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// free is a port on which nobody listens.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func addressOf(host string) string {
	return fmt.Sprintf("s3://cache/images?endpoint=http://%s&path-style=true", host)
}
