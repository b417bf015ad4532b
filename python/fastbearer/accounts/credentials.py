"""Passwords of accounts: hashing and verifying them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from fastbearer import PasswordHash
from fastbearer.accounts.decoys import Decoys
from fastbearer.accounts.password_rules import PasswordRules, forms_of, normalized
from fastbearer.awaited import awaited
from fastbearer.errors import (
    ConfigurationError,
    HasherBusyError,
    PasswordError,
    PasswordRuleError,
    PasswordTooLongError,
)
from fastbearer.hashing_pool import hashing_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastbearer.accounts.models import User
    from fastbearer.accounts.stores.checked import CheckedUserStore
    from fastbearer.fastapi import Settings

__all__ = ["Credentials"]

OTHER_HASHER = (
    "the store has a hasher of its own, and would refuse what another makes: leave"
    " out hasher, or say upgrade_hashes=True"
)
OTHER_WEAK_HASHES = (
    "PASSWORD_WEAK_HASHES is for the hasher that the accounts make: give this one"
    " weak_hashes=True, or leave it out"
)
WEAK_HINT = ", of a weak format: PASSWORD_WEAK_HASHES=1 lets it verify"
BYTES = {"bcrypt": 72}
MOST_BYTES = 4096
SAMPLE = 100
"""How many stored hashes are looked at when the application starts."""

logger: logging.Logger = logging.getLogger("fastbearer")


class Credentials:
    """Hashes and verifies the passwords of one user store.

    Where too many passwords are being hashed, each method that hashes raises
    `HasherBusyError`: the refusal is the service's, and says nothing of the
    password. The places of the queue are shared out by `hashing_client`, and by
    account where the context names none.

    Args:
        settings: Gives the length limits and the scheme; asked when needed.
        store: Where upgraded hashes go.
        hasher: In place of the store's ``hasher``, if it has one, and of the one
            of ``PASSWORD_SCHEME``.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        store: CheckedUserStore,
        hasher: PasswordHash | None = None,
    ) -> None:
        self._settings = settings
        self._store = store
        self._hasher = hasher
        self._decoys: Decoys | None = None
        self._rules = PasswordRules(settings, store.password_length)
        self.check_length: Callable[[str], None] = self._rules.check_length
        self.check_new: Callable[..., None] = self._rules.check_new

    def prepare(self) -> None:
        """Load what the first password would have to wait for.

        Raises:
            ConfigurationError: The list of common passwords is missing, or the hasher
                is not of the kind that the store has, or not as it is configured.
        """
        own, hasher = self._hasher_of_store(), self._current_hasher()
        if own is not None and not isinstance(hasher, type(own)):
            raise ConfigurationError(OTHER_HASHER)
        if self._settings().password_weak_hashes and not hasher.weak_hashes:
            raise ConfigurationError(OTHER_WEAK_HASHES)
        self._rules.prepare()

    async def check_store(self) -> None:
        """Check that the store keeps hashes as long as those that are made.

        And learn of what kinds some of those are that it has.

        Raises:
            ConfigurationError: The store cuts them.
        """
        await self._store.check_hash_length(len(self._known().own))
        await self._meet_some()

    async def _meet_some(self) -> None:
        """Look at a few stored hashes, where the store lists its users at all.

        Where it fails, what is not known now is learnt from sign-ins.
        """
        if not self._store.can("list_users"):
            return
        try:
            for user in await self._store.list_users(None, SAMPLE):
                self._known().meet(user.password_hash)
        except Exception as error:
            logger.debug("no stored hashes looked at: %s", type(error).__name__)

    async def hash_new(self, password: str, email: str, *names: str | None) -> str:
        """Return the hash of a password that someone chose.

        It is hashed in Unicode's form NFC.

        Args:
            password: As it was typed.
            email: Its owner's.
            names: Whatever else its owner is called, where there is such a name.

        Raises:
            PasswordRuleError: It breaks a rule.
            HasherBusyError: Too many are being hashed.
        """
        self.check_new(password, email, *names)
        hasher = self._current_hasher()
        try:
            with hashing_for(email):
                return await hasher.ahash(normalized(password))
        except PasswordTooLongError:
            limit = BYTES.get(hasher.scheme, MOST_BYTES)
            raise PasswordRuleError(
                f"Password must be at most {limit} bytes long"
            ) from None

    @awaited
    async def match(
        self,
        password: str,
        user: User | None,
        compared: Callable[[], None] = lambda: None,
    ) -> bool:
        """Return whether the password is the user's; it is nobody's for None.

        Where it is wrong, the work is the same whoever the user is, so that the time
        does not tell which e-mails are registered: a hash of today, and one of each
        outdated kind that the store is known to have. Where one of them is not the
        user's own, it is a decoy. A right password whose hash is outdated is hashed
        anew, and stored. Each form in which it may have been hashed is tried.

        Args:
            password: As it was typed.
            user: Whose it may be.
            compared: Called as soon as the password was compared with a hash, or a
                decoy, and was not its own: from then on a `HasherBusyError` does not
                mean that nothing was learnt of the password.

        Raises:
            PasswordRuleError: The password is longer than any may be.
            HasherBusyError: Too many are being hashed.
        """
        self.check_length(password)
        first, *others = forms_of(password)
        with hashing_for("" if user is None else user.email):
            right, newer = await self._verify(first, user, compared)
            while others and not right:
                right, newer = await self._verify(others.pop(0), user, compared)
                if newer is not None:
                    newer = await self._hash_again(first)
        if newer is not None and user is not None:
            await self._upgrade(user, newer)
        return right

    async def _verify(
        self, password: str, user: User | None, compared: Callable[[], None]
    ) -> tuple[bool, str | None]:
        """Return whether the password is right, and the hash to store, if any."""
        hasher, done = self._current_hasher(), None
        if user is not None and user.password_hash:
            stored = user.password_hash
            try:
                right, newer = await hasher.averify_and_update(password, stored)
                done = self._known().meet(stored)
                if right:
                    return right, newer
            except HasherBusyError:
                raise
            except PasswordError as error:
                hint = WEAK_HINT if error.reason == "hash_weak" else ""
                logger.error(
                    "password hash of user %s: %s%s", user.id, error.code, hint
                )
            compared()
        for decoy in self._known().besides(done):
            await self._pretend(password, decoy)
            compared()
        return False, None

    async def _pretend(self, password: str, decoy: str) -> None:
        """Do the work that a hash of somebody would be."""
        try:
            await self._current_hasher().averify(password, decoy)
        except HasherBusyError:
            raise
        except PasswordError:
            self._known().forget(decoy)

    def _known(self) -> Decoys:
        if self._decoys is None:
            self._decoys = Decoys(self._current_hasher())
        return self._decoys

    async def _hash_again(self, password: str) -> str | None:
        """Return the hash of a password that is right, or None without room."""
        try:
            return await self._current_hasher().ahash(password)
        except PasswordError:
            return None

    async def _upgrade(self, user: User, password_hash: str) -> None:
        """Store a newer hash; the user is signed in even where that fails."""
        try:
            if await self._store.replace_password_hash(user, password_hash):
                user.password_hash = password_hash
        except Exception:
            logger.exception("password hash of user %s not upgraded", user.id)

    def _current_hasher(self) -> PasswordHash:
        if self._hasher is None:
            own = self._hasher_of_store()
            self._hasher = self._new_hasher() if own is None else own
        return self._hasher

    def _new_hasher(self) -> PasswordHash:
        settings = self._settings()
        weak = settings.password_weak_hashes
        return PasswordHash(settings.password_scheme, weak_hashes=weak)

    def _hasher_of_store(self) -> PasswordHash | None:
        return self._store.hasher
