# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the earlier version has applied: one of each thing that the collection manages, in two versions of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.faults.scenarios import (
    ENABLED,
    FOREIGN,
    HEALTH,
    RELOADED,
    Scenario,
    foreign_service,
    oneshot,
    service,
    stack,
)

Params = dict[str, Any]
Call = tuple[str, Params]

# Here it is with the packaged units, and goes with them.
CONFIG = "/usr/local/lib/systemd/fx-config"
PACKAGED = {
    CONFIG: "of no interest\n",
    FOREIGN + "fx-packaged.service": foreign_service("0"),
    FOREIGN + "fx-hidden.service": foreign_service("0"),
}
_USER_ENABLED = {"WantedBy": "default.target"}
_ALL_RUN = {"instances": ["one", "two"], "install": ENABLED}


def _services(version: str) -> list[Params]:
    text = f"[Service]\nType=exec\nExecStart=/bin/sleep infinity\nEnvironment=VERSION={version}\n"
    return [
        service(
            "fx-web.service",
            version,
            install={**ENABLED, "Alias": f"fx-web-{version}.service"},
            secrets={"TOKEN": f"secret-{version}"},
            credentials={"key": f"credential-{version}"},
            triggers={"files": [CONFIG], "values": [version, {"of": ["any", 1, True]}]},
        ),
        service("fx-told.service", version, **RELOADED),
        service("fx-off.service", version, install=ENABLED, enabled=False),
        service("fx-down.service", version, state="stopped"),
        service("fx-many@.service", version, **_ALL_RUN),
        oneshot("fx-once.service", version, run="on_change"),
        {"name": "fx-text.service", "content": text},
        {"name": "fx-packaged.service", "state": "started", "enabled": True},
        {"name": "fx-hidden.service", "masked": True},
    ]


def _other_kinds(version: str) -> list[Params]:
    port = 7000 + int(version)
    members = " ".join(f"fx-part{number}.service" for number in range(int(version)))
    mount = {"What": "tmpfs", "Where": "/fx/mnt", "Type": "tmpfs", "Options": f"size={version}m"}
    return [
        {"name": "fx-sock.socket", "socket": {"ListenStream": f"127.0.0.1:{port}"}, "install": ENABLED},
        service("fx-sock.service", "1", state="started"),
        {"name": "fx-each.socket", "socket": {"ListenStream": "127.0.0.1:7010", "Accept": True}, "install": ENABLED},
        service("fx-each@.service", version, service={"ExecStart": "/bin/cat", "StandardInput": "socket"}),
        {"name": "fx-tick.timer", "timer": {"OnCalendar": f"209{version}-01-01"}, "install": ENABLED},
        oneshot("fx-tick.service", version),
        {"name": "fx-seen.path", "path": {"PathExists": f"/run/fx-{version}"}, "install": ENABLED},
        oneshot("fx-seen.service", version, secrets={"TOKEN": "secret"}),
        {"name": "fx-all.target", "unit": {"Wants": members}, "install": ENABLED},
        *(
            service(f"fx-part{number}.service", "1", state="present", unit={"PartOf": "fx-all.target"})
            for number in range(2)
        ),
        {"name": "fx-mnt.mount", "mount": mount},
    ]


def everything(version: str, *more: Params) -> Params:
    """Version "1" or "2"; of a unit or drop-in that can change something is another in each."""
    packaged = {"name": "fx-packaged.service", "dropin": "20-version", "environment": {"VERSION": version}}
    dropins = [
        {**packaged, "secrets": {"TOKEN": f"secret-{version}"}},
        {"name": "fx-tick.service", "dropin": "10-nice", "service": {"Nice": int(version)}},
    ]
    return stack(*_services(version), *_other_kinds(version), *more, dropins=dropins, prune=True)


# Is pruned.
GONE = service("fx-gone.service", "1", install=ENABLED, secrets={"TOKEN": "secret"})
CHANGE = Scenario(
    "everything",
    foreign=PACKAGED,
    before=[everything("1", GONE)],
    run=everything("2"),
    proofs={
        "fx-web.service.started": "2",
        "fx-many@two.service.started": "2",
        "fx-packaged.service.started": "2",
        "fx-told.service.started": "1",
        "fx-told.service.reloaded": "2",
        "fx-once.service.ran": "2",
        "fx-part1.service.started": "1",
    },
)


def _leaving(version: str, *instances: str) -> Params:
    """Without prune: a process of an older version, and instances that nobody declares any more, are left."""
    units = [
        service("fx-left.service", version, on_change="none"),
        {**service("fx-some@.service", "1", install=ENABLED), "instances": list(instances)},
    ]
    return {"name": "leaving", "units": units, "health": HEALTH}


_ALONE = service("fx-alone.service", "1", install=ENABLED, secrets={"TOKEN": "secret"}, health=HEALTH)
_OVER = {"name": "fx-alone.service", "dropin": "50-more", "environment": {"MORE": "1"}, "health": HEALTH}


def _of_user(version: str, *more: Params) -> Params:
    units = [
        service("fx-web.service", version, install=_USER_ENABLED, secrets={"TOKEN": f"secret-{version}"}),
        service("fx-told.service", version, **RELOADED),
        service("fx-many@.service", version, **{**_ALL_RUN, "install": _USER_ENABLED}),
        {"name": "fx-tick.timer", "timer": {"OnCalendar": f"209{version}-01-01"}, "install": _USER_ENABLED},
        oneshot("fx-tick.service", version),
    ]
    return stack(*units, *more, prune=True, scope="user")


@dataclass(frozen=True)
class History:
    """What was applied one after the other, and which of that is in force since."""

    name: str
    applied: Sequence[Call]
    current: Sequence[Call]


SYSTEM = History(
    "system",
    applied=[
        *(("stack", params) for params in (everything("1", GONE), everything("2"))),
        *(("stack", params) for params in (_leaving("1", "a", "b"), _leaving("2", "a"))),
        ("unit", _ALONE),
        ("dropin", _OVER),
    ],
    current=[("stack", everything("2")), ("stack", _leaving("2", "a")), ("unit", _ALONE), ("dropin", _OVER)],
)
USERS = History(
    "user",
    applied=[("stack", _of_user("1", GONE)), ("stack", _of_user("2"))],
    current=[("stack", _of_user("2"))],
)
