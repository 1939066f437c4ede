# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What may be expected of a unit, look after look: good, not yet, or wrong, and of which run that is said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._host.expectations import (
    Done,
    Down,
    Expectation,
    Good,
    NotYet,
    Proof,
    Unfailed,
    Up,
    Verdict,
    Wrong,
)
from ansible_collections.unitwright.systemd.plugins.module_utils._host.health import Health
from ansible_collections.unitwright.systemd.plugins.module_utils._host.looks import Look, Run
from ansible_collections.unitwright.systemd.plugins.module_utils._host.manager import Outcome
from ansible_collections.unitwright.systemd.plugins.module_utils._host.probe import Command
from ansible_collections.unitwright.systemd.plugins.module_utils._host.scopes import SCOPES

BRIEF = Health(stable_for=3.0, timeout=10.0)
AT_ONCE = Health(stable_for=0.0, timeout=10.0)
CHECKED = Health(3.0, 10.0, (Command(("check",)),))
ONE, TWO = Run("one", "11", "0"), Run("two", "12", "0")
FELL = "did not stay up for 3 s: it ended and was restarted (its last lines say why)"
AGAIN = "ended and waits for its automatic restart: result success"
LONGER = "; if it needs longer, say so by health: {timeout: }"
KEPT = "was not started since one of its conditions is not met: mend that, or declare state: present"

UP = {
    "LoadState": "loaded",
    "ActiveState": "active",
    "SubState": "running",
    "Result": "success",
    "Job": "0",
    "Type": "simple",
    "InvocationID": "one",
    "MainPID": "11",
    "NRestarts": "0",
    "ConditionResult": "yes",
    "AssertResult": "yes",
    "ConditionTimestampMonotonic": "1",
    "TimeoutStopUSec": "1min 30s",
}
ENDED = {**UP, "ActiveState": "inactive", "SubState": "dead", "MainPID": "0", "ExecMainCode": "1"}
FAILED = {**ENDED, "ActiveState": "failed", "SubState": "failed", "Result": "exit-code"}
STARTING = {**UP, "ActiveState": "activating", "SubState": "start"}
STOPPING = {**UP, "ActiveState": "deactivating", "SubState": "stop-sigterm"}
ANOTHER = {**UP, "InvocationID": "two", "MainPID": "12"}


class Host:
    """In the place of a manager: which of the checks fails from now on, and which runs the journal calls failed."""

    def __init__(self, *failed: str) -> None:
        self.places = SimpleNamespace(scope=SCOPES["system"])
        self.failed = failed
        self.complaint = ""
        self.checked = 0
        self.given: list[float] = []

    def run(self, command: Sequence[str], timeout: float) -> Outcome:
        if command[0] == "check":
            self.checked += 1
            self.given.append(timeout)
            return Outcome(1 if self.complaint else 0, "", self.complaint)
        asked = {word.partition("=")[2] for word in command if word.startswith("INVOCATION_ID=")}
        assert asked or "--sync" in command, "the failures of any run would count"
        return Outcome(0, "failed" if asked.intersection(self.failed) else "", "")


def see(
    expectation: Expectation, at: float, shown: dict[str, str], host: Any = None, unit: str = "a.service", **more: Any
) -> Verdict:
    return expectation.verdict(Look(unit, shown, at, **more), host or Host())


@pytest.mark.parametrize(
    ("expectation", "shown", "verdict"),
    [
        (Up(Proof(AT_ONCE)), FAILED, Wrong("failed: result exit-code", "one")),
        # A restart between its stop, which failed, and its start.
        (Up(Proof(AT_ONCE)), {**FAILED, "Job": "17"}, NotYet()),
        (Down(9.0), FAILED, Good()),
        (Down(9.0), ENDED, Good()),
        (Down(9.0), {**UP, "Job": "17"}, NotYet()),
        (Down(9.0), STOPPING, NotYet()),
        (
            Down(9.0),
            {**UP, "SubState": "mounted"},
            Wrong(
                "was told to stop and is active (mounted): something has started it again, or kept it from stopping",
                "one",
            ),
        ),
        (Done(9.0), STARTING, NotYet()),
        (Done(9.0), STOPPING, NotYet()),
        (Done(9.0), {**ENDED, "Job": "17"}, NotYet()),
        (Done(9.0), ENDED, Good()),
        (Done(9.0), {**UP, "SubState": "exited"}, Good()),
        (Done(9.0), {**ENDED, "ConditionResult": "no"}, Good()),
        (Done(9.0), {**UP, "ActiveState": "maintenance"}, NotYet()),
        (Done(9.0), FAILED, Wrong("failed: result exit-code", "one")),
        (Up(Proof(AT_ONCE)), UP, Good()),
        (Up(Proof(AT_ONCE)), STARTING, NotYet()),
        (Up(Proof(AT_ONCE)), {**UP, "ActiveState": "reloading"}, NotYet()),
        (Up(Proof(AT_ONCE)), {**UP, "ActiveState": "refreshing"}, NotYet()),
        (Up(Proof(AT_ONCE)), {**UP, "Job": "17"}, NotYet()),
        (
            Up(Proof(AT_ONCE)),
            ENDED,
            Wrong("ended by itself right away without an error: result success", "one"),
        ),
        (Up(Proof(AT_ONCE)), {**ENDED, "Type": "oneshot", "RemainAfterExit": "no"}, Good()),
        (Up(Proof(AT_ONCE)), {**ENDED, "ConditionResult": "no"}, Wrong(KEPT, "")),
        (Up(Proof(AT_ONCE)), {**STARTING, "SubState": "auto-restart"}, Wrong(AGAIN, "one")),
        (Unfailed(Proof(AT_ONCE)), UP, Good()),
        (Unfailed(Proof(AT_ONCE)), ENDED, Good()),
        (Unfailed(Proof(AT_ONCE)), FAILED, Wrong("failed: result exit-code", "one")),
        (Unfailed(Proof(AT_ONCE)), STARTING, NotYet()),
        (Unfailed(Proof(AT_ONCE)), {**ENDED, "ConditionResult": "no"}, Wrong(KEPT, "")),
        (Unfailed(Proof(CHECKED, restarted=TWO)), {**ENDED, "ConditionResult": "no"}, Wrong(KEPT, "")),
        (Unfailed(Proof(AT_ONCE)), {**STARTING, "SubState": "auto-restart"}, Wrong(AGAIN, "one")),
        (Unfailed(Proof(AT_ONCE)), {**ENDED, "ConditionResult": "no", "ConditionTimestampMonotonic": "0"}, Good()),
    ],
)
def test_one_look(expectation: Expectation, shown: dict[str, str], verdict: Verdict) -> None:
    assert see(expectation, 100.0, shown) == verdict


@pytest.mark.parametrize("expected", [Up, Unfailed])
def test_it_has_to_stay_up(expected: Any) -> None:
    expectation = expected(Proof(BRIEF))
    assert see(expectation, 100.0, STARTING) == NotYet()
    assert see(expectation, 101.0, UP) == NotYet()
    assert see(expectation, 103.9, UP) == NotYet()
    assert see(expectation, 104.0, UP) == Good()


@pytest.mark.parametrize("expected", [Up, Unfailed])
def test_what_is_active_and_not_at_work(expected: Any) -> None:
    dead = {**UP, "SubState": "dead"}
    verdict = Wrong("is dead, not listening", "one")
    assert see(expected(Proof(AT_ONCE)), 100.0, dead, unit="a.socket") == verdict


def test_even_a_moment_to_stay_is_seen_through() -> None:
    up = Up(Proof(Health(stable_for=0.5, timeout=10.0)))
    assert see(up, 100.0, UP) == NotYet()
    assert see(up, 100.5, UP) == Good()


@pytest.mark.parametrize(("unit", "sub"), [("a.timer", "running"), ("a.mount", "mounted"), ("a.service", "exited")])
def test_what_cannot_fall_is_good_at_once(unit: str, sub: str) -> None:
    assert see(Up(Proof(BRIEF)), 100.0, {**UP, "SubState": sub}, unit=unit) == Good()


def test_what_falls_while_it_should_stay_is_told_by_its_first_run() -> None:
    for changed in (ANOTHER, {**UP, "NRestarts": "1"}):
        up = Up(Proof(BRIEF))
        see(up, 100.0, UP)
        assert see(up, 101.0, changed) == Wrong(FELL, "one")
    up = Up(Proof(BRIEF))
    see(up, 100.0, UP)
    assert see(up, 101.0, {**FAILED, "InvocationID": "two"}) == Wrong("failed: result exit-code", "one")


def test_a_main_process_that_hands_over_to_another_has_not_fallen() -> None:
    """As systemd 257 does for PrivatePIDs= once the service is up, and a program by MAINPID= or its PID file."""
    up = Up(Proof(BRIEF))
    see(up, 100.0, UP)
    assert see(up, 101.0, {**UP, "MainPID": "12"}) == NotYet()
    assert see(up, 100.0 + BRIEF.stable_for, {**UP, "MainPID": "12"}) == Good()


def test_what_ends_by_itself_may_be_started_again_by_what_it_serves() -> None:
    for host, last in (
        (Host(), Good()),
        (Host("two"), Good()),  # which is the present one, and shows by itself how it ended
        (Host("one"), Wrong("failed, and was started again by what it serves (its last lines say why)", "one")),
    ):
        for shown in (ANOTHER, {**ENDED, "InvocationID": "two"}):
            unfailed = Unfailed(Proof(BRIEF))
            assert see(unfailed, 100.0, UP, host) == NotYet()
            assert see(unfailed, 101.0, ANOTHER, host) == NotYet()
            assert see(unfailed, 103.0, shown, host) == last


def test_what_systemd_restarts_by_itself_did_not_end_well() -> None:
    unfailed = Unfailed(Proof(BRIEF))
    see(unfailed, 100.0, UP)
    see(unfailed, 101.0, ANOTHER)
    assert see(unfailed, 102.0, {**ANOTHER, "InvocationID": "three", "NRestarts": "1"}) == Wrong(FELL, "one")


def test_checks_pass_and_pass_still() -> None:
    for expected in (Up, Unfailed):
        host, expectation = Host(), expected(Proof(CHECKED))
        host.complaint = "no luck"
        assert see(expectation, 100.0, STARTING, host) == NotYet()
        assert host.checked == 0
        assert see(expectation, 101.0, UP, host) == NotYet()
        host.complaint = ""
        assert see(expectation, 102.0, UP, host) == NotYet()
        assert see(expectation, 104.5, UP, host) == NotYet()
        assert host.checked == 2
        host.complaint = "gone"
        message = "passed its check once, but no longer after 3 s: check: exit code 1, gone"
        assert see(expectation, 105.0, UP, host) == Wrong(message, "one")


def test_it_may_fall_before_its_check_has_passed() -> None:
    """Only from then on has it to be one and the same run."""
    host, up = Host(), Up(Proof(CHECKED))
    host.complaint = "no luck"
    assert see(up, 100.0, UP, host) == NotYet()
    host.complaint = ""
    assert see(up, 101.0, ANOTHER, host) == NotYet()
    assert see(up, 104.0, ANOTHER, host) == Good()


def test_a_check_that_does_not_pass_in_time() -> None:
    host, up = Host(), Up(Proof(CHECKED))
    host.complaint = "no luck"
    assert see(up, 100.0, UP, host) == NotYet()
    assert see(up, 110.0, UP, host) == NotYet()
    message = "runs, but its check does not pass after 10 s: check: exit code 1, no luck"
    assert see(up, 110.1, UP, host) == Wrong(message, "one")
    for first, last, said in (
        (UP, STARTING, f"activating (start){LONGER}"),
        (STARTING, {**UP, "Job": "17"}, "active (running)"),
    ):
        up = Up(Proof(CHECKED))
        see(up, 100.0, first, host)
        assert see(up, 110.1, last, host) == Wrong(f"is not up after 10 s: {said}", "one")


def test_what_ends_before_its_check_has_passed() -> None:
    """Unless it had no job: then its end has nothing to do with this run."""
    host = Host()
    host.complaint = "no luck"
    for restarted, verdict in ((TWO, Wrong("ended by itself before its check had passed", "one")), (None, Good())):
        unfailed = Unfailed(Proof(CHECKED, restarted=restarted))
        assert see(unfailed, 100.0, UP, host) == NotYet()
        assert see(unfailed, 101.0, ENDED, host) == verdict
    passed = Unfailed(Proof(CHECKED, restarted=TWO))
    see(passed, 100.0, UP)
    assert see(passed, 101.0, ENDED) == Good()
    assert see(Unfailed(Proof(BRIEF, restarted=TWO)), 100.0, ENDED) == Good()


def test_a_restart_that_was_none() -> None:
    message = "was not restarted: another job took the place of the restart"
    for expected in (Up, Unfailed):
        assert see(expected(Proof(AT_ONCE, restarted=ONE)), 100.0, UP) == Wrong(message, "one")
        assert see(expected(Proof(AT_ONCE, restarted=ONE)), 100.0, ANOTHER) == Good()
    mounted = {**UP, "SubState": "mounted"}
    message = "was not restarted: it could not be unmounted (its last lines say why)"
    assert see(Up(Proof(AT_ONCE, restarted=ONE)), 100.0, mounted, unit="a.mount") == Wrong(message, "one")


def test_a_reload_keeps_the_process() -> None:
    message = "is not the same process after its reload: the program ended on it"
    for expected in (Up, Unfailed):
        assert see(expected(Proof(AT_ONCE, reloaded=ONE)), 100.0, UP) == Good()
        assert see(expected(Proof(AT_ONCE, reloaded=ONE)), 100.0, {**UP, "NRestarts": "1"}) == Good()
        assert see(expected(Proof(AT_ONCE, reloaded=TWO)), 100.0, UP) == Wrong(message, "one")
        assert see(expected(Proof(AT_ONCE, reloaded=ONE)), 100.0, {**UP, "MainPID": "12"}) == Wrong(message, "one")
        bad = {**UP, "ReloadResult": "exit-code"}
        assert see(expected(Proof(AT_ONCE, reloaded=ONE)), 100.0, bad) == Wrong("its reload failed (exit-code)", "one")
        assert see(expected(Proof(AT_ONCE, restarted=TWO)), 100.0, bad) == Good()


def expectations(timeout: float) -> tuple[tuple[Expectation, str], ...]:
    """All of them, each with what it calls the state that is not reached."""
    health = Health(0.0, timeout)
    return (Up(Proof(health)), "up"), (Unfailed(Proof(health)), "up"), (Done(timeout), "done"), (Down(timeout), "down")


def test_its_time_begins_with_the_first_look() -> None:
    for expectation, wanted in expectations(10.0):
        assert see(expectation, 100.0, STARTING) == NotYet()
        assert see(expectation, 110.0, STARTING) == NotYet()
        message = f"is not {wanted} after 10 s: activating (start)" + (LONGER if wanted != "down" else "")
        assert see(expectation, 110.1, STARTING) == Wrong(message, "one")


def test_a_stop_that_systemd_ends_takes_none_of_its_time() -> None:
    for expectation, wanted in expectations(10.0):
        see(expectation, 100.0, STOPPING)
        assert see(expectation, 150.0, STOPPING) == NotYet()
        assert see(expectation, 159.0, {**STARTING, "Job": "17"}) == NotYet()
        message = f"is not {wanted} after 10 s: activating (start)" + (LONGER if wanted != "down" else "")
        assert see(expectation, 160.1, STARTING) == Wrong(message, "one")


PATIENT = Health(stable_for=0.0, timeout=10.0, patient=True)
IN_TIME = {**STARTING, "TimeoutStartUSec": "15min"}


@pytest.mark.parametrize(
    "make", [lambda: Up(Proof(PATIENT)), lambda: Unfailed(Proof(PATIENT)), lambda: Done(10.0, 0.0, True)]
)
def test_a_start_that_systemd_ends_takes_none_of_its_time(make: Callable[[], Expectation]) -> None:
    expectation = make()
    assert see(expectation, 100.0, IN_TIME) == NotYet()
    assert see(expectation, 800.0, IN_TIME) == NotYet()
    assert isinstance(see(expectation, 801.0, {**UP, "SubState": "exited"}), Good)


@pytest.mark.parametrize(
    ("health", "shown"),
    [
        (AT_ONCE, IN_TIME),  # somebody has said how long
        (PATIENT, {**STARTING, "TimeoutStartUSec": "infinity"}),
        (PATIENT, {**STARTING, "TimeoutUSec": "infinity"}),
        (PATIENT, STARTING),
    ],
)
def test_a_start_without_an_end_of_its_own_has_its_time(health: Health, shown: dict[str, str]) -> None:
    up = Up(Proof(health))
    assert see(up, 100.0, shown) == NotYet()
    assert isinstance(see(up, 110.1, shown), Wrong)


def test_a_start_that_begins_anew_takes_its_time() -> None:
    """As with RestartMode=direct, where none of them need ever be seen to fail."""
    up = Up(Proof(PATIENT))
    assert see(up, 100.0, IN_TIME) == NotYet()
    assert see(up, 300.0, {**IN_TIME, "NRestarts": "1"}) == Wrong(
        f"is not up after 10 s: activating (start){LONGER}", "one"
    )


def test_a_check_has_its_own_time_once_a_patient_unit_is_up() -> None:
    up, host = Up(Proof(CHECKED._replace(patient=True))), Host()
    host.complaint = "refused"
    see(up, 100.0, IN_TIME, host)
    assert see(up, 500.0, IN_TIME, host) == NotYet()
    assert see(up, 509.0, UP, host) == NotYet()
    assert isinstance(see(up, 510.1, UP, host), Wrong)


def test_a_stop_after_its_start_was_seen_is_that_of_a_failure() -> None:
    for expectation, wanted in expectations(10.0):
        see(expectation, 100.0, STARTING)
        see(expectation, 105.0, STOPPING)
        message = f"is not {wanted} after 10 s: deactivating (stop-sigterm)"
        verdict = NotYet() if wanted == "down" else Wrong(message, "one")
        assert see(expectation, 110.1, STOPPING) == verdict


def test_a_stop_without_an_end_takes_its_time() -> None:
    endless = {**STOPPING, "TimeoutStopUSec": "infinity"}
    for expectation, wanted in expectations(10.0):
        see(expectation, 100.0, endless)
        message = f"is not {wanted} after 10 s: deactivating (stop-sigterm)"
        assert see(expectation, 110.1, endless) == Wrong(message, "one")


def test_a_job_that_waits_for_another_takes_none_of_its_time() -> None:
    queued = {**ENDED, "Job": "17"}
    for expectation, wanted in expectations(10.0):
        see(expectation, 100.0, queued, others_move=True)
        assert see(expectation, 150.0, queued, others_move=True) == NotYet()
        assert see(expectation, 160.0, queued) == NotYet()
        message = f"is not {wanted} after 10 s: inactive (dead)"
        assert see(expectation, 160.1, queued) == Wrong(message, "one")


def test_what_was_up_has_its_time_once_more() -> None:
    """Counted from when it should have stayed up, whatever it does meanwhile."""
    unfailed = Unfailed(Proof(BRIEF))
    see(unfailed, 100.0, STARTING)
    see(unfailed, 109.0, UP)
    again = {**STARTING, "InvocationID": "two"}
    assert see(unfailed, 111.0, again) == NotYet()
    assert see(unfailed, 122.0, {**STOPPING, "InvocationID": "two"}) == NotYet()
    assert see(unfailed, 122.1, again) == Wrong(f"is not up after 10 s: activating (start){LONGER}", "one")


@pytest.mark.parametrize("expectation", [Up, Unfailed])
def test_an_attempt_has_what_is_left_of_the_units_time(expectation: type[Up | Unfailed]) -> None:
    """Until it was up of its own time, after that of the time that it has once more."""
    host: Any = Host()
    expected = expectation(Proof(Health(3.0, 20.0, (Command(("check",)),))))
    for at, complaint in ((100.0, "no"), (113.0, "no"), (119.0, ""), (122.5, ""), (138.0, "")):
        host.complaint = complaint
        expected.verdict(Look("a.service", UP, at), host)
    assert host.given == pytest.approx([10.0, 7.0, 1.0, 10.0, 4.0], abs=0.11)
