# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the runs do that are cut off: one scenario for each kind of change, as data.

The services write down what they were started and reloaded with, below PROOFS, so that a restart that was lost shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

Params = dict[str, Any]

FOREIGN = "/usr/local/lib/systemd/system/"
HEALTH = {"stable_for": 0, "timeout": 20}


@dataclass(frozen=True)
class Scenario:
    """A change, and how to tell that it is done.

    foreign: files that someone else has put there. before: the declarations that make the start state. run: the one
    that is cut off; again: the one that is made after that, run itself unless given. commands: done after `before`.
    first: a point at which a run has been cut off already when the one that is tried begins. proofs: what services
    shall have written. fails: the run fails, and leads back to the start, unless it keeps what it made. parts: tests to
    spread its points over.
    """

    name: str
    run: Params
    before: Sequence[Params] = ()
    again: Params | None = None
    foreign: Mapping[str, str] = field(default_factory=dict)
    commands: Sequence[str] = ()
    first: str = ""
    proofs: Mapping[str, str] = field(default_factory=dict)
    fails: bool = False
    keeps: bool = False
    scope: str = "system"
    umask: str = "022"
    parts: int = 1

    @property
    def new_key(self) -> bool:
        """The host has no key for stamps yet."""
        return not self.before


def _proof(what: str) -> str:
    return f"/bin/sh -c 'mkdir -p %t/faults; echo ${{VERSION}} > %t/faults/%n.{what}'"


def service(name: str, version: str, **options: Any) -> Params:
    """A service that ends at once when it is stopped; `service` among the options adds directives."""
    directives = {"Type": "exec", "ExecStart": "/bin/sleep infinity", "ExecStartPost": _proof("started")}
    return {
        "name": name,
        "unit": {"Description": "Fault test"},
        "environment": {"VERSION": version},
        **options,
        "service": {**directives, **options.get("service", {})},
    }


def oneshot(name: str, version: str, **options: Any) -> Params:
    return {
        "name": name,
        "service": {"Type": "oneshot", "ExecStart": _proof("ran")},
        "environment": {"VERSION": version},
        **options,
    }


def stack(*units: Params, **options: Any) -> Params:
    return {"name": "faults", "units": list(units), "health": HEALTH, **options}


def foreign_service(version: str) -> str:
    return (
        f"[Service]\nType=exec\nEnvironment=VERSION={version}\nExecStart=/bin/sleep infinity\n"
        f"ExecStartPost={_proof('started')}\n[Install]\nWantedBy=multi-user.target\n"
    )


ENABLED = {"WantedBy": "multi-user.target"}
OTHER: Params = {"name": "other", "health": HEALTH, "units": [service("fx-other.service", "1")]}

_WEB = "fx-web.service"
_SOCKET = {"name": "fx-sock.socket", "install": {"WantedBy": "sockets.target"}}
_TIMER = {"name": "fx-tick.timer", "timer": {"OnCalendar": "2099-01-01"}, "install": {"WantedBy": "timers.target"}}
_SLOW_STOP = {"ExecStop": "/bin/sleep 0.4"}


def _web(version: str, **options: Any) -> Params:
    return service(_WEB, version, install=ENABLED, secrets={"TOKEN": f"secret-{version}"}, **options)


def _rebound(port: int, version: str) -> Params:
    return stack(
        {**_SOCKET, "socket": {"ListenStream": f"127.0.0.1:{port}"}},
        service("fx-sock.service", version, state="started", service=_SLOW_STOP),
    )


def _dependent(version: str) -> Params:
    return stack(
        _web(version),
        service("fx-bound.service", "1", unit={"Requires": _WEB, "After": _WEB}, install=ENABLED),
    )


ADD = Scenario(
    "add",
    umask="077",
    run=stack(
        _web("1", credentials={"key": "secret-credential"}),
        {**_SOCKET, "socket": {"ListenStream": "127.0.0.1:7001"}},
        service("fx-sock.service", "1"),
        _TIMER,
        oneshot("fx-tick.service", "1"),
        dropins=[{"name": "fx-tick.service", "dropin": "10-nice", "service": {"Nice": 5}}],
    ),
    proofs={f"{_WEB}.started": "1"},
)

RESTART = Scenario(
    "restart",
    before=[_dependent("1")],
    run=_dependent("2"),
    proofs={f"{_WEB}.started": "2", "fx-bound.service.started": "1"},
)

RELOADED = {"on_change": "reload", "service": {"ExecReload": _proof("reloaded")}}
_RELOAD = Scenario(
    "reload",
    before=[stack(_web("1", **RELOADED))],
    run=stack(_web("2", **RELOADED, triggers={"values": ["2"]})),
    proofs={f"{_WEB}.started": "1", f"{_WEB}.reloaded": "2"},
)

_REBIND = Scenario(
    "rebind",
    before=[_rebound(7001, "1")],
    run=_rebound(7002, "1"),
    proofs={"fx-sock.service.started": "1"},
)

_DESCRIBE = Scenario(
    "describe",
    before=[stack(_web("1"))],
    run=stack(_web("1", unit={"Description": "Another"})),
    proofs={f"{_WEB}.started": "1"},
)

_KEPT = service("fx-kept.service", "1", install=ENABLED)
PRUNE = Scenario(
    "prune",
    before=[
        stack(
            _KEPT,
            _web("1", credentials={"key": "secret-credential"}),
            _TIMER,
            oneshot("fx-tick.service", "1", secrets={"TOKEN": "secret"}),
            dropins=[{"name": "fx-tick.service", "dropin": "10-nice", "service": {"Nice": 5}}],
        )
    ],
    run=stack(_KEPT, prune=True),
    proofs={"fx-kept.service.started": "1"},
)

_ENABLE = Scenario(
    "enable",
    before=[
        stack(
            service("fx-on.service", "1", install=ENABLED, enabled=False),
            service("fx-off.service", "1", install=ENABLED, enabled=True),
            service("fx-moved.service", "1", install={**ENABLED, "Alias": "fx-before.service"}),
        )
    ],
    run=stack(
        service("fx-on.service", "1", install=ENABLED, enabled=True),
        service("fx-off.service", "1", install=ENABLED, enabled=False),
        service("fx-moved.service", "1", install={"WantedBy": "fx-all.target", "Alias": "fx-after.service"}),
    ),
)

MASK = Scenario(
    "mask",
    foreign={FOREIGN + f"fx-{name}.service": foreign_service("1") for name in ("hidden", "shown")},
    before=[
        stack(
            {"name": "fx-hidden.service", "state": "started", "enabled": True},
            {"name": "fx-shown.service", "masked": True},
            _web("1"),
        )
    ],
    run=stack(
        {"name": "fx-hidden.service", "masked": True},
        {"name": "fx-shown.service", "masked": False, "state": "started", "enabled": True},
        {"name": _WEB, "masked": True},
    ),
    proofs={"fx-shown.service.started": "1"},
)

_DROPIN = Scenario(
    "dropin",
    foreign={FOREIGN + "fx-foreign.service": foreign_service("1")},
    before=[stack({"name": "fx-foreign.service", "state": "started"}, OTHER["units"][0])],
    run=stack(
        {"name": "fx-foreign.service", "state": "started"},
        OTHER["units"][0],
        dropins=[
            {
                "name": "fx-foreign.service",
                "dropin": "20-version",
                "environment": {"VERSION": "2"},
                "secrets": {"TOKEN": "secret"},
            }
        ],
    ),
    proofs={"fx-foreign.service.started": "2"},
)

_UNDROPPED = Scenario(
    "undropped",
    foreign=_DROPIN.foreign,
    before=[_DROPIN.run],
    run=stack({"name": "fx-foreign.service", "state": "started"}, OTHER["units"][0], prune=True),
    proofs={"fx-foreign.service.started": "1"},
)

RUN = Scenario(
    "run",
    before=[stack(oneshot("fx-once.service", "1", run="on_change"))],
    run=stack(oneshot("fx-once.service", "2", run="on_change")),
    proofs={"fx-once.service.ran": "2"},
)


def _target(*members: str) -> Params:
    return stack(
        {"name": "fx-all.target", "unit": {"Wants": " ".join(members)}, "install": ENABLED},
        *(service(member, "1", state="present", unit={"PartOf": "fx-all.target"}) for member in members),
    )


_TARGET = Scenario(
    "target",
    before=[_target("fx-one.service")],
    run=_target("fx-one.service", "fx-two.service"),
    proofs={"fx-one.service.started": "1", "fx-two.service.started": "1"},
)

_STOP = Scenario(
    "stop",
    before=[stack(_web("1"), service("fx-down.service", "1", state="stopped"))],
    run=stack(_web("1", state="stopped"), service("fx-down.service", "1", state="started")),
    proofs={"fx-down.service.started": "1"},
)

# It fails before it is up: how soon a process that dies is seen to be dead is not what is tried here.
_BAD = {"ExecStartPre": "/bin/false"}
_ROLLBACK_BEFORE = stack(
    service("fx-bad.service", "1", install=ENABLED, secrets={"TOKEN": "secret-1"}),
    service("fx-good.service", "1", install={**ENABLED, "Alias": "fx-before.service"}),
    service("fx-gone.service", "1", install=ENABLED),
    service("fx-told.service", "1", **RELOADED),
    {**_SOCKET, "socket": {"ListenStream": "127.0.0.1:7001"}},
    service("fx-sock.service", "1", state="started"),
)
ROLLBACK = Scenario(
    "rollback",
    fails=True,
    parts=4,
    before=[_ROLLBACK_BEFORE],
    # The reload with the new version must be followed by one with the old.
    commands=["systemctl reload fx-told.service"],
    run=stack(
        service("fx-bad.service", "2", install=ENABLED, secrets={"TOKEN": "secret-2"}, service=_BAD),
        service("fx-good.service", "2", install={"WantedBy": "fx-all.target", "Alias": "fx-after.service"}),
        service("fx-new.service", "2", install=ENABLED, secrets={"TOKEN": "secret-2"}),
        service("fx-told.service", "2", **RELOADED),
        {**_SOCKET, "socket": {"ListenStream": "127.0.0.1:7002"}},
        service("fx-sock.service", "1", state="started"),
        prune=True,
    ),
    proofs={
        **{f"fx-{name}.service.started": "1" for name in ("bad", "good", "gone", "told", "sock")},
        "fx-told.service.reloaded": "1",
    },
)

_FIRST_TIME = Scenario(
    "first-time",
    fails=True,
    before=[OTHER],
    run=stack(
        service("fx-bad.service", "1", install=ENABLED, secrets={"TOKEN": "secret"}, service=_BAD),
        service("fx-new.service", "1", install=ENABLED, unit={"Wants": "fx-bad.service"}),
    ),
    proofs={"fx-other.service.started": "1"},
)

_KEEP = Scenario(
    "keep",
    fails=True,
    keeps=True,
    before=[stack(_web("1"), service("fx-told.service", "1", **RELOADED), service("fx-gone.service", "1"))],
    commands=["systemctl reload fx-told.service"],
    run=stack(
        _web("2"),
        service("fx-told.service", "2", **RELOADED),
        service("fx-bad.service", "2", install=ENABLED, service=_BAD),
        prune=True,
        on_failure="keep",
    ),
    proofs={f"{_WEB}.started": "2", "fx-told.service.reloaded": "2"},
)

_USER_ENABLED = {"WantedBy": "default.target"}


def _of_user(version: str) -> Params:
    return stack(
        service(_WEB, version, install=_USER_ENABLED, secrets={"TOKEN": f"secret-{version}"}),
        service("fx-told.service", version, **RELOADED),
        scope="user",
    )


USER_ADD = Scenario("user-add", scope="user", run=_of_user("1"), proofs={f"{_WEB}.started": "1"})
_USER_CHANGE = Scenario(
    "user-change",
    scope="user",
    before=[_of_user("1")],
    run=_of_user("2"),
    proofs={f"{_WEB}.started": "2", "fx-told.service.reloaded": "2"},
)

_RELOADING = "after systemctl --system daemon-reload #1"

# A run that finishes what one before it has left is cut off in its turn.
_TWICE = replace(RESTART, name="twice", first=_RELOADING)
_TWICE_BACK = replace(ROLLBACK, name="twice-back", first=_RELOADING)
# Whoever finds the host half changed may also go back to what was.
_REVERT = Scenario(
    "revert",
    before=ROLLBACK.before,
    commands=ROLLBACK.commands,
    run=_dependent("2") | {"prune": True},
    again=_ROLLBACK_BEFORE | {"prune": True},
    proofs=ROLLBACK.proofs,
)

# For hosts that refuse: something is written, removed, stopped, started, reloaded, enabled and masked.
ALL = Scenario(
    "all",
    foreign={FOREIGN + f"fx-{name}.service": foreign_service("1") for name in ("hidden", "shown")},
    before=[
        stack(
            _web("1"),
            service("fx-told.service", "1", **RELOADED),
            service("fx-gone.service", "1", install=ENABLED, secrets={"TOKEN": "secret"}),
            service("fx-moved.service", "1", install={**ENABLED, "Alias": "fx-before.service"}),
            {"name": "fx-hidden.service", "state": "started"},
            {"name": "fx-shown.service", "masked": True},
        )
    ],
    commands=["systemctl reload fx-told.service"],
    run=stack(
        _web("2"),
        service("fx-told.service", "2", **RELOADED),
        service("fx-moved.service", "1", install={**ENABLED, "Alias": "fx-after.service"}),
        service("fx-new.service", "1", install=ENABLED),
        {"name": "fx-hidden.service", "masked": True},
        {"name": "fx-shown.service", "masked": False},
        prune=True,
    ),
    proofs={f"{_WEB}.started": "2", "fx-told.service.reloaded": "2", "fx-new.service.started": "1"},
)

# The longest first, so that the workers of a run end together.
KILLED = (
    ROLLBACK,
    _TWICE_BACK,
    ADD,
    _FIRST_TIME,
    _KEEP,
    RESTART,
    _RELOAD,
    _REBIND,
    _DESCRIBE,
    PRUNE,
    _ENABLE,
    MASK,
    _DROPIN,
    _UNDROPPED,
    RUN,
    _TARGET,
    _STOP,
    USER_ADD,
    _USER_CHANGE,
    _TWICE,
    _REVERT,
)
