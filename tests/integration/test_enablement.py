# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The links of enablement are those that the [Install] sections and the option say, whoever has changed them."""

from __future__ import annotations

from .entries import BAD, IDLE, UNITS, WANTED, app, service
from .lab import Lab, actions


def test_a_service_without_install_is_started_and_static(host: Lab) -> None:
    unit = service()
    host.settled(unit)
    assert (host.state(unit["name"]), host.enabled(unit["name"])) == ("active", "static")


def test_stopped_is_neither_started_nor_enabled(host: Lab) -> None:
    unit = service(install=WANTED)
    host.apply(unit)
    result = host.settled({**unit, "state": "stopped"})
    assert result["stopped"] == [unit["name"]]
    assert (host.state(unit["name"]), host.enabled(unit["name"])) == ("inactive", "disabled")


def test_stopped_but_enabled_waits_for_the_next_boot(host: Lab) -> None:
    unit = service(install=WANTED, state="stopped", enabled=True)
    host.settled(unit)
    assert (host.state(unit["name"]), host.enabled(unit["name"])) == ("inactive", "enabled")


def test_started_but_not_enabled(host: Lab) -> None:
    unit = service(install=WANTED, enabled=False)
    host.settled(unit)
    assert (host.state(unit["name"]), host.enabled(unit["name"])) == ("active", "disabled")


def test_enablement_that_was_removed_by_hand_is_restored(host: Lab) -> None:
    unit = service(install=WANTED)
    host.apply(unit)
    before = host.invocation("main.service")
    host.sh(f"systemctl disable {unit['name']}")
    result = host.settled(unit)
    assert ("enable", unit["name"]) in actions(result)
    assert host.enabled(unit["name"]) == "enabled"
    assert host.invocation("main.service") == before


def test_a_unit_that_was_enabled_by_hand_is_disabled(host: Lab) -> None:
    unit = service(install=WANTED, enabled=False)
    host.apply(unit)
    host.sh(f"systemctl enable {unit['name']}")
    host.settled(unit)
    assert host.enabled(unit["name"]) == "disabled"


def test_a_changed_install_section_moves_the_links_only(host: Lab) -> None:
    unit = service(install=WANTED)
    moved = {**unit, "install": {"WantedBy": "default.target"}}
    assert "reenable" in host.left_alone(unit, moved)
    links = host.sh(f"find /etc/systemd/system -name {unit['name']} -type l")
    assert links == f"{UNITS}/default.target.wants/{unit['name']}"


def test_an_install_section_that_goes_takes_its_links_along(host: Lab) -> None:
    unit = service(install=WANTED)
    bare = service()
    host.left_alone(unit, bare)
    assert host.sh(f"find /etc/systemd/system -name {unit['name']} -type l") == ""


def test_a_unit_that_was_linked_is_enabled_and_stays_linked(host: Lab) -> None:
    unit = "linked.service"
    host.write(f"/opt/{unit}", IDLE + "[Install]\nWantedBy=multi-user.target\n")
    host.sh(f"systemctl enable /opt/{unit}")
    host.assert_settled({"name": unit, "enabled": True})
    host.sh(f"systemctl disable {unit}; systemctl link /opt/{unit}")
    host.settled({"name": unit, "enabled": True, "state": "started"})
    assert (host.state(unit), host.enabled(unit)) == ("active", "enabled")


def test_a_unit_that_is_linked_is_not_taken_away(host: Lab) -> None:
    unit = "linked.service"
    host.write(f"/opt/{unit}", IDLE + "[Install]\nWantedBy=multi-user.target\n")
    host.sh(f"systemctl enable /opt/{unit}")
    assert host.refused({"name": unit, "enabled": False})["errors"][0]["rule"] == "linked"


def test_an_install_section_in_a_dropin_counts_with_the_units_enablement(host: Lab) -> None:
    unit, alias = service(install=WANTED), "other.service"
    host.apply(unit)
    dropin = {"name": unit["name"], "dropin": "x", "install": {"Alias": alias}}
    result = host.apply(module="dropin", **dropin)
    assert [each["rule"] for each in result["unverified"]] == ["install-of-dropin"]
    host.remove(module="dropin", name=unit["name"], dropin="x")
    result = host.settled(unit, dropins=[dropin])
    assert result["unverified"] == []
    assert host.sh(f"readlink -f {UNITS}/{alias}").strip() == f"{UNITS}/main.service"
    host.settled(unit, prune=True)
    assert not host.exists(f"{UNITS}/{alias}")


def test_an_alias_is_the_same_unit(host: Lab) -> None:
    host.apply(app(1, install={"Alias": "first.service"}))
    before = host.invocation("first.service")
    assert before == host.invocation("app.service")
    result = host.apply(app(1, install={"Alias": "second.service"}))
    assert result["restarted"] == []
    assert host.invocation("second.service") == before
    assert not host.exists(f"{UNITS}/first.service")
    assert host.apply(app(2, install={"Alias": "second.service"}))["restarted"] == ["app.service"]
    assert host.version() == "2"


def test_an_alias_is_not_taken_for_a_unit_of_its_own(host: Lab) -> None:
    alias = "alias.service"
    host.apply(service(install={**WANTED, "Alias": alias}))
    error = host.failing(service(install={**WANTED, "Alias": alias}), {"name": alias, "state": "stopped"})
    assert "main.service" in error["msg"]
    assert host.state("main.service") == "active"


def test_links_that_systemctl_makes_by_its_own_rules_are_no_difference(host: Lab) -> None:
    """An alias of the own name is none, one of an instance is that of the alias, and %H is for systemctl to tell."""
    own = service("own@", install={**WANTED, "Alias": "own@.service"}, instances=["a", "b"])
    other = service("other@", install={**WANTED, "Alias": "alias@.service"}, instances=["a", "b"])
    default = service("default@", install={**WANTED, "DefaultInstance": "d", "Alias": "more@.service"}, enabled=True)
    hidden = service("hidden@", install={**WANTED, "DefaultInstance": "%H"}, enabled=True)
    own_name = service("self", install={**WANTED, "Alias": "self.service also.service"})
    units = [own, other, default, hidden, *([own_name] if host.systemd > 247 else [])]  # which 247 refuses
    host.settled(*units)
    changed = {**own, "service": {**own["service"], "Nice": 1}}
    assert sorted(host.settled(changed, *units[1:])["restarted"]) == ["own@a.service", "own@b.service"]
    if host.systemd > 247:  # which takes an instance's alias for a unit of its own
        assert host.states("own@a.service", "alias@a.service") == ["active", "active"]
    assert host.sh(f"test -L {UNITS}/multi-user.target.wants/hidden@$(uname -n).service && echo linked") == "linked"
    fewer = [{**own, "instances": ["a"]}, {**other, "instances": ["a"]}, {**default, "enabled": False}, hidden]
    result = host.settled(*fewer, prune=True)
    assert {path.rpartition("/")[2] for path in result["removed"]} >= {"alias@b.service", "more@.service"}
    links = host.sh(f"find {UNITS} -type l -regex '.*/\\(other\\|alias\\|default\\|more\\)@.*' -printf '%f '").split()
    assert sorted(links) == ["alias@a.service", "other@a.service"]
    failing = [{**own, "instances": ["a", "c"]}, {**other, "instances": ["c"]}, *fewer[2:], BAD]
    before = host.listing()
    host.failing(*failing, prune=True)
    assert host.listing() == before


def test_a_default_instance_of_a_unit_of_others(host: Lab) -> None:
    name = "theirs@.service"
    host.foreign(name, IDLE + "[Install]\nWantedBy=%i.target multi-user.target\nDefaultInstance=%H\n", start=False)
    host.settled({"name": name, "enabled": True})
    assert host.sh(f"find {UNITS} -type l -name 'theirs@*' | wc -l") == "2"
    host.settled({"name": name, "enabled": False})
    assert host.sh(f"find {UNITS} -type l -name 'theirs@*'") == ""
