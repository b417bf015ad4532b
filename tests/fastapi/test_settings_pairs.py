"""No setting of tokens is ignored in silence, beside whichever other one.

Each pair of them, on each base, either stops the start or is used: without one of the
two, some token has another outcome, or keys are fetched otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from http.server import BaseHTTPRequestHandler
from itertools import combinations, product
from typing import Any

import pytest

from fastbearer import Key, KeySet, Signer
from fastbearer.errors import ConfigurationError, FastbearerError
from fastbearer.fastapi import Auth, Settings
from fastbearer.issuers import member
from key_server import KeyServer, answer, jwks_text
from project import SECRET

pytestmark = pytest.mark.http

ED = Key.generate("EdDSA", kid="ed")
RSA = Key.generate("RS256", kid="rsa")
HERE = "http://127.0.0.1"
ME, OTHER = "https://me.example", "https://other.example"
NOW = 1_800_000_000


def behave(handler: BaseHTTPRequestHandler) -> None:
    """Serve a discovery document, and keys everywhere else."""
    host = handler.headers["Host"]
    if "/.well-known/" in handler.path:
        told = {"issuer": f"http://{host}", "jwks_uri": f"http://{host}/keys"}
        answer(json.dumps(told).encode())(handler)
    else:
        answer(jwks_text(ED, RSA))(handler)


@pytest.fixture(scope="module")
def server() -> Iterator[KeyServer]:
    with KeyServer(behave) as running:
        yield running


@pytest.fixture(autouse=True)
def one_fetch_for_all(monkeypatch: pytest.MonkeyPatch, sources: dict[Any, Any]) -> None:
    """Let sources of the same keys be one: what is tried here is who is asked."""
    for name in ("AUTH_SECRET", *map(str.upper, Settings.model_fields)):
        monkeypatch.delenv(name, raising=False)
    make = member._source

    def shared(issuer: Any) -> Any:
        how = transport(issuer)
        key = (str(issuer.keys), issuer.names, json.dumps(how))
        if key not in sources:
            sources[key] = make(issuer)
        return sources[key]

    monkeypatch.setattr(member, "_source", shared)


@pytest.fixture(scope="module")
def sources() -> dict[Any, Any]:
    return {}


def transport(issuer: Any) -> Any:
    context = issuer.ssl_context
    return (
        issuer.allow_http,
        issuer.headers,
        context if context is None else str(context),
    )


SETTINGS: dict[str, str] = {
    "better_auth_secret": SECRET,
    "better_auth_secrets": f"1:{SECRET * 2}",
    "better_auth_url": HERE,
    "jwks_url": f"{HERE}/keys",
    "jwt_issuer": f"{HERE},{ME}",
    "jwt_audience": "tasks",
    "jwt_issuers": json.dumps([{"url": OTHER, "keys": f"{HERE}/keys"}]),
    "jwt_any_issuer": "1",
    "jwt_leeway": "60",
    "jwt_algorithms": "RS256,HS512",
    "jwt_typ": "at+jwt",
    "jwt_required": '{"tid": "a"}',
    "jwt_user_claim": "oid",
    "jwt_email_claim": "mail",
    "jwt_scope_claims": "permissions",
    "jwt_role_claims": "realm_access.roles",
    "jwt_max_bytes": "20000",
    "jwt_allow_http": "1",
    "jwt_key_headers": '{"X-Key": "a"}',
    "jwt_ca_file": "CA",
}
BASES: dict[str, dict[str, str]] = {
    "nothing else": {},
    "a secret": {"better_auth_secret": SECRET},
    "Better Auth": {"better_auth_url": HERE},
    "keys from a URL": {"jwks_url": f"{HERE}/keys", "jwt_issuer": HERE},
    "keys that are discovered": {"jwt_issuer": HERE},
    "a secret and Better Auth": {
        "better_auth_secret": SECRET,
        "better_auth_url": HERE,
    },
}


LISTED = ("better_auth_secret", "better_auth_secrets")
"""Beside the list, the other secret is one of before: it opens sessions, no tokens."""


def test_the_settings_here_are_all_that_concern_tokens() -> None:
    others = {"jwt_expiration_days"}
    assert {name for name in Settings.model_fields if name.startswith("jwt_")} <= (
        SETTINGS.keys() | others
    )


SHAPES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "plain": ({}, {}),
    "expired a moment ago": ({}, {"exp": NOW - 30}),
    "for access": ({"typ": "at+jwt"}, {}),
    "for access, expired a moment ago": ({"typ": "at+jwt"}, {"exp": NOW - 30}),
    "of the tenant": ({}, {"tid": "a"}),
    "of the tenant, for access": ({"typ": "at+jwt"}, {"tid": "a"}),
    "long": ({}, {"more": "x" * 13_000}),
    "all": (
        {"typ": "at+jwt"},
        {"tid": "a", "exp": NOW - 30, "more": "x" * 13_000},
    ),
}


@cache
def palette(origin: str) -> dict[tuple[Any, ...], str]:
    """Return tokens of every kind that a setting may tell from others."""
    secrets = {
        f"{algorithm} of secret {number}": Key.from_secret(secret, algorithm)
        for algorithm in ("HS256", "HS512")
        for number, secret in ((1, SECRET), (2, SECRET * 2))
        if algorithm == "HS256" or number == 2
    }
    keys = {**secrets, "EdDSA": ED, "RS256": RSA}
    made = {}
    for key, issuer, audience, shape in product(
        keys, (None, origin, ME, OTHER), (None, "tasks", origin), SHAPES
    ):
        header, more = SHAPES[shape]
        claims = {
            "sub": "u1",
            "exp": NOW + 3600,
            "oid": "u2",
            "email": "e",
            "mail": "m",
            "scope": "s",
            "permissions": ["p"],
            "realm_access": {"roles": ["r"]},
            **({} if issuer is None else {"iss": issuer}),
            **({} if audience is None else {"aud": audience}),
            **more,
        }
        made[key, issuer, audience, shape] = Signer(keys[key]).sign(
            claims, headers=header or None
        )
    return made


class Outcomes:
    """What becomes of each token under settings, each tried once."""

    def __init__(self, server: KeyServer, ca_file: str) -> None:
        self._origin = server.origin
        self._ca_file = ca_file
        self._known: dict[frozenset[tuple[str, str]], Any] = {}

    def of(self, settings: dict[str, str]) -> Any:
        key = frozenset(settings.items())
        if key not in self._known:
            self._known[key] = self._try(settings)
        return self._known[key]

    def _try(self, settings: dict[str, str]) -> Any:
        given = {
            name: self._ca_file if value == "CA" else value.replace(HERE, self._origin)
            for name, value in settings.items()
        }
        try:
            auth = Auth(Settings(**given), clock=lambda: NOW)
            _ = auth.verifier
        except ConfigurationError as error:
            return f"refused: {error}"
        found: dict[Any, Any] = {
            issuer.names: (str(issuer.keys), transport(issuer))
            for issuer in auth.issuers.every
            if not isinstance(issuer.keys, KeySet)
        }
        for name, token in palette(self._origin).items():
            try:
                claims = auth.verifier.verify(token)
            except FastbearerError as error:
                found[name] = error.code
            else:
                found[name] = (auth.user_of(claims), sorted(auth.scopes_of(claims)))
        return found


@pytest.fixture(scope="module")
def outcomes(server: KeyServer, tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    from private_ca import PrivateCA

    ca = PrivateCA(tmp_path_factory.mktemp("ca"))
    return Outcomes(server, str(ca.file))


@pytest.mark.parametrize("base", BASES)
def test_each_pair_of_settings_is_used_or_refused(
    outcomes: Outcomes, base: str
) -> None:
    ignored, refused, used = [], [], []
    for pair in combinations(SETTINGS, 2):
        whole = {**BASES[base], **{name: SETTINGS[name] for name in pair}}
        found = outcomes.of(whole)
        if isinstance(found, str):
            refused.append(found)
            continue
        used.append(found)
        for name in pair:
            without = {one: whole[one] for one in whole if one != name}
            if name in BASES[base]:
                without[name] = BASES[base][name]
            if without != whole and outcomes.of(without) == found and pair != LISTED:
                ignored.append((name, pair))
    assert not ignored
    # Or the table would be one that refuses everything, or accepts nothing.
    assert refused and used
    assert all(any(isinstance(one[0], dict) for one in each.values()) for each in used)
    names = [name.upper() for name in SETTINGS]
    for told in refused:
        assert any(name in told for name in names), told
        assert SECRET not in told and "127.0.0.1" not in told
