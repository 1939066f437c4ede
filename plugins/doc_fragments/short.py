# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the short options are for, a sentence each; what they take stands in module_utils/_desired/short.py."""

from __future__ import annotations

import json
import textwrap
from functools import lru_cache
from typing import Any, Dict, List, Mapping

from ansible_collections.unitwright.systemd.plugins.module_utils._desired.short import PROCESS, SHORT, Short

# A line for each option, in its own words; the directive and its manual page are added to it.
_SENTENCES = """
description: What the unit is, in a few words. By default its name.
documentation: Where it is documented, as one or several URIs.
wants: Units that are started along with it; one that fails keeps nothing down. They are not waited for, see O(after).
requires: Units that it cannot be without; it stops where one of them is stopped. They are not waited for, see O(after).
requisite: Units that have to run already when it is started.
binds_to: Units that it stops with, for whatever reason they go.
part_of: Units whose stop and restart are handed on to it.
conflicts: Units that cannot run at the same time; a start of the one stops the other.
before: Units that come after it.
after: Units that it comes after.
requires_mounts_for: Paths whose mounts it needs.
condition_path_exists: Paths that have to be there, or not, with a V(!) before them; otherwise a start is skipped.
assert_path_exists: Paths that have to be there, or not, with a V(!) before them; otherwise a start fails.
start_limit_interval_sec: >-
  The time in which O(start_limit_burst) starts are too many, so that it stays down. By default there is no limit where
  it is restarted, so that what it needs may be away for an hour.
start_limit_burst: >-
  The starts within O(start_limit_interval_sec) after which it stays down. A limit that the pause between two starts
  keeps from being reached is refused.
type: >-
  When it counts as up. systemd's own default is V(simple); what a timer runs is V(oneshot). V(notify-reload) is there
  since systemd 253.
exec_start: The command, as systemd reads it. A list is the directive repeated, for several commands of a oneshot.
exec_start_pre: Commands that run before O(exec_start), each of which has to succeed.
exec_start_post: Commands that run once it is up.
exec_reload: Commands that make it read its configuration anew.
exec_stop: Commands that stop it. By default its processes are sent O(kill_signal).
exec_stop_post: Commands that run after it has stopped, however that came.
restart: >-
  After what end it is started again. Defaults to V(on-failure), as a service is to run on; but for a oneshot, for what
  a timer starts and for what a socket starts for each connection, which have their next time.
restart_sec: The pause before that. Defaults to 5 seconds, so that what fails at once does not take the host's time.
restart_prevent_exit_status: Exit codes and signals after which it is not started again.
success_exit_status: Exit codes and signals that are no failure, besides 0.
remain_after_exit: Whether it counts as up once its command has ended.
timeout_start_sec: How long a start may take. systemd's own default is 90 seconds, but no limit for a oneshot.
timeout_stop_sec: How long a stop may take before the processes are killed. systemd's own default is 90 seconds.
runtime_max_sec: How long it may run.
watchdog_sec: How often it has to send C(WATCHDOG=1), so that a program which hangs is started anew.
notify_access: Whose messages systemd listens to. By default nobody's, and those of the main process for V(notify).
pid_file: The file that a V(forking) service writes its main process to. None by default.
bus_name: The name that a V(dbus) service takes. None by default.
kill_mode: Which of its processes are stopped.
kill_signal: The signal that asks them to end. systemd's own default is C(SIGTERM).
user: The user that its processes run as. The default of a system service is root.
group: The group that they run as. By default that of the user.
supplementary_groups: Groups more, such as one for a device.
dynamic_user: Whether a user is made for it that is there while it runs.
umask: The mode bits that new files do not get, quoted.
working_directory: Where it starts. By default C(/), and the home of the user for units of a user.
environment_file: Files of environment variables; one with a V(-) before it may be missing. Of changes see C(triggers).
standard_input: Where it reads from. Defaults to C(socket) for what a socket starts for each connection.
standard_output: Where its output goes. Defaults to the journal, for what a socket starts for each connection to that.
standard_error: Where its errors go. By default where its output goes.
syslog_identifier: >-
  The name that its lines have in the journal. Defaults to that of the unit, without its suffix, as that is where one
  looks; systemd's own is that of the program, such as C(python3).
runtime_directory: Folders below C(/run) that are its own while it runs.
runtime_directory_mode: The mode of these, quoted.
runtime_directory_preserve: Whether these stay when it stops.
state_directory: Folders below C(/var/lib) that are its own.
state_directory_mode: The mode of these, quoted.
cache_directory: Folders below C(/var/cache) that are its own.
logs_directory: Folders below C(/var/log) that are its own.
configuration_directory: Folders below C(/etc) that are made for it.
nice: Its priority, from V(-20), the highest, to V(19).
oom_score_adjust: How soon the kernel kills it where memory is short, from V(-1000), never, to V(1000).
io_scheduling_class: The class of its access to disks, such as V(idle). The kernel's own default is V(best-effort).
limit_nofile: How many files it may have open. The default is that of C(systemd-system.conf(5)).
limit_nproc: How many processes its user may have. The default is that of C(systemd-system.conf(5)).
limit_core: How large a core dump may be. The default is that of C(systemd-system.conf(5)).
limit_memlock: How much memory it may lock. The default is that of C(systemd-system.conf(5)).
ambient_capabilities: Capabilities that it has though it is not root, such as C(CAP_NET_BIND_SERVICE).
capability_bounding_set: The capabilities that it can have at most. By default all.
no_new_privileges: Whether it can get no rights more, as by setuid programs.
private_tmp: Whether it has folders C(/tmp) and C(/var/tmp) of its own.
private_devices: Whether it sees no devices but C(/dev/null) and the like.
private_network: Whether it has no network but a loopback of its own.
private_users: Whether it sees no users but its own and root.
protect_system: Whether the system's folders are read-only for it, V(true), V(full) or V(strict).
protect_home: Whether the homes are kept from it, V(true), V(read-only) or V(tmpfs).
protect_clock: Whether it cannot set the clock.
protect_control_groups: Whether control groups are read-only for it.
protect_hostname: Whether it cannot set the name of the host.
protect_kernel_logs: Whether it cannot read the kernel's messages.
protect_kernel_modules: Whether it cannot load modules of the kernel.
protect_kernel_tunables: Whether the kernel's variables are read-only for it.
protect_proc: Which processes of others it sees.
proc_subset: Whether it sees nothing but processes in C(/proc).
read_write_paths: Paths that it may write to though O(protect_system) forbids it.
read_only_paths: Paths that it may only read.
inaccessible_paths: Paths that it does not see.
exec_paths: Paths whose programs it may run though O(no_exec_paths) forbids it. Since systemd 248.
no_exec_paths: Paths whose programs it may not run. Since systemd 248.
restrict_address_families: The kinds of sockets that it may open, such as C(AF_UNIX) and C(AF_INET). By default all.
restrict_namespaces: Whether it can make no namespaces, or which.
restrict_realtime: Whether it cannot ask for real-time scheduling.
restrict_suid_sgid: Whether it cannot make setuid or setgid files.
lock_personality: Whether it cannot change its execution domain.
memory_deny_write_execute: Whether it cannot make memory writable and executable, as a just-in-time compiler does.
remove_ipc: Whether its IPC objects go when it stops.
system_call_filter: >-
  The system calls it may make, such as C(@system-service); with a V(~) before them, those it may not. By default it may
  make all.
system_call_error_number: The error that another one gets, such as C(EPERM). By default it kills the process.
system_call_architectures: The architectures whose system calls it may make, such as C(native). By default all.
slice: The slice that it is in. By default C(system.slice), and C(app.slice) for units of a user.
memory_max: The most memory that it may use; beyond that it is killed.
memory_high: The memory beyond which it is slowed down.
memory_swap_max: The most swap that it may use.
cpu_quota: The most time of a processor that it may use, such as C(50%); C(200%) are two. By default all there is.
cpu_weight: Its share of the processors beside others, from V(1) to V(10000). The kernel's own default is V(100).
io_weight: Its share of the disks beside others, from V(1) to V(10000). The kernel's own default is V(100).
tasks_max: The most processes and threads that it may have. By default 15% of those that the host may have.
device_allow: Devices that it may use, such as C(/dev/gpiomem rw).
device_policy: Whether it may use any device but those of O(device_allow).
on_calendar: >-
  When it elapses, as one or several calendar expressions, such as C(Mon..Fri *-*-* 08:00). An expression ends with a
  time zone, if it shall not be read in the host's, or see O(timezone).
on_active_sec: How long after the timer was started it elapses.
on_boot_sec: How long after the boot it elapses.
on_startup_sec: How long after the start of the manager it elapses, which is the login for units of a user.
on_unit_active_sec: How long after the last start of what it starts it elapses again.
on_unit_inactive_sec: How long after the last end of what it starts it elapses again.
persistent: Whether what elapsed while the host was off is made up for at once.
randomized_delay_sec: The most by which it elapses later, by chance, so that not all hosts do so at once.
fixed_random_delay: Whether that delay is the same each time.
accuracy_sec: By how much it may elapse later, to save wake-ups. systemd's own default is a minute.
wake_system: Whether it wakes the host from suspend.
listen_stream: Ports, addresses C(HOST:PORT) or paths that take connections.
listen_datagram: The same for datagrams.
listen_sequential_packet: Paths that take connections of sequenced packets.
listen_fifo: Paths of pipes.
accept: Whether each connection has a service of its own, so that what is brought is a template.
socket_user: The user that owns a socket in the file system. The default is root.
socket_group: The group of it. The default is root.
socket_mode: The mode of it, quoted. systemd's own default is C(0666), so that everyone may connect.
directory_mode: The mode of folders that are made for it, quoted.
remove_on_stop: Whether it is removed when the socket is stopped.
backlog: How many connections may wait. By default as many as the kernel lets wait.
max_connections: How many services for connections may run at once.
max_connections_per_source: How many of them for one address or user.
bind_ipv6_only: Whether a port of IPv6 is one of IPv4 too.
free_bind: Whether it may listen on an address that the host does not have yet.
reuse_port: Whether several sockets may listen on the same port.
keep_alive: Whether connections that are silent are tried now and then.
no_delay: Whether small packets are sent at once.
file_descriptor_name: The name that the service finds it by. By default that of the socket, with its suffix.
wanted_by: >-
  What starts it at boot. Defaults to C(multi-user.target), C(sockets.target) or C(timers.target) by its type, with
  C(default.target) in the place of the first for units of a user. An empty list is for what something else starts.
required_by: What starts it and cannot be without it.
alias: Names more that it has while it is enabled.
"""


# systemd's own defaults of what is neither true or false nor a list, where no sentence tells it.
_DEFAULTS = """
start_limit_burst 5
runtime_max_sec infinity
watchdog_sec 0
kill_mode control-group
umask 0022
runtime_directory_mode 0755
runtime_directory_preserve no
state_directory_mode 0755
nice 0
oom_score_adjust 0
private_tmp false
private_users false
protect_system false
protect_home false
protect_control_groups false
protect_hostname false
protect_proc default
proc_subset all
restrict_namespaces false
memory_max infinity
memory_high infinity
memory_swap_max infinity
device_policy auto
randomized_delay_sec 0
directory_mode 0755
max_connections 64
max_connections_per_source 0
bind_ipv6_only default
"""


def default(option: str, row: Short) -> str:
    """What systemd does without the option, "" where its sentence tells, or where that is a list without anything."""
    if "efault" in sentences()[option] or row.takes in (("texts",), ("names",)):
        return ""
    told = dict(line.split() for line in _DEFAULTS.strip().splitlines())
    return "false" if row.takes == ("bool",) else told[option]


@lru_cache(maxsize=None)
def sentences() -> Dict[str, str]:
    """By option."""
    found: Dict[str, List[str]] = {}
    option = ""
    for line in _SENTENCES.strip().splitlines():
        name, colon, text = line.partition(":")
        option, told = (option, line) if line.startswith(" ") or not colon else (name, text)
        found.setdefault(option, []).append(told.strip())
    return {option: " ".join(line for line in lines if line and line != ">-") for option, lines in found.items()}


def options(rows: Mapping[str, Short]) -> str:
    """The documentation of these options as YAML."""
    told = sentences()
    entries: Dict[str, Any] = {}
    for option, row in rows.items():
        place = f"Sets C({row.directive}=) of C([{row.section}]), see C({row.manual}(5))."
        if row.takes == ("text",):
            place += " Text or a number."
        elif row.takes == ("texts",):
            place += " Text, or a list of texts, for the directive repeated."
        of_systemd = default(option, row)
        if of_systemd:
            place += f" systemd's own default is V({of_systemd})."
        elif "efault" not in told[option]:
            place += " None by default."
        entries[option] = {"description": [told[option], place], **row.spec}
    return "\n".join(f"{option}: {json.dumps(entry)}" for option, entry in entries.items())


_COMMAND = """
argv:
  description:
    - The command as a list of words in the place of O(exec_start), where systemd fills in specifiers and variables. The
      first is the program, and each of the others reaches it just as it is written.
  type: list
  elements: raw
depends_on:
  description:
    - Units that are started first, as C(Wants=) and C(After=); one that fails does not keep it down for good. The
      suffix C(.service) may be left out.
    - It waits for what systemd calls their start, by their C(Type=), and not for their checks in C(health).
    - "A mapping C({name: redis.service, required: true}) is C(Requires=) and C(After=), for what it cannot be without."
  type: list
  elements: raw
"""

_OPEN = """
@OPTION@:
  description:
    - Any directives of the C([@SECTION@]) section@WHOSE@, under systemd's own names, beside what other options stand
      for. The same directive given both ways is an error.
  type: dict
"""

_NAME = """
name:
  description: The name of the unit; its suffix C(.@FORM@) may be left out.@MORE@
  type: str
  required: true
"""

_CRON = """
cron:
  description:
    - When it elapses, as five fields of cron or one of its nicknames, in the place of O(on_calendar). As with vixie
      cron and cronie, either of both day fields is enough if both are given, but where one begins with V(*).
    - V(@reboot) is a service that is enabled at boot, that the installation does not run, and no timer.
    - Where the clock is changed, RV(ignore:timers) says what differs from cron.
  type: str
timezone:
  description: The time zone that O(on_calendar) or O(cron) is read in, such as C(Europe/Berlin); else the host's.
  type: str
unit:
  description:
    - As text, the unit that it starts, in the place of the options of a service; by default the service of its name.
    - As a mapping, any directives of the timer's C([Unit]) section, under systemd's own names.
  type: raw
"""

_MEMBERS = """
members:
  description:
    - Units that start, stop and restart with it, and that come up at boot because of it. The suffix C(.service) may be
      left out. One that fails keeps the others up.
    - A unit of the same declaration has no O(state) and O(enabled) of its own then. One that is not ours gets a
      drop-in, and is disabled only where the target is declared stopped or not enabled.
  type: list
  elements: str
"""


def open_section(option: str, whose: str = "") -> str:
    """The documentation of a section that stays open beside the short options."""
    text = _OPEN.replace("@OPTION@", option).replace("@SECTION@", option.capitalize())
    return text.replace("@WHOSE@", whose)


def _name(form: str, more: str = "") -> str:
    return _NAME.replace("@FORM@", form).replace("@MORE@", more)


_INSTALL = open_section("install")
_OF_BROUGHT = " of the service that it brings"
_ABOUT_BROUGHT = " The options of a service make one of the same name beside it."
SERVICE = (
    _name("service", " A template is V(worker@)."),
    options(SHORT["service"]),
    _COMMAND,
    open_section("unit"),
    open_section("service"),
    _INSTALL,
)
TIMER = (
    _name("timer", _ABOUT_BROUGHT),
    options({**SHORT["timer"], **PROCESS}),
    _CRON,
    _COMMAND,
    open_section("timer"),
    open_section("service", _OF_BROUGHT),
    _INSTALL,
)
SOCKET = (
    _name("socket", _ABOUT_BROUGHT),
    options({**SHORT["socket"], **PROCESS}),
    _COMMAND,
    open_section("unit"),
    open_section("socket"),
    open_section("service", _OF_BROUGHT),
    _INSTALL,
)
TARGET = (
    _name("target"),
    options(SHORT["target"]),
    _MEMBERS,
    textwrap.dedent(_COMMAND[_COMMAND.index("depends_on:") :]),
    open_section("unit"),
    _INSTALL,
)


class ModuleDocFragment:
    """Parts of the fragments in options.py; no module takes this one by itself."""
