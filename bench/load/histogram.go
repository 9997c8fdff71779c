package main

import (
	"math/bits"
	"time"
)

// Values below this many nanoseconds have a bucket each; from there on every power of two has half as many
// buckets, so that a bucket is never wider than 1/128 of its values.
const exactBuckets = 256

// histogram counts durations in buckets of bounded relative width (log-linear, as HdrHistogram has them): memory
// and time per value are constant, and two histograms can be added.
type histogram struct {
	counts [64 * exactBuckets / 2]uint64
	total  uint64
	max    time.Duration
}

func (h *histogram) record(d time.Duration) {
	d = max(d, 0)
	h.counts[bucketOf(uint64(d))]++
	h.total++
	h.max = max(h.max, d)
}

// quantile returns an upper bound of the value that the fraction q of all values does not exceed; 0 of no values.
func (h *histogram) quantile(q float64) time.Duration {
	if h.total == 0 {
		return 0
	}
	rank := uint64(q * float64(h.total))
	if float64(rank) < q*float64(h.total) || rank == 0 {
		rank++
	}
	var seen uint64
	for bucket, count := range h.counts {
		seen += count
		if seen >= rank {
			return min(time.Duration(lastOf(bucket)), h.max)
		}
	}
	return h.max
}

func bucketOf(value uint64) int {
	if value < exactBuckets {
		return int(value)
	}
	shift := bits.Len64(value) - bits.Len64(exactBuckets-1)
	return shift*exactBuckets/2 + int(value>>shift)
}

// lastOf returns the largest value of a bucket.
func lastOf(bucket int) uint64 {
	if bucket < exactBuckets {
		return uint64(bucket)
	}
	shift := bucket/(exactBuckets/2) - 1
	mantissa := uint64(bucket - shift*exactBuckets/2)
	return (mantissa+1)<<shift - 1
}
