# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host whose modules are cut off: a container of the suite in UNITWRIGHT_SUITE, one for each worker of a run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .driving import Driver, booted


@pytest.fixture(scope="session")
def driver(worker_id: str) -> Iterator[Driver]:
    """With UNITWRIGHT_HOST=NAME that container is used, and stays for the next run."""
    with booted("faults", worker_id) as machine:
        driver = Driver(machine)
        driver.install()
        driver.add_user()
        yield driver


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many points there were, so that it shows when a change of the code or of the tests loses some."""
    totals: dict[str, int] = {}
    for report in terminalreporter.getreports(""):
        if getattr(report, "when", "") == "call":
            for name, number in report.user_properties:
                totals[name] = totals.get(name, 0) + number
    if totals:
        terminalreporter.section("points")
        for name, number in totals.items():
            terminalreporter.write_line(f"{number:5d} {name}")
        terminalreporter.write_line(f"{sum(totals.values()):5d} in all")
