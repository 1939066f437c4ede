# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the earlier version has applied is current for the present one, which goes on from there."""

from __future__ import annotations

import pytest

from .declarations import CONFIG, PACKAGED, SYSTEM, USERS, Call, History
from .sides import Result, Sides

UNITS = "/etc/systemd/system"


def applied(sides: Sides, history: History) -> None:
    """By the earlier version."""
    for path, text in PACKAGED.items():
        sides.present.write(path, text)
    sides.present.sh("systemctl daemon-reload")
    for call in history.applied:
        sides.run(sides.earlier, call)


def told(result: Result) -> list[object]:
    """What a run says of a host on which it has nothing to do."""
    return [result["plan"], result["changed"], result["recovered"], result["orphaned"]]


@pytest.mark.parametrize("history", [SYSTEM, USERS], ids=lambda history: history.name)
def test_the_same_declaration_has_nothing_to_do(sides: Sides, history: History) -> None:
    applied(sides, history)
    earlier = [sides.run(sides.earlier, call, check_mode=True) for call in history.current]
    expected = [told(result) for result in earlier]
    assert [row[:3] for row in expected] == [[[], False, []]] * len(expected)
    before = sides.seen()
    noted: set[str] = set()
    # Which instances are declared the earlier version has not noted; that is made good once, by the first real run.
    for check_mode, notes in ((True, []), (False, ["instances.json"]), (False, [])):
        present = [sides.run(sides.present, call, check_mode=check_mode) for call in history.current]
        assert [told(result) for result in present] == expected
        # What was only reloaded is listed too, where it is known what it was started with.
        assert all(old["kept"].keys() <= new["kept"].keys() for old, new in zip(earlier, present, strict=True))
        files, *rest = sides.seen()
        new = {path for path in files.keys() - before[0].keys() if path not in noted}
        assert [path.rpartition("/")[2] for path in new] == notes
        noted |= new
        assert ({path: each for path, each in files.items() if path not in noted}, *rest) == before


def test_a_change_touches_only_what_it_is_about(sides: Sides) -> None:
    """A trigger's file: the present version has to see that it is another than the one that the earlier has seen."""
    applied(sides, SYSTEM)
    before = sides.units("system")
    sides.present.write(CONFIG, "of more interest\n")
    result = sides.run(sides.present, SYSTEM.current[0])
    assert result["restarted"] == ["fx-web.service"]
    after = sides.units("system")
    assert after.keys() == before.keys()
    assert [unit for unit in after if after[unit] != before[unit]] == ["fx-web.service"]


@pytest.mark.parametrize(
    ("history", "stays"),
    [
        # How units of someone else are enabled or masked is theirs to say again.
        (SYSTEM, [f"{UNITS}/fx-hidden.service", f"{UNITS}/multi-user.target.wants/fx-packaged.service"]),
        (USERS, []),
    ],
    ids=["system", "user"],
)
def test_it_can_be_taken_away(sides: Sides, history: History, stays: list[str]) -> None:
    """Files, secrets and links are all known for ours."""
    applied(sides, history)
    for call in reversed(history.current):
        sides.run(sides.present, absent(call))
    written = [path for path in sides.files() if "/fx-" in path and not path.startswith("/run/")]
    assert sorted(written) == stays
    assert list(sides.units("system")) == [unit for unit in ["fx-packaged.service"] if stays]
    assert not sides.units("user")


def absent(call: Call) -> Call:
    module, params = call
    named = {key: value for key, value in params.items() if key in ("name", "dropin", "scope", "health")}
    return module, {**named, "state": "absent"}
