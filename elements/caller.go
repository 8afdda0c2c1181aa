package elements

import (
	"maps"
	"slices"
	"strings"
)

// callerNames are the variables of the caller that pass whether or not an
// element mentions them: what users of disk images are used to setting. An
// item that ends in "_" is a prefix. Those that programs read by themselves
// ([ReadByTools]) are inputs of every hook. The locale is not among them: it
// differs between machines, and LC_ALL decides.
var callerNames = []string{
	"DIB_", "GENTOO_", "NODEPOOL_", "PYPI_MIRROR_URL", "PYPI_MIRROR_URL_", "REG_",
	"ACI_MANIFEST", "BASE_IMAGE_FILE", "BASE_IMAGE_FILE_SUFFIX", "BUSYBOX", "DISTRO_NAME", "EFI_BOOT_DIR",
	"EXTRA_DETACH", "EXTRA_UNMOUNT", "FS_TYPE", "IMAGE_BLOCK_DEVICE", "MAX_ONLINE_RESIZE", "NO_SOURCE_REPOSITORIES",
	"OVERWRITE_OLD_IMAGE", "QEMU_IMG_OPTIONS", "ROOT_LABEL", "RUN_PARTS_REGEX", "SHA256SUMS", "SHA256SUMS_FILE",
	"SIGNATURE_FILE", "SIGNED_BY", "SUBRELEASE_REGEXP", "TMPDIR", "TMP_DIR", "UBOOT_KERNEL_ADDR", "UBOOT_KERNEL_EP",
	"YUM", "YUM_FLAGS", "break", "break_cmd", "break_outside_target",
	"http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy",
	"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY", "NO_PROXY",
	"TERM", "TZ", "DEBIAN_FRONTEND", "SSL_CERT_FILE", "SSL_CERT_DIR", "BLOCK_SIZE", "POSIXLY_CORRECT",
	"CURL_CA_BUNDLE", "CURL_HOME", "PIP_", "PERL5LIB", "PERL5OPT", "GIT_SSL_", "GIT_CONFIG", "GIT_SSH", "GIT_PROXY_",
	"GIT_HTTP_", "GIT_TERMINAL_PROMPT", "GIT_ALLOW_PROTOCOL", "GIT_ASKPASS",
}

// resetNames never pass. Shells set the first ones by themselves. The next
// ones are those of the builder: a value of the caller's is discarded, always
// or where this package does not construct one. The last ones would load code
// or settings into every shell.
var resetNames = []string{
	"_", "PWD", "OLDPWD", "SHLVL",
	"COMPRESS_IMAGE", "DOCKER_TARGET", "IMAGE_BLOCK_DEVICES", "IMAGE_TYPES", "INSTALL_PACKAGES", "LOGFILE", "MKFS_OPTS",
	"OUT_IMAGE_PATH", "TARGET_ROOT", "TMP_BUILD_DIR", "TMP_HOOKS_PATH", "TMP_IMAGE_DIR", "TMP_IMAGE_PATH",
	"TMP_MOUNT_PATH", "_BASE_ELEMENT_DIR", "_LIB", "RAMDISK_ELEMENT", "SKIP_BASE",
	"DIB_SOURCES", "BASHOPTS", "BASH_ENV", "ENV", "SHELLOPTS",
}

// reset reports whether a variable never passes. What says where results are
// kept, and how they are signed, is for the program alone.
func reset(name string) bool {
	return slices.Contains(resetNames, name) || name == "DIBGRAPH_CACHE" || strings.HasPrefix(name, "DIBGRAPH_CACHE_")
}

// withheldNames open the places where results, and much else, are stored. They
// pass only if the user names them: that a hook mentions one must not be enough
// to get it, since anyone who proposes a change can write that. An item that ends
// in "_" is a prefix.
var withheldNames = []string{
	"AWS_", "AZURE_", "GOOGLE_APPLICATION_CREDENTIALS", "MINIO_",
	"DOCKER_CONFIG", "DOCKER_AUTH_CONFIG", "REGISTRY_AUTH_", "REGISTRY_AUTH",
	"ACTIONS_", "GITHUB_TOKEN", "GH_TOKEN", "CI_JOB_TOKEN", "CI_JOB_JWT", "CI_JOB_JWT_", "CI_REGISTRY_PASSWORD", "CI_DEPLOY_PASSWORD",
	"COSIGN_", "SIGSTORE_", "VAULT_",
}

// withheld reports whether a variable passes only if the user names it.
func withheld(name string) bool { return listed(withheldNames, name) }

// hostOnlyNames do not reach the image: sudo, which elements are written for,
// removes them there. An item that ends in "_" is a prefix.
var hostOnlyNames = []string{
	"TMPDIR", "VIRTUAL_ENV", "PS4", "LD_", "PYTHONPATH", "PERL5LIB", "PERL5OPT", "PERLLIB", "IFS", "BASH_FUNC_",
}

// caller returns the variables of the caller that pass to all hooks: all DIB_*, the
// documented ones, those that an element's files mention, and those that the
// user named.
func (img *Image) caller() map[string]string {
	env := map[string]string{}
	for name, value := range img.Definition.Environment {
		if img.passes(name) && !slices.Contains(img.reserved, name) {
			env[name] = value
		}
	}
	return env
}

func (img *Image) passes(name string) bool {
	if !identifier.MatchString(name) || reset(name) {
		return false
	}
	if img.passesAll(name) {
		return true
	}
	return !withheld(name) && (img.words.Has(name) || slices.Contains(img.reserved, name))
}

// passesAll reports whether a variable passes to all hooks whatever elements
// say about it.
func (img *Image) passesAll(name string) bool {
	return listed(callerNames, name) || slices.Contains(img.Definition.PassEnv, name)
}

// recordable returns the definition in a form that can be stored: of the
// caller's variables it has those that this package looks at and that are no
// secrets.
func (img *Image) recordable() Definition {
	d := img.Definition
	d.Environment = maps.Clone(d.Environment)
	maps.DeleteFunc(d.Environment, func(name, value string) bool {
		return IsSecret(name, value) || !img.passes(name) && !slices.Contains(readNames, name)
	})
	return d
}

// readNames are the variables of the caller that do not pass as they are, yet
// decide about something.
var readNames = []string{
	"ARCH", "ELEMENTS_PATH", "HOME", "IMAGE_NAME", "IMAGE_TYPE", "LOGNAME", "PATH", "RAMDISK_ELEMENT", "SKIP_BASE", "USER",
}

// KeyedAlways reports whether a variable is an input of every hook that gets
// it, mentioned or not: programs read it by themselves, or the user passed it
// by name, which only makes sense for something that is read.
func (img *Image) KeyedAlways(name string) bool {
	return ReadByTools(name) || slices.Contains(img.Definition.PassEnv, name)
}

// forImage removes from env what does not reach the image.
func forImage(env map[string]string) {
	maps.DeleteFunc(env, func(name, _ string) bool {
		return listed(hostOnlyNames, name) || strings.HasPrefix(name, "SUDO_")
	})
}
