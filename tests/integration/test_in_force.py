# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is declared is in force, or it is told what is in its place."""

from __future__ import annotations

from typing import Any

import pytest

from .entries import IDLE, UNITS, Entry, server, service, socket, web
from .lab import Lab, Result, places, until

CONTROL = "/etc/systemd/system.control/main.service.d"


def overridden(result: Result) -> list[tuple[str, str]]:
    """Units and directives that are lost, with a message that names the file."""
    return [(each["unit"], each["directive"]) for each in result["unverified"] if each["rule"] == "overridden"]


@pytest.mark.parametrize("flag", ["", "--runtime "])
def test_what_set_property_has_written_later_is_told(host: Lab, flag: str) -> None:
    unit = service(service={"MemoryMax": "200M", "TasksMax": 50})
    host.apply(unit)
    host.sh(f"systemctl set-property {flag}main.service MemoryMax=100M")
    changed = service(service={"MemoryMax": "300M", "TasksMax": 60})
    for result in (host.foretell(changed), host.apply(changed)):
        assert overridden(result) == [("main.service", "MemoryMax")]
        (warning,) = result["warnings"]
        assert warning.startswith("main.service: [Service] MemoryMax=: ")
        assert "main.service.d/50-MemoryMax.conf" in warning
    assert host.show("main.service", "MemoryMax") == str(100 << 20)
    assert overridden(host.apply(changed)) == [("main.service", "MemoryMax")]
    dropin = {"name": "main.service", "dropin": "90-mine", "service": {"MemoryMax": "300M"}}
    assert overridden(host.apply(service(service={"TasksMax": 60}), dropins=[dropin])) == []
    assert host.show("main.service", "MemoryMax") == str(300 << 20)
    host.sh("systemctl revert main.service; rm -rf /etc/systemd/system.control /run/systemd/system.control")


LATER: dict[str, tuple[str, list[str]]] = {
    "another value": ("[Service]\nNice=5\n", ["Nice"]),
    "the same value": ("[Service]\nNice=3\n", []),
    "another user": ("[Service]\nUser=daemon\n", ["User"]),
    "more of a list": ("[Service]\nEnvironment=B=2\nSupplementaryGroups=daemon\n[Unit]\nAfter=b.service\n", []),
    "another value of a variable": ("[Service]\nEnvironment=B=2 A=2\n", ["Environment"]),
    "the same value of a variable": ('[Service]\nEnvironment="A=1" B=2\n', []),
    "a list anew with the same": ("[Service]\nEnvironment=\nEnvironment=A=1\n", []),
    "a variable that is taken away": ("[Service]\nUnsetEnvironment=B A\n", ["Environment"]),
    "another variable that is taken away": ("[Service]\nUnsetEnvironment=B\n", []),
    "another credential of that name": ("[Service]\nLoadCredential=c:/etc/passwd\n", ["LoadCredential"]),
    "another credential": ("[Service]\nLoadCredential=d:/etc/passwd\n", []),
    "one time for both": ("[Service]\nTimeoutSec=7\n", ["TimeoutStartSec", "TimeoutStopSec"]),
    "a name of old in another section": ("[Service]\nStartLimitInterval=7\n", ["StartLimitIntervalSec"]),
    "a name of old": ("[Unit]\nStartLimitInterval=7\n", ["StartLimitIntervalSec"]),
    "a number in another section": ("[Service]\nStartLimitBurst=9\n", ["StartLimitBurst"]),
    "paths anew by a name of old": ("[Service]\nReadWriteDirectories=\n", ["ReadWritePaths"]),
    "the same by a name of old": ("[Service]\nStartLimitInterval=20\n", []),
    "a list anew": ("[Service]\nEnvironment=\nEnvironment=B=2\n", ["Environment"]),
    "another command": ("[Service]\nExecStart=\nExecStart=/bin/sleep 1000\n", ["ExecStart"]),
    "an order that no empty line takes away": ("[Unit]\nAfter=\n", []),
    "a condition of another name": ("[Unit]\nConditionHost=\n", ["ConditionPathExists"]),
}


@pytest.mark.parametrize("name", LATER)
def test_what_a_later_dropin_leaves_of_what_is_declared(host: Lab, name: str) -> None:
    text, lost = LATER[name]
    settings = {"Nice": 3, "Environment": "A=1", "SupplementaryGroups": "adm", "User": "root", "TimeoutStartSec": 30}
    more = {"TimeoutStopSec": 40, "LoadCredential": "c:/etc/hostname", "ReadWritePaths": "/srv"}
    limits = {"StartLimitIntervalSec": 20, "StartLimitBurst": 10}
    unit = service(service={**settings, **more}, unit={"After": "a.service", "ConditionPathExists": "/etc", **limits})
    host.write("/run/systemd/system/main.service.d/z.conf", text)
    host.sh("systemctl daemon-reload")
    assert [directive for _unit, directive in overridden(host.apply(unit))] == lost
    host.sh("rm -r /run/systemd/system/main.service.d && systemctl daemon-reload")


def test_one_time_for_both_over_which_a_later_one_stands(host: Lab) -> None:
    host.write("/run/systemd/system/main.service.d/z.conf", "[Service]\nTimeoutStopSec=7\n")
    result = host.apply(service(service={"TimeoutSec": 30}))
    assert overridden(result) == [("main.service", "TimeoutSec")]
    assert host.show("main.service", "TimeoutStopUSec") == "7s"


EDITED = "/etc/systemd/system/main.service.d/override.conf"


def test_a_variable_that_a_later_dropin_sets_otherwise(host: Lab) -> None:
    host.write(EDITED, "[Service]\nEnvironment=A=2 C=3\n")
    unit = service(environment={"A": "1", "B": "2", "C": "3"})
    for result in (host.foretell(unit), host.apply(unit)):
        assert overridden(result) == [("main.service", "Environment")]
        assert f"{EDITED}, which systemd reads later, sets A, so" in result["warnings"][0]
    assert host.environment("main.service")["A"] == "2"
    assert host.environment("main.service")["C"] == "3"


@pytest.mark.parametrize("by", ["a dropin of others", "a unit of others"])
def test_a_variable_that_a_file_of_others_sets_otherwise(host: Lab, by: str) -> None:
    host.write("/etc/main.env", "# A=0\nA='2'\nC=\"3\"\nD=4\n")
    line = "[Service]\nEnvironmentFile=-/etc/main.env\n"
    entry: Entry = {"name": "main.service", "dropin": "mine", "environment": {"A": "1", "B": "2", "C": "3"}}
    if by == "a unit of others":
        host.foreign("main.service", f"{line}ExecStart=/bin/sleep infinity\n")
        options: Entry = {"dropins": [entry]}
    else:
        host.write(EDITED, line)
        options = {"units": [service(environment=entry["environment"])]}
    for result in (host.foretell(**options), host.apply(**options)):
        assert overridden(result) == [("main.service", "Environment")]
        assert "/etc/main.env, an EnvironmentFile= of" in result["warnings"][0]
        assert "sets A otherwise" in result["warnings"][0]
    assert host.environment("main.service")["A"] == "2"
    host.sh("rm /etc/main.env")


def test_files_of_variables_that_take_nothing_away(host: Lab) -> None:
    """One that the entry itself names, one that is not there, and one that is read before the secrets."""
    host.write("/etc/main.env", "A=2\nTOKEN=other\n")
    own = service(environment={"A": "1"}, service={"EnvironmentFile": "/etc/main.env"})
    assert overridden(host.apply(own)) == []
    host.remove()
    host.write("/etc/systemd/system/main.service.d/10-a.conf", "[Service]\nEnvironmentFile=-/no/such.env\n")
    host.write("/etc/systemd/system/main.service.d/10-b.conf", "[Service]\nEnvironmentFile=/etc/main.env\n")
    dropin = {"name": "main.service", "dropin": "mine", "secrets": {"TOKEN": "to-be-hidden"}}
    assert overridden(host.apply(service(), dropins=[dropin])) == []
    assert host.environment("main.service")["TOKEN"] == "to-be-hidden"
    host.sh("rm /etc/main.env")


def test_a_secret_that_a_later_file_of_others_sets_otherwise(host: Lab) -> None:
    host.write("/etc/main.env", "TOKEN=other\n")
    host.write(EDITED, "[Service]\nEnvironmentFile=/etc/main.env\n")
    result = host.apply(service(secrets={"TOKEN": "to-be-hidden"}))
    assert overridden(result) == [("main.service", "Environment")]
    assert "sets TOKEN otherwise" in result["warnings"][0]
    assert host.environment("main.service")["TOKEN"] == "other"
    host.sh("rm /etc/main.env")


def test_a_socket_that_a_generator_gives_other_addresses(host: Lab) -> None:
    text = "[Socket]\nListenStream=\nListenStream=127.0.0.1:4790\n"
    host.write("/run/systemd/system/web.socket.d/addresses.conf", text)
    result = host.apply(socket(4791), web())
    assert overridden(result) == [("web.socket", "ListenStream")]
    assert "addresses.conf" in result["warnings"][0]


def test_a_dropin_of_the_same_name_that_comes_first(host: Lab) -> None:
    host.foreign("main.service")
    host.write(f"{CONTROL}/mine.conf", "[Service]\nNice=1\n")
    dropin = {"name": "main.service", "dropin": "mine", "service": {"Nice": 3}}
    result = host.apply(dropins=[dropin])
    assert f"{CONTROL}/mine.conf stands in the place of {UNITS}/main.service.d/mine.conf" in result["warnings"][0]


def test_what_an_instance_is_given_later(host: Lab) -> None:
    template = service("app@", service={"Nice": 3}, instances=["one", "two"])
    host.write("/run/systemd/system/app@two.service.d/z.conf", "[Service]\nNice=5\n")
    assert overridden(host.apply(template)) == [("app@two.service", "Nice")]


def test_what_is_said_for_many_may_be_refined_for_one(host: Lab) -> None:
    host.foreign("app-one.service", folder=UNITS)
    host.write("/run/systemd/system/app-one.service.d/z.conf", "[Service]\nNice=5\n")
    many = {"name": "app-.service", "dropin": "mine", "service": {"Nice": 3}}
    own = {"name": "app-one.service", "dropin": "y", "service": {"Nice": 4}}
    assert overridden(host.apply(dropins=[many])) == []
    assert overridden(host.apply(dropins=[many, {**own, "dropin": "zz"}])) == []


@pytest.mark.parametrize("directive", ["CapabilityBoundingSet", "Environment", "SystemCallFilter"])
@pytest.mark.parametrize("over", ["unit", "dropin"])
def test_an_empty_list_is_refused(host: Lab, directive: str, over: str) -> None:
    if over == "unit":
        result = host.refused(service(service={directive: []}))
    else:
        host.foreign("main.service", IDLE)
        result = host.refused(dropins=[{"name": "main.service", "dropin": "a", "service": {directive: []}}])
    assert places(result) == [("main.service", "Service", directive)]
    assert 'or write "" to reset it' in result["msg"]


def test_an_empty_list_of_dependencies_is_none(host: Lab) -> None:
    host.settled(service(unit={"After": [], "Wants": []}))


NAMES: list[tuple[dict[str, Any], str]] = [
    ({"CapabilityBoundingSet": "CAP_FOO"}, "CAP_FOO"),
    ({"CapabilityBoundingSet": "CAP_NET_ADMIN CAP_NET_BIND_SERVCE"}, "did you mean CAP_NET_BIND_SERVICE?"),
    ({"AmbientCapabilities": ["cap_chown", "CAP_FOO"]}, "CAP_FOO"),
    ({"RestrictAddressFamilies": "AF_INET AF_FOO"}, "AF_FOO"),
    ({"RestrictAddressFamilies": "~AF_FOO"}, "AF_FOO"),
    ({"SystemCallFilter": "@nosuchgroup"}, "@nosuchgroup"),
    ({"SystemCallFilter": "@system-service nosuchcall"}, "nosuchcall"),
    ({"RestrictNamespaces": "net foo"}, "foo"),
    ({"SecureBits": "keep-caps no-such-bit"}, "no-such-bit"),
    ({"SecureBits": "keep_caps"}, "did you mean keep-caps?"),
]


@pytest.mark.parametrize(("directives", "said"), NAMES, ids=str)
@pytest.mark.parametrize("over", ["unit", "dropin"])
def test_a_name_that_the_host_does_not_know(host: Lab, directives: Entry, said: str, over: str) -> None:
    (directive,) = directives
    if over == "unit":
        result = host.refused(service(service=directives))
    else:
        host.foreign("main.service", IDLE)
        result = host.refused(dropins=[{"name": "main.service", "dropin": "a", "service": directives}])
    assert places(result) == [("main.service", "Service", directive)]
    assert said in result["msg"]


@pytest.mark.parametrize(
    "value", ["", "CAP_CHOWN cap_kill", "~CAP_SYS_ADMIN", ["CAP_CHOWN", "CAP_KILL"], "12"], ids=str
)
def test_names_that_the_host_knows(host: Lab, value: Any) -> None:
    result = host.settled(service(service={"CapabilityBoundingSet": value}))
    assert result["unverified"] == []


@pytest.mark.parametrize("value", ["", "keep-caps noroot-locked", ["noroot", "no-setuid-fixup"]], ids=str)
def test_secure_bits(host: Lab, value: Any) -> None:
    assert host.settled(service(service={"SecureBits": value}))["unverified"] == []


def test_what_is_taken_from_a_set_that_is_not_in_it(host: Lab) -> None:
    result = host.settled(service(service={"CapabilityBoundingSet": "~CAP_SYS_ADMIN CAP_FOO"}))
    assert [(each["directive"], each["rule"]) for each in result["unverified"]] == [
        ("CapabilityBoundingSet", "capability-passed-over")
    ]


def in_folder(text: object, **directives: Any) -> list[Entry]:
    """A web server on a socket in its own runtime folder."""
    listening = {"name": "web.socket", "socket": {"ListenStream": "/run/web/web.sock"}, "enabled": False}
    return [listening, service("web", server(text), service={"RuntimeDirectory": "web", **directives})]


def test_a_socket_in_the_folder_that_goes_with_its_service(host: Lab) -> None:
    """It starts anew with its service, and can be reached after that."""
    assert [each["unit"] for each in host.apply(*in_folder(1))["unverified"]] == ["web.socket"]
    assert host.answer("/run/web/web.sock") == "1"
    changed = in_folder(2)
    foretold = host.foretell(*changed)
    result = host.settled(*changed)
    for each in (foretold, result):
        (warning,) = each["warnings"]
        assert "/run/web/web.sock goes away whenever web.service stops" in warning
        assert "RuntimeDirectoryPreserve=yes" in warning
        assert sorted(each["restarted"]) == ["web.service", "web.socket"]
    assert host.answer("/run/web/web.sock") == "2"


@pytest.mark.parametrize(
    "units",
    [
        in_folder(1, RuntimeDirectoryPreserve="restart"),
        [
            {"name": "web.socket", "socket": {"ListenStream": "/var/run/web/web.sock"}, "enabled": False},
            in_folder(1)[1],
        ],
        # The folder is that of another one.
        [*in_folder(1, RuntimeDirectory="other"), service("more", service={"RuntimeDirectory": "web"})],
        # A template and its instance are one.
        [
            {"name": "web@.socket", "socket": {"ListenStream": "/run/web-%i/web.sock"}, "instances": ["a"]},
            service("web@", server(1), service={"RuntimeDirectory": "web-%i"}),
        ],
    ],
)
def test_more_sockets_in_a_folder_that_goes(host: Lab, units: list[Entry]) -> None:
    (told,) = [each for each in host.foretell(*units)["unverified"] if each["rule"] == "socket-in-runtime-folder"]
    assert told["unit"] == units[0]["name"]
    assert host.apply(*units)["unverified"][0]["rule"] == "socket-in-runtime-folder"


def test_a_socket_in_a_folder_that_a_restart_leaves_stays(host: Lab) -> None:
    host.apply(*in_folder(1, RuntimeDirectoryPreserve="restart"))
    assert host.answer("/run/web/web.sock") == "1"
    result = host.settled(*in_folder(2, RuntimeDirectoryPreserve="restart"))
    assert result["restarted"] == ["web.service"]
    assert host.answer("/run/web/web.sock") == "2"


@pytest.mark.parametrize(
    "unit",
    [
        in_folder(1, RuntimeDirectoryPreserve=True),
        in_folder(1, RuntimeDirectory="other"),
        [*in_folder(1)[1:], {"name": "web.socket", "socket": {"ListenStream": "/run/website.sock"}, "enabled": False}],
    ],
)
def test_a_socket_that_stays_is_not_told_of(host: Lab, unit: list[Entry]) -> None:
    assert host.apply(*unit)["unverified"] == []


def test_a_dropin_gives_a_service_the_folder_of_its_socket(host: Lab) -> None:
    host.foreign("web.socket", "[Socket]\nListenStream=/run/web/web.sock\n", start=False)
    host.foreign("web.service", f"[Service]\nExecStart={server(1)}\n", start=False)
    folder = {"name": "web.service", "dropin": "a", "service": {"RuntimeDirectory": "web"}}
    assert [each["rule"] for each in host.apply(dropins=[folder])["unverified"]] == ["socket-in-runtime-folder"]
    host.sh("systemctl start web.socket")
    assert host.answer("/run/web/web.sock") == "1"
    result = host.settled(dropins=[{**folder, "environment": {"A": "1"}}])
    assert sorted(result["restarted"]) == ["web.service", "web.socket"]
    assert until(lambda: host.answer_now("/run/web/web.sock"), "nobody answers") == "1"
    host.sh("systemctl stop web.socket web.service")
