# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What jobs do to other units is as it was foretold: random jobs on random graphs of units, on a real systemd.

The seeds are the same each time. UNITWRIGHT_GRAPHS says how many graphs are tried.
"""

from __future__ import annotations

import json
import os

import pytest

from tests.testbed.host import BASE, CommandError

from .entries import PROGRAMS
from .lab import Lab

GRAPHS = int(os.environ.get("UNITWRIGHT_GRAPHS", "200"))
# What is chance is found out by the very code that is tested, which must not get out of this by calling all of it so.
MOST_LEFT_OUT = 0.2
BATCH = 50


@pytest.mark.parametrize("first", range(0, GRAPHS, BATCH))
def test_jobs_do_what_was_foretold(host: Lab, first: int) -> None:
    seeds = (first, min(first + BATCH, GRAPHS))
    done = host.run("/usr/bin/python3", f"{PROGRAMS}/random_jobs.py", BASE, *map(str, seeds))
    if done.returncode != 0:
        raise CommandError(f"random_jobs.py {seeds}: {(done.stdout + done.stderr).decode(errors='replace')}")
    told = json.loads(done.stdout)
    assert not told["differing"], "\n\n".join(["", *told["differing"]])
    assert sum(told["left_out"].values()) <= MOST_LEFT_OUT * BATCH
