# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A program set up on a host, its exposure there, and what its users do with it and try on it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from tests.testbed.host import Host

from .programs import Program
from .recipes import Recipe

ATTEMPTS = Path(__file__).with_name("attempts.py")
# What comes of each attempt: a service that nobody hardens does all of it.
REFUSED = {
    "write_outside": {"EROFS"},
    "read_anothers_file": {"EACCES", "ENOENT"},
    "see_anothers_process": {"ESRCH"},
    "trace": {"EPERM"},
    "leave_a_setuid_file": {"EPERM"},
    "ask_the_kernel_for_routes": {"EAFNOSUPPORT"},
    "make_a_namespace": {"EPERM"},
    "connect_outside": {"TimeoutError", "EAFNOSUPPORT", "EPERM"},
}
UNHARDENED = 9.0


def set_up(host: Host, program: Program) -> None:
    for path, text in program.files:
        host.write(path, text)
    host.sh(program.setup)


def exposure(host: Host, unit: str) -> float:
    said = re.search(r": (\d+\.\d+) ", host.sh(f"systemd-analyze security --no-pager '{unit}' | tail -1"))
    assert said
    return float(said.group(1))


def works(host: Host, commands: Sequence[str]) -> None:
    """It does what it is for; right after a start it may not listen yet."""
    host.sh(f"for i in $(seq 50); do ({commands[0]}) > /dev/null 2>&1 && exit; sleep 0.1; done; {commands[0]}")
    for command in commands:
        host.sh(command)


def restarts(host: Host, recipe: Recipe) -> None:
    """Nobody has to wait for it, or kill it, as its end is its own."""
    unit = recipe.program.unit
    host.sh(f"systemctl stop '{unit}'")
    assert host.sh(f"systemctl show -P Result '{unit}'") == "success"
    host.sh(f"systemctl start '{unit}'")
    works(host, recipe.work)


def reloads(host: Host, recipe: Recipe) -> None:
    """If it can be; what else its user does every day comes after it."""
    unit = recipe.program.unit
    if host.sh(f"systemctl show -P CanReload '{unit}'") == "yes":
        host.sh(f"systemctl reload '{unit}'")
        works(host, recipe.work)
    for command in recipe.changes:
        host.sh(command)
        works(host, recipe.work)


def rotates(host: Host, recipe: Recipe) -> None:
    """What has no log of its own writes to the journal."""
    if not recipe.rotated:
        host.sh("journalctl --rotate")
        works(host, recipe.work)
        return
    config, log = recipe.rotated
    host.sh(f"logrotate --force /etc/logrotate.d/{config}")
    works(host, recipe.work)
    host.sh(f"ls {log}.1*; for i in $(seq 50); do test -s {log} && exit; sleep 0.1; done; exit 1")


def bare(host: Host, recipe: Recipe) -> None:
    """As shipped all succeeds that the recipe is to refuse, so that it is the recipe that refuses it."""
    for command in recipe.refused:
        host.sh(command)
    if exposure(host, recipe.program.unit) > UNHARDENED:
        assert _attempts(host, recipe) == dict.fromkeys(REFUSED, "done")


def protected(host: Host, recipe: Recipe) -> None:
    came = _attempts(host, recipe)
    assert came.keys() == REFUSED.keys()
    assert recipe.outside == (came.pop("connect_outside") == "done")
    assert [f"{each}: {what}" for each, what in came.items() if what not in REFUSED[each]] == []
    for command in recipe.refused:
        assert host.run("/bin/sh", "-c", command).returncode != 0, command


def _attempts(host: Host, recipe: Recipe) -> dict[str, str]:
    """What a process of the service comes to that tries what it is not meant to."""
    unit = recipe.program.unit
    lines = [f"ExecStartPost=/usr/bin/python3 -B /opt/attempts.py {recipe.state}"]
    lines += [f"ExecPaths={recipe.interpreter}"] if recipe.interpreter else []
    host.write("/opt/attempts.py", ATTEMPTS.read_text(encoding="utf-8"))
    host.write(f"/run/systemd/system/{unit}.d/zz-attempts.conf", "\n".join(["[Service]", *lines, ""]))
    host.sh(f"systemctl daemon-reload && systemctl restart '{unit}'")
    said = host.sh(
        f"run=$(systemctl show -P InvocationID '{unit}'); journalctl --sync; "
        'journalctl --output=cat _SYSTEMD_INVOCATION_ID="$run"'
    )
    host.sh(f"rm -r '/run/systemd/system/{unit}.d'; systemctl daemon-reload; systemctl restart '{unit}'")
    return dict(re.findall(r"^attempt (\w+): (\w+)$", said, re.MULTILINE))
