"""Between the contract's export and the author's plugin, within a component."""

import random

from . import Err, Plugin

_levels = ""


def find_plugin(module):
    """The module's one subclass of Plugin, made once, when the component is built."""
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Plugin) and value.__module__ == module.__name__
    ]
    if len(found) != 1:
        names = ", ".join(kind.__name__ for kind in found) or "none"
        raise TypeError(f"{module.__name__} has to have one class that derives from network_plugin.Plugin, and has {names}")
    return found[0]()


def export(module):
    """The class that componentize-py exports as the contract's handler."""
    plugin = find_plugin(module)
    # Text in the memory that the component is made of: the build reads there what the plugin asks for, in its own interpreter.
    global _levels
    _levels = f"network-plugin-levels:{plugin.get_access_levels().value};"

    class Handler:
        def get_access_levels(self):
            return plugin.get_access_levels()

        def handle_request(self, req):
            # Its state is fixed with the component: each request would draw the same numbers.
            random.seed()
            try:
                return plugin.handle_request(req)
            except Err as error:
                # The runtime takes this very class for the contract's err, and none that derives from it.
                raise Err(error.value) from None

    return Handler
