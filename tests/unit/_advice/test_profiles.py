# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A profile is what its level says and the host's systemd can, at least as strict as the unit is, but for opt-outs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._advice.levels import PROFILES
from ansible_collections.unitwright.systemd.plugins.module_utils._advice.optouts import OPT_OUTS, needs
from ansible_collections.unitwright.systemd.plugins.module_utils._advice.profiles import (
    Host,
    Lines,
    escalates_in_vain,
    profile,
)
from ansible_collections.unitwright.systemd.plugins.module_utils._advice.protections import PROTECTIONS
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.directives import Catalogue
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.unitfile import parse

from tests.unit.world import facts

# As systemd-analyze has them, in small.
CALLS = {
    "@default": frozenset(["read", "exit"]),
    "@system-service": frozenset(["@setuid", "@resources", "@chown", "open", "fork", "uselib"]),
    "@obsolete": frozenset(["uselib", "ustat"]),
    "@cpu-emulation": frozenset(["vm86"]),
    "@privileged": frozenset(["@setuid", "@chown", "@reboot", "chroot"]),
    "@resources": frozenset(["nice", "setrlimit"]),
    "@setuid": frozenset(["setuid", "setgid"]),
    "@chown": frozenset(["chown"]),
    "@reboot": frozenset(["reboot"]),
    "@mount": frozenset(["mount", "umount", "chroot"]),
    "@clock": frozenset(["settime"]),
    "@module": frozenset(["init_module"]),
    "@raw-io": frozenset(["iopl"]),
    "@swap": frozenset(["swapon"]),
}

_SERVICE = ("@system-service", "~@obsolete @cpu-emulation")


def made(
    level: str,
    present: str = "",
    allow: Sequence[Any] = (),
    writable: Sequence[str] = (),
    version: int = 252,
    users: bool = False,
) -> Lines:
    lines = [(each.directive, each.value) for each in parse(f"[Service]\n{present}")]
    return profile(level, needs(allow, writable), lines, Host(facts(version).catalogue, users, CALLS))


def of(directive: str, found: Lines) -> list[str]:
    return [value for name, value in found.lines if name == directive]


def text(found: Lines) -> list[str]:
    return [f"{name}={value}" for name, value in found.lines]


BASELINE = [
    "CapabilityBoundingSet=~CAP_AUDIT_CONTROL CAP_AUDIT_READ CAP_BLOCK_SUSPEND CAP_BPF CAP_LEASE CAP_LINUX_IMMUTABLE "
    "CAP_MAC_ADMIN CAP_MAC_OVERRIDE CAP_PERFMON CAP_SYSLOG CAP_SYS_BOOT CAP_SYS_MODULE CAP_SYS_PACCT CAP_SYS_RAWIO "
    "CAP_SYS_TIME CAP_SYS_TTY_CONFIG CAP_WAKE_ALARM",
    "LockPersonality=yes",
    "RestrictRealtime=yes",
    "SystemCallArchitectures=native",
    "SystemCallFilter=~@clock @cpu-emulation @module @obsolete @raw-io @reboot @swap",
    "SystemCallErrorNumber=EPERM",
    "RestrictAddressFamilies=~AF_PACKET",
    "PrivateMounts=yes",
    "ProtectSystem=yes",
    "ProtectKernelTunables=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelLogs=yes",
    "ProtectControlGroups=yes",
    "ProtectHostname=yes",
]
STRICT_252 = [
    "NoNewPrivileges=yes",
    "CapabilityBoundingSet=",
    "RestrictSUIDSGID=yes",
    "RestrictNamespaces=yes",
    "LockPersonality=yes",
    "RestrictRealtime=yes",
    "MemoryDenyWriteExecute=yes",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "SystemCallFilter=~@obsolete @cpu-emulation",
    "SystemCallFilter=~@privileged @resources",
    "SystemCallErrorNumber=EPERM",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
    "PrivateDevices=yes",
    "PrivateTmp=yes",
    "PrivateIPC=yes",
    "RemoveIPC=yes",
    "PrivateMounts=yes",
    "PrivateUsers=yes",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "ProtectKernelTunables=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelLogs=yes",
    "ProtectClock=yes",
    "ProtectControlGroups=yes",
    "ProtectHostname=yes",
    "ProtectProc=invisible",
    "KeyringMode=private",
    "UMask=0027",
]
SESSIONS = [
    "CapabilityBoundingSet=~CAP_BLOCK_SUSPEND CAP_BPF CAP_MAC_ADMIN CAP_MAC_OVERRIDE CAP_PERFMON CAP_SYS_BOOT "
    "CAP_SYS_MODULE CAP_SYS_PACCT CAP_SYS_RAWIO CAP_SYS_TIME CAP_WAKE_ALARM",
    "LockPersonality=yes",
    "SystemCallArchitectures=native",
    "SystemCallFilter=~@clock @cpu-emulation @module @obsolete @raw-io @reboot @swap",
    "SystemCallErrorNumber=EPERM",
    "RestrictAddressFamilies=~AF_PACKET",
    "ProtectKernelModules=yes",
    "ProtectClock=yes",
]


class TestLevels:
    def test_baseline(self) -> None:
        assert text(made("baseline")) == BASELINE

    def test_sessions(self) -> None:
        assert text(made("sessions")) == SESSIONS

    def test_strict_of_a_user(self) -> None:
        found = made("strict", "User=app")
        assert text(found) == STRICT_252
        assert (found.left_out, found.stricter, found.released) == ({}, {}, {})

    def test_standard_has_less(self) -> None:
        strict = {"MemoryDenyWriteExecute=yes", "PrivateIPC=yes", "RemoveIPC=yes", "PrivateUsers=yes", "UMask=0027"}
        expected = [line for line in STRICT_252 if line not in strict and "~@privileged" not in line]
        expected[expected.index("ProtectSystem=strict")] = "ProtectSystem=full"
        families = "RestrictAddressFamilies=AF_INET AF_INET6"
        expected[expected.index(f"{families} AF_UNIX")] = f"{families} AF_NETLINK AF_UNIX"
        assert text(made("standard")) == expected

    def test_maximum_goes_on(self) -> None:
        found = text(made("maximum"))
        more = "DynamicUser=yes PrivateNetwork=yes IPAddressDeny=any ProcSubset=pid UMask=0077 DevicePolicy=closed"
        assert {*more.split(), "RestrictAddressFamilies=AF_UNIX", "SystemCallFilter=~@memlock @keyring"} <= {*found}
        assert {*STRICT_252} - {*found} == {"RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX", "UMask=0027"}


class TestVersions:
    def test_what_the_host_does_not_know_is_left_out_and_said(self) -> None:
        found = made("strict", "User=app", version=247)
        assert text(found) == [line for line in STRICT_252 if line != "PrivateIPC=yes"]
        assert found.left_out == {"PrivateIPC": "came with systemd 248; this host has 247"}

    @pytest.mark.parametrize(("version", "tmp", "cgroups"), [(252, "yes", "yes"), (257, "disconnected", "strict")])
    def test_a_value_that_is_newer_gives_way_to_the_one_before(self, version: int, tmp: str, cgroups: str) -> None:
        found = made("maximum", version=version)
        assert of("PrivateTmp", found) == [tmp]
        assert of("ProtectControlGroups", found) == [cgroups]

    @pytest.mark.parametrize(
        ("version", "newer"), [(252, set()), (257, {"MemoryKSM"}), (262, {"MemoryKSM", "PrivateBPF"})]
    )
    def test_newer_directives(self, version: int, newer: set[str]) -> None:
        assert newer <= {name for name, _value in made("maximum", version=version).lines}
        assert newer.isdisjoint(made("maximum", version=version).left_out)

    def test_what_is_not_compiled_in(self) -> None:
        catalogue = facts().catalogue
        items = {**catalogue.sections["Service"], "SystemCallFilter": "NOTSUPPORTED"}
        host = Host(Catalogue(252, {**catalogue.sections, "Service": items}), False, CALLS)
        found = profile("strict", needs([], []), [], host)
        assert of("SystemCallFilter", found) == []
        assert found.left_out["SystemCallFilter"] == "this host's systemd was built without it"

    def test_the_clock_of_247_closes_all_devices(self) -> None:
        for level, allow in (("sessions", []), ("standard", ["devices"])):
            assert "ProtectClock" in made(level, allow=allow, version=247).left_out
        assert of("ProtectClock", made("standard", version=247)) == ["yes"]
        assert of("ProtectClock", made("sessions", version=252)) == ["yes"]


class TestUsersManager:
    def test_what_fails_there_is_left_out(self) -> None:
        found = made("strict", version=252, users=True)
        assert {"CapabilityBoundingSet", "AmbientCapabilities", "RemoveIPC", "ProtectProc"} <= {*found.left_out}
        assert {"NoNewPrivileges", "PrivateUsers", "ProtectSystem"} <= {name for name, _value in found.lines}

    def test_mounts_need_users_before_257(self) -> None:
        old = made("standard", version=252, users=True)
        assert old.left_out["ProtectSystem"] == (
            "in a user's manager it takes effect from systemd 257 on, or with PrivateUsers=yes"
        )
        assert of("ProtectSystem", made("standard", version=257, users=True)) == ["full"]
        assert "ProtectSystem" in made("strict", allow=["other_users"], version=252, users=True).left_out

    @pytest.mark.parametrize("no", ["no", "false", "Off", "0"])
    def test_it_has_none_where_it_says_no(self, no: str) -> None:
        assert "ProtectSystem" in made("standard", f"PrivateUsers={no}", version=252, users=True).left_out
        assert "ProtectSystem" not in made("standard", "PrivateUsers=yes", version=252, users=True).left_out

    @pytest.mark.parametrize("directive", ["ProtectKernelTunables", "ProtectControlGroups"])
    def test_what_failed_there_at_first(self, directive: str) -> None:
        assert directive in made("strict", version=247, users=True).left_out
        assert of(directive, made("strict", version=252, users=True)) == ["yes"]

    def test_no_power_is_given_there(self) -> None:
        found = made("standard", "User=app", allow=["low_ports"], users=True)
        assert of("AmbientCapabilities", found) + of("CapabilityBoundingSet", found) == []


class TestStricterStands:
    @pytest.mark.parametrize(
        ("level", "present", "directive", "expected"),
        [
            ("baseline", "ProtectSystem=strict", "ProtectSystem", []),
            ("standard", "ProtectHome=tmpfs", "ProtectHome", ["yes"]),
            ("strict", "ProtectHome=yes", "ProtectHome", ["yes"]),
            ("standard", "NoNewPrivileges=no", "NoNewPrivileges", ["yes"]),
            ("standard", "NoNewPrivileges=true\nNoNewPrivileges=off", "NoNewPrivileges", ["yes"]),
            ("strict", "UMask=0077", "UMask", []),
            ("strict", "UMask=0007", "UMask", ["0027"]),
            ("strict", "UMask=0070", "UMask", ["0077"]),
            ("standard", "UMask=0002", "UMask", []),
            ("standard", "RestrictNamespaces=user net", "RestrictNamespaces", ["yes"]),
            ("standard", "KeyringMode=shared", "KeyringMode", ["private"]),
            ("standard", "ProtectSystem=", "ProtectSystem", ["full"]),
            # An empty line takes back what was said of few directives, and is passed over for the others.
            ("standard", "ProtectSystem=strict\nProtectSystem=", "ProtectSystem", []),
            ("standard", "RestrictNamespaces=yes\nRestrictNamespaces=", "RestrictNamespaces", ["yes"]),
            # So is what that systemd does not know.
            ("standard", "ProtectSystem=yes\nProtectSystem=all", "ProtectSystem", ["full"]),
            ("standard", "PrivateTmp=disconnected", "PrivateTmp", ["yes"]),
            ("strict", "PrivateUsers=no\nPrivateUsers=identity", "PrivateUsers", ["yes"]),
            ("baseline", "ProtectHostname=private:a", "ProtectHostname", ["yes"]),
            ("strict", "UMask=0077\nUMask=rwx", "UMask", []),
            ("standard", "ProtectProc=ptraceable", "ProtectProc", []),
            # A dynamic user implies a strict ProtectSystem, which an explicit word would take away.
            ("standard", "DynamicUser=yes", "ProtectSystem", []),
            ("standard", "SystemCallArchitectures=native x86", "SystemCallArchitectures", ["", "native"]),
            ("standard", "SystemCallArchitectures=native", "SystemCallArchitectures", []),
            ("maximum", "SupplementaryGroups=dialout", "SupplementaryGroups", [""]),
            ("maximum", "", "SupplementaryGroups", []),
        ],
    )
    def test_one_value(self, level: str, present: str, directive: str, expected: list[str]) -> None:
        assert of(directive, made(level, present)) == expected

    @pytest.mark.parametrize(
        ("present", "version"),
        [("PrivateTmp=disconnected", 257), ("PrivateUsers=identity", 257), ("ProtectHostname=private:a", 262)],
    )
    def test_a_value_that_the_host_knows_counts(self, present: str, version: int) -> None:
        directive, _equals, value = present.partition("=")
        assert made("strict", present, version=version).stricter == {directive: value}

    def test_what_stays_is_said(self) -> None:
        assert made("baseline", "ProtectSystem=strict").stricter == {"ProtectSystem": "strict"}

    @pytest.mark.parametrize("no", ["No", "FALSE", "off", "0", "n", "F"])
    def test_no_is_no_however_it_is_spelt(self, no: str) -> None:
        found = made("standard", f"PrivateTmp={no}\nProtectSystem={no.upper()}\nProtectHome={no}")
        assert (of("PrivateTmp", found), of("ProtectSystem", found), found.stricter) == (["yes"], ["full"], {})

    @pytest.mark.parametrize("yes", ["Yes", "TRUE", "on", "1", "T"])
    def test_and_yes_is_yes(self, yes: str) -> None:
        found = made("baseline", f"ProtectSystem={yes}\nPrivateTmp={yes}")
        assert (of("ProtectSystem", found), found.stricter) == (["yes"], {})
        assert of("ProtectSystem", made("standard", f"ProtectSystem={yes}")) == ["full"]

    @pytest.mark.parametrize(
        ("level", "present", "expected"),
        [
            ("standard", "~AF_INET6", ["", "AF_INET AF_NETLINK AF_UNIX"]),
            ("standard", "AF_UNIX AF_PACKET", ["", "AF_UNIX"]),
            ("standard", "AF_UNIX", []),
            ("baseline", "AF_UNIX AF_PACKET", ["", "AF_UNIX"]),
            ("baseline", "~AF_VSOCK", ["", "~AF_PACKET AF_VSOCK"]),
            ("maximum", "AF_INET", ["none"]),
            ("standard", "none", []),
            # Behind `none` the next line says anew whether the list allows or denies.
            ("standard", "none\nRestrictAddressFamilies=~AF_UNIX", ["", "AF_INET AF_INET6 AF_NETLINK"]),
            ("standard", "none\nRestrictAddressFamilies=AF_UNIX AF_PACKET", ["", "AF_UNIX"]),
        ],
    )
    def test_families(self, level: str, present: str, expected: list[str]) -> None:
        """Whether they allow or deny is said by the first line, and lists that allow are joined."""
        assert of("RestrictAddressFamilies", made(level, f"RestrictAddressFamilies={present}")) == expected

    def test_no_family_before_there_was_a_word_for_it(self) -> None:
        found = made("maximum", "RestrictAddressFamilies=AF_INET", version=247)
        assert of("RestrictAddressFamilies", found) == ["", "AF_UNIX", "~AF_UNIX"]

    @pytest.mark.parametrize(
        ("level", "present", "expected"),
        [
            ("standard", "CapabilityBoundingSet=CAP_KILL", [""]),
            ("standard", "CapabilityBoundingSet=", []),
            ("standard", "CapabilityBoundingSet=\nCapabilityBoundingSet=~CAP_KILL", []),
            ("sessions", "CapabilityBoundingSet=CAP_KILL CAP_BPF", ["", "CAP_KILL"]),
            ("sessions", "CapabilityBoundingSet=CAP_KILL", []),
            (
                "sessions",
                "CapabilityBoundingSet=CAP_KILL\nCapabilityBoundingSet=\nCapabilityBoundingSet=CAP_CHOWN CAP_BPF",
                ["", "CAP_CHOWN"],
            ),
            (
                "sessions",
                "CapabilityBoundingSet=~CAP_KILL",
                [
                    "~",
                    "~CAP_BLOCK_SUSPEND CAP_BPF CAP_KILL CAP_MAC_ADMIN CAP_MAC_OVERRIDE CAP_PERFMON CAP_SYS_BOOT "
                    "CAP_SYS_MODULE CAP_SYS_PACCT CAP_SYS_RAWIO CAP_SYS_TIME CAP_WAKE_ALARM",
                ],
            ),
        ],
    )
    def test_capabilities(self, level: str, present: str, expected: list[str]) -> None:
        assert of("CapabilityBoundingSet", made(level, present)) == expected

    def test_ambient_capabilities_go(self) -> None:
        found = made("standard", "User=app\nAmbientCapabilities=CAP_NET_BIND_SERVICE")
        assert of("AmbientCapabilities", found) == [""]

    @pytest.mark.parametrize(
        ("level", "present", "expected"),
        [
            # A list that denies stays one, whatever comes behind it: ours has to come first.
            ("standard", ["~@module fork"], ["", "@system-service", "~@obsolete @cpu-emulation", "~@module fork"]),
            # One call of a group that they deny is allowed by them, and not by ours: it does not come back.
            (
                "standard",
                ["~@mount", "chroot"],
                ["", "@system-service", "~@obsolete @cpu-emulation"],
            ),
            (
                "standard",
                ["~@resources", "nice"],
                ["", "@system-service", "~@obsolete @cpu-emulation", "~setrlimit"],
            ),
            # Two lists that allow are joined, so only what they allow too much is taken away.
            ("standard", ["@system-service"], ["~@obsolete"]),
            # With an error a word is of what is refused, whatever the line says.
            ("standard", ["~@resources", "nice:EPERM"], ["", *_SERVICE, "~nice setrlimit"]),
            # Behind a list that allows, some of them keep the service from starting.
            ("standard", ["~@resources:ENOSYS"], ["", *_SERVICE, "~@resources"]),
            ("baseline", ["~@mount:ENOSYS"], ["~@clock @cpu-emulation @module @obsolete @raw-io @reboot @swap"]),
            ("standard", ["@system-service mount:EPERM"], ["~@obsolete"]),
            ("standard", ["@system-service", "~@privileged @obsolete"], []),
            ("standard", ["@setuid @mount"], ["~chroot mount umount"]),
            ("strict", ["@system-service"], ["~@obsolete @privileged @resources"]),
            ("baseline", ["@system-service"], ["~@obsolete"]),
            ("baseline", ["~@mount"], ["~@clock @cpu-emulation @module @obsolete @raw-io @reboot @swap"]),
            ("baseline", ["~@mount", ""], ["~@clock @cpu-emulation @module @obsolete @raw-io @reboot @swap"]),
        ],
    )
    def test_calls(self, level: str, present: list[str], expected: list[str]) -> None:
        found = made(level, "\n".join(f"SystemCallFilter={each}" for each in present))
        assert of("SystemCallFilter", found) == expected
        assert found.released == {}

    def test_a_filter_that_ends_the_service_goes_on_to(self) -> None:
        assert of("SystemCallErrorNumber", made("strict", "SystemCallFilter=~@mount")) == []
        assert of("SystemCallErrorNumber", made("strict", "SystemCallFilter=@system-service")) == []
        assert of("SystemCallErrorNumber", made("strict", "SystemCallFilter=~@mount:EPERM chown:kill")) == []
        # One that answers with an error to all that it refuses does not begin to.
        assert of("SystemCallErrorNumber", made("strict", "SystemCallFilter=~@mount:ENOSYS")) == ["EPERM"]
        assert of("SystemCallErrorNumber", made("strict", "SystemCallErrorNumber=EACCES")) == []

    def test_addresses(self) -> None:
        local: list[Any] = [{"network": "local"}]
        both = "IPAddressDeny=any\nIPAddressAllow=10.0.0.0/8 127.0.0.1"
        assert of("IPAddressAllow", made("strict", both, local)) == ["", "127.0.0.1"]
        assert of("IPAddressAllow", made("strict", "IPAddressAllow=10.0.0.0/8", local)) == ["", "localhost"]
        assert of("IPAddressAllow", made("maximum", both)) == [""]
        assert of("IPAddressDeny", made("maximum", both)) == []


class TestOptOuts:
    @pytest.mark.parametrize("name", sorted(OPT_OUTS))
    def test_each_changes_the_strictest_profile(self, name: str) -> None:
        allow = [{"groups": ["video"]}] if name == "groups" else [name]
        of_app = "User=app\nPrivateUsers=yes\nPrivateMounts=yes"
        before, after = made("maximum", of_app, version=262), made("maximum", of_app, allow, version=262)
        assert before.lines != after.lines

    @pytest.mark.parametrize("row", PROTECTIONS.values(), ids=lambda row: row.name)
    def test_the_table_names_only_what_there_is(self, row: Any) -> None:
        assert {*row.allow} <= {*OPT_OUTS}
        assert {*row.levels} <= {*PROFILES}

    # That mounts are not seen by others is refused by none of what it releases.
    @pytest.mark.parametrize(
        "row", [each for each in OPT_OUTS.values() if each.name != "mounts"], ids=lambda row: row.name
    )
    def test_the_table_names_each_that_releases_a_directive(self, row: Any) -> None:
        lists = {
            "SystemCallFilter": row.calls,
            "CapabilityBoundingSet": row.capabilities,
            "RestrictAddressFamilies": row.families,
        }
        for directive in [*row.values, *(name for name, given in lists.items() if given)]:
            assert row.name in PROTECTIONS[directive].allow, directive

    @pytest.mark.parametrize(
        ("allow", "gone"),
        [
            ("jit", "MemoryDenyWriteExecute=yes"),
            ("namespaces", "RestrictNamespaces=yes"),
            ("realtime", "RestrictRealtime=yes"),
            ("tunables", "ProtectKernelTunables=yes"),
            ("other_users", "PrivateUsers=yes"),
            ("other_processes", "ProtectProc=invisible"),
            ("shared_tmp", "PrivateTmp=yes"),
            ("shared_files", "UMask=0027"),
            ("devices", "PrivateDevices=yes"),
            ("home", "ProtectHome=yes"),
            ("foreign_abi", "SystemCallArchitectures=native"),
        ],
    )
    def test_what_is_released_is_not_there(self, allow: str, gone: str) -> None:
        assert gone in text(made("strict", "User=app"))
        assert gone not in text(made("strict", "User=app", [allow]))

    @pytest.mark.parametrize(
        ("present", "allow", "line"),
        [
            ("MemoryDenyWriteExecute=yes", "jit", "MemoryDenyWriteExecute=no"),
            ("ProtectHome=yes", {"home": "read"}, "ProtectHome=read-only"),
            ("PrivateUsers=true", "other_users", "PrivateUsers=no"),
            ("UMask=0077", "shared_files", "UMask=0022"),
            ("SystemCallArchitectures=native", "foreign_abi", "SystemCallArchitectures="),
            ("IPAddressDeny=any", "network", "IPAddressDeny="),
        ],
    )
    def test_it_is_stronger_than_what_the_unit_says(self, present: str, allow: Any, line: str) -> None:
        found = made("strict", present, [allow])
        assert line in text(found)
        name = next(iter(allow)) if isinstance(allow, dict) else allow
        assert found.released[line.partition("=")[0]] == name

    @pytest.mark.parametrize("name", ["clock", "kernel_modules", "kernel_logs", "realtime", "hostname", "debug"])
    def test_powers_over_the_kernel_are_none_among_users_of_its_own(self, name: str) -> None:
        assert "PrivateUsers=yes" not in text(made("strict", allow=[name]))

    def test_settings_of_the_kernel_are_seen(self) -> None:
        assert "ProcSubset=pid" not in text(made("maximum", allow=["tunables"]))

    def test_a_power_that_a_user_has_stays_with_its_opt_out(self) -> None:
        timesync = "User=time\nAmbientCapabilities=CAP_SYS_TIME\nCapabilityBoundingSet=CAP_SYS_TIME"
        found = made("standard", timesync, ["clock"])
        assert of("AmbientCapabilities", found) + of("CapabilityBoundingSet", found) == []
        assert found.stricter == {}
        assert of("AmbientCapabilities", made("standard", "User=time", ["clock"])) == []
        # Who was root has it, whoever it becomes.
        assert of("AmbientCapabilities", made("maximum", "", ["clock"])) == ["CAP_SYS_TIME"]

    @pytest.mark.parametrize("level", ["baseline", "standard", "strict", "maximum"])
    @pytest.mark.parametrize("version", [247, 252, 257, 262])
    def test_mounts_of_the_host_are_made_in_no_namespace(self, level: str, version: int) -> None:
        own = "ProtectSystem=full\nPrivateTmp=yes\nProtectProc=noaccess"
        found = made(level, own, ["mounts", {"home": ["/home/a"]}], ["/srv", "/home/a"], version=version)
        assert {"ProtectSystem=no", "PrivateTmp=no", "ProtectProc=default"} <= {*text(found)}
        names = {name for name, value in found.lines if value not in ("no", "default")}
        assert not {name for name in names if name.startswith(("Protect", "Private"))} - {
            *("ProtectClock", "ProtectHostname")
        }
        assert not {"ReadWritePaths", "BindPaths", "ProcSubset", "DynamicUser"} & names

    def test_calls_come_back_last(self) -> None:
        found = made("strict", "User=app", ["setuid_calls"])
        assert of("SystemCallFilter", found)[-2:] == ["~@privileged @resources", "@setuid"]
        present = "SystemCallFilter=@system-service\nSystemCallFilter=~@privileged"
        assert of("SystemCallFilter", made("standard", present, ["setuid_calls"])) == ["~@obsolete", "@setuid"]

    def test_low_ports(self) -> None:
        found = made("strict", "User=www", ["low_ports"])
        assert of("CapabilityBoundingSet", found) == ["CAP_NET_BIND_SERVICE"]
        assert of("AmbientCapabilities", found) == ["CAP_NET_BIND_SERVICE"]
        assert of("PrivateUsers", found) == []
        assert of("AmbientCapabilities", made("strict", "", ["low_ports"])) == []

    def test_a_server_that_starts_as_root(self) -> None:
        found = made("standard", "Type=forking\nPIDFile=/run/nginx.pid", ["switch_users", "low_ports"], ["/run"])
        assert of("CapabilityBoundingSet", found) == [
            "CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_KILL CAP_NET_BIND_SERVICE CAP_SETGID CAP_SETUID"
        ]
        assert of("ReadWritePaths", found) == ["-/run"]

    def test_network(self) -> None:
        assert of("PrivateNetwork", made("baseline", allow=[{"network": "none"}])) == ["yes"]
        assert of("RestrictAddressFamilies", made("standard", allow=[{"network": "none"}])) == ["AF_UNIX"]
        found = made("maximum", allow=["network"])
        assert of("PrivateNetwork", found) + of("IPAddressDeny", found) == []
        assert of("RestrictAddressFamilies", found) == ["AF_INET AF_INET6 AF_UNIX"]
        found = made("maximum", allow=[{"network": ["10.0.0.0/8", "localhost"]}])
        assert of("IPAddressAllow", found) == ["10.0.0.0/8 localhost"]

    def test_devices(self) -> None:
        found = made("strict", allow=[{"devices": ["/dev/ttyUSB0"]}])
        assert of("PrivateDevices", found) == ["yes"]
        assert of("DeviceAllow", found) == ["/dev/ttyUSB0 rw"]
        assert of("BindPaths", found) == ["-/dev/ttyUSB0"]
        found = made("strict", allow=[{"devices": ["char-ttyUSB", "/dev/gpiochip0"]}])
        assert of("PrivateDevices", found) == []
        assert of("DevicePolicy", found) == ["closed"]
        assert of("DeviceAllow", found) == ["char-ttyUSB rw", "/dev/gpiochip0 rw"]
        assert of("BindPaths", found) == []

    def test_a_group_that_the_unit_has_too_is_there_behind_the_line_that_empties_the_list(self) -> None:
        allowed = [{"groups": ["video"]}]
        assert of("SupplementaryGroups", made("maximum", "SupplementaryGroups=video audio", allowed)) == ["", "video"]
        assert of("SupplementaryGroups", made("maximum", "SupplementaryGroups=video", allowed)) == ["", "video"]
        assert of("SupplementaryGroups", made("maximum", "", allowed)) == ["video"]
        assert of("SupplementaryGroups", made("strict", "SupplementaryGroups=video", allowed)) == []

    def test_home_in_part(self) -> None:
        found = made("strict", allow=[{"home": ["/home/app"]}], writable=["/home/app/data"])
        assert of("ProtectHome", found) == ["tmpfs"]
        assert of("BindPaths", found) == ["-/home/app"]
        assert of("ReadWritePaths", found) == ["-/home/app/data"]

    def test_no_pids_of_its_own(self) -> None:
        """As the first process of a namespace a program without a handler of SIGTERM is killed 90 s after it."""
        assert of("PrivatePIDs", made("maximum", version=257)) == []
        assert of("PrivatePIDs", made("maximum", "PrivatePIDs=yes", ["other_processes"], version=257)) == ["no"]

    def test_bpf_and_pids_do_not_go_together(self) -> None:
        """A service with both ends with status 226 on 262."""
        assert of("PrivateBPF", made("maximum", version=262)) == ["yes"]
        assert "PrivateBPF" in made("maximum", "PrivatePIDs=yes", version=262).left_out

    def test_what_starts_before_tmp_is_set_up_does_not_wait_for_it(self) -> None:
        """As systemd-journald, which what sets it up waits for."""
        early = Host(facts(257).catalogue, calls=CALLS, early=True)
        found = profile("standard", needs([], []), [], early)
        assert (of("PrivateTmp", found), "PrivateTmp" in found.left_out) == ([], True)
        # A /tmp that is nobody else's waits for nothing.
        assert of("PrivateTmp", profile("maximum", needs([], []), [], early)) == ["disconnected"]

    def test_no_ipc_to_remove_for_root(self) -> None:
        assert made("strict").left_out == {"RemoveIPC": "it does nothing for a service of root"}

    def test_a_filter_of_old_keeps_a_user_from_gaining_rights(self) -> None:
        allowed = needs(["escalate"], [])
        assert escalates_in_vain(allowed, [("User", "app")], 252)
        assert not escalates_in_vain(allowed, [("User", "app")], 257)
        assert not escalates_in_vain(allowed, [], 252)
        assert not escalates_in_vain(needs([], []), [("User", "app")], 252)
