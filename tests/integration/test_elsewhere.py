# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where no manager runs for the files: images, containers without systemd as PID 1, hosts without systemd."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.testbed import container
from tests.testbed.engine import limit_flags
from tests.testbed.image import default_suite, ensure_image
from tests.tooling import COLLECTION, COLLECTIONS

from .entries import UNITS, WANTED, Entry, merged, service
from .lab import Lab, Result, actions

IMAGE = "/srv/image"
INSIDE = f"{IMAGE}{UNITS}"


def inside(**more: Any) -> Entry:
    return service("inside", **merged({"install": WANTED}, more))


@pytest.fixture
def image(host: Lab) -> Lab:
    """A host with another root folder, in which systemd's own units lie."""
    folders = f"{INSIDE} {IMAGE}/usr/lib/systemd {IMAGE}/var/lib"
    host.sh(f"mkdir -p {folders}; cp -a /lib/systemd/system {IMAGE}/usr/lib/systemd/; ln -s usr/lib {IMAGE}/lib")
    return host


def into(host: Lab, *units: Entry, **more: Any) -> Result:
    """A run for the image, after which the host itself is as before."""
    with host.untouched():
        return host.apply(*units, name="img", root=IMAGE, **more)


def test_an_image_gets_files_and_links_of_its_own(image: Lab) -> None:
    result = into(image, inside(secrets={"TOKEN": "not-to-be-seen"}))
    assert result["deferred"] == ["inside.service"]
    assert {action for action, _unit in actions(result)} == {"write", "enable"}
    target = image.sh(f"readlink {INSIDE}/multi-user.target.wants/inside.service")
    assert target in (f"{UNITS}/inside.service", "../inside.service")
    assert "EnvironmentFile=/etc/unitwright/img/" in image.read(f"{INSIDE}/inside.service")
    assert image.sh(f"stat -c %a {IMAGE}/etc/unitwright/img/inside.service.env") == "600"
    assert into(image, inside(secrets={"TOKEN": "not-to-be-seen"}))["plan"] == []


def test_an_image_keeps_no_record_of_runs(image: Lab) -> None:
    into(image, inside())
    assert image.sh(f"cd {IMAGE}/var/lib/unitwright && find . -type f").splitlines() == ["./system/key"]


def test_a_program_that_the_image_lacks_is_unverified(image: Lab) -> None:
    result = into(image, inside(service={"ExecStart": "/opt/only/in/the/image"}))
    assert [error["unit"] for error in result["unverified"]] == ["inside.service"]


def test_a_mistake_in_an_image_is_an_error(image: Lab) -> None:
    wrong = inside(service={"Type": "notfy"})
    result = image.refused(wrong, root=IMAGE)
    assert result["errors"][0]["directive"] == "Type"


def test_units_drop_ins_and_masks_of_an_image_go_again(image: Lab) -> None:
    dropin = {"name": "systemd-logind.service", "dropin": "50-x", "service": {"Nice": 1}}
    masked = {"name": "systemd-udevd.service", "masked": True}
    into(image, inside(), masked, dropins=[dropin])
    assert image.sh(f"readlink {INSIDE}/systemd-udevd.service") == "/dev/null"
    into(image, {"name": "systemd-udevd.service", "masked": False})
    assert not image.exists(f"{INSIDE}/systemd-udevd.service")
    into(image, state="absent")
    assert image.sh(f"find {INSIDE} -name 'inside*' -o -name '*logind*'") == ""


def test_a_changed_install_section_moves_the_links_of_an_image(image: Lab) -> None:
    into(image, inside())
    into(image, inside(install={"WantedBy": "graphical.target"}))
    assert image.sh(f"find {INSIDE} -type l") == f"{INSIDE}/graphical.target.wants/inside.service"


UNIT = service("inside", install=WANTED)


@pytest.fixture(scope="module")
def bare(host: Lab) -> Iterator[Lab]:
    """A container of the same image, with another PID 1 than systemd."""
    machine = Lab(f"{host.name}-bare-{os.getpid()}")
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
