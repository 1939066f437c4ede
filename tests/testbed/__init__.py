# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers that boot a real systemd, for the tests and the demo."""

from __future__ import annotations
