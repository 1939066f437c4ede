# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The exposure of services, as the host's systemd-analyze security measures it over texts that are not in place yet.

Private to the collection.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Dict, Iterator, List, Mapping, NamedTuple, Sequence, Tuple

from .._advice.optouts import Line
from .._advice.protections import PROTECTIONS
from .._host.files import Writer, staged
from .._host.manager import OFFLINE_SINCE, Manager
from .._syntax.names import parse_name

# Which directives are counted, besides those of the table. All else would only be in the way: a name on the bus that
# two units want, a command that is not there.
_COUNTED = frozenset(
    [
        *PROTECTIONS,
        *("User", "Group", "Delegate", "NotifyAccess", "RootDirectory", "RootImage", "IPAddressAllow", "DeviceAllow"),
    ]
)
_PROBE = "unitwright-exposure-"
_OVERALL = re.compile(r"\S+ Overall exposure level for (?P<unit>\S+): (?P<level>\d+(?:\.\d+)?) ")
_ROW = re.compile(r"[-+xX ]\s+(?P<about>\S+)\s{2,}(?P<text>.*?)\s+(?P<weight>\d+)\s+\d+\s+\d+\s+(?P<cost>\d+\.\d+)")
_SHOWN = 5


class Finding(NamedTuple):
    """A test that costs something: what it is about, what systemd says of it, and how much of the exposure it is."""

    about: str
    text: str
    exposure: float


@dataclass(frozen=True)
class Exposure:
    """From 0 to 10; findings: what costs most of it."""

    level: float
    findings: Tuple[Finding, ...] = ()


def measured(manager: Manager, texts: Mapping[str, Sequence[Line]]) -> Dict[str, Exposure]:
    """The exposure of services by the lines of their [Service]; what could not be measured is not in it."""
    if not texts:
        return {}
    probes = {unit: _probe(unit, number) for number, unit in enumerate(texts)}
    written = {probes[unit]: _text(lines) for unit, lines in texts.items()}
    if manager.version >= OFFLINE_SINCE:
        folder = "/unitwright"  # nothing of what is there is mirrored
        with staged(folder, {f"{folder}/{name}": text for name, text in written.items()}, []) as stage:
            said = manager.security([os.path.join(stage, name) for name in written], stage)
    else:
        said = _among_loaded(manager, written)
    found = dict(_read(said))
    return {unit: found[probe] for unit, probe in probes.items() if probe in found}


def can_measure(manager: Manager, check_mode: bool) -> bool:
    """Without an analysis of files, one of another name has to be loaded beside them for a moment."""
    if manager.version >= OFFLINE_SINCE:
        return True
    return manager.live and not check_mode and not manager.places.scope.of_users


def _probe(unit: str, number: int) -> str:
    """A name of our own, for which no drop-ins lie anywhere; the instance may be in what is said of a user."""
    instance = parse_name(unit).instance
    return f"{_PROBE}{number}@{instance or 'instance'}.service" if instance is not None else f"{_PROBE}{number}.service"


def _text(lines: Sequence[Line]) -> bytes:
    counted = [f"{directive}={value}" for directive, value in lines if directive in _COUNTED]
    return "\n".join(["[Service]", "Type=oneshot", "ExecStart=/bin/true", *counted, ""]).encode()


def _among_loaded(manager: Manager, written: Mapping[str, bytes]) -> str:
    """Have units loaded from the folder below /run, which a boot empties, and take them away again."""
    writer = Writer()
    paths = {name: os.path.join(manager.places.manager, "system", name) for name in written}
    try:
        for name, path in paths.items():
            writer.write(path, written[name], 0o644)
        manager.daemon_reload()
        return manager.security(list(written))
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
