package elements

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dibgraph/dibgraph/internal/nearest"
	"go.yaml.in/yaml/v3"
)

// age is a time in whole minutes, hours or days.
var age = regexp.MustCompile(`^([1-9][0-9]{0,5})([mhd])$`)

// policy reads how fresh something has to be: one of the words, or a time.
func (r *settingsReader) policy(n *yaml.Node, what string, words ...string) string {
	policy, ok := r.Text(n, what)
	if ok && !slices.Contains(words, policy) && !age.MatchString(policy) {
		r.Problem(n.Line, nearest.Question(policy, words), "%s: %q is no policy; want %s, or a time such as 24h or 7d", what, policy, strings.Join(words, ", "))
	}
	return policy
}

// parseAge returns the time that a policy gives; the policy was checked.
func parseAge(policy string) time.Duration {
	m := age.FindStringSubmatch(policy)
	if m == nil {
		return 0
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		panic("elements: unchecked age " + policy)
	}
	return time.Duration(n) * map[string]time.Duration{"m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}[m[2]]
}
