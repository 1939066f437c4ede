# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What other tools call an option of ours, and what belongs to the task or is not needed here. Pure.

Read where Ansible has refused something. Private to the collection.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping, Sequence

from .._syntax.names import misnamed
from .options import Spec

# Of Docker Compose, supervisor, the modules command and systemd_service, and crontabs; in order of what is likely.
_CALLED: Dict[str, Sequence[str]] = {
    "exec_start": "command cmd run program cmdline command_line executable entrypoint start_command script".split(),
    "environment": "env environ env_vars environment_variables envs".split(),
    "environment_file": "env_file envfile".split(),
    "working_directory": "cwd workdir working_dir chdir directory dir".split(),
    "restart": "restart_policy auto_restart autorestart".split(),
    "user": "username run_as runas".split(),
    "on_calendar": "schedule calendar".split(),
    "on_unit_active_sec": "interval every period".split(),
    "depends_on": ["dependencies"],
    "members": ["units", "services"],
    "http": "url uri".split(),
    "command": "cmd test exec".split(),
    "files": ["file"],
    "profile": "level preset".split(),
    "unit": ["unit_options"],
}
# Playbook keywords of a task, but for those that may as well be meant of a unit, such as timeout, port and delay.
KEYWORDS = frozenset(
    """
    any_errors_fatal async become become_exe become_flags become_method become_user changed_when check_mode collections
    debugger delegate_facts delegate_to diff failed_when ignore_errors ignore_unreachable loop loop_control
    module_defaults no_log notify register remote_user run_once tags throttle until vars when
    """.split()
)
# Options of ansible.builtin.systemd_service for what is done here without them.
_BY_ITSELF = {
    "daemon_reload": "the module has systemd read its files again where they have changed",
    "no_block": "the module waits until its units are up, as it could not tell otherwise whether they are",
    "force": "the module puts its own links right, and refuses those of others",
    "daemon_reexec": "nothing here needs systemd itself to start anew",
}
# Options of ansible.builtin.template and copy.
_TEXTS = frozenset("src template template_src unit_file file dest".split())
# In order of what is likely; the state of a whole stack is that its units have their own.
STATES: Dict[str, Sequence[str]] = {
    **dict.fromkeys(("running", "active", "up"), ("started", "present")),
    **dict.fromkeys(("inactive", "down"), ("stopped",)),
    "started": ("present",),
}

# What systemctl does to a unit, and what is no state of it here.
_SWITCHES = {
    "enabled": "enabled: true",
    "disabled": "enabled: false",
    "masked": "masked: true",
    "unmasked": "masked: false",
}


def called(key: str, spec: Spec, given: Mapping[str, Any]) -> str:
    """The option that other tools call so, "" if there is none here, or it is given itself."""
    known = (option for option, names in _CALLED.items() if key.lower() in names)
    return next((option for option in known if option in spec and option not in given), "")


def elsewhere(key: str, spec: Spec) -> str:
    """What to do with what is no option of a module's, but has its place elsewhere or needs none."""
    if key in _BY_ITSELF:
        return f"it is not needed, as {_BY_ITSELF[key]}: leave it out"
    if key in _TEXTS and "name" in spec:
        return "an entry of units has its text in content, as in \"{{ lookup('template', 'NAME.service.j2') }}\""
    if key in KEYWORDS or key.startswith("with_"):
        return "it is a keyword of the task: put it beside the module's name"
    return ""


def more_of(option: str, value: str) -> str:
    """What may be meant by a value that an option of ours cannot have, where that has another name elsewhere."""
    if option == "state" and value.lower() in _SWITCHES:
        return f": write {_SWITCHES[value.lower()]}, which is an option of its own"
    if option != "on_failure" or misnamed(value):
        return ""
    return f": a unit that is started when one fails is named by unit: {{OnFailure: {value}}}, or see alert"
