# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the message of a failed start advises does mend it."""

from __future__ import annotations

from typing import Any

import pytest

from .entries import Entry, merged, service
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
        # 247 makes the folders on the way to what is bound by UMask=, and so closed to others.
        closed = user != "root" and host.systemd < 252
        told = "{home: read}" if closed else f"{{home: [{SHUT}/data]}}"
        assert error["remedy"] == f"allow it in the option hardening: allow: [{told}]"
        allowed = {"profile": "strict", "allow": [{"home": "read" if closed else [f"{SHUT}/data"]}]}
        host.apply({**unit, "hardening": allowed}, health={"stable_for": 1})
    finally:
        undo(host)


@pytest.mark.parametrize("mode", [0o700, 0o744])
@pytest.mark.parametrize("is_script", [True, False], ids=["script", "binary"])
def test_of_what_is_not_executable_for_its_user(host: Lab, is_script: bool, mode: int) -> None:
    """A script has to be readable, too: its interpreter opens it."""
    host.write("/opt/private", "#!/bin/sh\nexec sleep infinity\n", mode)
    if not is_script:
        host.sh(f"cp /bin/sleep /opt/private; chmod {mode:o} /opt/private")
    try:
        unit = service(command="/opt/private infinity", service={"User": USER})
        error = host.error_of(unit, stable_for=1)
        assert error["remedy"].startswith("chmod ") and error["remedy"].endswith(" /opt/private"), error
        host.sh(error["remedy"])
        host.apply(unit, health={"stable_for": 1})
    finally:
        host.sh("rm -f /opt/private")


def writes(path: str, **directives: Any) -> Entry:
    return service(command=f"/bin/sh -c 'echo x > {path} && exec sleep infinity'", service=directives)


STRICT = {"hardening": {"profile": "strict"}}


@pytest.mark.parametrize(
    "more", [{}, STRICT, {"service": {"ProtectSystem": "strict"}}], ids=["mode", "hardened", "text"]
)
@pytest.mark.parametrize(
    ("path", "advised", "mended", "directives"),
    [
        (
            "/var/lib/main.db",
            "have it write to /var/lib/main, which StateDirectory=main makes for it",
            "/var/lib/main/main.db",
            {"StateDirectory": "main"},
        ),
        (
            "/var/log/main.log",
            "have it write to /var/log/main, which LogsDirectory=main makes for it",
            "/var/log/main/main.log",
            {"LogsDirectory": "main"},
        ),
        (
            "/etc/main.conf",
            "have it write to /var/lib/main, which StateDirectory=main makes for it",
            "/var/lib/main/main.conf",
            {"StateDirectory": "main"},
        ),
    ],
    ids=["state", "logs", "etc"],
)
def test_of_what_it_may_not_write(
    host: Lab, more: Entry, path: str, advised: str, mended: str, directives: Entry
) -> None:
    """Nobody is told to open a folder of the system, by a directive nor by its mode, and it is told once."""
    unit = merged(writes(path, User=USER), more)
    result = host.failing(unit, health={"stable_for": 1, "timeout": 15})
    assert [error["remedy"] for error in result["errors"]] == [advised]
    assert "refused to it" not in " ".join(result.get("warnings", ()))
    host.apply(merged(writes(mended, User=USER, **directives), more), health={"stable_for": 1})


def test_of_what_lies_with_root_or_with_another(host: Lab) -> None:
    prepare(host)
    host.sh(f"chmod 700 {FOLDER}; mkdir -p /root/app /srv/app; echo x > /srv/app/data; cp /srv/app/data /root/app/data")
    try:
        for folder in ("/root/app", SHUT):
            for unit in (
                service(service={"User": USER, "WorkingDirectory": folder}),
                reads(f"{folder}/data", User=USER),
            ):
                remedy = host.error_of(unit, stable_for=1)["remedy"]
                assert remedy.startswith("have it below /opt or /srv, where that user may read it")
                assert "chmod" not in remedy
        host.apply(reads("/srv/app/data", User=USER, WorkingDirectory="/srv/app"))
    finally:
        undo(host)
        host.sh("rm -rf /root/app /srv/app")


def test_of_a_file_that_a_group_may_read(host: Lab) -> None:
    remedy = host.error_of(reads("/etc/shadow && cat /etc/shadow", User=USER), stable_for=1)["remedy"]
    assert remedy == "add shadow to SupplementaryGroups="
    host.apply(reads("/etc/shadow && cat /etc/shadow", User=USER, SupplementaryGroups="shadow"))


def test_hardening_is_not_blamed_for_what_a_mode_refuses(host: Lab) -> None:
    """The program says so, and goes on."""
    command = "/bin/sh -c 'echo x > /var/lib/main.db; exec sleep infinity'"
    unit = {"name": "main", "user": USER, "exec_start": command, "service": {"ReadWritePaths": "/var/lib"}}
    result = host.apply(services=[{**unit, **STRICT}], health={"stable_for": 1})
    assert result["hardening"]["main.service"]["refused"] == []
    assert "warnings" not in result
