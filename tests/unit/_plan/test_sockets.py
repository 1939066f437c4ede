# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A socket starts only while its service is down, and another socket of that service would start it."""

from __future__ import annotations

from ansible_collections.unitwright.systemd.plugins.module_utils._host.graph import Graph, Node
from ansible_collections.unitwright.systemd.plugins.module_utils._host.manager import States, UnitState
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.policy import Act
from ansible_collections.unitwright.systemd.plugins.module_utils._plan.sockets import down_together, with_service
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.loadpath import LoadPath

FOLDER = "/etc/systemd/system"
UP = UnitState("loaded", "active", "running")


def graph(up: list[str], **relations: dict[str, tuple[str, ...]]) -> Graph:
    nodes = {name.replace("_", "."): Node(each, frozenset()) for name, each in relations.items()}
    return Graph(nodes, States(dict.fromkeys(up, UP)), 252)


TWO_SOCKETS = {"TriggeredBy": ("a.socket", "b.socket")}


def test_all_sockets_of_a_service_go_down_with_it() -> None:
    web = graph(["web.service", "a.socket", "b.socket"], web_service=TWO_SOCKETS, a_socket={}, b_socket={})
    assert down_together(["a.socket", "web.service"], web) == {
        "a.socket": "",
        "web.service": "",
        "b.socket": "it would start web.service, which goes down",
    }


def test_they_do_so_while_the_service_is_down() -> None:
    web = graph(["a.socket", "b.socket"], web_service=TWO_SOCKETS, a_socket={}, b_socket={})
    assert set(down_together(["a.socket", "web.service"], web)) == {"a.socket", "b.socket"}


def test_what_needs_the_service_goes_down_with_it() -> None:
    needed = {"TriggeredBy": ("a.socket",), "RequiredBy": ("worker.service",)}
    web = graph(["web.service", "a.socket", "worker.service"], web_service=needed, a_socket={}, worker_service={})
    assert down_together(["a.socket", "web.service"], web)["worker.service"] == "goes down with web.service"


def test_a_timer_is_no_socket() -> None:
    web = graph(["web.service", "web.timer"], web_service={"TriggeredBy": ("web.timer",)})
    assert down_together(["web.service"], web) == {"web.service": ""}


def acts(text: str, verb: str, socket_is_up: bool) -> list[tuple[str, str]]:
    loadpath = LoadPath((FOLDER,), {FOLDER: frozenset(["a.socket"])}, {}, {f"{FOLDER}/a.socket": text.encode()})
    states = States({"a.socket": UP} if socket_is_up else {})
    return [(act.verb, act.unit) for act in with_service([Act(verb, "a.socket", "why")], loadpath, states)]


def test_a_socket_asks_its_service_to_go_down() -> None:
    text = "[Socket]\nListenStream=/run/a\n"
    assert acts(text, "cycle", True) == [("cycle", "a.socket"), ("cycle", "a.service")]
    assert acts(text, "start", False) == [("cycle", "a.service"), ("start", "a.socket")]


def test_a_socket_that_listens_already_is_not_opened_by_a_start() -> None:
    assert acts("[Socket]\nListenStream=/run/a\n", "start", True) == [("start", "a.socket")]


def test_connections_of_their_own_and_names_that_nobody_can_tell_ask_nothing() -> None:
    for more in ("Accept=yes", "Service=%H.service"):
        text = f"[Socket]\nListenStream=/run/a\n{more}\n"
        assert acts(text, "cycle", True) == [("cycle", "a.socket")]
