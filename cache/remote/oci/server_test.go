package oci

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"testing"
)

const (
	testUser     = "builder"
	testPassword = "geheim-4711"
	// testHash is bcrypt of the password.
	testHash = "$2y$05$.HghiffYSKZsm1UVCFhty./5VoqY2QgeA1pPh0PhJU5/aJE6XuFWe"
)

var listening = regexp.MustCompile(`listening on (127\.0\.0\.1:\d+)`)

// serve runs the registry of Debian on a port of its choice, and returns host and
// port. More is added to its configuration.
func serve(t *testing.T, storage, more string) (host string) {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "config.yml")
	write(t, config, fmt.Sprintf("version: 0.1\nlog: {level: info}\nstorage:\n  filesystem: {rootdirectory: %s}\n%s\nhttp: {addr: '127.0.0.1:0'}\n%s\n",
		filepath.Join(dir, "data"), storage, more))
	server := exec.Command("docker-registry", "serve", config)
	server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	output, err := server.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatalf("start the registry (Debian package docker-registry): %v", err)
	}
	t.Cleanup(func() {
		server.Process.Kill()
		server.Wait()
	})
	for lines := bufio.NewScanner(output); lines.Scan(); {
		if found := listening.FindStringSubmatch(lines.Text()); found != nil {
			configs.Store(found[1], config)
			go io.Copy(io.Discard, output)
			return found[1]
		}
	}
	t.Fatal("the registry ended before it listened")
	return ""
}

const deletes = "  delete: {enabled: true}"

func withLogin(t *testing.T) string {
	file := filepath.Join(t.TempDir(), "htpasswd")
	write(t, file, testUser+":"+testHash+"\n")
	return fmt.Sprintf("auth: {htpasswd: {realm: test, path: %s}}", file)
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// configs are the configurations of the registries that run, by host.
var configs sync.Map

func configOf(t *testing.T, host string) string {
	t.Helper()
	file, ok := configs.Load(host)
	if !ok {
		t.Fatalf("no registry runs on %s", host)
	}
	return file.(string)
}
