# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The options of the short forms that each stand for one directive, a row for each. Pure.

Argument specs are made of these rows, and the documentation's types too; its sentences are in doc_fragments/short.py.
Private to the collection.
"""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Tuple

from .._syntax.kinds import KINDS

Spec = Dict[str, Any]


class Short(NamedTuple):
    """An option: the section and the directive that it stands for, what it takes, and the manual page of both.

    takes: text; texts, where the directive may be repeated; names, a list of words; bool; or the words to choose from.
    """

    section: str
    directive: str
    takes: Tuple[str, ...]
    manual: str

    @property
    def spec(self) -> Spec:
        """Ansible's type. Text is raw: what YAML makes of 0077, 12:30 or 1.10 is to be told, and not to be written."""
        if self.takes == ("bool",):
            return {"type": "bool"}
        if self.takes == ("names",):
            return {"type": "list", "elements": "str"}
        if self.takes in (("text",), ("texts",)):
            return {"type": "raw"}
        return {"type": "str", "choices": list(self.takes)}


# Before each group the section and the manual page; then the option, its directive, and what it takes.
_GENERAL = """
Unit systemd.unit
  description                 Description              text
  documentation               Documentation            texts
"""
_RELATIONS = """
Unit systemd.unit
  wants                       Wants                    names
  requires                    Requires                 names
  requisite                   Requisite                names
  binds_to                    BindsTo                  names
  part_of                     PartOf                   names
  conflicts                   Conflicts                names
  before                      Before                   names
  after                       After                    names
  requires_mounts_for         RequiresMountsFor        texts
  condition_path_exists       ConditionPathExists      texts
  assert_path_exists          AssertPathExists         texts
  start_limit_interval_sec    StartLimitIntervalSec    text
  start_limit_burst           StartLimitBurst          text
"""
_PROCESS = """
Service systemd.service
  type                        Type                     simple exec forking oneshot dbus notify notify-reload idle
  exec_start                  ExecStart                texts
  exec_start_pre              ExecStartPre             texts
  exec_start_post             ExecStartPost            texts
  exec_reload                 ExecReload               texts
  exec_stop                   ExecStop                 texts
  exec_stop_post              ExecStopPost             texts
  restart                     Restart                  no always on-failure on-success on-abnormal on-abort on-watchdog
  restart_sec                 RestartSec               text
  restart_prevent_exit_status RestartPreventExitStatus texts
  success_exit_status         SuccessExitStatus        texts
  remain_after_exit           RemainAfterExit          bool
  timeout_start_sec           TimeoutStartSec          text
  timeout_stop_sec            TimeoutStopSec           text
  runtime_max_sec             RuntimeMaxSec            text
  watchdog_sec                WatchdogSec              text
  notify_access               NotifyAccess             none main exec all
  pid_file                    PIDFile                  text
  bus_name                    BusName                  text
Service systemd.kill
  kill_mode                   KillMode                 control-group mixed process none
  kill_signal                 KillSignal               text
Service systemd.exec
  user                        User                     text
  group                       Group                    text
  supplementary_groups        SupplementaryGroups      names
  dynamic_user                DynamicUser              bool
  umask                       UMask                    text
  working_directory           WorkingDirectory         text
  environment_file            EnvironmentFile          texts
  standard_input              StandardInput            text
  standard_output             StandardOutput           text
  standard_error              StandardError            text
  syslog_identifier           SyslogIdentifier         text
  runtime_directory           RuntimeDirectory         texts
  runtime_directory_mode      RuntimeDirectoryMode     text
  runtime_directory_preserve  RuntimeDirectoryPreserve no yes restart
  state_directory             StateDirectory           texts
  state_directory_mode        StateDirectoryMode       text
  cache_directory             CacheDirectory           texts
  logs_directory              LogsDirectory            texts
  configuration_directory     ConfigurationDirectory   texts
  nice                        Nice                     text
  oom_score_adjust            OOMScoreAdjust           text
  io_scheduling_class         IOSchedulingClass        text
  limit_nofile                LimitNOFILE              text
  limit_nproc                 LimitNPROC               text
  limit_core                  LimitCORE                text
  limit_memlock               LimitMEMLOCK             text
  ambient_capabilities        AmbientCapabilities      names
  capability_bounding_set     CapabilityBoundingSet    names
  no_new_privileges           NoNewPrivileges          bool
  private_tmp                 PrivateTmp               text
  private_devices             PrivateDevices           bool
  private_network             PrivateNetwork           bool
  private_users               PrivateUsers             text
  protect_system              ProtectSystem            text
  protect_home                ProtectHome              text
  protect_clock               ProtectClock             bool
  protect_control_groups      ProtectControlGroups     text
  protect_hostname            ProtectHostname          text
  protect_kernel_logs         ProtectKernelLogs        bool
  protect_kernel_modules      ProtectKernelModules     bool
  protect_kernel_tunables     ProtectKernelTunables    bool
  protect_proc                ProtectProc              noaccess invisible ptraceable default
  proc_subset                 ProcSubset               all pid
  read_write_paths            ReadWritePaths           texts
  read_only_paths             ReadOnlyPaths            texts
  inaccessible_paths          InaccessiblePaths        texts
  exec_paths                  ExecPaths                texts
  no_exec_paths               NoExecPaths              texts
  restrict_address_families   RestrictAddressFamilies  names
  restrict_namespaces         RestrictNamespaces       text
  restrict_realtime           RestrictRealtime         bool
  restrict_suid_sgid          RestrictSUIDSGID         bool
  lock_personality            LockPersonality          bool
  memory_deny_write_execute   MemoryDenyWriteExecute   bool
  remove_ipc                  RemoveIPC                bool
  system_call_filter          SystemCallFilter         texts
  system_call_error_number    SystemCallErrorNumber    text
  system_call_architectures   SystemCallArchitectures  names
Service systemd.resource-control
  slice                       Slice                    text
  memory_max                  MemoryMax                text
  memory_high                 MemoryHigh               text
  memory_swap_max             MemorySwapMax            text
  cpu_quota                   CPUQuota                 text
  cpu_weight                  CPUWeight                text
  io_weight                   IOWeight                 text
  tasks_max                   TasksMax                 text
  device_allow                DeviceAllow              texts
  device_policy               DevicePolicy             auto closed strict
"""
_TIMES = """
Timer systemd.timer
  on_calendar                 OnCalendar               texts
  on_active_sec               OnActiveSec              texts
  on_boot_sec                 OnBootSec                texts
  on_startup_sec              OnStartupSec             texts
  on_unit_active_sec          OnUnitActiveSec          texts
  on_unit_inactive_sec        OnUnitInactiveSec        texts
  persistent                  Persistent               bool
  randomized_delay_sec        RandomizedDelaySec       text
  fixed_random_delay          FixedRandomDelay         bool
  accuracy_sec                AccuracySec              text
  wake_system                 WakeSystem               bool
"""
_LISTENERS = """
Socket systemd.socket
  listen_stream               ListenStream             texts
  listen_datagram             ListenDatagram           texts
  listen_sequential_packet    ListenSequentialPacket   texts
  listen_fifo                 ListenFIFO               texts
  accept                      Accept                   bool
  socket_user                 SocketUser               text
  socket_group                SocketGroup              text
  socket_mode                 SocketMode               text
  directory_mode              DirectoryMode            text
  remove_on_stop              RemoveOnStop             bool
  backlog                     Backlog                  text
  max_connections             MaxConnections           text
  max_connections_per_source  MaxConnectionsPerSource  text
  bind_ipv6_only              BindIPv6Only             default both ipv6-only
  free_bind                   FreeBind                 bool
  reuse_port                  ReusePort                bool
  keep_alive                  KeepAlive                bool
  no_delay                    NoDelay                  bool
  file_descriptor_name        FileDescriptorName       text
"""
_INSTALL = """
Install systemd.unit
  wanted_by                   WantedBy                 names
  required_by                 RequiredBy               names
  alias                       Alias                    names
"""


def _rows(*texts: str) -> Dict[str, Short]:
    found: Dict[str, Short] = {}
    section = manual = ""
    for line in "".join(texts).splitlines():
        words = line.split()
        if line.startswith(" "):
            found[words[0]] = Short(section, words[1], tuple(words[2:]), manual)
        elif words:
            section, manual = words
    return found


# What a unit of the form itself takes, and what goes to the service that a timer or a socket brings.
PROCESS = _rows(_RELATIONS, _PROCESS)
SHORT = {
    "service": {**_rows(_GENERAL), **PROCESS, **_rows(_INSTALL)},
    "timer": _rows(_GENERAL, _TIMES, _INSTALL),
    "socket": _rows(_GENERAL, _LISTENERS, _INSTALL),
    "target": _rows(_GENERAL, _RELATIONS, _INSTALL),
}
# Each of them by its name, which stands for the same in all forms.
ROWS = {option: row for table in (*SHORT.values(), PROCESS) for option, row in table.items()}


def spec(form: str) -> Spec:
    """The options of a form that stand for directives, those of the service that it brings among them."""
    brought = PROCESS if KINDS[form].is_starter else {}
    return {option: each.spec for option, each in {**SHORT[form], **brought}.items()}
