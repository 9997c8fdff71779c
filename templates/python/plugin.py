from network_plugin import AccessLevels, Err, KeyValueStore, LogLevel, Plugin, RpcRequest, RpcResponse, log


class Greeter(Plugin):
    # Asked once, before the first request: what the operator's policy has to allow.
    def get_access_levels(self) -> AccessLevels:
        return AccessLevels.KEY_VALUE_READ | AccessLevels.KEY_VALUE_WRITE

    def handle_request(self, request: RpcRequest) -> RpcResponse:
        log(LogLevel.INFO, f"a request for {request.method}")
        name = request.payload.decode()
        if name == "":
            # The text of an Err is what the caller gets for an answer.
            raise Err("a name is needed")

        store = KeyValueStore("counters")
        count = int(store.get(request.method) or b"0") + 1
        store.set(request.method, str(count).encode())
        return RpcResponse(200, f"Hello, {name}! You are number {count}.".encode())
