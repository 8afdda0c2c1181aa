package reports

import (
	"regexp"
	"strings"
)

// A Log is the end of what a node printed.
type Log struct {
	Text string
	// Left is how many lines before Text are left out.
	Left int
}

// LogLines is how many lines of a log a report shows at most.
const LogLines = 40

// Room for logs in a page, in bytes. Where they are long, all but those of
// nodes that failed share it.
const (
	allLogs    = 24 << 10
	longestLog = 4 << 10
	leastLog   = 512
	failedLog  = 16 << 10
)

// LogRoom returns how many bytes of a log go into a report on so many nodes.
func LogRoom(nodes int, failed bool) int {
	if failed {
		return failedLog
	}
	return min(max(allLogs/max(nodes, 1), leastLog), longestLog)
}

// escapes are sequences that move the cursor of a terminal or set its colours.
var escapes = regexp.MustCompile(`\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|[@-_])`)

// TailOf returns the last lines of a log, as a terminal would show them, that
// fit into so many bytes.
func TailOf(log []byte, room int) Log {
	text := strings.TrimRight(strings.ToValidUTF8(string(log), "\uFFFD"), "\r\n")
	if text == "" {
		return Log{}
	}
	lines := strings.Split(text, "\n")
	first := max(len(lines)-LogLines, 0)
	var kept []string
	for i := len(lines) - 1; i >= first; i-- {
		line := shown(lines[i])
		if room -= len(line) + 1; room < 0 {
			if len(kept) > 0 {
				break
			}
			line = "…" + strings.ToValidUTF8(line[-room:], "") // a line by itself too long
		}
		kept = append([]string{line}, kept...)
	}
	return Log{Text: strings.Join(kept, "\n"), Left: len(lines) - len(kept)}
}

// shown is what is to be seen of a line in the end: what came after it went
// back to its beginning, without colours and other controls.
func shown(line string) string {
	line = strings.TrimRight(line, "\r")
	line = line[strings.LastIndex(line, "\r")+1:]
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, escapes.ReplaceAllString(line, ""))
}
