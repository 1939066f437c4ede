# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each systemd knows, held against the dumps of four of them, and when a change takes effect."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax import directives, versions
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.directives import effect
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.effects import Effect
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.kinds import KINDS
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.rule import Refused

DATA = Path(__file__).parent.parent / "data"
CATALOGUES = {
    version: directives.parse_dump((DATA / f"items-{version}.txt").read_text(encoding="utf-8"), version)
    for version in (247, 252, 257, 262)
}
EVERY = [
    (version, section, directive)
    for version, catalogue in CATALOGUES.items()
    for section, known in catalogue.sections.items()
    for directive in known
]


def kind_of(section: str) -> str:
    return "service" if section in ("Unit", "Install") else section.lower()


def test_the_dump_is_read() -> None:
    catalogue = CATALOGUES[252]
    assert catalogue.version == 252
    assert len([entry for entry in EVERY if entry[0] == 252]) == 1191
    assert catalogue.type_of("Service", "ExecStart") == "PATH [ARGUMENT [...]]"
    assert catalogue.type_of("Service", "UMask") == "MODE"
    assert catalogue.type_of("Service", "OnCalendar") is None
    assert catalogue.type_of("Nowhere", "UMask") is None


@pytest.mark.parametrize("text", ["", "usage: systemd\n", "[Service]\n"])
def test_what_is_no_dump_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        directives.parse_dump(text, 252)


def test_nothing_systemd_knows_is_complained_about() -> None:
    for version, section, directive in EVERY:
        assert CATALOGUES[version].complaint(kind_of(section), section, directive) is None


def test_every_kind_has_its_section() -> None:
    for kind, row in KINDS.items():
        for name in ("Unit", "Install", row.section, "X-Mine"):
            assert CATALOGUES[252].complaint(kind, name) is None
    bare = {"Target", "Device"}  # nothing but X- names
    assert set(CATALOGUES[252].sections) == {"Unit", "Install", *(row.section for row in KINDS.values())} - bare


def test_the_versions_agree_with_the_dumps() -> None:
    for older, newer in ((247, 252), (252, 257), (257, 262)):
        for section, known in CATALOGUES[newer].sections.items():
            for directive in known:
                came = versions.came_with(section, directive)
                if CATALOGUES[older].type_of(section, directive) is None:
                    assert came, (section, directive)
                    assert older < came[0] <= came[1] <= newer, (section, directive)
                elif older == 247:
                    assert came is None, (section, directive)


def test_every_name_in_the_version_table_exists() -> None:
    known = {(section, directive) for version, section, directive in EVERY}
    for _first, _last, sections, names in versions._NEWER:
        assert {(section, name) for section in sections for name in names.split()} <= known


@pytest.mark.parametrize(
    ("version", "kind", "section", "directive", "message"),
    [
        (252, "service", "Timer", "OnCalendar", "[Timer] does not belong in a .service, which has [Unit], [Service]"),
        (252, "service", "service", "Type", "[service] is written [Service]"),
        (252, "service", "Servce", "Type", "did you mean [Service]?"),
        (252, "service", "", "Type", "there is no section ''"),
        (252, "timer", "Service", "Type", "[Install]: declare NAME.service beside it, and put that there"),
        (252, "target", "Service", "Type", "[Service] does not belong in a .target, which has [Unit], [Target]"),
        (252, "service", "Service", "StartLimitIntervalSec", "belongs in [Unit], not in [Service]"),
        (252, "service", "Service", "OnFailure", "belongs in [Unit], not in [Service]"),
        (252, "service", "Unit", "WantedBy", "belongs in [Install], not in [Unit]"),
        (252, "service", "Service", "OnCalendar", "belongs in [Timer], which is for another kind of unit"),
        (252, "service", "Service", "PrivatePIDs", "came to [Service] with systemd 257; this host has 252"),
        (252, "service", "Unit", "PrivatePIDs", "came to [Service] with systemd 257; this host has 252"),
        (252, "service", "Service", "UpheldBy", "systemd 252 knows no"),
        (252, "service", "Install", "UpheldBy", "with a systemd of 253 to 257; this host has 252"),
        (257, "service", "Service", "PrivatePIDz", "did you mean PrivatePIDs?"),
        (262, "service", "Service", "MemoryLimit", "has no effect in systemd 262: use MemoryMax"),
        (262, "slice", "Slice", "CPUShares", "has no effect in systemd 262: use CPUWeight"),
        (262, "service", "Service", "CPUAccounting", "leave it out"),
        (252, "service", "Unit", "IgnoreOnSnapshot", "has no effect"),
        (252, "service", "Service", "True", "quote it"),
        (252, "service", "Service", "false", "quote it"),
        (252, "service", "Service", "execStart", "'execStart' is written ExecStart"),
        (252, "service", "Service", "exec_start", "'exec_start' is written ExecStart"),
        (252, "service", "Service", "wanted-by", "'wanted-by' is written WantedBy, in [Install]"),
        (252, "service", "Service", "after", "'after' is written After, in [Unit]"),
        (252, "service", "Service", "ExecStrat", "did you mean ExecStart?"),
        (252, "service", "Service", "MemoryMx", "did you mean MemoryMax?"),
        (252, "service", "Service", "MemoryLimitMax", "did you mean MemoryMax?"),
        (252, "service", "Service", "CPUShare", "did you mean CPUWeight?"),
        (252, "service", "Service", "CPUAccountin", "did you mean CPUAccounting?"),
        (252, "service", "Service", "ReadOnlyDirectory", "did you mean ReadOnlyPaths?"),
        (252, "service", "Unit", "service", "service is no directive but a section of its own: put it beside unit"),
        (252, "service", "Service", "install", "a section of its own: put it beside service, and not below that"),
        (
            252,
            "service",
            "Unit",
            "timer",
            "timer is no directive but a section of its own, and [Timer] does not belong in a .service",
        ),
        (252, "service", "Service", "RestrictAddressFamily", "did you mean RestrictAddressFamilies?"),
        (252, "service", "Service", "LimitNOFILES", "did you mean LimitNOFILE?"),
        (252, "service", "Unit", "ConditionPathExist", "did you mean ConditionPathExists?"),
        # What only a word shared by many makes near is not near.
        (252, "service", "Unit", "ConditionFoo", "look in the man pages"),
        (252, "service", "Service", "ExecFoo", "look in the man pages"),
        (252, "service", "Unit", "Requries", "did you mean Requires?"),
        (252, "service", "Service", "Zzzzz", "knows no 'Zzzzz' in [Service]"),
        (252, "service", "Service", "a\nb", r"knows no 'a\nb'"),
        (252, "target", "Target", "Foo", "knows no 'Foo' in [Target]"),
    ],
)
def test_complaints_tell_the_mend(version: int, kind: str, section: str, directive: str, message: str) -> None:
    complaint = CATALOGUES[version].complaint(kind, section, directive)
    assert complaint is not None
    assert message in complaint
    assert complaint.isprintable()


def test_a_version_between_those_of_the_table() -> None:
    catalogue = directives.Catalogue(255, CATALOGUES[252].sections)
    complaint = catalogue.complaint("service", "Install", "UpheldBy")
    assert complaint == "UpheldBy came to [Install] with a systemd of 253 to 257; this host has 255"


@pytest.mark.parametrize(
    ("version", "section", "directive"),
    [
        (252, "Service", "StartLimitBurst"),
        (252, "Service", "StartLimitInterval"),
        (252, "Service", "MemoryLimit"),
        (252, "Service", "X-Reload"),
        (252, "X-Mine", "anything at all"),
        (252, "X-Mine", "true"),
        (257, "Service", "PrivatePIDs"),
    ],
)
def test_accepted(version: int, section: str, directive: str) -> None:
    assert CATALOGUES[version].complaint("service", section, directive) is None


@pytest.mark.parametrize(
    ("kind", "section", "directives_", "expected"),
    [
        (
            "service",
            "Service",
            "ExecStart Type NotifyAccess Environment User WatchdogSec Slice LogExtraFields LimitNOFILE",
            Effect.RESTART,
        ),
        ("service", "Service", "NoSuchDirective LoadCredential StandardOutput ProtectSystem", Effect.RESTART),
        ("service", "Service", "Restart RestartSec KillMode ExecStop ExecReload TimeoutStopSec", Effect.LIVE),
        ("service", "Service", "MemoryMax CPUQuota TasksMax IOWeight OOMPolicy DevicePolicy", Effect.CGROUP),
        ("slice", "Slice", "MemoryMax CPUWeight", Effect.CGROUP),
        ("slice", "Slice", "ConcurrencyHardMax NoSuchDirective", Effect.LIVE),
        ("service", "Unit", "Description After Requires BindsTo PartOf Upholds StopWhenUnneeded", Effect.LIVE),
        ("service", "Unit", "Wants Conflicts ConditionPathExists AssertHost", Effect.JOB),
        ("service", "Install", "WantedBy Alias", Effect.INSTALL),
        ("service", "Service", "X-Mine", Effect.NONE),
        ("service", "X-Mine", "ExecStart", Effect.NONE),
        ("socket", "Socket", "ListenStream SocketMode SocketUser Backlog NoSuchDirective", Effect.REBIND),
        ("socket", "Socket", "Service MaxConnections DirectoryMode FlushPending", Effect.LIVE),
        ("socket", "Socket", "MemoryMax", Effect.CGROUP),
        ("socket", "Unit", "Description", Effect.LIVE),
        ("timer", "Timer", "OnCalendar OnBootSec Persistent Unit", Effect.LIVE),
        ("path", "Path", "PathExists", Effect.LIVE),
        ("mount", "Mount", "Options", Effect.REMOUNT),
        ("mount", "Mount", "What Where Type", Effect.RESTART),
        ("swap", "Swap", "What Priority Options", Effect.RESTART),
        ("mount", "Mount", "TimeoutSec LazyUnmount ForceUnmount SloppyOptions KillMode DirectoryMode", Effect.LIVE),
        ("mount", "Mount", "ReadWriteOnly SendSIGKILL FinalKillSignal", Effect.LIVE),
        ("mount", "Mount", "Environment Nice User LimitNOFILE Slice NoSuchDirective", Effect.NEXT),
        ("mount", "Mount", "MemoryMax TasksMax IOWeight", Effect.CGROUP),
        ("swap", "Swap", "TimeoutSec KillSignal", Effect.LIVE),
        ("swap", "Swap", "Environment OOMScoreAdjust", Effect.NEXT),
        ("swap", "Swap", "MemoryMax", Effect.CGROUP),
        ("automount", "Automount", "TimeoutIdleSec ExtraOptions NoSuchDirective", Effect.RESTART),
        ("automount", "Automount", "DirectoryMode", Effect.LIVE),
    ],
)
def test_effects(kind: str, section: str, directives_: str, expected: Effect) -> None:
    assert {effect(kind, section, directive) for directive in directives_.split()} == {expected}


def test_no_change_of_a_unit_section_restarts() -> None:
    for _version, section, directive in EVERY:
        if section == "Unit":
            assert effect("service", section, directive) in (Effect.LIVE, Effect.JOB)


def test_every_name_in_the_effect_tables_exists() -> None:
    known = {directive for _version, _section, directive in EVERY}
    named = [names for row in KINDS.values() for _effect, names in row.change.named]
    for table in (directives._JOB, directives.GAINS_START, *named):
        assert table <= known
