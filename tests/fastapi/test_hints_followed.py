"""What a hint of the log names can be set: whoever does so has a service that starts.

Every hint is taken in every configuration, and each setting in it is set there.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from fastbearer import Key, Signer, Verifier
from fastbearer.errors import (
    ExpiredTokenError,
    ImmatureTokenError,
    InvalidAlgorithmError,
    InvalidIssuerError,
    MalformedTokenError,
    MissingClaimError,
    TokenError,
)
from fastbearer.fastapi import Auth, Issuer, Settings
from fastbearer.fastapi.hints import HINTS, HINTS_OF_OTHERS, MISSING_CLAIMS, hint_for
from fastbearer.fastapi.issuer_checks import ISSUER_OF_SECRET
from project import OTHER_SECRET, SECRET

SECRET_OF_64 = SECRET * 2
ME, OTHER = "https://me.example", "https://other.example"
ES = Key.generate("ES256", kid="es")
ENTRY = {"url": OTHER, "algorithms": ["RS256"]}
FURTHER = {"jwt_issuers": json.dumps([ENTRY])}
OWN = {"better_auth_secret": SECRET_OF_64}
BETTER_AUTH = {"better_auth_url": ME}
CODE = [Issuer(OTHER, keys=ES), Issuer.secret(OTHER_SECRET, "jobs")]
VERIFIER = Verifier(Key.from_secret(SECRET))

CONFIGURATIONS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a secret": (OWN, {}),
    "a secret and its iss": ({**OWN, "jwt_issuer": "me"}, {}),
    "a secret and a URL as its iss": ({**OWN, "jwt_issuer": ME}, {}),
    "a secret and its algorithms": ({**OWN, "jwt_algorithms": "HS256"}, {}),
    "a secret and Better Auth": ({**OWN, **BETTER_AUTH}, {}),
    "Better Auth": (BETTER_AUTH, {}),
    "keys of a URL": ({"jwks_url": f"{ME}/keys", "jwt_issuer": ME}, {}),
    "keys that are discovered": ({"jwt_issuer": ME}, {}),
    "two that are discovered": ({"jwt_issuer": f"{ME},https://two.example"}, {}),
    "some algorithms": ({"jwt_issuer": ME, "jwt_algorithms": "RS256"}, {}),
    "a list": (FURTHER, {}),
    "a secret and a list": ({**OWN, **FURTHER}, {}),
    "keys and a list": ({"jwt_issuer": ME, **FURTHER}, {}),
    "issuers in code": ({}, {"issuers": CODE}),
    "a secret and issuers in code": (OWN, {"issuers": CODE}),
    "a verifier": ({}, {"verifier": VERIFIER}),
    "a verifier and a secret": (OWN, {"verifier": VERIFIER}),
}
VALUES = {
    "JWT_AUDIENCE": "tasks",
    "JWT_LEEWAY": "5",
    "JWT_MAX_BYTES": "20000",
    "JWT_USER_CLAIM": "oid",
    "JWT_REQUIRED": '{"tid": "a"}',
    "BETTER_AUTH_URL": ME,
    "INTROSPECTION_CLIENT_ID": "me",
    "REQUESTS_WITHOUT_ORIGIN": "allow",
    "DPOP": "optional",
}
NOW = 1_800_000_000


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AUTH_SECRET", *map(str.upper, Settings.model_fields)):
        monkeypatch.delenv(name, raising=False)


def error_of(kind: type[TokenError], reason: str, claim: str | None = None) -> Any:
    error = kind("x", claim) if claim else kind("x")  # type: ignore[call-arg]
    error.reason = reason
    return error


def signed(key: Key, **claims: Any) -> str:
    return Signer(key).sign({"sub": "u1", "exp": NOW, **claims})


TOKENS = {
    name: signed(Key.generate(name))
    for name in ("HS256", "HS384", "HS512", "RS256", "ES384", "EdDSA")
}


def refusals() -> Iterator[tuple[TokenError, str]]:
    for reason in {**HINTS, **HINTS_OF_OTHERS}:
        if not reason.startswith("alg_"):
            yield error_of(TokenError, reason), "a.b.c"
    for claim in MISSING_CLAIMS:
        assert claim is not None
        yield error_of(MissingClaimError, "claim_missing", claim), "a.b.c"
    for reason in ("alg_not_allowed", "alg_not_keys"):
        for token in TOKENS.values():
            yield error_of(InvalidAlgorithmError, reason), token
    yield error_of(MalformedTokenError, "token_not_compact"), "opaque"
    yield InvalidIssuerError("x", "iss"), "a.b.c"
    for kind, reason, claim in (
        (ExpiredTokenError, "exp_passed", "exp"),
        (ImmatureTokenError, "nbf_ahead", "nbf"),
    ):
        near = signed(Key.from_secret(SECRET), **{claim: NOW + 3})
        yield error_of(kind, reason, claim), near


def followed(name: str, settings: dict[str, Any], alg: str | None) -> dict[str, Any]:
    """Return the settings after somebody has done what a hint says."""
    given = {**settings}
    if name == "JWT_ISSUERS":
        entries = json.loads(given.get("jwt_issuers", "[]"))
        entries.append({"url": "https://new.example"})
        return {**given, "jwt_issuers": json.dumps(entries)}
    if name == "JWT_ISSUER":
        before = given.get("jwt_issuer")
        new = "https://new.example"
        return {**given, "jwt_issuer": f"{before},{new}" if before else new}
    if name == "JWT_ALGORITHMS":
        accepted = given.get("jwt_algorithms", "").split(",")
        if accepted == [""]:
            accepted = ["HS256"] if "better_auth_secret" in given else []
            if {"better_auth_url", "jwks_url"} & given.keys():
                accepted.append("RS256")
        return {**given, "jwt_algorithms": ",".join(filter(None, [*accepted, alg]))}
    if name == "INTROSPECTION_CLIENT_ID":
        given["introspection_client_secret"] = "x" * 40
    return {**given, name.lower(): VALUES[name]}


def start(settings: dict[str, Any], options: dict[str, Any]) -> Auth:
    given = Settings(**settings) if settings else None
    auth = Auth(given, clock=lambda: NOW, **options)
    if "verifier" in options:
        auth = Auth(given, **options)
        auth.clock = lambda: NOW

    async def run() -> None:
        async with auth.lifespan(FastAPI()):
            pass

    asyncio.run(run())
    return auth


NAME = re.compile(r"\b(?:[A-Z]+_)+[A-Z]+\b")
OF_CODE = {"DPOP_BASE_URL"}  # with DPOP=optional, or base_url=...


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_what_a_hint_names_can_be_set(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, options = CONFIGURATIONS[name]
    auth = start(settings, options)
    has_further = "jwt_issuers" in settings or "issuers" in options
    is_given = "verifier" in options
    tried = set()
    for error, token in refusals():
        hint = hint_for(error, token, auth)
        assert hint is None or not re.search(r"[{}]|,,|,\)|,$", hint), hint
        text = (hint or "").replace(ISSUER_OF_SECRET, "JWT_ISSUERS BETTER_AUTH_URL")
        alg = next((one for one, its in TOKENS.items() if its == token), None)
        for setting in set(NAME.findall(text)) - OF_CODE:
            more = followed(setting, settings, alg)
            if setting == "BETTER_AUTH_URL" and "list its alg" in text:
                more = followed("JWT_ALGORITHMS", more, alg)
            if setting == "JWT_ALGORITHMS" and "BETTER_AUTH_URL" in text:
                more = followed("BETTER_AUTH_URL", more, alg)
            for one, value in {} if settings else more.items():
                monkeypatch.setenv(one.upper(), value)
            start(more if settings else {}, options)
            for one in more:
                monkeypatch.delenv(one.upper(), raising=False)
            tried.add(setting)
        assert ("of the issuer," in f"{text}," and "=..." in text) <= has_further, text
        assert ("of the verifier" in text) <= is_given, text
    is_of_settings = bool(settings.keys() - {"jwt_issuers"}) and not is_given
    rules = {"JWT_AUDIENCE", "JWT_LEEWAY", "JWT_MAX_BYTES", "JWT_USER_CLAIM"}
    assert tried >= rules if is_of_settings else not (tried & rules)


@pytest.mark.parametrize(
    ("name", "alg", "words"),
    [
        ("a secret", "RS256", "Set BETTER_AUTH_URL."),
        ("a secret and its algorithms", "RS256", "and list its alg in JWT_ALGORITHMS."),
        ("a secret and its iss", "EdDSA", "Set BETTER_AUTH_URL."),
        ("a secret and a URL as its iss", "RS256", ISSUER_OF_SECRET),
        ("a secret and a URL as its iss", "ES384", ISSUER_OF_SECRET),
        ("a secret", "HS512", "in JWT_ALGORITHMS"),
        ("a secret and Better Auth", "HS384", "in JWT_ALGORITHMS"),
        ("some algorithms", "ES384", "alg is ES384; list every accepted alg in JWT_A"),
        ("a list", "ES384", "accepted alg in algorithms=... of the issuer, if"),
        ("keys that are discovered", "HS256", "alg is HS256; its alg is not one that"),
        ("Better Auth", "ES384", "alg is ES384; its alg is not one that is accepted"),
        ("a verifier", "ES384", "in algorithms=... of the verifier"),
    ],
)
def test_a_hint_about_an_algorithm(name: str, alg: str, words: str) -> None:
    settings, options = CONFIGURATIONS[name]
    error = error_of(InvalidAlgorithmError, "alg_not_allowed")
    hint = hint_for(error, TOKENS[alg], start(settings, options)) or ""
    assert f"alg is {alg}" in hint and words in hint
    assert ("Better Auth's jwt()" in hint) is ("Set BETTER_AUTH_URL" in words + hint)


@pytest.mark.parametrize(
    ("profile", "claim"),
    [
        (Issuer.entra("8f4b6c1a-3c0d-4a44-9b1e-0d6a3f1c2b7e", audience="a"), "azp"),
        (Issuer.okta("x.okta.com"), "cid"),
        (Issuer.zitadel("x.zitadel.cloud", "1"), "jti"),
    ],
)
def test_an_id_token_without_a_claim_of_access_tokens(
    profile: Issuer, claim: str
) -> None:
    auth = start({}, {"issuers": [profile]})
    assert claim in str(profile.require)
    error = error_of(MissingClaimError, "claim_missing", claim)
    secret = Key.from_secret(SECRET)
    told = hint_for(error, signed(secret, nonce="n"), auth)
    assert told == "it has the claims of an ID token: send the access token"
    assert hint_for(error, signed(secret), auth) is None
