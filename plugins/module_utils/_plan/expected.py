# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What is expected of a unit once its jobs are done. Private to the collection."""

from __future__ import annotations

import enum


class Expected(enum.Enum):
    """How a unit shall be. The values stand in records on disk; _host/expectations.py says how each is found out.

    UP: and for some time. UNFAILED: that, or ended well by itself. DONE: its work is done. DOWN: neither up nor on its
    way.
    """

    UP = "up"
    UNFAILED = "unfailed"
    DONE = "done"
    DOWN = "down"
