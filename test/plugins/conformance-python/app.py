"""Shows what a request finds of the ones before it, and uses what a language's runtime brings with it.

The methods are those of every plugin in test/plugins/conformance-*.
"""

import json
import os
import random

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports.key_value_store import KeyValueStore
from wit_world.imports.local_network_host_types import AccessLevels, RpcRequest, RpcResponse


class State:
    calls = 0
    last = b""
    held = []


class Handler(exports.Handler):
    def get_access_levels(self) -> AccessLevels:
        return AccessLevels.KEY_VALUE_READ

    def handle_request(self, req: RpcRequest) -> RpcResponse:
        return RpcResponse(200, METHODS[req.method](req.payload))


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
