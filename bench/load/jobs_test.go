package main

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/nats-io/nats.go"
)

func replyWith(data []byte) *nats.Msg {
	return &nats.Msg{Data: data, Header: nats.Header{statusHeader: []string{"200"}}}
}

func TestAComputedNumberIsCheckedAsOneByOneItIsComputed(t *testing.T) {
	c := newCompute(5, 1_000)
	payload := c.next()
	value := binary.LittleEndian.Uint32(payload)
	for range binary.LittleEndian.Uint32(payload[4:]) {
		value = value*factor + increment
	}
	if err := c.check(replyWith(binary.LittleEndian.AppendUint32(nil, value))); err != nil {
		t.Fatal(err)
	}
	if err := c.check(replyWith(binary.LittleEndian.AppendUint32(nil, value+1))); err == nil {
		t.Fatal("a wrong number passed")
	}
}

func TestASharedKeyMayHoldAnySlotsValueButAWholeOne(t *testing.T) {
	spec := jobSpec{Kind: "kv", Bytes: 32, Bucket: "bench", Keys: 1, Shared: true}
	mine, err := newJob(spec, 0, 256)
	if err != nil {
		t.Fatal(err)
	}
	mine.next()
	whole := padded([]byte("key-0 7/12 "), 32)
	if err := mine.check(replyWith(whole)); err != nil {
		t.Fatal(err)
	}
	for _, torn := range [][]byte{whole[:31], append(append([]byte{}, whole[:31]...), '!'), []byte("key-1 7/12 ")} {
		if mine.check(replyWith(torn)) == nil {
			t.Errorf("%q passed", torn)
		}
	}
}

func TestEveryRequestOfAMixGoesToTheNextPlugin(t *testing.T) {
	subjects := loopSpec{Subject: "rpc.bench-*.echo", Targets: 3}.subjects()
	if len(subjects) != 3 || subjects[2] != "rpc.bench-2.echo" {
		t.Errorf("the subjects are %q", subjects)
	}
}

func TestAPayloadIsAsLongAsItIsMeantToBe(t *testing.T) {
	for _, length := range []int{0, 1, 3, 4, 5, 64, 1_000_000} {
		want := []byte("1/2 ")[:min(4, length)]
		for len(want) < length {
			want = append(want, '.')
		}
		if got := padded([]byte("1/2 "), length); !bytes.Equal(got, want) {
			t.Errorf("%d bytes are %q", length, clipped(got))
		}
	}
}
