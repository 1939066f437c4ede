# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The options that modules share, written once; doc fragments of the same names document them.

Private to the collection.
"""

from __future__ import annotations

from typing import Any, Dict

from .._host.probe import CHECKS
from .._host.scopes import SCOPES
from .._syntax.kinds import KINDS
from .health import SECONDS

Spec = Dict[str, Any]

SECTION_OPTIONS = ("unit", *(kind.name for kind in KINDS.values() if kind.is_option), "install")
STATES = ("started", "stopped", "restarted", "reloaded", "present", "absent")
HIDDEN_OPTIONS = ("secrets", "credentials")
# Those in which a unit is declared to run.
RUNNING = ("started", "restarted", "reloaded")


def health() -> Spec:
    seconds = {option: {"type": "float"} for option in SECONDS}
    return {**seconds, **{option: dict(check.spec) for option, check in CHECKS.items()}}


def text() -> Spec:
    """What is in a unit file or a drop-in, and what it is restarted for."""
    return {
        **{section: {"type": "dict"} for section in SECTION_OPTIONS},
        "content": {"type": "str"},
        "environment": {"type": "dict"},
        # Mappings, which render.py holds them to: Ansible makes a mapping of text before it notes what it has to hide.
        **{option: {"type": "raw", "no_log": True} for option in HIDDEN_OPTIONS},
        "triggers": {
            "type": "dict",
            "options": {
                "files": {"type": "list", "elements": "path"},
                "values": {"type": "list", "elements": "raw"},
            },
        },
        "health": {"type": "dict", "options": health()},
        "on_change": {"type": "str", "choices": ["restart", "reload", "none"]},
        "replace": {"type": "bool", "default": False},
    }


def unit() -> Spec:
    return {
        "name": {"type": "str", "required": True},
        **text(),
        "instances": {"type": "list", "elements": "raw"},
        "run": {"type": "str", "choices": ["on_change"]},
        "enabled": {"type": "bool"},
        "state": {"type": "str", "choices": list(STATES)},
        "masked": {"type": "bool"},
    }


def dropin() -> Spec:
    return {
        "name": {"type": "str", "required": True},
        "dropin": {"type": "str", "required": True},
        **text(),
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }


def host() -> Spec:
    """Where and how a change is made."""
    return {
        "scope": {"type": "str", "choices": list(SCOPES), "default": "system"},
        "root": {"type": "path"},
        "on_failure": {"type": "str", "choices": ["rollback", "keep"], "default": "rollback"},
    }


def stack() -> Spec:
    return {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "units": {"type": "list", "elements": "dict", "options": unit()},
        "dropins": {"type": "list", "elements": "dict", "options": dropin()},
        "prune": {"type": "bool", "default": False},
        "max_removed": {"type": "int"},
        "adopt": {"type": "list", "elements": "str"},
        "health": {"type": "dict", "options": {option: health()[option] for option in SECONDS}},
        **host(),
    }
