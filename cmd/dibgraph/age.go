package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// An age is a flag that takes a time that has passed: days, or what Go calls a
// duration.
type age time.Duration

// String returns it as it can be given again.
func (a *age) String() string { return time.Duration(*a).String() }

// Type is what help calls the value.
func (a *age) Type() string { return "age" }

// Set parses such as 7d, 7 (days), 24h or 90m.
func (a *age) Set(text string) error {
	if days, err := strconv.ParseFloat(strings.TrimSuffix(text, "d"), 64); err == nil && days >= 0 && days < 36500 {
		*a = age(days * 24 * float64(time.Hour))
		return nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return fmt.Errorf("%q is no age: want such as 7d, 24h or 90m", text)
	}
	*a = age(d)
	return nil
}
