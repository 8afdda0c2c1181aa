package main

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"
)

// Each run is what "go test -json" writes, times left out.
var runs = []struct {
	name, run string
	expected  string // reason of a skip that is no surprise
	want      string
	good      bool
}{
	{
		name: "subtests count, their parent does not",
		run: `{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"run","Package":"p","Test":"TestA/x"}
{"Action":"output","Package":"p","Test":"TestA/x","Output":"noise"}
{"Action":"pass","Package":"p","Test":"TestA/x","Elapsed":0}
{"Action":"run","Package":"p","Test":"TestA/y"}
{"Action":"pass","Package":"p","Test":"TestA/y","Elapsed":0}
{"Action":"pass","Package":"p","Test":"TestA","Elapsed":0}
{"Action":"output","Package":"p","Output":"ok  \tp\t1.250s\n"}
{"Action":"pass","Package":"p","Elapsed":1.25}
{"Action":"start","Package":"none"}
{"Action":"output","Package":"none","Output":"?   \tnone\t[no test files]\n"}
{"Action":"skip","Package":"none","Elapsed":0}
`,
		want: `ok       1.2s  p  2 passed
-        0.0s  none  no tests
0 unexpected skips
2 passed, 0 failed, 0 skipped
`,
		good: true,
	}, {
		name: "a failed subtest is one failure, shown with its parent",
		run: `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"run","Package":"p","Test":"TestA/x"}
{"Action":"output","Package":"p","Test":"TestA/x","Output":"=== CONT  TestA/x\n"}
{"Action":"output","Package":"p","Test":"TestA/x","Output":"    a_test.go:4: bad\n"}
{"Action":"output","Package":"p","Test":"TestA/x","Output":"        thing\n"}
{"Action":"fail","Package":"p","Test":"TestA/x","Elapsed":0}
{"Action":"run","Package":"p","Test":"TestA/y"}
{"Action":"output","Package":"p","Test":"TestA/y","Output":"not shown\n"}
{"Action":"pass","Package":"p","Test":"TestA/y","Elapsed":0}
{"Action":"output","Package":"p","Test":"TestA","Output":"--- FAIL: TestA (0.00s)\n"}
{"Action":"fail","Package":"p","Test":"TestA","Elapsed":0}
{"Action":"output","Package":"p","Output":"FAIL\n"}
{"Action":"output","Package":"p","Output":"FAIL\tp\t0.004s\n"}
{"Action":"fail","Package":"p","Elapsed":0.004}
`,
		want: `--- FAIL: TestA (0.00s)
    a_test.go:4: bad
        thing
FAIL     0.0s  p  1 passed, 1 failed
0 unexpected skips
1 passed, 1 failed, 0 skipped
`,
	}, {
		name:     "skips have reasons",
		expected: "^needs a user",
		run: `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:4: needs a user\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"--- SKIP: TestA (0.00s)\n"}
{"Action":"skip","Package":"p","Test":"TestA","Elapsed":0}
{"Action":"run","Package":"p","Test":"TestB"}
{"Action":"pass","Package":"p","Test":"TestB","Elapsed":0}
{"Action":"run","Package":"p","Test":"TestC"}
{"Action":"output","Package":"p","Test":"TestC","Output":"    cmd.go:9: needs a user\n"}
{"Action":"output","Package":"p","Test":"TestC","Output":"    testscript.go:609: WORK=$WORK\n"}
{"Action":"skip","Package":"p","Test":"TestC","Elapsed":0}
{"Action":"pass","Package":"p","Elapsed":0.1}
`,
		want: `ok       0.1s  p  1 passed, 2 skipped
expected skips: p: needs a user: TestA TestC
0 unexpected skips
1 passed, 0 failed, 2 skipped
`,
		good: true,
	}, {
		name:     "an unexpected skip fails the run",
		expected: "^needs a user",
		run: `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"    script.go:4: log\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"    script.go:5: needs root\n"}
{"Action":"skip","Package":"p","Test":"TestA","Elapsed":0}
{"Action":"run","Package":"p","Test":"TestB"}
{"Action":"skip","Package":"p","Test":"TestB","Elapsed":0}
{"Action":"run","Package":"p","Test":"TestC"}
{"Action":"pass","Package":"p","Test":"TestC","Elapsed":0}
{"Action":"pass","Package":"p","Elapsed":0.1}
`,
		want: `ok       0.1s  p  1 passed, 2 skipped
UNEXPECTED SKIP: p: needs root: TestA
UNEXPECTED SKIP: p: no reason given: TestB
2 unexpected skips
1 passed, 0 failed, 2 skipped
`,
	}, {
		name: "a package that does not build",
		run: `{"ImportPath":"p [p.test]","Action":"build-output","Output":"# p [p.test]\n"}
{"ImportPath":"p [p.test]","Action":"build-output","Output":"p/p_test.go:3:27: undefined: x\n"}
{"ImportPath":"p [p.test]","Action":"build-fail"}
{"Action":"start","Package":"p"}
{"Action":"output","Package":"p","Output":"FAIL\tp [build failed]\n"}
{"Action":"fail","Package":"p","Elapsed":0,"FailedBuild":"p [p.test]"}
{"Action":"run","Package":"q","Test":"TestB"}
{"Action":"pass","Package":"q","Test":"TestB","Elapsed":0}
{"Action":"pass","Package":"q","Elapsed":0.1}
`,
		want: `# p [p.test]
p/p_test.go:3:27: undefined: x
FAIL     0.0s  p  0 passed, 1 failed
ok       0.1s  q  1 passed
0 unexpected skips
1 passed, 1 failed, 0 skipped
`,
	}, {
		name: "a test that was running when time was up",
		run: `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"run","Package":"p","Test":"TestA/slow"}
{"Action":"output","Package":"p","Test":"TestA/slow","Output":"panic: test timed out after 3s\n"}
{"Action":"output","Package":"p","Output":"FAIL\tp\t3.008s\n"}
{"Action":"fail","Package":"p","Elapsed":3.008}
`,
		want: `--- did not end: p TestA
--- did not end: p TestA/slow
panic: test timed out after 3s
FAIL     3.0s  p  0 passed, 1 failed
no test passed: was anything tested?
0 unexpected skips
0 passed, 1 failed, 0 skipped
`,
	}, {
		name: "a process that fails after its tests",
		run: `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p","Test":"TestA","Elapsed":0}
{"Action":"output","Package":"p","Output":"left a mount behind\n"}
{"Action":"fail","Package":"p","Elapsed":0.5}
`,
		want: `left a mount behind
FAIL     0.5s  p  1 passed, 1 failed
0 unexpected skips
1 passed, 1 failed, 0 skipped
`,
	}, {
		name: "a stream that breaks off",
		run: `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p","Test":"TestA","Elapsed":0}
`,
		want: `FAIL     0.0s  p  1 passed, 1 failed
0 unexpected skips
1 passed, 1 failed, 0 skipped
`,
	}, {
		name: "what is not JSON is shown",
		run:  "go: cannot find main module",
		want: `go: cannot find main module
no test passed: was anything tested?
0 unexpected skips
0 passed, 0 failed, 0 skipped
`,
	},
}

func TestReport(t *testing.T) {
	for _, test := range runs {
		t.Run(test.name, func(t *testing.T) {
			var expected []*regexp.Regexp
			if test.expected != "" {
				expected = append(expected, regexp.MustCompile(test.expected))
			}
			var out strings.Builder
			r := newReport(&out, expected)
			if err := r.read(strings.NewReader(test.run)); err != nil {
				t.Fatal(err)
			}
			if good := r.finish(); good != test.good {
				t.Errorf("the run is good: %t, want %t", good, test.good)
			}
			if out.String() != test.want {
				t.Errorf("report:\n%swant:\n%s", out.String(), test.want)
			}
		})
	}
}

func TestReportUnreadable(t *testing.T) {
	broken := errors.New("broken pipe")
	err := newReport(&strings.Builder{}, nil).read(iotest.ErrReader(broken))
	if !errors.Is(err, broken) {
		t.Errorf("read: %v, want %v", err, broken)
	}
}
