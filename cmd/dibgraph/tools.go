package main

import (
	"maps"
	"slices"

	"github.com/dibgraph/dibgraph/cache"
)

// toolsOf names the programs of the host that made a result, with what tells
// their versions apart; nothing if the record is gone or there were none.
func toolsOf(store *cache.Store, key cache.Key) []string {
	record, err := store.Record(key)
	if err != nil {
		return nil
	}
	var tools []string
	for _, path := range slices.Sorted(maps.Keys(record.Tools)) {
		tools = append(tools, path+" "+record.Tools[path])
	}
	return tools
}
