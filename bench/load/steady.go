package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

var errAllInFlight = errors.New("a request was due while all slots had one in flight")

// steady is one run of the open loop: a request is due every so often, whatever happened to the ones before it. Its
// latency runs from when it was due, so that a pause of the responder counts for every request that fell into it.
type steady struct {
	spec       loopSpec
	connection *nats.Conn
	subjects   []string
	interval   time.Duration
	begin, end time.Time

	// Guards what follows: requests and replies are handled on goroutines of their own.
	mutex     sync.Mutex
	slots     []steadySlot
	free      []int
	latencies histogram
	// From when a request was due to when it was sent: what of the latencies is this process's own.
	lags       histogram
	total      int
	errors     int
	firstError error
	sent       int
	sentAll    bool
	done       chan struct{}
}

type steadySlot struct {
	job   job
	inbox string
	due   time.Time
}

func newSteady(spec loopSpec, jobs jobSpec, connection *nats.Conn) (*steady, error) {
	if spec.Concurrency < 1 || spec.RatePerSecond < 1 || spec.MeasureMs < 1 {
		return nil, errors.New("a fixed rate needs slots and a time")
	}
	s := &steady{
		spec:       spec,
		connection: connection,
		subjects:   spec.subjects(),
		interval:   time.Second / time.Duration(spec.RatePerSecond),
		slots:      make([]steadySlot, spec.Concurrency),
		done:       make(chan struct{}),
	}
	prefix := nats.NewInbox()
	for i := range s.slots {
		job, err := newJob(jobs, i, len(s.slots))
		if err != nil {
			return nil, err
		}
		s.slots[i] = steadySlot{job: job, inbox: prefix + "." + strconv.Itoa(i)}
		s.free = append(s.free, i)
	}
	subscription, err := connection.Subscribe(prefix+".*", s.receive)
	if err != nil {
		return nil, err
	}
	return s, subscription.SetPendingLimits(-1, -1)
}

// run sends until the time is over and then waits for the replies that are missing.
func (s *steady) run() error {
	start := time.Now()
	s.begin = start.Add(time.Duration(s.spec.WarmUpMs) * time.Millisecond)
	s.end = s.begin.Add(time.Duration(s.spec.MeasureMs) * time.Millisecond)
	for due := start; due.Before(s.end); due = due.Add(s.interval) {
		time.Sleep(time.Until(due))
		if err := s.send(due); err != nil {
			return err
		}
	}
	s.mutex.Lock()
	s.sentAll = true
	s.endIfQuiet()
	s.mutex.Unlock()
	select {
	case <-s.done:
		return nil
	case <-time.After(patience):
		return fmt.Errorf("requests were not answered within %v", patience)
	}
}

func (s *steady) send(due time.Time) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if len(s.free) == 0 {
		return errAllInFlight
	}
	// First in, first out: a job's slots all have their turn.
	slot := &s.slots[s.free[0]]
	s.free = s.free[1:]
	slot.due = due
	if !due.Before(s.begin) {
		s.lags.record(time.Since(due))
	}
	s.sent++
	return s.connection.PublishRequest(s.subjects[s.sent%len(s.subjects)], slot.inbox, slot.job.next())
}

func (s *steady) receive(reply *nats.Msg) {
	now := time.Now()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	index, err := strconv.Atoi(reply.Subject[strings.LastIndexByte(reply.Subject, '.')+1:])
	if err != nil || index < 0 || index >= len(s.slots) {
		s.fail(fmt.Errorf("a reply came to %s", reply.Subject))
		return
	}
	slot := &s.slots[index]
	s.total++
	latency := now.Sub(slot.due)
	if err := slot.job.check(reply); err != nil {
		// It must not look like a fast one.
		latency = patience
		s.fail(err)
	}
	if !slot.due.Before(s.begin) {
		s.latencies.record(latency)
	}
	s.free = append(s.free, index)
	s.endIfQuiet()
}

func (s *steady) endIfQuiet() {
	if s.sentAll && len(s.free) == len(s.slots) {
		close(s.done)
	}
}

func (s *steady) fail(err error) {
	s.errors++
	if s.firstError == nil {
		s.firstError = err
	}
}

func (s *steady) outcome() outcome {
	return outcome{
		latencies:  &s.latencies,
		lags:       &s.lags,
		measured:   s.end.Sub(s.begin),
		total:      s.total,
		errors:     s.errors,
		firstError: s.firstError,
	}
}
