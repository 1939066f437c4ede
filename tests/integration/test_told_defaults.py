# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documentation calls systemd's own default is: a unit that says it is the same as one that does not."""

from __future__ import annotations

import pytest
from ansible_collections.unitwright.systemd.plugins.doc_fragments.short import default
from ansible_collections.unitwright.systemd.plugins.module_utils._desired.short import PROCESS, SHORT, Short

from .entries import FOREVER, Entry
from .lab import Lab

FORMS: dict[str, tuple[dict[str, Short], Entry]] = {
    "service": ({**SHORT["service"], **PROCESS}, {"ExecStart": FOREVER}),
    "timer": (SHORT["timer"], {"OnCalendar": "yearly", "Unit": "default.target"}),
    "socket": (SHORT["socket"], {"ListenStream": "127.0.0.1:8640", "Service": "dbus.service"}),
}


def shown(host: Lab, unit: str) -> dict[str, list[str]]:
    """Properties as words, as units are listed in any order."""
    lines = host.sh(f"systemctl show {unit}").splitlines()
    found = {name: sorted(value.split()) for name, _equals, value in (line.partition("=") for line in lines)}
    return {name: value for name, value in found.items() if not name.endswith(("Timestamp", "Monotonic", "Fields"))}


@pytest.mark.parametrize("form", FORMS)
def test_the_default_that_is_told_is_that_of_systemd(host: Lab, form: str) -> None:
    rows, given = FORMS[form]
    unit = f"blank.{form}"
    said: dict[str, Entry] = {"unit": {}, form: {}}
    for option, row in rows.items():
        told = default(option, row)
        if told:
            said[row.section.lower()][row.directive] = told
    assert said[form]
    host.apply({"name": unit, form: given, "state": "present"})
    before = shown(host, unit)
    host.apply({"name": unit, "unit": said["unit"], form: {**given, **said[form]}, "state": "present"})
    after = shown(host, unit)
    assert {name: (before.get(name), value) for name, value in after.items() if before.get(name) != value} == {}
