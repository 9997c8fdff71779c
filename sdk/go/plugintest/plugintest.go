// Package plugintest helps to test plugins with go test, which runs them on a store in memory.
package plugintest

import (
	"testing"

	"network-host.example/networkplugin/internal/standin"
)

// Store is the store that plugins read and write during a test.
type Store struct{}

// NewStore starts a test with an empty store. At the test's end the former one is back. Tests that call it must not run in
// parallel.
func NewStore(t testing.TB) Store {
	t.Helper()
	before := standin.Swap(map[string]map[string][]byte{})
	t.Cleanup(func() { standin.Swap(before) })
	return Store{}
}

// Set writes a value, as an earlier request would.
func (Store) Set(bucket, key string, value []byte) { standin.Set(bucket, key, value) }

// Bucket returns the content of a bucket: key → value.
func (Store) Bucket(name string) map[string][]byte { return standin.Bucket(name) }
