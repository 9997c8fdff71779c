// The load generator: one run of requests over NATS, described by one JSON argument (../load-spec.ts), and its
// figures as one line of JSON on stdout. It checks every reply.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
)

type runSpec struct {
	Server string   `json:"server"`
	Loop   loopSpec `json:"loop"`
	Job    jobSpec  `json:"job"`
}

type latencies struct {
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
}

type figures struct {
	// Requests that were measured, and the time that they took together.
	Requests uint64  `json:"requests"`
	Seconds  float64 `json:"seconds"`
	// All requests, those of the warm-up too, with the time and the CPU time of this process.
	TotalRequests int       `json:"totalRequests"`
	TotalSeconds  float64   `json:"totalSeconds"`
	CPUSeconds    float64   `json:"cpuSeconds"`
	LatencyMs     latencies `json:"latencyMs"`
	// Only of a fixed rate: how late requests were sent.
	SendLagP99Ms *float64 `json:"sendLagP99Ms,omitempty"`
	Errors       int      `json:"errors"`
	FirstError   string   `json:"firstError,omitempty"`
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: load '{\"server\": …, \"loop\": …, \"job\": …}'")
	}
	var spec runSpec
	if err := json.Unmarshal([]byte(args[0]), &spec); err != nil {
		return err
	}
	connection, err := nats.Connect(spec.Server, nats.Name("bench load"), nats.NoReconnect())
	if err != nil {
		return err
	}
	defer connection.Close()
	l, err := newRunner(spec, connection)
	if err != nil {
		return err
	}
	// The server knows the subscription before the first reply can come.
	if err := connection.Flush(); err != nil {
		return err
	}
	start, cpuStart := time.Now(), cpuTime()
	if err := l.run(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(l.outcome().figures(time.Since(start), cpuTime()-cpuStart))
}

// A runner sends one run's requests to their end.
type runner interface {
	run() error
	outcome() outcome
}

func newRunner(spec runSpec, connection *nats.Conn) (runner, error) {
	if spec.Loop.RatePerSecond > 0 {
		return newSteady(spec.Loop, spec.Job, connection)
	}
	return newLoop(spec.Loop, spec.Job, connection)
}

// outcome is what a runner counted.
type outcome struct {
	latencies *histogram
	// nil where requests are not due at any time.
	lags       *histogram
	measured   time.Duration
	total      int
	errors     int
	firstError error
}

func (o outcome) figures(elapsed, cpu time.Duration) figures {
	f := figures{
		Requests:      o.latencies.total,
		Seconds:       o.measured.Seconds(),
		TotalRequests: o.total,
		TotalSeconds:  elapsed.Seconds(),
		CPUSeconds:    cpu.Seconds(),
		LatencyMs: latencies{
			P50:  milliseconds(o.latencies.quantile(0.5)),
			P90:  milliseconds(o.latencies.quantile(0.9)),
			P99:  milliseconds(o.latencies.quantile(0.99)),
			P999: milliseconds(o.latencies.quantile(0.999)),
			Max:  milliseconds(o.latencies.max),
		},
		Errors: o.errors,
	}
	if o.lags != nil {
		lag := milliseconds(o.lags.quantile(0.99))
		f.SendLagP99Ms = &lag
	}
	if o.firstError != nil {
		f.FirstError = o.firstError.Error()
	}
	return f
}

func milliseconds(d time.Duration) float64 {
	return float64(d) / float64(time.Millisecond)
}

// CPU time of this process so far, user and system.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	// It fails for a bad argument only.
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
