# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Sphinx builds the site of `make docs` from what antsibull-docs has written."""

from __future__ import annotations

project = title = html_title = "unitwright.systemd"
author = "Unitwright contributors"
project_copyright = author

extensions = ["sphinx_antsibull_ext"]
html_theme = "sphinx_ansible_theme"
html_show_sphinx = False
html_use_index = False
html_copy_source = False
pygments_style = "ansible"
highlight_language = "YAML+Jinja"
default_role = "any"

nitpicky = True
# The pages of Ansible itself are elsewhere, and a build reads nothing from the network.
nitpick_ignore_regex = [("std:ref", r"(?!ansible_collections\.unitwright\.).*")]
# Before the first release the changelog has no page.
suppress_warnings = ["toc.no_title"]
