package web

import (
	"testing"

	"github.com/dibgraph/dibgraph/cache/remote/conformance"
	"github.com/dibgraph/dibgraph/internal/network"
	"github.com/dibgraph/dibgraph/internal/testroot"
	"github.com/dibgraph/dibgraph/internal/testserver"
)

func TestFaultsConformanceNginx(t *testing.T) {
	testroot.Require(t)
	transport := network.Transport(nil)
	transport.DialContext = testserver.Nginx(t)
	t.Cleanup(transport.CloseIdleConnections)
	r, err := New("http://localhost/base", Options{Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	conformance.Run(t, r)
}
