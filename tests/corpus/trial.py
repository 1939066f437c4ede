# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules say of each file, and whose word that is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ansible_collections.unitwright.systemd.plugins.filter.from_unit_file import from_unit_file
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.rule import Severity

from tests.testbed.host import Host, module_input
from tests.tooling.rules import every_rule

from .explained import EXPLAINED
from .files import Answer, Packaged, Request, ask

OURS = "without reason"
SYSTEMD = "systemd says so of the packaged file"
FORMS = ("content", "sections")
# Nobody is warned by these.
NOTES = frozenset(rule.id for rule in every_rule() if rule.severity is Severity.NOTE)
_SHARE = 40
_OPTIONS = frozenset("unit service socket timer path mount automount swap slice install".split())
# Where verify says something of a line, its own reading begins behind the file and the line.
_PLACE = re.compile(r"^(?:/\S+?:\d+: |[A-Za-z0-9:_.\\@-]+\.[a-z]+: )")


class Finding(NamedTuple):
    """Something that is said of a file. verb: refused or warned. whose: who says it, or why it is right to be said."""

    file: Packaged
    form: str
    verb: str
    rule: str
    message: str
    whose: str

    @property
    def said(self) -> str:
        return f"{self.verb} ({self.rule}) {self.message}"

    def __str__(self) -> str:
        return f"{self.file.name} [{self.file.scope}] as {self.form}: {self.said}"


def findings(host: Host, files: Sequence[Packaged]) -> list[Finding]:
    """Files are given to the host many at once; those of which something is said then, each alone."""
    shares = [(share, form) for share in _shares(files) for form in FORMS]
    alone: list[tuple[Packaged, str]] = []
    while shares:
        answers = list(ask(host, [_of_many(share, form) for share, form in shares]))
        asked, shares = shares, []
        for (share, form), answer in zip(asked, answers, strict=True):
            named = [file for file in share if file.stem in _words(answer)]
            alone += [(file, form) for file in (named or share if _says(answer) else ())]
            # Of the others nothing may have been said, as it was refused.
            rest = [file for file in share if file not in named]
            if named and rest and answer.get("failed"):
                shares.append((rest, form))
    modules = list(ask(host, [_request(file, form) for file, form in alone]))
    told = list(dict.fromkeys(file for (file, _form), each in zip(alone, modules, strict=True) if _says(each)))
    judged = ask(host, [{"verify": file.judged, "user": file.scope == "global"} for file in told])
    said = dict(zip(told, (each["said"] for each in judged), strict=True))
    found = zip(alone, modules, strict=True)
    return [each for (file, form), answer in found for each in _of_answer(file, form, answer, said.get(file, ()))]


def _words(answer: Answer) -> str:
    return json.dumps([*(answer.get(key) for key in ("msg", "errors", "warnings")), _doubts(answer)])


def _says(answer: Answer) -> bool:
    return bool(answer.get("failed") or _doubts(answer) or answer.get("warnings"))


def _doubts(answer: Answer) -> list[dict[str, str]]:
    return [each for each in answer.get("unverified", ()) if each["rule"] not in NOTES]


def _shares(files: Sequence[Packaged]) -> Iterator[Sequence[Packaged]]:
    for scope in dict.fromkeys(file.scope for file in files):
        every = [file for file in files if file.scope == scope]
        yield from (every[start : start + _SHARE] for start in range(0, len(every), _SHARE))


def _of_many(files: Sequence[Packaged], form: str) -> Request:
    entries = {"units": [_entry(file, form) for file in files if not file.dropin]}
    entries["dropins"] = [_entry(file, form) for file in files if file.dropin]
    args = module_input("stack", check_mode=True)
    return {"module": "stack", "args": {**args, "name": "corpus", "scope": files[0].scope, **entries}}


def _request(file: Packaged, form: str) -> Request:
    module = "dropin" if file.dropin else "unit"
    args = module_input(module, check_mode=True)
    return {"module": module, "args": {**args, **_entry(file, form), "scope": file.scope}}


def _entry(file: Packaged, form: str) -> dict[str, object]:
    given = {"content": file.text} if form == "content" else _sections(file)
    named = {"name": file.unit, **({"dropin": file.dropin} if file.dropin else {"state": "present"})}
    return {**named, **given, "replace": True}


def _sections(file: Packaged) -> dict[str, object]:
    """As options; a section that no option is for, such as those of other tools (X-...), stays out."""
    return {name.lower(): given for name, given in from_unit_file(file.text).items() if name.lower() in _OPTIONS}


def _of_answer(file: Packaged, form: str, answer: Answer, said: Sequence[str]) -> Iterator[Finding]:
    if answer.get("failed") and not answer.get("errors"):
        yield Finding(file, form, "refused", "", str(answer.get("msg")), OURS)
    told = [("refused", each) for each in answer.get("errors", ())]
    told += [("warned", each) for each in _doubts(answer)]
    for verb, each in told:
        place = " ".join(filter(None, [each["unit"], each["section"], each["directive"]]))
        whose = _whose(file, each["rule"], each["message"], said)
        yield Finding(file, form, verb, each["rule"], f"{place}: {each['message']}", whose)
    for warning in answer.get("warnings", ()):
        text = warning["event"]["msg"] if isinstance(warning, dict) else str(warning)
        if not any(each["message"] in text for _verb, each in told):
            yield Finding(file, form, "warned", "", text, _whose(file, "", text, said))


def _whose(file: Packaged, rule: str, message: str, said: Sequence[str]) -> str:
    words = {_PLACE.sub("", line.strip()).removesuffix(" Refusing.").rstrip(".") for line in said}
    if any(each and each in message for each in words):
        return SYSTEMD
    return next((row.reason for row in EXPLAINED if row.fits(file.name, rule, message)), OURS)
