package steps

import (
	"bytes"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The order was observed with dib-run-parts.
func TestCompareHooks(t *testing.T) {
	want := strings.Fields("-5-neg 0 00-first Zed _u abc 1e3 5 07 009-z 9-a 010-q 10-b 50-foo 50_foo 99-y 100-x")
	got := slices.Clone(want)
	slices.Sort(got)
	slices.SortFunc(got, CompareHooks)
	if !slices.Equal(got, want) {
		t.Errorf("sorted by CompareHooks:\n got %v\nwant %v", got, want)
	}
}

func TestCompareHooksPairs(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"9-a", "10-b", -1},
		{"99-y", "100-x", -1},
		{"009-z", "9-a", -1},
		{"-5-x", "0", -1},
		{"-5", "-4", -1},
		{"-4", "-5", 1},
		{"-0", "0", -1}, // equal numbers, "-" before "0"
		{"1.5", "1.50", -1},
		{"1.5", "1.45", 1},
		{".5", "0.4", 1},
		{"-.5", "-.4", -1},
		{"1.", "1", 1},
		{" 2", "1", 1},
		{"\t2", "3", -1},
		{"\n2", "1", 1},
		{"+1", "0", -1}, // no number, so 0
		{"1,000", "2", -1},
		{"99999999999999999999", "100000000000000000000", -1},
		{"50-foo", "50_foo", -1},
		{"a", "a", 0},
		{"", "0", -1},
	} {
		if got := CompareHooks(test.a, test.b); got != test.want {
			t.Errorf("CompareHooks(%q, %q) = %d, want %d", test.a, test.b, got, test.want)
		}
		if got := CompareHooks(test.b, test.a); got != -test.want {
			t.Errorf("CompareHooks(%q, %q) = %d, want %d", test.b, test.a, got, -test.want)
		}
	}
}

// names makes names that look like numbers often enough to matter.
var names = rapid.SliceOfNDistinct(rapid.OneOf(
	rapid.StringMatching(`[ \t]{0,2}-?[0-9]{0,3}(\.[0-9]{0,3})?[-_.a-zA-Z0-9 ]{0,3}`),
	rapid.StringMatching(`[0-9]{2}-[a-z]{1,3}`),
	rapid.StringMatching(`[ -~]{1,6}`),
	rapid.StringMatching(`-?0{0,2}[0-9]{18,22}`),
), 1, 40, rapid.ID)

func TestCompareHooksIsSort(t *testing.T) {
	if _, err := exec.LookPath("sort"); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		got := names.Draw(t, "names")
		sort := exec.Command("sort", "-n")
		sort.Env = []string{"LC_ALL=C", "PATH=/usr/bin:/bin"}
		sort.Stdin = strings.NewReader(strings.Join(got, "\n") + "\n")
		out, err := sort.Output()
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
		slices.SortFunc(got, CompareHooks)
		if !slices.Equal(got, want) {
			t.Fatalf("\n got %q\nwant %q", got, want)
		}
	})
}

func FuzzCompareHooks(f *testing.F) {
	f.Add("9-a", "10-b", "-.5")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		if CompareHooks(a, b) != -CompareHooks(b, a) {
			t.Errorf("CompareHooks(%q, %q) is not the opposite of its opposite", a, b)
		}
		if CompareHooks(a, b) <= 0 && CompareHooks(b, c) <= 0 && CompareHooks(a, c) > 0 {
			t.Errorf("%q, %q, %q: not an order", a, b, c)
		}
		if (CompareHooks(a, b) == 0) != bytes.Equal([]byte(a), []byte(b)) {
			t.Errorf("CompareHooks(%q, %q) = 0", a, b)
		}
	})
}
