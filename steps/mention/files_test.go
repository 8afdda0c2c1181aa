package mention

import (
	"slices"
	"testing"
)

func TestFiles(t *testing.T) {
	for _, test := range []struct {
		text string
		want []string
	}{
		{"exit 0", nil},
		{"#!/bin/sh\ncat /etc/one '/etc/two' > \"/srv/a b\"", []string{"/etc/one", "/etc/two", "/srv/a"}},
		{"cp ~/.ssh/key ${HOME}/x \"$HOME\"/y $HOME/z", []string{"~/.ssh/key", "~/x", "~/y", "~/z"}},
		{"cp $TARGET_ROOT/etc/x ${A}/etc/y a/b ./c", nil},
		{"cat /etc/$name /etc/x* /opt/{a,b}", nil},
		{"# cat /etc/commented", nil},
		{"[ -e /opt/a/../b/ ]", []string{"/opt/b"}},
		{"PATH=/opt/bin:/opt/sbin; open('/etc/x')", []string{"/etc/x", "/opt/bin", "/opt/sbin"}},
		{"wget http://host/name ftp://x/y", nil},
	} {
		if got := Of([]byte(test.text)).Files; !slices.Equal(got, test.want) {
			t.Errorf("%q names %q, want %q", test.text, got, test.want)
		}
	}
}
