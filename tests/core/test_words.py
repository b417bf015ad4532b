"""Messages for those who reach for the wrong call: they name the right one."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import json
import re
import sys
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from fastbearer import (
    ConfigurationError,
    InvalidKeyError,
    Key,
    KeySet,
    Signer,
    Verifier,
    jws,
)
from project import SECRET

KEY = Key.from_secret(SECRET)
EC = Key.generate("ES256")
SIGNER = Signer(KEY)


class Role(enum.Enum):
    ADMIN = "admin"


@dataclasses.dataclass
class Address:
    city: str = "Bern"


class Model:
    """Like pydantic's."""

    def model_dump(self, mode: str) -> dict[str, str]:
        return {"city": mode}


class Client:
    """Like JWKSClient."""

    async def akeys(self, *, unknown_kid: bool = False) -> None: ...


NOT_JSON: list[tuple[Any, str]] = [
    (uuid.UUID(int=0), "UUID: write str(value)"),
    (decimal.Decimal("1.5"), "decimal.Decimal: write str(value)"),
    (Role.ADMIN, "Role: write value.value"),
    (dt.datetime(2026, 1, 1), "datetime.datetime: write int(value.timestamp())"),
    (dt.date(2026, 1, 1), "datetime.date: write value.isoformat()"),
    (dt.timedelta(1), "datetime.timedelta: write value.total_seconds()"),
    (Address(), "Address: write dataclasses.asdict(value)"),
    (Model(), "Model: write value.model_dump(mode='json')"),
    ({"a"}, "set: write sorted(value)"),
    (frozenset("a"), "frozenset: write sorted(value)"),
    (b"a", "bytes: write value.decode()"),
    (bytearray(b"a"), "bytearray: write value.decode()"),
    (object(), "object"),
    (Role, "EnumType" if sys.version_info >= (3, 11) else "EnumMeta"),
    (1j, "complex"),
    (range(3), "range"),
    ({}.keys(), "dict_keys"),
]


@pytest.mark.parametrize(("value", "told"), NOT_JSON, ids=lambda one: str(one)[:20])
@pytest.mark.parametrize(
    ("wrap", "path"),
    [
        (lambda value: {"sub": "1", "user": value}, "claims['user']"),
        (lambda value: {"a": {"b": [1, (value,)]}}, "claims['a']['b'][1][0]"),
        (lambda value: {"é": {"x y": value}}, "claims['\\xe9']['x y']"),
    ],
    ids=["top", "inside", "odd names"],
)
def test_a_value_that_json_does_not_have_is_found(
    value: Any, told: str, wrap: Callable[[Any], dict[str, Any]], path: str
) -> None:
    with pytest.raises(TypeError) as caught:
        SIGNER.sign(wrap(value))
    assert str(caught.value) == f"{path}: JSON has no values of type {told}"


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({"a": [float("nan")]}, "claims['a'][0]: JSON has no NaN and no Infinity"),
        ({"a": "\ud800"}, "claims['a']: a string to be signed has a lone surrogate"),
        ({"a": 10**5000}, "claims['a']: an integer to be signed has too many digits"),
        ({"a": {1: 2}}, "claims['a']: names in JSON must be strings, not int"),
        ({1: 2}, "names of claims must be strings, not int"),
        (
            {"exp": uuid.UUID(int=0)},
            "exp must be a number of seconds or a datetime, not UUID",
        ),
        ({"nbf": True}, "nbf must be a number of seconds or a datetime, not bool"),
    ],
)
def test_the_claim_that_cannot_be_signed_is_named(claims: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        SIGNER.sign(claims)
    assert str(caught.value) == message
    assert type(caught.value) in (TypeError, ValueError)


def test_a_path_is_shown_up_to_a_length() -> None:
    circle: list[Any] = []
    circle.append(circle)
    with pytest.raises(ValueError, match=r"^claims\['a'\](\[0\]){31}: .*32 levels$"):
        SIGNER.sign({"a": circle})
    with pytest.raises(TypeError) as caught:
        SIGNER.sign({"x" * 10_000: {"y" * 10_000: b""}})
    assert len(str(caught.value)) < 300


def test_a_name_with_a_class_of_its_own_is_not_asked() -> None:
    class Name(str):
        __slots__ = ()

        def __repr__(self) -> str:
            raise AssertionError("asked")

    with pytest.raises(TypeError, match=re.escape("claims['a'][...]: JSON has no")):
        SIGNER.sign({"a": {Name("b"): b""}})


def test_a_member_of_the_header_is_named() -> None:
    with pytest.raises(TypeError, match=re.escape("headers['x5c'][0]: JSON has no")):
        SIGNER.sign({}, headers={"x5c": [b"DER"]})


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("hs256", "HS256"),
        ("Hs256", "HS256"),
        ("HS-256", "HS256"),
        ("rs_512", "RS512"),
        ("ps384 ", "PS384"),
        ("es256k", "ES256K"),
        ("eddsa", "EdDSA"),
        ("EDDSA", "EdDSA"),
        ("ed25519", "Ed25519"),
        ("ED448", "Ed448"),
    ],
)
def test_a_near_miss_of_an_algorithm_is_told(written: str, meant: str) -> None:
    for call in (
        lambda: Key.generate(written),
        lambda: Key.from_secret(SECRET, written),
        lambda: Key.from_pem(EC.to_pem(), written),
        lambda: Key.from_jwk(EC.to_jwk(), written),
    ):
        with pytest.raises(
            InvalidKeyError, match=f"did you mean {meant}\\?$"
        ) as caught:
            call()
        assert caught.value.reason == "key_algorithm"
    with pytest.raises(ConfigurationError, match=f"did you mean {meant}$"):
        Verifier(KEY, algorithms=[written])


@pytest.mark.parametrize(
    "written", ["", "nothing", "HS25", "HS2560", "256", SECRET, "é"]
)
def test_what_is_near_nothing_is_not_repeated(written: str) -> None:
    """It may be a secret: `Key.from_secret("HS256", secret)`."""
    with pytest.raises(InvalidKeyError, match="the algorithm is unknown, or") as caught:
        Key.from_secret(SECRET, written)
    assert not written or written not in str(caught.value)


TEXT = r"Key\.from_secret\(secret\) or Key\.from_pem\(text\)"


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: Verifier("secret"), f"not str: make one with {TEXT}"),
        (lambda: Verifier(b"secret"), f"not bytes: make one with {TEXT}"),
        (lambda: Verifier("https://a.example/jwks"), r"JWKSVerifier\(url\)"),
        (lambda: Verifier(EC.to_jwk()), r"not dict: .*Key\.from_jwk\(jwk\)"),
        (lambda: Verifier({"keys": []}), r"KeySet\.from_jwks\(jwks\)"),
        (lambda: Verifier(Client()), r"JWKSVerifier\(client\)"),
        (lambda: Verifier(None), "key must be a Key, not NoneType$"),
        (lambda: Verifier(5), "key must be a Key, not int$"),
        (
            lambda: Verifier([KEY, "secret"]),
            "each of several keys must be a Key, not str",
        ),
        (lambda: Signer("secret"), f"the one key of a Signer must be a Key.*{TEXT}"),
        (
            lambda: Signer(KeySet([KEY])),
            "the one key of a Signer must be a Key, not KeySet",
        ),
        (
            lambda: Signer(ec.generate_private_key(ec.SECP256R1())),
            r"write it as PEM, and read that with Key\.from_pem",
        ),
        (lambda: Key("x"), r"Key is not called: use Key\.from_secret\(secret\)"),
        (lambda: Key(), r"Key\.generate\(algorithm\)"),
        (lambda: KeySet(KEY), r"not of a Key: KeySet\(\[key\]\)"),
        (lambda: KeySet({"keys": []}), r"KeySet\.from_jwks\(jwks\)"),
        (lambda: KeySet("secret"), "not of a str"),
        (lambda: jws.sign(b"", "secret"), f"what signs must be a Key, not str.*{TEXT}"),
        (lambda: jws.verify("a.b.c", "secret"), f"key must be a Key, not str.*{TEXT}"),
    ],
)
def test_what_is_no_key_says_how_to_make_one(
    call: Callable[[], object], told: str
) -> None:
    with pytest.raises(TypeError, match=told) as caught:
        call()
    assert "secret" not in str(caught.value).replace("from_secret(secret)", "")


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: Key.from_secret(EC.to_pem()), r"read it with Key\.from_pem"),
        (lambda: Key.from_secret(json.dumps(EC.to_jwk())), r"Key\.from_jwk"),
        (lambda: Key.from_secret("ssh-ed25519 AAAA" + "C" * 60), "ssh-keygen"),
        (lambda: Key.from_jwk(EC.to_pem()), r"read with Key\.from_pem"),
        (lambda: Key.from_jwk({"keys": [EC.to_jwk()]}), r"KeySet\.from_jwks"),
        (lambda: Key.from_pem(json.dumps(EC.to_jwk())), r"Key\.from_jwk"),
        (lambda: KeySet.from_jwks(EC.to_jwk()), r"Key\.from_jwk"),
    ],
)
def test_a_key_in_another_form_names_its_reader(
    call: Callable[[], object], told: str
) -> None:
    with pytest.raises(InvalidKeyError, match=told):
        call()
