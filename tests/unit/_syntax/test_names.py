# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names are taken apart and refused as systemd does, with the mend in the message."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax import names
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.rule import Refused
from hypothesis import example, given, settings
from hypothesis import strategies as st

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@pytest.mark.parametrize(
    ("text", "prefix", "instance", "kind"),
    [
        ("foo.service", "foo", None, "service"),
        ("org.example.App.service", "org.example.App", None, "service"),
        ("a@.service", "a", "", "service"),
        ("a@b.timer", "a", "b", "timer"),
        ("a@b@c.service", "a", "b@c", "service"),
        ("getty@dev-tty1.service", "getty", "dev-tty1", "service"),
        ("-.mount", "-", None, "mount"),
        ("-.slice", "-", None, "slice"),
        ("a-b.slice", "a-b", None, "slice"),
        (r"mnt-a\x2db.mount", r"mnt-a\x2db", None, "mount"),
        ("x" * 247 + ".service", "x" * 247, None, "service"),
    ],
)
def test_parts_of_a_name(text: str, prefix: str, instance: str | None, kind: str) -> None:
    name = names.parse_name(text)
    assert (name.text, name.prefix, name.instance, name.kind) == (text, prefix, instance, kind)


def test_template_and_instance() -> None:
    assert names.parse_name("a@.service").is_template
    assert names.parse_name("a@.service").template is None
    assert not names.parse_name("a@b.service").is_template
    assert names.parse_name("a@b@c.service").template == "a@.service"
    assert names.parse_name("a.service").template is None
    assert not names.parse_name("a.service").is_template


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("", "empty"),
        ("foo", "'foo.service'"),
        ("foo.servce", "'foo.service'"),
        ("foo.Service", "'foo.service'"),
        ("backup.timers", "'backup.timer'"),
        ("python3.11", "'python3.11.service'"),
        ("foo.service\n", "foo.service"),
        (".service", "starts with a dot"),
        (".hidden.service", "starts with a dot"),
        ("@.service", "'name@.service'"),
        ("@a.service", "'name@.service'"),
        ("../etc/passwd.service", "'passwd.service'"),
        ("/etc/systemd/system/foo.service", "'foo.service'"),
        ("/mnt/a-b.mount", r"'mnt-a\x2db.mount'"),
        ("/a/../b.mount", "slash"),
        ("fsck@/dev/sda.service", "'-dev-sda'"),
        ("my app.service", r"'my\x20app.service'"),
        ("my-app x.service", r"'my-app\x20x.service'"),
        ("a@b c-d.service", r"'a@b\x20c\x2dd.service'"),
        ("é.service", r"'\xc3\xa9.service'"),
        ("a\nb.service", r"'a\x0ab.service'"),
        ("a\0b.service", "NUL"),
        ("x" * 248 + ".service", "at most 255"),
        ("a--b.slice", "dashes"),
        ("-a.slice", "dashes"),
        ("a@.slice", "template"),
    ],
)
def test_refused_names_tell_the_mend(text: str, mend: str) -> None:
    with pytest.raises(Refused) as caught:
        names.parse_name(text)
    assert mend in str(caught.value)
    assert str(caught.value).isprintable()


@given(st.text(max_size=300))
@example("a@b@c.service")
def test_what_is_accepted_is_a_plain_file_name(text: str) -> None:
    try:
        name = names.parse_name(text)
    except Refused:
        return
    assert "/" not in name.text
    assert not name.text.startswith(".")
    assert name.text.isascii()
    assert name.text.isprintable()
    assert len(name.text) <= 255


def test_instances() -> None:
    assert names.with_instance("a@.service", "b") == "a@b.service"
    assert names.with_instance("a@.service", r"my\x20disk") == r"a@my\x20disk.service"


@pytest.mark.parametrize(
    ("template", "instance", "mend"),
    [
        ("a.service", "b", "'name@.service'"),
        ("a@x.service", "b", "not a template"),
        ("a@.service", "", "empty"),
        ("a@.service", "my disk", r"'my\x20disk'"),
        ("a@.service", "dev/sda", "'dev-sda'"),
        ("a@.service", "x" * 250, "at most 255"),
    ],
)
def test_refused_instances(template: str, instance: str, mend: str) -> None:
    with pytest.raises(Refused) as caught:
        names.with_instance(template, instance)
    assert mend in str(caught.value)


@pytest.mark.parametrize(
    ("instance", "told"),
    [
        (
            "mail pdf",
            r"has blanks in it: several instances are a list, [mail, pdf]; if it is a single one, write 'mail\x20pdf'",
        ),
        ("a\tb  c", r"several instances are a list, [a, b, c]; if it is a single one, write 'a\x09b\x20\x20c'"),
        (" pdf", r"instance ' pdf' of 'a@.service' has to be escaped: write '\x20pdf'"),
        ("dev/sda", "instance 'dev/sda' of 'a@.service' has to be escaped: write 'dev-sda'"),
        # systemd.unit(5), Specifiers: what systemd-escape makes of it with --path, and without.
        ("/dev/sda", "has to be escaped: write 'dev-sda' if %f is to be that path, or '-dev-sda' if %I is"),
        ("/srv/../a", "'/srv/../a' contains '..': write the path without it"),
    ],
)
def test_words_in_the_place_of_a_list_of_instances(instance: str, told: str) -> None:
    with pytest.raises(Refused) as caught:
        names.with_instance("a@.service", instance)
    assert str(caught.value).endswith(told)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [("", ""), ("/", "-"), ("a/b", "a-b"), ("a-b", r"a\x2db"), (".a", r"\x2ea"), ("a.b", "a.b"), ("é", r"\xc3\xa9")],
)
def test_escape(text: str, escaped: str) -> None:
    assert names.escape(text) == escaped


@given(TEXT)
def test_what_is_escaped_names_an_instance(text: str) -> None:
    escaped = names.escape(text)
    if len(escaped) < 240:
        assert names.parse_name(f"a@{escaped}.service").instance == escaped


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_escape_refuses_what_no_name_can_hold(text: str) -> None:
    with pytest.raises(Refused):
        names.escape(text)


@pytest.mark.parametrize(
    ("path", "escaped"),
    [
        ("/", "-"),
        ("//", "-"),
        ("/srv/a-b", r"srv-a\x2db"),
        ("/foo//bar/", "foo-bar"),
        ("/a/./b", "a-b"),
        ("/.x", r"\x2ex"),
    ],
)
def test_escape_path(path: str, escaped: str) -> None:
    assert names.escape_path(path) == escaped


@pytest.mark.parametrize("path", ["", "a/b", "./a", "/a/../b", "/.."])
def test_escape_path_refuses_what_systemd_would(path: str) -> None:
    with pytest.raises(Refused):
        names.escape_path(path)


@pytest.mark.skipif(not shutil.which("systemd-escape"), reason="needs systemd-escape")
class TestAgainstSystemd:
    """systemd-escape ends each result with a space or, in the last place, a line break."""

    @settings(max_examples=10, deadline=None)
    @given(st.lists(TEXT.filter(bool), min_size=1, max_size=50))
    def test_escape(self, texts: list[str]) -> None:
        ours = " ".join(names.escape(text) for text in texts)
        assert self.run("--", *texts) == ours

    @settings(max_examples=10, deadline=None)
    @given(st.lists(st.text("ab./-é ", max_size=12).map("/".__add__), min_size=1, max_size=50))
    def test_escape_path(self, paths: list[str]) -> None:
        paths = [path for path in paths if ".." not in path.split("/")]
        assert self.run("--path", "--", *paths or ["/"]) == " ".join(names.escape_path(path) for path in paths or ["/"])

    @staticmethod
    def run(*arguments: str) -> str:
        done = subprocess.run(["systemd-escape", *arguments], stdout=subprocess.PIPE, check=True)
        return done.stdout.decode()[:-1]


@pytest.mark.parametrize("text", ["50-limits", "50-limits.conf"])
def test_dropin(text: str) -> None:
    assert names.parse_dropin(text) == "50-limits.conf"


@pytest.mark.parametrize("text", ["", ".conf", "a/b", "../x", ".hidden", "a\nb", "a\0", "x" * 251, "é" * 126, "\ud800"])
def test_refused_dropins(text: str) -> None:
    with pytest.raises(Refused) as caught:
        names.parse_dropin(text)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("text", ["pi", "0", "A_b-c", "x" * 64])
def test_stack(text: str) -> None:
    assert names.parse_stack(text) == text


@pytest.mark.parametrize("text", ["", "-a", "_a", "a b", "a.b", "a/b", "pi\n", "é", "x" * 65])
def test_refused_stacks(text: str) -> None:
    with pytest.raises(Refused):
        names.parse_stack(text)


@pytest.mark.parametrize(
    "owner",
    [
        "pi",
        "a.service",
        "worker@.service",
        "a.service.d-50.conf",
        "a.d-b.service",
        "a.d-b.service.d-50.conf",
        "a.service.d-b.d-c.conf",
        "a.service.d-b.service.d-50.conf",
        "a.conf.service",
        "service.d-50-limits.conf",
        "user-.slice.d-50.conf",
    ],
)
def test_owner(owner: str) -> None:
    assert names.parse_owner(owner) == owner


@pytest.mark.parametrize("owner", ["a b", "a.d-b.conf", "a.d-b.service.d-.conf", "a.service.d-b/c.conf", "a.conf"])
def test_refused_owners(owner: str) -> None:
    with pytest.raises(Refused):
        names.parse_owner(owner)


@pytest.mark.parametrize(
    ("stem", "parts"),
    [
        ("a.service", None),
        ("a.d-b.service", None),
        ("README", None),
        ("a.d-b", None),
        ("a.service.d-50", ("a.service", "50")),
        ("a.d-b.service.d-50", ("a.d-b.service", "50")),
        ("worker@.service.d-a.d-b", ("worker@.service", "a.d-b")),
        ("a.service.d-", None),
        ("service.d-50", ("service", "50")),
        ("user-.slice.d-50", ("user-.slice", "50")),
    ],
)
def test_the_stem_of_a_dropin(stem: str, parts: tuple[str, str] | None) -> None:
    assert names.dropin_of_stem(stem) == parts
    assert parts is None or names.stem_of_dropin(*parts) == stem


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a@.service", True), ("a@b.service", False), ("a@.b.service", False), ("a.service", False), ("a/b@.x", False)],
)
def test_a_template(text: str, expected: bool) -> None:
    assert names.is_template(text) is expected


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("Wants=a.service", "a.service", True),
        ("Wants=b.service a.service", "a.service", True),
        ("Wants=ba.service", "a.service", False),
        ("Wants=a.service.mount", "a.service", False),
        ("Failed to start a.service: Unit b.service is masked.", "a.service", True),
        ("Failed to start a.service: Unit b.service is masked.", "b.service", True),
        ("Unit a.service.", "a.service", True),
        ('Requires="a.service"', "a.service", True),
        (r"Failed to start a\x2db@x:y.service:", r"a\x2db@x:y.service", True),
    ],
)
def test_a_unit_is_mentioned_as_a_word(text: str, unit: str, expected: bool) -> None:
    assert names.mentions(text, unit) is expected
