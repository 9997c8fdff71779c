"""Does the work of the job `kv`: the payload is a bucket, a key and a value, each on a line; the value is written, and the
reply is the one that the key had."""

from wit_world import exports
from wit_world.imports.key_value_store import KeyValueStore
from wit_world.imports.local_network_host_types import AccessLevels, RpcRequest, RpcResponse


class Handler(exports.Handler):
    def get_access_levels(self) -> AccessLevels:
        return AccessLevels.KEY_VALUE_READ | AccessLevels.KEY_VALUE_WRITE

    def handle_request(self, req: RpcRequest) -> RpcResponse:
        bucket, key, value = req.payload.split(b"\n", 2)
        with KeyValueStore(bucket.decode()) as store:
            earlier = store.get(key.decode())
            store.set(key.decode(), value)
        return RpcResponse(404, b"") if earlier is None else RpcResponse(200, earlier)
