# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each opt-out gives a service what it needs, and a service that has not asked for it does without."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.testbed.listing import NOTES

from .entries import PROGRAMS, Entry
from .lab import Lab

# What each gives back besides what it is for (programs/needs.py): by another one's name where that is the same. Of the
# rest realtime and foreign_abi take another kernel, and static_user is what keeps all of these root.
OPT_OUTS: Mapping[str, set[str]] = {
    "network": set(),
    "netlink": set(),
    "raw_sockets": {"network", "netlink", "other_users"},
    "setuid_calls": set(),
    "switch_users": {"setuid_calls", "other_users", "groups"},
    "escalate": {"setuid_calls", "switch_users", "resources", "other_users", "groups"},
    "devices": set(),
    "tunables": {"other_processes"},
    "home": set(),
    "jit": set(),
    "namespaces": set(),
    "resources": set(),
    "other_processes": set(),
    "debug": {"setuid_calls", "other_users"},
    "clock": {"other_users"},
    "kernel_modules": {"other_users"},
    "kernel_logs": {"other_users"},
    "shared_tmp": set(),
    "shared_files": set(),
    "setgid_files": set(),
    "other_users": set(),
    "personality": set(),
    "hostname": {"other_users"},
    "cgroups": set(),
    "mounts": {"devices", "home", "tunables", "other_processes", "shared_tmp", "shared_ipc", "other_users", "cgroups"},
    "shared_ipc": set(),
    "groups": set(),
}
VALUES: Mapping[str, Any] = {"groups": {"groups": ["video"]}}
WORLD = """
test -e /dev/needed || mknod -m 666 /dev/needed c 1 3
touch /root/needed /tmp/needed; chmod 644 /tmp/needed
install -m 640 -o nobody -g video /dev/null /srv/of-video
python3 -c 'import ctypes; ctypes.CDLL(None).shmget(0x4e33, 16, 0o1666)'
"""
NO_WORLD = "rm -f /dev/needed /root/needed /tmp/needed /srv/of-video; ipcrm --shmem-key 0x4e33"


@pytest.fixture
def needy(host: Lab) -> Iterator[Lab]:
    host.sh(WORLD)
    yield host
    host.sh(NO_WORLD)


def needing(name: str, *allow: Any) -> Entry:
    """Under the strictest profile."""
    return {
        "name": f"needs-{name}",
        "type": "oneshot",
        "exec_start": f"/usr/bin/python3 -B {PROGRAMS}/needs.py {NOTES}/{name} {NOTES}",
        "remain_after_exit": True,
        "hardening": {"profile": "maximum", "allow": ["static_user", *allow], "read_write_paths": [NOTES]},
    }


def done(host: Lab, name: str) -> set[str]:
    rows = [line.split() for line in host.read(f"{NOTES}/{name}").splitlines()]
    return {need for need, came in rows if came == "done"}


def test_each_gives_back_what_it_is_for_and_nothing_else(needy: Lab) -> None:
    services = [
        needing("nothing"),
        *(needing(name, VALUES.get(name, name)) for name in OPT_OUTS),
        needing("low_ports", "network", "low_ports"),
    ]
    needy.apply(services=services)
    came = {name: done(needy, name) for name in ("nothing", "low_ports", *OPT_OUTS)}
    # Nothing keeps that from it before PrivateIPC=, which came with 248.
    free = {"shared_ipc"} if needy.systemd < 248 else set()
    expected = {name: {name, *more} | free for name, more in OPT_OUTS.items()}
    expected.update(nothing=free, low_ports={"network", "low_ports", "other_users"} | free)
    assert came == expected
