package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
)

type reply struct {
	status string
	body   []byte
}

// A handler does one job.
type handler struct {
	do func(context.Context, []byte) (reply, error)
	// Each request gets a goroutine of its own: it waits for the store, or it keeps a core busy.
	waits bool
}

func newHandler(job, storeURL string) (handler, error) {
	switch job {
	case "echo":
		return handler{do: func(_ context.Context, payload []byte) (reply, error) {
			return reply{"200", payload}, nil
		}}, nil
	case "compute":
		return handler{do: compute, waits: true}, nil
	case "kv", "seed":
		entries, err := openStore(storeURL)
		if err != nil {
			return handler{}, err
		}
		if job == "kv" {
			return handler{do: entries.getSet, waits: true}, nil
		}
		return handler{do: entries.appendPayload, waits: true}, nil
	default:
		return handler{}, fmt.Errorf("there is no job %q", job)
	}
}

var (
	errNoFields = errors.New("the payload has no bucket and key")
	errNoTurns  = errors.New("the payload has no seed and turns")
)

// getSet reads a key's value, writes a new one and replies with the old.
func (s *store) getSet(ctx context.Context, payload []byte) (reply, error) {
	bucket, rest, found := bytes.Cut(payload, []byte("\n"))
	name, value, hasKey := bytes.Cut(rest, []byte("\n"))
	if !found || !hasKey {
		return reply{}, errNoFields
	}
	key := string(bucket) + "/" + string(name)
	earlier, known, err := s.get(ctx, key)
	if err != nil {
		return reply{}, err
	}
	if err := s.set(ctx, key, value); err != nil {
		return reply{}, err
	}
	if !known {
		return reply{status: "404"}, nil
	}
	return reply{"200", earlier}, nil
}

// appendPayload does what examples/user-data-rust does.
func (s *store) appendPayload(ctx context.Context, payload []byte) (reply, error) {
	const key = "user-data/some-key"
	current, _, err := s.get(ctx, key)
	if err != nil {
		return reply{}, err
	}
	value := fmt.Appendf(nil, "%s processed by %s", current, payload)
	if err := s.set(ctx, key, value); err != nil {
		return reply{}, err
	}
	return reply{"200", []byte("Successfully processed")}, nil
}

// compute runs the generator of ../../plugins/compute.wat for as many turns as the payload says.
func compute(_ context.Context, payload []byte) (reply, error) {
	if len(payload) != 8 {
		return reply{}, errNoTurns
	}
	value := binary.LittleEndian.Uint32(payload)
	for range binary.LittleEndian.Uint32(payload[4:]) {
		value = value*1664525 + 1013904223
	}
	return reply{"200", binary.LittleEndian.AppendUint32(nil, value)}, nil
}
