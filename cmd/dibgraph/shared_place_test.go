package main

import (
	"net"
	"testing"

	"github.com/dibgraph/dibgraph/internal/testserver"
)

// A sharedPlace is a remote to test with. The meter is nil for one that asks no
// server; env is what its users need.
type sharedPlace struct {
	address string
	meter   *meter
	env     []string
}

// sharedPlaces start one remote of each kind.
var sharedPlaces = map[string]func(t testing.TB) sharedPlace{
	"dir": func(t testing.TB) sharedPlace { return sharedPlace{address: "dir:" + t.TempDir() + "/cache"} },
	"oci": func(t testing.TB) sharedPlace {
		m := newRegistry(t)
		return sharedPlace{address: m.image("images/cache"), meter: m}
	},
	"s3": func(t testing.TB) sharedPlace {
		host := testserver.S3(t)
		m := newMeter(t, (&net.Dialer{}).DialContext, host)
		return sharedPlace{
			address: "s3://" + testserver.S3Bucket + "/images?endpoint=http://" + m.host + "&path-style=true", meter: m,
			env: []string{"AWS_ACCESS_KEY_ID=" + testserver.S3ID, "AWS_SECRET_ACCESS_KEY=" + testserver.S3Secret},
		}
	},
	"http": func(t testing.TB) sharedPlace {
		m := newMeter(t, testserver.Nginx(t), "nginx")
		return sharedPlace{address: "http://" + m.host + "/base", meter: m}
	},
}

func (s sharedPlace) since() {
	if s.meter != nil {
		s.meter.since()
	}
}
