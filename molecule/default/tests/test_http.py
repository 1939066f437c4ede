# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The servers answer."""

from __future__ import annotations

import json

import pytest
from testinfra.host import Host

from .conftest import Get, Until


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1/", "Welcome to nginx"),
        ("http://127.0.0.1:3000/health", '"status": "ok"'),
        ("http://127.0.0.1:5000/health", '"status": "ok"'),
        ("http://127.0.0.1:8080/", "Hello from mywebapp"),
        ("http://127.0.0.1:8081/", "started on demand"),
    ],
)
def test_it_answers(get: Get, url: str, said: str) -> None:
    assert said in get(url)


def test_the_sensor_s_readings_reach_the_api(get: Get, until: Until) -> None:
    def time_of_reading() -> float:
        return json.loads(get("http://127.0.0.1:5000/readings"))["time"]

    before = time_of_reading()
    assert until(lambda: time_of_reading() > before)


def test_a_pin_outlives_the_process(host: Host, get: Get) -> None:
    level = 1 - json.loads(get("http://127.0.0.1:5000/pins"))["27"]
    host.check_output("curl --silent --fail --request PUT --data %s http://127.0.0.1:5000/pins/27", str(level))
    host.check_output("systemctl restart gpio-api.service")
    assert json.loads(get("http://127.0.0.1:5000/pins"))["27"] == level
