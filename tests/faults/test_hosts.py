# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that refuse: a full disk, a read-only /etc, a systemctl that fails or hangs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.testbed.host import Host

from . import scenarios
from .driving import GOAL, Driver

WRAPPER = f"""#!/bin/sh
# Fails, or hangs, when it is asked for $FAULT_VERB: every time, or the first time.
case " $* " in
  *" $FAULT_VERB "*)
    if [ "$FAULT_TIMES" = always ] || rm {GOAL}/armed 2>/dev/null; then
      [ "$FAULT_HOW" = hangs ] && exec sleep 600
      echo "Failed to do that: Connection timed out" >&2
      exit 1
    fi
esac
exec /usr/bin/systemctl "$@"
"""
CHANGES = ("stop", "disable", "unmask", "mask", "reenable", "enable", "daemon-reload", "reload", "restart", "start")
QUESTIONS = ("list-units", "show")
# Shorter than any command answers in a test that should pass, longer than systemctl takes.
DEADLINE = 3.0


@pytest.fixture(scope="module")
def session(driver: Driver) -> Driver:
    assert not driver.ask("prepare", scenarios.ALL)["complaints"]
    return driver


@pytest.fixture
def prepared(session: Driver) -> Driver:
    """A host about to be changed in every way: something stops, starts, restarts, comes, goes."""
    session.ask("rewind", scenarios.ALL)
    return session


@contextmanager
def full(host: Host, folder: str, pages: int) -> Iterator[None]:
    """A folder on a file system of its own, with room for so many small files."""
    host.sh(
        f"mkdir -p {folder} /mnt/small && mount -t tmpfs -o size=4m,mode=$(stat -c %a {folder}) tmpfs /mnt/small && "
        f"cp -a {folder}/. /mnt/small && mount --move /mnt/small {folder} && systemctl daemon-reload"
    )
    filler = f"{folder}/.filler"
    host.sh(f"cat /dev/zero > {filler} 2>/dev/null; truncate --size=-$((4096 * {pages})) {filler}", check=False)
    try:
        yield
    finally:
        host.sh(f"rm {filler}")


@contextmanager
def read_only(host: Host) -> Iterator[None]:
    host.sh("mount --bind /etc /etc && mount -o remount,bind,ro /etc")
    try:
        yield
    finally:
        host.sh("umount /etc")


def attempt(driver: Driver, **options: Any) -> dict[str, Any]:
    return driver.ask("attempt", scenarios.ALL, options=options)


def assert_refused(tried: dict[str, Any], words: str) -> None:
    """One clear error, and nothing has happened: no unit stopped, no file written, no record left."""
    result = tried["result"]
    assert result["failed"], result
    assert words in result["msg"]
    assert "unexpected" not in result["msg"]
    assert tried["untouched"], tried["changed"]


def assert_finished(driver: Driver) -> None:
    """Once the host is well again, so is the run."""
    assert not driver.ask("finish", scenarios.ALL)["found"]


@pytest.mark.parametrize(
    ("folder", "pages"),
    [
        ("/etc/systemd/system", 0),
        ("/etc/systemd/system", 2),
        ("/etc/unitwright", 0),
        ("/var/lib/unitwright", 0),
    ],
)
def test_full_disk_changes_nothing(prepared: Driver, folder: str, pages: int) -> None:
    host = prepared.host
    try:
        with full(host, folder, pages):
            tried = attempt(prepared)
        assert_refused(tried, "No space left on device")
        assert_finished(prepared)
    finally:
        host.sh(f"umount {folder} && systemctl daemon-reload")


def test_read_only_etc_changes_nothing(prepared: Driver) -> None:
    with read_only(prepared.host):
        tried = attempt(prepared)
    assert_refused(tried, "Read-only file system")
    assert_finished(prepared)


@pytest.fixture
def wrapper(prepared: Driver) -> Driver:
    prepared.host.write(f"{GOAL}/bin/systemctl", WRAPPER, mode=0o755)
    prepared.host.sh(f"touch {GOAL}/armed")
    return prepared


def broken(verb: str, how: str, times: str) -> dict[str, Any]:
    path = f"{GOAL}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    environ = {"PATH": path, "FAULT_VERB": verb, "FAULT_HOW": how, "FAULT_TIMES": times}
    return {"environ": environ, "deadline": DEADLINE}


@pytest.mark.parametrize("how", ["fails", "hangs"])
@pytest.mark.parametrize("verb", CHANGES)
def test_systemctl_that_fails_once_is_rolled_back(wrapper: Driver, verb: str, how: str) -> None:
    tried = attempt(wrapper, **broken(verb, how, "once"))
    assert tried["result"]["failed"], tried["result"]
    assert tried["result"]["rolled_back"], tried["result"]["msg"]
    assert not tried["changed"]
    assert_finished(wrapper)


@pytest.mark.parametrize("how", ["fails", "hangs"])
@pytest.mark.parametrize("verb", ["stop", "daemon-reload", "restart"])
def test_systemctl_that_keeps_failing_is_told_and_made_up_for(wrapper: Driver, verb: str, how: str) -> None:
    """The roll-back fails too: that is said loudly, and the next run finishes what is left."""
    tried = attempt(wrapper, **broken(verb, how, "always"))
    assert tried["result"]["failed"], tried["result"]
    assert "unexpected" not in tried["result"]["msg"]
    assert tried["result"]["rolled_back"] is ("ROLL-BACK FAILED" not in tried["result"]["msg"])
    assert_finished(wrapper)


@pytest.mark.parametrize("how", ["fails", "hangs"])
@pytest.mark.parametrize("verb", QUESTIONS)
def test_systemctl_that_does_not_answer_changes_nothing(wrapper: Driver, verb: str, how: str) -> None:
    tried = attempt(wrapper, **broken(verb, how, "always"))
    assert_refused(tried, verb)
    assert_finished(wrapper)
