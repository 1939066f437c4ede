# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a unit's settings promise for a fault, by the tables of systemd.service(5) and systemd.timer(5)."""

from __future__ import annotations

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._desired import options
from ansible_collections.unitwright.systemd.plugins.module_utils._trial import promise
from ansible_collections.unitwright.systemd.plugins.module_utils._trial.promise import delay, settings


def promised(fault: str, **shown: str) -> tuple[str, float | None]:
    """The verdict and the seconds until systemd starts it anew."""
    found = promise.promise(settings({"StartLimitBurst": "5", **shown}), fault)
    assert found.reason
    return found.verdict, found.after


@pytest.mark.parametrize(
    ("restart", "kill", "segv", "watchdog"),
    [
        ("no", "failed", "failed", "failed"),
        ("always", "recovered", "recovered", "recovered"),
        ("on-success", "failed", "failed", "failed"),
        ("on-failure", "recovered", "recovered", "recovered"),
        ("on-abnormal", "recovered", "recovered", "recovered"),
        ("on-abort", "recovered", "recovered", "failed"),
        ("on-watchdog", "failed", "failed", "recovered"),
    ],
)
def test_restart(restart: str, kill: str, segv: str, watchdog: str) -> None:
    assert promised("kill", Restart=restart)[0] == kill
    assert promised("segv", Restart=restart)[0] == segv
    assert promised("hang", Restart=restart, WatchdogUSec="5s")[0] == watchdog


@pytest.mark.parametrize(
    ("shown", "verdict"),
    [
        # An end that counts as success.
        ({"Restart": "on-failure", "SuccessExitStatus": "143 KILL"}, "inactive"),
        ({"Restart": "no", "SuccessExitStatus": "KILL"}, "inactive"),
        ({"Restart": "on-success", "SuccessExitStatus": "KILL"}, "recovered"),
        ({"Restart": "always", "SuccessExitStatus": "KILL"}, "recovered"),
        # Exceptions come before the policy, and the one that prevents before the one that forces.
        ({"Restart": "always", "RestartPreventExitStatus": "1 KILL"}, "failed"),
        ({"Restart": "no", "RestartForceExitStatus": "KILL"}, "recovered"),
        ({"Restart": "no", "RestartForceExitStatus": "KILL", "RestartPreventExitStatus": "KILL"}, "failed"),
        ({"Restart": "always", "RestartPreventExitStatus": "9"}, "recovered"),
        # What others do about it.
        ({"Restart": "no", "UpheldBy": "shop.target"}, "recovered"),
        ({"Restart": "on-failure", "ExitType": "cgroup"}, "unknown"),
    ],
)
def test_what_changes_the_end_of_a_kill(shown: dict[str, str], verdict: str) -> None:
    assert promised("kill", **shown)[0] == verdict


@pytest.mark.parametrize(
    ("shown", "verdict"),
    [
        ({"Restart": "always"}, "recovered"),
        ({"Restart": "on-failure", "OOMPolicy": "kill"}, "recovered"),
        ({"Restart": "on-abnormal", "OOMPolicy": "stop"}, "recovered"),
        # Neither is one for want of memory an abort, nor a success, whatever is said of its signal.
        ({"Restart": "on-abort"}, "failed"),
        ({"Restart": "on-success", "SuccessExitStatus": "KILL"}, "failed"),
        ({"Restart": "no"}, "failed"),
        ({"Restart": "always", "RestartPreventExitStatus": "KILL"}, "failed"),
        ({"Restart": "no", "UpheldBy": "shop.target"}, "recovered"),
        # systemd ends all of it, also where it would be up for as long as any of its processes is.
        ({"Restart": "always", "ExitType": "cgroup"}, "recovered"),
        # It goes on without what was killed, and only the kernel says which process that is.
        ({"Restart": "on-abort", "OOMPolicy": "continue"}, "recovered"),
        ({"Restart": "no", "OOMPolicy": "continue"}, "unknown"),
        ({"Restart": "always", "OOMPolicy": "continue", "ExitType": "cgroup"}, "unknown"),
    ],
)
def test_an_end_for_want_of_memory(shown: dict[str, str], verdict: str) -> None:
    found = promise.promise(settings(shown), "oom")
    assert found.verdict == verdict
    assert f"OOMPolicy={shown.get('OOMPolicy', 'stop')}" in found.reason


def test_a_core_is_no_success_whatever_is_said_of_its_signal() -> None:
    assert promised("segv", Restart="on-failure", SuccessExitStatus="SEGV")[0] == "unknown"
    assert promised("segv", Restart="always", SuccessExitStatus="SEGV")[0] == "recovered"
    assert promised("segv", Restart="on-failure", RestartPreventExitStatus="SEGV")[0] == "failed"


def test_the_seconds_until_it_is_started_anew() -> None:
    assert promised("kill", Restart="always", RestartUSec="2s") == ("recovered", 2.0)
    assert promised("hang", Restart="always", RestartUSec="100ms", WatchdogUSec="1min 30s") == ("recovered", 90.1)
    assert promised("kill", Restart="no", RestartUSec="2s") == ("failed", None)


@pytest.mark.parametrize(
    ("shown", "verdict", "says"),
    [
        ({}, "not-noticed", "without WatchdogSec="),
        ({"WatchdogUSec": "0", "Restart": "always"}, "not-noticed", "without WatchdogSec="),
        ({"WatchdogUSec": "infinity", "Restart": "always"}, "not-noticed", "without WatchdogSec="),
        ({"RuntimeMaxUSec": "1h"}, "not-noticed", "RuntimeMaxSec= ends it, after 3600 s"),
        ({"RuntimeMaxUSec": "infinity"}, "not-noticed", "without WatchdogSec="),
        ({"WatchdogUSec": "5s", "Restart": "always", "RestartPreventExitStatus": "ABRT"}, "failed", "5 s"),
        (
            {"WatchdogUSec": "5s", "Restart": "always", "RestartPreventExitStatus": "ABRT", "WatchdogSignal": "9"},
            "recovered",
            "5 s",
        ),
    ],
)
def test_a_hang(shown: dict[str, str], verdict: str, says: str) -> None:
    found = promise.promise(settings(shown), "hang")
    assert found.verdict == verdict
    assert says in found.reason


@pytest.mark.parametrize(
    ("interval", "burst", "pause", "verdict"),
    [
        ("10s", "5", "100ms", "start-limit-hit"),
        ("10s", "5", "0", "start-limit-hit"),
        ("10s", "1", "5s", "start-limit-hit"),
        # Five restarts take longer than the limit looks back.
        ("10s", "5", "3s", "recovered"),
        # Whether it is reached depends on how fast the program falls.
        ("10s", "5", "1900ms", "unknown"),
        ("0", "5", "100ms", "recovered"),
        ("10s", "0", "100ms", "recovered"),
        ("infinity", "5", "1min", "start-limit-hit"),
    ],
)
def test_a_crash_loop(interval: str, burst: str, pause: str, verdict: str) -> None:
    shown = {"Restart": "always", "StartLimitIntervalUSec": interval, "StartLimitBurst": burst, "RestartUSec": pause}
    assert promised("crash_loop", **shown)[0] == verdict


@pytest.mark.parametrize(
    ("restart", "took", "says"),
    [
        ("always", 9.0, ""),
        ("always", 12.4, "6 crashes took 12 s here, and StartLimitIntervalSec= is 10 s"),
        ("no", 12.4, ""),  # then no limit is promised
    ],
)
def test_a_crash_loop_that_was_too_slow_for_the_limit(restart: str, took: float, says: str) -> None:
    given = settings(
        {"Restart": restart, "RestartUSec": "100ms", "StartLimitIntervalUSec": "10s", "StartLimitBurst": "5"}
    )
    assert promise.too_slow(given, took) == says


def test_a_crash_loop_of_what_is_not_restarted_ends_at_once() -> None:
    assert promised("crash_loop", Restart="no") == ("failed", None)


GROWING = {"RestartUSec": "1s", "RestartSteps": "2", "RestartMaxDelayUSec": "4s"}


def test_steps_of_restarts() -> None:
    given = settings(GROWING)
    assert [delay(given, number) for number in (1, 2, 3, 4)] == [1.0, 2.0, 4.0, 4.0]
    for other, third in (("RestartMaxDelayUSec", 1.0), ("RestartSteps", 1.0)):
        assert delay(settings({**GROWING, other: ""}), 3) == third
    assert delay(settings({**GROWING, "RestartUSec": "5s"}), 3) == 5.0


def test_growing_steps_keep_a_crash_loop_from_the_limit() -> None:
    shown = {"Restart": "always", "RestartUSec": "1s", "StartLimitIntervalUSec": "10s"}
    assert promised("crash_loop", **shown)[0] == "start-limit-hit"
    assert promised("crash_loop", **shown, RestartSteps="2", RestartMaxDelayUSec="4s")[0] == "recovered"


def test_what_no_setting_of_the_unit_says() -> None:
    assert promised("child") == ("recovered", None)
    assert promised("socket") == ("recovered", None)
    assert promised("dependency", Restart="always") == ("inactive", None)
    assert promised("dependency", UpheldBy="shop.target")[0] == "recovered"


def test_a_timer_that_was_down_when_its_time_came() -> None:
    calendar = "{ OnCalendar=*-*-* 02:00:00 ; next_elapse=Fri 2026-11-27 02:00:00 UTC }"
    assert promised("downtime", Persistent="yes", TimersCalendar=calendar) == ("recovered", 0.0)
    assert promised("downtime", Persistent="no", TimersCalendar=calendar) == ("missed", None)
    assert promised("downtime", Persistent="yes") == ("missed", None)


@pytest.mark.parametrize(
    ("fault", "shown", "says"),
    [
        ("kill", {"Restart": "always", "RestartUSec": "1min 59s"}, ""),
        ("kill", {"Restart": "always", "RestartUSec": "1h"}, "started anew 3600 s later"),
        ("segv", {"Restart": "on-abort", "RestartUSec": "infinity"}, "started anew inf s later"),
        ("crash_loop", {"Restart": "always", "RestartUSec": "1h", "StartLimitBurst": "0"}, "started anew 3600 s later"),
        ("crash_loop", {"Restart": "always", "RestartUSec": "1min"}, "6 restarts take 300 s"),
        # What does not restart it is not waited for.
        ("kill", {"Restart": "no", "RestartUSec": "1h"}, ""),
        ("crash_loop", {"Restart": "no", "RestartUSec": "1min"}, ""),
        ("hang", {"Restart": "always", "RestartUSec": "1h"}, ""),
        ("hang", {"Restart": "no", "RestartUSec": "1h", "WatchdogUSec": "5s"}, ""),
        ("oom", {"Restart": "always", "RestartUSec": "1h"}, "started anew 3600 s later"),
        ("oom", {"Restart": "on-abort", "RestartUSec": "1h"}, ""),
        ("hang", {"Restart": "no", "WatchdogUSec": "30min"}, "WatchdogSec= is 1800 s"),
        ("hang", {"Restart": "always", "WatchdogUSec": "1min 30s", "RestartUSec": "1min"}, "started anew 150 s later"),
        ("child", {"Restart": "always", "RestartUSec": "1h"}, ""),
        ("downtime", {}, ""),
    ],
)
def test_what_nobody_would_wait_for(fault: str, shown: dict[str, str], says: str) -> None:
    found = promise.too_long(settings({"StartLimitBurst": "5", **shown}), fault)
    assert says in found
    assert bool(found) is bool(says)


def test_what_is_put_off_for_ever_is_no_restart() -> None:
    assert promised("kill", Restart="always", RestartUSec="infinity") == ("failed", None)
    assert promised("crash_loop", Restart="always", RestartUSec="infinity") == ("failed", None)


@pytest.mark.parametrize(
    ("restart", "shown", "gave_up"),
    [
        ("on-abort", {"Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "1"}, False),
        ("on-abort", {"Result": "signal", "ExecMainCode": "2", "ExecMainStatus": "9"}, True),
        ("on-abort", {"Result": "core-dump", "ExecMainCode": "3", "ExecMainStatus": "11"}, True),
        ("on-failure", {"Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "1"}, True),
        ("no", {"Result": "start-limit-hit", "ExecMainCode": "2", "ExecMainStatus": "9"}, True),
        # Exceptions, by number of what exits and by name of what is killed.
        ("always", {"Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "42"}, False),
        ("always", {"Result": "signal", "ExecMainCode": "2", "ExecMainStatus": "15"}, False),
        ("no", {"Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "43"}, True),
    ],
)
def test_systemd_gives_up_on_what_it_would_restart(restart: str, shown: dict[str, str], gave_up: bool) -> None:
    given = settings({"Restart": restart, "RestartPreventExitStatus": "42 TERM", "RestartForceExitStatus": "43"})
    assert promise.gave_up(given, shown) is gave_up


def test_the_option_has_every_fault() -> None:
    assert tuple(promise.FAULTS) == options.FAULTS
