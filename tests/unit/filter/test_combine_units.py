# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host has of its own, over what all hosts have."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.filter.combine_units import combine_units

SHOP = {"name": "shop", "exec_start": "/opt/shop", "environment": {"A": "1", "B": "2"}, "wants": ["a.service"]}
CACHE = {"name": "cache.service", "service": {"ExecStart": "/opt/cache", "Nice": 1}}


@pytest.mark.parametrize(
    ("lists", "own", "expected"),
    [
        ({"units": [CACHE]}, [], {"units": [CACHE]}),
        (
            {"units": [CACHE]},
            [{"name": "cache.service", "service": {"Nice": 2}}],
            {"units": [{"name": "cache.service", "service": {"ExecStart": "/opt/cache", "Nice": 2}}]},
        ),
        (
            {"services": [SHOP], "sockets": [{"name": "shop", "listen_stream": "80"}], "units": [CACHE]},
            [
                {"name": "shop.socket", "listen_stream": "8080"},
                {"name": "shop.service", "environment": {"B": "3"}, "wants": ["b.service"]},
                {"name": "extra.path", "path": {"PathExists": "/a"}},
            ],
            {
                "services": [{**SHOP, "environment": {"A": "1", "B": "3"}, "wants": ["b.service"]}],
                "sockets": [{"name": "shop", "listen_stream": "8080"}],
                "units": [CACHE, {"name": "extra.path", "path": {"PathExists": "/a"}}],
            },
        ),
        # A name that is short names no unit.
        ({"services": [SHOP]}, [{"name": "shop"}], {"services": [SHOP], "units": [{"name": "shop"}]}),
        # What has to be refused goes to the module as it is.
        ({"units": [CACHE, CACHE]}, [{"name": "a.service"}], {"units": [CACHE, CACHE]}),
        (
            {"services": [SHOP, {"name": "shop.service"}]},
            [{"name": "shop.service", "nice": 1}],
            {"services": [SHOP, {"name": "shop.service"}], "units": [{"name": "shop.service", "nice": 1}]},
        ),
        ({"units": [CACHE]}, [CACHE, CACHE], {"units": [CACHE, CACHE]}),
        ({"units": [CACHE]}, "cache.service", {"units": "cache.service"}),
        ({"units": [{"exec_start": "/a"}, CACHE]}, [], {"units": [{"exec_start": "/a"}, CACHE]}),
    ],
)
def test_the_host_has_the_last_word(lists: dict[str, Any], own: Any, expected: dict[str, Any]) -> None:
    assert combine_units(lists, own) == expected
