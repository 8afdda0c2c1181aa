package blockdevice

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// lvStep is what sizes of logical volumes are cut down to: the extent size of
// a volume group that was made without options.
const lvStep = 4 * mib

// mapperControl can be opened when the kernel has a device mapper. That it is there
// says little: programs make the node without asking for one.
const mapperControl = "/dev/mapper/control"

func (v values) volume() node {
	switch v.item.module {
	case "lvm":
		v.lists("pvs", "vgs", "lvs")
		m := v.meta()
		m.bases = nil // it may name some; what it stands on its physical volumes say
		return &volumes{meta: m}
	case "pv":
		v.oneBase()
		return &physical{meta: v.meta(), options: v.strings("options")}
	case "vg":
		return &group{meta: v.meta(), options: v.strings("options")}
	}
	v.oneBase()
	_, sized := v.item.values["size"]
	l := &logical{
		meta:     v.meta(),
		size:     v.absolute("size", 0),
		thinPool: v.text("thin-pool", ""),
		options:  v.strings("options"),
	}
	if !sized { // it counts if both are given
		l.extents = v.text("extents", "")
	}
	kind := v.text("type", "")
	l.thin, l.pool = kind == "thin", kind == "thin-pool"
	if !slices.Contains([]string{"", "thin", "thin-pool"}, kind) {
		v.add(l.line, "lv %q: type %q is neither thin nor thin-pool", l.name, kind)
	}
	if !sized && l.extents == "" {
		v.add(l.line, "lv %q: give size or extents", l.name)
	}
	if l.thin && l.thinPool == "" {
		v.add(l.line, "lv %q: a thin volume needs a thin-pool", l.name)
	}
	return l
}

// create checks that the kernel can do it at all.
func (*volumes) create(context.Context, *State) error {
	control, err := os.Open(mapperControl)
	if err != nil {
		return fmt.Errorf("logical volumes need the device mapper of the kernel (module dm_mod), which this host or container does not offer: %w", err)
	}
	return control.Close()
}

func (p *physical) create(ctx context.Context, s *State) error {
	device := s.path(p.bases[0])
	if err := s.run(ctx, "pvcreate", append([]string{device}, p.options...)...); err != nil {
		return err
	}
	// For groups, the name of a physical volume is its device.
	s.add(p.name, device)
	return nil
}

func (g *group) create(ctx context.Context, s *State) error {
	if err := s.run(ctx, "vgcreate", g.command(s)...); err != nil {
		return err
	}
	s.undo.Add(func() error { return s.run(context.Background(), "vgchange", "-an", g.name) })
	return nil
}

func (g *group) command(s *State) []string {
	args := []string{g.name}
	for _, base := range g.bases {
		args = append(args, s.path(base))
	}
	return append(args, g.options...)
}

func (l *logical) create(ctx context.Context, s *State) error {
	if err := s.run(ctx, "lvcreate", l.command()...); err != nil {
		return err
	}
	full := l.bases[0] + "/" + l.name
	s.undo.Add(func() error {
		// A pool is in use by the volumes in it, and goes with the group.
		if l.pool {
			return nil
		}
		return s.run(context.Background(), "lvchange", "-an", full)
	})
	if l.pool {
		return nil
	}
	path := mapperPath(l.bases[0], l.name)
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("the volume was made, and its device is missing: %w", err)
	}
	s.add(l.name, path)
	return nil
}

func (l *logical) command() []string {
	args := []string{"--name", l.name, "--yes", "--wipesignatures", "n"}
	switch {
	case l.thin:
		args = append(args, "--type", "thin", "--thin-pool", l.thinPool)
	case l.pool:
		args = append(args, "--type", "thin-pool")
	}
	switch {
	case l.extents != "":
		args = append(args, "-l", l.extents)
	case l.thin:
		args = append(args, "-V", strconv.FormatInt(down(l.size, lvStep), 10)+"B")
	default:
		args = append(args, "-L", strconv.FormatInt(down(l.size, lvStep), 10)+"B")
	}
	return append(append(args, l.options...), l.bases[0])
}

// mapperPath returns the device of a logical volume. The device mapper joins both
// names by a hyphen, and doubles those that are in them.
func mapperPath(group, volume string) string {
	double := func(name string) string { return strings.ReplaceAll(name, "-", "--") }
	return "/dev/mapper/" + double(group) + "-" + double(volume)
}
