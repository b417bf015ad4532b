"""Limits on how often somebody may try."""

import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Literal, NamedTuple

from limits import RateLimitItem, parse
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import StorageError

from fastbearer.accounts.models import User
from fastbearer.accounts.records import digest
from fastbearer.accounts.windows import MemoryWindows, RedisWindows, Windows
from fastbearer.errors import (
    ConfigurationError,
    StoreUnavailableError,
    TooManyAttemptsError,
)
from fastbearer.fastapi import Settings
from fastbearer.fastapi.client_address import UNKNOWN
from fastbearer.hashing_pool import hashing_client

if TYPE_CHECKING:
    from fastbearer.connections.redis import RedisAccess, RedisSource

__all__ = ["Counted", "Kind", "Throttle", "by_name", "by_user"]

KNOWN_SECONDS = 30 * 86_400
"""For how long an address from which somebody has signed in is known as theirs."""

PROBE = parse("1000000/minute")
"""A limit that nobody reaches."""

# uvloop has a RuntimeError for a connection that has just been lost.
STORE_ERRORS = (StorageError, OSError, RuntimeError)

Kind = Literal["signin", "signup", "message"]
Limits = tuple[RateLimitItem, ...]


class Counted(NamedTuple):
    """What an attempt is counted by.

    Attributes:
        key: A name, or a user.
        owner: What changes with whose account it is, and with the password: a client
            is known to one owner. None where it is nobody's.
        is_name: Whether it is one of several names, each of which has its share of the
            limits.
    """

    key: str
    owner: str | None
    is_name: bool


def by_name(name: str, user: User | None = None) -> Counted:
    """Count by what was typed, whether or not anybody has it.

    Args:
        name: In its one form.
        user: Whose it is by now.
    """
    return Counted(name, _owner(user), is_name=True)


def by_user(user: User | None, name: str = "") -> Counted:
    """Count by what a user cannot change, however often they take another name.

    Args:
        user: Whom; for nobody as much is counted, so that the time does not tell.
        name: What was typed.
    """
    key = f"nobody {name}" if user is None else f"user {user.id}"
    return Counted(key, _owner(user), is_name=False)


def _owner(user: User | None) -> str | None:
    return None if user is None else digest(f"{user.id} {user.password_hash}")


class Throttle:
    """Counts attempts by name and client, by name alone, by user, and by client.

    In the memory of the process, or in Redis where there is one; there, all
    processes count together. An attempt is counted before it is
    made, so that many at a time are not more.

    What is counted for a name and one client is limited first, in several windows,
    so that whoever goes on waits longer and longer. What is counted for the name
    alone has a slower limit. Clients that are known are counted apart there: somebody
    has signed in from them with the password of today. So nobody else locks an
    account's owner out. The same is counted for the user, who cannot get around it by
    changing their name.

    Args:
        settings: Asked when needed.
        clock: A callable that returns seconds since the epoch.
        kinds_of_names: How many names somebody may have to sign in with. Each is
            counted alone, so that no 429 tells which of them are one person's; and each
            has its share of the user's limits, so that they are full before those.
        redis: Returns where Redis is, when that is needed.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        clock: Callable[[], float] = time.time,
        kinds_of_names: int = 1,
        *,
        redis: "Callable[[], RedisSource | None]" = lambda: None,
    ) -> None:
        self._settings = settings
        self._kinds_of_names = kinds_of_names
        self._clock = clock
        self._source = redis
        self._redis: RedisAccess | None = None
        self._windows: Windows | None = None

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Start to count anew, in Redis go on; hang up in the end.

        Raises:
            ConfigurationError: A limit is not one, or the extra for Redis is
                missing.
        """
        self._open()
        try:
            yield
        finally:
            if self._redis is not None:
                await self._redis.aclose()
            self._redis = self._windows = None

    def _open(self) -> None:
        failures = self._limits("throttle_failures")
        everybody = self._limits("throttle_account_failures")
        self._pair: dict[Kind, Limits] = {
            "signin": failures,
            "signup": failures,
            "message": self._limits("throttle_messages"),
        }
        self._account: dict[Kind, Limits] = {
            "signin": everybody,
            "signup": everybody,
            "message": self._limits("throttle_account_messages"),
        }
        self._address = self._limits("throttle_requests")
        source = self._source()
        if source is None:
            self._windows = MemoryWindows(self._clock)
            return
        # Only those who ask for Redis need the extra.
        from fastbearer.connections.redis import RedisAccess

        self._redis = RedisAccess(source)
        self._windows = RedisWindows(self._redis)

    async def check_address(self, address: str | None) -> None:
        """Count a request from a client's address. Nothing sets that count back.

        Args:
            address: None where nobody can tell: then nothing is counted, lest one
                client lock out all.

        Raises:
            TooManyAttemptsError: There were too many.
            StoreUnavailableError: Redis cannot be reached.
        """
        hashing_client.set(address)  # the hashing queue is shared out by it
        if address is not None and self._settings().throttle:
            with _outages():
                await self._hit(self._address_limits(), "address", address)

    async def take(self, kind: Kind, counted: Counted, address: str | None) -> None:
        """Count an attempt.

        Args:
            kind: Of attempt.
            counted: By what.
            address: The client's; all that are unknown are one.

        Raises:
            TooManyAttemptsError: There were too many.
            StoreUnavailableError: Redis cannot be reached.
        """
        if not self._settings().throttle:
            return
        self._ready()
        with _outages():
            pair = self._of_pair(kind, counted)
            await self._hit(pair, kind, *_pair(counted, address))
            key = await self._account_key(counted, address)
            await self._hit(self._of_account(kind, counted), kind, key)

    async def give_back(
        self, kind: Kind, counted: Counted, address: str | None
    ) -> None:
        """Take back what `take` has counted: it was we who did not even try.

        Raises:
            StoreUnavailableError: Redis cannot be reached.
        """
        if not self._settings().throttle:
            return
        windows = self._ready()
        with _outages():
            for limit in self._of_pair(kind, counted):
                await windows.release(limit.key_for(kind, *_pair(counted, address)))
            await self._release_account(kind, counted, address)

    async def succeed(
        self,
        kind: Kind,
        counted: Sequence[Counted],
        address: str | None,
        user: User | None = None,
    ) -> None:
        """Take back what `take` has counted, because it was no guess; then `forget`.

        Args:
            kind: Of attempt.
            counted: All that it was counted by, as it was then: a client that is known
                from now on was not when it tried.
            address: As in `take`.
            user: To whom the client is known from now on, with the hash that they have
                by now; None for nobody.

        Raises:
            StoreUnavailableError: Redis cannot be reached.
        """
        if not self._settings().throttle:
            return
        with _outages():
            for one in counted:
                await self._release_account(kind, one, address)
        for one in counted:
            await self.forget(kind, one._replace(owner=_owner(user)), address)

    async def forget(self, kind: Kind, counted: Counted, address: str | None) -> None:
        """Forget a client's attempts: it has shown whose it is.

        The client is known from now on. What others have tried stays counted.

        Raises:
            StoreUnavailableError: Redis cannot be reached.
        """
        if not self._settings().throttle:
            return
        windows = self._ready()
        with _outages():
            for limit in self._of_pair(kind, counted):
                await windows.clear(limit.key_for(kind, *_pair(counted, address)))
            if address is not None and counted.owner is not None:
                await windows.incr(_known(counted.owner, address), KNOWN_SECONDS)

    async def check_store(self) -> None:
        """Try what counting needs, with a key of its own.

        Raises:
            StoreUnavailableError: Redis cannot be reached, or refuses a command.
        """
        if not self._settings().throttle:
            return
        windows = self._ready()
        with _outages():
            await self._hit((PROBE,), "probe")
            await MovingWindowRateLimiter(windows).get_window_stats(PROBE, "probe")
            await windows.release(PROBE.key_for("probe"))
            await windows.clear(PROBE.key_for("probe"))
            await windows.incr("known/probe", PROBE.get_expiry())
            await windows.get("known/probe")

    async def _hit(self, limits: Limits, kind: str, *keys: str) -> None:
        """Count in each window, the shortest first.

        Raises:
            TooManyAttemptsError: One of them is full.
        """
        limiter = MovingWindowRateLimiter(self._ready())
        for place, limit in enumerate(limits):
            if await limiter.hit(limit, kind, *keys):
                continue
            # Longer windows may be full as well: what is told is when to come again.
            windows = [
                await limiter.get_window_stats(one, kind, *keys)
                for one in limits[place:]
            ]
            ends = [one.reset_time for one in windows if one.remaining <= 0]
            seconds = max([1, *(end - self._clock() for end in ends)])
            raise TooManyAttemptsError(f"too many attempts: {kind}", seconds)

    def _address_limits(self) -> Limits:
        self._ready()
        return self._address

    def _ready(self) -> Windows:
        if self._windows is None:
            self._open()
        assert self._windows is not None  # noqa: S101
        return self._windows

    async def _release_account(
        self, kind: Kind, counted: Counted, address: str | None
    ) -> None:
        key = await self._account_key(counted, address)
        for limit in self._of_account(kind, counted):
            await self._ready().release(limit.key_for(kind, key))

    async def _account_key(self, counted: Counted, address: str | None) -> str:
        """Return what all strangers together are counted by, or all known clients."""
        owner = "nobody" if counted.owner is None else counted.owner
        is_known = await self._ready().get(_known(owner, address))
        return f"{_key(counted)}/known" if is_known else _key(counted)

    def _of_pair(self, kind: Kind, counted: Counted) -> Limits:
        return self._share(kind, counted, self._pair[kind])

    def _of_account(self, kind: Kind, counted: Counted) -> Limits:
        return self._share(kind, counted, self._account[kind])

    def _share(self, kind: Kind, counted: Counted, limits: Limits) -> Limits:
        is_shared = kind == "signin" and counted.is_name
        return self._shared(limits) if is_shared else limits

    def _shared(self, limits: Limits) -> Limits:
        """Return what of some limits each name of a person has."""
        return tuple(
            type(limit)(max(1, limit.amount // self._kinds_of_names), limit.multiples)
            for limit in limits
        )

    def _limits(self, name: str) -> Limits:
        """Return the limits of a setting, that of the shortest window first."""
        try:
            limits = map(parse, getattr(self._settings(), name).split(","))
            return tuple(sorted(limits, key=lambda limit: limit.get_expiry()))
        except ValueError:
            raise ConfigurationError(
                f"{name.upper()} must be like 10/minute, or several with commas between"
            ) from None


def _pair(counted: Counted, address: str | None) -> tuple[str, str]:
    return _key(counted), address or UNKNOWN


def _key(counted: Counted) -> str:
    """Return what is counted: no name, whatever it is, is counted as a user."""
    key = digest(counted.key)
    return key if counted.is_name else f"user/{key}"


def _known(owner: str, address: str | None) -> str:
    return "/".join(("known", owner, address or UNKNOWN))


@contextmanager
def _outages() -> Iterator[None]:
    try:
        yield
    except STORE_ERRORS as error:
        raise StoreUnavailableError(
            "the store of the limits cannot be reached"
        ) from error
