# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command line: python3 -m tests.testbed prepare|engine|connection|image|up|down|reboot|exec."""

from __future__ import annotations

import argparse
import os
import sys

from . import container
from .engine import CONNECTIONS, EngineError, find_engine
from .image import EXTRAS, SUITES, default_suite, ensure_image
from .prepare import missing_browser, missing_packages, missing_tools, prepare


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 -m tests.testbed", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("engine", help="print podman or docker")
    actions.add_parser("connection", help="print the name of Ansible's connection plugin for it")
    prepare_parser = actions.add_parser("prepare", help="install what this machine lacks")
    only = prepare_parser.add_mutually_exclusive_group()
    only.add_argument("--tools", action="store_true", help="without the container engine")
    only.add_argument("--browser", action="store_true", help="a browser alone")
    image = actions.add_parser("image", help="build or reuse a suite's image, and print its name")
    image.add_argument("suite", choices=SUITES, nargs="?", default=default_suite())
    image.add_argument("--extra", choices=list(EXTRAS), default="", help="more packages, by the word for them")
    up = actions.add_parser("up", help="boot a container, or leave the running one alone")
    up.add_argument("name")
    up.add_argument("--suite", choices=SUITES, default=default_suite())
    up.add_argument("--extra", choices=list(EXTRAS), default="", help="more packages, by the word for them")
    down = actions.add_parser("down", help="remove a container, or all of this checkout")
    which = down.add_mutually_exclusive_group(required=True)
    which.add_argument("name", nargs="?")
    which.add_argument("--all", action="store_true")
    reboot = actions.add_parser("reboot", help="systemctl reboot, and wait until it is up again")
    reboot.add_argument("name")
    execute = actions.add_parser("exec", help="run a command in a container")
    execute.add_argument("name")
    execute.add_argument("command", nargs=argparse.REMAINDER)
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    args = parse(argv)
    if args.action == "prepare":
        return prepare(missing_tools if args.tools else missing_browser if args.browser else missing_packages)
    engine = find_engine()
    if args.action == "engine":
        print(engine.name)
    elif args.action == "connection":
        print(CONNECTIONS[engine.name])
    elif args.action == "image":
        print(ensure_image(engine, args.suite, args.extra))
    elif args.action == "up":
        container.up(engine, args.name, args.suite, args.extra)
    elif args.action == "down" and args.all:
        container.down_all(engine)
    elif args.action == "down":
        container.down(engine, args.name)
    elif args.action == "reboot":
        container.reboot(engine, args.name)
    elif args.action == "exec":
        command = args.command[1:] if args.command[:1] == ["--"] else args.command
        terminal = "--tty" if sys.stdin.isatty() and sys.stdout.isatty() else "--interactive"
        whole = [*engine.command, "exec", "--interactive", terminal, args.name, *(command or ["/bin/bash", "-l"])]
        os.execvp(whole[0], whole)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except EngineError as problem:
        sys.exit(f"testbed: {problem}")
