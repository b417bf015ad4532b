"""What the core raises is what the class makes when Python calls it.

The core builds its errors without their ``__init__``: here each is beside the one that
Python makes of the same class, message and claim, in all that a program can see.
"""

from __future__ import annotations

import copy
import pickle
import re
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest

from fastbearer import Key, KeySet, Signer, Verifier, errors, jws
from fastbearer._core import (
    SessionSecret,
    json_object,
    password_hash,
    password_verify,
)
from project import ROOT

SECRET = "q7Wn3VfB0sXcE5rT9yUiK2mLhJ8gDzA4pO6vNxCbQwY"
KEY, OTHER = Key.from_secret(SECRET), Key.generate("HS256")
NAMED = Key.from_secret(SECRET, kid="a")
RSA, EC = Key.generate("RS256"), Key.generate("ES256").public().to_jwk()
RSA_DER = b64decode("".join(RSA.to_pem().splitlines()[1:-1]))
SEALED_DER = b64decode(
    "MIGaMFYGCSqGSIb3DQEFDTBJMCgGCSqGSIb3DQEFDDAbBAhmNEvp9rzGvAIBATAMBggqhkiG9w0C"
    "CQUAMB0GCWCGSAFlAwQBAgQQ5LemzAe9ETqUPf+ZRqwaIARAl55rpBMvhKA+c9jJeYHIUIMTeW5h"
    "2u7Q+pxGe/BFb4NiuQ7EQ6t5PBlziUhJBMwTzMkrk9MFOL+Ptu0qVNI2fg=="
)
"""A private key, encrypted with the password ``right``."""
EXP = 4_102_444_800
ROW = r'^    X\((\w+), "(\w+)", (NULL|"\w+"),?\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\)'
TABLE = {
    name.lower(): (kind, None if claim == "NULL" else claim.strip('"'), message)
    for name, kind, claim, message in re.findall(
        ROW,
        (ROOT / "csrc" / "lib" / "base" / "status.h").read_text().replace("\\\n", "\n"),
        re.MULTILINE,
    )
}
"""A reason -> the class, the claim and the message that ``status.h`` gives it."""


def b64(text: bytes) -> str:
    return urlsafe_b64encode(text).decode().rstrip("=")


def headed(header: str) -> str:
    return f"{b64(header.encode())}.{b64(b'{}')}.{'A' * 43}"


def claims(**options: Any) -> Callable[[dict[str, Any]], object]:
    def verify(members: dict[str, Any]) -> object:
        return Verifier(KEY, **options).verify(Signer(KEY).sign({"exp": EXP} | members))

    return verify


def payload(text: bytes) -> object:
    return Verifier(KEY).verify(jws.sign(text, KEY))


def many_keys() -> object:
    keys = KeySet([Key.generate("HS256") for _ in range(20)])
    return Verifier(keys).verify(Signer(KEY).sign({"exp": EXP}))


REFUSALS: dict[str, Callable[[], object]] = {
    "token_too_long": lambda: Verifier(KEY, max_bytes=9).verify("a.b.c" * 9),
    "token_not_compact": lambda: Verifier(KEY).verify("a.b"),
    "token_encrypted": lambda: Verifier(KEY).verify("a.b.c.d.e"),
    "token_base64": lambda: Verifier(KEY).verify("\u20ac.b.c"),
    "json_syntax": lambda: payload(b"{"),
    "json_utf8": lambda: payload(b'{"a":"\xff"}'),
    "json_surrogate": lambda: payload(b'{"a":"\\ud800"}'),
    "json_duplicate": lambda: payload(b'{"a":1,"a":1}'),
    "json_depth": lambda: payload(b'{"a":' + b"[" * 40 + b"]" * 40 + b"}"),
    "json_number": lambda: payload(b'{"a":1e999}'),
    "json_not_object": lambda: payload(b"[]"),
    "header_members": lambda: Verifier(KEY).verify(
        headed('{"alg":"HS256",' + ",".join(f'"{n}":1' for n in range(64)) + "}")
    ),
    "header_type": lambda: Verifier(KEY).verify(headed('{"alg":"HS256","kid":1}')),
    "header_crit": lambda: Verifier(KEY).verify(headed('{"alg":"HS256","crit":[]}')),
    "header_b64": lambda: Verifier(KEY).verify(headed('{"alg":"HS256","b64":false}')),
    "header_zip": lambda: Verifier(KEY).verify(headed('{"alg":"HS256","zip":"DEF"}')),
    "alg_not_keys": lambda: Verifier(KEY).verify(headed('{"alg":"HS512"}')),
    "alg_not_allowed": lambda: Verifier(
        KeySet([KEY, Key.generate("HS512")]), algorithms=["HS512"]
    ).verify(headed('{"alg":"HS256"}')),
    "kid_unknown": lambda: Verifier(NAMED).verify(headed('{"alg":"HS256","kid":"b"}')),
    "kid_needed": many_keys,
    "signature_wrong": lambda: Verifier(OTHER).verify(Signer(KEY).sign({"exp": EXP})),
    "claim_missing": lambda: claims(require=["sub"])({}),
    "typ_wrong": lambda: claims(typ="at+jwt")({}),
    "exp_invalid": lambda: payload(b'{"exp":"1"}'),
    "nbf_invalid": lambda: payload(b'{"exp":4102444800,"nbf":"1"}'),
    "iat_invalid": lambda: payload(b'{"exp":4102444800,"iat":"1"}'),
    "exp_passed": lambda: claims()({"exp": 1}),
    "age_passed": lambda: claims(max_age=1)({"iat": 1}),
    "nbf_ahead": lambda: claims()({"nbf": EXP}),
    "iss_wrong": lambda: claims(issuer="a")({"iss": "b"}),
    "aud_shape": lambda: claims(audience="a")({"aud": 1}),
    "aud_wrong": lambda: claims(audience="a")({"aud": "b"}),
    "aud_unexpected": lambda: claims()({"aud": "b"}),
    "session_token": lambda: SessionSecret(SECRET).read_token("a"),
    "session_data": lambda: SessionSecret(SECRET).read_compact(b64(b"{}")),
    "session_key": lambda: SessionSecret(SECRET).open(SessionSecret("x").seal(b"{}")),
    "key_empty": lambda: Key.from_secret(""),
    "key_kid": lambda: Key.from_secret(SECRET, kid="\ud800"),
    "key_unreadable": lambda: Key.from_der(b"0"),
    "key_no_pem": lambda: Key.from_pem("none"),
    "key_password": lambda: Key.from_der(SEALED_DER, password=b"wrong"),
    "key_costly": lambda: Key.from_pem("-" * 70_000),
    "key_unsuited": lambda: Key.from_pem(RSA.to_pem(), "ES256"),
    "key_curve": lambda: Key.from_jwk(EC | {"crv": "P-224"}),
    "key_point": lambda: Key.from_jwk(EC | {"y": EC["x"]}),
    "key_rsa_size": lambda: Key.from_jwk(RSA.to_jwk() | {"n": "_" * 85 + "w"}),
    "key_rsa_exponent": lambda: Key.from_jwk(RSA.to_jwk() | {"e": "AQ"}),
    "key_pair": lambda: Key.from_jwk(EC | {"d": EC["x"]}),
    "key_not_private": lambda: Signer(RSA.public()),
    "key_no_public": KEY.public,
    "key_is_pem": lambda: Key.from_secret(RSA.to_pem()),
    "key_is_ssh": lambda: Key.from_secret("ssh-ed25519 " + "A" * 68),
    "key_is_jwk": lambda: Key.from_secret('{"kty":"oct","k":"abc"}'),
    "key_is_der": lambda: Key.from_secret(RSA_DER),
    "jwk_json": lambda: Key.from_jwk("{"),
    "jwk_kty": lambda: Key.from_jwk({"kty": "x"}),
    "jwk_alg": lambda: Key.from_jwk({"kty": "oct", "k": "A" * 50, "alg": "x"}),
    "hash_costly": lambda: password_verify("no", "$2b$31$" + "." * 53),
    "hash_old": lambda: password_hash("x", "$1$abcdefgh$"),
    "hash_weak": lambda: password_verify("no", "$1$abcdefgh$" + "." * 22),
    "password_unicode": lambda: password_hash("\ud800", "$2b$04$" + "." * 22),
    "key_algorithm": lambda: Key.from_secret("x" * 40, "hs256"),
    "key_short": lambda: Key.from_secret("short"),
    "jwk_member": lambda: Key.from_jwk({"kty": "oct", "k": 1}),
    "key_use": lambda: Key.from_jwk({"kty": "oct", "k": "A" * 50, "use": "enc"}),
    "hash_unknown": lambda: password_verify("no", "no hash"),
    "hash_malformed": lambda: password_verify("no", "$2b$04$"),
    "password_nul": lambda: password_hash("\0", "$2b$04$" + "." * 22),
    "password_long": lambda: password_hash("x" * 99, "$2b$04$" + "." * 22),
    "key_unicode": lambda: Key.from_secret("\ud800" * 40),
    "json_surrogate ": lambda: json_object("\ud800"),
}


def refused(reason: str) -> Any:
    with pytest.raises(errors.FastbearerError) as caught:
        REFUSALS[reason]()
    return caught.value


def shown(error: Any) -> tuple[object, ...]:
    """Return what a program can see of an error."""
    told = {name: getattr(error, name, "") for name in ("claim", "member", "code")}
    members = list(vars(error).items())
    kept = [*map(repr, (error, str(error), error.args, told, members))]
    return (type(error), *kept, error.reason, error.__cause__, error.__context__)


@pytest.mark.parametrize("reason", REFUSALS)
def test_it_is_what_the_class_makes(reason: str) -> None:
    error = refused(reason)
    kind, claim, _ = TABLE[reason.strip()]
    assert type(error) is getattr(errors, kind)
    made = type(error)(*error.args)
    made.reason = error.reason
    if "member" in vars(error):
        made.member = error.member
    assert shown(error) == shown(made)
    assert error.reason == reason.strip()
    if isinstance(error, errors.ClaimError):
        assert error.args[1:] == (error.claim,)
        assert error.claim == (claim or "sub")
    else:
        assert len(error.args) == 1


@pytest.mark.parametrize("reason", REFUSALS)
def test_it_outlives_pickling_and_copying(reason: str) -> None:
    error = refused(reason)
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert shown(pickle.loads(pickle.dumps(error, protocol))) == shown(error)
    assert shown(copy.copy(error)) == shown(copy.deepcopy(error)) == shown(error)


@pytest.mark.parametrize("reason", REFUSALS)
def test_what_is_done_to_one_is_not_done_to_the_next(reason: str) -> None:
    error, before = refused(reason), shown(refused(reason))
    vars(error).clear()
    error.reason, error.claim, error.other, error.args = "x", "y", "z", (1, 2, 3)
    error.add_note("a note")
    assert shown(refused(reason)) == before
    assert not hasattr(refused(reason), "other")


def test_it_knows_in_which_context_it_was_raised() -> None:
    try:
        raise KeyError("before")
    except KeyError as error:
        before, after = error, refused("token_not_compact")
    assert after.__context__ is before


def test_every_reason_is_met() -> None:
    """But for libcrypto's own failure, and a key that takes long to make."""
    met = {reason.strip() for reason in REFUSALS}
    assert set(TABLE) - met == {"crypto_failed", "key_rsa_roca"}
