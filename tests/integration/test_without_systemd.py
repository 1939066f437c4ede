# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where no systemd runs a container gets files and enablement, and a host without one a clear error."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.testbed import container
from tests.testbed.engine import limit_flags
from tests.testbed.image import default_suite, ensure_image
from tests.tooling import COLLECTION, COLLECTIONS

from .entries import WANTED, service
from .lab import Lab, actions, succeeded

UNIT = service("inside", install=WANTED)


@pytest.fixture(scope="module")
def bare(host: Lab) -> Iterator[Lab]:
    """A container of the same image, with another PID 1 than systemd."""
    machine = Lab(f"{host.name}-bare-{os.getpid()}")
    machine.has_manager = False
    flags = [f"--name={machine.name}", f"--label={container.LABEL}", "--network=none", *limit_flags()]
    host.engine.run("run", "--detach", *flags, ensure_image(host.engine, default_suite()), "/bin/sleep", "infinity")
    try:
        machine.install_collection(COLLECTIONS / COLLECTION)
        yield machine
    finally:
        machine.down()


def test_a_container_without_systemd_gets_files_and_enablement(bare: Lab) -> None:
    result = bare.apply(UNIT)
    assert (result["deferred"], result["newly_started"]) == (["inside.service"], [])
    assert {action for action, _unit in actions(result)} == {"write", "enable"}
    assert bare.enabled("inside.service") == "enabled"
    bare.assert_settled(UNIT)
    bare.remove()
    assert bare.sh("find /etc/systemd -name 'inside*'") == ""


def test_a_container_without_systemd_has_facts_of_its_files(bare: Lab) -> None:
    result = succeeded(bare.module("unit_info", names=["nginx", "getty@.service", "nowhere"]))
    assert result["not_found"] == ["nowhere"]
    found = result["units"]["nginx.service"]
    assert (found["unit_file_state"], found["active_state"]) == (bare.enabled("nginx.service"), None)
    assert found["settings"]["Unit"]["Description"][0]["path"] == found["fragment_path"]


def test_a_host_without_systemctl_gets_one_clear_error(bare: Lab) -> None:
    tool = bare.sh("command -v systemctl")
    bare.sh(f"mv {tool} {tool}.away")
    before = bare.sh("find /etc /var/lib | sort")
    result = bare.failing(UNIT)
    bare.sh(f"mv {tool}.away {tool}")
    assert "install systemd" in result["msg"]
    assert len(result["errors"]) == 1
    assert bare.sh("find /etc /var/lib | sort") == before


def test_a_systemd_that_is_too_old_gets_one_clear_error(bare: Lab) -> None:
    bare.write("/opt/old/systemctl", "#!/bin/sh\necho 'systemd 241 (241)'\n", 0o755)
    result = bare.failing(UNIT, env={"PATH": "/opt/old:/usr/bin:/bin"})
    assert "systemd 241 is too old" in result["msg"]
