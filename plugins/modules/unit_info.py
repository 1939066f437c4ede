#!/usr/bin/python

# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts of units, typed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: unit_info
short_description: Tell what systemd units are, what they run, and where each setting comes from
version_added: 1.0.0
description:
  - Facts of units of all types, in memory or not, that are running, down, masked, made by a generator or at run time,
    and of templates, whoever they belong to.
  - Numbers are numbers, times are ISO 8601 and seconds of the epoch, spans are seconds and sizes bytes, no limit is
    null, lists are lists, and the lines of C(ExecStart) and the like are mappings.
  - What cannot be read is named in RV(unread) with the reason, and null where it would stand.
  - Asks systemd over its own socket, so that it starts two processes on the host, however many units are asked for.
  - Units of the system can be asked for without O(ignore:become), as far as their files may be read.
options:
  names:
    description:
      - Units or patterns as C(systemctl) takes them, such as V(nginx.service) or V(shop-*). A name without a type is
        that of a service, and a path that of its mount or device. Names of templates stand for the templates
        themselves.
      - Without it, all units that have a file or are in memory; an empty list stands for none.
      - A pattern is held against whole names, type included, so that V(shop-*) stands for units of all types. It stands
        neither for what others only mention, nor for instances that are not in memory.
    type: list
    elements: str
    aliases: [name]
  types:
    description: Only units of these types.
    type: list
    elements: str
    choices: [service, socket, target, timer, path, mount, automount, swap, slice, scope, device]
  scope:
    description:
      - Whose units. V(system) is the host's, V(user) those of the user that the task runs as, whose manager has to run.
      - V(global) has the files of all users' units, which no manager has loaded, so that there are only their files'
        facts.
    type: str
    choices: [system, user, global]
    default: system
  root:
    description: The absolute path of an image whose units are asked for, so by their files alone.
    type: path
  on_failure:
    description: Taken so that defaults of the action group may have it. There is nothing to take back.
    type: str
    choices: [rollback, keep]
    default: rollback
  settings:
    description: Tell the settings of each unit with the file and line of each, which is most of the result.
    type: bool
    default: true
  properties:
    description:
      - More properties, by their names of org.freedesktop.systemd1(5), such as V(After) or V(LimitNOFILE). They come
        as further keys, spelt like the others (C(after), C(limit_nofile)), and typed by the same rules.
      - C(SetCredential) is never told.
    type: list
    elements: str
extends_documentation_fragment:
  - unitwright.systemd.attributes
  - unitwright.systemd.attributes.actiongroup_systemd
attributes:
  diff_mode:
    support: none
    description: Returns details on what has changed, or would change in check mode, when in diff mode.
    details: It changes nothing.
  idempotent:
    support: full
    description:
      - When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
    details: It changes nothing, so that it never reports a change.
notes:
  - Values of C(EnvironmentFile) and of credentials are never read. Those of C(Environment) are shown, as systemd shows
    them to every user of the host.
seealso:
  - module: unitwright.systemd.stack
author:
  - Unitwright contributors (@unitwright)
"""

EXAMPLES = r"""
- name: Ask for a service and its socket
  unitwright.systemd.unit_info:
    names: [nginx, dbus.socket]
  register: asked

- name: Show how it runs, and where it is said what it runs
  ansible.builtin.debug:
    msg: >-
      {{ asked.units['nginx.service'].main_pid }} since {{ asked.units['nginx.service'].active_enter_timestamp.iso }},
      by {{ asked.units['nginx.service'].settings.Service.ExecStart[-1] }}

- name: Ask for all that could be out of date
  unitwright.systemd.unit_info:
    types: [service, socket, timer]
    settings: false
  register: all

- name: Fail if a process runs with something else than its files say
  ansible.builtin.assert:
    that: stale | length == 0
    fail_msg: "to be restarted: {{ stale | join(', ') }}"
  vars:
    services: "{{ all.units | dict2items | selectattr('value.stale', 'defined') }}"
    stale: "{{ services | selectattr('value.stale') | map(attribute='key') }}"

- name: Ask for the limits of all services of a stack, with a property that is not told otherwise
  unitwright.systemd.unit_info:
    names: ["shop-*"]
    types: [service]
    properties: [LimitNOFILE]

- name: Ask the manager of a user
  unitwright.systemd.unit_info:
    scope: user
  become: true
  become_user: shop
"""

RETURN = r"""
systemd:
  description: The version of systemd.
  returned: success
  type: int
  sample: 252
units:
  description:
    - By the name of each unit, type included, its facts. One that was asked for by an alias is there by that name too.
    - Keys are properties of systemd in small letters. A unit has those of its type, and those named here; a template,
      and a unit that no manager has loaded, has what its files say.
    - A time is a mapping of C(iso) and C(epoch), and null where there is none. Seconds have fractions where systemd's
      have.
  returned: success
  type: dict
  contains:
    id:
      description: The name of the unit, which an alias is not.
      type: str
      sample: nginx.service
    names:
      description: That name and its aliases.
      type: list
      elements: str
    description:
      description: What it says of itself.
      type: str
    load_state:
      description:
        - V(loaded), V(masked), V(not-found) for one that runs and has no file any more, V(error) or V(bad-setting).
      type: str
    load_error:
      description: Why it could not be loaded.
      type: str
    active_state:
      description: V(active), V(inactive), V(failed) or what it is on the way to.
      type: str
    sub_state:
      description: The same in words of its type, such as V(running), V(exited), V(waiting) or V(listening).
      type: str
    unit_file_state:
      description: Its enablement, in the words of C(systemctl is-enabled); null for what has no file.
      type: str
      sample: enabled
    unit_file_preset:
      description: What presets of the host would make of that.
      type: str
    masked:
      description: Whether it is masked.
      type: bool
    in_memory:
      description: Whether systemd keeps it in memory. Facts of others were read for this question.
      type: bool
    transient:
      description: Whether it was made at run time, and goes with its end.
      type: bool
    fragment_path:
      description: The file that defines it.
      type: str
      sample: /usr/lib/systemd/system/nginx.service
    source_path:
      description: The file that a generator made it of.
      type: str
    drop_in_paths:
      description: Its drop-ins as systemd has loaded them, in order.
      type: list
      elements: str
    need_daemon_reload:
      description: Whether the manager has loaded it otherwise than its files are, by systemd's word or by theirs.
      type: bool
    not_loaded:
      description: The files in which that differs.
      type: list
      elements: str
    owner:
      description: The stack, or other owner, that its file belongs to by the mark of this collection.
      type: str
      sample: shop
    owners:
      description: The same by path for each of its files that has a mark, drop-ins included.
      type: dict
      sample: {/etc/systemd/system/nginx.service.d/50-shop.conf: shop}
    settings:
      description:
        - By section and directive all values in force as its files have them now, each with C(path) and C(line), in the
          order in which systemd reads them. Where a directive takes one value, the last counts.
        - A list that is empty was reset. Null, if no file of the unit could be read.
      returned: O(settings) is true
      type: dict
      sample:
        Service:
          ExecStart: [{value: /usr/sbin/nginx, path: /usr/lib/systemd/system/nginx.service, line: 9}]
          LimitNOFILE: [{value: "65535", path: /etc/systemd/system/nginx.service.d/50-shop.conf, line: 4}]
    stale:
      description:
        - Whether its process was started with something else than its files say now, secrets and files under
          C(triggers) included, for units of this collection as it judges that itself, for others by the times of their
          files.
        - Null, if no process runs.
      returned: for services
      type: bool
    stale_for:
      description: What that is, as far as it is known.
      type: list
      elements: str
      sample: [ExecStart]
    instances:
      description: The instances that are in memory or enabled.
      returned: for templates
      type: list
      elements: str
    invocation_id:
      description: The ID of its present or last run, by which the journal has it.
      type: str
    job:
      description: The ID of its job that is queued or runs.
      type: int
    state_change_timestamp:
      description: When its state changed last.
      type: dict
    active_enter_timestamp:
      description: When it came up last.
      type: dict
      sample: {iso: "2026-01-01T02:00:00.250000Z", epoch: 1767232800.25}
    inactive_enter_timestamp:
      description: When it went down last.
      type: dict
    condition_result:
      description: Whether its conditions held when they were looked at last.
      type: bool
    condition_timestamp:
      description: When that was.
      type: dict
    triggers:
      description: The units that it starts.
      type: list
      elements: str
    triggered_by:
      description: The units that start it.
      type: list
      elements: str
    result:
      description: V(success), or how its last run failed.
      type: str
    cause:
      description:
        - Why its last run failed, or the first of a series that a start limit has ended. What that is and where it
          stands is in C(cause), what mends it in C(remedy), and the line of the journal that shows it in C(evidence).
          Those three are empty where nothing is C(proven). The last lines of that run are in C(journal).
        - Lines of the journal are those that the user of this task may read, and none where it may not read which
          secrets there are.
      returned: for the first 100 units that have failed, or wait for a restart by itself
      type: dict
      sample:
        proven: true
        cause: "there is no user shop, whom User= (/etc/systemd/system/shop.service:7) names"
        remedy: create that account before the unit starts, or correct the name
        evidence: "shop.service: Failed at step USER spawning /usr/bin/shop: No such process"
        journal: ["shop.service: Failed with result 'exit-code'."]
    type:
      description: When a service counts as started; of a mount, its file system.
      type: str
      sample: notify
    restart:
      description: When it is restarted by itself.
      type: str
    main_pid:
      description: The process ID of its main process, null where none runs.
      type: int
    control_pid:
      description: The process ID of a command that is on its way, such as that of C(ExecReload).
      type: int
    n_restarts:
      description: How often systemd has restarted it by itself.
      type: int
    exec_main_code:
      description: How its main process ended, V(exited), V(killed) or V(dumped); null for one that runs.
      type: str
    exec_main_status:
      description: The exit status, or the number of the signal.
      type: int
    exec_main_start_timestamp:
      description: When its main process was started.
      type: dict
    exec_main_exit_timestamp:
      description: When that ended.
      type: dict
    exec_start:
      description:
        - The commands, each with its words as systemd has taken them apart, and what their last run came to. So are
          C(exec_condition), C(exec_start_pre), C(exec_start_post), C(exec_reload), C(exec_reload_post), C(exec_stop)
          and C(exec_stop_post), of sockets C(exec_stop_pre) too.
      type: list
      elements: dict
      sample:
        - path: /usr/sbin/nginx
          argv: [/usr/sbin/nginx, -g, daemon on;]
          flags: [ignore-failure]
          started: {iso: "2026-01-01T02:00:00Z", epoch: 1767232800}
          ended: null
          pid: 812
          code: null
          status: null
    restart_sec:
      description:
        - Seconds before it is restarted. So are C(timeout_start_sec), C(timeout_stop_sec), C(runtime_max_sec) and
          C(watchdog_sec).
      type: float
    user:
      description: The account that it runs as by its settings, and C(group) its group.
      type: str
    status_text:
      description: What the service has said of its state.
      type: str
    environment_files:
      description: The files that its environment is read from, each with C(path) and C(ignore_errors).
      type: list
      elements: dict
    control_group:
      description: Its control group, null where it has none now.
      type: str
    slice:
      description: The slice that it is in.
      type: str
    memory_current:
      description: Bytes of memory in use.
      type: int
    memory_peak:
      description: The most bytes that were, by systemd from 255 on, else by the kernel.
      type: int
    memory_max:
      description:
        - The limit in bytes, null where there is none. So are C(memory_high), C(memory_low) and C(memory_swap_max).
      type: int
    memory_swap_current:
      description: Bytes that are swapped out.
      type: int
    tasks_current:
      description: How many processes and threads it has.
      type: int
    tasks_max:
      description: How many it may have.
      type: int
    cpu_usage_sec:
      description: Seconds of the processor that it has used.
      type: float
    cpu_quota_per_sec:
      description: Seconds of the processor that it may use in each second.
      type: float
    suggested:
      description:
        - C(memory_max) and C(tasks_max) as twice what was measured, memory by its peak. A measure after a typical load
          is worth more than one after a start. Null where nothing was measured.
      returned: for units with a control group
      type: dict
      sample: {memory_max: 134217728, tasks_max: 6}
    unlimited:
      description: The keys whose null means that there is no limit, which systemd calls infinity.
      type: list
      elements: str
      sample: [memory_max, runtime_max_sec]
    listen:
      description: What a socket listens on.
      type: list
      elements: dict
      sample: [{type: Stream, address: "127.0.0.1:8080"}]
    accept:
      description: Whether each connection has a service of its own.
      type: bool
    n_connections:
      description: How many there are. C(n_accepted) were taken in all, and C(n_refused) were not.
      type: int
    unit:
      description: What a timer or path starts.
      type: str
    next_elapse:
      description: When a timer elapses next, by its calendars and by what counts from a start or a boot.
      type: dict
    last_trigger:
      description: When it last did.
      type: dict
    timers_calendar:
      description: Its calendars as systemd writes them.
      type: list
      elements: dict
      sample: [{base: OnCalendar, calendar: "*-*-* 02:00:00"}]
    timers_monotonic:
      description: Its spans in seconds, and what each counts from.
      type: list
      elements: dict
      sample: [{base: OnBootSec, sec: 900}]
    persistent:
      description: Whether a timer makes up for times at which the host was off.
      type: bool
    accuracy_sec:
      description: Within how many seconds a timer elapses; C(randomized_delay_sec) is what may be added at random.
      type: float
    paths:
      description: What a path waits for.
      type: list
      elements: dict
      sample: [{type: PathExists, path: /run/reload}]
    where:
      description: Where a mount or automount is, and C(what) and C(options) of a mount or swap.
      type: str
    priority:
      description: The priority of a swap.
      type: int
    timeout_idle_sec:
      description: Seconds after which an automount takes its mount away.
      type: float
  sample:
    dbus.socket: {id: dbus.socket, load_state: loaded, active_state: active, sub_state: running}
not_found:
  description: Names and patterns that stand for no unit, or for none of O(types). That is no failure.
  returned: success
  type: list
  elements: str
  sample: []
unread:
  description:
    - What could not be read, with the C(unit), or nothing where it is of none alone, a key or path as C(what), and the
      C(reason).
  returned: success
  type: list
  elements: dict
  sample:
    - unit: shop.service
      what: memory_current
      reason: "systemd has no number: MemoryAccounting= is off, or the kernel has no such controller here"
errors:
  description: Why there is no answer, one entry a problem.
  returned: failure
  type: list
  elements: dict
  sample:
    - {unit: "", section: "", directive: "", rule: host, message: "systemctl list-units failed: exit code 1"}
"""

from ansible_collections.unitwright.systemd.plugins.module_utils._desired import options
from ansible_collections.unitwright.systemd.plugins.module_utils._run import facts, front


def main() -> None:
    front.ask(options.info(), facts.gather)


if __name__ == "__main__":
    main()
