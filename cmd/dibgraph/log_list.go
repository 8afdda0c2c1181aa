package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/dibgraph/dibgraph/cache"
	"github.com/dibgraph/dibgraph/elements/imagelist"
)

// logListArgs checks arguments with files: the node comes last.
func logListArgs(past *pastOptions, args []string) error {
	if past.image != "" || past.build != "" {
		return errors.New("-o and --build are about one image, and a file lists them: name images behind the file")
	}
	if isImageList(args[len(args)-1]) {
		return errors.New("no node is named behind the file")
	}
	return nil
}

// logList prints what a node of listed images printed, in their last builds.
func logList(w io.Writer, store *cache.Store, args []string) error {
	images, err := readList(args[:len(args)-1], imagelist.Find)
	if err != nil {
		return err
	}
	name := args[len(args)-1]
	type printed struct {
		images []string
		log    cache.Blob
	}
	var logs []*printed
	for _, i := range images {
		build, err := lastBuild(store, i.Name)
		if err != nil {
			continue
		}
		for _, n := range nodesNamed(build, strings.TrimPrefix(name, i.Name+"/")) {
			if n.Log.Digest.IsZero() {
				continue
			}
			again := false
			for _, p := range logs {
				if p.log == n.Log {
					p.images, again = append(p.images, i.Name), true
				}
			}
			if !again {
				logs = append(logs, &printed{[]string{i.Name}, n.Log})
			}
		}
	}
	if len(logs) == 0 {
		return &hintError{fmt.Errorf("log %s: the last builds of these images had no node of that name, or did not reach it", name), `"dibgraph graph" with the same files lists them`}
	}
	for _, p := range logs {
		content, err := store.ReadBlob(p.log.Digest)
		if err != nil {
			return fmt.Errorf("log %s: %w", name, err)
		}
		if len(logs) > 1 {
			fmt.Fprintf(w, "--- %s\n", strings.Join(p.images, ", "))
		}
		if _, err := w.Write(content); err != nil {
			return err
		}
	}
	return nil
}
