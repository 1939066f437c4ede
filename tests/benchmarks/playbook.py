# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tasks that are measured, and running them through ansible-playbook."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
STACK = "bench"
Task = dict[str, Any]


class PlaybookError(RuntimeError):
    """A task failed or did not change what it had to change; the message holds what ansible-playbook printed."""


def unit(number: int, version: str = "0") -> dict[str, Any]:
    """A service as people write them; the version stands in its environment, so that a new one needs a restart."""
    return {
        "name": unit_name(number),
        "unit": {"Description": f"Benchmark {number}", "After": "network.target"},
        "service": {
            "ExecStart": "/usr/bin/sleep infinity",
            "Restart": "on-failure",
            "RestartSec": 5,
            "NoNewPrivileges": True,
            "ProtectSystem": "strict",
            "MemoryMax": "64M",
        },
        "environment": {"VERSION": version},
        "install": {"WantedBy": "multi-user.target"},
    }


def service(number: int) -> dict[str, Any]:
    """A service in few options."""
    return {
        "name": unit_name(number),
        "description": f"Benchmark {number}",
        "after": ["network.target"],
        "exec_start": "/usr/bin/sleep infinity",
        "no_new_privileges": True,
        "protect_system": "strict",
        "memory_max": "64M",
        "environment": {"VERSION": "0"},
    }


def spelled_out(number: int) -> dict[str, Any]:
    """What that stands for, in sections: to the letter, so that neither has anything to change after the other."""
    return {
        "name": unit_name(number),
        "unit": {"Description": f"Benchmark {number}", "After": "network.target", "StartLimitIntervalSec": 0},
        "service": {
            "ExecStart": "/usr/bin/sleep infinity",
            "NoNewPrivileges": True,
            "ProtectSystem": "strict",
            "MemoryMax": "64M",
            "SyslogIdentifier": "%N",
            "StandardOutput": "journal",
            "Restart": "on-failure",
            "RestartSec": "5s",
        },
        "environment": {"VERSION": "0"},
        "install": {"WantedBy": "multi-user.target"},
    }


def unit_name(number: int) -> str:
    return f"bench-{number:04}.service"


def units(count: int, first_version: str = "0") -> list[dict[str, Any]]:
    return [unit(number, first_version if number == 0 else "0") for number in range(count)]


def ping(name: str) -> Task:
    return {"name": name, "ansible.builtin.ping": {}}


def stack(name: str, variable: str) -> Task:
    """The units come out of a variable, as they would in a playbook or role. Nothing is waited for once all are up."""
    options = {"name": STACK, "units": f"{{{{ {variable} }}}}", "health": {"stable_for": 0}, "prune": True}
    return {"name": name, "unitwright.systemd.stack": options}


def short_stack(name: str, variable: str) -> Task:
    """The same of services in few options."""
    task = stack(name, variable)
    options = task["unitwright.systemd.stack"]
    options["services"] = options.pop("units")
    return task


def stack_absent(name: str) -> Task:
    return {"name": name, "unitwright.systemd.stack": {"name": STACK, "state": "absent"}}


def facts(name: str) -> Task:
    """All that there is to tell of the units."""
    return {"name": name, "unitwright.systemd.unit_info": {"names": ["bench-*"]}}


def systemd_info(name: str) -> Task:
    """The nearest thing elsewhere, which tells eight properties of each."""
    return {"name": name, "community.general.systemd_info": {"unitname": ["bench-*"]}}


def command(name: str, line: str) -> Task:
    return {"name": name, "ansible.builtin.command": line, "changed_when": False}


def loop(name: str, variable: str) -> list[Task]:
    """The same by the usual means, as tasks of one name; it restarts what changed, as a handler would."""
    source = str(HERE / "unit.service.j2")
    return [
        {
            "name": name,
            "ansible.builtin.template": {
                "src": source,
                "dest": "/etc/systemd/system/loop-{{ item.name }}",
                "mode": "0644",
            },
            "loop": f"{{{{ {variable} }}}}",
            "loop_control": {"label": "{{ item.name }}"},
            "register": "files",
        },
        {
            "name": name,
            "ansible.builtin.systemd_service": {"daemon_reload": True},
            "when": "files is changed",
        },
        {
            "name": name,
            "ansible.builtin.systemd_service": {
                "name": "loop-{{ item.item.name }}",
                "enabled": True,
                "state": "{{ 'restarted' if item is changed else 'started' }}",
            },
            "loop": "{{ files.results }}",
            "loop_control": {"label": "{{ item.item.name }}"},
        },
    ]


def loop_absent(name: str) -> Task:
    line = "systemctl disable --quiet --now loop-bench-*; rm loop-bench-*; systemctl daemon-reload"
    return {"name": name, "ansible.builtin.shell": {"cmd": line, "chdir": "/etc/systemd/system"}}


def raw(name: str, line: str) -> Task:
    return {"name": name, "ansible.builtin.raw": line, "changed_when": False}


def play(host: str, tasks: Sequence[Task], variables: dict[str, Any], **environ: str) -> list[dict[str, Any]]:
    """Run tasks on a container and return what the clock wrote: a row for each task, in order.

    Connecting for the first time is no task's own cost, so a first task of no interest does it.
    """
    connection = {
        "ansible_connection": os.environ.get("UNITWRIGHT_CONNECTION", "containers.podman.podman"),
        "ansible_python_interpreter": "/usr/bin/python3",
    }
    book = [
        {
            "hosts": host,
            "gather_facts": False,
            "vars": {**connection, **variables},
            "tasks": [raw("connect", "true"), *tasks],
        }
    ]
    with tempfile.TemporaryDirectory() as folder:
        file, clock = Path(folder, "play.json"), Path(folder, "clock")
        file.write_text(json.dumps(book), encoding="utf-8")
        clock.touch()
        done = subprocess.run(
            ["ansible-playbook", f"--inventory={host},", str(file)],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={
                **os.environ,
                "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback"),
                "ANSIBLE_CALLBACKS_ENABLED": "unitwright_clock",
                "ANSIBLE_LOCALHOST_WARNING": "false",
                "UNITWRIGHT_CLOCK": str(clock),
                **environ,
            },
        )
        rows = [json.loads(line) for line in clock.read_text(encoding="utf-8").splitlines()]
    if done.returncode != 0 or len(rows) != len(tasks) + 1:
        raise PlaybookError(f"ansible-playbook ended with {done.returncode} after {len(rows)} tasks\n{done.stdout}")
    return rows[1:]
