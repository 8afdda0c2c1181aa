package testserver

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// The server of S3 is no package of Debian and no dependency of ours: it is built
// once, into the cache of the user.
const (
	gateway        = "github.com/versity/versitygw/cmd/versitygw"
	gatewayVersion = "v1.8.0"
)

// What the server of S3 has: one bucket, and one user who may do everything.
const (
	S3Bucket = "cache"
	S3ID     = "TESTKEY"
	S3Secret = "geheim-4711"
)

// S3 runs a server with an empty bucket, and returns its host and port.
func S3(t testing.TB) (host string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, S3Bucket), 0o755); err != nil {
		t.Fatal(err)
	}
	host = Unused(t)
	server := exec.Command(gatewayProgram(t), "--port", host, "--access", S3ID, "--secret", S3Secret, "--quiet", "posix", dir)
	ended := start(t, server)
	for {
		if c, err := net.Dial("tcp", host); err == nil {
			c.Close()
			return host
		}
		select {
		case <-ended:
			t.Fatalf("versitygw ended before it listened: %s", server.ProcessState)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Unused is an address of this machine where nobody listens.
func Unused(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// gatewayProgram returns the server's program. Tests of other packages may build
// it at the same time: it gets its name when it is whole.
func gatewayProgram(t testing.TB) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cache, "dibgraph-tests", "versitygw-"+gatewayVersion)
	program := filepath.Join(dir, "versitygw")
	_, err = os.Stat(program)
	if err == nil {
		return program
	}
	if !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	parts, err := os.MkdirTemp(dir, "build")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(parts)
	build := exec.Command("go", "install", gateway+"@"+gatewayVersion)
	build.Dir = parts // outside of any module
	build.Env = append(build.Environ(), "GOBIN="+parts, "GOFLAGS=")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", gateway, err, output)
	}
	if err := os.Rename(filepath.Join(parts, "versitygw"), program); err != nil {
		t.Fatal(err)
	}
	return program
}
