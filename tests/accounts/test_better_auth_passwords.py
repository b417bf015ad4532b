"""Passwords in Better Auth's tables are as long as Better Auth says they are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from better_auth_server import VERSIONS, Start, better_auth_servers
from fastbearer.accounts.credentials import Credentials
from fastbearer.accounts.stores.better_auth import BetterAuthUserStore
from fastbearer.better_auth.passwords import password_length
from fastbearer.errors import PasswordRuleError
from fastbearer.fastapi import Settings
from project import SECRET

PASSWORDS = {
    "128 characters": "x" * 128,
    "129 characters": "x" * 129,
    "64 keys": "\U0001f511" * 64,
    "65 keys": "\U0001f511" * 64 + "x",
    "128 accents": "\u00e9" * 128,
    "128 accents that are composed": "e\u0301" * 64,
    "65 of them": "e\u0301" * 65,
    "8 code units": "\U0001f511" * 4,
    "7 characters": "x1y2z3!",
}


@pytest.fixture(scope="module")
def start() -> Iterator[Start]:
    with better_auth_servers() as start:
        yield start


@pytest.mark.node
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", PASSWORDS)
def test_a_password_is_as_long_as_the_server_says(
    start: Start, version: str, name: str
) -> None:
    """Whoever signs up here signs in there, and the other way round."""
    password, server = PASSWORDS[name], start(version)
    body = {"name": "Ada", "email": f"{hash(name)}@example.com", "password": password}
    there = server.post("/sign-up/email", body).json()
    is_too_long = there.get("code") == "PASSWORD_TOO_LONG"
    settings = Settings(better_auth_secret=SECRET, password_refuse_common=False)
    store = BetterAuthUserStore("sqlite+aiosqlite:///nowhere.db")
    mine = Credentials(lambda: settings, store)
    if is_too_long:
        for check in (
            mine.check_length,
            lambda one: mine.check_new(one, "a@b.example"),
        ):
            with pytest.raises(PasswordRuleError):
                check(password)
    else:
        mine.check_length(password)
        assert password_length(password) <= 128


def test_lone_surrogates_have_a_length() -> None:
    assert password_length("\ud800x\U0001f511") == 4
