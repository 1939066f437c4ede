# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Units of users: of one, by the user's own manager, and of all of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.integration.support import FOREVER, QUICK, USER, Result, failed, succeeded, verbs
from tests.integration.world import beside, show
from tests.testbed.host import Host

HOME = f"/home/{USER}"
UNITS = f"{HOME}/.config/systemd/user"
AS_USER = ("runuser", "-u", USER, "--")
# What become leaves of the environment: the connecting user's, or none.
BECOME = {"HOME": "/root", "USER": "root", "XDG_RUNTIME_DIR": "/run/user/0"}


def ask(host: Host, command: str) -> str:
    return host.sh(f"XDG_RUNTIME_DIR=/run/user/$(id -u {USER}) runuser -u {USER} -- {command}", check=False)


def apply(host: Host, *units: dict[str, Any], **more: Any) -> Result:
    given = {"scope": "user", "prefix": AS_USER, "env": BECOME, "health": QUICK, **more}
    return host.module("stack", name="mine", **({"units": list(units)} if units else {}), **given)


def settled(host: Host, *units: dict[str, Any], **more: Any) -> Result:
    result = succeeded(apply(host, *units, **more))
    assert succeeded(apply(host, *units, **more))["plan"] == []
    return result


def service(**more: Any) -> dict[str, Any]:
    return {
        "name": "mine-web.service",
        "service": {"ExecStart": FOREVER},
        "install": {"WantedBy": "default.target"},
        **more,
    }


@pytest.fixture
def clean(host: Host) -> Iterator[Host]:
    yield host
    succeeded(apply(host, state="absent"))
    assert host.sh(f"find {UNITS} {HOME}/.config/unitwright -name '*mine*'", check=False) == ""
    assert ask(host, "systemctl --user list-units --all --plain --no-legend 'mine*'") == ""


def test_a_manager_that_is_about_to_come_up_is_awaited(clean: Host) -> None:
    uid = clean.sh(f"id -u {USER}")
    clean.sh(f"systemctl stop user@{uid}.service")
    assert ask(clean, "systemctl --user is-system-running") in ("", "offline")
    once_asked = f"until pgrep -f run_modul[e].py; do sleep 0.1; done; sleep 2; systemctl start user@{uid}.service"
    with beside(clean, once_asked):
        settled(clean, service())


def test_a_manager_is_found_from_another_network_namespace(clean: Host) -> None:
    settled(clean, service())
    prefix = ("unshare", "--net", *AS_USER)
    assert succeeded(apply(clean, service(), prefix=prefix))["plan"] == []


def test_a_target_of_the_system_is_none_of_a_user(clean: Host) -> None:
    result = succeeded(apply(clean, service(install={"WantedBy": "multi-user.target"})))
    assert "did you mean default.target?" in str(result["unverified"])


def test_a_users_sockets_of_one_service_listen(clean: Host) -> None:
    def units(first: int) -> list[dict[str, Any]]:
        listen = {"Service": "mine-web.service"}
        return [
            service(),
            {"name": "mine-a.socket", "socket": {**listen, "ListenStream": f"127.0.0.1:{first}"}},
            {"name": "mine-b.socket", "socket": {**listen, "ListenStream": f"127.0.0.1:{first + 1}"}},
        ]

    for first in (8400, 8500):
        settled(clean, *units(first))
        assert ask(clean, "systemctl --user is-active mine-a.socket mine-b.socket") == "active\nactive"


def test_a_users_service_is_started_enabled_and_its_own(clean: Host) -> None:
    result = settled(clean, service())
    assert result["newly_started"] == ["mine-web.service"]
    assert ask(clean, "systemctl --user is-enabled mine-web.service") == "enabled"
    pid = ask(clean, "systemctl --user show --value --property=MainPID mine-web.service")
    assert clean.sh(f"stat -c %U /proc/{pid} {UNITS}/mine-web.service") == f"{USER}\n{USER}"


@pytest.mark.parametrize(
    "changed",
    [
        {"environment": {"A": "2"}},
        {"triggers": {"values": [2]}},
        {"secrets": {"TOKEN": "not-to-be-seen"}},
    ],
)
def test_a_users_service_is_restarted_once_a_change(clean: Host, changed: dict[str, Any]) -> None:
    settled(clean, service(environment={"A": "1"}, triggers={"values": [1]}))
    entry = service(environment={"A": "1"}, triggers={"values": [1]})
    assert settled(clean, {**entry, **changed})["restarted"] == ["mine-web.service"]


def test_a_users_service_restarted_by_anyone_stays_current(clean: Host) -> None:
    settled(clean, service(environment={"A": "1"}))
    ask(clean, "systemctl --user restart mine-web.service")
    assert succeeded(apply(clean, service(environment={"A": "1"})))["plan"] == []


@contextmanager
def by_hand(host: Host) -> Iterator[None]:
    """A drop-in that the user has written over the service."""
    folder = f"{UNITS}/mine-web.service.d"
    host.sh(f"runuser -u {USER} -- mkdir -p {folder}")
    host.write(f"{folder}/by-hand.conf", "[Service]\nEnvironment=B=2\n")
    try:
        yield
    finally:
        host.sh(f"rm -r {folder}")


@pytest.mark.parametrize("on_change", ["none", "reload"])
def test_a_users_manager_is_told_once_of_what_someone_else_wrote(clean: Host, on_change: str) -> None:
    entry = service(on_change=on_change)
    entry["service"] = {**entry["service"], "ExecReload": "/bin/true"}
    settled(clean, entry)
    with by_hand(clean):
        result = settled(clean, entry)
        assert verbs(result) == ["daemon-reload", *(["reload"] if on_change == "reload" else [])]
        assert "mine-web.service" in result["kept"] or on_change == "reload"


def test_a_users_process_that_was_restarted_before_such_a_file_was_read(clean: Host) -> None:
    settled(clean, service())
    with by_hand(clean):
        ask(clean, "systemctl --user restart mine-web.service")
        assert verbs(settled(clean, service())) == ["daemon-reload", "restart"]
        pid = ask(clean, "systemctl --user show --value --property=MainPID mine-web.service")
        assert "B=2" in clean.read(f"/proc/{pid}/environ").split("\0")


def test_a_users_kept_process_stays_kept(clean: Host) -> None:
    """What it was started with is remembered, not what a later run has left it with."""
    settled(clean, service(on_change="none", environment={"A": "1"}))
    changed = service(on_change="none", environment={"A": "2"})
    for _again in range(2):
        assert "mine-web.service" in succeeded(apply(clean, changed))["kept"]
    assert settled(clean, service(environment={"A": "2"}))["restarted"] == ["mine-web.service"]


def test_a_users_missed_restart_is_made_up_for(clean: Host) -> None:
    path = f"{UNITS}/mine-web.service"
    settled(clean, service(environment={"A": "1"}))
    clean.sh(f"cat {path} > /run/old")
    settled(clean, service(environment={"A": "2"}))
    clean.sh(f"cat {path} > /run/new; cat /run/old > {path}")
    ask(clean, "systemctl --user daemon-reload")
    ask(clean, "systemctl --user restart mine-web.service")
    clean.sh(f"cat /run/new > {path}")
    ask(clean, "systemctl --user daemon-reload")
    assert settled(clean, service(environment={"A": "2"}))["restarted"] == ["mine-web.service"]


def test_a_users_secret_is_the_users_alone(clean: Host) -> None:
    settled(clean, service(secrets={"TOKEN": "not-to-be-seen"}))
    path = f"{HOME}/.config/unitwright/mine/mine-web.service.env"
    assert clean.sh(f"stat -c '%a %U' {path}") == f"600 {USER}"


def test_a_users_description_restarts_nothing(clean: Host) -> None:
    settled(clean, service())
    assert verbs(settled(clean, service(unit={"Description": "new"}))) == ["write", "daemon-reload"]


def test_a_users_broken_unit_is_refused(clean: Host) -> None:
    result = failed(apply(clean, {"name": "mine-bad.service", "service": {"ExecStart": FOREVER, "Type": "notfy"}}))
    assert result["errors"][0]["directive"] == "Type"
    assert not clean.exists(f"{UNITS}/mine-bad.service")


def test_a_users_service_that_fails_is_told(clean: Host) -> None:
    broken = {**service(), "service": {"ExecStart": "/bin/sh -c 'exit 6'"}, "health": {"stable_for": 0.3}}
    (error,) = failed(apply(clean, broken))["errors"]
    assert (error["unit"], error["status"]) == ("mine-web.service", "6")


def test_check_mode_for_a_user(clean: Host) -> None:
    would = succeeded(apply(clean, service(), check_mode=True))
    assert not clean.exists(f"{UNITS}/mine-web.service")
    assert succeeded(apply(clean, service()))["plan"] == would["plan"]


def test_a_manager_that_ends_with_its_session_is_a_warning(clean: Host) -> None:
    assert succeeded(apply(clean, service()))["unverified"] == []
    linger = f"/var/lib/systemd/linger/{USER}"
    clean.sh(f"mv {linger} /run/linger")
    result = succeeded(apply(clean, service()))
    clean.sh(f"mv /run/linger {linger}")
    assert [each["rule"] for each in result["unverified"]] == ["no-linger"]


def test_without_a_manager_the_error_names_linger(host: Host) -> None:
    prefix = ("runuser", "-u", "nobody", "--")
    result = failed(host.module("stack", name="mine", units=[service()], scope="user", prefix=prefix))
    assert "linger" in result["msg"]


def test_scope_global_writes_for_all_users_and_starts_nothing(host: Host) -> None:
    entry = {**service(), "name": "everyone.service"}
    result = succeeded(host.module("stack", name="all", units=[entry], scope="global"))
    assert (result["newly_started"], result["deferred"]) == ([], ["everyone.service"])
    link = "/etc/systemd/user/default.target.wants/everyone.service"
    assert host.sh(f"readlink -f {link}") == "/etc/systemd/user/everyone.service"
    assert succeeded(host.module("stack", name="all", units=[entry], scope="global"))["plan"] == []
    ask(host, "systemctl --user daemon-reload")
    assert ask(host, "systemctl --user is-enabled everyone.service") == "enabled"
    assert show(host, "everyone.service", "LoadState") == "not-found"
    succeeded(host.module("stack", name="all", state="absent", scope="global"))
    assert host.sh("find /etc/systemd/user -name 'everyone*'") == ""
    ask(host, "systemctl --user daemon-reload")


def test_scope_global_takes_no_secrets(host: Host) -> None:
    entry = service(secrets={"TOKEN": "not-to-be-seen"})
    result = failed(host.module("stack", name="all", units=[entry], scope="global"))
    assert result["errors"][0]["rule"] == "secrets-global"
