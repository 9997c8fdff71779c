package networkplugin

import "unicode/utf8"

// KeyValueStore is a bucket of the host's store.
type KeyValueStore struct{ bucket bucket }

const invalidKey = Err("a key must be valid UTF-8")

// OpenKeyValueStore opens a bucket. It cannot fail: if the policy does not allow the bucket, its first use fails.
func OpenKeyValueStore(bucketName string) *KeyValueStore {
	return &KeyValueStore{openBucket(valid(bucketName))}
}

// Get reads a value. found is false for a key without a value; that is not an error. A value may be empty.
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

// Close releases the bucket; the end of the request does so too. Do not use the bucket after it.
func (store *KeyValueStore) Close() { store.bucket.close() }
