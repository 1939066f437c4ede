# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The profiles of hardening by their names, from weak to strict. Private to the collection."""

from __future__ import annotations

LEVELS = ("baseline", "standard", "strict", "maximum")
# For what others log in or run jobs by, as all of that inherits it: not a step between the others.
SESSIONS = "sessions"
PROFILES = (*LEVELS, SESSIONS)
