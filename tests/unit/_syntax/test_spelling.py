# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which values are the same in other words; tests/integration/test_spelling.py asks systemd itself."""

from __future__ import annotations

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.spans import microseconds
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.spelling import plain

from tests.unit.world import facts

CATALOGUE = facts(252).catalogue


def same(directive: str, one: list[str], other: list[str], section: str = "Service") -> bool:
    kind = CATALOGUE.type_of(section, directive)
    return plain(directive, one, kind) == plain(directive, other, kind)


@pytest.mark.parametrize(
    ("directive", "one", "other"),
    [
        ("PrivateDevices", ["yes"], ["True"]),
        ("PrivateTmp", ["no"], ["0"]),
        ("ProtectSystem", ["on"], ["yes"]),
        ("ProtectHome", ["F"], ["false"]),
        ("WatchdogSec", ["1min"], ["60"]),
        ("WatchdogSec", ["1min 30s"], ["1.5m"]),
        ("WatchdogSec", ["1500ms"], ["1.5"]),
        ("LimitMEMLOCK", ["64K"], ["65536"]),
        ("LimitMEMLOCK", ["64K:1M"], ["65536:1024K"]),
        ("LimitMEMLOCK", ["64K:64K"], ["65536"]),
        ("LimitNOFILE", ["1000:1000"], ["1000"]),
        ("MemoryMax", ["1G"], ["1024M"]),
        ("ReadWritePaths", ["/a /b"], ["/a", "/b"]),
        ("SystemCallFilter", ["@a @b"], ["@a", "@b"]),
        ("SystemCallFilter", ["~@a @b"], ["~@a", "~@b"]),
        ("RestrictAddressFamilies", ["AF_UNIX", "AF_INET"], ["AF_UNIX  AF_INET"]),
        ("CapabilityBoundingSet", ["~CAP_A CAP_B"], ["~CAP_A", "~CAP_B"]),
        ("RootDirectory", ["/a//b/"], ["/a/b"]),
        ("UMask", ["0022"], ["22"]),
        ("Environment", ["A=1 B=2"], ["B=2", '"A=1"']),
        ("ExecStart", ["/bin/a  b"], ["/bin/a b"]),
    ],
)
def test_the_same(directive: str, one: list[str], other: list[str]) -> None:
    assert same(directive, one, other)


@pytest.mark.parametrize(
    ("directive", "one", "other"),
    [
        ("PrivateDevices", ["yes"], ["no"]),
        ("PrivateDevices", ["yes"], ["yess"]),
        ("ProtectSystem", ["yes"], ["full"]),
        ("User", ["1"], ["yes"]),
        ("WatchdogSec", ["1min"], ["1M"]),
        ("WatchdogSec", ["infinity"], ["0"]),
        ("WatchdogSec", ["1.0000001"], ["1"]),
        ("LimitMEMLOCK", ["64k"], ["64K"]),
        ("LimitMEMLOCK", ["64K:1M"], ["64K"]),
        ("LimitNOFILE", ["1K"], ["1024"]),
        ("LimitNOFILE", ["010"], ["10"]),
        ("LimitMEMLOCK", ["18446744073709551616"], ["infinity"]),
        ("ReadWritePaths", ["/a", "/b"], ["/b", "/a"]),
        ("ReadWritePaths", ["/a", "", "/b"], ["/a /b"]),
        ("ReadWritePaths", ['"/a', 'b"'], ['"/a b"']),
        ("SystemCallFilter", ["@a", "~@b"], ["@a @b"]),
        ("SystemCallFilter", ["~@a", "@b"], ["~@a @b"]),
        ("RestrictAddressFamilies", ["none", "AF_UNIX"], ["none AF_UNIX"]),
        ("CapabilityBoundingSet", ["CAP_A", ""], ["CAP_A"]),
        ("ExecStart", ["/bin/a 'b  c'"], ["/bin/a 'b c'"]),
        ("ExecStartPre", ["/bin/a", "/bin/b"], ["/bin/a /bin/b"]),
        ("LoadCredential", ["a:/b", "c:/d"], ["a:/b c:/d"]),
    ],
)
def test_not_the_same(directive: str, one: list[str], other: list[str]) -> None:
    assert not same(directive, one, other)


def test_dependencies_in_one_line_or_two() -> None:
    assert same("After", ["a.service b.service"], ["a.service", "b.service"], "Unit")


def test_of_a_type_that_nobody_knows_the_words_count() -> None:
    assert plain("PrivateTmp", ["true"]) == ["true"]
    assert plain("ReadWritePaths", ["/a", "/b"]) == ["/a", "/b"]
    assert plain("Invented", ["yes", "1"], "INVENTED") == ["yes", "1"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *(("5", 5_000_000), ("1h 30min", 5_400_000_000), ("2.5ms", 2500), ("1us", 1), ("1y", 31_557_600_000_000)),
        *((" 3 s", 3_000_000), ("1 30", None), ("1.5us", None), ("1.2345", None), ("5mins", None), ("", None)),
        *(("infinity", None), ("-1", None), ("1min30", None), ("1.", None), ("99999999y", None)),
    ],
)
def test_a_span_to_the_microsecond(text: str, expected: int | None) -> None:
    assert microseconds(text) == expected
