package elements

import (
	"maps"
	"strings"

	"github.com/dibgraph/dibgraph/steps"
)

// phaseVariables is the environment of a phase before environment.d. The hooks
// of most elements have the same one.
type phaseVariables struct {
	image  *Image
	values map[string]string // without reserved variables
	made   map[string]*steps.Variables
}

// variables returns the environment of a phase.
func (p *Planner) variables(phase Phase) *phaseVariables {
	values := p.image.Environment(phase.Side(), phase)
	for name, key := range map[string]string{
		"DIB_ROOT_LABEL": "root-label", "DIB_ROOT_FSTYPE": "root-fstype", "DIB_BOOT_LABEL": "boot-label", "DIB_MOUNTPOINTS": "mount-points",
	} {
		values[name] = p.layout.parsed.Value(key)
	}
	return &phaseVariables{image: p.image, values: values, made: make(map[string]*steps.Variables)}
}

// of returns the variables that the hooks of an element get; no element is the
// environment.d of all.
func (v *phaseVariables) of(element string) *steps.Variables {
	names := v.image.reservedFor(element)
	key := strings.Join(names, " ")
	if v.made[key] == nil {
		values := maps.Clone(v.values)
		for _, name := range names {
			if _, constructed := values[name]; !constructed {
				values[name] = v.image.Definition.Environment[name]
			}
		}
		v.made[key] = v.image.stepVariables(values)
	}
	return v.made[key]
}

// with returns the variables that hooks of several elements get together.
func (v *phaseVariables) with(elements []string) *steps.Variables {
	values := maps.Clone(v.values)
	for _, element := range elements {
		maps.Copy(values, v.of(element).Values)
	}
	return v.image.stepVariables(values)
}

// stepVariables says which of the variables are inputs.
func (img *Image) stepVariables(values map[string]string) *steps.Variables {
	return &steps.Variables{
		Values: values, Unkeyed: Unkeyed, Secret: IsSecret, Own: own,
		Parts: map[string]map[string]string{"DIB_ENV": img.declared()},
	}
}
