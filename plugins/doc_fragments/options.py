# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the options that modules share, written once; module_utils/_desired/options.py has their types.

TEXT, UNIT and DROPIN also stand inside the lists that the stack module takes, which is why they are put together here.
"""

from __future__ import annotations

import textwrap

from ansible_collections.unitwright.systemd.plugins.doc_fragments import short, texts, trials


def _at(depth: int, text: str) -> str:
    return textwrap.indent(text.strip("\n"), "  " * depth)


def _filled(text: str) -> str:
    nested = {"@HEALTH@": texts.HEALTH, "@CHECKS@": texts.CHECKS, "@PROFILE@": texts.PROFILE}
    for place, options in nested.items():
        text = text.replace(place, _at(2, options))
    return text


def _options(*parts: str) -> str:
    return "options:\n" + "\n".join(_at(1, _filled(part)) for part in parts) + "\n"


def _list_of(name: str, description: str, *parts: str) -> str:
    head = f"{name}:\n  description: {description}\n  type: list\n  elements: dict\n  suboptions:\n"
    entry = "\n".join(_at(2, _filled(part)) for part in parts)
    return head + entry.replace("O(", f"O({name}[].")  # there an option goes by its whole path


_OF_COMMAND = (texts.PROCESS, texts.MEMBERS, texts.ALERT, texts.HARDENING, texts.WATCH, texts.CHANGE, texts.STATE)
_SERVICE = (*short.SERVICE, *_OF_COMMAND)
_TIMER = (*short.TIMER, *_OF_COMMAND)
_SOCKET = (*short.SOCKET, *_OF_COMMAND)
_TARGET = (*short.TARGET, texts.WATCH, texts.CHANGE, texts.STATE)


_INHERITED = "\n".join(
    _filled(text)
    for text in (
        *(short.open_section("unit"), short.open_section("service")),
        *(texts.PROCESS, texts.WATCH, texts.ALERT, texts.HARDENING),
    )
).replace("O(", "O(defaults.")


class ModuleDocFragment:
    """Fragments C(unitwright.systemd.options.unit), C(.dropin), C(.stack), and one for each short form."""

    UNIT: str = _options(*texts.UNIT, *texts.TEXT, texts.HOST)
    DROPIN: str = _options(texts.DROPIN, *texts.TEXT, texts.HOST)
    HARDENING: str = _options(texts.HARDENED, texts.PROFILE, texts.WATCH, texts.CHANGE, texts.HOST)
    SEARCHED: str = _options(trials.SEARCHED, texts.HOST)
    DRILLED: str = _options(trials.DRILLED)
    SERVICE: str = _options(*_SERVICE, texts.HOST)
    TIMER: str = _options(*_TIMER, texts.HOST)
    SOCKET: str = _options(*_SOCKET, texts.HOST)
    TARGET: str = _options(*_TARGET, texts.HOST)
    STACK: str = _options(
        texts.STACK.replace("@DEFAULTS@", _at(2, _INHERITED)),
        _list_of("services", "Services in few options, as in M(unitwright.systemd.service).", *_SERVICE, texts.WITHOUT),
        _list_of("timers", "Timers with what they start, as in M(unitwright.systemd.timer).", *_TIMER, texts.WITHOUT),
        _list_of(
            "sockets", "Sockets with what they start, as in M(unitwright.systemd.socket).", *_SOCKET, texts.WITHOUT
        ),
        _list_of("targets", "Targets with their members, as in M(unitwright.systemd.target).", *_TARGET),
        _list_of("units", "Units of any kind, section by section or as text.", *texts.UNIT, *texts.TEXT, texts.WITHOUT),
        _list_of("dropins", "Drop-ins of the stack, for units that someone else defines.", texts.DROPIN, *texts.TEXT),
        texts.HOST,
    )
