"""Reads a component's binary: what it imports, and what its plugin has said of its levels while it was built."""

from __future__ import annotations

import re

PREAMBLE = b"\0asm\x0d\0\1\0"
_IMPORTS_SECTION = 10
# What follows the kind of an imported thing: how many numbers, by kind. A core module says first what it is of.
_NUMBERS = {0x00: 2, 0x01: 1, 0x04: 1, 0x05: 1}
_TYPE, _VALUE = 0x03, 0x02
_LEVELS = re.compile(rb"network-plugin-levels:(\d+);")


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def number(self) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def bytes(self) -> bytes:
        size = self.number()
        self.at += size
        return self.data[self.at - size : self.at]


def imports_of(component: bytes) -> list[str]:
    """The names of what it imports, the contract's first. Raises ValueError for what is no component."""
    reader = _Reader(component)
    reader.at = len(PREAMBLE)
    if component[: reader.at] != PREAMBLE:
        raise ValueError("it does not begin as a component does")
    names: list[str] = []
    while reader.at < len(component):
        kind = reader.byte()
        section = reader.bytes()
        if kind == _IMPORTS_SECTION:
            names += _names(_Reader(section))
    return sorted(names, key=lambda name: (_rank(name), name))


def _rank(name: str) -> int:
    if name.startswith("local:network-host/"):
        return 0
    return 1 if name.startswith("wasi:http/") else 2


def _names(reader: _Reader) -> list[str]:
    names = []
    for _ in range(reader.number()):
        reader.byte()  # How the name is written: as an interface's or a plain one.
        names.append(reader.bytes().decode())
        _skip_description(reader)
    return names


def _skip_description(reader: _Reader) -> None:
    kind = reader.byte()
    if kind in (_TYPE, _VALUE):
        if reader.byte() == 0x00 or kind == _VALUE:  # The same as another; a new resource has no number.
            reader.number()
        return
    for _ in range(_NUMBERS[kind]):
        reader.number()


def levels_in(component: bytes) -> int | None:
    """The flags that `_guest.export` has left in the component's memory."""
    found = _LEVELS.search(component)
    return int(found[1]) if found else None
