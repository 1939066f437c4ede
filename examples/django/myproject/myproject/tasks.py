# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What celery does: additions that are asked for, and a tick every two seconds."""

from __future__ import annotations

from celery import Celery
from redis import Redis

app = Celery("myproject", broker="redis://localhost/1", backend="redis://localhost/1")
app.conf.beat_schedule = {"tick": {"task": "myproject.tasks.tick", "schedule": 2.0}}


@app.task
def add(left: int, right: int) -> int:
    return left + right


@app.task(ignore_result=True)
def tick() -> None:
    Redis(db=1).incr("myproject:ticks")
