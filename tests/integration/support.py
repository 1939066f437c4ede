# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the integration tests share: a stack of a test's own on the host, and looks at the host from outside."""

from __future__ import annotations

from typing import Any

from tests.integration.world import show
from tests.testbed.host import Host

PROGRAMS = "/opt/unitwright-programs"
# Someone with a manager of their own.
USER = "wright"
FOREVER = "/bin/sleep infinity"
QUICK = {"stable_for": 0.0, "timeout": 20.0}

Result = dict[str, Any]

TRACES = """
find /etc/systemd /etc/unitwright /var/lib/unitwright/*/* -name '*{name}*' 2>/dev/null
test ! -e /etc/unitwright || find /etc/unitwright -mindepth 1
find /etc/systemd/system/*.d -maxdepth 0 -empty 2>/dev/null
find /tmp -maxdepth 1 -name 'unitwright-*'
systemctl list-units --all --full --plain --no-legend --state=failed,active,activating,not-found '{name}*'
systemctl list-units --plain --no-legend --state=failed
"""


class Stack:
    """A stack on a host under a name that no other test has; its units' names start with it."""

    def __init__(self, host: Host, name: str) -> None:
        self.host = host
        self.name = name

    def unit(self, suffix: str) -> str:
        return f"{self.name}-{suffix}"

    def run(self, *units: dict[str, Any], **options: Any) -> Result:
        """The module's result, failed or not. Names in `units` are as unit() gives them."""
        options.setdefault("health", QUICK)
        given = {"name": self.name, "units": list(units), **options}
        return self.host.module("stack", **{key: value for key, value in given.items() if value})

    def apply(self, *units: dict[str, Any], **options: Any) -> Result:
        return succeeded(self.run(*units, **options))

    def refused(self, *units: dict[str, Any], **options: Any) -> Result:
        return failed(self.run(*units, **options))

    def assert_settled(self, *units: dict[str, Any], **options: Any) -> None:
        """The same once more has nothing to do."""
        result = self.apply(*units, **options)
        assert result["plan"] == [], "the second run is not idempotent"
        assert not result["changed"]

    def settled(self, *units: dict[str, Any], **options: Any) -> Result:
        """Apply, and see that a second run has nothing to do."""
        result = self.apply(*units, **options)
        self.assert_settled(*units, **options)
        return result

    def remove(self) -> Result:
        return succeeded(self.host.module("stack", name=self.name, state="absent", health=QUICK))

    def service(self, suffix: str = "main", command: str | list[str] = FOREVER, **options: Any) -> dict[str, Any]:
        """A service that runs `command`; `service` adds directives to it, the rest are options of the unit."""
        directives = {"ExecStart": command, **options.pop("service", {})}
        return {"name": self.unit(suffix + ".service"), "service": directives, **options}

    def show(self, suffix: str, name: str) -> str:
        return show(self.host, self.unit(suffix), name)

    def invocation(self, suffix: str) -> str:
        return self.show(suffix, "InvocationID")

    def path(self, suffix: str) -> str:
        return f"/etc/systemd/system/{self.unit(suffix)}"


def succeeded(result: Result) -> Result:
    assert not result.get("failed"), result.get("msg")
    return result


def failed(result: Result) -> Result:
    assert result.get("failed"), f"expected a failure: {result.get('plan')}"
    assert result["errors"], result["msg"]
    assert "exception" not in result, result["msg"]
    return result


def actions(result: Result) -> list[tuple[str, str]]:
    """The plan without its reasons."""
    return [(step["action"], step.get("unit", "")) for step in result["plan"]]


def verbs(result: Result) -> list[str]:
    return [step["action"] for step in result["plan"]]


def places(result: Result) -> list[tuple[str, str, str]]:
    """Where each error is: unit, section, directive."""
    return [(error["unit"], error["section"], error["directive"]) for error in result["errors"]]


def environment(host: Host, unit: str) -> dict[str, str]:
    """What the main process of a unit really has in its environment."""
    text = host.run("cat", f"/proc/{show(host, unit, 'MainPID')}/environ").stdout.decode()
    return dict(pair.split("=", 1) for pair in text.split("\0") if pair)
