# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an earlier version of the collection has applied, or left half done, is in good hands with the present one.

The earlier version is the one archive in this folder; only its plugins/ are used. Until there is a release it is commit
73b0d3d, made by `git archive 73b0d3d plugins | gzip -9n`. After a release that release's artifact takes its place.
"""

from __future__ import annotations
