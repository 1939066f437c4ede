# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every short option is a directive of systemd from 247 on, has its sentence, and is named as Ansible spells it."""

from __future__ import annotations

import re

import pytest
from ansible_collections.unitwright.systemd.plugins.doc_fragments.short import options, sentences
from ansible_collections.unitwright.systemd.plugins.module_utils._desired.short import PROCESS, SHORT

from tests.unit.world import facts

ROWS = {(form, option): row for form, rows in {**SHORT, "process": PROCESS}.items() for option, row in rows.items()}


@pytest.mark.parametrize("version", [247, 252, 257, 262])
def test_each_is_a_directive_of_every_version(version: int) -> None:
    """Or its sentence says since when."""
    known = facts(version).catalogue.sections
    missing = {option for (_form, option), row in ROWS.items() if row.directive not in known[row.section]}
    assert {option for option in missing if "Since systemd 248." not in sentences()[option] or version > 247} == set()


def test_each_bears_the_name_of_its_directive() -> None:
    unlike = {option for (_form, option), row in ROWS.items() if option.replace("_", "") != row.directive.lower()}
    assert unlike == set()
    assert all(re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", option) for _form, option in ROWS)


def test_each_has_a_sentence_and_no_other_has() -> None:
    assert set(sentences()) == {option for _form, option in ROWS}
    assert all(sentence.endswith(".") for sentence in sentences().values())


def test_each_tells_its_default_and_its_manual_page() -> None:
    for (_form, option), row in ROWS.items():
        told = options({option: row})
        assert "efault" in told, told
        assert f"see C({row.manual}(5))" in told


def test_what_is_true_or_false_to_systemd_is_so_here() -> None:
    """But where newer versions know more words than yes and no."""
    types = facts(262).catalogue
    wrong = {
        option
        for (_form, option), row in ROWS.items()
        if (types.type_of(row.section, row.directive) == "BOOLEAN") != (row.takes == ("bool",))
    }
    assert wrong - {"dynamic_user"} == set()
