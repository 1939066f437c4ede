# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a unit cannot be up without, by its text."""

from __future__ import annotations

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax import dependencies, unitfile

from tests.unit._syntax.test_loadpath import ETC, loadpath

MOUNTS = loadpath({f"{ETC}/srv.mount": "[Mount]\nWhat=/dev/a\n", f"{ETC}/srv-a.mount": "[Mount]\nWhat=/dev/b\n"})


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        (
            "[Unit]\nRequires=a.service b.service",
            [("Unit", "Requires", "a.service"), ("Unit", "Requires", "b.service")],
        ),
        ("[Unit]\nRequisite=a.service", [("Unit", "Requisite", "a.service")]),
        ("[Unit]\nBindsTo=a.service", [("Unit", "BindsTo", "a.service")]),
        ("[Unit]\nWants=a.service\nAfter=a.service\nPartOf=a.service\nUpholds=a.service", []),
        (
            "[Unit]\nRequiresMountsFor=/srv/a/b",
            [("Unit", "RequiresMountsFor", "srv.mount"), ("Unit", "RequiresMountsFor", "srv-a.mount")],
        ),
        ("[Unit]\nRequiresMountsFor=/opt", []),
        ("[Unit]\nRequiresMountsFor=/srv/../a srv", []),
        ("[Service]\nWorkingDirectory=/srv", [("Service", "WorkingDirectory", "srv.mount")]),
        ("[Service]\nRootDirectory=/srv", [("Service", "RootDirectory", "srv.mount")]),
        ("[Socket]\nWorkingDirectory=/srv", [("Socket", "WorkingDirectory", "srv.mount")]),
        ("[Mount]\nRootDirectory=/srv", [("Mount", "RootDirectory", "srv.mount")]),
        ("[Swap]\nWorkingDirectory=/srv", [("Swap", "WorkingDirectory", "srv.mount")]),
        ("[Slice]\nWorkingDirectory=/srv", []),
        ("[Service]\nWorkingDirectory=-/srv", []),
        ("[Service]\nWorkingDirectory=~", []),
        (
            "[Service]\nSlice=a-b.slice",
            [("Service", "Slice", "a.slice"), ("Service", "Slice", "a-b.slice")],
        ),
        ("[Mount]\nSlice=a.slice", [("Mount", "Slice", "a.slice")]),
        ("[Scope]\nSlice=a.slice", []),
        ("[Service]\nSlice=-.slice", [("Service", "Slice", "-.slice")]),
    ],
)
def test_what_is_needed(text: str, needed: list[tuple[str, str, str]]) -> None:
    assert list(dependencies.needs(unitfile.effective([unitfile.parse(text)]), MOUNTS)) == needed


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
