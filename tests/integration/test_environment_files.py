# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file of EnvironmentFile= that is configuration counts as a part of the unit, without being named as a trigger."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .entries import FOREVER, Entry, service
from .lab import Lab, verbs

FILE = "/etc/app.env"


@pytest.fixture(autouse=True)
def file(host: Lab) -> Iterator[None]:
    host.write(FILE, "MODE=one\n")
    yield
    host.sh(f"rm -f {FILE} /run/app.env")


def app(path: str = FILE, **more: Any) -> Entry:
    return service("app", service={"EnvironmentFile": path}, **more)


@pytest.mark.parametrize(
    "unit",
    [
        app(),
        app(f"-{FILE}"),
        {"name": "app.service", "content": f"[Service]\nExecStart={FOREVER}\nEnvironmentFile={FILE}\n"},
    ],
)
def test_its_change_restarts_the_service(host: Lab, unit: Entry) -> None:
    host.settled(unit)
    host.write(FILE, "MODE=two\n")
    assert [step["reason"] for step in host.foretell(unit)["plan"] if step["action"] == "restart"] == [
        f"changed since its last start: the environment file {FILE}"
    ]
    assert host.settled(unit)["restarted"] == ["app.service"]
    assert host.environment("app.service")["MODE"] == "two"


def test_so_does_that_of_a_dropin(host: Lab) -> None:
    stack = {"dropins": [{"name": "app.service", "dropin": "env", "service": {"EnvironmentFile": FILE}}]}
    host.settled(service("app"), **stack)
    host.write(FILE, "MODE=two\n")
    assert host.settled(service("app"), **stack)["restarted"] == ["app.service"]


@pytest.mark.parametrize(
    "unit", [app(triggers={"environment_files": False}), app("/run/app.env"), app("/etc/*.env"), app("/etc/%N.env")]
)
def test_others_do_not_count(host: Lab, unit: Entry) -> None:
    host.write("/run/app.env", "MODE=one\n")
    host.settled(unit)
    host.write(FILE, "MODE=two\n")
    host.write("/run/app.env", "MODE=two\n")
    host.assert_settled(unit)


def test_one_that_does_not_count_is_told_of_in_the_result_alone(host: Lab) -> None:
    path = "/run/app.env"
    host.write(path, "MODE=one\n")
    for given, noted in ((app(path), [path]), (app(path, triggers={"files": [path]}), [])):
        result = host.apply(given)
        told = [each["message"] for each in result["unverified"] if each["rule"] == "environment-file-unwatched"]
        assert [path in message for message in told] == [True for _each in noted]
        assert path not in str(result.get("warnings"))


def test_a_missing_one_is_no_trigger_that_is_missing(host: Lab) -> None:
    host.sh(f"rm {FILE}")
    host.settled(app(f"-{FILE}"))
    host.write(FILE, "MODE=one\n")
    assert host.settled(app(f"-{FILE}"))["restarted"] == ["app.service"]


def test_a_reload_does_not_put_it_into_force(host: Lab) -> None:
    unit = app(on_change="reload")
    unit["service"]["ExecReload"] = "/bin/true"
    host.settled(unit)
    host.write(FILE, "MODE=two\n")
    result = host.apply(unit)
    assert "app.service" in result["kept"]
    assert FILE in result["kept"]["app.service"]
    assert host.environment("app.service")["MODE"] == "one"


def test_that_of_an_instance_restarts_that_alone(host: Lab) -> None:
    host.write("/etc/app-1.env", "MODE=one\n")
    host.write("/etc/app-2.env", "MODE=one\n")
    apps = {"name": "app@", "exec_start": FOREVER, "environment_file": "/etc/app-%i.env", "instances": [1, 2]}
    # As after an upgrade from a version to which it did not count.
    host.settled(services=[{**apps, "triggers": {"environment_files": False}}])
    before = host.invocation("app@2.service")
    assert set(verbs(host.settled(services=[apps]))) == {"write", "daemon-reload"}
    host.write("/etc/app-1.env", "MODE=two\n")
    foretold = [step["reason"] for step in host.foretell(services=[apps])["plan"] if step["action"] == "restart"]
    assert foretold == ["changed since its last start: the environment file /etc/app-1.env"]
    assert host.settled(services=[apps])["restarted"] == ["app@1.service"]
    assert host.environment("app@1.service")["MODE"] == "two"
    assert host.invocation("app@2.service") == before
    host.sh("rm /etc/app-1.env /etc/app-2.env")


def test_what_runs_is_not_restarted_since_its_file_begins_to_count(host: Lab) -> None:
    """As after an upgrade from a version to which it did not."""
    host.apply(app(triggers={"environment_files": False}))
    host.sh("rm -f /var/lib/unitwright/system/stamps.json")
    before = host.invocation("app.service")
    result = host.settled(app())
    assert verbs(result) == ["write", "daemon-reload"]
    assert host.invocation("app.service") == before
    host.write(FILE, "MODE=two\n")
    assert host.settled(app())["restarted"] == ["app.service"]


def test_a_pipe_is_not_waited_for(host: Lab) -> None:
    host.sh(f"rm {FILE}; mkfifo {FILE}")
    for path in (FILE, f"-{FILE}"):
        assert verbs(host.foretell(app(path))) == ["write", "daemon-reload", "start"]
