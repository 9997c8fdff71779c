package networkplugin

import keyvalue "network-host.example/networkplugin/bindings/imports/local_network_host_key_value_store"

type bucket struct{ handle *keyvalue.KeyValueStore }

func openBucket(name string) bucket { return bucket{keyvalue.MakeKeyValueStore(name)} }

func (bucket bucket) get(key string) ([]byte, bool, error) {
	result := bucket.handle.Get(key)
	if result.IsErr() {
		return nil, false, Err(result.Err())
	}
	value := result.Ok()
	return value.SomeOr(nil), value.IsSome(), nil
}

func (bucket bucket) set(key string, value []byte) error {
	if result := bucket.handle.Set(key, value); result.IsErr() {
		return Err(result.Err())
	}
	return nil
}

func (bucket bucket) close() { bucket.handle.Drop() }
