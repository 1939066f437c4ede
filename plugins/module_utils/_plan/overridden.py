# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What is declared and is not in force, as a file of others that systemd reads later says otherwise. Pure.

Such as what `systemctl set-property` or a generator has written. Private to the collection.
"""

from __future__ import annotations

import os
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

from .._desired.stamp import values_without_stamp
from .._syntax.loadpath import entries
from .._syntax.rule import Problem, Rule, Severity
from .._syntax.settings import TAKEN_AWAY, Setting, settings
from .._syntax.unitfile import is_reset_by
from .references import View

_OVERRIDDEN = Rule(
    "overridden",
    Severity.WARNING,
    "{path}, which systemd reads later, {does}, so what is declared is not in force",
    "take that file away, or declare this in a dropin whose name sorts after {name}",
    "systemd.unit(5), drop-in",
)
_HIDDEN = Rule(
    "overridden",
    Severity.WARNING,
    "{path} stands in the place of {own}, so what is declared is not in force",
    "take that file away",
    "systemd.unit(5), unit file load path",
)


def overridden(view: View) -> Iterator[Problem]:
    own = {*view.desired.files}
    for unit, path in with_files(view):
        files = view.after.files(unit)
        if path not in files:
            yield from _hidden(unit, path, view)
            continue
        later = [each for each in files[files.index(path) + 1 :] if each not in own]
        if later:
            yield from _by_later(unit, path, later, view)


def with_files(view: View) -> Iterator[Tuple[str, str]]:
    """Units, each with a file of this declaration; none that is for many units, as others refine those on purpose."""
    members: Dict[str, List[str]] = {}
    for unit in view.desired.units:
        members.setdefault(unit.name.text, []).extend(unit.members)
        for member in unit.members if unit.path else ():
            yield member, unit.path or ""
    for dropin in view.desired.dropins:
        named = dropin.unit.text
        for each in () if not dropin.present else members.get(named, []) or [named]:
            if each != named or not dropin.unit.stands_for_others:
                yield each, dropin.path


def _hidden(unit: str, path: str, view: View) -> Iterator[Problem]:
    """By a file of that name in a folder that comes first; a mask is spoken of elsewhere."""
    name = os.path.basename(path)
    for other in view.after.files(unit):
        if os.path.basename(other) == name and not view.after.masked(unit):
            yield _HIDDEN.problem(unit, path=other, own=path)


def _by_later(unit: str, path: str, later: Sequence[str], view: View) -> Iterator[Problem]:
    said: Dict[Tuple[str, str], Dict[Tuple[str, str, str], Setting]] = {}
    for each in entries(view.desired.files[path].content):
        if each.section != "Install" and values_without_stamp([each.value]):
            for setting in settings(each):
                said.setdefault((each.section, each.directive), {})[setting[:3]] = setting
    for (section, directive), declared in said.items():
        found = [_last_word(setting, later, view) for setting in declared.values() if setting.value or setting.key]
        for where, does in dict.fromkeys(each for each in found if each):
            yield _OVERRIDDEN.problem(unit, section, directive, path=where, does=does, name=os.path.basename(where))


def _last_word(setting: Setting, later: Sequence[str], view: View) -> Optional[Tuple[str, str]]:
    """The file that what is declared is lost to, and what that does; None if it is in force."""
    section, directive, key, value = setting
    one = bool(key) or view.desired.holds_one(section, directive)
    found: Optional[Tuple[str, str]] = None
    for path in later:
        for entry in entries(view.after.contents.get(path, b"")):
            for each in settings(entry):
                if is_reset_by(section, directive, entry._replace(section=each.section, directive=each.directive)):
                    found = path, "resets it"
                elif one and (each.value or key) and each[:3] == setting[:3]:
                    found = (path, _does(each)) if each.value != value else None
    return found


def _does(setting: Setting) -> str:
    if setting.value == TAKEN_AWAY:
        return f"takes {setting.key} away"
    return f"sets {setting.key}" if setting.key else "sets it"
