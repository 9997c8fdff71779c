package export_local_network_host_handler

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"time"

	random "wit_component/wasi_random_random"
)

// What the runtime, which draws its seeds at its start, and package variables draw before a request. Not by crypto/rand: at its
// first use it sets a timer.
var (
	drawnNumber = rand.Uint64()
	drawnBytes  = random.GetRandomBytes(8)
	drawnSeed   = maphash.MakeSeed()
	generator   = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	startedAt   = time.Now()
	thousand    = numbers(1_000)
)

func numbers(count int) map[int]bool {
	made := make(map[int]bool)
	for number := range count {
		made[number] = true
	}
	return made
}

// A field for each, which no two requests may have in common: values that were drawn before the request, values of
// generators that were seeded before it, and the orders in which maps of a thousand keys come, made before it and in it.
func drawn([]byte) ([]byte, error) {
	if time.Since(startedAt) < 0 {
		return nil, fmt.Errorf("the clock ran backwards since the start")
	}
	return fmt.Appendf(nil, "%x %x %x %x %x %x %s %s", drawnNumber, drawnBytes, maphash.String(drawnSeed, "a"),
		maphash.Comparable(maphash.MakeSeed(), 1), generator.Uint64(), rand.Uint64(), order(thousand), order(numbers(1_000))), nil
}

func order(keys map[int]bool) string {
	digest := sha256.New()
	for number := range keys {
		fmt.Fprintln(digest, number)
	}
	return hex.EncodeToString(digest.Sum(nil))
}
