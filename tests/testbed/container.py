# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting, rebooting and removing the containers."""

from __future__ import annotations

import time
from pathlib import Path

from plugins.plugin_utils import _containers

from .engine import Engine, EngineError
from .image import ensure_image

ROOT = Path(__file__).resolve().parents[2]
# One checkout never removes the containers of another.
LABEL = f"unitwright.testbed={ROOT}"
BOOT_TIMEOUT = 120.0
POLL = 0.1


def up(engine: Engine, name: str, suite: str, extra: str = "") -> None:
    """A running container of the suite's image; one that runs already stays as it is."""
    image = ensure_image(engine, suite, extra)
    state = _inspect(engine, name, "{{.State.Status}} {{.Image}}")
    status, made_of = state.split() if state else ("absent", "")
    if status not in {"running", "exited"} or made_of != _image_id(engine, image):
        down(engine, name)
        create(engine, name, image)
    elif status == "exited":
        engine.run("start", name)
    wait_running(engine, name)


def create(engine: Engine, name: str, image: str) -> None:
    options = [f"--label={LABEL}", "--network=none"]
    engine.run(*_containers.run_command(engine.name, name, image, options)[len(engine.command) :])


def down(engine: Engine, name: str) -> None:
    if _inspect(engine, name, "{{.Id}}") is not None:
        # Docker kills at once; podman would first wait for a stop.
        at_once = ["--time=0"] if engine.name == "podman" else []
        engine.run("rm", "--force", "--volumes", *at_once, name)


def down_all(engine: Engine) -> None:
    for name in engine.text("ps", "--all", f"--filter=label={LABEL}", "--format={{.Names}}").splitlines():
        down(engine, name)


def reboot(engine: Engine, name: str) -> None:
    """Have systemd itself end the container, then start it again."""
    engine.run("exec", name, "systemctl", "reboot", check=False)
    engine.run("wait", name, timeout=BOOT_TIMEOUT)
    engine.run("start", name)
    wait_running(engine, name)


def cut_power(engine: Engine, name: str) -> None:
    """End the container as it is, without a word to what runs in it, then start it again."""
    engine.run("kill", "--signal=KILL", name)
    engine.run("wait", name, timeout=BOOT_TIMEOUT)
    engine.run("start", name)
    wait_running(engine, name)


def wait_running(engine: Engine, name: str) -> None:
    """Until systemd has finished booting; a failed unit is the tests' business, not ours."""
    deadline = time.monotonic() + BOOT_TIMEOUT
    while True:
        said = engine.run("exec", name, "systemctl", "is-system-running", check=False)
        state = said.stdout.decode(errors="replace").strip()
        if state in {"running", "degraded"}:
            return
        if _inspect(engine, name, "{{.State.Status}}") not in {"running", "created", "initialized"}:
            raise EngineError(f"{name} ended instead of booting\n{_logs(engine, name)}")
        if time.monotonic() > deadline:
            errors = said.stderr.decode(errors="replace")
            raise EngineError(f"{name} is {state or 'silent'} after {BOOT_TIMEOUT} s\n{errors}{_logs(engine, name)}")
        time.sleep(POLL)


def _inspect(engine: Engine, name: str, template: str) -> str | None:
    done = engine.run("container", "inspect", f"--format={template}", name, check=False)
    return done.stdout.decode().strip() if done.returncode == 0 else None


def _image_id(engine: Engine, image: str) -> str | None:
    done = engine.run("image", "inspect", "--format={{.Id}}", image, check=False)
    return done.stdout.decode().strip() if done.returncode == 0 else None


def _logs(engine: Engine, name: str) -> str:
    done = engine.run("logs", "--tail=40", name, check=False)
    return (done.stdout + done.stderr).decode(errors="replace")
