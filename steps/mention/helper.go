package mention

// helper is how host hooks of the embedded elements call programs that are in
// this binary. They read what no text that is seen mentions.
const helper = "dibgraph-helper"

// helperNames and helperPrefixes are the variables that the helper programs
// read.
var (
	helperNames    = []string{"IMAGE_ELEMENT_YAML", "ARCH", "DIB_DEFAULT_INSTALLTYPE", "DIB_PYTHON_VERSION"}
	helperPrefixes = []string{"DIB_INSTALLTYPE_"}
)

// addHelper adds what a helper program that the text calls depends on: those
// variables, and whether files are there that it puts the names of together.
func (w *Words) addHelper() {
	for _, name := range helperNames {
		w.Names[name] = true
	}
	w.Prefixes = append(w.Prefixes, helperPrefixes...)
	w.Paths = true
}
