# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host where something lies in the way: links, files of others, broken files, damaged records, our own connection."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.testbed.host import Host
from tests.testbed.listing import listing

from .world import (
    Entry,
    Result,
    app,
    failing,
    invocation,
    no_record,
    program,
    show,
    stack,
    state,
    until,
    untouched,
    version,
)

pytestmark = pytest.mark.usefixtures("tidy")

UNITS = "/etc/systemd/system"
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


@pytest.fixture(autouse=True)
def away(host: Host) -> None:
    """Where links lead to."""
    host.sh("rm -rf /run/away /etc/second-name; mkdir -p /run/away; echo untouched > /run/away/file")


def everything(**more: Any) -> dict[str, Any]:
    """A declaration that writes to every place there is."""
    unit = app(1, secrets={"TOKEN": "some secret"}, credentials={"key": "some secret"})
    dropin = {"name": "app.service", "dropin": "own", "service": {"Nice": 1}}
    return {"name": "test", "units": [unit], "dropins": [dropin], **more}


@pytest.mark.parametrize("command", IN_THE_WAY.values(), ids=list(IN_THE_WAY))
def test_something_in_the_way_of_a_write(host: Host, command: str) -> None:
    host.sh(command)
    with untouched(host):
        result = host.module("stack", **everything())
        assert result.get("failed"), result["plan"]
    assert "unexpected" not in result["msg"]
    assert result["errors"]
    assert host.sh("ls /run/away; cat /run/away/file") == "file\nuntouched"
    # Not is-active, which has PID 1 load the unit: that of 247 then waits at a pipe for ever.
    assert not host.sh("systemctl list-units --plain --no-legend --state=active app.service")


@pytest.mark.parametrize(
    ("place", "path"),
    [
        (f"{UNITS}/app.service.d", "app.service.d"),
        ("/etc/unitwright/test", "test"),
        ("/etc/unitwright/test/app.service.credentials", "app.service.credentials"),
    ],
)
def test_a_folder_turned_into_a_link_is_not_followed_by_a_removal(host: Host, place: str, path: str) -> None:
    host.module("stack", **everything())
    host.sh(f"mv {place} /run/away/{path} && ln -s /run/away/{path} {place}")
    before = listing(host, "/run/away")
    host.module("stack", name="test", state="absent")
    assert listing(host, "/run/away") == before


def test_a_file_that_another_user_could_write_to_is_taken_back(host: Host) -> None:
    """Its text is right, but whoever owns a unit file is root at its next start."""
    host.module("stack", **everything())
    before = listing(host, "/etc")
    host.sh(f"chown daemon {UNITS}/app.service {UNITS}/app.service.d/own.conf")
    host.sh("chown daemon /etc/unitwright/test/app.service.env && chmod 0666 /etc/unitwright/test/*/key")
    result = host.module("stack", **everything())
    assert result["changed"], result["msg"]
    assert listing(host, "/etc") == before


def image(host: Host) -> str:
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
def test_no_link_leads_out_of_an_image(host: Host, place: str, target: str) -> None:
    root = image(host)
    host.sh(f"rm -rf {root}/{place}; ln -s {target} {root}/{place}")
    host.sh("mkdir -p /run/away/systemd/system /run/away/lib")
    places = ("/run/away", root, "/etc", "/var/lib/unitwright")
    before = listing(host, *places)
    result = host.module("stack", **everything(root=root))
    assert result.get("failed")
    assert "is a symbolic link" in result["msg"]
    assert listing(host, *places) == before


def test_a_link_in_an_image_is_read_as_the_image_means_it(host: Host) -> None:
    """dbus.service of the image is a link to what only the image has, and /lib leads to its own /usr/lib."""
    root = image(host)
    inside = f"{root}/usr/lib/systemd/system"
    host.sh(
        f"rm -rf {root}/lib; ln -s /usr/lib {root}/lib; ln -s /lib/systemd/system/other.service {inside}/alias.service"
    )
    host.write(f"{inside}/other.service", "[Service]\nExecStart=/bin/true\n")
    result = failing(host, {**app(1), "name": "nginx.service"}, {**app(1), "name": "other.service"}, root=root)
    assert [error["unit"] for error in result["errors"]] == ["other.service"]


def test_files_that_are_not_utf8(host: Host) -> None:
    """Garbage of ours is mended; a drop-in and units of someone else stay, and hinder nothing."""
    stack(host, app(1))
    garbage = "\\377\\376\\200[Service\\nUser\\0=x"
    host.sh(f"printf '{OURS}{garbage}' > {UNITS}/app.service; mkdir {UNITS}/app.service.d")
    host.sh(f"printf '[Service]\\nNice=1\\n# {garbage}' > {UNITS}/app.service.d/theirs.conf")
    host.sh(f"printf '{garbage}' > {UNITS}/theirs.service; printf '{garbage}' > '{UNITS}/odd name'")
    host.sh(f"mkdir '{UNITS}/caf\\351.service.d' 2>/dev/null; touch $(printf '{UNITS}/caf\\351.service')")
    stack(host, app(2))
    assert version(host) == "2"
    assert "echo 2" in host.read(f"{UNITS}/app.service")
    assert not stack(host, app(2))["changed"]
    assert failing(host, {**app(1), "name": "theirs.service"})["errors"][0]["rule"] == "owner"
    stack(host, app(2), prune=True)
    assert host.exists(f"{UNITS}/theirs.service")


@pytest.mark.parametrize("name", ["running/test.json", "accepted.json"])
def test_damaged_records(host: Host, name: str) -> None:
    """What cannot be read counts as not there; the run goes on and leaves it in order."""
    stack(host, app(1))
    path = f"/var/lib/unitwright/system/{name}"
    damages = ["", "\\0\\377", '{"up": []}']
    for number, damage in enumerate(damages, 2):
        host.sh(f"mkdir -p $(dirname {path}) && printf '%b' '{damage}' > {path}")
        result = stack(host, app(number))
        assert result["restarted"] == ["app.service"], damage
    assert no_record(host)
    assert version(host) == str(len(damages) + 1)


RECORD: dict[str, Any] = {
    "boot": "another",
    "begun": "2001-01-01T00:00:00Z",
    "backups": {},
    "enabled": [],
    "links": {},
    "up": {},
    "owed": {},
    "watched": {},
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"backups": {"/etc/passwd": None}},
        {"owed": {"a/b": "restart"}, "watched": {"a/b": "up"}, "up": {"a/b": ""}, "enabled": ["a/b"]},
    ],
    ids=["a file of others", "a unit that is none"],
)
def test_a_record_of_the_right_shape_with_wrong_contents(host: Host, wrong: dict[str, Any]) -> None:
    """Only root can write there, and so can a broken disk: it must not cost more than what is recorded."""
    host.write("/var/lib/unitwright/system/running/test.json", json.dumps({**RECORD, **wrong}), 0o600)
    stack(host, app(1))
    failing(host, app(2, service={"ExecStart": program(2, then="exit 3")}))
    assert host.exists("/etc/passwd")
    assert state(host, "app.service") == "active"
    assert no_record(host)


@pytest.mark.parametrize("damage", ["rm -f {key}", ": > {key}", "printf x > {key}"])
def test_a_damaged_key_costs_one_restart_at_most(host: Host, damage: str) -> None:
    entry = app(1, secrets={"TOKEN": "some secret"})
    stack(host, entry)
    host.sh(damage.format(key="/var/lib/unitwright/system/key"))
    stack(host, entry)
    assert not stack(host, entry)["changed"]
    assert host.sh("stat -c '%a %U' /var/lib/unitwright/system/key") == "600 root"
    assert state(host, "app.service") == "active"


def inside(host: Host, unit: str, **arguments: Any) -> Result:
    """Run the module from a unit of its own, as an agent of the host would."""
    prefix = ["systemd-run", "--quiet", "--pipe", "--wait", "--collect", f"--unit={unit}"]
    result = host.module("stack", prefix=prefix, **arguments)
    # systemd-run is back as soon as the unit is inactive; PID 1 takes its file away when it next collects.
    until(lambda: not host.exists(f"/run/systemd/transient/{unit}"), f"{unit} is not collected")
    return result


def test_a_run_does_not_restart_what_it_lives_in(host: Host) -> None:
    """Changed under its own feet the unit goes on with what it was started with, and the result says so."""
    agent = "agent.service"
    dropin: Entry = {"name": agent, "dropin": "own", "service": {"LimitNOFILE": 1234}}
    result = inside(host, agent, name="test", dropins=[dropin])
    assert not result.get("failed"), result
    assert "connection" in result["kept"][agent]
    assert result["restarted"] == []
    assert host.exists(f"{UNITS}/{agent}.d/own.conf")


def test_a_run_does_not_stop_what_it_lives_in(host: Host) -> None:
    with untouched(host):
        result = inside(host, "agent.service", name="test", units=[{"name": "agent.service", "state": "stopped"}])
    assert result["failed"]
    assert [error["rule"] for error in result["errors"]] == ["own-connection"]


def test_what_carries_a_connection_is_kept_and_not_stopped(host: Host) -> None:
    unit = "dbus.service"
    before = invocation(host, unit)
    dropin: Entry = {"name": unit, "dropin": "own", "service": {"LimitNOFILE": 1234}}
    result = stack(host, dropins=[dropin])
    assert "connection" in result["kept"][unit]
    refused = failing(host, {"name": unit, "state": "stopped"}, name="other")
    assert [error["rule"] for error in refused["errors"]] == ["own-connection"]
    masked = failing(host, {"name": unit, "masked": True}, name="other")
    assert [error["rule"] for error in masked["errors"]] == ["own-connection"]
    assert invocation(host, unit) == before


def test_a_slice_that_a_run_lives_in_is_not_stopped(host: Host) -> None:
    result = failing(host, {"name": "system.slice", "state": "stopped"})
    assert [error["rule"] for error in result["errors"]] == ["own-connection"]
    assert show(host, "system.slice", "ActiveState") == "active"
