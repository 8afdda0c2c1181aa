package qemu

import (
	"bytes"
	"testing"
)

var screens = []struct{ sent, want string }{
	{"plain\r\n\ttext\r\n", "plain\n\ttext\n"},
	{"\x1b[0;32mOK\x1b[0m ready", "OK ready"},
	{"\x1b[2J\x1b[01;01Hcleared", "cleared"},
	{"\x1b]0;a title\x07login: ", "login: "},
	{"\x1b]0;a title\x1b\\login: ", "login: "},
	{"\x1bP+q544e\x1b\\after", "after"},
	{"\x1b(Bset\x1b)0 \x1b=keys", "set keys"},
	{"\x1b\x1b[1mtwice", "twice"},
	{"bell\a back\b del\x7f nul\x00", "bell back del nul"},
	{"grüße", "grüße"},
	{"cut off \x1b[3", "cut off "},
}

func TestTerminal(t *testing.T) {
	for _, test := range screens {
		var screen terminal
		screen.Write([]byte(test.sent))
		if string(screen.text) != test.want {
			t.Errorf("%q shows %q, want %q", test.sent, screen.text, test.want)
		}
	}
}

// However the bytes are cut into pieces, the same is shown, and nothing that
// was not sent.
func FuzzTerminal(f *testing.F) {
	for _, s := range screens {
		f.Add([]byte(s.sent), 3)
	}
	f.Fuzz(func(t *testing.T, sent []byte, cut int) {
		var whole, pieces terminal
		whole.Write(sent)
		cut = min(max(cut, 0), len(sent))
		pieces.Write(sent[:cut])
		pieces.Write(sent[cut:])
		if !bytes.Equal(whole.text, pieces.text) {
			t.Errorf("%q cut at %d shows %q, whole %q", sent, cut, pieces.text, whole.text)
		}
		if len(whole.text) > len(sent) || bytes.ContainsAny(whole.text, "\x1b\r\a") {
			t.Errorf("%q shows %q", sent, whole.text)
		}
	})
}
