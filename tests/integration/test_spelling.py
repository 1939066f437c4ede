# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A value in other words restarts nothing; and what counts as the same systemd, too, takes for the same."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.directives import parse_dump
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.spelling import plain

from .entries import FOREVER, service
from .lab import Lab

# Few values, so that many spellings are of the same.
_TRUTHS = ["1", "yes", "Y", "TRUE", "t", "on", "0", "No", "n", "False", "f", "OFF"]
_UNITS = ["", "s", " sec", "ms", "min", " m", "h", "us", "M", "minutes"]
_CALLS = ["read", "write", "@chown", "@clock"]
_PATHS = ["/etc", "/srv", "-/opt", "/usr", "/var//lib"]


def _span(chance: random.Random) -> list[str]:
    amount = chance.choice(["60", "1", "3600", "90", "1.5", "60000", "60000000", "0.001", "1.0005"])
    more = chance.choice(["", "", f" {chance.choice(['30', '1'])}s"])
    return [amount + chance.choice(_UNITS) + more]


def _size(chance: random.Random) -> list[str]:
    one = [
        chance.choice(["65536", "64", "1024", "1", "67108864"]) + chance.choice(["", "K", "M", "B"]) for _half in "ab"
    ]
    return [":".join(chance.choice([one, one[:1], [one[0], one[0]]]))]


def _words(words: list[str], signs: str = "") -> Callable[[random.Random], list[str]]:
    def made(chance: random.Random) -> list[str]:
        chosen = words[: chance.randint(1, 3)]
        if chance.random() < 0.3:
            chance.shuffle(chosen)
        cut = chance.randint(0, len(chosen))
        lines = [" ".join(chosen[:cut]), chance.choice([" ", "  "]).join(chosen[cut:])]
        return [chance.choice(["", signs]) + line for line in lines if line]

    return made


VALUES: dict[str, tuple[str, Callable[[random.Random], list[str]]]] = {
    "PrivateDevices": ("PrivateDevices", lambda chance: [chance.choice(_TRUTHS)]),
    "PrivateTmp": ("PrivateTmp", lambda chance: [chance.choice(_TRUTHS)]),
    "ProtectSystem": ("ProtectSystem", lambda chance: [chance.choice([*_TRUTHS, "full", "strict"])]),
    "ProtectHome": ("ProtectHome", lambda chance: [chance.choice([*_TRUTHS, "tmpfs"])]),
    "RuntimeDirectoryPreserve": ("RuntimeDirectoryPreserve", lambda chance: [chance.choice([*_TRUTHS, "restart"])]),
    "WatchdogSec": ("WatchdogUSec", _span),
    "LimitMEMLOCK": ("LimitMEMLOCK,LimitMEMLOCKSoft", _size),
    "LimitNOFILE": ("LimitNOFILE,LimitNOFILESoft", lambda chance: [chance.choice(["64:64", "64", "64:65", "0100"])]),
    "MemoryMax": ("MemoryMax", lambda chance: [_size(chance)[0].partition(":")[0]]),
    "UMask": ("UMask", lambda chance: [chance.choice(["22", "022", "0022", "0", "0000", "77"])]),
    "ReadWritePaths": ("ReadWritePaths", _words(_PATHS)),
    "InaccessiblePaths": ("InaccessiblePaths", _words(_PATHS)),
    "BindPaths": ("BindPaths", _words(["/etc:/srv", "/opt", "/usr:/mnt:rbind"])),
    "SystemCallFilter": ("SystemCallFilter", _words(_CALLS, "~")),
    "SystemCallArchitectures": ("SystemCallArchitectures", _words(["native", "x86", "arm"])),
    "RestrictAddressFamilies": ("RestrictAddressFamilies", _words(["AF_UNIX", "AF_INET", "AF_INET6"], "~")),
    "CapabilityBoundingSet": ("CapabilityBoundingSet", _words(["CAP_CHOWN", "CAP_KILL", "CAP_SETUID"], "~")),
    "AmbientCapabilities": ("AmbientCapabilities", _words(["CAP_CHOWN", "CAP_KILL", "CAP_SETUID"], "~")),
    "RootDirectory": ("RootDirectory", lambda chance: [chance.choice(["/srv/a", "/srv//a/", "/srv/./a", "/srv/b"])]),
    "Environment": ("Environment", _words(["A=1", '"B=2"', "A=3"])),
}
TRIES = 40


def test_what_counts_as_the_same_is_the_same_for_systemd(host: Lab) -> None:
    chance = random.Random(1)
    catalogue = parse_dump(host.sh("/lib/systemd/systemd --dump-configuration-items"), host.systemd)
    written = {
        (directive, number): made(chance) for directive, (_shown, made) in VALUES.items() for number in range(TRIES)
    }
    for (directive, number), values in written.items():
        lines = "".join(f"{directive}={value}\n" for value in values)
        text = f"[Service]\nExecStart={FOREVER}\n{lines}"
        host.write(f"/run/systemd/system/spelt-{directive}-{number}.service", text)
    host.sh("systemctl daemon-reload")
    found = 0
    for directive, (names, _made) in VALUES.items():
        units = [f"spelt-{directive}-{number}.service" for number in range(TRIES)]
        told = host.sh(f"systemctl show -p {names} {' '.join(units)}").strip().split("\n\n")
        kind = catalogue.type_of("Service", directive)
        meant = [plain(directive, written[directive, number], kind) for number in range(TRIES)]
        for one, other in itertools.combinations(range(TRIES), 2):
            if meant[one] == meant[other]:
                both = written[directive, one], written[directive, other]
                assert _set_of(told[one]) == _set_of(told[other]), (directive, both)
                found += both[0] != both[1]
    assert found > 500
    host.sh("rm /run/systemd/system/spelt-* && systemctl daemon-reload")


def _set_of(told: str) -> list[str]:
    """Of the environment the order does not count."""
    name, _equals, value = told.partition("=")
    return sorted(value.split()) if name == "Environment" else [told]


@pytest.mark.parametrize(
    ("content", "sections"),
    [
        ("PrivateTmp=true", {"PrivateTmp": True}),
        ("LimitMEMLOCK=64K\nWatchdogSec=1min", {"LimitMEMLOCK": 65536, "WatchdogSec": 60}),
        ("ReadWritePaths=/srv /mnt", {"ReadWritePaths": ["/srv", "/mnt"]}),
        ("SystemCallFilter=~@clock @swap", {"SystemCallFilter": ["~@clock", "~@swap"]}),
    ],
)
def test_other_words_for_the_same_restart_nothing(host: Lab, content: str, sections: dict[str, object]) -> None:
    text = f"[Service]\nExecStart={FOREVER}\nNotifyAccess=all\n{content}\n"
    host.apply({"name": "main.service", "content": text, "state": "started"})
    before = host.invocation("main.service")
    result = host.settled({**service(service={"NotifyAccess": "all", **sections}), "state": "started"})
    assert result["changed"]
    assert (result["restarted"], result["kept"]) == ([], {})
    assert host.invocation("main.service") == before
