# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which texts of a module's options are hidden, and that no others are."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.unitwright.systemd.plugins.module_utils._desired.options import stack
from ansible_collections.unitwright.systemd.plugins.module_utils._run.hidden import hidden_texts, without_values


def hidden(**params: Any) -> set[str]:
    return set(hidden_texts({"name": "shop", **params}, stack()))


@pytest.mark.parametrize("option", ["secrets", "secret", "Secrets", "secrts", "credential", "my_credentials", "creds"])
def test_an_option_that_is_hidden_or_meant_for_one(option: str) -> None:
    for value in ("word", ["word"], {"TOKEN": "word"}, {"TOKEN": {"deep": ["word"]}}):
        entry = {"name": "web", option: value}
        assert hidden(services=[entry]) == {"word"}
        assert hidden(services=entry) == {"word"}
        assert hidden(servces=[entry]) == {"word"}
        assert hidden(units=[{"name": "web@.service", "instances": [entry]}]) == {"word"}
        assert hidden(defaults={option: value}) == {"word"}
        assert hidden(**{option: value}) == {"word"}


def test_options_that_are_given_as_text() -> None:
    assert hidden(units=["name=web.service secret=word"]) == {"word"}
    assert hidden(units=['{"name": "web.service", "Secrets": {"TOKEN": "word"}}']) == {"word"}


@pytest.mark.parametrize(
    "entry",
    [
        {"environment": {"SECRET": "a", "secret": "b"}},
        {"service": {"LoadCredential": ["a:/b"], "SetCredential": "a:b", "ImportCredential": "c"}},
        {"service": {"SetCredential": {"a": "b"}, "LoadCredential": {"a": "b"}}},
        {"enabld": True, "descripton": "of a secret", "exec_start": "/bin/credentials"},
    ],
)
def test_what_is_no_secret(entry: dict[str, Any]) -> None:
    assert hidden(units=[{"name": "web.service", **entry}]) == set()


def test_addresses_of_alerts() -> None:
    assert hidden(alerts={"ops": {"webhook": "https://a/b"}}) == {"https://a/b"}
    assert hidden(alerts={"ops": {"command": ["tell", "https://a/b"]}}) == {"https://a/b"}
    assert hidden(alerts={"ops": {"webhok": "https://a/b"}}) == {"https://a/b"}


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("TOKEN", set()),
        ("db.password-1@x", set()),
        ("TOKEN=word", {"TOKEN=word", "word"}),
        ("TOKEN: word", {"TOKEN: word", "word"}),
        # Of one so short every other word would be garbled.
        ("a/b", {"a/b"}),
    ],
)
def test_a_value_that_has_slipped_into_its_name(name: str, texts: set[str]) -> None:
    params = {"units": [{"secrets": {"A": "", name: ""}}]}
    assert hidden(**params) == texts
    shown = without_values(params, texts)
    assert list(shown["units"][0]["secrets"]) == ["A", "(name 2)" if texts else name]
