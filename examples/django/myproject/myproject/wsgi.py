# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What gunicorn runs."""

from __future__ import annotations

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
