"""fastbearer.compat.jose beside python-jose: the same in, the same out.

Where it is stricter on purpose, ``STRICTER`` says so; docs/migrate/drop-ins.md has the
reasons.
"""

from __future__ import annotations

import base64
import json
import time
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jose import exceptions as their_errors
from jose import jwe as their_jwe
from jose import jwk as their_jwk
from jose import jws as their_jws
from jose import jwt as their_jwt
from jose.utils import base64url_encode

from compat_kit import (
    CLAIMS,
    HS256,
    NOW,
    SECRET,
    forged,
    other_last_bits,
    outcome,
)
from fastbearer import Key
from fastbearer.compat._shared.memo import SIZE, TextMemo
from fastbearer.compat.jose import exceptions as our_errors
from fastbearer.compat.jose import jwe as our_jwe
from fastbearer.compat.jose import jwk as our_jwk
from fastbearer.compat.jose import jws as our_jws
from fastbearer.compat.jose import jwt as our_jwt
from fastbearer.compat.jose.backends import AESKey
from fastbearer.compat.jose.constants import JWE_SIZE_LIMIT

PAYLOADS: list[tuple[Any, dict[str, Any]]] = [
    ({"a": 1}, {}),
    ({"exp": NOW + 86400}, {}),
    ({"exp": NOW - 86400}, {}),
    ({"exp": NOW - 86400}, {"options": {"leeway": 90000}}),
    ({"exp": NOW - 86400}, {"options": {"leeway": timedelta(hours=25)}}),
    ({"exp": NOW - 86400}, {"options": {"verify_exp": False}}),
    ({"exp": NOW - 86400}, {"options": {"verify_signature": False}}),
    ({"exp": "9999999999"}, {}),
    ({"exp": "abc"}, {}),
    ({"exp": True}, {}),
    ({"exp": NOW + 86400.5}, {}),
    ({"iat": NOW + 86400}, {}),
    ({"iat": "abc"}, {}),
    ({"nbf": NOW + 86400}, {}),
    ({"nbf": NOW - 86400}, {}),
    ({"nbf": "x"}, {}),
    ({"aud": "x"}, {}),
    ({"aud": None}, {}),
    ({"aud": []}, {}),
    ({"aud": 1}, {}),
    ({"aud": "x"}, {"audience": "x"}),
    ({"aud": ["x", "y"]}, {"audience": "y"}),
    ({"aud": ["x", 1]}, {"audience": "x"}),
    ({"aud": "x"}, {"audience": "y"}),
    ({"aud": "x"}, {"audience": ["x"]}),
    ({}, {"audience": "x"}),
    ({"aud": "x"}, {"options": {"verify_aud": False}}),
    ({"iss": "i"}, {"issuer": "i"}),
    ({"iss": "i"}, {"issuer": ["j", "i"]}),
    ({"iss": "i"}, {"issuer": "j"}),
    ({}, {"issuer": "i"}),
    ({"sub": "s"}, {"subject": "s"}),
    ({"sub": "s"}, {"subject": "t"}),
    ({"sub": 1}, {}),
    ({"sub": None}, {}),
    ({}, {"subject": "s"}),
    ({"jti": 1}, {}),
    ({"jti": "j"}, {}),
    ({}, {"options": {"require_exp": True}}),
    ({"sub": "s"}, {"options": {"require_sub": True, "require_iss": True}}),
    ({"at_hash": "x"}, {}),
    ({"at_hash": "x"}, {"access_token": "t"}),
    ({"at_hash": "x"}, {"access_token": "\xe2"}),
    ({"a": "\u00e9\u20ac\U0001f600", "b": [1, 2.5, None, {"c": {}}]}, {}),
]


@pytest.mark.parametrize(("payload", "arguments"), PAYLOADS)
def test_claims(payload: dict[str, Any], arguments: dict[str, Any]) -> None:
    token = forged(json.dumps(payload))
    theirs = outcome(lambda: their_jwt.decode(token, SECRET, HS256, **arguments))
    ours = outcome(lambda: our_jwt.decode(token, SECRET, HS256, **arguments))
    assert ours == theirs


KEYS: list[Any] = [
    SECRET,
    SECRET.encode(),
    [SECRET],
    ("wrong", SECRET),
    {"keys": ["wrong", SECRET]},
    {"one": SECRET, "two": "wrong"},
    {"kty": "oct", "k": base64url_encode(SECRET.encode()).decode()},
    json.dumps({"kty": "oct", "k": base64url_encode(SECRET.encode()).decode()}),
    "wrong",
    [],
    None,
    1,
    pytest.param(object(), id="an object"),
    {"kty": "RSA"},
]


@pytest.mark.parametrize("key", KEYS, ids=str)
@pytest.mark.parametrize("algorithms", [HS256, "HS256", ["HS384", "HS256"], None, []])
def test_keys(key: Any, algorithms: Any) -> None:
    token = their_jwt.encode({"a": 1}, SECRET)
    theirs = outcome(lambda: their_jwt.decode(token, key, algorithms))
    ours = outcome(lambda: our_jwt.decode(token, key, algorithms))
    assert ours[0] == theirs[0]
    if theirs[0] != "JWKError":  # their words for a key differ by backend
        assert ours == theirs


MALFORMED = [
    "",
    "a",
    "a.b",
    "a.b.c",
    ".",
    "..",
    "...",
    forged('{"a":1}') + "x",
    forged("[1]"),
    forged("1"),
    forged('{"a":1}', '{"typ":"JWT"}'),
    forged('{"a":1}', '{"alg":"none"}'),
    forged('{"a":1}', '{"alg":"hs256"}'),
    forged('{"a":1}', '{"alg":1}'),
    forged('{"a":1}', '{"alg":["HS256"]}'),
    forged('{"a":1}', "[]"),
    forged('{"a":1}', '{"alg":"HS256","kid":1}'),
]


@pytest.mark.parametrize("token", MALFORMED)
def test_malformed_tokens(token: str) -> None:
    theirs = outcome(lambda: their_jwt.decode(token, SECRET, HS256))
    ours = outcome(lambda: our_jwt.decode(token, SECRET, HS256))
    assert ours[0] == theirs[0]
    if "string:" not in str(theirs[1]):  # after that stand the words of a parser
        assert ours == theirs


DER = Key.generate("RS256").public()
STRICTER: list[tuple[str, Any, Any, str]] = [
    # What is accepted there, or leaks another error; the key; what we raise.
    ("an empty secret", forged('{"a":1}'), "", "JWKError"),
    ("exp null", forged('{"exp":null}'), SECRET, "JWTClaimsError"),
    ("exp a list", forged('{"exp":[1]}'), SECRET, "JWTClaimsError"),
    ("iat null", forged('{"iat":null}'), SECRET, "JWTClaimsError"),
    ("exp too large", forged('{"exp":1e999}'), SECRET, "JWTError"),
    ("a deep payload", forged("[" * 100_000), SECRET, "JWTError"),
    ("a name twice", forged('{"a":1,"a":2}'), SECRET, "JWTError"),
    (
        "twice in the header",
        forged("{}", '{"alg":"x","alg":"HS256"}'),
        SECRET,
        "JWTError",
    ),
    ("unknown crit", forged("{}", '{"alg":"HS256","crit":["x"]}'), SECRET, "JWTError"),
    ("b64 false", forged("{}", '{"alg":"HS256","b64":false}'), SECRET, "JWTError"),
    ("a signature cut short", forged('{"a":1}')[:-1], SECRET, "JWTError"),
    ("foreign characters", forged('{"a":1}') + "!!!!", SECRET, "JWTError"),
    ("padding", forged('{"a":1}') + "=", SECRET, "JWTError"),
    ("no ASCII", forged('{"a":1}') + "\xe9", SECRET, "JWTError"),
    ("no text", None, SECRET, "JWTError"),
    ("a number", 1, SECRET, "JWTError"),
]


@pytest.mark.parametrize(("name", "token", "key", "error"), STRICTER)
def test_where_it_is_stricter(name: str, token: Any, key: Any, error: str) -> None:
    ours = outcome(lambda: our_jwt.decode(token, key, HS256))
    assert ours[0] == error
    assert isinstance(getattr(our_errors, error)(), our_errors.JOSEError)


def test_trailing_bits() -> None:
    token = forged('{"a":1}')
    other = other_last_bits(token)
    assert outcome(lambda: our_jwt.decode(other, SECRET, HS256)) == (
        "JWTError",
        "Invalid crypto padding",
    )


def test_a_public_key_is_no_secret() -> None:
    """CVE-2024-33663 and CVE-2026-85394: PEM, DER and JWK of a public key."""
    pem = DER.to_pem()
    der = base64.b64decode("".join(pem.splitlines()[1:-1]))
    token = forged('{"a":1}')
    for secret in (pem, pem.encode(), der, json.dumps(DER.to_jwk())):
        for algorithms in (None, HS256, "HS256"):
            found = outcome(
                lambda s=secret, a=algorithms: our_jwt.decode(token, s, a)  # type: ignore[misc]
            )
            assert found[0] == "JWKError", secret
        assert outcome(lambda s=secret: our_jwt.encode({}, s))[0] == "JWSError"  # type: ignore[misc]


def test_an_algorithm_is_no_part_of_a_text() -> None:
    token = their_jwt.encode({"a": 1}, SECRET)
    assert their_jwt.decode(token, SECRET, "xHS256x") == {"a": 1}
    assert outcome(lambda: our_jwt.decode(token, SECRET, "xHS256x")) == (
        "JWTError",
        "The specified alg value is not allowed",
    )


RSA = Key.generate("RS256")
PAIRS = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"]


@pytest.mark.parametrize("algorithm", PAIRS)
def test_key_pairs_crosswise(algorithm: str) -> None:
    key = Key.generate(algorithm)
    private, public = key.to_pem(private=True), key.to_pem()
    private_jwk, public_jwk = key.to_jwk(private=True), key.to_jwk()
    for sign, verify in ((our_jwt, their_jwt), (their_jwt, our_jwt)):
        for signer in (private, private_jwk):
            token = sign.encode({"a": 1}, signer, algorithm)
            for verifier in (
                public,
                public.encode(),
                public_jwk,
                {"keys": [public_jwk]},
            ):
                assert verify.decode(token, verifier, [algorithm]) == {"a": 1}


def test_an_rsa_jwk_without_primes() -> None:
    whole = RSA.to_jwk(private=True)
    bare = {name: whole[name] for name in ("kty", "n", "e", "d")}
    key = our_jwk.construct(bare, "RS256")
    assert key.to_dict() == our_jwk.construct(whole, "RS256").to_dict()
    token = our_jwt.encode({"a": 1}, bare, "RS256")
    assert their_jwt.decode(token, RSA.to_pem(), ["RS256"]) == {"a": 1}
    other = Key.generate("RS256").to_jwk(private=True)["d"]
    for wrong in (
        {"d": other},
        {"d": "AQ"},
        {"d": "!"},
        {"n": "AQAB"},
        {"d": "A" * 9999},
    ):
        with pytest.raises(our_errors.JWKError):
            our_jwk.construct({**bare, **wrong}, "RS256")
    partly = {**bare, "p": whole["p"]}
    with pytest.raises(our_errors.JWKError):
        our_jwk.construct(partly, "RS256")


ARGUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "audience": st.one_of(st.none(), st.text(max_size=3), st.just("a")),
        "issuer": st.one_of(st.none(), st.text(max_size=3), st.just(["a", "b"])),
        "subject": st.one_of(st.none(), st.text(max_size=3)),
    },
)


@settings(deadline=None, max_examples=300)
@given(claims=CLAIMS, arguments=ARGUMENTS)
def test_any_claims(claims: dict[str, Any], arguments: dict[str, Any]) -> None:
    token = their_jwt.encode(dict(claims), SECRET)
    assert our_jwt.get_unverified_claims(our_jwt.encode(dict(claims), SECRET)) == claims
    theirs = outcome(lambda: their_jwt.decode(token, SECRET, HS256, **arguments))
    ours = outcome(lambda: our_jwt.decode(token, SECRET, HS256, **arguments))
    if theirs[0] in ("TypeError", "OverflowError"):  # what leaks there
        assert ours[0] == "JWTClaimsError"
    else:
        assert ours == theirs


def test_a_clock_that_a_test_has_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """As freezegun does it: in the place of time.time."""
    token = forged(json.dumps({"exp": NOW + 1000}))
    for when, error in ((NOW, "ok"), (NOW + 1001, "ExpiredSignatureError")):
        monkeypatch.setattr(time, "time", lambda when=when: float(when))
        assert outcome(lambda: our_jwt.decode(token, SECRET, HS256))[0] == error


def test_dates_are_changed_in_place() -> None:
    date = datetime.now(UTC) + timedelta(hours=1)
    for naive in (False, True):
        when = date.replace(tzinfo=None) if naive else date
        theirs, ours = {"exp": when, "nbf": 1}, {"exp": when, "nbf": 1}
        assert our_jwt.encode(ours, SECRET) == their_jwt.encode(theirs, SECRET)
        assert ours == theirs == {"exp": int(date.timestamp()), "nbf": 1}


def test_headers_and_at_hash() -> None:
    headers = {"kid": "k", "typ": "at+jwt", "x": [1]}
    arguments: dict[str, Any] = {"headers": headers, "access_token": "token"}
    theirs, ours = {"a": 1}, {"a": 1}
    token = our_jwt.encode(ours, SECRET, "HS384", **arguments)
    assert token == their_jwt.encode(theirs, SECRET, "HS384", **arguments)
    assert ours == theirs and "at_hash" in ours
    found = our_jwt.decode(token, SECRET, "HS384", access_token="token")
    assert found == their_jwt.decode(token, SECRET, "HS384", access_token="token")
    assert our_jwt.get_unverified_header(token) == their_jwt.get_unverified_header(
        token
    )
    assert our_jws.get_unverified_claims(token) == their_jws.get_unverified_claims(
        token
    )


@pytest.mark.parametrize("algorithm", ["none", "HS1", ""])
def test_algorithms_that_do_not_sign(algorithm: str) -> None:
    theirs = outcome(lambda: their_jwt.encode({}, SECRET, algorithm))
    assert outcome(lambda: our_jwt.encode({}, SECRET, algorithm)) == theirs


def test_the_errors_are_a_family() -> None:
    for name in dir(their_errors):
        theirs = getattr(their_errors, name)
        if isinstance(theirs, type) and issubclass(theirs, Exception):
            ours = getattr(our_errors, name)
            parents = [one.__name__ for one in theirs.__mro__]
            assert [one.__name__ for one in ours.__mro__] == parents


@pytest.mark.parametrize("name", ["oth", "p", "q", "dp", "dq", "qi", "use"])
@pytest.mark.parametrize("value", [[], None, 1, "", "!"])
def test_a_public_rsa_jwk_is_its_n_and_e(name: str, value: object) -> None:
    jwk = {**RSA.to_jwk(), name: value}
    ours, theirs = (one.construct(jwk, "RS256") for one in (our_jwk, their_jwk))
    assert ours.to_pem() == theirs.to_pem()


def test_the_keys_of_jwk() -> None:
    key = our_jwk.construct(SECRET, "HS256")
    assert our_jws.verify(our_jws.sign(b"text", key), key, HS256) == b"text"
    assert our_jwk.get_key("HS256") is our_jwk.HMACKey
    assert our_jwk.get_key("none") is None


def test_parsed_texts_are_few_and_told_apart() -> None:
    made: list[Any] = []
    parsed = TextMemo(lambda text, *rest: made.append((text, *rest)) or (text, *rest))  # type: ignore[func-returns-value]
    assert parsed("a", 1) == parsed("a", 1) == ("a", 1)
    assert parsed(b"a", 1) == (b"a", 1) and len(made) == 2
    for number in range(3 * SIZE):
        parsed(str(number))
        assert len(parsed._made) <= SIZE


# --- JWE

SECRETS = {size: bytes(range(size)) for size in (16, 24, 32, 48, 64)}
ENCRYPTIONS = {
    "A128GCM": 16,
    "A192GCM": 24,
    "A256GCM": 32,
    "A128CBC-HS256": 32,
    "A192CBC-HS384": 48,
    "A256CBC-HS512": 64,
}
WRAPPERS = {"A128KW": 16, "A192KW": 24, "A256KW": 32}


def key_pair(algorithm: str, encryption: str) -> tuple[Any, Any]:
    if algorithm.startswith("RSA"):
        return RSA.to_pem(), RSA.to_pem(private=True)
    size = WRAPPERS.get(algorithm) or ENCRYPTIONS[encryption]
    return SECRETS[size], SECRETS[size]


@pytest.mark.parametrize("algorithm", ["dir", *WRAPPERS, "RSA-OAEP", "RSA-OAEP-256"])
@pytest.mark.parametrize("encryption", ENCRYPTIONS)
@pytest.mark.parametrize("zip", [None, "DEF"])
def test_encrypted_texts_crosswise(algorithm: str, encryption: str, zip: Any) -> None:
    public, private = key_pair(algorithm, encryption)
    for sender, receiver in ((our_jwe, their_jwe), (their_jwe, our_jwe)):
        for text in (b"", b"Live long", b"x" * 1000):
            made = sender.encrypt(text, public, encryption, algorithm, zip, "c", "k")
            assert receiver.decrypt(made, private) == text
            header = our_jwe.get_unverified_header(made)
            assert header == their_jwe.get_unverified_header(made)


def test_encrypted_texts_that_are_refused() -> None:
    secret = SECRETS[32]
    good = our_jwe.encrypt("text", secret)
    header, wrapped, iv, cipher, tag = good.split(b".")
    wrong = [
        (good, SECRETS[16]),
        (good, bytes(32)),
        (b".".join((header, wrapped, iv, cipher, b"AAAA")), secret),
        (b".".join((header, wrapped, b"AAAA", cipher, tag)), secret),
        (b".".join((header, b"AAAA", iv, cipher, tag)), secret),
        (b".".join((header, wrapped, iv, b"", tag)), secret),
        (good + b"=", secret),
        (good[:-1] + b"!", secret),
        (good + b".x", secret),
        (b"a.b.c", secret),
        (b"", secret),
        (b"." * 4, secret),
        (None, secret),
        (good, None),
        (b"x" * 300_000, secret),
    ]
    for spoiled, key in wrong:
        with pytest.raises(our_errors.JWEError):
            our_jwe.decrypt(spoiled, key)
    for head in ("{}", '{"alg":"none","enc":"A256GCM"}', '{"alg":"dir","enc":1}', "[]"):
        encoded = base64url_encode(head.encode())
        with pytest.raises(our_errors.JWEError):
            our_jwe.decrypt(b".".join((encoded, wrapped, iv, cipher, tag)), secret)


def test_a_bomb_is_not_unpacked() -> None:
    """CVE-2024-33664."""
    bomb = our_jwe.encrypt(b"0" * 50_000_000, SECRETS[32], zip="DEF")
    assert len(bomb) < 250_000
    with pytest.raises(our_errors.JWEError, match="Decompressed JWE string exceeds"):
        our_jwe.decrypt(bomb, SECRETS[32])


def deflated(text: bytes, window: int) -> bytes:
    """Return what zlib makes of a text, in its own frame (15) or in none (-15)."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, window)
    return deflate.compress(text) + deflate.flush()


def sealed(compressed: bytes) -> bytes:
    """Return an encrypted token that says of its content that it is compressed."""
    head = base64url_encode(b'{"alg":"dir","enc":"A256GCM","zip":"DEF"}')
    iv, cipher, tag = AESKey(SECRETS[32], "A256GCM").encrypt(compressed, head)
    return b".".join([head, b"", *map(base64url_encode, (iv, cipher, tag))])


frames = pytest.mark.parametrize("window", [15, -15], ids=["zlib", "raw"])


@frames
def test_a_compressed_text_is_whole_or_refused(window: int) -> None:
    for size in (0, 1, JWE_SIZE_LIMIT - 1, JWE_SIZE_LIMIT):
        made = sealed(deflated(bytes(size), window))
        assert our_jwe.decrypt(made, SECRETS[32]) == bytes(size)
    for beyond in range(1, 600):
        made = sealed(deflated(bytes(JWE_SIZE_LIMIT + beyond), window))
        with pytest.raises(our_errors.JWEError, match="exceeds"):
            our_jwe.decrypt(made, SECRETS[32])


@frames
def test_a_compressed_text_that_was_cut_short_is_refused(window: int) -> None:
    whole = deflated(b"Live long and prosper. " * 40, window)
    for size in range(len(whole)):
        with pytest.raises(our_errors.JWEError, match="compressed"):
            our_jwe.decrypt(sealed(whole[:size]), SECRETS[32])


@frames
@pytest.mark.parametrize("size", [1000, JWE_SIZE_LIMIT])
def test_nothing_follows_a_compressed_text(window: int, size: int) -> None:
    whole = deflated(bytes(size), window)
    for more in (b"\0", b"junk", whole):
        with pytest.raises(our_errors.JWEError, match="compressed"):
            our_jwe.decrypt(sealed(whole + more), SECRETS[32])


@pytest.mark.parametrize(
    "arguments",
    [
        {"encryption": "A1"},
        {"algorithm": "A1"},
        {"algorithm": "ECDH-ES"},
        {"zip": "X"},
        {"key": b"short"},
        {"algorithm": "A128KW"},
        {"plaintext": None},
    ],
)
def test_encrypting_what_cannot_be(arguments: dict[str, Any]) -> None:
    given = {"plaintext": "x", "key": SECRETS[32], **arguments}
    theirs = outcome(lambda: their_jwe.encrypt(**given))
    assert outcome(lambda: our_jwe.encrypt(**given)) == theirs
