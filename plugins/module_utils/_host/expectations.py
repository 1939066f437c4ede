# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What may be expected of a unit, each with what it has seen so far: Up, Unfailed, Done, Down.

Private to the collection.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Callable, List, NamedTuple, Optional, Protocol, Sequence, Union

from .falls import NO_FALL, Allowance, Falls
from .health import Health, Place, first_complaint
from .looks import Look, Run, failed, kept_from_starting, late, not_at_work, not_running
from .manager import Manager

if TYPE_CHECKING:
    from .behind import Behind


@dataclass(frozen=True)
class Good:
    """It is as it shall be, and has been for long enough."""


@dataclass(frozen=True)
class NotYet:
    """It may still become good, and has time for that."""


class Wrong(NamedTuple):
    """It will not become good. invocation: the run that failed, "" if that is none or cannot be told."""

    message: str
    invocation: str


Verdict = Union[Good, NotYet, Wrong]


class Expectation(Protocol):
    """What is expected of one unit, held against one look after another."""

    def verdict(self, look: Look, manager: Manager) -> Verdict:
        """What this look says, after all those before; what properties do not show the manager is asked for."""


@dataclass
class _Deadline:
    """The time that a unit may take.

    timeout: how long that is, in seconds. starts: the unit is to start. patient: a start that systemd itself ends takes
    none of this time; one that begins anew does. since: when the time began to count, None before the first look.
    started: it was seen to start, so that a stop is that of a failure, and counts. restarts: how often systemd had
    restarted it when it was first seen to start.
    """

    timeout: float
    starts: bool = True
    patient: bool = False
    since: Optional[float] = None
    started: bool = False
    restarts: Optional[str] = None

    def is_over(self, look: Look) -> bool:
        self.started |= self.starts and look.active == "activating"
        in_time = look.stops_in_time and not self.started
        if self.patient and look.starts_in_time:
            self.restarts = look.run.restarts if self.restarts is None else self.restarts
            in_time = self.restarts == look.run.restarts
        if self.since is None or look.waits or in_time:
            self.since = look.at
        return look.at - self.since > self.timeout

    def left(self, look: Look) -> float:
        return self.timeout - (look.at - self.since if self.since is not None else 0.0)


# Says of a unit whose checks pass which other one answers them, "" if none does.
Doubt = Callable[[Manager, Look, Sequence[Place]], str]


@dataclass
class Proof:
    """What a unit has to prove that is to be up, and how far it is with that.

    health: what that is. restarted, reloaded: its run when it got such a job, None if it got none. since: the time from
    which on a run is the work of its job, 0 if it got no job that begins one. allowed: how often it may fall. doubt:
    asked where its checks pass, None if nobody doubts them. came_up: when its checks passed first. missing: their last
    complaint until then. runs: those that it was up as from then on. behind: what its checks have woken, if it hands
    over what they connect to.
    """

    health: Health
    restarted: Optional[Run] = None
    reloaded: Optional[Run] = None
    since: float = 0.0
    allowed: Allowance = NO_FALL
    doubt: Optional[Doubt] = None
    came_up: float = field(default=0.0, init=False)
    missing: str = field(default="", init=False)
    runs: List[Run] = field(default_factory=list, init=False)
    behind: Optional[Behind] = field(default=None, init=False)
    _deadline: _Deadline = field(init=False)
    _falls: Falls = field(init=False)
    _fell_first: str = field(default="", init=False)

    def __post_init__(self) -> None:
        self._deadline = _Deadline(self.health.timeout, patient=self.health.patient)
        self._falls = Falls(self.allowed, self.since)

    def failed(self, look: Look) -> str:
        """What has failed, "" if nothing has: a fall from which systemd brings it up by itself may not count yet."""
        complaint = failed(look, self.reloaded is not None)
        if not self._falls.has_fallen(look):
            return "" if look.waits_for_restart and not look.run_since(self.since) else complaint
        self._deadline.is_over(look)
        if self._falls.excused(look, self._had_come_up(look), self._deadline.left(look)):
            self.runs.clear()
            self.missing = ""
            return ""
        if not self.runs or len(self._falls.runs) > 1:
            self._fell_first = self._falls.runs[0]
        return self._falls.told(complaint or self._how_it_fell)

    def _had_come_up(self, look: Look) -> bool:
        """Its checks had passed; where it has none it was active, if that says anything."""
        if self.health.checks:
            return bool(self.runs)
        was_active = bool(self.runs) or (look.waits_for_restart and look.was_active_since(self.since))
        return was_active and (look.tells or not self.allowed.waits)

    @property
    def _how_it_fell(self) -> str:
        return f"did not stay up for {self.health.stable_for:g} s: it ended and was restarted (its last lines say why)"

    def verdict(self, look: Look, manager: Manager) -> Verdict:
        """Its checks pass, and pass still when it has stayed up for long enough."""
        if not self.runs:
            self.missing = self._complaint(look, manager, self._deadline.left(look))
            if self.missing:
                return self.not_yet(look)
            fallen = self._fallen(look, manager)
            if fallen is not None:
                return fallen
            self.runs.append(look.run)
            self.came_up = look.at
            return NotYet() if self.health.stable_for > 0 and look.can_fall else Good()
        if look.at - self.came_up < self.health.stable_for:
            return NotYet()
        again = self.came_up + self.health.stable_for
        complaint = self._complaint(look, manager, again + self.health.timeout - look.at)
        if complaint:
            message = f"passed its check once, but no longer after {self.health.stable_for:g} s: {complaint}"
            return self.wrong(message, look)
        return self._fallen(look, manager) or Good()

    def _fallen(self, look: Look, manager: Manager) -> Optional[Verdict]:
        """What is to be said of a service that a check has woken, and that has failed; it may come up by itself."""
        if not self.health.checks or not look.kind.starts.hands_over:
            return None
        from .behind import Behind  # noqa: PLC0415 (only where there is such a check)

        self.behind = self.behind or Behind(look.unit, look.at)
        fall = self.behind.fall(manager)
        if fall is None:
            return None
        self.runs.clear()
        self.missing = fall.message
        return self.wrong(fall.message, look) if fall.for_good else self.not_yet(look)

    def _complaint(self, look: Look, manager: Manager, left: float) -> str:
        """What its checks complain of, or who answers them in its place."""
        complaint = first_complaint(manager, self.health.checks, left)
        places = [each.place for each in self.health.checks if each.place is not None]
        return self.doubt(manager, look, places) if self.doubt and places and not complaint else complaint

    def not_yet(self, look: Look) -> Verdict:
        """Once it was up, it has its whole time again after that for which it should have stayed."""
        timeout = self.health.timeout
        again = self.came_up + self.health.stable_for
        if not (look.at - again > timeout if self.runs else self._deadline.is_over(look)):
            return NotYet()
        if look.active == "active" and self.missing:
            return self.wrong(f"runs, but its check does not pass after {timeout:g} s: {self.missing}", look)
        return self.wrong(late(look, "up", timeout), look)

    def wrong(self, message: str, look: Look) -> Wrong:
        """The run that failed is the first of those that should have stayed, or of those that fell."""
        own = self.runs[0].invocation if self.runs else look.run_since(self.since)
        return Wrong(message, self._fell_first or own)

    def job_missed(self, look: Look) -> str:
        """It is the same process after a reload, and another run after a restart; else why not."""
        if self.reloaded is not None and self.reloaded[:2] != look.run[:2]:
            return "is not the same process after its reload: the program ended on it"
        if self.restarted is None or self.restarted.invocation != look.run.invocation:
            return ""
        return f"was not restarted: {look.kind.jobs.undone}"

    def fell(self, look: Look) -> Wrong:
        return self.wrong(self._how_it_fell, look)


@dataclass
class Up:
    """Up, and for some time as one and the same run."""

    proof: Proof

    def verdict(self, look: Look, manager: Manager) -> Verdict:
        proof = self.proof
        complaint = proof.failed(look)
        if not complaint and look.changes:
            return proof.not_yet(look)
        complaint = complaint or (
            not_at_work(look) if look.active == "active" else not_running(look, proof.reloaded is not None)
        )
        complaint = complaint or proof.job_missed(look)
        if complaint:
            return proof.wrong(complaint, look)
        if proof.runs and not proof.runs[-1].goes_on_in(look.run):
            return proof.fell(look)
        return proof.verdict(look, manager)


@dataclass
class Unfailed:
    """Up, or ended well by itself: what others start may end when its work is done, and be started again."""

    proof: Proof

    def verdict(self, look: Look, manager: Manager) -> Verdict:
        proof = self.proof
        complaint = proof.failed(look)
        if not complaint and look.changes:
            return proof.not_yet(look)
        if not complaint and look.active != "active":
            return self._at_rest(look, manager)
        complaint = complaint or not_at_work(look) or proof.job_missed(look)
        if complaint:
            return proof.wrong(complaint, look)
        if proof.runs and proof.runs[-1] != look.run:
            if proof.runs[-1].restarts != look.run.restarts:  # else a timer or socket has started it, and not systemd
                return proof.fell(look)
            proof.runs.append(look.run)
        verdict = proof.verdict(look, manager)
        return self._unless_failed(look, manager) if isinstance(verdict, Good) else verdict

    def _at_rest(self, look: Look, manager: Manager) -> Verdict:
        complaint = "" if look.never_tried else kept_from_starting(look)
        if not complaint and self.proof.restarted is not None and self.proof.health.checks and not self.proof.runs:
            complaint = "ended by itself before its check had passed"
        return self.proof.wrong(complaint, look) if complaint else self._unless_failed(look, manager)

    def _unless_failed(self, look: Look, manager: Manager) -> Verdict:
        """What began anew shows no more how its earlier runs ended: the journal tells."""
        ended = [run.invocation for run in self.proof.runs[:-1]]
        if not ended:
            return Good()
        from . import journal  # noqa: PLC0415 (only where one has begun anew)

        if journal.has_failed(manager, look.unit, ended):
            return self.proof.wrong("failed, and was started again by what it serves (its last lines say why)", look)
        return Good()


@dataclass
class Done:
    """Its work is done, or it stays up after that: what others wait for, and what runs once.

    since, allowed: as of a Proof. patient: as of a Health.
    """

    timeout: float
    since: float = 0.0
    patient: bool = False
    allowed: Allowance = NO_FALL
    _deadline: _Deadline = field(init=False)
    _falls: Falls = field(init=False)

    def __post_init__(self) -> None:
        self._deadline = _Deadline(self.timeout, patient=self.patient)
        self._falls = Falls(self.allowed, self.since)

    def verdict(self, look: Look, manager: Manager) -> Verdict:
        complaint = failed(look, reloaded=False)
        if self._falls.has_fallen(look):
            self._deadline.is_over(look)
            excused = self._falls.excused(look, False, self._deadline.left(look))
            complaint = "" if excused else self._falls.told(complaint)
        if complaint:
            fell = self._falls.runs if look.waits_for_restart else ()
            return Wrong(complaint, fell[0] if fell else look.run_since(self.since))
        if not look.changes and look.active in ("inactive", "active"):
            return Good()
        over = self._deadline.is_over(look)
        return Wrong(late(look, "done", self.timeout), look.run_since(self.since)) if over else NotYet()


@dataclass
class Down:
    """Neither up nor on its way; what has failed is down, too."""

    timeout: float
    _deadline: _Deadline = field(init=False)

    def __post_init__(self) -> None:
        self._deadline = _Deadline(self.timeout, starts=False)

    def verdict(self, look: Look, manager: Manager) -> Verdict:
        if look.queued or look.active not in ("inactive", "failed", "active"):
            over = self._deadline.is_over(look)
            return Wrong(late(look, "down", self.timeout), look.last_run) if over else NotYet()
        if look.active == "active":
            kept = "something has started it again, or kept it from stopping"
            return Wrong(f"was told to stop and is active ({look.sub}): {kept}", look.last_run)
        return Good()
