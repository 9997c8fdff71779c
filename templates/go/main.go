package main

import (
	"fmt"
	"strconv"

	"network-host.example/networkplugin"
)

type greeter struct{}

// AccessLevels is asked once, before the first request: what the operator's policy has to allow.
func (greeter) AccessLevels() networkplugin.AccessLevels {
	return networkplugin.KeyValueRead | networkplugin.KeyValueWrite
}

func (greeter) HandleRequest(request networkplugin.Request) (networkplugin.Response, error) {
	networkplugin.Log(networkplugin.LevelInfo, "a request for "+request.Method)
	if len(request.Payload) == 0 {
		// An error's text is what the caller gets for an answer.
		return networkplugin.Response{}, networkplugin.Err("a name is needed")
	}

	store := networkplugin.OpenKeyValueStore("counters")
	stored, _, err := store.Get(request.Method)
	if err != nil {
		return networkplugin.Response{}, err
	}
	count, _ := strconv.Atoi(string(stored)) // 0 where nothing is stored
	count++
	if err := store.Set(request.Method, []byte(strconv.Itoa(count))); err != nil {
		return networkplugin.Response{}, err
	}
	body := fmt.Appendf(nil, "Hello, %s! You are number %d.", request.Payload, count)
	return networkplugin.Response{Status: networkplugin.StatusOK, Body: body}, nil
}

func init() { networkplugin.Export(greeter{}) }

// A plugin's main is never run.
func main() {}
