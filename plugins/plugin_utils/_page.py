# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report as one page of HTML, which needs nothing else and runs nothing. Pure, and private to the collection."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from ansible_collections.unitwright.systemd.plugins.plugin_utils import _report, _typed
from ansible_collections.unitwright.systemd.plugins.plugin_utils._style import STYLE

Data = Mapping[str, Any]

# What a phone still opens at once, and a mail still takes.
MOST_BYTES = 2_000_000
_WORDS = {
    _report.UNREACHABLE: ("unreachable", "bad"),
    _report.FAILED: ("not judged", "bad"),
    _report.FOUND: ("with findings", "bad"),
    _report.NOT_REACHED: ("not reached", "warn"),
    _report.PASSED: ("nothing to do", "dim"),
    _report.WELL: ("well", "good"),
}
# Controls, what turns the direction of writing, and what UTF-8 has no bytes for: shown as what they are.
_UNSHOWABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


class Detail(NamedTuple):
    """How much is shown. plain: units that are as they should be, too. per_host, names, groups: at most so many
    units of a host, hosts of a finding, and units of a finding. text: the longest one.
    """

    plain: bool
    per_host: int
    names: int
    groups: int
    text: int


# The first with which the page is small enough is taken.
_DETAILS = (
    Detail(True, 1000, 10_000, 10_000, 1000),
    Detail(False, 1000, 10_000, 10_000, 1000),
    Detail(False, 20, 200, 500, 300),
    Detail(False, 3, 50, 200, 100),
    Detail(False, 0, 10, 50, 60),
)


def page(report: Data) -> str:
    """The HTML of what `report` gives."""
    for detail in _DETAILS[:-1]:
        pieces, size = [], 0
        for piece in _Page(report, detail).pieces():
            pieces.append(piece)
            size += len(piece.encode())
            if size > MOST_BYTES:
                break
        else:
            return "".join(pieces)
    return "".join(_Page(report, _DETAILS[-1]).pieces())


class _Page:
    """One page, with so much detail."""

    def __init__(self, report: Data, detail: Detail) -> None:
        self.report = report
        self.detail = detail
        self.anchors = {str(host["host"]): f"h{number}" for number, host in enumerate(report["hosts"])}

    def text(self, value: object) -> str:
        """Text of somebody else, so that it is nothing but that."""
        whole, longest = str("" if value is None else value), self.detail.text
        shown = whole if len(whole) <= longest else whole[: longest - 1] + "…"
        return html.escape(_UNSHOWABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", shown))

    def pieces(self) -> Iterator[str]:
        report = self.report
        playbook = self.text(report["playbook"])
        yield (
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">\n'
            f"<title>systemd {playbook}: {self.headline()}</title>\n<style>{STYLE}</style></head>\n<body>\n"
            f"<header><p>unitwright.systemd.{playbook} · {self.text(report['made'])}</p>\n"
            f"<h1>{self.headline()}</h1>\n<ul class=counts>{self.counts(report['counts'])}</ul>\n"
            '<nav aria-label="Parts"><a href="#findings">Findings</a> <a href="#hosts">Hosts</a></nav></header>\n<main>'
        )
        yield from self.unjudged()
        yield from self.findings()
        yield "<section id=hosts><h2>Hosts</h2>\n"
        yield from (self.host(host) for host in report["hosts"])
        yield f"</section></main>\n{self.footer()}</body></html>\n"

    def headline(self) -> str:
        counts = _numbers(self.report["counts"])
        ill = counts[_report.FOUND] + counts[_report.FAILED] + counts[_report.UNREACHABLE]
        hosts = _count(counts["hosts"], "host")
        if ill:
            return f"{ill} of {hosts} need{'s' if ill == 1 else ''} a look"
        if counts[_report.NOT_REACHED]:
            return f"{counts[_report.NOT_REACHED]} of {hosts} not reached"
        return f"{hosts}, nothing found"

    def counts(self, counts: Data) -> str:
        numbers = _numbers(counts)
        shown = [(*_WORDS[state], numbers[state]) for state in _report.STATES if numbers[state]]
        return "".join(f"<li class={kind}><b>{number}</b> {word}</li>" for word, kind, number in shown)

    # By finding.

    def unjudged(self) -> Iterator[str]:
        """Hosts that nothing is known of are never left out in silence."""
        for state in (_report.UNREACHABLE, _report.FAILED, _report.NOT_REACHED):
            by_message: dict[str, list[str]] = {}
            for host in self.report["hosts"]:
                if host["state"] == state:
                    by_message.setdefault(str(host["message"]), []).append(str(host["host"]))
            if by_message:
                word, kind = _WORDS[state]
                items = (f"<li>{self.text(message)}{self.names(names)}</li>" for message, names in by_message.items())
                counted = _count(sum(map(len, by_message.values())), "host")
                yield _fold(f"<h3>{word.capitalize()}</h3>", counted, kind, self.cut(items, len(by_message)))

    def findings(self) -> Iterator[str]:
        groups = self.report["findings"]
        yield f"<section id=findings><h2>Findings</h2>{'' if groups else '<p>None.</p>'}"
        yield from map(self.finding, groups)
        yield "</section>\n"

    def finding(self, group: Data) -> str:
        units = group["units"]
        hosts = {host for unit in units for host in unit["hosts"]}
        counted = f"{_count(len({unit['unit'] for unit in units}), 'unit')} on {_count(len(hosts), 'host')}"
        items = (f"<li>{self.cause(unit['unit'], unit)}{self.names(unit['hosts'])}</li>" for unit in units)
        title = f"<h3>{self.text(str(group['title']).capitalize())}</h3>"
        return _fold(title, counted, "bad", self.cut(items, len(units)))

    def cause(self, unit: str, finding: Data) -> str:
        said = self.text(_said(unit, finding))
        return f"<b><bdi>{self.text(unit)}</bdi></b> <p>{said}</p>{self.remedy(finding)}"

    def remedy(self, finding: Data) -> str:
        return f"<p class=mend>{self.text(finding['remedy'])}</p>" if finding["remedy"] else ""

    def names(self, hosts: Sequence[str]) -> str:
        shown = hosts[: self.detail.names]
        links = " ".join(f'<a href="#{self.anchors[host]}"><bdi>{self.text(host)}</bdi></a>' for host in shown)
        more = f" and {len(hosts) - len(shown)} more" if len(hosts) > len(shown) else ""
        return f"<p class=names>{links}{more}</p>"

    def cut(self, items: Iterator[str], number: int) -> str:
        left = number - self.detail.groups
        more = f"<li>and {left} more</li>" if left > 0 else ""
        return f"<ul>{''.join(islice(items, self.detail.groups))}{more}</ul>"

    # By host.

    def host(self, host: Data) -> str:
        word, kind = _WORDS[host["state"]]
        name = str(host["host"])
        found = sum(len(unit["findings"]) for unit in host["units"])
        badge = _count(found, "finding") if found and host["state"] == _report.FOUND else word
        message = f"<p>{self.text(host['message'])}</p>" if host["message"] else ""
        notes = "".join(f"<p class=dim>{self.text(note)}</p>" for note in host["notes"])
        head = f"<bdi>{self.text(name)}</bdi>"
        inner = f"{message}{notes}{self.units(host['units'])}"
        if not inner:
            return f"<p class=host id={self.anchors[name]}>{head} <span class={kind}>{badge}</span></p>\n"
        return _fold(head, badge, kind, inner, f" class=host id={self.anchors[name]}", opened=False)

    def units(self, units: Sequence[Data]) -> str:
        ranked = sorted(units, key=lambda unit: not unit["findings"])
        shown = [unit for unit in ranked if self.detail.plain or unit["findings"] or unit["drills"]]
        shown = shown[: self.detail.per_host]
        left = len(units) - len(shown)
        more = f"<p class=dim>{_count(left, 'more unit' if shown else 'unit')}, in the JSON beside this page</p>"
        rows = f"<ul class=units>{''.join(map(self.unit, shown))}</ul>" if shown else ""
        return rows + (more if left else "")

    def unit(self, unit: Data) -> str:
        state = f"{unit['state']} ({unit['sub_state']})" if unit.get("state") else ""
        restarts = _typed.number(unit.get("restarts"))
        facts = [
            self.text(state),
            self.text(unit.get("enabled")),
            f"next {self.text(unit['next_elapse'])}" if unit.get("next_elapse") else "",
            _count(restarts, "restart by itself", "restarts by itself") if restarts else "",
        ]
        told = " · ".join(filter(None, facts))
        about = f"<p class=dim><bdi>{self.text(unit['description'])}</bdi></p>" if unit.get("description") else ""
        found = "".join(self.found(str(unit["unit"]), each) for each in unit["findings"])
        head = f"<b><bdi>{self.text(unit['unit'])}</bdi></b> <span>{told}</span>"
        mark = " class=ill" if found else ""
        return f"<li{mark}>{head}{about}{found}{self.drills(unit['drills'])}</li>"

    def found(self, unit: str, finding: Data) -> str:
        title = self.text(_report.title(finding["finding"]))
        said = _said(unit, finding)
        told = "" if said == title else f"<p>{self.text(said)}</p>"
        evidence = f"<p><code>{self.text(finding['evidence'])}</code></p>" if finding.get("evidence") else ""
        return f"<p class=bad>{title}</p>{told}{evidence}{self.remedy(finding)}"

    def drills(self, drills: Sequence[Data]) -> str:
        return f"<ul class=drills>{''.join(map(self.drill, drills))}</ul>" if drills else ""

    def drill(self, it: Data) -> str:
        kind = {True: "good", False: "bad", None: "dim"}[_typed.truth(it["agrees"])]
        reason = f", {self.text(it['reason'])}" if it["reason"] else ""
        rounds = _typed.number(it["rounds"])
        times = [("new process", it["to_process"]), ("well", it["to_healthy"])]
        told = [
            f"promised {self.text(it['promised'])}{reason}",
            self.text(it["not_tried"]),
            *(f"{word} after {_took(seconds)}" for word, seconds in times if _took(seconds)),
            _count(rounds, "round") if rounds > 1 else "",
        ]
        came = f"<b>{self.text(it['fault'])}</b> <span class={kind}>{self.text(it['verdict'])}</span>"
        return f"<li>{came} <span class=dim>{' · '.join(filter(None, told))}</span></li>"

    def footer(self) -> str:
        full = self.detail == _DETAILS[0]
        words = "" if full else " Left out for the size of this page: units as they should be, and what more there is."
        return f"<footer><p>The same is in the JSON beside this page.{words}</p></footer>\n"


def _said(unit: str, finding: Data) -> object:
    """What is wrong with a unit that is named beside it."""
    return finding["cause"] or str(finding["message"]).removeprefix(f"{unit}: ")


def _fold(head: str, badge: str, kind: str, inner: str, attributes: str = "", opened: bool = True) -> str:
    shown = " open" if opened else ""
    return f"<details{attributes}{shown}><summary>{head} <span class={kind}>{badge}</span></summary>{inner}</details>\n"


def _count(number: int, word: str, several: str = "") -> str:
    return f"{html.escape(str(number))} {word if number == 1 else several or word + 's'}"


def _numbers(counts: Data) -> dict[str, int]:
    return {state: _typed.number(number) for state, number in counts.items()}


def _took(given: object) -> str:
    middle, most = (_typed.seconds(_typed.mapping(given).get(key)) for key in ("p50", "max"))
    if middle is None or most is None:
        return ""
    return f"{most:.2f} s" if middle == most else f"{middle:.2f} s, at most {most:.2f} s"
