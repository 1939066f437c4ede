# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A judge that did not judge is never taken for one that found nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from .entries import FOREVER, IDLE, UNITS, VENDOR, WANTED, Entry, service
from .lab import Lab, places

ANALYZE = "/usr/bin/systemd-analyze"
WRONG = {"Restart": "Always"}


@contextmanager
def instead(host: Lab, text: str = "") -> Iterator[None]:
    """Another program in the place of systemd-analyze, or none."""
    host.sh(f"mv {ANALYZE} {ANALYZE}.away")
    try:
        if text:
            host.write(ANALYZE, f"#!/bin/sh\n{text}\n")
            host.sh(f"chmod 0755 {ANALYZE}")
        yield
    finally:
        host.sh(f"rm -f {ANALYZE}; mv {ANALYZE}.away {ANALYZE}")


@pytest.mark.parametrize("text", ["exit 0", "exit 1", "kill -ABRT $$", "echo 'Failed to do it: aliases' >&2; exit 1"])
def test_one_that_gives_up_is_an_error_in_every_run(host: Lab, text: str) -> None:
    """Also over a unit that exists, where its words before are the same."""
    host.apply(service())
    for unit in (service(command="/bin/sleep 1000"), service("other")):
        with instead(host, text):
            for check_mode in (False, True):
                (error,) = host.refused(unit, check_mode=check_mode)["errors"]
                assert (error["unit"], error["rule"]) == (unit["name"], "not-judged")


def test_without_one_every_unit_that_was_not_judged_is_named(host: Lab) -> None:
    host.apply(service("a"), service("b"))
    units = [service(name, "/bin/sleep 1000") for name in "ab"]
    with instead(host):
        for check_mode in (True, False):
            result = host.apply(*units, check_mode=check_mode)
            (told,) = [each for each in result["unverified"] if each["rule"] == "no-verify"]
            assert "a.service, b.service" in told["message"]


def test_one_unit_that_it_stumbles_over_hides_no_fault_of_another(host: Lab) -> None:
    """247 aborts over Type=dbus without a name, and says nothing more of any unit."""
    units = [service("a", service=WRONG), service("b", service={"Type": "dbus"}), service("c", service=WRONG)]
    found = places(host.refused(*units))
    assert sorted(found) == [
        ("a.service", "Service", "Restart"),
        ("b.service", "Service", "BusName"),
        ("c.service", "Service", "Restart"),
    ]


COLONS = [
    service("app:web", install=WANTED),
    service("tunnel@", "/bin/sh -c 'echo %i; exec sleep infinity'", instances=["db:5432", "plain"]),
    service("a:b@", instances=["c:d"]),
    {"name": "m:n.timer", "timer": {"OnCalendar": "daily", "Unit": "app:web.service"}},
    {"name": "o:p.socket", "socket": {"ListenStream": "/run/op", "Service": "q:r.service"}},
    service("q:r", "/bin/sleep 100"),
    {"name": "machine-x:y.slice", "slice": {"MemoryMax": "100M"}},
    {"name": "s:t.target", "unit": {"Wants": "app:web.service"}},
]


@pytest.mark.parametrize("unit", COLONS, ids=lambda unit: unit["name"])
def test_a_name_with_a_colon(host: Lab, unit: Entry) -> None:
    others = [each for each in COLONS if each is not unit]
    host.settled(*others, unit)
    assert host.settled({**unit, "unit": {**unit.get("unit", {}), "Description": "anew"}}, *others)["changed"]


@pytest.mark.parametrize("name", ["app:web.service", "tunnel@.service"])
def test_a_unit_with_a_colon_in_its_name_is_judged(host: Lab, name: str) -> None:
    wrong: Entry = {"name": name, "service": {"ExecStart": FOREVER, **WRONG, "MemoryMax": "5x"}}
    wrong |= {"instances": ["db:5432"]} if "@" in name else {}
    result = host.refused(wrong, service("other", service=WRONG))
    assert places(result) == [
        (name, "Service", "Restart"),
        (name, "Service", "MemoryMax"),
        ("other.service", "Service", "Restart"),
    ]
    assert "systemd-analyze-" not in result["msg"]


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_program_of_an_instance_with_a_colon(host: Lab, check_mode: bool) -> None:
    host.sh("mkdir -p /opt/db:1 && ln -sf /bin/sleep /opt/db:1/run")
    unit = service("tunnel@", "/opt/%i/run 1000", instances=["db:1", "db:2"])
    result = host.attempt(unit, check_mode=check_mode)
    told = result["unverified"] if check_mode else result["errors"]
    assert [(each["unit"], each["directive"], each["rule"]) for each in told] == [
        ("tunnel@db:2.service", "ExecStart", "missing")
    ]
    assert host.settled({**unit, "instances": ["db:1"]})["newly_started"] == ["tunnel@db:1.service"]


def test_drop_ins_over_others_units_with_a_colon(host: Lab) -> None:
    """A template of a package of which an instance with a colon runs: all else in the run is judged too."""
    host.foreign("mail@.service", IDLE, VENDOR, start=False)
    host.foreign("x:y.service", IDLE, VENDOR)
    host.sh("systemctl start mail@host:8080.service")
    wrong: list[Entry] = [
        {"name": "mail@host:8080.service", "dropin": "a", "service": WRONG},
        {"name": "mail@.service", "dropin": "b", "service": {"MemoryMax": "5x"}},
        {"name": "x:y.service", "dropin": "a", "service": {"Nice": 99}},
    ]
    found = places(host.refused(service(service=WRONG), dropins=wrong))
    assert sorted(found) == [
        ("mail@.service", "Service", "MemoryMax"),
        ("mail@host:8080.service", "Service", "Restart"),
        ("main.service", "Service", "Restart"),
        ("x:y.service", "Service", "Nice"),
    ]
    assert host.settled(dropins=[{**each, "service": {"MemoryMax": "500M"}} for each in wrong])["changed"]
    host.sh("systemctl stop mail@host:8080.service x:y.service")


def test_a_drop_in_over_a_template_of_which_nothing_runs_is_judged(host: Lab) -> None:
    host.write(f"{UNITS}/mail@.service", IDLE)
    dropin = {"name": "mail@.service", "dropin": "a", "service": WRONG}
    assert places(host.refused(dropins=[dropin])) == [("mail@.service", "Service", "Restart")]


def test_a_unit_of_a_package_is_judged_by_the_file_that_is_in_force(host: Lab) -> None:
    """Whatever is judged beside it, /etc comes before the vendor's folder."""
    dropin = {"name": "nginx.service", "dropin": "a", "service": {"MemoryMax": "1G"}}
    host.write(f"{VENDOR}/shadowed.service", IDLE)
    result = host.refused(service("shadowed", replace=True, service=WRONG), dropins=[dropin])
    assert places(result) == [("shadowed.service", "Service", "Restart")]


@pytest.mark.parametrize(
    "name",
    [
        *("later.service", "app-.service", "later@.service", "later@x.service", "later.timer", "service"),
        *("foo:bar.service", "app@10.0.0.1:80.service"),
    ],
)
@pytest.mark.parametrize("check_mode", [True, False])
def test_a_drop_in_that_no_unit_has_yet_is_judged(host: Lab, name: str, check_mode: bool) -> None:
    section, wrong, right = ("timer", "OnCalendar", "daily") if name.endswith("timer") else ("service", "Restart", "no")
    dropin: Entry = {"name": name, "dropin": "a", section: {wrong: "Always"}}
    found = places(host.refused(dropins=[dropin], check_mode=check_mode))
    assert found == [(name, section.capitalize(), wrong)]
    if not check_mode:
        host.settled(dropins=[{**dropin, section: {wrong: right}}])


@pytest.mark.parametrize("name", ["init.scope", "session-.scope", "scope", "-.mount", "-.slice"])
def test_a_drop_in_for_what_has_no_file_is_accepted(host: Lab, name: str) -> None:
    section = name.rpartition(".")[2].capitalize()
    host.settled(dropins=[{"name": name, "dropin": "a", "content": f"[{section}]\nMemoryHigh=infinity\n"}])


@pytest.mark.parametrize("name", ["postgresql", "%p-x"])
def test_a_name_without_a_type_under_requires(host: Lab, name: str) -> None:
    result = host.refused(service(unit={"Requires": name}))
    assert places(result) == [("main.service", "Unit", "Requires")]
    assert "such as network.target" in result["msg"]


def test_a_wrong_value_for_the_root_slice(host: Lab) -> None:
    wrong: Entry = {"name": "-.slice", "dropin": "a", "slice": {"MemoryHigh": "bogus"}}
    assert places(host.refused(dropins=[wrong])) == [("-.slice", "Slice", "MemoryHigh")]


@pytest.mark.parametrize(
    "environment",
    [
        {"SYSTEMD_OFFLINE": "1"},  # as in the files that containers are built by
        {"SYSTEMD_LOG_TARGET": "journal", "SYSTEMD_LOG_LEVEL": "emerg", "SYSTEMD_LOG_LOCATION": "1"},
        {"SYSTEMD_UNIT_PATH": "/nowhere", "SYSTEMD_COLORS": "1", "LANG": "de_DE.UTF-8"},
    ],
    ids=str,
)
def test_what_the_caller_has_for_the_tools_of_systemd_changes_nothing(host: Lab, environment: dict[str, str]) -> None:
    wrong = service(service=WRONG)
    assert [each["directive"] for each in host.refused(wrong, env=environment)["errors"]] == ["Restart"]
    host.apply(service(), env=environment)
    assert host.state("main.service") == "active"
