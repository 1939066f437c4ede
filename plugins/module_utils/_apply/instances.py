# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which instances of templates each owner has declared: one file for all owners below the state folder.

Private to the collection.
"""

from __future__ import annotations

import json
from typing import Dict, List, Sequence

from .._host.files import Writer, look
from .._host.places import Places
from .._plan.left_over import Instances, Noted

# Instances by owner and template.
Content = Dict[str, Dict[str, List[str]]]


def read(where: Places) -> Content:
    """All that is noted. A damaged file counts as none."""
    seen = look(where.instances_file)
    try:
        found: Content = json.loads(seen.content or b"") if seen else {}
        return {
            owner: {template: [str(each) for each in names] for template, names in templates.items()}
            for owner, templates in found.items()
        }
    except (ValueError, TypeError, AttributeError):
        return {}


def noted(content: Content, owners: Sequence[str]) -> Noted:
    """The same as one declaration has to see it; owners: its own, and those that it takes over."""
    own: Dict[str, List[str]] = {}
    others: List[str] = []
    for owner, templates in content.items():
        for template, names in templates.items():
            (own.setdefault(template, []) if owner in owners else others).extend(names)
    return Noted({template: tuple(names) for template, names in own.items()}, frozenset(others))


def changed(content: Content, owners: Sequence[str], *every: Instances) -> Content:
    """What is to be noted: every one of these instances for the first of the owners, and none for the others."""
    own: Dict[str, List[str]] = {}
    for each in every:
        for template, names in each.items():
            own[template] = sorted({*own.get(template, ()), *names})
    rest = {owner: templates for owner, templates in content.items() if owner not in owners}
    return {**rest, owners[0]: own} if own else rest


def keep(where: Places, content: Content, writer: Writer) -> None:
    """Write it down for the next run, unless the file says so already."""
    if content == read(where):
        return
    if content:
        writer.make_folder(where.state, 0o700)
        writer.write(where.instances_file, json.dumps(content, sort_keys=True).encode(), 0o600)
    else:
        writer.remove(where.instances_file)
    writer.settle()
