package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

func TestDropInLogCopy(t *testing.T) {
	var plain, timed bytes.Buffer
	l := dropInLog{outputs: []lineOutput{{&plain, false}, {&timed, true}}}
	if err := l.copy(strings.NewReader("one\n+ set +o xtrace\nxtrace on\n\ntwo\r\nno end")); err != nil {
		t.Fatal(err)
	}
	if want := "one\n\ntwo\r\nno end\n"; plain.String() != want {
		t.Errorf("without times %q, want %q", plain.String(), want)
	}
	stamp := regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \| `)
	if got := stamp.ReplaceAllString(timed.String(), "> "); got != "> one\n> \n> two\r\n> no end\n" {
		t.Errorf("with times %q", timed.String())
	}
}

// fullWriter is a disk without room.
type fullWriter struct{}

func (fullWriter) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestDropInLogFull(t *testing.T) {
	from, to := io.Pipe()
	l := dropInLog{outputs: []lineOutput{{fullWriter{}, true}}}
	done := make(chan error)
	go func() { done <- l.copy(from) }()
	// Whoever prints goes on.
	for range 100 {
		if _, err := io.WriteString(to, strings.Repeat("x", 1000)+"\n"); err != nil {
			t.Fatal(err)
		}
	}
	to.Close()
	if err := <-done; err == nil || err.Error() != "no space left" {
		t.Errorf("error %v, want what is wrong, once", err)
	}
}

func TestFollow(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	log, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	var shown bytes.Buffer
	f := follow(file, &shown)
	for _, part := range []string{"one\ntw", "o\n", "three"} {
		if _, err := log.WriteString(part); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(file); err != nil { // as the builder does at the end
		t.Fatal(err)
	}
	f.end()
	if want := "one\ntwo\nthree\n"; shown.String() != want {
		t.Errorf("shown %q, want %q", shown.String(), want)
	}
	follow(file, &shown).end() // one that is not there
}

func TestDropInOptions(t *testing.T) {
	for _, name := range []string{"DIB_JOURNAL_SIZE", "DIB_MIN_TMPFS", "DIB_NO_TMPFS", "OVERWRITE_OLD_IMAGE"} {
		t.Setenv(name, "before")
	}
	d := newDropIn(ramdiskImageCreate)
	problems := d.parse(strings.Fields("-xx one -t raw,tar -tqcow2,tgz -p a,b -p c -uxn --offline --no-tmpfs --min=4 --mkfs-j 8 --ramdisk-e other two"))
	if problems != nil {
		t.Fatal(problems)
	}
	def := d.build.image.def
	if def.Trace != 3 || !def.Uncompressed || !def.SkipBase || !def.Offline || !def.Ramdisk || def.RamdiskElement != "other" {
		t.Errorf("%+v", def)
	}
	for _, test := range []struct {
		what      string
		got, want any
	}{
		{"elements", d.elements, []string{"one", "two"}},
		{"types", d.build.image.types, []string{"qcow2", "tgz"}},
		{"packages", def.Packages, []string{"a", "b", "c"}},
		{"DIB_ARGS", d.build.image.words("n", d.elements), strings.Fields("-t qcow2,tgz -p a,b,c -u -n one two")},
		{"journal", os.Getenv("DIB_JOURNAL_SIZE"), "8"},
		{"least tmpfs", os.Getenv("DIB_MIN_TMPFS"), "4"},
		{"no tmpfs", os.Getenv("DIB_NO_TMPFS"), "1"},
		{"older images", os.Getenv("OVERWRITE_OLD_IMAGE"), "before"},
	} {
		if !reflect.DeepEqual(test.got, test.want) {
			t.Errorf("%s: %q, want %q", test.what, test.got, test.want)
		}
	}
}

// Every option is taken, and every flag that one stands for is there.
func TestDropInOptionsTaken(t *testing.T) {
	t.Setenv("DIB_JOURNAL_SIZE", "")
	t.Setenv("DIB_MIN_TMPFS", "")
	t.Setenv("DIB_NO_TMPFS", "")
	t.Setenv("OVERWRITE_OLD_IMAGE", "")
	for _, option := range append(strings.Fields("-a: -h -o: -t: -x -u -n -p:"), dropInRules.Long...) {
		args := []string{"--" + option}
		if strings.HasPrefix(option, "-") {
			args[0] = option
		}
		if name, takes := strings.CutSuffix(args[0], ":"); takes {
			args = []string{name, "1"}
		}
		if problems := newDropIn(diskImageCreate).parse(args); problems != nil {
			t.Errorf("%q: %v", args, problems)
		}
	}
}

func TestSudoWords(t *testing.T) {
	env := map[string]string{"PATH": "/a:/b", "HOME": "/home/me me", "LOGNAME": "", "OTHER": "x"}
	got := sudoWords(func(name string) (string, bool) { value, ok := env[name]; return value, ok }, 12, 34)
	want := []string{"sudo", "-E", "env", "PATH=/a:/b", "HOME=/home/me me", "LOGNAME=", "DIBGRAPH_CACHE_CALLER=12:34"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestRawLast(t *testing.T) {
	types := []string{"raw", "vmdk", "qcow2"}
	if got := rawLast(types); !reflect.DeepEqual(got, []string{"vmdk", "qcow2", "raw"}) || types[0] != "raw" {
		t.Errorf("%q of %q", got, types)
	}
}
