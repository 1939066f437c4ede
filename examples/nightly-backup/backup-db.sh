#!/bin/sh
# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A dump of redis a day; a week of them is kept.
set -eu
goal="$STATE_DIRECTORY/redis-$(date +%F).rdb"
redis-cli --rdb "$goal.part"
mv "$goal.part" "$goal"
find "$STATE_DIRECTORY" -name 'redis-*.rdb' -mtime +7 -delete
echo "Wrote $goal, $(stat --format=%s "$goal") bytes"
