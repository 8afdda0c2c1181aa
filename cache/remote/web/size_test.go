package web

import (
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/dibgraph/dibgraph/cache/remote"
)

// A server that has other things under the name of a content, such as a page for
// people, does not have it; one that does not say how much it has may.
func TestContentsOfOtherSizesAreNotThere(t *testing.T) {
	for name, test := range map[string]struct {
		status, size string
		offset       int64
		there        bool
	}{
		"whole":             {"200", "10", 0, true},
		"shorter":           {"200", "9", 0, false},
		"longer":            {"200", "11", 4, false},
		"from the middle":   {"206", "6", 4, true},
		"no ranges":         {"200", "10", 4, true},
		"end of another":    {"206", "5", 4, false},
		"of unknown length": {"200", "", 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if test.size != "" {
					w.Header().Set("Content-Length", test.size)
				}
				if test.status == "206" {
					w.WriteHeader(http.StatusPartialContent)
				}
				if test.size == "" {
					_ = http.NewResponseController(w).Flush()
				}
				_, _ = io.WriteString(w, "0123456789!"[:10])
			}), Options{})
			body, err := r.Open(t.Context(), remote.Content{Size: 10}, test.offset, 10)
			if err == nil {
				body.Close()
			}
			if (err == nil) != test.there || err != nil && !errors.Is(err, remote.ErrNotFound) {
				t.Errorf("opened: %v", err)
			}
		})
	}
}
