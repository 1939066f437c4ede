# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Looks at a unit from outside: does what it is for answer?

Private to the collection.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Sequence, Tuple

from .manager import Manager

_TIMEOUT = 3.0
_COMMAND_TIMEOUT = 9.0


# What is expected of a unit that is to be up, whether it may end by itself or not.
LASTING = ("up", "unfailed")


@dataclass(frozen=True)
class Checks:
    """What one unit has to prove; the rest as the `health` option says.

    expect: up, down, done (its work), or unfailed: up, or ended well by itself.
    """

    expect: str
    stable_for: float = 0.0
    timeout: float = 60.0
    tcp: str = ""
    unix: str = ""
    http: str = ""
    command: Tuple[str, ...] = ()
    restarted: bool = False
    reloaded: bool = False

    @property
    def asks(self) -> bool:
        """Is there a check from outside?"""
        return bool(self.tcp or self.unix or self.http or self.command)


def probe(manager: Manager, check: Checks) -> str:
    """What the checks from outside complain of right now, "" if all that are given pass."""
    complaint = _connects(socket.AF_UNSPEC, check.tcp) if check.tcp else ""
    complaint = complaint or (_connects(socket.AF_UNIX, check.unix) if check.unix else "")
    complaint = complaint or (_answers(check.http) if check.http else "")
    return complaint or (_succeeds(manager, check.command) if check.command else "")


def _connects(family: int, address: str) -> str:
    try:
        if family == socket.AF_UNIX:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream:
                stream.settimeout(_TIMEOUT)
                stream.connect(address)
        else:
            host, _colon, port = address.rpartition(":")
            socket.create_connection((host.strip("[]") or "localhost", int(port)), timeout=_TIMEOUT).close()
    except (OSError, ValueError, OverflowError) as error:
        return f"{address}: {_reason(error)}"
    return ""


def _answers(url: str) -> str:
    """Any answer below 400; no proxy, since the check is about this host."""
    # A run without such a check, the most common, is spared a tenth of what its own imports cost.
    import http.client  # noqa: PLC0415
    import urllib.error  # noqa: PLC0415
    import urllib.request  # noqa: PLC0415

    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=_TIMEOUT):
            return ""
    except urllib.error.HTTPError as error:
        return f"{url} answers with {error.code}"
    except urllib.error.URLError as error:
        return f"{url}: {_reason(error.reason)}"
    except (OSError, ValueError, http.client.HTTPException) as error:
        return f"{url}: {_reason(error)}"


def _succeeds(manager: Manager, command: Sequence[str]) -> str:
    done = manager.run(command, timeout=_COMMAND_TIMEOUT)
    said = (done.err.strip() or done.out.strip()).rpartition("\n")[2]
    return f"{' '.join(command)}: exit code {done.code}{said and ', '}{said}" if done.code else ""


def _reason(error: object) -> str:
    return (error.strerror if isinstance(error, OSError) else "") or str(error) or type(error).__name__
