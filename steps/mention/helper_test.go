package mention

import "testing"

// What a helper program reads is not in the text that calls it.
func TestMentionsOfHelper(t *testing.T) {
	w := Of([]byte("#!/bin/bash\ndibgraph-helper package-installs-squash list.json\n"))
	for _, name := range []string{"ARCH", "IMAGE_ELEMENT_YAML", "DIB_DEFAULT_INSTALLTYPE", "DIB_INSTALLTYPE_some_element", "DIB_PYTHON_VERSION"} {
		if !w.Match(name) {
			t.Errorf("a call of the helper does not depend on %s", name)
		}
	}
	if !w.Paths || w.All {
		t.Errorf("a call of the helper has the words %+v, want any name of a file, and not all variables", w)
	}
	if w := Of([]byte("#!/bin/bash\necho $DIB_HELPER\n")); w.Paths || w.Match("ARCH") {
		t.Errorf("a text without a call has the words %+v", w)
	}
}
