# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What others have put in the way of a write or removal is not followed, on a host and in an image."""

from __future__ import annotations

from typing import Any

import pytest

from .entries import UNITS, Entry, app, service
from .lab import Lab


@pytest.fixture(autouse=True)
def away(host: Lab) -> None:
    """Where links lead to."""
    host.sh("rm -rf /run/away /etc/second-name; mkdir -p /run/away; echo untouched > /run/away/file")


OURS = "# Managed by Ansible (unitwright.systemd), changes are overwritten. stack=test\n"

# What somebody else has put where a write of ours would land, as shell commands; /run/away is where it would lead to.
IN_THE_WAY = {
    "link for the unit": f"ln -s /run/away/file {UNITS}/app.service",
    "dangling link for the unit": f"ln -s /run/away/nothing {UNITS}/app.service",
    "folder for the unit": f"mkdir {UNITS}/app.service",
    "pipe for the unit": f"mkfifo {UNITS}/app.service",
    "hard link for the unit": f"printf '{OURS}' > {UNITS}/app.service; ln {UNITS}/app.service /etc/second-name",
    "link for NAME.d": f"ln -s /run/away {UNITS}/app.service.d",
    "dangling link for NAME.d": f"ln -s /run/away/nothing {UNITS}/app.service.d",
    "file for NAME.d": f"touch {UNITS}/app.service.d",
    "link for the drop-in": f"mkdir {UNITS}/app.service.d; ln -s /run/away/file {UNITS}/app.service.d/own.conf",
    "hard link for the drop-in": f"mkdir {UNITS}/app.service.d; printf '{OURS}' > {UNITS}/app.service.d/own.conf; "
    f"ln {UNITS}/app.service.d/own.conf /etc/second-name",
    "link for all secrets": "ln -s /run/away /etc/unitwright",
    "dangling link for all secrets": "ln -s /run/away/nothing /etc/unitwright",
    "link for the stack's secrets": "mkdir /etc/unitwright; ln -s /run/away /etc/unitwright/test",
    "dangling link for the stack's secrets": "mkdir /etc/unitwright; ln -s /run/away/nothing /etc/unitwright/test",
    "file for the stack's secrets": "mkdir /etc/unitwright; touch /etc/unitwright/test",
    "link for a secret": "mkdir -p /etc/unitwright/test; ln -s /run/away/file /etc/unitwright/test/app.service.env",
    "hard link for a secret": "mkdir -p /etc/unitwright/test; echo x > /etc/unitwright/test/app.service.env; "
    "ln /etc/unitwright/test/app.service.env /etc/second-name",
    "link for the credentials": "mkdir -p /etc/unitwright/test; "
    "ln -s /run/away /etc/unitwright/test/app.service.credentials",
    "link for the unit folder": f"mv {UNITS} /etc/systemd/moved; ln -s moved {UNITS}",
}


def everything(**more: Any) -> Entry:
    """A declaration that writes to every place there is."""
    unit = app(1, secrets={"TOKEN": "some secret"}, credentials={"key": "some secret"})
    dropin = {"name": "app.service", "dropin": "own", "service": {"Nice": 1}}
    return {"units": [unit], "dropins": [dropin], **more}


@pytest.mark.by_force("it lies in the way of a removal, too")
@pytest.mark.parametrize("command", IN_THE_WAY.values(), ids=list(IN_THE_WAY))
def test_something_in_the_way_of_a_write(host: Lab, command: str) -> None:
    host.sh(command)
    result = host.refused(**everything())
    assert "unexpected" not in result["msg"]
    assert host.sh("ls /run/away; cat /run/away/file") == "file\nuntouched"
    # Not is-active, which has PID 1 load the unit: that of 247 then waits at a pipe for ever.
    assert not host.sh("systemctl list-units --plain --no-legend --state=active app.service")


def test_a_link_in_the_way_is_not_followed(host: Lab) -> None:
    host.write("/opt/test", "precious")
    host.sh(f"ln -s /opt/test {UNITS}/main.service")
    host.refused({**service(), "replace": True})
    assert host.read("/opt/test") == "precious"


@pytest.mark.by_force("it lies in the way of a removal, too")
@pytest.mark.parametrize(
    ("place", "path"),
    [
        (f"{UNITS}/app.service.d", "app.service.d"),
        ("/etc/unitwright/test", "test"),
        ("/etc/unitwright/test/app.service.credentials", "app.service.credentials"),
    ],
)
def test_a_folder_turned_into_a_link_is_not_followed_by_a_removal(host: Lab, place: str, path: str) -> None:
    host.apply(**everything())
    host.sh(f"mv {place} /run/away/{path} && ln -s /run/away/{path} {place}")
    before = host.listing("/run/away")
    host.attempt(state="absent")
    assert host.listing("/run/away") == before


def test_a_file_that_another_user_could_write_to_is_taken_back(host: Lab) -> None:
    """Its text is right, but whoever owns a unit file is root at its next start."""
    host.apply(**everything())
    before = host.listing("/etc")
    host.sh(f"chown daemon {UNITS}/app.service {UNITS}/app.service.d/own.conf")
    host.sh("chown daemon /etc/unitwright/test/app.service.env && chmod 0666 /etc/unitwright/test/*/key")
    result = host.apply(**everything())
    assert result["changed"]
    assert host.listing("/etc") == before


def image(host: Lab) -> str:
    host.sh(
        "rm -rf /run/image; mkdir -p /run/image/etc/systemd/system /run/image/usr/lib/systemd/system /run/image/var/lib"
    )
    return "/run/image"


@pytest.mark.parametrize(
    ("place", "target"),
    [
        *((place, "/run/away") for place in ("etc", "etc/systemd", "etc/systemd/system", "etc/unitwright")),
        *((place, "/run/away") for place in ("var", "var/lib/unitwright")),
        ("etc/systemd/system", "../../../../../../run/away"),
    ],
)
def test_no_link_leads_out_of_an_image(host: Lab, place: str, target: str) -> None:
    root = image(host)
    host.sh(f"rm -rf {root}/{place}; ln -s {target} {root}/{place}")
    host.sh("mkdir -p /run/away/systemd/system /run/away/lib")
    places = ("/run/away", root, "/etc", "/var/lib/unitwright")
    before = host.listing(*places)
    result = host.failing(**everything(root=root))
    assert "is a symbolic link" in result["msg"]
    assert host.listing(*places) == before


def test_a_link_in_an_image_is_read_as_the_image_means_it(host: Lab) -> None:
    """dbus.service of the image is a link to what only the image has, and /lib leads to its own /usr/lib."""
    root = image(host)
    inside = f"{root}/usr/lib/systemd/system"
    host.sh(
        f"rm -rf {root}/lib; ln -s /usr/lib {root}/lib; ln -s /lib/systemd/system/other.service {inside}/alias.service"
    )
    host.write(f"{inside}/other.service", "[Service]\nExecStart=/bin/true\n")
    result = host.failing(app(1, "nginx"), app(1, "other"), root=root)
    assert [error["unit"] for error in result["errors"]] == ["other.service"]


@pytest.mark.by_force("a folder of others is empty")
def test_files_that_are_not_utf8(host: Lab) -> None:
    """Garbage of ours is mended; a drop-in and units of someone else stay, and hinder nothing."""
    host.apply(app(1))
    garbage = "\\377\\376\\200[Service\\nUser\\0=x"
    host.sh(f"printf '{OURS}{garbage}' > {UNITS}/app.service; mkdir {UNITS}/app.service.d")
    host.sh(f"printf '[Service]\\nNice=1\\n# {garbage}' > {UNITS}/app.service.d/theirs.conf")
    host.sh(f"printf '{garbage}' > {UNITS}/theirs.service; printf '{garbage}' > '{UNITS}/odd name'")
    host.sh(f"mkdir '{UNITS}/caf\\351.service.d' 2>/dev/null; touch $(printf '{UNITS}/caf\\351.service')")
    host.apply(app(2))
    assert host.version() == "2"
    assert "echo 2" in host.read(f"{UNITS}/app.service")
    assert not host.apply(app(2))["changed"]
    assert host.failing(app(1, "theirs"))["errors"][0]["rule"] == "owner"
    host.apply(app(2), prune=True)
    assert host.exists(f"{UNITS}/theirs.service")
