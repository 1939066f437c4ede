# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes texts from a list in redis, and puts them into another one in capital letters."""

from __future__ import annotations

import os
from pathlib import Path

import redis

QUEUE = os.environ["QUEUE"]
LOG = Path("data/jobs.log")


def main() -> None:
    database = redis.Redis(decode_responses=True)
    print(f"Waiting for jobs in {QUEUE}")
    while True:
        _queue, job = database.blpop([QUEUE])
        database.rpush(f"{QUEUE}:done", job.upper())
        with LOG.open("a", encoding="utf-8") as log:
            log.write(f"{job}\n")
        print(f"Did {job}")


if __name__ == "__main__":
    main()
