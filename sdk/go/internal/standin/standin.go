// Package standin is the host of plugins that run outside of a component: a store in memory.
package standin

import (
	"maps"
	"slices"
	"sync"
)

var (
	mutex   sync.Mutex
	buckets = map[string]map[string][]byte{}
)

// Get returns a copy of a value.
func Get(bucket, key string) (value []byte, found bool) {
	mutex.Lock()
	defer mutex.Unlock()
	stored, found := buckets[bucket][key]
	return slices.Clone(stored), found
}

// Set keeps a copy of a value.
func Set(bucket, key string, value []byte) {
	mutex.Lock()
	defer mutex.Unlock()
	if buckets[bucket] == nil {
		buckets[bucket] = map[string][]byte{}
	}
	// Never nil, so that an empty value differs from a missing one.
	buckets[bucket][key] = append([]byte{}, value...)
}

// Bucket returns what a bucket holds.
func Bucket(name string) map[string][]byte {
	mutex.Lock()
	defer mutex.Unlock()
	return maps.Clone(buckets[name])
}

// Swap replaces all buckets and returns the former ones.
func Swap(others map[string]map[string][]byte) map[string]map[string][]byte {
	mutex.Lock()
	defer mutex.Unlock()
	before := buckets
	buckets = others
	return before
}
