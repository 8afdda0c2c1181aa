package mount

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// Info is one mount, a line of /proc/PID/mountinfo as proc(5) describes it.
// Names hold the bytes they stand for; the kernel's octal escapes are undone.
type Info struct {
	ID, Parent   int
	Major, Minor int    // device number of the files on it (st_dev)
	Root         string // the directory of the filesystem that is seen at Point
	Point        string // where it is mounted, seen from the process's root
	Options      string // of this mount: "rw,nosuid"
	Tags         string // propagation, separated by spaces: "shared:1 master:2"; empty: private
	FSType       string
	Source       string // device or whatever was given as such
	Super        string // options of the filesystem, common to all its mounts
}

// Self lists the mounts of the calling process, parents before children.
func Self() ([]Info, error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("list mounts: %w", err)
	}
	defer f.Close()
	return ParseInfo(f)
}

// ParseInfo reads the format of /proc/PID/mountinfo. An error names the line.
func ParseInfo(r io.Reader) ([]Info, error) {
	// Not a bufio.Scanner: an overlay of 500 lowers makes a line longer than
	// the 64 KiB that one takes.
	lines := bufio.NewReader(r)
	var all []Info
	for number := 1; ; number++ {
		line, err := lines.ReadString('\n')
		if err != nil && err != io.EOF {
			return nil, fmt.Errorf("read mountinfo: %w", err)
		}
		if text := strings.TrimSuffix(line, "\n"); text != "" {
			info, err := parseLine(text)
			if err != nil {
				return nil, fmt.Errorf("mountinfo line %d: %w", number, err)
			}
			all = append(all, info)
		}
		if err == io.EOF {
			return all, nil
		}
	}
}

func parseLine(line string) (Info, error) {
	// Six fields, any number of tags, "-", three fields. The kernel separates
	// by single spaces, and a field can be empty: the source of a mount that
	// was given none.
	fields := strings.Split(line, " ")
	dash := -1
	for i := 6; i < len(fields); i++ {
		if fields[i] == "-" {
			dash = i
			break
		}
	}
	if dash < 0 || len(fields) < dash+4 {
		return Info{}, fmt.Errorf("%d fields in %q, want 10 with a dash", len(fields), line)
	}
	info := Info{
		Root:    unescape(fields[3]),
		Point:   unescape(fields[4]),
		Options: fields[5],
		Tags:    strings.Join(fields[6:dash], " "),
		FSType:  unescape(fields[dash+1]),
		Source:  unescape(fields[dash+2]),
		Super:   unescape(strings.Join(fields[dash+3:], " ")),
	}
	major, minor, _ := strings.Cut(fields[2], ":")
	for _, number := range []struct {
		text string
		to   *int
	}{{fields[0], &info.ID}, {fields[1], &info.Parent}, {major, &info.Major}, {minor, &info.Minor}} {
		n, err := strconv.ParseUint(number.text, 10, 31)
		if err != nil {
			return Info{}, fmt.Errorf("number in %q: %w", line, err)
		}
		*number.to = int(n)
	}
	return info, nil
}

// unescape undoes \ooo, which the kernel writes for space, tab, newline, the
// backslash and "#". Anything else after a backslash stays as it is.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+4 <= len(s) {
			if c, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(c))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
