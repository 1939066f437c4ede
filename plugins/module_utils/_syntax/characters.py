# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which characters a unit file can carry.

Private to the collection.
"""

from __future__ import annotations

import unicodedata

from .rule import Refused

# systemd's WHITESPACE: what it strips from both ends of a line, a name and a value.
WHITESPACE = " \t\n\r"
# systemd's LONG_LINE_MAX: a line that reaches it, in bytes, makes the whole unit fail to load.
LINE_MAX = 1024 * 1024


def refuse_unwritable(text: str, what: str) -> None:
    """Raise Refused unless `text` can stand in one line of a unit file.

    NUL and line breaks end a line. Other control characters are never meant. systemd drops a line that is not
    UTF-8, and its utf8_is_valid() also counts surrogates and noncharacters as such. `what` names the text in
    the error, which never repeats it: it may be a secret.
    """
    if text.isprintable():
        return
    for character in text:
        if character in "\n\r":
            raise Refused(f"{what} contains a line break: write it in one line, or as a list of values")
        code = ord(character)
        if character != "\t" and unicodedata.category(character) == "Cc":
            raise Refused(f"{what} contains the control character U+{code:04X}: take it out")
        if 0xD800 <= code <= 0xDFFF:
            raise Refused(f"{what} is not valid UTF-8: systemd would drop the line")
        if code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF:
            raise Refused(f"{what} contains the noncharacter U+{code:04X}: systemd would drop the line")


def to_utf8(text: str, what: str) -> bytes:
    """The bytes of a text of any lines. Raises Refused for half a surrogate pair, which YAML's escapes can write."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise Refused(f"{what} is not valid UTF-8: it holds half of a surrogate pair") from None


def refuse_value(value: str, what: str) -> None:
    """Raise Refused unless `value` can be the right-hand side of an assignment and reads back the same."""
    if value.isprintable() and value == value.strip(WHITESPACE) and not value.endswith("\\"):
        return
    refuse_unwritable(value, what)
    if value != value.strip(WHITESPACE):
        raise Refused(f"{what} starts or ends with white space, which systemd strips: quote or drop it")
    if continues(value):
        raise Refused(f"{what} ends in a backslash, which would join the next line to it: double it")


def continues(line: str) -> bool:
    """Whether a line goes on in the next: backslashes pair up, and an odd number at the end leaves one."""
    return line.endswith("\\") and (len(line) - len(line.rstrip("\\"))) % 2 == 1
