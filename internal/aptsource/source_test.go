package aptsource

import (
	"reflect"
	"testing"
	"testing/fstest"
)

func TestRead(t *testing.T) {
	root := fstest.MapFS{
		"etc/apt/sources.list": {Data: []byte(`
# deb http://off.example.org/debian bookworm main
deb [arch=amd64 signed-by=/usr/share/keyrings/k.gpg] http://a.example.org/debian/ bookworm main contrib # a comment
deb-src http://a.example.org/debian bookworm main
deb http://flat.example.org/ ./
`)},
		"etc/apt/sources.list.d/b.sources": {Data: []byte(`Types: deb deb-src
URIs: http://b1.example.org/ubuntu http://b2.example.org/ubuntu/
Suites: noble
 noble-security
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc

Types: deb
URIs: http://off.example.org/ubuntu
Suites: noble
Enabled: no
`)},
		"etc/apt/sources.list.d/c.list.save": {Data: []byte("deb http://save.example.org/ c main\n")},
	}
	key := "\n-----BEGIN PGP PUBLIC KEY BLOCK-----\n.\nabc"
	b := func(uri, suite string) Entry {
		return Entry{URI: uri, Suite: suite, Components: []string{"main"}, SignedBy: key[1:], File: "b.sources"}
	}
	want := []Entry{
		{URI: "http://a.example.org/debian", Suite: "bookworm", Components: []string{"main", "contrib"}, SignedBy: "/usr/share/keyrings/k.gpg", File: "sources.list"},
		{URI: "http://flat.example.org", Suite: "./", Components: []string{}, File: "sources.list"},
		b("http://b1.example.org/ubuntu", "noble"), b("http://b1.example.org/ubuntu", "noble-security"),
		b("http://b2.example.org/ubuntu", "noble"), b("http://b2.example.org/ubuntu", "noble-security"),
	}
	if got := Read(root); !reflect.DeepEqual(got, want) {
		t.Errorf("Read = %+v\nwant %+v", got, want)
	}
}

func TestReadNothing(t *testing.T) {
	if got := Read(fstest.MapFS{}); got != nil {
		t.Errorf("Read of an empty root = %v", got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("deb [ a=b ] http://example.org/ s main\n", "Types: deb\nURIs: http://example.org/\nSuites: a b\n c\nComponents: main\n\n")
	f.Add("deb [", ": x\n y\n")
	f.Fuzz(func(t *testing.T, list, sources string) {
		for _, e := range append(ParseList([]byte(list)), ParseSources([]byte(sources))...) {
			if e.Suite == "" {
				t.Errorf("an entry without a suite: %+v", e)
			}
		}
	})
}
