# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one look at a unit says of it, where a real systemd is in that state too briefly to be caught."""

from __future__ import annotations

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._host import looks
from ansible_collections.unitwright.systemd.plugins.module_utils._host.looks import Look

LOADED = {"LoadState": "loaded", "Result": "success", "Job": "0"}
CONDITION = "was not started since one of its conditions is not met: mend that, or declare state: present"
ASSERTION = "was not started since one of its assertions (Assert...=) does not hold"


def look(unit: str = "a.service", *, others_move: bool = False, **shown: str) -> Look:
    return Look(unit, {**LOADED, **shown}, 1.0, others_move)


@pytest.mark.parametrize(
    ("shown", "reloaded", "said"),
    [
        ({"ActiveState": "active"}, True, ""),
        ({"LoadState": "merged", "ActiveState": "active"}, False, ""),
        ({"LoadState": "not-found"}, False, "systemd cannot load it (not-found)"),
        ({"LoadState": "bad-setting", "ActiveState": "active"}, False, "systemd cannot load it (bad-setting)"),
        ({"ActiveState": "failed", "Result": "exit-code"}, False, "failed: result exit-code"),
        ({"ActiveState": "failed", "Job": "17"}, False, ""),
        (
            {"ActiveState": "activating", "SubState": "auto-restart", "ExecMainCode": "1", "ExecMainStatus": "203"},
            False,
            "ended and waits for its automatic restart: "
            "result success, exit status 203 (EXEC: the program cannot be run)",
        ),
        ({"ActiveState": "activating", "SubState": "auto-restart-queued"}, False, "ended and waits for its automatic"),
        ({"ActiveState": "active", "ReloadResult": "exit-code"}, True, "its reload failed (exit-code)"),
        ({"ActiveState": "active", "ReloadResult": "exit-code", "Job": "17"}, True, ""),
        ({"ActiveState": "active", "ReloadResult": "exit-code"}, False, ""),
        (
            {"ActiveState": "active", "ExecRemount": "{ code=exited ; status=32 }"},
            True,
            "its reload failed (mount ended with status 32)",
        ),
        ({"ActiveState": "active", "ExecRemount": "{ code=exited ; status=0 }"}, True, ""),
    ],
)
def test_what_has_failed(shown: dict[str, str], reloaded: bool, said: str) -> None:
    complaint = looks.failed(look(**shown), reloaded)
    assert complaint.startswith(said)
    assert bool(complaint) == bool(said)


OVER = "has no next elapse: its times are over, or count from a run that never was (add OnActiveSec=)"
SINCE = {"ActiveEnterTimestampMonotonic": "14701274917"}
# When it fired, and what is said of it: what it did before it was started anew does not count.
FIRED = (
    ("4h 5min 1.278140s", ""),
    ("4h 5min 1.270000s", OVER),
    ("1month 2d 3ms", ""),
    ("500us", OVER),
    ("0", OVER),
    ("", OVER),
)


@pytest.mark.parametrize(
    ("unit", "sub", "shown", "said"),
    [
        ("a.service", "exited", {}, ""),
        ("a.target", "active", {}, ""),
        ("a.socket", "listening", {}, ""),
        ("a.socket", "running", {}, ""),
        ("a.socket", "dead", {}, "is dead, not listening"),
        ("a.path", "waiting", {}, ""),
        ("a.path", "running", {}, ""),
        ("a.path", "dead", {}, "is dead, not waiting"),
        ("a.automount", "waiting", {}, ""),
        ("a.automount", "running", {}, ""),
        ("a.automount", "dead", {}, "is dead, not waiting"),
        ("a.timer", "dead", {}, "is dead, not waiting"),
        ("a.mount", "mounted", {}, ""),
        ("a.mount", "unmounting", {}, "is unmounting, not mounted"),
        ("a.timer", "waiting", {"NextElapseUSecRealtime": "Mon 2030-01-01 00:00:00 UTC"}, ""),
        ("a.timer", "waiting", {"NextElapseUSecMonotonic": "5min"}, ""),
        ("a.timer", "running", {}, ""),
        (
            "a.timer",
            "waiting",
            {"NextElapseUSecRealtime": "n/a", "NextElapseUSecMonotonic": "0"},
            "has no next elapse: its calendar lies in the past",
        ),
        (
            "a.timer",
            "waiting",
            {"NextElapseUSecRealtime": "", "NextElapseUSecMonotonic": "infinity"},
            "has no next elapse: its calendar lies in the past",
        ),
        ("a.timer", "elapsed", {"TimersMonotonic": "{ OnBootUSec=1us ; next_elapse=1us }"}, ""),
        ("a.timer", "elapsed", {"TimersMonotonic": "{ OnStartupUSec=1us ; next_elapse=1us }"}, ""),
        ("a.timer", "elapsed", {"TimersMonotonic": "{ OnActiveUSec=1us ; next_elapse=1us }"}, ""),
        (
            "a.timer",
            "elapsed",
            {"TimersMonotonic": "{ OnUnitActiveUSec=1min ; next_elapse=0 }"},
            "has no next elapse: its times are over, or count from a run that never was (add OnActiveSec=)",
        ),
        *(("a.timer", "elapsed", {"LastTriggerUSecMonotonic": last, **SINCE}, said) for last, said in FIRED),
    ],
)
def test_what_is_active_does_what_it_is_for(unit: str, sub: str, shown: dict[str, str], said: str) -> None:
    assert looks.not_at_work(look(unit, ActiveState="active", SubState=sub, **shown)) == said


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (
            {"ConditionTimestampMonotonic": "0", "ConditionResult": "no"},
            "is not running: it ended by itself right away, or one of its conditions or assertions is not met",
        ),
        ({"ConditionResult": "no", "AssertResult": "no"}, CONDITION),
        ({"AssertResult": "no"}, ASSERTION),
        ({"Type": "oneshot", "RemainAfterExit": "no", "ConditionResult": "no"}, CONDITION),
        ({"Type": "oneshot", "RemainAfterExit": "no"}, ""),
        ({"Type": "simple", "RemainAfterExit": "no"}, "ended by itself right away without an error: result success"),
        ({"Type": "oneshot", "RemainAfterExit": "yes"}, "ended by itself right away without an error: result success"),
        (
            {"ExecMainCode": "2", "ExecMainStatus": "15"},
            "was stopped meanwhile, by someone or with what it depends on: result success, signal 15",
        ),
        (
            {"ExecMainCode": "1", "ExecMainStatus": "15"},
            "ended by itself right away without an error: result success, exit status 15",
        ),
    ],
)
def test_why_a_unit_is_not_running(shown: dict[str, str], said: str) -> None:
    assert looks.not_running(look(ActiveState="inactive", **shown), reloaded=False) == said


def test_a_reload_that_ends_the_program_is_named() -> None:
    """systemd forgets at once how a unit ended that nothing refers to, and takes SIGHUP for a good end."""
    told = looks.not_running(look(ActiveState="inactive", ConditionTimestampMonotonic="0"), reloaded=True)
    assert told == "its reload ended the program, as SIGHUP ends one that does not handle it"


def test_whose_time_a_stop_takes() -> None:
    """Only an endless one (TimeoutStopSec=, for a mount TimeoutSec=) takes of ours."""
    assert look(ActiveState="deactivating", TimeoutStopUSec="1min 30s").stops_in_time
    assert not look(ActiveState="deactivating", TimeoutStopUSec="infinity").stops_in_time
    assert not look(ActiveState="deactivating", TimeoutUSec="infinity").stops_in_time
    assert not look(ActiveState="active", TimeoutStopUSec="1min 30s").stops_in_time


def test_who_waits_for_another() -> None:
    assert look(ActiveState="inactive", Job="17", others_move=True).waits
    assert look(ActiveState="active", Job="17", others_move=True).waits
    assert look(ActiveState="failed", Job="17", others_move=True).waits
    assert not look(ActiveState="inactive", Job="17").waits
    assert not look(ActiveState="inactive", others_move=True).waits
    assert not look(ActiveState="inactive", Job="", others_move=True).waits
    assert not look(ActiveState="activating", Job="17", others_move=True).waits


@pytest.mark.parametrize(
    ("unit", "sub", "can"),
    [
        ("a.service", "running", True),
        ("a.socket", "listening", True),
        ("a.path", "waiting", True),
        ("a.service", "exited", False),
        ("a.timer", "waiting", False),
        ("a.mount", "mounted", False),
    ],
)
def test_what_can_fall(unit: str, sub: str, can: bool) -> None:
    assert look(unit, ActiveState="active", SubState=sub).can_fall == can


def test_the_run_that_is_shown_of_what_was_kept_from_starting_is_an_earlier_one() -> None:
    assert look(InvocationID="one", ConditionResult="yes").last_run == "one"
    assert look(InvocationID="one", ConditionResult="no").last_run == ""
    assert look(InvocationID="one", AssertResult="no").last_run == ""


LONGER = "; if it needs longer, say so by health: {timeout: }"


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (
            {"ActiveState": "activating", "SubState": "start", "Type": "notify"},
            "is not up after 1.5 s: activating (start), as it has not sent READY=1 (Type=notify)" + LONGER,
        ),
        (
            {"ActiveState": "activating", "SubState": "start", "Type": "notify-reload"},
            "is not up after 1.5 s: activating (start), as it has not sent READY=1 (Type=notify-reload)" + LONGER,
        ),
        (
            {"ActiveState": "activating", "SubState": "start", "Type": "forking"},
            "is not up after 1.5 s: activating (start), "
            "as its first process has not ended, or PIDFile= has not been written (Type=forking)" + LONGER,
        ),
        (
            {"ActiveState": "activating", "SubState": "start", "Type": "dbus"},
            "is not up after 1.5 s: activating (start), as it has not taken its BusName= (Type=dbus)" + LONGER,
        ),
        (
            {"ActiveState": "activating", "SubState": "start", "Type": "oneshot"},
            "is not up after 1.5 s: activating (start)" + LONGER,
        ),
        (
            {"ActiveState": "deactivating", "SubState": "stop-sigterm", "Type": "notify"},
            "is not up after 1.5 s: deactivating (stop-sigterm)",
        ),
    ],
)
def test_what_a_late_unit_is_at(shown: dict[str, str], said: str) -> None:
    assert looks.late(look(**shown), "up", 1.5) == said


@pytest.mark.parametrize(
    ("shown", "seconds"),
    [
        ({"TimeoutStartUSec": "15min"}, 900.0),
        ({"TimeoutStartUSec": "1min 30s", "TimeoutStopUSec": "infinity"}, 90.0),
        ({"TimeoutUSec": "1h 5s"}, 3605.0),
        ({"TimeoutStartUSec": "infinity"}, None),
        ({}, None),
    ],
)
def test_the_time_that_systemd_gives_a_start(shown: dict[str, str], seconds: float | None) -> None:
    assert looks.start_time(shown) == seconds
