package mention

import (
	"bytes"
	"regexp"
)

// treeWords lead to the merged hooks or the elements.
var treeWords = re(`\b(TMP_HOOKS_PATH|TMP_BUILD_DIR|in_target|ELEMENTS_PATH|IMAGE_ELEMENT_YAML|get_image_element_array|BASH_SOURCE|dirname)\b|\$\{?0\b`)

var (
	mountWord  = re(`\bmount\b`)
	assignment = regexp.MustCompile(`(?m)\b([A-Za-z_]\w*)\+?=(.*)`)
)

// mountsTrees reports whether the text may mount the merged hooks or the elements
// in another place: whether a line with the word mount has a word that leads to
// them, or a variable that got its value from one. In a language other than a
// shell's the word mount is enough.
func (c code) mountsTrees() bool {
	// The plain search comes first: most texts do not have the word at all.
	if !c.has("mount") || !mountWord.Match(c.text) {
		return false
	}
	if !c.shell {
		return true
	}
	leads := treeWords
	for known := -1; ; {
		var names []byte
		count := 0
		for _, m := range assignment.FindAllSubmatch(c.text, -1) {
			if leads.Match(m[2]) {
				names = append(append(names, '|'), m[1]...)
				count++
			}
		}
		if count == known || count == 0 {
			break
		}
		known = count
		leads = re(treeWords.String() + `|\$\{?(` + string(names[1:]) + `)\b`)
	}
	for line := range bytes.Lines(c.text) {
		if mountWord.Match(line) && leads.Match(line) {
			return true
		}
	}
	return false
}
