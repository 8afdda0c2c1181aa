package elements

import (
	"strings"
	"testing"
)

func TestSecret(t *testing.T) {
	for _, name := range strings.Fields(`
		DIB_DEV_USER_PASSWORD REG_PASSWORD REG_ACTIVATION_KEY GITHUB_TOKEN AWS_SECRET_ACCESS_KEY AWS_ACCESS_KEY_ID http_proxy HTTPS_PROXY
		ALL_PROXY DIB_ENV api_key DIB_PASS DB_PASSWD REG_PWD DIB_SIGNING_KEY SESSION_COOKIE`) {
		if !Secret(name) {
			t.Errorf("Secret(%q) = false, want true", name)
		}
	}
	for _, name := range strings.Fields(`
		PWD OLDPWD DIB_APT_KEYRING DIB_ADD_APT_KEYS DIB_DEV_USER_AUTHORIZED_KEYS DIB_DEV_USER_PWDLESS_SUDO DIB_CLOUD_INIT_ALLOW_SSH_PWAUTH
		DIB_RELEASE no_proxy NO_PROXY KEY DIB_KEY PASSENGER ARCH DIB_BYPASS DIB_COMPASS`) {
		if Secret(name) {
			t.Errorf("Secret(%q) = true, want false", name)
		}
	}
}

func TestSecretValue(t *testing.T) {
	for value, want := range map[string]bool{
		"http://me:pass@example.org/debian":             true,
		"deb https://me:x@example.org/ stable main":     true,
		"http://example.org/debian":                     false,
		"http://me@example.org/debian":                  false,
		"http://a b@c":                                  false,
		"http://[::1%/x@y":                              true, // cannot be read: rather too much
		"plain me:pass@example.org":                     false,
		"":                                              false,
		"one\ntwo:deb http://u:p@mirror.example.org/ x": true,
	} {
		if got := SecretValue(value); got != want {
			t.Errorf("SecretValue(%q) = %t, want %t", value, got, want)
		}
	}
}

func TestUnkeyed(t *testing.T) {
	for _, name := range []string{"PATH", "HOME", "TERM", "DIB_IMAGE_CACHE", "DIB_LOCKFILES", "DIB_DEBUG_TRACE", "DIB_QUIET", "TMPDIR", "DIB_OFFLINE"} {
		if !Unkeyed(name) || UnkeyedReason(name) == "" {
			t.Errorf("Unkeyed(%q) = %t, %q", name, Unkeyed(name), UnkeyedReason(name))
		}
	}
	for _, name := range []string{"DIB_RELEASE", "http_proxy", "TZ", "ARCH", "", "DIB_ARGS", "USER", "OTHER"} {
		if Unkeyed(name) || UnkeyedReason(name) != "" {
			t.Errorf("Unkeyed(%q) = %t, %q", name, Unkeyed(name), UnkeyedReason(name))
		}
	}
	for name := range unkeyed {
		if ReadByTools(name) {
			t.Errorf("%s is both no input and always one", name)
		}
	}
}

func TestReadByTools(t *testing.T) {
	for name, want := range map[string]bool{
		"TZ": true, "PERL5LIB": true, "PYTHONHASHSEED": true, "GIT_SSL_CAINFO": true, "GIT_CONFIG_COUNT": true, "LD_PRELOAD": true, "CC": true, "GZIP": true,
		"GIT_COMMIT": false, "CCACHE_DIR": false, "TZX": false, "DIB_X": false, "GZIPPED": false, "": false,
	} {
		if got := ReadByTools(name); got != want {
			t.Errorf("ReadByTools(%q) = %t, want %t", name, got, want)
		}
	}
}
