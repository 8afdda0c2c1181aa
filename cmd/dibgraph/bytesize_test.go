package main

import "testing"

func TestByteSize(t *testing.T) {
	for text, want := range map[string]byteSize{
		"0": 0, "1000": 1000, "20GB": 20e9, "20G": 20e9, "1.5 TiB": 3 << 39, "2kb": 2000, "1KiB": 1024, "7B": 7,
	} {
		var got byteSize
		if err := got.Set(text); err != nil || got != want {
			t.Errorf("%q is %d (%v), want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "GB", "-1", "-1GB", "1 PB", "NaN", "inf", "1e300", "10%", "1GB1"} {
		var got byteSize
		if err := got.Set(text); err == nil {
			t.Errorf("%q is taken for %d", text, got)
		}
	}
}
