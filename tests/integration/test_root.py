# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Under root an image gets files and links of its own, by a host that stays as it is."""

from __future__ import annotations

from typing import Any

import pytest

from .entries import UNITS, WANTED, Entry, merged, service
from .lab import Lab, Result, actions

IMAGE = "/srv/image"

INSIDE = f"{IMAGE}{UNITS}"


@pytest.fixture
def image(host: Lab) -> Lab:
    """A host with another root folder, in which systemd's own units lie."""
    folders = f"{INSIDE} {IMAGE}/usr/lib/systemd {IMAGE}/var/lib"
    host.sh(f"mkdir -p {folders}; cp -a /lib/systemd/system {IMAGE}/usr/lib/systemd/; ln -s usr/lib {IMAGE}/lib")
    return host


def inside(**more: Any) -> Entry:
    return service("inside", **merged({"install": WANTED}, more))


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


def test_a_link_of_an_image_is_followed_within_it(image: Lab) -> None:
    """Else the variables of a file of the host would count."""
    image.write("/etc/real.env", "A=1\n")
    image.write(f"{IMAGE}/etc/real.env", "A=2\n")
    image.sh(f"ln -s /etc/real.env {IMAGE}/etc/inside.env")
    image.write(f"{INSIDE}/inside.service.d/theirs.conf", "[Service]\nEnvironmentFile=/etc/inside.env\n")
    result = into(image, inside(environment={"A": "1"}))
    assert [error["rule"] for error in result["unverified"]] == ["overridden"]


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


def test_a_user_id_that_has_no_name(host: Lab) -> None:
    """As a container may be run: an image needs none, and scope user says what is missing."""
    image = "/srv/nameless"
    host.sh(f"mkdir -p {image}{UNITS} {image}/var/lib {image}/usr/lib/systemd/system; chown -R 12345 {image}")
    nameless = ("setpriv", "--reuid=12345", "--regid=12345", "--clear-groups")
    host.apply(service(install=WANTED), root=image, prefix=nameless)
    assert host.sh(f"stat -c %u {image}{UNITS}/main.service") == "12345"
    result = host.refused(service(), scope="user", prefix=nameless)
    assert [error["rule"] for error in result["errors"]] == ["become"]
    assert "12345" in result["msg"]
