# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The links of enablement are those that the [Install] sections and the option say, whoever has changed them."""

from __future__ import annotations

from .entries import BAD, IDLE, UNITS, VENDOR, WANTED, Entry, app, service
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


def test_the_links_follow_a_default_instance_that_changes(host: Lab) -> None:
    """What someone has enabled beside it stays."""

    def enabled_as(instance: str) -> Entry:
        return service("w@", install={**WANTED, "DefaultInstance": instance}, enabled=True)

    host.settled(enabled_as("a"))
    host.sh("systemctl -q enable w@own.service")
    name = host.sh("uname -n")
    for instance, linked in (("b", "b"), ("%H", name)):
        result = host.settled(enabled_as(instance))
        assert {verb for verb, _unit in actions(result)} >= {"disable", "enable"}
        assert links_of(host, "w@*") == sorted(f"multi-user.target.wants/w@{each}.service" for each in (linked, "own"))
        before = host.listing()
        host.failing(enabled_as("c"), BAD)
        assert host.listing() == before
    host.sh("systemctl -q disable w@own.service")


def test_a_default_instance_that_changes_and_is_no_longer_enabled(host: Lab) -> None:
    unit = service("w@", install={**WANTED, "DefaultInstance": "a"}, enabled=True)
    host.settled(unit)
    host.settled({**unit, "install": {**WANTED, "DefaultInstance": "b"}, "enabled": False})
    assert links_of(host, "w@*") == []


def test_a_default_instance_that_is_declared_itself_stays_enabled(host: Lab) -> None:
    unit = service("w@", install={**WANTED, "DefaultInstance": "a"}, enabled=True)
    own = {"name": "w@a.service", "enabled": True}
    host.settled(unit, own)
    host.settled({**unit, "install": {**WANTED, "DefaultInstance": "b"}}, own)
    assert links_of(host, "w@*") == [f"multi-user.target.wants/w@{each}.service" for each in "ab"]


def test_a_default_instance_of_a_unit_of_others(host: Lab) -> None:
    name = "theirs@.service"
    host.foreign(name, IDLE + "[Install]\nWantedBy=%i.target multi-user.target\nDefaultInstance=%H\n", start=False)
    host.settled({"name": name, "enabled": True})
    assert host.sh(f"find {UNITS} -type l -name 'theirs@*' | wc -l") == "2"
    host.settled({"name": name, "enabled": False})
    assert host.sh(f"find {UNITS} -type l -name 'theirs@*'") == ""


def links_of(host: Lab, *units: str) -> list[str]:
    """All links in folders of other units by these names."""
    names = " -o ".join(f"-name '{unit}'" for unit in units)
    found = host.sh(f"find {UNITS} -mindepth 2 -type l \\( {names} \\) -printf '%P\\n'").split()
    return sorted(found)


def test_a_template_that_a_template_wants(host: Lab) -> None:
    """Its instances come with those of the other one, so that it needs none of its own; 247 cannot do that."""
    work = service("work@", instances=["a"])
    helper = service("helper@", install={"WantedBy": "work@.service"}, enabled=True)
    if host.systemd < 249:
        assert "249" in host.refused(work, helper)["msg"]
        return
    host.settled(work, helper)
    assert links_of(host, "helper@*") == ["work@.service.wants/helper@.service"]
    host.sh("systemctl restart work@a.service")
    assert host.state("helper@a.service") == "active"
    host.settled(work, {**helper, "enabled": False})
    assert links_of(host, "helper@*") == []
    host.sh("systemctl stop helper@a.service")


def test_a_template_of_which_nothing_can_be_enabled(host: Lab) -> None:
    unit = service("main@", install=WANTED, enabled=True)
    for check_mode in (True, False):
        result = host.refused(unit, check_mode=check_mode)
        assert "no DefaultInstance=" in result["msg"]
    host.settled({**unit, "install": {**WANTED, "DefaultInstance": "d"}})
    assert links_of(host, "main@*") == ["multi-user.target.wants/main@d.service"]
    host.foreign("others@.service", IDLE + "[Install]\nWantedBy=multi-user.target\n", start=False)
    result = host.refused({"name": "others@.service", "enabled": True, "state": "present"})
    assert "no DefaultInstance=" in result["msg"]


def test_what_also_names_is_enabled_with_it(host: Lab) -> None:
    """Also where that comes later, or has been disabled since; but for what is declared itself."""
    first, second = "first.service", "second.service"
    for unit in (first, second):
        host.foreign(unit, IDLE + "[Install]\nWantedBy=multi-user.target\n", start=False)
    unit = service(install={**WANTED, "Also": first})
    host.settled(unit)
    host.settled({**unit, "install": {**WANTED, "Also": [first, second]}})
    assert len(links_of(host, "main.service", first, second)) == 3
    host.sh(f"systemctl disable {second}")
    host.settled({**unit, "install": {"Also": [first, second]}})
    assert links_of(host, "main.service", first, second) == [
        f"multi-user.target.wants/{each}" for each in (first, second)
    ]
    not_first = {"name": first, "enabled": False}
    result = host.settled({**unit, "install": {**WANTED, "Also": [first, second]}}, not_first)
    assert "remove" in [step["action"] for step in result["plan"]]
    assert links_of(host, "main.service", first, second) == [
        f"multi-user.target.wants/{each}" for each in ("main.service", second)
    ]
    host.settled({**unit, "install": {"Also": [first, second]}, "enabled": False})
    assert links_of(host, "main.service", first, second) == []


def test_drop_ins_that_systemctl_does_not_read_for_install(host: Lab) -> None:
    """Those of a prefix or a type count for all but that."""
    dropin = {"name": "zz-.service", "dropin": "x", "install": WANTED}
    assert host.refused(service("zz-main", enabled=True), dropins=[dropin])["errors"][0]["rule"] == "no-install"
    host.settled(service("zz-main"), dropins=[dropin])


def generator(host: Lab, wants: bool, unit: str = "db.service", install: str = "") -> None:
    """As podman's for quadlets: a unit that is made anew at each reload."""
    link = f"mkdir -p $1/multi-user.target.wants; ln -s ../{unit} $1/multi-user.target.wants/{unit}" if wants else ":"
    text = f"[Unit]\\nSourcePath=/etc/quadlets/db.container\\n[Service]\\nExecStart=/bin/sleep infinity\\n{install}"
    host.write("/etc/systemd/system-generators/testing", f"#!/bin/sh\nprintf '{text}' > $1/{unit}\n{link}\n")
    host.sh("chmod +x /etc/systemd/system-generators/testing; systemctl daemon-reload")


def test_what_its_generator_has_enabled_is_enabled(host: Lab) -> None:
    generator(host, wants=True, install="[Install]\\nWantedBy=multi-user.target\\n")
    result = host.settled({"name": "db.service", "state": "started", "enabled": True})
    assert actions(result) == [("start", "db.service")]
    for check_mode in (True, False):
        message = host.refused({"name": "db.service", "enabled": False}, check_mode=check_mode)["msg"]
        assert "/etc/quadlets/db.container" in message
        assert "masked: true" in message
    host.sh("systemctl stop db.service; rm /etc/systemd/system-generators/testing; systemctl daemon-reload")


def test_what_its_generator_has_not_enabled_cannot_be(host: Lab) -> None:
    generator(host, wants=False, install="[Install]\\nWantedBy=multi-user.target\\n")
    for check_mode in (True, False):
        result = host.refused({"name": "db.service", "state": "started", "enabled": True}, check_mode=check_mode)
        assert result["errors"][0]["rule"] == "generated"
        assert "give /etc/quadlets/db.container an [Install] section" in result["msg"]
    host.settled({"name": "db.service", "state": "started", "enabled": False})
    host.sh("systemctl stop db.service; rm /etc/systemd/system-generators/testing; systemctl daemon-reload")


def test_a_transient_unit_cannot_be_enabled(host: Lab) -> None:
    host.sh("systemd-run --quiet --unit=passing /bin/sleep infinity 2>&1")
    result = host.refused({"name": "passing.service", "state": "started", "enabled": True})
    assert result["errors"][0]["rule"] == "generated"
    host.settled({"name": "passing.service", "state": "started", "enabled": False})
    host.sh("systemctl stop passing.service")


def test_a_script_of_sysv(host: Lab) -> None:
    if host.systemd >= 260:  # which has no generator for them
        return
    text = "#!/bin/sh\n### BEGIN INIT INFO\n# Provides: old\n# Required-Start:\n# Required-Stop:\n"
    host.write("/etc/init.d/old", text + "# Default-Start: 2 3 4 5\n# Default-Stop: 0 1 6\n### END INIT INFO\nexit 0\n")
    host.sh("chmod +x /etc/init.d/old; systemctl daemon-reload")
    wanted = {"name": "old.service", "state": "started", "enabled": True}
    result = host.refused(wanted)
    assert "update-rc.d old enable" in result["msg"]
    host.sh("for at in 2 3 4 5; do ln -s ../init.d/old /etc/rc$at.d/S01old; done; systemctl daemon-reload")
    assert host.sh("systemctl is-enabled old.service 2>/dev/null") in ("enabled", "generated")
    host.settled(wanted)
    assert "update-rc.d old disable" in host.refused({**wanted, "enabled": False})["msg"]
    host.sh("systemctl stop old; rm /etc/rc?.d/S01old /etc/init.d/old; systemctl daemon-reload")


def test_a_unit_that_its_package_has_started_at_boot(host: Lab) -> None:
    """By a link of its own, as those of systemd have it: there is nothing to enable, and nothing to disable."""
    folder = f"{VENDOR}/multi-user.target.wants"
    host.foreign("theirs.service", folder=VENDOR)
    unit = {"name": "theirs.service", "enabled": True}
    assert host.refused(unit)["errors"][0]["rule"] == "no-install"
    host.sh(f"ln -s ../theirs.service {folder}/theirs.service; systemctl daemon-reload")
    host.assert_settled(unit)
    assert "multi-user.target.wants/theirs.service" in host.refused({**unit, "enabled": False})["msg"]
    host.sh(f"rm {folder}/theirs.service")


def test_a_masked_unit_is_not_taken_for_an_enabled_one(host: Lab) -> None:
    host.foreign("theirs.service", IDLE + "[Install]\nWantedBy=multi-user.target\n", folder=VENDOR, start=False)
    host.sh("systemctl mask theirs.service")
    unit = {"name": "theirs.service", "state": "present", "enabled": True}
    assert "masked: false" in host.refused(unit)["msg"]
    host.settled({**unit, "masked": False})
    assert host.enabled("theirs.service") == "enabled"
