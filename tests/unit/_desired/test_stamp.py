# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stamp: who gets one, how it is read, and where it is left out."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._desired import stamp
from ansible_collections.unitwright.systemd.plugins.module_utils._host.scopes import SCOPES

from tests.unit._syntax.test_loadpath import ETC, USR, loadpath

Sections = list[tuple[str, list[tuple[str, str]]]]
SECTIONS: Sections = [("Service", [("ExecStart", "/bin/a")])]
ENTRY = {"name": "a.service"}


def assigned(
    params: dict[str, Any], kind: str, sections: Sections, scope: str = "system", key: bytes = b"key"
) -> list[tuple[str, str]]:
    made_of = stamp.ingredients(params, kind, sections, SCOPES[scope], key, {})
    return [stamp.assignment(made_of)] if made_of else []


def stamped(params: dict[str, Any], kind: str = "service", scope: str = "system") -> list[tuple[str, str]]:
    return assigned(params, kind, SECTIONS, scope)


@pytest.mark.parametrize(
    ("params", "kind", "scope", "so"),
    [
        (ENTRY, "service", "system", True),
        (ENTRY, "service", "user", True),
        (ENTRY, "service", "global", False),
        (ENTRY, "socket", "system", False),
        (ENTRY, "mount", "system", False),
        ({"name": "a@.service"}, "service", "system", False),
        ({"name": "a@.service", "instances": ["x"]}, "service", "system", True),
        ({"name": "a@.service", "secrets": {"A": "b"}}, "service", "system", True),
        ({"name": "a@.service", "triggers": {"values": [1]}}, "service", "system", True),
    ],
)
def test_who_gets_one(params: dict[str, Any], kind: str, scope: str, so: bool) -> None:
    assert bool(stamped(params, kind, scope)) is so


def test_nothing_is_stamped_where_a_process_keeps_nothing() -> None:
    kept = [("Unit", [("Description", "x")]), ("Service", [("Restart", "always"), ("MemoryMax", "1G")])]
    assert assigned(ENTRY, "service", kept) == []


def test_it_is_a_field_of_the_journal_and_depends_on_the_key() -> None:
    ((directive, value),) = stamped(ENTRY)
    name, _equals, digest = value.partition("=")
    assert (directive, name, len(digest)) == ("LogExtraFields", "UNITWRIGHT_STAMP", 24)
    assert assigned(ENTRY, "service", SECTIONS, key=b"other") != [(directive, value)]


def test_stamps_of_a_unit_and_its_drop_ins() -> None:
    field = "LogExtraFields=UNITWRIGHT_STAMP="
    found = loadpath(
        {
            f"{USR}/a.service": f"[Service]\n{field}one\nLogExtraFields=OTHER=1\n",
            f"{ETC}/a.service.d/x.conf": f"[Service]\n {field}two \n",
            f"{USR}/b.service": f"[Service]\n{field}one\n",
            f"{ETC}/b.service.d/x.conf": f"[Service]\nLogExtraFields=\n{field}two\n",
            f"{USR}/c.service": f"[Service]\n# {field}one\n",
        }
    )
    assert stamp.stamps("a.service", found) == {"one", "two"}
    assert stamp.stamps("b.service", found) == {"two"}
    assert stamp.stamps("c.service", found) == set()


def test_stamps_of_a_process() -> None:
    assert stamp.of_process(["OTHER=1", "UNITWRIGHT_STAMP=a", "UNITWRIGHT_STAMP=b"]) == {"a", "b"}
    assert stamp.of_process(["UNITWRIGHT_STAMPED=a"]) == set()


def test_it_is_left_out_of_what_is_shown_and_compared() -> None:
    text = b"[Service]\nLogExtraFields=UNITWRIGHT_STAMP=a\nLogExtraFields=OTHER=1\n"
    assert stamp.without_stamp(text) == "[Service]\nLogExtraFields=OTHER=1\n"
    assert stamp.values_without_stamp(["UNITWRIGHT_STAMP=a", "OTHER=1"]) == ["OTHER=1"]


def parts(*directives: tuple[str, str]) -> dict[str, str]:
    made_of = stamp.ingredients(ENTRY, "service", [("Service", list(directives))], SCOPES["system"], b"key", {})
    assert made_of
    return made_of.parts()


ONE, TWO = ("Environment", "A=1"), ("Environment", "B=2")
RUN = ("ExecStart", "/bin/a --b 'c  d'")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ([RUN], [("ExecStart", "/bin/a  --b\t'c  d'")]),
        ([RUN, ONE, TWO], [TWO, ONE, RUN]),
        ([RUN, ONE, TWO], [RUN, ("Environment", "A=1 B=2")]),
        ([RUN, ONE, TWO], [RUN, ("Environment", 'B=2  "A=1"')]),
        ([RUN, ONE], [RUN, ("Environment", "A=0"), ONE]),
        ([RUN, ("UMask", "022")], [RUN, ("UMask", "0022")]),
        ([RUN, ("UMask", "0")], [RUN, ("UMask", "0000")]),
        ([RUN, ("Environment", ""), ONE], [RUN, ("Environment", "C=3"), ("Environment", ""), ONE]),
    ],
)
def test_the_same_in_other_words(old: list[tuple[str, str]], new: list[tuple[str, str]]) -> None:
    before, after = parts(*old), parts(*new)
    assert before.keys() == after.keys()
    assert all(stamp.is_same(before[name], after[name]) for name in before)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ([RUN], [("ExecStart", "/bin/a --b 'c d'")]),
        ([RUN], [("ExecStart", '/bin/a --b "c  d"')]),
        ([RUN, ONE], [RUN, ("Environment", "A=2")]),
        ([RUN, ONE], [RUN, ONE, TWO]),
        ([RUN, ("UMask", "022")], [RUN, ("UMask", "0220")]),
        ([RUN, ("UMask", "0")], [RUN, ("UMask", "")]),
        ([RUN, ONE], [RUN, ("Environment", "A= 1")]),
        ([RUN, ONE], [RUN, ("Environment", ""), ONE]),
        ([RUN, ("Environment", "A=0"), ONE], [RUN, ONE, ("Environment", "A=0")]),
        ([RUN, ("PassEnvironment", "A B")], [RUN, ("PassEnvironment", "A  B C")]),
        ([("ExecStart", "/bin/a 'b")], [("ExecStart", "/bin/a  'b")]),
    ],
)
def test_not_the_same(old: list[tuple[str, str]], new: list[tuple[str, str]]) -> None:
    before, after = parts(*old), parts(*new)
    assert not all(stamp.is_same(before.get(name), after.get(name)) for name in {**before, **after})
