package main

import "network-host.example/networkplugin"

type plugin struct{}

func (plugin) HandleRequest(networkplugin.Request) (networkplugin.Response, error) {
	return networkplugin.Response{}, nil
}

func (plugin) AccessLevels() networkplugin.AccessLevels { return 0 }

func init() {
	networkplugin.Export(plugin{})
	panic("too early")
}

func main() {}
