package main

import (
	"bytes"
	"encoding/binary"
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
	// Every slot uses every key.
	Shared  bool   `json:"shared"`
	Payload string `json:"payload"`
	Reply   string `json:"reply"`
	Turns   uint32 `json:"turns"`
}

func newJob(spec jobSpec, slot, slots int) (job, error) {
	switch spec.Kind {
	case "echo":
		return &echo{slot: slot, bytes: spec.Bytes}, nil
	case "fixed":
		return fixed{payload: []byte(spec.Payload), reply: []byte(spec.Reply)}, nil
	case "compute":
		return newCompute(slot, spec.Turns), nil
	case "kv":
		if spec.Shared {
			return &sharedKeys{spec: spec, slot: slot, key: slot % spec.Keys}, nil
		}
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

// fixed is a request that is always the same, and so is its reply.
type fixed struct {
	payload, reply []byte
}

func (f fixed) next() []byte {
	return f.payload
}

func (f fixed) check(reply *nats.Msg) error {
	if err := checkStatus(reply, "200"); err != nil {
		return err
	}
	if !bytes.Equal(reply.Data, f.reply) {
		return fmt.Errorf("the reply is %q, not %q", clipped(reply.Data), f.reply)
	}
	return nil
}

// The steps of the linear congruential generator that is computed: its numbers cannot be had sooner than one by one by
// who computes them, and at once by who checks them.
const (
	factor    = 1664525
	increment = 1013904223
)

// compute asks for a number that takes many turns, from a seed that no other request has.
type compute struct {
	slot, count int
	turns, seed uint32
	// What all turns together do.
	factor, increment uint32
}

func newCompute(slot int, turns uint32) *compute {
	c := &compute{slot: slot, turns: turns, factor: 1}
	for range turns {
		c.factor *= factor
		c.increment = c.increment*factor + increment
	}
	return c
}

func (c *compute) next() []byte {
	c.count++
	c.seed = uint32(c.slot)<<22 ^ uint32(c.count)
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, c.seed), c.turns)
}

func (c *compute) check(reply *nats.Msg) error {
	if err := checkStatus(reply, "200"); err != nil {
		return err
	}
	wanted := c.seed*c.factor + c.increment
	if len(reply.Data) != 4 || binary.LittleEndian.Uint32(reply.Data) != wanted {
		return fmt.Errorf("the number after %d is %x, not %x", c.seed, clipped(reply.Data), wanted)
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
