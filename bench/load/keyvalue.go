package main

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"
)

// keyValue reads a key's value and writes a new one in one request. A slot has keys of its own and goes through them
// in turn, so that what a reply must be is known exactly: the value that the slot wrote there last.
type keyValue struct {
	spec              jobSpec
	key, first, slots int
	count             int
	payload           []byte
	value             []byte
	written           map[int][]byte
	current           int
}

func (k *keyValue) next() []byte {
	k.current = k.key
	k.key += k.slots
	if k.key >= k.spec.Keys {
		k.key = k.first
	}
	k.count++
	k.value = fmt.Appendf(k.value[:0], "%s %d ", keyName(k.current), k.count)
	k.value = padded(k.value, k.spec.Bytes)
	k.payload = fmt.Appendf(k.payload[:0], "%s\n%s\n%s", k.spec.Bucket, keyName(k.current), k.value)
	return k.payload
}

func (k *keyValue) check(reply *nats.Msg) error {
	earlier, known := k.written[k.current]
	k.written[k.current] = append(earlier[:0:0], k.value...)
	if !known && k.spec.Filling && reply.Header.Get(statusHeader) == "404" && len(reply.Data) == 0 {
		return nil
	}
	if err := checkStatus(reply, "200"); err != nil {
		return err
	}
	if known && !bytes.Equal(reply.Data, earlier) {
		return fmt.Errorf("%s holds %q, not %q", keyName(k.current), clipped(reply.Data), earlier)
	}
	// An earlier run wrote it.
	if len(reply.Data) != k.spec.Bytes || !bytes.HasPrefix(reply.Data, []byte(keyName(k.current)+" ")) {
		return fmt.Errorf("%s holds %q", keyName(k.current), clipped(reply.Data))
	}
	return nil
}

// sharedKeys does the same on keys that every slot uses, so that a reply may be any value of the key's, but a whole one.
type sharedKeys struct {
	spec           jobSpec
	slot, key      int
	current, count int
	payload        []byte
}

func (s *sharedKeys) next() []byte {
	s.current = s.key
	s.key = (s.key + 1) % s.spec.Keys
	s.count++
	value := padded(fmt.Appendf(nil, "%s %d/%d ", keyName(s.current), s.slot, s.count), s.spec.Bytes)
	s.payload = fmt.Appendf(s.payload[:0], "%s\n%s\n%s", s.spec.Bucket, keyName(s.current), value)
	return s.payload
}

func (s *sharedKeys) check(reply *nats.Msg) error {
	if s.spec.Filling && reply.Header.Get(statusHeader) == "404" && len(reply.Data) == 0 {
		return nil
	}
	if err := checkStatus(reply, "200"); err != nil {
		return err
	}
	var slot, count int
	written, err := fmt.Sscanf(string(reply.Data), keyName(s.current)+" %d/%d ", &slot, &count)
	if err != nil || written != 2 {
		return fmt.Errorf("%s holds %q", keyName(s.current), clipped(reply.Data))
	}
	whole := padded(fmt.Appendf(nil, "%s %d/%d ", keyName(s.current), slot, count), s.spec.Bytes)
	if !bytes.Equal(reply.Data, whole) {
		return fmt.Errorf("%s holds %q, not %q", keyName(s.current), clipped(reply.Data), whole)
	}
	return nil
}

func keyName(key int) string {
	return "key-" + strconv.Itoa(key)
}
