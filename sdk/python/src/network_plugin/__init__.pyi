from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum, Flag
from types import TracebackType
from typing import Generic, TypeVar

_E = TypeVar("_E")

class AccessLevels(Flag):
    """The permissions that a plugin can ask for; ``AccessLevels(0)`` is none."""

    KEY_VALUE_READ = ...
    KEY_VALUE_WRITE = ...
    OUTBOUND_HTTP = ...

class LogLevel(Enum):
    INFO = ...
    WARNING = ...
    ERROR = ...

def log(level: LogLevel, message: str) -> None:
    """Writes a line to the host's log, which adds the plugin's name and the request's id."""

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
    """The contract's ``err``: ``raise Err("no such user")``. The store raises it, too, with the host's text."""

    value: _E

class KeyValueStore:
    """A bucket of the host's store."""

    def __init__(self, bucket_name: str) -> None: ...
    def get(self, key: str) -> bytes | None: ...
    def set(self, key: str, value: bytes) -> None: ...
    def __enter__(self) -> KeyValueStore: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None: ...

class Plugin(ABC):
    """A plugin: a module has one subclass of it."""

    @abstractmethod
    def get_access_levels(self) -> AccessLevels:
        """What the policy has to allow. Asked before the first request, and never during one."""

    @abstractmethod
    def handle_request(self, request: RpcRequest) -> RpcResponse:
        """Answers a request. Whoever raises ``Err(text)`` gives the caller that text; anything else is a trap."""

__all__ = ["AccessLevels", "Err", "KeyValueStore", "LogLevel", "Plugin", "RpcRequest", "RpcResponse", "log"]
