# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The options that modules share, written once; doc fragments of the same names document them.

Private to the collection.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping, Sequence

from .._advice.levels import PROFILES
from .._host.health import CHECK_OPTIONS
from .._host.scopes import DEFAULT_SCOPE, SCOPES
from .._syntax.kinds import KINDS
from . import short
from .health import SECONDS

Spec = Dict[str, Any]

SECTION_OPTIONS = ("unit", *(kind.name for kind in KINDS.values() if kind.is_option), "install")
STATES = ("started", "stopped", "restarted", "reloaded", "present", "absent")
HIDDEN_OPTIONS = ("secrets", "credentials")
# What makes a text, or a part of one, without being a section.
TEXT_OPTIONS = ("environment", *HIDDEN_OPTIONS, "triggers")
# The key of an entry for what its instances have of their own, by their names.
OF_INSTANCES = "of_instances"
# Those in which a unit is declared to run.
RUNNING = ("started", "restarted", "reloaded")


def health() -> Spec:
    seconds = {option: {"type": "float"} for option in SECONDS}
    return {**seconds, **{option: dict(spec) for option, spec in CHECK_OPTIONS.items()}}


def text() -> Spec:
    """What is in a unit file or a drop-in, and what it is restarted for."""
    return {
        **_sections(*SECTION_OPTIONS),
        "content": {"type": "str"},
        **_process(),
        **_watch(),
        **_change(),
    }


def _sections(*sections: str) -> Spec:
    return {section: {"type": "dict"} for section in sections}


def _process() -> Spec:
    """What a process has besides its directives."""
    return {
        "environment": {"type": "dict"},
        # Mappings, which render.py holds them to: Ansible makes a mapping of text before it notes what it has to hide.
        **{option: {"type": "raw", "no_log": True} for option in HIDDEN_OPTIONS},
        "triggers": {
            "type": "dict",
            "options": {
                "files": {"type": "list", "elements": "path"},
                "values": {"type": "list", "elements": "raw"},
                "environment_files": {"type": "bool"},
            },
        },
    }


def _watch() -> Spec:
    return {"health": {"type": "dict", "options": health()}}


def hardening() -> Spec:
    return {
        "profile": {"type": "str", "choices": list(PROFILES)},
        "allow": {"type": "list", "elements": "raw"},
        "read_write_paths": {"type": "list", "elements": "raw"},
        "max_exposure": {"type": "float"},
    }


def _hardening() -> Spec:
    return {"hardening": {"type": "dict", "options": hardening()}}


def _change() -> Spec:
    return {
        "on_change": {"type": "str", "choices": ["restart", "reload", "none"]},
        "replace": {"type": "bool", "default": False},
    }


def _state() -> Spec:
    return {
        "enabled": {"type": "bool"},
        "state": {"type": "str", "choices": list(STATES)},
        "masked": {"type": "bool"},
    }


def _members() -> Spec:
    return {
        "instances": {"type": "list", "elements": "raw"},
        "run": {"type": "str", "choices": ["on_change"]},
        "alert": {"type": "raw"},
    }


def _name() -> Spec:
    return {"name": {"type": "str", "required": True}}


def unit() -> Spec:
    return {**_name(), **text(), **_members(), **_hardening(), **_state()}


def _command() -> Spec:
    """What a service is in few words, besides the options that stand for one directive each."""
    return {
        "argv": {"type": "list", "elements": "raw"},
        "depends_on": {"type": "list", "elements": "raw"},
        **_process(),
        **_members(),
        **_hardening(),
    }


def service() -> Spec:
    return {
        **_name(),
        **short.spec("service"),
        **_command(),
        **_sections("unit", "service", "install"),
        **_watch(),
        **_change(),
        **_state(),
    }


def timer() -> Spec:
    return {
        **_name(),
        **short.spec("timer"),
        "cron": {"type": "str"},
        "timezone": {"type": "str"},
        **_command(),
        # A mapping is a section as everywhere, and text names a unit as Unit= of systemd.timer(5) does.
        "unit": {"type": "raw"},
        **_sections("timer", "service", "install"),
        **_watch(),
        **_change(),
        **_state(),
    }


def socket() -> Spec:
    return {
        **_name(),
        **short.spec("socket"),
        **_command(),
        **_sections("unit", "socket", "service", "install"),
        **_watch(),
        **_change(),
        **_state(),
    }


def target() -> Spec:
    return {
        **_name(),
        **short.spec("target"),
        "members": {"type": "list", "elements": "str"},
        "depends_on": {"type": "list", "elements": "raw"},
        **_sections("unit", "install"),
        **_watch(),
        **_change(),
        **_state(),
    }


def instance() -> Spec:
    """What an instance of a template may have of its own."""
    return {
        "name": {"type": "raw", "required": True},
        **_process(),
        **_watch(),
        "enabled": {"type": "bool"},
        "state": {"type": "str", "choices": [state for state in STATES if state != "absent"]},
    }


# What a drill can do to a unit; the last is for timers, the others for services.
FAULTS = ("kill", "segv", "hang", "crash_loop", "child", "oom", "dependency", "socket", "downtime")
# What a stack may say once for all of its services.
INHERITED = ("unit", "service", *TEXT_OPTIONS, "health", "alert", "hardening")


def defaults() -> Spec:
    every = {**_sections("unit", "service"), **_process(), **_watch(), **_members(), **_hardening()}
    return {option: every[option] for option in INHERITED}


def without() -> Spec:
    return {"without": {"type": "list", "elements": "str", "choices": list(INHERITED)}}


FORMS = {"services": service, "timers": timer, "sockets": socket, "targets": target}
# Options of a stack that are lists of entries.
LISTS = ("units", *FORMS, "dropins")
# Those that stand for units and drop-ins.
EXPANDED = (*FORMS, "defaults", "alerts")


def dropin() -> Spec:
    return {
        **_name(),
        "dropin": {"type": "str", "required": True},
        **text(),
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }


def hardened() -> Spec:
    """The hardening of one service by a module of its own."""
    return {
        **_name(),
        **hardening(),
        **_watch(),
        **_change(),
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }


def searched() -> Spec:
    """A search for the strictest set that one service can live with."""
    asked = hardening()
    return {
        **_name(),
        "probe": {"type": "list", "elements": "raw"},
        **{option: each for option, each in _watch().items() if option == "health"},
        "allow": asked["allow"],
        "read_write_paths": asked["read_write_paths"],
        "accept_unexercised": {"type": "bool", "default": False},
        "time_limit": {"type": "int", "default": 1800},
    }


def host() -> Spec:
    """Where and how a change is made."""
    return {
        "scope": {"type": "str", "choices": list(SCOPES), "default": DEFAULT_SCOPE},
        "root": {"type": "path"},
        "on_failure": {"type": "str", "choices": ["rollback", "keep"], "default": "rollback"},
    }


def info() -> Spec:
    """Of which units what is told; with all options of `host`, as defaults of the action group go to every module."""
    return {
        "names": {"type": "list", "elements": "str", "aliases": ["name"]},
        "types": {"type": "list", "elements": "str", "choices": list(KINDS)},
        "settings": {"type": "bool", "default": True},
        "properties": {"type": "list", "elements": "str"},
        **host(),
    }


def drill() -> Spec:
    """What of which unit is tried, and what that may hurt."""
    return {
        **_name(),
        "may_hurt": {"type": "list", "elements": "str", "required": True},
        "faults": {"type": "list", "elements": "str", "choices": list(FAULTS)},
        "rounds": {"type": "int", "default": 1},
        "max_recovery": {"type": "float"},
        **_watch(),
        **host(),
    }


def entry(form: str) -> Spec:
    """The options of a short form as those of an entry of a stack."""
    options = FORMS[form]()
    has_program = "argv" in options  # so that it takes what the stack says for all of them
    return {**options, **(without() if has_program else {})}


def stack() -> Spec:
    return {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "stopped", "restarted", "absent"], "default": "present"},
        "defaults": {"type": "dict", "options": defaults()},
        "alerts": {"type": "dict"},
        **{entries: {"type": "list", "elements": "dict", "options": entry(entries)} for entries in FORMS},
        "units": {"type": "list", "elements": "dict", "options": {**unit(), **without()}},
        "dropins": {"type": "list", "elements": "dict", "options": dropin()},
        "prune": {"type": "bool", "default": False},
        "max_removed": {"type": "int"},
        "adopt": {"type": "list", "elements": "str"},
        "health": {"type": "dict", "options": {option: health()[option] for option in SECONDS}},
        **host(),
    }


def narrowed(spec: Spec, given: Mapping[str, Any]) -> Spec:
    """A spec without those options of entries that no entry has: Ansible goes over all there are, for each entry anew.

    What is required, has a default or another name stays. What a text has cannot be told, so then all do.
    """
    return _narrowed(spec, [given])


def _narrowed(spec: Spec, given: Sequence[Mapping[str, Any]]) -> Spec:
    return {name: _of_entries(name, option, given) if "options" in option else option for name, option in spec.items()}


def _of_entries(name: str, option: Spec, given: Sequence[Mapping[str, Any]]) -> Spec:
    values = [each[name] for each in given if each.get(name) is not None]
    entries = [each for value in values for each in (value if isinstance(value, (list, tuple)) else [value])]
    if not all(isinstance(each, dict) for each in entries):
        return option
    said = {key for each in entries for key in each}
    every = option["options"].items()
    asked = {key: each for key, each in every if key in said or not _ALWAYS.isdisjoint(each)}
    return {**option, "options": _narrowed(asked, entries)}


# What an option has that counts where it is not given, or is by another name.
_ALWAYS = frozenset(("required", "default", "aliases"))
