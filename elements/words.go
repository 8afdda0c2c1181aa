package elements

import "github.com/dibgraph/dibgraph/steps/mention"

// Words are the names of variables that a text may depend on.
type Words = mention.Words
