// Command battery has one method for each thing that plugins in Go count on; the tests of the project run it on a replica.
package main

import (
	cryptorand "crypto/rand"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"network-host.example/networkplugin"
	"network-host.example/networkplugin/nethttp"
	"network-host.example/networkplugin/wasihttp"
)

type battery struct{}

var calls int

var methods = map[string]func(networkplugin.Request) (networkplugin.Response, error){
	"echo":   func(r networkplugin.Request) (networkplugin.Response, error) { return reply(200, r.Payload) },
	"status": func(networkplugin.Request) (networkplugin.Response, error) { return reply(65_535, nil) },
	"fail": func(networkplugin.Request) (networkplugin.Response, error) {
		return reply(0, nil, errors.New("no such user"))
	},
	"garbled": func(networkplugin.Request) (networkplugin.Response, error) {
		return reply(0, nil, errors.New("no \xff user"))
	},
	"panic":   func(networkplugin.Request) (networkplugin.Response, error) { panic("too far") },
	"log":     log,
	"count":   count,
	"store":   store,
	"wait":    wait,
	"collect": collect,
	"random":  random,
	"fetch":   fetch,
	"client":  client,
}

func (battery) AccessLevels() networkplugin.AccessLevels {
	return networkplugin.KeyValueRead | networkplugin.KeyValueWrite | networkplugin.OutboundHTTP
}

func (battery) HandleRequest(request networkplugin.Request) (networkplugin.Response, error) {
	method, known := methods[request.Method]
	if !known {
		return networkplugin.Response{}, networkplugin.Err("no such method")
	}
	return method(request)
}

func reply(status networkplugin.Status, body []byte, errs ...error) (networkplugin.Response, error) {
	return networkplugin.Response{Status: status, Body: body}, errors.Join(errs...)
}

func log(networkplugin.Request) (networkplugin.Response, error) {
	networkplugin.Log(networkplugin.LevelWarning, "careful, \xff")
	fmt.Println("by standard output")
	fmt.Fprintln(os.Stderr, "by standard error")
	return reply(200, nil)
}

// Each request finds the program as it was built.
func count(networkplugin.Request) (networkplugin.Response, error) {
	calls++
	return reply(200, fmt.Append(nil, calls))
}

// An empty value is found; a value that was never set is not.
func store(request networkplugin.Request) (networkplugin.Response, error) {
	bucket := networkplugin.OpenKeyValueStore("values")
	defer bucket.Close()
	if _, found, err := bucket.Get("absent"); err != nil || found {
		return reply(0, nil, err, errors.New("a value that was never set was found"))
	}
	for _, value := range [][]byte{{}, nil, {0, 0xff}, request.Payload} {
		if err := bucket.Set("key", value); err != nil {
			return reply(0, nil, err)
		}
		if got, found, err := bucket.Get("key"); err != nil || !found || string(got) != string(value) {
			return reply(0, nil, err, fmt.Errorf("%q was set, %q was read", value, got))
		}
	}
	if err := bucket.Set("\xff", nil); err == nil {
		return reply(0, nil, errors.New("a key that is not valid UTF-8 was accepted"))
	}
	_, _, err := networkplugin.OpenKeyValueStore("forbidden").Get("key")
	if text := networkplugin.Err(""); !errors.As(err, &text) {
		return reply(0, nil, errors.New("a bucket that is not allowed can be read"))
	}
	return reply(200, []byte("the store does what it says"))
}

// Goroutines wait side by side: none goes on before each has arrived.
func wait(networkplugin.Request) (networkplugin.Response, error) {
	const count = 10
	began := time.Now()
	var arrived, done sync.WaitGroup
	arrived.Add(count)
	for range count {
		done.Go(func() {
			time.Sleep(20 * time.Millisecond)
			arrived.Done()
			arrived.Wait()
		})
	}
	done.Wait()
	if took := time.Since(began); took < 20*time.Millisecond {
		return reply(0, nil, fmt.Errorf("it took %s", took))
	}
	return reply(200, nil)
}

// Garbage is collected while the host hands over data.
func collect(networkplugin.Request) (networkplugin.Response, error) {
	bucket := networkplugin.OpenKeyValueStore("values")
	if err := bucket.Set("large", []byte(strings.Repeat("x", 256*1024))); err != nil {
		return reply(0, nil, err)
	}
	read := 0
	for range 50 {
		value, _, err := bucket.Get("large")
		if err != nil {
			return reply(0, nil, err)
		}
		read += len(value)
	}
	return reply(200, fmt.Append(nil, read))
}

func random(networkplugin.Request) (networkplugin.Response, error) {
	return reply(200, fmt.Appendf(nil, "%x %s", rand.Uint64(), cryptorand.Text()))
}

func fetch(request networkplugin.Request) (networkplugin.Response, error) {
	answer, err := wasihttp.Post(string(request.Payload), "text/plain", []byte(strings.Repeat("y", 10_000)))
	if err != nil {
		return reply(0, nil, err)
	}
	return reply(networkplugin.Status(answer.Status), fmt.Appendf(nil, "%s %s", answer.Header.Get("X-Pot"), answer.Body))
}

func client(request networkplugin.Request) (networkplugin.Response, error) {
	client := http.Client{Transport: nethttp.Transport{}, Timeout: 5 * time.Second}
	answer, err := client.Get(string(request.Payload))
	if err != nil {
		return reply(0, nil, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return reply(networkplugin.Status(answer.StatusCode), fmt.Appendf(nil, "%s %s", answer.Header.Get("X-Pot"), body), err)
}

func init() { networkplugin.Export(battery{}) }

func main() {}
