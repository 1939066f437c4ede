# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives every unit file of Debian's packages to the modules, and prints which are refused or warned of.

Each is declared in check mode on a host that has its package: as text, and as the sections that from_unit_file makes of
it. What the host's own systemd says of the packaged file is not ours; what else is said has to be in EXPLAINED.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence

from tests.testbed import container
from tests.testbed.engine import find_engine
from tests.testbed.host import Host
from tests.testbed.image import SUITES, default_suite
from tests.tooling import COLLECTION, COLLECTIONS

from . import meaning, packages, page, trial
from .files import Packaged, listed


def main(args: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m tests.corpus", description=__doc__)
    parser.add_argument("--suite", choices=SUITES, default=default_suite())
    parser.add_argument("--only", default="", help="units with this text in their names, and no page")
    options = parser.parse_args(args)
    kept = os.environ.get("UNITWRIGHT_HOST")
    host = Host(kept or f"unitwright-corpus-{options.suite}-{os.getpid()}")
    try:
        _boot(host, options.suite)
        files = [each for each in listed(host) if options.only in each.name]
        return _report(host, options.suite, files, whole=not options.only)
    finally:
        if not kept:
            host.down()


def _boot(host: Host, suite: str) -> None:
    engine = find_engine()
    name = packages.image(engine, suite)
    os.environ["UNITWRIGHT_IMAGE"] = name
    container.up(engine, host.name, suite)
    host.install_collection(COLLECTIONS / COLLECTION)


def _report(host: Host, suite: str, files: Sequence[Packaged], whole: bool) -> int:
    version = int(host.sh("systemctl --version").split()[1])
    faults = [*_changed(files)]
    findings = trial.findings(host, files)
    for finding in findings:
        print(f"{finding.file.name} [{finding.file.scope}] {finding.form}: {finding.said}: {finding.whose}")
    faults += [str(finding) for finding in findings if finding.whose == trial.OURS]
    print(f"systemd {version}: {len(files)} files, {len(faults)} refused or warned of without reason")
    for fault in faults:
        print(f"  {fault}", file=sys.stderr)
    if whole and not faults:
        page.write(suite, version, files, findings)
    return 1 if faults else 0


def _changed(files: Sequence[Packaged]) -> Iterator[str]:
    for file in files:
        for complaint in meaning.complaints(file.text):
            yield f"{file.name}: {complaint}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
