"""What the numbers of a key must be, and which halves of a key are shown."""

from __future__ import annotations

import base64
import json
import math
import subprocess
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from types import MappingProxyType
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from fastbearer import (
    InvalidKeyError,
    InvalidSignatureError,
    Key,
    KeySet,
    Signer,
    Verifier,
    jws,
)

SMALL_PRIMES = [p for p in range(3, 168) if all(p % q for q in range(2, p))]
SECRET = "0123456789abcdef0123456789abcdef"


def b64(number: int) -> str:
    data = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(text: Any) -> int:
    assert isinstance(text, str)
    return int.from_bytes(base64.urlsafe_b64decode(text + "=="), "big")


@cache
def rsa() -> dict[str, str]:
    jwk: dict[str, str] = Key.generate("RS256").to_jwk(private=True)
    return jwk


def openssl(*arguments: str, data: bytes = b"") -> bytes:
    run = subprocess.run(
        ["openssl", *arguments], input=data, capture_output=True, check=True
    )
    return run.stdout


def refused(jwk: dict[str, Any]) -> tuple[str | None, str | None]:
    """Return the reason for a refusal, and the member that it is about."""
    with pytest.raises(InvalidKeyError) as caught:
        Key.from_jwk(jwk)
    return caught.value.reason, caught.value.member


# --- RSA ----------------------------------------------------------------------


def infineon_like(power: int) -> int:
    """Return a modulus that is a power of 65537 modulo every small prime."""
    product = math.prod(SMALL_PRIMES)
    start = pow(65537, power, product)
    step = (1 << 2047) // product + 1
    return next(n for k in range(2) if (n := start + (step + k) * product) % 2 == 1)


@pytest.mark.parametrize("power", [0, 1, 12345])
def test_a_modulus_of_infineons_library_is_refused(power: int) -> None:
    n = infineon_like(power)
    assert n.bit_length() == 2048
    jwk = {"kty": "RSA", "n": b64(n), "e": "AQAB"}
    assert refused(jwk) == ("key_rsa_roca", "n")


def test_a_modulus_that_only_resembles_one_is_taken() -> None:
    """Modulo 11, 65537 has two powers: 1 and 10. Modulo the others, it has its own."""
    n = infineon_like(12345)
    step = 2 * math.prod(SMALL_PRIMES) // 11
    other = next(n + k * step for k in range(11) if (n + k * step) % 11 == 2)
    assert Key.from_jwk({"kty": "RSA", "n": b64(other), "e": "AQAB"})


def test_a_modulus_is_odd() -> None:
    even = number(rsa()["n"]) ^ 1
    jwk = {"kty": "RSA", "n": b64(even), "e": "AQAB"}
    assert refused(jwk) == ("key_rsa_size", "n")


@pytest.mark.parametrize("e", [1, 2, 4, 65536, 1 << 63])
def test_a_public_exponent_is_odd_and_no_one(e: int) -> None:
    jwk = {"kty": "RSA", "n": rsa()["n"], "e": b64(e)}
    assert refused(jwk) == ("key_rsa_exponent", "e")


@pytest.mark.parametrize("e", [3, (1 << 63) + 1])
def test_every_other_public_exponent_is_taken(e: int) -> None:
    assert Key.from_jwk({"kty": "RSA", "n": rsa()["n"], "e": b64(e)})


def test_a_private_key_without_its_primes_signs() -> None:
    """RFC 7518 6.3.2 lets a JWK leave all of them out."""
    bare = {name: rsa()[name] for name in ("kty", "n", "e", "d")}
    key = Key.from_jwk(bare, "RS256")
    assert jws.verify(jws.sign(b"x", key), Key.from_jwk(rsa()).public()) == b"x"
    assert key.to_jwk(private=True) == {**bare, "alg": "RS256"}


def test_a_private_exponent_is_that_of_the_public_one() -> None:
    bare = {name: rsa()[name] for name in ("kty", "n", "e", "d")}
    bare["d"] = b64(number(bare["d"]) ^ 2)
    assert refused(bare) == ("key_pair", "d")


@pytest.mark.parametrize("name", ["d", "p", "q", "dp", "dq", "qi"])
def test_each_private_number_has_to_agree(name: str) -> None:
    assert refused({**rsa(), name: b64(number(rsa()[name]) ^ 2)})[0] == "key_pair"


def test_a_factor_is_no_one() -> None:
    """Modulo p - 1 = 0 nothing can be computed."""
    ones = dict.fromkeys(("p", "dp", "qi"), "AQ")
    assert refused({**rsa(), **ones, "q": rsa()["n"]})[0] == "key_pair"


# --- RSASSA-PSS (RFC 4055) ----------------------------------------------------


def pss(*options: str) -> bytes:
    """Return a private key that is for RSASSA-PSS alone, in PEM."""
    command = ["genpkey", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"]
    for option in options:
        command += ["-pkeyopt", option]
    return openssl(*command)


ONLY_SHA512 = [
    "rsa_pss_keygen_md:sha512",
    "rsa_pss_keygen_mgf1_md:sha512",
    "rsa_pss_keygen_saltlen:64",
]


def test_a_key_for_pss_is_for_pss() -> None:
    pem = pss()
    key = Key.from_pem(pem)
    assert key.algorithm == "PS256"
    public = Key.from_pem(openssl("pkey", "-pubout", data=pem))
    assert jws.verify(jws.sign(b"x", key), public) == b"x"
    assert Key.from_pem(pem, "PS384").algorithm == "PS384"
    for algorithm in ("RS256", "ES256", "EdDSA"):
        with pytest.raises(InvalidKeyError) as caught:
            Key.from_pem(pem, algorithm)
        assert caught.value.reason == "key_unsuited"


def test_a_key_for_one_digest_is_for_that_alone() -> None:
    pem = pss(*ONLY_SHA512)
    assert Key.from_pem(pem, "PS512").algorithm == "PS512"
    for algorithm in ("PS256", "PS384", None):
        with pytest.raises(InvalidKeyError) as caught:
            Key.from_pem(pem, algorithm)
        assert caught.value.reason == "key_unsuited"


# --- curves -------------------------------------------------------------------


@pytest.mark.parametrize("d", [0, 1, "order"])
def test_a_private_number_of_a_curve_is_that_of_its_point(d: int | str) -> None:
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    jwk = Key.generate("ES256").to_jwk(private=True)
    wanted = order if d == "order" else int(d)
    text = base64.urlsafe_b64encode(wanted.to_bytes(32, "big")).rstrip(b"=")
    assert refused({**jwk, "d": text.decode()})[0] in ("key_pair", "key_point")


@pytest.mark.parametrize("algorithm", ["Ed25519", "Ed448"])
def test_a_private_key_of_edwards_makes_its_own_public_one(algorithm: str) -> None:
    jwk, other = (Key.generate(algorithm).to_jwk(private=True) for _ in range(2))
    assert refused({**jwk, "x": other["x"]}) == ("key_pair", "d")


@pytest.mark.parametrize(
    "crv", [None, "", "P-257", "Ed25519", "secp256k2", "prime256v1"]
)
def test_a_curve_is_one_of_its_kind(crv: str | None) -> None:
    jwk = {**Key.generate("ES256").to_jwk(), "crv": crv}
    assert refused(jwk)[0] in ("key_curve", "jwk_member")


# --- halves -------------------------------------------------------------------


def test_a_secret_has_no_public_half() -> None:
    key = Key.from_secret(SECRET)
    for show in (key.public, key.to_jwk, key.to_pem, lambda: key.to_pem(private=True)):
        with pytest.raises(InvalidKeyError) as caught:
            show()
        assert caught.value.reason == "key_no_public"
    assert number(key.to_jwk(private=True)["k"]).to_bytes(32, "big") == SECRET.encode()


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_a_public_key_has_no_private_half(algorithm: str) -> None:
    key = Key.generate(algorithm)
    public = key.public()
    assert public.public() is public and not public.is_private
    for show in (
        lambda: public.to_jwk(private=True),
        lambda: public.to_pem(private=True),
        lambda: jws.sign(b"x", public),
        lambda: Signer(public),
    ):
        with pytest.raises(InvalidKeyError) as caught:
            show()
        assert caught.value.reason == "key_not_private"
    shown = public.to_jwk(), key.to_jwk()
    assert shown[0] == shown[1] and "d" not in shown[0]
    assert "PRIVATE" not in public.to_pem() + key.to_pem()


def test_a_key_without_an_id_is_shown_by_its_algorithm() -> None:
    assert repr(Key.from_secret(SECRET)) == "<Key HS256>"
    assert repr(Key.from_secret(SECRET, kid="a")) == "<Key HS256 kid='a'>"


def test_a_key_does_what_its_operations_say() -> None:
    """RFC 7517 4.3."""
    jwk = Key.generate("EdDSA").to_jwk(private=True)
    signs = Key.from_jwk({**jwk, "key_ops": ["sign"]})
    verifies = Key.from_jwk({**jwk, "key_ops": ["verify"]})
    assert jws.verify(jws.sign(b"x", signs), verifies) == b"x"
    for does in (
        lambda: jws.sign(b"x", verifies),
        lambda: Signer(verifies),
        lambda: jws.verify(jws.sign(b"x", signs), signs),
        lambda: Verifier(signs),
        lambda: Verifier(KeySet([verifies, signs])),
    ):
        with pytest.raises(InvalidKeyError) as caught:
            does()
        assert caught.value.reason == "key_use"


@pytest.mark.parametrize("ops", [[5], ["verify", 5], ["verify", "verify"], "verify", 5])
def test_operations_are_different_strings(ops: Any) -> None:
    jwk = {**Key.generate("EdDSA").to_jwk(), "key_ops": ops}
    assert refused(jwk) == ("jwk_member", "key_ops")


# --- texts --------------------------------------------------------------------


def test_a_key_is_the_whole_of_its_der() -> None:
    pem = Key.generate("ES256").to_pem()
    der = base64.b64decode("".join(pem.splitlines()[1:-1]))
    assert Key.from_der(der).algorithm == "ES256"
    for more in (der + b"\0", der + der):
        with pytest.raises(InvalidKeyError):
            Key.from_der(more)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"data": "\ud800"}, "key_unicode"),
        ({"password": "\ud800"}, "key_unicode"),
        ({"password": "x" * 1025}, "key_password"),
    ],
)
def test_texts_of_a_key_are_unicode_and_short(
    given: dict[str, str], reason: str
) -> None:
    pem = Key.generate("ES256").to_pem(private=True)
    with pytest.raises(InvalidKeyError) as caught:
        Key.from_pem(**{"data": pem, **given})  # type: ignore[arg-type]
    assert caught.value.reason == reason
    with pytest.raises(TypeError):
        Key.from_pem(5)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Key.from_pem(pem, password=5)  # type: ignore[arg-type]


def test_a_signature_of_another_key_is_wrong() -> None:
    one, other = Key.generate("Ed448"), Key.generate("Ed448")
    with pytest.raises(InvalidSignatureError):
        jws.verify(jws.sign(b"x", one), other.public())


@pytest.mark.parametrize("kind", ["X25519", "X448"])
def test_a_key_that_agrees_on_keys_signs_nothing(kind: str) -> None:
    private = openssl("genpkey", "-algorithm", kind)
    for text in (private, openssl("pkey", "-pubout", data=private)):
        with pytest.raises(InvalidKeyError) as caught:
            Key.from_pem(text)
        assert caught.value.reason == "key_unreadable"


@pytest.mark.slow
@pytest.mark.parametrize("form", [Encoding.PEM, Encoding.DER])
def test_a_public_key_of_pkcs1_is_read(form: Encoding) -> None:
    key = Key.generate("RS256")
    native: Any = load_pem_private_key(key.to_pem(private=True).encode(), None)
    text = native.public_key().public_bytes(form, PublicFormat.PKCS1)
    read = Key.from_pem if form is Encoding.PEM else Key.from_der
    for algorithm in (None, "RS256", "PS512"):
        one = read(text, algorithm)
        assert (one.thumbprint(), one.is_private) == (key.thumbprint(), False)
    assert jws.verify(jws.sign(b"x", key), read(text)) == b"x"
    if form is Encoding.DER:
        for wrong in (text + b"\0", text[:-1], text[:-1] + b"\0\0"):
            with pytest.raises(InvalidKeyError):
                read(wrong)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_a_certificate_is_its_key(algorithm: str) -> None:
    key = Key.generate(algorithm)
    native: Any = load_pem_private_key(key.to_pem(private=True).encode(), None)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "anybody")])
    day = datetime(2020, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder(name, name, native.public_key(), 5, day, day)
        .sign(native, None if algorithm == "EdDSA" else SHA256())
        .public_bytes
    )
    for one in (Key.from_pem(made(Encoding.PEM)), Key.from_der(made(Encoding.DER))):
        assert (one.thumbprint(), one.is_private) == (key.thumbprint(), False)
    with pytest.raises(InvalidKeyError):
        Key.from_der(made(Encoding.DER) + b"\0")
    with pytest.raises(InvalidKeyError) as caught:
        Key.from_secret(made(Encoding.PEM))
    assert caught.value.reason == "key_is_pem"


@pytest.mark.parametrize(
    ("k", "reason"),
    [
        (lambda: b"short", "key_short"),
        (lambda: b" " * 40, "key_empty"),
        (lambda: Key.generate("ES256").to_pem().encode(), "key_is_pem"),
        (lambda: b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + b"A" * 40, "key_is_ssh"),
        (lambda: json.dumps(Key.generate("ES256").to_jwk()).encode(), "key_is_jwk"),
        (lambda: openssl("pkey", "-outform", "DER", data=pss()), "key_is_der"),
    ],
    ids=["short", "blank", "PEM", "SSH", "JWK", "DER"],
)
def test_a_jwk_of_a_secret_has_no_other_key_in_it(
    k: Callable[[], bytes], reason: str
) -> None:
    text = base64.urlsafe_b64encode(k()).rstrip(b"=").decode()
    assert refused({"kty": "oct", "k": text}) == (reason, "k")


def test_a_secret_is_for_hmac_alone() -> None:
    jwk = {"kty": "oct", "k": "A" * 43}
    with pytest.raises(InvalidKeyError) as caught:
        Key.from_jwk(jwk, "RS256")
    assert (caught.value.reason, caught.value.member) == ("key_unsuited", "alg")
    assert refused({**jwk, "alg": "ES256"})[0] == "key_unsuited"


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN PRIVATE KEY",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN -----END -----",
    ],
)
def test_a_block_that_does_not_end_is_none(text: str) -> None:
    with pytest.raises(InvalidKeyError):
        Key.from_pem(text)


# --- encrypted keys (RFC 8018) ------------------------------------------------


def element(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    assert len(body) < 128
    return bytes([tag, len(body)]) + body


def oid(text: str) -> bytes:
    return element(0x06, bytes.fromhex(text))


PBES1, PBES2 = oid("2a864886f70d010503"), oid("2a864886f70d01050d")
PBKDF2, SCRYPT = oid("2a864886f70d01050c"), oid("2b06010401da47040b")
SALT, CIPHER = element(0x04, b"saltsalt"), element(0x30, oid("60864801650304012a"))
NO_SEQUENCE = [b"", element(0x05), element(0x02, b"\1"), element(0x30), SALT]


def scrypt(n: bytes, r: bytes, p: bytes) -> bytes:
    costs = (element(0x02, one) for one in (n, r, p))
    return element(0x30, SCRYPT, element(0x30, SALT, *costs))


DERIVATIONS = [
    *(element(0x30, PBKDF2, other) for other in NO_SEQUENCE),
    *(element(0x30, SCRYPT, other) for other in NO_SEQUENCE),
    scrypt(b"\xff", b"\x08", b"\1"),
    scrypt(b"\1\0\0\0\0\0\0\0\0", b"\x08", b"\1"),
    scrypt(b"\x10", b"\xff", b"\1"),
    scrypt(b"\x10", b"\x7f\xff\xff\xff", b"\1"),
    scrypt(b"\x10", b"\x08", b"\xff"),
    scrypt(b"\x10", b"\x08", b"\x7f\xff\xff\xff"),
    scrypt(b"\x10\0\0", b"\x08\0", b"\1"),
    element(0x30, PBKDF2, element(0x30, SALT, element(0x02, b"\xff"))),
    element(0x30, PBKDF2, element(0x30, SALT, element(0x02, b"\x7f\xff\xff\xff"))),
]
COSTS = [
    *(element(0x30, PBES1, other) for other in NO_SEQUENCE),
    *(element(0x30, PBES2, other) for other in NO_SEQUENCE),
    element(0x30, PBES1, element(0x30, SALT, element(0x02, b"\xff"))),
    *(element(0x30, PBES2, element(0x30, one, CIPHER)) for one in DERIVATIONS),
]


@pytest.mark.parametrize("algorithm", COSTS, ids=[one.hex()[:60] for one in COSTS])
def test_what_an_encrypted_key_costs_must_be_told(algorithm: bytes) -> None:
    der = element(0x30, algorithm, element(0x04, b"sealed"))
    for more, reason in ((b"", "key_costly"), (b"\0", "key_unreadable")):
        with pytest.raises(InvalidKeyError) as caught:
            Key.from_der(der + more, password="x")
        assert caught.value.reason == reason


@pytest.mark.parametrize("lenient", [False, True])
def test_a_set_that_is_published_has_no_private_key(lenient: bool) -> None:
    """Whatever form the entry has that says it."""
    good = Key.generate("ES256", kid="good").to_jwk()
    for key in (Key.generate("ES256"), Key.from_secret(SECRET)):
        jwk = key.to_jwk(private=True)
        for entry in (jwk, MappingProxyType(jwk), json.dumps(jwk)):
            keys = KeySet.from_jwks({"keys": [entry, good]}, lenient=lenient)
            assert [one.kid for one in keys] == ["good"]
            with pytest.raises(InvalidKeyError):
                KeySet.from_jwks({"keys": [entry]}, lenient=lenient)


def test_a_curve_is_named() -> None:
    for algorithm in ("ES256", "EdDSA"):
        jwk = Key.generate(algorithm).to_jwk()
        del jwk["crv"]
        assert refused(jwk) == ("key_curve", "crv")


class Broken(Mapping[str, Any]):
    """A mapping that cannot be read."""

    def __getitem__(self, name: str) -> Any:
        raise LookupError("broken")

    def __iter__(self) -> Iterator[str]:
        raise LookupError("broken")

    def __len__(self) -> int:
        return 1


def test_what_cannot_be_read_is_no_jwk() -> None:
    for jwk in (Broken(), "\ud800", "[]"):
        with pytest.raises(InvalidKeyError):
            Key.from_jwk(jwk)


@pytest.mark.parametrize("nothing", [None, "", [], ()])
def test_what_is_empty_is_left_out_where_that_is_asked(nothing: Any) -> None:
    jwk = {**Key.generate("ES256").to_jwk(), "d": nothing, "key_ops": nothing}
    assert not Key.from_jwk(jwk, lenient=True).is_private
    with pytest.raises(InvalidKeyError):
        Key.from_jwk(jwk)


@pytest.mark.parametrize("x", ["=", "==", "====", "A===", " "])
def test_padding_alone_is_no_number(x: str) -> None:
    jwk = {**Key.generate("ES256").to_jwk(), "x": x}
    for lenient in (False, True):
        with pytest.raises(InvalidKeyError) as caught:
            Key.from_jwk(jwk, lenient=lenient)
        assert (caught.value.reason, caught.value.member) == ("jwk_member", "x")


# --- the same of DER (RFC 8017 A.1) -------------------------------------------


def long_element(tag: int, body: bytes) -> bytes:
    size = len(body).to_bytes(3, "big").lstrip(b"\0") or b"\0"
    if len(body) < 128:
        return bytes([tag]) + size + body
    return bytes([tag, 0x80 | len(size)]) + size + body


def pkcs1(*numbers: int) -> bytes:
    parts = (n.to_bytes(n.bit_length() // 8 + 1, "big", signed=True) for n in numbers)
    return long_element(0x30, b"".join(long_element(0x02, part) for part in parts))


def modulus() -> int:
    return number(rsa()["n"])


PUBLIC: list[tuple[Callable[[], int], int, str]] = [
    (lambda: (1 << 16399) + 1, 65537, "key_rsa_size"),
    (lambda: (1 << 2046) + 1, 65537, "key_rsa_size"),
    (lambda: modulus() + 1, 65537, "key_rsa_size"),
    (lambda: 0, 65537, "key_rsa_size"),
    (lambda: infineon_like(7), 65537, "key_rsa_roca"),
    (modulus, 0, "key_rsa_exponent"),
    (modulus, 1, "key_rsa_exponent"),
    (modulus, 65536, "key_rsa_exponent"),
    (modulus, (1 << 64) + 1, "key_rsa_exponent"),
]


@pytest.mark.parametrize(("n", "e", "reason"), PUBLIC)
def test_a_public_key_in_der_has_the_same_bounds(
    n: Callable[[], int], e: int, reason: str
) -> None:
    assert Key.from_der(pkcs1(modulus(), 65537)).algorithm == "RS256"
    with pytest.raises(InvalidKeyError) as caught:
        Key.from_der(pkcs1(n(), e))
    assert caught.value.reason in (reason, "key_unreadable")


PRIVATE = ("d", "p", "q", "dp", "dq", "qi")


@pytest.mark.parametrize("name", PRIVATE)
@pytest.mark.parametrize("change", ["zero", "one", "wide", "negative"])
def test_a_private_key_in_der_has_the_same_bounds(name: str, change: str) -> None:
    numbers = {other: number(rsa()[other]) for other in PRIVATE}
    good = pkcs1(0, modulus(), 65537, *numbers.values())
    assert Key.from_der(good).thumbprint() == Key.from_jwk(rsa()).thumbprint()
    changed = {"wide": (1 << 2060) + 1, "negative": -numbers[name], "one": 1, "zero": 0}
    numbers[name] = changed[change]
    with pytest.raises(InvalidKeyError) as caught:
        Key.from_der(pkcs1(0, modulus(), 65537, *numbers.values()))
    assert caught.value.reason in ("key_pair", "key_unreadable")
