// Package plugintest helps to test plugins by `go test`, where a store in memory stands in for the host's.
package plugintest

import (
	"testing"

	"network-host.example/networkplugin/internal/standin"
)

// Store is what plugins read and write during a test. It holds nothing at first.
type Store struct{}

// NewStore puts an empty store in place for the rest of a test, and the one before it back at its end. Tests that use it
// do not run in parallel.
func NewStore(t testing.TB) Store {
	t.Helper()
	before := standin.Swap(map[string]map[string][]byte{})
	t.Cleanup(func() { standin.Swap(before) })
	return Store{}
}

// Set writes a value, as an earlier request would have.
func (Store) Set(bucket, key string, value []byte) { standin.Set(bucket, key, value) }

// Bucket returns what a bucket holds: key → value.
func (Store) Bucket(name string) map[string][]byte { return standin.Bucket(name) }
