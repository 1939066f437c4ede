# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Units of a user are the user's own, by the user's manager."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.testbed.listing import NOTES

from .entries import WANTED, Entry, merged, service, socket
from .lab import USER, Lab, verbs


@pytest.fixture(autouse=True)
def gone(host: Lab) -> Iterator[None]:
    """In the user's manager nothing is left either, once the stack is removed."""
    yield
    host.remove_all()
    assert host.as_user("systemctl --user list-units --all --plain --no-legend 'mine*'") == ""


AS_USER = ("runuser", "-u", USER, "--")

# What become leaves of the environment: the connecting user's, or none.
BECOME = {"HOME": "/root", "USER": "root", "XDG_RUNTIME_DIR": "/run/user/0"}

MINE: Entry = {"name": "mine", "scope": "user", "prefix": AS_USER, "env": BECOME}


def mine(**more: Any) -> Entry:
    return service("mine-web", **merged({"install": {"WantedBy": "default.target"}}, more))


def test_a_manager_that_is_about_to_come_up_is_awaited(host: Lab) -> None:
    uid = host.sh(f"id -u {USER}")
    host.sh(f"systemctl stop user@{uid}.service")
    assert host.as_user("systemctl --user is-system-running") in ("", "offline")
    once_asked = f"until pgrep -f run_modul[e].py; do sleep 0.1; done; sleep 2; systemctl start user@{uid}.service"
    with host.beside(once_asked):
        host.settled(mine(), **MINE, besides=[f"user@{uid}.service", f"user-runtime-dir@{uid}.service"])


def test_a_manager_is_found_from_another_network_namespace(host: Lab) -> None:
    host.settled(mine(), **MINE)
    prefix = ("unshare", "--net", *AS_USER)
    assert host.apply(mine(), **{**MINE, "prefix": prefix})["plan"] == []


def test_a_target_of_the_system_is_none_of_a_user(host: Lab) -> None:
    result = host.apply(mine(install=WANTED), **MINE)
    assert "did you mean default.target?" in str(result["unverified"])


def test_folders_that_systemd_makes_in_the_home_of_a_user(host: Lab) -> None:
    """Its state was in ~/.config until 254."""
    state = ".local/state" if host.systemd >= 254 else ".config"
    made = {"StateDirectory": "app", "WorkingDirectory": f"/home/{USER}/{state}/app/", "CacheDirectory": "app"}
    result = host.settled(mine(service={**made, "ReadWritePaths": f"/home/{USER}/.cache/app"}), **MINE)
    assert result["unverified"] == []
    elsewhere = mine(service={**made, "WorkingDirectory": "/var/lib/app"})
    assert [each["rule"] for each in host.foretell(elsewhere, **MINE)["unverified"]] == ["lacking"]


def test_a_users_sockets_of_one_service_listen(host: Lab) -> None:
    def units(first: int) -> list[Entry]:
        listen = {"Service": "mine-web.service"}
        return [mine(), socket(first, "mine-a", **listen), socket(first + 1, "mine-b", **listen)]

    for first in (8400, 8500):
        host.settled(*units(first), **MINE)
        assert host.as_user("systemctl --user is-active mine-a.socket mine-b.socket") == "active\nactive"


HOME = f"/home/{USER}"

FOLDER = f"{HOME}/.config/systemd/user"


def test_a_users_service_is_started_enabled_and_its_own(host: Lab) -> None:
    result = host.settled(mine(), **MINE)
    assert result["newly_started"] == ["mine-web.service"]
    assert host.as_user("systemctl --user is-enabled mine-web.service") == "enabled"
    pid = host.as_user("systemctl --user show --value --property=MainPID mine-web.service")
    assert host.sh(f"stat -c %U /proc/{pid} {FOLDER}/mine-web.service") == f"{USER}\n{USER}"


@pytest.mark.parametrize(
    "changed",
    [
        {"environment": {"A": "2"}},
        {"triggers": {"values": [2]}},
        {"secrets": {"TOKEN": "not-to-be-seen"}},
    ],
)
def test_a_users_service_is_restarted_once_a_change(host: Lab, changed: Entry) -> None:
    host.settled(mine(environment={"A": "1"}, triggers={"values": [1]}), **MINE)
    entry = mine(environment={"A": "1"}, triggers={"values": [1]})
    assert host.settled({**entry, **changed}, **MINE)["restarted"] == ["mine-web.service"]


def test_a_users_service_restarted_by_anyone_stays_current(host: Lab) -> None:
    host.settled(mine(environment={"A": "1"}), **MINE)
    host.as_user("systemctl --user restart mine-web.service")
    assert host.apply(mine(environment={"A": "1"}), **MINE)["plan"] == []


def by_hand(host: Lab) -> None:
    """A drop-in that the user writes over the service."""
    folder = f"{FOLDER}/mine-web.service.d"
    host.sh(f"runuser -u {USER} -- mkdir -p {folder}")
    host.write(f"{folder}/by-hand.conf", "[Service]\nEnvironment=B=2\n")


@pytest.mark.parametrize("on_change", ["none", "reload"])
def test_a_users_manager_is_told_once_of_what_someone_else_wrote(host: Lab, on_change: str) -> None:
    entry = mine(on_change=on_change, service={"ExecReload": "/bin/true"})
    host.settled(entry, **MINE)
    by_hand(host)
    result = host.settled(entry, **MINE)
    assert verbs(result) == ["daemon-reload", *(["reload"] if on_change == "reload" else [])]
    assert "mine-web.service" in result["kept"] or on_change == "reload"


def test_a_users_process_that_was_restarted_before_such_a_file_was_read(host: Lab) -> None:
    host.settled(mine(), **MINE)
    by_hand(host)
    host.as_user("systemctl --user restart mine-web.service")
    assert verbs(host.settled(mine(), **MINE)) == ["daemon-reload", "restart"]
    pid = host.as_user("systemctl --user show --value --property=MainPID mine-web.service")
    assert "B=2" in host.read(f"/proc/{pid}/environ").split("\0")


def test_a_users_kept_process_stays_kept(host: Lab) -> None:
    """What it was started with is remembered, not what a later run has left it with."""
    host.settled(mine(on_change="none", environment={"A": "1"}), **MINE)
    changed = mine(on_change="none", environment={"A": "2"})
    for _again in range(2):
        assert "mine-web.service" in host.apply(changed, **MINE)["kept"]
    assert host.settled(mine(environment={"A": "2"}), **MINE)["restarted"] == ["mine-web.service"]


def test_a_users_missed_restart_is_made_up_for(host: Lab) -> None:
    path = f"{FOLDER}/mine-web.service"
    host.settled(mine(environment={"A": "1"}), **MINE)
    host.sh(f"cat {path} > {NOTES}/old")
    host.settled(mine(environment={"A": "2"}), **MINE)
    host.sh(f"cat {path} > {NOTES}/new; cat {NOTES}/old > {path}")
    host.as_user("systemctl --user daemon-reload")
    host.as_user("systemctl --user restart mine-web.service")
    host.sh(f"cat {NOTES}/new > {path}")
    host.as_user("systemctl --user daemon-reload")
    assert host.settled(mine(environment={"A": "2"}), **MINE)["restarted"] == ["mine-web.service"]


def test_a_users_secret_is_the_users_alone(host: Lab) -> None:
    host.settled(mine(secrets={"TOKEN": "not-to-be-seen"}), **MINE)
    path = f"{HOME}/.config/unitwright/mine/mine-web.service.env"
    assert host.sh(f"stat -c '%a %U' {path}") == f"600 {USER}"


def test_a_users_description_restarts_nothing(host: Lab) -> None:
    host.settled(mine(), **MINE)
    assert verbs(host.settled(mine(unit={"Description": "new"}), **MINE)) == ["write", "daemon-reload"]


def test_a_users_broken_unit_is_refused(host: Lab) -> None:
    result = host.failing(service("mine-bad", service={"Type": "notfy"}), **MINE)
    assert result["errors"][0]["directive"] == "Type"
    assert not host.exists(f"{FOLDER}/mine-bad.service")


def test_a_users_service_that_fails_is_told(host: Lab) -> None:
    (error,) = host.failing(mine(service={"ExecStart": "/bin/sh -c 'exit 6'"}), **MINE)["errors"]
    assert (error["unit"], error["status"]) == ("mine-web.service", "6")


def test_check_mode_for_a_user(host: Lab) -> None:
    would = host.apply(mine(), check_mode=True, **MINE)
    assert not host.exists(f"{FOLDER}/mine-web.service")
    assert host.apply(mine(), **MINE)["plan"] == would["plan"]


def test_a_manager_that_ends_with_its_session_is_a_warning(host: Lab) -> None:
    assert host.apply(mine(), **MINE)["unverified"] == []
    linger = f"/var/lib/systemd/linger/{USER}"
    host.sh(f"mv {linger} {NOTES}/linger")
    result = host.apply(mine(), **MINE)
    host.sh(f"mv {NOTES}/linger {linger}")
    assert [each["rule"] for each in result["unverified"]] == ["no-linger"]


def test_without_a_manager_the_error_names_linger(host: Lab) -> None:
    prefix = ("runuser", "-u", "nobody", "--")
    result = host.failing(mine(), scope="user", prefix=prefix)
    assert "linger" in result["msg"]


@pytest.mark.parametrize("directive", ["Wants", "Requires", "After", "Before"])
def test_a_unit_of_the_system_is_none_of_a_user(host: Lab, directive: str) -> None:
    result = host.foretell(mine(unit={directive: "network-online.target"}), **MINE)
    (found,) = [each for each in result["unverified"] if "network-online.target" in each["message"]]
    assert "a user's manager knows no units of the system" in found["message"]


def test_an_order_that_is_one_for_a_user_is_not_told(host: Lab) -> None:
    """After what is there, what a package may bring, and what is told of as wished for."""
    orders = {"After": "default.target pipewire.service network-online.target", "Wants": "network-online.target"}
    result = host.foretell(mine(unit=orders), **MINE)
    assert [(each["rule"], each["directive"]) for each in result["unverified"]] == [("wants-nowhere", "Wants")]
    assert host.foretell(service(unit={"After": "network-online.target"}))["unverified"] == []


def test_a_user_has_no_dynamic_user(host: Lab) -> None:
    """Newer versions of systemd refuse such a unit as a whole."""
    result = host.attempt(mine(service={"DynamicUser": True}), check_mode=True, **MINE)
    found = [each for each in (*result.get("errors", ()), *result["unverified"]) if each["directive"] == "DynamicUser"]
    assert {each["rule"] for each in found} <= {"other-user", "verify"}
    assert all("leave it out" in each["message"] for each in found if each["rule"] == "verify")
    assert found
    assert host.failing(mine(service={"DynamicUser": True}), **MINE)


@pytest.mark.parametrize(
    ("directive", "first_without"), [("User", 253), ("SupplementaryGroups", 999), ("Group", 0)], ids=str
)
def test_what_not_even_the_own_user_may_be_taken_for(host: Lab, directive: str, first_without: int) -> None:
    unit = mine(service={directive: USER})
    told = [each["directive"] for each in host.foretell(unit, **MINE)["unverified"] if each["rule"] == "other-user"]
    assert told == ([directive] if host.systemd < first_without else [])
    assert bool(host.attempt(unit, **MINE).get("failed")) == bool(told)
