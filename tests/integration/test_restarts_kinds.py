# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change of a timer, path, mount, slice or target does to what runs (docs/restarts.md)."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

from tests.testbed.listing import NOTES

from .entries import BAD, IDLE, UNITS, Entry, app, program, service, timer, tmpfs
from .lab import Lab, actions, until, verbs


def test_a_timer_neither_misses_nor_doubles_an_elapse(host: Lab) -> None:
    log = f"{NOTES}/log"

    def job(**more: str) -> list[Entry]:
        once: Entry = {"service": {"Type": "oneshot"}, "unit": {"StartLimitIntervalSec": 0}}
        often = {"OnCalendar": "*:*:0/4", "AccuracySec": "10ms", **more}
        return [service("job", f"/bin/sh -c 'date +%%s >> {log}'", **once), {"name": "job.timer", "timer": often}]

    def runs() -> list[int]:
        """The even second that each run was due at; a busy machine may begin it a second late."""
        return [int(line) // 2 * 2 for line in host.sh(f"cat {log} 2>/dev/null", check=False).split()]

    host.apply(*job())
    until(runs, "it never ran")
    host.apply(*job(Persistent="yes"))
    host.apply(*job(OnCalendar="*:*:0/4,2/4"))
    host.apply(*job(OnCalendar="*:*:0/4"))
    count = len(runs())
    until(lambda: len(runs()) > count + 1, "it runs no more")
    host.sh("systemctl stop job.timer")
    times = runs()
    always = [time for time in times if time % 4 == 0]
    assert len(times) == len(set(times)), times
    assert always == list(range(always[0], always[-1] + 1, 4)), times


def test_a_timer_does_not_run_its_service_out_of_time(host: Lab) -> None:
    def job(number: int, calendar: str, **more: Any) -> list[Entry]:
        return [
            service("job", program(number, "job", "true"), service={"Type": "oneshot"}),
            timer(calendar, Persistent=True, **more),
        ]

    host.apply(*job(1, "yearly"))
    result = host.apply(*job(2, "monthly", RandomizedDelaySec=5))
    assert (result["newly_started"], result["restarted"]) == ([], [])
    assert host.states("job.service", "job.timer") == ["inactive", "active"]
    assert not host.exists(f"{NOTES}/job")
    assert host.show("job.timer", "NextElapseUSecRealtime").split()[1].endswith("-01")


def test_a_timer_changes_its_schedule_without_firing(host: Lab) -> None:
    trace = f"{NOTES}/ran"
    job = service("job", f"/bin/touch {trace}", service={"Type": "oneshot"})

    def timer(when: str) -> Entry:
        directives = {"OnCalendar": when, "Persistent": True}
        return {"name": "job.timer", "timer": directives, "install": {"WantedBy": "timers.target"}}

    host.apply(job, timer("*-*-* 03:00:00"))
    before = host.show("job.timer", "NextElapseUSecRealtime")
    result = host.settled(job, timer("*-*-* 04:00:00"))
    assert verbs(result) == ["write", "daemon-reload"]
    after = host.show("job.timer", "NextElapseUSecRealtime")
    assert "04:00:00" in after
    assert after != before
    assert not host.exists(trace)


def test_a_timer_whose_times_were_over_has_new_ones(host: Lab) -> None:
    def job(calendar: str) -> list[Entry]:
        once = service("job", "/bin/true", service={"Type": "oneshot"})
        return [once, timer(calendar)]

    host.attempt(*job("2001-01-01"), on_failure="keep")
    host.apply(*job("daily"))
    assert host.show("job.timer", "SubState") == "waiting"


def test_a_timer_whose_time_after_the_boot_is_over(host: Lab) -> None:
    """It runs at once then, and not again before the next boot."""
    job = service("t", "/bin/true", service={"Type": "oneshot"})
    host.settled(job, {"name": "t.timer", "timer": {"OnBootSec": "1us"}})
    assert host.show("t.timer", "SubState") == "elapsed"
    since = host.show("t.service", "ExecMainStartTimestampMonotonic")
    host.settled(job, {"name": "t.timer", "timer": {"OnBootSec": "2us"}})
    assert host.show("t.service", "ExecMainStartTimestampMonotonic") == since


def test_a_timer_whose_time_for_this_boot_is_over_does_not_run_again(host: Lab) -> None:
    log = f"{NOTES}/log"

    def timer(description: str) -> list[Entry]:
        unit = {"Description": description}
        return [
            {"name": "once.timer", "unit": unit, "timer": {"OnBootSec": "1s", "AccuracySec": "1ms"}},
            service("once", f"/bin/sh -c 'echo ran >> {log}'", service={"Type": "oneshot"}),
        ]

    host.apply(*timer("old"))
    until(lambda: host.show("once.timer", "SubState") == "elapsed", "the timer does not elapse")
    ran = host.read(log)
    result = host.failing(*timer("new"), BAD)
    assert result["rolled_back"], result["msg"]
    assert host.show("once.timer", "SubState") == "elapsed"
    until(lambda: host.state("once.service") == "inactive", "it runs")
    assert host.read(log) == ran


def test_a_path_watches_the_new_place_at_once(host: Lab) -> None:
    def units(place: str) -> list[Entry]:
        once = {"Type": "oneshot", "RemainAfterExit": True}
        path = {"name": "watch.path", "path": {"PathExists": f"{NOTES}/{place}"}}
        return [path, service("watch", program(place, "path", "true"), service=once)]

    host.apply(*units("first"))
    since = host.show("watch.path", "ActiveEnterTimestampMonotonic")
    host.apply(*units("second"))
    assert host.show("watch.path", "ActiveEnterTimestampMonotonic") == since
    host.sh(f"touch {NOTES}/first {NOTES}/second")
    assert host.version("path") == "second"


def test_a_mount_is_mounted_anew_with_what_is_in_it(host: Lab) -> None:
    host.apply(tmpfs("/srv", Options="size=4m"))
    host.sh("touch /srv/kept")
    result = host.apply(tmpfs("/srv", Options="size=8m"))
    assert result["reloaded"] == ["srv.mount"]
    assert host.exists("/srv/kept")
    assert "size=8192k" in host.sh("grep ' /srv ' /proc/mounts")
    assert host.apply(tmpfs("/srv", Options="size=8m", What="other"))["restarted"] == ["srv.mount"]
    assert not host.exists("/srv/kept")


def test_a_slice_is_never_restarted(host: Lab) -> None:
    def units(weight: int) -> list[Entry]:
        return [{"name": "lab.slice", "slice": {"CPUWeight": weight}}, app(1, service={"Slice": "lab.slice"})]

    host.apply(*units(100))
    before = host.invocation("app.service")
    host.apply(*units(200))
    assert host.invocation("app.service") == before
    assert host.show("lab.slice", "CPUWeight") == "200"


def test_a_target_starts_the_member_it_gains(host: Lab) -> None:
    first, second = (service(name, state="present") for name in ("a", "b"))
    target = {"name": "all.target", "unit": {"Wants": first["name"]}}
    host.settled(target, first, second)
    before = host.invocation("a.service")
    target["unit"] = {"Wants": [first["name"], second["name"]]}
    host.settled(target, first, second)
    until(lambda: host.state("b.service") == "active", "the new member is not started")
    assert host.invocation("a.service") == before


@pytest.mark.parametrize(
    "unit",
    [
        {"name": "a.timer", "timer": {"OnCalendar": "daily"}, "install": {"WantedBy": "timers.target"}},
        {"name": "a.path", "path": {"PathExists": "/nowhere"}},
        {"name": "a.slice", "slice": {"MemoryMax": "1G"}, "state": "started"},
    ],
    ids=lambda unit: unit["name"],
)
def test_what_a_unit_newly_pulls_in_is_started(host: Lab, unit: Entry) -> None:
    others = [app(1, "a", state="present"), app(1, "more", state="present", install=None)]
    host.apply(unit, *others)
    result = host.apply({**unit, "unit": {"Wants": "more.service"}}, *others)
    assert actions(result)[-1] == ("start", "more.service")
    assert result["newly_started"] == ["more.service"]
    until(lambda: host.state("more.service") == "active", "it does not come up")


WORK = f"{NOTES}/work"
ONCE = f"[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo done >> {WORK}'\n"


@pytest.mark.parametrize("directive", ["Wants", "Requires", "Upholds"])
@pytest.mark.parametrize("target", ["multi-user.target", "mine.target"])
def test_of_what_a_running_unit_wants_only_the_new_is_started(host: Lab, target: str, directive: str) -> None:
    """Not what someone has stopped by hand, nor a oneshot that ran at boot."""
    if directive == "Upholds" and host.systemd < 249:
        pytest.skip("came with 249")
    host.foreign("once.service", ONCE, start=False)
    host.foreign("stopped.service", start=False)
    host.foreign("other.service", start=False)
    wants = "[Unit]\nWants=once.service stopped.service\n"
    if target == "mine.target":
        host.foreign(target, wants)
        host.sh("systemctl stop stopped.service")
    else:
        host.write(f"{UNITS}/{target}.d/a.conf", wants)
        host.sh("systemctl daemon-reload")
    host.sh(f"rm -f {WORK}")
    dropin = {"name": target, "dropin": "more", "unit": {directive: "other.service"}}
    foretold = host.foretell(dropins=[dropin])
    result = host.settled(dropins=[dropin])
    for each in (foretold, result):
        assert actions(each)[-1] == ("start", "other.service")
        assert f"newly in {directive}= of {target}" in each["plan"][-1]["reason"]
        assert each["newly_started"] == ["other.service"]
    until(lambda: host.state("other.service") == "active", "it does not come up")
    assert host.state("stopped.service") == "inactive"
    assert not host.exists(WORK)


def test_nor_does_a_service_with_a_changed_text_bring_up_the_rest(host: Lab) -> None:
    host.foreign("stopped.service", start=False)
    host.foreign("other.service", start=False)
    unit = service(unit={"Wants": "stopped.service"})
    host.apply(unit)
    host.sh("systemctl stop stopped.service")
    result = host.settled(service(unit={"Wants": ["stopped.service", "other.service"]}))
    assert (result["newly_started"], result["restarted"]) == (["other.service"], [])
    assert host.state("stopped.service") == "inactive"


def test_a_new_wish_for_what_is_masked_nowhere_or_fails_hinders_nothing(host: Lab) -> None:
    host.foreign("fails.service", "[Service]\nType=oneshot\nExecStart=/bin/false\n", start=False)
    host.write(f"{UNITS}/quiet.service", IDLE)
    host.sh(f"ln -sf /dev/null {UNITS}/quiet.service && systemctl daemon-reload")
    wants = {"Wants": "fails.service quiet.service nowhere.service"}
    result = host.settled(dropins=[{"name": "multi-user.target", "dropin": "more", "unit": wants}])
    assert [unit for verb, unit in actions(result) if verb == "start"] == ["fails.service"]


@pytest.mark.parametrize(
    ("directives", "kept"),
    [
        ({"TimeoutSec": 7, "LazyUnmount": True, "ForceUnmount": True, "DirectoryMode": "0700"}, False),
        ({"SloppyOptions": True, "ReadWriteOnly": True, "KillMode": "mixed"}, False),
        ({"MemoryMax": "64M", "TasksMax": 20}, False),
        ({"Environment": "A=1", "Nice": 3}, True),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_what_a_mount_is_not_taken_down_for(host: Lab, directives: dict[str, Any], kept: bool) -> None:
    dependent = service(unit={"RequiresMountsFor": "/srv/data"})
    host.apply(tmpfs("/srv"), dependent)
    host.sh("touch /srv/data")
    before = host.invocation("srv.mount"), host.invocation("main.service")
    result = host.settled({**tmpfs("/srv"), "mount": {**tmpfs("/srv")["mount"], **directives}}, dependent)
    assert (host.invocation("srv.mount"), host.invocation("main.service")) == before
    assert host.exists("/srv/data")
    assert ("srv.mount" in result["kept"]) == kept
    assert host.show("srv.mount", "NeedDaemonReload") == "no"


def test_a_dropin_over_a_mount_of_someone_else(host: Lab) -> None:
    host.foreign("srv.mount", "[Mount]\nWhat=tmpfs\nWhere=/srv\nType=tmpfs\n")
    host.sh("touch /srv/data")
    result = host.settled(dropins=[{"name": "srv.mount", "dropin": "time", "mount": {"TimeoutSec": 7}}])
    assert verbs(result) == ["write", "daemon-reload"]
    assert host.exists("/srv/data")
    assert host.show("srv.mount", "TimeoutUSec") == "7s"


def test_what_an_automount_is_not_taken_down_for(host: Lab) -> None:
    where, unit = "/media/lab", "media-lab.automount"  # a folder that no job of the host itself ever looks into

    def automount(**directives: Any) -> list[Entry]:
        return [tmpfs(where), {"name": unit, "automount": {"Where": where, **directives}}]

    host.apply(*automount())
    before = host.invocation(unit)
    assert verbs(host.settled(*automount(DirectoryMode="0700"))) == ["write", "daemon-reload"]
    assert host.invocation(unit) == before
    assert host.settled(*automount(TimeoutIdleSec=60))["restarted"] == [unit]
    assert "timeout=60" in host.sh("grep autofs /proc/mounts")
    host.sh(f"ls {where}/.")
    result = host.settled(*automount(TimeoutIdleSec=90))
    assert (result["restarted"], list(result["kept"])) == ([], [unit])


LOG = f"{NOTES}/log"


def fired_for_the_last_time(host: Lab, **more: Any) -> Callable[..., list[Entry]]:
    """A timer, of a description, whose one time has come and that has run its service once."""

    def timer_at(at: str, description: str = "a", **directives: Any) -> list[Entry]:
        return [
            service("once", f"/bin/sh -c 'echo ran >> {LOG}'", service={"Type": "oneshot"}),
            {**timer(at, "once", AccuracySec="1us", **directives), "unit": {"Description": description}, **more},
        ]

    for seconds in (2, 4, 8, 16):  # a busy machine may be too late for its time
        at = host.sh(f"date -d '+{seconds} sec' '+%Y-%m-%d %H:%M:%S'")
        job, last = timer_at(at)
        host.apply(job, {**last, "state": "present"})
        host.sh("systemctl start once.timer")
        until(lambda: host.show("once.timer", "SubState") == "elapsed", "the timer does not elapse")
        if host.exists(LOG):
            break
        host.sh("systemctl stop once.timer")
    until(lambda: host.state("once.service") == "inactive", "it runs on")
    assert host.read(LOG) == "ran\n"
    return functools.partial(timer_at, at)


@pytest.mark.parametrize("more", [{}, {"state": "present"}], ids=["started", "present"])
def test_a_timer_that_has_fired_for_the_last_time_stays_as_it_is(host: Lab, more: Entry) -> None:
    once = fired_for_the_last_time(host, **more)
    for changed in (once("b"), once("b", RandomizedDelaySec=1), once("c", Persistent=True)):
        assert verbs(host.settled(*changed)) == ["write", "daemon-reload"]
    assert host.show("once.timer", "SubState") == "elapsed"
    result = host.failing(*once("d"), BAD)
    assert result["rolled_back"], result["msg"]
    assert host.show("once.timer", "SubState") == "elapsed"
    assert host.read(LOG) == "ran\n"


def test_a_dropin_over_a_timer_that_has_fired_for_the_last_time(host: Lab) -> None:
    once = fired_for_the_last_time(host)
    result = host.settled(*once(), dropins=[{"name": "once.timer", "dropin": "x", "unit": {"Description": "b"}}])
    assert verbs(result) == ["write", "daemon-reload"]
    assert host.read(LOG) == "ran\n"


@pytest.mark.parametrize("how", ["new times", "absent", "stopped"])
def test_a_roll_back_does_not_have_it_fire_again(host: Lab, how: str) -> None:
    once = fired_for_the_last_time(host)
    job, last = once()
    changed = {
        "new times": {**last, "timer": {"OnCalendar": "*-*-* 03:00:00"}},
        "absent": {"name": "once.timer", "state": "absent"},
    }.get(how, {**last, "state": how})
    # It has had its time, and a start would give it that once more: where it was stopped, it stays down.
    result = host.failing(job, changed, BAD, besides=["once.timer"])
    assert result["rolled_back"], result["msg"]
    assert host.show("once.timer", "SubState") in ("elapsed", "dead")
    until(lambda: host.state("once.service") == "inactive", "it runs on")
    assert host.read(LOG) == "ran\n"


def test_on_change_none_leaves_a_timer_whose_times_were_over(host: Lab) -> None:
    once = fired_for_the_last_time(host, on_change="none")
    job, last = once()
    result = host.settled(job, {**last, "timer": {"OnCalendar": "*-*-* 03:00:00"}})
    assert (result["restarted"], list(result["kept"])) == ([], ["once.timer"])


@pytest.mark.parametrize("base", ["OnCalendar", "OnBootSec"])
def test_a_timer_that_goes_at_its_end_is_not_started_again(host: Lab, base: str) -> None:
    """It looks as if it had never been started."""

    def units(description: str, **times: str) -> list[Entry]:
        once = service("once", f"/bin/sh -c 'echo ran >> {LOG}'", service={"Type": "oneshot"})
        text = {"RemainAfterElapse": False, "AccuracySec": "1us", **times}
        return [once, {"name": "once.timer", "unit": {"Description": description}, "timer": text}]

    for seconds in (4, 8, 16, 32):  # a busy machine may be too late for its time
        at = host.sh(f"date -d '+{seconds} sec' '+%Y-%m-%d %H:%M:%S'")
        given = {base: at if base == "OnCalendar" else "1s"}
        host.apply(*units("a", **given), besides=["once.timer", "once.service"])
        until(lambda: host.state("once.timer") == "inactive", "it does not elapse", 40)
        if base == "OnBootSec" or host.exists(LOG):
            break
    until(lambda: host.exists(LOG) and host.state("once.service") == "inactive", "it does not run")
    host.assert_settled(*units("a", **given))
    assert verbs(host.settled(*units("b", **given))) == ["write", "daemon-reload"]
    assert host.read(LOG) == "ran\n"
    result = host.settled(*units("b", OnCalendar="*-*-* 03:00:00"))
    assert result["newly_started"] == ["once.timer"]


def test_an_elapsed_timer_of_someone_else_goes_with_the_target_that_it_is_part_of(host: Lab) -> None:
    at = host.sh("date -d '+2 sec' '+%Y-%m-%d %H:%M:%S'")
    host.foreign("theirs.service", "[Service]\nType=oneshot\nExecStart=/bin/true\n", start=False)
    host.foreign("theirs.timer", f"[Unit]\nPartOf=all.target\n[Timer]\nOnCalendar={at}\nAccuracySec=1us\n")
    until(lambda: host.show("theirs.timer", "SubState") == "elapsed", "it does not elapse")
    over = {"name": "theirs.timer", "dropin": "x", "unit": {"Documentation": "man:sh"}}
    host.apply({"name": "all.target", "unit": {"Description": "All"}}, dropins=[over])
    host.remove()
    assert host.states("all.target", "theirs.timer") == ["inactive", "inactive"]


@pytest.mark.parametrize("where", ["/srv/", "/srv/.", "//srv"])
def test_a_mount_whose_folder_is_only_written_otherwise_stays(host: Lab, where: str) -> None:
    host.apply(tmpfs("/srv"))
    host.sh("touch /srv/here")
    result = host.settled({**tmpfs("/srv"), "mount": {**tmpfs("/srv")["mount"], "Where": where}})
    assert verbs(result) == ["write", "daemon-reload"]
    assert host.exists("/srv/here")
