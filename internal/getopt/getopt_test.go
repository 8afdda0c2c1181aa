package getopt

import (
	"bytes"
	"errors"
	"os/exec"
	"reflect"
	"strings"
	"testing"
)

var rules = Rules{Short: "a:ho:xu", Long: []string{"all", "also:", "base:", "basement", "x-files"}}

func TestParse(t *testing.T) {
	for _, test := range []struct {
		args     string
		options  []Option
		operands []string
		errs     string
	}{
		{"", nil, nil, ""},
		{"-x one -u two", []Option{{"x", ""}, {"u", ""}}, []string{"one", "two"}, ""},
		{"-xu -xao -h", []Option{{"x", ""}, {"u", ""}, {"x", ""}, {"a", "o"}, {"h", ""}}, nil, ""},
		{"-o -x -a=b", []Option{{"o", "-x"}, {"a", "=b"}}, nil, ""},
		{"-o -- -x", []Option{{"o", "--"}, {"x", ""}}, nil, ""},
		{"one -- -x --", nil, []string{"one", "-x", "--"}, ""},
		{"- -x", []Option{{"x", ""}}, []string{"-"}, ""},
		{"--base 1 --base=2 --base= --base=a=b", []Option{{"base", "1"}, {"base", "2"}, {"base", ""}, {"base", "a=b"}}, nil, ""},
		{"--all --x", []Option{{"all", ""}, {"x-files", ""}}, nil, ""},
		{"--basem one --als=v", []Option{{"basement", ""}, {"also", "v"}}, []string{"one"}, ""},
		{"--no --nope=1 -zx -a", []Option{{"x", ""}}, nil,
			"unrecognized option '--no'\nunrecognized option '--nope=1'\ninvalid option -- 'z'\noption requires an argument -- 'a'"},
		{"--al --all=1 one --base", nil, []string{"one"},
			"option '--al' is ambiguous; possibilities: '--all' '--also'\noption '--all' doesn't allow an argument\noption '--base' requires an argument"},
		{"-: x", nil, []string{"x"}, "invalid option -- ':'"},
	} {
		options, operands, errs := rules.Parse(strings.Fields(test.args))
		if !reflect.DeepEqual(options, test.options) || !reflect.DeepEqual(operands, test.operands) || messages(errs) != test.errs {
			t.Errorf("%q: %v, %q, %s; want %v, %q, %s", test.args, options, operands, messages(errs), test.options, test.operands, test.errs)
		}
	}
	inOrder := Rules{Short: "x", InOrder: true}
	options, operands, errs := inOrder.Parse([]string{"-x", "one", "-x", "--"})
	if !reflect.DeepEqual(options, []Option{{"x", ""}}) || !reflect.DeepEqual(operands, []string{"one", "-x", "--"}) || errs != nil {
		t.Errorf("in order: %v, %q, %v", options, operands, errs)
	}
}

func messages(errs []error) string {
	if err := errors.Join(errs...); err != nil {
		return err.Error()
	}
	return ""
}

// FuzzParse compares with the program whose rules these are.
func FuzzParse(f *testing.F) {
	program, err := exec.LookPath("getopt")
	if err != nil {
		f.Skip("this host has no getopt")
	}
	for _, seed := range []string{"-xua b c", "--bas=1 --base", "-o-- -- x", "--al", "one --x -- -u", "-a", "--=", "-:", "-?"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		args := strings.Fields(line)
		for _, arg := range args {
			for _, c := range arg {
				if c < ' ' || c > '~' || c == '\'' {
					t.Skip("quoted or translated by getopt")
				}
			}
		}
		options, operands, errs := rules.Parse(args)
		cmd := exec.Command(program, append([]string{"-u", "-n", "p", "-o", rules.Short, "-l", strings.Join(rules.Long, ","), "--"}, args...)...)
		cmd.Env = []string{"LC_ALL=C"}
		var said bytes.Buffer
		cmd.Stderr = &said
		out, err := cmd.Output()
		if err != nil {
			if want := strings.ReplaceAll(strings.TrimSpace(said.String()), "p: ", ""); want != messages(errs) {
				t.Errorf("%q: %s; want %s", args, messages(errs), want)
			}
			return
		}
		var got strings.Builder
		for _, o := range options {
			got.WriteString(" " + strings.Repeat("-", min(len(o.Name), 2)) + o.Name)
			if strings.Contains(rules.Short, o.Name+":") || o.Name == "base" || o.Name == "also" {
				got.WriteString(" " + o.Value)
			}
		}
		got.WriteString(strings.TrimRight(" -- "+strings.Join(operands, " "), " "))
		if errs != nil || strings.TrimRight(string(out), " \n") != got.String() {
			t.Errorf("%q: %s, %v; want %s", args, got.String(), errs, out)
		}
	})
}
