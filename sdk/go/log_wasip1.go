package networkplugin

import "network-host.example/networkplugin/bindings/imports/local_network_host_logging"

func log(level LogLevel, message string) {
	local_network_host_logging.Log(local_network_host_logging.LogLevel(level), message)
}
