package main

import (
	"crypto/sha256"
	"fmt"
	"strings"
)

// declareSource gives the site a server with a file, an element that declares it
// as a source, and a hook that copies it. More is what else the declaration says.
func declareSource(s *site, more string) {
	s.t.Helper()
	s.mirror = newMirror(s.t)
	s.serve("one", "one\n")
	s.put("elements/machine/dibgraph.yaml", "sources:\n- name: fetched\n  url: "+s.mirror.URL+"/file.txt\n"+strings.ReplaceAll(more, "URL", s.mirror.URL))
	s.put("elements/machine/extra-data.d/33-fetched", "#!/bin/sh\ncp $DIB_SOURCES/fetched $TMP_MOUNT_PATH/etc/fetched\n")
}

// serve puts the file on the server, and its checksum into a list.
func (s *site) serve(tag, text string) {
	text = strings.ReplaceAll(text, "NUMBER", fmt.Sprint(s.number))
	s.mirror.put("/file.txt", tag, text)
	s.mirror.put("/SHA256SUMS", "", fmt.Sprintf("%x  file.txt\n", sha256.Sum256([]byte(text))))
}

// sourceMutations are edits of files on a server that an element declares.
func sourceMutations() []mutation {
	const group, source, list = "sources", "source:fetched", "  checksum-url: URL/SHA256SUMS\n"
	declared := func(more string) func(s *site) { return func(s *site) { declareSource(s, more) } }
	used := union(only(source), from("extra-data.d/33-fetched"))
	return []mutation{
		{group, "the file", declared(""), func(s *site) { s.serve("two", "NUMBER\n") }, used, []string{"changed validator /file.txt"}},
		{group, "its ETag, with the same content", declared(""), func(s *site) { s.serve("two", "one\n") }, only(source), []string{"changed validator /file.txt"}},
		{group, "the file and its list of checksums", declared(list), func(s *site) { s.serve("two", "NUMBER\n") }, used, []string{"changed validator /SHA256SUMS"}},
		{group, "its ETag, where a list has its checksum", declared(list), func(s *site) { s.serve("two", "one\n") }, nothing, nil},
		{group, "one more file in the list", declared(list), func(s *site) {
			s.mirror.put("/SHA256SUMS", "", fmt.Sprintf("%x  file.txt\n%x  other.txt\n", sha256.Sum256([]byte("one\n")), sha256.Sum256(nil)))
		}, nothing, nil},
		{group, "another file of the server", declared(""), func(s *site) { s.mirror.put("/other.txt", "two", "other\n") }, nothing, nil},
	}
}
