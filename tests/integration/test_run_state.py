# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A unit runs, rests or is gone as its state says, and a unit of others of which nothing is said is left alone."""

from __future__ import annotations

from .entries import NGINX, UNITS, WANTED, Entry, app, service
from .lab import Lab, actions


def test_present_leaves_the_run_state_alone(host: Lab) -> None:
    unit = service(install=WANTED, state="present")
    assert host.settled(unit)["newly_started"] == []
    host.sh(f"systemctl start {unit['name']}")
    host.assert_settled(unit)
    assert host.state(unit["name"]) == "active"


def test_absent_takes_one_unit_away(host: Lab) -> None:
    unit, other = service(install=WANTED), service("other")
    host.apply(unit, other)
    result = host.settled({"name": unit["name"], "state": "absent"}, other)
    assert (result["stopped"], result["removed"]) == ([unit["name"]], [f"{UNITS}/main.service"])
    assert host.show("main.service", "LoadState") == "not-found"
    assert host.sh(f"find /etc/systemd -name {unit['name']}") == ""


def test_absent_for_the_stack_takes_all_away_in_order(host: Lab) -> None:
    first = service("a", install=WANTED, secrets={"TOKEN": "not-to-be-seen"})
    second = service("b", unit={"Requires": first["name"], "After": first["name"]})
    host.apply(first, second, dropins=[{"name": first["name"], "dropin": "x", "environment": {"A": "1"}}])
    result = host.remove()
    assert result["stopped"] == [second["name"], first["name"]]
    assert not host.remove()["changed"]


def test_a_unit_that_was_stopped_by_hand_is_started(host: Lab) -> None:
    unit = service()
    host.apply(unit)
    host.sh(f"systemctl stop {unit['name']}")
    assert actions(host.settled(unit)) == [("start", unit["name"])]


def test_stopped_by_hand(host: Lab) -> None:
    """Started again where it is declared started; left alone where only its file is declared, changed or not."""
    host.apply(app(1), app(1, "left", state="present"))
    host.sh("systemctl start left.service && systemctl stop app.service left.service")
    result = host.apply(app(2), app(2, "left", state="present"))
    assert result["newly_started"] == ["app.service"]
    assert host.states("app.service", "left.service") == ["active", "inactive"]
    assert host.version() == "2"


def test_a_failed_unit_is_started_again(host: Lab) -> None:
    unit = service()
    host.apply(unit)
    host.sh(f"systemctl kill --signal=ABRT {unit['name']}; while systemctl -q is-active {unit['name']}; do :; done")
    assert host.state("main.service") == "failed"
    result = host.settled(unit)
    assert result["newly_started"] == [unit["name"]]


def test_state_restarted_does_so_at_every_run(host: Lab) -> None:
    unit = service(state="restarted")
    host.apply(unit)
    before = host.invocation("main.service")
    assert actions(host.apply(unit)) == [("restart", unit["name"])]
    assert host.invocation("main.service") != before


def test_state_reloaded_does_so_at_every_run(host: Lab) -> None:
    unit = service(service={"ExecReload": "/bin/true"}, state="reloaded")
    host.apply(unit)
    before = host.invocation("main.service")
    assert actions(host.apply(unit)) == [("reload", unit["name"])]
    assert host.invocation("main.service") == before


def test_a_unit_of_others_by_state_and_enablement_only(host: Lab) -> None:
    host.settled({"name": NGINX, "state": "stopped", "enabled": False})
    assert (host.state(NGINX), host.enabled(NGINX)) == ("inactive", "disabled")
    result = host.settled({"name": NGINX, "state": "started", "enabled": True})
    assert result["newly_started"] == [NGINX]
    assert (host.state(NGINX), host.enabled(NGINX)) == ("active", "enabled")
    assert not host.exists(f"{UNITS}/nginx.service")


def test_a_unit_of_others_is_left_alone_unless_told(host: Lab) -> None:
    with host.untouched():
        host.assert_settled({"name": NGINX})
    host.sh(f"systemctl stop {NGINX}")
    host.assert_settled({"name": NGINX, "enabled": True})
    assert host.state(NGINX) == "inactive"


def test_a_unit_of_others_outlives_the_stack(host: Lab) -> None:
    host.apply({"name": NGINX, "state": "started"}, service())
    host.remove()
    assert host.state(NGINX) == "active"


def test_the_modules_for_one_unit_do_the_same(host: Lab) -> None:
    name = "one.service"
    unit: Entry = {"module": "unit", **service("one")}
    assert host.apply(**unit)["newly_started"] == [name]
    assert not host.apply(**unit)["changed"]
    dropin: Entry = {"module": "dropin", "name": name, "dropin": "50-more"}
    assert host.apply(**dropin, environment={"A": "1"})["restarted"] == [name]
    assert not host.apply(**dropin, environment={"A": "1"})["changed"]
    assert host.remove(**dropin)["changed"]
    assert host.remove(module="unit", name=name)["stopped"] == [name]
    assert host.show(name, "LoadState") == "not-found"


def test_what_is_declared_stopped_and_pulled_in_is_told(host: Lab) -> None:
    wanted = service("wanted", state="stopped")
    wanting = service("wanting", unit={"Wants": wanted["name"]}, enabled=False)
    for result in (host.foretell(wanted, wanting), host.apply(wanted, wanting)):
        assert [(each["unit"], each["rule"]) for each in result["unverified"]] == [(wanted["name"], "pulled-in")]
        assert [warning.partition(":")[0] for warning in result["warnings"]] == [wanted["name"]]
    assert host.foretell(wanted, wanting)["unverified"] == []
    assert host.settled(wanted, wanting)["stopped"] == [wanted["name"]]
    assert host.state("wanting.service") == "active"


def test_what_starts_a_unit_again_that_was_told_to_stop_is_named(host: Lab) -> None:
    found = {"name": "found.path", "path": {"PathExists": "/etc/hostname", "Unit": "app.service"}}
    host.apply(found, app(1))
    result = host.failing(found, app(1, state="stopped"))
    assert "found.path" in result["msg"]
    assert host.state("app.service") == "active"


def test_what_is_left_as_it_was_is_a_warning(host: Lab) -> None:
    """Once each, in check mode too."""
    left, orphan, template = app(1, on_change="none"), service("orphan"), service("t@", instances=["a"])
    host.apply(left, orphan, {**template, "instances": ["a", "b"]})
    for result in (host.foretell(app(2, on_change="none"), template), host.apply(app(2, on_change="none"), template)):
        assert (list(result["kept"]), result["orphaned"]) == (["app.service"], ["orphan.service", "t@b.service"])
        gone = "it is no longer declared, and stays as it is: declare it, or let prune take it away"
        assert sorted(result["warnings"]) == [
            "app.service: it is left with an older version: changed: ExecStart; on_change is none (units[0])",
            f"orphan.service: {gone}",
            f"t@b.service: {gone} (units[1])",
        ]
