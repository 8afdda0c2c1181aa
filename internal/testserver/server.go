package testserver

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"
)

// start runs a server until the test ends. The channel is closed when it has
// ended.
func start(t testing.TB, server *exec.Cmd) (ended <-chan struct{}) {
	t.Helper()
	server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := server.Start(); err != nil {
		t.Fatalf("%v: dibgraph doctor --install --for-tests installs it", err)
	}
	waited := make(chan struct{})
	go func() {
		_ = server.Wait() // killed, or its state says why
		close(waited)
	}()
	t.Cleanup(func() {
		_ = server.Process.Kill() // it may have ended
		<-waited
	})
	return waited
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

var listening = regexp.MustCompile(`listening on (127\.0\.0\.1:\d+)`)

// Registry runs the registry of Debian. It returns where it listens, host and
// port, and the file of its configuration, to which storage and more are added:
// lines of YAML, the first in the section of that name.
func Registry(t testing.TB, storage, more string) (host, config string) {
	t.Helper()
	dir := t.TempDir()
	config = filepath.Join(dir, "config.yml")
	write(t, config, fmt.Sprintf("version: 0.1\nlog: {level: info}\nstorage:\n  filesystem: {rootdirectory: %s}\n%s\nhttp: {addr: '127.0.0.1:0'}\n%s\n",
		filepath.Join(dir, "data"), storage, more))
	server := exec.Command("docker-registry", "serve", config)
	server.Env = append(server.Environ(), "OTEL_TRACES_EXPORTER=none")
	said, err := server.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	start(t, server)
	for lines := bufio.NewScanner(said); lines.Scan(); {
		if found := listening.FindStringSubmatch(lines.Text()); found != nil {
			go io.Copy(io.Discard, said) // until it ends
			return found[1], config
		}
	}
	t.Fatal("docker-registry ended before it said where it listens")
	return "", ""
}

// RegistryDeletes is the line of storage that lets a registry delete.
const RegistryDeletes = "  delete: {enabled: true}"

// nginxConfig is what a server needs to keep what is put below /base. A socket is
// its only address, so that it takes nobody's port.
const nginxConfig = `daemon off;
master_process off;
pid %[1]s/pid;
error_log %[1]s/error.log;
events {}
http {
	access_log off;
	client_max_body_size 0;
	client_body_temp_path %[1]s/parts;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	server {
		listen unix:%[1]s/socket;
		root %[1]s;
		location /base/ {
			dav_methods PUT;
			create_full_put_path on;
		}
	}
}
`

// Nginx runs a web server that keeps what is put below /base, and returns the way
// to it, for a transport.
func Nginx(t testing.TB) func(ctx context.Context, network, address string) (net.Conn, error) {
	t.Helper()
	dir := t.TempDir()
	write(t, dir+"/nginx.conf", fmt.Sprintf(nginxConfig, dir))
	start(t, exec.Command("nginx", "-e", dir+"/error.log", "-c", dir+"/nginx.conf"))
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", dir+"/socket")
	}
	const patience = 500 // times 10 ms
	for attempt := 0; ; attempt++ {
		c, err := dial(t.Context(), "", "")
		if err == nil {
			c.Close()
			return dial
		}
		if attempt == patience {
			text, _ := os.ReadFile(dir + "/error.log") // may not be there
			t.Fatalf("nginx does not answer: %v\n%s", err, text)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
