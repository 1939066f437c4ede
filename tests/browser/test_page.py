# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In Chromium the page fits a phone, can be read in dark and light, unfolds by keys, and runs nothing.

With UNITWRIGHT_SCREENSHOTS=FOLDER it leaves pictures there, to be looked at.
"""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.plugin_utils._page import page
from ansible_collections.unitwright.systemd.plugins.plugin_utils._report import report

MEASURE = Path(__file__).with_name("measure.html")
HOSTILE = "</p></details><script>window.ran = 1</script><img src=x onerror='parent.ran = 1'>" + "unbroken" * 40
# The smallest phone in use, a usual one, and a desk.
WIDTHS = (320, 390, 1280)
# By name the value of preferredColorScheme, and the ground of the page.
SCHEMES = {"light": (1, "rgb(246, 247, 249)"), "dark": (0, "rgb(16, 20, 24)")}
CONTRAST = 4.5  # WCAG 2.2, level AA
TOOK = {"p50": 0.402, "max": 0.611}
PROMISE = {"verdict": "recovered", "reason": "Restart=on-failure"}
KILLED = {"promise": PROMISE, "verdict": "recovered", "agrees": True, "to_process": TOOK, "to_healthy": TOOK}
LOOPED = {**KILLED, "verdict": "start-limit-hit", "agrees": False, "to_process": None, "to_healthy": None}
CAUSE = {
    "finding": "failed",
    "message": "shop.service: has failed",
    "cause": "there is no user shop, whom User= (/etc/systemd/system/shop.service:7) names",
    "remedy": "create that account before the unit starts, or correct the name",
    "evidence": "shop.service: Failed at step USER spawning /usr/bin/shop: No such process",
}


def unit(name: str, *findings: dict[str, str], description: str = "A service") -> dict[str, Any]:
    return {
        "unit": name,
        "description": description,
        "state": "failed" if findings else "active",
        "sub_state": "failed" if findings else "running",
        "enabled": "enabled",
        "restarts": 5 if findings else 0,
        "next_elapse": "2026-11-28T02:00:00+00:00" if name.endswith(".timer") else None,
        "findings": list(findings),
    }


def whole(number: int) -> str:
    """The page of so many hosts, among them one of each kind."""
    well = [unit("shop-backup.timer"), *(unit(f"packaged-{count}.service") for count in range(9))]
    hostile = {**CAUSE, "cause": HOSTILE, "evidence": HOSTILE, "remedy": HOSTILE}
    drill = {"unit": "web.service", "faults": {"kill": KILLED, "crash_loop": LOOPED}, "failed": True}
    drill["errors"] = [{"unit": "web.service", "rule": "drill-differs", "message": "crash_loop: " + HOSTILE}]
    entries: list[dict[str, Any]] = [
        {"host": "ill", "units": [unit("shop.service", CAUSE), *well]},
        {"host": HOSTILE, "units": [unit(HOSTILE, hostile, description=HOSTILE), *well], "notes": [HOSTILE]},
        {"host": "drilled", "drills": [drill]},
        {"host": "lost", "unreachable": True, "error": "Failed to connect to the host via ssh: timed out"},
        {"host": "broken", "error": HOSTILE},
        *({"host": f"web{count}.example.org", "units": well} for count in range(number - 6)),
    ]
    return page(report(entries, [*(each["host"] for each in entries), "never"], "check", "2026-11-27 02:00 UTC"))


def chromium(*options: str) -> str:
    program = shutil.which("chromium") or shutil.which("chromium-headless-shell")
    assert program, "Chromium is missing: make browser installs it"
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--allow-file-access-from-files"]
    done = subprocess.run([program, *flags, *options], capture_output=True, text=True, check=True, timeout=120)
    return done.stdout


def measured(tmp_path: Path, text: str, width: int, scheme: str) -> dict[str, Any]:
    (tmp_path / "page.html").write_text(text, encoding="utf-8")
    frame = MEASURE.read_text(encoding="utf-8").replace("WIDTH", str(width)).replace('"PAGE"', '"page.html"')
    (tmp_path / "measure.html").write_text(frame, encoding="utf-8")
    prefers = f"--blink-settings=preferredColorScheme={SCHEMES[scheme][0]}"
    told = chromium(prefers, "--virtual-time-budget=60000", "--dump-dom", f"file://{tmp_path}/measure.html")
    found = re.search(r'<pre id="measured">(.*?)</pre>', told, re.DOTALL)
    assert found and found[1], told[-2000:]
    result: dict[str, Any] = json.loads(html.unescape(found[1]))
    return result


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_it_fits_and_can_be_read(tmp_path: Path, width: int, scheme: str) -> None:
    told = measured(tmp_path, whole(12), width, scheme)
    assert told["ground"] == SCHEMES[scheme][1]
    assert told["contrast"] >= CONTRAST
    assert told["client"] == width
    assert (told["folded"], told["unfolded"]) == (width, width)
    assert told["summaries"] == told["byKey"] > 10


def test_it_runs_nothing(tmp_path: Path) -> None:
    told = measured(tmp_path, whole(12), 390, "light")
    assert (told["strange"], told["ran"]) == (0, "nothing")


def test_a_thousand_hosts_open_at_once(tmp_path: Path) -> None:
    told = measured(tmp_path, whole(1000), 390, "light")
    assert told["milliseconds"] < 5000
    assert told["summaries"] > 990
    assert told["folded"] == told["unfolded"] == 390


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [390, 1280])
def test_pictures(tmp_path: Path, width: int, scheme: str) -> None:
    folder = Path(os.environ.get("UNITWRIGHT_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    (tmp_path / "page.html").write_text(whole(12), encoding="utf-8")
    picture = folder / f"report-{scheme}-{width}.png"
    prefers = f"--blink-settings=preferredColorScheme={SCHEMES[scheme][0]}"
    chromium(prefers, f"--window-size={width},2400", f"--screenshot={picture}", f"file://{tmp_path}/page.html")
    assert picture.stat().st_size > 10_000
