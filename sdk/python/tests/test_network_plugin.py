"""What can be tested without a component: the stand-ins, the search for the plugin, and what a build refuses."""

import tempfile
import types
import unittest
from pathlib import Path

from network_plugin import AccessLevels, Err, KeyValueStore, Plugin, RpcResponse
from network_plugin import http
from network_plugin._build import BuildError, build
from network_plugin._component import PREAMBLE, imports_of, levels_in
from network_plugin._guest import find_plugin

PLUGIN = """
from network_plugin import AccessLevels, Plugin, RpcResponse

class Hello(Plugin):
    def get_access_levels(self):
        return {levels}

    def handle_request(self, request):
        return RpcResponse(200, b"")
"""


def module_of(source):
    module = types.ModuleType("plugin")
    exec(compile(source, "plugin.py", "exec"), module.__dict__)
    return module


class FindPlugin(unittest.TestCase):
    def test_the_one_subclass_of_the_module_is_the_plugin(self):
        plugin = find_plugin(module_of(PLUGIN.format(levels="AccessLevels(0)")))
        self.assertEqual(plugin.get_access_levels(), AccessLevels(0))

    def test_none_and_two_are_refused(self):
        source = PLUGIN.format(levels="AccessLevels(0)")
        for wrong, names in [("x = 1", "none"), (source + source.replace("Hello", "Other"), "Hello, Other")]:
            with self.assertRaisesRegex(TypeError, f"and has {names}"):
                find_plugin(module_of(wrong))


class StandIns(unittest.TestCase):
    def test_stores_of_one_name_hold_the_same(self):
        KeyValueStore("a").set("k", b"v")
        with KeyValueStore("a") as store:
            self.assertEqual(store.get("k"), b"v")
        self.assertIsNone(KeyValueStore("b").get("k"))

    def test_an_http_error_is_an_err(self):
        self.assertIsInstance(http.HttpError("x"), Err)
        with self.assertRaises(ValueError):
            http.get("ftp://example.com")
        with self.assertRaises(http.HttpError):
            http.get("http://example.com")
        self.assertEqual(http.Response(200, {}, b"[1]").json(), [1])
        self.assertIsInstance(RpcResponse(200, b""), RpcResponse)


class Build(unittest.TestCase):
    def refused(self, source):
        with tempfile.TemporaryDirectory() as folder:
            module = Path(folder).resolve() / "plugin.py"
            if source is not None:
                module.write_text(source)
            with self.assertRaises(BuildError) as caught:
                build(module, module.with_suffix(".wasm"))
            return str(caught.exception)

    def test_what_is_wrong_is_said_with_its_line(self):
        self.assertRegex(self.refused("\nimport absent\n"), r"^plugin\.py:2: ModuleNotFoundError: .*absent")
        self.assertRegex(self.refused("x = (\n"), r"^plugin\.py:1: SyntaxError: ")
        self.assertRegex(self.refused("def f():\n    raise ValueError('boom')\nf()\n"), r"^plugin\.py:2: ValueError: boom")

    def test_levels_that_are_none_are_refused(self):
        self.assertRegex(self.refused(PLUGIN.format(levels="'read'")), "get_access_levels returned 'read' in place of")

    def test_a_file_that_is_not_there_is_named(self):
        self.assertRegex(self.refused(None), r"there is no .*plugin\.py")


def name(text):
    return b"\0" + bytes([len(text)]) + text.encode()


class Component(unittest.TestCase):
    def test_imports_are_read_whatever_they_are_of(self):
        described = [
            ("wasi:cli/exit@0.2.9", b"\x05\x00"),
            ("a-module", b"\x00\x11\x03"),
            ("a-function", b"\x01\x80\x01"),
            ("a-type", b"\x03\x00\x07"),
            ("a-resource", b"\x03\x01"),
            ("local:network-host/logging@1.0.0", b"\x05\x01"),
        ]
        body = bytes([len(described)]) + b"".join(name(text) + kind for text, kind in described)
        other = b"\x00\x03\x01ab"
        component = PREAMBLE + other + b"\x0a" + bytes([0x80 | (len(body) & 0x7F), len(body) >> 7]) + body + other
        expected = ["local:network-host/logging@1.0.0", "a-function", "a-module", "a-resource", "a-type", "wasi:cli/exit@0.2.9"]
        self.assertEqual(imports_of(component), expected)

    def test_what_is_no_component_is_refused(self):
        with self.assertRaises(ValueError):
            imports_of(b"\0asm\1\0\0\0")

    def test_levels_are_found_among_other_bytes(self):
        self.assertEqual(levels_in(b"network-plugin-levels:\0network-plugin-levels:5;x"), 5)
        self.assertIsNone(levels_in(b"network-plugin-levels:"))


if __name__ == "__main__":
    unittest.main()
