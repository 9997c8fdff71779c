package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

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

func padded(text []byte, length int) []byte {
	begin := len(text)
	if begin >= length {
		return text[:length]
	}
	text = slices.Grow(text, length-begin)[:length]
	text[begin] = '.'
	// Each copy doubles what is filled: a megabyte must not take longer to make than to answer.
	for end := begin + 1; end < length; {
		end += copy(text[end:], text[begin:end])
	}
	return text
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
