package elements

import (
	"fmt"
	"strings"
	"testing"
)

func TestShellCommands(t *testing.T) {
	for text, want := range map[string]string{
		"a b c":                                  "1:a b c",
		"a; b && c || d | e &\nf":                "1:a 1:b 1:c 1:d 1:e 2:f",
		"# a\nb # c\n":                           "2:b",
		"a#b c":                                  "1:a#b c",
		"'a b' \"c $d\" e\\ f":                   "1:a b c $d e f",
		"a \\\n  b\nc":                           "1:a b 3:c",
		"if a; then b; else c; fi; d":            "1:a 1:b 1:c 1:d",
		"while ! a; do b; done < f":              "1:a 1:b 1:<f",
		"x=$(a b) y=`c` d":                       "1:a b 1:c 1:x=$() y=$() d",
		"echo \"$(a \"b c\")\" e":                "1:a b c 1:echo $() e",
		"a <<E b\ncurl\nE\nc":                    "1:a b 4:c",
		"a <<-'E'\n\tcurl $(wget)\n\tE\nc":       "1:a 4:c",
		"a <<A <<B\nx\nA\ny\nB\nc":               "1:a 6:c",
		"a <<< \"x y\" b":                        "1:a b",
		"case $x in curl|wget) b;; (c) d;; esac": "1:case $x in 1:b 1:d",
		"case x in\n  a)\n    b\n    ;;\n  *) c ;;\nesac\nd": "1:case x in 3:b 5:c 7:d",
		"x=$(case y in a) b;; esac) c":                       "1:case y in 1:b 1:x=$() c",
		"f() { a; }\nb":                                      "1:a 2:b",
		"(a; b) | c":                                         "1:a 1:b 1:c",
		"x=(curl \"wget\" $(a))\nb":                          "1:a 1:x= 2:b",
		"[[ a =~ (curl|wget) && b ]] && c":                   "1:[[ a =~ curl wget b ]] 1:c",
		"((x > 1)) && a":                                     "1:a",
		"x=$((1 + 2)) a":                                     "1:x=$((1 + 2)) a",
		"a > b 2>&1 < c":                                     "1:a 2>b>&1<c",
		"echo ${x:-\"a}b\"} c":                               "1:echo ${x:-\"a}b\"} c",
		"echo $'a\\'b' c":                                    "1:echo a'b c",
		"echo 'a\nb'\nc":                                     "1:echo a\nb 3:c",
		"a <(b c) d":                                         "1:b c 1:a d",
		"a\r\nb\r\n":                                         "1:a 2:b",
		"for x in curl wget; do a; done":                     "1:for x in curl wget 1:a",
	} {
		var got []string
		for _, c := range shellCommands(text) {
			s := fmt.Sprintf("%d:%s", c.Line, strings.Join(c.Words, " "))
			for _, r := range c.Redirects {
				s += r.op + r.to
			}
			got = append(got, s)
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%q has %q, want %q", text, text, want)
		}
	}
}

func TestShellCall(t *testing.T) {
	for text, want := range map[string]string{
		"a b":                              "a[b] true",
		"/usr/bin/a":                       "a[] true",
		"X=1 Y=2 a":                        "a[] true",
		"X=1":                              "[] true",
		"sudo -E a b":                      "a[b] true",
		"sudo -u x env A=1 a":              "a[] true",
		"sudo chroot $TARGET_ROOT apt-get": "apt-get[] false",
		"sudo $x chroot / apt-get":         "apt-get[] false",
		"_run_chroot a b":                  "a[b] false",
		"python3 -m pip install a":         "pip[install a] true",
		"$dir/bin/pip install a":           "pip[install a] true",
		"$program -x":                      "$program[-x] true",
		"timeout -k 5 10 a":                "10[a] true", // the value of -k is not known
		"timeout 10 a b":                   "a[b] true",
		"xargs -0 a":                       "a[] true",
	} {
		c := shellCommands(text)[0]
		name, args, host := c.call()
		if got := fmt.Sprintf("%s%v %t", name, args, host); got != want {
			t.Errorf("%q calls %s, want %s", text, got, want)
		}
	}
}

// Any text is read to its end.
func FuzzShellCommands(f *testing.F) {
	for _, text := range []string{"a $(b `c` \"d", "case x in a)", "x=(a", "${a", "$((", "<<E\n", "a\\", "'", "[[ a", "esac", "`", ")", "$'\\"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Count(text, "\n") + 1
		for _, c := range shellCommands(text) {
			if c.Line < 1 || c.Line > lines {
				t.Errorf("a command on line %d of %d: %q", c.Line, lines, c.Words)
			}
		}
	})
}
