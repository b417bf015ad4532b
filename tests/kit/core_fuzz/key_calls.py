"""Calls of what makes keys, and of what keys tell."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

from fastbearer import InvalidKeyError, Key, _core, jws

from .calls import Call, Check, OddError, calls, holds, raises, returns
from .fixed_keys import (
    ASYMMETRIC,
    JWKS,
    KEYS,
    PEMS,
    PRIVATE_MEMBERS,
    PUBLIC_PEMS,
    SECRET,
    secrets_of,
)
from .json_texts import mutated
from .odd_values import OddDict, OddMapping, Twin, odd
from .signature_model import HAS_SECOND_OPINION, is_signature
from .token_model import ALGORITHMS, b64

CHEAP = ("HS256", "HS512", "ES256", "EdDSA")
KIDS = (None, "k", '\u00e9"\n', "")

# --- secrets --------------------


ASYMMETRIC_MARKS = (
    *(b"-----BEGIN PUBLIC KEY-----", b"-----BEGIN PRIVATE KEY-----"),
    *(b'"kty":', b'"kty" :', b"-----END PUBLIC KEY-----"),
)


def some_secret(dice: Random) -> bytes:
    pem = dice.choice([*PUBLIC_PEMS.values(), *PEMS.values()]).encode()
    jwk = json.dumps(dice.choice([*JWKS.values()])).encode()
    random = dice.randbytes(dice.choice((16, 31, 32, 64, 200)))
    made = dice.choice((b"", b" " * 40, pem, jwk, random, random, SECRET.encode()))
    return mutated(dice, made) if dice.random() < 0.5 else made


@calls("Key.from_secret", InvalidKeyError, weight=6)
def from_secret(dice: Random) -> Call:
    algorithm = dice.choice(("HS256", "HS384", "HS512"))
    secret = some_secret(dice)
    named = {"kid": dice.choice(KIDS), "allow_short_secret": dice.random() < 0.3}

    def check(key: Any, error: BaseException | None) -> str | None:
        size = int(algorithm[2:]) // 8
        is_short = len(secret) < size and not named["allow_short_secret"]
        if error is not None:
            plain = secret.isalnum() and not is_short
            return "should take letters and digits" if plain else None
        if is_short or not secret.strip():
            return f"takes a secret of {len(secret)} bytes"
        if any(mark in secret for mark in ASYMMETRIC_MARKS):
            return "takes an asymmetric key for a secret"
        made = _core.raw_sign(b"message", key)
        right = hashlib.new(algorithm.replace("HS", "sha")).digest_size == len(made)
        second = Key.from_secret(secret, algorithm, allow_short_secret=True)
        right = right and _core.raw_verify(b"message", made, second)
        return None if right and key.kid == named["kid"] else "makes another key"

    return Call(Key.from_secret, (secret, algorithm), named, check, (secret,))


@calls("Key.generate", InvalidKeyError)
def generate(dice: Random) -> Call:
    algorithm = dice.choice(CHEAP)
    kid = dice.choice(KIDS)

    def is_right(key: Key) -> bool:
        signed = jws.sign(b"x", key)
        told = (key.algorithm, key.kid, key.is_private)
        return told == (algorithm, kid, True) and jws.verify(signed, key) == b"x"

    return Call(Key.generate, (algorithm,), {"kid": kid}, holds(is_right))


# --- JWKs --------------------

THUMB = {
    "RSA": ("e", "kty", "n"),
    "EC": ("crv", "kty", "x", "y"),
    "OKP": ("crv", "kty", "x"),
    "oct": ("k", "kty"),
}
"""The members that RFC 7638 3.2 hashes, in their order."""


def thumbprint(jwk: dict[str, Any]) -> str:
    text = json.dumps({name: jwk[name] for name in THUMB[jwk["kty"]]}).replace(" ", "")
    digest = hashlib.sha256(text.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


MEMBERS: tuple[Any, ...] = (
    *("kty", "crv", "x", "y", "n", "e", "k", "alg", "use", "key_ops", "kid", "oth"),
    *(*PRIVATE_MEMBERS, "x5c", "ext", Twin("kty"), Twin("d"), 5, None),
)
VALUES: tuple[Any, ...] = (
    *(
        "",
        "AA",
        "A",
        "AQAB",
        "RSA",
        "EC",
        "OKP",
        "oct",
        "P-256",
        "Ed25519",
        "sig",
        "enc",
    ),
    *("HS256", "ES256", "RS256", "none", "\ud800", "\u00e9", 5, None, True, [], {}),
    *(["sign"], ["verify"], ["verify", "verify"], ["sign", "verify"], ["encrypt"], [5]),
    *("A" * 43, "A" * 86, "A" * 342, "A" * 5000, "AAEC==", "+/+/", ["verify"] * 20),
)


def changed_text(dice: Random, text: str) -> str:
    data = text.encode("utf-8", "surrogatepass")
    return mutated(dice, data, times=(1,)).decode("latin-1")


def change(dice: Random, jwk: dict[Any, Any]) -> None:
    """Change one member, take one out, or give it the one of another key."""
    roll = dice.random()
    if roll < 0.25 and jwk:
        jwk.pop(dice.choice([*jwk]), None)
    elif roll < 0.5 and jwk:
        name = dice.choice([*jwk])
        if type(jwk[name]) is str:
            jwk[name] = changed_text(dice, jwk[name])
    elif roll < 0.65:
        other = dice.choice([*JWKS.values()])
        name = dice.choice([*other])
        jwk[name] = other[name]
    else:
        value = odd() if dice.random() < 0.2 else dice.choice(VALUES)
        jwk[dice.choice(MEMBERS)] = value


def must_refuse(jwk: dict[Any, Any]) -> bool:
    """Tell whether a rule that is easily told is broken (RFC 7517 4)."""
    use, ops, alg = jwk.get("use", "sig"), jwk.get("key_ops"), jwk.get("alg")
    if not isinstance(jwk.get("kid", ""), str):
        return True
    if "oth" in jwk and jwk.get("kty") == "RSA":
        return True
    if not isinstance(use, str) or use != "sig":
        return True
    if "alg" in jwk and (not isinstance(alg, str) or alg not in ALGORITHMS):
        return True
    if "key_ops" in jwk and not isinstance(ops, (list, tuple)):
        return True
    return not isinstance(jwk.get("kty"), str) or jwk["kty"] not in THUMB


def is_same_key(jwk: dict[str, Any], key: Key) -> bool:
    """Tell whether it is the key that the members name, and signs as that key."""
    if key.thumbprint() != thumbprint(jwk):
        return False
    if not key.is_private:
        return "d" not in jwk
    try:
        made = _core.raw_sign(b"message", key)
    except InvalidKeyError:  # its key_ops have no "sign"
        return "key_ops" in jwk
    public = key if key.algorithm.startswith("HS") else key.public()
    return _core.raw_verify(b"message", made, public)


def reading_jwk(jwk: dict[Any, Any], was_changed: bool) -> Check:
    def check(key: Any, error: BaseException | None) -> str | None:
        if error is not None:
            return None if was_changed else "should take a JWK of ours"
        if must_refuse(jwk):
            return "takes a JWK that breaks RFC 7517 4"
        return None if is_same_key(jwk, key) else "reads another key"

    return check


def some_jwk(dice: Random) -> tuple[dict[Any, Any], bool, tuple[str, ...]]:
    """Return a JWK, whether it was changed, and what of it is secret."""
    name = dice.choice((*ASYMMETRIC, "oct"))
    jwk: dict[Any, Any] = dict(JWKS.get(name) or {"kty": "oct", "k": "Ab-_" * 20})
    secrets = tuple(jwk[one] for one in PRIVATE_MEMBERS if one in jwk)
    if dice.random() < 0.4 and name != "oct":
        jwk = {k: v for k, v in jwk.items() if k not in PRIVATE_MEMBERS}
    if dice.random() < 0.2:
        jwk["kid"] = dice.choice(("k", "", "\u00e9"))
    times = dice.choice((0, 1, 1, 1, 2, 3))
    for _ in range(times):
        change(dice, jwk)
    return jwk, times > 0, secrets


def form_of(dice: Random, jwk: dict[Any, Any]) -> Any:
    """Return the JWK as a dict, another mapping, or a text."""
    roll = dice.random()
    if roll < 0.6:
        return jwk
    if roll < 0.75:
        return OddMapping(jwk) if roll < 0.7 else OddDict(jwk)
    try:
        text = json.dumps(jwk)
    except (TypeError, ValueError, RecursionError, OddError):
        return jwk
    return text if roll < 0.9 else text.encode()


@calls("Key.from_jwk", InvalidKeyError, weight=12)
def from_jwk(dice: Random) -> Call:
    jwk, was_changed, secrets = some_jwk(dice)
    given = form_of(dice, jwk)
    plain = all(type(name) is str for name in jwk)
    check = reading_jwk(jwk, was_changed or given is not jwk)
    if not plain or not isinstance(given, (dict, str, bytes)) or type(given) is OddDict:
        check = reads_a_key
    return Call(Key.from_jwk, (given,), check=check, secrets=secrets)


def reads_a_key(key: Any, error: BaseException | None) -> str | None:
    if error is None:
        key.thumbprint()
        key.to_jwk(private=key.is_private)
    return None


@calls("Key.from_jwk", InvalidKeyError, weight=3)
def from_jwk_of_algorithm(dice: Random) -> Call:
    jwk, _, secrets = some_jwk(dice)
    algorithm = dice.choice(ALGORITHMS)

    def check(key: Any, error: BaseException | None) -> str | None:
        fits = error is not None or algorithm in key.algorithms
        return None if fits else f"makes a key of {key.algorithm}"

    named = {"lenient": dice.random() < 0.5}
    return Call(Key.from_jwk, (jwk, algorithm), named, check, secrets)


def loosened(dice: Random, jwk: dict[str, Any]) -> dict[str, Any]:
    """Return the same key as other writers have it."""
    made = dict(jwk)
    for name in dice.sample([*made], 2):
        text = made[name]
        if name in ("x", "y", "n", "e"):
            made[name] = dice.choice(
                (text + "=" * (-len(text) % 4), text.replace("-", "+"), f" {text}\n")
            )
    return made | dice.choice(({}, {"x5c": []}, {"use": None}, {"kid": ""}, {"d": ""}))


@calls("Key.from_jwk", InvalidKeyError, weight=3)
def from_jwk_leniently(dice: Random) -> Call:
    name = dice.choice(ASYMMETRIC)
    public = KEYS[name].public().to_jwk()
    jwk = loosened(dice, public)
    check = holds(lambda key: key.thumbprint() == thumbprint(public))
    return Call(Key.from_jwk, (jwk,), {"lenient": True}, check)


@calls("jwk_set_key", InvalidKeyError, weight=5)
def jwk_set_key(dice: Random) -> Call:
    jwk, was_changed, secrets = some_jwk(dice)
    check = reading_jwk(jwk, was_changed)
    if not all(type(name) is str for name in jwk):
        check = reads_a_key
    return Call(_core.jwk_set_key, (jwk, False), check=check, secrets=secrets)


# --- texts --------------------


def sealed() -> dict[str, bytes]:
    """Return some of the keys in PKCS#8 that the password "pw" opens."""
    if not HAS_SECOND_OPINION:
        return {}
    from cryptography.hazmat.primitives import serialization as forms

    made = {}
    for name in ("ES256", "EdDSA"):
        key = forms.load_pem_private_key(PEMS[name].encode(), None)
        made[name] = key.private_bytes(
            forms.Encoding.PEM,
            forms.PrivateFormat.PKCS8,
            forms.BestAvailableEncryption(b"pw"),
        )
    return made


SEALED = sealed()


def der_of(pem: str) -> bytes:
    return base64.b64decode("".join(pem.splitlines()[1:-1]))


def same_as(name: str) -> Callable[[Key], bool]:
    return lambda key: key.thumbprint() == KEYS[name].thumbprint()


def rereads(key: Any, error: BaseException | None) -> str | None:
    """Whatever key it became: it is written, read, and fits its other half."""
    if error is not None:
        return None
    again = Key.from_pem(key.to_pem(key.is_private), key.algorithm)
    if again.thumbprint() != key.thumbprint():
        return "is another key once it is written and read"
    if key.is_private:
        made = _core.raw_sign(b"message", key)
        if not _core.raw_verify(b"message", made, key.public()):
            return "its halves do not fit"
    return None


def reading_text(dice: Random, read: Callable[..., Key], form: Any) -> Call:
    name = dice.choice(ASYMMETRIC)
    pem = dice.choice((PEMS, PUBLIC_PEMS))[name]
    text, secret = form(pem), (PEMS[name], JWKS[name].get("d", ""))
    named = {"kid": dice.choice(KIDS)}
    if dice.random() < 0.15:
        named["password"] = dice.choice(("pw", b"", "\u00e9", b"x" * 1024))
    if dice.random() < 0.7:
        text = mutated(dice, text if isinstance(text, bytes) else text.encode())
        return Call(read, (text,), named, rereads, secret)
    return Call(read, (text, name), named, holds(same_as(name)), secret)


@calls("Key.from_pem", InvalidKeyError, weight=5)
def from_pem(dice: Random) -> Call:
    if SEALED and dice.random() < 0.05:
        name = dice.choice([*SEALED])
        password = dice.choice(("pw", b"pw", "no", None))
        right = password in ("pw", b"pw")
        check = holds(same_as(name)) if right else raises(InvalidKeyError)
        return Call(Key.from_pem, (SEALED[name],), {"password": password}, check)
    forms = (
        lambda pem: pem,
        lambda pem: pem.replace("\n", dice.choice(("\r\n", " ", "\\n", "\n\n", ""))),
        lambda pem: "text\n" + pem + "more",
    )
    return reading_text(dice, Key.from_pem, dice.choice(forms))


@calls("Key.from_der", InvalidKeyError, weight=5)
def from_der(dice: Random) -> Call:
    return reading_text(dice, Key.from_der, der_of)


# --- what keys tell --------------------


def expected(name: str) -> dict[str, Any]:
    """Return what each method or property answers, or what it raises."""
    jwk, key = JWKS.get(name), KEYS[name]
    oct_jwk = {"kty": "oct", "k": b64(SECRET.encode()).decode()}
    twins = {"EdDSA": ("EdDSA", "Ed25519"), "Ed448": ("Ed448", "EdDSA")}
    public = jwk and {k: v for k, v in jwk.items() if k not in PRIVATE_MEMBERS}
    return {
        "to_pem": PUBLIC_PEMS.get(name, InvalidKeyError),
        "to_jwk": public or InvalidKeyError,
        "thumbprint": thumbprint(jwk or oct_jwk),
        "algorithm": key.algorithm,
        "algorithms": twins.get(name, (name,)),
        "kid": None,
        "is_private": True,
        "public": lambda made: (made.is_private, made.to_jwk()) == (False, public),
    }


def check_of(answer: Any) -> Check:
    if answer is InvalidKeyError:
        return raises(InvalidKeyError)
    return holds(answer) if callable(answer) else returns(answer)


def asked(member: str) -> None:
    """Register calls of a method or property of a key."""

    def make(dice: Random) -> Call:
        name = dice.choice(ASYMMETRIC if member == "public" else [*KEYS])
        key, check = KEYS[name], check_of(expected(name)[member])
        if member in ("to_pem", "to_jwk") and dice.random() < 0.5:
            private = PEMS if member == "to_pem" else JWKS
            check = check_of(private.get(name, holds_any(member)))
            return Call(getattr(key, member), (True,), {}, check, secrets_of(name))
        if callable(getattr(Key, member)):
            return Call(getattr(key, member), (), {}, check, secrets_of(name))
        return Call(partial(getattr, key, member), (), {}, check, secrets_of(name))

    calls(f"Key.{member}", InvalidKeyError, weight=1)(make)


def holds_any(member: str) -> Any:
    """Return what the private form of a shared secret is: a JWK alone."""
    if member == "to_pem":
        return InvalidKeyError
    return lambda jwk: jwk["k"] == b64(SECRET.encode()).decode()


for member in expected("HS256"):
    asked(member)

# --- bare signatures --------------------


@calls("raw_sign", InvalidKeyError)
def raw_sign(dice: Random) -> Call:
    name, message = dice.choice(CHEAP), dice.randbytes(dice.choice((0, 1, 500)))

    def is_right(made: bytes) -> bool:
        return not HAS_SECOND_OPINION or is_signature(KEYS[name], name, message, made)

    if dice.random() < 0.1:
        public = KEYS["ES256"].public()
        return Call(_core.raw_sign, (message, public), check=raises(InvalidKeyError))
    args = (message, KEYS[name])
    return Call(_core.raw_sign, args, {}, holds(is_right), secrets_of(name))


@calls("raw_verify", weight=4)
def raw_verify(dice: Random) -> Call:
    name = dice.choice([*KEYS]) if HAS_SECOND_OPINION else "HS256"
    key, message = KEYS[name], dice.randbytes(dice.choice((0, 1, 500)))
    made = _core.raw_sign(message, key)
    if dice.random() < 0.6:
        made = mutated(dice, made)
    elif dice.random() < 0.3:
        message += b"x"
    answer = is_signature(key, name, message, made)
    return Call(_core.raw_verify, (message, made, key), check=returns(answer))
