# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An interrupted run is finished by the next, by its record; one that cannot be read stops it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.faults import scenarios
from tests.faults.driving import Driver, complaints
from tests.faults.scenarios import Scenario
from tests.testbed.listing import NOTES

from .entries import MOUNT, UNITS, app, service, tmpfs
from .lab import CUT_OFF, Lab, actions


@pytest.mark.by_force("the driver leaves its scenario")
@pytest.mark.parametrize(("scenario", "parts"), [(scenarios.RESTART, 4), (scenarios.MASK, 5)], ids=["restart", "mask"])
def test_killed_and_run_again(host: Lab, scenario: Scenario, parts: int) -> None:
    driver = Driver(host)
    driver.install()
    answer = driver.trials(scenario, part=0, parts=parts)
    assert answer["tried"] > 0
    assert not complaints(answer)


def test_what_a_stop_took_down_is_started_by_the_run_that_finishes_it(host: Lab) -> None:
    """The stop itself cuts the run off."""
    base = app(1, "base", service={"ExecStop": f"/bin/sh -c '{CUT_OFF}; sleep 0.5'"})
    part = app(1, "part", unit={"PartOf": "base.service", "After": "base.service"}, state="present")
    host.apply(base, part)
    host.sh("systemctl start part.service")
    host.cut_off(part, prune=True)
    result = host.apply(part, prune=True)
    assert "part.service: start" in result["recovered"]
    assert host.state("part.service") == "active"


def test_what_an_adopted_stack_had_begun_is_finished_by_its_new_owner(host: Lab) -> None:
    """The new version itself cuts off the run that waits for it, once."""
    killing = f"/bin/sh -c 'test $$A = 2 && mkdir {NOTES}/once && sleep 1 && {CUT_OFF} & exec sleep infinity'"
    unit = service(command=killing, environment={"A": "1"})
    host.apply(unit, name="other")
    changed = {**unit, "environment": {"A": "2"}}
    host.cut_off({**changed, "health": {"stable_for": 60}}, name="other")
    result = host.settled(changed, adopt=["other"])
    assert result["recovered"]
    assert not host.sh("ls /var/lib/unitwright/system/running")


def test_what_keep_left_undone_is_done_by_the_next_run(host: Lab) -> None:
    """A reload that a run never came to shows nowhere but in its record."""
    before, after = tmpfs(Options="mode=0700"), tmpfs(Options="mode=0755,size=4M")
    host.apply(before)
    links = f"{UNITS}/x.target.wants"
    host.write(links, "in the way")
    enabled = service(install={"WantedBy": "x.target"})
    host.failing(after, enabled, on_failure="keep")
    assert "size=4096k" not in host.sh(f"findmnt -no OPTIONS {MOUNT}")
    host.sh(f"rm {links}")
    result = host.settled(after, enabled)
    assert result["recovered"]
    assert "size=4096k" in host.sh(f"findmnt -no OPTIONS {MOUNT}")


def test_a_run_that_failed_and_was_kept_is_made_again(host: Lab) -> None:
    flag = f"{NOTES}/flag"
    once = service(command=f"/bin/test -e {flag}", service={"Type": "oneshot"}, run="on_change")
    host.failing(once, on_failure="keep")
    host.failing(once, on_failure="keep")
    host.write(flag, "")
    assert actions(host.settled(once)) == [("reset-failed", once["name"]), ("run", once["name"])]


def test_a_damaged_list_of_the_accepted(host: Lab) -> None:
    """It counts as not there; the run goes on and leaves it in order."""
    host.apply(app(1))
    path = "/var/lib/unitwright/system/accepted.json"
    damages = ["", "\\0\\377", '{"up": []}']
    for number, damage in enumerate(damages, 2):
        host.sh(f"mkdir -p $(dirname {path}) && printf '%b' '{damage}' > {path}")
        result = host.apply(app(number))
        assert result["restarted"] == ["app.service"], damage
    assert host.no_record()
    assert host.version() == str(len(damages) + 1)


RECORD: dict[str, Any] = {
    "boot": "another",
    "begun": "2001-01-01T00:00:00Z",
    "backups": {},
    **{key: [] for key in ("enabled", "retrying", "idle", "handled")},
    **{key: {} for key in ("links", "up", "owed", "watched")},
}


@pytest.mark.parametrize(
    "wrong",
    ["", "\0", "{}", {"format": 99}, {"more": 1}, {"backups": {"/etc/passwd": None}}, {"up": {"a/b": ""}}],
    ids=["empty", "garbage", "no record", "of a newer version", "a field", "a file of others", "a unit that is none"],
)
def test_a_record_that_cannot_be_read_stops_the_run(host: Lab, wrong: str | dict[str, Any]) -> None:
    """It is of this version, of another, or of a broken disk: nothing is done until someone has looked at it."""
    host.apply(app(1))
    path = "/var/lib/unitwright/system/running/test.json"
    text = wrong if isinstance(wrong, str) else json.dumps({**RECORD, **wrong})
    host.write(path, text, 0o600)
    for check_mode in (True, False):
        (error,) = host.refused(app(2), check_mode=check_mode)["errors"]
        assert error["rule"] == "record"
        assert path in error["message"]
    host.sh(f"rm {path}")
    assert host.apply(app(2))["restarted"] == ["app.service"]


def test_a_record_without_a_format_is_read(host: Lab) -> None:
    """As versions before there was one have left it."""
    host.write("/var/lib/unitwright/system/running/test.json", json.dumps(RECORD), 0o600)
    assert host.apply(app(1))["recovered"] == ["the run that began at 2001-01-01T00:00:00Z"]
    assert host.no_record()


@pytest.mark.parametrize("damage", ["rm -f {key}", ": > {key}", "printf x > {key}"])
def test_a_damaged_key_costs_one_restart_at_most(host: Lab, damage: str) -> None:
    entry = app(1, secrets={"TOKEN": "some secret"})
    host.apply(entry)
    host.sh(damage.format(key="/var/lib/unitwright/system/key"))
    host.apply(entry)
    assert not host.apply(entry)["changed"]
    assert host.sh("stat -c '%a %U' /var/lib/unitwright/system/key") == "600 root"
    assert host.state("app.service") == "active"
