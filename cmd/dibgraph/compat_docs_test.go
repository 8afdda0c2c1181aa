package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every expected difference is documented, with its reason.
func TestCompatRulesAreDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "compatibility.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range compatRules() {
		if line := "| " + r.Name + " | " + r.Reason + " |\n"; !strings.Contains(string(text), line) {
			t.Errorf("docs/compatibility.md lacks the line %q", line)
		}
	}
}
