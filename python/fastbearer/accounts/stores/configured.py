"""Users where the settings say: in our own table, or in those of Better Auth."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cached_property
from typing import Any

from fastbearer.accounts.database import Database
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

    def __getattr__(self, name: str) -> Any:
        """Return what the store of the settings has: its methods and its hasher."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._store, name)

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
