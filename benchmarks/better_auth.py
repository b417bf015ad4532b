"""Better Auth's credentials beside an HS256 token, and fastapi-better-auth-bridge.

The bridge stands where it offers the same check. Every call runs in every round, in
turn, each as often as it takes to fill some milliseconds; the least time of all rounds
counts. What they answer is compared before anything is timed. Both sides look sessions
up in a dictionary, and neither fetches keys.

    python benchmarks/better_auth.py [--rounds N]
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    # The project, not this folder, whose http.py is not Python's package.
    sys.path[0] = str(Path(__file__).parent.parent)

import argparse
import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any

from benchmarks.compat import SMALL, times
from benchmarks.serving import SECRET
from starlette.requests import HTTPConnection

from fastbearer import Key, KeySet, Signer, Verifier
from fastbearer.better_auth import BetterAuth, Session
from fastbearer.fastapi import better_auth_session

TOKEN_MARK, COMPACT_MARK, JWE_MARK, BRIDGE_MARK = 3.0, 3.0, 4.0, 10.0
ORIGIN = "http://localhost:3000"
TOKEN = "idPlQqUQEV5q1ELDLrcOE5ZhQ561mwrX"
NOW = datetime.now(UTC)
SESSION: dict[str, Any] = {
    "expiresAt": NOW + timedelta(days=7),
    "token": TOKEN,
    "createdAt": NOW,
    "updatedAt": NOW,
    "ipAddress": "203.0.113.7",
    "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145",
    "userId": "FIMIwunELDq6E5gxLKfkm9FqsIM7rZv0",
    "id": "fI41oqLSjrrCQwn2MvJ1ERGIQEBWU4fi",
}
USER: dict[str, Any] = {
    "name": "Ada Lovelace",
    "email": "ada@example.com",
    "emailVerified": False,
    "createdAt": NOW,
    "updatedAt": NOW,
    "id": "FIMIwunELDq6E5gxLKfkm9FqsIM7rZv0",
}
SIGNING = Key.generate("EdDSA", kid="0nuo0EJz5U4SM1wisO2tIz2JY7yymFob")

Call = Callable[[], Any]


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Return what a coroutine answers that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as answer:
        return answer.value
    raise AssertionError("it waits for something")


def connection(**headers: str) -> HTTPConnection:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return HTTPConnection({"type": "http", "method": "GET", "headers": raw})


def own_calls() -> dict[str, Call]:
    """Return the checks without anybody else's."""
    ba = BetterAuth(SECRET)
    key = Key.from_secret(SECRET)
    verifier = Verifier(key)
    small = Signer(key).sign(SMALL)
    signed = ba.sign_session_token(TOKEN)
    data = {
        strategy: ba.write_session_data(SESSION, USER, strategy=strategy, max_age=9999)  # type: ignore[arg-type]
        for strategy in ("compact", "jwt", "jwe")
    }
    read = [ba.read_session_data(value) for value in data.values()]
    assert read[0].user == read[1].user == read[2].user
    payload = {"session": read[0].session, "user": read[0].user, "updatedAt": 1}
    same = Signer(key, lifetime=9999).sign({**payload, "version": "1"})
    assert verifier.verify(same)["user"] == read[0].user
    return {
        "HS256": lambda: verifier.verify(small),
        "session_token": lambda: ba.read_session_token(signed),
        f"HS256 of the same, {len(same)} bytes": lambda: verifier.verify(same),
        **{
            f"session_data {name}": lambda value=value: ba.read_session_data(value)  # type: ignore[misc]
            for name, value in data.items()
        },
    }


class Sessions:
    """Ours, in a dictionary."""

    def __init__(self) -> None:
        ends = SESSION["expiresAt"]
        self._found = {TOKEN: Session(USER, SESSION, ends, "store")}

    async def find(self, token: str, now: float) -> Session | None:
        """Return a session."""
        found = self._found.get(token)
        return found if found and found.expires_at.timestamp() > now else None


class Keys:
    """A client that has fetched already."""

    def __init__(self) -> None:
        self._keys = KeySet([SIGNING.public()])

    def keys(self, *, unknown_kid: bool = False) -> KeySet:
        """Return the keys."""
        return self._keys

    async def akeys(self, *, unknown_kid: bool = False) -> KeySet:
        """Return the keys."""
        return self._keys


def plugin_tokens() -> list[str]:
    made = NOW.isoformat(timespec="milliseconds")
    claims = {**USER, "createdAt": made, "updatedAt": made, "sub": USER["id"]}
    signer = Signer(SIGNING, issuer=ORIGIN, audience=ORIGIN, lifetime=900)
    return [
        signer.sign({**claims, "n": number}, headers={"typ": None})
        for number in range(4000)
    ]


def bridge_calls() -> dict[str, tuple[Call, Call]]:
    """Return name -> the bridge's call, and ours."""
    try:
        import fastapi_better_auth as bridge
    except ImportError:
        print("fastapi-better-auth-bridge IS NOT INSTALLED: its rows are left out")
        return {}
    ba = BetterAuth(SECRET, store=Sessions(), jwks=Keys())
    dependency = better_auth_session(ba)
    cookies = connection(
        cookie=f"better-auth.session_token={ba.sign_session_token(TOKEN)}"
    )
    theirs = bridge.CookieVerifier(
        secret=bridge.SharedSecret(SECRET),
        store=bridge_store(bridge),
        csrf=bridge.OriginCheck(allowed_origins=[ORIGIN]),
        secure_cookies=False,
    )
    tokens = plugin_tokens()
    again = connection(authorization=f"Bearer {tokens[0]}")
    others = [connection(authorization=f"Bearer {token}") for token in tokens]
    keys = bridge_keys(bridge)

    def bridged(verifier: Any, asked: HTTPConnection) -> Any:
        return run(verifier.verify(verifier.extract(asked), bridge.User))

    # It fetches the keys once, for which it wants a loop.
    asyncio.run(keys.verify(keys.extract(again), bridge.User))
    assert bridged(theirs, cookies).user.id == run(dependency(cookies)).user_id
    assert bridged(keys, again).user.id == run(dependency(again)).user_id
    theirs_next, ours_next = cycle(others), cycle(others)
    return {
        "cookie and store": (
            lambda: bridged(theirs, cookies),
            lambda: run(dependency(cookies)),
        ),
        "EdDSA token that comes again (signature remembered)": (
            lambda: bridged(keys, again),
            lambda: run(dependency(again)),
        ),
        "EdDSA tokens, each another (signature checked)": (
            lambda: bridged(keys, next(theirs_next)),
            lambda: run(dependency(next(ours_next))),
        ),
    }


def bridge_store(bridge: Any) -> Any:
    user = bridge.StoredUser(id=USER["id"], payload=USER)
    session = bridge.StoredSession(
        token=TOKEN,
        user_id=USER["id"],
        expires_at=SESSION["expiresAt"],
        payload=SESSION,
        user=user,
    )

    class Store:
        async def fetch_session_by_token(self, token: str) -> Any:
            return session if token == TOKEN else None

        async def fetch_user_by_id(self, user_id: str) -> Any:
            return user if user_id == USER["id"] else None

    return Store()


def bridge_keys(bridge: Any) -> Any:
    import json

    class Served:
        async def get(self, url: str, **_: Any) -> Any:
            body = json.dumps({"keys": [SIGNING.public().to_jwk()]}).encode()
            headers = {"content-type": "application/json"}
            return bridge.TransportResponse(200, headers, body)

        async def post(self, url: str, **_: Any) -> Any:
            raise AssertionError

        async def aclose(self) -> None: ...

    return bridge.JwtVerifier(base_url=ORIGIN, transport=Served())


def show(name: str, value: float, mark: float, *, at_most: bool) -> None:
    reached = value <= mark if at_most else value >= mark
    word = "at most" if at_most else "at least"
    verdict = "reached" if reached else "MISSED"
    print(f"  {name:52} {value:6.2f}x (mark: {word} {mark:g}: {verdict})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=60)
    options = parser.parse_args()
    own, bridged = own_calls(), bridge_calls()
    calls: dict[Any, Call] = dict(own)
    for name, (theirs, ours) in bridged.items():
        calls |= {(name, "theirs"): theirs, (name, "ours"): ours}
    least = times(calls, options.rounds)
    print("us a check")
    for name in own:
        print(f"  {name:52} {least[name]:7.2f}")
    names = list(own)
    show("session_token", least[names[1]] / least[names[0]], TOKEN_MARK, at_most=True)
    for name, mark in zip(
        names[3:], (COMPACT_MARK, COMPACT_MARK, JWE_MARK), strict=True
    ):
        show(name, least[name] / least[names[2]], mark, at_most=True)
    for name in bridged:
        theirs_us, ours_us = least[name, "theirs"], least[name, "ours"]
        print(f"  {name:52} {theirs_us:7.2f} {ours_us:7.2f}")
        show(name, theirs_us / ours_us, BRIDGE_MARK, at_most=False)


if __name__ == "__main__":
    main()
