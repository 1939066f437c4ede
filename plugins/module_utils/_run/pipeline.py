# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The whole way from parameters to result, as every module goes it.

Private to the collection.
"""

from __future__ import annotations

import functools
import gc
import os
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, AbstractSet, Any, Dict, Iterator, List, Optional, Sequence, Set, Tuple, Union

from .._apply import accepted, instances, leftovers
from .._desired.render import HostFacts, Params
from .._desired.stack import Desired, build
from .._host import files
from .._host.graph import Graph
from .._host.manager import Manager, ManagerError, States
from .._host.observed import Observed, observe
from .._host.places import Places, account, environ, places
from .._host.scopes import scope_of
from .._plan import owners, refusals
from .._plan import plan as planning
from .._plan.differences import Differences, compare
from .._plan.doubts import CYCLE
from .._plan.owed import NOTHING_PENDING, Pending
from .._plan.plan import Plan
from .._plan.references import STARTS_NO_NAME, STARTS_NOWHERE, View
from .._syntax.activation import accepting, namesake, started_by
from .._syntax.dependencies import all_named
from .._syntax.install import also, named_aliases
from .._syntax.kinds import kind_of
from .._syntax.loadpath import LoadPath, dropin_folders
from .._syntax.names import misnamed
from .._syntax.rule import Problem, Problems, Rule, RulePlace, Severity, told_of
from .._syntax.special import mount_point
from . import report
from .host_facts import host_facts, host_key
from .work import Failed, Work

if TYPE_CHECKING:
    from .._apply.record import Record
    from .hardened import Hardening
    from .refused import Journals

HOST = Rule("host", Severity.ERROR, "the host does not answer, or is in the way", "", "systemd, the kernel")
_UNREADABLE = Rule("host", Severity.ERROR, "{path} cannot be read or written", "{reason}", "the kernel")
_BECOME = Rule(
    "become",
    Severity.ERROR,
    "units of the whole host are root's",
    "give the task become: true, or scope: user for units of your own",
    "the option scope",
)
_NO_ACCOUNT = Rule(
    "become",
    Severity.ERROR,
    "the user ID {uid} has no entry in passwd, so no home and no manager",
    "give the task a become_user who has",
    "the option scope",
)
_ROOT_OF_USER = Rule(
    "root",
    Severity.ERROR,
    "root is for scope system and global",
    "the units of a user are where that user's home is",
    "the option root",
    place=RulePlace(option="root"),
)
_NO_ROOT = Rule(
    "root",
    Severity.ERROR,
    "root has to be the absolute path of a folder that is there, and {root} is not",
    "",
    "the option root",
    place=RulePlace(option="root"),
)


@dataclass
class Run:
    """One run of a module: what it was given, and what it found on the way.

    params, check_mode: as Ansible gives them. label: gives a file its SELinux label. wrong: mistakes in options that
    are no longer among the parameters. faulty: the units of which something is missing for that. timings: seconds by
    step. begun: when the present step began.
    """

    params: Params
    check_mode: bool
    label: Optional[files.Labeller]
    wrong: Sequence[Problem] = ()
    faulty: AbstractSet[str] = frozenset()
    timings: Dict[str, float] = field(default_factory=dict)
    begun: float = field(default_factory=time.monotonic)

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self.timings[name] = round(now - self.begun, 3)
        self.begun = now


def apply(
    params: Params,
    check_mode: bool,
    label: Optional[files.Labeller] = None,
    wrong: Sequence[Problem] = (),
    faulty: AbstractSet[str] = frozenset(),
) -> Tuple[Dict[str, Any], List[Union[str, Problem]]]:
    """Bring a host to the declared state; returns the module's result, and what a person is warned of.

    wrong: what is wrong already with the options; faulty: with those of these units. Raises Problems (nothing was
    written) or Failed (a unit did not become healthy).
    """
    run = Run(params, check_mode, label, wrong, faulty)
    refuse_place(params)
    try:
        ours = (os.geteuid(), os.getegid())
        where = places(params.get("scope"), params.get("root") or "", environ(), ours)
        manager = Manager(where)
        if where.root:
            for folder in (where.units, where.secrets, where.state):
                files.refuse_linked(folder, where.root)
        left: List[Union[str, Problem]] = []
        with files.locked(where.lock):
            run.lap("ask")
            if not check_mode:
                files.sweep([where.units, where.secrets, where.state])
                left = [f"{each.unit}: {each.told}" for each in leftovers.recover(manager)]
            result, warnings = _locked(run, manager)
            return result, [*left, *warnings]
    except (ManagerError, files.FileRefused, files.LockBusy) as error:
        raise Problems([HOST.said(str(error))]) from error
    except OSError as error:
        told = _UNREADABLE.problem(path=error.filename or "the host", reason=error.strerror)
        raise Problems([told]) from error


def refuse_place(params: Params, only_asks: bool = False) -> None:
    """Raise Problems for a scope or root that there is not, or not for this user."""
    root = params.get("root")
    scope = scope_of(params.get("scope"))
    if not only_asks and not root and scope.by_root and os.geteuid() != 0:
        raise Problems([_BECOME.problem()])
    if root and not scope.by_root:
        raise Problems([_ROOT_OF_USER.problem()])
    if scope.in_home and account() is None:
        raise Problems([_NO_ACCOUNT.problem(uid=os.getuid())])
    if root and not (os.path.isabs(root) and os.path.isdir(root)):
        raise Problems([_NO_ROOT.problem(root=root)])


def _locked(run: Run, manager: Manager) -> Tuple[Dict[str, Any], List[Problem]]:
    where = manager.places
    key, new_key = host_key(where)
    facts = host_facts(run.params, manager, key)
    hardening = _hardening(run, facts, manager)
    desired = _built(run, facts, manager)
    run.lap("render")
    interrupted = _interrupted(where, desired.owners) if manager.live else None
    if interrupted is not None:
        from .._host.watch import wait_for_rest  # noqa: PLC0415 (as `change` below)

        # What it had begun to stop looks neither up nor down, and would be judged by how far it is.
        wait_for_rest(manager, sorted({*interrupted.up, *interrupted.watched, *interrupted.owed}))
    observed = _looked_at(desired, manager)
    run.lap("look")
    if hardening:
        desired = build(hardening.over(desired, observed), facts)
    work = _planned(desired, observed, interrupted, manager)
    problems = [*_problems(work, manager), *(hardening.judged(work, run.check_mode) if hardening else ())]
    unverified = _passable(problems, lenient=run.check_mode or bool(where.root))
    _refuse_detours(work.differences, where)
    run.lap("plan")
    failure = None
    states = observed.states
    if not run.check_mode and not work.plan.empty:
        journals = hardening.journals_of(work) if hardening else None
        failure = _changed(run, work, interrupted, key if new_key else None, manager, journals)
        states = _states_after(manager, states)
        if journals and failure is None and manager.live:
            unverified += journals.warnings()
        run.lap("apply")
    elif not run.check_mode:
        noted = instances.changed(instances.read(where), desired.owners, work.differences.staying.instances)
        instances.keep(where, noted, files.Writer(run.label))
    if failure is None and manager.live:
        unverified += report.pulled_in(work, None if run.check_mode else states)
        if not run.check_mode and work.plan.watched:
            from .answered import answered  # noqa: PLC0415 (as `change` below)

            unverified += answered(work, manager)
    more = {**_of_timers(run, work, manager), **(hardening.result() if hardening else {})}
    result = {**report.result(work, states, unverified), **more, "timings": run.timings}
    if failure is not None:
        others = [each for each in unverified if not report.is_a_cause(each, failure.result["errors"])]
        result.update(report.of_failed(result, work, states, failure.done, failure.result["errors"]))
        raise Failed(str(failure), {**result, **failure.result}, report.warnings(work, others, failed=True))
    return result, report.warnings(work, unverified, run.check_mode)


def _built(run: Run, facts: HostFacts, manager: Manager) -> Desired:
    """The declaration as what the host shall be. Raises Problems for all mistakes in it, and what else is wrong."""
    try:
        # Without what is wrong with them, entries may be missing that prune must not take for removed.
        desired = build({**run.params, "prune": False} if run.wrong else run.params, facts)
        if run.wrong:
            raise Problems((), rest=replace(desired, max_removed=None))
    except Problems as found:
        all_wrong = Problems([*run.wrong, *told_of(found.problems, run.faulty)], rest=found.rest)
        further = _further(all_wrong, run.faulty, manager)
        lenient = run.check_mode or bool(manager.places.root)
        grave = [each for each in further if each.rule.severity.hinders(lenient)]
        doubts = [each for each in further if each not in grave]
        raise Problems([*all_wrong.problems, *grave], doubts) from None
    return desired


def _changed(
    run: Run,
    work: Work,
    interrupted: Optional[Record],
    new_key: Optional[bytes],
    manager: Manager,
    journals: Optional[Journals],
) -> Optional[Failed]:
    """Carry the plan out; what comes back is the failure, None if there is none."""
    gc.enable()
    writer = files.Writer(run.label)
    if new_key is not None and work.differences.write:
        writer.make_folder(manager.places.state, 0o700)
        writer.write(manager.places.key_file, new_key, 0o600)
    from .change import carry_through  # noqa: PLC0415 (a run that changes nothing, the most common, is spared it)

    return carry_through(work, interrupted, run.params.get("on_failure") == "keep", manager, writer, journals)


def _hardening(run: Run, facts: HostFacts, manager: Manager) -> Optional[Hardening]:
    """What becomes of the option hardening, whose lines depend on what the host has; None where nothing has it."""
    if not any(entry.get("hardening") is not None for entry in run.params.get("dropins") or ()):
        return None
    from .hardened import Hardening  # noqa: PLC0415 (only where there is one)

    found = Hardening(run.params, facts, manager)
    run.params, run.wrong = found.declared, [*run.wrong, *found.wrong]
    return found


def _of_timers(run: Run, work: Work, manager: Manager) -> Dict[str, Any]:
    if not any(kind_of(unit.name.text).goes_by_time for unit in work.desired.units):
        return {}
    from .timers import timers  # noqa: PLC0415 (only where there is one)

    return {"timers": timers(work.differences, run.params, manager)}


def _looked_at(desired: Desired, manager: Manager) -> Observed:
    texts = desired.texts(manager.places.units)
    names = [each for unit in desired.units for each in unit.members or (unit.name.text,)]
    taken = [alias for name in names for alias in named_aliases(name, texts)]
    taken += {other for name in names for other in all_named(name, texts)}
    observed = observe(manager, desired.owners, _named(desired, texts), taken)
    if not manager.live or not any(kind_of(unit.name.text).goes_by_time for unit in desired.units):
        return observed
    from .timers import spent  # noqa: PLC0415 (as `change` below)

    return replace(observed, manager=observed.manager._replace(spent=spent(desired, observed, manager)))


def _named(desired: Desired, texts: LoadPath) -> Iterator[str]:
    """All units that a declaration is about, what its sockets start, and sockets that may start template instances."""
    for unit in desired.units:
        yield from unit.members
        for member in unit.members or (unit.name.text,):
            yield from (each for each in also(member, texts) if not misnamed(each))
    for name in [*(unit.name for unit in desired.units), *(dropin.unit for dropin in desired.dropins)]:
        yield name.text
        if kind_of(name.text).starts.hands_over and (name.is_template or not name.stands_for_others):
            started = started_by(name.text, texts.effective(name.text))
            if not misnamed(started):
                yield started
        if name.is_template:
            yield from accepting(name)
        if texts.effective(name.text).get("Service", {}).get("RuntimeDirectory"):
            yield from filter(None, [namesake(name.text)])


def _states_after(manager: Manager, before: States) -> States:
    try:
        return manager.list_units() if manager.live else before
    except ManagerError:  # what the run has done or undone is to be told all the same
        return before


def _passable(problems: Sequence[Problem], lenient: bool) -> List[Problem]:
    """Raise Problems unless nothing of what was found hinders; returns that, to be reported as unverified."""
    grave = [problem for problem in problems if problem.rule.severity.hinders(lenient)]
    if grave:
        raise Problems(grave, [problem for problem in problems if problem not in grave])
    return list(problems)


def _interrupted(where: Places, owners_: Sequence[str]) -> Optional[Record]:
    """What a run that was cut off has left, None if none was."""
    if not any(files.look(where.record_file(owner)) for owner in owners_):
        return None
    from .._apply import record  # noqa: PLC0415 (as `change` above)

    return record.load(where, owners_)


def _pending(interrupted: Optional[Record], observed: Observed, manager: Manager) -> Pending:
    if interrupted is None:
        return NOTHING_PENDING
    from .._apply import record  # noqa: PLC0415 (as `change` above)

    return record.pending(interrupted, observed, manager)


def _planned(desired: Desired, observed: Observed, interrupted: Optional[Record], manager: Manager) -> Work:
    found = owners.conflicts(desired, observed)
    if found:
        raise Problems(found)
    pending = _pending(interrupted, observed, manager)
    where = manager.places
    known = functools.lru_cache(maxsize=None)(functools.partial(accepted.recorded, where))
    noted = instances.noted(instances.read(where), desired.owners)
    differences = compare(desired, observed, accepted.accepted(where), pending, known, noted)
    wished = planning.wishes(differences, observed)
    if differences.none and not any(wished) and manager.live:
        return Work(differences.desired, observed, differences, Graph({}, observed.states, manager.version), Plan())
    from .._host.graph import look  # noqa: PLC0415 (as `change` above)
    from .._plan import making  # noqa: PLC0415 (as `change` above)

    asked = making.starting_points(wished, differences, observed) if manager.live else ()
    graph = look(manager, asked, observed.states)
    made = making.make(differences, wished, graph, observed)
    if any(map(mount_point, made.fates)) and not observed.manager.footing:
        from .._host.footing import footing  # noqa: PLC0415 (only where a mount comes up that nobody declares)

        observed = replace(observed, manager=observed.manager._replace(footing=footing()))
    return Work(differences.desired, observed, differences, graph, made)


def _further(found: Problems, less: AbstractSet[str], manager: Manager) -> List[Problem]:
    """What else is wrong, or doubtful, besides mistakes in the options, so that all can be mended at once.

    Of a unit with such a mistake, only what is wrong with its other lines: the rest may follow from the mistake. less:
    units of which something is missing, from which it may follow what is wrong with others too.
    """
    if found.rest is None:
        return []
    from .._verify.remedies import is_of_line, words_of  # noqa: PLC0415 (as below)

    desired: Desired = found.rest
    # What they name, and the units that a drop-in among them is a part of.
    faulty = {*less, *(each.unit for each in found.problems)}
    folders = {unit + ".d" for unit in faulty}
    try:
        observed = _looked_at(desired, manager)
        further = owners.conflicts(desired, observed)
        if not further:
            differences = compare(desired, observed, {})
            further = _judged(differences, observed, manager)
    except (ManagerError, files.FileRefused, OSError):
        return []
    # What is missing may be what an entry with a mistake is about, whatever type its name should have had.
    stems = {_stem(unit) for unit in faulty}
    sound = (each for each in further if each.unit and (is_of_line(each) or _is_sound(each.unit, faulty, folders)))
    return [
        each
        for each in sound
        if is_of_line(each) or stems.isdisjoint(_stem(word) for word in words_of(each.message) if "." in word)
    ]


def _is_sound(unit: str, faulty: Set[str], folders: Set[str]) -> bool:
    return unit not in faulty and (misnamed(unit) != "" or folders.isdisjoint(dropin_folders(unit)))


def _stem(name: str) -> str:
    """A unit's name without its instance and its kind."""
    return name.partition("@")[0].rpartition(".")[0] or name.partition("@")[0]


def _problems(work: Work, manager: Manager) -> List[Problem]:
    """All that speaks against a plan."""
    judged = [*_judged(work.differences, work.observed, manager), *_uncheckable(work, manager)]
    ending = {each.unit for each in judged if each.rule is refusals.ENDS_RUN}
    forbidden = refusals.forbidden(work.plan, View(work.differences, work.observed), work.graph, ending)
    return [*judged, *forbidden, *work.desired.triggers.told]


def _uncheckable(work: Work, manager: Manager) -> List[Problem]:
    """Checks that could never pass."""
    if not any(work.desired.health_of(unit).checks for unit in work.plan.watched):
        return []
    from .._verify.beside import checkers  # noqa: PLC0415 (as above)

    return [*checkers(work.desired, work.plan, work.differences.after, manager)]


def _judged(differences: Differences, observed: Observed, manager: Manager) -> List[Problem]:
    """What our rules and the host's systemd have against a declaration, whatever is done for it."""
    view = View(differences, observed)
    refused = refusals.impossible(view)
    if any(b"EnvironmentFile" in content for content in differences.after.contents.values()):
        from .._verify.environments import overridden_by_files  # noqa: PLC0415 (as above)

        refused += overridden_by_files(view)
    if not (differences.write or differences.remove or differences.joining):
        return refused
    from .._verify.capabilities import unknown_names  # noqa: PLC0415 (as above)
    from .._verify.lacking import lacking  # noqa: PLC0415 (as above)
    from .._verify.verify import verify  # noqa: PLC0415 (as above)

    alone = {each.unit for each in refused if each.rule in (STARTS_NOWHERE, STARTS_NO_NAME)}
    cycles = any(each.rule is CYCLE for each in refused)
    said = verify(manager, differences.desired, differences, observed, alone, cycles)
    if said:
        from .._verify.remedies import beside  # noqa: PLC0415 (as above)

        refused = beside(refused, said)
    said += unknown_names(differences.desired, differences, manager)
    if view.observed.places.scope.of_users:
        from .._verify.of_system import ordered_in_vain  # noqa: PLC0415 (as above)

        said += ordered_in_vain(view)
    if differences.desired.tellers:
        from .._verify.beside import tellers  # noqa: PLC0415 (as above)

        said += tellers(differences.desired, manager.places)
    return [*refused, *lacking(differences.desired, differences, manager.places, manager.version), *said]


def _refuse_detours(differences: Differences, where: Places) -> None:
    unmasked = {where.unit_file(unit) for unit in differences.links.unmask}
    for path in [*(wanted.path for wanted in differences.write), *differences.remove]:
        if where.scope.in_home:  # whoever owns a home may have linked its folders anywhere
            below = where.units if where.is_unit_file(path) else where.secrets
        else:
            below = where.root or "/"
        if path not in unmasked and not (path in differences.remove and os.path.islink(path)):
            files.refuse_detours(path, below)
