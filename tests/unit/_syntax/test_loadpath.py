# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which files make up a unit, by systemd.unit(5), "Unit File Load Path"."""

from __future__ import annotations

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.loadpath import LoadPath, dropin_folders

ETC, RUN, USR = "/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system"


def loadpath(files: dict[str, str], links: dict[str, str] | None = None) -> LoadPath:
    """A load path of three folders with these files and links."""
    names: dict[str, set[str]] = {folder: set() for folder in (ETC, RUN, USR)}
    dropins: dict[str, set[str]] = {}
    for path in {**files, **(links or {})}:
        folder, _slash, name = path.rpartition("/")
        (names if folder in names else dropins).setdefault(folder, set()).add(name)
    return LoadPath(
        (ETC, RUN, USR),
        {folder: frozenset(entries) for folder, entries in names.items()},
        {folder: frozenset(entries) for folder, entries in dropins.items()},
        {path: text.encode() for path, text in files.items()},
        links or {},
    )


@pytest.mark.parametrize(
    ("unit", "folders"),
    [
        ("a.service", ["a.service.d", "service.d"]),
        ("a-b-c.service", ["a-b-c.service.d", "a-b-.service.d", "a-.service.d", "service.d"]),
        ("a@x.service", ["a@x.service.d", "a@.service.d", "service.d"]),
        (
            "a-b@x-y.socket",
            ["a-b@x-y.socket.d", "a-b@.socket.d", "a-.socket.d", "a-@x-y.socket.d", "a-@.socket.d", "socket.d"],
        ),
        ("a-b-.service", ["a-b-.service.d", "a-.service.d", "service.d"]),
        ("a--b.service", ["a--b.service.d", "a--.service.d", "a-.service.d", "service.d"]),
        ("-a.mount", ["-a.mount.d", "mount.d"]),
        ("user-1000.slice", ["user-1000.slice.d", "user-.slice.d", "slice.d"]),
        ("user-.slice", ["user-.slice.d", "slice.d"]),
        ("service", ["service.d"]),
    ],
)
def test_the_folders_of_drop_ins_from_the_most_specific_on(unit: str, folders: list[str]) -> None:
    assert list(dropin_folders(unit)) == folders


def test_the_first_folder_that_has_a_unit_defines_it() -> None:
    found = loadpath({f"{USR}/a.service": "", f"{RUN}/a.service": "x", f"{USR}/b@.service": "x"})
    assert found.fragment("a.service") == f"{RUN}/a.service"
    assert found.fragment("c.service") is None
    assert found.fragment("b@1.service") == f"{USR}/b@.service"


def test_the_own_file_of_an_instance_comes_before_its_template() -> None:
    found = loadpath({f"{ETC}/b@.service": "x", f"{USR}/b@1.service": "x"})
    assert found.fragment("b@1.service") == f"{USR}/b@1.service"


def test_drop_ins_apply_by_name_and_the_most_specific_of_a_name_counts() -> None:
    files = {
        f"{ETC}/service.d/10-a.conf": "",
        f"{USR}/a.service.d/20-b.conf": "",
        f"{RUN}/a.service.d/05-c.conf": "",
        f"{USR}/a.service.d/10-a.conf": "",
        f"{ETC}/a.service.d/20-b.conf": "",
    }
    assert loadpath(files).dropin_files("a.service") == [
        f"{RUN}/a.service.d/05-c.conf",
        f"{USR}/a.service.d/10-a.conf",
        f"{ETC}/a.service.d/20-b.conf",
    ]


def test_of_one_name_the_first_along_the_load_path_counts_before_the_most_specific() -> None:
    files = {f"{USR}/a-b.service.d/x.conf": "", f"{ETC}/a-.service.d/x.conf": "", f"{ETC}/service.d/x.conf": ""}
    assert loadpath(files).dropin_files("a-b.service") == [f"{ETC}/a-.service.d/x.conf"]


def test_a_drop_in_that_is_masked_hides_those_of_its_name() -> None:
    path = f"{ETC}/a.service.d/x.conf"
    assert loadpath({f"{USR}/a.service.d/x.conf": "[Unit]\n"}, {path: "/dev/null"}).dropin_files("a.service") == []


@pytest.mark.parametrize(
    ("files", "links", "masked", "defines"),
    [
        ({f"{ETC}/a.service": "[Unit]\n"}, {}, False, True),
        ({f"{ETC}/a.service": ""}, {}, True, False),
        ({f"{USR}/a.service": "[Unit]\n"}, {f"{ETC}/a.service": "/dev/null"}, True, False),
        ({}, {f"{ETC}/a.service": "/opt/a.service"}, False, True),
        ({}, {}, False, False),
    ],
)
def test_what_is_masked(files: dict[str, str], links: dict[str, str], masked: bool, defines: bool) -> None:
    found = loadpath(files, links)
    assert (found.masked("a.service"), found.defines("a.service")) == (masked, defines)


def test_the_unit_that_an_alias_stands_for() -> None:
    links = {f"{ETC}/b.service": f"{USR}/a.service", f"{ETC}/c.service": "/opt/x.service"}
    found = loadpath({f"{USR}/a.service": "[Unit]\n", f"{USR}/t@.service": "[Unit]\n"}, links)
    assert found.primary("b.service") == "a.service"
    assert found.primary("a.service") == "a.service"
    assert found.primary("c.service") == "c.service", "linked into the load path, under its own name"
    assert found.primary("nowhere.service") == "nowhere.service"
    assert found.primary("no unit") == "no unit"
    instance = loadpath({f"{USR}/t@.service": "[Unit]\n"}, {f"{ETC}/t@1.service": f"{USR}/t@.service"})
    assert instance.primary("t@1.service") == "t@1.service"


def test_the_merged_text() -> None:
    found = loadpath(
        {
            f"{USR}/a.service": "[Service]\nExecStart=/bin/a\nNice=1\n",
            f"{ETC}/a.service.d/x.conf": "[Service]\nExecStart=\nExecStart=/bin/b\n",
            f"{ETC}/a.service.d/y.conf": "no unit file\n",
        }
    )
    assert found.effective("a.service") == {"Service": {"ExecStart": ["/bin/b"], "Nice": ["1"]}}
    assert found.effective("b.service") == {}


def test_the_host_after_a_change() -> None:
    before = loadpath({f"{ETC}/a.service": "[Unit]\nA=1\n", f"{USR}/a.service": "[Unit]\nA=0\n"})
    written = before.changed({f"{ETC}/a.service.d/x.conf": b"[Unit]\nA=2\n", f"{ETC}/b.service": b"[Unit]\nB=1\n"}, [])
    assert written.effective("a.service") == {"Unit": {"A": ["1", "2"]}}
    assert written.effective("b.service") == {"Unit": {"B": ["1"]}}
    removed = before.changed({}, [f"{ETC}/a.service"])
    assert removed.effective("a.service") == {"Unit": {"A": ["0"]}}
    assert before.effective("a.service") == {"Unit": {"A": ["1"]}}
    assert before.effective("b.service") == {}


def test_a_file_that_takes_the_place_of_a_mask() -> None:
    masked = loadpath({}, {f"{ETC}/a.service": "/dev/null"})
    assert not masked.changed({f"{ETC}/a.service": b"[Unit]\nA=1\n"}, []).masked("a.service")
    assert masked.changed({}, [f"{ETC}/a.service"]).fragment("a.service") is None


def test_a_text_is_merged_once_and_each_load_path_has_its_own() -> None:
    before = loadpath({f"{ETC}/a.service": "[Unit]\nA=1\n"})
    assert before.effective("a.service") is before.effective("a.service")
    after = before.changed({f"{ETC}/a.service": b"[Unit]\nA=2\n"}, [])
    assert (before.effective("a.service"), after.effective("a.service")) == (
        {"Unit": {"A": ["1"]}},
        {"Unit": {"A": ["2"]}},
    )


def test_a_single_file_that_cannot_be_parsed_counts_as_empty() -> None:
    assert loadpath({f"{ETC}/a.service": "no unit file\n"}).effective("a.service") == {}


def test_the_drop_ins_in_the_folder_of_an_alias() -> None:
    files = {
        f"{USR}/a.service": "x",
        f"{ETC}/a.service.d/10-own.conf": "x",
        f"{ETC}/b.service.d/20-alias.conf": "x",
        f"{ETC}/b.service.d/10-own.conf": "x",
        f"{USR}/t@.service": "x",
        f"{RUN}/u@.service.d/all.conf": "x",
        f"{ETC}/u@1.service.d/one.conf": "x",
    }
    links = {f"{ETC}/b.service": f"{USR}/a.service", f"{USR}/u@.service": "t@.service"}
    found = loadpath(files, links)
    assert found.dropin_files("a.service") == [f"{ETC}/a.service.d/10-own.conf", f"{ETC}/b.service.d/20-alias.conf"]
    assert found.dropin_files("t@1.service") == [f"{RUN}/u@.service.d/all.conf", f"{ETC}/u@1.service.d/one.conf"]
    assert found.dropin_files("t@2.service") == [f"{RUN}/u@.service.d/all.conf"]
    assert found.aliases("t@1.service") == ["u@1.service"]


def test_what_is_linked_is_no_alias_of_what_it_masks() -> None:
    found = loadpath({f"{USR}/a.service": "x", f"{ETC}/b.service.d/x.conf": "x"}, {f"{ETC}/b.service": "/dev/null"})
    assert found.aliases("a.service") == []
    assert found.dropin_files("a.service") == []


def test_an_instance_that_is_a_link_to_its_template_is_that_template() -> None:
    """As 247 makes one for an alias that is the own template, and a person may on any version."""
    template = f"{ETC}/t@.service"
    before = loadpath({template: "[Unit]\nA=1\n"}, {f"{ETC}/t@1.service": template})
    assert before.fragment("t@1.service") == template
    assert before.changed({template: b"[Unit]\nA=2\n"}, []).effective("t@1.service") == {"Unit": {"A": ["2"]}}
    assert not before.changed({}, [template]).defines("t@1.service")
    elsewhere = loadpath({}, {f"{ETC}/t@1.service": "/opt/t@.service"})
    assert elsewhere.fragment("t@1.service") == f"{ETC}/t@1.service"
    linked = loadpath({f"{USR}/t@.service": "[Unit]\nA=1\n"}, {template: f"{USR}/t@.service"})
    assert linked.fragment("t@1.service") == template
