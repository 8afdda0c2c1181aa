package helper

import "errors"

// A Mistake is something wrong in a file that a helper reads.
type Mistake struct {
	// Line counts from 1; 0 is the file as a whole.
	Line int
	Text string
}

// CheckPackages returns what is wrong with a package-installs file: that it
// cannot be read, and options that mean nothing. Conditions are not evaluated.
func CheckPackages(data []byte) []Mistake {
	node, err := parseAny("it", data)
	if err != nil {
		return mistakes(err)
	}
	packages, err := pairs("it", "the package list", node)
	found := mistakes(err)
	for _, p := range packages {
		for _, set := range optionSets(p.Value) {
			o, err := readOptions("it", p, set)
			found = append(found, mistakes(err)...)
			for _, unknown := range o.unknown {
				found = append(found, mistakes(unknown)...)
			}
		}
	}
	return found
}

// mistakes returns the errors that err is made of, without the file.
func mistakes(err error) []Mistake {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []Mistake
		for _, e := range joined.Unwrap() {
			all = append(all, mistakes(e)...)
		}
		return all
	}
	var where *positionError
	if errors.As(err, &where) {
		return []Mistake{{where.line, where.err.Error()}}
	}
	return []Mistake{{Text: err.Error()}}
}
