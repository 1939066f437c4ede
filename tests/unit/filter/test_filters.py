# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filters, as templates of a play find them, and what they say of what they cannot take."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.unitwright.systemd.plugins.filter import (
    combine_units,
    cron_to_calendar,
    from_unit_file,
    report,
    report_html,
    to_unit_file,
    unit_escape,
    unit_findings,
)

FILTERS = {
    **combine_units.FilterModule().filters(),
    **cron_to_calendar.FilterModule().filters(),
    **from_unit_file.FilterModule().filters(),
    **report.FilterModule().filters(),
    **report_html.FilterModule().filters(),
    **to_unit_file.FilterModule().filters(),
    **unit_escape.FilterModule().filters(),
    **unit_findings.FilterModule().filters(),
}
ROOT = Path(__file__).parents[3]


def test_every_file_is_the_filter_of_its_name() -> None:
    assert set(FILTERS) == {path.stem for path in (ROOT / "plugins" / "filter").glob("*.py")}


@pytest.mark.parametrize(
    ("name", "value", "options", "expected"),
    [
        ("cron_to_calendar", "0 2 * * *", {}, ["*-*-* 02:00:00"]),
        ("cron_to_calendar", "1 2 3 4 5", {}, ["*-04-03 02:01:00", "Fri *-04-* 02:01:00"]),
        ("cron_to_calendar", "@weekly", {"timezone": "UTC"}, ["Sun *-*-* 00:00:00 UTC"]),
        ("cron_to_calendar", "@weekly", {"timezone": None}, ["Sun *-*-* 00:00:00"]),
        ("unit_escape", "a b-c/d", {}, r"a\x20b\x2dc-d"),
        ("unit_escape", "", {}, ""),
        ("unit_escape", 8080, {}, "8080"),
        ("unit_escape", "/srv/my-data/", {"path": True}, r"srv-my\x2ddata"),
        ("unit_escape", "/", {"path": True}, "-"),
        ("unit_escape", "web 1", {"template": "app@.service"}, r"app@web\x201.service"),
        ("unit_escape", "/dev/sda", {"path": True, "template": "fsck@.service"}, "fsck@dev-sda.service"),
        ("to_unit_file", {}, {}, ""),
        (
            "to_unit_file",
            {
                "Unit": {"After": ["a.service", "b.service"]},
                "service": {
                    "Type": "oneshot",
                    "RemainAfterExit": True,
                    "ExecStart": ["", "/bin/a %n"],
                    "Environment": {"A": "100 %"},
                    "Nice": 5,
                },
                "timer": None,
                "X-Mine": {"Any": "thing"},
            },
            {},
            "[Unit]\nAfter=a.service\nAfter=b.service\n\n"
            "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=\nExecStart=/bin/a %n\n"
            'Environment="A=100 %%"\nNice=5\n\n'
            "[X-Mine]\nAny=thing\n",
        ),
        ("from_unit_file", "", {}, {}),
        (
            "from_unit_file",
            "# c\n[Unit]\nAfter=a\n[Service]\nExecStart=\nExecStart=/a \\\n  b\n[Unit]\nAfter=b\n; c\nWants=\n",
            {},
            {"Unit": {"After": ["a", "b"], "Wants": ""}, "Service": {"ExecStart": ["", "/a    b"]}},
        ),
        (
            "from_unit_file",
            "[Timer]\nOnBootSec=5\nOnCalendar=\nOnCalendar=daily\n",
            {},
            {"Timer": {"OnBootSec": "5", "OnCalendar": ["", "daily"]}},
        ),
        ("unit_findings", {}, {}, []),
    ],
)
def test_results(name: str, value: object, options: dict[str, Any], expected: object) -> None:
    assert FILTERS[name](value, **options) == expected


@pytest.mark.parametrize(
    ("name", "value", "options", "said"),
    [
        ("cron_to_calendar", 5, {}, "text, and this is a number: quote it"),
        ("cron_to_calendar", "0 2 * *", {}, "has 4 of the five fields"),
        ("cron_to_calendar", "@reboot", {}, "enable the service"),
        ("cron_to_calendar", "@daily", {"timezone": ":Europe/Berlin"}, "':Europe/Berlin' names no time zone"),
        ("unit_escape", True, {}, "text, and this is a truth value: quote it"),
        ("unit_escape", ["a"], {}, "text, and this is a list: give them one by one"),
        ("unit_escape", "a\0", {}, "NUL"),
        ("unit_escape", "a", {"path": True}, "'a' is not an absolute path"),
        ("unit_escape", "/a/../b", {"path": True}, "'..'"),
        ("unit_escape", "a", {"template": "app.service"}, "'app.service' is not a template"),
        ("unit_escape", "", {"template": "app@.service"}, "empty"),
        ("combine_units", {"service": []}, {"own": []}, "service: lists of units are units, services, timers,"),
        ("to_unit_file", "x", {}, "a mapping of sections ({Service: {...}}), and this is text"),
        ("to_unit_file", [{"Unit": {"A": "b"}}], {}, "and this is a list"),
        ("to_unit_file", {"Unit": "x"}, {}, "[Unit] is a mapping of directives, and this is text"),
        ("to_unit_file", {"ExecStart": "/bin/a"}, {}, "each directive below its section"),
        ("to_unit_file", {"Unit": ["A=b"]}, {}, "[Unit] is a mapping of directives, and this is a list"),
        ("to_unit_file", {1: {"A": "b"}}, {}, "YAML made a number of this one: quote it"),
        ("cron_to_calendar", ["@daily"], {}, "text, and this is a list: give them one by one"),
        ("to_unit_file", {"A B": {"A": "b"}}, {}, "'A B' cannot name a section"),
        ("to_unit_file", {"Unit": {"A": "b"}, "unit": {"A": "b"}}, {}, "[Unit] is there twice"),
        ("to_unit_file", {"Unit": {True: "b"}}, {}, "[Unit]: YAML made True"),
        ("to_unit_file", {"Unit": {"A=": "b"}}, {}, "'A=' cannot name a directive"),
        ("to_unit_file", {"Service": {"UMask": 63}}, {}, "[Service] UMask=: YAML reads octal"),
        ("to_unit_file", {"Unit": {"Description": None}}, {}, "[Unit] Description=: the value is null"),
        ("to_unit_file", {"Unit": {"Description": "a\nb"}}, {}, "line break"),
        ("to_unit_file", {"Service": {"ExecStart": {"a": "b"}}}, {}, "a mapping is not a value"),
        ("from_unit_file", None, {}, "text, and this is null"),
        ("from_unit_file", "[Unit]\nx\n", {}, "line 2"),
        ("from_unit_file", "[Timer]\nOnCalendar=a\nOnBootSec=1\nOnCalendar=\nOnCalendar=b\n", {}, "order of lines"),
        ("unit_findings", [{"id": "a.service"}], {}, "a mapping by their names"),
        ("unit_findings", {}, {"ignored": "a.service"}, "ignored is a list of names"),
        ("unit_findings", {}, {"expected": "a.service"}, "expected is a list of names"),
        ("report", {}, {"hosts": [], "playbook": "check", "made": ""}, "a list of mappings"),
        ("report", [{"units": []}], {"hosts": [], "playbook": "check", "made": ""}, "the name of its host as host"),
        ("report", [], {"hosts": "web1", "playbook": "check", "made": ""}, "hosts is a list of names"),
        ("report_html", {"hosts": []}, {}, "what the filter unitwright.systemd.report gives"),
    ],
)
def test_errors(name: str, value: object, options: dict[str, Any], said: str) -> None:
    with pytest.raises(AnsibleFilterError, match=re.escape(said)):
        FILTERS[name](value, **options)


PLAY = r"""
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.assert:
        that:
          - calendars == ['*-*-13 00:00:00 UTC', 'Fri *-*-* 00:00:00 UTC']
          - escaped == 'app@web-1.service'
          - text.splitlines() == ['[Service]', 'ExecStart=/bin/echo hello', 'Environment=A=hello']
          - (text | unitwright.systemd.from_unit_file).Service.Environment == 'A=hello'
      vars:
        calendars: "{{ '0 0 13 * 5' | unitwright.systemd.cron_to_calendar('UTC') }}"
        escaped: "{{ 'web/1' | unitwright.systemd.unit_escape(template='app@.service') }}"
        text: "{{ sections | unitwright.systemd.to_unit_file }}"
        sections: {Service: {ExecStart: "/bin/echo {{ word }}", Environment: {A: "{{ word }}"}}}
        word: hello
    - ansible.builtin.debug: {msg: "{{ '0 2 L * *' | unitwright.systemd.cron_to_calendar }}"}
"""


def test_a_play_finds_them(tmp_path: Path) -> None:
    """With values as templates hand them on, and the text of an error."""
    play = tmp_path / "play.yml"
    play.write_text(PLAY, encoding="utf-8")
    done = subprocess.run(
        ["ansible-playbook", "-i", "localhost,", "-c", "local", str(play)],
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build" / "source")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "ok=1 " in done.stdout, done.stdout + done.stderr
    assert "failed=1 " in done.stdout
    assert "'L' is Quartz's, not cron's" in done.stdout + done.stderr
