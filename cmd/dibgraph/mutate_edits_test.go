package main

import (
	"path"
	"slices"
	"strings"
)

// mutations returns the table of edits. Each says what must run after it: this
// is what dibgraph promises.
func mutations() []mutation {
	return slices.Concat(
		hookMutations(), diskHookMutations(), oddHookMutations(), environmentMutations(), fileMutations(),
		packageMutations(), variableMutations(), hostFileMutations(), elementMutations(), outputMutations(), sourceMutations(), outsideMutations(),
	)
}

// treeHooks are hooks that work on the tree, each a node of its own: one of
// every phase, and the first ones. Later is a place after others in its phase,
// root the root of the image as the hook sees it.
var treeHooks = []struct{ hook, element, later, root string }{
	{"root.d/30-hostname", "os", "41-hostname", "$TARGET_ROOT"},
	{"root.d/40-easy", "easy", "41-easy", "$TARGET_ROOT"},
	{"extra-data.d/40-foxtrot", "foxtrot", "41-foxtrot", "$TMP_MOUNT_PATH"},
	{"pre-install.d/40-golf", "golf", "41-golf", ""},
	{"install.d/50-hotel", "hotel", "51-hotel", ""},
	{"post-install.d/50-india", "india", "51-india", ""},
	{"post-root.d/70-beside", "beside", "91-beside", "$TMP_MOUNT_PATH"},
}

// hookMutations are edits of hooks that are nodes.
func hookMutations() []mutation {
	var all []mutation
	for _, h := range treeHooks {
		hook, file := h.hook, "elements/"+h.element+"/"+h.hook
		phase := path.Dir(hook)
		env, later := "env:"+strings.TrimSuffix(phase, ".d"), phase+"/"+h.later
		changed := []string{"changed hook hooks/" + hook}
		// One hook lists the phases in which packages are installed.
		listed, list := reruns(nothing), []string(nil)
		if phase == "pre-install.d" || phase == "install.d" || phase == "post-install.d" {
			listed, list = only("extra-data.d/99-squash-package-install"), []string{"changed list hooks/" + phase}
		}
		add := func(what string, edit func(s *site), r reruns, because ...string) {
			all = append(all, mutation{"hooks", hook + " " + what, nil, edit, r, because})
		}
		add("does something else", func(s *site) { s.add(file, "echo NUMBER > \""+h.root+"/etc/edited\"\n") },
			from(hook), changed...)
		add("gets a comment", func(s *site) { s.add(file, "# comment NUMBER\n") },
			only(hook), changed...)
		add("does the same otherwise", func(s *site) { s.add(file, "true NUMBER\n") },
			only(hook), changed...)
		add("does nothing any more", func(s *site) { s.put(file, "#!/bin/bash\n# NUMBER\n") },
			from(hook), changed...)
		add("is run by another shell", func(s *site) { s.replace(file, "#!/bin/bash", "#! /bin/bash") },
			only(hook), changed...)
		add("may not be executed", func(s *site) { s.chmod(file, "644") },
			union(listed, only(env), after(hook)), append(list, "removed listed "+hook+"*", "added listed "+hook, "removed "+hook)...)
		add("is for root alone", func(s *site) { s.chmod(file, "700") },
			listed, list...)
		add("gets another time", func(s *site) { s.age(file) },
			nothing)
		add("is removed", func(s *site) { s.remove(file) },
			union(listed, only(env), after(hook)), append(list, "removed listed "+hook+"*", "removed "+hook)...)
		add("gets another name in the same place", func(s *site) { s.rename(file, file+"-renamed") },
			union(listed, only(env, hook+"-renamed")),
			append(list, "removed listed "+hook+"*", "added listed "+hook+"-renamed*", "never built "+hook+"-renamed")...)
		add("moves to a later place", func(s *site) { s.rename(file, "elements/"+h.element+"/"+later) },
			union(listed, only(env), after(hook)),
			append(list, "removed listed "+hook+"*", "added listed "+later+"*", "removed "+hook, "never built "+later)...)
		add("gets a neighbour", func(s *site) { s.put(file+"-new", "#!/bin/bash\necho NUMBER > \""+h.root+"/etc/edited\"\n") },
			union(listed, only(env), from(hook+"-new")), append(list, "added listed "+hook+"-new*", "never built "+hook+"-new")...)
		add("gets a neighbour that does nothing", func(s *site) { s.put(file+"-new", "#!/bin/bash\n# NUMBER\n") },
			union(listed, only(env, hook+"-new")), append(list, "added listed "+hook+"-new*", "never built "+hook+"-new")...)
	}
	return all
}

// diskHookMutations are edits of hooks that run on the disk, which is one node.
func diskHookMutations() []mutation {
	var all []mutation
	for _, h := range []struct{ hook, element, root string }{
		{"finalise.d/50-juliet", "juliet", ""}, {"cleanup.d/50-kilo", "kilo", "$TARGET_ROOT"},
	} {
		hook, file := h.hook, "elements/"+h.element+"/"+h.hook
		add := func(what string, edit func(s *site), r reruns, because ...string) {
			all = append(all, mutation{"hooks on the disk", hook + " " + what, nil, edit, r, because})
		}
		add("does something else", func(s *site) { s.add(file, "echo NUMBER > \""+h.root+"/etc/edited\"\n") },
			disk, "changed hook hooks/"+hook)
		add("gets a comment", func(s *site) { s.add(file, "# comment NUMBER\n") },
			disk, "changed hook hooks/"+hook)
		add("may not be executed", func(s *site) { s.chmod(file, "644") },
			disk, "removed hook hooks/"+hook)
		add("is for root alone", func(s *site) { s.chmod(file, "700") },
			nothing)
		add("is removed", func(s *site) { s.remove(file) },
			disk, "removed hook hooks/"+hook)
		add("gets another name", func(s *site) { s.rename(file, file+"-renamed") },
			disk, "removed hook hooks/"+hook, "added hook hooks/"+hook+"-renamed")
		add("gets a neighbour", func(s *site) { s.put(file+"-new", "#!/bin/bash\necho NUMBER > \""+h.root+"/etc/edited\"\n") },
			disk, "added hook hooks/"+hook+"-new")
	}
	return append(all,
		mutation{"hooks on the disk", "the first hook of block-device.d", nil, func(s *site) {
			s.put("elements/os/block-device.d/50-new", "#!/bin/bash\n: NUMBER\n")
		}, disk, []string{"added hook hooks/block-device.d/50-new"}},
		mutation{"hooks on the disk", "the first hook of pre-finalise.d", nil, func(s *site) {
			s.put("elements/os/pre-finalise.d/50-new", "#!/bin/bash\necho NUMBER > \"$TMP_MOUNT_PATH/etc/edited\"\n")
		}, disk, []string{"added hook hooks/pre-finalise.d/50-new"}},
	)
}

// oddHookMutations are edits of phase directories of other sorts.
func oddHookMutations() []mutation {
	const group, squash = "hooks", "extra-data.d/99-squash-package-install" // which lists install.d
	return []mutation{
		{group, "a file whose name is no hook's appears", nil, func(s *site) {
			s.put("elements/tree/install.d/35-tree.orig", "#!/bin/bash\n: NUMBER\n")
		}, only(squash), []string{"changed list hooks/install.d"}},
		{group, "a file that may not be executed appears", nil, func(s *site) {
			s.put("elements/tree/install.d/36-note", "NUMBER\n")
		}, only("env:install", squash), []string{"added listed install.d/36-note", "changed list hooks/install.d"}},
		{group, "a hook writes another log", nil, func(s *site) {
			s.replace("elements/noise/install.d/30-noise", "date >", "date +%s >")
		}, only("install.d/30-noise"), []string{"changed hook hooks/install.d/30-noise"}},
		{group, "a hook becomes a link to one with the same text", nil, func(s *site) {
			s.rename("elements/machine/install.d/28-machine", "elements/machine/shared/machine")
			s.link("../shared/machine", "elements/machine/install.d/28-machine")
		}, union(finders, only("env:install")), []string{
			"changed list hooks/install.d", "removed listed install.d/28-machine*", "added listed install.d/28-machine -> ../shared/machine",
			"added exists hooks/shared", "added exists hooks/shared/machine",
			"added exists elements/machine/shared", "added exists elements/machine/shared/machine",
		}},
		{group, "what a hook writes as a later hook does something else", nil, func(s *site) {
			s.add("elements/hook-writer/data/written-hook", "echo NUMBER >> /etc/written\n")
		}, from("extra-data.d/50-write-hook"), []string{"changed file hooks/data/written-hook"}},
		{group, "a hook no longer writes a later one", nil, func(s *site) {
			s.put("elements/hook-writer/extra-data.d/50-write-hook", "#!/bin/bash\n")
		}, from("extra-data.d/50-write-hook"), []string{"changed hook hooks/extra-data.d/50-write-hook"}},
		{group, "the first hook that a phase of the host runs", nil, func(s *site) {
			s.add("elements/os/root.d/10-os", "echo NUMBER > \"$TARGET_ROOT/etc/edited\"\n")
		}, from("root.d/10-os"), []string{"changed hook hooks/root.d/10-os"}},
		{group, "two hooks of one element", nil, func(s *site) {
			s.add("elements/accounts/install.d/20-accounts", "# NUMBER\n")
			s.add("elements/accounts/post-install.d/20-accounts", "# NUMBER\n")
		}, only("install.d/20-accounts", "post-install.d/20-accounts"),
			[]string{"changed hook hooks/install.d/20-accounts", "changed hook hooks/post-install.d/20-accounts"}},
	}
}

// environmentMutations are edits of environment.d. The disk evaluates it for
// its own phases, within its one run.
func environmentMutations() []mutation {
	const group = "environment.d"
	evaluations := union(environments, disk)
	accounts, service := "elements/accounts/environment.d/20-accounts.bash", "elements/charlie/environment.d/50-charlie.bash"
	return []mutation{
		{group, "a comment", nil, func(s *site) { s.add(accounts, "# NUMBER\n") },
			evaluations, []string{"changed environment.d 20-accounts.bash"}},
		{group, "a value that nobody uses", nil, func(s *site) { s.add(accounts, "export DIB_UNUSED=NUMBER\n") },
			evaluations, []string{"changed environment.d 20-accounts.bash"}},
		{group, "a variable that is not exported", nil, func(s *site) { s.add(accounts, "local_to_it=NUMBER\n") },
			evaluations, []string{"changed environment.d 20-accounts.bash"}},
		{group, "a value that a hook uses", nil, func(s *site) { s.replace(accounts, "/bin/sh", "/bin/NUMBER") },
			union(evaluations, from("install.d/20-accounts")), []string{"changed environment.d 20-accounts.bash"}},
		{group, "a value that a hook uses, written otherwise", nil, func(s *site) { s.replace(service, "=/srv/charlie", "=/srv/./charlie") },
			union(evaluations, only("install.d/50-charlie")), []string{"changed environment.d 50-charlie.bash"}},
		{group, "a default that the caller could override", nil, func(s *site) {
			s.replace("elements/os/environment.d/10-os.bash", ":-one", ":-NUMBER")
		}, union(evaluations, from("root.d/20-release")), []string{"changed environment.d 10-os.bash"}},
		{group, "a default of a package list", nil, func(s *site) { s.replace(service, ":-no", ":-yes") },
			union(evaluations, from("extra-data.d/99-squash-package-install")), []string{"changed environment.d 50-charlie.bash"}},
		{group, "a new file", nil, func(s *site) { s.put("elements/tree/environment.d/60-tree.bash", "export DIB_UNUSED=NUMBER\n") },
			evaluations, []string{"added environment.d 60-tree.bash"}},
		{group, "a new file that overrides a value", nil, func(s *site) {
			s.put("elements/tree/environment.d/60-tree.bash", "export DIB_TIME_LINE=NUMBER\n")
		}, union(evaluations, from("install.d/25-time")), []string{"added environment.d 60-tree.bash"}},
		{group, "a new file that sets a proxy", nil, func(s *site) {
			s.put("elements/tree/environment.d/60-tree.bash", "export http_proxy=http://NUMBER.invalid\n")
		}, union(evaluations, from("pre-install.d/02-proxy")), []string{"added environment.d 60-tree.bash"}},
		{group, "another name in the same place", nil, func(s *site) {
			s.rename(accounts, "elements/accounts/environment.d/21-accounts.bash")
		}, evaluations, []string{"removed environment.d 20-accounts.bash", "added environment.d 21-accounts.bash"}},
		{group, "a file that may be executed", nil, func(s *site) { s.chmod(accounts, "755") }, nothing, nil},
		{group, "another time", nil, func(s *site) { s.age("elements/accounts/environment.d") }, nothing, nil},
		{group, "a file that unsets a value", nil, func(s *site) {
			s.put("elements/tree/environment.d/60-tree.bash", "unset DIB_DELTA_EXTRA\nexport DIB_DELTA_EXTRA=no\n")
		}, evaluations, []string{"added environment.d 60-tree.bash"}},
	}
}
