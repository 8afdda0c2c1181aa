package mention

import "testing"

func TestMounts(t *testing.T) {
	for text, want := range map[string]bool{
		"mount --bind $TMP_HOOKS_PATH $R/seen":                                     true,
		"H=$(dirname $0)/..\nmount --bind $H/data $R/seen":                         true,
		"H=$TMP_HOOKS_PATH\nD=\"$H/data\"\nsudo mount -o bind ${D} $R/seen":        true,
		"mount --bind ${ELEMENTS_PATH%%:*}/app/data $R/seen":                       true,
		"mount --bind /tmp/in_target.d /seen":                                      true,
		"wrapper=$(dirname \"$0\")/../tool\nmount --bind \"$cache\" \"$archives\"": false,
		"mount -t tmpfs tmpfs $TMP_MOUNT_PATH/seen":                                false,
		"# mount --bind $TMP_HOOKS_PATH $R":                                        false,
		"mountpoint -q $TMP_HOOKS_PATH":                                            false,
		"#!/usr/bin/python3\nlibc.mount(hooks, seen)":                              true,
		"echo $TMP_HOOKS_PATH":                                                     false,
	} {
		if got := Of([]byte(text)).Mounts; got != want {
			t.Errorf("%q mounts hooks or elements: %t, want %t", text, got, want)
		}
	}
}
