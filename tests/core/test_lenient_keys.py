"""Public keys as the field writes them: what is read, and what is told of the rest."""

from __future__ import annotations

import copy
import json
import pickle
from base64 import b64encode, urlsafe_b64decode
from collections import OrderedDict
from collections.abc import Callable
from functools import cache
from types import MappingProxyType
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jose import jwk as python_jose_jwk
from joserfc import jwk as joserfc_jwk

from fastbearer import InvalidKeyError, Key, KeySet, Signer, Verifier, _core
from fastbearer.keys import SkippedKey
from handmade_tokens import b64

JWK = dict[str, Any]


def octets(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def leading_zero(jwk: JWK, name: str, count: int = 1) -> JWK:
    return {**jwk, name: b64(b"\0" * count + octets(jwk[name]))}


def standard(text: str) -> str:
    return b64encode(octets(text)).decode()


@cache
def rsa() -> Key:
    return Key.generate("RS256", kid="1")


@cache
def short_ec() -> Key:
    """Return a P-256 key with an x that begins with a zero octet, as 1 in 256 does."""
    key = Key.generate("ES256", kid="1")
    while octets(key.to_jwk()["x"])[0] != 0:
        key = Key.generate("ES256", kid="1")
    return key


@cache
def foreign_alphabet() -> Key:
    """Return an RSA key whose modulus has both characters that differ."""
    key = Key.generate("RS256", kid="1")
    while not {"-", "_"} <= set(key.to_jwk()["n"]):
        key = Key.generate("RS256", kid="1")
    return key


@cache
def edwards() -> Key:
    return Key.generate("EdDSA")


def shortened(jwk: JWK) -> JWK:
    return {**jwk, "x": b64(octets(jwk["x"]).lstrip(b"\0"))}


LENIENT: dict[str, tuple[Callable[[], Key], Callable[[JWK], JWK]]] = {
    "n with Java's sign octet": (rsa, lambda jwk: leading_zero(jwk, "n")),
    "n with three zero octets": (rsa, lambda jwk: leading_zero(jwk, "n", 3)),
    "e with a leading zero": (rsa, lambda jwk: {**jwk, "e": "AAEAAQ"}),
    "key_ops of .NET, empty": (rsa, lambda jwk: {**jwk, "key_ops": []}),
    "oth of .NET, empty": (rsa, lambda jwk: {**jwk, "oth": []}),
    "x5c, empty": (rsa, lambda jwk: {**jwk, "x5c": []}),
    "other members null": (
        rsa,
        lambda jwk: {
            **jwk,
            **dict.fromkeys(["alg", "use", "key_ops", "x5c", "x5t", "x5u", "oth"]),
        },
    ),
    "private members null": (
        rsa,
        lambda jwk: {**jwk, **dict.fromkeys(["d", "p", "q", "dp", "dq", "qi"])},
    ),
    "members of Go without omitempty": (
        rsa,
        lambda jwk: {**jwk, "alg": "", "use": "", "x5u": "", "key_ops": None},
    ),
    "key_ops with a duplicate": (
        rsa,
        lambda jwk: {**jwk, "key_ops": ["verify", "verify"]},
    ),
    "padded n": (rsa, lambda jwk: {**jwk, "n": jwk["n"] + "=="}),
    "standard base64": (
        foreign_alphabet,
        lambda jwk: {**jwk, "n": standard(jwk["n"])},
    ),
    "base64 in lines": (
        foreign_alphabet,
        lambda jwk: {
            **jwk,
            "n": jwk["n"][:76] + "\r\n" + jwk["n"][76:152] + "\n " + jwk["n"][152:],
        },
    ),
    "x without its leading zero": (short_ec, shortened),
    "x and y with a sign octet": (
        short_ec,
        lambda jwk: leading_zero(leading_zero(jwk, "x"), "y"),
    ),
    "members nobody knows": (
        rsa,
        lambda jwk: {**jwk, "issuer": "a", "nbf": 1, "status": None, "": {}},
    ),
}


@pytest.fixture(params=LENIENT, ids=str)
def written(request: pytest.FixtureRequest) -> tuple[Key, JWK]:
    make, spoil = LENIENT[request.param]
    return make(), spoil(make().to_jwk())


def numbers(key: Any) -> tuple[int, int]:
    """Return n and e, or x and y, of a key of `cryptography`."""
    found = key.public_numbers()
    return (found.n, found.e) if hasattr(found, "n") else (found.x, found.y)


def by_others(jwk: JWK) -> list[tuple[int, int]]:
    """Return what three other readers make of it, those that read it."""
    readers: list[Callable[[JWK], Any]] = [
        lambda one: jwt.PyJWK(one, algorithm=algorithm).key,
        lambda one: python_jose_jwk.construct(one, algorithm).prepared_key,
        lambda one: joserfc_jwk.import_key(one).public_key,
    ]
    algorithm = "RS256" if jwk["kty"] == "RSA" else "ES256"
    found = []
    for read in readers:
        try:
            found.append(numbers(read(json.loads(json.dumps(jwk)))))
        except Exception:  # whatever they raise
            continue
    return found


@pytest.mark.slow
def test_a_key_that_others_write_is_the_key_that_is_meant(
    written: tuple[Key, JWK],
) -> None:
    key, jwk = written
    read = Key.from_jwk(jwk, lenient=True)
    assert read.thumbprint() == key.thumbprint()
    token = Signer(key, lifetime=60).sign({"sub": "1"})
    for source in ({"keys": [jwk]}, json.dumps({"keys": [jwk]})):
        keys = KeySet.from_jwks(source, lenient=True)
        assert keys.skipped == ()
        assert Verifier(keys).verify(token)["sub"] == "1"


def test_other_readers_mean_the_same_key(written: tuple[Key, JWK]) -> None:
    key, jwk = written
    others = by_others(jwk)
    assert (
        others or jwk.get("d", "absent") is None
    )  # three in Python want a private key
    assert set(others) <= set(by_others(key.to_jwk()))


STRICT_TOO = {"x5c, empty", "members nobody knows"}


@pytest.mark.parametrize("name", sorted(set(LENIENT) - STRICT_TOO))
def test_a_key_of_ones_own_is_read_strictly(name: str) -> None:
    make, spoil = LENIENT[name]
    with pytest.raises(InvalidKeyError) as caught:
        Key.from_jwk(spoil(make().to_jwk()))
    assert caught.value.member in spoil(make().to_jwk())
    with pytest.raises(InvalidKeyError, match="has no usable key"):
        KeySet.from_jwks({"keys": [spoil(make().to_jwk())]})


@pytest.mark.parametrize(
    ("change", "member", "reason"),
    [
        ({"n": None}, "n", "jwk_member"),
        ({"n": ""}, "n", "jwk_member"),
        ({"n": "AAAA"}, "n", "jwk_member"),
        ({"n": 5}, "n", "jwk_member"),
        ({"n": "AQ!B"}, "n", "jwk_member"),
        ({"n": "A" * 30_000}, "n", "jwk_member"),
        ({"n": " \n"}, "n", "jwk_member"),
        ({"n": "AQAB"}, "n", "key_rsa_size"),
        ({"e": "Ag"}, "e", "key_rsa_exponent"),
        ({"e": "AAAB"}, "e", "key_rsa_exponent"),
        ({"e": None}, "e", "jwk_member"),
        ({"oth": [{"r": "AQ"}]}, "oth", "jwk_member"),
        ({"use": "enc"}, "use", "key_use"),
        ({"use": 5}, "use", "jwk_member"),
        ({"key_ops": ["encrypt"]}, "key_ops", "key_use"),
        ({"key_ops": ["sign"]}, "key_ops", "key_use"),
        ({"key_ops": "verify"}, "key_ops", "jwk_member"),
        ({"kid": 5}, "kid", "jwk_member"),
        ({"alg": "RSA-OAEP"}, "alg", "jwk_alg"),
        ({"alg": "HS256"}, "alg", "key_unsuited"),
        ({"alg": "ES256"}, "alg", "key_unsuited"),
        ({"kty": "rsa"}, "kty", "jwk_kty"),
        ({"kty": "EC", "crv": "P-257"}, "crv", "key_curve"),
    ],
    ids=str,
)
@pytest.mark.parametrize("lenient", [False, True])
def test_what_is_wrong_with_a_key_is_named(
    change: JWK, member: str, reason: str, lenient: bool
) -> None:
    jwk = {**rsa().to_jwk(), **change}
    with pytest.raises(InvalidKeyError) as caught:
        Key.from_jwk(jwk, lenient=lenient)
    if lenient or reason != "key_rsa_exponent":
        assert (caught.value.member, caught.value.reason) == (member, reason)
    if reason == "jwk_member":
        assert str(caught.value).endswith(f": {member}")
    keys = KeySet.from_jwks({"keys": [rsa().to_jwk(), jwk]}, lenient=lenient)
    assert len(keys) == 1
    (skipped,) = keys.skipped
    kid = jwk["kid"] if isinstance(jwk["kid"], str) else None
    assert skipped == (
        1,
        kid,
        caught.value.member,
        caught.value.reason,
        str(caught.value),
    )


@pytest.mark.parametrize(
    ("jwk", "member"),
    [
        ({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, "x"),
        ({"kty": "EC", "crv": "P-256", "x": "A" * 43}, "y"),
        ({"kty": "OKP", "crv": "Ed25519"}, "x"),
        ({"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}, "x"),
        ({"kty": "OKP", "crv": "Ed25519", "x": "A" * 43}, "x"),
        ({"kty": "oct"}, "k"),
        ({"kty": "oct", "k": "AAAA"}, "k"),
    ],
    ids=str,
)
def test_the_member_of_each_kind_is_named(jwk: JWK, member: str) -> None:
    with pytest.raises(InvalidKeyError) as caught:
        Key.from_jwk(jwk)
    assert caught.value.member == member


@pytest.mark.parametrize("member", ["d", "p", "q", "dp", "dq", "qi"])
def test_a_private_key_that_does_not_match_names_a_member(member: str) -> None:
    private = rsa().to_jwk(private=True)
    left_out = {name: value for name, value in private.items() if name != member}
    with pytest.raises(InvalidKeyError) as caught:
        Key.from_jwk(left_out if member != "d" else {**private, "d": "AQ"})
    assert caught.value.member == member


@given(
    st.sampled_from(["n", "e", "x", "y", "d", "use", "alg", "key_ops", "kid", "oth"]),
    st.text("A=+/-_ \n\t.!\u20ac", max_size=60)
    | st.lists(st.text(max_size=3), max_size=3)
    | st.none()
    | st.integers(),
)
def test_whatever_a_member_is_a_key_is_read_or_refused(name: str, value: Any) -> None:
    for jwk in (rsa().to_jwk(), short_ec().to_jwk(), edwards().to_jwk()):
        try:
            read = Key.from_jwk({**jwk, name: value}, lenient=True)
        except InvalidKeyError as error:
            named = error.member
        else:
            named = read.thumbprint()
        assert named


def test_an_edwards_key_has_octets_and_not_a_number() -> None:
    """A leading zero would be another key: RFC 8032 5.1.2 is little-endian."""
    jwk = leading_zero(Key.generate("EdDSA").to_jwk(), "x")
    with pytest.raises(InvalidKeyError) as caught:
        Key.from_jwk(jwk, lenient=True)
    assert caught.value.member == "x"


def test_a_number_that_is_too_long_is_not_cut() -> None:
    jwk = short_ec().to_jwk()
    longer = {**jwk, "x": b64(b"\1" + octets(jwk["x"]))}
    with pytest.raises(InvalidKeyError) as caught:
        Key.from_jwk(longer, lenient=True)
    assert caught.value.member == "x"


def test_a_public_set_takes_no_private_key_and_says_so() -> None:
    public = rsa().to_jwk()
    entries = [
        {**Key.generate("ES256").to_jwk(private=True), "kid": "signs"},
        Key.generate("HS256").to_jwk(private=True),
        public,
    ]
    for lenient in (False, True):
        keys = KeySet.from_jwks({"keys": entries}, lenient=lenient)
        told = [(one.position, one.kid, one.reason) for one in keys.skipped]
        assert told == [(0, "signs", "key_private"), (1, None, "key_private")]
        assert all("secret" in one.message for one in keys.skipped)


def test_entries_that_are_no_keys_are_told_too() -> None:
    keys = KeySet.from_jwks({"keys": [None, "text", 5, [], {}, rsa().to_jwk()]})
    assert [one.position for one in keys.skipped] == [0, 1, 2, 3, 4]
    assert [one.kid for one in keys.skipped] == [None] * 5


@pytest.mark.parametrize("lenient", [False, True])
@pytest.mark.parametrize("private", [False, True])
def test_the_text_of_a_key_is_no_entry(private: bool, lenient: bool) -> None:
    text = json.dumps(rsa().to_jwk())
    entries = [text, text.encode(), bytearray(text.encode()), rsa().to_jwk()]
    keys = KeySet.from_jwks({"keys": entries}, private=private, lenient=lenient)
    assert [one.position for one in keys.skipped] == [0, 1, 2]
    assert {one.reason for one in keys.skipped} == {"jwk_json"}


@pytest.mark.parametrize("lenient", [False, True])
def test_private_entries_are_left_out_unread(
    lenient: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = Key.generate("ES256").to_jwk(private=True)
    read: list[object] = []

    def noted(entry: object, is_lenient: bool) -> Key:
        read.append(entry)
        return _core.jwk_set_key(entry, is_lenient)  # type: ignore[arg-type]

    monkeypatch.setattr("fastbearer.keys.jwk_set_key", noted)
    public = rsa().to_jwk()
    shapes = [private, OrderedDict(private), MappingProxyType(private)]
    keys = KeySet.from_jwks({"keys": [*shapes, public]}, lenient=lenient)
    assert read == [public]
    assert {one.reason for one in keys.skipped} == {"key_private"}


def test_a_set_without_a_usable_key_says_why() -> None:
    broken = {**rsa().to_jwk(), "n": "AAAA", "kid": "current\n" + "x" * 500}
    with pytest.raises(InvalidKeyError) as caught:
        KeySet.from_jwks({"keys": [broken] * 9})
    assert "'current\\nxxx" in str(caught.value)
    assert str(caught.value).count(": n") == 3
    assert len(str(caught.value)) < 800
    with pytest.raises(InvalidKeyError, match=r"has no usable key$"):
        KeySet.from_jwks({"keys": []})


def test_a_set_of_keys_of_ones_own_left_nothing_out() -> None:
    assert KeySet([rsa()]).skipped == ()
    keys = KeySet.from_jwks({"keys": [rsa().to_jwk(), {}]})
    assert isinstance(keys.skipped[0], SkippedKey)
    assert pickle.loads(pickle.dumps(keys.skipped)) == keys.skipped


def test_the_member_outlives_pickling_and_copying() -> None:
    with pytest.raises(InvalidKeyError) as caught:
        Key.from_jwk({"kty": "oct"})
    for twin in (pickle.loads(pickle.dumps(caught.value)), copy.copy(caught.value)):
        assert twin.member == "k"
    with pytest.raises(InvalidKeyError) as other:
        Key.from_pem("no PEM")
    assert other.value.member is None
