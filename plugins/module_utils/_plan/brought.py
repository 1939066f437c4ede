# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Instances that no declaration lists, and that come up since what it declares names them. Pure.

Private to the collection.
"""

from __future__ import annotations

from typing import Iterable, List

from .._desired.stack import Desired
from .._syntax.dependencies import started_with
from .._syntax.install import enabled_as
from .._syntax.loadpath import LoadPath
from .._syntax.names import parse_name


def brought_along(desired: Desired, after: LoadPath, units: Iterable[str]) -> List[str]:
    """The instances of templates of this declaration among these units and all that they pull in."""
    ours = {unit.path for unit in desired.units if unit.path and unit.name.is_template}
    named = started_with(units, after) if ours else set()
    return sorted(each for each in named if parse_name(each).instance and after.fragment(each) in ours)


def roots(desired: Desired, after: LoadPath) -> List[str]:
    """The declared units that stay, and default instances: units that these name may come up."""
    declared = [(member, unit) for unit in desired.units for member in unit.members]
    names = [member for member, unit in declared if unit.meant(member).state != "absent"]
    names += [enabled_as(unit.name.text, after) or "" for unit in desired.units if unit.enabled and not unit.members]
    return [*names, *(each.unit.text for each in desired.dropins if each.present and not each.unit.stands_for_others)]
