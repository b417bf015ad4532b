"""Asymmetric signatures against PyJWT, joserfc and cryptography, and forged ones."""

from __future__ import annotations

import base64
import json
import secrets
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import joserfc.jwk
import joserfc.jws
import joserfc.jwt
import jwt
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import given, settings
from hypothesis import strategies as st

from fastbearer import (
    InvalidAlgorithmError,
    InvalidKeyError,
    InvalidSignatureError,
    Key,
    KeySet,
    Signer,
    TokenError,
    UnknownKeyError,
    Verifier,
    _core,
    jws,
)

RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
EC = ("ES256", "ES384", "ES512", "ES256K")
ED = ("EdDSA", "Ed25519", "Ed448")
PYJWT = (*RSA, *EC, "EdDSA")

ORDERS = {
    "ES256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "ES256K": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
}
"""SEC 2 2.4: n of the curve."""
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493  # RFC 8032 5.1

claims = st.dictionaries(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=9).filter(
        lambda name: name not in {"iss", "sub", "aud", "exp", "nbf", "iat", "jti"}
    ),
    st.integers(-(2**60), 2**60) | st.text(st.characters(codec="utf-8")) | st.none(),
    max_size=5,
)


@pytest.fixture(scope="module")
def keys() -> dict[str, Key]:
    made = {name: Key.generate(name) for name in (*EC, *ED)}
    rsa = Key.generate("RS256").to_pem(private=True)
    return made | {name: Key.from_pem(rsa, name) for name in RSA}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def resigned(token: str, change: Callable[[bytes], bytes]) -> str:
    signing_input, _, signature = token.rpartition(".")
    return f"{signing_input}.{b64(change(unb64(signature)))}"


@cache  # they check a private RSA key for a tenth of a second
def pyjwt_key(key: Key) -> jwt.PyJWK:
    return jwt.PyJWK(key.to_jwk(private=key.is_private), key.algorithm)


@cache
def public_of(key: Key) -> Key:
    return key.public()


@cache
def joserfc_key(key: Key) -> Any:
    return joserfc.jwk.import_key(dict(key.to_jwk(private=True)))


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", PYJWT)
@settings(max_examples=8, deadline=None)
@given(payload=claims)
def test_pyjwt_agrees(
    keys: dict[str, Key], algorithm: str, payload: dict[str, Any]
) -> None:
    payload = {**payload, "exp": 2**33}
    key = keys[algorithm]
    ours = Signer(key).sign(payload)
    assert jwt.decode(ours, pyjwt_key(public_of(key)), [algorithm]) == payload
    token = jwt.encode(payload, pyjwt_key(key), algorithm)
    assert Verifier(key.public()).verify(token) == payload


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", [*RSA, *EC, "Ed25519", "Ed448"])
@settings(max_examples=8, deadline=None)
@given(payload=claims)
def test_joserfc_agrees(
    keys: dict[str, Key], algorithm: str, payload: dict[str, Any]
) -> None:
    payload = {**payload, "exp": 2**33}
    key = keys[algorithm]
    theirs = joserfc_key(key)
    registry = joserfc.jws.JWSRegistry(algorithms=[algorithm])
    ours = Signer(key).sign(payload)
    decoded = joserfc.jwt.decode(ours, theirs, [algorithm], registry=registry)
    assert decoded.claims == payload
    header = {"alg": algorithm}
    token = joserfc.jwt.encode(header, payload, theirs, [algorithm])
    assert Verifier(key.public()).verify(token) == payload


@pytest.mark.parametrize("algorithm", [*RSA, *EC, *ED])
def test_every_flipped_bit_is_seen(keys: dict[str, Key], algorithm: str) -> None:
    token = jws.sign(b"payload", keys[algorithm])
    key = keys[algorithm].public()
    length = len(unb64(token.rpartition(".")[2]))
    for _ in range(40):
        bit = secrets.randbelow(length * 8)
        flip = (1 << bit).to_bytes(length, "big")

        def change(raw: bytes, flip: bytes = flip) -> bytes:
            return bytes(a ^ b for a, b in zip(raw, flip, strict=True))

        with pytest.raises(InvalidSignatureError):
            jws.verify(resigned(token, change), key)
    assert jws.verify(resigned(token, bytes), key) == b"payload"


@pytest.mark.parametrize("algorithm", [*RSA, *EC, *ED])
def test_only_the_exact_length_is_a_signature(
    keys: dict[str, Key], algorithm: str
) -> None:
    token = jws.sign(b"payload", keys[algorithm])
    changes: tuple[Callable[[bytes], bytes], ...] = (
        lambda raw: b"",
        lambda raw: raw[:-1],
        lambda raw: raw[1:],
        lambda raw: raw + b"\0",
        lambda raw: b"\0" + raw,
        lambda raw: raw + raw,
        lambda raw: b"\0" * len(raw),
        lambda raw: b"\xff" * len(raw),
        lambda raw: bytes(3000),
    )
    for change in changes:
        with pytest.raises(InvalidSignatureError):
            jws.verify(resigned(token, change), keys[algorithm])


@pytest.mark.parametrize("algorithm", sorted(ORDERS))
def test_ecdsa_numbers_out_of_range(keys: dict[str, Key], algorithm: str) -> None:
    """CVE-2022-21449, and s + n, which is the same number to a careless reader."""
    order = ORDERS[algorithm]
    token = jws.sign(b"payload", keys[algorithm])
    raw = unb64(token.rpartition(".")[2])
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    pairs = [(0, s), (r, 0), (0, 0), (order, s), (r, order), (order, order), (1, 1)]
    pairs += [(value, value) for value in (order - 1, order + 1, 2**256 - 1)]
    pairs += [(r + order, s)] if r + order < 2**256 else []
    for pair in pairs:
        forged = b"".join(number.to_bytes(32, "big") for number in pair)
        with pytest.raises(InvalidSignatureError):
            jws.verify(resigned(token, lambda _, f=forged: f), keys[algorithm])


@pytest.mark.parametrize("algorithm", EC)
def test_der_is_not_the_wire_form(keys: dict[str, Key], algorithm: str) -> None:
    token = jws.sign(b"payload", keys[algorithm])

    def to_der(raw: bytes) -> bytes:
        half = len(raw) // 2
        return utils.encode_dss_signature(
            int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big")
        )

    with pytest.raises(InvalidSignatureError):
        jws.verify(resigned(token, to_der), keys[algorithm])


def test_an_edwards_number_beyond_the_order(keys: dict[str, Key]) -> None:
    """RFC 8032 5.1.7: S must be less than L, or the signature is malleable."""
    token = jws.sign(b"payload", keys["EdDSA"])

    def beyond(raw: bytes) -> bytes:
        number = int.from_bytes(raw[32:], "little") + ED25519_ORDER
        return raw[:32] + number.to_bytes(32, "little")

    with pytest.raises(InvalidSignatureError):
        jws.verify(resigned(token, beyond), keys["EdDSA"])


def with_cryptography(key: Key, algorithm: str, **pss: Any) -> str:
    """Sign with a padding that is not the one of RFC 7518."""
    private: Any = load_pem_private_key(key.to_pem(private=True).encode(), None)
    header = b64(json.dumps({"alg": algorithm}).encode())
    signing_input = f"{header}.{b64(b'payload')}"
    scheme = padding.PSS(mgf=padding.MGF1(pss["mgf"]), salt_length=pss["salt"])
    signature = private.sign(signing_input.encode(), scheme, pss["digest"])
    return f"{signing_input}.{b64(signature)}"


def test_pss_has_a_salt_and_mgf_of_its_hash(keys: dict[str, Key]) -> None:
    """RFC 7518 3.5."""
    sha256, sha384 = hashes.SHA256(), hashes.SHA384()
    key = keys["PS256"]
    right = with_cryptography(key, "PS256", mgf=sha256, salt=32, digest=sha256)
    assert jws.verify(right, key) == b"payload"
    for wrong in (
        {"mgf": sha256, "salt": 0, "digest": sha256},
        {"mgf": sha256, "salt": 20, "digest": sha256},
        {"mgf": sha256, "salt": 222, "digest": sha256},
        {"mgf": sha384, "salt": 32, "digest": sha256},
        {"mgf": sha256, "salt": 32, "digest": sha384},
    ):
        with pytest.raises(InvalidSignatureError):
            jws.verify(with_cryptography(key, "PS256", **wrong), key)


@pytest.mark.parametrize("algorithm", ["HS256", *RSA, *EC, *ED])
def test_a_key_has_one_algorithm(keys: dict[str, Key], algorithm: str) -> None:
    """Whatever the header says: RFC 8725 3.1. EdDSA has two names (RFC 9864)."""
    own = Key.generate("HS256") if algorithm == "HS256" else keys[algorithm]
    token = jws.sign(b"payload", own)
    for other in ("HS256", *RSA, *EC, *ED):
        if other in own.algorithms:
            continue
        _, payload, signature = token.split(".")
        header = b64(json.dumps({"alg": other}).encode())
        with pytest.raises(InvalidAlgorithmError):
            jws.verify(f"{header}.{payload}.{signature}", own)


@pytest.mark.parametrize("algorithm", [*RSA, *EC, *ED])
def test_a_public_key_is_no_secret(keys: dict[str, Key], algorithm: str) -> None:
    public = keys[algorithm].public()
    for text in (public.to_pem(), json.dumps(public.to_jwk())):
        with pytest.raises(InvalidKeyError):
            Key.from_secret(text)
    with pytest.raises(InvalidKeyError):
        Key.from_pem(public.to_pem(), "HS256")
    with pytest.raises(InvalidKeyError):
        Signer(public)


@pytest.mark.parametrize("member", ["jwk", "jku", "x5u", "x5c", "x5t"])
def test_a_key_in_the_header_is_never_used(member: str) -> None:
    mine, theirs = Key.generate("ES256"), Key.generate("ES256")
    value = {"jwk": theirs.public().to_jwk()}.get(member, "https://evil.example/")
    token = jws.sign(b"payload", theirs, headers={member: value})
    with pytest.raises(InvalidSignatureError):
        jws.verify(token, mine)
    assert jws.verify(token, theirs) == b"payload"  # it is ignored


def test_a_set_tries_what_the_header_admits() -> None:
    a, b = Key.generate("ES256", kid="k"), Key.generate("ES256", kid="k")
    other, nameless = Key.generate("EdDSA", kid="e"), Key.generate("ES256")
    both = KeySet([a, b, other])
    assert jws.verify(jws.sign(b"b", b), both) == b"b"  # one kid, two keys
    assert jws.verify(jws.sign(b"n", nameless), KeySet([a, nameless])) == b"n"
    with pytest.raises(UnknownKeyError):
        jws.verify(jws.sign(b"x", Key.generate("ES256", kid="x")), both)
    with pytest.raises(InvalidAlgorithmError):  # the kid of a key of another kind
        jws.verify(jws.sign(b"x", Key.generate("ES256", kid="e")), both)
    with pytest.raises(InvalidAlgorithmError):
        jws.verify(jws.sign(b"x", Key.generate("RS256", kid="k")), both)


def test_the_cache_remembers_signatures_only() -> None:
    now = [1000]
    key = Key.generate("ES256")
    verifier = Verifier(key, cache=2, clock=lambda: now[0])
    token = Signer(key).sign({"exp": 1010})
    forged = resigned(token, lambda raw: raw[:-1] + bytes([raw[-1] ^ 1]))
    for _ in range(3):
        assert verifier.verify(token) == {"exp": 1010}
        assert verifier.verify(token.encode()) == {"exp": 1010}
        with pytest.raises(InvalidSignatureError):
            verifier.verify(forged)
    now[0] = 1010
    with pytest.raises(TokenError):
        verifier.verify(token)
    many = [Signer(key).sign({"exp": 2000, "n": n}) for n in range(10)]
    for n, one in enumerate(many * 2):
        assert verifier.verify(one)["n"] == n % 10


@pytest.mark.parametrize("algorithm", EC)
def test_ecdsa_is_deterministic_where_libcrypto_makes_it_so(
    keys: dict[str, Key], algorithm: str
) -> None:
    """RFC 6979, from OpenSSL 3.2 on: docs/guide/keys.md says so."""
    version = tuple(map(int, _core.libcrypto_version.split()[1].split(".")[:2]))
    signatures = {jws.sign(b"text", keys[algorithm]) for _ in range(4)}
    assert (len(signatures) == 1) == (version >= (3, 2))


def test_the_cache_under_python_bb() -> None:
    """Python's own option -bb makes an error of comparing str with bytes."""
    code = """
from fastbearer import Key, Signer, Verifier
key = Key.generate("HS256")
token, verify = Signer(key, lifetime=60).sign({}), Verifier(key, cache=2).verify
for form in (token, token.encode()) * 2:
    verify(form)
"""
    subprocess.run([sys.executable, "-bb", "-c", code], check=True)


def test_signatures_of_curves_without_explicit_parameters() -> None:
    """CVE-2020-0601: a curve given by its equation may have another generator."""
    key = ec.generate_private_key(ec.BrainpoolP256R1())
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(InvalidKeyError):
        Key.from_pem(pem)
