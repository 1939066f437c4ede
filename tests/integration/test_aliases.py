# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An alias takes a name: nobody else's unless that is said, and none that systemctl would refuse to make."""

from __future__ import annotations

import pytest

from .entries import BAD, FOREVER, IDLE, NGINX, UNITS, VENDOR, WANTED, Entry, service
from .lab import Lab, actions, places


def aliased(*names: str, name: str = "main", **more: object) -> Entry:
    return service(name, install={**WANTED, "Alias": list(names)}, **more)


def refused(host: Lab, unit: Entry, *more: Entry, rule: str = "owner", **options: object) -> str:
    """The message of a refusal that check mode gives as well."""
    messages = []
    for check_mode in (True, False):
        with host.untouched():
            result = host.failing(unit, *more, check_mode=check_mode, **options)
        assert places(result) == [(unit["name"], "Install", "Alias")]
        assert {error["rule"] for error in result["errors"]} == {rule}
        messages.append(result["msg"])
    assert messages[0] == messages[1]
    return str(messages[0])


def test_the_name_of_a_package_is_not_taken(host: Lab) -> None:
    before = host.invocation(NGINX)
    assert "replace: true" in refused(host, aliased(NGINX))
    assert (host.state(NGINX), host.invocation(NGINX)) == ("active", before)


@pytest.mark.parametrize("how", ["content", "dropin", "instance", "along"])
def test_however_the_alias_is_written(host: Lab, how: str) -> None:
    if how == "content":
        text = f"{IDLE}[Install]\nWantedBy=multi-user.target\nAlias={NGINX}\n"
        assert NGINX in refused(host, {"name": "main.service", "content": text})
    elif how == "dropin":
        dropin = {"name": "main.service", "dropin": "x", "install": {"Alias": NGINX}}
        assert NGINX in refused(host, service(install=WANTED), dropins=[dropin])
    elif how == "instance":
        host.foreign("theirs@.service", folder=VENDOR, start=False)
        unit = service("main@", install={"Alias": "theirs@.service"}, instances=["a"])
        result = host.refused(unit)
        assert places(result) == [("main@a.service", "Install", "Alias")]
        assert "theirs@.service defines theirs@a.service" in result["msg"]
    else:
        host.foreign("theirs.service", f"{IDLE}[Install]\nAlias={NGINX}\n", start=False)
        result = host.refused(service(install={**WANTED, "Also": "theirs.service"}))
        assert places(result) == [("theirs.service", "Install", "Alias")]


def test_a_name_is_taken_over_where_that_is_said(host: Lab) -> None:
    """What had it is stopped first, by its old text, and told; with the alias gone the name is the package's again."""
    unit = aliased(NGINX, replace=True)
    told = host.foretell(unit)
    result = host.settled(unit)
    assert actions(result) == actions(told)
    assert actions(result)[0] == ("stop", NGINX)
    assert "alias of main.service" in result["plan"][0]["reason"]
    assert (result["stopped"], result["newly_started"]) == ([NGINX], ["main.service"])
    assert host.show(NGINX, "Id") == "main.service"
    assert "sleep" in host.sh(f"cat /proc/{host.show(NGINX, 'MainPID')}/comm")
    wanted = host.sh(f"readlink {UNITS}/multi-user.target.wants/{NGINX}")
    host.remove()
    assert host.show(NGINX, "Id") == NGINX
    assert host.show(NGINX, "FragmentPath").endswith(f"lib/systemd/system/{NGINX}")
    assert host.sh(f"readlink {UNITS}/multi-user.target.wants/{NGINX}") == wanted
    host.sh(f"systemctl start {NGINX}")


def test_a_name_that_a_drop_in_takes_over_is_given_back_with_it(host: Lab) -> None:
    """The links of its [Install] go with it, and those of the unit's own stay."""
    host.foreign("theirs.service", f"{IDLE}[Install]\nWantedBy=multi-user.target\n", folder=VENDOR)
    host.sh("systemctl enable theirs.service")
    before = host.listing("/etc")
    dropin = {"name": "theirs.service", "dropin": "x", "install": {"Alias": NGINX}, "replace": True}
    host.settled({"name": "theirs.service", "enabled": True}, dropins=[dropin])
    assert host.show(NGINX, "Id") == "theirs.service"
    result = host.remove()
    assert ("reenable", "theirs.service") in actions(result)
    assert host.listing("/etc") == before
    assert host.show(NGINX, "Id") == NGINX
    host.sh(f"systemctl disable theirs.service; systemctl start {NGINX}")


def test_a_name_that_was_taken_over_is_given_back_by_a_roll_back(host: Lab) -> None:
    before = host.listing("/etc")
    host.failing(aliased(NGINX, replace=True), BAD)
    assert host.listing("/etc") == before
    assert (host.state(NGINX), host.show(NGINX, "Id")) == ("active", NGINX)


@pytest.mark.parametrize(
    ("command", "what"),
    [
        ("ln -s /nowhere/gone.service {path}", "a link to /nowhere/gone.service"),
        ("ln -s gone.service {path}", "a link to gone.service"),
        (f"ln -s {VENDOR}/{NGINX} {{path}}", f"a link to {VENDOR}/{NGINX}"),
        ("ln -s /dev/null {path}", "a mask"),
        ("printf '[Service]\\nExecStart=/bin/true\\n' > {path}", "a file"),
    ],
)
def test_what_is_in_the_way_of_an_alias(host: Lab, command: str, what: str) -> None:
    path = f"{UNITS}/other.service"
    host.sh(command.format(path=path) + "; systemctl daemon-reload")
    message = refused(host, aliased("other.service"))
    assert f"{path} is in the way of the alias, {what}" in message
    before = host.listing("/etc")
    host.failing(aliased("other.service", replace=True), BAD)
    assert host.listing("/etc") == before
    result = host.settled(aliased("other.service", replace=True))
    assert path in result["removed"]
    assert host.sh(f"readlink -f {path}") == f"{UNITS}/main.service"
    assert host.show("other.service", "Id") == "main.service"
    host.remove()
    assert not host.exists(path)


@pytest.mark.parametrize(
    ("alias", "words"),
    [
        ("other.timer", "no .service"),
        ("other@.service", "a template"),
        ("other@x.service", "an instance"),
        ("other", "does not end in the type"),
        ("other.target.wants/else.service", "no link for this unit"),
    ],
)
def test_what_can_be_no_alias(host: Lab, alias: str, words: str) -> None:
    assert words in refused(host, aliased(alias), rule="install")


def test_a_template_and_a_plain_unit_do_not_mix(host: Lab) -> None:
    unit = service("main@", install={**WANTED, "DefaultInstance": "d", "Alias": "other.service"}, enabled=True)
    assert "no instance" in refused(host, unit, rule="install")


def test_a_name_stands_for_one_unit_of_a_declaration(host: Lab) -> None:
    assert "declared as a unit" in refused(host, aliased("b.service"), service("b"), rule="contradiction")
    twice = [aliased("b.service"), aliased("b.service", name="second")]
    result = host.refused(*twice)
    assert places(result) == [("second.service", "Install", "Alias")]
    assert "an alias of main.service as well" in result["msg"]


def test_a_name_moves_from_unit_to_unit(host: Lab) -> None:
    """From an alias to another unit's, from a unit that goes to an alias, and from an orphan once that is pruned."""
    host.settled(aliased("b.service"), service("second", install=WANTED), service("old"))
    host.settled(service(install=WANTED), aliased("b.service", name="second"), service("old"))
    assert host.sh(f"readlink -f {UNITS}/b.service") == f"{UNITS}/second.service"
    message = refused(host, aliased("old.service"))
    assert "a file of this stack that is no longer declared" in message
    refused(host, aliased("old.service"), {"name": "old.service", "state": "absent"}, rule="contradiction")
    result = host.settled(aliased("old.service"), service("second", install=WANTED), prune=True)
    assert result["stopped"] == ["old.service"]
    assert host.show("old.service", "Id") == "main.service"
    host.settled(service("second", install={**WANTED, "Alias": "main.service"}), prune=True)
    assert host.show("main.service", "Id") == "second.service"


def test_another_name_that_a_package_gave_may_be_moved(host: Lab) -> None:
    """No unit loses its own: systemd itself has such for display managers, consoles and the default target."""
    host.foreign("own-name.service", folder=VENDOR)
    host.sh(f"ln -s own-name.service {VENDOR}/moving.service; systemctl daemon-reload")
    before = host.invocation("own-name.service")
    result = host.settled(aliased("moving.service"))
    assert [each["rule"] for each in result["unverified"]] == ["alias-moves"]
    assert host.show("moving.service", "Id") == "main.service"
    assert (host.state("own-name.service"), host.invocation("own-name.service")) == ("active", before)


def test_an_alias_that_is_not_made_is_nothing(host: Lab) -> None:
    host.settled(aliased(NGINX, enabled=False))
    assert host.show(NGINX, "Id") == NGINX


def test_an_alias_in_an_image_and_of_a_user(host: Lab) -> None:
    root = "/run/image"
    host.sh(f"rm -rf {root}; mkdir -p {root}{UNITS} {root}{VENDOR} {root}/var/lib")
    host.write(f"{root}{VENDOR}/theirs.service", f"[Service]\nExecStart={FOREVER}\n")
    result = host.failing(aliased("theirs.service"), root=root)
    assert f"{root}{VENDOR}/theirs.service defines theirs.service" in result["msg"]
    host.apply(aliased("theirs.service", replace=True), root=root)
    assert host.sh(f"readlink {root}{UNITS}/theirs.service") == f"{UNITS}/main.service"


def test_a_name_that_systemd_has_in_memory(host: Lab) -> None:
    """Up to 257 at least what is given such a name may end at the daemon-reload; so it goes down and up, as is told."""
    refers = service("refers", unit={"Wants": "named.service", "After": "named.service"})
    host.settled(service(install=WANTED), refers)
    before = host.invocation("main.service")
    told = host.foretell(aliased("named.service"), refers)
    result = host.settled(aliased("named.service"), refers)
    assert actions(result) == actions(told)
    assert host.state("main.service") == "active"
    assert host.show("named.service", "Id") == "main.service"
    assert (result["restarted"] == ["main.service"]) is (host.systemd < 262)
    assert (host.invocation("main.service") == before) is (host.systemd >= 262)
