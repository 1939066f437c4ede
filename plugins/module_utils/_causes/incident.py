# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What is known of a unit that has failed: its properties, its text with places, and its lines in the journal.

Private to the collection.
"""

from __future__ import annotations

import errno
import os
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from .._host.endings import step_of
from .._host.journal import Line
from .._syntax import unitfile
from .._syntax.kinds import Processes, kind_of
from .._syntax.meaning import is_true
from .._syntax.names import misnamed
from .._syntax.rule import Refused, shown
from .._syntax.specifiers import in_value
from .._syntax.unitfile import Placed

# sd-messages(3): SD_MESSAGE_SPAWN_FAILED, _UNIT_PROCESS_EXIT, _UNIT_FAILURE_RESULT, _UNIT_FAILED.
SPAWN_FAILED = "641257651c1b4ec9a8624d7a40a9e1e7"
PROCESS_EXIT = "98e322203f7a4ed290d09fe03c09fe15"
FAILURE_RESULT = "d9b373ed55a64feb8242e02dbe79a49c"
UNIT_FAILED = "be02cf6855d2428ba40df7e9d022f03d"
# syslog(3): LOG_ERR and worse.
ERROR_PRIORITIES = ("0", "1", "2", "3")
# "UNIT: Failed at step EXEC spawning /path: No such file or directory"
_STEP = re.compile(r"Failed at step (?P<step>\w+) spawning (?P<program>.*): (?P<reason>[^:]*)$", re.DOTALL)
# strerror(3), as PID 1 has it, whose words are English.
_ERRORS = {
    "No such file or directory": errno.ENOENT,
    "No such process": errno.ESRCH,
    "Permission denied": errno.EACCES,
    "Operation not permitted": errno.EPERM,
    "Not a directory": errno.ENOTDIR,
    "Is a directory": errno.EISDIR,
    "Exec format error": errno.ENOEXEC,
    "Text file busy": errno.ETXTBSY,
    "Read-only file system": errno.EROFS,
    "Invalid argument": errno.EINVAL,
    "Protocol error": errno.EPROTO,
    "File exists": errno.EEXIST,
    "Resource temporarily unavailable": errno.EAGAIN,
}
_A_SECOND = 1_000_000
_LONGEST_LINE = 200


class Cause(NamedTuple):
    """Why a unit has failed.

    what: the reason, with the object that it is about. remedy: what mends it. evidence: the line that proves it.
    directive, place: what of the unit's text it is about, where it is about any.
    """

    what: str
    remedy: str
    evidence: str
    directive: str = ""
    place: str = ""

    @property
    def sentence(self) -> str:
        return f"{self.what}: {self.remedy}" if self.remedy else self.what


class FailedStep(NamedTuple):
    """A step of systemd's own on the way to a program, that has failed.

    name: of the step. program: the one that it was for. reason: systemd's words. errno: the kernel's error, 0 where
    that is not known. line: of the journal, that says so.
    """

    name: str
    program: str
    reason: str
    errno: int
    line: Line


class Exit(NamedTuple):
    """How a process ended that counts: of which command, how (exited, killed, dumped), and its status or signal."""

    command: str
    code: str
    status: int
    line: Optional[Line] = None


@dataclass(frozen=True)
class Incident:
    """One failed run of a unit.

    unit: its name. result: systemd's word for it. properties: as the manager's socket gives them. text: the sections
    with the place of each value, specifiers resolved as far as the name resolves them. lines: those of that run, in
    order. earlier: those of the runs before. of_user: is it a user's manager that runs it? steps_lost: do systemd's
    lines about a step that failed not reach the journal here? umask_counts: has UMask= a say in the mode of folders
    that systemd makes on the way to what it binds? made: by directive, the folder below which those of a unit are made.
    """

    unit: str
    result: str
    properties: Mapping[str, Any]
    text: Mapping[str, Mapping[str, Sequence[Placed]]]
    lines: Tuple[Line, ...] = ()
    earlier: Tuple[Line, ...] = field(default=(), repr=False)
    of_user: bool = False
    steps_lost: bool = False
    umask_counts: bool = False
    made: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def section(self) -> str:
        return kind_of(self.unit).section

    def placed(self, directive: str) -> Sequence[Placed]:
        return self.text.get(self.section, {}).get(directive, ())

    def value(self, directive: str) -> str:
        """The value that counts of a directive that takes one."""
        found = self.placed(directive)
        return found[-1].value if found else ""

    def is_set(self, directive: str) -> bool:
        return is_true(self.value(directive))

    def words(self, directive: str) -> List[Tuple[str, Placed]]:
        """The words of a list, each with where it stands."""
        return [(_plain(word), each) for each in self.placed(directive) for word in each.value.split()]

    def by_systemd(self, words: str) -> Optional[Line]:
        """The last line of systemd's own with such words."""
        return next((line for line in reversed(self.lines) if line.by_systemd and words in line.text), None)

    @cached_property
    def step(self) -> Optional[FailedStep]:
        """The step that failed, None unless systemd itself says that one has: a program may end with any status.

        Where its line is lost the status is all there is, without the error: then it takes the host to prove the rest.
        """
        for line in reversed(self.lines):
            found = _STEP.search(line.text) if line.by_systemd and line.id == SPAWN_FAILED else None
            if found:
                return FailedStep(
                    found.group("step"), found.group("program"), found.group("reason"), error_of(line), line
                )
        ended = self.exit
        if not (self.steps_lost and ended and ended.line and ended.code == "exited" and step_of(ended.status)):
            return None
        commands = self.placed(self.command)
        program = commands[0].value.lstrip("@-:+!").partition(" ")[0] if len(commands) == 1 else ""
        return FailedStep(step_of(ended.status), program, "", 0, ended.line)

    @cached_property
    def exit(self) -> Optional[Exit]:
        """The process whose end has made the run a failure: the first that ended badly, by systemd's own words."""
        for line in self.lines:
            if line.by_systemd and line.id == PROCESS_EXIT:
                status = line.fields.get("EXIT_STATUS", "")
                bad = status != "0" and line.fields.get("EXIT_CODE", "")
                if bad:
                    number = int(status) if status.isdigit() else 0
                    return Exit(line.fields.get("COMMAND", ""), str(bad), number, line)
        return None if self.lines else self._main_exit

    @property
    def _main_exit(self) -> Optional[Exit]:
        """What the manager keeps of it, where the journal may not be read."""
        status = self.properties.get("ExecMainStatus")
        if self.properties.get("ExecMainCode") != os.CLD_EXITED or not isinstance(status, int) or not status:
            return None
        return Exit("ExecStart", "exited", status, Line(f"ExecMainStatus={status}", 0, "", True, {}))

    @property
    def command(self) -> str:
        """The directive of what has failed, ExecStart where that is not told."""
        command = self.exit.command if self.exit else ""
        is_service = kind_of(self.unit).processes is Processes.MAIN
        return command if command.startswith("Exec") else "ExecStart" if is_service else ""

    @cached_property
    def elevated(self) -> bool:
        """May what has failed run as root, or without the sandbox (systemd.service(5), "+" and "!")?"""
        commands = [each.value.lstrip("@-:") for each in self.placed(self.command)]
        return self.is_set("PermissionsStartOnly") or any(each.startswith(("+", "!")) for each in commands)

    @property
    def said(self) -> List[Line]:
        """What its programs have said, without empty lines."""
        return [line for line in self.lines if not line.by_systemd and line.text.strip()]

    @property
    def complaint(self) -> str:
        """The last line of systemd's own that is an error, and not just its sum of how the job went."""
        found = (line for line in reversed(self.lines) if line.by_systemd and line.id != UNIT_FAILED)
        return next((line.text.strip() for line in found if line.fields.get("PRIORITY") in ERROR_PRIORITIES), "")


def brief(text: str) -> str:
    """A line as a sentence quotes it."""
    return text if len(text) <= _LONGEST_LINE else text[:_LONGEST_LINE] + "..."


def error_of(line: Line) -> int:
    """The kernel's error that a line of systemd's tells, 0 if it tells none. 247 says it in words alone."""
    number = line.fields.get("ERRNO", "")
    return int(number) if number.isdigit() else _ERRORS.get(line.text.rpartition(": ")[2].strip(), 0)


def at(directive: str, placed: Optional[Placed]) -> str:
    """A directive and its place, as a sentence has it."""
    return f"{directive}= ({placed.path}:{placed.line})" if placed else f"{directive}="


def assigned(directive: str, value: str, placed: Optional[Placed]) -> str:
    """A directive with its value and its place, as a sentence has it."""
    where = f" ({placed.path}:{placed.line})" if placed else ""
    return f"{directive}={value}{where}"


def cause(
    what: str, remedy: str, evidence: Optional[Line], directive: str = "", placed: Optional[Placed] = None
) -> Cause:
    place = f"{placed.path}:{placed.line}" if placed else ""
    return Cause(what, remedy, evidence.text.strip() if evidence else "", directive, place)


def quoted(text: str) -> str:
    return shown(text)


def texts(files: Mapping[str, bytes], unit: str) -> Mapping[str, Mapping[str, Sequence[Placed]]]:
    """The unit's text by its files, in order; one that cannot be parsed counts as empty."""
    parsed: Dict[str, Sequence[unitfile.Entry]] = {}
    for path, content in files.items():
        try:
            parsed[path] = unitfile.parse(content.decode("utf-8", "replace"))
        except Refused:
            continue
    resolved = {} if misnamed(unit) else unitfile.origins(parsed)
    return {
        section: {
            directive: [each._replace(value=in_value(each.value, unit)) for each in placed]
            for directive, placed in directives.items()
        }
        for section, directives in resolved.items()
    }


def of_run(lines: Sequence[Line], run: str) -> Tuple[Tuple[Line, ...], Tuple[Line, ...]]:
    """The lines of one run, and those before. What journald could not tell the run of is told by its time."""
    own = [line for line in lines if line.run == run] if run else []
    if not own:
        return (), tuple(lines)
    begun = own[0].at
    others = [line.at for line in lines if line.run not in ("", run)]
    since = max([begun - _A_SECOND, *(at for at in others if at < begun)])
    until = min([at for at in others if at > own[-1].at], default=0)
    mine = tuple(
        line
        for line in lines
        if line.run == run or (not line.run and line.at > since and not (until and line.at >= until))
    )
    return mine, tuple(line for line in lines if line.at < begun and line not in mine)


def _plain(word: str) -> str:
    return word.strip("\"'")
