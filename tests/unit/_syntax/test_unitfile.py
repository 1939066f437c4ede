# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Unit files are read as systemd reads them, and what is written reads back the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax import unitfile
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.former import present
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.rule import Refused
from hypothesis import given
from hypothesis import strategies as st


def values(text: str) -> list[tuple[str, str]]:
    return [(entry.directive, entry.value) for entry in unitfile.parse(text)]


def test_entries_say_where_they_start() -> None:
    text = "# c\n[Unit]\n\nDescription=x\n[Service]\nExecStart=/a \\\n b\nType=simple"
    assert unitfile.parse(text) == (
        unitfile.Entry("Unit", "Description", "x", 4),
        unitfile.Entry("Service", "ExecStart", "/a   b", 6),
        unitfile.Entry("Service", "Type", "simple", 8),
    )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("A = b c \t\n", [("A", "b c")]),
        ("  A=b\n", [("A", "b")]),
        ("A=\n", [("A", "")]),
        ("A=b=c\n", [("A", "b=c")]),
        ("A=b # c\n", [("A", "b # c")]),
        ("#A=b\n ;A=c\n", []),
        ("A=b\nA=c\n", [("A", "b"), ("A", "c")]),
        ("A=a\\\nb\n", [("A", "a b")]),
        ("A=a\\\n# comment \\\n   ; other\nb\nC=d\n", [("A", "a b"), ("C", "d")]),
        ("A=a\\\n\nC=d\n", [("A", "a"), ("C", "d")]),
        ("A=a\\\\\nC=d\n", [("A", "a\\\\"), ("C", "d")]),
        ("A=a\\\\\\\nC=d\n", [("A", "a\\\\ C=d")]),
        ("A=a\\", [("A", "a")]),
        ("A=a\\ \nC=d", [("A", "a\\"), ("C", "d")]),
        ("A=\u2028x\n", [("A", "\u2028x")]),
        ("A=a\u00a0\n", [("A", "a\u00a0")]),
    ],
)
def test_lines(body: str, expected: list[tuple[str, str]]) -> None:
    assert values("[S]\n" + body) == expected


def test_bom_crlf_and_no_last_newline() -> None:
    assert values("\ufeff[S]\r\nA=a \\\r\nb\r\nC=d") == [("A", "a  b"), ("C", "d")]


def test_repeated_sections_and_foreign_ones() -> None:
    text = "[S]\nA=1\n[X-Mine]\nwhatever here\nB=2\n[S]\nC=3\n"
    assert [(entry.section, entry.directive) for entry in unitfile.parse(text)] == [
        ("S", "A"),
        ("X-Mine", "B"),
        ("S", "C"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A=b\n", "line 1: 'A' is assigned before the first section"),
        ("[S]\nfoo\n", "line 2: neither"),
        ("[S]\n=b\n", "line 2: neither"),
        ("[S]\nA=b\n{% if c == 'd' %}\n", "line 3: it is Jinja's"),
        (".include /lib/systemd/system/a.service\n[S]\n", "line 1: .include is no more"),
        ("[S]\n{{ lines }}\n", "line 2: it is Jinja's"),
        ("[Service\nA=b\n", "line 1: '[Service' is not a section header"),
        ("[Service] # c\n", "line 1: '[Service] # c' is not"),
        ("[]\n", "line 1"),
        ("\n[S]\nA=a\0b\n", "line 3: contains a NUL"),
        ("[S]\n# c\rExecStart=/x\n", "line 2: contains a NUL or a lone carriage return"),
        ("[S]\n# c\0ExecStart=/x\n", "line 2: contains a NUL or a lone carriage return"),
        ("[S]\nA=a\x1b[31m\n", "line 2: the value of A= contains the control character U+001B"),
        ("[S]\nA=\ud800\n", "not valid UTF-8"),
        ("[S]\nA=\ufffe\n", "noncharacter U+FFFE"),
        ("[S]\nA=" + "x" * 1048574 + "\n", "limit of 1048576 bytes"),
        ("[S]\nA=" + "é" * 524287 + "\n", "limit of 1048576 bytes"),
    ],
)
def test_what_systemd_would_drop_is_refused(text: str, message: str) -> None:
    with pytest.raises(Refused) as caught:
        unitfile.parse(text)
    assert message in str(caught.value)


def test_longest_line_systemd_takes() -> None:
    assert len(values("[S]\nA=" + "x" * 1048573 + "\n")[0][1]) == 1048573


def test_refusals_do_not_repeat_values() -> None:
    for text in ("[S]\nA=s3cret\x07\n", "[S]\ns3cret\n", "[S]\nA=s3cret" + "x" * 1048576):
        with pytest.raises(Refused) as caught:
            unitfile.parse(text)
        assert "s3cret" not in str(caught.value)


def test_render_text() -> None:
    text = unitfile.render(
        [("Unit", [("Description", "a b")]), ("Service", [("ExecStart", ""), ("ExecStart", "/x")])],
        header=["Managed.", "", "Do not edit."],
    )
    assert text == ("# Managed.\n#\n# Do not edit.\n\n[Unit]\nDescription=a b\n\n[Service]\nExecStart=\nExecStart=/x\n")


@pytest.mark.parametrize(
    "value",
    [
        "a\nExecStartPre=/evil",
        "a\r",
        "a\0b",
        "a\x07",
        "a\x85b",
        "a\x7f",
        " a",
        "a ",
        "\ta",
        "a\\",
        "a\\\\\\",
        "\ud800",
        "\ufdd0",
    ],
)
def test_render_refuses_values_that_would_not_survive(value: str) -> None:
    with pytest.raises(Refused, match="ExecStart="):
        unitfile.render([("Service", [("ExecStart", value)])])


@pytest.mark.parametrize("value", ["", "a\tb", "a\\\\", "#x", ";x", "[x]", "=x", "%%h $$x \\n \"q'", "é", "a\u00a0"])
def test_render_keeps_what_survives(value: str) -> None:
    assert values(unitfile.render([("Service", [("A", value)])])) == [("A", value)]


@pytest.mark.parametrize("name", ["", "A B", "A=b", "A\nB", "[A]", "A]", "#A", "é", " A"])
def test_render_refuses_bad_names(name: str) -> None:
    with pytest.raises(Refused):
        unitfile.render([("Service", [(name, "x")])])
    with pytest.raises(Refused):
        unitfile.render([(name, [])])


def test_render_refuses_a_header_that_leaves_its_comment() -> None:
    with pytest.raises(Refused):
        unitfile.render([], header=["a\n[Service]"])


def test_render_refuses_a_line_over_the_limit() -> None:
    with pytest.raises(Refused, match="limit"):
        unitfile.render([("Service", [("A", "x" * 1048574)])])


NAMES = st.text("AZaz09-", min_size=1, max_size=8)
SECTIONS = st.lists(st.tuples(NAMES, st.lists(st.tuples(NAMES, st.text(max_size=30)), max_size=4)), max_size=4)


@given(SECTIONS, st.lists(st.text(max_size=10), max_size=3))
def test_what_is_rendered_reads_back(sections: list[tuple[str, list[tuple[str, str]]]], header: list[str]) -> None:
    try:
        text = unitfile.render(sections, header)
    except Refused:
        return
    flat = [(section, name, value) for section, assignments in sections for name, value in assignments]
    assert [(entry.section, entry.directive, entry.value) for entry in unitfile.parse(text)] == flat


@given(st.text("[]S=\\\n\r\0# ;aX-\ufeff\t", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        entries = unitfile.parse(text)
    except Refused:
        return
    for entry in entries:
        assert entry.value == entry.value.strip(" \t\n\r")
        assert "\n" not in entry.value


def effective(*files: str) -> dict[str, dict[str, list[str]]]:
    return unitfile.effective([unitfile.parse(file) for file in files])


def test_dropins_append_override_and_reset() -> None:
    merged = effective(
        "[Unit]\nAfter=a.service\nWants=b.service\n[Service]\nExecStart=/a\nUser=x\nEnvironment=A=1\n",
        "[Service]\nExecStart=\nExecStart=/b\nUser=y\nEnvironment=B=2\n",
        "[Unit]\nAfter=\nAfter=c.service\nRequires=\n",
    )
    assert merged == {
        "Unit": {"After": ["a.service", "c.service"], "Wants": ["b.service"]},
        "Service": {"ExecStart": ["/b"], "User": ["x", "y"], "Environment": ["A=1", "B=2"]},
    }


def test_a_reset_alone_leaves_no_value() -> None:
    assert effective("[Service]\nUser=x\n", "[Service]\nUser=\nCapabilityBoundingSet=\n") == {
        "Service": {"User": [], "CapabilityBoundingSet": []}
    }


def test_some_resets_empty_their_whole_family() -> None:
    merged = effective(
        "[Unit]\nConditionHost=a\nAssertHost=a\n[Timer]\nOnCalendar=daily\nOnBootSec=5\nOnClockChange=yes\n"
        "[Socket]\nListenStream=1\nListenDatagram=2\n[Service]\nBindPaths=/a\nBindReadOnlyPaths=/b\n"
        "[Path]\nPathExists=/a\nPathChanged=/b\n",
        "[Unit]\nConditionPathExists=\n[Timer]\nOnCalendar=\nOnCalendar=weekly\n[Socket]\nListenStream=\n"
        "[Service]\nBindPaths=\n[Path]\nPathExists=\n",
    )
    assert merged["Unit"] == {"ConditionHost": [], "AssertHost": ["a"], "ConditionPathExists": []}
    assert merged["Timer"] == {"OnCalendar": ["weekly"], "OnBootSec": [], "OnClockChange": ["yes"]}
    assert merged["Socket"] == {"ListenStream": [], "ListenDatagram": []}
    assert merged["Service"] == {"BindPaths": [], "BindReadOnlyPaths": []}
    assert merged["Path"] == {"PathExists": [], "PathChanged": []}


def test_dependencies_cannot_be_reset() -> None:
    """All that the dumps of systemd call a list of units, the mounts, and [Service] Sockets=."""
    dumps = [path.read_text(encoding="utf-8") for path in (Path(__file__).parent.parent / "data").glob("items-*.txt")]
    assert dumps
    names = {name for dump in dumps for name in re.findall(r"^(\w+)=UNIT \[\.\.\.\]$", dump, re.MULTILINE)}
    for name in {*names, "RequiresMountsFor", "WantsMountsFor"}:
        assert effective(f"[Unit]\n{name}=a\n{name}=\n") == {"Unit": {present("Unit", name)[1]: ["a"]}}
    assert effective("[Service]\nSockets=a.socket\nSockets=\n") == {"Service": {"Sockets": ["a.socket"]}}


def test_asserts_and_conditions_reset_apart() -> None:
    merged = effective("[Unit]\nConditionHost=a\nAssertHost=a\nAssertUser=b\nAssertPathExists=\n")
    assert merged["Unit"] == {"ConditionHost": ["a"], "AssertHost": [], "AssertUser": [], "AssertPathExists": []}


@pytest.mark.parametrize(
    ("section", "directive", "later", "reset"),
    [
        ("Service", "ExecStart", "[Service]\nExecStart=\n", True),
        ("Service", "ExecStart", "[Service]\nExecStart=/bin/a\n", False),
        ("Service", "ExecStart", "[Service]\nExecStartPre=\n", False),
        ("Service", "Sockets", "[Service]\nSockets=\n", False),
        ("Unit", "After", "[Unit]\nAfter=\n", False),
        ("Unit", "ConditionHost", "[Unit]\nConditionUser=\n", True),
        ("Socket", "ListenStream", "[Socket]\nListenFIFO=\n", True),
        ("Timer", "OnCalendar", "[Timer]\nOnBootSec=\n", True),
        ("Service", "BindPaths", "[Service]\nBindReadOnlyPaths=\n", True),
        ("Service", "Nice", "[Socket]\nNice=\n", False),
    ],
)
def test_what_a_later_line_leaves_nothing_of(section: str, directive: str, later: str, reset: bool) -> None:
    (entry,) = unitfile.parse(later)
    assert unitfile.is_reset_by(section, directive, entry) is reset


def test_origins_say_which_file_and_line_a_value_in_force_is_from() -> None:
    own = unitfile.parse("[Unit]\nAfter=a\n[Service]\nExecStart=/a\nNice=1\nEnvironment=A=1\n")
    over = unitfile.parse("[Service]\nExecStart=\n\nExecStart=/b\nNice=2\nEnvironment=\n[Unit]\nAfter=\nAfter=b\n")
    assert unitfile.origins({"/own": own, "/over": over}) == {
        "Unit": {"After": [("a", "/own", 2), ("b", "/over", 9)]},
        "Service": {
            "ExecStart": [("/b", "/over", 4)],
            "Nice": [("1", "/own", 5), ("2", "/over", 5)],
            "Environment": [],
        },
    }


def test_origins_and_effective_merge_alike() -> None:
    files = {
        path: unitfile.parse(text)
        for path, text in (("/a", "[Path]\nPathExists=/x\n"), ("/b", "[Path]\nPathChanged=\n"))
    }
    values_of = {
        section: {directive: [each.value for each in placed] for directive, placed in directives.items()}
        for section, directives in unitfile.origins(files).items()
    }
    assert values_of == unitfile.effective(list(files.values())) == {"Path": {"PathExists": [], "PathChanged": []}}


def test_names_of_old_are_read_as_those_of_today() -> None:
    text = "[Unit]\nBindTo=a.service\nBindsTo=b.service\nBindTo=\n[Service]\nReadWriteDirectories=/a\n"
    dropin = "[Service]\nReadWritePaths=\nReadOnlyDirectories=/b\nStartLimitInterval=5\n"
    assert unitfile.effective([unitfile.parse(text), unitfile.parse(dropin)]) == {
        "Unit": {"BindsTo": ["a.service", "b.service"], "StartLimitIntervalSec": ["5"]},
        "Service": {"ReadWritePaths": [], "ReadOnlyPaths": ["/b"]},
    }
