# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scope global writes for all users, starts nothing and keeps no secrets."""

from __future__ import annotations

import pytest

from .entries import Entry, service
from .lab import Lab


def test_scope_global_writes_for_all_users_and_starts_nothing(host: Lab) -> None:
    entry = service("everyone", install={"WantedBy": "default.target"})
    result = host.apply(entry, scope="global")
    assert (result["newly_started"], result["deferred"]) == ([], ["everyone.service"])
    link = "/etc/systemd/user/default.target.wants/everyone.service"
    assert host.sh(f"readlink -f {link}") == "/etc/systemd/user/everyone.service"
    host.assert_settled(entry, scope="global")
    host.as_user("systemctl --user daemon-reload")
    assert host.as_user("systemctl --user is-enabled everyone.service") == "enabled"
    assert host.show("everyone.service", "LoadState") == "not-found"
    host.remove(scope="global")
    assert host.sh("find /etc/systemd/user -name 'everyone*'") == ""
    host.as_user("systemctl --user daemon-reload")


def test_scope_global_takes_no_secrets(host: Lab) -> None:
    result = host.failing(service(secrets={"TOKEN": "not-to-be-seen"}), scope="global")
    assert result["errors"][0]["rule"] == "secrets-global"


NICE = {"service": {"Nice": 1}}


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({"units": [service(health={"tcp": "127.0.0.1:80"})]}, "health"),
        ({"units": [service(triggers={"values": ["a"]})]}, "triggers"),
        ({"units": [service("main@", instances=[{"name": "a", "health": {"command": ["/no/such"]}}])]}, "health"),
        (
            {"dropins": [{"name": "main.service", "dropin": "a", "service": {"Nice": 1}, "health": {"timeout": 5}}]},
            "health",
        ),
        (
            {"services": [{"name": "main", "exec_start": "/bin/true", "triggers": {"files": ["/etc/fstab"]}}]},
            "triggers",
        ),
    ],
)
def test_what_scope_global_does_nothing_with(host: Lab, options: Entry, option: str) -> None:
    for result in (host.foretell(**options, scope="global"), host.apply(**options, scope="global")):
        assert "unheeded" in {each["rule"] for each in result["unverified"]}
        assert any(f"{option} does nothing in scope global" in warning for warning in result["warnings"])
