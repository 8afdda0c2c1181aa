package cache

import (
	"errors"
	"fmt"
)

var (
	// ErrMiss says that there is no usable record. The error is a [*MissError].
	ErrMiss = errors.New("cache miss")

	// ErrMissing says that content is not in the store, or no longer: content
	// that was found damaged is missing too, and the error then is
	// [ErrDamaged] as well.
	ErrMissing = errors.New("not in the store")

	// ErrDamaged says that something in the store is not what was put there.
	ErrDamaged = errors.New("damaged")

	// ErrVersion says that a store was written by a dibgraph with another
	// layout of the store.
	ErrVersion = errors.New("another version of the store")

	// ErrForeign says that a directory is in use for something else.
	ErrForeign = errors.New("not a dibgraph store")

	// ErrReadOnly says that a store was opened read-only.
	ErrReadOnly = errors.New("the store is opened read-only")
)

// A MissReason says why a look-up found no usable record.
type MissReason string

// The reasons of a [MissError].
const (
	// NeverBuilt: there is no record of the key.
	NeverBuilt MissReason = "never built"
	// ContentMissing: there was a record, but not all that it names.
	ContentMissing MissReason = "content missing"
	// Damaged: the record or what it names is not what was put.
	Damaged MissReason = "damaged"
)

// A MissError is the answer to a look-up without a hit. It is [ErrMiss].
type MissError struct {
	Key    Key
	Reason MissReason
	// Detail names what is missing or damaged; it is empty for NeverBuilt.
	Detail string
	// Record is what was recorded, as far as it could be read. It still tells
	// what the inputs were; what it names must not be used.
	Record *Record
}

// Error says which key, and why.
func (e *MissError) Error() string {
	if e.Detail == "" {
		return fmt.Sprintf("record %s: %s", e.Key.Short(), e.Reason)
	}
	return fmt.Sprintf("record %s: %s: %s", e.Key.Short(), e.Reason, e.Detail)
}

// Is makes every MissError an [ErrMiss].
func (e *MissError) Is(target error) bool { return target == ErrMiss }

// A contentError says what is wrong with a blob, layer or record. It is
// ErrMissing, and ErrDamaged where damage is not empty.
type contentError struct {
	what   string // such as "layer 0123456789ab"
	damage string // empty: it is not there at all
}

func (e *contentError) Error() string {
	if e.damage == "" {
		return e.what + " is not in the store"
	}
	return e.what + " is damaged: " + e.damage
}

func (e *contentError) Is(target error) bool {
	return target == ErrMissing || target == ErrDamaged && e.damage != ""
}
