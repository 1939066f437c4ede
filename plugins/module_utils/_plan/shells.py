# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Commands that are written as for a shell, where systemd does nothing of the kind, or something else. Pure.

Private to the collection.
"""

from __future__ import annotations

import re
from typing import Dict, FrozenSet, Iterator, List, Mapping, Optional, Sequence, Set

from .._syntax.kinds import kind_of
from .._syntax.meaning import is_set, is_true, last, words
from .._syntax.rule import Problem, Rule, Severity
from .._syntax.specifiers import in_value
from .._syntax.unitfile import Effective
from .._syntax.words import Word, apart, commands, split
from .references import View

_MANUAL = "systemd.service(5), Command lines"
_AS_ARGUMENT = "no shell reads it, so the program gets {word} as an argument"
_SHELL = Rule(
    "shell",
    Severity.WARNING,
    _AS_ARGUMENT,
    "if a shell is meant, write /bin/sh -c and all the rest in quotes",
    _MANUAL,
    of_line=True,
)
_REDIRECTED = Rule(
    "shell",
    Severity.WARNING,
    _AS_ARGUMENT,
    "StandardOutput= and StandardError= say where output goes (append:/var/log/NAME.log); if a shell is meant, write "
    "/bin/sh -c and all the rest in quotes",
    _MANUAL,
    of_line=True,
)
_BACKGROUND = Rule(
    "shell",
    Severity.WARNING,
    _AS_ARGUMENT,
    "leave out the & at its end, as systemd runs a service in the background by itself (with Type=exec, say)",
    _MANUAL,
    of_line=True,
)
_PARTED = Rule(
    "shell",
    Severity.WARNING,
    _AS_ARGUMENT,
    "a ; between commands has blanks around it, and is for Type=oneshot; if a shell is meant, write /bin/sh -c and all "
    "the rest in quotes",
    _MANUAL,
    of_line=True,
)
_COMMENT = Rule(
    "shell",
    Severity.WARNING,
    "{word} begins no comment here, so the program gets it and what follows as arguments",
    "give the comment a line of its own, above this one",
    "systemd.syntax(7)",
    of_line=True,
)
_SHORT_SCRIPT = Rule(
    "shell",
    Severity.WARNING,
    "{word} alone is the script that the shell runs, and what follows are no more than parameters of it",
    "put all that is behind -c in quotes",
    "sh(1), -c; systemd.service(5), Command lines",
    of_line=True,
)
_LEFT_BEHIND = Rule(
    "background",
    Severity.WARNING,
    "the shell puts its last command into the background and ends, and the service ends with it",
    "leave out the & at its end",
    "systemd.service(5), Type=; systemd.kill(5), KillMode=",
)
_LEFT_OUT = Rule(
    "shell",
    Severity.WARNING,
    "systemd takes {word} for a variable that is not set, and leaves it out",
    "write ${{NAME}} for a variable, $$ for a dollar sign, or /bin/sh -c and all the rest in quotes for a shell",
    _MANUAL,
    of_line=True,
)
_BRACES = Rule(
    "shell",
    Severity.WARNING,
    "within a word systemd knows variables in braces alone, so the program gets {word} as it is",
    "write ${{NAME}} for a variable, or $$ for a dollar sign",
    _MANUAL,
    of_line=True,
)
_UNSET = Rule(
    "variable-unset",
    Severity.WARNING,
    "neither the unit nor systemd sets {names}, so the program gets nothing in its place",
    "set it under environment, or write $$ if a dollar sign is meant",
    "systemd.service(5), Command lines; systemd.exec(5), Environment variables",
)
_OPERATOR = re.compile(r"\|\|?|&&?|<")
_OUTPUT = re.compile(r"(?:\d|&)?>>?(?:&\d|/\S*)?")
# What may well end so for the program is left alone: an address, a setting.
_ENDED = re.compile(r"(?!.*://)[^?=]*[^&?=]&|[^;:=]+;")
_SHELLS = frozenset("sh bash dash ash ksh mksh zsh".split())
_WITH_WORD = re.compile(r"[-+][A-Za-z]*[oO]")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# A place for more arguments, of which there are none where nobody sets it, as many packages have it.
_MORE = re.compile(r"\$\w*(?:OPTS?|OPTIONS|ARGS|ARGUMENTS|FLAGS|PARAMS)")
_BRACED = re.compile(r"\$\$|\$\{([^}:]*)\}")
# What a shell would do within a word. In single quotes it would not, and what is in double quotes may be for a shell
# that the program starts, unless that is nothing else than such a substitution.
_SUBSTITUTED = re.compile(r"`|\$\(|\$\{[^}]*:[^}]*\}")
_QUOTES = re.compile(r"'[^']*'|\"(\$\([^\"]*\)|`[^\"`]*`)\"|\"(?:\\.|[^\"\\])*\"")
# Upper case, as nginx's $remote_addr and the like are the program's own; behind what parts a word from its option.
_WITHIN = re.compile(r"[=/:,@.-]\$[A-Z_][A-Z0-9_]*")
# Options that take a script, and those that take a pattern.
_SCRIPT = re.compile(r"-[A-Za-z]*c")
_PATTERN = re.compile(r"-.*(?:clude|ignore|skip|filter|match|pattern|glob|regex|name|path|route|url)", re.IGNORECASE)
# systemd.exec(5), "Environment Variables Set or Propagated by the Service Manager"; what a login has is by User= alone.
_LOGIN = frozenset(("USER", "LOGNAME", "HOME", "SHELL"))
_LOGS_IN = ("DynamicUser", "SetLoginEnvironment")
_OF_SYSTEMD = frozenset(
    """
    PATH LANG LANGUAGE INVOCATION_ID XDG_RUNTIME_DIR RUNTIME_DIRECTORY STATE_DIRECTORY CACHE_DIRECTORY LOGS_DIRECTORY
    CONFIGURATION_DIRECTORY CREDENTIALS_DIRECTORY MAINPID MAINPIDFDID MANAGERPID MANAGERPIDFDID SYSTEMD_EXEC_PID
    SYSTEMD_LOG_LEVEL LISTEN_FDS LISTEN_PID LISTEN_PIDFDID LISTEN_FDNAMES NOTIFY_SOCKET WATCHDOG_PID WATCHDOG_USEC TERM
    COLORTERM NO_COLOR LOG_NAMESPACE JOURNAL_STREAM SERVICE_RESULT EXIT_CODE EXIT_STATUS MONITOR_SERVICE_RESULT
    MONITOR_EXIT_CODE MONITOR_EXIT_STATUS MONITOR_INVOCATION_ID MONITOR_UNIT PIDFILE REMOTE_ADDR REMOTE_PORT SO_COOKIE
    TRIGGER_UNIT TRIGGER_PATH TRIGGER_TIMER_REALTIME_USEC TRIGGER_TIMER_MONOTONIC_USEC MEMORY_PRESSURE_WATCH
    MEMORY_PRESSURE_WRITE FDSTORE DEBUG_INVOCATION
    """.split()
)
# What any process of a unit may have, whatever the unit says.
GIVEN = _OF_SYSTEMD | _LOGIN


def of_line(unit: str, section: str, directive: str, value: str) -> Iterator[Problem]:
    """The first word of a line that is as for a shell, and an & at its end, which is mended otherwise."""
    for command in commands(value):
        prefix, _program = apart(command[0].text)  # with : systemd puts in no variables, with | a shell reads the rest
        if "|" in prefix:
            continue
        script = script_of(command)
        if script and not script.is_quoted and script != command[-1] and not re.search(r"[\s$]", script.text):
            yield _SHORT_SCRIPT.problem(unit, section, directive, word=script.raw)
            return
        *words, last_word = command
        is_left = len(words) > 0 and not last_word.is_quoted and _ends_in("&", last_word)
        for before, word in zip(command, words[1:] if is_left else command[1:]):
            rule = _as_for_shell(word, before, word is last_word, knows_variables=":" not in prefix)
            if rule:
                yield rule.problem(unit, section, directive, word=word.raw)
                break
        if is_left:
            yield _BACKGROUND.problem(unit, section, directive, word=last_word.raw)
            return


def left_behind(unit: str, value: str, text: Effective) -> Iterator[Problem]:
    """A shell that leaves all its work to others and ends. text: of the unit, where that may be what is meant."""
    lasts = last(text, "Service", "Type") in ("forking", "oneshot") or is_true(last(text, "Service", "RemainAfterExit"))
    if lasts or last(text, "Service", "KillMode") in ("process", "none"):
        return
    for command in commands(value):
        script = script_of(command)
        if script and script.is_quoted and re.search(r"[^&]&\s*$", script.text):
            yield _LEFT_BEHIND.problem(unit, "Service", "ExecStart")


def script_of(command: Sequence[Word]) -> Optional[Word]:
    """What a shell is given as its script, None where none is."""
    if apart(command[0].text)[1].rpartition("/")[2] not in _SHELLS:
        return None
    is_next = is_of_option = False
    for word in command[1:]:
        if is_next:
            return word
        if not (is_of_option or word.text[:1] in ("-", "+")):
            return None  # a file with a script, and what follows is for that
        is_next = _SCRIPT.fullmatch(word.text) is not None
        is_of_option = _WITH_WORD.fullmatch(word.text) is not None
    return None


def unset(unit: str, lines: Mapping[str, Sequence[str]], view: View) -> Iterator[Problem]:
    """Variables that are not there. lines: of a unit, by their directive."""
    asked = {directive: _variables(values) for directive, values in lines.items()}
    there = _there(unit, view) if any(asked.values()) else None
    if there is None:
        return
    for directive, names in asked.items():
        lacking = [each for each in names if each not in there and not each.startswith("LC_")]
        if lacking:
            section = kind_of(unit).section
            yield _UNSET.problem(unit, section, directive, names=", ".join(f"${each}" for each in lacking))


def _ends_in(sign: str, word: Word) -> bool:
    return word.text == sign or (word.text.endswith(sign) and _ENDED.fullmatch(word.raw) is not None)


def _as_for_shell(word: Word, before: Word, is_last: bool, knows_variables: bool) -> Optional[Rule]:
    if not word.is_quoted and _OPERATOR.fullmatch(word.text):
        return _SHELL
    if not word.is_quoted and _OUTPUT.fullmatch(word.text):
        return _REDIRECTED
    if word.raw == "#":
        return _COMMENT
    if not (word.is_quoted or is_last) and _ends_in(";", word):
        return _PARTED
    if knows_variables and _is_left_out(word.text):
        return _LEFT_OUT
    if word.is_quoted and _SCRIPT.fullmatch(before.text):
        return None
    bare = _QUOTES.sub(lambda found: found.group(1) or "''", word.raw).replace("$$", "")
    if word.raw == "~" or word.raw.startswith("~/") or _is_glob(bare, before):
        return _SHELL
    if knows_variables and _SUBSTITUTED.search(bare):
        return _SHELL
    return _BRACES if knows_variables and _WITHIN.search(bare) else None


def _is_glob(bare: str, before: Word) -> bool:
    """Files in folders; programs read patterns of their own, as after --exclude, or with **."""
    return bare.startswith("/") and "*" in bare and "**" not in bare and not _PATTERN.match(before.text)


def _is_left_out(text: str) -> bool:
    """All behind a $ at a word's begin is a variable's name, or all in braces; where it cannot be one, none is set."""
    if text.startswith("$("):
        return True
    if "%" in text.replace("%%", ""):
        return False  # which may become a name
    if text[:1] == "$" and text[1:2] not in ("", "{", "$"):
        return not _NAME.fullmatch(text[1:])
    return any(name is not None and not _NAME.fullmatch(name) for name in _in_braces(text))


def _in_braces(text: str) -> List[str]:
    return [found.group(1) for found in _BRACED.finditer(text) if found.group(1) is not None]


def _variables(values: Sequence[str]) -> List[str]:
    """What systemd would put in, each once."""
    found: Dict[str, None] = {}
    for command in (each for value in values for each in commands(value)):
        prefix, _program = apart(command[0].text)
        for word in command[1:] if ":" not in prefix and "|" not in prefix else ():
            whole = word.text[:1] == "$" and word.text[1:2] != "{"
            if whole and _MORE.fullmatch(word.text):
                continue
            names = [word.text[1:]] if whole else _in_braces(word.text)
            found.update((name, None) for name in names if _NAME.fullmatch(name))
    return list(found)


def _there(unit: str, view: View) -> Optional[FrozenSet[str]]:
    """The variables that a unit's processes have, or one of its instances'; None where there may be any."""
    if not view.observed.places.scope.is_of_host:
        return None
    names = {unit, *(member for each in view.desired.units if each.name.text == unit for member in each.members)}
    names.update(each.unit.text for each in view.desired.dropins if each.unit.template == unit)
    found: Set[str] = set(_OF_SYSTEMD)
    for name in names:
        own = None if view.after.fragment(name) is None else _in_text(name, view.after.effective(name), view)
        if own is None:
            return None
        found |= own
    return frozenset(found)


def _in_text(unit: str, text: Effective, view: View) -> Optional[Set[str]]:
    section = kind_of(unit).section
    if last(text, section, "PAMName"):
        return None
    found = set(words(text, section, "PassEnvironment"))
    if last(text, section, "User") or any(is_set(text, section, each) for each in _LOGS_IN):
        found |= _LOGIN
    of_secrets = _of_secrets(view)
    settings = text.get(section, {})
    for value in settings.get("EnvironmentFile", ()):
        names = of_secrets.get(re.sub(r"\\(.)", r"\1", value.lstrip("-")).replace("%%", "%"))
        if names is None:
            return None
        found |= names
    for value in settings.get("Environment", ()):
        try:
            found |= {word.text.partition("=")[0] for word in split(in_value(value, unit))}
        except ValueError:
            return None
    return found


def _of_secrets(view: View) -> Dict[str, Set[str]]:
    """The names in each of our files of secrets, by its path as units have it."""
    files = ((path, each.cover) for path, each in view.desired.files.items() if each.secret)
    inside = view.observed.places.inside
    return {inside(path): {line.partition("=")[0] for line in cover.splitlines()} for path, cover in files}
