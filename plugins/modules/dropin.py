#!/usr/bin/python

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One drop-in for a unit that someone else defines."""

from __future__ import annotations

DOCUMENTATION = r"""
module: dropin
short_description: Override a systemd unit that someone else defines
version_added: 1.0.0
description:
  - Brings one drop-in to its declared state and what it changes into force in the units it is for, with the same
    checks, watch and roll-back as M(unitwright.systemd.stack).
  - A unit that is not running is not started.
extends_documentation_fragment:
  - unitwright.systemd.options.dropin
  - unitwright.systemd.attributes
  - unitwright.systemd.attributes.actiongroup_systemd
seealso:
  - module: unitwright.systemd.stack
  - module: unitwright.systemd.unit
author:
  - Unitwright contributors (@unitwright)
"""

EXAMPLES = r"""
- name: Let nginx have more open files
  unitwright.systemd.dropin:
    name: nginx.service
    dropin: 50-limits
    service: {LimitNOFILE: 65535}

- name: Empty a list before setting it anew
  unitwright.systemd.dropin:
    name: nginx.service
    dropin: 60-stop
    service: {ExecStop: ["", "/bin/kill -QUIT $MAINPID"]}

- name: Remove a drop-in
  unitwright.systemd.dropin:
    name: nginx.service
    dropin: 60-stop
    state: absent
"""

RETURN = r"""
plan:
  description: The steps of the run, in order, each with its reason. The same in check mode.
  returned: success, and failure after the plan was made
  type: list
  elements: dict
  sample:
    - {action: write, unit: shop-web.service, reason: new, path: /etc/systemd/system/shop-web.service}
    - {action: daemon-reload, reason: unit files changed}
    - {action: start, unit: shop-web.service, reason: not running}
newly_started:
  description:
    - Units that were not running and were started, and oneshots that were run. (C(started) is a word of Ansible itself,
      for async tasks.)
  returned: success, and failure after the plan was made
  type: list
  elements: str
  sample: [shop-web.service]
restarted:
  description: Units that were restarted, also those that a restart took along.
  returned: success, and failure after the plan was made
  type: list
  elements: str
  sample: []
reloaded:
  description: Units that were reloaded, by a job of their own or with another one (C(PropagatesReloadTo=)).
  returned: success, and failure after the plan was made
  type: list
  elements: str
  sample: []
stopped:
  description: Units that were stopped and stay so, also what went down with them, or by C(Conflicts=) with a start.
  returned: success, and failure after the plan was made
  type: list
  elements: str
  sample: []
removed:
  description: Files that were removed.
  returned: success, and failure after the plan was made
  type: list
  elements: str
  sample: []
orphaned:
  description:
    - What this owner has and no longer declares, and was left, such as instances of a template. Each is a warning too.
  returned: success, and failure after the plan was made
  type: list
  elements: str
  sample: [shop-old.service]
unverified:
  description:
    - What could not be vouched for, as RV(errors). In check mode and under O(root) that is what is not there yet.
    - A target that is nowhere, what systemd advises against, checks of what does not run, an C([Install]) section in a
      drop-in whose unit is not declared enabled, a unit declared stopped that another one has pulled in, a user without
      linger, a unit that refuses a manual start and so is not started, a file of others among the secrets, a program
      that may be in an image, what depends on the instance of a template of which none is known, and a host without
      C(systemd-analyze) are warnings too.
    - So are a unit that another one wishes for and that is nowhere, an account, file or folder that a start needs and
      that is not there, an account that a user's manager cannot take, a command that seems to be meant for a shell, and
      a stack with nothing in it.
    - What is not there is no warning in check mode, as an earlier task may be about to bring it, unless something of
      nearly the same name is there.
    - A file of C(EnvironmentFile=) whose change restarts nothing, as it is no trigger, is listed here alone.
  returned: success, and failure once the host was looked at
  type: list
  elements: dict
  sample:
    - unit: shop-web.service
      section: Install
      directive: WantedBy
      rule: no-such-target
      message: "there is no multiuser.target on this host: did you mean multi-user.target?"
kept:
  description: Units that were left running with an older version, each with the reason. Each is a warning too.
  returned: success, and failure after the plan was made
  type: dict
  sample: {}
deferred:
  description: Units whose run state was left to the next boot, since no systemd runs for these files.
  returned: success, and failure after the plan was made
  type: list
  elements: str
  sample: []
hardening:
  description:
    - By each hardened service what it was brought to. C(exposure) is what C(systemd-analyze security) of the host says,
      from 0 to 10, C(before) this run and C(after) it, with the version of C(systemd) that measured it, as the weights
      differ. C(estimated) means that it is our own estimate, in check mode before systemd 250.
    - C(findings) are the tests that cost most of it. C(left_out) are directives of the profile that the host or the
      service cannot have, with the reason; of C(stricter) ones the service has more itself, which stays; C(released)
      are those that an opt-out has made weaker than the service has them, with its name. C(refused) is what the
      journal of its new run says was refused to it and the run before did not say, each with the C(line), the C(error)
      of the kernel, what it is C(about), the C(directives) that refuse it, and what to C(mend) it by. Each is a warning
      too.
  returned: success, and failure after the plan was made, where a service is hardened
  type: dict
  sample:
    nginx.service:
      profile: standard
      allow: [switch_users, low_ports]
      exposure: {before: 9.6, after: 2.7, systemd: 252, estimated: false}
      findings: [{about: "PrivateNetwork=", text: "Service has access to the host's network", exposure: 0.4}]
      left_out: {}
      stricter: {}
      released: {}
      refused: []
rolled_back:
  description:
    - Whether what was before the run is back in force. Of a run that failed RV(plan) has what it was about to do, and
      the lists of units and files have what of that was done and was not undone, such as oneshots that have run.
  returned: when a unit did not become healthy
  type: bool
  sample: true
started_again:
  description:
    - Units that ran before the run and run anew since, by its roll-back, also those of others that went down with it.
  returned: when the run was rolled back
  type: list
  elements: str
  sample: [shop-web.service]
recovered:
  description: What an unfinished run (one that was cut off, or whose roll-back failed) had left and this one finished.
  returned: success, and failure after the plan was made
  type: list
  elements: str
  sample: []
timers:
  description:
    - By each timer of the declaration C(next_elapses), its next five times as the host's systemd reckons them, in UTC.
      One that counts from a start or a boot has none. Without timers it is left out.
    - For a schedule of cron also C(unlike_cron), what a change of the clock within a year makes differ from cron, or
      nothing.
  returned: success, and failure after the plan was made
  type: dict
  sample:
    nightly-backup.timer:
      next_elapses: ["2026-01-01T02:00:00Z", "2026-01-02T02:00:00Z"]
units:
  description:
    - The state of every declared unit after the run. C(load) is empty for one that systemd has not in memory, as it
      does not run and nothing that is loaded names it, and V(not-found) for one that is nowhere.
  returned: success, and failure after the plan was made
  type: dict
  sample:
    shop-web.service: {load: loaded, active: active, sub: running}
timings:
  description: Seconds by phase of the run.
  returned: success, and failure after the plan was made
  type: dict
  sample: {ask: 0.01, render: 0.01, look: 0.02, plan: 0.05, apply: 5.4, result: 0.01}
errors:
  description:
    - What is wrong, one entry a problem, with the unit, section and directive it is about, as far as it is about any.
    - The C(path) is the option that it comes from, such as C(service.ExecStart), and in a stack
      C(units[3].service.ExecStart), as near as it can be told, or empty. The message ends with it there.
    - The C(position) is where in the user's YAML that is, as FILE:LINE:COLUMN, and the message has it too. It is there
      as far as ansible-core knows it, which is not the case in asynchronous tasks.
    - What is declared twice has its other places, each with C(path) and C(position), under C(also).
    - The C(rule) says what kind of mistake it is, or what has failed once the run had begun, such as C(health), C(job),
      C(dependency), C(links) or C(write).
    - A unit that did not become healthy also has C(result), C(status) and its last lines of C(journal), and where
      systemd's own words and the host prove it the C(cause) in one sentence, with the C(remedy) and the line of the
      journal that is the C(evidence). They are empty where nothing is proven. These four are for the first ten such
      units.
  returned: failure
  type: list
  elements: dict
  sample:
    - unit: shop-web.service
      section: Service
      directive: ExecStrat
      rule: unknown-directive
      message: "systemd 252 knows no 'ExecStrat' in [Service]: did you mean ExecStart?"
      path: service.ExecStrat
"""

from ansible_collections.unitwright.systemd.plugins.module_utils._desired import options
from ansible_collections.unitwright.systemd.plugins.module_utils._run import front


def main() -> None:
    front.run({**options.dropin(), **options.host()}, front.single("dropins"))


if __name__ == "__main__":
    main()
