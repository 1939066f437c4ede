# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a unit cannot be up without, by its text."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax import dependencies

from tests.unit._syntax.test_loadpath import ETC, loadpath

MOUNT = "[Mount]\nWhat=tmpfs\n"
MOUNTS = ("srv", "srv-a", "srv-a-b", "var-lib-app", "run-app", "var-tmp", "tmp", "home-me-app")
FILES = {f"{ETC}/{name}.mount": MOUNT for name in MOUNTS}
MADE = {"RuntimeDirectory": "/run", "StateDirectory": "/var/lib", "CacheDirectory": "/var/cache"}


def needed_by(unit: str, text: str, version: int = 252, **made: str) -> list[tuple[str, str, str]]:
    found = replace(loadpath({**FILES, f"{ETC}/{unit}": text}), made=made or MADE, version=version)
    return list(dependencies.needs(unit, found))


@pytest.mark.parametrize(
    ("unit", "text", "needed"),
    [
        (
            *("u.service", "[Unit]\nRequires=a.service b.service"),
            [("Unit", "Requires", "a.service"), ("Unit", "Requires", "b.service")],
        ),
        ("u.service", "[Unit]\nRequisite=a.service", [("Unit", "Requisite", "a.service")]),
        ("u.service", "[Unit]\nBindsTo=a.service", [("Unit", "BindsTo", "a.service")]),
        ("u.service", "[Unit]\nWants=a.service\nAfter=a.service\nPartOf=a.service\nUpholds=a.service", []),
        (
            *("u.service", "[Unit]\nRequiresMountsFor=/srv/a/c"),
            [("Unit", "RequiresMountsFor", "srv.mount"), ("Unit", "RequiresMountsFor", "srv-a.mount")],
        ),
        ("u.service", "[Unit]\nRequiresMountsFor=/opt", []),
        ("u.service", "[Unit]\nRequiresMountsFor=/srv/../a srv", []),
        ("u.timer", '[Unit]\nRequiresMountsFor="/srv" /opt', [("Unit", "RequiresMountsFor", "srv.mount")]),
        ("u.service", "[Service]\nWorkingDirectory=/srv", [("Service", "WorkingDirectory", "srv.mount")]),
        ("u.service", "[Service]\nRootDirectory=/srv", [("Service", "RootDirectory", "srv.mount")]),
        ("u.service", "[Service]\nRootImage=/srv/image", [("Service", "RootImage", "srv.mount")]),
        ("u.socket", "[Socket]\nWorkingDirectory=/srv", []),
        (
            *("u.socket", "[Socket]\nWorkingDirectory=/srv\nExecStartPre=/bin/true"),
            [("Socket", "WorkingDirectory", "srv.mount")],
        ),
        ("opt.mount", "[Mount]\nRootDirectory=/srv", [("Mount", "RootDirectory", "srv.mount")]),
        ("opt.swap", "[Swap]\nWorkingDirectory=/srv", [("Swap", "WorkingDirectory", "srv.mount")]),
        ("u.slice", "[Slice]\nWorkingDirectory=/srv", []),
        ("u.service", "[Socket]\nWorkingDirectory=/srv", []),
        ("u.service", "[Service]\nWorkingDirectory=-/srv", []),
        ("u.service", "[Service]\nWorkingDirectory=~", []),
        ("u.service", "[Service]\nStateDirectory=x app/sub", [("Service", "StateDirectory", "var-lib-app.mount")]),
        ("u.service", '[Service]\nStateDirectory="app:other"', [("Service", "StateDirectory", "var-lib-app.mount")]),
        ("u.service", "[Service]\nRuntimeDirectory=app", [("Service", "RuntimeDirectory", "run-app.mount")]),
        ("u.service", "[Service]\nStateDirectory=/app ../lib/app", []),
        ("u.service", "[Service]\nWorkingDirectory=%S/app", [("Service", "WorkingDirectory", "var-lib-app.mount")]),
        ("u.service", "[Service]\nWorkingDirectory=/srv/%%S", [("Service", "WorkingDirectory", "srv.mount")]),
        ("app.service", "[Service]\nStateDirectory=%p", [("Service", "StateDirectory", "var-lib-app.mount")]),
        (
            *("u@a.service", "[Service]\nWorkingDirectory=/srv/%i"),
            [("Service", "WorkingDirectory", "srv.mount"), ("Service", "WorkingDirectory", "srv-a.mount")],
        ),
        ("u.service", "[Service]\nPrivateTmp=yes", [("Service", "PrivateTmp", "var-tmp.mount")]),
        ("u.service", "[Service]\nDynamicUser=yes", [("Service", "DynamicUser", "var-tmp.mount")]),
        ("u.socket", "[Socket]\nListenStream=/srv/s", [("Socket", "ListenStream", "srv.mount")]),
        ("u.socket", "[Socket]\nListenFIFO=/srv/s", [("Socket", "ListenFIFO", "srv.mount")]),
        ("u.socket", "[Socket]\nListenMessageQueue=/srv\nListenStream=@/srv/s", []),
        ("u.path", "[Path]\nPathExistsGlob=/srv/*", [("Path", "PathExistsGlob", "srv.mount")]),
        ("u.path", "[Path]\nPathModified=/srv/x", [("Path", "PathModified", "srv.mount")]),
        ("opt.mount", "[Mount]\nWhat=/srv/x\nOptions=bind", [("Mount", "What", "srv.mount")]),
        ("opt.mount", "[Mount]\nWhat=/srv\nWhat=tmpfs", []),
        ("opt.mount", "[Mount]\nWhat=//srv/x\nType=cifs", []),
        ("opt.mount", "[Mount]\nWhat=/srv\nOptions=rw,_netdev", []),
        ("srv-x.mount", "[Mount]\nWhat=tmpfs", [("Mount", "Where", "srv.mount")]),
        ("srv-x.automount", "[Automount]\nWhere=/srv/x", [("Automount", "Where", "srv.mount")]),
        ("srv-x.swap", "[Swap]\nWhat=/srv/x", [("Swap", "What", "srv.mount")]),
        (
            *("u.service", "[Service]\nSlice=a-b.slice"),
            [("Service", "Slice", "a.slice"), ("Service", "Slice", "a-b.slice")],
        ),
        ("opt.mount", "[Mount]\nSlice=a.slice", [("Mount", "Slice", "a.slice")]),
        ("u@x.service", "[Service]\nSlice=%i.slice", [("Service", "Slice", "x.slice")]),
        ("u.scope", "[Scope]\nSlice=a.slice", []),
        ("u.service", "[Service]\nSlice=-.slice", [("Service", "Slice", "-.slice")]),
    ],
)
def test_what_is_needed(unit: str, text: str, needed: list[tuple[str, str, str]]) -> None:
    assert needed_by(unit, text) == needed


@pytest.mark.parametrize(
    "text",
    [
        *("[Service]\nRootDirectory=/srv", "[Service]\nRootImage=/srv/i", "[Service]\nWorkingDirectory=-/srv"),
        *("[Service]\nPrivateTmp=yes", "[Unit]\nWantsMountsFor=/srv"),
    ],
)
def test_what_is_wanted_and_not_needed_by_now(text: str) -> None:
    assert needed_by("u.service", text, version=257) == []
    found = replace(loadpath({**FILES, f"{ETC}/u.service": text}), version=257)
    assert {name for name, _other in dependencies.implied("u.service", found)} == {"Wants"}


def test_the_folders_of_a_user_are_the_users() -> None:
    text = "[Service]\nStateDirectory=app"
    assert needed_by("u.service", text, StateDirectory="/home/me") == [
        ("Service", "StateDirectory", "home-me-app.mount")
    ]


def test_what_that_needs_in_turn() -> None:
    found = loadpath(
        {
            f"{ETC}/a.service": "[Unit]\nRequires=b.service\nWants=x.service\n",
            f"{ETC}/b.service": "[Unit]\nBindsTo=c.service a.service\n",
            f"{ETC}/c.service": "[Unit]\nRequires=no-unit\n",
        }
    )
    assert dependencies.needed(["a.service"], found) == {"a.service", "b.service", "c.service", "no-unit"}
    assert dependencies.needed(["d.service", "%i"], found) == {"d.service", "%i"}
    assert dependencies.needed([], found) == set()


def test_the_units_that_a_text_names() -> None:
    """By the names that systemd lists them under; what only systemd can resolve is not known."""
    text = "[Unit]\nAfter=b@%i.service c.service %p.target d-%H.service\n[Install]\nRequiredBy=b@%i.service\n"
    found = loadpath(
        {f"{ETC}/a@.service": text, f"{ETC}/x.service": "[Unit]\n"}, {f"{ETC}/c.service": f"{ETC}/x.service"}
    )
    assert dependencies.named("a@1.service", "After", found) == ["b@1.service", "x.service", "a.target"]
    assert dependencies.named("a@1.service", "RequiredBy", found, "Install") == ["b@1.service"]
    assert dependencies.named("a@1.service", "Before", found) == []
