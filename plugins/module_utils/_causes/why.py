# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Why a unit has failed, in one sentence: what, because of which object, and what mends it. docs/causes.md tells how.

A cause is only named where systemd's own words and the host prove it: one that is named wrongly is worse than none.
Imported only once something has failed. Private to the collection.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from .._host import journal
from .._host.bus import Bus, BusError
from .._host.causes import Failure
from .._host.files import read
from .._host.journal import Line
from .._host.manager import Manager
from .._syntax.kinds import kind_of
from .._syntax.names import misnamed, parse_name, unescape
from . import holders, why_chown, why_conditions, why_ports, why_results, why_steps, why_words
from .incident import FAILURE_RESULT, Cause, Incident, at, brief, cause, of_run, texts
from .views import account_of
from .why_said import telling

_LINES = 400
# systemd.exec(5), DynamicUser=.
_DYNAMIC = range(61184, 65520)
# How many of a unit's lines are shown.
SHOWN_LINES = 10
_WANTED = frozenset(
    """
    ActiveState SubState Result ReloadResult InvocationID FragmentPath DropInPaths SourcePath Type NotifyAccess
    TimeoutStartUSec TimeoutStopUSec TimeoutUSec RuntimeMaxUSec ControlGroup MemoryMax MemoryPeak LimitNOFILESoft
    NoNewPrivileges ProtectSystem ProtectHome PrivateTmp PrivateDevices ProtectKernelTunables ProtectControlGroups
    StartLimitIntervalUSec StartLimitBurst Listen What Where LogExtraFields
    ConditionResult Conditions AssertResult Asserts ExecMainCode ExecMainStatus
    """.split()
)
# systemd.exec(5): the statuses of a process that systemd itself could not bring as far as its program.
_OF_SYSTEMD = range(200, 246)
_LISTENS = re.compile(r"Failed to (?:create listening socket|listen on) \((?P<address>[^)]*)\): Address already in use")
# From then on systemd-executor does what comes before the program. With more than one LogExtraFields= nothing that it
# says reaches the journal (257; mended in 262).
_EXECUTOR_SINCE = 255
# 247 makes folders on the way to what it binds with the unit's UMask=; 252 does not.
_UMASK_UNTIL = 252
_NO_SOCKET = "Address already in use"
_REPEATED = "Start request repeated too quickly"
_LIMIT = "start-limit-hit"
# Of a socket, which is not started at all then, so that what is said before is of no run of its own.
_BUSY = "already active, refusing"


@dataclass(frozen=True)
class Why:
    """What is known of a failure.

    cause: None where none is proven. status: what is to be said of an exit status that could be one of systemd's and
    may be the program's own. result: systemd's word for that run. unproven: what there is to go by where no cause is
    proven, in words. said: what the program said of it itself. lines: the last ones of that run. since: the last ones
    of that run and all after it.
    """

    cause: Optional[Cause]
    status: str = ""
    result: str = ""
    unproven: str = ""
    said: str = ""
    lines: Tuple[str, ...] = ()
    since: Tuple[str, ...] = ()


def explain(manager: Manager, failures: Sequence[Failure]) -> Dict[str, Why]:
    """By unit, of units that have failed."""
    units = list(dict.fromkeys(each.unit for each in failures if each.unit and not misnamed(each.unit)))
    shown = _properties(manager, units)
    found = {}
    for each in failures:
        if each.unit in units:
            found[each.unit] = _explained(manager, each, shown.get(each.unit, {}))
    return found


def of_present_run(manager: Manager, unit: str, run: str) -> Optional[Incident]:
    """What is known of a run that goes on. As with a failure, nothing in it may raise."""
    try:
        return _incident(manager, Failure(unit, "", invocation=run), _properties(manager, [unit]).get(unit, {}))[0]
    except Exception:
        return None


def _explained(manager: Manager, failure: Failure, shown: Mapping[str, Any]) -> Why:
    """Nothing here may raise, whatever is in the lines and files of others: the roll-back comes after this."""
    try:
        incident, since = _incident(manager, failure, shown)
        last = tuple(line.text for line in incident.lines if line.text.strip())[-SHOWN_LINES:]
        found = _why(incident, manager) or why_conditions.unmet_by_text(incident, since, manager)
        said = telling(incident.said)
        return Why(found, _status(incident), incident.result, _words_of(incident), said, last, tuple(since))
    except Exception:
        return Why(None)


def _words_of(incident: Incident) -> str:
    """What it said itself; where that is nothing, what systemd complains of; "" where there is no journal to read."""
    said = telling(incident.said)
    if said:
        return f"it said: {brief(said)}"
    if incident.complaint:
        return f"systemd says: {brief(incident.complaint)}"
    return "it said nothing" if incident.lines else ""


def _properties(manager: Manager, units: Sequence[str]) -> Dict[str, Mapping[str, Any]]:
    if not units or not manager.live:
        return {}
    try:
        with Bus(manager.places.manager, manager.places.scope.of_session) as bus:
            return {answer.unit: answer.properties for answer in bus.properties(units, _WANTED)}
    except (BusError, OSError):
        return {}


def _incident(manager: Manager, failure: Failure, shown: Mapping[str, Any]) -> Tuple[Incident, List[str]]:
    """The failed run, and the last that the unit has said since it began."""
    paths = [shown.get("FragmentPath"), *(shown.get("DropInPaths") or ())]
    contents = {path: _content(path) for path in paths if path}
    run = failure.invocation or _text(shown.get("InvocationID"))
    incident = Incident(
        failure.unit,
        failure.result,
        shown,
        texts(contents, failure.unit),
        of_user=manager.places.scope.of_session,
        umask_counts=manager.version < _UMASK_UNTIL,
        made=manager.places.made(manager.version),
        steps_lost=manager.version >= _EXECUTOR_SINCE and len(shown.get("LogExtraFields") or ()) > 1,
    )
    who = account_of(incident)
    dynamic = incident.is_set("DynamicUser")

    def is_its_own(uid: int) -> bool:
        return (who is not None and uid == who.uid) or (dynamic and uid in _DYNAMIC)

    every = journal.all_lines(manager, failure.unit, _LINES, is_its_own)
    lines, earlier = of_run(every, run or _last_run(every, manager.begun))
    since = journal.last_of(every, failure.invocation, manager.begun, SHOWN_LINES)
    result = failure.result
    # Below another root there may be no socket of the journal.
    lost = incident.steps_lost or not lines or bool(incident.value("RootDirectory"))
    if run != _text(shown.get("InvocationID")):  # then what systemd shows is of a later run
        result = _result_of(lines) or result
        shown = {name: value for name, value in shown.items() if not name.startswith("ExecMain")}
    told = replace(incident, result=result, properties=shown, lines=lines, earlier=earlier, steps_lost=lost)
    return told, since


def _result_of(lines: Sequence[Line]) -> str:
    """By systemd's own line at the end of a run that has failed."""
    return next((line.fields["UNIT_RESULT"] for line in lines if "UNIT_RESULT" in line.fields), "")


def _last_run(lines: Sequence[Line], begun: float) -> str:
    """The last run that began while this one of ours did its work: systemd forgets a unit that nothing refers to."""
    last = next((line.run for line in reversed(lines) if line.run), "")
    return last if last and _begun(lines, last) >= begun * 1e6 else ""


def _text(raw: Any) -> str:
    return raw.hex() if isinstance(raw, bytes) else str(raw or "")


def _content(path: str) -> bytes:
    try:
        return read(path)
    except OSError:
        return b""


def _status(incident: Incident) -> str:
    ended = incident.exit
    if ended is None or ended.code != "exited" or ended.status not in _OF_SYSTEMD or why_chown.applies(incident):
        return ""
    if incident.step is None:
        return "the program's own, not systemd's"
    return "" if incident.step.errno else "of a step of systemd's, or the program's own"


def _why(incident: Incident, manager: Manager) -> Optional[Cause]:
    if kind_of(incident.unit).appears:
        return _device(incident)
    if why_conditions.kept_down(incident):
        return why_conditions.unmet(incident)
    if incident.by_systemd(_REPEATED) and not incident.by_systemd(_BUSY):
        return _limited(incident, manager)
    return _of_run(incident, manager)


def _of_run(incident: Incident, manager: Manager) -> Optional[Cause]:
    """The cause of one run's failure, by a failed step of systemd's, else by its result, else by its last words."""
    for applies, prove in _RULES:
        if applies(incident):
            return prove(incident, manager)
    return None


def _late(incident: Incident) -> bool:
    """Is it still on its way up, so that we have stopped waiting before systemd did?"""
    going_up = incident.properties.get("ActiveState") == "activating"
    return incident.result in ("", "success") and going_up and incident.properties.get("SubState") == "start"


def _not_started(incident: Incident, _manager: Manager) -> Optional[Cause]:
    """We have stopped waiting before systemd did: what Type= promises has not come so far."""
    found = why_results.not_started(incident, "so far", None)
    return found._replace(evidence=found.evidence or "ActiveState=activating SubState=start") if found else None


def _reloaded(incident: Incident) -> bool:
    bad = incident.properties.get("ReloadResult") not in (None, "success")
    return incident.result in ("", "success") and bad and incident.exit is not None


def _killed(incident: Incident, manager: Manager) -> Optional[Cause]:
    return why_results.out_of_memory(incident, lambda since: journal.of_kernel(manager, since))


def _socket(incident: Incident, manager: Manager) -> Optional[Cause]:
    line = incident.by_systemd(_NO_SOCKET)
    if line is None:
        return None
    found = _LISTENS.search(line.text)
    addresses = (
        [found.group("address")] if found else [address for _kind, address in incident.properties.get("Listen", ())]
    )
    ports = {int(tail) for tail in (each.rpartition(":")[2] for each in addresses) if tail.isdigit()}
    held = holders.listening()
    taken = sorted(ports & held.keys())
    if len(taken) != 1:
        return None
    by = holders.of_port(held[taken[0]])
    whose = _socket_unit(manager, taken[0], incident.unit) if by and by.pid == 1 else ""
    return why_ports.port_taken(taken[0], held, line, whose)


def _socket_unit(manager: Manager, port: int, but: str) -> str:
    """The socket unit for which systemd itself listens on a port."""
    units = [unit for unit in manager.list_units() if kind_of(unit).starts.hands_over and unit != but]
    for unit, shown in _properties(manager, units).items():
        addresses = [str(address) for _kind, address in shown.get("Listen") or ()]
        active = shown.get("ActiveState") == "active"
        if active and any(each.rpartition(":")[2] == str(port) for each in addresses):
            return unit
    return ""


def _foreign(incident: Incident, _manager: Manager) -> Optional[Cause]:
    return why_ports.foreign_of_socket(incident, incident.by_systemd("listening socket"))


def _busy_socket(incident: Incident, _manager: Manager) -> Optional[Cause]:
    line = incident.by_systemd(_BUSY)
    service = re.search(r"Socket service (?P<name>\S+) already active", line.text) if line else None
    if not service:
        return None
    what = f"its service {service.group('name')} runs already, without the socket"
    return cause(what, "stop that service first: the socket starts it again", line)


def _device(incident: Incident) -> Optional[Cause]:
    path = "/" + unescape(parse_name(incident.unit).prefix) if not misnamed(incident.unit) else ""
    if incident.properties.get("ActiveState") == "active" or not path.startswith("/dev/") or os.path.exists(path):
        return None
    return Cause(f"the device {path} is not there", "mend the name, or what shall bring the device", f"{path}: ENOENT")


def _mount(incident: Incident, _manager: Manager) -> Optional[Cause]:
    """What mount(8) says differs from version to version; whether its source is there does not."""
    rows = incident.placed("What")
    source = rows[-1].value if rows else str(incident.properties.get("What") or "")
    said = incident.said[0] if incident.said else None
    placed = rows[-1] if rows else None
    if source.startswith("/") and not os.path.exists(source) and said and source in said.text:
        what = f"{source} of {at('What', placed)} is not there"
        return cause(what, "mend the path, or what shall bring it", said, "What", placed)
    kind = re.search(r"unknown filesystem type '(?P<name>[^']+)'", said.text) if said else None
    if kind and said:
        types = incident.placed("Type")
        what = f"this host knows no file system {kind.group('name')}"
        remedy = "correct Type=, or install what brings that file system"
        return cause(what, remedy, said, "Type", types[-1] if types else None)
    return None


def _limited(incident: Incident, manager: Manager) -> Optional[Cause]:
    """systemd does not start it any more. What matters is how the first run of the series ended."""
    everything = (*incident.earlier, *incident.lines)
    line = incident.by_systemd(_REPEATED)
    span = incident.properties.get("StartLimitIntervalUSec")
    since = (line.at if line else 0) - (span if isinstance(span, int) else 0)
    runs = [run for run in _failed_runs(everything) if _begun(everything, run) >= since]
    if line is None:
        return None
    if not runs:
        return _started_often(incident, line, [each for each in everything if each.run and each.at >= since])
    lines, earlier = of_run(everything, runs[0])
    result = _result_of(lines)
    lines = tuple(each for each in lines if _REPEATED not in each.text)
    first = replace(incident, result=result, lines=lines, earlier=earlier)
    found = _of_run(first, manager)
    times = f"it failed {len(runs)} times within {why_results.seconds(span) or 'its interval'}"
    what = f"{times}, so that systemd starts it no more (StartLimitBurst=)"
    again = f"then systemctl reset-failed {incident.unit}"
    if found is not None:
        return found._replace(what=f"{what}; the first time {found.what}", remedy=f"{found.remedy}; {again}")
    said = first.said[-1] if first.said else lines[-1]
    unproven = f"{what}; why it failed the first time is not proven, {_words_of(first)}"
    return cause(unproven, f"see that run in the journal; {again}", said)


def _started_often(incident: Incident, line: Line, lines: Sequence[Line]) -> Optional[Cause]:
    """It has that result where no run before it failed: up to 257 it keeps the one of a run that did."""
    if incident.result != _LIMIT:
        return None
    runs = len({each.run for each in lines})
    span = why_results.seconds(incident.properties.get("StartLimitIntervalUSec")) or "its interval"
    what = f"it was started {runs} times within {span}, so that systemd starts it no more (StartLimitBurst=)"
    remedy = "see what starts it so often though it does not fail, or raise StartLimitBurst= in [Unit]"
    return cause(what, f"{remedy}; then systemctl reset-failed {incident.unit}", line)


def _failed_runs(lines: Sequence[Line]) -> List[str]:
    """The runs at the end that failed one after the other, in order; the limit itself is no failure of a run."""
    ends = [line for line in lines if line.by_systemd and line.id == FAILURE_RESULT]
    bad = {line.run for line in ends if line.fields.get("UNIT_RESULT") != _LIMIT}
    limited = {line.run for line in ends} - bad
    runs = list(dict.fromkeys(line.run for line in lines if line.run))
    series: List[str] = []
    for run in reversed(runs):
        if run in bad:
            series.append(run)
        elif run not in limited:
            break
    return series[::-1]


def _begun(lines: Sequence[Line], run: str) -> int:
    return next((line.at for line in lines if line.run == run), 0)


Prove = Callable[[Incident, Manager], Optional[Cause]]


def _alone(prove: Callable[[Incident], Optional[Cause]]) -> Prove:
    return lambda incident, _manager: prove(incident)


def _by_result(incident: Incident, _manager: Manager) -> Optional[Cause]:
    return why_results.BY_RESULT[incident.result](incident)


def _rules() -> Iterator[Tuple[Callable[[Incident], bool], Prove]]:
    """The first rule that applies decides: what else is known of such a failure follows from it."""
    yield why_chown.applies, _alone(why_chown.why)
    yield (lambda incident: incident.step is not None), _alone(why_steps.why)
    yield (lambda incident: incident.by_systemd(_BUSY) is not None), _busy_socket
    yield (lambda incident: incident.by_systemd(_NO_SOCKET) is not None), _socket
    yield (lambda incident: incident.by_systemd("listening socket") is not None), _foreign
    yield (lambda incident: kind_of(incident.unit).is_of_kernel), _mount
    yield (lambda incident: incident.result == "oom-kill"), _killed
    yield (lambda incident: incident.result in why_results.BY_RESULT), _by_result
    yield (lambda incident: incident.result == "exit-code"), _alone(why_words.why)
    yield _late, _not_started
    yield why_results.has_ended, _alone(why_results.ended)
    yield _reloaded, _alone(why_words.why)


_RULES = tuple(_rules())
