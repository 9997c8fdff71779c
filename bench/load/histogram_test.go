package main

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestABucketIsNarrowAndHoldsItsValues(t *testing.T) {
	for range 100_000 {
		value := rand.Uint64() >> (1 + rand.IntN(63))
		last := lastOf(bucketOf(value))
		if last < value || float64(last-value) > float64(value)/128 {
			t.Fatalf("%d is in a bucket that ends at %d", value, last)
		}
		if bucketOf(last) != bucketOf(value) || bucketOf(last+1) != bucketOf(value)+1 {
			t.Fatalf("the bucket of %d does not end at %d", value, last)
		}
	}
}

func TestQuantilesAreThoseOfTheSortedValues(t *testing.T) {
	var h histogram
	values := make([]time.Duration, 10_000)
	for i := range values {
		values[i] = time.Duration(rand.ExpFloat64() * float64(time.Millisecond))
		h.record(values[i])
	}
	slices.Sort(values)
	for _, q := range []float64{0.5, 0.9, 0.99, 0.999} {
		exact := values[int(q*float64(len(values)))-1]
		got := h.quantile(q)
		if got < exact || float64(got-exact) > float64(exact)/128+1 {
			t.Errorf("quantile %g is %v, not %v", q, got, exact)
		}
	}
	if h.quantile(1) != values[len(values)-1] {
		t.Errorf("the largest value is %v, not %v", h.quantile(1), values[len(values)-1])
	}
}
