# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The call of Podman or Docker that boots a systemd in a container here."""

from __future__ import annotations

DOCUMENTATION = r"""
name: container_with_systemd
short_description: Tell how a container with a systemd is started on this machine
version_added: 1.0.0
description:
  - Gives the command, as a list of words, that has Podman or Docker boot an image with systemd on the controller. What
    it takes depends on the machine, on its control groups, and on the rights and limits of whoever calls it.
  - The playbook C(testbed_create) runs it for each host of an inventory.
  - Such a container is privileged. It is for tests of what is trusted, and no wall against anything else.
options:
  _terms:
    description: C(podman) or C(docker).
    required: true
  container:
    description: The name of the container, which is that of the host in it too.
    type: str
    required: true
  image:
    description: Any image with systemd.
    type: str
    required: true
  init:
    description: The path of systemd in it.
    type: str
    default: /sbin/init
  options:
    description: More options of C(podman run) or C(docker run), such as V(--network=none).
    type: list
    elements: str
    default: []
author:
  - Unitwright contributors (@unitwright)
"""

EXAMPLES = r"""
- name: Boot a container
  ansible.builtin.command:
    argv: "{{ lookup('unitwright.systemd.container_with_systemd', 'podman', container='web1', image=image) }}"
  vars:
    image: docker.io/geerlingguy/docker-debian12-ansible
  delegate_to: localhost
  changed_when: true
"""

RETURN = r"""
_raw:
  description: The words of the command, as a list in a list, of which C(lookup) takes the first.
  type: list
  elements: list
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase
from ansible_collections.unitwright.systemd.plugins.plugin_utils import _containers


class LookupModule(LookupBase):
    def run(
        self, terms: Sequence[object], variables: Mapping[str, Any] | None = None, **kwargs: object
    ) -> list[list[str]]:
        # ansible-core has no annotations to speak of.
        plugin: Any = self
        plugin.set_options(var_options=variables, direct=kwargs)
        asked = [str(term) for term in terms]
        if not asked or not set(asked) <= set(_containers.ENGINES):
            raise AnsibleError(f"containers are started by one of {', '.join(_containers.ENGINES)}")
        name, image, options, init = map(plugin.get_option, ("container", "image", "options", "init"))
        return [_containers.run_command(engine, name, image, options, init) for engine in asked]
