# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What hardened services say was refused to them: the journal of their new runs against that of the ones before.

Private to the collection.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Sequence

from .._advice.optouts import Line
from .._advice.profiles import Host
from .._advice.refusals import Refusal, of_processes, refusals
from .._causes.incident import Incident
from .._causes.views import READ, RUN, WRITE, account_of, refused_at, there
from .._causes.why_access import of_system, own_folder
from .._host import journal
from .._host.causes import Failure
from .._host.manager import Manager
from .._host.workload import processes_of_run
from .._syntax.rule import Problem, Rule, Severity, legible
from .report import without

_REFUSED = Rule(
    "hardening-refused",
    Severity.WARNING,
    "something is refused to it that was not before: {line}",
    "{mend}",
    "the journal of its run, and the unit's text",
)
MOST_TOLD = 3
_LONGEST = 300


class Blame(NamedTuple):
    """A refusal in words.

    line: that tells of it. why: what refuses it. remedy: what gives it back. directives: those that refuse it, none
    where the line does not tell. opt_out: of `allow`, that gives it back.
    """

    line: str
    why: str
    remedy: str
    directives: Sequence[str] = ()
    opt_out: str = ""

    @property
    def words(self) -> Sequence[str]:
        return (self.why, self.remedy)

    @property
    def directive(self) -> str:
        """The one that it is about, "" if that are several or none."""
        return self.directives[0] if len(self.directives) == 1 else ""


class Journals:
    """Those of the services that a run hardens.

    texts: the lines of [Service] of each, as they will be. incidents: what else is known of its text. hidden: secrets.
    """

    def __init__(
        self,
        manager: Manager,
        host: Host,
        texts: Mapping[str, Sequence[Line]],
        incidents: Mapping[str, Incident],
        hidden: Sequence[str],
    ) -> None:
        self._manager, self._host, self._texts, self._incidents = manager, host, texts, incidents
        self._hidden = hidden
        # What runs before the change: what it said is what the new run is held against.
        self._runs = self._present()
        self._found: Dict[str, List[Refusal]] = {}

    def _present(self) -> Dict[str, str]:
        if not self._manager.live:
            return {}
        shown = self._manager.show([*self._texts], ("InvocationID",))
        return {unit: each.get("InvocationID", "") for unit, each in shown.items()}

    def of_failed(self, failure: Failure) -> List[Blame]:
        """Of a run that has failed; it is told with the failure, and by nothing else."""
        if failure.unit not in self._runs:
            return []
        found = self._read(failure.unit, failure.invocation or self._present()[failure.unit])
        return [_in_words(failure.unit, each, self._host.made) for each in found]

    def warnings(self) -> List[Problem]:
        """Of those that run anew by now."""
        anew = {unit: run for unit, run in self._present().items() if run and run != self._runs[unit]}
        return [self._told(unit, each) for unit, run in anew.items() for each in self._read(unit, run)[:MOST_TOLD]]

    def _read(self, unit: str, run: str) -> List[Refusal]:
        lines, before = journal.of_runs(self._manager, unit, run, self._runs[unit]) if run else ([], [])
        kernel = [each.text for each in journal.of_kernel(self._manager, self._manager.begun)]
        lines += of_processes(kernel, processes_of_run(self._manager, unit, run)) if kernel and run else []
        found = refusals(lines, before, self._texts[unit], self._host)
        self._found[unit] = [each for each in found if not self._by_mode(unit, each)]
        return self._found[unit]

    def _by_mode(self, unit: str, refusal: Refusal) -> bool:
        """Do owner and mode of a file refuse that, whatever the unit's text says?"""
        who = account_of(self._incidents[unit])
        if refusal.directives or refusal.error != "EACCES" or not refusal.about.startswith("/") or who is None:
            return False
        goal = there(refusal.about)
        wanted = (RUN,) if "exec" in refusal.line else (READ, WRITE) if goal == refusal.about else (WRITE,)
        return any(refused_at(goal, who, each) for each in wanted)

    def _told(self, unit: str, refusal: Refusal) -> Problem:
        told = _in_words(unit, refusal, self._host.made)
        line = without(told.line, self._hidden)[:_LONGEST]
        mend = "; ".join(told.words)
        return _REFUSED.problem(unit, "Service", told.directive, line=legible(line), mend=mend)

    def as_data(self, unit: str) -> List[Dict[str, Any]]:
        found = self._found.get(unit, ())
        clean = {each: (without(each.line, self._hidden), without(each.about, self._hidden)) for each in found}
        return [each._replace(line=line, about=about)._asdict() for each, (line, about) in clean.items()]


def _in_words(unit: str, refusal: Refusal, made: Mapping[str, str]) -> Blame:
    by = " and ".join(f"{each}=" for each in refusal.directives)
    why = f"{by} {'refuses' if len(refusal.directives) == 1 else 'refuse'} that"
    opt_out = "" if refusal.folder else refusal.mend
    if not by:
        why = "which directive that is the line does not tell"
        remedy = "if it needs it, see docs/hardening.md for its opt-outs"
    elif refusal.folder and of_system(refusal.folder):
        remedy = f"if it needs it, {own_folder(unit, refusal.folder, made)}"
    elif refusal.folder:
        remedy = f"if it needs it, add {refusal.folder} to {refusal.mend}"
    elif opt_out:
        remedy = f"if it needs it, allow {opt_out}"
    else:
        remedy = "which opt-out gives it back the line does not tell"
    return Blame(refusal.line, why, remedy, refusal.directives, opt_out)
