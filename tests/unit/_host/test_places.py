# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where files lie, and who may do what, scope by scope."""

from __future__ import annotations

import re

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._desired import options
from ansible_collections.unitwright.systemd.plugins.module_utils._host.places import Places, places
from ansible_collections.unitwright.systemd.plugins.module_utils._host.scopes import SCOPES, Scope, scope_of

LOGIN = {"HOME": "/home/ann", "XDG_RUNTIME_DIR": "/run/user/7"}
XDG = {"XDG_CONFIG_HOME": "/c", "XDG_DATA_HOME": "/d", "XDG_STATE_HOME": "/s"}


SYSTEM = ("/etc/systemd/system", "/etc/unitwright", "/var/lib/unitwright/system", "/run/systemd")
GLOBAL = ("/etc/systemd/user", "/var/lib/unitwright/global/secrets", "/var/lib/unitwright/global", "")
HOME = ("/.config/systemd/user", "/.config/unitwright", "/.local/state/unitwright")
MANAGER = "/run/user/7/systemd"
BRACES = {**LOGIN, "HOME": "/h/{config}"}


@pytest.mark.parametrize(
    ("where", "units", "secrets", "state", "manager", "lock"),
    [
        (places("system", "", {}), *SYSTEM, SYSTEM[0]),
        (places("system", "/", {}), *SYSTEM, SYSTEM[0]),
        (places("system", "/i/", {}), *("/i" + each for each in SYSTEM[:3]), "", "/i/etc/systemd/system"),
        (places("global", "", {}), *GLOBAL, GLOBAL[0]),
        (places("global", "/i", {}), *("/i" + each for each in GLOBAL[:3]), "", "/i/etc/systemd/user"),
        (places("user", "", LOGIN), *("/home/ann" + each for each in HOME), MANAGER, MANAGER),
        (places("user", "", BRACES), *("/h/{config}" + each for each in HOME), MANAGER, MANAGER),
        (
            places("user", "", {**LOGIN, **XDG}),
            *("/c/systemd/user", "/c/unitwright", "/s/unitwright", MANAGER, MANAGER),
        ),
    ],
)
def test_the_folders(where: Places, units: str, secrets: str, state: str, manager: str, lock: str) -> None:
    found = (where.units, where.secrets, where.state, where.manager, where.lock)
    assert found == (units, secrets, state, manager, lock)


def test_the_load_path_of_the_system() -> None:
    """systemd.unit(5), Table 1; a folder of generators before /etc, the other two after it."""
    lookup = places("system", "/i", {}).lookup
    assert len(lookup) == 13
    assert lookup[:2] == ("/i/etc/systemd/system.control", "/i/run/systemd/system.control")
    etc, run, usr = (f"/i/{folder}/systemd/system" for folder in ("etc", "run", "usr/lib"))
    generated = [f"/i/run/systemd/generator{each}" for each in (".early", "", ".late")]
    order = [generated[0], etc, run, generated[1], usr, generated[2]]
    assert [folder for folder in lookup if folder in order] == order


def test_the_load_path_of_a_user() -> None:
    """systemd.unit(5), Table 2."""
    assert places("user", "", {**LOGIN, **XDG}).lookup == (
        "/c/systemd/user.control",
        "/run/user/7/systemd/user.control",
        "/run/user/7/systemd/transient",
        "/run/user/7/systemd/generator.early",
        "/c/systemd/user",
        "/etc/systemd/user",
        "/run/user/7/systemd/user",
        "/run/systemd/user",
        "/run/user/7/systemd/generator",
        "/d/systemd/user",
        "/usr/local/lib/systemd/user",
        "/usr/local/share/systemd/user",
        "/usr/lib/systemd/user",
        "/usr/share/systemd/user",
        "/run/user/7/systemd/generator.late",
    )


@pytest.mark.parametrize(
    ("where", "version", "folders"),
    [
        (places("system", "/i", {}), 252, ["/run", "/var/lib", "/var/cache", "/var/log", "/etc"]),
        (places("user", "", LOGIN), 253, ["/run/user/7", "{config}", "/home/ann/.cache", "{config}/log", "{config}"]),
        (places("user", "", LOGIN), 254, ["/run/user/7", "{state}", "/home/ann/.cache", "{state}/log", "{config}"]),
        (
            places("user", "", {**LOGIN, **XDG, "XDG_CACHE_HOME": "/x"}),
            *(257, ["/run/user/7", "/s", "/x", "/s/log", "/c"]),
        ),
    ],
)
def test_where_systemd_makes_folders_for_a_unit(where: Places, version: int, folders: list[str]) -> None:
    """systemd.exec(5), Table 2; a user's state has moved with 254."""
    names = [f"{each}Directory" for each in ("Runtime", "State", "Cache", "Logs", "Configuration")]
    home = {"config": "/home/ann/.config", "state": "/home/ann/.local/state"}
    assert where.made(version) == dict(zip(names, (each.format(**home) for each in folders), strict=True))


def test_where_it_makes_them_for_users_that_nobody_knows() -> None:
    assert places("global", "", {}).made(257) == {}


def test_what_all_users_share() -> None:
    assert places("global", "", {}).lookup == (
        *("/etc/systemd/user", "/run/systemd/user", "/usr/local/lib/systemd/user"),
        *("/usr/local/share/systemd/user", "/usr/lib/systemd/user", "/usr/share/systemd/user"),
    )


def test_the_files_of_a_unit() -> None:
    where = places("system", "/i", {})
    assert where.unit_file("a.service") == "/i/etc/systemd/system/a.service"
    assert where.dropin_file("a.service", "x.conf") == "/i/etc/systemd/system/a.service.d/x.conf"
    assert where.environment_file("o", "a.service") == "/i/etc/unitwright/o/a.service.env"
    assert where.credential_file("o", "a.service", "k") == "/i/etc/unitwright/o/a.service.credentials/k"
    assert where.inside("/i/etc/unitwright/o") == "/etc/unitwright/o"
    assert places("system", "", {}).inside("/etc/x") == "/etc/x"


@pytest.mark.parametrize(
    ("path", "own"),
    [
        ("/etc/systemd/system/a.service", []),
        ("/etc/systemd/system/a.service.d/x.conf", ["/etc/systemd/system/a.service.d"]),
        ("/etc/unitwright/o/a.service.env", ["/etc/unitwright/o", "/etc/unitwright"]),
    ],
)
def test_folders_that_have_no_use_without_the_file(path: str, own: list[str]) -> None:
    assert list(places("system", "", {}).own_folders(path)) == own


def having(cell: str) -> set[str]:
    return {name for name, row in SCOPES.items() if getattr(row, cell)}


def test_what_tells_the_scopes_apart() -> None:
    assert list(SCOPES) == options.host()["scope"]["choices"] == ["system", "user", "global"]
    assert {row.flag for row in SCOPES.values()} == {"--system", "--user", "--global"}
    assert [row._field_defaults for row in SCOPES.values()] == [{}, {}, {}]
    assert having("is_of_host") == {scope_of(None).name} == {scope_of("").name} == {"system"}
    assert having("by_root") == {"system", "global"}
    assert having("has_manager") == {"system", "user"}
    assert having("in_home") == having("of_session") == {"user"}
    assert having("keeps_stamps") == {"system"}
    assert having("takes_secrets") == {"system", "user"}
    assert having("of_users") == having("lacking") == {"user", "global"}
    assert {name: row.journal_prefix for name, row in SCOPES.items()} == {"system": "", "user": "USER_", "global": ""}
    assert SCOPES["user"].lacking == {"multi-user.target", "graphical.target"}


def test_each_field_of_a_scope_has_its_sentence() -> None:
    assert len(Scope._fields) <= 12
    assert [name for name in Scope._fields if not re.search(rf"\b{name}:\s", Scope.__doc__ or "")] == []
