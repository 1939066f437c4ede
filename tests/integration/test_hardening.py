# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A profile protects for real, is measured by the host's systemd before anything changes, and weakens nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from tests.testbed.listing import NOTES

from .entries import NGINX, UNITS, VENDOR, Entry, program, service, timer
from .lab import Lab, Result, until, verbs

# As Debian 12 ships it, but for the program.
REDIS = """[Unit]
Description=Advanced key-value store

[Service]
Type=simple
ExecStart=/bin/sleep infinity
PIDFile=/run/redis/redis-server.pid
TimeoutStopSec=0
Restart=always
User=daemon
Group=daemon
RuntimeDirectory=redis
RuntimeDirectoryMode=2755
UMask=007
PrivateTmp=true
LimitNOFILE=65535
PrivateDevices=true
ProtectHome=true
ProtectSystem=strict
ReadWritePaths=-/var/lib
CapabilityBoundingSet=
LockPersonality=true
MemoryDenyWriteExecute=true
NoNewPrivileges=true
PrivateUsers=true
ProtectClock=true
ProtectControlGroups=true
ProtectHostname=true
ProtectKernelLogs=true
ProtectKernelModules=true
ProtectKernelTunables=true
ProtectProc=invisible
RemoveIPC=true
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=true
RestrictRealtime=true
RestrictSUIDSGID=true
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~ @privileged @resources
"""
OF_NGINX: Entry = {
    "module": "hardening",
    "name": NGINX,
    "profile": "standard",
    "allow": ["switch_users", "low_ports"],
    "read_write_paths": ["/run", "/var/log/nginx", "/var/lib/nginx"],
}


def live(host: Lab, unit: str) -> float:
    """What systemd-analyze says of the unit as it is loaded."""
    said = host.sh(f"systemd-analyze security --no-pager '{unit}' | tail -1")
    found = re.search(r": (\d+\.\d+) ", said)
    assert found, said
    return float(found.group(1))


def exposure(result: Result, unit: str = "app.service") -> Mapping[str, Any]:
    found: Mapping[str, Any] = result["hardening"][unit]["exposure"]
    return found


def trying(*commands: str) -> str:
    """ExecStart= of a program that notes which commands succeed."""
    tried = "; ".join(f"if {each}; then echo yes; else echo no; fi" for each in commands)
    return f"/bin/sh -c '({tried}) > {NOTES}/app 2>/dev/null; exec sleep infinity'"


def hardened(command: str, **options: Any) -> Entry:
    """options: of hardening."""
    return {"name": "app", "exec_start": command, "hardening": {"read_write_paths": [NOTES], **options}}


def noted(host: Lab) -> list[str]:
    return until(lambda: host.sh(f"cat {NOTES}/app 2>/dev/null", check=False).split(), "nothing was noted")


class TestExposure:
    @pytest.mark.parametrize(
        ("profile", "least"), [("baseline", 6.5), ("standard", 2.5), ("strict", 2.0), ("maximum", 1.0)]
    )
    def test_before_and_after_are_what_systemd_says_of_the_loaded_unit(
        self, host: Lab, profile: str, least: float
    ) -> None:
        host.apply(services=[{"name": "app", "exec_start": "/bin/sleep infinity", "user": "daemon"}])
        before = live(host, "app.service")
        entry = {**hardened("/bin/sleep infinity", profile=profile), "user": "daemon"}
        result = host.settled(services=[entry])
        after = live(host, "app.service")
        assert exposure(result) == {"before": before, "after": after, "systemd": host.systemd, "estimated": False}
        assert after < least
        assert result["hardening"]["app.service"]["findings"][0]["exposure"] > 0

    def test_a_new_service_has_no_exposure_before(self, host: Lab) -> None:
        result = host.settled(services=[hardened("/bin/sleep infinity", profile="baseline")])
        assert exposure(result)["before"] is None
        assert exposure(result)["after"] == live(host, "app.service")


class TestProtection:
    def test_it_is_real(self, host: Lab) -> None:
        commands = (
            "touch /usr/share/intruder",
            "touch /srv/intruder",
            "ls /root",
            "unshare --user true",
            "chown daemon /proc/self/fd/1",
            "test -e /dev/kmsg",
            "touch /tmp/of-app",
        )
        host.settled(services=[{**hardened(trying(*commands), profile="strict")}])
        assert noted(host) == ["no", "no", "no", "no", "no", "no", "yes"]
        assert not host.exists("/tmp/of-app")
        host.forget_versions()
        host.apply(services=[{"name": "app", "exec_start": trying(*commands)}], prune=True)
        assert "no" not in noted(host)
        host.sh("rm -f /usr/share/intruder /srv/intruder /tmp/of-app")

    def test_opt_outs_give_back_what_they_say_and_no_more(self, host: Lab) -> None:
        commands = ("touch /srv/intruder", "ls /root", "unshare --user true", "renice -n 1 -p 1")
        allow: list[Any] = ["namespaces", "home"]
        host.settled(services=[hardened(trying(*commands), profile="strict", allow=allow)])
        assert noted(host) == ["no", "yes", "yes", "no"]

    def test_what_leaves_its_end_to_systemds_signal_ends_by_it(self, host: Lab) -> None:
        """A program that handles no signal, as most do not, is not one that has to be killed when its time is over."""
        host.apply(services=[hardened("/usr/bin/sleep infinity", profile="maximum")])
        host.sh("systemctl stop app.service")
        assert host.show("app.service", "Result") == "success"

    def test_the_network(self, host: Lab) -> None:
        connect = 'python3 -c "import socket; socket.socket(socket.AF_INET)"'
        host.apply(services=[hardened(trying(connect), profile="standard", allow=[{"network": "none"}])])
        assert noted(host) == ["no"]
        host.forget_versions()
        host.apply(services=[hardened(trying(connect), profile="standard")])
        assert noted(host) == ["yes"]


class TestOfOthers:
    def test_a_vendors_service(self, host: Lab) -> None:
        host.sh(f"systemctl start {NGINX}")
        before = live(host, NGINX)
        result = host.settled(**OF_NGINX, max_exposure=3.5)
        assert result["restarted"] == [NGINX]
        assert exposure(result, NGINX) == {
            "before": before,
            "after": live(host, NGINX),
            "systemd": host.systemd,
            "estimated": False,
        }
        assert "Welcome" in host.answer(80)
        assert host.show(NGINX, "ProtectSystem") == "full"
        host.settled(module="hardening", name=NGINX, state="absent")
        assert live(host, NGINX) == before
        assert not host.exists(f"{UNITS}/{NGINX}.d")

    def test_without_what_it_needs_it_comes_back_as_it_was(self, host: Lab) -> None:
        host.sh(f"systemctl start {NGINX}")
        before = host.listing(UNITS)
        result = host.failing(**{**OF_NGINX, "allow": []}, health={"timeout": 10, "stable_for": 0.3})
        assert result["rolled_back"]
        assert [error["rule"] for error in result["errors"]] == ["health"]
        assert host.listing(UNITS) == before
        assert "Welcome" in host.answer(80)

    @pytest.mark.parametrize("profile", ["baseline", "standard", "strict"])
    def test_one_that_is_stricter_is_not_weakened(self, host: Lab, profile: str) -> None:
        host.foreign("redis.service", REDIS, VENDOR)
        result = host.settled(module="hardening", name="redis.service", profile=profile)
        told = exposure(result, "redis.service")
        assert told["after"] <= told["before"]
        assert told["after"] == live(host, "redis.service")
        assert host.show("redis.service", "ProtectSystem") == "strict"
        assert result["hardening"]["redis.service"]["released"] == {}
        assert host.state("redis.service") == "active"

    def test_an_opt_out_is_a_reason_to_be_weaker(self, host: Lab) -> None:
        """Also one that adds to a list. The text is such that a group more just makes the next tenth."""
        more = "DevicePolicy=closed\nPrivateMounts=yes\nProcSubset=pid\nPrivateIPC=yes\nSystemCallErrorNumber=EPERM\n"
        denied = "SystemCallFilter=~@clock @cpu-emulation @module @obsolete @raw-io @reboot @swap\n"
        host.foreign("redis.service", REDIS.replace("PrivateTmp=true\n", "") + more + denied, VENDOR)
        allow = [{"groups": ["video"]}]
        result = host.settled(module="hardening", name="redis.service", profile="baseline", allow=allow)
        told = exposure(result, "redis.service")
        assert told["after"] == live(host, "redis.service")
        assert host.systemd < 250 or told["after"] > told["before"]

    def test_a_list_that_denies_becomes_one_that_allows(self, host: Lab) -> None:
        lists = "SystemCallFilter=~@module fork\nRestrictAddressFamilies=~AF_INET\n"
        host.foreign("other.service", f"[Service]\nExecStart=/bin/sleep infinity\n{lists}")
        host.settled(module="hardening", name="other.service", profile="standard")
        calls = host.show("other.service", "SystemCallFilter").split()
        assert {"~fork", "~mount"}.isdisjoint(calls)
        assert {"read", "openat"} <= {*calls}
        assert {"fork", "mount", "init_module"}.isdisjoint(calls)
        assert host.show("other.service", "RestrictAddressFamilies").split() == ["AF_INET6", "AF_NETLINK", "AF_UNIX"]

    def test_a_list_that_denies_with_an_error_does_not_keep_it_down(self, host: Lab) -> None:
        lists = "SystemCallFilter=~@mount:ENOSYS @debug:EPERM\n"
        host.foreign("other.service", f"[Service]\nExecStart=/bin/sleep infinity\n{lists}")
        host.settled(module="hardening", name="other.service", profile="standard")
        assert {"mount", "ptrace"}.isdisjoint(host.show("other.service", "SystemCallFilter").split())
        assert host.state("other.service") == "active"

    def test_lists_that_allow_are_not_joined(self, host: Lab) -> None:
        filters = "SystemCallFilter=@system-service mount\nCapabilityBoundingSet=CAP_KILL CAP_BPF\n"
        host.foreign("other.service", f"[Service]\nExecStart=/bin/sleep infinity\n{filters}")
        host.settled(module="hardening", name="other.service", profile="standard", allow=["switch_users"])
        calls = host.show("other.service", "SystemCallFilter").split()
        assert "chown" in calls
        assert {"mount", "uselib"}.isdisjoint(calls)
        allowed = {*host.show("other.service", "CapabilityBoundingSet").split()}
        assert allowed == {f"cap_{each}" for each in "setuid setgid chown dac_override fowner kill".split()}

    def test_a_drop_in_behind_it_that_weakens_it_is_told(self, host: Lab) -> None:
        host.foreign("other.service")
        host.write(f"{UNITS}/other.service.d/90-local.conf", "[Service]\nProtectSystem=no\nUMask=0077\n")
        result = host.settled(module="hardening", name="other.service", profile="strict")
        (told,) = [each for each in result["unverified"] if each["rule"] == "hardening-undone"]
        assert told["message"].startswith("ProtectSystem of the profile strict is made weaker again by")
        assert "90-local.conf" in told["message"]
        assert exposure(result, "other.service")["after"] == live(host, "other.service")


class TestTemplates:
    def test_a_template_and_one_instance_more(self, host: Lab) -> None:
        worker = {"name": "worker@", "exec_start": "/bin/sleep infinity", "instances": ["a", "b"]}
        result = host.settled(services=[{**worker, "hardening": {"profile": "standard"}}])
        assert exposure(result, "worker@.service")["after"] == live(host, "worker@a.service")
        assert host.show("worker@b.service", "ProtectSystem") == "full"
        host.settled(module="hardening", name="worker@b.service", profile="strict")
        assert host.show("worker@a.service", "ProtectSystem") == "full"
        assert host.show("worker@b.service", "ProtectSystem") == "strict"


class TestGate:
    def test_nothing_changes_if_it_is_missed(self, host: Lab) -> None:
        host.foreign("other.service")
        invocation = host.invocation("other.service")
        result = host.failing(module="hardening", name="other.service", profile="baseline", max_exposure=3)
        (error,) = result["errors"]
        assert (error["unit"], error["rule"]) == ("other.service", "exposure")
        reached = "6.5" if host.systemd < 250 else "6.4"
        told = f"would be {reached} by systemd {host.systemd}, and max_exposure is 3: standard would reach"
        assert told in error["message"]
        assert not host.exists(f"{UNITS}/other.service.d")
        assert host.invocation("other.service") == invocation
        assert host.sh("ls /run/systemd/system", check=False).split() == []
        assert host.sh("systemctl list-units --all --plain --no-legend 'unitwright-exposure*'") == ""

    def test_what_nothing_can_reach(self, host: Lab) -> None:
        entry = hardened("/bin/sleep infinity", profile="standard", max_exposure=0.1, allow=["network"])
        result = host.failing(services=[entry])
        (error,) = result["errors"]
        assert "even maximum with the same opt-outs would reach only" in error["message"]
        assert "what costs most is" in error["message"]
        assert not host.exists(f"{UNITS}/app.service")

    def test_what_can_be_reached_passes(self, host: Lab) -> None:
        host.settled(services=[{**hardened("/bin/sleep infinity", profile="strict", max_exposure=2), "user": "daemon"}])

    def test_check_mode_says_the_same(self, host: Lab) -> None:
        entry = hardened("/bin/sleep infinity", profile="standard", max_exposure=3.0)
        foretold = host.foretell(services=[entry])
        result = host.apply(services=[entry])
        assert foretold["plan"] == result["plan"]
        told = exposure(foretold)
        if host.systemd < 250:
            assert told["estimated"]
            assert abs(told["after"] - exposure(result)["after"]) <= 1.0
            assert "exposure-unknown" in [each["rule"] for each in foretold["unverified"]]
        else:
            assert told == exposure(result)


class TestOfAStack:
    def test_defaults_and_those_without(self, host: Lab) -> None:
        services: list[Entry] = [
            {"name": "app", "exec_start": program(1)},
            {"name": "plain", "exec_start": "/bin/sleep infinity", "without": ["hardening"]},
            {
                "name": "strict",
                "exec_start": "/bin/sleep infinity",
                "hardening": {"profile": "strict", "allow": ["jit"]},
            },
        ]
        units = [
            service("units", "/bin/sleep infinity"),
            timer("daily", "job"),
            service("job", service={"Type": "oneshot"}),
        ]
        timers = [{"name": "nightly", "on_calendar": "daily", "exec_start": "/bin/true"}]
        general = {"profile": "standard", "read_write_paths": [NOTES]}
        result = host.settled(*units, services=services, timers=timers, defaults={"hardening": general})
        names = ["app.service", "job.service", "nightly.service", "strict.service", "units.service"]
        assert sorted(result["hardening"]) == names
        assert host.show("plain.service", "ProtectSystem") == "no"
        assert host.show("app.service", "ProtectSystem") == "full"
        assert host.show("strict.service", "ProtectSystem", "ReadWritePaths").split() == [f"-{NOTES}", "strict"]
        assert host.show("strict.service", "MemoryDenyWriteExecute") == "no"

    def test_what_says_nothing_asks_for_the_usual_profile(self, host: Lab) -> None:
        result = host.settled(services=[{"name": "app", "exec_start": "/bin/sleep infinity", "hardening": {}}])
        assert result["hardening"]["app.service"]["profile"] == "standard"
        assert host.show("app.service", "ProtectSystem") == "full"

    def test_taking_it_away(self, host: Lab) -> None:
        host.settled(services=[hardened("/bin/sleep infinity", profile="strict")])
        entry = {"name": "app", "exec_start": "/bin/sleep infinity"}
        result = host.settled(services=[entry], prune=True)
        assert verbs(result) == ["remove", "daemon-reload", "restart"]
        assert host.show("app.service", "ProtectSystem") == "no"

    def test_a_user_of_their_own(self, host: Lab) -> None:
        as_user = {"scope": "user", "prefix": ("runuser", "-u", "wright", "--")}
        entry = {"name": "mine", "exec_start": "/bin/sleep infinity", "hardening": {"profile": "strict"}}
        result = host.settled(services=[entry], **as_user)
        assert {"CapabilityBoundingSet", "ProtectProc"} <= {*result["hardening"]["mine.service"]["left_out"]}
        shown = "systemctl --user show --value --property=ActiveState,ProtectSystem,PrivateUsers mine.service"
        assert sorted(host.as_user(shown).split()) == ["active", "strict", "yes"]

    def test_an_image(self, host: Lab) -> None:
        host.sh("mkdir -p /srv/image/etc/systemd/system /srv/image/usr/lib/systemd/system")
        entry = service("app", "/bin/sleep infinity", hardening={"profile": "strict", "max_exposure": 3})
        result = host.apply(entry, root="/srv/image")
        assert exposure(result)["estimated"] == (host.systemd < 250)
        assert exposure(result)["after"] < 3
        assert host.exists("/srv/image/etc/systemd/system/app.service.d/60-hardening.conf")

    def test_a_text_in_one_piece(self, host: Lab) -> None:
        text = "[Service]\nExecStart=/bin/sleep infinity\nProtectSystem=full\n"
        host.settled({"name": "app.service", "content": text, "hardening": {"profile": "baseline"}})
        assert host.show("app.service", "ProtectSystem", "ProtectHostname").split() == ["full", "yes"]

    def test_a_run_that_changes_nothing_has_nothing_loaded(self, host: Lab) -> None:
        entry = hardened("/bin/sleep infinity", profile="strict", max_exposure=9)
        host.apply(services=[entry])
        with host.untouched():
            result = host.apply(services=[entry])
        assert exposure(result)["before"] == exposure(result)["after"] == live(host, "app.service")
        assert not exposure(result)["estimated"]


class TestRefused:
    @pytest.mark.parametrize(
        "unit",
        ["ssh.service", "sshd@1.service", "cron.service", "dbus.service", "getty@tty1.service", "user@0.service"],
    )
    def test_what_lets_others_in(self, host: Lab, unit: str) -> None:
        result = host.refused(module="hardening", name=unit, profile="baseline")
        (error,) = [each for each in result["errors"] if each["rule"] == "hardening-target"]
        assert "take the profile sessions" in error["message"]

    def test_what_opens_sessions(self, host: Lab) -> None:
        host.foreign("login-thing.service", "[Service]\nExecStart=/bin/sleep infinity\nPAMName=login\n", start=False)
        result = host.refused(module="hardening", name="login-thing.service", profile="standard")
        assert "it opens sessions (PAMName=login)" in result["msg"]
        host.settled(module="hardening", name="login-thing.service", profile="sessions")

    @pytest.mark.parametrize(
        ("options", "rule", "told"),
        [
            ({"name": "app.timer"}, "no-process", "a .timer starts no process, so it takes no hardening"),
            ({"name": "app-.service"}, "hardening-target", "it stands for many services"),
            ({"name": "service"}, "hardening-target", "it stands for many services"),
            ({"name": "no/name.service"}, "unit-name", ""),
            ({"allow": ["jitt"]}, "hardening", "did you mean jit?"),
            ({"allow": [{"network": "1.2.3"}]}, "hardening", "is no address or network"),
            ({"read_write_paths": ["var/lib"]}, "hardening", "is no absolute path"),
            ({"read_write_paths": ["/no/such/folder"]}, "hardening-path", "/no/such/folder is not there"),
            ({"allow": [{"devices": ["/dev/no-such"]}]}, "hardening-path", "/dev/no-such is not there"),
            ({"allow": [{"home": ["/home/no-such"]}]}, "hardening-path", "write -/home/no-such if it may be missing"),
            ({"allow": [{"groups": ["a b"]}]}, "hardening", "'a b' is no name of a group"),
            ({"max_exposure": 11}, "hardening", "a number from 0 to 10"),
            ({"name": "no-such.service"}, "hardening-nowhere", "there is no such service"),
        ],
    )
    def test_what_cannot_be(self, host: Lab, options: Entry, rule: str, told: str) -> None:
        host.foreign("other.service")
        result = host.failing(**{"module": "hardening", "name": "other.service", "profile": "strict", **options})
        assert [error["rule"] for error in result["errors"]] == [rule]
        assert told in result["errors"][0]["message"]
        assert not host.sh(f"ls {UNITS} | grep '[.]d$'", check=False)

    def test_what_may_be_missing_is_said(self, host: Lab) -> None:
        host.foreign("other.service")
        allow = [{"devices": ["-/dev/no-such"]}, {"home": ["-/home/no-such"]}]
        host.settled(module="hardening", name="other.service", profile="strict", allow=allow)
        assert host.state("other.service") == "active"

    def test_what_starts_before_tmp_is_set_up_waits_for_nothing(self, host: Lab) -> None:
        """Else the boot would break a cycle by leaving out one of its services."""
        early = "[Unit]\nDefaultDependencies=no\nBefore=systemd-tmpfiles-setup.service\n"
        host.foreign("other.service", f"{early}[Service]\nExecStart=/bin/sleep infinity\n")
        result = host.settled(module="hardening", name="other.service", profile="standard")
        assert "before /tmp is set up" in result["hardening"]["other.service"]["left_out"]["PrivateTmp"]
        assert "systemd-tmpfiles-setup.service" not in host.show("other.service", "After")

    def test_an_unknown_profile(self, host: Lab) -> None:
        result = host.attempt(module="hardening", name=NGINX, profile="harder")
        assert result["failed"]
        assert result["msg"].startswith(f"{NGINX}: profile: 'harder' is none of ")

    def test_all_at_once(self, host: Lab) -> None:
        entries = [
            hardened("/bin/sleep infinity", allow=["a"]),
            {"name": "b", "exec_start": "/bin/b c", "service": {"Nise": 1}},
        ]
        result = host.refused(services=entries)
        assert {error["rule"] for error in result["errors"]} >= {"hardening", "unknown-directive"}


class TestRefusals:
    """The journal of the new run is read for what its last run had not."""

    def refused(self, result: Result, unit: str = "app.service") -> list[tuple[str, list[str], str]]:
        found = result["hardening"][unit]["refused"]
        return [(each["error"], list(each["directives"]), each["mend"]) for each in found]

    def test_what_is_refused_is_told_with_what_refuses_it(self, host: Lab) -> None:
        command = "/bin/sh -c 'touch /srv/intruder; chown daemon /proc/self/fd/1; exec sleep infinity'"
        host.apply(services=[{"name": "app", "exec_start": command}])
        result = host.settled(services=[hardened(command, profile="strict")])
        assert self.refused(result)[0] == ("EROFS", ["ProtectSystem"], "read_write_paths")
        assert result["hardening"]["app.service"]["refused"][0]["about"] == "/srv"
        told = [each for each in result["warnings"] if "something is refused to it that was not before" in each]
        assert any("ProtectSystem= refuses that; if it needs it, add /srv to read_write_paths" in each for each in told)
        assert host.state("app.service") == "active"
        host.sh("rm -f /srv/intruder")

    def test_nor_what_the_last_run_had_as_well(self, host: Lab) -> None:
        command = "/bin/sh -c 'echo $$: /srv/x: Permission denied >&2; exec sleep infinity'"
        host.apply(services=[{"name": "app", "exec_start": command}])
        assert self.refused(host.apply(services=[hardened(command, profile="standard")])) == []

    # Its log is a file of others, which only a power of root opens, and its port is a low one.
    @pytest.mark.parametrize(("allow", "lacking"), [([], "switch_users"), (["switch_users"], "low_ports")])
    def test_of_a_change_that_is_rolled_back(self, host: Lab, allow: list[str], lacking: str) -> None:
        """All of it is told where the failure is, once."""
        host.sh(f"systemctl start {NGINX}")
        given = {**OF_NGINX, "allow": allow, "health": {"timeout": 10, "stable_for": 0.3}}
        host.failing(**given)
        # The roll-back's run, which the next one is held against, came right after the one that failed.
        result = host.failing(**given)
        assert result["rolled_back"]
        assert ("EACCES", ["CapabilityBoundingSet"], lacking) in self.refused(result, NGINX)
        (error,) = result["errors"]
        assert (
            f"CapabilityBoundingSet= refuses that{':' if not allow else ';'} if it needs it, allow {lacking}"
            in (error["message"])
        )
        assert "not proven" not in result["msg"]
        assert result.get("warnings", []) == []

    @pytest.mark.parametrize(
        ("command", "profile", "told"),
        [
            ("cat /tmp/of-others", "standard", "allow: [shared_tmp]"),
            ("cat /dev/of-others", "standard", "allow: [{devices: [/dev/of-others]}]"),
            ("cat /root/of-others", "standard", "allow: [{home: [/root/of-others]}]"),
            ("touch /srv/of-others", "strict", "add /srv to read_write_paths"),
            (
                "python3 -B /srv/of-others",
                "standard",
                "CapabilityBoundingSet= refuses that: if it needs it, allow switch",
            ),
        ],
    )
    def test_the_opt_out_is_told_where_a_service_fails(self, host: Lab, command: str, profile: str, told: str) -> None:
        there = "/tmp/of-others /root/of-others /srv/of-others"
        script = "import os\nos.chown('/proc/self/fd/1', 1, 1)\n"
        host.sh(f"touch {there}; test -e /dev/of-others || mknod /dev/of-others c 1 3")
        host.write("/srv/of-others", script)
        try:
            shell = f"/bin/sh -c '{command} && exec sleep infinity'"
            host.apply(services=[{"name": "app", "exec_start": shell}])
            entry = {"name": "app", "exec_start": shell, "hardening": {"profile": profile}}
            result = host.failing(services=[entry], health={"timeout": 15, "stable_for": 3})
            assert told in result["msg"]
            assert "not proven" not in result["msg"]
        finally:
            host.sh(f"rm -f {there} /dev/of-others")

    def test_what_was_refused_before_its_last_words(self, host: Lab) -> None:
        """Without what the run before it had said as well."""
        said = "chown daemon /proc/self/fd/1; echo /x: Permission denied >&2; echo cannot boot >&2; exit 3"
        good = "/bin/sh -c 'echo /x: Permission denied >&2; exec sleep infinity'"
        host.apply(services=[{"name": "app", "exec_start": good}])
        entry = {"name": "app", "exec_start": f"/bin/sh -c '{said}'", "hardening": {"profile": "standard"}}
        result = host.failing(services=[entry], health={"timeout": 15, "stable_for": 3})
        assert "the cause is not proven, it said: cannot boot; refused to it was chown: " in result["msg"]
        assert "CapabilityBoundingSet= refuses that; if it needs it, allow switch_users" in result["msg"]
        assert "/x: Permission denied" not in result["msg"]
        assert result.get("warnings", []) == []

    def test_a_secret_of_the_host_is_hidden_in_it(self, host: Lab) -> None:
        command = "/bin/sh -c 'touch /srv/$TOKEN; exec sleep infinity'"
        host.apply(services=[{"name": "app", "exec_start": command, "secrets": {"TOKEN": "aVerySecret"}}])
        result = host.apply(module="hardening", name="app.service", profile="strict")
        assert self.refused(result) == [("EROFS", ["ProtectSystem"], "read_write_paths")]
        assert "aVerySecret" not in str(result)
        host.sh("rm -f /srv/aVerySecret")
