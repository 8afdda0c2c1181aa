package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dibgraph/dibgraph/internal/host"
)

// A patient is a machine made of files, with a package manager that makes the
// file /usr/bin/NAME for each package NAME it is asked for.
type patient struct {
	root     string
	bin      string // where the package manager is
	out, err bytes.Buffer
}

func newPatient(t *testing.T, programs ...string) *patient {
	t.Helper()
	p := &patient{root: t.TempDir(), bin: t.TempDir()}
	p.write(t, p.root, "etc/os-release", "ID=debian\nPRETTY_NAME=\"A Debian\"\n", 0o644)
	p.write(t, p.root, "var/lib/apt/lists/main_Packages", "", 0o644)
	if err := os.MkdirAll(filepath.Join(p.root, "usr/bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range programs {
		p.write(t, p.root, "usr/bin/"+name, "", 0o755)
	}
	p.write(t, p.bin, "apt-get", fmt.Sprintf(`#!/bin/sh
[ "$DEBIAN_FRONTEND" = noninteractive ] || { echo "would ask" >&2; exit 100; }
for name; do
	case $name in
	install | -*) ;;
	broken) echo "E: Unable to locate package broken" >&2; exit 100 ;;
	*) : >%[1]s/usr/bin/$name; /bin/chmod +x %[1]s/usr/bin/$name; echo "Setting up $name" ;;
	esac
done
`, p.root), 0o755)
	// Sudo passes no variable on.
	p.write(t, p.bin, "sudo", "#!/bin/sh\nunset DEBIAN_FRONTEND\nexec \"$@\"\n", 0o755)
	p.write(t, p.bin, "env", "#!/bin/sh\nexec /usr/bin/env \"$@\"\n", 0o755)
	return p
}

func (p *patient) write(t *testing.T, dir, name, text string, mode os.FileMode) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func (p *patient) doctor(needs ...host.Need) *doctor {
	machine := host.Machine{Root: p.root, Path: "/usr/bin"}
	return &doctor{
		distribution: machine.Distribution(),
		tools:        func() []host.Finding { return machine.Look(needs) },
		rest:         func(context.Context) []host.Finding { return nil },
		root:         true,
		environment:  []string{"PATH=" + p.bin},
		in:           strings.NewReader(""), out: &p.out, err: &p.err,
	}
}

func need(name string) host.Need {
	return host.Need{What: "the " + name, For: "testing", Programs: []string{name}, Package: name}
}

func TestDoctorTells(t *testing.T) {
	p := newPatient(t, "alpha")
	optional := need("beta")
	optional.Optional = true
	err := p.doctor(need("alpha"), optional, need("gamma")).tell(t.Context(), false)
	const want = `A Debian
ok        the alpha            /usr/bin/alpha
degraded  the beta             no beta
                               for testing
                               fix: apt-get install -y --no-install-recommends beta
missing   the gamma            no gamma
                               for testing
                               fix: apt-get install -y --no-install-recommends gamma
`
	if p.out.String() != want {
		t.Errorf("output:\n%swant:\n%s", &p.out, want)
	}
	var status *statusError
	var hint *hintError
	if !errors.As(err, &status) || status.status != exitFailed || !errors.As(err, &hint) || err.Error() != "1 needed here and missing" {
		t.Errorf("error %v, want one with status 1 and a hint", err)
	}
}

func TestDoctorOfHealthyMachine(t *testing.T) {
	p := newPatient(t, "alpha")
	optional := need("beta")
	optional.Optional = true
	if err := p.doctor(need("alpha"), optional).tell(t.Context(), false); err != nil {
		t.Errorf("error %v, although nothing needed is missing", err)
	}
}

func TestDoctorInstalls(t *testing.T) {
	for _, root := range []bool{true, false} {
		p := newPatient(t, "alpha")
		optional := need("beta")
		optional.Optional = true
		d := p.doctor(need("alpha"), optional, need("gamma"), need("delta"), need("gamma"))
		d.root = root
		if err := d.install(t.Context()); err != nil {
			t.Fatalf("root %t: %v\n%s", root, err, &p.err)
		}
		command := "+ apt-get install -y --no-install-recommends delta gamma\n"
		if !root {
			command = "+ sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends delta gamma\n"
		}
		if want := command + "Setting up delta\nSetting up gamma\n"; p.err.String() != want {
			t.Errorf("root %t: progress:\n%swant:\n%s", root, &p.err, want)
		}
		if err := d.tell(t.Context(), false); err != nil {
			t.Errorf("root %t: after installing: %v", root, err)
		}
		if p.err.Reset(); d.install(t.Context()) != nil || p.err.Len() > 0 {
			t.Errorf("root %t: a second time it did something: %s", root, &p.err)
		}
	}
}

func TestDoctorInstallFails(t *testing.T) {
	p := newPatient(t)
	err := p.doctor(need("broken")).install(t.Context())
	if err == nil || !strings.Contains(err.Error(), "exit status 100") || !strings.Contains(p.err.String(), "Unable to locate") {
		t.Errorf("error %v, output %q: want the exit status and what apt-get said", err, &p.err)
	}
}

func TestDoctorWithoutSudo(t *testing.T) {
	p := newPatient(t)
	d := p.doctor(need("alpha"))
	d.root = false
	d.environment = []string{"PATH=" + t.TempDir()}
	var hint *hintError
	if err := d.install(t.Context()); !errors.As(err, &hint) || !strings.Contains(hint.hint, "as root") {
		t.Errorf("error %v, want a hint to run it as root", err)
	}
}

func TestDoctorJSON(t *testing.T) {
	p := newPatient(t)
	if err := p.doctor(need("alpha")).tell(t.Context(), true); err == nil {
		t.Error("no error, although something is missing")
	}
	var got struct {
		Distribution host.Distribution
		Findings     []host.Finding
	}
	if err := json.Unmarshal(p.out.Bytes(), &got); err != nil {
		t.Fatalf("%v in %s", err, &p.out)
	}
	want := host.Finding{
		What: "the alpha", State: host.Missing, Detail: "no alpha", For: "testing", Package: "alpha",
		Fix: "apt-get install -y --no-install-recommends alpha",
	}
	if got.Distribution.ID != "debian" || len(got.Findings) != 1 || got.Findings[0] != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// What builds can do without, tests cannot.
func TestNeedsForTests(t *testing.T) {
	if got, want := len(needsFor(true)), len(buildNeeds)+len(testNeeds); got != want {
		t.Errorf("%d needs, want %d", got, want)
	}
	for _, n := range needsFor(true) {
		if n.Optional {
			t.Errorf("%s is optional for tests", n.What)
		}
	}
	for _, n := range append(needsFor(true), needsFor(false)...) {
		if n.What == "" || n.For == "" || n.Package == "" || len(n.Programs)+len(n.Files) == 0 {
			t.Errorf("a need that says too little: %+v", n)
		}
	}
}
