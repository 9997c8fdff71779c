package networkplugin

import (
	handler "network-host.example/networkplugin/bindings/exports/export_local_network_host_handler"
	// The functions that the host calls.
	_ "network-host.example/networkplugin/bindings/exports/wit_exports"
	"network-host.example/networkplugin/bindings/imports/local_network_host_types"
	wit "network-host.example/networkplugin/bindings/wit/types"
)

func export(plugin Plugin) {
	handler.GetAccessLevels = func() local_network_host_types.AccessLevels {
		return local_network_host_types.AccessLevels(plugin.AccessLevels())
	}
	handler.HandleRequest = func(request local_network_host_types.RpcRequest) wit.Result[local_network_host_types.RpcResponse, string] {
		response, err := plugin.HandleRequest(Request{ID: request.Id, Method: request.Method, Payload: request.Payload})
		if err != nil {
			return wit.Err[local_network_host_types.RpcResponse](valid(err.Error()))
		}
		return wit.Ok[local_network_host_types.RpcResponse, string](local_network_host_types.RpcResponse{
			Status: uint16(response.Status), Body: response.Body,
		})
	}
}
