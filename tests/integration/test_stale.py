# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that runs with something older than its files say is found, whoever forgot to restart it."""

from __future__ import annotations

import pytest

from tests.testbed.listing import NOTES

from .entries import IDLE, UNITS, WANTED, Entry, service
from .lab import Lab, actions, verbs


def test_a_missed_restart_is_made_up_for(host: Lab) -> None:
    """The files are there and loaded, the process is not: as a handler that never ran leaves it."""
    unit = service(environment={"A": "1"})
    host.apply(unit)
    old = host.read(f"{UNITS}/main.service")
    changed = {**unit, "environment": {"A": "2"}}
    host.apply(changed)
    new = host.read(f"{UNITS}/main.service")
    host.write(f"{UNITS}/main.service", old)
    host.sh(f"systemctl daemon-reload; systemctl restart {unit['name']}")
    host.write(f"{UNITS}/main.service", new)
    host.sh("systemctl daemon-reload")
    result = host.settled(changed)
    assert actions(result) == [("restart", unit["name"])]
    assert host.environment(unit["name"])["A"] == "2"


def test_files_that_systemd_has_not_loaded_yet_are_loaded(host: Lab) -> None:
    unit = service(environment={"A": "1"})
    host.apply(unit)
    host.sh(f"systemctl stop {unit['name']}; cp -a {UNITS}/main.service {NOTES}/kept")
    host.write(f"{UNITS}/main.service", "[Service]\nExecStart=/bin/false\n")
    host.sh("systemctl daemon-reload")
    host.sh(f"mv {NOTES}/kept {UNITS}/main.service")
    result = host.settled(unit)
    assert ("daemon-reload", "") in actions(result)
    assert host.environment(unit["name"])["A"] == "1"


def test_an_edit_by_hand_is_taken_back(host: Lab) -> None:
    unit = service(environment={"A": "1"})
    host.apply(unit)
    host.sh(f"sed -i s/A=1/A=hand/ {UNITS}/main.service")
    host.sh(f"systemctl daemon-reload; systemctl restart {unit['name']}")
    assert host.environment(unit["name"])["A"] == "hand"
    host.settled(unit)
    assert host.environment(unit["name"])["A"] == "1"


def test_a_mode_changed_by_hand_is_taken_back(host: Lab) -> None:
    unit = service(secrets={"TOKEN": "not-to-be-seen"})
    host.apply(unit)
    secret = f"/etc/unitwright/test/{unit['name']}.env"
    host.sh(f"chmod 644 {secret}")
    result = host.settled(unit)
    assert result["plan"][0]["path"] == secret
    assert host.sh(f"stat -c %a {secret}") == "600"


def test_a_unit_file_removed_by_hand_is_written_again(host: Lab) -> None:
    unit = service(install=WANTED)
    host.apply(unit)
    host.sh(f"rm {UNITS}/main.service; systemctl daemon-reload")
    host.settled(unit)
    assert host.show("main.service", "LoadState") == "loaded"


def test_a_restart_by_anyone_makes_a_process_current(host: Lab) -> None:
    unit = service(environment={"A": "1"})
    host.apply(unit)
    host.sh(f"systemctl restart {unit['name']}")
    host.assert_settled(unit)


def test_a_daemon_reexec_changes_nothing(host: Lab) -> None:
    unit = service(environment={"A": "1"}, install=WANTED)
    host.apply(unit)
    host.sh("systemctl daemon-reexec")
    host.assert_settled(unit)


def test_the_journal_can_be_asked_for_one_deployed_version(host: Lab) -> None:
    unit = service(command="/bin/sh -c 'echo it is me; exec sleep infinity'")
    host.apply(unit)
    (line,) = host.sh(f"grep -h LogExtraFields= {UNITS}/main.service").splitlines()
    stamp = line.partition("=")[2]
    host.sh("journalctl --sync")
    assert "it is me" in host.sh(f"journalctl --quiet --output=cat {stamp}")


def by_hand(host: Lab, unit: str = "main.service", text: str = "[Service]\nEnvironment=B=2\n") -> str:
    """The path of a drop-in that someone else writes over a unit."""
    path = f"{UNITS}/{unit}.d/by-hand.conf"
    host.write(path, text)
    return path


def test_a_file_of_someone_else_that_systemd_has_not_read_is_put_into_force(host: Lab) -> None:
    unit = service(environment={"A": "1"})
    host.apply(unit)
    by_hand(host)
    result = host.settled(unit)
    assert actions(result) == [("daemon-reload", ""), ("restart", unit["name"])]
    assert host.environment(unit["name"])["B"] == "2"


def test_a_process_that_was_restarted_before_systemd_read_such_a_file(host: Lab) -> None:
    unit = service(environment={"A": "1"})
    host.apply(unit)
    by_hand(host)
    host.sh(f"systemctl restart {unit['name']}")
    assert "B" not in host.environment(unit["name"])
    assert host.settled(unit)["restarted"] == [unit["name"]]
    assert host.environment(unit["name"])["B"] == "2"


def test_such_a_file_is_reloaded_for_once(host: Lab) -> None:
    unit = service(service={"ExecReload": "/bin/true"}, on_change="reload")
    host.apply(unit)
    by_hand(host)
    host.sh("systemctl daemon-reload")
    assert host.settled(unit)["reloaded"] == [unit["name"]]


def test_such_a_file_over_one_of_many_that_a_dropin_is_for(host: Lab) -> None:
    """The unit is named nowhere, and yet systemd has to read its files for a restart to be of any use."""
    name = "test-theirs.service"
    host.foreign(name)
    dropin = {"name": "test-.service", "dropin": "all", "environment": {"A": "1"}, "on_change": "restart"}
    assert ("restart", name) in actions(host.settled(dropins=[dropin]))
    by_hand(host, name)
    assert actions(host.settled(dropins=[dropin])) == [("daemon-reload", ""), ("restart", name)]
    assert host.environment(name)["B"] == "2"


def test_a_mode_of_someone_elses_file_restarts_nothing(host: Lab) -> None:
    unit = service(environment={"A": "1"})
    host.apply(unit)
    path = by_hand(host)
    host.settled(unit)
    host.sh(f"chmod 600 {path}")
    assert actions(host.settled(unit)) == [("daemon-reload", "")]


def test_a_unit_of_someone_else_is_not_restarted_for_what_others_change(host: Lab) -> None:
    """It may be about to fail by that, and a task that only asks for its state has nothing to do with it."""
    name = "test-theirs.service"
    host.foreign(name)
    by_hand(host, name, "[Service]\nExecStart=\nExecStart=/bin/false\n")
    host.sh("systemctl daemon-reload")
    about = {"name": name, "dropin": "about", "unit": {"Documentation": "man:sleep(1)"}}
    for given in ({"name": name, "state": "started"}, {"name": name, "enabled": False}):
        assert host.apply(given)["plan"] == []
    assert verbs(host.settled(dropins=[about])) == ["write", "daemon-reload"]


def test_a_stamp_that_someone_else_resets_restarts_nothing(host: Lab) -> None:
    unit = service(environment={"A": "1"})
    host.apply(unit)
    by_hand(host, text="[Service]\nLogExtraFields=\n")
    host.sh(f"systemctl daemon-reload; systemctl restart {unit['name']}")
    host.assert_settled(unit)


def test_what_was_reloaded_for_a_dropin_of_another_owner_is_current(host: Lab) -> None:
    unit = service(service={"ExecReload": "/bin/true"})
    host.apply(unit)
    since = host.invocation("main.service")
    dropin = {"name": unit["name"], "dropin": "more", "environment": {"A": "1"}, "on_change": "reload"}
    assert host.apply(module="dropin", **dropin)["reloaded"] == [unit["name"]]
    host.assert_settled(unit)
    assert host.invocation("main.service") == since
    assert host.remove(module="dropin", name=unit["name"], dropin="more")["changed"]


def test_what_an_operator_sets_in_an_emergency_restarts_nothing(host: Lab) -> None:
    unit = service(environment={"A": "1"})
    host.apply(unit)
    host.sh(f"systemctl set-property {unit['name']} CPUWeight=50")
    with host.untouched():
        host.assert_settled(unit)
    host.sh(f"systemctl revert {unit['name']}")
    host.apply(unit)


@pytest.mark.parametrize("on_change", ["none", "reload"])
def test_a_dropin_that_is_gone_is_in_force_until_the_process_is_a_new_one(host: Lab, on_change: str) -> None:
    name = "theirs.service"
    host.foreign(name, IDLE + "ExecReload=/bin/true\n")
    dropin = {"name": name, "dropin": "more", "environment": {"A": "1"}, "on_change": on_change}
    host.settled(dropins=[{**dropin, "on_change": "restart"}])
    gone = {"name": name, "dropin": "more", "state": "absent", "on_change": on_change}
    result = host.settled(dropins=[gone])
    assert host.environment(name)["A"] == "1"
    if on_change == "none":
        assert name in result["kept"]
        assert name in host.apply(dropins=[gone])["kept"]
        result = host.settled(dropins=[{**gone, "on_change": "restart"}])
        assert result["restarted"] == [name]
        assert "A" not in host.environment(name)


RELOADED = [("daemon-reload", "")]


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_dropin_of_someone_else_that_is_gone_is_forgotten(host: Lab, what: str) -> None:
    unit = service("main", service={"RestartSec": 7})
    path = by_hand(host, text="[Service]\nRestartSec=9\n")
    host.settled(unit)
    assert host.show("main.service", "RestartUSec") == "9s"
    folder = path.rpartition("/")[0]
    host.sh(f"rm -r {path if what == 'file' else folder}")
    for result in (host.foretell(unit), host.settled(unit)):
        assert actions(result) == RELOADED
    assert sorted(host.show("main.service", "RestartUSec", "NeedDaemonReload").split()) == ["7s", "no"]
    host.sh(f"rm -rf {folder}")


def test_a_dropin_that_is_gone_and_ours_is_only_the_other_dropin(host: Lab) -> None:
    host.foreign("theirs.service")
    path = by_hand(host, "theirs.service")
    dropin = {"name": "theirs.service", "dropin": "ours", "service": {"RestartSec": 7}}
    host.apply(dropins=[dropin])
    host.sh(f"rm {path}")
    assert actions(host.settled(dropins=[dropin])) == RELOADED


def test_a_dropin_that_is_gone_over_a_unit_of_someone_else_is_told(host: Lab) -> None:
    host.foreign("theirs.service")
    path = by_hand(host, "theirs.service")
    host.sh("systemctl daemon-reload")
    named: Entry = {"name": "theirs.service", "state": "started"}
    assert host.apply(named)["unverified"] == []
    host.sh(f"rm {path}")
    result = host.apply(named)
    assert result["plan"] == []
    assert [(each["unit"], each["rule"]) for each in result["unverified"]] == [("theirs.service", "outdated")]
    host.sh(f"rmdir {path.rpartition('/')[0]}")


def test_a_dropin_in_the_folder_of_an_alias(host: Lab) -> None:
    unit = service("main", environment={"A": "1"}, install={"Alias": "other.service"})
    host.settled(unit)
    path = by_hand(host, "other.service")
    assert actions(host.settled(unit)) == [*RELOADED, ("restart", "main.service")]
    assert host.environment("main.service")["B"] == "2"
    host.sh(f"rm -r {path.rpartition('/')[0]}")
    assert actions(host.settled(unit)) == RELOADED


def test_a_dropin_in_the_folder_of_an_alias_of_a_vendor(host: Lab) -> None:
    folder = "/usr/local/lib/systemd/system"
    host.foreign("theirs.service", folder=folder)
    host.sh(f"ln -s theirs.service {folder}/alias.service; systemctl daemon-reload")
    dropin = {"name": "theirs.service", "dropin": "ours", "environment": {"A": "1"}}
    host.apply(dropins=[dropin])
    by_hand(host, "alias.service")
    assert actions(host.settled(dropins=[dropin])) == [*RELOADED, ("restart", "theirs.service")]
    assert host.environment("theirs.service")["B"] == "2"


def test_a_dropin_that_someone_has_masked(host: Lab) -> None:
    host.write("/usr/local/lib/systemd/system/main.service.d/theirs.conf", "[Service]\nRestartSec=7\n")
    host.settled(service())
    assert host.show("main.service", "RestartUSec") == "7s"
    host.sh(f"mkdir {UNITS}/main.service.d && ln -s /dev/null {UNITS}/main.service.d/theirs.conf")
    assert actions(host.settled(service())) == RELOADED
    assert host.show("main.service", "RestartUSec") == "100ms"
