# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which values of a directive are the same in other words, by its type in the dump of systemd's configuration items.

Where a type is not known, or a value is not plainly of it, only the same words are the same: to take two values for one
would leave a process with the older one. Private to the collection.
"""

from __future__ import annotations

import re
from typing import Callable, Dict, List, Mapping, Optional, Sequence

from .meaning import truth
from .spans import microseconds
from .words import COMMANDS, split

# Numbers in octal (systemd.exec(5), systemd.socket(5)).
_MODE = re.compile(r"UMask|\w*(?:Directory|Socket)Mode")
# What may be a boolean and knows more than that: of these the dump says no more than OTHER, from some version on.
MAYBE_TRUTH = frozenset(
    """
    BindLogSockets Delegate MemoryKSM MountAPIVFS PrivateBPF PrivateMounts PrivatePIDs PrivateTmp PrivateUsers
    ProtectControlGroups ProtectHome ProtectHostname ProtectSystem RestrictNamespaces RuntimeDirectoryPreserve
    """.split()
)
# Limits in bytes; the others are counts, times and priorities.
_IN_BYTES = re.compile(
    r"Limit(?:FSIZE|DATA|STACK|CORE|RSS|AS|MEMLOCK|MSGQUEUE)"
    r"|(?:Default|Startup|DefaultStartup)?Memory(?:Min|Low|High|Max|SwapMax|ZSwapMax|Limit)"
)
_SIZE = re.compile(r"([0-9]+)([BKMGTPE]?)")
_MOST = 2**64 - 1
# Lists that lines add to, word by word.
_LISTS = frozenset(("UNIT [...]", "PATH [...]", "PATH[:PATH[:OPTIONS]] [...]", "ARCHS"))
# The same, where a ~ before the first word is for all of its line.
_FILTERS = frozenset(("SYSCALLS", "BOUNDINGSET", "FAMILIES"))


def plain(directive: str, values: Sequence[str], kind: Optional[str] = None) -> List[str]:
    """What values of a directive come to, whichever way they are written. kind: its type, None where it is not known.

    Of commands the blanks between words do not count, of modes no zeros in front, and of variables neither order nor
    line nor quotes in which they are set; of other lists not the line.
    """
    if _MODE.fullmatch(directive):
        return [value.lstrip("0") or value[:1] for value in values]
    try:
        if directive in COMMANDS:
            return [" ".join(word.raw for word in split(value)) for value in values]
        if directive == "Environment":
            return _variables(values)
    except ValueError:  # a quote is not closed, of which verify complains
        return list(values)
    if kind in _LISTS or kind in _FILTERS:
        return _in_one_line(values)
    one = _of_one(directive, kind)
    return [one(value) for value in values] if one else list(values)


def _of_one(directive: str, kind: Optional[str]) -> Optional[Callable[[str], str]]:
    """What makes values the same that mean the same, one by one."""
    if kind is None:
        return None
    if directive in MAYBE_TRUTH:
        return _boolean
    if kind == "LIMIT":
        return _limit_in_bytes if _IN_BYTES.fullmatch(directive) else _limit
    return _BY_TYPE.get(kind)


def _variables(values: Sequence[str]) -> List[str]:
    kept = [number for number, value in enumerate(values) if not value]
    found: Dict[str, str] = {}
    for value in values[kept[-1] if kept else 0 :]:
        for word in split(value):
            name, sign, text = word.text.partition("=")
            if sign:
                found[name] = text
    return [*([""] if kept else []), *(f"{name}={found[name]}" for name in sorted(found))]


def _in_one_line(values: Sequence[str]) -> List[str]:
    """As one line, if no word but blanks is between two of them, all say the same of theirs, and nothing is taken back.

    Of a filter the first line says whether it allows or denies.
    """
    inverted = {value.startswith("~") for value in values}
    if len(inverted) != 1 or not all(values) or any(re.search(r"[\"'\\]", each) or each in _ALONE for each in values):
        return list(values)
    sign = "~" if True in inverted else ""
    words = [word for value in values for word in value[len(sign) :].split()]
    return [sign + " ".join(words)]


# Words that are no member of a list but say all of it, or nothing.
_ALONE = ("none", "~")


def _boolean(value: str) -> str:
    means = truth(value)
    return value if means is None else "yes" if means else "no"


def _span(value: str) -> str:
    exact = microseconds(value)
    return value if exact is None else f"{exact}us"


def _size(value: str) -> str:
    match = _SIZE.fullmatch(value)
    size = int(match.group(1)) << 10 * "BKMGTPE".index(match.group(2) or "B") if match else _MOST
    return str(size) if size < _MOST else value


def _limit_in_bytes(value: str) -> str:
    return _limit(":".join(map(_size, value.split(":"))))


def _limit(value: str) -> str:
    """The soft and the hard one, which one stands for both of."""
    soft, _colon, hard = value.partition(":")
    return soft if soft == hard else value


def _simplified(path: str) -> str:
    """As systemd keeps it (path_simplify())."""
    if not path.startswith("/"):
        return path
    return "/" + "/".join(part for part in path.split("/") if part not in ("", "."))


_BY_TYPE: Mapping[str, Callable[[str], str]] = {
    "BOOLEAN": _boolean,
    "PATH": _simplified,
    "SECONDS": _span,
    "SIZE": _size,
}
