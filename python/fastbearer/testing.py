"""What tests of an application need, and only they.

Tokens for any user, a client that is signed in, a hasher that costs nothing, a
clock that stands still, and users without any token at all.
"""

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from fastapi import FastAPI
from starlette.requests import HTTPConnection
from starlette.testclient import TestClient

from fastbearer import PasswordHash
from fastbearer.fastapi import Auth, TokenUser
from fastbearer.fastapi import auth as default_auth
from fastbearer.fastapi.challenges import other_user

__all__ = [
    "FrozenClock",
    "bearer",
    "cheap_hasher",
    "override_user",
    "python_clock",
    "signed_in",
    "stopped_clock",
    "token_for",
]

USER_ID = "test-user"
EMAIL = "test-user@example.com"


class FrozenClock:
    """A clock that stands still: ``Auth(settings, clock=FrozenClock())``.

    Args:
        now: Seconds since the epoch.

    Attributes:
        now: What it shows; set it, or ``advance`` it.
    """

    def __init__(self, now: float = 1_800_000_000) -> None:
        self.now: float = now

    def __call__(self) -> float:
        """Return what it shows."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


@contextmanager
def stopped_clock(
    now: float | datetime | None = None, *, auth: Auth = default_auth
) -> Iterator[FrozenClock]:
    """Stop the clock by which tokens are signed and judged; set it, or advance it.

    It is a decorator, too. Afterwards the clock is that of before. Enter it before
    accounts are used for the first time, if their codes shall see it.

    Args:
        now: Seconds since the epoch, or a datetime with a time zone; without it, the
            present.
        auth: Whose clock.

    Raises:
        ConfigurationError: ``auth`` was given a verifier, which has its own clock.
    """
    seconds = now.timestamp() if isinstance(now, datetime) else now
    clock = FrozenClock(time.time() if seconds is None else seconds)
    with _clock_of(auth, clock):
        yield clock


@contextmanager
def python_clock(*, auth: Auth = default_auth) -> Iterator[None]:
    """Let ``time.time`` tell the time, which freezegun and time-machine stop.

    The core reads the clock of the system without Python, so that neither package
    reaches it: a test of what has expired would pass wrongly, or fail.

    Args:
        auth: Whose clock.

    Raises:
        ConfigurationError: ``auth`` was given a verifier, which has its own clock.
    """
    with _clock_of(auth, lambda: time.time()):  # looked up each time
        yield


@contextmanager
def _clock_of(auth: Auth, clock: Callable[[], float]) -> Iterator[None]:
    before = auth.set_clock(clock)
    try:
        yield
    finally:
        auth.set_clock(before)


def cheap_hasher() -> PasswordHash:
    """Return a hasher for ``Accounts(auth, hasher=...)`` that costs nothing.

    It protects no password.
    """
    return PasswordHash("argon2id", time_cost=1, memory_cost=8, parallelism=1)


def token_for(
    user_id: str = USER_ID,
    email: str = EMAIL,
    *,
    auth: Auth = default_auth,
    scopes: tuple[str, ...] = (),
    claims: Mapping[str, Any] | None = None,
) -> str:
    """Return a good token; ``claims`` may spoil it: ``{"exp": 0}``.

    Raises:
        ConfigurationError: The settings of ``auth`` have no secret.
    """
    return auth.generate_jwt_token(user_id, email, scopes=scopes, claims=claims)


def bearer(
    user_id: str = USER_ID, email: str = EMAIL, *, auth: Auth = default_auth
) -> dict[str, str]:
    """Return the headers of a signed-in user, for any client."""
    return {"Authorization": f"Bearer {token_for(user_id, email, auth=auth)}"}


def signed_in(
    app: FastAPI,
    user_id: str = USER_ID,
    email: str = EMAIL,
    *,
    auth: Auth = default_auth,
) -> TestClient:
    """Return a client of an application that sends a user's token.

    Use it with ``with`` where the application's lifespan shall run.
    """
    return TestClient(app, headers=bearer(user_id, email, auth=auth))


@contextmanager
def override_user(
    app: FastAPI,
    user_id: str = USER_ID,
    email: str = EMAIL,
    *,
    auth: Auth = default_auth,
    claims: Mapping[str, Any] | None = None,
) -> Iterator[TokenUser]:
    """Let every request be that of a user, without any token.

    In the application, all dependencies of ``auth`` are overridden; the path
    of another user is still refused. Settings are not needed. Afterwards the
    overrides are those of before. Several may overlap, and end in any order: the
    latest that has not ended holds.

    Args:
        app: Whose dependencies.
        user_id: Whom the dependencies return.
        email: Their e-mail.
        auth: Whose dependencies.
        claims: What ``token_claims`` has more than ``sub`` and ``email``.
    """
    user: TokenUser = {"user_id": user_id, "email": email}
    whole = {"sub": user_id, "user_id": user_id, "email": email, **(claims or {})}

    async def same_user() -> TokenUser:
        return user

    def path_user(parameter: str) -> Callable[..., Awaitable[TokenUser]]:
        async def same_path_user(conn: HTTPConnection) -> TokenUser:
            if str(conn.path_params.get(parameter, "")) != user_id:
                raise other_user()
            return user

        return same_path_user

    async def all_claims() -> dict[str, Any]:
        return dict(whole)

    layer: Layer = {
        auth.verify_jwt_token: same_user,
        auth.optional_user: same_user,
        auth.requires: same_user,
        auth.token_claims: all_claims,
        **{one: path_user(name) for name, one in auth.path_users.items()},
    }
    overrides = _Overrides.of(app)
    overrides.add(layer)
    try:
        yield user
    finally:
        overrides.remove(layer)


Layer = dict[Any, Any]


class _Overrides:
    """The overrides of an application, in layers that may end in any order."""

    _all: ClassVar[WeakKeyDictionary[FastAPI, "_Overrides"]] = WeakKeyDictionary()

    def __init__(self, app: FastAPI) -> None:
        self._target = app.dependency_overrides
        self._before = dict(self._target)
        self.layers: list[Layer] = []

    @classmethod
    def of(cls, app: FastAPI) -> "_Overrides":
        """Return those of an application, with what was there before the first."""
        found = cls._all.get(app)
        if found is None or not found.layers:
            found = cls._all[app] = cls(app)
        return found

    def add(self, layer: Layer) -> None:
        """Lay one over the others."""
        self.layers.append(layer)
        self._target.update(layer)

    def remove(self, layer: Layer) -> None:
        """Take one away, wherever it lies: what it covered shows again."""
        self.layers = [one for one in self.layers if one is not layer]
        left: Layer = {}
        for one in (self._before, *self.layers):
            left.update(one)
        # Never empty in between: the application may answer in another thread.
        self._target.update(left)
        for dependency in self._target.keys() - left.keys():
            self._target.pop(dependency)
