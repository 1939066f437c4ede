#!/bin/sh
# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Packs what the other services would miss, and keeps the last seven archives.
set -eu

archive="$STATE_DIRECTORY/backup-$(date +%Y%m%dT%H%M%S).tar.gz"

# 1 says that a file was replaced while it was read. Each is replaced as a whole, so the copy is good.
tar --create --gzip --file="$archive.draft" --exclude='*.draft' --directory=/opt \
  gpio-api/data mywebapp/config.ini || [ $? -eq 1 ]
mv "$archive.draft" "$archive"

find "$STATE_DIRECTORY" -name 'backup-*.tar.gz' | sort --reverse | tail --lines=+8 | xargs --no-run-if-empty rm --
echo "Wrote $archive"
