"""Keys whose tokens may have any iss, beside issuers that have names."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from fastbearer import Key, Signer
from fastbearer.errors import ConfigurationError, TokenError
from fastbearer.issuers import Issuer, IssuersVerifier
from fastbearer.testing import FrozenClock
from project import OTHER_SECRET, SECRET

CLOCK = FrozenClock()
ES, ED = Key.generate("ES256", kid="es"), Key.generate("EdDSA", kid="ed")
HS, OTHER_HS = Key.from_secret(SECRET), Key.from_secret(OTHER_SECRET)
A, B, MINE = "https://a.example", "https://b.example", "https://mine.example"
NAMES = (None, "", A, B, MINE, "https://stranger.example")


class Unfetched:
    """Keys that nobody may ask for."""

    def keys(self, *, unknown_kid: bool = False) -> Any:
        raise AssertionError("keys were fetched")

    async def akeys(self, *, unknown_kid: bool = False) -> Any:
        raise AssertionError("keys were fetched")


ANY = {
    "keys": (ES, Issuer(None, keys=ES, any_issuer=True)),
    "keys with a name": (ES, Issuer(MINE, keys=ES, any_issuer=True)),
    "keys of a name of another": (ES, Issuer([None, A], keys=ES, any_issuer=True)),
    "secret": (HS, Issuer(None, keys=HS, any_issuer=True)),
    "secret with a name": (HS, Issuer([MINE, None], keys=HS, any_issuer=True)),
    "secret of a name of another": (
        *(HS, Issuer([None, A], keys=HS, any_issuer=True)),
    ),
}
NAMED = {
    "keys": (ED, Issuer(A, keys=ED)),
    "keys of two names": (ED, Issuer([A, B], keys=ED)),
    "keys without a name": (ED, Issuer([A, None], keys=ED)),
    "secret": (OTHER_HS, Issuer.secret(OTHER_SECRET, A)),
    "secret that must be named": (OTHER_HS, Issuer(A, keys=OTHER_HS)),
    "secret without a name": (OTHER_HS, Issuer.secret(OTHER_SECRET)),
}
FURTHER = {"alone": (), "beside a third": (Issuer(B, keys=Unfetched()),)}


def token(key: Key, name: str | None) -> str:
    claims = {"sub": "u1", "exp": int(CLOCK.now) + 60}
    return Signer(key).sign(claims if name is None else {**claims, "iss": name})


def is_good(verifier: IssuersVerifier, given: str) -> bool:
    """Tell whether a token is accepted, by both ways alike."""
    found = []
    for verify in (verifier.verify, lambda one: asyncio.run(verifier.averify(one))):
        try:
            found.append(bool(verify(given)))
        except TokenError:
            found.append(False)
    assert found[0] is found[1]
    return found[0]


def is_meant(issuer: Issuer, name: str | None, others: list[Issuer]) -> bool:
    """Say it as the documents do: every iss that is no other issuer's."""
    if name in issuer.names:
        return True
    return issuer.any_issuer and not any(name in other.names for other in others)


@pytest.mark.parametrize(
    ("any_one", "named", "further"), list(itertools.product(ANY, NAMED, FURTHER))
)
def test_whose_an_iss_is(any_one: str, named: str, further: str) -> None:
    owners = [ANY[any_one], NAMED[named]]
    issuers = [issuer for _, issuer in owners] + list(FURTHER[further])
    try:
        verifier = IssuersVerifier(issuers, CLOCK)
    except ConfigurationError:
        names = [
            (name, key.algorithm[:2] == "HS")
            for key, issuer in owners
            for name in issuer.names
        ]
        beside = [(B, False) for _ in FURTHER[further]]
        assert len(set(names + beside)) < len(names + beside)
        return
    for (key, issuer), name in itertools.product(owners, NAMES):
        others = [one for one in issuers if one is not issuer]
        expected = is_meant(issuer, name, others)
        if "third" in further and name == B and not expected:
            continue  # the third would be asked for its keys
        assert is_good(verifier, token(key, name)) is expected, (issuer.names, name)


@pytest.mark.parametrize("key", [ES, HS], ids=["keys", "secret"])
def test_a_named_issuer_whose_keys_are_elsewhere(key: Key) -> None:
    """A plain secret does not sign for a Keycloak."""
    issuers = [Issuer(None, keys=key, any_issuer=True), Issuer(A, keys=ED)]
    verifier = IssuersVerifier(issuers, CLOCK)
    assert not is_good(verifier, token(key, A))
    assert is_good(verifier, token(key, B))
    assert is_good(verifier, token(key, None))


def test_the_secret_of_a_server_signs_for_the_server_alone() -> None:
    own = Issuer(None, keys=HS, any_issuer=True)
    server, third = Issuer(A, keys=ED), Issuer(B, keys=ES)
    verifier = IssuersVerifier([own, server, third], CLOCK, one_server=(own, server))
    assert is_good(verifier, token(HS, A)) and is_good(verifier, token(ED, A))
    assert is_good(verifier, token(HS, None)) and is_good(verifier, token(HS, MINE))
    assert not is_good(verifier, token(HS, B))
    assert not is_good(verifier, token(ED, MINE))
    assert verifier.issuer_of(token(HS, A), {"iss": A}) is own
    assert verifier.issuer_of(token(ED, A), {"iss": A}) is server


def test_what_is_one_server_names_its_users_alike() -> None:
    own = Issuer(None, keys=HS, any_issuer=True)
    server = Issuer(A, keys=ED, user_claim="oid")
    with pytest.raises(ConfigurationError, match="user_claim"):
        IssuersVerifier([own, server], CLOCK, one_server=(own, server))
