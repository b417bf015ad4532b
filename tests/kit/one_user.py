"""Credentials of a store that has one user."""

from __future__ import annotations

from typing import Any, cast

from accounts_kit import EMAIL
from fastbearer import PasswordHash
from fastbearer.accounts import User
from fastbearer.accounts.credentials import Credentials
from fastbearer.accounts.stores.checked import CheckedUserStore
from fastbearer.fastapi import Settings
from project import SECRET


class OneUserStore:
    """A store of one user, whose hash is replaced in place."""

    def __init__(self) -> None:
        self.replaced: list[str] = []

    async def replace_password_hash(self, user: User, password_hash: str) -> bool:
        self.replaced.append(password_hash)
        return True


def user_with(stored: str) -> User:
    return User(id="1", email=EMAIL, password_hash=stored)


def credentials(
    hasher: PasswordHash | None, store: OneUserStore | None = None, **settings: Any
) -> Credentials:
    made = Settings(better_auth_secret=SECRET, **settings)
    users = CheckedUserStore(cast(Any, store or OneUserStore()))
    return Credentials(lambda: made, users, hasher)
