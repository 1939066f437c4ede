# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the documentation's page of rules from the rules themselves; with --check it only says whether that is due."""

from __future__ import annotations

import importlib
import re
import sys
import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby

from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.rule import Rule, Severity, registered
from ansible_collections.unitwright.systemd.plugins.module_utils._verify.remedies import VERIFY, WORDINGS

from .. import rules as examples
from . import ROOT
from .pages import kept

PAGE = ROOT / "docs" / "docsite" / "rst" / "rules.rst"
UTILS = ROOT / "plugins" / "module_utils"
PACKAGE = "ansible_collections.unitwright.systemd.plugins.module_utils"
PAIRS = examples.pairs()
HEAD = """..
  Copyright: Unitwright contributors
  GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
  SPDX-License-Identifier: GPL-3.0-or-later

.. This page is made by ``make rules``.

.. _ansible_collections.unitwright.systemd.docsite.rules:

Rules
=====

What the modules check before they change a host, and what each entry of ``errors`` and ``unverified`` means: its
``rule`` is one of the names below. Words in braces differ from case to case. Below them is an input that is wrong, and
the same as the rule has it: the tests of the collection run both.

error
  Nothing is done. All that is wrong is told at once.
unverified
  Likewise; but in check mode and with ``root``, where an earlier task may be about to bring what is missing, it is
  only told, under ``unverified``.
warning
  It is told, under ``unverified`` and as a warning of Ansible, and hinders nothing. What an earlier task may be about
  to bring is no warning in check mode, unless something of nearly the same name is there. What is said of the
  declaration itself comes at every run, until that is mended; what takes a look at the host, or the words of its
  systemd, comes in the runs that write the unit.
note
  It is told under ``unverified`` alone.

.. contents::
   :local:
   :depth: 1
"""


def main(args: Sequence[str]) -> int:
    return kept(PAGE, lambda _now: page(), "rules", __doc__, args)


def page() -> str:
    rules = sorted(every_rule(), key=lambda rule: rule.id)
    return HEAD + "".join(_section(name, list(group)) for name, group in groupby(rules, key=lambda rule: rule.id))


def every_rule() -> tuple[Rule, ...]:
    """In the order of their files, whatever imports what."""
    for path in sorted(UTILS.rglob("*.py")):
        importlib.import_module(".".join([PACKAGE, *path.relative_to(UTILS).with_suffix("").parts]))
    return registered()


def _section(name: str, rules: Sequence[Rule]) -> str:
    (severity,) = {rule.severity for rule in rules}
    (may_come,) = {rule.may_come for rule in rules}
    lines = [f"\n{name}\n{'-' * len(name)}\n", f"*{severity.value}*\n"]
    lines += ["None in check mode, unless the name looks misspelt.\n"] * may_come
    for (reason, remedy, source), _same in groupby(sorted((rule.reason, rule.remedy, rule.source) for rule in rules)):
        lines.append(f"- {_plain(reason)}{': ' if remedy else ''}{_plain(remedy)}. *{_plain(source)}*")
    lines += _wordings(name, severity)
    lines += [line for pair in PAIRS if pair.rule == name for line in _example(pair)]
    return "\n".join(lines) + "\n"


def _example(pair: examples.Pair) -> Iterator[str]:
    """What is wrong, and the same mended, as tasks; and what the host is like, or has to become."""
    if pair.host:
        yield _block("On a host after", "bash", pair.host)
    if pair.elsewhere:
        yield _block("Where another stack has", "yaml", f"unitwright.systemd.stack:\n  name: other\n  {pair.elsewhere}")
    if pair.applied:
        yield _block("After", "yaml", pair.task(pair.applied))
    yield _block("Wrong" + _versions(pair), "yaml", pair.task(pair.wrong))
    if pair.mend:
        yield _block("Mended, after", "bash", pair.mend)
    yield _block("Mended" if not pair.mend else "with", "yaml", pair.task(pair.mended))


def _versions(pair: examples.Pair) -> str:
    since = f", from systemd {pair.from_} on" if pair.from_ else ""
    return since or (f", up to systemd {pair.until}" if pair.until < examples.NEWEST else "")


def _block(title: str, language: str, text: str) -> str:
    return f"\n{title}:\n\n.. code-block:: {language}\n\n{textwrap.indent(text.strip(), '   ')}"


def _wordings(name: str, severity: Severity) -> Iterator[str]:
    """The words of systemd that a rule is about, as a table."""
    told = [(wording, wording.rule or VERIFY) for wording in WORDINGS]
    rows = [wording for wording, rule in told if rule.id == name and rule.severity is severity]
    if rows:
        yield "\n.. list-table::\n   :header-rows: 1\n\n   * - what systemd says\n     - what to do"
    for row in rows:
        words = re.sub(r"\\S\+|\.[+*]", "...", row.words).replace(r"\b", "").replace("(?:", "(").rstrip("$")
        yield f"   * - ``{words.strip(', ')}``\n     - {_plain(row.remedy) or 'the words say it'}"


def _plain(text: str) -> str:
    """Text in which reStructuredText finds no markup."""
    return re.sub(r"([\\*`|]|_\b)", r"\\\1", text.replace("{{", "{").replace("}}", "}").replace("!r}", "}"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
