"""What the contract's bindings are, outside of a component: for tests of plugins by any test runner."""

import sys
from dataclasses import dataclass
from enum import Enum, Flag, auto
from typing import Generic, TypeVar

_E = TypeVar("_E")


class AccessLevels(Flag):
    KEY_VALUE_READ = auto()
    KEY_VALUE_WRITE = auto()
    OUTBOUND_HTTP = auto()


class LogLevel(Enum):
    INFO = 0
    WARNING = 1
    ERROR = 2


def log(level: LogLevel, message: str) -> None:
    print(f"{level.name.lower()}: {message}", file=sys.stderr)


@dataclass
class RpcRequest:
    id: str
    method: str
    payload: bytes


@dataclass
class RpcResponse:
    status: int
    body: bytes


@dataclass(frozen=True)
class Err(Exception, Generic[_E]):
    value: _E


class KeyValueStore:
    buckets: dict[str, dict[str, bytes]] = {}
    """What all stores hold; a test empties it by ``clear()``."""

    def __init__(self, bucket_name: str) -> None:
        self._bucket = self.buckets.setdefault(bucket_name, {})

    def get(self, key: str) -> bytes | None:
        return self._bucket.get(key)

    def set(self, key: str, value: bytes) -> None:
        self._bucket[key] = bytes(value)

    def __enter__(self) -> "KeyValueStore":
        return self

    def __exit__(self, *_: object) -> None:
        return None
