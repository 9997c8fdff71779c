"""The methods of the contract's cases (conformance/contract.test.yaml), and more.

The others show what a request finds of the ones before it, and use what a language's runtime brings with it. The methods are
those of every plugin in test/plugins/conformance-*.
"""

import json
import os
import random
from urllib.parse import urlsplit

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import outgoing_handler
from wit_world.imports.key_value_store import KeyValueStore
from wit_world.imports.local_network_host_types import AccessLevels, RpcRequest, RpcResponse
from wit_world.imports.streams import StreamError_Closed
from wit_world.imports.wasi_http_types import (
    Fields,
    IncomingBody,
    Method_Other,
    OutgoingBody,
    OutgoingRequest,
    Scheme_Http,
)

MAX_WRITE = 4096
MAX_READ = 65536


class State:
    calls = 0
    last = b""
    held = []


class Handler(exports.Handler):
    def get_access_levels(self) -> AccessLevels:
        return AccessLevels.KEY_VALUE_READ | AccessLevels.KEY_VALUE_WRITE | AccessLevels.OUTBOUND_HTTP

    def handle_request(self, req: RpcRequest) -> RpcResponse:
        if req.method == "id":
            return RpcResponse(200, req.id.encode())
        answer = METHODS[req.method](req.payload)
        return answer if isinstance(answer, RpcResponse) else RpcResponse(200, answer)


def echo(payload):
    return payload


def own_name(_):
    return "méthode-方法-🙂".encode()


def status(payload):
    return RpcResponse(int(payload), b"")


def remember(payload):
    before, State.last = State.last, payload
    return before


def get(payload):
    bucket, key = payload.decode().split("\n")
    with KeyValueStore(bucket) as store:
        value = store.get(key)
    return RpcResponse(404, b"") if value is None else value


def put(payload):
    bucket, key, value = payload.split(b"\n", 2)
    with KeyValueStore(bucket.decode()) as store:
        store.set(key.decode(), value)
    return b""


def fetch(payload):
    """Sends a request and replies as the server did."""
    method, url, *bodies = payload.split(b"\n", 2)
    target = urlsplit(url.decode())
    request = OutgoingRequest(Fields.from_list([]))
    request.set_method(Method_Other(method.decode()))
    request.set_scheme(Scheme_Http())
    request.set_authority(target.netloc)
    request.set_path_with_query(f"{target.path}?{target.query}" if target.query else target.path)
    outgoing = request.body() if bodies else None
    future = outgoing_handler.handle(request, None)
    if outgoing is not None:
        write_body(outgoing, bodies[0])
    with future:
        with future.subscribe() as ready:
            ready.block()
        answer = future.get().value
    if isinstance(answer, Err):
        raise Err(type(answer.value).__name__)
    with answer.value as response:
        return RpcResponse(response.status(), read_body(response.consume()))


def write_body(outgoing, body):
    with outgoing.write() as stream:
        for at in range(0, len(body), MAX_WRITE):
            stream.blocking_write_and_flush(body[at : at + MAX_WRITE])
    OutgoingBody.finish(outgoing, None)


def read_body(body):
    whole = bytearray()
    with body.stream() as stream:
        while True:
            try:
                whole += stream.blocking_read(MAX_READ)
            except Err as error:
                if isinstance(error.value, StreamError_Closed):
                    break
                raise Err("the response broke off")
    with IncomingBody.finish(body):
        return bytes(whole)


def state(payload):
    """How many calls there were, and what the last one brought."""
    before = b"%d %s" % (State.calls, State.last)
    State.calls += 1
    State.last = payload
    return before


def draw(_):
    """Random values, by the runtime's generator and by the system's."""
    return f"{random.random()} {os.urandom(8).hex()}".encode()


def hold(payload):
    """Takes so many KiB of memory and keeps them."""
    State.held.append(bytearray(b"x") * (int(payload) * 1024))
    return payload


def descend(payload):
    """Calls itself so many times, and at the bottom waits for the store."""
    with KeyValueStore("conformance") as store:
        return b"%d" % level(int(payload), store)


def level(left, store):
    if left == 0:
        store.get("bottom")
        return 0
    return 1 + level(left - 1, store)


def nest(payload):
    """Reads and writes lists within lists, so many deep: by native code that calls itself."""
    depth = int(payload)
    text = "[" * depth + "]" * depth
    return b"%d" % (json.dumps(json.loads(text)) == text)


def raise_exception(payload):
    """An exception that nobody catches."""
    raise RuntimeError(payload.decode())


def raise_err(payload):
    """The error of the function's result."""
    raise Err(payload.decode())


def absent(_):
    """What the language has for an option that is none."""
    with KeyValueStore("conformance") as store:
        return repr(store.get("absent")).encode()


def endless(payload):
    """Calls itself until the stack is used up."""
    return endless(payload) + payload


METHODS = {
    "echo": echo,
    "méthode-方法-🙂": own_name,
    "status": status,
    "fail": raise_err,
    "trap": endless,
    "remember": remember,
    "get": get,
    "set": put,
    "fetch": fetch,
    "state": state,
    "random": draw,
    "hold": hold,
    "descend": descend,
    "nest": nest,
    "endless": endless,
    "throw-error": raise_exception,
    "throw-text": raise_err,
    "absent": absent,
}
