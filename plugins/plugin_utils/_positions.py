# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where in a user's YAML an option of a task was written: file, line and column.

Private to the collection. Only the controller knows: what is sent to a host is bare values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_NOTHING = object()
_OPTION = re.compile(r"(?P<line>.*) \((?P<path>[^\s().\[\]]+[^\s()]*)\)", re.DOTALL)
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def position(args: Mapping[str, Any], path: str) -> str:
    """FILE:LINE:COLUMN of an option such as units[3].service.ExecStart, or of the nearest around it; "" if unknown."""
    found, value = _place(args), args
    for name, number in _STEP.findall(path):
        key, inner = _inner(value, name, number)
        if inner is _NOTHING:
            break
        # A truth value and null carry nothing, but the key before them does.
        found, value = _place(inner) or _place(key) or found, inner
    return found


def _inner(value: Any, name: str, number: str) -> tuple[Any, Any]:
    """The key and what is under it, both as they were written; None and nothing where there is no such."""
    if number and isinstance(value, Sequence) and not isinstance(value, str) and int(number) < len(value):
        return None, value[int(number)]
    if name and isinstance(value, Mapping):
        return next(((key, inner) for key, inner in value.items() if key == name), (None, _NOTHING))
    return None, _NOTHING


def origin(value: Any) -> Any:
    """What ansible-core knows of where a value was written: path, line_num and col_num; None if it was in no file."""
    # From ansible-core 2.19 on values carry it, also through templates, variables and roles. There is no public way to
    # ask for it (as of 2.21): where it is not, or is something else one day, all is done without.
    try:
        from ansible._internal._datatag._tags import Origin  # noqa: PLC0415 (may be missing)

        found = Origin.get_tag(value)
        return found if found is not None and found.path else None
    except (ImportError, AttributeError, TypeError):
        return None


def _place(value: Any) -> str:
    found = origin(value)
    return ":".join(str(each) for each in (found.path, found.line_num, found.col_num) if each) if found else ""


def with_positions(result: Mapping[str, Any], args: Mapping[str, Any]) -> dict[str, Any]:
    """A module's result in which all that is said of an option has its position, also in messages and warnings."""
    told: dict[str, Any] = {
        key: _placed(result[key], args) for key in ("errors", "unverified") if isinstance(result.get(key), list)
    }
    lines = str(result.get("msg", "")).split("\n")
    errors = told.get("errors", [])
    if len(lines) == len(errors):
        told["msg"] = "\n".join(_at(line, error) for line, error in zip(lines, errors, strict=True))
        told.update(_of_failure(result, told["msg"]))
    if isinstance(result.get("warnings"), list):
        told["warnings"] = [_of_warning(each, args) for each in result["warnings"]]
    return {**result, **told}


def _of_failure(result: Mapping[str, Any], msg: str) -> dict[str, Any]:
    """What makes Ansible's own line of a failure say `msg` too."""
    # ansible-core 2.19 to 2.21 takes that line from what it has made of the module's message already, and makes it of
    # `msg` where there is no more than a traceback, which was all that `exception` could be until then.
    made = getattr(result.get("exception"), "event", None)
    is_outdated = getattr(made, "msg", None) == result["msg"] != msg
    return {"exception": getattr(made, "formatted_traceback", None)} if is_outdated else {}


def _placed(entries: Sequence[Any], args: Mapping[str, Any]) -> list[Any]:
    placed = []
    for entry in entries:
        where = position(args, entry["path"]) if isinstance(entry, Mapping) and "path" in entry else ""
        also = {"also": _placed(entry["also"], args)} if where and isinstance(entry.get("also"), list) else {}
        placed.append({**entry, **also, "position": where} if where else entry)
    return placed


def _at(line: str, error: Any) -> str:
    where = error.get("position") if isinstance(error, Mapping) else ""
    if not where:
        return line
    # What is about an option itself begins with its path, maybe after a unit; else the line may tell it at the end.
    before, option, message = line.partition(f"{error['path']}: ")
    if option and error["path"] and (not before or before.endswith(": ")):
        return f"{before}{error['path']}, at {where}: {message}"
    every = [each.get("position", "") for each in error.get("also", ())]
    return f"{line}, at {' and '.join([*filter(None, every), where])}"


def _of_warning(warning: Any, args: Mapping[str, Any]) -> Any:
    """A warning that ends with the path of an option, as the modules tell it."""
    # ansible-core 2.19 to 2.21 has a type of its own for it, and takes text in its place.
    text = warning if isinstance(warning, str) else getattr(getattr(warning, "event", None), "msg", None)
    found = _OPTION.fullmatch(text) if isinstance(text, str) else None
    if found is None or _STEP.findall(found["path"])[0][0] not in args:
        return warning
    where = position(args, found["path"])
    # That of a module of one unit is not one of several alike.
    line = text if "[" in found["path"] else found["line"]
    return f"{line}, at {where}" if where else line
