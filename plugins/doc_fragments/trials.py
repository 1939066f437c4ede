# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the options of the modules that try something out are for; see texts.py."""

from __future__ import annotations

SEARCHED = """
name:
  description: The service, such as V(nginx.service) or V(postgresql@15-main.service). It has to run.
  type: str
  required: true
probe:
  description:
    - Commands that have to succeed, in this order, for the service to count as working. They are run on the managed
      host by whom the task is run as, at least twice for each try. A text goes to C(/bin/sh), a list of words is run as
      it is.
    - What they do not do is not proven, so let them do all that the service is for, such as a request, a write, a
      backup. Whether a listener was asked is seen; of a Unix socket a connection has to last for some milliseconds for
      that.
      A reload is done by the search itself, where the service has one.
    - There has to be one, or a check in O(health).
  type: list
  elements: raw
health:
  description: How the service proves that it is up. O(health.stable_for) is 1 here if it is not said.
  type: dict
  suboptions:
@HEALTH@
@CHECKS@
allow:
  description:
    - What the service needs in any case, so that it is not tried to take it away, as in
      M(unitwright.systemd.hardening), such as V(jit) for what compiles only now and then.
  type: list
  elements: raw
read_write_paths:
  description: Folders and files that it writes to in any case, besides those that the search sees it write to.
  type: list
  elements: raw
accept_unexercised:
  description:
    - Whether that may be taken away which only could break what the probe did not touch, such as listeners, or what
      others than this host reach it by.
  type: bool
  default: false
time_limit:
  description:
    - Seconds after which nothing more is tried. What was found by then is proven and told all the same; where that
      fails, half of it is taken back at a time.
  type: int
  default: 1800
"""

DRILLED = """
name:
  description: The service or timer. The suffix of a service may be left out.
  type: str
  required: true
may_hurt:
  description:
    - Names or patterns (V(shop-*)) of all units that may be hurt, the one of the drill among them, what goes down or
      is restarted with it, and what a timer starts.
    - What this run, its connection or the host itself lives in is spared whatever stands here, and so is what ends the
      host when it fails or ends (C(FailureAction=reboot), C(OnFailure=reboot.target)), or takes such a unit along.
  type: list
  elements: str
  required: true
faults:
  description:
    - What is done. By default all that there are for its type.
    - V(kill) and V(segv) send SIGKILL and SIGSEGV to the main process.
    - V(hang) stops the main process with SIGSTOP, which systemd notices by C(WatchdogSec=) alone.
    - V(crash_loop) sends SIGKILL to each main process until systemd gives up by its start limit. Then the unit is
      reset and started, and that is what is measured.
    - V(child) sends SIGKILL to a child of the main process.
    - V(oom) lowers the limit of memory of its control group in the kernel until that kills one of its processes, and
      gives it back at once. What the kernel only keeps of files for it is dropped before that. It needs the memory
      controller of cgroup v2.
    - V(dependency) stops a unit that it requires and that is among O(may_hurt), and then starts both.
    - V(socket) restarts the service while clients connect to its socket all the time; none may be refused.
    - V(downtime) has a timer down when its time comes, and looks whether it catches up. It starts what the timer
      starts.
    - One that cannot be done to the unit is V(not-tried) in the result, with the reason.
  type: list
  elements: str
  choices: [kill, segv, hang, crash_loop, child, oom, dependency, socket, downtime]
rounds:
  description: How often each fault is done. The start limit is reset before each.
  type: int
  default: 1
max_recovery:
  description: The most seconds until the unit is well again. The task fails for a fault after which it is not.
  type: float
health:
  description:
    - How the unit proves that it is well. A service needs a check of it.
    - Seconds to stay well are not measured, and those to come back are beside what its own settings take. An address
      accepts a connection also for what hangs, since it is the kernel that does.
  type: dict
  suboptions:
@HEALTH@
@CHECKS@
scope:
  description: Whose unit. V(system) is the host's, V(user) that of the user that the task becomes.
  type: str
  choices: [system, user, global]
  default: system
root:
  description: Taken so that defaults of the action group may have it, and refused, as nothing runs there.
  type: path
on_failure:
  description: Taken so that defaults of the action group may have it. All is taken back in either case.
  type: str
  choices: [rollback, keep]
  default: rollback
"""
