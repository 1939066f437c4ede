# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each example does what it is for, over its own protocol."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from testinfra.host import Host


def test_it_answers(answers: Any, until: Any, service: str) -> None:
    assert until(lambda: answers(service))


def test_it_is_enabled_and_up(host: Host, enabled: str) -> None:
    assert host.check_output("systemctl is-enabled %s", enabled) == "enabled"
    assert host.check_output("systemctl is-active %s", enabled) == "active"


@pytest.mark.parametrize(
    ("name", "user"),
    [("gpio-api", "pi"), ("mywebapp", "mywebapp"), ("myapi", "nodeapi"), ("app@shop", "shop"), ("celery", "ubuntu")],
)
def test_it_does_not_run_as_root(host: Host, show: Any, name: str, user: str) -> None:
    process = host.process.get(pid=int(show(f"{name}.service", "MainPID")))
    assert process.user == user


def test_the_pins_are_reached_by_their_group(host: Host, get: Any) -> None:
    assert host.file("/dev/gpiomem").group == "gpio"
    assert "gpio" not in host.check_output("id --groups --name pi").split()
    assert json.loads(get("http://127.0.0.1:5000/health"))["register"] == "00"


def test_the_environment_file_is_for_root_alone(host: Host) -> None:
    file = host.file("/etc/myapi/environment")
    assert (file.user, file.mode) == ("root", 0o600)


def test_the_override_is_over_debian_s_nginx(host: Host, show: Any, get: Any) -> None:
    assert show("nginx.service", "FragmentPath").endswith("lib/systemd/system/nginx.service")
    assert show("nginx.service", "DropInPaths") == "/etc/systemd/system/nginx.service.d/override.conf"
    assert show("nginx.service", "LimitNOFILE") == "65535"
    # A container may be given less than that, and then systemd takes what there is.
    limits = host.file(f"/proc/{show('nginx.service', 'MainPID')}/limits").content_string
    most = host.file("/proc/1/limits").content_string
    (soft,), (hard,) = (re.findall(r"^Max open files +(?:\d+ +)?(\d+) +files", each, re.M) for each in (limits, most))
    assert int(soft) == min(65535, int(hard))
    assert "Welcome to nginx" in get("http://127.0.0.1:8180/")


def test_the_user_of_the_counter_is_made_for_it(host: Host, show: Any) -> None:
    pid = show("counter.service", "MainPID")
    # The range of systemd's own (systemd.exec(5), DynamicUser=).
    assert 61184 <= int(host.check_output("stat --format=%%u /proc/%s", pid)) <= 65519
    assert "counter" not in host.check_output("cut -d: -f1 /etc/passwd").split()


@pytest.mark.parametrize(
    ("directive", "value"),
    [
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("PrivateTmp", "yes"),
        ("ProtectHome", "yes"),
        ("ProtectProc", "invisible"),
        ("ProcSubset", "pid"),
        ("ProtectKernelTunables", "yes"),
        ("ProtectKernelModules", "yes"),
        ("ProtectKernelLogs", "yes"),
        ("CapabilityBoundingSet", ""),
    ],
)
def test_the_counter_is_hardened_as_its_guide_has_it(show: Any, directive: str, value: str) -> None:
    assert show("counter.service", directive) == value


def test_the_priorities_are_found_again(host: Host) -> None:
    found = {
        priority: {
            line.split(":")[0]
            for line in host.check_output(f"journalctl -u frames -p {priority} --output=cat --no-pager -q").splitlines()
        }
        for priority in ("err", "err..warning")
    }
    assert found == {"err": {"Critical error"}, "err..warning": {"Critical error", "Warning"}}


@pytest.mark.parametrize(
    ("timer", "calendar"),
    [
        ("load-log", "*-*-* *:00/15:00"),
        ("nightly-backup", "*-*-* 02:00:00"),
        ("disk-report", "Mon..Fri *-*-* 06,07,08,09,10,11,12,13,14,15,16,17,18,19,20,21,22:00,20,40:00"),
    ],
)
def test_the_timer_waits(host: Host, show: Any, timer: str, calendar: str) -> None:
    assert show(f"{timer}.timer", "SubState") == "waiting"
    assert f"OnCalendar={calendar} ;" in show(f"{timer}.timer", "TimersCalendar")
    assert timer in host.check_output("systemctl list-timers --no-pager")


@pytest.mark.parametrize(
    ("job", "found", "said"),
    [
        ("load-log", "cat /var/log/load-log/load.log", "load average"),
        ("nightly-backup", "stat --format='%U %n' /var/lib/nightly-backup/redis-*.rdb", "backup /var/lib"),
        ("disk-report", "journalctl --no-pager -t disk-report", "Mounted on"),
    ],
)
def test_the_job_does_its_work(host: Host, show: Any, job: str, found: str, said: str) -> None:
    host.check_output("systemctl start %s", job)
    assert show(f"{job}.service", "Result") == "success"
    assert said in host.run(found).stdout
