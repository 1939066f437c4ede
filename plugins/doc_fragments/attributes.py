# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module of the collection supports."""

from __future__ import annotations


class ModuleDocFragment:
    """Fragments C(unitwright.systemd.attributes) and C(unitwright.systemd.attributes.actiongroup_systemd)."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    support: full
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
  diff_mode:
    support: full
    description: Returns details on what has changed, or would change in check mode, when in diff mode.
    details: Secrets, credentials and stamps are not shown.
  idempotent:
    support: full
    description:
      - When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
    details: Units with O(ignore:state=restarted) or O(ignore:state=reloaded) are acted upon at every run.
  platform:
    support: full
    description: Target OS/families that can be operated against.
    platforms: posix
requirements:
  - systemd 247 or newer on the managed host
"""

    ACTIONGROUP_SYSTEMD = r"""
attributes:
  action_group:
    description: Use C(group/unitwright.systemd.systemd) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - unitwright.systemd.systemd
"""
