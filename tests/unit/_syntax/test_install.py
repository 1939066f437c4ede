# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `systemctl enable` makes of an [Install] section; tests/integration/test_links_random.py asks systemctl."""

from __future__ import annotations

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.install import (
    Enabling,
    also,
    enabled_together,
    enabling,
    installs,
    named_aliases,
)
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.rule import Severity

from .test_loadpath import ETC, RUN, USR, loadpath


def of(unit: str, install: str, version: int = 257, folder: str = USR, **more: str) -> Enabling:
    name = "a@.service" if "@" in unit else unit
    texts = {f"{folder}/{name}": f"[Install]\n{install}\n", **more}
    return enabling(unit, loadpath(texts), version, ETC)


@pytest.mark.parametrize(
    ("unit", "install", "links"),
    [
        ("a.service", "WantedBy=b.target c.target", ["b.target.wants/a.service", "c.target.wants/a.service"]),
        ("a.service", "RequiredBy=b.target", ["b.target.requires/a.service"]),
        ("a.service", "UpheldBy=b.target", ["b.target.upholds/a.service"]),
        ("a.service", "Alias=b.service", ["b.service"]),
        ("a.service", "WantedBy=b.target\nWantedBy=", []),
        ("a@x.service", "WantedBy=b@%i.target", ["b@x.target.wants/a@x.service"]),
        ("a@x.service", "WantedBy=%p.target", ["a.target.wants/a@x.service"]),
        ("a@.service", "WantedBy=b.target\nDefaultInstance=y", ["b.target.wants/a@y.service"]),
        ("a@.service", "WantedBy=b.target", []),
        ("a@.service", "WantedBy=b@.service", ["b@.service.wants/a@.service"]),
        (
            "a@.service",
            "WantedBy=b@%i.service %p@y.target",
            ["a@y.target.wants/a@.service", "b@.service.wants/a@.service"],
        ),
        ("a.service", "WantedBy=\"b.target\" 'c.target'", ["b.target.wants/a.service", "c.target.wants/a.service"]),
        ("a.service", "Alias=b.target.wants/a.service", ["b.target.wants/a.service"]),
        ("a@x.service", "WantedBy=b@.service", ["b@.service.wants/a@x.service"]),
        ("a@.service", "WantedBy=b@.service\nDefaultInstance=y", ["b@.service.wants/a@y.service"]),
        ("a@.service", "WantedBy=%i.target\nDefaultInstance=y", ["y.target.wants/a@y.service"]),
        ("a@.service", "WantedBy=b.target\nDefaultInstance=%p", ["b.target.wants/a@a.service"]),
        ("a@.service", "WantedBy=b.target\nDefaultInstance=%i", []),
        ("a@.service", "WantedBy=b.target\nDefaultInstance=a b", []),
        ("a@.service", "WantedBy=b.target\nDefaultInstance=%H", None),
        ("a@x.service", "WantedBy=%i.target\nDefaultInstance=%H", ["x.target.wants/a@x.service"]),
        ("a.service", "WantedBy=%N.target %j.target", ["a.target.wants/a.service"]),
        ("a-b.service", "Alias=%j-%N.service", ["b-a-b.service"]),
        ("a.service", "Alias=a.service", []),
        ("a.service", "Alias=a.service b.service", ["b.service"]),
        ("a@x.service", "Alias=a@.service", []),
        ("a@x.service", "Alias=a@x.service", []),
        ("a@x.service", "Alias=b@.service", ["b@x.service"]),
        ("a@x.service", "Alias=b@x.service b@%i.service", ["b@x.service"]),
        ("a@.service", "Alias=a@.service\nDefaultInstance=y", []),
        ("a@.service", "Alias=a@y.service\nDefaultInstance=y", ["a@y.service"]),
        ("a@.service", "Alias=b@.service b@z.service\nDefaultInstance=y", ["b@.service", "b@z.service"]),
        ("a@.service", "Alias=b@%i.service\nDefaultInstance=y", ["b@y.service"]),
        ("a.service", "WantedBy=%H.target", None),
        ("a.service", "Alias=%H.service", None),
        ("a.service", "", []),
    ],
)
def test_the_links_of_an_enabled_unit(unit: str, install: str, links: list[str] | None) -> None:
    found = of(unit, install)
    assert found.hidden == (links is None)
    if links is not None:
        assert sorted(each.path for each in found.links) == sorted(links)


@pytest.mark.parametrize(
    ("unit", "install", "directive", "words"),
    [
        ("a@.service", "WantedBy=b.target", "WantedBy", "no DefaultInstance="),
        ("a.service", "WantedBy=b", "WantedBy", "does not end in the type"),
        ("a.service", "WantedBy=%f.target", "WantedBy", "characters"),
        ("a.service", "Alias=b.timer", "Alias", "no .service"),
        ("a.service", "Alias=b@.service", "Alias", "a template"),
        ("a.service", "Alias=b@x.service", "Alias", "an instance"),
        ("a@.service", "Alias=b.service", "Alias", "no instance"),
        ("a@x.service", "Alias=b.service", "Alias", "no instance"),
        ("a@x.service", "Alias=b@y.service", "Alias", "the same instance"),
        ("a.service", "Alias=b.target.wants/c.service", "Alias", "no link for this unit"),
        ("a.service", "Alias=b.target.upholds/a.service", "Alias", "no link for this unit"),
        ("a@.service", "WantedBy=b.target\nDefaultInstance=a b", "DefaultInstance", "characters"),
        ("a.service", "Also=b", "Also", "does not end in the type"),
    ],
)
def test_what_systemctl_refuses(unit: str, install: str, directive: str, words: str) -> None:
    found = of(unit, install)
    assert [(each.unit, each.section, each.directive) for each in found.faults] == [(unit, "Install", directive)]
    assert words in found.faults[0].message
    assert (found.links, found.faults[0].rule.severity) == ((), Severity.ERROR)


def test_what_systemctl_passes_over() -> None:
    alias = enabling("a.mount", loadpath({f"{USR}/a.mount": "[Install]\nAlias=b.mount\n"}), 257, ETC)
    for found in (alias, of("a.service", "Also=nowhere.service")):
        assert ([each.rule.severity for each in found.faults], found.links) == ([Severity.WARNING], ())


def test_what_an_old_systemctl_does_otherwise() -> None:
    assert of("a.service", "UpheldBy=b.target", version=252).links == ()
    refused, missing = of("a@.service", "WantedBy=b@.service", 247), of("a.service", "Also=nowhere.service", 247)
    for found, severity in ((refused, Severity.ERROR), (missing, Severity.UNVERIFIED)):
        assert ([each.rule.severity for each in found.faults], found.links) == ([severity], ())
    assert len(of("a.service", "Alias=a.service", 247, ETC).faults) == 1
    assert of("a.service", "Alias=a.service", 247, USR).faults == ()


def test_the_drop_ins_that_count() -> None:
    """Those of a prefix, a type or an alias are none to systemctl."""
    files = {f"{USR}/a-b@.service": "[Install]\nWantedBy=one.target\n"}
    for number, folder in enumerate(
        ["a-b@x.service.d", "a-b@.service.d", "a-@.service.d", "a-.service.d", "service.d"]
    ):
        files[f"{USR}/{folder}/{number}.conf"] = f"[Install]\nWantedBy=of{number}.target\n"
    found = enabling("a-b@x.service", loadpath(files), 257, ETC)
    assert [each.other for each in found.links] == ["one.target", "of0.target", "of1.target"]


def test_a_drop_in_of_the_instance_counts_before_one_of_its_template() -> None:
    """Unlike for what systemd loads, wherever it lies."""
    files = {f"{ETC}/a@.service.d/1.conf": "[Install]\nWantedBy=b.target\n"}
    files[f"{RUN}/a@x.service.d/1.conf"] = "[Install]\nWantedBy=c.target\n"
    found = enabling("a@x.service", loadpath({f"{USR}/a@.service": "", **files}), 257, ETC)
    assert [each.other for each in found.links] == ["c.target"]


def test_what_is_enabled_together() -> None:
    """An empty Also= resets nothing; what is masked, an alias or nowhere is passed over."""
    files = {
        f"{USR}/a.service": "[Install]\nAlso=b.service\nAlso=\nAlso=masked.service other.service nowhere.service\n",
        f"{USR}/b.service": "[Install]\nAlso=a.service c.socket\n",
        f"{USR}/c.socket": "[Install]\nWantedBy=sockets.target\n",
    }
    links = {f"{ETC}/masked.service": "/dev/null", f"{ETC}/other.service": f"{USR}/b.service"}
    path = loadpath(files, links)
    assert enabled_together("a.service", path) == ["a.service", "b.service", "c.socket"]
    assert also("a.service", path) == ["b.service", "masked.service", "other.service", "nowhere.service"]


def test_the_alias_of_an_instance() -> None:
    path = loadpath({f"{USR}/a@.service": "[Install]\nAlias=b@.service c@%i.service\nDefaultInstance=d\n"})
    assert named_aliases("a@x.service", path) == ["b@x.service", "c@x.service"]
    assert named_aliases("a@.service", path) == ["b@.service", "c@d.service"]


@pytest.mark.parametrize(
    ("install", "found"), [("WantedBy=b.target", True), ("WantedBy=", False), ("Also=b.service", True)]
)
def test_is_there_anything_to_enable(install: str, found: bool) -> None:
    assert installs("a.service", loadpath({f"{USR}/a.service": f"[Install]\n{install}\n"})) is found


def test_a_default_instance_alone_is_nothing_to_enable() -> None:
    assert not installs("a@.service", loadpath({f"{USR}/a@.service": "[Install]\nDefaultInstance=x\n"}))
