"""Sends one request over wasi:http and replies as the server did.

Payload: a method, a URL, and where there are more lines, the body.
"""

from urllib.parse import urlsplit

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import outgoing_handler
from wit_world.imports.local_network_host_types import AccessLevels, RpcRequest, RpcResponse
from wit_world.imports.streams import StreamError_Closed
from wit_world.imports.wasi_http_types import (
    Fields,
    IncomingBody,
    Method_Get,
    Method_Post,
    OutgoingBody,
    OutgoingRequest,
    Scheme_Http,
)

METHODS = {"GET": Method_Get, "POST": Method_Post}
MAX_WRITE = 4096
MAX_READ = 65536


class Handler(exports.Handler):
    def get_access_levels(self) -> AccessLevels:
        return AccessLevels.OUTBOUND_HTTP

    def handle_request(self, req: RpcRequest) -> RpcResponse:
        method, url, *body = req.payload.decode().split("\n")
        return send(method, urlsplit(url), "\n".join(body).encode() if body else None)


def send(method, url, body):
    request = OutgoingRequest(Fields.from_list([("x-from", b"python")]))
    request.set_method(METHODS[method]())
    request.set_scheme(Scheme_Http())
    request.set_authority(url.netloc)
    request.set_path_with_query(f"{url.path}?{url.query}" if url.query else url.path)
    outgoing = request.body() if body is not None else None
    future = outgoing_handler.handle(request, None)
    if outgoing is not None:
        write(outgoing, body)
    with future:
        with future.subscribe() as ready:
            ready.block()
        answer = future.get().value
    if isinstance(answer, Err):
        raise Err(type(answer.value).__name__)
    with answer.value as response:
        return RpcResponse(response.status(), read(response.consume()))


def write(outgoing, body):
    with outgoing.write() as stream:
        for at in range(0, len(body), MAX_WRITE):
            stream.blocking_write_and_flush(body[at : at + MAX_WRITE])
    OutgoingBody.finish(outgoing, None)


def read(body):
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
