# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose a file is: what is ours is pruned, what is not is left alone or taken over when that is said."""

from __future__ import annotations

from .entries import FOREVER, UNITS, Entry, service
from .lab import Lab


def test_what_is_no_longer_declared_is_orphaned_and_stays(host: Lab) -> None:
    host.apply(service("a"), service("b"))
    result = host.apply(service("a"))
    assert result["orphaned"] == ["b.service"]
    assert not result["changed"]
    assert host.state("b.service") == "active"


def test_prune_stops_and_removes_it(host: Lab) -> None:
    keep, gone = service("a"), service("b", secrets={"TOKEN": "not-to-be-seen"})
    dropin = {"name": keep["name"], "dropin": "x", "environment": {"A": "1"}}
    host.apply(keep, gone, dropins=[dropin])
    result = host.settled(keep, prune=True)
    assert result["stopped"] == [gone["name"]]
    assert len(result["removed"]) == 3
    assert result["restarted"] == [keep["name"]]
    assert host.show("b.service", "LoadState") == "not-found"


def test_prune_touches_nobody_else(host: Lab) -> None:
    host.apply(service(), name="other")
    by_hand = f"{UNITS}/hand.service"
    host.write(by_hand, f"[Service]\nExecStart={FOREVER}\n")
    host.settled(service("a"), prune=True)
    host.assert_settled(service(), name="other")
    assert host.exists(by_hand)


def test_an_empty_declaration_does_not_prune(host: Lab) -> None:
    host.apply(service())
    result = host.refused(prune=True)
    assert result["errors"][0]["rule"] == "empty-prune"


def test_prune_stops_short_of_max_removed(host: Lab) -> None:
    host.apply(*(service(name) for name in "abcd"))
    result = host.refused(service("a"), prune=True, max_removed=2)
    assert "3 files" in result["msg"]
    assert result["msg"].endswith("they are b.service, c.service, d.service")
    assert host.settled(service("a"), prune=True, max_removed=3)["removed"]


def test_a_renamed_unit_is_moved_by_prune(host: Lab) -> None:
    host.apply(service("old"))
    result = host.settled(service("new"), prune=True)
    assert (result["stopped"], result["newly_started"]) == (["old.service"], ["new.service"])


def test_a_file_by_hand_is_not_replaced_unless_told(host: Lab) -> None:
    host.write(f"{UNITS}/main.service", f"[Service]\nExecStart={FOREVER}\n")
    unit = service()
    result = host.refused(unit)
    assert result["errors"][0]["rule"] == "owner"
    assert "replace: true" in result["msg"]
    host.settled({**unit, "replace": True})


def test_another_stacks_file_is_adopted_only_when_told(host: Lab) -> None:
    unit = service()
    host.apply(unit, name="other")
    before = host.invocation("main.service")
    assert "adopt: [other]" in host.refused(unit)["msg"]
    host.settled(unit, adopt=["other"])
    assert not host.remove(name="other")["changed"]
    assert host.invocation("main.service") == before


def test_a_module_that_has_no_adopt_says_what_helps_there(host: Lab) -> None:
    unit = service()
    host.apply(unit, name="other")
    told = host.refused(module="unit", **unit)["msg"]
    assert "declare it in that stack, or have it removed there first" in told
    assert "adopt" not in told


def test_a_timer_whose_state_is_all_that_is_said_keeps_its_service(host: Lab) -> None:
    host.apply(module="timer", name="later", on_calendar="2099-01-01", exec_start="/bin/true")
    result = host.settled(module="timer", name="later", state="stopped")
    assert (result["orphaned"], result["unverified"]) == ([], [])
    assert host.exists(f"{UNITS}/later.service")


def test_a_stack_is_renamed_by_adoption(host: Lab) -> None:
    """Its secrets move along, and what the old one had besides is pruned."""
    unit = service(secrets={"TOKEN": "not-to-be-seen"})
    host.apply(unit, service("b"), name="other")
    result = host.settled(unit, adopt=["other"], prune=True)
    assert result["stopped"] == ["b.service"]
    assert not host.exists("/etc/unitwright/other")
    assert not host.remove(name="other")["changed"]


def test_a_packaged_unit_is_not_defined_anew_unless_told(host: Lab) -> None:
    name = "systemd-fsck-root.service"
    unit = {"name": name, "service": {"ExecStart": FOREVER}, "state": "present"}
    result = host.refused(unit)
    assert "dropin" in result["msg"]
    assert "replace: true" in result["msg"]
    host.settled({**unit, "replace": True})
    assert host.show(name, "FragmentPath") == f"{UNITS}/{name}"
    host.remove()
    assert host.show(name, "FragmentPath") != f"{UNITS}/{name}"


def test_absent_does_not_take_what_is_not_ours(host: Lab) -> None:
    host.write(f"{UNITS}/main.service", f"[Service]\nExecStart={FOREVER}\n")
    host.refused({"name": "main.service", "state": "absent"})
    host.refused({"name": "nginx.service", "state": "absent"})
    assert host.state("nginx.service") == "active"


def test_an_entry_without_a_text_leaves_the_units_files_alone(host: Lab) -> None:
    unit = service(secrets={"TOKEN": "not-to-be-seen"}, credentials={"key": "not-to-be-seen"})
    host.apply(unit)
    with host.untouched():
        result = host.apply({"name": unit["name"], "state": "started"})
        assert not result["changed"]
        assert not result["orphaned"]
        refused = host.failing({"name": unit["name"], "state": "started"}, prune=True)
    assert refused["errors"][0]["rule"] == "no-text"
    host.sh(f"systemctl restart {unit['name']}")


def test_a_stack_takes_over_what_the_modules_for_one_unit_wrote(host: Lab) -> None:
    unit = service(secrets={"TOKEN": "not-to-be-seen"})
    dropin = {"name": unit["name"], "dropin": "more", "environment": {"A": "1"}}
    host.apply(module="unit", **unit)
    host.apply(module="dropin", **dropin)
    refused = host.failing(unit, dropins=[dropin])
    owners = [unit["name"], f"{unit['name']}.d-more.conf"]
    assert all(f"adopt: [{owner}]" in refused["msg"] for owner in owners)
    host.settled(unit, dropins=[dropin], adopt=owners)
    assert host.state("main.service") == "active"


def test_what_others_put_among_the_secrets_is_left_and_named(host: Lab) -> None:
    unit = service(secrets={"TOKEN": "some secret"}, credentials={"key": "another secret"})
    host.apply(unit)
    folder = "/etc/unitwright/test"
    theirs = [f"{folder}/README", f"{folder}/notes.env", f"{folder}/below/deeper/a.service.env"]
    for path in theirs:
        host.write(path, "theirs")
    for result in (host.foretell(unit, prune=True), host.settled(unit, prune=True), host.remove()):
        assert sorted(warning.split()[0] for warning in result["warnings"]) == sorted(theirs)
        assert {each["rule"] for each in result["unverified"]} == {"stranger"}
        assert result["orphaned"] == []
    assert host.sh(f"find {folder} -type f | sort").split() == sorted(theirs)
    host.sh(f"rm -r {folder}")


def test_a_dropin_is_adopted_whatever_its_unit_is_called(host: Lab) -> None:
    """What stands between a unit and its drop-in in the owner's name may stand in either, too."""
    unit, dropin = "a.d-b.service", {"name": "a.d-b.service", "dropin": "50.d-x", "secrets": {"A": "some secret"}}
    host.foreign(unit)
    host.apply(module="dropin", **dropin)
    result = host.apply(dropins=[dropin], adopt=[f"{unit}.d-50.d-x.conf"])
    host.applied = {key: given for key, given in host.applied.items() if given["module"] == "stack"}
    assert [step["unit"] for step in result["plan"] if step["action"] == "remove"] == [unit]
    result = host.remove()
    assert {step["unit"] for step in result["plan"] if step["action"] == "remove"} == {unit}


def test_what_shall_be_absent_and_is_nowhere_may_be_mistyped(host: Lab) -> None:
    host.apply(service("report"))
    host.apply(service("job-1"), name="jobs")
    gone = [{"name": name, "state": "absent"} for name in ("reprot.service", "job-2.service", "nothing.service")]
    for result in (host.foretell(*gone, name="other"), host.apply(*gone, name="other")):
        assert [(each["unit"], each["rule"]) for each in result["unverified"]] == [("reprot.service", "absent-nowhere")]
        assert "did you mean report.service?" in result["warnings"][0]
        assert not result["changed"]
    result = host.apply(module="unit", name="reprot.service", state="absent")
    assert "did you mean report.service?" in result["warnings"][0]


def test_an_instance_that_is_no_longer_declared_goes_on_by_the_newest_text(host: Lab) -> None:
    def template(value: str, *instances: str) -> Entry:
        return service("t@", environment={"A": value}, instances=list(instances))

    host.apply(template("1", "a", "b"))
    before = host.invocation("t@b.service")
    for result in (host.foretell(template("2", "a")), host.apply(template("2", "a"))):
        (warning,) = (each for each in result["warnings"] if each.startswith("t@b.service"))
        assert "goes on by the newest text of its template" in warning
        assert sorted(result["restarted"]) == ["t@a.service", "t@b.service"]
    assert host.invocation("t@b.service") != before
    assert "stays as it is" in next(each for each in host.apply(template("2", "a"))["warnings"] if "t@b" in each)
