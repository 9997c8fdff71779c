"""Appends each request's payload to one stored value, as the examples in Rust and TypeScript do."""

from wit_world import exports
from wit_world.imports import logging
from wit_world.imports.key_value_store import KeyValueStore
from wit_world.imports.local_network_host_types import AccessLevels, RpcRequest, RpcResponse
from wit_world.imports.logging import LogLevel


class Handler(exports.Handler):
    def get_access_levels(self) -> AccessLevels:
        return AccessLevels.KEY_VALUE_READ | AccessLevels.KEY_VALUE_WRITE

    def handle_request(self, req: RpcRequest) -> RpcResponse:
        logging.log(LogLevel.INFO, f"Handling request {req.id}")
        with KeyValueStore("user-data") as store:
            current = (store.get("some-key") or b"").decode("utf-8", "replace")
            value = f"{current} processed by {req.payload.decode('utf-8', 'replace')}"
            store.set("some-key", value.encode())
        return RpcResponse(200, b"Successfully processed")
