"""From an author's module to a component, by componentize-py."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ._component import imports_of, levels_in
from ._stand_ins import AccessLevels

PACKAGE = Path(__file__).parent
WIT = PACKAGE / "wit"
# What of this package is in a component.
GUEST = ["__init__.py", "_guest.py", "http.py"]
_FRAME = re.compile(r'File "([^"]+)", line (\d+)')


class BuildError(Exception):
    """What the author can mend."""


@dataclass(frozen=True)
class Built:
    output: Path
    size: int
    imports: list[str]
    levels: list[str]


def build(module: Path, output: Path) -> Built:
    """Builds the module, with what it imports from its folder and from where Python finds packages. Raises BuildError."""
    if not module.is_file():
        raise BuildError(f"there is no {module}")
    if not module.stem.isidentifier():
        raise BuildError(f"{module.name} is no name that Python can import")
    folder = module.resolve().parent
    with tempfile.TemporaryDirectory(prefix="network-plugin-") as temporary:
        work = Path(temporary)
        _write_guest(work / "guest", module.stem)
        _check(folder, module.stem)
        # The generated bindings are left in a folder of their own; the author's own is not written to.
        command = [_tool(), "-d", str(WIT), "-w", "network-plugin", "componentize"]
        paths = [work / "guest", folder, *_site_packages()]
        for path in paths:
            command += ["-p", str(path)]
        done = subprocess.run([*command, "network_plugin_entry", "-o", str(output)], cwd=work, capture_output=True, text=True)
        if done.returncode != 0:
            raise BuildError(_explain(done.stderr or done.stdout, folder))
    component = output.read_bytes()
    flags = levels_in(component)
    if flags is None:
        raise BuildError(f"{output.name} says nothing of its levels: this package and componentize-py do not fit together")
    levels = [level.name.lower().replace("_", "-") for level in AccessLevels if level.value & flags]
    return Built(output, len(component), imports_of(component), levels)


def _tool() -> str:
    beside = Path(sys.executable).parent / "componentize-py"
    found = str(beside) if beside.exists() else shutil.which("componentize-py")
    if found is None:
        raise BuildError("componentize-py was not found beside this Python: pip install componentize-py==0.25.1")
    return found


def _site_packages() -> list[Path]:
    """Where the author's dependencies are, unless this package's own copy would be taken from there."""
    return [Path(path) for path in sys.path if path.endswith("site-packages")]


def _write_guest(folder: Path, module: str) -> None:
    (folder / "network_plugin").mkdir(parents=True)
    for name in GUEST:
        shutil.copy(PACKAGE / name, folder / "network_plugin" / name)
    entry = f"import {module}\nfrom network_plugin._guest import export\n\nHandler = export({module})\n"
    (folder / "network_plugin_entry.py").write_text(entry)


_ASK = """
import importlib, sys
module = importlib.import_module(sys.argv[1])
from network_plugin._guest import find_plugin
from network_plugin import AccessLevels
levels = find_plugin(module).get_access_levels()
if not isinstance(levels, AccessLevels):
    raise TypeError(f"get_access_levels returned {levels!r} in place of AccessLevels")
"""


def _check(folder: Path, module: str) -> None:
    """Imports the module with stand-ins for the host, in a process of its own: that finds its first mistakes in a second."""
    done = subprocess.run([sys.executable, "-c", _ASK, module], cwd=folder, capture_output=True, text=True,
                          env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    if done.returncode != 0:
        raise BuildError(_explain(done.stderr, folder))


def _explain(said: str, folder: Path) -> str:
    """The last frame in the author's folder, and the error; all that was said where there is none."""
    lines = [line for line in said.strip().splitlines() if line.strip()]
    places = [(Path(path), line) for path, line in _FRAME.findall(said)]
    mine = [(path, line) for path, line in places if path.parent == folder or path.is_relative_to(folder)]
    error = next((line for line in reversed(lines) if re.match(r"^\w[\w.]*(Error|Exception|Err)\b", line)), None)
    if error is None:
        return said.strip()
    return f"{mine[-1][0].relative_to(folder)}:{mine[-1][1]}: {error}" if mine else error
