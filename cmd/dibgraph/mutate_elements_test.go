package main

// elementMutations are edits of which elements there are, and where. Few hooks
// have the list of them as an input.
func elementMutations() []mutation {
	const group = "elements"
	list := []string{"changed env IMAGE_ELEMENT", "changed env IMAGE_ELEMENT_YAML", "changed env BASH_FUNC_get_image_element_array%%"}
	because := func(more ...string) []string { return append(more, list...) }
	return []mutation{
		{group, "a new one with a hook", nil, func(s *site) {
			s.put("elements/new/install.d/80-new", "#!/bin/bash\necho NUMBER > /etc/new\n")
			s.image = append(s.image, "new")
		}, union(only("env:install"), helpers, from("install.d/80-new")),
			because("changed list hooks/install.d", "added listed install.d/80-new*", "never built install.d/80-new")},
		{group, "a new one that nobody asks for", nil, func(s *site) {
			s.put("elements/new/install.d/80-new", "#!/bin/bash\necho NUMBER > /etc/new\n")
		}, nothing, nil},
		{group, "a new one with nothing but a name map", nil, func(s *site) {
			s.put("elements/new/pkg-map", `{"default": {"a": "NUMBER"}}`)
			s.image = append(s.image, "new")
		}, from("extra-data.d/10-create-pkg-map-dir"), because("added exists elements/new/pkg-map")},
		{group, "one less", nil, func(s *site) { s.drop("machine") },
			union(only("env:install"), finders, after("install.d/28-machine")), because(
				"changed list hooks/install.d", "removed listed install.d/28-machine*", "removed install.d/28-machine", "removed exists elements/machine/README.md")},
		{group, "one that others need is named too", nil, func(s *site) { s.image = append(s.image, "layout") }, nothing, nil},
		{group, "one is named twice", nil, func(s *site) { s.image = append(s.image, "tree") }, nothing, nil},
		{group, "they are named in another order", nil, func(s *site) { s.drop("tree"); s.image = append([]string{"tree"}, s.image...) }, nothing, nil},
		{group, "one needs another that is there anyway", nil, func(s *site) { s.put("elements/tree/element-deps", "alpha\n") },
			finders, []string{"added exists elements/tree/element-deps"}},
		{group, "what one needs, written otherwise", nil, func(s *site) { s.add("elements/charlie/element-deps", "\n") }, nothing, nil},
		{group, "another one provides what is needed", nil, func(s *site) {
			s.put("elements/mta-big/element-provides", "mta\n")
			s.put("elements/mta-big/install.d/45-mta", "#!/bin/bash\necho big > /etc/mta\n")
			s.drop("mta-small")
			s.image = append(s.image, "mta-big")
		}, union(finders, from("install.d/45-mta")), because(
			"changed hook hooks/install.d/45-mta", "removed exists elements/mta-small/README.md",
			"removed exists elements/mta-small/element-provides", "added exists elements/mta-big/element-provides")},
		{group, "one is overridden by one of the same text", nil, func(s *site) { s.copyOver("tree") },
			finders, []string{"added exists elements.2/tree/README.md"}},
		{group, "one is overridden by another text", nil, func(s *site) {
			s.copyOver("tree")
			s.add("overrides/tree/install.d/35-tree", "echo NUMBER >> /opt/tree/one\n")
		}, union(finders, from("install.d/35-tree")), []string{"added exists elements.2/tree/README.md", "changed hook hooks/install.d/35-tree"}},
		{group, "a hook of one that is overridden", nil, func(s *site) { s.add("elements/theme/install.d/70-theme", "# NUMBER\n") }, nothing, nil},
		{group, "a hook of one that overrides", nil, func(s *site) { s.add("overrides/theme/install.d/70-theme", "echo NUMBER >> /etc/theme\n") },
			from("install.d/70-theme"), []string{"changed hook hooks/install.d/70-theme"}},
		{group, "one becomes a link", nil, func(s *site) {
			s.rename("elements/tree", "files/tree")
			s.link("../files/tree", "elements/tree")
		}, nothing, nil},
		{group, "a phase of one becomes a link", nil, func(s *site) {
			s.rename("elements/tree/install.d", "elements/tree-install.d")
			s.link("../tree-install.d", "elements/tree/install.d")
		}, nothing, nil},
		{group, "all are elsewhere", nil, func(s *site) {
			s.rename("elements", "files/moved/elements")
			s.rename("overrides", "files/moved/overrides")
			s.paths = []string{s.at("files/moved/overrides"), s.at("files/moved/elements")}
		}, nothing, nil},
		{group, "they are named by a relative path", nil, func(s *site) { s.paths = []string{"overrides", "elements/"} }, nothing, nil},
		{group, "they are spread over directories", nil, func(s *site) {
			s.rename("elements/tree", "files/more/tree")
			s.rename("elements/alpha", "files/more/alpha")
			s.paths = append(s.paths, s.at("files/more"))
		}, nothing, nil},
		{group, "one more directory with others", nil, func(s *site) {
			s.put("files/more/unrelated/install.d/10-unrelated", "#!/bin/sh\necho NUMBER\n")
			s.paths = append(s.paths, s.at("files/more"))
		}, nothing, nil},
		{group, "directories in another order", nil, func(s *site) {
			s.paths[0], s.paths[1] = s.paths[1], s.paths[0]
			s.touch("site/elements/theme/install.d/70-theme")
			s.touch("site/elements/theme/package-installs.yaml")
		},
			union(finders, from("install.d/70-theme")), []string{
				"changed hook hooks/install.d/70-theme", "changed file elements.2/theme/package-installs.yaml",
				"removed exists elements.2/theme/package-installs.yaml", "added exists elements/theme/package-installs.yaml",
			}},
		{group, "an embedded one is overridden by one of the same text", nil, func(s *site) { s.override("svc-map") },
			finders, []string{
				"added exists elements.2/svc-map/README.md", "added exists elements.2/svc-map/element-deps",
				"added exists elements.2/svc-map/bin", "added exists elements.2/svc-map/bin/svc-map",
			}},
	}
}

// outputMutations are edits of what is made of the tree.
func outputMutations() []mutation {
	const group = "outputs"
	with := func(types string, options ...string) func(s *site) {
		return func(s *site) { s.types, s.options = types, options }
	}
	set := func(name, value string) func(s *site) { return func(s *site) { s.set(name, value) } }
	return []mutation{
		{group, "a raw file too", nil, with("tar,qcow2,raw"), nothing, nil},
		{group, "a vmdk file too", nil, with("tar,qcow2,vmdk"), only("vmdk"), []string{"never built vmdk"}},
		{group, "one that is not compressed", nil, with("tar,qcow2", "-u"), only("qcow2"), []string{"changed compress"}},
		{group, "checksums", nil, with("tar,qcow2", "--checksum"), only("checksum:qcow2"), []string{"never built checksum:qcow2"}},
		{group, "no qcow2 file", nil, with("tar"), nothing, nil},
		{group, "options of qemu-img", nil, with("tar,qcow2", "--qemu-img-options", "cluster_size=131072"), only("qcow2"), []string{"changed options"}},
		{group, "the image's size", nil, with("tar,qcow2", "--image-size", "0.2"), disk, []string{"changed size"}},
		{group, "the image's extra size", nil, with("tar,qcow2", "--image-extra-size", "10"), disk, []string{"changed size"}},
		{group, "the size by a variable", nil, set("DIB_IMAGE_SIZE", "0.3"), disk, []string{"changed size"}},
		{group, "the journal's size", nil, set("DIB_JOURNAL_SIZE", "5"), disk, []string{"changed size", "changed root filesystem"}},
		{group, "the label", nil, with("tar,qcow2", "--root-label", "mine"), disk, []string{"changed root filesystem"}},
		{group, "options of mkfs", nil, with("tar,qcow2", "--mkfs-options", "-m 1"), disk, []string{"changed root filesystem"}},
		{group, "how far it can be resized", nil, with("tar,qcow2", "--max-online-resize", "1000000"), disk, []string{"changed root filesystem"}},
		{group, "the same layout by a variable", nil, func(s *site) {
			s.set("DIB_BLOCK_DEVICE_CONFIG", s.read("site/elements/layout/block-device-default.yaml"))
		}, nothing, nil},
		{group, "the same layout in a file", nil, func(s *site) {
			s.set("DIB_BLOCK_DEVICE_CONFIG", "file://"+s.at("elements/layout/block-device-default.yaml"))
		}, nothing, nil},
		{group, "another layout by a variable", nil, set("DIB_BLOCK_DEVICE_CONFIG", "- local_loop: {name: image0, mkfs: {name: mkfs_root, mount: {mount_point: /, fstab: {options: noatime}}}}\n"),
			disk, []string{"changed layout"}},
	}
}
