# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the message of a failed start advises does mend it."""

from __future__ import annotations

from typing import Any

import pytest

from .entries import Entry, service
from .lab import USER, Lab

FOLDER = "/home/stranger"
SHUT = f"{FOLDER}/app"


def prepare(host: Lab) -> None:
    host.sh("id stranger 2>/dev/null || useradd --create-home stranger")
    host.sh(f"mkdir -p {SHUT} /opt/shut/in; chmod 755 {FOLDER}")
    host.write(f"{SHUT}/data", "x\n")
    host.write("/opt/shut/in/data", "x\n")


def reads(path: str, **directives: Any) -> Entry:
    return service(command=f"/bin/sh -c 'ls {path} && exec sleep infinity'", service=directives)


def undo(host: Lab) -> None:
    host.sh("userdel -r stranger 2>/dev/null; rm -rf /opt/shut", check=False)


@pytest.mark.parametrize("user", ["root", USER])
@pytest.mark.parametrize(
    ("path", "broken", "advised", "mended"),
    [
        (
            SHUT,
            {"ProtectHome": True, "WorkingDirectory": SHUT},
            ("ProtectHome=tmpfs", f"BindReadOnlyPaths={SHUT}"),
            {"ProtectHome": "tmpfs", "WorkingDirectory": SHUT, "BindReadOnlyPaths": SHUT},
        ),
        (
            f"{SHUT}/data",
            {"ProtectHome": True},
            ("ProtectHome=tmpfs", f"BindReadOnlyPaths={SHUT}/data"),
            {"ProtectHome": "tmpfs", "BindReadOnlyPaths": f"{SHUT}/data"},
        ),
        (
            f"{SHUT}/data",
            {"ProtectHome": True, "BindPaths": SHUT},
            ("ProtectHome=tmpfs",),
            {"ProtectHome": "tmpfs", "BindPaths": SHUT},
        ),
        (
            f"{SHUT}/data",
            {"ProtectHome": "tmpfs"},
            (f"BindReadOnlyPaths={SHUT}/data",),
            {"ProtectHome": "tmpfs", "BindReadOnlyPaths": f"{SHUT}/data"},
        ),
        (
            "/opt/shut/in/data",
            {"InaccessiblePaths": "/opt/shut", "BindReadOnlyPaths": "/opt/shut/in"},
            ("take /opt/shut out of InaccessiblePaths=",),
            {"BindReadOnlyPaths": "/opt/shut/in"},
        ),
    ],
    ids=["folder", "file", "bound already", "tmpfs", "inaccessible"],
)
def test_of_what_is_hidden(
    host: Lab, user: str, path: str, broken: Entry, advised: tuple[str, ...], mended: Entry
) -> None:
    """Nothing that is bound below a folder that is made inaccessible is there, for root either."""
    prepare(host)
    try:
        error = host.error_of(reads(path, User=user, **broken), stable_for=1)
        assert all(each in error["remedy"] for each in advised), error
        host.apply(reads(path, User=user, **mended), health={"stable_for": 1})
    finally:
        undo(host)


@pytest.mark.parametrize("user", ["root", USER])
def test_of_what_hardening_hides(host: Lab, user: str) -> None:
    prepare(host)
    try:
        unit = reads(f"{SHUT}/data", User=user)
        error = host.error_of({**unit, "hardening": {"profile": "strict"}}, stable_for=1)
        assert error["remedy"] == f"allow it in the option hardening: allow: [{{home: [{SHUT}/data]}}]"
        allowed = {"profile": "strict", "allow": [{"home": [f"{SHUT}/data"]}]}
        host.apply({**unit, "hardening": allowed}, health={"stable_for": 1})
    finally:
        undo(host)
