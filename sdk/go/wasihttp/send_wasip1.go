package wasihttp

import (
	"net/url"
	"slices"

	"network-host.example/networkplugin/bindings/imports/wasi_http_outgoing_handler"
	"network-host.example/networkplugin/bindings/imports/wasi_http_types"
	"network-host.example/networkplugin/bindings/imports/wasi_io_streams"
	wit "network-host.example/networkplugin/bindings/wit/types"
)

const (
	// The most that one write may have, according to wasi:io/streams.
	maxWriteBytes = 4096
	maxReadBytes  = 65536
)

func send(request Request, target *url.URL) (*Response, error) {
	message, err := newMessage(request, target)
	if err != nil {
		return nil, err
	}
	var outgoing *wasi_http_types.OutgoingBody
	if request.Body != nil {
		if outgoing, err = ok(message.Body(), invalid("body")); err != nil {
			return nil, err
		}
	}
	options, err := newOptions(request)
	if err != nil {
		return nil, err
	}
	sent := wasi_http_outgoing_handler.Handle(message, options)
	if sent.IsErr() {
		return nil, failed(sent.Err())
	}
	future := sent.Ok()
	defer future.Drop()
	if outgoing != nil {
		if err := write(outgoing, request.Body); err != nil {
			return nil, err
		}
	}
	return receive(future)
}

func newMessage(request Request, target *url.URL) (*wasi_http_types.OutgoingRequest, error) {
	fields := wasi_http_types.MakeFields()
	for name, values := range headerOf(request) {
		for _, value := range values {
			if fields.Append(name, []byte(value)).IsErr() {
				return nil, invalid("header " + name)
			}
		}
	}
	message := wasi_http_types.MakeOutgoingRequest(fields)
	scheme := wasi_http_types.MakeSchemeHttps()
	if target.Scheme == "http" {
		scheme = wasi_http_types.MakeSchemeHttp()
	}
	if message.SetMethod(methodOf(request.Method)).IsErr() {
		return nil, invalid("method")
	}
	if message.SetScheme(wit.Some(scheme)).IsErr() || message.SetAuthority(wit.Some(target.Host)).IsErr() ||
		message.SetPathWithQuery(wit.Some(target.RequestURI())).IsErr() {
		return nil, invalid("URL")
	}
	return message, nil
}

// wasi:http refuses a standard method that is sent as another one.
func methodOf(name string) wasi_http_types.Method {
	switch name {
	case "GET":
		return wasi_http_types.MakeMethodGet()
	case "HEAD":
		return wasi_http_types.MakeMethodHead()
	case "POST":
		return wasi_http_types.MakeMethodPost()
	case "PUT":
		return wasi_http_types.MakeMethodPut()
	case "DELETE":
		return wasi_http_types.MakeMethodDelete()
	case "OPTIONS":
		return wasi_http_types.MakeMethodOptions()
	case "PATCH":
		return wasi_http_types.MakeMethodPatch()
	default:
		return wasi_http_types.MakeMethodOther(name)
	}
}

func newOptions(request Request) (options wit.Option[*wasi_http_types.RequestOptions], err error) {
	if request.Timeout <= 0 {
		return wit.None[*wasi_http_types.RequestOptions](), nil
	}
	own := wasi_http_types.MakeRequestOptions()
	nanoseconds := wit.Some(uint64(request.Timeout.Nanoseconds()))
	if own.SetConnectTimeout(nanoseconds).IsErr() || own.SetFirstByteTimeout(nanoseconds).IsErr() {
		return options, invalid("timeout")
	}
	return wit.Some(own), nil
}

func write(outgoing *wasi_http_types.OutgoingBody, body []byte) error {
	stream, err := ok(outgoing.Write(), brokenOff())
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(body, maxWriteBytes) {
		// A server may reply before it has read everything: its reply says more than this error.
		if stream.BlockingWriteAndFlush(chunk).IsErr() {
			stream.Drop()
			outgoing.Drop()
			return nil
		}
	}
	stream.Drop()
	if finished := wasi_http_types.OutgoingBodyFinish(outgoing, wit.None[*wasi_http_types.Fields]()); finished.IsErr() {
		return failed(finished.Err())
	}
	return nil
}

func receive(future *wasi_http_types.FutureIncomingResponse) (*Response, error) {
	ready := future.Subscribe()
	ready.Block()
	ready.Drop()
	// It is ready, and was not read before.
	answer, err := ok(future.Get().Some(), brokenOff())
	if err != nil {
		return nil, err
	}
	if answer.IsErr() {
		return nil, failed(answer.Err())
	}
	incoming := answer.Ok()
	defer incoming.Drop()
	fields := incoming.Headers()
	header := Header{}
	for _, entry := range fields.Entries() {
		header.Add(entry.F0, string(entry.F1))
	}
	fields.Drop()
	body, err := ok(incoming.Consume(), brokenOff())
	if err != nil {
		return nil, err
	}
	whole, err := read(body)
	if err != nil {
		return nil, err
	}
	return &Response{Status: int(incoming.Status()), Header: header, Body: whole}, nil
}

func read(body *wasi_http_types.IncomingBody) ([]byte, error) {
	stream, err := ok(body.Stream(), brokenOff())
	if err != nil {
		return nil, err
	}
	whole := []byte{}
	for {
		chunk := stream.BlockingRead(maxReadBytes)
		if chunk.IsOk() {
			whole = append(whole, chunk.Ok()...)
			continue
		}
		isWhole := chunk.Err().Tag() == wasi_io_streams.StreamError_Closed
		stream.Drop()
		if !isWhole {
			body.Drop()
			return nil, brokenOff()
		}
		wasi_http_types.IncomingBodyFinish(body).Drop()
		return whole, nil
	}
}

func ok[T any](result wit.Result[T, wit.Unit], otherwise error) (value T, err error) {
	if result.IsErr() {
		return value, otherwise
	}
	return result.Ok(), nil
}

func brokenOff() error { return &Error{Code: CodeBrokenOff} }

func failed(code wasi_http_types.ErrorCode) error {
	err := &Error{Code: codes[code.Tag()]}
	if code.Tag() == wasi_http_types.ErrorCode_InternalError {
		err.Detail = code.InternalError().SomeOr("")
	}
	return err
}
