// Package export_local_network_host_handler sends one request over wasi:http and replies as the server did, and has the
// methods of the contract's cases (conformance/contract.test.yaml) that need no level.
//
// Payload: a method, a URL, and where there are more lines, the body.
package export_local_network_host_handler

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	wit "go.bytecodealliance.org/pkg/wit/types"
	host "wit_component/local_network_host_types"
	"wit_component/wasi_http_outgoing_handler"
	http "wit_component/wasi_http_types"
	streams "wit_component/wasi_io_streams"
)

const (
	maxWrite = 4096
	maxRead  = 65536
)

func GetAccessLevels() host.AccessLevels {
	return host.AccessLevels_OutboundHttp
}

// What the last call of its method brought.
var last []byte

func HandleRequest(request host.RpcRequest) wit.Result[host.RpcResponse, string] {
	switch request.Method {
	case "echo":
		return answer(200, request.Payload)
	case "id":
		return answer(200, []byte(request.Id))
	case "méthode-方法-🙂":
		return answer(200, []byte(request.Method))
	case "status":
		status, err := strconv.ParseUint(string(request.Payload), 10, 16)
		if err != nil {
			return wit.Err[host.RpcResponse](err.Error())
		}
		return answer(uint16(status), nil)
	case "fail":
		return wit.Err[host.RpcResponse](string(request.Payload))
	case "trap":
		panic("asked to")
	case "remember":
		before := last
		last = slices.Clone(request.Payload)
		return answer(200, before)
	}
	parts := strings.SplitN(string(request.Payload), "\n", 3)
	if len(parts) < 2 {
		return wit.Err[host.RpcResponse]("a method and a URL are needed")
	}
	response, err := send(parts[0], parts[1], parts[2:])
	if err != nil {
		return wit.Err[host.RpcResponse](err.Error())
	}
	return wit.Ok[host.RpcResponse, string](response)
}

func answer(status uint16, body []byte) wit.Result[host.RpcResponse, string] {
	return wit.Ok[host.RpcResponse, string](host.RpcResponse{Status: status, Body: body})
}

// Sends the request with at most one body.
func send(method, target string, bodies []string) (response host.RpcResponse, err error) {
	request, err := newRequest(method, target)
	if err != nil {
		return response, err
	}
	var outgoing *http.OutgoingBody
	if len(bodies) > 0 {
		if outgoing, err = must(request.Body(), "the request has no body"); err != nil {
			return response, err
		}
	}
	sent := wasi_http_outgoing_handler.Handle(request, wit.None[*http.RequestOptions]())
	if sent.IsErr() {
		return response, refusal("the request was not sent", sent.Err())
	}
	future := sent.Ok()
	defer future.Drop()
	for _, body := range bodies {
		if err := write(outgoing, []byte(body)); err != nil {
			return response, err
		}
	}
	return receive(future)
}

func newRequest(method, target string) (*http.OutgoingRequest, error) {
	parsed, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	fields := http.MakeFields()
	if fields.Append("x-from", []byte("go")).IsErr() {
		return nil, errors.New("a field was refused")
	}
	request := http.MakeOutgoingRequest(fields)
	refused := request.SetMethod(http.MakeMethodOther(method)).IsErr() ||
		request.SetScheme(wit.Some(http.MakeSchemeHttp())).IsErr() ||
		request.SetAuthority(wit.Some(parsed.Host)).IsErr() ||
		request.SetPathWithQuery(wit.Some(parsed.RequestURI())).IsErr()
	if refused {
		return nil, errors.New("the request was refused")
	}
	return request, nil
}

func write(outgoing *http.OutgoingBody, body []byte) error {
	stream, err := must(outgoing.Write(), "no stream")
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(body, maxWrite) {
		if stream.BlockingWriteAndFlush(chunk).IsErr() {
			return errors.New("the body was not taken")
		}
	}
	stream.Drop()
	if http.OutgoingBodyFinish(outgoing, wit.None[*http.Fields]()).IsErr() {
		return errors.New("the body was not finished")
	}
	return nil
}

func receive(future *http.FutureIncomingResponse) (response host.RpcResponse, err error) {
	ready := future.Subscribe()
	ready.Block()
	ready.Drop()
	answer, err := must(future.Get().Some(), "the response was taken before")
	if err != nil {
		return response, err
	}
	if answer.IsErr() {
		return response, refusal("the request failed", answer.Err())
	}
	incoming := answer.Ok()
	defer incoming.Drop()
	body, err := must(incoming.Consume(), "the response has no body")
	if err != nil {
		return response, err
	}
	whole, err := read(body)
	return host.RpcResponse{Status: incoming.Status(), Body: whole}, err
}

func read(body *http.IncomingBody) (whole []byte, err error) {
	stream, err := must(body.Stream(), "no stream")
	if err != nil {
		return nil, err
	}
	for {
		chunk := stream.BlockingRead(maxRead)
		if chunk.IsOk() {
			whole = append(whole, chunk.Ok()...)
			continue
		}
		stream.Drop()
		if chunk.Err().Tag() != streams.StreamError_Closed {
			return nil, errors.New("the response broke off")
		}
		http.IncomingBodyFinish(body).Drop()
		return whole, nil
	}
}

func must[T any](result wit.Result[T, wit.Unit], otherwise string) (value T, err error) {
	if result.IsErr() {
		return value, errors.New(otherwise)
	}
	return result.Ok(), nil
}

func refusal(what string, code http.ErrorCode) error {
	return fmt.Errorf("%s: error code %d", what, code.Tag())
}
