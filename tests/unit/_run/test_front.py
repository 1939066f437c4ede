# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Ansible itself refuses is told with what may have been meant."""

from __future__ import annotations

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._run.front import with_near_names

SAID = "Unsupported parameters for (unitwright.systemd.stack) module: "
KNOWN = ". Supported parameters include: argv, environment, exec_start, exec_start_pre, name (names)."


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("exec_strat", " For 'exec_strat', did you mean exec_start?"),
        ("services.enviroment", " For 'enviroment', did you mean environment?"),
        ("services.exec_strat, services.zzz", " For 'exec_strat', did you mean exec_start?"),
        ("zzz", ""),
    ],
)
def test_an_option_that_is_near(given: str, meant: str) -> None:
    assert with_near_names(SAID + given + KNOWN) == SAID + given + KNOWN + meant


def test_other_words_of_ansible_stay() -> None:
    assert with_near_names("missing required arguments: name") == "missing required arguments: name"
