# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command line: python3 -m tests.testbed prepare|engine|connection|image|up|down|reboot|off|exec."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable

from . import container, machine
from .engine import CONNECTIONS, EngineError, find_engine
from .image import EXTRAS, SUITES, default_suite, ensure_image
from .prepare import missing_browser, missing_machine, missing_packages, missing_tools, prepare


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 -m tests.testbed", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("engine", help="print podman or docker")
    actions.add_parser("connection", help="print the name of Ansible's connection plugin for it")
    prepare_parser = actions.add_parser("prepare", help="install what this machine lacks")
    only = prepare_parser.add_mutually_exclusive_group()
    only.add_argument("--tools", action="store_true", help="without the container engine")
    only.add_argument("--browser", action="store_true", help="a browser alone")
    only.add_argument("--machine", action="store_true", help="what virtual machines need, without the container engine")
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
    off = actions.add_parser(
        "off", help="systemctl poweroff in a virtual machine, and wait for its end; `up` boots it again"
    )
    off.add_argument("name")
    execute = actions.add_parser("exec", help="run a command in a container")
    execute.add_argument("name")
    execute.add_argument("command", nargs=argparse.REMAINDER)
    for each in (up, down, reboot, execute):
        each.add_argument("--machine", action="store_true", help="a virtual machine in place of a container")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    args = parse(argv)
    if args.action == "prepare":
        return prepare(_wanted(args))
    if args.action == "off" or getattr(args, "machine", False):
        return _with_machine(args)
    if args.action == "down" and args.all:
        machine.down_all()
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
        command = _command(args)
        terminal = "--tty" if sys.stdin.isatty() and sys.stdout.isatty() else "--interactive"
        whole = [*engine.command, "exec", "--interactive", terminal, args.name, *command]
        os.execvp(whole[0], whole)
    return 0


def _wanted(args: argparse.Namespace) -> Callable[[], list[str]]:
    if args.machine:
        return missing_machine
    return missing_tools if args.tools else missing_browser if args.browser else missing_packages


def _command(args: argparse.Namespace) -> list[str]:
    given: list[str] = args.command[1:] if args.command[:1] == ["--"] else args.command
    return given or ["/bin/bash", "-l"]


def _with_machine(args: argparse.Namespace) -> int:
    if args.action == "up":
        machine.up(args.name, args.suite)
    elif args.action == "down" and args.all:
        machine.down_all()
    elif args.action == "down":
        machine.down(args.name)
    elif args.action == "reboot":
        machine.reboot(args.name)
    elif args.action == "off":
        machine.off(args.name)
    else:
        whole = machine.Machines().entering(args.name, *_command(args))
        whole[1:1] = ["-t"] if sys.stdin.isatty() and sys.stdout.isatty() else []
        os.execvp(whole[0], whole)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except EngineError as problem:
        sys.exit(f"testbed: {problem}")
