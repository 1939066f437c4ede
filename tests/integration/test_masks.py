# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mask goes over no one's file, comes and goes when that is said, and is nothing to remove."""

from __future__ import annotations

import pytest

from .entries import IDLE, NGINX, UNITS, VENDOR, WANTED, Entry, app, service
from .lab import Lab, actions, verbs


def test_masked_units_cannot_be_started_and_masked_false_undoes_it(host: Lab) -> None:
    unit = service(install=WANTED)
    host.apply(unit)
    masked = {"name": unit["name"], "masked": True}
    result = host.settled(masked)
    assert result["stopped"] == [unit["name"]]
    assert host.enabled(unit["name"]) == "masked"
    assert "masked: false" in host.failing(unit)["msg"]
    host.settled({**unit, "masked": False})
    assert (host.state(unit["name"]), host.enabled(unit["name"])) == ("active", "enabled")


def test_a_unit_of_others_is_masked_and_unmasked(host: Lab) -> None:
    host.settled({"name": NGINX, "masked": True})
    assert (host.state(NGINX), host.enabled(NGINX)) == ("inactive", "masked")
    host.settled({"name": NGINX, "masked": False, "state": "started"})
    assert host.state(NGINX) == "active"


def test_failed_and_masked(host: Lab) -> None:
    host.apply(app(1))
    host.sh("systemctl kill --signal=SEGV app.service")
    host.sh("while systemctl is-active -q app.service; do sleep 0.05; done")
    assert host.apply(app(1))["newly_started"] == ["app.service"]
    assert host.state("app.service") == "active"
    nginx = {"name": "nginx.service"}
    host.apply(app(1), {**nginx, "masked": True})
    assert host.show("nginx.service", "LoadState") == "masked"
    host.failing(app(1), {**nginx, "state": "started"})
    host.apply(app(1), {**nginx, "masked": False, "state": "started"})
    assert host.show("nginx.service", "LoadState") == "loaded"


def test_a_mask_does_not_take_the_place_of_a_file_by_hand(host: Lab) -> None:
    unit = "hand.service"
    host.foreign(unit)
    result = host.refused({"name": unit, "masked": True})
    assert result["errors"][0]["rule"] == "owner"
    assert host.state(unit) == "active"


def test_a_mask_that_the_next_boot_would_lift(host: Lab) -> None:
    unit = "vendor.service"
    host.foreign(unit, folder="/usr/local/lib/systemd/system", start=False)
    host.sh(f"systemctl mask --runtime {unit}")
    assert host.failing({"name": unit, "masked": False, "state": "started"})["errors"][0]["rule"] == "masked"
    host.settled({"name": unit, "masked": True})
    assert host.exists(f"{UNITS}/{unit}")


def test_the_links_of_a_masked_unit(host: Lab) -> None:
    """systemctl leaves them, and says only that it ignores the unit."""
    unit = service(install=WANTED)
    host.apply(unit)
    host.sh(f"mv {UNITS}/main.service {VENDOR}; systemctl mask {unit['name']}")
    named = {"name": unit["name"], "enabled": False}
    assert "unmask it" in host.failing({**named, "masked": True})["msg"]
    assert ("disable", unit["name"]) in actions(host.settled({**named, "masked": False}))
    assert host.show("main.service", "UnitFileState") == "disabled"
    host.sh(f"systemctl stop {unit['name']}; rm {VENDOR}/main.service; systemctl daemon-reload")


def test_a_mask_is_no_unit_to_remove(host: Lab) -> None:
    nowhere = "nowhere.service"
    host.sh(f"systemctl stop {NGINX}; systemctl mask {NGINX} {nowhere}")
    masks = f"readlink {UNITS}/{NGINX} {UNITS}/{nowhere}"
    host.assert_settled({"name": nowhere, "state": "absent"})
    (error,) = host.failing({"name": NGINX, "state": "absent"})["errors"]
    assert "nginx.service defines this unit, and is not ours" in error["message"]
    assert host.sh(masks) == "/dev/null\n/dev/null"


def test_a_mask_below_run_is_nothing_to_a_removal(host: Lab) -> None:
    unit = service()
    host.apply(unit)
    host.sh(f"systemctl mask --runtime {unit['name']}")
    host.remove()
    assert not host.exists(f"{UNITS}/main.service")


def test_a_file_over_an_alias_of_a_package_goes_again(host: Lab) -> None:
    real, alias = "real.service", "alias.service"
    host.write(f"{VENDOR}/{real}", IDLE)
    host.sh(f"ln -s {real} {VENDOR}/{alias}")
    host.apply(service("alias", replace=True))
    host.apply({"name": alias, "state": "absent"})
    assert not host.exists(f"{UNITS}/{alias}")
    host.settled({"name": alias, "masked": True})
    assert host.enabled(alias) == "masked"


def masked_by_hand(host: Lab, unit: str) -> str:
    """Someone has masked a unit that runs on; the mask's path."""
    host.sh(f"systemctl mask {unit}")
    return f"{UNITS}/{unit}"


@pytest.mark.parametrize("on_change", ["restart", "reload"])
def test_a_dropin_over_a_running_unit_that_someone_has_masked(host: Lab, on_change: str) -> None:
    def dropin(nice: int) -> Entry:
        directives = {"Nice": nice, "RestartSec": nice}
        return {"name": NGINX, "dropin": "nice", "on_change": on_change, "service": directives}

    host.apply(dropins=[dropin(1)])
    before, mask = host.invocation(NGINX), masked_by_hand(host, NGINX)
    for told in (host.foretell(dropins=[dropin(2)]), host.settled(dropins=[dropin(2)])):
        assert verbs(told) == ["write", "daemon-reload"]
        assert mask in told["kept"][NGINX]
    result = host.settled(service("other"), prune=True)
    assert mask in result["kept"][NGINX]
    assert result["removed"]
    assert host.invocation(NGINX) == before
    host.sh(f"systemctl unmask {NGINX}")


def test_the_text_of_a_template_whose_instance_someone_has_masked(host: Lab) -> None:
    def template(nice: int) -> Entry:
        return service("t@", service={"Nice": nice}, state="present", instances=["x"])

    other = service("other")
    host.apply(template(1), other)
    host.sh("systemctl start t@x.service")
    before, mask = host.invocation("t@x.service"), masked_by_hand(host, "t@x.service")
    assert mask in host.settled(template(2), other)["kept"]["t@x.service"]
    assert mask in host.apply(other, prune=True)["kept"]["t@x.service"]
    assert host.invocation("t@x.service") == before
    host.sh("systemctl stop t@x.service; systemctl unmask t@x.service")


def test_a_socket_whose_running_service_someone_has_masked(host: Lab) -> None:
    vendor, listening = "/usr/local/lib/systemd/system", {"name": "web.socket", "dropin": "more"}
    host.foreign("web.service", folder=vendor, start=False)
    host.foreign("web.socket", "[Socket]\nListenStream=127.0.0.1:8471\n", folder=vendor)
    host.sh("systemctl start web.service")
    before, mask = host.invocation("web.service"), masked_by_hand(host, "web.service")
    result = host.apply(dropins=[{**listening, "socket": {"Backlog": 7}}])
    assert mask in result["kept"]["web.socket"]
    assert host.invocation("web.service") == before
    host.sh("systemctl stop web.socket web.service; systemctl unmask web.service")


def test_a_masked_oneshot_that_is_to_run_for_a_change(host: Lab) -> None:
    host.foreign("job.service", "[Service]\nType=oneshot\nExecStart=/bin/true\n", folder=VENDOR, start=False)
    mask = masked_by_hand(host, "job.service")
    declared: Entry = {"name": "job.service", "run": "on_change"}
    dropin = {"name": "job.service", "dropin": "more", "environment": {"A": 1}}
    result = host.refused(declared, dropins=[dropin])
    assert [error["rule"] for error in result["errors"]] == ["masked"]
    assert mask in result["msg"]
    host.sh("systemctl unmask job.service")
    assert host.settled(declared, dropins=[dropin])["newly_started"] == ["job.service"]
