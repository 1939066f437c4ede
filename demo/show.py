# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prints a table of units and what URLs answer: show.py UNIT... URL... (read from standard input by show.yml)."""

from __future__ import annotations

import subprocess
import sys
import urllib.error
import urllib.request
from textwrap import shorten

PROPERTIES = (
    "Id",
    "LoadState",
    "ActiveState",
    "SubState",
    "UnitFileState",
    "MainPID",
    "NRestarts",
    "NextElapseUSecRealtime",
)
HEAD = ("UNIT", "LOAD", "STATE", "AT BOOT", "MAIN PID", "RESTARTS", "NEXT RUN")


def look(units):
    """One systemctl call; each unit's properties as a mapping."""
    command = ["systemctl", "show", "--property=" + ",".join(PROPERTIES), *units]
    blocks = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split("\n\n")
    return [dict(line.split("=", 1) for line in block.strip().splitlines()) for block in blocks]


def row(unit):
    process = unit.get("MainPID", "0") != "0"
    return (
        unit["Id"],
        unit["LoadState"],
        f"{unit['ActiveState']} ({unit['SubState']})",
        unit["UnitFileState"],
        unit["MainPID"] if process else "",
        unit["NRestarts"] if process else "",
        unit.get("NextElapseUSecRealtime", ""),
    )


def table(rows):
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip() for cells in rows]


def answer(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            # Ansible would print each quotation mark with a backslash.
            return shorten(response.read().decode().replace('"', ""), width=70, placeholder=" ...")
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.reason}"
    except OSError as error:
        return f"no answer: {error}"


def main(arguments):
    urls = [argument for argument in arguments if "://" in argument]
    units = [argument for argument in arguments if argument not in urls]
    print(*table([HEAD, *map(row, look(units))]), sep="\n", flush=True)
    print("", *table([(url, answer(url)) for url in urls]), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
