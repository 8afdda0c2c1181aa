package cache

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// The digests are those of the test vectors of the BLAKE3 specification, whose
// input is the bytes 0, 1, … 250 repeated.
func TestDigestBytes(t *testing.T) {
	for _, test := range []struct {
		size int
		want string
	}{
		{0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"},
		{1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213"},
		{1024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7"},
		{102400, "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085"},
	} {
		input := make([]byte, test.size)
		for i := range input {
			input[i] = byte(i % 251)
		}
		if got := DigestBytes(input).String(); got != test.want {
			t.Errorf("DigestBytes of %d bytes = %s, want %s", test.size, got, test.want)
		}
	}
}

func TestHasherAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOf(rapid.SliceOfN(rapid.Byte(), 0, 3000)).Draw(t, "parts")
		all := bytes.Join(parts, nil)
		var h Hasher
		h.Write([]byte("forgotten"))
		h.Reset()
		for _, part := range parts {
			h.Write(part)
		}
		d, n, err := DigestReader(iotest.HalfReader(bytes.NewReader(all)))
		want := DigestBytes(all)
		if h.Sum() != want || d != want || n != int64(len(all)) || err != nil {
			t.Errorf("Hasher %s, DigestReader %s of %d bytes (%v), want %s of %d", h.Sum(), d, n, err, want, len(all))
		}
		if k := KeyOf(string(all)); Digest(k) != want {
			t.Errorf("KeyOf = %s, want %s", k, want)
		}
	})
}

func TestZeroHasher(t *testing.T) {
	var h Hasher
	if got, want := h.Sum(), DigestBytes(nil); got != want {
		t.Errorf("Sum of the zero Hasher = %s, want %s", got, want)
	}
}

func TestDigestReaderError(t *testing.T) {
	if _, _, err := DigestReader(iotest.ErrReader(iotest.ErrTimeout)); err != iotest.ErrTimeout {
		t.Errorf("error = %v, want %v", err, iotest.ErrTimeout)
	}
}

func TestParseDigest(t *testing.T) {
	valid := DigestBytes([]byte("x")).String()
	for _, test := range []struct {
		in string
		ok bool
	}{
		{valid, true},
		{strings.ToUpper(valid), false},
		{valid[1:], false},
		{valid + "0", false},
		{valid[:63] + "g", false},
		{"", false},
	} {
		d, err := ParseDigest(test.in)
		if ok := err == nil; ok != test.ok || ok && d.String() != test.in {
			t.Errorf("ParseDigest(%q) = %s, %v, want ok %t", test.in, d, err, test.ok)
		}
		k, err := ParseKey(test.in)
		if ok := err == nil; ok != test.ok || ok && k.String() != test.in {
			t.Errorf("ParseKey(%q) = %s, %v, want ok %t", test.in, k, err, test.ok)
		}
	}
}

func TestDigestJSON(t *testing.T) {
	type both struct {
		D Digest `json:",omitzero"`
		K Key
	}
	for _, in := range []both{{}, {DigestBytes([]byte("d")), KeyOf("k")}} {
		data := must[[]byte](t)(json.Marshal(in))
		out := both{DigestBytes(nil), KeyOf("other")}
		if in.D.IsZero() {
			out.D = Digest{}
		}
		check(t, json.Unmarshal(data, &out))
		if in != out {
			t.Errorf("%s became %v, want %v", data, out, in)
		}
	}
	var d Digest
	if err := json.Unmarshal([]byte(`"abc"`), &d); err == nil {
		t.Error("a digest of three digits was accepted")
	}
}
