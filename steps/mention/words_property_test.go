package mention

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

var (
	variableName = rapid.StringMatching(`[A-C_][A-C_0]{0,4}`)
	someWords    = rapid.Custom(func(t *rapid.T) Words {
		w := Words{Names: map[string]bool{}, All: rapid.IntRange(0, 9).Draw(t, "all") == 0}
		for _, name := range rapid.SliceOf(variableName).Draw(t, "names") {
			w.Names[name] = true
		}
		w.Prefixes = slices.Compact(slices.Sorted(slices.Values(rapid.SliceOfN(variableName, 0, 3).Draw(t, "prefixes"))))
		return w
	})
)

func TestWordsKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, name := someWords.Draw(t, "words"), variableName.Draw(t, "name")
		list := w.Strings()
		if !slices.IsSorted(list) || len(slices.Compact(slices.Clone(list))) != len(list) {
			t.Fatalf("Strings() = %q is not a sorted set", list)
		}
		kept, err := Parse(list)
		if err != nil {
			t.Fatal(err)
		}
		if kept.Match(name) != w.Match(name) {
			t.Fatalf("Match(%q) = %t, after Strings and Parse %t", name, w.Match(name), kept.Match(name))
		}
		if again := kept.Strings(); !slices.Equal(again, list) {
			t.Fatalf("kept as %q, then as %q", list, again)
		}
	})
}

func TestWordsMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, name := someWords.Draw(t, "a"), someWords.Draw(t, "b"), variableName.Draw(t, "name")
		before := a.Strings()
		merged := a.Merge(b)
		if merged.Match(name) != (a.Match(name) || b.Match(name)) {
			t.Fatalf("merged Match(%q) = %t, separately %t and %t", name, merged.Match(name), a.Match(name), b.Match(name))
		}
		if !slices.Equal(a.Strings(), before) {
			t.Fatal("Merge changed its receiver")
		}
	})
}

func TestWordsParseErrors(t *testing.T) {
	for _, item := range []string{"", "a b", "1a", "a-", "**", "a**", "*a", "é"} {
		if w, err := Parse([]string{"OK", item}); err == nil {
			t.Errorf("Parse(%q) = %v, want an error", item, w)
		}
	}
}

// A variable that a script uses is always among its words.
func TestWordsSeeUses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[A-Za-z_][A-Za-z0-9_]{0,12}`).Draw(t, "name")
		form := rapid.SampledFrom([]string{"$%", "${%}", "${%:-x}", "${#%}", "[ -v % ]", "os.environ['%']", "printenv %", "$ENV{%}", "ENVIRON[\"%\"]", "x=$%y-$%"}).Draw(t, "form")
		before := rapid.StringMatching(`([ -~]{0,20}\n){0,3}[ "';=]{0,3}`).Draw(t, "before")
		after := rapid.StringMatching(`[ "';|/-]{0,3}(\n[ -~]{0,20}){0,3}`).Draw(t, "after")
		text := before
		for i := range len(form) {
			if form[i] == '%' {
				text += name
			} else {
				text += form[i : i+1]
			}
		}
		text += after
		if form != "x=$%y-$%" && !Of([]byte(text)).Match(name) {
			t.Fatalf("Of(%q) does not match %q", text, name)
		}
	})
}

func FuzzWords(f *testing.F) {
	for _, text := range []string{"${!x", "env \\\n", "os.environ[", "\\", "#", "export -", "eval \\$", "declare -p $x", "ENV", "_"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		w := Of(text)
		kept, err := Parse(w.Strings())
		if err != nil {
			t.Fatal(err)
		}
		for name := range w.Names {
			if !kept.Match(name) {
				t.Errorf("%q: %q is lost", text, name)
			}
		}
		// More text can only mention more, on a line of its own.
		if more := Of(append([]byte("echo\n"), text...)); !w.All && more.Match("FUZZ_NOT_THERE") && !w.Match("FUZZ_NOT_THERE") && !startsScript(text) {
			t.Errorf("%q: an echo before it makes it depend on all", text)
		}
	})
}

func startsScript(text []byte) bool { return len(text) > 1 && text[0] == '#' && text[1] == '!' }

func BenchmarkWords(b *testing.B) {
	// A hook of some 60 lines, as elements have them.
	text := []byte("#!/bin/bash\nset -eu\nset -o pipefail\n")
	for range 60 {
		text = append(text, "if [ -n \"${DIB_DEBUG_TRACE:-}\" ]; then apt-get install -y \"$PACKAGE\" --option value; fi # why\n"...)
	}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		Of(text)
	}
}
