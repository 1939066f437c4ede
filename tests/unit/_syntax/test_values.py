# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What YAML delivers becomes what its writer meant, or is refused with the mend."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax import unitfile, values
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.rule import Refused
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("/bin/x -a", "PATH [ARGUMENT [...]]", ["/bin/x -a"]),
        (["", "/bin/x"], "PATH [ARGUMENT [...]]", ["", "/bin/x"]),
        ([], "PATH [ARGUMENT [...]]", []),
        ("", "LIMIT", [""]),
        ("", None, [""]),
        (True, "BOOLEAN", ["yes"]),
        (False, "SERVICERESTART", ["no"]),
        (True, "OTHER", ["yes"]),
        (False, None, ["no"]),
        ([True, "full"], "OTHER", ["yes", "full"]),
        (5, "SECONDS", ["5"]),
        (18446744073709551615, "LIMIT", ["18446744073709551615"]),
        (-5, "NICE", ["-5"]),
        (90, "TIMER", ["90"]),
        ("0077", "MODE", ["0077"]),
        ("isolate", "MODE", ["isolate"]),
        (1800.0, "SECONDS", ["1800"]),
        (1.5, "SECONDS", ["1.5"]),
        (0.0000001, "SECONDS", ["0.0000001"]),
        (1e22, "SECONDS", ["10000000000000000000000"]),
        (90.5, "TIMER", ["90.5"]),
        ("%h %% ${A} $$ ~x -/bin/x 50% a\tb", None, ["%h %% ${A} $$ ~x -/bin/x 50% a\tb"]),
        ("2026-01-01T10:00:00", "OTHER", ["2026-01-01T10:00:00"]),
    ],
)
def test_rendered(value: object, kind: str | None, expected: list[str]) -> None:
    assert values.to_values(value, kind) == expected


def test_calendar_dates_from_yaml_lose_their_t() -> None:
    assert values.to_values("2026-01-01T10:00:00", "TIMER", "OnCalendar") == ["2026-01-01 10:00:00"]
    assert values.to_values(["Tue *-*-01 10:00:00", "2026-01-01T10:00:00"], None, "OnCalendar") == [
        "Tue *-*-01 10:00:00",
        "2026-01-01 10:00:00",
    ]


def test_a_span_in_a_type_the_dump_does_not_tell() -> None:
    assert values.to_values(1800.0, "OTHER", "TimeoutStopSec") == ["1800"]


@pytest.mark.parametrize(
    ("value", "kind", "directive", "mend"),
    [
        (None, "BOOLEAN", "RemainAfterExit", "null"),
        (["a", None], None, "", "null"),
        (63, "MODE", "UMask", "quote it"),
        ([63], "MODE", "UMask", "quote it"),
        (63, None, "UMask", "quote it"),
        (448, None, "RuntimeDirectoryMode", "quote it"),
        (750, "TIMER", "OnCalendar", "quote it"),
        (750, None, "OnCalendar", "quote it"),
        (12.5, "TIMER", "OnCalendar", "quote it"),
        (1.1, "OTHER", "SocketProtocol", "quote it"),
        (2.0, "UNSIGNED", "Backlog", "quote it"),
        (1.1, None, "", "quote it"),
        (float("inf"), "SECONDS", "TimeoutStartSec", "'infinity'"),
        (float("nan"), "SECONDS", "TimeoutStartSec", "finite"),
        (True, "PATH [ARGUMENT [...]]", "ExecStart", "quote it"),
        (True, "STRING", "Description", "quote it"),
        (False, "UNIT [...]", "After", "quote it"),
        (True, "SECONDS", "RestartSec", "quote it"),
        ([["a"]], None, "", "list inside a list"),
        ({"a": "b"}, None, "", "mapping"),
        ([{"a": "b"}], None, "", "mapping"),
        (b"x", None, "", "bytes"),
        ("", "BOOLEAN", "RemainAfterExit", "would keep the earlier value"),
        (["", "5"], "SECONDS", "RestartSec", "would keep the earlier value"),
        ("a\nExecStartPre=/evil", None, "", "line break"),
        ("/bin/one\n/bin/two\n", None, "ExecStart", "/bin/sh -c"),
        ("/bin/one \\\n --flag", None, "ExecStartPre", "'>-'"),
        ("a b\n", None, "", "'>-'"),
        ("a\0", None, "", "U+0000"),
        ("a\x1b[0m", None, "", "U+001B"),
        (" a", None, "", "white space"),
        ("a\\", None, "", "backslash"),
    ],
)
def test_refused_with_the_mend(value: object, kind: str | None, directive: str, mend: str) -> None:
    with pytest.raises(Refused) as caught:
        values.to_values(value, kind, directive)
    assert mend in str(caught.value)


YAML: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=5,
)


@given(YAML, st.sampled_from([None, "MODE", "SECONDS", "TIMER", "BOOLEAN", "OTHER"]))
def test_what_is_accepted_renders_and_reads_back(value: object, kind: str | None) -> None:
    try:
        lines = values.to_values(value, kind)
    except Refused:
        return
    text = unitfile.render([("Service", [("X-A", line) for line in lines])])
    assert [entry.value for entry in unitfile.parse(text)] == lines


ENVIRONMENT = st.text(st.characters(exclude_categories=["Cs", "Cn"], exclude_characters="\0"))


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("1", "A=1"),
        ("", "A="),
        (5, "A=5"),
        ("$HOME/%h;#", "A=$HOME/%%h;#"),
        ("a b", '"A=a b"'),
        ("a\"b'c\\d", '"A=a\\"b\'c\\\\d"'),
        ("a\nb\tc", '"A=a\\nb\\u0009c"'),
        ("é\u0085", '"A=é\\u0085"'),
    ],
)
def test_environment_value(value: object, line: str) -> None:
    assert values.environment_value("A", value) == line


@pytest.mark.parametrize(
    ("name", "value", "mend"),
    [
        ("1A", "x", "no digit first"),
        ("A-B", "x", "letters"),
        ("A=B", "x", "letters"),
        ("A\n", "x", "letters"),
        ("", "x", "letters"),
        (True, "x", "quote it"),
        ("A", None, "null"),
        ("A", 1.1, "quote it"),
        ("A", True, "quote the word"),
        ("A", ["x"], "write text"),
        ("A", {"x": 1}, "write text"),
        ("A", "s3cret\0", "NUL"),
        ("A", "s3cret\ud800", "UTF-8"),
        ("A", "s3cret\ufffe", "noncharacter"),
    ],
)
def test_environment_refusals_tell_the_mend_and_not_the_value(name: Any, value: object, mend: str) -> None:
    for write in (values.environment_value, lambda name, value: values.environment_file({name: value})):
        with pytest.raises(Refused) as caught:
            write(name, value)
        assert mend in str(caught.value)
        assert "s3cret" not in str(caught.value)


def test_environment_file_text() -> None:
    content = values.environment_file({"A": "x", "B": "a\"b\\c`d$e\nf'g%h # ", "C": ""})
    assert content == 'A="x"\nB="a\\"b\\\\c\\`d\\$e\nf\'g%h # "\nC=""\n'


def test_a_secret_is_no_number() -> None:
    with pytest.raises(Refused, match="quote it"):
        values.environment_file({"PIN": 83})


@given(st.dictionaries(st.from_regex(r"[A-Z_][A-Z0-9_]{0,3}", fullmatch=True), ENVIRONMENT, max_size=4))
def test_environment_file_has_no_quote_that_ends_a_value_early(items: dict[str, str]) -> None:
    content = values.environment_file(items)
    found = re.findall(r'^([A-Z0-9_]+)="((?:[^"\\`$]|\\["\\`$])*)"\n', content, re.MULTILINE)
    assert {name: re.sub(r"\\(.)", r"\1", text) for name, text in found if name in items} == items


@pytest.mark.parametrize(
    ("items", "section", "directive", "holds_one", "said"),
    [
        ([], "Service", "CapabilityBoundingSet", False, 'or write "" to reset it'),
        ([], "Service", "User", True, 'or write "" to reset it'),
        (["a", "b"], "Service", "User", True, "only the last counts: write 'b' alone"),
        (["rw", "noatime"], "Mount", "Options", True, "write 'rw,noatime', with commas between"),
        ([True, False], "Service", "PrivateTmp", True, "write the one that is meant alone"),
        (["", "a", "b"], "Service", "User", True, "it holds one value"),
        (["", "a"], "Service", "User", True, ""),
        ([""], "Service", "CapabilityBoundingSet", False, ""),
        (["a", "b"], "Service", "Environment", False, ""),
        ([], "Unit", "After", False, ""),
        ([], "Service", "Sockets", False, ""),
    ],
)
def test_a_list_of_which_systemd_would_make_something_else(
    items: list[object], section: str, directive: str, holds_one: bool, said: str
) -> None:
    if not said:
        values.refuse_list(items, section, directive, holds_one)
        return
    with pytest.raises(Refused, match=re.escape(said)):
        values.refuse_list(items, section, directive, holds_one)


@pytest.mark.parametrize(
    ("directive", "value", "said"),
    [
        ("Options", {"size": "1G"}, "with commas between, such as 'size=1G"),
        ("Environment", [{"A": "1"}, {"B": "2"}], "write one mapping of all variables"),
        ("ExecStart", {"cmd": "/bin/a"}, "write text, or a list of texts"),
    ],
)
def test_a_mapping_is_no_value(directive: str, value: object, said: str) -> None:
    with pytest.raises(Refused, match=re.escape(said)):
        values.to_values(value, None, directive)


@pytest.mark.parametrize(
    ("value", "said"), [(0.5, '"50%"'), (1.25, '"125%"'), (0.005, '"0.5%"'), (2, '"2%", or "200%"')]
)
def test_a_share_is_in_percent(value: float, said: str) -> None:
    with pytest.raises(Refused, match=re.escape(said)):
        values.to_values(value, "OTHER", "CPUQuota")


@pytest.mark.parametrize(
    ("value", "names"), [("A=1", ["A"]), ('"A=1 B=2" C=', ["A", "C"]), ("A", []), ('"A=1', []), ("", [])]
)
def test_the_variables_of_a_value(value: str, names: list[str]) -> None:
    assert values.variables(value) == names


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "null"), (True, "a truth value"), ("a", "text"), (1, "a number"), (0.5, "a number"), ([], "a list")],
)
def test_what_yaml_calls_a_value(value: object, words: str) -> None:
    assert values.called(value) == words
