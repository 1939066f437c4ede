# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""POST /jobs/TEXT queues a job, GET /jobs/NUMBER has what became of it. Each process works through it."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import redis
from fastapi import FastAPI, HTTPException

QUEUE = os.environ["QUEUE"]
LOG = Path("data/jobs.log")
database = redis.Redis(host="localhost", decode_responses=True)
app = FastAPI()


def work() -> None:
    while True:
        _queue, number = database.blpop([QUEUE])
        text = database.hget(f"{QUEUE}:{number}", "text")
        database.hset(f"{QUEUE}:{number}", "result", text[::-1])
        with LOG.open("a", encoding="utf-8") as log:
            log.write(f"{number} {text}\n")
        print(f"Did job {number}", flush=True)


@app.on_event("startup")
def start() -> None:
    threading.Thread(target=work, daemon=True).start()


@app.get("/health")
def health() -> dict[str, bool]:
    return {"redis": database.ping()}


@app.post("/jobs/{text}")
def add(text: str) -> dict[str, int]:
    number = database.incr(f"{QUEUE}:last")
    database.hset(f"{QUEUE}:{number}", "text", text)
    database.rpush(QUEUE, number)
    return {"job": number}


@app.get("/jobs/{number}")
def result(number: int) -> dict[str, str]:
    found = database.hgetall(f"{QUEUE}:{number}")
    if not found:
        raise HTTPException(404)
    return found
