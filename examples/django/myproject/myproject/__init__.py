# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Django project with a page, and tasks for celery. `celery -A myproject` finds the application here."""

from __future__ import annotations

from .tasks import app as celery_app

__all__ = ["celery_app"]
