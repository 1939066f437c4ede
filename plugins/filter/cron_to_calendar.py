# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A schedule of cron as calendars of systemd."""

from __future__ import annotations

DOCUMENTATION = r"""
name: cron_to_calendar
short_description: Translate a schedule of cron to values of OnCalendar
version_added: 1.0.0
description:
  - Gives the calendars of systemd that elapse whenever cron would run a job, by the rules of vixie cron and cronie.
  - Where both day fields are given, either is enough for cron, and there are two calendars. Where one of them begins
    with C(*), as C(*/2) does, both have to fit, and there is one.
  - Hours and minutes are written out, as systemd cannot reckon a start with a step over a change of the clock.
  - Cron and a timer differ where the clock changes. A time that the change leaves out, a timer leaves out too, and cron
    runs the job right after; at a time that comes twice, both run it once. Where the minute or the hour begins with
    C(*), cron leaves out the one, and runs the job twice at the other.
  - What is no schedule of cron is an error that tells what to write. So is what belongs to another scheduler, such as
    C(L), C(W), C(#) and C(?), a value that cron picks by chance, C(~), and C(@reboot), which is no time.
positional: timezone
options:
  _input:
    description:
      - Five fields, or one of C(@yearly), C(@annually), C(@monthly), C(@weekly), C(@daily), C(@midnight) and
        C(@hourly).
    type: str
    required: true
  timezone:
    description: The zone in which the schedule is meant, if not that of the host, such as V(Europe/Berlin) or V(UTC).
    type: str
author:
  - Unitwright contributors (@unitwright)
"""

EXAMPLES = r"""
- name: Show what a few schedules are
  ansible.builtin.debug:
    msg: "{{ item | unitwright.systemd.cron_to_calendar }}"
  loop:
    - 30 2 * * *           # [*-*-* 02:30:00]
    - 0 9-11 * * mon-fri   # [Mon..Fri *-*-* 09,10,11:00:00]
    - 0 0 1,15 * 5         # [*-*-01,15 00:00:00, Fri *-*-* 00:00:00]
    - "@weekly"            # [Sun *-*-* 00:00:00]

- name: Run a report at times of UTC
  unitwright.systemd.unit:
    name: report.timer
    timer:
      OnCalendar: "{{ '0 4 * * 1' | unitwright.systemd.cron_to_calendar(timezone='UTC') }}"
    install: {WantedBy: timers.target}
"""

RETURN = r"""
_value:
  description: The calendars, one or two.
  type: list
  elements: str
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax import cron, values
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.rule import Refused


def cron_to_calendar(text: object, timezone: str = "") -> list[str]:
    if not isinstance(text, str):
        raise AnsibleFilterError(f"a schedule of cron is text, and this is {values.called(text)}: {_mend(text)}")
    try:
        return cron.calendars(cron.parse(text), timezone)
    except Refused as refused:
        raise AnsibleFilterError(str(refused)) from None


def _mend(text: object) -> str:
    return "give them one by one, such as by map" if isinstance(text, (list, tuple)) else "quote it"


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"cron_to_calendar": cron_to_calendar}
