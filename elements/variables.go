package elements

import (
	"net/url"
	"slices"
	"strings"
)

// unkeyed are the variables that hooks get but that are not inputs, with the
// reason. What they name is either found by other means or cannot reach the
// result.
var unkeyed = map[string]string{
	"PATH":              "says where tools of the host are, and these are no inputs; in the image it is always the same",
	"HOME":              "the files below it that a hook reads are inputs by their content",
	"TERM":              "how a terminal is drawn on",
	"COLUMNS":           "how a terminal is drawn on",
	"LINES":             "how a terminal is drawn on",
	"PS4":               "the prefix of traces",
	"TMPDIR":            "where temporary files are",
	"TMP_DIR":           "where temporary files are",
	"DIB_MIN_TMPFS":     "where temporary files are",
	"DIB_NO_TMPFS":      "where temporary files are",
	"DIB_IMAGE_CACHE":   "where downloads are kept",
	"DIB_OFFLINE":       "what is made offline is told apart by itself, and counts only offline",
	"DIB_LOCKFILES":     "where locks are kept",
	"DIB_DEBUG_TRACE":   "how much is logged",
	"DIB_QUIET":         "how much is logged",
	"DIB_NO_TIMESTAMP":  "how it is logged",
	"LOGFILE":           "where it is logged",
	"DUMP_CONFIG_GRAPH": "a report",

	"DIB_SHOW_IMAGE_USAGE":           "a report",
	"DIB_SHOW_IMAGE_USAGE_FULL":      "a report",
	"DIB_PYTHON_LOGGING_CONFIG_FILE": "how it is logged",

	"OVERWRITE_OLD_IMAGE":  "what happens to an older output",
	"break":                "where a build stops for a look",
	"break_cmd":            "what is run there",
	"break_outside_target": "where that is run",

	"SSH_AUTH_SOCK":   "another one in every session",
	"GPG_TTY":         "another one in every session",
	"XDG_RUNTIME_DIR": "another one in every session",
	"XDG_SESSION_ID":  "another one in every session",
	"INVOCATION_ID":   "another one in every run",
	"JOURNAL_STREAM":  "another one in every run",
}

// Unkeyed reports whether a variable that hooks get is not an input. All others
// are inputs of the hooks that depend on them ([Words.Match]), proxies too: how
// bytes are fetched does not change them, but some hooks write it into the
// image, and those mention the name.
func Unkeyed(name string) bool { return unkeyed[name] != "" }

// UnkeyedReason returns why a variable is not an input, "" when it is one.
func UnkeyedReason(name string) string { return unkeyed[name] }

// toolVariables are read by programs that hooks start, whether or not any
// element mentions them. An item that ends in "_" is a prefix.
var toolVariables = []string{
	"TZ", "POSIXLY_CORRECT", "SOURCE_DATE_EPOCH",
	"BLOCK_SIZE", "BLOCKSIZE", "DU_BLOCK_SIZE", "DF_BLOCK_SIZE", "LS_BLOCK_SIZE",
	"APT_CONFIG", "APT_LISTCHANGES_", "DEBIAN_FRONTEND", "DEBIAN_PRIORITY", "DEBCONF_", "DPKG_", "UCF_",
	"RPM_", "DNF_", "YUM0", "ZYPP_",
	"PIP_", "PYTHON", "PERL", "GEM_", "RUBY", "NODE_", "NPM_", "npm_config_", "CARGO_", "RUSTFLAGS",
	"GOFLAGS", "GOPROXY", "GOPRIVATE", "GOSUMDB", "GOTOOLCHAIN",
	"SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_", "REQUESTS_CA_BUNDLE", "WGETRC", "NETRC", "GNUPGHOME",
	"GIT_ALLOW_PROTOCOL", "GIT_ASKPASS", "GIT_CEILING_DIRECTORIES", "GIT_CONFIG", "GIT_DIR", "GIT_EXEC_PATH",
	"GIT_HTTP_", "GIT_PROTOCOL", "GIT_PROXY_", "GIT_SSH", "GIT_SSL_", "GIT_TEMPLATE_DIR", "GIT_TERMINAL_PROMPT",
	"GIT_WORK_TREE",
	"TAR_OPTIONS", "GZIP", "XZ_DEFAULTS", "XZ_OPT", "ZSTD_", "BZIP2",
	"MAKEFLAGS", "CC", "CXX", "CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS",
	"MKE2FS_", "E2FSPROGS_", "MTOOLSRC", "SYSTEMD_", "LD_", "MALLOC_", "GLIBC_TUNABLES",
}

// ReadByTools reports whether common programs read a variable by themselves. A
// hook that starts them depends on it without mentioning it, so where such a
// variable passes it is an input of every hook.
func ReadByTools(name string) bool { return listed(toolVariables, name) }

// listed reports whether a list has the name or, as an item with a "_" at its
// end, the beginning of it. The families named after a program need no "_".
func listed(list []string, name string) bool {
	return slices.ContainsFunc(list, func(item string) bool {
		family := strings.HasSuffix(item, "_") || slices.Contains(families, item)
		return item == name || family && strings.HasPrefix(name, item)
	})
}

// families are prefixes that do not end in "_".
var families = []string{"PYTHON", "PERL", "RUBY", "GIT_CONFIG", "GIT_PROTOCOL", "GIT_SSH"}

// secretParts are the parts of names, between "_", that say that the value is
// for few eyes.
var secretParts = []string{
	"PASSWORD", "PASSWD", "PASS", "PWD", "PASSPHRASE", "SECRET", "SECRETS", "TOKEN", "TOKENS",
	"CREDENTIAL", "CREDENTIALS", "COOKIE", "APIKEY", "PRIVKEY", "AUTH",
}

// secretKeys make a key secret when they come before it: AUTHORIZED_KEYS and
// APT_KEYRING are not.
var secretKeys = []string{"API", "ACCESS", "ACTIVATION", "PRIVATE", "SECRET", "SIGNING", "ENCRYPTION", "DEPLOY"}

// Secret reports whether the value of a variable must not be shown or stored in
// clear, as far as its name tells: passwords and the like, proxies, whose
// addresses often hold a password, and the text that holds all DIB variables.
func Secret(name string) bool {
	upper := strings.ToUpper(name)
	if upper == "PWD" || upper == "OLDPWD" {
		return false
	}
	if upper == "DIB_ENV" || strings.HasSuffix(upper, "_PROXY") && upper != "NO_PROXY" {
		return true
	}
	parts := strings.Split(upper, "_")
	for i, part := range parts {
		isKey := part == "KEY" && i > 0 && slices.Contains(secretKeys, parts[i-1])
		if isKey || slices.Contains(secretParts, part) {
			return true
		}
	}
	return false
}

// IsSecret reports whether a variable is one whose value must not be shown or
// stored in clear, by its name or by the value itself.
func IsSecret(name, value string) bool { return Secret(name) || SecretValue(value) }

// SecretValue reports whether a value must not be shown or stored in clear,
// whatever it is called: it has an address with a password in it.
func SecretValue(value string) bool {
	for _, field := range strings.Fields(value) {
		if !strings.Contains(field, "://") {
			continue
		}
		address, err := url.Parse(field)
		if err != nil {
			return strings.Contains(field, "@")
		}
		if _, has := address.User.Password(); has {
			return true
		}
	}
	return false
}
