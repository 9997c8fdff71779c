package main

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"
)

// A job makes the requests of one slot and checks their replies. It sees one request at a time.
type job interface {
	// next returns the payload of the slot's next request. It is valid until the next call.
	next() []byte
	// check returns why the reply to the last request is wrong.
	check(reply *nats.Msg) error
}

// jobSpec says what is asked. See ../load-spec.ts.
type jobSpec struct {
	Kind   string `json:"kind"`
	Bytes  int    `json:"bytes"`
	Bucket string `json:"bucket"`
	Keys   int    `json:"keys"`
	// The store may not have the keys yet.
	Filling bool `json:"filling"`
}

func newJob(spec jobSpec, slot, slots int) (job, error) {
	switch spec.Kind {
	case "echo":
		return &echo{slot: slot, bytes: spec.Bytes}, nil
	case "kv":
		if slots > spec.Keys {
			return nil, fmt.Errorf("%d slots need at least as many keys, not %d", slots, spec.Keys)
		}
		return &keyValue{spec: spec, key: slot, first: slot, slots: slots, written: map[int][]byte{}}, nil
	default:
		return nil, fmt.Errorf("there is no job %q", spec.Kind)
	}
}

// echo sends a payload that no other request has, and expects it back.
type echo struct {
	slot, bytes, count int
	payload            []byte
}

func (e *echo) next() []byte {
	e.count++
	e.payload = fmt.Appendf(e.payload[:0], "%d/%d ", e.slot, e.count)
	e.payload = padded(e.payload, e.bytes)
	return e.payload
}

func (e *echo) check(reply *nats.Msg) error {
	if err := checkStatus(reply, "200"); err != nil {
		return err
	}
	if !bytes.Equal(reply.Data, e.payload) {
		return fmt.Errorf("the reply to %q is %q", e.payload, clipped(reply.Data))
	}
	return nil
}

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

func keyName(key int) string {
	return "key-" + strconv.Itoa(key)
}

func padded(text []byte, length int) []byte {
	for len(text) < length {
		text = append(text, '.')
	}
	return text[:length]
}

func clipped(data []byte) []byte {
	return data[:min(len(data), 100)]
}

const (
	statusHeader = "Rpc-Status"
	errorHeader  = "Rpc-Error"
)

func checkStatus(reply *nats.Msg, wanted string) error {
	if status := reply.Header.Get(statusHeader); status != "" {
		if status != wanted {
			return fmt.Errorf("status %s, not %s", status, wanted)
		}
		return nil
	}
	if code := reply.Header.Get(errorHeader); code != "" {
		return fmt.Errorf("the reply is the error %s: %s", code, reply.Header.Get("Nats-Service-Error"))
	}
	if reply.Header.Get("Status") == "503" {
		return nats.ErrNoResponders
	}
	return errors.New("the reply has no status")
}
