package imagelist

import (
	"encoding/json"

	"github.com/dibgraph/dibgraph/cache/settings"
)

// Schema returns the JSON schema of a file. It says what the reader checks in
// one file, and not what takes more than one: names, dependencies, the values of
// a matrix.
func Schema() ([]byte, error) {
	type object = map[string]any
	properties, ordered := object{}, []string{}
	for _, k := range keys {
		p := k.schema()
		p["description"] = k.about
		properties[k.name] = p
		ordered = append(ordered, k.name)
	}
	defaults := object{}
	for _, name := range ordered {
		if name != "imagename" && name != "depends" {
			defaults[name] = object{"$ref": "#/$defs/image/properties/" + name}
		}
	}
	images := object{"type": "array", "items": object{"$ref": "#/$defs/image"}}
	schema := object{
		"$schema":     "https://json-schema.org/draft/2020-12/schema",
		"title":       "images to build",
		"description": "A list of images as diskimage-builder has it, or a map with such a list and defaults. YAML merge keys are written out before it is checked.",
		"oneOf": []any{
			images,
			object{
				"type": "object", "required": []string{"images"}, "additionalProperties": false,
				"properties":        object{"defaults": object{"type": "object", "additionalProperties": false, "properties": defaults}, "images": images},
				"patternProperties": object{"^x-": true},
			},
		},
		"$defs": object{"image": object{"type": "object", "additionalProperties": false, "properties": properties}},
	}
	content, err := json.MarshalIndent(schema, "", "  ")
	return append(content, '\n'), err
}

// schema returns what a value of the key can be.
func (k key) schema() map[string]any {
	type object = map[string]any
	word := object{"type": "string"}
	if k.words != nil {
		word["enum"] = k.words
	}
	switch k.kind {
	case flag:
		return object{"type": "boolean"}
	case number:
		n := object{"type": "integer", "minimum": k.min}
		if k.max > 0 {
			n["maximum"] = k.max
		}
		return n
	case size:
		return object{"type": "number", "exclusiveMinimum": 0}
	case list:
		return object{"type": "array", "items": word}
	case pairs:
		return object{"type": "object", "additionalProperties": object{"type": "string"}}
	case choices:
		return object{"type": "object", "additionalProperties": object{"type": "array", "minItems": 1, "items": object{"type": "string"}}}
	case caches:
		properties := object{}
		for _, name := range settings.SharedKeys {
			properties[name] = true
		}
		return object{"type": "object", "additionalProperties": false, "properties": properties}
	}
	return word
}
