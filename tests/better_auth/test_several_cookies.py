"""Several cookies of one name, and cookies under names of a server's own."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from fastapi import Depends, FastAPI

from asgi import ASGIApp
from fastbearer.better_auth import BetterAuth, Session
from fastbearer.better_auth.cookies import CookieJar
from fastbearer.errors import (
    ConfigurationError,
    InvalidSignatureError,
    MalformedTokenError,
    MissingClaimError,
    TokenError,
)
from fastbearer.fastapi import better_auth_session
from project import OTHER_SECRET, SECRET

Serve = Callable[[ASGIApp], str]
NOW = datetime.now(UTC)
STRATEGIES = ["compact", "jwt", "jwe"]
TOKEN = "better-auth.session_token"
DATA = "better-auth.session_data"


def session_of(who: str, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    times = {"createdAt": NOW, "updatedAt": NOW}
    session = {"id": "s", "token": who * 32, "userId": who, **times}
    user = {"id": who, "name": who, "email": f"{who}@example.com", **times}
    return {**session, "expiresAt": NOW + timedelta(days=7)}, {**user, **more}


def pairs(who: str, ba: BetterAuth | None = None, **options: Any) -> list[str]:
    """Return the cookies of somebody: name=value."""
    about = options.pop("about", "")
    made = (ba or BetterAuth(SECRET)).write_cookies(
        *session_of(who, about=about), **options
    )
    return [one.partition(";")[0] for one in made]


class Live:
    """A store with the sessions of some users."""

    def __init__(self, *users: str) -> None:
        self._users = users
        self.asked: list[str] = []

    async def find(self, token: str, now: float) -> Session | None:
        self.asked.append(token)
        await asyncio.sleep(0)
        if token[0] not in self._users:
            return None
        session, user = session_of(token[0])
        return Session(user, session, session["expiresAt"], "store")


def app_of(ba: BetterAuth, **options: Any) -> FastAPI:
    app = FastAPI()
    session = Depends(better_auth_session(ba, **options))

    @app.get("/me")
    async def me(session: Any = session) -> Any:
        return None if session is None else session.user_id

    return app


def ask(url: str, cookies: list[str]) -> Any:
    answer = httpx2.get(f"{url}/me", headers={"cookie": "; ".join(cookies)})
    return answer.json() if answer.status_code == 200 else answer.status_code


# --- several of one name ------------------------------------------------------------

OLD = BetterAuth(SECRET, clock=lambda: NOW.timestamp() - 3600)
STALE = {
    "a leftover of another secret": pairs("b", BetterAuth(OTHER_SECRET)),
    "data that has expired": pairs("b", OLD),
    "a token without data": pairs("b", strategy=None),
    "an unsigned token": [f"{TOKEN}={'b' * 32}", f"{DATA}=x"],
    "nothing": [f"{TOKEN}=", f"{DATA}="],
    "a deletion that was not one": [f"{TOKEN}=deleted", f"{DATA}=deleted"],
}


@pytest.mark.parametrize("stale", STALE.values(), ids=STALE)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_stale_cookie_of_the_host_beside_one_of_the_domain(
    serve: Serve, strategy: str, stale: list[str]
) -> None:
    ba, good = BetterAuth(SECRET), pairs("a", strategy=strategy)
    url = serve(app_of(ba))
    mixed = [good[0], *stale, *good[1:]]
    for cookies in ([*stale, *good], [*good, *stale], mixed):
        assert ba.read_cookies("; ".join(cookies)).user_id == "a"
        assert ask(url, cookies) == "a"
    with pytest.raises(TokenError):
        ba.read_cookies("; ".join(stale))


def test_a_stale_token_beside_a_good_one_that_is_looked_up(serve: Serve) -> None:
    store = Live("a")
    url = serve(app_of(BetterAuth(SECRET, store=store)))
    good, ended = pairs("a")[0], pairs("b")[0]
    forged = pairs("c", BetterAuth(OTHER_SECRET))[0]
    for cookies in itertools.permutations([good, ended, forged]):
        assert ask(url, list(cookies)) == "a"
    assert "c" * 32 not in store.asked
    for cookies in ([ended, forged], [forged, ended], [forged]):
        assert ask(url, list(cookies)) == 401


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_two_good_ones_that_differ_are_refused(serve: Serve, strategy: str) -> None:
    """Nothing says which is meant; another host of the domain may have set one."""
    ba = BetterAuth(SECRET)
    both = [*pairs("a", strategy=strategy), *pairs("b", strategy=strategy)]
    with pytest.raises(MalformedTokenError, match="both are good"):
        ba.read_cookies("; ".join(both))
    assert ask(serve(app_of(ba)), both) == 401
    stored = BetterAuth(SECRET, store=Live("a", "b"))
    for options in ({}, {"cached_reads": True}):
        assert ask(serve(app_of(stored, **options)), both) == 401
    # One of the sessions has ended: the store knows.
    ended = BetterAuth(SECRET, store=Live("b"))
    for options in ({}, {"cached_reads": True}):
        assert ask(serve(app_of(ended, **options)), both) == "b"


def test_two_of_the_same_session_do_not_differ() -> None:
    ba = BetterAuth(SECRET)
    older = BetterAuth(SECRET, clock=lambda: NOW.timestamp() - 30)
    both = [*pairs("a", older), *pairs("a")]
    assert len(set(both)) == 3
    assert ba.read_cookies("; ".join(both)).user_id == "a"


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(("of_good", "of_stale"), [(9_000, 9_000), (9_000, 20_000)])
def test_pieces_of_two_values(strategy: str, of_good: int, of_stale: int) -> None:
    ba = BetterAuth(SECRET)
    good = pairs("a", strategy=strategy, about="g" * of_good)
    for stale in (
        pairs("b", OLD, strategy=strategy, about="s" * of_stale),
        pairs("a", OLD, strategy=strategy, about="s" * of_stale),
        pairs("a", OLD, strategy=strategy),
    ):
        for cookies in ([*good, *stale], [*stale, *good]):
            assert ba.read_cookies("; ".join(cookies)).user["about"] == "g" * of_good


def test_how_many_are_judged_is_bounded(serve: Serve) -> None:
    ba = BetterAuth(SECRET)
    others = [f"{TOKEN}={'x' * number}" for number in range(1, 20)]
    assert ba.read_cookies("; ".join([*others[:7], *pairs("a")])).user_id == "a"
    with pytest.raises(MalformedTokenError, match="too often"):
        ba.read_cookies("; ".join([*others, *pairs("a")]))
    assert ask(serve(app_of(ba)), [*others, *pairs("a")]) == 401


# --- names of a server's own ----------------------------------------------------------

NAMES = {"session_token": "sid", "session_data": "sdata"}


@pytest.mark.parametrize("secure", [True, False])
@pytest.mark.parametrize(
    "names", [NAMES, {"session_token": "sid"}, {"session_data": "d.x"}], ids=str
)
@pytest.mark.parametrize("about", ["", "x" * 9_000], ids=["whole", "in pieces"])
def test_cookies_under_names_of_ones_own(
    serve: Serve, names: dict[str, str], secure: bool, about: str
) -> None:
    ba = BetterAuth(SECRET, cookie_names=names, secure=secure)
    made = pairs("a", ba, about=about)
    mark = "__Secure-" if secure else ""
    token, data = (names.get(name, f"better-auth.{name}") for name in NAMES)
    assert made[0].startswith(f"{mark}{token}=")
    assert made[1].startswith(f"{mark}{data}.0=" if about else f"{mark}{data}=")
    assert ask(serve(app_of(ba)), [*pairs("b"), *made]) == "a"
    assert ask(serve(app_of(ba)), made) == "a"
    lax = BetterAuth(SECRET, cookie_names=names)
    assert lax.read_cookies("; ".join(made)).user_id == "a"
    with pytest.raises(MissingClaimError):
        BetterAuth(SECRET).read_cookies("; ".join(made))
    if not secure:
        strict = BetterAuth(SECRET, cookie_names=names, secure=True)
        with pytest.raises(MissingClaimError):
            strict.read_cookies("; ".join(made))


@pytest.mark.parametrize(
    "names",
    [
        *({"sid": "session_token"}, {"session_token": ""}, {"session_token": "a b"}),
        *({"session_token": "a=b"}, {"session_token": None}, {"session_data": "é"}),
        {"session_token": {"name": "sid"}},
    ],
    ids=str,
)
def test_names_that_no_cookie_has(names: Any) -> None:
    with pytest.raises(ConfigurationError, match="cookie_names"):
        BetterAuth(SECRET, cookie_names=names)


@pytest.mark.parametrize(
    ("server", "name"),
    [
        (BetterAuth(SECRET, cookie_names=NAMES), "sid"),
        (BetterAuth(SECRET, cookie_prefix="shop"), "shop.session_token"),
        (BetterAuth(SECRET, secure=True, cookie_prefix="shop"), "__Secure-shop."),
        (BetterAuth(SECRET, cookie_prefix="better-auth-x"), "better-auth-x."),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_cookie_under_another_name_is_said_in_the_log(
    serve: Serve, caplog: pytest.LogCaptureFixture, server: BetterAuth, name: str
) -> None:
    cookies = pairs("a", server)
    url = serve(app_of(BetterAuth(SECRET)))
    with caplog.at_level(logging.WARNING, logger="fastbearer"):
        assert ask(url, cookies) == 401
    said = (one.getMessage() for one in caplog.records)
    (line,) = (one for one in said if "cookie" in one)
    assert f"no cookie {TOKEN}, but there is {name}" in line
    assert "a" * 32 not in line and "\n" not in line


def test_a_name_with_and_without_secure_is_said_in_the_log(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    url = serve(app_of(BetterAuth(SECRET, secure=True)))
    with caplog.at_level(logging.WARNING, logger="fastbearer"):
        assert ask(url, pairs("a")) == 401
    assert f"no cookie __Secure-{TOKEN}, but there is {TOKEN}:" in caplog.text


@pytest.mark.parametrize(
    "cookies",
    [
        [],
        ["a=b", "other=session_token"],
        ["better-auth.session_token_multi-" + "a" * 32 + "=" + pairs("a")[0][27:]],
        ["better-auth.state=" + pairs("a")[0][27:]],
        ["x" * 100 + "session_token=1"],
        ["a\x1b[31m.session_token=1"],
        ["session_token (evil)=1"],
    ],
    ids=str,
)
def test_nothing_is_said_of_other_cookies(
    serve: Serve, caplog: pytest.LogCaptureFixture, cookies: list[str]
) -> None:
    ba = BetterAuth(SECRET)
    headers = [(b"cookie", "; ".join(cookies).encode("latin-1"))]
    assert ba.hint_at_cookies(headers) is None
    if not any("\x1b" in one for one in cookies):
        with caplog.at_level(logging.WARNING, logger="fastbearer"):
            assert ask(serve(app_of(ba, optional=True)), cookies) is None
        assert "cookie" not in caplog.text


def test_an_unsigned_one_is_why(serve: Serve) -> None:
    """Of several bad ones the first says what is wrong."""
    forged = pairs("a", BetterAuth(OTHER_SECRET))
    with pytest.raises(InvalidSignatureError):
        BetterAuth(SECRET).read_cookies("; ".join([*forged, f"{TOKEN}=x"]))


@pytest.mark.parametrize(
    ("value", "first"), [(["1", "2"], "1"), ("1", "1"), (None, None)]
)
def test_the_first_of_several(value: Any, first: str | None) -> None:
    values = {} if value is None else {"token": value, "data": value}
    jar = CookieJar(values, "token", "data")
    assert (jar.session_token, jar.session_data) == (first, first)
