"""Requests over wasi:http: ``http.get("https://api.example.com/rates").json()``.

The plugin asks for ``AccessLevels.OUTBOUND_HTTP``, and the operator's policy says where its requests may go.
"""

from __future__ import annotations

import json as _json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from . import Err

# Now and not at a request: a component has no files to import from.
try:
    from wit_world.imports import outgoing_handler
    from wit_world.imports import wasi_http_types as types
except ImportError:
    outgoing_handler = types = None

__all__ = ["HttpError", "Response", "get", "post", "request"]

# What one write takes (wasi:io/streams), and what one read asks for.
_MAX_WRITE = 4096
_MAX_READ = 65536
_SECOND = 1_000_000_000


class HttpError(Err[str]):
    """A request that got no whole response. Where nobody catches it, the caller gets its text as the contract's ``err``."""


@dataclass(frozen=True)
class Response:
    """A response that was read to its end. Names of headers are in lower case; repeated ones are joined by commas."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return _json.loads(self.body)


def get(url: str, headers: Mapping[str, str] | None = None, timeout: float | None = None) -> Response:
    return request("GET", url, headers=headers, timeout=timeout)


def post(
    url: str,
    body: bytes | str = b"",
    headers: Mapping[str, str] | None = None,
    json: Any = None,
    timeout: float | None = None,
) -> Response:
    """Sends a body, or with ``json`` a value as JSON."""
    if json is not None:
        body = _json.dumps(json)
        headers = {"content-type": "application/json", **(headers or {})}
    return request("POST", url, headers=headers, body=body, timeout=timeout)


def request(
    method: str,
    url: str,
    headers: Mapping[str, str] | None = None,
    body: bytes | str | None = None,
    timeout: float | None = None,
) -> Response:
    """Sends one request and reads its response. Redirects are not followed.

    ``timeout`` is in seconds, for the connection and the first byte each. Raises HttpError, and ValueError for a URL
    that is none.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError(f"no URL of http or https: {url}")
    if outgoing_handler is None:
        raise HttpError("requests can be sent within a component only")
    fields = [(name, value.encode()) for name, value in (headers or {}).items()]
    message = types.OutgoingRequest(_refusable("a header", lambda: types.Fields.from_list(fields)))
    _refusable("the method", lambda: message.set_method(types.Method_Other(method)))
    message.set_scheme(types.Scheme_Https() if parts.scheme == "https" else types.Scheme_Http())
    _refusable("the authority", lambda: message.set_authority(parts.netloc))
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    _refusable("the path", lambda: message.set_path_with_query(path))
    options = None
    if timeout is not None:
        options = types.RequestOptions()
        options.set_connect_timeout(int(timeout * _SECOND))
        options.set_first_byte_timeout(int(timeout * _SECOND))
    outgoing = message.body() if body is not None else None
    future = _refusable("the request", lambda: outgoing_handler.handle(message, options))
    with future:
        if outgoing is not None:
            _write(outgoing, body.encode() if isinstance(body, str) else bytes(body or b""))
        with future.subscribe() as ready:
            ready.block()
        answer = future.get().value
    if isinstance(answer, Err):
        raise HttpError(f"{method} {url}: {_name(answer.value)}")
    with answer.value as response:
        received: dict[str, str] = {}
        with response.headers() as entries:
            for name, value in entries.entries():
                text = value.decode("latin-1")
                received[name.lower()] = f"{received[name.lower()]}, {text}" if name.lower() in received else text
        return Response(response.status(), received, _read(response.consume(), f"{method} {url}"))


def _refusable(what, action):
    try:
        return action()
    except Err as error:
        raise HttpError(f"{what} was refused: {_name(error.value)}") from None


def _write(outgoing, body):
    with outgoing.write() as stream:
        for at in range(0, len(body), _MAX_WRITE):
            _refusable("the body", lambda at=at: stream.blocking_write_and_flush(body[at : at + _MAX_WRITE]))
    types.OutgoingBody.finish(outgoing, None)


def _read(body, what):
    whole = bytearray()
    with body.stream() as stream:
        while True:
            try:
                whole += stream.blocking_read(_MAX_READ)
            except Err as error:
                if type(error.value).__name__ == "StreamError_Closed":
                    break
                raise HttpError(f"{what}: the response broke off") from None
    with types.IncomingBody.finish(body):
        return bytes(whole)


def _name(value):
    """``ErrorCode_ConnectionRefused()`` → ``connection refused``; other values as they are."""
    name = type(value).__name__
    if "_" not in name:
        return str(value)
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name.split("_", 1)[1])
    detail = getattr(value, "value", None)
    return words.strip() + (f" ({detail})" if isinstance(detail, str) else "")
