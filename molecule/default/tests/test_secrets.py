# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The secrets reach the process and nothing else."""

from __future__ import annotations

import base64
import hmac
import json

import pytest
from testinfra.host import Host

from .conftest import Get, Show

# Both secrets have it in them, and no quoting changes it.
CANARY = "sesame"


@pytest.fixture
def environment_file(show: Show) -> str:
    path, _rest = show("myapi.service", "EnvironmentFiles").split(maxsplit=1)
    return path


def test_only_root_may_read_the_file(host: Host, environment_file: str) -> None:
    file = host.file(environment_file)
    assert (file.user, file.group, file.mode) == ("root", "root", 0o600)
    assert file.content_string.count(CANARY) == 2


def test_the_process_has_them_to_the_letter(get: Get, variables: dict) -> None:
    token = json.loads(get("http://127.0.0.1:3000/token"))["token"]
    signed, _dot, signature = token.rpartition(".")
    expected = hmac.digest(variables["demo_jwt_secret"].encode(), signed.encode(), "sha256")
    assert base64.urlsafe_b64decode(signature + "=") == expected
    assert json.loads(get("http://127.0.0.1:3000/health"))["database"] == "localhost/mydb"


def test_they_stand_in_no_other_file(host: Host, environment_file: str) -> None:
    places = "/etc /run /tmp /var /usr/local /root"
    assert host.run(f"grep --recursive --files-with-matches --devices=skip {CANARY} {places}").stdout.split() == [
        environment_file
    ]


@pytest.mark.parametrize(
    "command",
    [
        "systemctl cat myapi.service",
        "systemctl show myapi.service",
        "systemctl status --full --no-pager myapi.service",
        "ps -eww -o args",
        "curl --silent http://127.0.0.1:3000/health",
    ],
)
def test_nothing_shows_them(host: Host, command: str) -> None:
    shown = host.check_output(command)
    assert shown
    assert CANARY not in shown


def test_the_journal_never_had_them(host: Host) -> None:
    # Ansible logs there what a module is called with, so its entries must still be there for this to say something.
    assert host.check_output("journalctl --quiet --no-pager --grep='^Invoked with' --lines=1")
    assert host.run("journalctl --quiet --no-pager --all --output=json | grep --fixed-strings %s", CANARY).stdout == ""
