# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The exposure of services, as the host's systemd-analyze security measures it over texts that are not in place yet.

Private to the collection.
"""

from __future__ import annotations

import os
import re
from typing import Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from .._advice.optouts import Line
from .._advice.protections import PROTECTIONS
from .._host.files import Writer, staged
from .._host.manager import OFFLINE_SINCE, Manager
from .._syntax.meaning import is_on
from .._syntax.names import parse_name, with_instance

# Which directives are counted, besides those of the table. All else would only be in the way: a name on the bus that
# two units want, a command that is not there.
_COUNTED = frozenset(
    [
        *PROTECTIONS,
        *("User", "Group", "Delegate", "NotifyAccess", "RootDirectory", "RootImage", "IPAddressAllow", "DeviceAllow"),
    ]
)
# What has a mount namespace made for a service, and so PrivateMounts= in force (exec_needs_mount_namespace()). Of files
# 257 and 262 count that as in force in any case, but where they say no.
_MOUNTING = frozenset(
    """
    PrivateDevices PrivateTmp PrivateIPC PrivatePIDs PrivateMounts DynamicUser ProtectSystem ProtectHome
    ProtectKernelTunables ProtectKernelModules ProtectKernelLogs ProtectControlGroups ProtectProc ProcSubset
    RootDirectory RootImage MountAPIVFS MountFlags ReadWritePaths ReadOnlyPaths InaccessiblePaths ExecPaths NoExecPaths
    BindPaths BindReadOnlyPaths TemporaryFileSystem MountImages ExtensionImages ExtensionDirectories
    """.split()
)
# What ProtectProc= and ProcSubset= have for no.
_OPEN = ("default", "all")
_PROBE = "unitwright-exposure-"
_MADE_UP = "instance"
_OVERALL = re.compile(r"\S+ Overall exposure level for (?P<unit>\S+): (?P<level>\d+(?:\.\d+)?) ")
_ROW = re.compile(r"[-+xX ]\s+(?P<about>\S+)\s{2,}(?P<text>.*?)\s+(?P<weight>\d+)\s+\d+\s+\d+\s+(?P<cost>\d+\.\d+)")
_SHOWN = 5


class Finding(NamedTuple):
    """A test that costs something: what it is about, what systemd says of it, and how much of the exposure it is."""

    about: str
    text: str
    exposure: float


class Exposure(NamedTuple):
    """From 0 to 10; findings: what costs most of it."""

    level: float
    findings: Tuple[Finding, ...] = ()


class ToMeasure(NamedTuple):
    """A service to be measured by the lines of its [Service]. loaded: its manager has read just these."""

    unit: str
    lines: Tuple[Line, ...]
    loaded: bool = False


def measured(manager: Manager, services: Sequence[ToMeasure], check_mode: bool = False) -> List[Optional[Exposure]]:
    """The exposure of each; None for what could not be measured.

    Without an analysis of files, those that are not loaded are loaded by other names for a moment, which check mode may
    not do.
    """
    asked = {_probe(each.unit, number): each for number, each in enumerate(services)}
    if manager.version >= OFFLINE_SINCE:
        found = _of_files(manager, {name: _text(each.lines) for name, each in asked.items()})
    elif not manager.live or manager.places.scope.of_users:
        found = {}
    else:
        loaded = {name: _instance(each.unit) for name, each in asked.items() if each.loaded}
        by_unit = dict(_read(manager.security([*loaded.values()]))) if loaded else {}
        found = {name: by_unit[unit] for name, unit in loaded.items() if unit in by_unit}
        others = {name: _text(each.lines) for name, each in asked.items() if not each.loaded}
        found.update(_among_loaded(manager, others) if not check_mode else ())
    return [found.get(name) for name in asked]


def _probe(unit: str, number: int) -> str:
    """A name of our own, for which no drop-ins lie anywhere; the instance may be in what is said of a user."""
    instance = parse_name(unit).instance
    return f"{_PROBE}{number}@{instance or _MADE_UP}.service" if instance is not None else f"{_PROBE}{number}.service"


def _instance(unit: str) -> str:
    return with_instance(unit, _MADE_UP) if parse_name(unit).is_template else unit


def _text(lines: Sequence[Line]) -> bytes:
    counted = [f"{directive}={value}" for directive, value in lines if directive in _COUNTED]
    if not any(directive in _MOUNTING and is_on(value) and value not in _OPEN for directive, value in lines):
        counted.append("PrivateMounts=no")
    return "\n".join(["[Service]", "Type=oneshot", "ExecStart=/bin/true", *counted, ""]).encode()


def _of_files(manager: Manager, texts: Mapping[str, bytes]) -> Dict[str, Exposure]:
    if not texts:
        return {}
    folder = "/unitwright"  # nothing of what is there is mirrored
    with staged(folder, {f"{folder}/{name}": text for name, text in texts.items()}, []) as stage:
        return dict(_read(manager.security([os.path.join(stage, name) for name in texts], stage)))


def _among_loaded(manager: Manager, texts: Mapping[str, bytes]) -> Dict[str, Exposure]:
    """Have units loaded from the folder below /run, which a boot empties, and take them away again."""
    if not texts:
        return {}
    writer = Writer()
    paths = {name: os.path.join(manager.places.manager, manager.places.scope.name, name) for name in texts}
    try:
        for name, path in paths.items():
            writer.write(path, texts[name], 0o644)
        manager.daemon_reload()
        return dict(_read(manager.security([*texts])))
    finally:
        for path in paths.values():
            writer.remove(path)
        manager.daemon_reload()


def _read(said: str) -> Iterator[Tuple[str, Exposure]]:
    """What is said of each unit stands before its own line."""
    findings: List[Tuple[int, Finding]] = []
    for line in said.splitlines():
        row, overall = _ROW.fullmatch(line.rstrip()), _OVERALL.match(line)
        if row:
            points = int(row.group("weight"))
            finding = Finding(row.group("about"), row.group("text"), float(row.group("cost")))
            findings.append((points, finding))
        elif overall:
            worst = sorted(findings, key=lambda each: (-each[1].exposure, -each[0]))
            yield (
                overall.group("unit"),
                Exposure(float(overall.group("level")), tuple(each for _p, each in worst[:_SHOWN])),
            )
            findings = []
