# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A test host as the integration tests see it: a shell, files, reboots, and the collection's modules."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import io
import json
import shlex
import subprocess
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import container, machine
from .agent import Agent
from .engine import Engine, find_engine
from .image import default_suite

BASE = "/opt/unitwright-test"
COLLECTION = "ansible_collections/unitwright/systemd"
RUNNER = Path(__file__).with_name("run_module.py")
# Options of a module's run that ask for a process of its own.
OF_A_PROCESS = frozenset(("env", "prefix", "python", "timeout"))


class CommandError(AssertionError):
    """A command on the host failed; the message holds the command and all that it printed."""


class Host:
    """A running container, named as `python3 -m tests.testbed up` knows it.

    base: where its collection lies. Two hosts of one name and another base are one container with two collections.
    forks: `module` has not the process of its own that Ansible gives it, but one of a third of the cost.
    """

    forks = False

    def __init__(self, name: str, engine: Engine | None = None, base: str = BASE) -> None:
        self.name = name
        self.engine = engine or find_engine()
        self._idle: list[Agent] = []
        self.base = base

    def up(self, suite: str | None = None) -> None:
        container.up(self.engine, self.name, suite or default_suite())

    def down(self) -> None:
        self._close()
        container.down(self.engine, self.name)

    def reboot(self) -> None:
        self._close()
        container.reboot(self.engine, self.name)

    def _close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def run(self, *command: str, data: bytes = b"", timeout: float | None = None) -> subprocess.CompletedProcess[bytes]:
        """A command without a shell; whatever its exit status, it is the caller's to judge."""
        agent = self._agent()
        done = agent.run(command, data, timeout)
        self._idle.append(agent)
        return done

    def _agent(self) -> Agent:
        """One that is at no one's command: threads may share a host."""
        with contextlib.suppress(IndexError):
            while True:
                agent = self._idle.pop()
                if agent.alive():
                    return agent
        return Agent(self.engine, self.name)

    def sh(self, command: str, check: bool = True) -> str:
        """What a shell command prints, without the last newline."""
        done = self.run("/bin/sh", "-c", command)
        if check and done.returncode != 0:
            raise CommandError(f"{self.name}: {command}: exit {done.returncode}\n{_output(done)}")
        return done.stdout.decode(errors="replace").rstrip("\n")

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """A file with its parents, with its mode from the first byte."""
        script = f"mkdir -p {shlex.quote(str(Path(path).parent))} && rm -f {shlex.quote(path)} && umask 077 && "
        script += f"cat > {shlex.quote(path)} && chmod {mode:o} {shlex.quote(path)}"
        done = self.run("/bin/sh", "-c", script, data=text.encode())
        if done.returncode != 0:
            raise CommandError(f"{self.name}: writing {path}: exit {done.returncode}\n{_output(done)}")

    def read(self, path: str) -> str:
        done = self.run("cat", path)
        if done.returncode != 0:
            raise CommandError(f"{self.name}: reading {path}: exit {done.returncode}\n{_output(done)}")
        return done.stdout.decode()

    def exists(self, path: str) -> bool:
        return self.run("test", "-e", path).returncode == 0 or self.run("test", "-L", path).returncode == 0

    def install_collection(self, directory: Path | str) -> None:
        """Copy a collection's plugins, and the controller's module_utils, unless this very copy is there."""
        payload = _payload(Path(directory))
        digest = hashlib.sha256(payload).hexdigest()
        base = self.base
        script = f'[ "$(cat {base}/digest 2>/dev/null)" = {digest} ] || '
        script += f"{{ rm -rf {base} && mkdir -p {base} && tar -x -C {base} && echo {digest} > {base}/digest; }}"
        done = self.run("/bin/sh", "-c", script, data=payload)
        if done.returncode != 0:
            raise CommandError(f"{self.name}: copying the collection: exit {done.returncode}\n{_output(done)}")
        self._close()  # what a process there has imported is of the old one

    def start_module(
        self,
        module: str,
        /,
        *,
        check_mode: bool = False,
        diff: bool = True,
        env: Mapping[str, str] | None = None,
        prefix: Sequence[str] = (),
        python: str = "/usr/bin/python3",
        timeout: float | None = None,
        **args: Any,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a module, whatever end it comes to; `prefix` goes before the interpreter, say a tracer that kills it."""
        data = _sent(module, check_mode=check_mode, diff=diff, **args)
        variables = [f"{key}={value}" for key, value in (env or {}).items()]
        command = ["env", *variables, *prefix, python, f"{self.base}/{RUNNER.name}", module]
        return self.run(*command, data=data, timeout=timeout)

    def _fork_module(self, module: str, /, **options: Any) -> subprocess.CompletedProcess[bytes]:
        agent = self._agent()
        done = agent.run_module(self.base, module, _sent(module, **options))
        self._idle.append(agent)
        return done

    def program(self, text: str, *arguments: str) -> str:
        """What a program in Python prints that runs where `__name__` is "__main__"."""
        agent = self._agent()
        done = agent.run_program(text, arguments)
        self._idle.append(agent)
        if done.returncode != 0:
            raise CommandError(f"{self.name}: {done.stderr.decode(errors='replace')}")
        return done.stdout.decode()

    def module(self, module: str, /, **options: Any) -> dict[str, Any]:
        """A module's result, failed or not; takes the options of start_module and the module's own arguments."""
        own = not self.forks or not OF_A_PROCESS.isdisjoint(options)
        done = self.start_module(module, **options) if own else self._fork_module(module, **options)
        try:
            result = json.loads(done.stdout)
        except ValueError:
            result = None
        if not isinstance(result, dict):
            raise CommandError(f"{self.name}: {module} gave no result: exit {done.returncode}\n{_output(done)}")
        for key in {"warnings", "deprecations"} & result.keys():
            result[key] = [_message(entry) for entry in result[key]]
        return result


class Machine(Host):
    """A virtual machine in place of a container."""

    def __init__(self, name: str, engine: Engine | None = None, base: str = BASE) -> None:
        super().__init__(name, engine or machine.Machines(), base)

    def up(self, suite: str | None = None) -> None:
        machine.up(self.name, suite or default_suite())

    def down(self) -> None:
        self._close()
        machine.down(self.name)

    def reboot(self) -> None:
        self._close()
        machine.reboot(self.name)


def module_input(module: str, /, *, check_mode: bool = False, diff: bool = True, **args: Any) -> dict[str, Any]:
    """A module's arguments as the controller sends them, with those of its own."""
    return {
        **args,
        "_ansible_check_mode": check_mode,
        "_ansible_diff": diff,
        "_ansible_debug": False,
        "_ansible_ignore_unknown_opts": False,
        "_ansible_keep_remote_files": False,
        "_ansible_module_name": f"unitwright.systemd.{module}",
        "_ansible_no_log": False,
        "_ansible_remote_tmp": "/tmp",
        "_ansible_selinux_special_fs": [],
        "_ansible_shell_executable": "/bin/sh",
        "_ansible_socket": None,
        "_ansible_syslog_facility": "LOG_USER",
        "_ansible_target_log_info": None,
        "_ansible_tmpdir": None,
        "_ansible_tracebacks_for": [],
        "_ansible_verbosity": 0,
        "_ansible_version": "2.19.0",
    }


def _sent(module: str, /, **options: Any) -> bytes:
    return json.dumps({"ANSIBLE_MODULE_ARGS": module_input(module, **options)}).encode()


def _message(entry: Any) -> Any:
    """The text of a warning, which a module since 2.19 wraps for the controller."""
    return entry["event"]["msg"] if isinstance(entry, dict) and "event" in entry else entry


def _output(done: subprocess.CompletedProcess[bytes]) -> str:
    return (done.stdout + done.stderr).decode(errors="replace")


def _payload(directory: Path) -> bytes:
    """A tar file, the same bytes for the same content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, path in sorted(_members(directory)):
            content = path.read_bytes() if path else b""
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _members(directory: Path) -> Iterator[tuple[str, Path | None]]:
    spec = importlib.util.find_spec("ansible")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("ansible-core is not installed for this Python: run the tests through make")
    controller = Path(spec.submodule_search_locations[0], "module_utils")
    yield "ansible/__init__.py", None
    yield RUNNER.name, RUNNER
    for top, goal in ((controller, "ansible/module_utils"), (directory / "plugins", f"{COLLECTION}/plugins")):
        for path in top.rglob("*.py"):
            yield f"{goal}/{path.relative_to(top)}", path
