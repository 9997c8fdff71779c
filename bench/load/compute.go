package main

import (
	"encoding/binary"
	"fmt"

	"github.com/nats-io/nats.go"
)

// The steps of the linear congruential generator that is computed: its numbers cannot be computed faster than one by one by
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
