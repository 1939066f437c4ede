# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One link of a chain: step.py NAME [UPSTREAM]. It comes up only if its upstream answers already.

Asked on its socket, it says its own name and what it heard from upstream: c says "c <- b <- a".
"""

from __future__ import annotations

import os
import socket
import sys


def endpoint(name: str) -> str:
    return f"/run/service-{name}/socket"


def ask(name: str) -> str:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(endpoint(name))
        return client.makefile().read()


def notify(state: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.sendto(state.encode(), os.environ["NOTIFY_SOCKET"].replace("@", "\0", 1))


def main(name: str, upstream: str = "") -> None:
    answer = f"{name} <- {ask(upstream)}" if upstream else name
    with socket.create_server(endpoint(name), family=socket.AF_UNIX) as server:
        notify(f"READY=1\nSTATUS={answer}")
        while True:
            client, _address = server.accept()
            with client:
                client.sendall(answer.encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
