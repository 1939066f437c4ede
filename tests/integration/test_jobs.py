# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs are awaited under one deadline: each has its unit's time, and work that is under way is left to end."""

from __future__ import annotations

from tests.testbed.listing import NOTES

from .entries import FOREVER, NOTIFY, UNITS, Entry, service, timer
from .lab import Lab, until


def test_one_deadline_holds_for_all(host: Lab) -> None:
    unready = [service(name, service={**NOTIFY, "TimeoutStartSec": "infinity"}) for name in "abcdef"]
    result = host.failing(*({**unit, "health": {"timeout": 1}} for unit in unready), on_failure="keep")
    assert result["timings"]["apply"] < 10


def test_one_waits_for_another_within_the_time_of_each(host: Lab) -> None:
    slow = {"Type": "oneshot", "RemainAfterExit": True}
    health = {"stable_for": 0, "timeout": 5}
    first = service("a", "/bin/sleep 3", service=slow, health=health)
    second = service("b", "/bin/sleep 3", service=slow, unit={"After": first["name"]}, health=health)
    assert len(host.settled(first, second)["newly_started"]) == 2


def test_a_slow_stop_is_the_units_own_to_take(host: Lab) -> None:
    slow = "/bin/bash -c 'trap \"sleep 4; exit 0\" TERM; while :; do sleep 0.1; done'"
    health = {"stable_for": 0, "timeout": 2}
    host.apply(service(command=slow, environment={"A": "1"}, health=health))
    result = host.settled(service(command=slow, environment={"A": "2"}, health=health))
    assert result["restarted"] == ["main.service"]


def test_a_oneshot_that_is_at_its_work_runs_once_more(host: Lab) -> None:
    def job(number: int) -> Entry:
        command = f"/bin/sh -c 'sleep 1; echo {number} >> {NOTES}/log'"
        return service("job", command, service={"Type": "oneshot"}, run="on_change")

    host.apply(job(1))
    host.begin("job.service")
    host.settled(job(2))
    assert host.sh(f"cat {NOTES}/log") == "1\n1\n2"


def test_a_oneshot_that_is_at_its_work_for_too_long_is_told_once(host: Lab) -> None:
    health = {"timeout": 1}
    job = service("job", "/bin/sleep 30", service={"Type": "oneshot"}, run="on_change", health=health)
    host.apply({key: value for key, value in job.items() if key != "run"})
    host.begin(job["name"])
    (error,) = host.failing({**job, "service": {"Type": "oneshot", "ExecStart": "/bin/sleep 31"}})["errors"]
    assert error["unit"] == job["name"]
    assert "earlier work" in error["message"]


def test_a_oneshot_that_is_at_its_work_is_not_cut_off(host: Lab) -> None:
    def job(command: str) -> list[Entry]:
        clock = timer("*-*-* 03:00:00")
        return [service("job", command, service={"Type": "oneshot"}), clock]

    host.apply(*job(FOREVER))
    host.begin("job.service")
    before = host.show("job.service", "MainPID")
    result = host.apply(*job("/bin/sleep 3600"))
    assert "job.service" in result["kept"]
    assert host.show("job.service", "MainPID") == before


def test_what_starts_a_stopped_unit_again_is_named(host: Lab) -> None:
    """A path whose file is there starts its service whenever that ends (systemd.path(5), PathExists=)."""
    host.foreign("main.path", "[Path]\nPathExists=/etc/passwd\n", start=False)
    host.foreign("main.service", f"[Service]\nExecStart={FOREVER}\n", start=False)
    host.sh("systemctl start main.path")
    until(lambda: host.state("main.service") == "active", "the path has started its service")
    result = host.failing({"name": "main.service", "state": "stopped"}, on_failure="keep")
    (error,) = result["errors"]
    assert (error["rule"], error["unit"]) == ("stop", "main.service")
    assert error["message"].endswith("; main.path would")


def test_a_job_that_systemd_refuses_is_told_in_its_words(host: Lab) -> None:
    """As when someone forbids it while the run is under way."""
    unit = service(state="restarted")
    host.apply(unit)
    forbid = f"[Unit]\nRefuseManualStop=yes\n[Service]\nExecStart={FOREVER}\n"
    shim = "/usr/local/bin/systemctl"
    host.write(f"{NOTES}/forbid", forbid)
    script = (
        '#!/bin/sh\ncase "$*" in *restart*)\n'
        f"mkdir -p {UNITS}/main.service.d; cp {NOTES}/forbid {UNITS}/main.service.d/x.conf\n"
        '/usr/bin/systemctl daemon-reload;; esac\nexec /usr/bin/systemctl "$@"\n'
    )
    host.write(shim, script, 0o755)
    try:
        result = host.failing(unit)
    finally:
        host.sh(f"rm -r {shim} {UNITS}/main.service.d; systemctl daemon-reload")
    assert [each["unit"] for each in result["errors"]] == [unit["name"]]
    assert "Operation refused" in result["msg"]
