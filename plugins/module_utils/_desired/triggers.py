# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a unit depends on besides its text, so that a change of it counts as one of the unit. Pure.

Private to the collection.
"""

from __future__ import annotations

from typing import Any, Iterator, List, Mapping, Optional, Sequence, Tuple

from .._host.scopes import Scope
from .._syntax import unitfile
from .._syntax.rule import Problem, Refused, Rule, Severity, shown
from .._syntax.specifiers import in_value, names_instance

Params = Mapping[str, Any]

_TRIGGER = Rule("trigger", Severity.ERROR, "triggers: {path} is not an absolute path", "", "the option triggers")
_TRIGGER_MISSING = Rule(
    "trigger-missing",
    Severity.UNVERIFIED,
    "triggers: the file {path} is not there",
    "name a file that exists",
    "the option triggers",
)
_UNWATCHED = Rule(
    "environment-file-unwatched",
    Severity.NOTE,
    "a change of what is in {path} restarts nothing, as it is not below /etc, /usr or /opt",
    "name it under triggers, among the files, if it shall",
    "the option triggers",
)


# Where configuration lies that is changed by whoever runs the host (file-hierarchy(7)).
_CONFIGURATION = ("/etc/", "/usr/", "/opt/")
# What makes of a path a pattern, or something that only the running unit knows.
_PATTERN = set("%*?[\\")
# The key of triggers for files that EnvironmentFile= of an instance's template names by the instance.
OF_TEMPLATE = "of_template"


def is_path(text: str) -> bool:
    """May a file have it for its absolute path?"""
    return text.startswith("/") and "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def declared_files(entry: Params) -> List[str]:
    return list((entry.get("triggers") or {}).get("files") or [])


def environment_files(entry: Params) -> List[str]:
    """Files of an entry's EnvironmentFile= that are as much a part of its configuration as its text (systemd.exec(5)).

    Those elsewhere, below /run or /var, change by themselves.
    """
    of_template = (entry.get("triggers") or {}).get(OF_TEMPLATE, ())
    own = [path for path in _named(entry) if _is_configuration(path)]
    declared = declared_files(entry)
    return [path for path in (*own, *of_template) if path not in declared]


def of_instance(template: Params, member: str) -> List[str]:
    """The same of those that the entry of a template names by its instance, with the name of that filled in."""
    filled = [in_value(path, member) for path in _named(template) if names_instance(path)]
    return [path for path in filled if _is_configuration(path)]


def _is_configuration(path: str) -> bool:
    return path.startswith(_CONFIGURATION) and _is_plain(path)


def _is_plain(path: str) -> bool:
    return set(path).isdisjoint(_PATTERN)


def _named(entry: Params) -> List[str]:
    """The paths of its EnvironmentFile=, each once, if they may be triggers. A "-" before one lets it be missing."""
    given = (entry.get("service") or {}).get("EnvironmentFile") or []
    switched_off = (entry.get("triggers") or {}).get("environment_files") is False
    if switched_off or not (given or entry.get("content")):
        return []
    values = [*(given if isinstance(given, (list, tuple)) else [given])]
    values += _in_content(str(entry.get("content") or ""))
    found: List[str] = []
    for value in values:
        path = str(value).strip().lstrip("-")
        found = [*found, path] if path else []
    return list(dict.fromkeys(found))


def _in_content(content: str) -> List[str]:
    if "EnvironmentFile" not in content:
        return []
    try:
        return [each.value for each in unitfile.parse(content) if each.directive == "EnvironmentFile"]
    except Refused:  # which is told where the text is read
        return []


def bad(entries: Sequence[Params]) -> Iterator[Problem]:
    for entry, path, option in _triggers(entries):
        if not is_path(path):
            yield _TRIGGER.problem(entry["name"], path=shown(path)).about(option)


def unwatched(entries: Sequence[Params], scope: Scope) -> Iterator[Problem]:
    """Where nothing is restarted no file is watched either."""
    for entry in entries if scope.has_manager else ():
        declared = declared_files(entry)
        for path in _named(entry):
            if _is_plain(path) and not path.startswith(_CONFIGURATION) and path not in declared:
                yield _UNWATCHED.problem(entry["name"], "Service", "EnvironmentFile", path=path)


def missing(entries: Sequence[Params], digests: Mapping[str, Optional[str]]) -> Iterator[Problem]:
    for entry, path, option in _triggers(entries):
        if digests.get(path) is None:
            yield _TRIGGER_MISSING.problem(entry["name"], path=path).about(option)


def _triggers(entries: Sequence[Params]) -> Iterator[Tuple[Params, str, str]]:
    """Each with its entry, and the option that it is there."""
    for entry in entries:
        for number, path in enumerate(declared_files(entry)):
            yield entry, path, f"triggers.files[{number}]"
