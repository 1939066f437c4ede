# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Begins its lines with their priority, as syslog has it; `journalctl -u frames -p err` has the first kind alone."""

from __future__ import annotations

import sys
import time

while True:
    print("<3>Critical error: sensor read failed", file=sys.stderr)
    print("<4>Warning: temperature approaching limit", file=sys.stderr)
    print("<6>Info: processed 1000 frames")
    time.sleep(10)
