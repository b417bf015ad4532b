"""What went wrong in other libraries, a test for each: none of it is taken here.

The numbers are those of a catalogue of published faults in JWT libraries; each
test names the CVEs that it would have caught. Details of every rule are tested in
the modules of their own (strict, secrets, asymmetric, formats).
"""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from fastbearer import (
    InvalidAlgorithmError,
    InvalidAudienceError,
    InvalidClaimError,
    InvalidIssuerError,
    InvalidKeyError,
    InvalidSignatureError,
    Key,
    KeySet,
    MalformedTokenError,
    MissingClaimError,
    Signer,
    TokenError,
    Verifier,
    jws,
)
from handmade_tokens import HEADER, KEY, NOW, b64, raw_token, signed, token, verifier
from project import SECRET

RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()
GOOD = token({"sub": "1"})


def spki(key: Any, encoding: Encoding = Encoding.PEM) -> bytes:
    public: bytes = key.public_key().public_bytes(
        encoding, PublicFormat.SubjectPublicKeyInfo
    )
    return public


PKCS1 = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1)
SSH = EC.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
PUBLIC_TEXTS = [spki(RSA), spki(EC), spki(ED), PKCS1, SSH]


def no_secret(secret: bytes | str) -> None:
    for algorithm in ("HS256", "HS384", "HS512"):
        with pytest.raises(InvalidKeyError):
            Key.from_secret(secret, algorithm, allow_short_secret=True)


def refused(text: str | bytes, error: type[TokenError], **options: Any) -> None:
    with pytest.raises(error):
        verifier(**options).verify(text)


# --- keys and algorithms that are confused --------------------


@pytest.mark.parametrize("text", PUBLIC_TEXTS)
def test_01_a_public_key_as_a_secret(text: bytes) -> None:
    """CVE-2022-29217, CVE-2024-33663, CVE-2024-37568, CVE-2023-48223."""
    no_secret(text)
    no_secret(text.decode())


@pytest.mark.parametrize("text", PUBLIC_TEXTS[:4])
def test_02_a_public_key_in_disguise(text: bytes) -> None:
    """CVE-2026-34950, CVE-2026-107722, CVE-2026-102268, CVE-2026-114615."""
    plain = text.decode()
    for disguise in (
        *(b" \n" + text, b"\xef\xbb\xbf" + text, b"\0" + text, b"# key\n" + text),
        *(text.replace(b"\n", b"\r\n"), text.replace(b"\n", b" "), text[:-30]),
        *(plain.encode("utf-16"), plain.encode("utf-16-be"), text.lower()),
    ):
        no_secret(disguise)


@pytest.mark.parametrize("key", [RSA, EC, ED])
def test_03_a_key_in_der_as_a_secret(key: Any) -> None:
    """CVE-2026-85394, CVE-2026-102271, CVE-2026-102272."""
    private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    for der in (spki(key, Encoding.DER), private):
        no_secret(der)
        no_secret(base64.b64encode(der))
        no_secret(base64.urlsafe_b64encode(der).rstrip(b"="))


def test_04_a_jwk_or_a_set_as_a_secret() -> None:
    """CVE-2026-48526, CVE-2026-102273, GHSA-g3jj-5cmm-3hxx."""
    for jwk in (Key.from_pem(spki(RSA)).to_jwk(), Key.generate("ES256").to_jwk()):
        for value in (jwk, {"keys": [jwk]}, {"a": {"keys": [jwk]}}):
            no_secret(json.dumps(value))
            no_secret(json.dumps(value, indent=2).encode())


def test_05_a_jwk_with_an_algorithm_of_another_kind() -> None:
    """CVE-2026-44699: an RSA key as an HMAC key of no length."""
    for made in ("RS256", "ES256", "EdDSA"):
        jwk = Key.generate(made).to_jwk()
        for algorithm in ("HS256", "none", "ES384", ""):
            with pytest.raises(InvalidKeyError):
                Key.from_jwk(jwk | {"alg": algorithm})
        with pytest.raises(InvalidKeyError):
            Key.from_jwk(jwk, "HS256")


def test_06_an_algorithm_that_is_not_the_keys() -> None:
    """CVE-2026-48523, and keys of several algorithms in one set."""
    own = {name: Key.generate(name, kid=name) for name in ("HS256", "ES256", "EdDSA")}
    both = Verifier(KeySet(own.values()), require=())
    for name, key in own.items():
        text = Signer(key).sign({"n": name})
        assert both.verify(text) == {"n": name}
        for other in own.values():
            if other is not key:
                with pytest.raises(InvalidAlgorithmError):
                    Verifier(other, require=()).verify(text)
    with pytest.raises(InvalidKeyError):
        Key.from_pem(spki(EC), "ES384")
    refused(Signer(Key.generate("HS512")).sign({}), InvalidAlgorithmError)


def test_07_no_algorithm_is_no_choice() -> None:
    """A key has one algorithm, in its exact spelling."""
    for name in ("hs256", "HS256 ", "HS", "", "HS256,HS512"):
        with pytest.raises(InvalidKeyError):
            Key.from_secret(SECRET, name)
    assert Key.from_secret(SECRET).algorithm == "HS256"


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "", None, 1, [], {}])
def test_08_none_in_every_spelling(alg: Any) -> None:
    """CVE-2026-28802, and signatures that are empty."""
    text = signed(f"{b64(json.dumps({'alg': alg}).encode())}.{b64(b'{}')}")
    for form in (text, text.rpartition(".")[0] + "."):
        with pytest.raises((InvalidAlgorithmError, MalformedTokenError)):
            verifier().verify(form)
    refused(GOOD.rpartition(".")[0] + ".", InvalidSignatureError)
    refused(raw_token(b'{"alg":"HS256","alg":"none"}', b"{}"), MalformedTokenError)
    refused(raw_token(b"{}", b"{}"), InvalidAlgorithmError)


# --- keys that are weak --------------------


@pytest.mark.parametrize("secret", ["", " ", "\n\t " * 20, b"", b"\0" * 0])
def test_09_an_empty_secret(secret: str | bytes) -> None:
    """CVE-2026-120459, CVE-2026-102266, CVE-2026-114616, GHSA-8wpc-h4q6-8fxv."""
    no_secret(secret)
    with pytest.raises(InvalidKeyError):
        Key.from_jwk({"kty": "oct", "k": "", "alg": "HS256"})


def test_10_short_and_broken_keys() -> None:
    """CVE-2025-45768, CVE-2026-102275."""
    for algorithm, size in (("HS256", 32), ("HS384", 48), ("HS512", 64)):
        with pytest.raises(InvalidKeyError):
            Key.from_secret(b"k" * (size - 1), algorithm)
        assert Key.from_secret(b"kq" * (size // 2), algorithm)
    small = rsa.generate_private_key(65537, 1024)
    with pytest.raises(InvalidKeyError):
        Key.from_pem(spki(small))
    with pytest.raises(InvalidKeyError):  # a point of small order
        Key.from_jwk({"kty": "OKP", "crv": "Ed25519", "x": b64(b"\1" + b"\0" * 31)})
    jwk = Key.generate("ES256").to_jwk()
    with pytest.raises(InvalidKeyError):
        Key.from_jwk(jwk | {"x": jwk["y"]})
    private = Key.generate("EdDSA").to_jwk(private=True)
    with pytest.raises(InvalidKeyError):
        Key.from_jwk(private | {"x": Key.generate("EdDSA").to_jwk()["x"]})
    public = Key.from_pem(spki(RSA)).to_jwk()
    for exponent in (b"\1", b"\2", b"\0", b"\1\0\0"):
        with pytest.raises(InvalidKeyError):
            Key.from_jwk(public | {"e": b64(exponent)})


# --- the mathematics of signatures --------------------


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256", "PS256", "HS256"])
def test_11_signatures_of_odd_values_and_lengths(algorithm: str) -> None:
    """CVE-2022-21449: r = s = 0, and whatever has another length."""
    key = Key.generate(algorithm)
    text = jws.sign(b"{}", key)
    start, _, signature = text.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    size = len(raw)
    for odd in (
        *(b"", b"\0" * size, b"\xff" * size, raw[:-1], raw + b"\0", b"\0" + raw),
        *(raw[: size // 2], raw * 2, b"\0" * (size - 1) + b"\1"),
    ):
        with pytest.raises(InvalidSignatureError):
            jws.verify(f"{start}.{b64(odd)}", key)
    assert jws.verify(text, key) == b"{}"


COMPARING = [
    *("lib/password/phc.c", "lib/password/kdf.c", "lib/password/bcrypt.c"),
    *("lib/better_auth/session_token.c", "lib/better_auth/session_compact.c"),
    "lib/crypto/aead.c",
]


def test_12_signatures_are_compared_in_constant_time() -> None:
    """CVE-2016-7036, CVE-2024-25189, CVE-2024-25190: see test_constant_time.py."""
    from project import ROOT

    for name in COMPARING:
        assert "CRYPTO_memcmp" in (ROOT / "csrc" / name).read_text()
    assert "fb_equal_macs" in (ROOT / "csrc/lib/crypto/hmac.c").read_text()


# --- headers --------------------


@pytest.mark.parametrize(
    "crit", [["b64"], ["x"], [], None, "exp", [1], ["x", "x"], ["alg"], {}, 1, [[]]]
)
def test_13_critical_extensions(crit: Any) -> None:
    """CVE-2026-32597, CVE-2025-59420: one that is not understood is refused."""
    for more in ({}, {"b64": True}, {"x": 1}):
        refused(token({}, HEADER | {"crit": crit} | more), MalformedTokenError)


def test_14_an_unencoded_payload() -> None:
    """CVE-2026-48525, CVE-2026-48990."""
    for more in ({}, {"crit": ["b64"]}):
        refused(token({}, HEADER | {"b64": False} | more), MalformedTokenError)
    start, _, end = GOOD.partition(".")
    refused(f"{start}..{end.partition('.')[2]}", InvalidSignatureError)


def test_15_keys_that_a_header_brings_along() -> None:
    """CVE-2026-27962: jwk, jku, x5u and x5c are never trusted; kid is a text."""
    stranger = Key.generate("EdDSA")
    for name, value in (
        ("jwk", stranger.to_jwk()),
        ("jku", "https://evil.example/keys"),
        ("x5u", "https://evil.example/cert"),
        ("x5c", [base64.b64encode(spki(ED, Encoding.DER)).decode()]),
    ):
        forged = Signer(stranger).sign({}, headers={name: value})
        with pytest.raises(InvalidSignatureError):
            Verifier(Key.generate("EdDSA"), require=()).verify(forged)
    for kid in (None, 1, [], {}, True):
        refused(token({}, HEADER | {"kid": kid}), MalformedTokenError)
    for text in ("../../etc/passwd", "' OR 1=1 --", "k" * 1_000_000, "\0"):
        named = token({}, HEADER | {"kid": text})
        assert verifier(max_bytes=2_000_000).verify(named) == {}
        with pytest.raises(TokenError):
            Verifier(Key.from_secret(SECRET, kid="own"), require=()).verify(named)


def test_16_compression_types_and_the_shape_of_a_header() -> None:
    refused(token({}, HEADER | {"zip": "DEF"}), MalformedTokenError)
    refused(token({}, HEADER | {"typ": "at+jwt"}), InvalidClaimError, typ="JWT")
    refused(token({}, {"alg": "HS256"}), InvalidClaimError, typ="JWT")
    refused(
        raw_token(b'{"alg":"HS256","typ":"a","typ":"b"}', b"{}"), MalformedTokenError
    )
    for header in (b"[]", b'"x"', b"1", b"null", b""):
        refused(raw_token(header, b"{}"), MalformedTokenError)
    many = HEADER | {f"x{n}": n for n in range(64)}
    refused(token({}, many), MalformedTokenError)


# --- encoding --------------------


def test_17_base64url_that_is_not_strict() -> None:
    """CVE-2026-102269, fast-jwt #606; padding only for those who ask."""
    head, payload, signature = GOOD.split(".")
    odd = [
        *(f"{head}.{payload}.{signature}=", f"{head}.{payload}=.{signature}"),
        *(f"{head}.{payload} .{signature}", f"{head}\n.{payload}.{signature}"),
        *(f"{head}.{payload}.{signature[:-1]}{next_of(signature[-1])}", f"{GOOD}\n"),
        *(f" {GOOD}", f"{head}.{payload}.é{signature[1:]}", f"{GOOD}A"),
        *(f"{head}.{payload}.+{signature[1:]}", f"{head}.{payload}./{signature[1:]}"),
    ]
    for text in odd:
        with pytest.raises(TokenError):
            verifier().verify(text)
    padded = f"{head + '=' * (-len(head) % 4)}.{payload + '=' * (-len(payload) % 4)}"
    assert verifier(allow_padding=True).verify(f"{signed(padded)}=") == {"sub": "1"}


def next_of(character: str) -> str:
    """Return the character whose last bit is another."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return alphabet[alphabet.index(character) ^ 1]


def test_18_other_numbers_of_segments() -> None:
    """CVE-2025-30204, CVE-2026-96760: also a million of them."""
    head, payload, signature = GOOD.split(".")
    for text in (
        *("", ".", "..", "...", head, f"{head}.{payload}", f"{GOOD}.", f".{GOOD}"),
        *(f"{GOOD}.{signature}", f"{GOOD}..", "a." * 10**6, "." * 10**6),
        json.dumps({"protected": head, "payload": payload, "signature": signature}),
    ):
        refused(text, MalformedTokenError, max_bytes=10**8)
    with pytest.raises(TypeError):
        verifier().verify([GOOD])  # type: ignore[arg-type]


# --- JSON --------------------


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
def test_19_depth(opening: bytes) -> None:
    """CVE-2026-102265, CVE-2026-101918, CVE-2026-116586."""
    bomb = b'{"alg":"HS256","x":' + opening * 100_000
    refused(raw_token(bomb, b"{}"), MalformedTokenError, max_bytes=10**8)
    refused(raw_token(b'{"alg":"HS256"}', bomb), MalformedTokenError, max_bytes=10**8)


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        *(b'{"a":1e999}', b'{"a":NaN}', b'{"a":Infinity}', b'{"a":"\\ud800"}'),
        *(b'{"a":"\xff"}', b"\xef\xbb\xbf{}", '{"a":1}'.encode("utf-16")),
        *(
            b'{"a":"\x01"}',
            b"{} x",
            b'{"exp":1,"exp":9}',
            b'{"a":' + b"1" * 4301 + b"}",
        ),
        *(b'{"a":01}', b"{'a':1}", b'{"a":1,}', b"", b"{}{}"),
    ],
)
def test_20_json_that_leaves_a_doubt(text: bytes) -> None:
    refused(raw_token(b'{"alg":"HS256"}', text), MalformedTokenError)
    own = verifier(max_bytes=10**8).verify
    assert own(raw_token(b'{"alg":"HS256"}', b'{"__proto__":-0}')) == {"__proto__": 0}
    many = json.dumps({f"k{n}": n for n in range(50_000)}).encode()
    assert len(own(raw_token(b'{"alg":"HS256"}', many))) == 50_000


def test_21_size() -> None:
    """CVE-2025-61920, CVE-2025-65015: refused before it is read, and not repeated."""
    for text in ("A" * 50_000_000, GOOD + "A" * 50_000_000, "A" * 25_000_000 + ".e.x"):
        with pytest.raises(MalformedTokenError) as caught:
            verifier().verify(text)
        assert len(str(caught.value)) < 200


# --- claims --------------------


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize(
    "value", [[], {}, True, "1", "soon", 10**50, -(10**50), 2**53 + 1, 1.5e300]
)
def test_22_dates_of_other_types(name: str, value: Any) -> None:
    """CVE-2026-25537: never skipped, never a crash."""
    refused(token({name: value}), InvalidClaimError)


def test_23_a_part_of_an_issuer() -> None:
    """CVE-2024-53861."""
    for wrong in ("abc", "xabcx", "", "xabc"):
        refused(token({"iss": wrong}), InvalidIssuerError, issuer="xabcxx")


@pytest.mark.parametrize("aud", [["a", 1], {"a": 1}, [], [["a"]], 1, "", ["b"]])
def test_24_audiences_of_other_shapes(aud: Any) -> None:
    refused(token({"aud": aud}), InvalidAudienceError, audience="a")
    refused(token({}), MissingClaimError, audience="a")


def test_25_a_token_that_never_expires() -> None:
    """PyJWT #1087: exp is required unless one says otherwise."""
    with pytest.raises(MissingClaimError):
        Verifier(KEY, clock=lambda: NOW).verify(token({"sub": "1"}))
    with pytest.raises(MissingClaimError):
        Verifier(KEY, clock=lambda: NOW).verify(token({"exp": None}))


# --- every character counts --------------------


ALGORITHMS = ["HS256", "RS256", "PS256", "ES256", "ES384", "ES512", "ES256K", "EdDSA"]


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", [*ALGORITHMS, "Ed25519", "Ed448"])
def test_every_changed_character_is_refused(algorithm: str) -> None:
    key = Key.generate(algorithm)
    own = Verifier(key if algorithm == "HS256" else key.public(), require=())
    text = Signer(key).sign({"s": "1"})
    assert own.verify(text) == {"s": "1"}
    for at in range(0, len(text), 1 if algorithm == "HS256" else 3):
        changed = "." if text[at] != "." else "A"
        for character in {changed, next_of(text[at]) if text[at] != "." else "B"}:
            with pytest.raises(TokenError):
                own.verify(text[:at] + character + text[at + 1 :])
