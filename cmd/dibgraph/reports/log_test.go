package reports

import (
	"fmt"
	"strings"
	"testing"
)

func TestTailOf(t *testing.T) {
	var many strings.Builder
	for i := range 100 {
		fmt.Fprintln(&many, "line", i)
	}
	for name, test := range map[string]struct {
		log  string
		room int
		want Log
	}{
		"empty":        {"", 100, Log{}},
		"only an end":  {"\n", 100, Log{}},
		"all of it":    {"one\ntwo\n", 100, Log{Text: "one\ntwo"}},
		"the last":     {"one\ntwo\nthree\n", 10, Log{"two\nthree", 1}},
		"a long line":  {"one\nabcdefghij", 6, Log{"…fghij", 1}},
		"colours":      {"\x1b[1;31mred\x1b[0m \x1b]0;title\x07plain\x00\x08", 100, Log{Text: "red plain"}},
		"a progress":   {" 10%\r 50%\r100%\r\nend", 100, Log{Text: "100%\nend"}},
		"not UTF-8":    {"a\xff\xfeb", 100, Log{Text: "a\uFFFDb"}},
		"not cut in a": {"xxääää", 6, Log{Text: "…ää"}},
	} {
		if got := TailOf([]byte(test.log), test.room); got != test.want {
			t.Errorf("%s: TailOf(%q, %d) = %+v, want %+v", name, test.log, test.room, got, test.want)
		}
	}
	got := TailOf([]byte(many.String()), 1<<20)
	if lines := strings.Split(got.Text, "\n"); len(lines) != LogLines || lines[LogLines-1] != "line 99" || got.Left != 100-LogLines {
		t.Errorf("of 100 lines: %d from %q to %q, %d left out", len(lines), lines[0], lines[len(lines)-1], got.Left)
	}
}

func TestLogRoom(t *testing.T) {
	for nodes, want := range map[int]int{0: longestLog, 3: longestLog, 20: allLogs / 20, 500: leastLog} {
		if got := LogRoom(nodes, false); got != want {
			t.Errorf("LogRoom(%d) = %d, want %d", nodes, got, want)
		}
	}
	if got := LogRoom(500, true); got != failedLog {
		t.Errorf("LogRoom of one that failed = %d, want %d", got, failedLog)
	}
}
