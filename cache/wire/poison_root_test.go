package wire

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/internal/faultcount"
	"github.com/dibgraph/dibgraph/internal/testroot"
)

// An item is an entry of a forged layer.
type item struct {
	tar.Header
	content string
}

func file(name string) item {
	return item{Header: tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644}}
}

func dir(name string) item {
	return item{Header: tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: 0o755}}
}

func link(kind byte, name, target string) item {
	return item{Header: tar.Header{Typeflag: kind, Name: name, Linkname: target, Mode: 0o777}}
}

func with(i item, record, value string) item {
	i.PAXRecords = map[string]string{record: value}
	return i
}

func forged(t testing.TB, items ...item) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := zstd.NewWriter(&b)
	check(t, err)
	w := tar.NewWriter(z)
	for _, i := range items {
		i.Format = tar.FormatPAX
		if i.Typeflag == tar.TypeReg {
			i.Size = int64(len(i.content))
		}
		check(t, w.WriteHeader(&i.Header))
		_, err := io.WriteString(w, i.content)
		check(t, err)
	}
	check(t, errors.Join(w.Close(), z.Close()))
	return b.Bytes()
}

func plainOf(t testing.TB, data []byte) []byte {
	t.Helper()
	z, err := zstd.NewReader(nil)
	check(t, err)
	defer z.Close()
	plain, err := z.DecodeAll(data, nil)
	check(t, err)
	return plain
}

func compressed(t testing.TB, data []byte, o ...zstd.EOption) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil, o...)
	check(t, err)
	defer z.Close()
	return z.EncodeAll(data, nil)
}

// Whatever somebody may write who wants to harm is refused, each for its own
// reason, and nothing is made outside of the directory.
func TestFaultsPoisonLayers(t *testing.T) {
	testroot.Require(t)
	suite := faultcount.New(t, "poison")
	limits := Limits{Entries: 20, Bytes: 1 << 20}
	big := file("big")
	big.content = strings.Repeat("\x00", 1<<20+1)
	device := item{Header: tar.Header{Typeflag: tar.TypeChar, Name: "device"}}
	var many []item
	for i := range 21 {
		many = append(many, file(strings.Repeat("x", i+1)))
	}
	tests := map[string]struct {
		data []byte
		why  string
	}{
		"traversal":               {forged(t, file("../outside")), "leads out"},
		"traversal in the middle": {forged(t, dir("a"), file("a/../../outside")), "leads out"},
		"absolute":                {forged(t, file("/outside")), "absolute"},
		"no name":                 {forged(t, dir(".")), "no name"},
		"dot":                     {forged(t, file("./x")), "not in the form"},
		"double slash":            {forged(t, dir("a"), file("a//x")), "not in the form"},
		"long part":               {forged(t, file(strings.Repeat("x", 256))), "part of its name is too long"},
		"long name":               {forged(t, file(strings.Repeat("xx/", 1500)+"x")), "too long"},
		"below a link":            {forged(t, link(tar.TypeSymlink, "a", "../outside"), file("a/x")), "below a symbolic link"},
		"below a file":            {forged(t, file("a"), file("a/x")), "no directory"},
		"below nothing":           {forged(t, file("a/x")), "no directory"},
		"link replaced":           {forged(t, link(tar.TypeSymlink, "a", "../outside"), file("a")), "there twice"},
		"directory twice":         {forged(t, dir("a"), dir("a")), "there twice"},
		"whiteout of what is there": {forged(t, file("a"), with(file(".wh.a"), whiteoutRecord, "1")),
			"there twice"},
		"hard link outside":      {forged(t, link(tar.TypeLink, "a", "../outside")), "no file before it"},
		"absolute hard link":     {forged(t, link(tar.TypeLink, "a", "/etc/passwd")), "no file before it"},
		"hard link to a later":   {forged(t, link(tar.TypeLink, "a", "b"), file("b")), "no file before it"},
		"hard link to a dir":     {forged(t, dir("a"), link(tar.TypeLink, "b", "a")), "no file before it"},
		"empty link":             {forged(t, link(tar.TypeSymlink, "a", "")), "no path"},
		"forged opaque":          {forged(t, with(dir("a"), cache.XattrRecord+"trusted.overlay.opaque", "y")), "trusted.overlay.opaque"},
		"forged redirect":        {forged(t, with(dir("a"), cache.XattrRecord+"trusted.overlay.redirect", "/etc")), "trusted.overlay.redirect"},
		"label":                  {forged(t, with(file("a"), cache.XattrRecord+"security.selinux", "x")), "security.selinux"},
		"empty attribute":        {forged(t, with(file("a"), cache.XattrRecord+"user.", "x")), `"user."`},
		"huge attributes":        {forged(t, with(file("a"), cache.XattrRecord+"user.x", strings.Repeat("x", maxXattrs+1))), "too large"},
		"unknown record":         {forged(t, with(file("a"), "LIBARCHIVE.creationtime", "1")), "no meaning"},
		"whiteout device":        {forged(t, device), "takes for a whiteout"},
		"bad device":             {forged(t, item{Header: tar.Header{Typeflag: tar.TypeChar, Name: "a", Devmajor: 1 << 20}}), "no device"},
		"unknown type":           {forged(t, item{Header: tar.Header{Typeflag: '9', Name: "a"}}), "in no layer"},
		"whiteout without name":  {forged(t, with(file("x"), whiteoutRecord, "1")), "no whiteout"},
		"whiteout of the parent": {forged(t, with(file(".wh..."), whiteoutRecord, "1")), "no whiteout"},
		"whiteout of dot dot":    {forged(t, dir("a"), with(file("a/.wh..."), whiteoutRecord, "1")), "no whiteout"},
		"opaque outside":         {forged(t, with(file("a"), opaqueRecord, "1")), "marks no directory"},
		"opaque root":            {forged(t, with(file(".wh..wh..opq"), opaqueRecord, "1")), "marks no directory"},
		"extents overlap":        {forged(t, with(item{Header: file("a").Header, content: "xxxx"}, sparseRecord, "9,0,2,1,2")), "not in order"},
		"extents beyond the end": {forged(t, with(item{Header: file("a").Header, content: "xx"}, sparseRecord, "9,8,2")), "not in order"},
		"extents of more":        {forged(t, with(item{Header: file("a").Header, content: "xx"}, sparseRecord, "9,0,1")), "its extents 1"},
		"extents of words":       {forged(t, with(file("a"), sparseRecord, "nine")), "no list"},
		"negative extents":       {forged(t, with(file("a"), sparseRecord, "-9")), "no list"},
		"huge by its holes":      {forged(t, with(file("a"), sparseRecord, "4611686018427387904")), "too much content"},
		"bomb":                   {forged(t, big), "too much content"},
		"many":                   {forged(t, many...), "too many"},
		"more behind":            {append(forged(t, file("a")), compressed(t, []byte("more"))...), "behind its end"},
		"truncated":              {forged(t, big)[:30], ""},
		"not compressed":         {[]byte("hello"), ""},
		"huge window":            {compressed(t, make([]byte, 1<<20), zstd.WithWindowSize(256<<20), zstd.WithSingleSegment(false)), ""},
		"nothing":                {nil, "its end is missing"},
		"nothing but an end":     {forged(t), "nothing in it"},
		"cut off between":        {compressed(t, make([]byte, 0)), "its end is missing"},
		"cut off before the end": {compressed(t, plainOf(t, forged(t, file("a")))[:512]), "its end is missing"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			suite.Case()
			around := t.TempDir()
			inside := around + "/inside"
			check(t, os.Mkdir(inside, 0o755))
			check(t, os.WriteFile(around+"/outside", []byte("as it was"), 0o644))
			_, err := DecodeLayer(t.Context(), bytes.NewReader(test.data), inside, limits)
			var refused *RefusedError
			switch {
			case err == nil:
				suite.Wrong(t, "it was taken")
			case test.why != "" && (!errors.As(err, &refused) || !strings.Contains(err.Error(), test.why)):
				suite.Wrong(t, "refused because %v; want %q", err, test.why)
			}
			names, readErr := os.ReadDir(around)
			check(t, readErr)
			content, readErr := os.ReadFile(around + "/outside")
			check(t, readErr)
			if len(names) != 2 || string(content) != "as it was" {
				suite.Wrong(t, "outside there is %v, %q", names, content)
			}
		})
	}
}

func FuzzDecodeLayer(f *testing.F) {
	if os.Getuid() != 0 {
		f.Skip("needs root: owners and devices are made")
	}
	f.Add(forged(f, dir("a"), file("a/b"), link(tar.TypeSymlink, "l", "a"), link(tar.TypeLink, "h", "a/b")))
	f.Add(forged(f, with(dir("a"), cache.XattrRecord+"user.x", "y"), with(file("a/.wh.b"), whiteoutRecord, "1")))
	f.Fuzz(func(t *testing.T, data []byte) {
		around := t.TempDir()
		inside := around + "/inside"
		check(t, os.Mkdir(inside, 0o755))
		_, _ = DecodeLayer(t.Context(), bytes.NewReader(data), inside, Limits{Entries: 100, Bytes: 1 << 20})
		if names, err := os.ReadDir(around); err != nil || len(names) != 1 {
			t.Fatalf("outside there is %v, %v", names, err)
		}
	})
}
