package blockdevice

import (
	"path"
	"slices"
	"strings"
	"unicode/utf16"
)

// MainDisk is the disk that becomes the image file; a layout must have it.
const MainDisk = "image0"

// allowed are the kinds of node that each kind can stand on.
var allowed = map[string][]string{
	"partition": {"local_loop"},
	"mkfs":      {"local_loop", "partition", "lv"},
	"mount":     {"mkfs"},
	"fstab":     {"mount"},
	"pv":        {"local_loop", "partition"},
	"vg":        {"pv"},
	"lv":        {"vg"},
}

// exclusive are the kinds of which only one can stand on a node.
var exclusive = map[string]bool{"mkfs": true, "mount": true, "fstab": true, "pv": true}

// check reports what is wrong between the nodes.
func (r *reader) check(l *Layout, nodes []node) {
	users := map[string]string{}
	for _, t := range l.tables {
		if d, ok := l.byName[t.disk].(*disk); !ok {
			r.add(t.line, "partitioning %q: base %q is not a local_loop", t.name, t.disk)
		} else if user := users[d.name]; user != "" {
			r.add(t.line, "partitioning %q: %q is already used by %q", t.name, d.name, user)
		}
		users[t.disk] = t.name
		r.checkTable(t)
	}
	for _, n := range nodes {
		r.checkBases(l, n.common(), users)
	}
	r.checkNames(nodes)
	r.checkMounts(l, nodes)
	if _, ok := l.byName[MainDisk].(*disk); !ok {
		r.add(0, "the layout has no local_loop named %q, which becomes the image", MainDisk)
	}
}

func (r *reader) checkBases(l *Layout, m *meta, users map[string]string) {
	for _, base := range m.bases {
		on, ok := l.byName[base]
		if !ok {
			r.add(m.line, "%s %q: base %q does not exist", m.kind, m.name, base)
			continue
		}
		if kind := on.common().kind; !slices.Contains(allowed[m.kind], kind) {
			r.add(m.line, "%s %q: base %q is a %s; it must be a %s", m.kind, m.name, base, kind, strings.Join(allowed[m.kind], " or a "))
			continue
		}
		if exclusive[m.kind] {
			if user := users[base]; user != "" {
				r.add(m.line, "%s %q: %q is already used by %q", m.kind, m.name, base, user)
			}
			users[base] = m.name
		}
	}
	if m.kind == "vg" && len(m.bases) == 0 {
		r.add(m.line, "vg %q: needs the names of physical volumes as base", m.name)
	}
}

func (r *reader) checkTable(t *table) {
	logical := false
	for i, p := range t.parts {
		p.number = i + 1
		switch {
		case t.gpt && len(utf16.Encode([]rune(p.name))) > 36:
			r.add(p.line, "partition %q: gpt has names of 36 characters at most", p.name)
		case t.gpt:
		case p.primary && logical:
			r.add(p.line, "partition %q: primary partitions come before logical ones", p.name)
		case !p.primary:
			logical = true
		}
	}
	if !t.gpt {
		numberLogical(t.parts)
		if primaries := slices.IndexFunc(t.parts, func(p *part) bool { return !p.primary }); len(t.parts) > 4 && primaries < 0 || primaries > 3 {
			r.add(t.line, "partitioning %q: more than 4 entries in an mbr; leave out the flag primary for some", t.name)
		}
	} else if len(t.parts) > 128 {
		r.add(t.line, "partitioning %q: %d partitions; gpt holds 128", t.name, len(t.parts))
	}
}

// numberLogical gives logical partitions their numbers, from 5.
func numberLogical(parts []*part) {
	next := 5
	for _, p := range parts {
		if !p.primary {
			p.number = next
			next++
		}
	}
}

// checkNames reports labels and identifiers that are used twice.
func (r *reader) checkNames(nodes []node) {
	labels, uuids := map[string]string{}, map[string]string{}
	for _, n := range nodes {
		f, ok := n.(*filesystem)
		if !ok {
			continue
		}
		if other := labels[f.label]; other != "" {
			r.add(f.line, "mkfs %q: label %q is already that of %q", f.name, f.label, other)
		}
		labels[f.label] = f.name
		if other := uuids[strings.ToLower(f.uuid)]; other != "" && f.uuid != "" {
			r.add(f.line, "mkfs %q: uuid %q is already that of %q", f.name, f.uuid, other)
		}
		uuids[strings.ToLower(f.uuid)] = f.name
	}
}

func (r *reader) checkMounts(l *Layout, nodes []node) {
	points := map[string]string{}
	for _, n := range nodes {
		m, ok := n.(*mountPoint)
		if !ok {
			continue
		}
		if other := points[m.point]; other != "" {
			r.add(m.line, "mount %q: %q is already the mount point of %q", m.name, m.point, other)
		}
		points[m.point] = m.name
		if m.point == "" {
			continue // reported where it was read
		}
		if f := l.filesystemOf(m); f != nil && f.fstype != "swap" && (!path.IsAbs(m.point) || path.Clean(m.point) != m.point) {
			r.add(m.line, "mount %q: mount point %q is not a plain absolute path", m.name, m.point)
		}
	}
	// With other problems it may be there, and not have been understood.
	if points["/"] == "" && len(r.all) == 0 {
		r.add(0, "the layout mounts nothing on /")
	}
}

// filesystemOf returns the filesystem that is mounted at m, or nil.
func (l *Layout) filesystemOf(m *mountPoint) *filesystem {
	if len(m.bases) != 1 {
		return nil
	}
	f, _ := l.byName[m.bases[0]].(*filesystem)
	return f
}

// mounts returns the mounts of nodes in the order of their points as strings, in
// which a directory comes before what is below it.
func mounts(nodes []node) []*mountPoint {
	var all []*mountPoint
	for _, n := range nodes {
		if m, ok := n.(*mountPoint); ok {
			all = append(all, m)
		}
	}
	slices.SortFunc(all, func(a, b *mountPoint) int { return strings.Compare(a.point, b.point) })
	return all
}

// dependencies returns for every node the names it comes after: its bases;
// the partition before it in the table; the mount before it in the order of
// mount points; and for groups, every physical volume of any lvm module.
func (r *reader) dependencies(l *Layout, nodes []node) map[string][]string {
	after := map[string][]string{}
	var volumeModules, physicals []string
	for _, n := range nodes {
		m := n.common()
		after[m.name] = append(after[m.name], m.bases...)
		switch m.kind {
		case "lvm":
			volumeModules = append(volumeModules, m.name)
		case "pv":
			physicals = append(physicals, m.name)
		}
	}
	for _, t := range l.tables {
		for i := range t.parts[min(1, len(t.parts)):] {
			after[t.parts[i+1].name] = append(after[t.parts[i+1].name], t.parts[i].name)
		}
	}
	chain := mounts(nodes)
	for i := range chain[min(1, len(chain)):] {
		after[chain[i+1].name] = append(after[chain[i+1].name], chain[i].name)
	}
	for _, n := range nodes {
		m := n.common()
		switch m.kind {
		case "pv":
			after[m.name] = append(after[m.name], volumeModules...)
		case "vg":
			after[m.name] = append(after[m.name], physicals...)
		}
	}
	return after
}
