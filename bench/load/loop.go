package main

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// loopSpec says how requests are sent: closed loop, each slot sending its next request when it has its reply, or at a
// fixed rate (steady.go). See ../load-spec.ts.
type loopSpec struct {
	// A "*" in it stands for a number below targets: each request of a slot goes to the next.
	Subject     string `json:"subject"`
	Targets     int    `json:"targets"`
	Concurrency int    `json:"concurrency"`
	// Either this many requests in all, every one of them measured …
	Requests int `json:"requests"`
	// … or as many as there are in this time, and at least one for each slot.
	WarmUpMs  int `json:"warmUpMs"`
	MeasureMs int `json:"measureMs"`
	// Not 0: requests are due at this rate, and slots are those that may be in flight.
	RatePerSecond int `json:"ratePerSecond"`
}

// A reply that takes longer counts as lost.
const patience = 15 * time.Second

// subjects returns where requests go.
func (s loopSpec) subjects() []string {
	subjects := make([]string, max(s.Targets, 1))
	for target := range subjects {
		subjects[target] = strings.Replace(s.Subject, "*", strconv.Itoa(target), 1)
	}
	return subjects
}

type slot struct {
	job job
	// Counts its requests: its turn among the subjects.
	turn  int
	inbox string
	sent  time.Time
	left  int
}

// loop is one run. Everything but the first request of each slot happens on the subscription's goroutine, so that no
// reply waits for another goroutine to take its time.
type loop struct {
	spec       loopSpec
	connection *nats.Conn
	subjects   []string
	slots      []slot
	begin      time.Time
	end        time.Time
	// What was measured lies between these two replies: where replies come in waves, whole waves are counted.
	lastBefore   time.Time
	lastMeasured time.Time
	latencies    histogram
	total        int
	errors       int
	firstError   error
	open         sync.WaitGroup
}

func newLoop(spec loopSpec, jobs jobSpec, connection *nats.Conn) (*loop, error) {
	if spec.Concurrency < 1 || spec.Requests%spec.Concurrency != 0 {
		return nil, fmt.Errorf("%d requests cannot be shared by %d slots", spec.Requests, spec.Concurrency)
	}
	l := &loop{spec: spec, connection: connection, subjects: spec.subjects(), slots: make([]slot, spec.Concurrency)}
	prefix := nats.NewInbox()
	for i := range l.slots {
		job, err := newJob(jobs, i, len(l.slots))
		if err != nil {
			return nil, err
		}
		l.slots[i] = slot{
			job:   job,
			turn:  i,
			inbox: prefix + "." + strconv.Itoa(i),
			left:  spec.Requests / spec.Concurrency,
		}
	}
	subscription, err := connection.Subscribe(prefix+".*", l.receive)
	if err != nil {
		return nil, err
	}
	return l, subscription.SetPendingLimits(-1, -1)
}

// run sends until the time is over or the requests are sent, and then waits for the replies that are missing.
func (l *loop) run() error {
	now := time.Now()
	l.lastBefore = now
	l.begin = now.Add(time.Duration(l.spec.WarmUpMs) * time.Millisecond)
	l.end = l.begin.Add(time.Duration(l.spec.MeasureMs) * time.Millisecond)
	l.open.Add(len(l.slots))
	for i := range l.slots {
		if err := l.send(&l.slots[i]); err != nil {
			return err
		}
	}
	done := make(chan struct{})
	go func() {
		l.open.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-time.After(time.Until(l.end) + l.patience()):
		return fmt.Errorf("requests were not answered within %v", l.patience())
	}
}

// Requests that are counted take as long as they take, but not for ever.
func (l *loop) patience() time.Duration {
	if l.spec.Requests > 0 {
		return 4 * patience
	}
	return patience
}

func (l *loop) send(s *slot) error {
	payload := s.job.next()
	s.turn++
	s.sent = time.Now()
	return l.connection.PublishRequest(l.subjects[s.turn%len(l.subjects)], s.inbox, payload)
}

func (l *loop) receive(reply *nats.Msg) {
	now := time.Now()
	index, err := strconv.Atoi(reply.Subject[strings.LastIndexByte(reply.Subject, '.')+1:])
	if err != nil || index < 0 || index >= len(l.slots) {
		l.fail(fmt.Errorf("a reply came to %s", reply.Subject))
		return
	}
	s := &l.slots[index]
	l.total++
	over := l.isOver(s, now)
	l.measure(now, now.Sub(s.sent))
	if err := s.job.check(reply); err != nil {
		l.fail(err)
	}
	if over {
		l.open.Done()
		return
	}
	if err := l.send(s); err != nil {
		l.fail(err)
		l.open.Done()
	}
}

// isOver tells whether a slot that has this reply sends no more requests.
func (l *loop) isOver(s *slot, now time.Time) bool {
	if l.spec.Requests > 0 {
		s.left--
		return s.left == 0
	}
	return l.isMeasured(now)
}

// isMeasured tells whether the time is over and there is a reply for each slot, however long that takes.
func (l *loop) isMeasured(now time.Time) bool {
	return !now.Before(l.end) && l.latencies.total >= uint64(len(l.slots))
}

func (l *loop) measure(now time.Time, latency time.Duration) {
	if l.spec.Requests == 0 {
		if now.Before(l.begin) {
			l.lastBefore = now
			return
		}
		if l.isMeasured(now) {
			return
		}
	}
	l.lastMeasured = now
	l.latencies.record(latency)
}

func (l *loop) fail(err error) {
	l.errors++
	if l.firstError == nil {
		l.firstError = err
	}
}

func (l *loop) outcome() outcome {
	return outcome{
		latencies:  &l.latencies,
		measured:   l.lastMeasured.Sub(l.lastBefore),
		total:      l.total,
		errors:     l.errors,
		firstError: l.firstError,
	}
}
