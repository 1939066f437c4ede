# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on the host: lists the unit files of its packages, and gives each to a module in check mode.

`inside.py list`, or `inside.py try` with a request as JSON in each line of its input and an answer in each of its
output. A process for each request is forked from this one, which has loaded what they share.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDERS = {"system": "/usr/lib/systemd/system", "global": "/usr/lib/systemd/user"}
TYPES = (".service", ".socket", ".timer", ".path", ".target", ".mount", ".automount", ".swap", ".slice")
PLUGINS = "ansible_collections.unitwright.systemd.plugins"
SHARED = ("_desired.expansion", "_verify.verify", "_verify.lacking", "_verify.capabilities", "_run.timers")
AT_ONCE = 2


def listed() -> Iterator[dict[str, str]]:
    """Unit files and drop-ins that are files of their own: no alias, and nothing that is masked."""
    for scope, top in FOLDERS.items():
        for folder, _folders, names in sorted(os.walk(top)):
            below = os.path.relpath(folder, top)
            for name in sorted(names):
                is_unit = below == "." and name.endswith(TYPES)
                is_dropin = below.endswith(".d") and "/" not in below and name.endswith(".conf")
                path = os.path.join(folder, name)
                if (is_unit or is_dropin) and not os.path.islink(path):
                    with open(path, encoding="utf-8", newline="") as file:
                        text = file.read()
                    unit, dropin = (name, "") if is_unit else (below[: -len(".d")], name)
                    yield {"scope": scope, "unit": unit, "dropin": dropin, "text": text}


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """What the host's systemd says of a unit as its package has it, or a module's result."""
    if "verify" in request:
        whose = "--user" if request["user"] else "--system"
        command = ["systemd-analyze", "--man=no", "--recursive-errors=yes", whose, "verify", request["verify"]]
        environ = {**os.environ, "XDG_RUNTIME_DIR": "/run"}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ)
        return {"said": done.stderr.splitlines()}
    with tempfile.TemporaryFile("w+") as out:
        pid = os.fork()
        if not pid:
            os.dup2(out.fileno(), 1)
            run_module(request["module"], request["args"])
        os.waitpid(pid, 0)
        out.seek(0)
        return dict(json.load(out))


def run_module(module: str, args: dict[str, Any]) -> None:
    """As Ansible does it; ends this process."""
    from ansible.module_utils import basic  # noqa: PLC0415 (found through the path that main sets)

    name = f"{PLUGINS}.modules.{module}"
    basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": args}).encode()
    basic._ANSIBLE_PROFILE = "legacy"
    sys.argv = [name]
    code = 1
    try:
        runpy.run_module(name, {"_module_fqn": name, "_modlib_path": HERE}, "__main__", alter_sys=True)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    finally:
        sys.stdout.flush()
        os._exit(code)


def main() -> None:
    if sys.argv[1] == "list":
        json.dump(list(listed()), sys.stdout)
        return
    sys.path.insert(0, HERE)
    for room in SHARED:
        importlib.import_module(f"{PLUGINS}.module_utils.{room}")
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
