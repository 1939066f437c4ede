# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules return, and that they say so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from ansible_collections.unitwright.systemd.plugins.module_utils._host.manager import States, UnitState
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.fates import Call
from ansible_collections.unitwright.systemd.plugins.module_utils._run import report
from ansible_collections.unitwright.systemd.plugins.module_utils._run.work import Done

from tests.unit.world import RUNNING, declare, in_force, planned, work

_MODULES = Path(__file__).parents[3] / "plugins" / "modules"
# Those that change nothing, or take all back, have no plan and no report; what they return is theirs alone.
_OTHERS = frozenset(("unit_info", "hardening_search", "drill"))


def test_every_module_that_declares_returns_the_same_and_documents_all_of_it() -> None:
    paths = [path for path in sorted(_MODULES.glob("*.py")) if path.stem not in _OTHERS]
    texts = [path.read_text(encoding="utf-8") for path in paths]
    (documented,) = {text.split('RETURN = r"""\n')[1].split('\n"""\n')[0] for text in texts}
    desired = declare()
    observed = in_force(desired)
    always = report.result(work(desired, observed), observed.states, ())
    assert not {"started", "finished"} & set(always), "Ansible takes these for the state of an async task"
    told_by_ansible = {"changed", "diff"}
    more = {"timings", "timers", "hardening", "rolled_back", "started_again", "errors"}
    assert set(yaml.safe_load(documented)) == set(always) - told_by_ansible | more


def test_a_unit_that_is_nowhere_is_told_from_one_that_is_not_in_memory() -> None:
    texts = {"a.service": "[Service]\nExecStart=/bin/a\n", "b.service": "[Service]\nExecStart=/bin/b\n"}
    names = ["a.service", "b.service", "c.service"]
    observed = in_force(None, {"a.service": RUNNING}, vendor=texts)
    done = work(declare(*({"name": name, "state": "present"} for name in names)), observed)
    told = report.result(done, observed.states, ())["units"]
    assert {name: told[name]["load"] for name in names} == {
        "a.service": "loaded",
        "b.service": "",
        "c.service": "not-found",
    }


def test_a_removal_names_the_unit_that_the_file_is_for() -> None:
    units = [
        {"name": "a.service", "service": {"ExecStart": "/bin/a"}, "secrets": {"A": "b"}, "credentials": {"c": "d"}},
        {"name": "b.target", "unit": {"Description": "b"}},
    ]
    dropin = {"name": "c.service", "dropin": "x", "service": {"Nice": 1}, "secrets": {"A": "b"}}
    observed = in_force(declare(*units, dropins=[dropin]))
    made = planned(declare(units[1], prune=True), observed)
    removed = [(step.unit, step.path.rpartition("/")[2]) for step in made.steps if step.action == "remove"]
    assert sorted(removed) == [
        ("a.service", "a.service"),
        ("a.service", "a.service.env"),
        ("a.service", "c"),
        ("c.service", "c.service.d-x.env"),
        ("c.service", "x.conf"),
    ]


def test_a_unit_that_goes_down_and_comes_up_was_restarted() -> None:
    def units(path: str) -> list[dict[str, Any]]:
        socket = {"name": "a.socket", "socket": {"ListenStream": path}}
        return [{"name": "a.service", "service": {"ExecStart": "/bin/a"}}, socket]

    states = {"a.service": RUNNING, "a.socket": UnitState("loaded", "active", "running")}
    observed = in_force(declare(*units("/run/a")), states)
    desired = declare(*units("/run/b"))
    result = report.result(work(desired, observed), observed.states, ())
    assert sorted(result["restarted"]) == ["a.service", "a.socket"]
    assert (result["newly_started"], result["stopped"]) == ([], [])


def test_each_failure_has_a_line_of_its_own_so_that_each_can_have_its_position() -> None:
    errors = [{"unit": "a.mount", "message": "is not up."}, {"unit": "", "message": "no room"}]
    assert report.sentence(errors) == "a.mount: is not up\nno room"


def test_a_run_that_failed_lists_what_it_did_and_not_what_it_was_about_to() -> None:
    def units(version: str) -> list[dict[str, Any]]:
        jobs = [{"name": f"{name}.service", "service": {"ExecStart": f"/bin/{version}"}} for name in ("a", "b")]
        once = {
            "name": "once.service",
            "service": {"Type": "oneshot", "ExecStart": f"/bin/{version}"},
            "run": "on_change",
        }
        return [*jobs, once]

    observed = in_force(declare(*units("old")), {"a.service": RUNNING, "b.service": RUNNING})
    new = {"name": "new.service", "service": {"ExecStart": "/bin/new"}}
    made = work(declare(*units("new"), new), observed)
    planned = report.result(made, observed.states, ())
    assert (sorted(planned["restarted"]), sorted(planned["newly_started"])) == (
        ["a.service", "b.service"],
        ["new.service", "once.service"],
    )
    rolled_back = observed.states
    nothing = report.of_failed(planned, made, rolled_back, Done())
    assert {key: found for key, found in nothing.items() if found} == {}
    done = Done(("a.service",), (Call("run", ("once.service",)), Call("restart", ("a.service",))))
    found = report.of_failed(planned, made, rolled_back, done)
    assert (found["restarted"], found["newly_started"]) == (["a.service"], ["once.service"])
    never_began = report.of_failed(planned, made, rolled_back, done, [{"unit": "once.service", "status": ""}])
    assert never_began["newly_started"] == []
    ended_badly = report.of_failed(planned, made, rolled_back, done, [{"unit": "once.service", "status": "1"}])
    assert ended_badly["newly_started"] == ["once.service"]
    kept = States({**rolled_back, "new.service": RUNNING})
    assert report.of_failed(planned, made, kept, Done())["newly_started"] == ["new.service"]


def test_what_was_reloaded_before_a_run_failed_is_told() -> None:
    units = [{"name": "a.service", "service": {"ExecStart": "/bin/a", "ExecReload": "/bin/r"}, "state": "reloaded"}]
    observed = in_force(declare(*units), {"a.service": RUNNING})
    made = work(declare(*units), observed)
    planned = report.result(made, observed.states, ())
    assert planned["reloaded"] == ["a.service"]
    assert report.of_failed(planned, made, observed.states, Done())["reloaded"] == []
    done = Done(calls=(Call("reload", ("a.service",)),))
    assert report.of_failed(planned, made, observed.states, done)["reloaded"] == ["a.service"]
