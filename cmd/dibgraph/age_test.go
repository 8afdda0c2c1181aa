package main

import (
	"testing"
	"time"
)

func TestAge(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"7d": 7 * 24 * time.Hour, "1": 24 * time.Hour, "24h": 24 * time.Hour, "90m": 90 * time.Minute, "0": 0, "0.5d": 12 * time.Hour,
	} {
		var got age
		if err := got.Set(text); err != nil || time.Duration(got) != want {
			t.Errorf("%q is %v (%v), want %v", text, time.Duration(got), err, want)
		}
	}
	for _, text := range []string{"", "d", "-1", "-1h", "NaN", "1e9d", "1w"} {
		var got age
		if err := got.Set(text); err == nil {
			t.Errorf("%q is taken for %v", text, time.Duration(got))
		}
	}
}
