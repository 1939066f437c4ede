# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""YAML values to right-hand sides of unit files, and back where other code has to read them.

Private to the collection.
"""

from __future__ import annotations

import functools
import math
import re
from collections import abc
from decimal import Decimal
from typing import Any, Callable, List, Mapping, Optional, Sequence

from .characters import refuse_unwritable, refuse_value
from .rule import Refused, Rule, Severity, joined, shown, within
from .specifiers import names_instance
from .unitfile import adds_only
from .words import split

VALUE = Rule(
    "value",
    Severity.ERROR,
    "the value is not what was written, or no line of a unit file can hold it",
    "the message says how it is written",
    "systemd.syntax(7), and what YAML makes of a value",
)
ENVIRONMENT = Rule(
    "environment",
    Severity.ERROR,
    "that is no environment variable or credential, or its value is not what was written",
    "the message says how it is written",
    "systemd.exec(5), Environment= and LoadCredential=",
)

# Types of `systemd --dump-configuration-items` of which systemd refuses an empty assignment with a warning and
# keeps what was set before (every directive tried on 247, 252, 257 and 262); DynamicUser= is even fatal.
_NO_RESET = frozenset(
    """
    ACCESS ACTION BOOLEAN CPUSCHEDPRIO FACILITY INPUT INTEGER LEVEL LONG MODE NANOSECONDS OUTPUT POLICY SECONDS
    SERVICE SERVICEEXITTYPE SERVICERESTART SERVICERESTARTMODE SERVICETYPE SIGNAL SIZE SLICE SOCKETBIND
    TIMEOUTMODE UNIT UNSIGNED
    """.split()
)
# Types that know no yes and no, so that a YAML truth value is a word or a number that lost its spelling.
_NO_TRUTH = frozenset(
    """
    ENVIRON FILE INTEGER LABEL LONG MODE NANOSECONDS NODE SECONDS SERVICE SIGNAL SIZE SLICE STRING TIMER UNIT
    UNSIGNED URL
    """.split()
)
# The same by name, where the dump only says OTHER.
_NAMES_NO_TRUTH = frozenset(
    """
    User Group SupplementaryGroups SocketUser SocketGroup WorkingDirectory RootDirectory BusName
    """.split()
)
# Shares that no version takes without a percent sign (systemd.resource-control(5)).
_IN_PERCENT = frozenset(("CPUQuota", "ManagedOOMMemoryPressureLimit"))
# The one key of a mapping that the controller sends in the place of a value of which YAML has made another text than
# was written: what was written, and what YAML has made of it (plugins/plugin_utils/_written.py).
WRITTEN = "unitwright as written"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ISO_TIME = re.compile(r"(?<=\d{4}-\d\d-\d\d)T(?=\d)")


def called(value: object) -> str:
    """What YAML calls a value; Ansible hands on types of its own, whose names nobody has written."""
    if value is None:
        return "null"
    for types, words in ((bool, "a truth value"), (str, "text"), ((int, float), "a number"), (Mapping, "a mapping")):
        if isinstance(value, types):
            return words
    return "a list" if isinstance(value, (list, tuple)) else f"of the type {type(value).__name__}"


def to_values(value: object, kind: Optional[str], directive: str = "") -> List[str]:
    """The right-hand sides that one YAML value stands for: a list is the directive repeated, "" a reset.

    `kind` is the directive's type in the dump of systemd's configuration items, None where it is unknown; then
    only what is right for no type is refused. A mapping is for Environment= alone. Raises Refused for a value whose
    spelling YAML lost (0077, 12:30, 1.10), for null, for other mappings and nested lists, and for text that no line of
    a unit file can hold.
    """
    if directive == "Environment" and isinstance(value, Mapping):
        pairs = {str(name): text for name, text in value.items()}
        return [_placed(name, functools.partial(environment_value, name), text) for name, text in pairs.items()]
    if isinstance(value, (list, tuple)):
        made = functools.partial(_to_value, kind=kind, directive=directive)
        return [_placed(f"[{number}]", made, item) for number, item in enumerate(value)]
    return [_to_value(value, kind, directive)]


def _placed(step: str, made: Callable[[Any], str], given: Any) -> str:
    """The same as `within`, at a fraction of its cost: every value of every unit comes by here."""
    try:
        return made(given)
    except Refused as refused:
        refused.path = joined(step, refused.path)
        raise


# Lists in one value (systemd.mount(5), systemd.swap(5)).
_WITH_COMMAS = frozenset(("Options",))
_IN_PLACE_OF_MAPPING = {
    "Options": "one text with commas between, such as 'size=1G,mode=0755'",
    "Environment": "one mapping of all variables in the place of the list",
}


def refuse_list(items: Sequence[object], section: str, directive: str, holds_one: bool) -> None:
    """Raise Refused for a list of which systemd would not make what it says.

    That is an empty one, unless nothing else could be meant by it than to leave the directive out; and one of values
    that differ for a directive that holds one.
    """
    if holds_one and len({str(item) for item in items if item != ""}) > 1:
        last = shown(items[-1]) if isinstance(items[-1], str) and items[-1] else "the one that is meant"
        every = shown(",".join(map(str, items)))
        mend = f"{every}, with commas between" if directive in _WITH_COMMAS else f"{last} alone"
        raise Refused(
            f"it holds one value, and of a list, which is the directive repeated, only the last counts: write {mend}"
        )
    if not items and not adds_only(section, directive):
        raise Refused(
            "the list is empty, so no line would be written and what is set elsewhere would stay: leave the directive "
            'out, or write "" to reset it'
        )


def is_changed(value: object) -> bool:
    """Is it a mark for what the controller has seen YAML change?"""
    # typing's Mapping takes three times as long to ask.
    return isinstance(value, abc.Mapping) and WRITTEN in value


def changed(value: Any, is_taken: bool = True) -> str:
    """What such a mark comes to, in words. is_taken: it would be taken as YAML made it."""
    written, made = value[WRITTEN]
    if made in ("True", "False"):
        return f"YAML made {made} of {written or 'it (a word such as yes, no, on, off)'}: quote it"
    return f"YAML made {made} of {written}: quote it" + (f", or write {made} if that is meant" if is_taken else "")


def refuse_changed(value: Any, take: Callable[[float], object]) -> None:
    """Raise Refused for what the controller has seen YAML change. take: what is done with a number there."""
    if is_changed(value):
        raise Refused(changed(value, _is_taken(value[WRITTEN][1], take)))


def _is_taken(made: str, take: Callable[[float], object]) -> bool:
    try:
        take(int(made) if made.lstrip("-").isdigit() else float(made))
    except Refused:
        return False
    except ValueError:  # it is no number
        return True
    return True


def _to_value(value: object, kind: Optional[str], directive: str) -> str:
    if isinstance(value, str):  # as nearly all are
        return _from_text(str(value), kind, directive)
    refuse_changed(value, functools.partial(_to_value, kind=kind, directive=directive))
    if value is None:
        raise Refused('the value is null: leave it out, write "" to reset it, or quote "null" where the word is meant')
    if isinstance(value, bool):
        lost = kind in _NO_TRUTH or directive in _NAMES_NO_TRUTH
        if lost or (kind or "").startswith(("PATH", "UNIT", "SOCKET ")):
            raise Refused("YAML made a truth value of it (yes, no, on, off, true, false): quote it")
        return "yes" if value else "no"
    if isinstance(value, int):
        return _from_int(value, kind, directive)
    if isinstance(value, float):
        return _from_float(value, kind, directive)
    if isinstance(value, (list, tuple)):
        raise Refused("a list inside a list: write one list")
    if isinstance(value, Mapping):
        raise Refused(
            f"a mapping is not a value: write {_IN_PLACE_OF_MAPPING.get(directive, 'text, or a list of texts')}"
        )
    raise Refused(f"the value is {called(value)}: write text")


@functools.lru_cache(maxsize=None)
def _from_text(value: str, kind: Optional[str], directive: str) -> str:
    """The units of a stack have most of their values in common."""
    if not value and kind in _NO_RESET:
        raise Refused(
            "systemd does not take this empty, and would keep the earlier value: write the value it shall have"
        )
    if value.endswith("\n") and "\n" not in value[:-1]:
        raise Refused("the value ends with a line break: in YAML, start its block with '>-' or '|-'")
    if "\n" in value.strip() and directive.startswith("Exec"):
        raise Refused(
            "a command is one line, and this has several: in YAML, start its block with '>-' and indent all its lines "
            "alike, with no backslash at their ends, or give a script to /bin/sh -c or into a file of its own"
        )
    refuse_value(value, "the value")
    # YAML reads a date with a time and hands it on with a T, which OnCalendar= of 252 does not know.
    return _ISO_TIME.sub(" ", value) if kind == "TIMER" or directive == "OnCalendar" else value


def _from_int(value: int, kind: Optional[str], directive: str) -> str:
    if directive in _IN_PERCENT and value:
        raise Refused(f'it is in percent: write "{value}%", or "{value * 100}%" if the whole {value} times is meant')
    if kind == "MODE" or directive == "UMask" or directive.endswith("Mode"):
        raise Refused(
            f"YAML reads octal as a number (0077 becomes 63), so {value} may not be what was written: quote it"
        )
    if directive == "OnCalendar":
        raise Refused(f"YAML reads 12:30 as the number 750, so {value} may not be what was written: quote it")
    return str(value)


def _from_float(value: float, kind: Optional[str], directive: str) -> str:
    if not math.isfinite(value):
        raise Refused("not a finite number: quote it, for no limit as 'infinity'")
    if directive in _IN_PERCENT:
        raise Refused(f'it is in percent: write "{format((Decimal(repr(value)) * 100).normalize(), "f")}%"')
    seconds = kind in ("SECONDS", "TIMER") or directive.endswith("Sec")
    if not seconds or directive == "OnCalendar":
        raise Refused(f"YAML rounds numbers (1.10 becomes 1.1), so {value} may not be what was written: quote it")
    # Not str(): a span has no exponent.
    text = format(Decimal(repr(value)), "f")
    return text[:-2] if text.endswith(".0") else text


def environment_value(name: object, value: object) -> str:
    """One assignment for Environment= that gives `name` exactly `value`.

    systemd undoes quotes and C escapes, then specifiers (systemd.exec(5)), so % is doubled; $ is literal there.
    A null is refused, and so is what YAML may have changed: a truth value, a number that it rounds.
    """
    key = _variable(name)
    text = _scalar(value, key).replace("%", "%%")
    if not re.search(r"[\s\"'\\]", text) and text.isprintable():
        return f"{key}={text}"
    return f'"{key}=' + "".join(_c_escape(char) for char in text) + '"'


def _c_escape(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if char == "\n":
        return "\\n"
    if char < " " or "\x7f" <= char < "\xa0":
        return f"\\u{ord(char):04x}"
    return char


def command_line(words: Sequence[object], is_template: bool) -> str:
    """A command for ExecStart= whose program gets exactly these words (systemd.service(5), Command lines).

    Raises Refused for words that YAML may have changed, and in a template for what looks like a specifier of its
    instances, which would reach the program as it is.
    """
    if not words:
        raise Refused("the list is empty: it begins with the program")
    for position, word in enumerate(words):
        with within(f"[{position}]"):
            refuse_changed(word, functools.partial(_argument, is_program=False, is_template=False))
    if len(words) == 1 and isinstance(words[0], str) and re.search(r"\S\s+\S", words[0]):
        raise Refused(
            f"it is a list of words, the program the first: write exec_start for the one line {shown(str(words[0]))}"
        )
    line = []
    for position, word in enumerate(words):
        line.append(
            _placed(
                f"[{position}]", functools.partial(_argument, is_program=not position, is_template=is_template), word
            )
        )
    return " ".join(line)


def _argument(word: object, is_program: bool, is_template: bool) -> str:
    if isinstance(word, (list, tuple, Mapping)):
        raise Refused(f"a word of it is {called(word)}: write text")
    if not isinstance(word, (str, int)) or isinstance(word, bool):
        raise Refused(f"YAML made {word!r} of a word (1.10 becomes 1.1, yes is True): quote it")
    text = str(word)
    if is_template and names_instance(text):
        raise Refused(f"each word is literal, so {shown(text)} would not be filled: use exec_start for specifiers")
    if "\0" in text:
        raise Refused("a word contains a NUL character, which no command line can hold")
    refuse_unwritable("".join(char for char in text if ord(char) > 0x9F), "a word")
    text = text.replace("%", "%%")
    # The program itself is never looked up in the environment.
    return _word(text if is_program else text.replace("$", "$$"))


def _word(text: str) -> str:
    if re.fullmatch(r"[^\s\"'\\;]+", text) and text.isprintable():
        return text
    return '"' + "".join(_c_escape(char) for char in text) + '"'


def environment_file(items: Mapping[str, object]) -> str:
    """The content of an EnvironmentFile= that gives each name exactly its value.

    Numbers are refused besides what is refused above: 0123 comes from YAML as 83, and no diff would show it.

    Inside double quotes such a file is literal, line breaks included, but for a backslash before one of "\\`$
    (systemd's SHELL_NEED_ESCAPE); neither $ nor % is expanded.
    """
    lines = []
    for number, (name, value) in enumerate(items.items(), 1):
        if isinstance(name, str) and not _NAME.fullmatch(name):
            # Which it is stays unsaid: the value itself may have slipped into it.
            raise Refused(
                f"name {number} in secrets cannot name an environment variable: letters, digits and '_', no digit "
                "first, and the value apart from it (TOKEN: value)"
            )
        lines.append(_placed(str(name), functools.partial(_line_of_file, _variable(name)), value))
    return "".join(lines)


def _line_of_file(name: str, value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        raise Refused(
            f"the secret {name} is a number, which YAML may have changed, as it does a zero in front: quote it"
        )
    return f'{name}="' + re.sub(r'(["\\`$])', r"\\\1", _scalar(value, name)) + '"\n'


def _variable(name: object) -> str:
    if not isinstance(name, str):
        raise Refused(f"the environment variable's name {name!r} is not text: quote it")
    if not _NAME.fullmatch(name):
        raise Refused(f"{shown(name)} cannot name an environment variable: letters, digits and '_', no digit first")
    return name


def variables(value: str) -> List[str]:
    """The names that one value of Environment= gives variables; none where its quotes do not match."""
    try:
        return [word.text.partition("=")[0] for word in split(value) if "=" in word.text]
    except ValueError:
        return []


def _scalar(value: Any, name: str) -> str:
    if is_changed(value):
        told = changed(value, _is_taken(value[WRITTEN][1], functools.partial(_scalar, name=name)))
        raise Refused(f"environment variable {name}: {told}")
    if isinstance(value, bool):
        raise Refused(
            f"environment variable {name} is a truth value to YAML (yes, on, False): quote the word that is meant"
        )
    if isinstance(value, int):
        return str(value)
    if value is None:
        raise Refused(f'environment variable {name} is null: leave it out, or write "" for an empty one')
    if isinstance(value, float):
        raise Refused(
            f"environment variable {name} is a number that YAML may have rounded (1.10 becomes 1.1): quote it"
        )
    if not isinstance(value, str):
        raise Refused(f"environment variable {name} is {called(value)}: write text")
    if "\0" in value:
        raise Refused(f"environment variable {name} contains a NUL character, which no environment can hold")
    # Only the printing characters are systemd's to judge here: the others are escaped or stand in quotes.
    refuse_unwritable("".join(char for char in value if ord(char) > 0x9F), f"environment variable {name}")
    return str(value)
