# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What systemd reloads with another unit (PropagatesReloadTo=) is named by the plan, watched, and reloaded once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.testbed.listing import NOTES

from .entries import FOREVER, PROGRAMS, Entry, merged, service
from .lab import USER, Lab, verbs

LOG = f"{NOTES}/reloads"
NOTING = f"/bin/sh -c 'echo %n >> {LOG}'"
# What a reload of it does.
FAILING, ENDING = "/bin/false", "/bin/kill -KILL $MAINPID"
HANDED = "reloads other.service (PropagatesReloadTo= of main.service)"


def front(value: int, name: str = "main", **more: Any) -> Entry:
    """A service that is reloaded for a new value."""
    entry = service(name, service={"ExecReload": NOTING}, on_change="reload", triggers={"values": [value]})
    return merged(entry, more)


def other(text: str = "", reload: str = NOTING) -> str:
    return f"[Unit]\n{text}\n[Service]\nExecStart={FOREVER}\n" + (f"ExecReload={reload}\n" if reload else "")


TO_OTHER = {"PropagatesReloadTo": "other.service"}
FROM_MAIN = "ReloadPropagatedFrom=main.service"


def reloads(host: Lab) -> list[str]:
    """Which units were reloaded, each as often as it was."""
    return sorted(host.sh(f"cat {LOG} 2>/dev/null; rm -f {LOG}", check=False).split())


def reason(result: dict[str, Any]) -> str:
    (found,) = [step["reason"] for step in result["plan"] if step["action"] == "reload"]
    return str(found)


@pytest.mark.parametrize("says", ["it", "the other"])
def test_it_is_named_and_done_once(host: Lab, says: str) -> None:
    more = {"unit": TO_OTHER} if says == "it" else {}
    host.foreign("other.service", other("" if more else FROM_MAIN))
    host.apply(front(1, **more))
    before = host.invocation("other.service")
    foretold = host.foretell(front(2, **more))
    result = host.settled(front(2, **more))
    assert reason(result).endswith(f"; {HANDED}")
    assert result["plan"] == foretold["plan"]
    assert result["reloaded"] == foretold["reloaded"] == ["main.service", "other.service"]
    assert reloads(host) == ["main.service", "other.service"]
    assert host.invocation("other.service") == before


def test_what_is_reloaded_itself_is_reloaded_once(host: Lab) -> None:
    """Were it asked for too, it would be reloaded again once the first reload is over."""
    first = {"unit": TO_OTHER}
    host.apply(front(1, **first), front(1, "other"))
    result = host.settled(front(2, **first), front(2, "other"))
    assert sorted(result["reloaded"]) == ["main.service", "other.service"]
    assert verbs(result).count("reload") == 2
    assert reloads(host) == ["main.service", "other.service"]


def test_a_chain_of_them_is_named_to_its_end(host: Lab) -> None:
    host.foreign("third.service", other())
    host.foreign("other.service", other("PropagatesReloadTo=third.service"))
    host.foreign("group.target", "[Unit]\nPropagatesReloadTo=other.service\n")
    chain = {"unit": {"PropagatesReloadTo": "group.target"}}
    host.apply(front(1, **chain))
    result = host.settled(front(2, **chain))
    assert result["reloaded"] == ["main.service", "group.target", "other.service", "third.service"]
    for step in ("group.target", "other.service", "third.service"):
        assert f"reloads {step} (PropagatesReloadTo= of " in reason(result)
    assert reloads(host) == ["main.service", "other.service", "third.service"]


@pytest.mark.parametrize("what", ["down", "without a reload", "without a reload, that wants more"])
def test_what_cannot_be_reloaded_is_left_alone(host: Lab, what: str) -> None:
    """Of a service that has none, systemd hands nothing on either."""
    more = "PropagatesReloadTo=third.service" if "more" in what else ""
    host.foreign("third.service", other())
    host.foreign("other.service", other(more, NOTING if what == "down" else ""), start=what != "down")
    host.apply(front(1, unit=TO_OTHER))
    result = host.settled(front(2, unit=TO_OTHER))
    assert result["reloaded"] == ["main.service"]
    assert "reloads" not in reason(result)
    assert reloads(host) == ["main.service"]


def test_a_restart_hands_no_reload_on(host: Lab) -> None:
    host.foreign("other.service", other())
    host.apply(front(1, unit=TO_OTHER, on_change="restart"))
    result = host.settled(front(2, unit=TO_OTHER, on_change="restart"))
    assert (result["restarted"], result["reloaded"], reloads(host)) == (["main.service"], [], [])


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize(("reload", "said"), [(FAILING, "its reload failed"), (ENDING, "signal 9")])
def test_one_that_fails_is_told_with_whose_reload_it_was(host: Lab, declared: bool, reload: str, said: str) -> None:
    others = [service("other", service={"ExecReload": reload})] if declared else []
    if not declared:
        host.foreign("other.service", other(reload=reload))
    host.apply(front(1, unit=TO_OTHER), *others)
    result = host.failing(front(2, unit=TO_OTHER), *others)
    (error,) = result["errors"]
    assert error["unit"] == "other.service"
    assert "was reloaded by PropagatesReloadTo= of main.service" in error["message"]
    assert said in error["message"]
    assert host.states("main.service", "other.service") == ["active"] * 2
    assert result["rolled_back"] or "other.service" in result["msg"]


def test_a_relation_that_is_new_counts_in_the_run_that_brings_it(host: Lab) -> None:
    host.foreign("other.service", other())
    host.apply(front(1))
    result = host.settled(front(2, unit=TO_OTHER))
    assert HANDED in reason(result)
    assert reloads(host) == ["main.service", "other.service"]
    result = host.settled(front(3))
    assert (result["reloaded"], reloads(host)) == (["main.service"], ["main.service"])


def test_a_drop_in_over_a_unit_of_others_hands_on_too(host: Lab) -> None:
    def dropin(value: int) -> Entry:
        more = {"unit": TO_OTHER, "on_change": "reload", "triggers": {"values": [value]}}
        return {"name": "main.service", "dropin": "50-more", **more}

    for name in ("main", "other"):
        host.foreign(f"{name}.service", other())
    host.apply(dropins=[dropin(1)])
    reloads(host)
    result = host.settled(dropins=[dropin(2)])
    assert HANDED in reason(result)
    assert result["reloaded"] == ["main.service", "other.service"]
    assert reloads(host) == ["main.service", "other.service"]


@pytest.mark.parametrize("says", ["it", "its member", "a unit of others"])
def test_a_target_that_hands_a_reload_on_can_be_reloaded(host: Lab, says: str) -> None:
    """As systemctl reload takes it; one that hands none on is refused."""
    target: Entry = {"name": "group.target", "unit": {"Wants": "app.service"}, "state": "reloaded"}
    member = service("app", service={"ExecReload": NOTING})
    host.refused(target, member)
    reloaded = "app.service"
    if says == "it":
        target = merged(target, {"unit": {"PropagatesReloadTo": "app.service"}})
    elif says == "its member":
        member = merged(member, {"unit": {"ReloadPropagatedFrom": "group.target"}})
    else:
        reloaded = "other.service"
        host.foreign(reloaded, other("ReloadPropagatedFrom=group.target"))
    host.apply({**target, "state": "started"}, member)
    result = host.apply(target, member)
    assert result["reloaded"] == ["group.target", reloaded]
    assert reloads(host) == [reloaded]


def test_a_service_that_tells_of_its_reload_itself(host: Lab) -> None:
    if host.systemd < 253:
        pytest.skip("Type=notify-reload came with systemd 253")
    told = service("other", f"/usr/bin/python3 {PROGRAMS}/reloads.py", service={"Type": "notify-reload"})
    host.apply(front(1, unit=TO_OTHER), told)
    result = host.settled(front(2, unit=TO_OTHER), told)
    assert result["reloaded"] == ["main.service", "other.service"]


def test_in_the_manager_of_a_user(host: Lab) -> None:
    whose: Entry = {"scope": "user", "prefix": ("runuser", "-u", USER, "--"), "env": {"HOME": "/root"}}
    told = service("other", service={"ExecReload": NOTING})
    host.sh(f"mkdir -p {NOTES} && chmod 1777 {NOTES}")
    host.apply(front(1, unit=TO_OTHER), told, **whose)
    result = host.settled(front(2, unit=TO_OTHER), told, **whose)
    assert HANDED in reason(result)
    assert result["reloaded"] == ["main.service", "other.service"]
    assert reloads(host) == ["main.service", "other.service"]
    host.remove_all()
