# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Ansible itself refuses comes back as any other error does, and hides what is secret."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
CALL = """
import json, sys
from ansible.module_utils.testing import patch_module_args
package = "ansible_collections.unitwright.systemd.plugins.module_utils"
front = __import__(f"{package}._run.front", fromlist=["Module"])
options = __import__(f"{package}._desired.options", fromlist=["stack"])
with patch_module_args(json.loads(sys.argv[1])["ANSIBLE_MODULE_ARGS"]):
    front.Module(options.stack()).exit_json(loaded=[each for each in sys.modules if each.endswith("_run.arguments")])
"""


def called(**params: Any) -> dict[str, Any]:
    """The result of a module with the options of a stack, in a process of its own as it ends that."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT / ".build" / "source")}
    given = json.dumps({"ANSIBLE_MODULE_ARGS": {"name": "shop", **params}})
    call = [sys.executable, "-c", CALL, given]
    done = subprocess.run(call, env=environ, check=False, capture_output=True, text=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        ({"usr": "a"}, "web.service: services[0].usr: there is no such option: did you mean user?"),
        # Of this one Ansible's own check makes an exception.
        ({"health": [1]}, "web.service: services[0].health: it takes a mapping, and not a list"),
    ],
)
def test_what_ansible_refuses(entry: dict[str, Any], line: str) -> None:
    result = called(services=[{"name": "web", **entry}])
    assert result["failed"]
    assert result["msg"] == line
    assert [error["rule"] for error in result["errors"]] == ["option"]
    assert result["unverified"] == []


def test_a_secret_is_hidden_there_too() -> None:
    entry = {"name": "web", "restart": "hidden-word", "secrets": {"TOKEN": "hidden-word"}}
    result = called(services=[entry])
    assert "restart" in result["msg"]
    assert "hidden-word" not in str(result)


def test_what_is_right_does_not_load_what_tells_mistakes() -> None:
    assert called(services=[{"name": "web"}])["loaded"] == []


def test_ansible_goes_by_those_options_alone_that_some_entry_has() -> None:
    """It goes over each of them for each entry, several times, and all that it finds comes back in the result."""
    units = [{"name": "a.service", "enabled": "yes"}, {"name": "b.service", "secrets": {"TOKEN": "hunter22"}}]
    found = called(units=units, health={"timeout": "5"})["invocation"]["module_args"]
    assert found["units"] == [
        {"name": "a.service", "enabled": True, "replace": False, "secrets": None},
        {
            "name": "b.service",
            "enabled": None,
            "replace": False,
            "secrets": {"TOKEN": "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"},
        },
    ]
    assert (found["health"], found["timers"]) == ({"timeout": 5.0}, None)


def test_an_option_that_no_entry_may_have_is_refused_all_the_same() -> None:
    found = called(units=[{"name": "a.service"}, {"name": "b.service", "enable": True}])
    assert found["msg"].endswith("units[1].enable: there is no such option: did you mean enabled?")
