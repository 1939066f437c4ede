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
from ansible_collections.unitwright.systemd.plugins.module_utils._host.falls import ALONE, BACK, FIRST, Allowance
from ansible_collections.unitwright.systemd.plugins.module_utils._host.health import Health, Place
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


class Passing:
    """A check of a port that is answered, by whomever."""

    place = Place("127.0.0.1", 80)

    def complaint(self, _manager: object, _left: float) -> str:
        return ""


@pytest.mark.parametrize("doubt", ["", "127.0.0.1:80 is answered by old.service"])
def test_a_check_that_another_unit_answers_has_not_passed(doubt: str) -> None:
    checks: Any = (Passing(),)
    up = Up(Proof(Health(0.0, 10.0, checks), doubt=lambda _manager, _look, places: doubt if places else "no place"))
    assert see(up, 100.0, UP) == (NotYet() if doubt else Good())
    assert see(Up(Proof(Health(0.0, 10.0, checks))), 100.0, UP) == Good()


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


FALLEN = {
    **STARTING,
    "SubState": "auto-restart",
    "Result": "exit-code",
    "RestartUSec": "5s",
    "ActiveEnterTimestampMonotonic": "101000000",
}
FELL_AGAIN = "ended and waits for its automatic restart: result exit-code"


def fallen(run: int, **more: str) -> dict[str, str]:
    return {**FALLEN, "InvocationID": f"run-{run}", "NRestarts": str(run), **more}


def up(run: int, **more: str) -> dict[str, str]:
    return {**UP, "InvocationID": f"run-{run}", "NRestarts": str(run), **more}


@pytest.mark.parametrize(
    ("allowed", "told"),
    [
        (FIRST, "ended 3 times and waits for its automatic restart: result exit-code"),
        (ALONE, FELL_AGAIN),
        (Allowance(), FELL_AGAIN),
    ],
    ids=["first", "alone", "nothing was done to it"],
)
def test_how_often_it_may_fall_that_does_not_tell_when_it_is_up(allowed: Allowance, told: str) -> None:
    """Alone it is up once it runs; where what it needs may not be there, it has to stay up."""
    expectation = Up(Proof(Health(3.0, 60.0), since=100.0, allowed=allowed))
    verdicts = [see(expectation, 100.0 + 6 * run, fallen(run)) for run in range(3 if allowed is FIRST else 1)]
    assert verdicts == [NotYet()] * (len(verdicts) - 1) + [Wrong(told, "run-0")]


@pytest.mark.parametrize("expected", [Up, Unfailed])
def test_it_falls_and_then_stays_up(expected: Any) -> None:
    expectation = expected(Proof(BRIEF, since=100.0, allowed=FIRST))
    for at, shown in ((100.5, up(0)), (101.0, fallen(0)), (102.0, fallen(0)), (106.0, up(1)), (108.9, up(1))):
        assert see(expectation, at, shown) == NotYet()
    assert see(expectation, 109.0, up(1)) == Good()


def test_falls_that_are_not_seen_count() -> None:
    """It is restarted between two looks."""
    expectation = Up(Proof(BRIEF, since=100.0, allowed=FIRST))
    for at, run in ((100.5, 0), (101.0, 1), (102.0, 2), (105.9, 3)):
        assert see(expectation, at, up(run)) == NotYet()
    assert see(expectation, 106.0, up(4)) == Wrong(FELL.replace("ended", "ended 4 times"), "run-0")


@pytest.mark.parametrize("allowed", [FIRST, ALONE])
@pytest.mark.parametrize("told", [True, False], ids=["was ready", "was not ready"])
def test_what_has_come_up_by_its_own_word_may_not_fall(allowed: Allowance, told: bool) -> None:
    expectation = Up(Proof(BRIEF, since=100.0, allowed=allowed))
    entered = {"ActiveEnterTimestampMonotonic": "101000000" if told else "99000000"}
    verdict = see(expectation, 102.0, fallen(0, Type="notify", **entered))
    assert verdict == (Wrong(FELL_AGAIN, "run-0") if told else NotYet())


@pytest.mark.parametrize("allowed", [FIRST, ALONE])
def test_a_check_says_when_it_has_come_up(allowed: Allowance) -> None:
    for complaint, verdict in (("no luck", NotYet()), ("", Wrong(FELL_AGAIN, "run-0"))):
        host, expectation = Host(), Up(Proof(CHECKED, since=100.0, allowed=allowed))
        host.complaint = complaint
        see(expectation, 101.0, up(0), host)
        assert see(expectation, 102.0, fallen(0), host) == verdict


def test_a_second_fall_is_too_many_for_what_ran_before() -> None:
    expectation = Up(Proof(CHECKED, since=100.0, allowed=ALONE))
    assert see(expectation, 101.0, fallen(0)) == NotYet()
    told = "ended 2 times and waits for its automatic restart: result exit-code"
    assert see(expectation, 107.0, fallen(1)) == Wrong(told, "run-0")


@pytest.mark.parametrize("sec", [{"RestartUSec": "infinity"}, {"RestartUSec": "20s"}, {"RestartUSecNext": "1min"}])
def test_a_restart_that_comes_after_its_time_is_none(sec: dict[str, str]) -> None:
    expectation = Up(Proof(BRIEF, since=100.0, allowed=FIRST))
    assert see(expectation, 101.0, fallen(0, **sec)) == Wrong(FELL_AGAIN, "run-0")


def test_falls_take_its_time() -> None:
    """A start that systemd ends takes none of it, but the wait for a restart is no start."""
    expectation = Up(Proof(BRIEF._replace(patient=True), since=100.0, allowed=BACK))
    in_time = {"TimeoutStartUSec": "15min"}
    assert see(expectation, 101.0, {**fallen(0), **in_time}) == NotYet()
    assert see(expectation, 105.0, {**fallen(0), **in_time}) == NotYet()
    told = "ended 2 times and waits for its automatic restart: result exit-code"
    assert see(expectation, 107.0, {**fallen(1), **in_time}) == Wrong(told, "run-0")


def test_what_ran_before_may_fall_as_often_as_its_time_lets_it() -> None:
    expectation = Up(Proof(BRIEF, since=100.0, allowed=BACK))
    for run in range(9):
        assert see(expectation, 101.0 + run, fallen(run, Type="notify", RestartUSec="1s")) == NotYet()
    see(expectation, 110.0, up(9, Type="notify"))
    assert see(expectation, 113.0, up(9, Type="notify")) == Good()


def test_a_fall_of_before_its_job_is_none_of_it() -> None:
    expectation = Up(Proof(AT_ONCE, since=100.0, allowed=ALONE))
    before = fallen(0, InactiveExitTimestampMonotonic="90000000")
    assert see(expectation, 100.1, before) == NotYet()
    assert see(expectation, 110.2, before) == Wrong(f"is not up after 10 s: it {FELL_AGAIN}", "")


def test_what_does_its_work_may_fall_before_that_is_done() -> None:
    done = Done(20.0, since=100.0, allowed=FIRST)
    for run in range(2):
        assert see(done, 100.0 + 5 * run, fallen(run)) == NotYet()
    assert see(done, 111.0, {**ENDED, "InvocationID": "run-2", "NRestarts": "2"}) == Good()
    assert see(Done(9.0), 100.0, FALLEN) == Wrong(FELL_AGAIN, "one")
