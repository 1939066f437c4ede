#!/usr/bin/python

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The strictest set of directives that a service can live with, found by trying."""

from __future__ import annotations

DOCUMENTATION = r"""
module: hardening_search
short_description: Find the strictest hardening that a systemd service can live with
version_added: 1.0.0
description:
  - Tries directives of hardening on a service that runs, all at once, then by halves, then weaker values, and returns a
    declaration of all that it bears. Each try restarts the service with a drop-in under C(/run/systemd/system), asks
    the probe, looks at the listeners, users and open files that it had without, and reads its journal for refusals.
  - At the end all of it is tried together with two restarts, a stop and a start, and the service is left as it was.
    B(It is restarted some twenty to sixty times), and so is what systemd restarts along with it, so do this where that
    does no harm.
  - How far it is stands in a file while it runs, C(/run/unitwright/NAME.log), which C(tail -f) follows.
  - It may be interrupted at any point. What it has under way lies below C(/run) alone; where it could not take that
    away itself, the next run of any module of this collection that changes something on this host does, or the next
    boot. Other runs wait for a search, for at most five minutes.
  - What is not exercised is not proven. A directive that could only break what the probe did not touch is not accepted
    (O(accept_unexercised)), and named in RV(left_out) and RV(unexercised).
  - What each directive stops and breaks is told in L(docs/hardening.md,
    https://github.com/unitwright/systemd/blob/main/docs/hardening.md).
extends_documentation_fragment:
  - unitwright.systemd.options.searched
  - unitwright.systemd.attributes
  - unitwright.systemd.attributes.actiongroup_systemd
seealso:
  - module: unitwright.systemd.hardening
  - module: unitwright.systemd.dropin
author:
  - Unitwright contributors (@unitwright)
"""

EXAMPLES = r"""
- name: Find out what a dashboard can do without
  unitwright.systemd.hardening_search:
    name: dashboard.service
    health: {http: "http://127.0.0.1:8096/", stable_for: 0.5}
    probe:
      - curl --silent --fail http://127.0.0.1:8096/ > /dev/null
      - [test, -d, /var/lib]
  register: found

- name: Show it as a task to paste
  ansible.builtin.debug:
    msg: "{{ found.playbook }}"
"""

RETURN = r"""
exposure:
  description: What C(systemd-analyze security) of the host says, from 0 to 10, and the version that measured it.
  returned: success, but for check mode
  type: dict
  sample: {before: 9.2, after: 1.0, systemd: 252}
declaration:
  description: Options of M(unitwright.systemd.dropin) that bring the service there.
  returned: success, but for check mode
  type: dict
  sample: {name: dashboard.service, dropin: 90-hardening.conf, service: {ProtectSystem: strict, ProtectHome: "yes"}}
playbook:
  description: The same as a task to paste into a playbook.
  returned: success, but for check mode
  type: str
  sample: "- name: Harden dashboard.service\n  unitwright.systemd.dropin:\n    name: dashboard.service\n"
accepted:
  description: The values that it bears, by directive, in the order in which they were accepted.
  returned: success, but for check mode
  type: dict
  sample: {ProtectSystem: [strict], ProtectHome: ["yes"]}
left_out:
  description:
    - By each directive that it does not bear at its strictest the C(why), and as C(evidence) the lines that told, with
      the path, call or listener. Of one that is in RV(accepted) as well a weaker value is borne.
  returned: success, but for check mode
  type: dict
  sample:
    MemoryDenyWriteExecute:
      why: it did not pass with it
      evidence: ["failed: ended by signal 5 (SIGTRAP)"]
unexercised:
  description: Listeners, and users of its processes, that the probe did not touch.
  returned: success, but for check mode
  type: list
  elements: str
  sample: []
tolerated:
  description: Lines of refusals that did no harm, since they only ask for a better place in a queue.
  returned: success, but for check mode
  type: list
  elements: str
  sample: []
complete:
  description: Whether there was time to try all of it.
  returned: success, but for check mode
  type: bool
  sample: true
tries:
  description: What was tried, in order. C(tried) is what was new, C(exposure) that of all that has passed by then.
  returned: success, but for check mode
  type: list
  elements: dict
  sample: [{tried: [ProtectSystem], passed: true, evidence: [], exposure: 8.1}]
taken_along:
  description: Other units that were restarted or stopped with it, and run again.
  returned: success, but for check mode
  type: list
  elements: str
  sample: []
would_try:
  description: The directives that a search would try.
  returned: in check mode
  type: list
  elements: str
  sample: [ProtectSystem, ProtectHome]
seconds:
  description: How long the search took.
  returned: success, but for check mode
  type: float
  sample: 41.3
errors:
  description: What is wrong, one entry a problem. Nothing was changed, or it was taken back.
  returned: failure
  type: list
  elements: dict
  sample:
    - unit: dashboard.service
      section: ""
      directive: ""
      rule: search-probe
      message: "without a probe a search would find that a service needs nothing at all: give commands in probe"
"""

from ansible_collections.unitwright.systemd.plugins.module_utils._desired import options
from ansible_collections.unitwright.systemd.plugins.module_utils._run import front
from ansible_collections.unitwright.systemd.plugins.module_utils._trial.sandbox import search


def main() -> None:
    front.try_out({**options.searched(), **options.host()}, search)


if __name__ == "__main__":
    main()
