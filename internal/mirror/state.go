package mirror

import "time"

// A State is what a mirror answered.
type State struct {
	// Content stands for everything there is, in a form that is the same
	// whenever that is the same. It is made to be hashed.
	Content string
	// Unchanged says that the mirror knows by [Validators] that nothing is
	// new; Content is then empty.
	Unchanged bool
	// Validators belong to this answer.
	Validators Validators
	// Age is how long ago the mirror's state became what it is, as far as it
	// says, by its own clock; negative if it does not say.
	Age time.Duration
}

// Validators are what HTTP has to ask whether an answer still holds. Both may
// be empty.
type Validators struct {
	ETag         string `json:"etag,omitempty"`
	LastModified string `json:"last_modified,omitempty"`
}
