// Package export_local_network_host_handler holds the functions that the generated exports call. networkplugin.Export sets them.
package export_local_network_host_handler

import (
	"network-host.example/networkplugin/bindings/imports/local_network_host_types"
	wit "network-host.example/networkplugin/bindings/wit/types"
)

const missing = "no plugin was exported: call networkplugin.Export in an init function; main is never called"

// GetAccessLevels returns what the plugin asks for.
var GetAccessLevels = func() local_network_host_types.AccessLevels { panic(missing) }

// HandleRequest answers a request.
var HandleRequest = func(local_network_host_types.RpcRequest) wit.Result[local_network_host_types.RpcResponse, string] {
	panic(missing)
}
