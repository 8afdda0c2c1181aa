package mention

import (
	"regexp"
	"slices"
	"testing"
)

// What a text may be about is told by its words only if it puts no names
// together.
func TestPaths(t *testing.T) {
	for _, test := range []struct {
		text, name string
		want       bool
	}{
		{`[ -e "$(dirname "$0")/../flag" ]`, "flag", true},
		{`[ -e "$(dirname "$0")/../flag" ]`, "another", false},
		{`cat "$TMP_HOOKS_PATH/static/app.conf"`, "app.conf", true},
		{`cat "$TMP_HOOKS_PATH/static/app.conf"`, "my-app.conf", false},
		{`f=part_$x; cat ../$f`, "part_one", true},
		{`f=part_$x; cat f`, "part_one", true},
		{`f=part_$x; cat f`, "parts", false},
		{`[ -e "$TMP_HOOKS_PATH/$name" ]`, "anything", true},
		{`[ -e $TMP_HOOKS_PATH/"$name" ]`, "anything", true},
		{`[ -e $TMP_HOOKS_PATH/a-$name ]`, "anything", true},
		{`[ -e ${H}/` + "`cat name`" + ` ]`, "anything", true},
		{`[ -e $(printf %s/%s $H $n) ]`, "anything", true},
		{`f=(/boot/vmlinuz-$version "/lib/modules/$version")`, "anything", false},
		{`for f in $TARGET_ROOT/etc/$name "${TMP_MOUNT_PATH}/$name"; do :; done`, "anything", false},
		{`cat $TARGET_ROOT/../hooks/$name`, "anything", true},
		{`cat /etc/../tmp/in_target.d/$name`, "anything", true},
		{`cat /tmp/in_target.d/$name`, "anything", true},
		{`cat "$MY_TARGET_ROOT/$name"`, "anything", true},
		{`# see $H/$name`, "anything", false},
		{`cd $TMP_HOOKS_PATH; [ -e $x ]`, "anything", true},
		{"#!/usr/bin/python3\nos.stat(x)", "anything", true},
		{"\x00\x01", "anything", true},
		{"exit 0", "99", true}, // nothing to go by
	} {
		words := Of([]byte(test.text))
		if got := words.Paths || EveryWord(test.name, words.Has); got != test.want {
			t.Errorf("%q can name %q: %t, want %t", test.text, test.name, got, test.want)
		}
	}
}

// The search for paths that are put together is the one of a regular expression,
// which says in a line what is looked for but takes ten times as long.
func FuzzComputedPaths(f *testing.F) {
	pattern := regexp.MustCompile("/[^\\s\"'$}]*[\"']?[$`%]")
	for _, text := range []string{
		"", "/", "//$", "/a$b/c$d", "/a\"$b", "/a'`b`", "/a\"b$c", "/a%s/b%d/c", "/a`b/c d/$", "/a}$", "/x/y/z q/%", "/\xff$/\f$", "/a%\"$b/c",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var want []int
		for _, match := range pattern.FindAllStringIndex(text, -1) {
			want = append(want, match[0])
		}
		if got := slices.Collect(computedPaths([]byte(text))); !slices.Equal(got, want) {
			t.Errorf("computedPaths(%q) = %v, want %v", text, got, want)
		}
	})
}
