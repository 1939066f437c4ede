#!/usr/bin/python

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fault makes of a unit, tried."""

from __future__ import annotations

DOCUMENTATION = r"""
module: drill
short_description: Break a systemd unit on purpose, and measure how it comes back
version_added: 1.0.0
description:
  - Does faults to one service or timer that is up, one after the other, and measures what becomes of it. Before that it
    says what the unit's own settings promise (C(Restart=), C(RestartSec=), the start limit, C(WatchdogSec=),
    C(OOMPolicy=), C(Persistent=), its socket), and it fails where that and what was measured differ, with the cause.
  - Of each fault it tells the seconds until there is a new main process, and those until the unit's check passes. It is
    the latter that counts.
  - It refuses a unit that it was not told it may hurt, one that would hurt others, one without a check, one that is
    not well, and what this run, its connection or the host lives in.
  - All that it changes lies below C(/run) or in the kernel and is taken back, also by the next module of this
    collection that changes units after a drill that was interrupted, and a reboot undoes it. After each fault the unit
    is up again, or the drill ends with an error.
extends_documentation_fragment:
  - unitwright.systemd.options.drilled
  - unitwright.systemd.attributes
  - unitwright.systemd.attributes.actiongroup_systemd
attributes:
  check_mode:
    support: full
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    details: It tells what the unit's settings promise, and does nothing.
  diff_mode:
    support: none
    description: Returns details on what has changed, or would change in check mode, when in diff mode.
    details: All that it changes is taken back.
  idempotent:
    support: none
    description:
      - When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
    details: It does the faults at every run.
notes:
  - A unit that fails tells those that C(OnFailure=) names, as in earnest.
  - Units with C(FailureAction=) and the like are refused, as they would take the host down.
  - What would keep the drill waiting for more than 120 seconds is not tried, such as C(RestartSec=1h).
  - A crash loop that took longer on this host than C(StartLimitIntervalSec=) proves nothing, and counts as not tried.
  - A timer that has no C(Persistent=) leaves out what would come in the seconds of the drill.
seealso:
  - module: unitwright.systemd.stack
  - module: unitwright.systemd.unit_info
author:
  - Unitwright contributors (@unitwright)
"""

EXAMPLES = r"""
- name: Run a small server
  unitwright.systemd.service:
    name: answer
    exec_start: /usr/bin/python3 -m http.server 8097 --bind 127.0.0.1
    dynamic_user: true
    restart_sec: 200ms

- name: Prove that it is back within five seconds after each crash
  unitwright.systemd.drill:
    name: answer.service
    may_hurt: [answer.service]
    faults: [kill, segv, crash_loop]
    max_recovery: 5
    health: {http: "http://127.0.0.1:8097/", stable_for: 1}
  register: drilled

- name: Show how long that took at most
  ansible.builtin.debug:
    msg: "{{ drilled.faults.kill.to_healthy.max }} s"
"""

RETURN = r"""
unit:
  description: The unit of the drill.
  returned: success, and failure after a fault
  type: str
  sample: answer.service
systemd:
  description: The version of systemd.
  returned: success, and failure after a fault
  type: int
  sample: 252
faults:
  description:
    - By each fault what came of it. C(promise) is what the unit's settings promise, with the C(reason), and the seconds
      C(after) which systemd starts it anew, null where it does not.
    - A C(verdict) is V(recovered), V(unharmed) (the main process goes on, and the check passes), V(failed) or
      V(inactive) (it is down, and stays so), V(start-limit-hit) (systemd gave up), V(wrong-state) (active, but its
      check fails, or not for long), V(not-noticed) (it hangs, and systemd does not see that), V(refused) (connections
      were), V(missed) (the timer does not catch up), V(unknown) (no setting says), and V(not-tried), with the reason
      under C(not_tried).
    - C(agrees) says whether it is what was promised, null where nothing was done.
    - C(to_process) and C(to_healthy) are the seconds until a new main process, and until the check passes, as C(p50)
      and C(max) of all rounds, null where that never came. C(rounds) has each by itself, with systemd's C(result).
  returned: success, and failure after a fault
  type: dict
  sample:
    kill:
      promise: {verdict: recovered, reason: Restart=on-failure, after: 0.2}
      verdict: recovered
      agrees: true
      not_tried: ""
      to_process: {p50: 0.215, max: 0.215}
      to_healthy: {p50: 0.402, max: 0.402}
      rounds:
        - {verdict: recovered, to_process: 0.215, to_healthy: 0.402, result: success, how: ""}
recovered:
  description: Units of which an interrupted drill or search had left something, that this one has taken back.
  returned: success, and failure after a fault
  type: list
  elements: str
  sample: []
errors:
  description:
    - What is wrong, one entry a problem. The C(rule) is V(drill-differs) where promise and measurement differ,
      V(drill-slow) where it took longer than O(max_recovery), V(drill-not-well) where the unit is not up after the
      drill, and what speaks against the drill if nothing was done.
    - After a fault an entry also has systemd's C(result) and C(status), the C(cause) and C(remedy) where they are
      proven, and the unit's last lines of C(journal).
  returned: failure
  type: list
  elements: dict
  sample:
    - unit: answer.service
      section: ""
      directive: ""
      rule: drill-unchecked
      message: "nothing tells whether it is well, so nothing could be proved: give health a check (tcp, unix, http ...)"
"""

from ansible_collections.unitwright.systemd.plugins.module_utils._desired import options
from ansible_collections.unitwright.systemd.plugins.module_utils._run import front
from ansible_collections.unitwright.systemd.plugins.module_utils._trial.drill import drill


def main() -> None:
    front.try_out(options.drill(), drill)


if __name__ == "__main__":
    main()
