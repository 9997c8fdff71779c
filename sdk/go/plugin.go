// Package networkplugin is what plugins of network-host are made of: the contract local:network-host@1.0.0 in Go.
//
// A plugin is a program whose main is never run. It exports its [Plugin] when it is initialised:
//
//	type hello struct{}
//
//	func (hello) AccessLevels() networkplugin.AccessLevels { return 0 }
//
//	func (hello) HandleRequest(request networkplugin.Request) (networkplugin.Response, error) {
//		return networkplugin.Response{Status: networkplugin.StatusOK, Body: request.Payload}, nil
//	}
//
//	func init() { networkplugin.Export(hello{}) }
//
//	func main() {}
//
// The command network-plugin, in this module, makes a component of it. Everywhere else the package has stand-ins for the host, so that
// `go test` runs what a plugin does: see the package plugintest.
package networkplugin

import (
	"strings"
	"sync/atomic"
)

// Plugin answers requests. Each request finds it as it was when it was exported: what a request changes is gone after it.
type Plugin interface {
	// AccessLevels tells what the plugin asks for. The operator's policy says whether it gets it. It is asked before the
	// first request, with no host behind it: neither the store nor HTTP can be used.
	AccessLevels() AccessLevels

	// HandleRequest answers a request. The text of an error is what the caller gets, with the code plugin-error. A panic
	// is a trap: the caller gets plugin-trapped, and the log has its text.
	HandleRequest(Request) (Response, error)
}

// Request is what a caller sent.
type Request struct {
	// ID is the request's own, which the log has, too.
	ID string
	// Method is the method or operation to be performed.
	Method string
	// Payload is what came with it. It may be kept and changed.
	Payload []byte
}

// Response is what the caller gets.
type Response struct {
	Status Status
	Body   []byte
}

// Status is the outcome of an operation, as plugin and caller agree on it. The constants are those of HTTP; any other
// number is as good.
type Status uint16

// Statuses in common use.
const (
	StatusOK         Status = 200
	StatusCreated    Status = 201
	StatusNoContent  Status = 204
	StatusBadRequest Status = 400
	StatusForbidden  Status = 403
	StatusNotFound   Status = 404
	StatusConflict   Status = 409
)

// AccessLevels are permissions that a plugin can ask for, joined by |. None is 0.
type AccessLevels uint8

// The permissions that there are.
const (
	// KeyValueRead allows to read from the store.
	KeyValueRead AccessLevels = 1 << iota
	// KeyValueWrite allows to write to the store.
	KeyValueWrite
	// OutboundHTTP allows to send HTTP requests.
	OutboundHTTP
)

var levelNames = []string{"key-value-read", "key-value-write", "outbound-http"}

// String has the levels as a policy names them, such as "key-value-read, outbound-http".
func (levels AccessLevels) String() string {
	var names []string
	for bit, name := range levelNames {
		if levels&(1<<bit) != 0 {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// Err is an error that is nothing but its text, such as Err("no such user"). The host's refusals are of this type.
type Err string

// Error has the text.
func (text Err) Error() string { return string(text) }

var isExported atomic.Bool

// Export makes a plugin the one of this program. Call it once, in an init function. It panics when called again.
func Export(plugin Plugin) {
	if plugin == nil {
		panic("networkplugin.Export was given no plugin")
	}
	if isExported.Swap(true) {
		panic("networkplugin.Export was called twice: a component has one plugin")
	}
	export(plugin)
}

// valid is the text as the contract takes it: a string of WebAssembly components is valid UTF-8.
func valid(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }
