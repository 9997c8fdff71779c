// Package wasihttp sends HTTP requests over wasi:http: one request, and the whole of its response.
//
//	response, err := wasihttp.Get("https://api.example.com/rates")
//
// A plugin that sends requests asks for networkplugin.OutboundHTTP, and its policy names the hosts that it may reach. Redirects are not
// followed, content is not decoded, and nothing is retried. A response with any status is a response. Bodies are held in the
// plugin's memory; for large ones use the streams in bindings/imports/wasi_http_types.
//
// For code written for net/http see the package nethttp. Outside of a component, in tests, net/http sends the requests.
package wasihttp

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Request is what [Send] sends.
type Request struct {
	// Method is GET if empty.
	Method string
	// URL has the scheme http or https.
	URL string
	// Header holds the headers. The host sets Host, Content-Length and the headers of the connection.
	Header Header
	// Body is sent unless it is nil. An empty body is a body, too.
	Body []byte
	// Timeout limits connecting, and waiting for the response's header, each. The host's own limits and the deadline of the plugin's
	// request always apply; with 0 only they do.
	Timeout time.Duration
}

// Response is a response that was read to the end.
type Response struct {
	// Status is the server's, 404 and 500 included.
	Status int
	Header Header
	// Body is as the server sent it: nothing is decoded.
	Body []byte
}

// Header maps a header's name, in lower case, to its values.
type Header map[string][]string

// Get returns the first value of a header, or "". The case of the name does not matter.
func (header Header) Get(name string) string {
	if values := header[strings.ToLower(name)]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// Set replaces the values of a header.
func (header Header) Set(name, value string) { header[strings.ToLower(name)] = []string{value} }

// Add adds a value to a header.
func (header Header) Add(name, value string) {
	name = strings.ToLower(name)
	header[name] = append(header[name], value)
}

// Error is the failure of a request that did not get a complete response.
type Error struct {
	// Code is an error code of wasi:http, such as "connection-refused" or "HTTP-request-denied", or one of this package.
	Code string
	// Detail may be empty.
	Detail string
}

// Error codes of this package.
const (
	// CodeInvalid means that the request is not valid. Nothing was sent.
	CodeInvalid = "invalid"
	// CodeBrokenOff means that the response ended too early.
	CodeBrokenOff = "broken-off"
)

// Error returns a text without the URL, which may hold a secret: the text may become the caller's reply.
func (err *Error) Error() string {
	if err.Detail == "" {
		return "HTTP request: " + err.Code
	}
	return "HTTP request: " + err.Code + ": " + err.Detail
}

func invalid(what string) error { return &Error{Code: CodeInvalid, Detail: what} }

// Get sends a GET request.
func Get(url string) (*Response, error) { return Send(Request{URL: url}) }

// Post sends a POST request. If contentType is empty, the header does not name one.
func Post(url, contentType string, body []byte) (*Response, error) {
	header := Header{}
	if contentType != "" {
		header.Set("content-type", contentType)
	}
	// Never nil: a request without a body is another one.
	return Send(Request{Method: "POST", URL: url, Header: header, Body: append([]byte{}, body...)})
}

// Send sends a request and reads the whole response. Its errors have the type [*Error].
func Send(request Request) (*Response, error) {
	if request.Method == "" {
		request.Method = "GET"
	}
	target, err := url.Parse(request.URL)
	if err != nil || (target.Scheme != "http" && target.Scheme != "https") || target.Host == "" {
		return nil, invalid("the URL needs the scheme http or https, and a host")
	}
	if target.User != nil {
		return nil, invalid("a user and a password in the URL are not sent: use the header authorization")
	}
	return send(request, target)
}

// headerOf returns the headers of a request, with the length of its body.
func headerOf(request Request) Header {
	header := Header{}
	for name, values := range request.Header {
		for _, value := range values {
			header.Add(name, value)
		}
	}
	if request.Body != nil {
		header.Set("content-length", strconv.Itoa(len(request.Body)))
	}
	return header
}
