# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read of a service's own logs: of files alone, and never waiting."""

from __future__ import annotations

import os
from pathlib import Path

from ansible_collections.unitwright.systemd.plugins.module_utils._host.workload import grown


def test_what_a_file_has_got(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("old\nnew\n", encoding="utf-8")
    assert grown(str(log), 4) == "new\n"
    # One that was begun anew is read from its start.
    assert grown(str(log), 40) == "old\nnew\n"
    assert grown(str(tmp_path / "none"), 0) == ""


def test_a_pipe_is_not_waited_for_and_a_device_not_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert grown(str(pipe), 0) == ""
    assert grown(str(tmp_path), 0) == ""
    assert grown("/dev/zero", 0) == ""
