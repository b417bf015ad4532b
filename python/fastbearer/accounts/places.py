"""Where the accounts keep what is not in the store of users."""

import logging

from fastbearer.accounts.database import Database
from fastbearer.accounts.database_revocations import DatabaseRevocations
from fastbearer.connections.pooler import pooled
from fastbearer.errors import ConfigurationError
from fastbearer.fastapi import Auth
from fastbearer.revocation import MemoryRevocations, RevocationStore

__all__ = ["Places", "log_sessions"]

NO_DATABASE = (
    "DATABASE_URL must be set: the users are in a store of their own, and there is no"
    " database for {}"
)
ELSEWHERE = "a store of the application's own"
LONG_DAYS = 1
"""Of an access token that can be refreshed (RFC 9700 2.2.1 has them live shortly)."""

logger: logging.Logger = logging.getLogger("fastbearer")


class Places:
    """Knows the database of ``DATABASE_URL``, and what is kept there.

    Args:
        auth: Has the settings; they are asked when needed.
        is_own_store: Whether the users are in a store of the project's own.
        has_codes: Whether codes are kept.

    Attributes:
        database: The database.
    """

    def __init__(self, auth: Auth, *, is_own_store: bool, has_codes: bool) -> None:
        self._auth = auth
        self._is_own_store = is_own_store
        self._has_codes = has_codes
        self.database: Database = Database(self._database_url)

    @property
    def needs_database(self) -> bool:
        """Whether anything is kept in the database."""
        return bool(self._needs())

    def database_revocations(self) -> RevocationStore:
        """Return the store of ``REVOCATION=database``."""
        auth = self._auth
        lag = auth.settings.revocation_lag_seconds
        return DatabaseRevocations(self.database, auth.clock, max_lag=lag)

    def own_revocations(self) -> RevocationStore:
        """Return the store of ``REVOCATION=auto``.

        Where the users are elsewhere, no database is opened that nobody has named.
        """
        if self._has_database_url() or not self._is_elsewhere():
            return self.database_revocations()
        if self._auth.redis is not None:
            return self._auth.redis_revocations()
        return MemoryRevocations(self._auth.clock)

    def _needs(self) -> list[str]:
        """Return what is kept in the database of ``DATABASE_URL``."""
        settings = self._auth.settings
        is_auto = settings.revocation == "auto" and self._has_database_url()
        reasons = {
            "codes (send)": self._has_codes,
            "invitations (SIGN_UP=invitation)": settings.sign_up == "invitation",
            "refresh tokens (REFRESH_TOKENS)": settings.refresh_tokens,
            "revocations (REVOCATION=database)": settings.revocation == "database",
            "revocations": is_auto,
        }
        return [what for what, is_kept in reasons.items() if is_kept]

    def _database_url(self) -> str:
        """Return the URL that was asked for.

        The default is a file beside the application. Where the users are kept
        elsewhere nobody expects one, and in a container it is soon lost.

        Raises:
            ConfigurationError: The users are elsewhere, and there is no URL.
        """
        if self._is_elsewhere() and not self._has_database_url():
            kept = ", ".join(self._needs()) or "what the application keeps"
            raise ConfigurationError(NO_DATABASE.format(kept))
        settings = self._auth.settings
        return pooled(settings.database_url, settings.database_pooler, "DATABASE_URL")

    def _is_elsewhere(self) -> bool:
        """Tell whether the users are in another database than ``DATABASE_URL``'s."""
        url = self._auth.settings.better_auth_database_url
        return self._is_own_store or url is not None

    def _has_database_url(self) -> bool:
        return "database_url" in self._auth.settings.model_fields_set


def log_sessions(auth: Auth) -> None:
    """Say in the log what is in force."""
    settings, store = auth.settings, auth.revocations
    if store is None:
        logger.warning(
            "sessions: REVOCATION=off: access tokens live for %s days, whatever ends",
            settings.jwt_expiration_days,
        )
    elif isinstance(store, MemoryRevocations):
        logger.warning(
            "sessions: what ends is known to this process alone, until it stops;"
            " for more, set DATABASE_URL or REDIS_URL"
        )
    else:
        logger.info(
            "sessions: what ends is kept in %s, and read every second; without it"
            " for %s seconds, tokens are %s",
            getattr(store, "place", ELSEWHERE),
            settings.revocation_lag_seconds,
            "refused" if settings.revocation_failure == "closed" else "taken",
        )
    if settings.refresh_tokens and settings.jwt_expiration_days >= LONG_DAYS:
        logger.info(
            "sessions: beside refresh tokens, access tokens need not live for %s days:"
            " JWT_EXPIRATION_DAYS=0.01 is a quarter of an hour",
            settings.jwt_expiration_days,
        )
