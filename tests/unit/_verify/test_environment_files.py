# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines of a file of variables that systemd passes over are told by their number, and never what is in them."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._host.places import places
from ansible_collections.unitwright.systemd.plugins.module_utils._verify.environment_files import contents, exports


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("A=1\nexport B=canary\nexport C=2\n", 2),
        ("  export\tB=canary\n", 1),
        ("# export B=1\nA=1 \\\nexport B=canary\n", 0),
        ("A=export\nexported=1\nexport\n", 0),
        ("", 0),
    ],
)
@pytest.mark.parametrize("written", ["{}", "-{}", '"{}"'])
def test_a_line_that_is_exported(tmp_path: Path, text: str, number: int, written: str) -> None:
    path = tmp_path / "a.env"
    path.write_text(text, encoding="utf-8")
    settings = {"EnvironmentFile": [written.format(path), "/nowhere/b.env", "/etc/*.env"]}
    found = list(exports("a.service", "Service", settings, places("system", "", {})))
    assert [each.message.partition(" of ")[0] for each in found] == ([f"line {number}"] if number else [])
    assert "canary" not in str(found)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("/etc/a.env", [b"A=1"]),
        ("/etc/linked.env", [b"A=1"]),
        ("/link/a.env", [b"A=1"]),
        ("/etc/*.env", [b"A=1", b"B=1", b"A=1"]),
        ("/link/?.env", [b"A=1", b"B=1"]),
        ("/l*/[ab].env", [b"A=1", b"B=1"]),
        (r"/etc/\*.txt", [b"C=1"]),
        ("/etc", []),
        ("/etc/none.env", []),
        ("/none/*.env", []),
        ("/out/x.env", []),
    ],
)
def test_the_files_of_an_image_are_its_own(tmp_path: Path, pattern: str, found: list[bytes]) -> None:
    """A symbolic link of the image leads to what the image has at that path, and never out of it."""
    (tmp_path / "x.env").write_text("A=host")
    image = tmp_path / "image"
    (image / "etc").mkdir(parents=True)
    for name, text in (("a.env", "A=1"), ("b.env", "B=1"), ("*.txt", "C=1"), ("x.txt", "D=1")):
        (image / "etc" / name).write_text(text)
    (image / "etc/linked.env").symlink_to("/etc/a.env")
    (image / "link").symlink_to("/etc")
    (image / "out").symlink_to("../")
    assert list(contents(pattern, str(image))) == found
