# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""With on_failure keep, what failed stays as it is, is told as a whole, and hinders nothing else."""

from __future__ import annotations

from .entries import UNITS, WANTED, app, program, service
from .lab import Lab


def test_keep_leaves_what_failed(host: Lab) -> None:
    unit = service(command="/bin/false", install=WANTED, health={"stable_for": 0.3})
    host.failing(unit, on_failure="keep")
    assert host.exists(f"{UNITS}/main.service")
    assert host.state("main.service") == "failed"


def test_without_keep_nothing_is_left_of_what_failed(host: Lab) -> None:
    unit = service(command="/bin/false", install=WANTED, health={"stable_for": 0.3})
    host.failing(unit, service("other"))
    assert host.sh("find /etc/systemd -name 'main*' -o -name 'other*'") == ""
    assert host.show("main.service", "LoadState") == "not-found"
    assert host.state("other.service") == "inactive"


def test_keep_tells_all_that_failed_and_starts_the_rest(host: Lab) -> None:
    bad = [service(name, "/bin/false", health={"stable_for": 0.5}) for name in ("x", "y")]
    refusing = service("z", unit={"RefuseManualStart": True}, environment={"A": "1"})
    good = service("good")
    result = host.failing(*bad, refusing, good, on_failure="keep")
    assert sorted(error["unit"] for error in result["errors"]) == [unit["name"] for unit in bad]
    assert host.state("good.service") == "active"


def test_a_check_that_fails_keeps_the_new_version_on_request(host: Lab) -> None:
    host.apply(app(1))
    checked = app(2, health={"timeout": 1, "tcp": "127.0.0.1:9"})
    result = host.failing(checked, on_failure="keep")
    assert "The new state stays" in result["msg"]
    assert not result["rolled_back"]
    host.assert_runs(2)
    assert host.no_record()


def test_on_failure_keep_leaves_a_failed_unit_for_inspection(host: Lab) -> None:
    host.apply(app(1))
    bad = app(2, service={"ExecStart": program(2, then="exit 3")})
    result = host.failing(bad, on_failure="keep")
    assert result["errors"][0]["status"] == "3"
    assert host.state("app.service") == "failed"
    assert "echo 2" in host.read(f"{UNITS}/app.service")
    again = host.failing(bad, on_failure="keep")
    assert again["errors"][0]["unit"] == "app.service"
