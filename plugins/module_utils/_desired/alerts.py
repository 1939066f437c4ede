# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Who is told when a service fails: the option alert, as drop-ins over the services and one template for a stack. Pure.

ExecStopPost= comes after each run, with $SERVICE_RESULT (systemd.service(5)); OnFailure= comes on 252 only when the
service is not started again, and then also where a start limit ends it. Both start the same instance of the template.
Private to the collection.
"""

from __future__ import annotations

import inspect
import json
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from .._host.scopes import SCOPES
from .._syntax.kinds import Processes, kind_of
from .._syntax.rule import Problem, Rule, Severity, shown

Params = Mapping[str, Any]
Entry = Dict[str, Any]

DROPIN = "50-alert"
# Credentials would be the better place, but in a container they may be missing without a word.
_RUN = "python3 -B -c \"import os; exec(os.environ['ALERT_PROGRAM'])\" %i"
WAYS = ("mail", "webhook", "command")

_ALERT = Rule(
    "alert",
    Severity.ERROR,
    "that is no way to tell someone",
    "the message says what it takes",
    "the options alert and alerts",
)


def taken_out(units: Sequence[Params], params: Params, problems: List[Problem]) -> Tuple[List[Entry], List[Entry]]:
    """The units without their option alert, and what is to be done for those that had it: a template and drop-ins."""
    defined: Dict[str, Params] = {}
    for name, alert in (params.get("alerts") or {}).items():
        problems += _wrong(alert, f"alerts: {name}")
        defined[str(name)] = alert
    wanted: Dict[str, str] = {}
    plain: List[Entry] = []
    for unit in units:
        alert = unit.get("alert")
        plain.append({key: each for key, each in unit.items() if key != "alert"})
        if alert is None or unit.get("state") == "absent":
            continue
        name = str(unit["name"])
        if kind_of(name).processes is not Processes.MAIN:
            problems.append(_ALERT.said("alert is for services: give it to what this one starts", name))
        elif isinstance(alert, Mapping):
            problems += _wrong(alert, "alert", name)
            wanted[name] = name
            defined[name] = alert
        elif str(alert) in defined:
            wanted[name] = str(alert)
        else:
            there = f": there is {', '.join(sorted(defined))}" if defined else ""
            problems.append(_ALERT.said(f"alert: {shown(str(alert))} is none of the stack's alerts{there}", name))
    if not wanted or problems:
        return plain, []
    template = _stem(params) + "-alert@.service"
    plain.append(_template(template, wanted, defined, params))
    return plain, [_dropin(unit, template, params) for unit in wanted]


def _wrong(alert: object, where: str, unit: str = "") -> List[Problem]:
    if not isinstance(alert, Mapping) or sum(bool(alert.get(way)) for way in WAYS) != 1:
        return [_ALERT.said(f"{where} is a mapping with one of {', '.join(WAYS)}", unit)]
    foreign = sorted(str(key) for key in alert if key not in (*WAYS, "journal"))
    found = [
        _ALERT.said(f"{where} has no {shown(key)}: it takes {', '.join(WAYS)} and journal", unit) for key in foreign
    ]
    command = alert.get("command")
    if command is not None and not (
        isinstance(command, (list, tuple)) and all(isinstance(each, str) for each in command)
    ):
        found.append(_ALERT.said(f"{where}: command is a list of words", unit))
    address = str(alert.get("webhook") or "https://")
    if not address.startswith(("https://", "http://")):
        found.append(_ALERT.said(f"{where}: webhook is an address that begins with https:// or http://", unit))
    mail = str(alert.get("mail") or "@")
    if "@" not in mail or not mail.isprintable():
        found.append(_ALERT.said(f"{where}: {shown(mail)} is no address for mail", unit))
    return found


def _stem(params: Params) -> str:
    """Of a stack its name, and of the module for one unit that of the unit."""
    return str(params["name"]).rpartition(".")[0] or str(params["name"])


def _flag(params: Params) -> str:
    return SCOPES[params.get("scope") or "system"].flag


def _template(name: str, wanted: Mapping[str, str], defined: Mapping[str, Params], params: Params) -> Entry:
    from .._programs import alert as program  # noqa: PLC0415 (only where there is an alert)

    used = {alert: dict(defined[alert]) for alert in sorted({*wanted.values()})}
    config = {"manager": _flag(params), "units": dict(sorted(wanted.items())), "alerts": used}
    return {
        "name": name,
        "unit": {"Description": "Tell someone that %i has failed", "StartLimitIntervalSec": 0},
        "service": {
            "Type": "oneshot",
            "ExecStart": _RUN,
            "RuntimeDirectory": name.partition("@")[0],
            "RuntimeDirectoryPreserve": True,
            "TimeoutStartSec": "10min",
            "SyslogIdentifier": name.partition("@")[0],
        },
        "secrets": {"ALERT_PROGRAM": inspect.getsource(program), "ALERT_CONFIG": json.dumps(config, sort_keys=True)},
    }


def _dropin(unit: str, template: str, params: Params) -> Entry:
    instance = template.replace("@.", "@%n.")
    as_root = "+" if SCOPES[params.get("scope") or "system"].by_root else ""
    start = f"systemctl {_flag(params)} start --no-block {instance}"
    command = f"""-{as_root}/bin/sh -c '[ "$$SERVICE_RESULT" = success ] || exec {start}'"""
    return {"name": unit, "dropin": DROPIN, "unit": {"OnFailure": instance}, "service": {"ExecStopPost": command}}
