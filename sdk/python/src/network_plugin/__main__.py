"""``python -m network_plugin build``."""

import argparse
import sys
from pathlib import Path

from ._build import BuildError, build


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m network_plugin", description="Makes components of plugins for network-host.")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("build", help="make a component of a module")
    command.add_argument("module", nargs="?", default="plugin.py", type=Path, help="the module's file (default: plugin.py)")
    command.add_argument("-o", "--output", default="plugin.wasm", type=Path, help="where the component goes (default: plugin.wasm)")
    arguments = parser.parse_args()
    try:
        built = build(arguments.module, arguments.output.resolve())
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"plugin   {arguments.output}, {built.size / 1e6:.1f} MB")
    for at, name in enumerate(built.imports):
        print(f"{'imports' if at == 0 else '':9}{name}")
    print(f"levels   {', '.join(built.levels) or 'none'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
