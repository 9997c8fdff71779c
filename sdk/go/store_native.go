//go:build !wasip1

package networkplugin

import "network-host.example/networkplugin/internal/standin"

type bucket string

func openBucket(name string) bucket { return bucket(name) }

func (bucket bucket) get(key string) ([]byte, bool, error) {
	value, found := standin.Get(string(bucket), key)
	return value, found, nil
}

func (bucket bucket) set(key string, value []byte) error {
	standin.Set(string(bucket), key, value)
	return nil
}

func (bucket) close() {}
