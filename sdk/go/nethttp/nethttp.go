// Package nethttp lets net/http send its requests over wasi:http:
//
//	client := http.Client{Transport: nethttp.Transport{}}
//
// It links all of net/http into the component, some 7 MB. The package wasihttp does not.
package nethttp

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"time"

	"network-host.example/networkplugin/wasihttp"
)

// Transport is an http.RoundTripper. It holds whole bodies in memory, of requests and of responses.
type Transport struct {
	// Timeout is that of wasihttp.Request. A context with an earlier deadline makes it shorter. Cancelling a context does not end
	// a request that was sent.
	Timeout time.Duration
}

// RoundTrip sends a request and reads the whole response.
func (transport Transport) RoundTrip(request *http.Request) (*http.Response, error) {
	body, err := bodyOf(request)
	if err != nil {
		return nil, err
	}
	timeout, err := transport.timeoutOf(request)
	if err != nil {
		return nil, err
	}
	header := wasihttp.Header{}
	for name, values := range request.Header {
		for _, value := range values {
			header.Add(name, value)
		}
	}
	target := *request.URL
	target.Fragment = ""
	answer, err := wasihttp.Send(wasihttp.Request{
		Method: request.Method, URL: target.String(), Header: header, Body: body, Timeout: timeout,
	})
	if err != nil {
		return nil, err
	}
	response := &http.Response{
		Status:     fmt.Sprintf("%d %s", answer.Status, http.StatusText(answer.Status)),
		StatusCode: answer.Status,
		// wasi:http does not say which version it was.
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{},
		Body:          io.NopCloser(bytes.NewReader(answer.Body)),
		ContentLength: int64(len(answer.Body)),
		Request:       request,
	}
	for name, values := range answer.Header {
		for _, value := range values {
			response.Header.Add(name, value)
		}
	}
	return response, nil
}

func bodyOf(request *http.Request) ([]byte, error) {
	if request.Body == nil || request.Body == http.NoBody {
		return nil, nil
	}
	defer request.Body.Close()
	return io.ReadAll(request.Body)
}

// timeoutOf returns the transport's timeout or the time to the context's deadline, whichever is shorter.
func (transport Transport) timeoutOf(request *http.Request) (time.Duration, error) {
	if err := request.Context().Err(); err != nil {
		return 0, err
	}
	deadline, isBound := request.Context().Deadline()
	if !isBound {
		return transport.Timeout, nil
	}
	left := max(time.Until(deadline), time.Millisecond)
	if transport.Timeout > 0 {
		left = min(left, transport.Timeout)
	}
	return left, nil
}
