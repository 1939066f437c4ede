# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The drop-in over nginx, which a package brought, is in force in the running process."""

from __future__ import annotations

import re

from testinfra.host import Host

from .conftest import Show


def open_files(host: Host, pid: str) -> tuple[int, int]:
    limits = host.file(f"/proc/{pid}/limits").content_string
    soft, hard = re.search(r"^Max open files +(\d+) +(\d+)", limits, re.MULTILINE).groups()
    return int(soft), int(hard)


def test_it_is_loaded(show: Show) -> None:
    assert "/etc/systemd/system/nginx.service.d/50-limits.conf" in show("nginx.service", "DropInPaths").split()
    assert show("nginx.service", "LimitNOFILE") == "65535"
    assert show("nginx.service", "FragmentPath").endswith("lib/systemd/system/nginx.service")


def test_the_process_has_the_limit(host: Host, show: Show) -> None:
    # A container may be given less than that, and then systemd takes what there is.
    _soft, most = open_files(host, "1")
    assert open_files(host, show("nginx.service", "MainPID")) == (min(65535, most),) * 2
