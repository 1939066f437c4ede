# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of a report: whole HTML, nobody's but ours, small, and with all hosts on it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.plugin_utils._page import MOST_BYTES, page
from ansible_collections.unitwright.systemd.plugins.plugin_utils._report import report

HOSTILE = "</p></details><script>alert(1)</script><img src=x onerror='alert(2)'>\"' onclick=\"x {{ 1 + 1 }} &lt;"
ODD = "a\u202egnp.exe\x00\x1b[31m\ud800\u2066\ufeff"
VOID = {"meta"}
OURS = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "footer", "nav", "section"),
    *("h1", "h2", "h3", "p", "ul", "li", "a", "b", "bdi", "span", "code", "details", "summary"),
}


class Reader(HTMLParser):
    """Tags that are closed in their order, their attributes, and the text between."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.text.append(data)

    @property
    def words(self) -> str:
        return "".join(self.text)


def finding(text: str, kind: str = "failed") -> dict[str, str]:
    return {"finding": kind, "message": text, "cause": text, "remedy": text, "evidence": text}


def row(name: str, *findings: dict[str, str], text: str = "A service") -> dict[str, Any]:
    return {
        "unit": name,
        "description": text,
        "state": "active",
        "sub_state": "running",
        "enabled": "enabled",
        "owner": "",
        "restarts": 0,
        "next_elapse": None,
        "findings": list(findings),
    }


def read(*entries: dict[str, Any], hosts: tuple[str, ...] = ()) -> Reader:
    return Reader(page(report(entries, hosts or [entry["host"] for entry in entries], "check", "today")))


def test_text_of_others_is_nothing_but_text() -> None:
    fault = {"promise": {"verdict": HOSTILE, "reason": HOSTILE}, "verdict": HOSTILE, "agrees": None}
    fault = {**fault, "not_tried": HOSTILE, "to_process": None, "to_healthy": None, "rounds": []}
    errors = [{"unit": HOSTILE, "rule": HOSTILE, "message": HOSTILE, "cause": HOSTILE, "remedy": HOSTILE}]
    told = {**dict.fromkeys(row(""), HOSTILE), "findings": [finding(HOSTILE, HOSTILE)]}
    listed = {**{key: [HOSTILE] for key in row("")}, "findings": [{key: [HOSTILE] for key in finding("")}]}
    drill = {"unit": HOSTILE, "faults": {HOSTILE: fault}, "failed": True, "errors": errors}
    read_of = Reader(
        page(
            report(
                [
                    {"host": HOSTILE, "units": [told, listed], "drills": [[HOSTILE, drill]], "notes": [HOSTILE]},
                    {"host": "lost", "unreachable": True, "error": HOSTILE},
                ],
                [HOSTILE, "lost", HOSTILE + "2"],
                HOSTILE,
                HOSTILE,
            )
        )
    )
    assert read_of.open == []
    assert read_of.tags <= OURS
    names = {name for name, _value in read_of.attributes}
    assert names <= {"lang", "charset", "http-equiv", "content", "name", "class", "id", "href", "open", "aria-label"}
    assert {value[0] for name, value in read_of.attributes if name == "href" and value} == {"#"}
    assert read_of.words.count(HOSTILE) >= 15


def hostile(value: Any) -> Any:
    """The same with the hostile text for each number and truth value."""
    if isinstance(value, dict):
        return {key: hostile(each) for key, each in value.items()}
    if isinstance(value, list):
        return [hostile(each) for each in value]
    return HOSTILE if isinstance(value, (int, float)) else value


def test_a_report_from_elsewhere_is_nothing_but_text_either() -> None:
    took = {"p50": 0.2, "max": 0.3}
    fault = {"promise": {}, "agrees": True, "to_process": took, "to_healthy": took, "rounds": [{}, {}]}
    drill = {"unit": "a.service", "faults": {"kill": fault}}
    whole = report([{"host": "h", "units": [row("a.service")], "drills": [["a", drill]]}], ["h"], "check", "today")
    read_of = Reader(page(hostile(whole)))
    assert read_of.open == []
    assert read_of.tags <= OURS


def test_what_cannot_be_seen_is_shown_as_what_it_is() -> None:
    words = read({"host": "h", "units": [row("a.service", text=ODD)]}).words
    assert r"a\u202egnp.exe\u0000\u001b[31m\ud800\u2066\ufeff" in words
    assert not set("\u202e\x00\x1b\ud800\u2066\ufeff") & set(words)


def test_all_that_is_of_note_is_there() -> None:
    took = {"p50": 0.204, "max": 0.311}
    fault = {"promise": {"verdict": "recovered", "reason": "Restart=always"}, "verdict": "recovered", "agrees": True}
    fault = {**fault, "not_tried": "", "to_process": took, "to_healthy": {"p50": 1.0, "max": 1.0}, "rounds": [{}, {}]}
    timer = {**row("a.timer"), "next_elapse": "2026-11-28T02:00:00+00:00", "sub_state": "waiting", "restarts": 2}
    words = read(
        {
            "host": "h1",
            "units": [row("a.service", finding("no user shop")), timer],
            "notes": ["It was up again after 9 s."],
        },
        {
            "host": "h2",
            "units": [row("a.service")],
            "drills": [["a", {"unit": "a.service", "faults": {"kill": fault}}]],
        },
        {"host": "h3", "unreachable": True, "error": "timed out"},
        {"host": "h4", "error": "no systemd"},
        hosts=("h1", "h2", "h3", "h4", "h5"),
    ).words
    for expected in (
        "3 of 5 hosts need a look",
        "1 unreachable1 not judged1 with findings1 not reached1 well",
        "Unreachable 1 hosttimed outh3",
        "Not judged 1 hostno systemdh4",
        "Not reached 1 hostThe run ended before this host's turn.h5",
        "Has failed 1 unit on 1 hosta.service no user shopno user shoph1",
        "h1 1 findingIt was up again after 9 s.a.service active (running) · enabled",
        "a.timer active (waiting) · enabled · next 2026-11-28T02:00:00+00:00 · 2 restarts by itself",
        "kill recovered promised recovered, Restart=always · new process after 0.20 s, at most 0.31 s · "
        "well after 1.00 s · 2 rounds",
    ):
        assert expected in words


@pytest.mark.parametrize(
    ("entries", "hosts", "expected"),
    [
        ([{"host": "h1", "units": []}], ("h1",), "1 host, nothing found"),
        ([{"host": "h1", "units": []}, {"host": "h2", "units": []}], ("h1", "h2"), "2 hosts, nothing found"),
        ([{"host": "h1", "error": "e"}], ("h1", "h2"), "1 of 2 hosts needs a look"),
        ([{"host": "h1", "units": []}], ("h1", "h2"), "1 of 2 hosts not reached"),
        ([], (), "0 hosts, nothing found"),
    ],
)
def test_the_headline(entries: list[dict[str, Any]], hosts: tuple[str, ...], expected: str) -> None:
    assert f"<h1>{expected}</h1>" in page(report(entries, hosts, "check", "today"))


def test_every_link_leads_somewhere() -> None:
    attributes = read(
        {"host": "h 1", "units": [row("a.service", finding("c"))]}, {"host": "h2", "error": "e"}
    ).attributes
    ids = [value for name, value in attributes if name == "id"]
    links = {value for name, value in attributes if name == "href"}
    assert len(ids) == len(set(ids))
    assert links == {"#findings", "#hosts", "#h0", "#h1"}
    assert links <= {f"#{each}" for each in ids}


MANY = {
    "as they should be": [row(f"unit-{number}.service") for number in range(40)],
    "with findings": [row(f"unit-{number}.service", finding(f"cause {number}")) for number in range(40)],
    "hostile": [row(f"{HOSTILE}{number}", finding(HOSTILE * 20), text=HOSTILE * 20) for number in range(40)],
}


@pytest.mark.parametrize("kind", MANY)
def test_a_thousand_hosts_are_a_page_that_opens_at_once(kind: str) -> None:
    hosts = [f"host-{number}.example.org" for number in range(1000)]
    # What nobody else has would make a group of its own for each host.
    units = {
        host: [
            {**unit, "findings": [{**each, "cause": host + each["cause"]} for each in unit["findings"]]}
            for unit in MANY[kind]
        ]
        for host in hosts[:500]
    }
    entries = [{"host": host, "units": units.get(host, MANY[kind])} for host in hosts]
    text = page(report(entries, hosts, "check", "today"))
    assert len(text.encode()) <= MOST_BYTES == 2_000_000
    read_of = Reader(text)
    assert read_of.open == []
    # No host is missing, and what is left out is counted.
    assert {f"h{number}" for number in range(1000)} <= {value for name, value in read_of.attributes if name == "id"}
    assert len(re.findall(r"\d+ (?:more )?units?, in the JSON beside this page", read_of.words)) == 1000
    assert "Left out for the size of this page" in read_of.words


def test_ten_hosts_have_all_on_their_page() -> None:
    entries = [{"host": f"h{number}", "units": MANY["with findings"]} for number in range(10)]
    words = read(*entries).words
    assert words.count("unit-39.service") == 10 + 1
    assert "Left out" not in words
    assert "in the JSON beside this page," not in words
