# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""A module that a runtime looked for and did not find, by its last words. Private to the collection."""

from __future__ import annotations

import os
import re
from typing import Optional, Tuple

from .incident import Cause, Incident, at, cause
from .views import inside
from .why_said import LastWords, Words

_NODE = "install it where the program looks for it, as by npm ci in its folder"
_PYTHON = "install it for the interpreter that {command} runs, or run that of the virtual environment which has it"
_BUILT = "put it there, as by composer install or the build, or mend the path"
_CLASS = "have the class path of {command} name the folder or JAR that has it"
# The words with which a runtime ends for want of a module; who goes on without it says more. Of each what is missing,
# and what brings it.
_ENDINGS: Tuple[Tuple[str, str, str], ...] = (
    (r"^Error: Cannot find module '(?P<name>[^']+)'$", "module", _NODE),
    (r"^Error \[ERR_MODULE_NOT_FOUND\]: Cannot find \w+ '(?P<name>[^']+)'", "module", _NODE),
    (r"(?:^|\()ModuleNotFoundError: No module named '(?P<name>[\w.]+)'\)?$", "Python module", _PYTHON),
    (r"\bCould not import module \"(?P<name>[\w.]+)\"\.$", "Python module", _PYTHON),
    (r"^/\S+: No module named (?P<name>[\w.]+)$", "Python module", _PYTHON),
    (r"cannot load such file -- (?P<name>\S+) \(LoadError\)$", "Ruby library", "install the gem that has it"),
    (r"^Can't locate (?P<name>\S+) in @INC", "Perl module", "install the package that has it"),
    (r"Failed opening required '(?P<name>[^']+)'", "file", _BUILT),
    (r"^Error: Unable to access jarfile (?P<name>\S+)$", "file", _BUILT),
    (r"^Error: Could not find or load main class (?P<name>[\w.$]+)$", "Java class", _CLASS),
    (r"^Caused by: java\.lang\.ClassNotFoundException: (?P<name>[\w.$]+)$", "Java class", _CLASS),
)


def _ending(pattern: str, called: str, remedy: str) -> Words:
    words = re.compile(pattern)

    def prove(incident: Incident, said: LastWords) -> Optional[Cause]:
        found = words.search(said.text)
        name = found.group("name") if found else ""
        if not name or (name.startswith("/") and os.path.exists(inside(incident, name) or "/")):
            return None
        placed = incident.placed(incident.command)
        whose = at(incident.command, placed[0] if len(placed) == 1 else None)
        what = f"the {called} {name}, which the program asks for, is not there"
        return cause(what, remedy.format(command=whose), said.line)

    return Words(words, prove)


ROWS = tuple(_ending(*each) for each in _ENDINGS)
