# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""A change of the host: a plan carried out between its record and the record's end, and undone where it fails.

Private to the collection.
"""

from __future__ import annotations

import signal
from contextlib import suppress
from typing import TYPE_CHECKING, List, Optional, Sequence

from .._apply import accepted, instances, record
from .._apply.transaction import OnFailure, carry_out
from .._host.causes import Failure
from .._host.files import Writer
from .._host.manager import Manager
from .._plan.fates import Call
from .._plan.owed import Owed
from . import report
from .work import Done, Failed, Work

if TYPE_CHECKING:
    from .refused import Journals


def carry_through(
    work: Work,
    interrupted: Optional[record.Record],
    keep: bool,
    manager: Manager,
    writer: Writer,
    journals: Optional[Journals] = None,
) -> Optional[Failed]:
    """Carry a plan out; what went wrong, None if nothing did. keep: a change that fails stays.

    journals: of the services that it hardens.
    """
    _outlive_connection()
    return _transact(work, interrupted, keep, manager, writer, journals)


def _outlive_connection() -> None:
    """A connection that is lost hangs up on what it carried: half a change is worse than a result that nobody reads.

    This holds to the end of the run, which looks once more at what it has done.
    """
    with suppress(ValueError):  # only the main thread may
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


def _transact(
    work: Work,
    interrupted: Optional[record.Record],
    keep: bool,
    manager: Manager,
    writer: Writer,
    journals: Optional[Journals],
) -> Optional[Failed]:
    """Carry a plan out between its record and the record's end; on a failure put back what was."""
    where, desired, plan = manager.places, work.desired, work.plan
    patience = max((desired.health_of(unit).timeout for unit in plan.watched), default=0.0)
    begun = record.begin(plan, work.differences, work.graph, work.observed, manager, patience)
    begun = record.joined(interrupted, begun) if interrupted else begun
    kept_on_disk = manager.live
    if kept_on_disk:
        record.save(where, desired.owner, begun, writer)
    # Until it is done, instances of the earlier declaration and of this one may both be there.
    noted, now = instances.read(where), work.differences.staying.instances
    own = instances.noted(noted, desired.owners).own
    instances.keep(where, instances.changed(noted, desired.owners, own, now), writer)
    on_failure = OnFailure.KEEP if keep else OnFailure.STOP
    outcomes = carry_out(plan, desired.health_of, manager, writer, begun.backups, on_failure)
    failure = None
    undone: Sequence[Failure] = ()
    if outcomes.failures:
        # The journal is asked before the units' earlier version writes to it too.
        errors = report.errors(outcomes.failures, manager, report.secret_files(work), journals)
        text = report.sentence(errors)
        if keep:
            text += ". The new state stays, since on_failure is keep"
            done = Done(record.anew(begun.up, manager) if manager.live else (), outcomes.calls)
            failure = Failed(text, {"errors": errors, "rolled_back": False}, done=done)
        else:
            from .._apply.rollback import roll_back  # noqa: PLC0415 (only where something has failed)

            spared = record.without_reloads(begun, _not_reloaded(work, outcomes.calls))
            back = roll_back(spared, manager, writer)
            undone = back.failures
            told = {"errors": errors, "rolled_back": not undone, "started_again": list(back.again)}
            failure = Failed(f"{text}. {back}", told, done=Done(back.again, outcomes.calls))
    stays = outcomes.begun and (keep or not outcomes.failures)
    if stays or (failure is not None and failure.result["rolled_back"]):
        instances.keep(where, instances.changed(noted, desired.owners, now) if stays else noted, writer)
    if manager.live and stays:
        failed = {failed.unit for failed in outcomes.failures}
        accepted.accept(plan, work.differences, work.observed, manager, writer, failed)
    # A new state that stays and was not got into force is owed: the next run finds the record and completes it.
    owed = failure is not None and not failure.result["rolled_back"] and not outcomes.begun
    if kept_on_disk and not undone and not owed:
        record.drop(where, desired.owners, writer)
    return failure


def _not_reloaded(work: Work, calls: Sequence[Call]) -> List[str]:
    """Units that this run was to reload and has not, and that no run before it was to."""
    reloaded = {unit for call in calls if call.verb == "reload" for unit in call.units}
    before = {case.unit for case in work.differences.cases if Owed.RELOAD in case.owed}
    return [unit for unit in work.plan.jobs["reload"] if unit not in reloaded | before]
