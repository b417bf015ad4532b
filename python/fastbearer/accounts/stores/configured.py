"""Users where the settings say: in our own table, or in those of Better Auth."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cached_property

from fastbearer import PasswordHash
from fastbearer.accounts.database import Database
from fastbearer.accounts.models import User
from fastbearer.accounts.stores.better_auth import BetterAuthUserStore
from fastbearer.accounts.stores.database import DatabaseUserStore
from fastbearer.connections.pooler import pooled
from fastbearer.fastapi import Settings

__all__ = ["ConfiguredUserStore"]


class ConfiguredUserStore:
    """The store that the settings name; they are asked when it is needed.

    Args:
        settings: Gives the settings.
        database: For our own table.
    """

    def __init__(self, settings: Callable[[], Settings], database: Database) -> None:
        self._settings = settings
        self._database = database

    @property
    def hasher(self) -> PasswordHash | None:
        """The store's own hasher, or None for that of ``PASSWORD_SCHEME``."""
        return getattr(self._store, "hasher", None)

    @asynccontextmanager
    async def lifespan(self, app: object) -> AsyncIterator[None]:
        """Run the store's lifespan, if it has one.

        Raises:
            ConfigurationError: The settings name nothing that is fit for use.
        """
        if isinstance(self._store, DatabaseUserStore):
            yield
            return
        async with self._store.lifespan(app):
            yield

    async def ping(self) -> None:
        """Ask the database something, if it is not that of ``DATABASE_URL``.

        Raises:
            StoreUnavailableError: It does not answer.
        """
        if isinstance(self._store, BetterAuthUserStore):
            await self._store.ping()

    async def add(self, user: User) -> None:
        """As in `UserStore`."""
        await self._store.add(user)

    async def find_by_email(self, email: str) -> User | None:
        """As in `UserStore`."""
        return await self._store.find_by_email(email)

    async def find(self, user_id: str) -> User | None:
        """As in `UserStore`."""
        return await self._store.find(user_id)

    async def replace_password_hash(self, user: User, password_hash: str) -> bool:
        """As in `UserStore`."""
        return await self._store.replace_password_hash(user, password_hash)

    async def verify_email(self, user: User) -> None:
        """As in `UserStore`."""
        await self._store.verify_email(user)

    async def remove(self, user: User) -> None:
        """As in `UserStore`."""
        await self._store.remove(user)

    @cached_property
    def _store(self) -> DatabaseUserStore | BetterAuthUserStore:
        settings = self._settings()
        if settings.better_auth_database_url is None:
            return DatabaseUserStore(self._database)
        url = settings.better_auth_database_url
        return BetterAuthUserStore(
            pooled(url, settings.database_pooler, "BETTER_AUTH_DATABASE_URL"),
            upgrade_hashes=settings.better_auth_upgrade_hashes,
        )
