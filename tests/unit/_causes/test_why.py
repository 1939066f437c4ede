# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said of a failure that no container can provoke, and how the journal's lines become the story of one run."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._causes import (
    holders,
    why,
    why_chown,
    why_program,
    why_words,
)
from ansible_collections.unitwright.systemd.plugins.module_utils._causes.incident import (
    PROCESS_EXIT,
    SPAWN_FAILED,
    Incident,
    of_run,
    texts,
)
from ansible_collections.unitwright.systemd.plugins.module_utils._causes.views import cover
from ansible_collections.unitwright.systemd.plugins.module_utils._causes.why_results import killed, out_of_memory, size
from ansible_collections.unitwright.systemd.plugins.module_utils._host.causes import Failure
from ansible_collections.unitwright.systemd.plugins.module_utils._host.journal import Line, all_lines

from tests.unit.world import SYSTEM

UNIT = "shop.service"
PATH = "/etc/systemd/system/shop.service"
OUT_OF_MEMORY = "fe6faa94e7774663a0da52717891d8ef"


def said(text: str, at: int = 1, run: str = "a", **fields: str) -> Line:
    return Line(text, at, run, False, fields)


def own(text: str, at: int = 1, run: str = "a", **fields: str) -> Line:
    return Line(f"{UNIT}: {text}", at, run, True, fields)


def exited(status: int, code: str = "exited", command: str = "ExecStart") -> Line:
    text = f"Main process exited, code={code}, status={status}/X"
    return own(text, MESSAGE_ID=PROCESS_EXIT, EXIT_STATUS=str(status), EXIT_CODE=code, COMMAND=command)


def incident(text: str, *lines: Line, result: str = "exit-code", **properties: object) -> Incident:
    return Incident(UNIT, result, properties, texts({PATH: text.encode()}, UNIT), lines, made=SYSTEM.made(252))


def kernel(constraint: str, group: str) -> list[Line]:
    memcg = f",oom_memcg={group}" if group else ""
    text = f"oom-kill:constraint={constraint},nodemask=(null),cpuset=/{memcg},task_memcg=/system.slice/{UNIT},task=shop"
    return [
        said("oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/x,task_memcg=/system.slice/other.service"),
        said(text),
    ]


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (kernel("CONSTRAINT_MEMCG", f"/system.slice/{UNIT}"), f"more memory than MemoryMax=64M ({PATH}:2) lets it"),
        (kernel("CONSTRAINT_MEMCG", "/system.slice"), "all units in system.slice together"),
        (kernel("CONSTRAINT_NONE", ""), "the host had no memory left"),
        ([], ""),
    ],
)
def test_whose_limit_of_memory_it_was(lines: Sequence[Line], says: str) -> None:
    line = own("A process of this unit has been killed by the OOM killer.", MESSAGE_ID=OUT_OF_MEMORY)
    case = incident("[Service]\nMemoryMax=64M\n", line, result="oom-kill", MemoryMax=64 * 2**20, MemoryPeak=60 * 2**20)
    found = out_of_memory(case, lambda _since: list(lines))
    assert (found.what if found else "")[-len(says) or None :].startswith(says) or says in (found.what if found else "")
    if says.startswith("more"):
        assert found is not None
        assert "it used 60M at most" in found.what
        assert (found.directive, found.place) == ("MemoryMax", f"{PATH}:2")


def test_memory_that_systemd_says_nothing_of_is_not_named() -> None:
    lines = kernel("CONSTRAINT_MEMCG", f"/system.slice/{UNIT}")
    assert out_of_memory(incident("", exited(9, "killed"), result="oom-kill"), lambda _since: lines) is None


@pytest.mark.parametrize(
    ("number", "text"), [(64 * 2**20, "64M"), (1536, "1.5K"), (2**64 - 1, ""), (None, ""), (7, "7")]
)
def test_sizes(number: object, text: str) -> None:
    assert size(number) == text


@pytest.mark.parametrize(
    ("status", "text", "says"),
    [
        (31, "SystemCallFilter=~uname", "SystemCallFilter="),
        (31, "", ""),
        (24, "LimitCPU=1", "LimitCPU=1"),
        (25, "LimitFSIZE=1K", "LimitFSIZE=1K"),
        (25, "", ""),
        (11, "", "SIGSEGV"),
        (9, "MemoryMax=1G", ""),
        (15, "", ""),
    ],
)
def test_signals_that_say_what_has_happened(status: int, text: str, says: str) -> None:
    found = killed(incident(f"[Service]\n{text}\n", exited(status, "killed"), result="signal"))
    assert says in found.what if found and says else bool(found) == bool(says)


def test_a_crash_of_what_may_compile_as_it_runs_says_what_keeps_it_from_that() -> None:
    """Node.js 18 ends by SIGTRAP, and blames a want of memory."""
    for value, is_told in (("yes", True), ("no", False)):
        text = f"[Service]\nMemoryDenyWriteExecute={value}\n"
        found = killed(incident(text, exited(5, "killed"), result="signal"))
        assert found is not None
        assert (f"set MemoryDenyWriteExecute= ({PATH}:2) to no" in found.remedy) is is_told


def test_a_step_is_one_only_by_a_line_of_systemd() -> None:
    text = "Failed at step EXEC spawning /opt/a: b: No such file or directory"
    step = own(text, MESSAGE_ID=SPAWN_FAILED, ERRNO="2")
    found = incident("", step, exited(203)).step
    assert found is not None
    assert (found.name, found.program, found.errno) == ("EXEC", "/opt/a: b", 2)
    assert incident("", said(f"{UNIT}: {text}", MESSAGE_ID=SPAWN_FAILED), exited(203)).step is None
    assert incident("", exited(203)).step is None


SOCKET_USER = "SocketUser=no-such-user"
SOCKET_GROUP = "SocketGroup=no-such-group"


@pytest.mark.parametrize(
    ("text", "status", "command", "says"),
    [
        (SOCKET_USER, 217, "ExecStartChown", "there is no user no-such-user, whom SocketUser= (/x:2) names"),
        (SOCKET_GROUP, 216, "ExecStartChown", "there is no group no-such-group, which SocketGroup= (/x:2) names"),
        ("SocketUser=root", 217, "ExecStartChown", ""),
        ("SocketUser=48211", 217, "ExecStartChown", "there is no user 48211, whom SocketUser= (/x:2) names"),
        ("SocketUser=0", 217, "ExecStartChown", ""),
        (SOCKET_USER, 216, "ExecStartChown", ""),
        (SOCKET_USER, 235, "ExecStartChown", ""),
        (SOCKET_USER, 217, "ExecStartPre", ""),
    ],
)
def test_whom_a_socket_could_not_be_given_to(text: str, status: int, command: str, says: str) -> None:
    known = texts({"/x": f"[Socket]\n{text}\n".encode()}, "shop.socket")
    case = Incident("shop.socket", "exit-code", {}, known, (exited(status, command=command),))
    found = why_chown.why(case) if why_chown.applies(case) else None
    assert (found.what if found else "") == says
    assert not found or (found.evidence and found.directive == text.partition("=")[0])


def test_the_status_of_what_runs_no_program_is_none_of_a_programs() -> None:
    unit = "shop.socket"
    of_systemd = Incident(unit, "exit-code", {}, {}, (exited(217, command="ExecStartChown"),))
    assert why._status(of_systemd) == ""
    assert why._status(Incident(unit, "exit-code", {}, {}, (exited(217, command="ExecStartPre"),))) != ""


SUCCESS = "7ad2d189f7e94e70a38c781354912448"
STOPPING = "de5b426a63be47a7b6ac3eaac82e2f6f"
ENDED = own("Deactivated successfully.", MESSAGE_ID=SUCCESS)


@pytest.mark.parametrize(
    ("text", "directive", "remedy"),
    [
        ("ExecStart=/bin/daemon", "Type", "take Type=forking"),
        ("Type=exec\nExecStart=/bin/job", "Type", "Type=oneshot"),
        ("ExecStart=/bin/sh -c 'daemon &'", "ExecStart", "leave out that &"),
        ('ExecStart=/bin/sh -c "daemon >/dev/null 2>&1 & exit 0"', "ExecStart", "leave out that &"),
        ("ExecStart=/bin/daemon &", "ExecStart", "leave out that &"),
        ("ExecStart=/bin/sh -c 'one & two'", "Type", "take Type=forking"),
        ("ExecStart=/bin/sh -c 'one && true'", "Type", "take Type=forking"),
        ("ExecStart=/bin/get http://x/?a=1&b", "Type", "take Type=forking"),
    ],
)
def test_a_service_that_has_ended_by_itself(text: str, directive: str, remedy: str) -> None:
    sort = "exec" if "Type=exec" in text else "simple"
    case = incident(f"[Service]\n{text}\n", ENDED, result="success", ActiveState="inactive", Type=sort)
    found = why._why(case, cast(Any, None))
    assert found is not None
    assert (found.directive, found.evidence) == (directive, ENDED.text)
    assert remedy in found.remedy


@pytest.mark.parametrize(("begun", "run"), [(1.0, "b"), (6.0, ""), (0.5, "b")])
def test_the_run_of_a_unit_that_systemd_has_forgotten(begun: float, run: str) -> None:
    lines = [said("one", 100, "a"), own("two", 5_000_000, "b"), own("three", 7_000_000, "b"), said("?", 8_000_000, "")]
    assert why._last_run(lines, begun) == run
    assert why._last_run([], begun) == ""


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        ([ENDED], {"Type": "oneshot"}),
        ([ENDED], {"Type": "forking"}),
        ([ENDED], {"ActiveState": "active"}),
        ([own("Stopping it", MESSAGE_ID=STOPPING), ENDED], {}),
        ([exited(15, "killed"), ENDED], {}),
        ([said(ENDED.text, MESSAGE_ID=SUCCESS)], {}),
        ([], {}),
    ],
)
def test_what_has_not_ended_by_itself(lines: Sequence[Line], shown: dict[str, str]) -> None:
    properties = {"ActiveState": "inactive", "Type": "simple", **shown}
    assert why._why(incident("", *lines, result="success", **properties), cast(Any, None)) is None


def test_a_run_has_its_own_lines_and_those_that_journald_could_not_place() -> None:
    early, late = said("before", 100, "a"), said("of the second", 5_000_000, "")
    lines = [early, late, own("Main process exited", 5_000_100, "b"), said("third", 9_000_000, "c")]
    mine, earlier = of_run(lines, "b")
    assert [line.text for line in mine] == ["of the second", f"{UNIT}: Main process exited"]
    assert earlier == (early,)
    assert of_run(lines, "") == ((), tuple(lines))


class Journal:
    """In the place of a manager, with the rows of a journal, the newest first."""

    def __init__(self, *rows: dict[str, Any]) -> None:
        self.out = "\n".join(map(json.dumps, rows)) + "\nno JSON\n"
        self.places = self
        self.scope = self
        self.journal_prefix, self.of_session = "", False

    def run(self, _command: Sequence[str], **_options: object) -> Journal:
        return self


def test_lines_of_the_journal_as_data() -> None:
    host: Any = Journal(
        {"MESSAGE": [104, 105, 255], "__REALTIME_TIMESTAMP": "7", "_SYSTEMD_INVOCATION_ID": "b"},
        {"MESSAGE": "of its user", "UNIT": UNIT, "CODE_FUNC": "run", "INVOCATION_ID": "a", "_UID": "7"},
        {"MESSAGE": "of another", "UNIT": UNIT, "CODE_FUNC": "run", "INVOCATION_ID": "a", "_UID": "8"},
        {"MESSAGE": "x", "UNIT": UNIT, "CODE_FUNC": "run", "INVOCATION_ID": "a", "_UID": "0", "X_STAMP": ["1", "2"]},
        {"MESSAGE": None, "UNIT": "other.service", "CODE_FUNC": "run"},
    )
    found = all_lines(host, UNIT, 10, lambda uid: uid == 7)
    assert [(line.text, line.run, line.by_systemd, line.at) for line in found] == [
        ("", "", False, 0),
        ("x", "a", True, 0),
        ("of its user", "a", True, 0),
        ("hi\ufffd", "b", False, 7),
    ]


@pytest.mark.parametrize(
    ("text", "path", "directive", "hides", "read_only"),
    [
        ("ProtectSystem=strict", "/opt/a", "ProtectSystem", False, True),
        ("ProtectSystem=full", "/etc/a", "ProtectSystem", False, True),
        ("ProtectSystem=full", "/opt/a", "", False, False),
        ("ProtectSystem=yes", "/usr/a", "ProtectSystem", False, True),
        ("ProtectSystem=strict\nReadWritePaths=/opt", "/opt/a", "ReadWritePaths", False, False),
        ("ProtectSystem=strict\nStateDirectory=a", "/var/lib/a/b", "StateDirectory", False, False),
        ("ReadOnlyPaths=/opt\nReadWritePaths=-/opt/a", "/opt/a", "ReadWritePaths", False, False),
        ("ProtectHome=yes", "/home/a", "ProtectHome", True, False),
        ("ProtectHome=read-only", "/root/a", "ProtectHome", False, True),
        ("ProtectHome=tmpfs\nBindReadOnlyPaths=/home/a", "/home/a/b", "BindReadOnlyPaths", False, True),
        ("ProtectHome=yes\nBindReadOnlyPaths=/home/a", "/home/a/b", "ProtectHome", True, False),
        ("InaccessiblePaths=/srv", "/srv/a", "InaccessiblePaths", True, False),
        ("InaccessiblePaths=/srv\nBindPaths=/srv/a", "/srv/a/b", "InaccessiblePaths", True, False),
        ("TemporaryFileSystem=/srv:ro", "/srv/a", "TemporaryFileSystem", True, True),
        ("PrivateTmp=yes", "/var/tmp/a", "PrivateTmp", True, False),
        ("PrivateDevices=yes", "/dev/sda", "PrivateDevices", True, False),
        ("PrivateDevices=yes", "/dev/null", "PrivateDevices", False, False),
        ("DynamicUser=yes", "/opt/a", "", False, False),  # what that implies the manager alone says
    ],
)
def test_which_directive_decides_of_a_path(text: str, path: str, directive: str, hides: bool, read_only: bool) -> None:
    found = cover(incident(f"[Service]\n{text}\n"), path)
    told = (found.directive, found.hides, found.read_only) if found else ("", False, False)
    assert told == (directive, hides, read_only)


def test_what_dynamic_user_implies_is_told_of_it() -> None:
    found = cover(incident("[Service]\nDynamicUser=yes\n", ProtectSystem="strict"), "/opt/a")
    assert found is not None
    assert (found.directive, found.read_only) == ("DynamicUser", True)


def elf(machine: int, loader: str = "") -> bytes:
    """The head of a 64-bit program, little-endian (elf(5))."""
    ident = b"\x7fELF" + bytes((2, 1, 1)) + bytes(9)
    name = loader.encode() + b"\0"
    head = struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 3, 4, 120, 0, 0, len(name), len(name), 1)
    return ident + head + segment + name


@pytest.mark.parametrize(
    ("content", "errno", "says"),
    [
        (elf(62, "/lib64/nowhere.so"), "2", "the loader /lib64/nowhere.so"),
        (b"#!/opt/nowhere -x\n", "2", "the interpreter /opt/nowhere,"),
        (b"#! /bin/sh\r\n", "2", "carriage return"),
        (b"#!/bin/sh\n", "2", ""),
        (elf(40), "8", "built for 32-bit ARM"),
        (b"", "8", "is empty"),
        (b"\xef\xbb\xbf#!/bin/sh\n", "8", "byte order mark"),
        (b"echo\n", "8", "has no first line"),
        (b"#!/bin/sh\n", "8", ""),
    ],
)
def test_what_the_file_itself_says_of_203(tmp_path: Path, content: bytes, errno: str, says: str) -> None:
    program = tmp_path / "program"
    program.write_bytes(content)
    program.chmod(0o755)
    line = own(f"Failed at step EXEC spawning {program}: X", MESSAGE_ID=SPAWN_FAILED, ERRNO=errno)
    case = incident(f"[Service]\nExecStart={program} -v\n", line, exited(203))
    assert case.step is not None
    found = why_program.why(case, case.step)
    assert says in found.what if found and says else bool(found) == bool(says)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["API_TOKEN: parameter not set"], "API_TOKEN"),
        (["the environment variable DATABASE_URL is not set"], "DATABASE_URL"),
        (["File os.py", "KeyError: 'TOKEN'"], ""),
        (['  x = os.environ["TOKEN"]', "KeyError: 'TOKEN'"], "TOKEN"),
        (["warning: API_TOKEN: parameter not set"], ""),
        (["API_TOKEN: parameter not set", "    at main.js:1", "}", "Node.js v18.1.0"], "API_TOKEN"),
        (["API_TOKEN: parameter not set", "and then something else"], ""),
    ],
)
def test_only_the_very_last_words_count(lines: Sequence[str], says: str) -> None:
    found = why_words.why(incident("[Service]\nExecStart=/bin/x\n", *map(said, lines), exited(1)))
    assert says in found.what if found and says else bool(found) == bool(says)


def test_a_line_that_the_program_itself_calls_a_warning_decides_nothing() -> None:
    line = said("API_TOKEN: parameter not set", PRIORITY="4")
    assert why_words.why(incident("", line, exited(1))) is None


NOBODY = "[Service]\nUser=nobody\nExecStart=/bin/x\n"


@pytest.mark.parametrize(
    ("mode", "lines", "status", "says"),
    [
        (0o644, ["sh: 1: {path}: Permission denied"], 126, "may not execute"),
        (0o644, ["cannot read {path}: Permission denied"], 1, ""),
        (0o644, ["cannot open {path} for writing: Permission denied"], 1, "may not write to"),
        (0o644, ['  log = open(name, "a")', "PermissionError: [Errno 13] Permission denied: '{path}'"], 1, "write to"),
        (0o600, ["cannot read {path}: Permission denied"], 1, "may not read"),
        (0o600, ["cannot read one\0two {path}/\0: Permission denied"], 1, ""),
    ],
)
def test_what_was_to_be_done_with_a_file_has_to_be_said(
    tmp_path: Path, mode: int, lines: Sequence[str], status: int, says: str
) -> None:
    """What is readable may be denied for another reason, and write access would be the wrong remedy."""
    if os.geteuid() != 0:
        pytest.skip("the file has to be another's than nobody's")
    path = tmp_path / "app.conf"
    path.write_text("")
    path.chmod(mode)
    for folder in [*tmp_path.parents][:-2]:
        folder.chmod(folder.stat().st_mode | 0o011)
    tmp_path.chmod(0o755)
    found = why_words.why(incident(NOBODY, *(said(each.format(path=path)) for each in lines), exited(status)))
    assert says in found.what if found and says else bool(found) == bool(says)


@pytest.mark.parametrize(
    ("listed", "line", "says"),
    [
        ("AF_UNIX AF_INET AF_INET6", "socket(AF_PACKET): Address family not supported by protocol", "AF_PACKET"),
        ("AF_UNIX", "socket(AF_UNIX): Address family not supported by protocol", ""),
        ("AF_INET", "Address family not supported by protocol", "of the family that it asks for"),
    ],
)
def test_a_family_is_named_where_the_line_does(listed: str, line: str, says: str) -> None:
    text = f"[Service]\nExecStart=/bin/x\nRestrictAddressFamilies={listed}\n"
    found = why_words.why(incident(text, said(line), exited(1)))
    assert says in found.what if found and says else bool(found) == bool(says)


@pytest.mark.parametrize(
    ("command", "taken"),
    [("--port 22", True), ("--listen=0.0.0.0:22", True), ("22", True), ("--workers 22", False), ("--limit=22", False)],
)
def test_a_number_of_the_command_is_a_port_where_its_option_may_hold_one(
    monkeypatch: pytest.MonkeyPatch, command: str, taken: bool
) -> None:
    monkeypatch.setattr(holders, "listening", lambda: {22: holders.Port(22, ("1",))})
    text = f"[Service]\nExecStart=/bin/x {command}\n"
    found = why_words.why(incident(text, said("Address already in use"), exited(1)))
    assert bool(found) == taken


def test_what_lines_and_files_of_others_hold_never_keeps_a_run_from_its_way_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def break_down(*_args: object) -> None:
        raise ValueError("embedded null byte")

    monkeypatch.setattr(why, "_incident", break_down)
    monkeypatch.setattr(why, "_properties", lambda *_args: {})
    assert why.explain(cast(Any, None), [Failure(UNIT, "x", "exit-code")]) == {UNIT: why.Why(None)}
