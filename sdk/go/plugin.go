// Package networkplugin is the contract of network-host's plugins, local:network-host@1.0.0, in Go.
//
// A plugin is a program that exports its [Plugin] in an init function. Its main is never called:
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
// The command network-plugin of this module builds the component. In any other build the package uses a store in memory in place of the
// host, so that plugins can be tested with go test: see the package plugintest.
package networkplugin

import (
	"strings"
	"sync/atomic"
)

// Plugin answers requests. Every request starts from the state after initialisation: whatever a request changes is gone after it.
type Plugin interface {
	// AccessLevels returns what the plugin asks for. The operator's policy decides whether it gets it. The host calls it before
	// the first request, with every capability denied.
	AccessLevels() AccessLevels

	// HandleRequest answers a request. If it returns an error, the caller gets the error's text, with the code plugin-error.
	// A panic is a trap: the caller gets plugin-trapped, and the replica's log has the panic's text.
	HandleRequest(Request) (Response, error)
}

// Request is a caller's request.
type Request struct {
	// ID identifies the request, also in the replica's log.
	ID string
	// Method is the operation that the caller asks for.
	Method string
	// Payload is the request's content. The plugin may keep and change it.
	Payload []byte
}

// Response is the answer to a request.
type Response struct {
	Status Status
	Body   []byte
}

// Status is the outcome of a request, as plugin and caller agree on it. The constants are those of HTTP, but any number
// will do.
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

// AccessLevels are the permissions that a plugin asks for, combined with |. A plugin that needs nothing returns 0.
type AccessLevels uint8

// The access levels.
const (
	// KeyValueRead is for reading from the store.
	KeyValueRead AccessLevels = 1 << iota
	// KeyValueWrite is for writing to the store.
	KeyValueWrite
	// OutboundHTTP is for sending HTTP requests.
	OutboundHTTP
)

var levelNames = []string{"key-value-read", "key-value-write", "outbound-http"}

// String returns the levels' names in a policy, such as "key-value-read, outbound-http".
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

// Err is an error with a text, such as Err("no such user"). Errors of the host, such as those of the store, have this type.
type Err string

// Error returns the text.
func (text Err) Error() string { return string(text) }

var isExported atomic.Bool

// Export registers the program's plugin. Call it once, in an init function. A second call panics.
func Export(plugin Plugin) {
	if plugin == nil {
		panic("networkplugin.Export was given no plugin")
	}
	if isExported.Swap(true) {
		panic("networkplugin.Export was called twice: a component has one plugin")
	}
	export(plugin)
}

// valid replaces what is not valid UTF-8, which the strings of a component have to be.
func valid(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }
