# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The measurements as tables in Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from .measure import FIRST_APPLY, LOOP, NO_CHANGE, NO_CHANGE_FIRST, ONE_CHANGE, RELOAD, RESTART, Facts, Results, Series

PHASES = (FIRST_APPLY, NO_CHANGE_FIRST, NO_CHANGE, ONE_CHANGE)


def tasks_table(found: Mapping[int, Results], sample: int) -> str:
    rows = []
    for count, results in found.items():
        for phase in PHASES:
            series = results[phase]
            loop = _loop_seconds(found, count, phase, sample)
            rows.append(
                [
                    str(count),
                    phase,
                    _seconds(series.pings),
                    _seconds(series.seconds),
                    _spread(series.ratios),
                    _seconds(series.inside),
                    f"{loop:.1f}" if loop else "",
                    f"{loop / statistics.median(series.seconds):.0f}" if loop else "",
                ]
            )
    heads = ["units", "", "ping", "stack", "stack / ping", "of it the module's work", "loop", "loop / stack"]
    return _table(heads, rows)


def _loop_seconds(found: Mapping[int, Results], count: int, phase: str, sample: int) -> float:
    """Median of the loop; for more units than were measured each further one costs as much as one of those did."""
    if phase == NO_CHANGE_FIRST:
        return 0.0
    if LOOP + phase in found[count] and count <= sample:
        return statistics.median(found[count][LOOP + phase].seconds)
    sampled = next(results for size, results in found.items() if size > sample and LOOP + phase in results)
    seconds = statistics.median(sampled[LOOP + phase].seconds)
    further = NO_CHANGE if phase == ONE_CHANGE else phase
    return seconds + statistics.median(sampled[LOOP + further].seconds) / sample * (count - sample)


def systemd_table(found: Mapping[int, Results]) -> str:
    rows = [
        [str(count), *(_spread(results[command].inside, ".3f") for command in (RESTART, RELOAD))]
        for count, results in found.items()
    ]
    return _table(["units", RESTART, RELOAD], rows)


def modules_table(found: Mapping[int, Series]) -> str:
    rows = [
        [str(count), _spread(series.pings, ".3f"), _spread(series.seconds, ".3f"), _spread(series.ratios)]
        for count, series in found.items()
    ]
    return _table(["units", "ping", "stack", "stack / ping"], rows)


def short_table(found: Mapping[int, Mapping[str, Series]]) -> str:
    rows = [
        [str(count), form, _spread(each.pings, ".3f"), _spread(each.seconds, ".3f"), _spread(each.ratios)]
        for count, forms in found.items()
        for form, each in forms.items()
    ]
    return _table(["units", "declared in", "ping", "stack", "stack / ping"], rows)


def facts_table(found: Mapping[int, Mapping[str, Facts]]) -> str:
    rows = [
        [str(count), module, _spread(each.seconds), str(each.processes), f"{each.bytes / 1000:.0f} kB"]
        for count, modules in found.items()
        for module, each in modules.items()
    ]
    return _table(["units", "", "seconds", "runs of systemctl", "result"], rows)


def targets_table(found: Mapping[int, Results], alone: Mapping[int, Series]) -> str:
    """What the project demands of itself, by medians."""
    unchanged, changed = found[50][NO_CHANGE], found[50][ONE_CHANGE]
    restart = statistics.median(found[50][RESTART].inside)
    above = statistics.median((own - restart) / ping for own, ping in zip(changed.seconds, changed.pings, strict=True))
    most = statistics.median(alone[1000].seconds)
    ratio = statistics.median(unchanged.ratios)
    rows = [
        ["50 units, no change: at most 2 times ping", f"{ratio:.2f}", _verdict(ratio <= 2)],
        ["the same: aim 1.3 times ping", f"{ratio:.2f}", _verdict(ratio <= 1.3)],
        ["50 units, one change: at most 3 times ping plus the restart itself", f"{above:.2f}", _verdict(above <= 3)],
        ["1,000 units, no change: under 3 s of module time", f"{most:.2f} s", _verdict(most < 3)],
    ]
    return _table(["target", "measured", ""], rows)


def _verdict(met: bool) -> str:
    return "met" if met else "**missed**"


def _seconds(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f}"


def _spread(values: Sequence[float], form: str = ".2f") -> str:
    return " / ".join(f"{value:{form}}" for value in (min(values), statistics.median(values), max(values)))


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
