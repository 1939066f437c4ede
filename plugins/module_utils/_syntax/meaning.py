# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a merged text says of its unit, without a look at any host. Private to the collection."""

from __future__ import annotations

from typing import List, Optional

from .unitfile import Effective

# systemd.timer(5): times that come again after the one boot or start that they count from.
_RECURRING = ("OnCalendar", "OnActiveSec", "OnUnitActiveSec", "OnUnitInactiveSec")

# systemd.unit(5): conditions that hold only where something is at a path.
_OF_PATHS = (
    *("ConditionPathExists", "ConditionPathIsDirectory", "ConditionPathIsMountPoint", "ConditionPathIsReadWrite"),
    *("ConditionDirectoryNotEmpty", "ConditionFileNotEmpty", "ConditionFileIsExecutable"),
)
# The spellings of a boolean, in any case (parse_boolean()).
_TRUTHS = {
    **dict.fromkeys(("1", "yes", "y", "true", "t", "on"), True),
    **dict.fromkeys(("0", "no", "n", "false", "f", "off"), False),
}


def last(text: Effective, section: str, directive: str) -> str:
    """The value in force of a directive that takes one value, "" if it is not set."""
    values = text.get(section, {}).get(directive, [])
    return values[-1] if values else ""


def words(text: Effective, section: str, directive: str) -> List[str]:
    """All words of a directive that takes a list of units (After=, Wants= ...)."""
    return [word for value in text.get(section, {}).get(directive, []) for word in value.split()]


def required_paths(text: Effective) -> List[str]:
    """Where nothing is at these a unit is not started, by conditions of its own, which is no failure (systemd.unit(5)).

    One with "|" is met by another one too, and "!" says the opposite.
    """
    said = text.get("Unit", {})
    return [value for name in _OF_PATHS for value in said.get(name, []) if not value.startswith(("|", "!"))]


def truth(value: str) -> Optional[bool]:
    """systemd.syntax(7): what the spelling of a boolean means; None for what is none."""
    return _TRUTHS.get(value.lower())


def is_true(value: str) -> bool:
    return truth(value) is True


def is_on(value: str) -> bool:
    """Of a directive that knows more than yes and no: is anything but no said?"""
    return value != "" and truth(value) is not False


def is_set(text: Effective, section: str, directive: str) -> bool:
    return is_true(last(text, section, directive))


def refuses_start(text: Effective) -> bool:
    """systemd.unit(5): such a unit is started by others alone, never by name."""
    return is_set(text, "Unit", "RefuseManualStart")


def stops_unneeded(text: Effective) -> bool:
    """systemd.unit(5): such a unit is up for as long as others need it, and systemd stops it then."""
    return is_set(text, "Unit", "StopWhenUnneeded")


def is_early(text: Effective) -> bool:
    """systemd.unit(5): is it without the dependencies by which others come after the basic system?"""
    return truth(last(text, "Unit", "DefaultDependencies")) is False


def is_run_once(text: Effective) -> bool:
    """Type=oneshot without RemainAfterExit=: runs, ends, and holds no state (systemd.service(5))."""
    return last(text, "Service", "Type") == "oneshot" and not is_set(text, "Service", "RemainAfterExit")


def can_reload(text: Effective) -> bool:
    return bool(last(text, "Service", "ExecReload")) or last(text, "Service", "Type") == "notify-reload"


def recurs(text: Effective) -> bool:
    """Has a timer other times than those after a boot? A new start would run what it starts for that boot again."""
    return any(text.get("Timer", {}).get(each) for each in _RECURRING)


def goes_at_its_end(text: Effective) -> bool:
    """Is a timer down once its times are over (systemd.timer(5), RemainAfterElapse=)?"""
    return truth(last(text, "Timer", "RemainAfterElapse")) is False
