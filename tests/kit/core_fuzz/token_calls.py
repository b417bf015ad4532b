"""Calls of what verifies and signs, each with what is right for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from random import Random
from typing import Any

import fastbearer
from fastbearer import (
    ConfigurationError,
    InvalidKeyError,
    KeySet,
    MalformedTokenError,
    Signer,
    TokenError,
    Verifier,
    _core,
    jws,
)

from .calls import Call, Check, anything, calls, holds, raises, refuses, returns
from .fixed_keys import KEYS, NAMED, SECRET
from .json_texts import NOW, mutated, payload, read_strictly
from .odd_values import odd
from .signature_model import HAS_SECOND_OPINION, is_signature
from .token_model import Options, judged, signed_with_hmac, split, unb64

HS = KEYS["HS256"]
CHEAP = ("HS256", "HS384", "HS512", "EdDSA", "ES256")
SETS = (
    (HS,),
    (HS, KEYS["ES256"], KEYS["EdDSA"]),
    (NAMED["h"], NAMED['\u00e9"\n'], KEYS["HS512"]),
    (NAMED[""],),
    tuple(KEYS.values()),
)


def options(dice: Random) -> Options:
    some = dice.choice
    audience = some((None, None, ("a",), ("b", "zz")))
    return Options(
        issuer=some((None, None, None, ("i",), ("i", "j"), ("",))),
        audience=audience,
        ignore_audience=audience is None and dice.random() < 0.5,
        leeway=some((0, 0, 5, 60.5)),
        require=some(((), (), ("exp",), ("sub", "exp"), ("nope",), ("typ", "alg"))),
        typ=some((None, None, None, ("at+jwt",), ("JWT", None), ("application/x/y",))),
        max_age=some((None, None, 10, 0.5)),
        max_bytes=some((10**6, 10**6, 200)),
        allow_padding=dice.random() < 0.2,
        cache=some((0, 0, 3)),
        algorithms=some((None, None, ("HS256",), ("Ed25519", "ES256"))),
    )


HEADER_MEMBERS = (
    *('"typ":"JWT"', '"typ":"at+jwt"', '"typ":"APPLICATION/AT+JWT"', '"kid":"h"'),
    *('"kid":""', '"kid":"\\u00e9\\"\\n"', '"kid":5', '"kid":null', '"crit":["exp"]'),
    *('"crit":[]', '"b64":true', '"b64":false', '"zip":"DEF"', '"cty":"JWT"'),
    *(
        '"jku":"https://x"',
        '"jwk":{}',
        '"x5c":[]',
        '"typ":null',
        '"typ":"application/"',
    ),
    *('"alg":"HS256"', '"\\u0061lg":"none"', '"typ":"\u00e9"', '"kid":"\\ud800"'),
)


def header(dice: Random, alg: str = "HS256") -> bytes:
    """Return the bytes of a header, mostly of one that says that algorithm."""
    said = alg if dice.random() < 0.9 else dice.choice(("none", "HS384", "hs256", ""))
    members = [f'"alg":"{said}"'] if dice.random() < 0.97 else []
    members += dice.sample(HEADER_MEMBERS, dice.choice((0, 0, 1, 1, 2)))
    if dice.random() < 0.1:
        members += [f'"m{n}":{n}' for n in range(dice.choice((62, 63, 64)))]
    if dice.random() < 0.7:
        dice.shuffle(members)
        return ("{" + ",".join(members) + "}").encode("utf-8")
    return payload(dice, tuple(members))


GOOD_HEADERS = (b'{"alg":"HS256"}', b'{"alg":"HS256","typ":"JWT"}')


def minted(dice: Random) -> bytes:
    """Return a rightly signed token of HS256 with any header and any payload."""
    head = dice.choice(GOOD_HEADERS) if dice.random() < 0.6 else header(dice)
    if head in GOOD_HEADERS and dice.random() < 0.5:
        body = payload(dice, ('"sub":"x"', f'"exp":{NOW + 50}'))
    else:
        body = payload(dice) if dice.random() < 0.7 else b'{"sub":"x"}'
    return signed_with_hmac(head, body, SECRET.encode())


def altered(dice: Random, token: bytes) -> bytes:
    """Return a token that was changed on its way, or whose form was."""
    roll = dice.random()
    if roll < 0.6:
        return mutated(dice, token)
    segments = token.split(b".")
    if roll < 0.7:
        segments = [one + b"=" * (-len(one) % 4) for one in segments]
    elif roll < 0.8:
        segments[-1] = dice.choice((b"", b"AA", segments[-1][:-1], segments[-1] + b"A"))
    elif roll < 0.9:
        segments[dice.randrange(3)] = dice.choice(segments)
    else:
        segments += dice.choice(([b""], [b"AA", b"BB"]))
    return b".".join(segments)


def as_given(dice: Random, token: bytes) -> str | bytes:
    return token if dice.random() < 0.5 else token.decode("latin-1")


def verdict(answer: Any, whole: bool) -> Check:
    if isinstance(answer, set):
        return refuses(*sorted(answer))
    head, claims = answer
    return returns(fastbearer.Token(head, claims)) if whole else returns(claims)


def twice(verify: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return what verifies a token again: a cache must not change the answer."""

    def ask(value: Any) -> Any:
        with suppress(TokenError):
            verify(value)
        return verify(value)

    return ask


def verifying(dice: Random, whole: bool) -> Call:
    how = options(dice)
    keys = dice.choice(SETS)
    alg = dice.choice([key.algorithm for key in keys])
    if alg.startswith("HS") or not HAS_SECOND_OPINION:
        token = minted(dice)
    else:
        token = jws.sign(payload(dice), KEYS[alg]).encode()
    if dice.random() < 0.3:
        token = altered(dice, token)
    given = as_given(dice, token)
    # What a str cannot be in ASCII is no base64url; it never gets to be split.
    if isinstance(given, str) and not given.isascii():
        answer: Any = {"token_base64"}
    elif not HAS_SECOND_OPINION and not alg.startswith("HS"):
        return Call(Verifier(keys).verify, (given,), secrets=(given,))
    else:
        answer = judged(token, keys, how)
    verifier = Verifier(dice.choice((keys, KeySet(keys), [*keys])), **how.named())
    function = verifier.verify_complete if whole else verifier.verify
    if dice.random() < 0.1:
        function = twice(function)
    return Call(function, (given,), check=verdict(answer, whole), secrets=(given,))


EDGES: tuple[Any, ...] = (
    *(NOW, NOW - 5, NOW + 5, NOW - 10, NOW + 1, NOW - 1, NOW + 0.5, NOW - 60.5, 0, -1),
    *(2**53, 2**53 + 1, -(2**53) - 1, 10**50, -(10**50), 1e300, True, None, "x", [5]),
)
AUDIENCES = ("a", "b", ["a"], ["zz", "a"], [], [5], ["a", 5], [5, "a"], 5, None, {})


@calls("Verifier.verify", TokenError, weight=20)
def verify_claims(dice: Random) -> Call:
    """Claims of which one or two stand at an edge, and all else is right."""
    how = options(dice)
    claims: dict[str, Any] = {"sub": "x", "iss": "i", "nope": 0, "typ": 1, "alg": 1}
    claims |= {"exp": NOW + 500, "iat": NOW}
    if how.audience is not None:
        claims["aud"] = how.audience[0]
    for name in dice.sample(
        ("exp", "nbf", "iat", "aud", "iss"), dice.choice((1, 1, 2))
    ):
        edges = AUDIENCES if name in ("aud", "iss") else EDGES
        claims[name] = dice.choice(edges)
    how = replace(how, typ=None, algorithms=None, max_bytes=10**6)
    text = json.dumps(claims).encode()
    token = signed_with_hmac(GOOD_HEADERS[0], text, SECRET.encode())
    check = verdict(judged(token, (HS,), how), whole=False)
    return Call(Verifier(HS, **how.named()).verify, (token,), check=check)


@calls("Verifier.verify", TokenError, weight=20)
def verify_after_others(dice: Random) -> Call:
    """A verifier learns from what it sees, which must not change an answer."""
    how = replace(options(dice), typ=None, algorithms=None, max_bytes=10**6)
    texts = [payload(dice) for _ in range(dice.choice((1, 1, 2, 5)))]
    texts += [mutated(dice, one) for one in texts]
    tokens = [signed_with_hmac(GOOD_HEADERS[0], one, SECRET.encode()) for one in texts]
    verifier = Verifier(HS, **how.named())
    for token in tokens * dice.choice((1, 3, 6)):
        with suppress(TokenError):
            verifier.verify(token)
    token = dice.choice(tokens)
    if dice.random() < 0.5:
        text = mutated(dice, dice.choice(texts))
        token = signed_with_hmac(GOOD_HEADERS[0], text, SECRET.encode())
    check = verdict(judged(token, (HS,), how), whole=False)
    return Call(verifier.verify, (token,), check=check)


@calls("Verifier.verify", TokenError, weight=30)
def verify(dice: Random) -> Call:
    return verifying(dice, whole=False)


@calls("Verifier.verify_complete", TokenError, weight=12)
def verify_complete(dice: Random) -> Call:
    return verifying(dice, whole=True)


@calls("Verifier", ConfigurationError, InvalidKeyError)
def verifier(dice: Random) -> Call:
    named = options(dice).named()
    named["clock"] = dice.choice((None, lambda: NOW))
    for name in dice.sample([*named], dice.choice((0, 1, 1, 2))):
        named[name] = odd()
    return Call(Verifier, (dice.choice((*SETS, HS)),), named)


@calls("Verifier.verify", TokenError, ValueError, weight=4)
def verify_with_odd_options(dice: Random) -> Call:
    """Whatever options could be configured, what is verified is documented."""
    named = {"require": (), "max_bytes": 10**6}
    for name in dice.sample(("issuer", "audience", "leeway", "typ", "clock"), 2):
        named[name] = odd()
    try:
        made = Verifier(HS, **named)
    except Exception:
        made = Verifier(HS, require=())
    token = minted(dice)
    return Call(made.verify, (as_given(dice, token),), secrets=(token,))


def twin_of(kind: str) -> Callable[[Random], Call]:
    objects: dict[str, Any] = {
        "Key": HS,
        "Verifier": Verifier(HS),
        "Signer": Signer(HS),
        "SessionSecret": _core.SessionSecret(SECRET),
    }
    one = objects[kind]

    def copied(dice: Random) -> Call:
        return Call(one.__copy__, check=holds(lambda twin: twin is one))

    def deeply(dice: Random) -> Call:
        return Call(one.__deepcopy__, ({},), check=holds(lambda twin: twin is one))

    calls(f"{kind}.__copy__", weight=1)(copied)
    calls(f"{kind}.__deepcopy__", weight=1)(deeply)
    return copied


for kind in ("Key", "Verifier", "Signer", "SessionSecret"):
    twin_of(kind)

# --- JWS --------------------


@calls("jws_verify", TokenError, ConfigurationError, InvalidKeyError, weight=4)
def jws_verify(dice: Random) -> Call:
    return verifying_jws(dice, _core.jws_verify)


@calls("jws.verify", TokenError, ConfigurationError, InvalidKeyError, weight=4)
def module_verify(dice: Random) -> Call:
    return verifying_jws(dice, jws.verify)


def verifying_jws(dice: Random, function: Callable[..., Any]) -> Call:
    """Any bytes may be signed, and come back as they were."""
    name = dice.choice(CHEAP)
    key = KEYS[name]
    text = mutated(dice, payload(dice))
    token = jws.sign(text, key).encode()
    wrong = altered(dice, token) if dice.random() < 0.5 else token
    check: Check = returns(text)
    if wrong != token:
        segments = wrong.split(b".")
        alone = len(segments) == 3 and unb64(segments[2])
        made = wrong[: wrong.rindex(b".")] if len(segments) == 3 else b""
        # An ECDSA signature has a twin; nobody finds it by chance.
        if alone and HAS_SECOND_OPINION and is_signature(key, name, made, alone):
            check = anything
        else:
            check = raises(TokenError)
    given = as_given(dice, wrong)
    return Call(function, (given, key), check=check, secrets=(given,))


@calls("unverified_header", MalformedTokenError, weight=4)
def unverified_header(dice: Random) -> Call:
    token = minted(dice)
    if dice.random() < 0.3:
        token = altered(dice, token)
    given = as_given(dice, token)
    parts = split(token, Options())
    text = unb64(parts.header) if not parts.reasons else None
    read = read_strictly(text) if text is not None else None
    check = raises(MalformedTokenError) if read is None else returns(read)
    if isinstance(given, str) and not given.isascii():
        check = raises(MalformedTokenError)
    return Call(fastbearer.unverified_header, (given,), check=check, secrets=(given,))
