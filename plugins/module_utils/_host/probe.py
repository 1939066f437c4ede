# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The looks at a unit from outside that belong to the option `health`.

A check is read as it is declared and tried on the host by one class, its row in CHECKS; its option is in health.py.
Private to the collection.
"""

from __future__ import annotations

import socket
from typing import Any, Dict, Mapping, NamedTuple, Optional, Protocol, Sequence, Tuple, Type
from urllib.parse import urlsplit

from .._syntax.characters import to_utf8
from .._syntax.rule import Refusals, Refused, shown
from .health import ATTEMPT, Place
from .manager import Manager

_MOST_PORTS = 65535
# sockaddr_un holds 108 bytes, with the NUL at the end (unix(7)).
_LONGEST_SOCKET = 107


class Check(Protocol):
    """Does what a unit is for answer?"""

    @classmethod
    def read(cls, given: Any) -> Check:
        """The check that is declared. Raises Refused for one that could never pass."""

    def complaint(self, manager: Manager, seconds: float = ATTEMPT) -> str:
        """What is wrong right now, "" if it passes; no answer in that time is wrong too."""

    @property
    def place(self) -> Optional[Place]:
        """Where it connects to, None if only it knows."""

    @property
    def program(self) -> str:
        """What it runs, "" if it runs nothing."""


class Tcp(NamedTuple):
    """A connection to HOST:PORT that has to be accepted."""

    address: str

    @classmethod
    def read(cls, given: str) -> Tcp:
        host, colon, port = given.rpartition(":")
        if not (colon and _is_port(port) and _is_host(host)):
            raise Refused(f"health: tcp is HOST:PORT, not {shown(given)}")
        return cls(given)

    @property
    def place(self) -> Place:
        host, _colon, port = self.address.rpartition(":")
        return Place(host.strip("[]") or "localhost", int(port))

    @property
    def program(self) -> str:
        return ""

    def complaint(self, manager: Manager, seconds: float = ATTEMPT) -> str:
        try:
            socket.create_connection((self.place.host, self.place.port), timeout=seconds).close()
        except (OSError, ValueError, OverflowError) as error:
            return f"{self.address}: {_reason(error)}"
        return ""


class Unix(NamedTuple):
    """A connection to a Unix socket that has to be accepted."""

    path: str

    @classmethod
    def read(cls, given: str) -> Unix:
        if not given.startswith("/"):
            raise Refused(f"health: unix is an absolute path, not {shown(given)}")
        size = len(given.encode("utf-8"))
        if size > _LONGEST_SOCKET:
            raise Refused(f"health: unix has {size} bytes, and the path of a socket at most {_LONGEST_SOCKET}")
        return cls(given)

    @property
    def place(self) -> Place:
        return Place(path=self.path)

    @property
    def program(self) -> str:
        return ""

    def complaint(self, manager: Manager, seconds: float = ATTEMPT) -> str:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream:
                stream.settimeout(seconds)
                stream.connect(self.path)
        except (OSError, ValueError, OverflowError) as error:
            return f"{self.path}: {_reason(error)}"
        return ""


class Http(NamedTuple):
    """A URL that has to be answered with a status below 400; no proxy, since the check is about this host."""

    url: str

    @classmethod
    def read(cls, given: str) -> Http:
        if not given.isascii() or " " in given:
            raise Refused(
                f"health: http has a blank or a letter outside ASCII, which no request can hold: {shown(given)}; "
                "write it percent-encoded (%20), and in a host's name as xn--..."
            )
        if not _is_url(given):
            raise Refused(f"health: http is a URL that starts with http:// or https://, not {shown(given)}")
        if "@" in urlsplit(given).netloc:
            raise Refused("health: http takes no user or password in its URL: use command with a client that does")
        return cls(given)

    @property
    def place(self) -> Place:
        parts = urlsplit(self.url)
        return Place(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))

    @property
    def program(self) -> str:
        return ""

    def complaint(self, manager: Manager, seconds: float = ATTEMPT) -> str:
        # A run without such a check, the most common, is spared a tenth of what its own imports cost.
        import http.client  # noqa: PLC0415
        import urllib.error  # noqa: PLC0415
        import urllib.request  # noqa: PLC0415

        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(self.url, timeout=seconds):
                return ""
        except urllib.error.HTTPError as error:
            return f"{self.url} answers with {error.code}"
        except urllib.error.URLError as error:
            plain = self._is_plain(error.reason, seconds)
            return f"{self.url}: {'it speaks plain http there: write http://' if plain else _reason(error.reason)}"
        except http.client.BadStatusLine as error:
            # A record of TLS that tells of an error (RFC 8446, 5.1).
            tls = str(error).startswith("\x15\x03")
            return f"{self.url}: {'it speaks TLS there: write https://' if tls else _reason(error)}"
        except (OSError, ValueError, http.client.HTTPException) as error:
            return f"{self.url}: {_reason(error)}"

    def _is_plain(self, error: object, seconds: float) -> bool:
        """Is there no TLS where it was expected? Asked only where the attempt has failed by no certificate."""
        import ssl  # noqa: PLC0415

        if not isinstance(error, ssl.SSLError) or isinstance(error, ssl.SSLCertVerificationError):
            return False
        parts = urlsplit(self.url)
        try:
            with socket.create_connection((parts.hostname, parts.port or 443), timeout=seconds) as stream:
                stream.sendall(b"HEAD / HTTP/1.0\r\n\r\n")
                return stream.recv(64).startswith(b"HTTP/")
        except OSError:
            return False


class Command(NamedTuple):
    """A command that has to end with exit status 0."""

    words: Tuple[str, ...]

    @classmethod
    def read(cls, given: Sequence[str]) -> Command:
        if not given[0]:
            raise Refused("health: command is empty: name a program")
        if len(given) == 1 and " " in given[0]:
            raise Refused(
                f"health: command is one word with blanks, {shown(given[0])}, and no shell splits it: write a "
                "list, a word each; if the program's own name has them, begin it with env"
            )
        return cls(tuple(given))

    @property
    def place(self) -> None:
        return None

    @property
    def program(self) -> str:
        return self.words[0]

    def complaint(self, manager: Manager, seconds: float = ATTEMPT) -> str:
        done = manager.run(self.words, timeout=seconds)
        said = (done.err.strip() or done.out.strip()).rpartition("\n")[2]
        return f"{' '.join(self.words)}: exit code {done.code}{said and ', '}{said}" if done.code else ""


# In the order in which they are tried; the first complaint counts.
CHECKS: Dict[str, Type[Check]] = {"tcp": Tcp, "unix": Unix, "http": Http, "command": Command}


def read_checks(options: Mapping[str, Any]) -> Tuple[Check, ...]:
    """The checks that are declared. Raises Refused for all that could never pass."""
    given = {option: options[option] for option in CHECKS if options.get(option)}
    found, wrong = [], Refusals()
    for option, value in given.items():
        with wrong.noted(option):
            _refuse_unprintable(option, [value] if isinstance(value, str) else value)
            found.append(CHECKS[option].read(value))
    wrong.tell()
    return tuple(found)


def _refuse_unprintable(option: str, texts: Sequence[str]) -> None:
    if any(char < " " or char == "\x7f" for text in texts for char in text):
        raise Refused(f"health: {option} contains a control character: take it out")
    to_utf8("".join(texts), f"health: {option}")


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and 0 < int(text) <= _MOST_PORTS


def _is_host(host: str) -> bool:
    """No label may be longer than 63, or a look-up is not even begun."""
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return " " not in host


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(host) and _is_host(host or "") and port != 0


def _reason(error: object) -> str:
    return (error.strerror if isinstance(error, OSError) else "") or str(error) or type(error).__name__
