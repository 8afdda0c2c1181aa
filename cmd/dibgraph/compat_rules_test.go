package main

import "github.com/dibgraph/dibgraph/internal/compat"

// compatRules are where the images of both programs differ, and may.
func compatRules() []compat.Rule {
	return []compat.Rule{
		{
			Name: "devices", Paths: []string{"dev", "dev/**"}, Absent: true,
			Reason: "diskimage-builder packs the /dev of the build machine, which is mounted at the time",
		},
		{
			Name: "logs", Paths: []string{"var/log/**"}, Absent: true,
			Reason: "logs of the installation",
		},
	}
}
