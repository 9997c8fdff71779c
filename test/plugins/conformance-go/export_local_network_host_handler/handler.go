// Package export_local_network_host_handler has the methods of the contract's cases (conformance/contract.test.yaml), and
// more that show what a request finds of the ones before it and use what a language's runtime brings with it. The methods
// are those of every plugin in test/plugins/conformance-*.
package export_local_network_host_handler

import (
	"bytes"
	cryptorand "crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"time"

	witTypes "go.bytecodealliance.org/pkg/wit/types"
	store "wit_component/local_network_host_key_value_store"
	. "wit_component/local_network_host_types"
	random "wit_component/wasi_random_random"
)

var (
	calls uint32
	last  []byte
	held  [][]byte
)

var methods = map[string]func(payload []byte) ([]byte, error){
	"echo":        func(payload []byte) ([]byte, error) { return payload, nil },
	"fail":        func(payload []byte) ([]byte, error) { return nil, errors.New(string(payload)) },
	"remember":    remember,
	"set":         set,
	"state":       state,
	"random":      draw,
	"drawn":       drawn,
	"hold":        hold,
	"descend":     descend,
	"nest":        nest,
	"endless":     endless,
	"gather":      gather,
	"tasks":       tasks,
	"trap":        func([]byte) ([]byte, error) { panic("asked to") },
	"throw-error": func(payload []byte) ([]byte, error) { panic(errors.New(string(payload))) },
	"throw-text":  func(payload []byte) ([]byte, error) { return nil, errors.New(string(payload)) },
}

func GetAccessLevels() AccessLevels {
	return AccessLevels_KeyValueRead | AccessLevels_KeyValueWrite
}

func HandleRequest(request RpcRequest) witTypes.Result[RpcResponse, string] {
	switch request.Method {
	case "id":
		return answer(200, []byte(request.Id))
	case "méthode-方法-🙂":
		return answer(200, []byte(request.Method))
	case "status":
		status, err := strconv.ParseUint(string(request.Payload), 10, 16)
		if err != nil {
			return witTypes.Err[RpcResponse](err.Error())
		}
		return answer(uint16(status), nil)
	case "get":
		return get(request.Payload)
	}
	method, known := methods[request.Method]
	if !known {
		return witTypes.Err[RpcResponse]("no such method")
	}
	body, err := method(request.Payload)
	if err != nil {
		return witTypes.Err[RpcResponse](err.Error())
	}
	return answer(200, body)
}

func answer(status uint16, body []byte) witTypes.Result[RpcResponse, string] {
	return witTypes.Ok[RpcResponse, string](RpcResponse{Status: status, Body: body})
}

func get(payload []byte) witTypes.Result[RpcResponse, string] {
	name, key, _ := strings.Cut(string(payload), "\n")
	bucket := store.MakeKeyValueStore(name)
	defer bucket.Drop()
	got := bucket.Get(key)
	if got.IsErr() {
		return witTypes.Err[RpcResponse](got.Err())
	}
	if value := got.Ok(); value.IsSome() {
		return answer(200, value.Some())
	}
	return answer(404, nil)
}

func set(payload []byte) ([]byte, error) {
	parts := bytes.SplitN(payload, []byte("\n"), 3)
	if len(parts) < 3 {
		return nil, errors.New("a bucket, a key and a value are needed")
	}
	bucket := store.MakeKeyValueStore(string(parts[0]))
	defer bucket.Drop()
	if done := bucket.Set(string(parts[1]), parts[2]); done.IsErr() {
		return nil, errors.New(done.Err())
	}
	return nil, nil
}

// What the last call brought.
func remember(payload []byte) ([]byte, error) {
	before := last
	last = append([]byte(nil), payload...)
	return before, nil
}

// How many calls there were, and what the last one brought.
func state(payload []byte) ([]byte, error) {
	before := fmt.Appendf(nil, "%d %s", calls, last)
	calls++
	last = append([]byte(nil), payload...)
	return before, nil
}

// Random values, by the runtime's generator, by the system's and by the import.
func draw([]byte) ([]byte, error) {
	system := make([]byte, 8)
	if _, err := cryptorand.Read(system); err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "%x %x %x", rand.Uint64(), system, random.GetRandomBytes(8)), nil
}

// Takes so many KiB of memory and keeps them.
func hold(payload []byte) ([]byte, error) {
	kibibytes, err := strconv.Atoi(string(payload))
	if err != nil {
		return nil, err
	}
	held = append(held, []byte(strings.Repeat("x", kibibytes*1024)))
	return payload, nil
}

// Calls itself so many times, and at the bottom waits for the store.
func descend(payload []byte) ([]byte, error) {
	depth, err := strconv.Atoi(string(payload))
	if err != nil {
		return nil, err
	}
	bucket := store.MakeKeyValueStore("conformance")
	defer bucket.Drop()
	levels, err := level(depth, bucket)
	return strconv.AppendInt(nil, int64(levels), 10), err
}

func level(left int, bucket *store.KeyValueStore) (int, error) {
	if left == 0 {
		if got := bucket.Get("bottom"); got.IsErr() {
			return 0, fmt.Errorf("the store: %s", got.Err())
		}
		return 0, nil
	}
	below, err := level(left-1, bucket)
	return below + 1, err
}

// Reads so many values and throws each away, beside a running timer if that is asked for: garbage is collected while
// the host allocates the next one.
func gather(payload []byte) ([]byte, error) {
	number, ticking := strings.CutSuffix(string(payload), " ticking")
	count, err := strconv.Atoi(number)
	if err != nil {
		return nil, err
	}
	if ticking {
		ticker := time.NewTicker(time.Millisecond)
		defer ticker.Stop()
		<-ticker.C
	}
	bucket := store.MakeKeyValueStore("conformance")
	defer bucket.Drop()
	read := 0
	for range count {
		got := bucket.Get("large")
		if got.IsErr() {
			return nil, fmt.Errorf("the store: %s", got.Err())
		}
		read += len(got.Ok().SomeOr(nil))
	}
	var memory runtime.MemStats
	if runtime.ReadMemStats(&memory); memory.NumGC == 0 {
		return nil, errors.New("no garbage was collected")
	}
	return strconv.AppendInt(nil, int64(read), 10), nil
}

// Waits side by side, in so many goroutines, each by a timer and then for the store.
func tasks(payload []byte) ([]byte, error) {
	count, err := strconv.Atoi(string(payload))
	if err != nil {
		return nil, err
	}
	bucket := store.MakeKeyValueStore("conformance")
	defer bucket.Drop()
	done := make(chan error)
	for number := range count {
		go func() {
			time.Sleep(time.Duration(number%10) * time.Millisecond)
			if got := bucket.Get("bottom"); got.IsErr() {
				done <- fmt.Errorf("the store: %s", got.Err())
			}
			done <- nil
		}()
	}
	for range count {
		if err := <-done; err != nil {
			return nil, err
		}
	}
	return payload, nil
}

// Reads and writes lists within lists, so many deep.
func nest(payload []byte) ([]byte, error) {
	depth, err := strconv.Atoi(string(payload))
	if err != nil {
		return nil, err
	}
	text := strings.Repeat("[", depth) + strings.Repeat("]", depth)
	var lists any
	if err := json.Unmarshal([]byte(text), &lists); err != nil {
		return nil, err
	}
	again, err := json.Marshal(lists)
	if err != nil || string(again) != text {
		return []byte("0"), err
	}
	return []byte("1"), nil
}

// Calls itself until the stack is used up.
func endless(payload []byte) ([]byte, error) {
	below, err := endless(payload)
	return append(below, payload...), err
}
