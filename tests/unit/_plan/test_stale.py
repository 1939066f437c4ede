# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a running process has, by its start and by reloads since, against what its files say; and how that is told."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._desired.stack import Desired, build
from ansible_collections.unitwright.systemd.plugins.module_utils._host.files import Seen
from ansible_collections.unitwright.systemd.plugins.module_utils._host.traces import Invocation
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.plan import Plan
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.stale import Accepted

from tests.unit.world import RUNNING, VENDOR, Entry, facts, in_force, planned, stamp

UNIT = "a.service"
TEXT: Entry = {"ExecStart": "/bin/a", "ExecReload": "/bin/r"}
BEGAN = 100.0


def stack(files: Mapping[str, str] | None = None, changed_at: float = 0.0, **more: Any) -> Desired:
    """files: the digests of trigger files, all changed at the same time."""
    triggers = {"files": list(files or {}), "values": more.pop("values", [])}
    text = {**TEXT, **more.pop("service", {})}
    unit = {"name": UNIT, "service": text, "state": "started", "triggers": triggers, **more}
    times = dict.fromkeys(files or {}, changed_at)
    return build({"name": "test", "units": [unit]}, facts(digests=dict(files or {}), changed_at=times))


def then(
    first: Desired, second: Desired, reloaded: Desired | None = None, known: bool = True, lacking: tuple[str, ...] = ()
) -> Plan:
    """What is planned for the second where a process was started with the first, and reloaded with another since."""
    disk = in_force(reloaded or first, {UNIT: RUNNING})
    started = in_force(first, {UNIT: RUNNING}).invocations[UNIT]
    observed = replace(disk, invocations={UNIT: Invocation("1", BEGAN, started.log_fields)})
    stamps = frozenset({stamp(reloaded)}) if reloaded else frozenset()
    accepted = {UNIT: Accepted("1", stamps, BEGAN + 10, lacking=lacking)} if reloaded else {}
    earlier = [each for each in (first, reloaded) if each] if known else []
    return planned(second, observed, earlier=earlier, accepted=accepted)


def done(made: Plan) -> str:
    """The verb and the reason, "" for nothing."""
    return next((f"{each.action}: {each.reason}" for each in made.steps if each.unit == UNIT and not each.path), "")


CONF = "/etc/a.conf"


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (stack({CONF: "1"}), stack({CONF: "2"}), f"restart: changed since its last start: the file {CONF}"),
        (stack(values=["1"]), stack(values=["2"]), "restart: changed since its last start: triggers.values[0]"),
        (stack(values=["1"]), stack(values=["1", "2"]), "restart: changed since its last start: triggers.values[1]"),
        (
            stack(secrets={"TOKEN": "abcdef", "SAME": "ghijkl"}),
            stack(secrets={"TOKEN": "mnopqr", "SAME": "ghijkl"}),
            "restart: changed since its last start: the secret TOKEN",
        ),
        (
            stack(credentials={"key": "abcdef"}),
            stack(credentials={"key": "mnopqr"}),
            "restart: changed since its last start: the credential key",
        ),
        (
            stack({CONF: "1"}, service={"Nice": 1}),
            stack({CONF: "2"}, service={"Nice": 2}),
            f"restart: changed: Nice, the file {CONF}",
        ),
        # What is taken away from triggers is nothing that the process has.
        (stack(values=["1"]), stack(), ""),
        (stack({CONF: "1"}), stack(), ""),
        (stack({CONF: "1"}, values=["1", "2"]), stack({CONF: "1"}, values=["2"]), ""),
        (stack(values=["1", "2"]), stack(values=["2", "1"]), ""),
        # But a secret or a directive is.
        (stack(secrets={"A": "abcdef"}), stack(), "restart: changed: EnvironmentFile, the secret A"),
        # A file that is newly one.
        (stack(), stack({CONF: "1"}, changed_at=BEGAN - 1), ""),
        (
            stack(),
            stack({CONF: "1"}, changed_at=BEGAN + 1),
            f"restart: changed since its last start: the file {CONF}",
        ),
        (stack(), stack(values=["1"]), "restart: changed since its last start: triggers.values[0]"),
    ],
)
def test_what_has_changed_for_a_process(first: Desired, second: Desired, told: str) -> None:
    assert done(then(first, second)) == told


def test_what_a_reload_has_put_into_force_counts() -> None:
    one, two = stack({CONF: "1"}, on_change="reload"), stack({CONF: "2"}, on_change="reload")
    assert done(then(one, two, two)) == ""
    assert done(then(one, one, two)) == f"reload: changed since its last start: the file {CONF}"
    # Whoever reloaded it, a restart makes up for it as well.
    again = stack({CONF: "1"})
    assert done(then(again, again, two)) == f"restart: changed since its last start: the file {CONF}"


def test_a_file_that_is_newly_a_trigger_of_what_was_reloaded_since() -> None:
    one, two = stack(values=["1"], on_change="reload"), stack(values=["2"], on_change="reload")
    for changed_at, plan in ((BEGAN + 9, ""), (BEGAN + 11, f"reload: changed since its last start: the file {CONF}")):
        third = stack({CONF: "1"}, changed_at, values=["2"], on_change="reload")
        assert done(then(one, third, two)) == plan


def test_what_a_reload_does_not_put_into_force_is_kept_until_a_start() -> None:
    one, two, three = (stack({CONF: each}, service={"Nice": each}, on_change="reload") for each in "123")
    lacking = "reloaded, but only its next start puts into force: Nice"
    assert then(one, two).kept == {UNIT: lacking}
    assert done(then(one, two)) == f"reload: changed: Nice, the file {CONF}"
    same = then(one, two, two)
    assert (same.empty, same.kept) == (True, {UNIT: lacking})
    assert then(one, three, two).kept == {UNIT: lacking}
    back = then(one, one, two)
    assert (done(back), back.kept) == (f"reload: changed: Nice, the file {CONF}", {})
    assert then(two, two).kept == {}
    trigger = then(one, stack({CONF: "2"}, service={"Nice": "1"}, on_change="reload"))
    assert (done(trigger), trigger.kept) == (f"reload: changed since its last start: the file {CONF}", {})


def test_a_start_without_a_stamp_that_is_given_one_by_its_reload() -> None:
    """As what a package's process has, over which a drop-in came; then it looks as if started with that."""
    two = stack(service={"Nice": "2"}, on_change="reload")
    assert then(two, two, two, lacking=("Nice",)).kept == {
        UNIT: "reloaded, but only its next start puts into force: Nice"
    }
    assert then(two, two, two).kept == {}


def test_what_a_reload_does_not_put_into_force_is_restarted_for_once_that_is_said() -> None:
    one, two = (stack(service={"Nice": each}, on_change="reload") for each in "12")
    restarting = stack(service={"Nice": "2"})
    told = "reloaded, but only its next start puts into force: Nice"
    assert done(then(one, restarting, two)) == f"restart: {told}"
    assert then(one, stack(service={"Nice": "2"}, on_change="none"), two).kept == {UNIT: told}
    assert done(then(one, stack(service={"Nice": "2"}, on_change="none"), two)) == ""


def test_environment_and_secrets_that_a_reload_does_not_put_into_force() -> None:
    one, two = (stack(secrets={"A": each * 6}, environment={"B": each}, on_change="reload") for each in "12")
    kept = "reloaded, but only its next start puts into force: Environment, the secret A"
    assert then(one, two).kept == then(one, two, two).kept == {UNIT: kept}


def test_what_no_record_tells() -> None:
    """A process that an earlier version started is as stale as it was; the reason goes by what the files tell."""
    one, two = stack({CONF: "1"}), stack({CONF: "2"}, changed_at=BEGAN + 1)
    assert done(then(one, two, known=False)) == f"restart: changed since its last start: the file {CONF}"
    assert "no record tells" in done(then(stack(values=["1"]), stack(values=["2"]), known=False))
    secret = then(stack(secrets={"A": "abcdef"}), stack(secrets={"A": "ghijkl"}), known=False)
    assert done(secret) == "restart: changed since its last start: /etc/unitwright/test/a.service.env"
    assert done(then(stack(values=["1"]), stack(), known=False)).startswith("restart: ")
    reloads = [stack(service={"Nice": each}, on_change="reload") for each in "12"]
    lacking = {UNIT: "reloaded, but only its next start puts into force: Nice"}
    assert then(*reloads, known=False).kept == lacking
    assert then(*reloads, reloads[1], known=False, lacking=("Nice",)).kept == lacking


def test_the_dropin_in_which_it_changed_is_named() -> None:
    """The text is as it was, and the process of an earlier one: a restart was lost."""

    def over(nice: int) -> Desired:
        dropin = {"name": UNIT, "dropin": "x", "service": {"Nice": nice}}
        return build({"name": "test", "dropins": [dropin]}, facts())

    vendor = {UNIT: "[Service]\nExecStart=/bin/a\n"}
    now = in_force(over(2), {UNIT: RUNNING}, vendor=vendor)
    old = in_force(over(1), {UNIT: RUNNING}).invocations[UNIT]
    fields = frozenset(f"UNITWRIGHT_STAMP={each}" for each in over(1).made_of)
    observed = replace(now, invocations={UNIT: old._replace(log_fields=fields)})
    path = f"/etc/systemd/system/{UNIT}.d/x.conf"
    assert done(planned(over(2), observed, earlier=[over(1)])) == (
        f"restart: changed since its last start: Nice of {path}"
    )


def test_what_one_of_two_files_says_anew_though_the_other_stays() -> None:
    """A unit and its drop-in, both of new stamps, set the same directive, the one in more than one spelling."""

    def both(nice: int, value: int) -> Desired:
        unit = {"name": UNIT, "service": {**TEXT, "Nice": nice, "Environment": '"A=1"'}, "state": "started"}
        dropin = {"name": UNIT, "dropin": "x", "service": {"Environment": f'"B={value}"'}}
        return build({"name": "test", "units": [unit], "dropins": [dropin]}, facts())

    other = "Environment of /etc/systemd/system/a.service.d/x.conf, Nice"
    for nice, (value, news) in itertools.product(range(2, 8), ((1, "Nice"), (2, other))):
        disk = in_force(both(nice, value), {UNIT: RUNNING})
        runs = in_force(both(1, 1), {UNIT: RUNNING}).invocations
        made = planned(both(nice, value), replace(disk, invocations=runs), earlier=[both(1, 1)])
        assert done(made) == f"restart: changed since its last start: {news}"


PACKAGED = "[Unit]\nDescription=Theirs\n[Service]\nExecStart=/bin/a\nNice=3\nEnvironment=A=1\n"


def taken_over(text: str, changed_at: float = BEGAN - 1, **more: Any) -> Plan:
    """What is planned for a text in the place of a package's, whose process runs."""
    path = f"{VENDOR}/{UNIT}"
    observed = in_force(None, {UNIT: RUNNING}, vendor={UNIT: PACKAGED})
    there = Seen(0o100644, 0, 0, changed_at, PACKAGED.encode())
    runs = {UNIT: Invocation("1", BEGAN, frozenset())}
    observed = replace(observed, invocations=runs, foreign={path: there})
    unit = {"name": UNIT, "content": text, "replace": True, "state": "started", **more}
    return planned(build({"name": "test", "units": [unit]}, facts()), observed)


@pytest.mark.parametrize(
    ("text", "more", "told"),
    [
        (PACKAGED, {}, ""),
        (PACKAGED.replace("Nice=3", "Nice=1\nNice=3"), {}, ""),
        (PACKAGED.replace("Theirs", "Ours"), {}, ""),
        (PACKAGED.replace("Nice=3", "Nice=4"), {}, "restart: changed: Nice"),
        (PACKAGED, {"environment": {"B": "2"}}, "restart: changed: Environment"),
        (PACKAGED, {"secrets": {"B": "abcdef"}}, "restart: changed: EnvironmentFile, the secret B"),
        (PACKAGED, {"triggers": {"values": ["1"]}}, "restart: changed since its last start: triggers.values[0]"),
    ],
)
def test_what_is_new_to_the_process_of_a_text_that_is_taken_over(text: str, more: Entry, told: str) -> None:
    assert done(taken_over(text, **more)) == told


def test_of_a_file_that_is_not_older_than_the_process_it_was_perhaps_not_started() -> None:
    assert done(taken_over(PACKAGED, changed_at=BEGAN + 1)).startswith("restart: changed since its last start: ")


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ({"values": ["1"]}, {}, ""),
        ({"values": ["1"]}, {"values": ["2"]}, "run: changed since its last start: triggers.values[0]"),
        ({}, {"files": {CONF: "1"}, "changed_at": -1.0}, ""),
        ({}, {"files": {CONF: "1"}, "changed_at": 1.0}, f"run: changed since its last start: the file {CONF}"),
    ],
)
def test_what_a_oneshot_runs_for(first: dict[str, Any], second: dict[str, Any], told: str) -> None:
    once = {"service": {"Type": "oneshot"}, "state": None, "run": "on_change"}
    before, after = stack(**first, **once), stack(**second, **once)
    assert done(planned(after, in_force(before), earlier=[before])) == told
