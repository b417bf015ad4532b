"""Passwords of accounts: the rules for them, hashing, verifying."""

import functools
import importlib.util
import logging
import runpy
import secrets
from collections.abc import Callable
from pathlib import Path

from fastbearer import PasswordHash
from fastbearer.accounts.models import User
from fastbearer.accounts.stores.protocol import UserStore
from fastbearer.awaited import awaited
from fastbearer.errors import (
    ConfigurationError,
    HasherBusyError,
    InvalidHashError,
    PasswordError,
    PasswordRuleError,
    PasswordTooLongError,
)
from fastbearer.fastapi import Settings

__all__ = ["Credentials"]

OTHER_HASHER = (
    "the store has a hasher of its own, and would refuse what another makes: leave"
    " out hasher, or say upgrade_hashes=True"
)
COMMON = "Password is too common, or too much like the email"
BYTES = {"argon2id": 4096, "bcrypt": 72, "scrypt": 4096}

logger = logging.getLogger("fastbearer")


class Credentials:
    """Hashes and verifies the passwords of one user store.

    Args:
        settings: Gives the length limits and the scheme; asked when needed.
        store: Where upgraded hashes go.
        hasher: In place of the store's ``hasher``, if it has one, and of the one
            of ``PASSWORD_SCHEME``.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        store: UserStore,
        hasher: PasswordHash | None = None,
    ) -> None:
        self._settings = settings
        self._store = store
        self._hasher = hasher
        self._decoy: str | None = None

    def prepare(self) -> None:
        """Load what the first password would have to wait for.

        Raises:
            ConfigurationError: The list of common passwords is missing, or the hasher
                is not of the kind that the store has.
        """
        own = self._hasher_of_store()
        if own is not None and not isinstance(self._current_hasher(), type(own)):
            raise ConfigurationError(OTHER_HASHER)
        if self._settings().password_refuse_common:
            _common()

    def check_new(self, password: str, email: str) -> None:
        """Judge a password that someone chose (NIST SP 800-63B-4 3.1.1.2).

        Raises:
            PasswordRuleError: It breaks one.
        """
        settings = self._settings()
        least, most = settings.password_min_length, settings.password_max_length
        if not least <= len(password) <= most:
            raise PasswordRuleError(
                f"Password must be {least} to {most} characters long"
            )
        if not settings.password_refuse_common:
            return
        folded = password.casefold()
        if folded in _common() or folded in (email, email.partition("@")[0]):
            raise PasswordRuleError(COMMON)

    async def hash_new(self, password: str, email: str) -> str:
        """Return the hash of a password that someone chose.

        Raises:
            PasswordRuleError: It breaks a rule.
            HasherBusyError: Too many are being hashed.
        """
        self.check_new(password, email)
        hasher = self._current_hasher()
        try:
            return await hasher.ahash(password)
        except PasswordTooLongError:
            limit = BYTES[hasher.scheme]
            raise PasswordRuleError(
                f"Password must be at most {limit} bytes long"
            ) from None

    def check_length(self, password: str) -> None:
        """Judge a password that someone gives to be let in.

        Raises:
            PasswordRuleError: It is longer than any may be.
        """
        most = self._settings().password_max_length
        if len(password) > most:
            raise PasswordRuleError(f"Password must be at most {most} characters long")

    @awaited
    async def match(self, password: str, user: User | None) -> bool:
        """Return whether the password is the user's; it is nobody's for None.

        Without a user, or one who has no password, it takes as long, so that the
        time does not tell which e-mails are registered. A right password whose hash
        is outdated is hashed anew, and stored.

        Raises:
            PasswordRuleError: The password is longer than any may be.
            HasherBusyError: Too many are being hashed.
        """
        self.check_length(password)
        if user is None or not user.password_hash:
            await self._current_hasher().averify(password, await self._any_hash())
            return False
        return await self._match_user(password, user)

    async def _match_user(self, password: str, user: User) -> bool:
        hasher = self._current_hasher()
        try:
            right, newer = await hasher.averify_and_update(password, user.password_hash)
        except HasherBusyError:
            raise
        except InvalidHashError as error:
            logger.error("password hash of user %s: %s", user.id, error.code)
            return False
        except PasswordError:
            # Right, but the current scheme cannot hash it: the old hash stays.
            return await hasher.averify(password, user.password_hash)
        if newer is not None:
            await self._upgrade(user, newer)
        return right

    async def _upgrade(self, user: User, password_hash: str) -> None:
        """Store a newer hash; the user is signed in even where that fails."""
        try:
            if await self._store.replace_password_hash(user, password_hash):
                user.password_hash = password_hash
        except Exception:
            logger.exception("password hash of user %s not upgraded", user.id)

    async def _any_hash(self) -> str:
        """Return a hash that costs what a user's costs, of a password unknown."""
        if self._decoy is None:
            self._decoy = await self._current_hasher().ahash(secrets.token_urlsafe())
        return self._decoy

    def _current_hasher(self) -> PasswordHash:
        if self._hasher is None:
            own = self._hasher_of_store()
            scheme = self._settings().password_scheme
            self._hasher = PasswordHash(scheme) if own is None else own
        return self._hasher

    def _hasher_of_store(self) -> PasswordHash | None:
        return getattr(self._store, "hasher", None)


@functools.cache
def _common() -> frozenset[str]:
    """Return the passwords that attackers try first, 30,000 of them.

    They are zxcvbn's. Its other lists, and the tables that it makes of them
    when it is imported, would stay in memory.
    """
    package = importlib.util.find_spec("zxcvbn")
    folders = package.submodule_search_locations if package is not None else None
    if not folders:
        raise ConfigurationError("PASSWORD_REFUSE_COMMON needs the package zxcvbn")
    lists = runpy.run_path(str(Path(folders[0], "frequency_lists.py")))
    return frozenset(lists["FREQUENCY_LISTS"]["passwords"])
