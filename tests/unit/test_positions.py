# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An option's path leads to the file, line and column of its value, or of what is around it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible_collections.unitwright.systemd.plugins.plugin_utils._positions import position, with_positions

ROOT = Path(__file__).parents[2]
TEXT = """name: test
units:
  - name: a.service
    service:
      ExecStart: /bin/true
      Nice: 5
      PrivateTmp: yes
      UMask: ~
"""


@pytest.fixture
def args(tmp_path: Path) -> Any:
    path = tmp_path / "args.yml"
    path.write_text(TEXT, encoding="utf-8")
    return DataLoader().load_from_file(str(path))


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("name", "1:7"),
        ("units", "3:3"),
        ("units[0]", "3:5"),
        ("units[0].service.ExecStart", "5:18"),
        ("units[0].service.Nice", "6:13"),
        ("units[0].service.PrivateTmp", "7:7"),
        ("units[0].service.UMask", "8:7"),
        ("units[0].service.UMask.more", "8:7"),
        ("units[0].service.Restart", "5:7"),
        ("units[0].unit.After", "3:5"),
        ("units[7].service", "3:3"),
        ("units.name", "3:3"),
        ("name.more", "1:7"),
        ("", "1:1"),
    ],
)
def test_position(args: Any, tmp_path: Path, path: str, place: str) -> None:
    assert position(args, path) == f"{tmp_path}/args.yml:{place}"


def test_of_what_has_no_origin_nothing_is_said() -> None:
    result = {"msg": "wrong", "errors": [{"path": "units[0]", "message": "wrong"}]}
    assert with_positions(result, {"units": [{"name": "a"}]}) == result


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("a.service: units[0].service: wrong: mend it", "a.service: units[0].service, at {}:5:7: wrong: mend it"),
        ("units[0].service: wrong", "units[0].service, at {}:5:7: wrong"),
        ("a.service: wrong (units[0].service)", "a.service: wrong (units[0].service), at {}:5:7"),
        ("a.service: not so units[0].service: wrong", "a.service: not so units[0].service: wrong, at {}:5:7"),
    ],
)
def test_where_in_a_message_it_stands(args: Any, tmp_path: Path, line: str, told: str) -> None:
    result = {"msg": line, "errors": [{"path": "units[0].service", "message": "wrong"}]}
    assert with_positions(result, args)["msg"] == told.format(tmp_path / "args.yml")


def test_a_message_is_left_that_has_no_line_for_each_error(args: Any) -> None:
    result = {"msg": "both are wrong", "errors": [{"path": "name"}, {"path": "units"}]}
    told = with_positions(result, args)
    assert told["msg"] == "both are wrong"
    assert all("args.yml:" in error["position"] for error in told["errors"])


@pytest.mark.parametrize("traceback", [None, "Traceback (most recent call last): ..."])
def test_what_ansible_says_itself_of_a_failure_is_made_anew(args: Any, traceback: str | None) -> None:
    class Event:
        msg = "wrong (name)"
        formatted_traceback = traceback

    class Summary:
        event = Event()

    failed = {"msg": "wrong (name)", "exception": Summary()}
    assert with_positions({**failed, "errors": [{"path": "name"}]}, args)["exception"] == traceback
    assert with_positions({**failed, "errors": []}, args) == {**failed, "errors": []}


def test_a_traceback_of_earlier_versions_stays(args: Any) -> None:
    failed = {"msg": "wrong (name)", "exception": "Traceback", "errors": [{"path": "name"}]}
    assert with_positions(failed, args)["exception"] == "Traceback"


@pytest.mark.parametrize("result", [{}, {"errors": "none"}, {"errors": [None, {}]}, {"ansible_job_id": "1"}])
def test_other_results_are_as_they_were(args: Any, result: dict[str, Any]) -> None:
    assert with_positions(result, args) == result


@pytest.mark.parametrize(
    ("warning", "told"),
    [
        ("a.service: it stays (units[0].service)", "a.service: it stays (units[0].service), at {}:5:7"),
        ("a.service: it stays (name)", "a.service: it stays, at {}:1:7"),
        ("a.service: it stays (for now)", "a.service: it stays (for now)"),
        ("a.service: it stays (elsewhere)", "a.service: it stays (elsewhere)"),
        ("a.service: it stays (systemd.unit(5))", "a.service: it stays (systemd.unit(5))"),
        ("a.service: it stays", "a.service: it stays"),
    ],
)
def test_of_a_warning(args: Any, tmp_path: Path, warning: str, told: str) -> None:
    class Event:
        msg = warning

    class Summary:
        event = Event()

    summary = Summary()
    expected = told.format(tmp_path / "args.yml")
    found = with_positions({"warnings": [warning, summary]}, args)["warnings"]
    assert found == [expected, summary if expected == warning else expected]


def test_of_what_is_declared_twice(args: Any, tmp_path: Path) -> None:
    error = {"path": "units[0].service", "also": [{"path": "units[0]"}], "message": "twice"}
    told = with_positions({"msg": "a: twice (units[0], units[0].service)", "errors": [error]}, args)
    path = tmp_path / "args.yml"
    assert told["msg"] == f"a: twice (units[0], units[0].service), at {path}:3:5 and {path}:5:7"
    assert told["errors"][0]["also"] == [{"path": "units[0]", "position": f"{path}:3:5"}]


def test_all_modules_run_by_it() -> None:
    routed = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))["plugin_routing"]["modules"]
    modules = {path.stem for path in (ROOT / "plugins" / "modules").glob("*.py")}
    assert {*routed, "stack"} == modules
    assert {each["action_plugin"] for each in routed.values()} == {"unitwright.systemd.stack"}
