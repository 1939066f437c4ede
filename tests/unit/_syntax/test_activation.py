# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a timer, socket, path or automount starts."""

from __future__ import annotations

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax import activation, unitfile
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.names import parse_name

from tests.unit._syntax.test_loadpath import ETC, USR, loadpath


@pytest.mark.parametrize(
    ("unit", "text", "started"),
    [
        ("a.timer", "[Timer]\nOnCalendar=daily", "a.service"),
        ("a.timer", "[Timer]\nUnit=b.target", "b.target"),
        ("a@1.timer", "", "a@1.service"),
        ("a@.timer", "", "a@.service"),
        ("a@1.timer", "[Timer]\nUnit=b@%i.service", "b@1.service"),
        ("a@.timer", "[Timer]\nUnit=b@%i.service", "b@%i.service"),
        ("a-b.timer", "[Timer]\nUnit=%j.service", "b.service"),
        ("a-b.timer", "[Timer]\nUnit=%p-x.service", "a-b-x.service"),
        ("a.timer", "[Timer]\nUnit=%H.service", "%H.service"),
        ("a.timer", "[Timer]\nUnit=b%%.service", "b%.service"),
        ("a.timer", "[Service]\nUnit=b.service", "a.service"),
        ("a.timer", "[Timer]\nAccept=yes", "a.service"),
        ("a.socket", "[Socket]\nListenStream=1", "a.service"),
        ("a.socket", "[Socket]\nService=b.service", "b.service"),
        ("a.socket", "[Socket]\nService=b.service\nService=", "a.service"),
        ("a.socket", "[Socket]\nAccept=yes", "a@.service"),
        ("a@1.socket", "[Socket]\nAccept=yes", "a@.service"),
        ("a@.socket", "[Socket]\nAccept=yes", "a@.service"),
        ("a@.socket", "[Socket]\nAccept=no", "a@.service"),
        ("a@1.socket", "", "a@1.service"),
        ("a.path", "[Path]\nUnit=b.service", "b.service"),
        ("srv.automount", "[Automount]\nWhere=/srv", "srv.mount"),
        ("a.service", "[Service]\nExecStart=/bin/a", ""),
        ("a.target", "[Unit]\nWants=b.service", ""),
        ("timer", "", ""),
    ],
)
def test_what_is_started(unit: str, text: str, started: str) -> None:
    assert activation.started_by(unit, unitfile.effective([unitfile.parse(text)])) == started


def test_an_alias_is_started_by_the_name_that_systemd_lists() -> None:
    files = {f"{USR}/a.service": "[Unit]\n", f"{USR}/c.timer": "[Timer]\nUnit=b.service\n"}
    found = loadpath(files, {f"{ETC}/b.service": f"{USR}/a.service"})
    assert activation.starts("c.timer", found) == "a.service"


@pytest.mark.parametrize(
    ("unit", "sockets"),
    [
        ("a@.service", ("a.socket", "a@.socket")),
        ("a@1.service", ("a.socket", "a@.socket")),
        ("a.service", ()),
        ("a@.socket", ()),
        ("a@.mount", ()),
    ],
)
def test_the_sockets_that_may_start_an_instance_for_each_connection(unit: str, sockets: tuple[str, ...]) -> None:
    assert activation.accepting(parse_name(unit)) == sockets


@pytest.mark.parametrize(
    ("unit", "accept", "accepted"),
    [
        ("a@.service", "yes", True),
        ("a@1-2:3-4:5.service", "yes", True),
        ("a@.service", "no", False),
        ("b@.service", "yes", False),
        ("a.service", "yes", False),
        ("a@.timer", "yes", False),
    ],
)
@pytest.mark.parametrize("socket", ["a.socket", "a@.socket", "a@web.socket"])
def test_whether_there_is_one(socket: str, unit: str, accept: str, accepted: bool) -> None:
    found = loadpath({f"{ETC}/{socket}": f"[Socket]\nListenStream=1\nAccept={accept}\n"})
    assert activation.is_accepted_for(unit, found) is accepted


@pytest.mark.parametrize(
    ("unit", "so"),
    [
        ("a@17-127.0.0.1:80-127.0.0.1:5000.service", True),
        ("a@4-9-0.service", True),
        ("a@web.service", False),
        ("a@17.service", False),
        ("a.service", False),
    ],
)
def test_the_name_of_an_instance_for_a_connection(unit: str, so: bool) -> None:
    assert activation.is_of_connection(unit) is so
