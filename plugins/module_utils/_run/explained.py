# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Failures with their causes: as part of the message, and as data. Imported only once something has failed.

Private to the collection.
"""

from __future__ import annotations

import os
from typing import AbstractSet, Any, Dict, List, Mapping, NamedTuple, Optional, Sequence

from .._advice.protection import Merge
from .._advice.protections import PROTECTIONS
from .._causes.incident import Cause, brief
from .._causes.why import SHOWN_LINES, Why, explain
from .._causes.why_access import OF_OPTION
from .._host import journal
from .._host.causes import DEPENDENCY, Failure
from .._host.endings import meaning
from .._host.manager import Manager
from .._host.observed import tree
from .._syntax.kinds import kind_of
from .._syntax.loadpath import HARDENING_DROPIN
from .refused import MOST_TOLD, Blame, Journals
from .report import hidden_values, without

# Results of systemd that leave it open what has happened.
_OPEN = ("exit-code", "signal", "core-dump", "timeout", "protocol", "resources", "oom-kill", "start-limit-hit")
# Each has its lines looked up.
_MOST_UNITS = 100


class Explained(NamedTuple):
    """A failure as it is told; what is not known of it is empty.

    message: the whole in a sentence. cause: the reason alone. remedy: what mends it. evidence: the line that proves it.
    section, directive: what of the unit's text it is about. journal: the last lines of the unit.
    """

    message: str
    cause: str = ""
    remedy: str = ""
    evidence: str = ""
    section: str = ""
    directive: str = ""
    journal: Sequence[str] = ()


def explained(
    manager: Manager, failures: Sequence[Failure], asked: AbstractSet[str], journals: Optional[Journals] = None
) -> List[Explained]:
    """asked: those units whose causes are looked for, and whose last lines are told. journals: of hardened ones."""
    if asked:
        journal.sync(manager)
    known = explain(manager, [each for each in failures if each.unit in asked and each.rule.has_cause])
    lines: Dict[str, Sequence[str]] = {unit: why.since for unit, why in known.items() if why.since}
    # Of those whose cause is not looked for nobody has asked the journal yet.
    others = {each.unit: each.invocation for each in failures if each.unit in asked and each.unit not in lines}
    lines.update(journal.last_lines(manager, others, SHOWN_LINES))
    return [
        _explained(each, known.get(each.unit), _blamed(each, asked, journals))._replace(
            journal=lines.get(each.unit, ())
        )
        for each in failures
    ]


def _blamed(failure: Failure, asked: AbstractSet[str], journals: Optional[Journals]) -> Sequence[Blame]:
    """As with its cause, nothing in that may raise: the roll-back comes after this."""
    try:
        return journals.of_failed(failure) if journals and failure.unit in asked else ()
    except Exception:
        return ()


def _explained(failure: Failure, why: Optional[Why], blamed: Sequence[Blame]) -> Explained:
    if failure.rule is DEPENDENCY:
        return Explained(failure.message, failure.message, "mend that first")
    if why is None:
        return Explained(failure.message)
    message = _without_step(failure, why)
    if why.cause is None:
        proof = next((each for each in reversed(blamed) if each.directives and each.line in why.said), None)
        if proof is None:
            return Explained(message + _unproven(failure, why, blamed))
        found = Cause(f"{brief(proof.line)}: {proof.why}", proof.remedy, proof.line, proof.directive)
        return _with_cause(failure, message, found)
    return _with_cause(failure, message, _by_opt_out(why.cause, blamed))


def _unproven(failure: Failure, why: Why, blamed: Sequence[Blame]) -> str:
    known = ", ".join(filter(None, ("the cause is not proven", why.unproven)))
    parts = [known] if (why.result or failure.result) in _OPEN else []
    for each in blamed[:MOST_TOLD]:
        quoted = parts and each.line in why.said
        parts.append("; ".join(filter(None, ("" if quoted else f"refused to it was {brief(each.line)}", *each.words))))
    return "".join(f"; {part}" for part in parts)


def _by_opt_out(cause: Cause, blamed: Sequence[Blame]) -> Cause:
    """What a profile refuses is given back by an opt-out, and not by one more line of the unit."""
    if OF_OPTION in cause.remedy:
        return cause
    found = next((each for each in blamed if each.opt_out and each.line == cause.evidence.strip()), None)
    if found:
        return cause._replace(remedy="; ".join(found.words))
    row = PROTECTIONS.get(cause.directive)
    of_profile = os.path.basename(cause.place.rpartition(":")[0]) == f"{HARDENING_DROPIN}.conf"
    if row is None or row.merge is Merge.GROUPS or not row.allow or not of_profile:
        return cause
    return cause._replace(remedy=f"allow it {OF_OPTION}: allow: [{' or '.join(row.allow)}]")


def _without_step(failure: Failure, why: Why) -> str:
    """The message without the step that an exit status stands for, where it may be another's than systemd's.

    Of most types of units the message has no status at all, and not each one has a meaning.
    """
    told = meaning(failure.status)
    if why.cause is not None or not (told and why.status):
        return failure.message
    return failure.message.replace(told, f" ({why.status})")


def _with_cause(failure: Failure, message: str, cause: Cause) -> Explained:
    general = cause.directive.startswith(("Condition", "Assert"))
    section = ("Unit" if general else kind_of(failure.unit).section) if cause.directive else ""
    message = message.replace(failure.gloss, "", 1)
    said = cause.what in message
    whole = message if said else ": ".join(filter(None, (message, cause.sentence)))
    return Explained(whole, cause.what, cause.remedy, cause.evidence, section, cause.directive)


def of_units(manager: Manager, failed: Mapping[str, Mapping[str, Any]]) -> Dict[str, Dict[str, Any]]:
    """What is told of causes, by the facts of each unit. Without the right to know what is secret, no line is."""
    failures = [
        Failure(unit, "", str(facts.get("result") or ""), invocation=str(facts.get("invocation_id") or ""))
        for unit, facts in list(failed.items())[:_MOST_UNITS]
    ]
    secrets = manager.places.secrets
    may_know = not os.path.exists(secrets) or os.access(secrets, os.R_OK | os.X_OK)
    contents = [seen.content for seen in tree(secrets).values() if seen.content] if may_know else []
    hidden = hidden_values(contents)
    return {unit: _told(why, hidden, may_know) for unit, why in explain(manager, failures).items()}


def _told(why: Why, hidden: Sequence[str], with_lines: bool) -> Dict[str, Any]:
    found = _by_opt_out(why.cause, ()) if why.cause else Cause("", "", "")
    return {
        "proven": why.cause is not None,
        "cause": without(found.what, hidden),
        "remedy": without(found.remedy, hidden),
        "evidence": without(found.evidence, hidden) if with_lines else "",
        "journal": [without(line, hidden) for line in why.lines] if with_lines else [],
    }
