# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Tells someone that a unit has failed: run on a host for each failure, by a template unit of a stack, with the unit.

Its argument is the unit, and $ALERT_CONFIG JSON: {"manager": "--system", "units": {UNIT: NAME}, "alerts": {NAME:
{"mail", "webhook" or "command", "journal"}}}. A burst of failures is told once, and once more if the unit gives up.
It stands alone, on Python's standard library.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from email.message import EmailMessage
from typing import Any, Dict, List

# A failure so many seconds after the last one is of another burst.
QUIET = 900
# One that goes on is told again after so many seconds.
REMINDER = 3600
# The pauses before a message that could not be sent is sent again.
PAUSES = (5, 30, 120)
LINES = 20
_ANSWER = 15
_POLL = 0.2
_STOPPED_WITHIN = 120
_PROPERTIES = "ActiveState,SubState,Result,ExecMainCode,ExecMainStatus,NRestarts,InvocationID"


def main(unit: str) -> int:
    # What it starts shall not have the addresses in its environment.
    told = json.loads(os.environ.pop("ALERT_CONFIG"))
    os.environ.pop("ALERT_PROGRAM", None)
    names = told["units"]
    name = names.get(unit) or names.get(_template(unit))
    if not name:
        sys.stderr.write(f"no alert is declared for {unit}\n")
        return 0
    note = os.path.join(os.environ.get("RUNTIME_DIRECTORY", "/run"), unit)
    failures = 0
    gave_up = False
    while not gave_up:  # it may end while it is told that it has failed
        state = _settled(unit, told["manager"])
        gave_up = state.get("ActiveState") == "failed"
        run = state.get("InvocationID", "")
        due = _is_due(note, gave_up, run)
        sent = due and _sent(told["alerts"][name], message(unit, state, gave_up, told, name))
        _note(note, gave_up, run, sent)
        failures += due and not sent
        if not due:
            break
    return 1 if failures else 0


def _template(unit: str) -> str:
    prefix, at, _instance = unit.partition("@")
    return f"{prefix}@.{unit.rpartition('.')[2]}" if at else unit


def _settled(unit: str, manager: str) -> Dict[str, str]:
    """The unit's state, once what is left of its run has gone."""
    deadline = time.monotonic() + _STOPPED_WITHIN
    while True:
        shown = _output(["systemctl", manager, "show", f"--property={_PROPERTIES}", "--", unit])
        state = dict(line.partition("=")[::2] for line in shown.splitlines())
        if state.get("ActiveState") != "deactivating" or time.monotonic() > deadline:
            return state
        time.sleep(_POLL)


def _is_due(note: str, gave_up: bool, run: str) -> bool:
    """Is that to be told? It is, if it is another burst, or the end, or if the last message is long ago."""
    now, before = time.time(), _noted(note)
    if before["ended"]:
        return bool(run != before["run"])
    return bool(gave_up or now - before["failed"] >= QUIET or now - before["told"] >= REMINDER)


def _note(note: str, gave_up: bool, run: str, sent: bool) -> None:
    """Note a failure, for the next one. What could not be sent was not told."""
    before, now = _noted(note), time.time()
    same = before["ended"] and run == before["run"]
    found = {
        "failed": now,
        "told": now if sent else before["told"],
        "ended": same or (gave_up and sent),
        "run": run,
    }
    with open(note, "w", encoding="utf-8") as written:
        json.dump(found, written)


def _noted(note: str) -> Dict[str, Any]:
    """When it failed last, when someone was told last, whether that was the end, and of which run."""
    try:
        with open(note, encoding="utf-8") as written:
            return dict(json.load(written))
    except (OSError, ValueError):
        return {"failed": 0.0, "told": 0.0, "ended": False, "run": ""}


def message(unit: str, state: Dict[str, str], gave_up: bool, told: Dict[str, Any], name: str) -> Dict[str, Any]:
    """What is told, as a mapping that a webhook gets as JSON."""
    found: Dict[str, Any] = {
        "unit": unit,
        "host": socket.gethostname(),
        "result": state.get("Result", ""),
        "exit_status": int(state.get("ExecMainStatus") or 0),
        "restarts": int(state.get("NRestarts") or 0),
        "gave_up": gave_up,
        "state": state.get("ActiveState", ""),
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    if told["alerts"][name].get("journal"):
        found["journal"] = _journal(state.get("InvocationID", ""), told["manager"])
    return found


def _journal(invocation: str, manager: str) -> List[str]:
    """The last lines of one run."""
    if not invocation:
        return []
    own = ["--user"] if manager == "--user" else []
    command = ["journalctl", *own, "--no-pager", "--output=cat", f"--lines={LINES}"]
    return _output([*command, f"_SYSTEMD_INVOCATION_ID={invocation}"]).splitlines()


def _sent(alert: Dict[str, Any], told: Dict[str, Any]) -> bool:
    for pause in (*PAUSES, 0):
        try:
            _send(alert, told)
            return True
        except (OSError, ValueError, http.client.HTTPException, subprocess.SubprocessError) as error:
            # Neither an address nor a command is shown: both may hold a secret.
            sys.stderr.write(f"the alert for {told['unit']} could not be sent: {type(error).__name__}\n")
        time.sleep(pause)
    return False


def _send(alert: Dict[str, Any], told: Dict[str, Any]) -> None:
    if alert.get("webhook"):
        body = json.dumps(told).encode()
        request = urllib.request.Request(alert["webhook"], body, {"Content-Type": "application/json"})
        with urllib.request.build_opener().open(request, timeout=_ANSWER) as answer:
            answer.read()
    elif alert.get("mail"):
        subprocess.run(
            ["/usr/sbin/sendmail", "-t", "-i"], input=_mail(alert["mail"], told), timeout=_ANSWER, check=True
        )
    else:
        environ = {**os.environ, "ALERT_UNIT": told["unit"], "ALERT_RESULT": told["result"]}
        body = json.dumps(told).encode()
        subprocess.run(alert["command"], input=body, env=environ, timeout=4 * _ANSWER, check=True)


def _mail(address: str, told: Dict[str, Any]) -> bytes:
    mail = EmailMessage()
    mail["To"] = address
    what = "has given up" if told["gave_up"] else "has failed"
    mail["Subject"] = f"{told['unit']} {what} on {told['host']}"
    lines = [f"{key}: {value}" for key, value in told.items() if key != "journal"]
    mail.set_content("\n".join([*lines, "", *told.get("journal", ())]) + "\n")
    return mail.as_bytes()


def _output(command: List[str]) -> str:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60, check=False)
    return done.stdout.decode("utf-8", "replace")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
