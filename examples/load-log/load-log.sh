#!/bin/sh
# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# systemd makes the folder, and says where it is.
echo "$(date --iso-8601=seconds) $(uptime)" >> "$LOGS_DIRECTORY/load.log"
