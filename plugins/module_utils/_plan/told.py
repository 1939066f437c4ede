# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a plan says of the units that its jobs reach without a job of their own. Private to the collection."""

from __future__ import annotations

from typing import Dict, List, Mapping, Sequence, Tuple

from .._syntax.relations import Because
from .consequences import behind
from .fates import Fate
from .plan import Step


def tell_besides(
    reasons: Dict[Tuple[str, str], str], foretold: Mapping[str, Fate], jobs: Mapping[str, Sequence[str]]
) -> List[Step]:
    """Add to the reason of each job what else it does; what no job does comes back as steps."""
    told: Dict[Tuple[str, str], str] = {}
    steps = []
    for fate in foretold.values():
        root = behind(fate, foretold, jobs)
        if root is None:
            steps.append(Step(fate.becomes.verb, fate.unit, f"{fate.cause}, by systemd itself"))
        elif root[1] != fate.unit and fate.unit not in reasons[root].replace(",", " ").split():
            told[root] = f"{told.get(root, '')}; {fate}"
    reasons.update({root: reasons[root] + text for root, text in told.items()})
    return steps


def tell_reloads(
    reasons: Dict[Tuple[str, str], str], reloads: Mapping[str, Because], jobs: Mapping[str, Sequence[str]]
) -> None:
    """Add to the reason of each reload what else is reloaded with it."""
    for unit, cause in reloads.items():
        root, seen = cause.unit, {unit}
        while root not in jobs["reload"] and root in reloads and root not in seen:
            seen.add(root)
            root = reloads[root].unit
        reasons[("reload", root)] += f"; reloads {unit} ({cause})"
