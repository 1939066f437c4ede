# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a process has counts, and not what was held back from it and is taken back now."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._desired.stack import Desired
from ansible_collections.unitwright.systemd.plugins.module_utils._host.files import Seen
from ansible_collections.unitwright.systemd.plugins.module_utils._host.observed import Observed
from ansible_collections.unitwright.systemd.plugins.module_utils._host.places import places
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.plan import Plan
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.stale import Accepted

from tests.unit.world import RUNNING, SYSTEM, declare, in_force, jobs, planned, stamp

UNIT = "a.service"
PATH = f"{SYSTEM.units}/{UNIT}"
DROPIN = f"{SYSTEM.units}/{UNIT}.d/x.conf"
VENDOR = {UNIT: "[Service]\nExecStart=/bin/a\n"}
RESTARTED = [("restart", UNIT)]


def limited(limit: int | None, **more: Any) -> Desired:
    text = {"ExecStart": "/bin/a", **({} if limit is None else {"LimitNOFILE": limit})}
    return declare({"name": UNIT, "service": text, "state": "started", **more})


def over(limit: int | None, **more: Any) -> Desired:
    text = {"state": "absent"} if limit is None else {"service": {"LimitNOFILE": limit}}
    return declare(dropins=[{"name": UNIT, "dropin": "x", **text, **more}])


def process_of(started: Desired | None, disk: Desired, **more: Any) -> Observed:
    """A host with the files of the one, and a process that was started with those of the other."""
    observed = in_force(disk, {UNIT: RUNNING}, **more)
    return replace(observed, invocations=in_force(started, {UNIT: RUNNING}).invocations)


def written(observed: Observed, path: str, content: str) -> Observed:
    """The same after someone has written a file by hand."""
    seen = Seen(0o100644, 0, 0, 0.0, content.encode())
    loadpath = observed.loadpath.changed({path: content.encode()}, [])
    return replace(observed, files={**observed.files, path: seen}, loadpath=loadpath)


def said(made: Plan) -> tuple[list[tuple[str, str]], list[str]]:
    return jobs(made), list(made.kept)


@pytest.mark.parametrize("on_change", ["none", "restart", "reload"])
def test_a_change_that_was_held_back(on_change: str) -> None:
    first, held = limited(1000), limited(2000, on_change="none")
    back = planned(limited(1000, on_change=on_change), process_of(first, held), earlier=[first, held])
    assert said(back) == ([], [])
    assert back.reload


def test_half_of_it_taken_back() -> None:
    """Held back were two, and one of them stays; what no record tells counts too."""
    first, held = limited(1000), limited(2000, environment={"A": "1"}, on_change="none")
    half = limited(1000, environment={"A": "1"})
    made = planned(half, process_of(first, held), earlier=[first, held])
    assert said(made) == (RESTARTED, [])
    assert [each.reason for each in made.steps if each.action == "restart"] == [
        "changed since its last start: Environment"
    ]
    assert said(planned(half, process_of(first, held))) == (RESTARTED, [])


def test_the_process_has_taken_it_up_meanwhile() -> None:
    first, held = limited(1000), limited(2000, on_change="none")
    assert said(planned(first, process_of(held, held))) == (RESTARTED, [])
    assert said(planned(limited(1000, on_change="none"), process_of(held, held))) == ([], [UNIT])


def test_a_dropin_that_the_process_never_had() -> None:
    held = over(1000, on_change="none")
    foreign = process_of(None, held, vendor=VENDOR)
    assert said(planned(over(None), foreign)) == ([], [])
    assert said(planned(over(2000), foreign)) == (RESTARTED, [])
    assert said(planned(over(None), process_of(held, held, vendor=VENDOR))) == (RESTARTED, [])


def test_a_text_in_the_place_of_a_package_that_the_process_never_had() -> None:
    held = limited(2000, on_change="none")
    removed = declare({"name": UNIT, "state": "absent"}, name="test")
    assert jobs(planned(limited(3000), process_of(None, held, vendor=VENDOR))) == RESTARTED
    assert UNIT not in planned(removed, process_of(None, held, vendor=VENDOR)).jobs["restart"]


def test_a_file_that_someone_has_removed_under_the_process() -> None:
    both = declare(
        {"name": UNIT, "service": {"ExecStart": "/bin/a"}},
        dropins=[{"name": UNIT, "dropin": "x", "service": {"Nice": 1}}],
    )
    alone = declare({"name": UNIT, "service": {"ExecStart": "/bin/a"}})
    assert said(planned(both, process_of(both, alone))) == ([], [])
    assert said(planned(both, process_of(alone, alone))) == (RESTARTED, [])


def test_lines_that_someone_has_changed_beside_a_stamp() -> None:
    """The process may have been started with them."""
    first = limited(1000)
    text = (first.files[PATH].content or b"").decode()
    edited = written(process_of(first, first), PATH, text.replace("1000", "5"))
    assert said(planned(first, edited)) == (RESTARTED, [])
    unstamped = text.replace(stamp(first), "").replace("LogExtraFields=UNITWRIGHT_STAMP=\n", "")
    assert said(planned(first, written(process_of(None, first), PATH, unstamped.replace("1000", "5")))) == (
        RESTARTED,
        [],
    )


def test_one_file_held_back_beside_another_that_was_changed_by_hand() -> None:
    def both(nice: int, **more: Any) -> Desired:
        unit = {"name": UNIT, "service": {"ExecStart": "/bin/a", "LimitNOFILE": 1000}}
        return declare(unit, dropins=[{"name": UNIT, "dropin": "x", "service": {"Nice": nice}, **more}])

    held = process_of(both(1), both(2, on_change="none"))
    assert said(planned(both(1), held)) == ([], [])
    text = (both(1).files[PATH].content or b"").decode()
    made = planned(both(1), written(held, PATH, text.replace("1000", "5")))
    assert [each.reason for each in made.steps if each.action == "restart"] == ["changed: LimitNOFILE"]


def test_a_trigger_that_was_held_back() -> None:
    def upgraded(version: str, **more: Any) -> Desired:
        return limited(1000, triggers={"values": [version]}, **more)

    first, held = upgraded("1"), upgraded("2", on_change="none")
    assert said(planned(first, process_of(first, held), earlier=[first, held])) == ([], [])


def test_a_user_manager_of_which_earlier_runs_know_what_it_has() -> None:
    first, held = limited(1000), limited(2000, on_change="none")
    user = places("user", "", {"HOME": "/home/ann", "XDG_RUNTIME_DIR": "/run/user/7"})._replace(units=SYSTEM.units)
    observed = replace(process_of(None, held), places=user)
    had = frozenset({stamp(first)})
    known = {UNIT: Accepted("1", had, 0.0, started=had)}
    assert said(planned(first, observed, earlier=[first, held], accepted=known)) == ([], [])
    assert said(planned(first, observed, earlier=[first, held])) == (RESTARTED, [])
