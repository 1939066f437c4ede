# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An error says where in the user's own YAML it is, whatever ways the value has gone since."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.tooling import BUILD, COLLECTIONS

from .lab import Lab

# What is wrong is marked by a comment with the name of its task, and the text that the position is of.
PLAY = """---
- hosts: all
  gather_facts: false
  ignore_errors: true
  module_defaults:
    group/unitwright.systemd.systemd: {scope: system}
  tasks:
    - name: stack
      unitwright.systemd.stack:
        name: test
        units:
          - name: good.service
            service: {ExecStart: /bin/sleep infinity}
          - name: main.service
            service:
              ExecStart: /bin/sleep infinity
              Restart: allways # stack: allways
              UMask: 0077 # stack: 0077
    - name: timer
      unitwright.systemd.timer:
        name: job
        on_calendar: 0 2 * * * # timer: 0 2
        exec_start: /bin/true
      check_mode: true
    - name: changed by YAML
      unitwright.systemd.stack:
        name: test
        services:
          - name: main
            argv: [/bin/sleep, 0644] # changed by YAML: 0644
          - name: other
            exec_start: /bin/sleep infinity
            restart_sec: 1:30 # changed by YAML: 1:30
            environment: {MODE: 0644, PORT: 8080} # changed by YAML: 0644
    - name: not changed by YAML
      unitwright.systemd.stack:
        name: test
        services:
          - name: main
            argv: [/bin/sleep, 1000]
            restart_sec: 10
            environment: {MODE: "0644", PORT: 8080}
            service: {LimitNOFILE: 65_536, Nice: +5}
        health: {stable_for: 0.1}
      check_mode: true
    - name: named by YAML
      unitwright.systemd.stack:
        name: test
        adopt: [0x10] # named by YAML: 0x10
        services:
          - name: 010 # named by YAML: 010
            exec_start: /bin/sleep infinity
            supplementary_groups: [0777] # named by YAML: 0777
        dropins:
          - name: main.service
            dropin: 1_0 # named by YAML: 1_0
            unit: {Description: x}
        targets:
          - name: on # named by YAML: name
            description: x
    - name: instances by YAML
      unitwright.systemd.stack:
        name: test
        services:
          - name: main@
            exec_start: /bin/sleep infinity
            instances:
              - 010 # instances by YAML: 010
              - name: 1_0 # instances by YAML: 1_0
                environment: {A: b}
              - "011"
    - name: changed as a name
      unitwright.systemd.service:
        name: main
        exec_start: /bin/sleep infinity
        environment:
          NO: 1 # changed as a name: NO
    - name: a name by YAML
      unitwright.systemd.service:
        name: 1:30 # a name by YAML: 1:30
        exec_start: /bin/sleep infinity
      check_mode: true
    - name: within
      unitwright.systemd.stack:
        name: test
        services:
          - name: words
            argv:
              - /bin/sleep
              - 1.10 # within: 1.10
          - name: main
            exec_start: /bin/sleep infinity
            environment:
              GOOD: a
              BAD: ~ # within: BAD
            secrets:
              GOOD: long enough
              SHORT: 83 # within: 83
            triggers:
              files: [etc/x] # within: etc/x
          - name: checked
            exec_start: /bin/sleep infinity
            health:
              tcp: nowhere # within: nowhere
          - name: told
            exec_start: /bin/sleep infinity
            alert:
              mail: a b # within: a b
          - name: many@
            exec_start: /bin/sleep infinity
            instances:
              - name: a
                environment:
                  BAD: ~ # within: BAD
              - name: b
                health:
                  tcp: nowhere # within: nowhere
          - name: hard
            exec_start: /bin/sleep infinity
            hardening:
              allow:
                - network
                - nonsense # within: nonsense
                - unheard # within: unheard
          - name: listed
            exec_start: /bin/sleep infinity
            exec_start_pre:
              - /bin/true
              - 1.10 # within: 1.10
    - name: one unit
      unitwright.systemd.unit:
        name: main.service
        service:
          ExecStart: /bin/sleep infinity
          Type: simpel # one unit: simpel
        environment:
          BAD: ~ # one unit: BAD
        health:
          tcp: nowhere # one unit: nowhere
    - name: one target
      unitwright.systemd.target:
        name: main
        members: [nginx.service]
        health: {timeout: 0} # one target: 0}
    - name: one socket
      unitwright.systemd.socket:
        name: main.service # one socket: main.service
        listen_stream: /run/x
    - name: of the whole
      unitwright.systemd.service:
        name: gone # of the whole: gone
        state: started
    - name: in turns
      unitwright.systemd.unit:
        name: "{{ item }}.service"
        content: | # in turns: |
          [Service]
          ExecStrat=/bin/true
      loop: [one, two]
    - name: refused by Ansible
      unitwright.systemd.stack:
        name: test
        services:
          - name: main
            exec_start: /bin/sleep infinity
            wroking_directory: /srv # refused by Ansible: /srv
            restart: on-faliure # refused by Ansible: on-f
            health:
            stable_for: 0.1 # refused by Ansible: 0.1
        timers:
          - name: job
            persistent: yse # refused by Ansible: yse
    - name: twice
      unitwright.systemd.stack:
        name: test
        units:
          - name: main.service # twice: name
            service: {ExecStart: /bin/sleep infinity}
        services:
          - name: main # twice: name
            exec_start: /bin/sleep infinity
        dropins:
          - {name: ssh.service, dropin: a, unit: {Description: x}} # twice: {name
          - {name: ssh.service, dropin: b, unit: {Description: x}}
          - {name: ssh.service, dropin: a.conf, unit: {Description: y}} # twice: {name
    - name: warned
      unitwright.systemd.stack:
        name: test
        services:
          - name: main
            exec_start: /bin/sleep infinity
            wants: [systemd-jounald.service] # warned: [systemd
      check_mode: true
    - name: warned of one
      unitwright.systemd.service:
        name: main
        exec_start: /bin/sleep infinity
        wants: [systemd-jounald.service] # warned of one: [systemd
      check_mode: true
    - name: from variables
      unitwright.systemd.stack:
        name: test
        services: "{{ services }}"
    - name: by the role
      ansible.builtin.include_role: {name: unitwright.systemd.stack}
      vars:
        stack_name: test
        stack_units: "{{ units }}"
"""
VARIABLES = """---
services:
  - name: main
    exec_start: /bin/sleep infinity
    user: 0777 # from variables: 0777
  - name: "{{ inventory_hostname }}"
    umask: 022 # from variables: 022
units:
  - name: role.service
    service:
      ExecStart: /bin/sleep infinity
      Type: simpel # by the role: simpel
"""

TASKS = (
    *("changed by YAML", "stack", "not changed by YAML", "timer", "in turns"),
    *("named by YAML", "instances by YAML", "changed as a name", "a name by YAML", "within"),
    *("one unit", "one target", "one socket", "of the whole", "twice"),
    *("refused by Ansible", "from variables", "by the role"),
)

# What is wrong there is refused before the module has read more than its options.
OF_OPTIONS = ("refused by Ansible", "named by YAML", "a name by YAML")


def marked(path: Path, task: str) -> list[str]:
    """The places of a file that are marked as wrong for a task."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        written, _mark, text = line.partition(f" # {task}: ")
        if text:
            found.append(f"{path}:{number}:{written.index(text) + 1}")
    return found


def play(host: Lab, folder: Path) -> tuple[dict[str, list[dict[str, Any]]], str]:
    """Run the play on the test host, by an interpreter that is in there: what failed by task, and all that is said."""
    python = folder / "python"
    command = [*host.engine.command, "exec", "--interactive", host.name, "/usr/bin/python3"]
    python.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    (folder / "play.yml").write_text(PLAY, encoding="utf-8")
    (folder / "variables.yml").write_text(VARIABLES, encoding="utf-8")
    environ = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_HOME": str(BUILD / "ansible"),
        "ANSIBLE_PIPELINING": "true",
        "COLUMNS": "9999",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    variables = {"ansible_connection": "local", "ansible_python_interpreter": str(python)}
    call = ["ansible-playbook", "-i", "testhost,", "-e", json.dumps(variables), "-e", f"@{folder}/variables.yml"]
    done = subprocess.run([*call, str(folder / "play.yml")], env=environ, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, list[dict[str, Any]]] = {}
    for part in re.split(r"^TASK ", done.stdout, flags=re.MULTILINE)[1:]:
        task = part[1 : part.index("]")]
        results = re.findall(r"^(?:fatal|failed): .*?=> (\{.*\})$", part, re.MULTILINE)
        found.setdefault(task, []).extend(map(json.loads, results))
    return found, done.stdout + done.stderr


@pytest.mark.long
def test_the_position_of_what_is_wrong(host: Lab, tmp_path: Path) -> None:
    told, said = play(host, tmp_path)
    files = (tmp_path / "play.yml", tmp_path / "variables.yml")
    by_role = {"by the role": "unitwright.systemd.stack : Apply the stack"}
    for task in TASKS:
        results = told[by_role.get(task, task)]
        errors = [each for result in results for error in result["errors"] for each in (*error.get("also", ()), error)]
        assert sorted({each.get("position") for each in errors}) == sorted(
            place for path in files for place in marked(path, task)
        ), (task, results)
        for result in results:
            assert f" failed: {result['msg']}\n" in said  # in the line of Ansible's own, too
            for line, error in zip(result["msg"].split("\n"), result["errors"], strict=True):
                if task in OF_OPTIONS:
                    assert f"{error['path']}, at {error['position']}: {error['message']}" in line
                else:
                    places = [each["position"] for each in (*error.get("also", ()), error)]
                    assert line.endswith(f", at {' and '.join(places)}")
    assert len(told["in turns"]) == 2
    for task in ("warned", "warned of one"):
        (place,) = marked(files[0], task)
        assert f", at {place}" in said, said
    assert "YAML made 8 of 010" in str(told["named by YAML"])
    assert "unitwright as written" not in said
