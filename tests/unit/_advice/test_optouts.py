# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is no opt-out, or has a value that it cannot have, is refused with what is meant."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._advice.optouts import needs
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.rule import Refused


@pytest.mark.parametrize(
    ("allow", "told"),
    [
        (["netwrok"], "there is nothing called 'netwrok' to allow: did you mean network?"),
        (["zzz"], "there are network, netlink"),
        ([7], "allow takes names, or mappings"),
        ([{"network": "local", "jit": True}], "mappings of one name"),
        (["jit", "jit"], "jit is there twice"),
        ([{"jit": "yes"}], "jit takes no value"),
        ([{"network": None}], "network has an empty value"),
        ([{"network": "lokal"}], "'lokal' is no address or network"),
        ([{"network": ["10.0.0.0/33"]}], "'10.0.0.0/33' is no address or network"),
        ([{"network": []}], "network takes any"),
        ([{"devices": ["ttyUSB0"]}], "'ttyUSB0' is no absolute path"),
        ([{"devices": ["/etc/passwd"]}], "does not lie in /dev"),
        ([{"home": ["/srv/app"]}], "does not lie in /home"),
        ([{"home": "some"}], "'some' is no absolute path"),
        (["groups"], "groups takes a list of groups"),
        ([{"groups": ["a b"]}], "'a b' is no name of a group"),
        ([{"groups": [""]}], "'' is no name of a group"),
        ([{"devices": ["char-"]}], "'char-' is no absolute path"),
    ],
)
def test_opt_outs(allow: list[Any], told: str) -> None:
    with pytest.raises(Refused) as refused:
        needs(allow, [])
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("srv", "'srv' is no absolute path"),
        (7, "'7' is no absolute path"),
        ("/", "/ is all there is"),
        ("//", "/ is all there is"),
        ("/srv/../etc", "leads upwards"),
        ("/srv\nProtectSystem=no", "has a character that such a path cannot have"),
        ('/srv" /etc "', "has a character that such a path cannot have"),
        ("/home/app", "hidden with all of /home, /root and /run/user: add {home: [/home/app]} to allow"),
    ],
)
def test_paths(path: Any, told: str) -> None:
    with pytest.raises(Refused) as refused:
        needs([], [path])
    assert told in str(refused.value)


@pytest.mark.parametrize("allow", [[], ["home"], [{"home": ["/home/app"]}]])
def test_good_paths(allow: list[Any]) -> None:
    path = "/home/app/data" if allow else "/srv/a b/"
    assert needs(allow, [path]).more[0] == ("ReadWritePaths", "-/home/app/data" if allow else '"-/srv/a b"')


def test_a_path_that_may_be_missing_is_written_as_systemd_has_it() -> None:
    assert needs([], ["-/srv/a", "/srv/b"]).more == (("ReadWritePaths", "-/srv/a"), ("ReadWritePaths", "-/srv/b"))


def test_what_has_to_be_there() -> None:
    allow = [{"devices": ["/dev/a", "-/dev/b"]}, {"home": ["/home/a", "-/home/b"]}]
    found = needs(allow, ["/srv/a", "-/srv/b"])
    assert found.needed == (("/srv/a", "ReadWritePaths"), ("/dev/a", "BindPaths"), ("/home/a", "BindPaths"))
    assert ("BindPaths", "-/dev/b") in found.more
    # Of a class, the /dev is that of the host.
    assert needs([{"devices": ["/dev/a", "char-ttyUSB"]}], []).needed == ()
