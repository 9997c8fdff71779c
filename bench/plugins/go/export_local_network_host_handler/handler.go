// Package export_local_network_host_handler does the work of the job `kv`: the payload is a bucket, a key and a value, each
// on a line; the value is written, and the reply is the one that the key had.
package export_local_network_host_handler

import (
	"bytes"

	witTypes "go.bytecodealliance.org/pkg/wit/types"
	keyvalue "wit_component/local_network_host_key_value_store"
	. "wit_component/local_network_host_types"
)

const (
	found    = 200
	notFound = 404
)

func GetAccessLevels() AccessLevels {
	return AccessLevels_KeyValueRead | AccessLevels_KeyValueWrite
}

func HandleRequest(request RpcRequest) witTypes.Result[RpcResponse, string] {
	fields := bytes.SplitN(request.Payload, []byte("\n"), 3)
	if len(fields) < 3 {
		return witTypes.Err[RpcResponse]("the payload is a bucket, a key and a value, each on a line")
	}
	store := keyvalue.MakeKeyValueStore(string(fields[0]))
	defer store.Drop()
	key := string(fields[1])
	earlier := store.Get(key)
	if earlier.IsErr() {
		return witTypes.Err[RpcResponse](earlier.Err())
	}
	if written := store.Set(key, fields[2]); written.IsErr() {
		return witTypes.Err[RpcResponse](written.Err())
	}
	value := earlier.Ok()
	if value.IsNone() {
		return witTypes.Ok[RpcResponse, string](RpcResponse{Status: notFound})
	}
	return witTypes.Ok[RpcResponse, string](RpcResponse{Status: found, Body: value.Some()})
}
