// Package standin stands in for the host where a plugin is no component: a store in memory.
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
	// Not nil, which would be a value that is not there.
	buckets[bucket][key] = append([]byte{}, value...)
}

// Bucket returns what a bucket holds.
func Bucket(name string) map[string][]byte {
	mutex.Lock()
	defer mutex.Unlock()
	return maps.Clone(buckets[name])
}

// Swap puts other buckets in place of the ones that are there, which it returns.
func Swap(others map[string]map[string][]byte) map[string]map[string][]byte {
	mutex.Lock()
	defer mutex.Unlock()
	before := buckets
	buckets = others
	return before
}
