package web

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/dibgraph/dibgraph/cache/remote/conformance"
	"github.com/dibgraph/dibgraph/internal/network"
	"github.com/dibgraph/dibgraph/internal/testroot"
)

// nginxConfig is what a server needs to keep what is put. A socket is its only
// address, so that it takes nobody's port.
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

func TestNginx(t *testing.T) {
	testroot.Require(t)
	dir := t.TempDir()
	config := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, nginxConfig, dir), 0o644); err != nil {
		t.Fatal(err)
	}
	server := exec.Command("nginx", "-e", dir+"/error.log", "-c", config)
	server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill() // it may have ended
		_ = server.Wait()         // killed
	})
	dial := func() (net.Conn, error) { return net.Dial("unix", dir+"/socket") }
	for attempt := 0; ; attempt++ {
		c, err := dial()
		if err == nil {
			c.Close()
			break
		}
		if attempt == 500 {
			text, _ := os.ReadFile(dir + "/error.log")
			t.Fatalf("nginx does not answer: %v\n%s", err, text)
		}
		time.Sleep(10 * time.Millisecond)
	}
	transport := network.Transport(nil)
	transport.DialContext = func(context.Context, string, string) (net.Conn, error) { return dial() }
	t.Cleanup(transport.CloseIdleConnections)
	r, err := New("http://localhost/base", Options{Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	conformance.Run(t, r)
}
