# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What restarts a service and what does not, by the processes that run after it (docs/restarts.md)."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.testbed.host import Host

from .world import QUICK, Entry, app, failing, forget_versions, invocation, merged, program, show, stack, state, version

pytestmark = pytest.mark.usefixtures("tidy")

LIMIT = "/bin/sh -c 'ulimit -n > /run/notes/%p; exec sleep infinity'"


class Line(NamedTuple):
    """A change of one option, whether it takes a new process, and what tells that it is in force."""

    section: str
    option: str
    old: object
    new: object
    restarts: bool
    told: str = ""


LINES = {
    "execstart": Line("service", "ExecStart", "/bin/sleep 1000", "/bin/sleep 2000", True, "/bin/sleep"),
    "environment": Line("service", "Environment", "A=1", "A=2", True, "A=2"),
    "user": Line("service", "User", "daemon", "games", True, "games"),
    "umask": Line("service", "UMask", "0022", "0077", True, "0077"),
    "workingdirectory": Line("service", "WorkingDirectory", "/", "/tmp", True, "/tmp"),
    "limitnofile": Line("service", "LimitNOFILE", 1000, 2000, True, "2000"),
    "nice": Line("service", "Nice", 1, 2, True, "2"),
    "privatetmp": Line("service", "PrivateTmp", False, True, True, "yes"),
    "oomscoreadjust": Line("service", "OOMScoreAdjust", 1, 2, True, "2"),
    "restart": Line("service", "Restart", "no", "on-failure", False, "on-failure"),
    "killsignal": Line("service", "KillSignal", "SIGTERM", "SIGINT", False, "2"),
    "timeoutstopsec": Line("service", "TimeoutStopSec", 10, 20, False),
    "execstop": Line("service", "ExecStop", "/bin/true", "/bin/echo bye", False, "/bin/echo bye"),
    "execreload": Line("service", "ExecReload", "/bin/true", "/bin/echo hi", False, "/bin/echo hi"),
    "description": Line("unit", "Description", "old", "new", False, "new"),
    "documentation": Line("unit", "Documentation", "man:a", "man:b", False, "man:b"),
    "after": Line("unit", "After", "dbus.service", "dbus.service basic.target", False, "dbus.service"),
    "onfailure": Line("unit", "OnFailure", "basic.target", "paths.target", False, "paths.target"),
    "conditionpathexists": Line("unit", "ConditionPathExists", "/etc", "/nowhere", False),
    "wantedby": Line("install", "WantedBy", "multi-user.target", "rescue.target", False, "rescue.target"),
}


def units(which: str) -> list[Entry]:
    return [
        merged(app(1, name, install=None), {line.section: {line.option: getattr(line, which)}})
        for name, line in LINES.items()
    ]


def invocations(host: Host, names: list[str]) -> dict[str, str]:
    told = host.sh("systemctl show --value --property=InvocationID " + " ".join(f"{name}.service" for name in names))
    return dict(zip(names, told.replace("\n\n", "\n").split("\n"), strict=True))


def test_line_by_line(host: Host) -> None:
    names = list(LINES)
    stack(host, *units("old"))
    before = invocations(host, names)
    result = stack(host, *units("new"))
    after = invocations(host, names)
    expected = {name for name, line in LINES.items() if line.restarts}
    assert {name for name in names if before[name] != after[name]} == expected
    assert {unit.removesuffix(".service") for unit in result["restarted"]} == expected
    for name, line in LINES.items():
        assert line.told in show(host, f"{name}.service", line.option), name
    assert host.sh("ls /etc/systemd/system/rescue.target.wants") == "wantedby.service"
    assert not host.exists("/etc/systemd/system/multi-user.target.wants/wantedby.service")
    assert not stack(host, *units("new"))["changed"]


def test_limits_of_a_cgroup_are_put_into_force_without_a_restart(host: Host) -> None:
    def limited(most: str) -> list[Entry]:
        slice_unit = {"name": "lab.slice", "slice": {"MemoryMax": most}}
        return [slice_unit, app(1, service={"Slice": "lab.slice", "MemoryMax": most, "CPUQuota": "50%"})]

    stack(host, *limited("200M"))
    before = invocation(host, "app.service")
    assert stack(host, *limited("100M"))["restarted"] == []
    assert invocation(host, "app.service") == before
    assert [show(host, unit, "MemoryMax") for unit in ("lab.slice", "app.service")] == ["104857600"] * 2
    assert state(host, "lab.slice") == "active"


def test_what_a_process_reads_besides_its_unit(host: Host) -> None:
    """Secrets, credentials, the environment and triggers restart; what the others have does not."""
    host.write("/run/config", "old")

    def units(word: str) -> list[Entry]:
        return [
            app(1, "secret", secrets={"TOKEN": word}),
            app(1, "credential", credentials={"key": word}),
            app(1, "environment", environment={"WORD": word}),
            app(1, "value", triggers={"values": [word]}),
            app(1, "file", triggers={"files": ["/run/config"]}),
            app(1, "none", environment={"WORD": "always"}),
        ]

    stack(host, *units("first-word"))
    host.write("/run/config", "new")
    result = stack(host, *units("second-word"))
    assert set(result["restarted"]) == {
        f"{n}.service" for n in ("secret", "credential", "environment", "value", "file")
    }
    environ = host.sh("cat /proc/$(systemctl show -P MainPID secret.service)/environ")
    assert "TOKEN=second-word" in environ
    assert not stack(host, *units("second-word"))["changed"]


def test_what_is_bound_is_restarted_named_and_watched(host: Host) -> None:
    stack(host, app(1))
    for directive in ("Requires", "BindsTo", "PartOf"):
        name = directive.lower()
        text = f"[Unit]\n{directive}=app.service\nAfter=app.service\n[Service]\nExecStart={program(1, name)}\n"
        host.write(f"/etc/systemd/system/{name}.service", text)
    host.write("/etc/systemd/system/wants.service", "[Unit]\nWants=app.service\n[Service]\nExecStart=/bin/sleep 1000\n")
    bound = ["requires.service", "bindsto.service", "partof.service"]
    host.sh(f"systemctl daemon-reload && systemctl start {' '.join(bound)} wants.service")
    before = {unit: invocation(host, unit) for unit in [*bound, "wants.service"]}
    result = stack(host, app(2))
    (step,) = [step for step in result["plan"] if step["action"] == "restart"]
    assert all(unit in step["reason"] for unit in bound)
    assert "wants.service" not in step["reason"]
    assert sorted(result["restarted"]) == sorted(["app.service", *bound])
    assert [unit for unit in before if invocation(host, unit) != before[unit]] == bound
    assert {state(host, unit) for unit in before} == {"active"}


def test_a_unit_that_refuses_is_kept_and_named(host: Host) -> None:
    host.write("/etc/systemd/system/lab.target", "[Unit]\nWants=refuses.service\n")
    refuses = {"RefuseManualStop": True, "RefuseManualStart": True}
    stack(host, app(1, "refuses", unit=refuses))
    host.sh("systemctl daemon-reload && systemctl start lab.target")
    assert version(host, "refuses") == "1"
    before = invocation(host, "refuses.service")
    for _run in range(2):  # it stays stale until it was restarted by someone
        result = stack(host, app(2, "refuses", unit=refuses))
        assert "refuses a manual restart" in result["kept"]["refuses.service"]
        assert result["restarted"] == []
    assert invocation(host, "refuses.service") == before
    host.sh("kill $(systemctl show -P MainPID refuses.service)")


def test_a_start_that_is_refused_is_an_error(host: Host) -> None:
    entry = app(1, unit={"RefuseManualStart": True}, state="started")
    assert "refuses a manual start" in failing(host, entry)["msg"]
    assert not host.exists("/etc/systemd/system/app.service")


def test_stopped_by_hand(host: Host) -> None:
    """Started again where it is declared started; left alone where only its file is declared, changed or not."""
    stack(host, app(1), app(1, "left", state="present"))
    host.sh("systemctl start left.service && systemctl stop app.service left.service")
    result = stack(host, app(2), app(2, "left", state="present"))
    assert result["newly_started"] == ["app.service"]
    assert [state(host, unit) for unit in ("app.service", "left.service")] == ["active", "inactive"]
    assert version(host) == "2"


def test_failed_and_masked(host: Host) -> None:
    stack(host, app(1))
    host.sh("systemctl kill --signal=SEGV app.service")
    host.sh("while systemctl is-active -q app.service; do sleep 0.05; done")
    assert stack(host, app(1))["newly_started"] == ["app.service"]
    assert state(host, "app.service") == "active"
    foreign = {"name": "nginx.service"}
    stack(host, app(1), {**foreign, "masked": True})
    assert show(host, "nginx.service", "LoadState") == "masked"
    failing(host, app(1), {**foreign, "state": "started"})
    stack(host, app(1), {**foreign, "masked": False, "state": "started"})
    assert show(host, "nginx.service", "LoadState") == "loaded"


def test_an_alias_is_the_same_unit(host: Host) -> None:
    stack(host, app(1, install={"Alias": "first.service"}))
    before = invocation(host, "first.service")
    assert before == invocation(host, "app.service")
    result = stack(host, app(1, install={"Alias": "second.service"}))
    assert result["restarted"] == []
    assert invocation(host, "second.service") == before
    assert not host.exists("/etc/systemd/system/first.service")
    assert stack(host, app(2, install={"Alias": "second.service"}))["restarted"] == ["app.service"]
    assert version(host) == "2"


def test_a_dropin_for_a_unit_of_a_package(host: Host) -> None:
    host.write("/usr/local/lib/systemd/system/vendor.service", f"[Service]\nExecStart={LIMIT}\n")
    host.sh("systemctl daemon-reload && systemctl start vendor.service")

    def dropin(**service: object) -> Entry:
        return {"name": "vendor.service", "dropin": "50-lab", "service": service, "health": QUICK}

    assert stack(host, dropins=[dropin(LimitNOFILE=1234)])["restarted"] == ["vendor.service"]
    assert version(host, "vendor") == "1234"
    assert stack(host, dropins=[dropin(LimitNOFILE=1234, TimeoutStopSec=5)])["restarted"] == []
    result = stack(host, dropins=[{"name": "vendor.service", "dropin": "50-lab", "state": "absent"}])
    assert result["restarted"] == ["vendor.service"]
    assert version(host, "vendor") != "1234"
    assert not host.exists("/etc/systemd/system/vendor.service.d")


def test_every_running_instance_of_a_template(host: Host) -> None:
    """Also one that nobody declared but somebody runs."""

    def template(number: int) -> Entry:
        return {"name": "t@.service", "service": {"ExecStart": program(number, "%i")}, "instances": ["declared"]}

    stack(host, template(1))
    host.sh("systemctl start t@byhand.service")
    forget_versions(host)
    result = stack(host, template(2))
    assert set(result["restarted"]) == {"t@declared.service", "t@byhand.service"}
    assert [version(host, name) for name in ("declared", "byhand")] == ["2", "2"]


@pytest.mark.parametrize("on_change", ["reload", "none"])
def test_what_is_newly_wanted_is_started_where_the_process_stays(host: Host, on_change: str) -> None:
    log = "/run/notes/reloads"
    reload = {"ExecReload": f"/bin/sh -c 'echo r >> {log}; sleep 0.5'"}
    more = app(1, "more", state="present", install=None)
    stack(host, app(1, service=reload, on_change=on_change), more)
    since = invocation(host, "app.service")
    wanting = app(1, service={**reload, "Nice": 1}, unit={"Wants": "more.service"}, on_change=on_change)
    result = stack(host, wanting, more)
    assert not result["restarted"]
    assert invocation(host, "app.service") == since
    assert version(host, "more") == "1"
    if on_change == "reload":
        assert host.read(log).split() == ["r"]


def test_a_dropin_for_many_goes_by_what_each_of_them_is(host: Host) -> None:
    """They are named nowhere: one is at its work, one must not be stopped, one is a service like any other."""
    texts = {
        "nightly-backup": "[Service]\nType=oneshot\nExecStart=/bin/sleep 500",
        "nightly-refuses": "[Unit]\nRefuseManualStop=yes\n[Service]\nExecStart=/bin/sleep 500",
        "nightly-plain": "[Service]\nExecStart=/bin/sleep 500",
    }
    vendor = "/usr/lib/systemd/system"
    for name, text in texts.items():
        host.write(f"{vendor}/{name}.service", text + "\n")
    try:
        host.sh(f"systemctl daemon-reload; systemctl start --no-block {' '.join(texts)}")
        dropin = {"name": "nightly-.service", "dropin": "x", "service": {"Nice": 1}}
        result = stack(host, dropins=[dropin])
        assert set(result["kept"]) == {"nightly-backup.service", "nightly-refuses.service"}
        assert result["restarted"] == ["nightly-plain.service"]
    finally:
        host.sh(f"rm {vendor}/nightly-*; systemctl kill --signal=KILL 'nightly-*'; systemctl daemon-reload")


def test_what_a_dropin_refuses_holds_for_what_is_declared(host: Host) -> None:
    """The unit's own text says nothing of it, and nothing of it has changed."""
    stack(host, app(1, state="restarted"), app(1, "down", state="stopped"))
    for name, refused in (("app", "RefuseManualStop"), ("down", "RefuseManualStart")):
        host.write(f"/etc/systemd/system/{name}.service.d/x.conf", f"[Unit]\n{refused}=yes\n")
    host.sh("systemctl daemon-reload")
    result = stack(host, app(1, state="restarted"), app(1, "down", state="stopped"))
    assert "refuses" in result["kept"]["app.service"]
    for wanted in ("started", "restarted"):
        result = failing(host, app(1), app(1, "down", state=wanted))
        assert result["errors"][0]["rule"] == "refused-start"
    host.sh("rm -r /etc/systemd/system/{app,down}.service.d; systemctl daemon-reload")


def test_what_is_still_starting_is_restarted_where_a_reload_would_be_lost(host: Host) -> None:
    ready = "test $$WORD = one || systemd-notify --ready; exec sleep infinity"

    def unit(word: str, **more: object) -> Entry:
        service = {"Type": "notify", "NotifyAccess": "all", "ExecReload": "/bin/true", "TimeoutStartSec": "infinity"}
        service["ExecStart"] = program(word, then=ready)
        return {**app(word, service=service), "environment": {"WORD": word}, "on_change": "reload", **more}

    stack(host, unit("one", state="present"))
    host.sh("systemctl start --no-block app.service")
    assert version(host) == "one"
    assert state(host, "app.service") == "activating"
    stack(host, unit("two"))
    assert state(host, "app.service") == "active"
    assert version(host) == "two"


def test_a_folder_of_dropins_that_is_a_link(host: Host) -> None:
    """What lies behind it is someone else's, and in force like all of theirs."""
    stack(host, app(1, service={"Nice": 1}))
    host.write("/srv/dropins/x.conf", "[Service]\nNice=3\n")
    host.sh("ln -s /srv/dropins /etc/systemd/system/app.service.d")
    try:
        assert stack(host, app(1, service={"Nice": 1}))["restarted"] == ["app.service"]
        assert host.sh("ps -o ni= -p $(systemctl show -P MainPID app.service)").strip() == "3"
        assert stack(host, app(1, service={"Nice": 1}))["plan"] == []
    finally:
        host.sh("rm -r /etc/systemd/system/app.service.d /srv/dropins; systemctl daemon-reload")
