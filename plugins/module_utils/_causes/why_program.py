# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Why a program could not be run (203, EXEC): the kernel says four words, the file itself says the rest.

"No such file" is also what it says of a file whose interpreter is missing. Private to the collection.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
from typing import NamedTuple, Optional, Tuple

from .._host.journal import Line
from .._host.manager import PATH
from .._syntax.unitfile import Placed
from .holders import writer_of
from .incident import Cause, FailedStep, Incident, assigned, at, cause
from .views import (
    READ,
    RUN,
    Cover,
    Who,
    account_of,
    below,
    binds,
    cover,
    inside,
    led_by,
    mode_of,
    mounted,
    refused_at,
    there,
)
from .why_access import allowed, let_in, of_hardening

# elf(5), e_machine.
_MACHINES = {
    3: "32-bit x86",
    8: "MIPS",
    20: "PowerPC",
    21: "64-bit PowerPC",
    22: "s390x",
    40: "32-bit ARM",
    62: "x86_64",
    183: "aarch64",
    243: "RISC-V",
    258: "LoongArch",
}
_ELF = b"\x7fELF"
_PT_INTERP = 3
_FIRST = 4096


class _Elf(NamedTuple):
    """What the head of a program says: for which machine it is, of how many bits, and who loads it."""

    machine: int
    bits: int
    loader: str


def why(incident: Incident, step: FailedStep) -> Optional[Cause]:
    directive = incident.command
    placed = _placed(incident, directive, step.program)
    whose = at(directive, placed)
    if not step.program.startswith("/"):
        return _by_name(incident, step, directive, placed)
    real = inside(incident, step.program)
    if real is None:
        return None
    if step.errno == errno.ENOENT:
        return _not_there(incident, step, real, directive, placed)
    if step.errno == errno.ENOTDIR and there(real) != real and os.path.isfile(there(real)):
        what = f"{step.program} of {whose} cannot be there, as {there(real)} is a file and no folder"
        return cause(what, "mend the path", step.line, directive, placed)
    if step.errno in (errno.EACCES, errno.EISDIR):
        return _not_allowed(incident, step, real, directive, placed)
    if step.errno == errno.ENOEXEC:
        found = _wrong_format(step.program, real)
        return cause(found[0], found[1], step.line, directive, placed) if found else None
    if step.errno == errno.EAGAIN:
        return _too_many(incident, step)
    if step.errno == errno.ETXTBSY:
        by = writer_of(real)
        what = f"{step.program} of {whose} is being written to" + (f" by {by}" if by else "")
        return cause(
            what, "put a new version in its place by a rename, not by writing into it", step.line, directive, placed
        )
    return None


def _too_many(incident: Incident, step: FailedStep) -> Optional[Cause]:
    """execve(2), EAGAIN: it has taken an account that has more processes than it may have."""
    placed = incident.placed("LimitNPROC")
    user = incident.value("User")
    if not placed or not user:
        return None
    limit = assigned("LimitNPROC", placed[-1].value, placed[-1])
    what = f"user {user} has more processes on this host already than {limit} lets it"
    return cause(what, "raise it, or limit those of the unit alone by TasksMax=", step.line, "LimitNPROC", placed[-1])


def _placed(incident: Incident, directive: str, program: str) -> Optional[Placed]:
    """The place of the command that names the program; if none does, of the only command of its directive."""
    rows = incident.placed(directive)
    by_name = [each for each in rows if program in each.value]
    found = by_name or (list(rows) if len(rows) == 1 else [])
    return found[0] if len(found) == 1 else None


def _by_name(incident: Incident, step: FailedStep, directive: str, placed: Optional[Placed]) -> Optional[Cause]:
    if step.errno != errno.ENOENT:
        return None
    folders = [folder for word, _placed_at in incident.words("ExecSearchPath") for folder in word.split(":")]
    searched = folders or PATH.split(":")
    if any(os.path.exists(inside(incident, f"{folder}/{step.program}") or "/") for folder in searched):
        return None
    what = f"the program {step.program} of {at(directive, placed)} is in none of {', '.join(searched)}"
    return cause(what, "install it, or name it by its whole path", step.line, directive, placed)


def _not_there(
    incident: Incident, step: FailedStep, real: str, directive: str, placed: Optional[Placed]
) -> Optional[Cause]:
    if not os.path.lexists(real):
        within = f" (in RootDirectory={incident.value('RootDirectory')})" if incident.value("RootDirectory") else ""
        led = led_by(incident, step.program)
        what = f"the program {step.program} of {at(directive, placed)} is not there{within}{led}"
        return cause(what, "install it, or mend the path", step.line, directive, placed)
    veiled = hidden(incident, step.program, real, step.line)
    if veiled:
        return veiled
    return _interpreter(incident, step, real, directive, placed)


def _interpreter(
    incident: Incident, step: FailedStep, real: str, directive: str, placed: Optional[Placed]
) -> Optional[Cause]:
    head = _head(real)
    if head.startswith(b"#!"):
        if head.partition(b"\n")[0].endswith(b"\r"):
            return carriage_return(incident, step.line)
        name = _interpreter_of(head)
        if name and not os.path.exists(inside(incident, name) or "/"):
            led = led_by(incident, name)
            what = f"the interpreter {name}, which the first line of {step.program} names, is not there{led}"
            return cause(what, "install it, or mend the first line", step.line, directive, placed)
        return None
    elf = _elf(head)
    if elf and elf.loader and not os.path.exists(inside(incident, elf.loader) or "/"):
        what = f"the loader {elf.loader}, which {step.program} is built for, is not there"
        return cause(
            what, "install the libraries that it belongs to, or a build for this host", step.line, directive, placed
        )
    return None


def _interpreter_of(head: bytes) -> str:
    """The interpreter that the first line of a script names, "" of any other program."""
    words = head[2:].partition(b"\n")[0].decode("utf-8", "replace").split() if head.startswith(b"#!") else []
    return words[0] if words else ""


def carriage_return(incident: Incident, line: Optional[Line]) -> Optional[Cause]:
    """A script of its command whose first line ends as those of Windows do: that end is then a part of a name."""
    directive = incident.command
    for word, placed in incident.words(directive):
        path = word.lstrip("@-:+!")
        first, end, _rest = _head(inside(incident, path) or "/").partition(b"\n")
        if end and first.startswith(b"#!") and first.endswith(b"\r"):
            what = f"the first line of {path} ends with a carriage return, so that its interpreter is not found"
            return cause(what, "save it with line ends of Unix (sed -i 's/\\r$//')", line, directive, placed)
    return None


def _not_allowed(
    incident: Incident, step: FailedStep, real: str, directive: str, placed: Optional[Placed]
) -> Optional[Cause]:
    whose = at(directive, placed)
    if os.path.isdir(real):
        return cause(f"{step.program} of {whose} is a folder", "name the program in it", step.line, directive, placed)
    veiled = hidden(incident, step.program, real, step.line)
    if veiled:
        return veiled
    forbidden = _no_exec(incident, step.program, real)
    if forbidden:
        path, by = forbidden
        what = f"{at('NoExecPaths', by)} lets nothing below it be run, and so not {path}"
        own = "" if path == step.program else f", which {step.program} needs"
        return cause(f"{what}{own}", f"add ExecPaths={path} to [{incident.section}]", step.line, "NoExecPaths", by)
    who = account_of(incident)
    closed = refused_at(real, who, RUN) if who and os.path.exists(real) else ""
    if closed and who and closed == os.path.realpath(real):
        what = f"{step.program} of {whose} is not executable for user {who.name} ({mode_of(closed)})"
        return cause(what, _made_runnable(step.program, real, who), step.line, directive, placed)
    if closed and who:
        what = f"user {who.name} may not enter {closed} ({mode_of(closed)}), which lies on the way to {step.program}"
        return cause(what, let_in(who, closed), step.line, directive, placed)
    if os.path.exists(real) and mounted(real, os.ST_NOEXEC):
        what = f"{step.program} of {whose} lies on a file system that is mounted noexec"
        return cause(what, "move it to another one, or mount that without noexec", step.line, directive, placed)
    name = _interpreter_of(_head(real))
    interpreter = inside(incident, name) if name else None
    if interpreter and who and os.path.isfile(interpreter) and refused_at(interpreter, who, RUN):
        what = f"the interpreter {name}, which the first line of {step.program} names, is not executable for {who.name}"
        remedy = f"{_made_runnable(name, interpreter, who)}, or mend the first line"
        return cause(what, remedy, step.line, directive, placed)
    return None


def _made_runnable(path: str, real: str, who: Who) -> str:
    """What lets an account run a file. A script is also read, by its interpreter as that account."""
    unread = _head(real).startswith(b"#!") and refused_at(real, who, READ)
    return f"chmod {'a+rx' if unread else 'a+x'} {path}"


def _no_exec(incident: Incident, program: str, real: str) -> Optional[Tuple[str, Placed]]:
    """What of a program may not be run: itself, its interpreter, or what loads one of them; and what says so."""
    head = _head(real)
    interpreter = _interpreter_of(head)
    elf = _elf(_head(inside(incident, interpreter) or "/") if interpreter else head)
    for path in filter(None, (program, interpreter, elf.loader if elf else "")):
        placed = _forbidden(incident, inside(incident, path) or path)
        if placed:
            return path, placed
    return None


def _forbidden(incident: Incident, path: str) -> Optional[Placed]:
    """The deepest of both directives decides of the file itself, to which links lead."""
    rows = [
        (inside(incident, word.lstrip("-+")) or word.lstrip("-+"), directive, placed)
        for directive in ("ExecPaths", "NoExecPaths")
        for word, placed in incident.words(directive)
    ]
    rows = [row for row in rows if below(path, row[0])]
    deepest = max(rows, key=lambda row: (len(row[0].rstrip("/")), row[1]), default=None)
    return deepest[2] if deepest and deepest[1] == "NoExecPaths" else None


def hidden(incident: Incident, path: str, real: str, line: Optional[Line]) -> Optional[Cause]:
    """What the host has, and a directive keeps from the unit."""
    over = cover(incident, path)
    if over is None or not over.hides or not os.path.exists(real):
        return None
    what = f"{path} is there on the host, and {at(over.directive, over.place)} hides it from the unit"
    return cause(what, _unveiled(incident, over, path), line, over.directive, over.place)


def _unveiled(incident: Incident, over: Cover, path: str) -> str:
    """What lets the unit see it all the same, as tests/integration/test_remedies.py tries."""
    bind = "" if binds(incident, path) else f" and add BindReadOnlyPaths={path} to [{incident.section}]"
    if over.directive == "PrivateDevices" and of_hardening(over.place):
        return allowed(f"{{devices: [{path}]}}")
    if over.directive == "ProtectHome":
        if of_hardening(over.place) and _shut_by_umask(incident):
            return allowed("{home: read}")
        if of_hardening(over.place):
            return allowed(f"{{home: [{path}]}}")
        if _shut_by_umask(incident):
            return "set ProtectHome=read-only, or have it elsewhere"
        if over.shut:
            return f"set ProtectHome=tmpfs{bind}, as nothing can be bound below ProtectHome=yes, or have it elsewhere"
    if over.shut:
        return f"take {over.path} out of {over.directive}=, or have it elsewhere"
    if over.directive == "PrivateDevices":
        return "set PrivateDevices=no"
    return f"add BindReadOnlyPaths={path} to [{incident.section}], or have it elsewhere"


def _shut_by_umask(incident: Incident) -> bool:
    """Would its account not get through the folders on the way to what is bound?"""
    umask = incident.value("UMask")
    others = umask.isdigit() and int(umask[-1]) & RUN
    return bool(incident.umask_counts and others and incident.value("User") not in ("", "root", "0"))


def _wrong_format(program: str, real: str) -> Optional[Tuple[str, str]]:
    head = _head(real)
    if not head:
        return (f"{program} is empty", "put the program there") if _is_empty(real) else None
    elf, ours = _elf(head), _elf(_head("/proc/self/exe"))
    if elf and ours and (elf.machine, elf.bits) != (ours.machine, ours.bits):
        theirs, here = (_MACHINES.get(each.machine, f"machine {each.machine}") for each in (elf, ours))
        return f"{program} is built for {theirs}, and this host is {here}", "install a build for this host"
    if head.startswith(b"\xef\xbb\xbf#!"):
        return f"{program} begins with a byte order mark, so that its #! is not seen", "save it without that mark"
    if not head.startswith((b"#!", _ELF)):
        what = f"{program} has no first line that says by #! what runs it, and is no binary program"
        return what, "begin it with one, such as #!/bin/sh"
    return None


def _is_empty(path: str) -> bool:
    try:
        status = os.stat(path)
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size == 0


def _head(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read(_FIRST)
    except OSError:
        return b""


def _elf(head: bytes) -> Optional[_Elf]:
    """elf(5): the head of the file, and of the program headers that which names the loader."""
    if not head.startswith(_ELF) or len(head) < 64:
        return None
    wide, order = head[4] == 2, "<" if head[5] == 1 else ">"
    machine = struct.unpack_from(order + "H", head, 18)[0]
    table = struct.unpack_from(order + ("Q" if wide else "I"), head, 32 if wide else 28)[0]
    size, number = struct.unpack_from(order + "HH", head, 54 if wide else 42)
    loader = ""
    for index in range(number):
        start = table + index * size
        if start + size > len(head):
            break
        if struct.unpack_from(order + "I", head, start)[0] != _PT_INTERP:
            continue
        offset = struct.unpack_from(order + ("Q" if wide else "I"), head, start + (8 if wide else 4))[0]
        loader = head[offset:].partition(b"\0")[0].decode("utf-8", "replace") if offset < len(head) else ""
    return _Elf(machine, 64 if wide else 32, loader)
