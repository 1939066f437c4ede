# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/corpus.md: what was tried on which systemd, and what is said of it with its reason."""

from __future__ import annotations

from collections.abc import Sequence

from tests.testbed.image import SUITES
from tests.tooling import ROOT

from .files import Packaged
from .trial import Finding

PAGE = ROOT / "docs" / "corpus.md"
HEAD = """<!--
Copyright: Unitwright contributors
GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
-->

# Every unit file of Debian's packages

`make corpus` writes this page. It gives each unit file and drop-in that Debian's packages bring to the modules, as text
and as sections, in check mode on a host that has the package. All of it is read, and means the same when it is written
again. What is said beyond what the host's own systemd says of the packaged file stands here, each with its reason.
"""


def write(suite: str, version: int, files: Sequence[Packaged], findings: Sequence[Finding]) -> None:
    """The part of one suite; those of others stay as they are."""
    old = PAGE.read_text(encoding="utf-8").split("\n## ")[1:] if PAGE.exists() else []
    parts = {part.split("\n", 1)[0].split(",")[0]: part.rstrip("\n") for part in old}
    parts[suite] = _part(suite, version, files, findings)
    ordered = [parts[each] for each in SUITES if each in parts]
    PAGE.write_text(HEAD + "".join(f"\n## {part}\n" for part in ordered), encoding="utf-8")


def _part(suite: str, version: int, files: Sequence[Packaged], findings: Sequence[Finding]) -> str:
    kinds: dict[str, int] = {}
    for file in files:
        kind = "drop-in" if file.dropin else file.unit.rpartition(".")[2]
        kinds[kind] = kinds.get(kind, 0) + 1
    counted = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
    lines = [f"{suite}, systemd {version}", "", f"{len(files)} files: {counted}.", ""]
    rows = dict.fromkeys((each.file.name, each.verb, each.message.replace("|", "\\|"), each.whose) for each in findings)
    table = [f"| `{name}` | {verb} | {message} | {whose} |" for name, verb, message, whose in sorted(rows)]
    if not table:
        return "\n".join([*lines[:-1], "", "Nothing is refused or warned of."])
    return "\n".join([*lines, "| file | it is | message | why |", "| --- | --- | --- | --- |", *table])
