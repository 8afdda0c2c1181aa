package main

// fileMutations are edits of files of elements that are no hooks.
func fileMutations() []mutation {
	const group = "files of elements"
	static, conf := "elements/delta/static/etc/delta/defaults", "elements/easy/data/easy.conf"
	return []mutation{
		{group, "a static file", nil, func(s *site) { s.add(static, "NUMBER\n") },
			from("install.d/10-static-files"), []string{"changed file hooks/static/etc/delta/defaults"}},
		{group, "a new static file", nil, func(s *site) { s.put("elements/delta/static/etc/delta/new", "NUMBER\n") },
			union(finders, from("install.d/10-static-files")), []string{
				"added exists hooks/static/etc/delta/new", "added exists elements/delta/static/etc/delta/new",
				"changed list hooks/static/etc/delta",
			}},
		{group, "a static file is removed", nil, func(s *site) { s.remove(static) },
			union(finders, from("install.d/10-static-files")), []string{
				"removed exists hooks/static/etc/delta/defaults", "removed exists elements/delta/static/etc/delta/defaults",
				"changed list hooks/static/etc/delta", "changed file hooks/static/etc/delta/defaults",
			}},
		{group, "the mode of a static file", nil, func(s *site) { s.chmod(static, "600") },
			union(finders, from("install.d/10-static-files")), []string{
				"changed exists hooks/static/etc/delta/defaults", "changed exists elements/delta/static/etc/delta/defaults",
				"changed list hooks/static/etc/delta", "changed file hooks/static/etc/delta/defaults",
			}},
		{group, "the time of static files", nil, func(s *site) { s.age("elements/delta/static") }, nothing, nil},
		{group, "a static file becomes a link", nil, func(s *site) {
			s.remove(static)
			s.link("elsewhere", static)
		}, union(finders, from("install.d/10-static-files")), []string{
			"changed exists hooks/static/etc/delta/defaults", "changed exists elements/delta/static/etc/delta/defaults",
			"changed list hooks/static/etc/delta", "changed file hooks/static/etc/delta/defaults",
		}},
		{group, "a file that one hook reads", nil, func(s *site) { s.add(conf, "NUMBER\n") },
			from("extra-data.d/40-easy"), []string{"changed file hooks/data/easy.conf"}},
		{group, "the mode of a file that one hook copies", nil, func(s *site) { s.chmod(conf, "600") },
			union(finders, from("extra-data.d/40-easy")), []string{
				"changed exists hooks/data/easy.conf", "changed exists elements/easy/data/easy.conf", "changed file hooks/data/easy.conf",
			}},
		{group, "the time of a file that one hook reads", nil, func(s *site) { s.age(conf) }, nothing, nil},
		{group, "a file that ends in a log", nil, func(s *site) { s.add("elements/noise/data/noise.txt", "NUMBER\n") },
			only("install.d/30-noise"), []string{"changed file hooks/data/noise.txt"}},
		{group, "a new file that nobody reads", nil, func(s *site) { s.put("elements/tree/data/unread", "NUMBER\n") },
			finders, []string{"added exists hooks/data/unread", "added exists elements/tree/data", "added exists elements/tree/data/unread"}},
		{group, "a file that a hook in the image tests for", nil, func(s *site) { s.put("elements/tree/feature-flag", "NUMBER\n") },
			union(finders, from("install.d/66-feature")), []string{"added exists hooks/feature-flag", "added exists elements/tree/feature-flag"}},
		{group, "a file that only a tool in the image tests for", func(s *site) { s.image = append(s.image, "hidden") },
			func(s *site) { s.put("elements/tree/hidden-flag", "NUMBER\n") },
			union(finders, from("pre-install.d/01-install-bin")), []string{"added exists hooks/hidden-flag", "added exists elements/tree/hidden-flag"}},
		{group, "a tool", nil, func(s *site) { s.add("elements/foxtrot/bin/tool-foxtrot", "echo NUMBER\n") },
			from("pre-install.d/01-install-bin"), []string{"changed file hooks/bin/tool-foxtrot"}},
		{group, "a comment in a tool", nil, func(s *site) { s.add("elements/foxtrot/bin/tool-foxtrot", "# NUMBER\n") },
			from("pre-install.d/01-install-bin"), []string{"changed file hooks/bin/tool-foxtrot"}},
		{group, "the mode of a tool", nil, func(s *site) { s.chmod("elements/foxtrot/bin/tool-foxtrot", "700") },
			finders, []string{
				"changed exists hooks/bin/tool-foxtrot", "changed exists elements/foxtrot/bin/tool-foxtrot",
				"changed list hooks/bin", "changed file hooks/bin/tool-foxtrot",
			}},
		{group, "a new tool", nil, func(s *site) { s.put("elements/charlie/bin/new-tool", "#!/bin/sh\n: NUMBER\n") },
			union(finders, from("pre-install.d/01-install-bin")), []string{
				"added exists hooks/bin/new-tool", "added exists elements/charlie/bin/new-tool", "changed list hooks/bin",
			}},
		{group, "a file that a hook reads of every element", nil, func(s *site) { s.add("elements/golf/inventory", "NUMBER\n") },
			from("post-root.d/60-inventory"), []string{"changed file elements/golf/inventory"}},
		{group, "such a file of the last element", nil, func(s *site) { s.add("elements/tree/README.md", "NUMBER\n") }, nothing, nil},
		{group, "such a file appears", nil, func(s *site) { s.put("elements/machine/inventory", "NUMBER\n") },
			union(finders, from("post-root.d/60-inventory")), []string{"added exists elements/machine/inventory"}},
		{group, "such a file disappears", nil, func(s *site) { s.remove("elements/golf/inventory") },
			union(finders, from("post-root.d/60-inventory")), []string{
				"removed exists elements/golf/inventory", "changed file elements/golf/inventory"}},
		{group, "a README", nil, func(s *site) { s.add("elements/hotel/README.md", "NUMBER\n") }, nothing, nil},
		{group, "a README is removed", nil, func(s *site) { s.remove("elements/hotel/README.md") },
			finders, []string{"removed exists elements/hotel/README.md"}},
		{group, "a second README", nil, func(s *site) { s.put("elements/hotel/README.rst", "NUMBER\n") },
			finders, []string{"added exists elements/hotel/README.rst"}},
		{group, "the time of everything", nil, func(s *site) { s.age("elements"); s.age("overrides"); s.age("home"); s.age("files") }, nothing, nil},
		{group, "the layout", nil, func(s *site) { s.replace("elements/layout/block-device-default.yaml", "defaults", "noatime") },
			disk, []string{"changed layout"}},
		{group, "the size of a partition", nil, func(s *site) { s.replace("elements/layout/block-device-default.yaml", "100%", "99%") },
			disk, []string{"changed layout"}},
		{group, "a layout for another architecture", nil, func(s *site) {
			s.copy("elements/layout/block-device-default.yaml", "elements/layout/block-device-arm64.yaml")
		}, finders, []string{"added exists hooks/block-device-arm64.yaml", "added exists elements/layout/block-device-arm64.yaml"}},
		{group, "hidden files", nil, func(s *site) { s.put("elements/tree/install.d/.35-tree.swp", "NUMBER\n") }, nothing, nil},
	}
}

// packageMutations are edits of what package-installs, pkg-map and svc-map read.
func packageMutations() []mutation {
	const group, squash = "package lists and maps", "extra-data.d/99-squash-package-install"
	list, names, units := "elements/charlie/package-installs.yaml", "elements/charlie/pkg-map", "elements/charlie/svc-map"
	return []mutation{
		{group, "one more package", nil, func(s *site) { s.add(list, "new-NUMBER:\n") },
			from(squash), []string{"changed file elements/charlie/package-installs.yaml"}},
		{group, "one package less", nil, func(s *site) { s.replace(list, "package-charlie:\n", "") },
			from(squash), []string{"changed file elements/charlie/package-installs.yaml"}},
		{group, "a package in another phase", nil, func(s *site) { s.replace(list, "package-charlie:\n", "package-charlie:\n  phase: post-install.d\n") },
			from(squash), []string{"changed file elements/charlie/package-installs.yaml"}},
		{group, "a package that goes again", nil, func(s *site) { s.replace(list, "package-charlie:\n", "package-charlie:\n  uninstall: true\n") },
			from(squash), []string{"changed file elements/charlie/package-installs.yaml"}},
		{group, "a comment in a list", nil, func(s *site) { s.add(list, "# NUMBER\n") },
			only(squash), []string{"changed file elements/charlie/package-installs.yaml"}},
		{group, "a list written otherwise", nil, func(s *site) { s.replace(list, "package-charlie:", "\"package-charlie\":") },
			only(squash), []string{"changed file elements/charlie/package-installs.yaml"}},
		{group, "a list of an element that is overridden", nil, func(s *site) { s.add("elements/theme/package-installs.yaml", "new-NUMBER:\n") },
			from(squash), []string{"changed file elements.2/theme/package-installs.yaml"}},
		{group, "the first list of an element", nil, func(s *site) { s.put("elements/tree/package-installs.yaml", "new-NUMBER:\n") },
			union(finders, from(squash)), []string{"added exists elements/tree/package-installs.yaml"}},
		{group, "a list is removed", nil, func(s *site) { s.remove(list) },
			union(finders, from(squash)), []string{
				"removed exists elements/charlie/package-installs.yaml", "changed file elements/charlie/package-installs.yaml",
			}},
		{group, "the time of a list", nil, func(s *site) { s.age(list) }, nothing, nil},
		{group, "the name of a package", nil, func(s *site) { s.replace(names, "mapped-charlie", "mapped-NUMBER") },
			from("extra-data.d/10-create-pkg-map-dir"), []string{"changed file elements/charlie/pkg-map"}},
		{group, "a name map written otherwise, which is copied as it is", nil, func(s *site) { s.add(names, "\n") },
			from("extra-data.d/10-create-pkg-map-dir"), []string{"changed file elements/charlie/pkg-map"}},
		{group, "the first name map of an element", nil, func(s *site) { s.put("elements/tree/pkg-map", `{"default": {"a": "NUMBER"}}`) },
			from("extra-data.d/10-create-pkg-map-dir"), []string{"added exists elements/tree/pkg-map"}},
		{group, "a name map is removed", nil, func(s *site) { s.remove(names) },
			from("extra-data.d/10-create-pkg-map-dir"), []string{
				"removed exists elements/charlie/pkg-map", "changed file elements/charlie/pkg-map",
			}},
		{group, "the name of a service", nil, func(s *site) { s.replace(units, "unit-charlie", "unit-NUMBER") },
			from("extra-data.d/10-merge-svc-map-files"), []string{"changed file elements/charlie/svc-map"}},
		{group, "a comment in a service map", nil, func(s *site) { s.add(units, "# NUMBER\n") },
			only("extra-data.d/10-merge-svc-map-files"), []string{"changed file elements/charlie/svc-map"}},
		{group, "the first service map of an element", nil, func(s *site) { s.put("elements/tree/svc-map", "tree:\n  default: NUMBER\n") },
			union(finders, from("extra-data.d/10-merge-svc-map-files")), []string{"added exists elements/tree/svc-map"}},
		{group, "the package manager", nil, func(s *site) { s.replace("elements/fake-packages/bin/install-packages", " for ", " of NUMBER for ") },
			from("pre-install.d/01-install-bin"), []string{"changed file hooks/bin/install-packages"}},
		// With it the list is again what it was at first, and so is all that follows.
		{group, "the install type of an element that has packages for one", func(s *site) {
			s.replace(list, "package-charlie:\n", "package-charlie:\n  installtype: package\n")
		}, func(s *site) { s.set("DIB_INSTALLTYPE_charlie", "package") },
			union(helpers, only(squash)), []string{"added env DIB_INSTALLTYPE_charlie"}},
		{group, "a package by option", nil, func(s *site) { s.options = []string{"-p", "by-option"} },
			from("[packages]"), []string{"never built [packages]"}},
	}
}
