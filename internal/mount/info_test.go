package mount

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

func TestParseInfo(t *testing.T) {
	for _, test := range []struct {
		name, line string
		want       Info
	}{
		{"plain", "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard", Info{
			ID: 27, Parent: 1, Major: 254, Root: "/", Point: "/", Options: "rw,relatime",
			FSType: "ext4", Source: "/dev/vda", Super: "rw,discard"}},
		{"shared and slave", "36 35 98:1 /mnt1 /mnt2 rw,noatime shared:4 master:1 - ext3 /dev/root ro", Info{
			ID: 36, Parent: 35, Major: 98, Minor: 1, Root: "/mnt1", Point: "/mnt2", Options: "rw,noatime",
			Tags: "shared:4 master:1", FSType: "ext3", Source: "/dev/root", Super: "ro"}},
		{"escaped names", `50 27 0:40 /a\040b /mnt/tab\011nl\012bs\134hash\043 ro - tmpfs a\040b rw`, Info{
			ID: 50, Parent: 27, Minor: 40, Root: "/a b", Point: "/mnt/tab\tnl\nbs\\hash#", Options: "ro",
			FSType: "tmpfs", Source: "a b", Super: "rw"}},
		{"empty source", "51 27 0:41 / /x rw -  rw", Info{}},
		{"empty source, whole", "51 27 0:41 / /x rw - tmpfs  rw", Info{
			ID: 51, Parent: 27, Minor: 41, Root: "/", Point: "/x", Options: "rw", FSType: "tmpfs", Super: "rw"}},
		{"deleted root", "52 27 254:0 /gone//deleted /y rw - ext4 /dev/vda rw", Info{
			ID: 52, Parent: 27, Major: 254, Root: "/gone//deleted", Point: "/y", Options: "rw",
			FSType: "ext4", Source: "/dev/vda", Super: "rw"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := ParseInfo(strings.NewReader(test.line + "\n"))
			if test.want == (Info{}) {
				if err == nil {
					t.Fatalf("ParseInfo(%q) = %+v, want an error", test.line, got)
				}
				return
			}
			if err != nil || !reflect.DeepEqual(got, []Info{test.want}) {
				t.Errorf("ParseInfo(%q) = %+v, %v, want %+v", test.line, got, err, test.want)
			}
		})
	}
}

func TestParseInfoNamesTheLine(t *testing.T) {
	good := "27 1 254:0 / / rw - ext4 /dev/vda rw\n"
	for _, bad := range []string{"27 1 254:0 / / rw", "x 1 254:0 / / rw - ext4 d rw", "27 1 254 / / rw - ext4 d rw"} {
		_, err := ParseInfo(strings.NewReader(good + bad + "\n"))
		if err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("ParseInfo(%q): error %v, want one that names line 2", bad, err)
		}
	}
}

func TestSelfHasRoot(t *testing.T) {
	mounts, err := Self()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mounts {
		if m.Point == "/" {
			return
		}
	}
	t.Errorf("no mount at / among %d", len(mounts))
}

func FuzzParseInfo(f *testing.F) {
	if own, err := os.ReadFile("/proc/self/mountinfo"); err == nil {
		f.Add(string(own))
	}
	f.Add("36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n")
	f.Add("36 35 98:0 / /a\\040\\134\\9 rw - t \\ rw")
	f.Fuzz(func(t *testing.T, text string) {
		mounts, err := ParseInfo(strings.NewReader(text))
		if err != nil {
			return
		}
		if lines := strings.Count(text, "\n") + 1; len(mounts) > lines {
			t.Fatalf("%d mounts out of %d lines", len(mounts), lines)
		}
		for _, m := range mounts {
			if m.ID < 0 || m.Parent < 0 || m.Major < 0 || m.Minor < 0 {
				t.Fatalf("negative number in %+v", m)
			}
		}
	})
}
