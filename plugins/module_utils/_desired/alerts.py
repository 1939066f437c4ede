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
import re
from typing import Any, Dict, List, Mapping, Sequence, Tuple
from urllib.parse import urlsplit

from .._host.scopes import scope_of
from .._syntax.kinds import Processes, kind_of
from .._syntax.rule import Problem, Rule, Severity, shown

Params = Mapping[str, Any]
Entry = Dict[str, Any]

DROPIN = "50-alert"
# All of it is one variable, and the kernel ends one at 128 KiB (execve(2)).
_MOST = 100_000
_ADDRESS = re.compile(r"[^\s,;<>]+")
_RUN = "python3 -B -c \"import os; exec(os.environ['ALERT_PROGRAM'])\" %i"
WAYS = ("mail", "webhook", "command")
# What a mail goes to, as _programs/alert.py has it.
SENDMAIL = "/usr/sbin/sendmail"

_ALERT = Rule(
    "alert",
    Severity.ERROR,
    "that is no way to tell someone",
    "the message says what it takes",
    "the options alert and alerts",
)


def taken_out(units: Sequence[Params], params: Params, problems: List[Problem]) -> Tuple[List[Entry], List[Entry]]:
    """The units without their option alert, and what is to be done for those that had it: a template and drop-ins."""
    found: List[Problem] = []
    defined: Dict[str, Params] = {}
    for name, alert in (params.get("alerts") or {}).items():
        found += _wrong(alert, f"alerts: {name}", option=f"alerts.{name}")
        defined[str(name)] = alert
    wanted: Dict[str, str] = {}
    for unit in units:
        if unit.get("alert") is not None and unit.get("state") != "absent":
            found += _of_unit(unit, params, defined, wanted)
    problems += found
    plain = [{key: each for key, each in unit.items() if key != "alert"} for unit in units]
    if not wanted or found:
        return plain, []
    template = _template(wanted, defined, params)
    if len(template["secrets"]["ALERT_CONFIG"]) > _MOST:
        told = f"there are too many services with an alert: all of them take more than {_MOST} characters"
        problems.append(_ALERT.said(f"{told}, so declare some in a stack of their own"))
    return [*plain, template], [_dropin(unit, params) for unit in wanted]


def programs(units: Sequence[Params], params: Params) -> Tuple[Tuple[str, str], ...]:
    """By each service with an alert the program that tells someone. Nothing of alerts that are wrong."""
    found: List[Tuple[str, str]] = []
    for unit in units:
        alert = unit.get("alert") if unit.get("state") != "absent" else None
        alert = alert if isinstance(alert, Mapping) else (params.get("alerts") or {}).get(str(alert))
        if isinstance(alert, Mapping) and not _wrong(alert, "alert") and not alert.get("webhook"):
            found.append((str(unit["name"]), SENDMAIL if alert.get("mail") else str(alert["command"][0])))
    return tuple(found)


def _of_unit(unit: Params, params: Params, defined: Dict[str, Params], wanted: Dict[str, str]) -> List[Problem]:
    """What is wrong with the alert of one unit; notes which it is."""
    name, alert = str(unit["name"]), unit["alert"]
    if kind_of(name).processes is not Processes.MAIN:
        return [_ALERT.said("alert is for services: give it to what this one starts", name, option="alert")]
    scope = scope_of(params.get("scope"))
    if not scope.has_manager:
        told = f"alert needs a manager that runs the service, which scope {scope.name} has not"
        return [_ALERT.said(told, name, option="alert")]
    if isinstance(alert, Mapping):
        defined[name] = alert
        wanted[name] = name
        return _wrong(alert, "alert", name)
    if str(alert) in defined:
        wanted[name] = str(alert)
        return []
    # An address in the place of a name would be one of a webhook, which is a secret.
    said = "that" if "://" in str(alert) else shown(str(alert))
    ways = "write a mapping such as {command: [/usr/local/bin/tell]}, or give the stack alerts"
    there = f": there is {', '.join(sorted(defined))}" if defined else f": {ways}"
    return [_ALERT.said(f"alert: {said} is none of the stack's alerts{there}", name, option="alert")]


def _wrong(alert: object, where: str, unit: str = "", option: str = "alert") -> List[Problem]:
    """where: what a message calls it. option: its path within the entry of the unit, or in the options of the stack."""
    foreign = sorted(str(key) for key in alert if key not in (*WAYS, "journal")) if isinstance(alert, Mapping) else []
    told = [(key, f"{where} has no {shown(key)}: it takes {', '.join(WAYS)} and journal") for key in foreign]
    if not isinstance(alert, Mapping) or (not foreign and sum(bool(alert.get(way)) for way in WAYS) != 1):
        message = f"{where} is a mapping with one of {', '.join(WAYS)}, and no more than one"
        return [_ALERT.said(message, unit, option=option)]
    command, mail, webhook = (alert.get(way) for way in ("command", "mail", "webhook"))
    if command and not (isinstance(command, (list, tuple)) and all(isinstance(each, str) for each in command)):
        told.append(("command", f"{where}: command is a list of words"))
    if mail and not (isinstance(mail, str) and _ADDRESS.fullmatch(mail)):
        told.append(("mail", f"{where}: mail is one address, without blanks"))
    if webhook and not _is_url(webhook):
        address = "an address of http:// or https:// in ASCII and without blanks"
        told.append(("webhook", f"{where}: webhook is {address}"))
    if not isinstance(alert.get("journal", False), (bool, type(None))):
        told.append(("journal", f"{where}: journal is true or false"))
    return [_ALERT.said(message, unit, option=f"{option}.{key}") for key, message in told]


def _is_url(text: object) -> bool:
    if not isinstance(text, str) or not re.fullmatch(r"https?://[!-~]+", text):
        return False
    try:
        parts = urlsplit(text)
        return bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def template_of(owner: str) -> str:
    """The unit that tells of the failures of an owner's services."""
    return f"{_stem({'name': owner})}@.service"


def _stem(params: Params) -> str:
    """How the template's name begins; that of a module for one unit has a dot, which no stack's has."""
    return str(params["name"]).replace("@", "-") + "-alert"


def _flag(params: Params) -> str:
    return scope_of(params.get("scope")).flag


def _template(wanted: Mapping[str, str], defined: Mapping[str, Params], params: Params) -> Entry:
    from .._programs import alert as program  # noqa: PLC0415 (only where there is an alert)

    used = {alert: dict(defined[alert]) for alert in sorted({*wanted.values()})}
    config = {"manager": _flag(params), "units": dict(sorted(wanted.items())), "alerts": used}
    return {
        "name": f"{_stem(params)}@.service",
        "unit": {"Description": "Tell someone that %i has failed", "StartLimitIntervalSec": 0},
        "service": {
            "Type": "oneshot",
            "ExecStart": _RUN,
            "RuntimeDirectory": _stem(params),
            "RuntimeDirectoryPreserve": True,
            "TimeoutStartSec": "10min",
            "SyslogIdentifier": _stem(params),
        },
        "environment": {"ALERT_PROGRAM": inspect.getsource(program)},
        # Credentials would be the better place, but in a container they may be missing without a word.
        "secrets": {"ALERT_CONFIG": json.dumps(config, sort_keys=True)},
    }


def _dropin(unit: str, params: Params) -> Entry:
    """A run that a condition of its own ended is no failure (systemd.service(5), ExecCondition=)."""
    instance = f"{_stem(params)}@%n.service"
    as_root = "+" if scope_of(params.get("scope")).by_root else ""
    start = f'exec systemctl {_flag(params)} start --no-block "$$0"'
    script = f"case $$SERVICE_RESULT in success|exec-condition) ;; *) {start};; esac"
    command = f"-{as_root}/bin/sh -c '{script}' \"{instance}\""
    return {"name": unit, "dropin": DROPIN, "unit": {"OnFailure": instance}, "service": {"ExecStopPost": command}}
