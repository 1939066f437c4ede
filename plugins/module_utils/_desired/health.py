# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The `health` option: what a unit has to prove, judged before anything is done. Pure.

Private to the collection.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Dict, Mapping, Optional, Tuple
from urllib.parse import urlsplit

from .._syntax.characters import to_utf8
from .._syntax.rule import Refused, Rule, Severity, shown

HEALTH = Rule(
    "health",
    Severity.ERROR,
    "a check of that kind could never pass, or never end",
    "the message says what it takes",
    "the option health",
)
STABLE_FOR = 5.0
TIMEOUT = 60.0
_MOST_PORTS = 65535


@dataclass(frozen=True)
class Health:
    """How a unit proves itself: seconds it must stay up, seconds it may take, and checks from outside."""

    stable_for: float = STABLE_FOR
    timeout: float = TIMEOUT
    tcp: str = ""
    unix: str = ""
    http: str = ""
    command: Tuple[str, ...] = ()


def health(given: Optional[Mapping[str, Any]], defaults: Mapping[str, Any]) -> Health:
    """An entry's checks over the stack's. Raises Refused for one that could never pass, or never end."""
    options = {**defaults, **{key: value for key, value in (given or {}).items() if value is not None}}
    chosen: Dict[str, Any] = {key: value for key, value in options.items() if value is not None}
    if "command" in chosen:
        chosen["command"] = tuple(chosen["command"])
    checks = Health(**chosen)
    if not (math.isfinite(checks.stable_for) and checks.stable_for >= 0):
        raise Refused("health: stable_for is a number of seconds and cannot be negative")
    if not (math.isfinite(checks.timeout) and checks.timeout > 0):
        raise Refused("health: timeout is a number of seconds, more than 0")
    for option, texts in (
        ("tcp", [checks.tcp]),
        ("unix", [checks.unix]),
        ("http", [checks.http]),
        ("command", checks.command),
    ):
        if not all(_plain(text) for text in texts):
            raise Refused(f"health: {option} contains a control character: take it out")
        to_utf8("".join(texts), f"health: {option}")
    if checks.tcp and not _is_address(checks.tcp):
        raise Refused(f"health: tcp is HOST:PORT, not {shown(checks.tcp)}")
    if checks.http and not _is_url(checks.http):
        raise Refused(f"health: http is a URL that starts with http:// or https://, not {shown(checks.http)}")
    if not all(checks.command[:1]):
        raise Refused("health: command is empty: name a program")
    return checks


def _plain(text: str) -> bool:
    return not any(char < " " or char == "\x7f" for char in text)


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and 0 < int(text) <= _MOST_PORTS


def _is_address(text: str) -> bool:
    host, colon, port = text.rpartition(":")
    return bool(colon) and _is_port(port) and _is_host(host)


def _is_host(host: str) -> bool:
    """No label may be longer than 63, or a look-up is not even begun."""
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return " " not in host


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(host) and _is_host(host or "") and port != 0
