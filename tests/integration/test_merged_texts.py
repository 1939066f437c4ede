# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A text and the drop-ins over it are one: every default and every rule goes by what systemd merges of them."""

from __future__ import annotations

import pytest

from tests.testbed.listing import NOTES

from .entries import IDLE, UNITS, VENDOR, WANTED, Entry, service, timer
from .lab import Lab, actions

MAIN = "main.service"
ONESHOT = "[Service]\nType=oneshot\n"
LOG = f"{NOTES}/log"
APPENDS = f"/bin/sh -c 'echo ran >> {LOG}'"


def over(name: str = MAIN, dropin: str = "more", **more: object) -> Entry:
    return {"name": name, "dropin": dropin, **more}


def test_a_reload_that_a_dropin_brings(host: Lab) -> None:
    unit = service(on_change="reload", triggers={"values": [1]})
    dropins = [over(service={"ExecReload": f"/bin/touch {NOTES}/reloaded"})]
    assert host.refused(unit)["errors"][0]["directive"] == "ExecReload"
    host.settled(unit, dropins=dropins)
    changed = {**unit, "triggers": {"values": [2]}}
    assert host.settled(changed, dropins=dropins)["reloaded"] == [MAIN]
    assert host.exists(f"{NOTES}/reloaded")
    assert host.apply({**unit, "state": "reloaded"}, dropins=dropins)["reloaded"] == [MAIN]
    taken = [over(service={"ExecReload": ""})]
    again = service(on_change="reload", service={"ExecReload": "/bin/true"})
    assert host.refused(again, dropins=taken)["errors"][0]["directive"] == "ExecReload"


def test_a_reload_that_someone_elses_dropin_brings(host: Lab) -> None:
    host.write(f"{UNITS}/{MAIN}.d/theirs.conf", "[Service]\nExecReload=/bin/true\n")
    host.sh("systemctl daemon-reload")
    unit = service(on_change="reload", triggers={"values": [1]})
    host.settled(unit)
    assert host.settled({**unit, "triggers": {"values": [2]}})["reloaded"] == [MAIN]


@pytest.mark.parametrize("text", [{"install": WANTED}, {"content": "[Install]\nWantedBy=multi-user.target\n"}])
def test_enablement_that_a_dropin_brings(host: Lab, text: Entry) -> None:
    dropins = [over(**text)]
    assert host.refused(service(enabled=True), dropins=[])["errors"][0]["rule"] == "no-install"
    result = host.settled(service(enabled=True), dropins=dropins)
    assert ("enable", MAIN) in actions(result)
    assert host.enabled(MAIN) == "enabled"
    assert host.settled(service(enabled=False), dropins=dropins)["unverified"] != []
    assert host.enabled(MAIN) == "disabled"
    assert host.settled(service(), dropins=dropins)["unverified"] == []
    assert host.enabled(MAIN) == "enabled"
    host.settled(service(), prune=True)
    assert host.enabled(MAIN) == "static"


def test_enablement_that_a_dropin_takes_away(host: Lab) -> None:
    unit = service(install=WANTED)
    host.settled(unit)
    dropins = [over(install={"WantedBy": ""})]
    assert ("disable", MAIN) in actions(host.settled(unit, dropins=dropins))
    assert not host.sh(f"find {UNITS} -name {MAIN} -path '*.wants*'")
    assert host.refused({**unit, "enabled": True}, dropins=dropins)["errors"][0]["rule"] == "no-install"


def test_an_instance_that_its_own_dropin_enables(host: Lab) -> None:
    template = service("t@", instances=["x", "y"])
    result = host.settled(template, dropins=[over("t@x.service", install=WANTED)])
    assert [unit for verb, unit in actions(result) if verb == "enable"] == ["t@x.service"]
    assert result["unverified"] == []
    assert (host.enabled("t@x.service"), host.states("t@x.service", "t@y.service")) == ("enabled", ["active"] * 2)
    host.settled(template, dropins=[over("t@.service", install=WANTED)], prune=True)
    assert (host.enabled("t@x.service"), host.enabled("t@y.service")) == ("enabled", "enabled")


def test_a_service_that_a_dropin_makes_a_oneshot(host: Lab) -> None:
    unit = service(command=APPENDS)
    dropins = [over(content=ONESHOT)]
    result = host.settled(unit, dropins=dropins)
    assert (result["newly_started"], host.exists(LOG)) == ([], False)
    assert host.refused({**unit, "state": "started"}, dropins=dropins)["errors"][0]["directive"] == "Type"
    host.settled({**unit, "run": "on_change"}, dropins=[*dropins, over(dropin="b", service={"Nice": 1})])
    assert host.read(LOG).split() == ["ran"]
    stays = [*dropins, over(dropin="b", service={"RemainAfterExit": True})]
    assert host.refused({**unit, "run": "on_change"}, dropins=stays)["errors"][0]["directive"] == "Type"
    assert host.settled(unit, dropins=stays)["newly_started"] == [MAIN]


def test_a_oneshot_of_someone_else_runs_when_a_dropin_over_it_changes(host: Lab) -> None:
    host.foreign(MAIN, f"[Service]\nType=oneshot\nExecStart={APPENDS}\n", start=False)
    unit = {"name": MAIN, "run": "on_change"}
    host.settled(unit, dropins=[over(environment={"A": "1"})])
    assert host.read(LOG).split() == ["ran"]
    host.settled(unit, dropins=[over(environment={"A": "2"})])
    assert host.read(LOG).split() == ["ran", "ran"]
    host.settled(unit, dropins=[over(environment={"A": "2"}, unit={"Description": "Another"})])
    assert host.read(LOG).split() == ["ran", "ran"]


def test_options_beside_a_dropin_over_a_unit_of_someone_else(host: Lab) -> None:
    host.foreign(MAIN, IDLE)
    unit = {"name": MAIN, "on_change": "reload", "enabled": True}
    assert [each["rule"] for each in host.refused(unit, dropins=[over(service={"Nice": 1})])["errors"]] == [
        *("option", "no-install")
    ]
    dropins = [over(service={"ExecReload": "/bin/true"}, install=WANTED, triggers={"values": [1]})]
    host.settled(unit, dropins=dropins)
    assert host.enabled(MAIN) == "enabled"
    since = host.invocation(MAIN)
    assert host.settled(unit, dropins=[{**dropins[0], "triggers": {"values": [2]}}])["reloaded"] == [MAIN]
    assert host.invocation(MAIN) == since


def test_what_starts_a_service_is_told_by_merged_texts(host: Lab) -> None:
    units = [service(), service("other"), timer("2038-01-01", "job")]
    dropins = [over("job.timer", timer={"Unit": MAIN})]
    assert set(host.settled(*units, dropins=dropins)["newly_started"]) == {"job.timer", "other.service"}
    assert host.states(MAIN, "other.service") == ["inactive", "active"]


def test_a_socket_that_a_dropin_points_at_a_service(host: Lab) -> None:
    socket = {"name": "s.socket", "socket": {"ListenStream": "/run/s"}}
    dropins = [over("s.socket", socket={"Service": MAIN})]
    assert host.settled(socket, service(), dropins=dropins)["newly_started"] == ["s.socket"]
    host.settled(socket, service(), dropins=[*dropins, over("s.socket", "z", socket={"SocketMode": "0600"})])
    assert host.states("s.socket", MAIN) == ["active", "inactive"]


def test_the_same_is_foretold(host: Lab) -> None:
    unit, dropins = service(on_change="reload"), [over(service={"ExecReload": "/bin/true"}, install=WANTED)]
    foretold = actions(host.foretell(unit, dropins=dropins))
    assert ("enable", MAIN) in foretold
    assert actions(host.apply(unit, dropins=dropins)) == foretold


def test_the_same_in_an_image(host: Lab) -> None:
    root = f"{NOTES}/root"
    host.write(f"{root}{VENDOR}/multi-user.target", "[Unit]\n")
    dropins = [over(service={"ExecReload": "/bin/true"}, install=WANTED)]
    host.settled(service(on_change="reload"), dropins=dropins, root=root)
    assert host.sh(f"ls {root}{UNITS}/multi-user.target.wants") == MAIN
