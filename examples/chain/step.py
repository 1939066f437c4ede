# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One link of a chain: step.py NAME [UPSTREAM]. It comes up only if its upstream answers already.

Asked on its socket, it says its own name and what it heard from upstream: c says "c <- b <- a".
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys

import sdnotify


def endpoint(name: str) -> str:
    return f"/run/service-{name}/socket"


def ask(name: str) -> str:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(endpoint(name))
        return client.makefile().read()


def main(name: str, upstream: str = "") -> None:
    answer = f"{name} <- {ask(upstream)}" if upstream else name
    with socket.create_server(endpoint(name), family=socket.AF_UNIX) as server:
        os.chmod(endpoint(name), 0o666)
        sdnotify.SystemdNotifier().notify(f"READY=1\nSTATUS={answer}")
        while True:
            client, _address = server.accept()
            # Who merely tries the socket does not stay for the answer.
            with client, contextlib.suppress(BrokenPipeError):
                client.sendall(answer.encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
