# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the project."""

from __future__ import annotations

import os

SECRET_KEY = os.environ.get("SECRET_KEY", "of the example")
ALLOWED_HOSTS = ["localhost"]
ROOT_URLCONF = "myproject.urls"
USE_TZ = True
