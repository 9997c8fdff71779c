package networkplugin

import "unicode/utf8"

// KeyValueStore is a bucket of the host's store.
type KeyValueStore struct{ bucket bucket }

const invalidKey = Err("a key has to be valid UTF-8")

// OpenKeyValueStore opens a bucket. It cannot fail: a bucket that the policy does not allow fails at its first use.
func OpenKeyValueStore(bucketName string) *KeyValueStore {
	return &KeyValueStore{openBucket(valid(bucketName))}
}

// Get reads a value. A key that has none is not found, which is no error; a value may be empty.
func (store *KeyValueStore) Get(key string) (value []byte, found bool, err error) {
	if !utf8.ValidString(key) {
		return nil, false, invalidKey
	}
	return store.bucket.get(key)
}

// Set writes a value.
func (store *KeyValueStore) Set(key string, value []byte) error {
	if !utf8.ValidString(key) {
		return invalidKey
	}
	return store.bucket.set(key, value)
}

// Close gives the bucket back to the host, which the end of the request does as well. No other method may be called after it.
func (store *KeyValueStore) Close() { store.bucket.close() }
