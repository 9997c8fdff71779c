//go:build !wasip1

package wasihttp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"syscall"
)

// Behaves as the host of a component does, as far as tests of plugins rely on it.
func send(request Request, target *url.URL) (*Response, error) {
	message, err := http.NewRequest(request.Method, target.String(), bytes.NewReader(request.Body))
	if err != nil {
		return nil, invalid("method")
	}
	if request.Body == nil {
		message.Body = nil
	}
	for name, values := range headerOf(request) {
		for _, value := range values {
			message.Header.Add(name, value)
		}
	}
	client := http.Client{
		Timeout:       request.Timeout,
		Transport:     &http.Transport{DisableCompression: true, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	answer, err := client.Do(message)
	if err != nil {
		return nil, failed(err)
	}
	defer answer.Body.Close()
	header := Header{}
	for name, values := range answer.Header {
		for _, value := range values {
			header.Add(name, value)
		}
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, &Error{Code: CodeBrokenOff}
	}
	return &Response{Status: answer.StatusCode, Header: header, Body: body}, nil
}

func failed(err error) error {
	var timeout interface{ Timeout() bool }
	var address *url.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return &Error{Code: "connection-refused"}
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return &Error{Code: "connection-timeout"}
	case errors.As(err, &address):
		return &Error{Code: "internal-error", Detail: address.Err.Error()}
	default:
		return &Error{Code: "internal-error", Detail: err.Error()}
	}
}
