// Package wasihttp sends HTTP requests over wasi:http: one request, and the whole of its response.
//
//	response, err := wasihttp.Get("https://api.example.com/rates")
//
// A plugin that sends requests asks for networkplugin.OutboundHTTP, and its policy names what it may reach. Redirects are not
// followed, content is not decoded and nothing is tried again. A response with any status is a response. Bodies are
// held in the plugin's memory; where one may be large, use the streams of the package bindings/imports/wasi_http_types.
//
// The package nethttp lets what is written for net/http send its requests this way.
//
// Outside of a component, in tests, requests are sent by net/http.
package wasihttp

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Request is a request to be sent by [Send].
type Request struct {
	// Method is GET where there is none.
	Method string
	// URL is one of http or https.
	URL string
	// Header has the headers. Host, Content-Length and those of the connection are the host's.
	Header Header
	// Body is sent unless it is nil. An empty one is a body, too.
	Body []byte
	// Timeout is how long connecting may take, and how long the response's header. The host's own limits and the deadline
	// of the plugin's request hold besides, and alone where it is 0.
	Timeout time.Duration
}

// Response is a response that was read to its end.
type Response struct {
	// Status is whatever the server said, 404 and 500 included.
	Status int
	Header Header
	// Body is as it came: nothing is decoded.
	Body []byte
}

// Header has the values of each header, by its name in lower case.
type Header map[string][]string

// Get returns the first value of a header, whatever the case of its name, and "" where there is none.
func (header Header) Get(name string) string {
	if values := header[strings.ToLower(name)]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// Set makes a value the only one of a header.
func (header Header) Set(name, value string) { header[strings.ToLower(name)] = []string{value} }

// Add adds a value to those of a header.
func (header Header) Add(name, value string) {
	name = strings.ToLower(name)
	header[name] = append(header[name], value)
}

// Error is a request that got no whole response.
type Error struct {
	// Code is what wasi:http calls the reason, such as "connection-refused" or "HTTP-request-denied".
	Code string
	// Detail says more, where there is more to say.
	Detail string
}

// Codes of errors that are not of wasi:http.
const (
	// CodeInvalid is a part of a request that is not valid: nothing was sent.
	CodeInvalid = "invalid"
	// CodeBrokenOff is a response that ended too early.
	CodeBrokenOff = "broken-off"
)

// Error has no part of the URL: it may hold a secret, and the text may be the caller's answer.
func (err *Error) Error() string {
	if err.Detail == "" {
		return "HTTP request: " + err.Code
	}
	return "HTTP request: " + err.Code + ": " + err.Detail
}

func invalid(what string) error { return &Error{Code: CodeInvalid, Detail: what} }

// Get sends a GET request.
func Get(url string) (*Response, error) { return Send(Request{URL: url}) }

// Post sends a body. Its type is not named in the header where contentType is "".
func Post(url, contentType string, body []byte) (*Response, error) {
	header := Header{}
	if contentType != "" {
		header.Set("content-type", contentType)
	}
	// Not nil, which would be no body.
	return Send(Request{Method: "POST", URL: url, Header: header, Body: append([]byte{}, body...)})
}

// Send sends a request and reads its response. Its errors are of type [*Error].
func Send(request Request) (*Response, error) {
	if request.Method == "" {
		request.Method = "GET"
	}
	target, err := url.Parse(request.URL)
	if err != nil || (target.Scheme != "http" && target.Scheme != "https") || target.Host == "" {
		return nil, invalid("it needs a URL of http or https")
	}
	if target.User != nil {
		return nil, invalid("a URL cannot have a user or a password: send them as the header authorization")
	}
	return send(request, target)
}

// headerOf has the headers of a request, with the length of its body.
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
