package main

// variableMutations are edits of the caller's variables. What mentions one
// depends on it, and so does everything that works on a tree with a program in
// it that mentions it.
func variableMutations() []mutation {
	const group = "variables"
	with := func(name, value string) func(s *site) { return func(s *site) { s.set(name, value) } }
	return []mutation{
		{group, "one that a hook reads", nil, with("DIB_HOSTNAME", "other"), from("root.d/30-hostname"), []string{"added env DIB_HOSTNAME"}},
		{group, "one that a hook reads, with its default", nil, with("DIB_HOSTNAME", "small"), only("root.d/30-hostname"), []string{"added env DIB_HOSTNAME"}},
		{group, "one that is empty", nil, with("DIB_HOSTNAME", ""), only("root.d/30-hostname"), []string{"added env DIB_HOSTNAME"}},
		{group, "one that a hook in the image reads", nil, with("DIB_ACCOUNT", "other"), from("install.d/20-accounts"), []string{"added env DIB_ACCOUNT"}},
		{group, "one that a late hook reads", nil, with("DIB_LIMA_PORT", "1"), from("install.d/50-lima"), []string{"added env DIB_LIMA_PORT"}},
		{group, "one that an early hook reads", nil, with("DIB_ALPHA_PORT", "1"), from("install.d/50-alpha"), []string{"added env DIB_ALPHA_PORT"}},
		{group, "one that a tool reads", nil, with("DIB_BRAVO_MODE", "fancy"), from("pre-install.d/01-install-bin"), []string{"added env DIB_BRAVO_MODE"}},
		{group, "one that environment.d reads", nil, with("DIB_TIMEZONE", "CET"), union(environments, from("install.d/25-time")), []string{"added env DIB_TIMEZONE"}},
		{group, "one that environment.d has a default for", nil, with("DIB_RELEASE", "two"), union(environments, from("root.d/20-release")), []string{"added env DIB_RELEASE"}},
		{group, "one that a package list reads", nil, with("DIB_CHARLIE_EXTRA", "yes"),
			union(environments, from("extra-data.d/99-squash-package-install")), []string{"added env DIB_CHARLIE_EXTRA"}},
		{group, "one that nobody reads", nil, with("DIB_UNUSED", "1"), nothing, nil},
		{group, "one that only begins like a used one", nil, with("DIB_HOSTNAME_SUFFIX", "1"), nothing, nil},
		{group, "one that does not pass", nil, with("UNRELATED", "1"), nothing, nil},
		{group, "the language", nil, with("LANG", "de_DE.UTF-8"), nothing, nil},
		{group, "the terminal", nil, with("TERM", "dumb"), nothing, nil},
		{group, "who builds", nil, with("SUDO_USER", "someone"), nothing, nil},
		{group, "where tools are", nil, func(s *site) { s.set("PATH", "/usr/local/sbin:"+s.value("PATH")) }, nothing, nil},
		{group, "where downloads are kept", nil, func(s *site) { s.set("DIB_IMAGE_CACHE", s.path("downloads")) }, nothing, nil},
		{group, "where temporary files are", nil, func(s *site) { s.set("TMP_DIR", s.path("")) }, nothing, nil},
		{group, "a proxy that a hook writes into the image", nil, with("http_proxy", "http://proxy.invalid"),
			from("pre-install.d/02-proxy"), []string{"added env http_proxy"}},
		{group, "a proxy that no hook mentions", nil, with("https_proxy", "http://proxy.invalid"), nothing, nil},
		{group, "one that any program reads", nil, with("TZ", "CET"),
			without(func(n nodes) []string { return n.now }, "[base]"), []string{"added env TZ"}},
		{group, "one passed by name", nil, func(s *site) { s.set("UNRELATED", "1"); s.options = []string{"--env", "UNRELATED"} },
			without(func(n nodes) []string { return n.now }, "[base]"), []string{"added env UNRELATED"}},
		{group, "another architecture", nil, func(s *site) { s.options = []string{"-a", "i386"} },
			union(helpers, from("install.d/28-machine")), []string{"changed env ARCH"}},
		{group, "the install type of one element", nil, with("DIB_INSTALLTYPE_charlie", "source"),
			helpers, []string{"added env DIB_INSTALLTYPE_charlie"}},
		{group, "the default install type", nil, func(s *site) { s.options = []string{"--install-type", "package"} },
			from("[base]"), []string{"changed install type", "changed env DIB_DEFAULT_INSTALLTYPE"}},
		{group, "tracing", nil, func(s *site) { s.options = []string{"-x"} }, nothing, nil},
		{group, "working offline", nil, func(s *site) { s.options = []string{"--offline"} }, nothing, nil},
		{group, "how many jobs", nil, func(s *site) { s.options = []string{"-j", "1"} }, nothing, nil},
		{group, "a file that a variable names", nil, func(s *site) {
			s.copy("files/motd", "files/motd-2")
			s.set("DIB_MOTD_FILE", s.at("files/motd-2"))
		}, only("extra-data.d/30-motd"), []string{"changed env DIB_MOTD_FILE"}},
	}
}

// hostFileMutations are edits of files of the machine.
func hostFileMutations() []mutation {
	const group = "files of the host"
	return []mutation{
		{group, "one that a variable names", nil, func(s *site) { s.add("files/motd", "NUMBER\n") },
			from("extra-data.d/30-motd"), []string{"changed host motd"}},
		{group, "its time", nil, func(s *site) { s.age("files/motd") }, nothing, nil},
		{group, "its mode", nil, func(s *site) { s.chmod("files/motd", "600") },
			from("extra-data.d/30-motd"), []string{"changed host motd"}},
		{group, "it is removed", nil, func(s *site) { s.remove("files/motd") },
			from("extra-data.d/30-motd"), []string{"changed host motd"}},
		{group, "one that was not there", nil, func(s *site) { s.put("files/optional", "NUMBER\n") },
			from("extra-data.d/32-optional"), []string{"changed host optional"}},
		{group, "one that nobody names", nil, func(s *site) { s.add("files/unused", "NUMBER\n") }, nothing, nil},
		{group, "one in a directory that a variable names", nil, func(s *site) { s.add("files/banners/one.txt", "NUMBER\n") },
			from("extra-data.d/31-banners"), []string{"changed host banners", "changed host banners/one.txt"}},
		{group, "a new one there", nil, func(s *site) { s.put("files/banners/three.txt", "NUMBER\n") },
			from("extra-data.d/31-banners"), []string{"changed host banners", "changed host list banners"}},
		{group, "one there is removed", nil, func(s *site) { s.remove("files/banners/one.txt") },
			from("extra-data.d/31-banners"), []string{"changed host banners", "changed host list banners", "changed host banners/one.txt"}},
		{group, "one there becomes a link to another", nil, func(s *site) {
			s.put("files/elsewhere", "NUMBER\n")
			s.link("../elsewhere", "files/banners/one.txt")
		}, from("extra-data.d/31-banners"), []string{"changed host banners", "changed host list banners", "changed host banners/one.txt"}},
		{group, "a link there, to another", nil, func(s *site) {
			s.put("files/elsewhere", "NUMBER\n")
			s.link("../elsewhere", "files/banners/three.txt")
		}, from("extra-data.d/31-banners"), []string{"changed host banners", "changed host list banners"}},
		{group, "authorized keys", nil, func(s *site) { s.add("home/.ssh/authorized_keys", "ssh-ed25519 NUMBER\n") },
			from("extra-data.d/60-ssh-keys"), []string{"changed host ~/.ssh/authorized_keys"}},
		{group, "authorized keys are removed", nil, func(s *site) { s.remove("home/.ssh/authorized_keys") },
			from("extra-data.d/60-ssh-keys"), []string{"changed host ~/.ssh/authorized_keys"}},
		{group, "another file of the home", nil, func(s *site) { s.put("home/.bashrc", "export DIB_HOSTNAME=NUMBER\n") }, nothing, nil},
		{group, "the home elsewhere", nil, func(s *site) {
			s.copy("home", "files/moved-home")
			s.set("HOME", s.at("files/moved-home"))
		}, nothing, nil},
		{group, "the base tarball", nil, func(s *site) { s.makeTarball("NUMBER") }, from("root.d/10-os"), []string{"changed host base.tar"}},
		{group, "the time of the base tarball", nil, func(s *site) { s.age("files/base.tar") }, nothing, nil},
		{group, "the base tarball elsewhere", nil, func(s *site) {
			s.rename("files/base.tar", "files/moved.tar")
			s.set("DIB_OS_TARBALL", "file://"+s.at("files/moved.tar"))
		}, only("root.d/10-os"), []string{"changed env DIB_OS_TARBALL", "changed host base.tar"}},
	}
}
