package elements

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// A Freshness says how new what hooks fetched has to be. The zero value of a
// field is that nothing was said about it: an element leaves it to the image,
// and the image to the default, which is to follow mirrors.
type Freshness struct {
	// MaxAge is how long ago a run that fetched something may be.
	MaxAge time.Duration
	// Keep makes the states of mirrors no inputs, Follow makes them inputs.
	// They are never both set.
	Keep, Follow bool
}

// ParseFreshness reads a policy, words with commas or spaces between them:
//
//	follow        run again when a mirror has something new
//	keep          leave what is installed as it is
//	max-age=72h   run again what is older; 7d and 2w are durations too
//
// It is the form that definitions and elements have it in.
func ParseFreshness(text string) (Freshness, error) {
	var f Freshness
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' }) {
		name, value, _ := strings.Cut(word, "=")
		switch {
		case word == "follow":
			f.Follow = true
		case word == "keep":
			f.Keep = true
		case name == "max-age":
			age, err := ParseAge(value)
			if err != nil {
				return Freshness{}, fmt.Errorf("freshness %q: %w", text, err)
			}
			f.MaxAge = age
		default:
			return Freshness{}, fmt.Errorf("freshness %q: %q is not follow, keep or max-age=DURATION", text, word)
		}
	}
	if f.Follow && f.Keep {
		return Freshness{}, fmt.Errorf("freshness %q: follow and keep exclude each other", text)
	}
	return f, nil
}

// ParseAge reads a duration in Go's form, or a number of days or weeks ("7d",
// "2w"). It must be positive.
func ParseAge(text string) (time.Duration, error) {
	units := map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour}
	var age time.Duration
	var err error
	if unit, ok := units[text[max(len(text)-1, 0):]]; ok {
		var number float64
		number, err = strconv.ParseFloat(text[:len(text)-1], 64)
		switch nanoseconds := number * float64(unit); {
		case nanoseconds >= math.MaxInt64:
			age = math.MaxInt64 // three centuries, which is as good as more
		case nanoseconds > 0: // and a number at all
			age = time.Duration(nanoseconds)
		}
	} else {
		age, err = time.ParseDuration(text)
	}
	if err != nil || age <= 0 {
		return 0, fmt.Errorf("%q is not a duration such as 12h, 7d or 2w", text)
	}
	return age, nil
}

// or returns what f says, and what otherwise says where f says nothing.
func (f Freshness) or(otherwise Freshness) Freshness {
	if f.MaxAge == 0 {
		f.MaxAge = otherwise.MaxAge
	}
	if !f.Keep && !f.Follow {
		f.Keep, f.Follow = otherwise.Keep, otherwise.Follow
	}
	return f
}

// The period after which mirrors are asked again, see [Definition.CheckMirrors].
const (
	CheckAlways  = time.Nanosecond
	CheckNever   = time.Duration(-1)
	defaultCheck = time.Hour
)

// ParseCheck reads a period: a duration as for [ParseAge], always or never.
func ParseCheck(text string) (time.Duration, error) {
	switch text {
	case "always":
		return CheckAlways, nil
	case "never":
		return CheckNever, nil
	}
	period, err := ParseAge(text)
	if err != nil {
		return 0, fmt.Errorf("%q is not always, never, or a duration such as 30m or 12h", text)
	}
	return period, nil
}
