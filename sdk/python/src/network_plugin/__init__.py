"""What a plugin of network-host is made of: its base class, the contract's types, the store and the log.

In a component these are the bindings of the contract. In any other Python, for tests, they are stand-ins of the same
form: a store in memory, and a log on standard error.
"""

from abc import ABC, abstractmethod

try:
    from componentize_py_types import Err
    from wit_world.imports.key_value_store import KeyValueStore
    from wit_world.imports.local_network_host_types import AccessLevels, RpcRequest, RpcResponse
    from wit_world.imports.logging import LogLevel, log
except ImportError:
    from ._stand_ins import AccessLevels, Err, KeyValueStore, LogLevel, RpcRequest, RpcResponse, log

__all__ = [
    "AccessLevels",
    "Err",
    "KeyValueStore",
    "LogLevel",
    "Plugin",
    "RpcRequest",
    "RpcResponse",
    "log",
]


class Plugin(ABC):
    """A plugin: a module has one subclass of it."""

    @abstractmethod
    def get_access_levels(self):
        """What the policy has to allow. Asked before the first request, and never during one."""

    @abstractmethod
    def handle_request(self, request):
        """Answers a request. Whoever raises ``Err(text)`` gives the caller that text; anything else is a trap."""
