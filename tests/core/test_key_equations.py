"""A curve that a key describes by its equation, in each structure that can hold one.

libcrypto computes with such a curve while it reads: a prime that was made for it takes
minutes. None of these curves can be computed with, so that the reason tells whether
libcrypto was asked: it would find nothing that could be read.
"""

from __future__ import annotations

import base64
import hashlib
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from fastbearer import InvalidKeyError, Key

NAMED = "the curve is not a named one"
EC = bytes.fromhex("06072a8648ce3d0201")
P256 = bytes.fromhex("06082a8648ce3d030107")
FIELDS = {
    "prime": bytes.fromhex("2a8648ce3d0101"),
    "binary": bytes.fromhex("2a8648ce3d0102"),
}
SIZES = ["short", "long"]
"""How a length is written: in one byte, or in more than it takes (BER)."""


def der(tag: int, body: bytes, size: str = "short") -> bytes:
    length = len(body).to_bytes(4, "big").lstrip(b"\0")
    if size == "short" and len(body) < 128:
        return bytes([tag, len(body)]) + body
    return bytes([tag, 0x80 + len(length)]) + length + body


def sequence(*parts: bytes) -> bytes:
    return der(0x30, b"".join(parts))


def number(value: int) -> bytes:
    return der(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def octets(body: bytes) -> bytes:
    return der(4, body)


def bits(body: bytes) -> bytes:
    return der(3, b"\0" + body)


def equation(field: bytes, size: str) -> bytes:
    """Return parameters of RFC 3279 2.3.5 that are none of any curve."""
    of_field = sequence(der(6, field, size), number(15))
    return sequence(
        number(1), of_field, sequence(octets(b"\1"), octets(b"\2")), octets(b"\2\1"),
        number(13), number(1),
    )  # fmt: skip


def spki(parameters: bytes) -> bytes:
    return sequence(sequence(EC, parameters), bits(b"\2\1"))


def sec1(*parameters: bytes) -> bytes:
    return sequence(number(1), octets(b"\1" * 32), *(der(0xA0, p) for p in parameters))


def pkcs8(parameters: bytes, private: bytes) -> bytes:
    return sequence(number(0), sequence(EC, parameters), private)


def in_pieces(body: bytes) -> bytes:
    """Return an octet string whose bytes stand apart, as BER allows."""
    return der(0x24, b"".join(octets(body[i : i + 5]) for i in range(0, len(body), 5)))


def certificate(public: bytes) -> bytes:
    algorithm = sequence(bytes.fromhex("06082a8648ce3d040302"))
    validity = sequence(*(der(0x17, b"260101000000Z"),) * 2)
    body = sequence(
        der(0xA0, number(2)), number(1), algorithm, sequence(), validity, sequence(),
        public,
    )  # fmt: skip
    return sequence(body, algorithm, bits(b"\0"))


def sealed(plain: bytes) -> bytes:
    """Return what the password "x" opens: PBES2 of RFC 8018 6.2."""
    salt, iv = b"saltsalt", bytes(16)
    key = hashlib.pbkdf2_hmac("sha1", b"x", salt, 10, 16)
    pad = 16 - len(plain) % 16
    cipher = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    text = cipher.update(plain + bytes([pad]) * pad) + cipher.finalize()
    derivation = sequence(
        bytes.fromhex("06092a864886f70d01050c"), sequence(octets(salt), number(10))
    )
    encryption = sequence(bytes.fromhex("060960864801650304" + "0102"), octets(iv))
    scheme = sequence(
        bytes.fromhex("06092a864886f70d01050d"), sequence(derivation, encryption)
    )
    return sequence(scheme, octets(text))


def structures(parameters: bytes) -> dict[str, tuple[str, bytes]]:
    """Return name -> label of a PEM block, and its bytes."""
    outer = pkcs8(parameters, octets(sec1()))
    inner = pkcs8(P256, octets(sec1(parameters)))
    pieces = pkcs8(P256, in_pieces(sec1(parameters)))
    return {
        "spki": ("PUBLIC KEY", spki(parameters)),
        "certificate": ("CERTIFICATE", certificate(spki(parameters))),
        "sec1": ("EC PRIVATE KEY", sec1(parameters)),
        "pkcs8": ("PRIVATE KEY", outer),
        "within pkcs8": ("PRIVATE KEY", inner),
        "in pieces": ("PRIVATE KEY", pieces),
        "pkcs8 as sec1": ("EC PRIVATE KEY", outer),
        "sealed": ("ENCRYPTED PRIVATE KEY", sealed(outer)),
        "within sealed": ("ENCRYPTED PRIVATE KEY", sealed(inner)),
        "sealed in pieces": ("ENCRYPTED PRIVATE KEY", sealed(pieces)),
    }


def armoured(label: str, body: bytes) -> str:
    text = base64.encodebytes(body).decode()
    return f"-----BEGIN {label}-----\n{text}-----END {label}-----\n"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("structure", structures(b""))
def test_an_equation_is_refused_before_it_is_computed_with(
    structure: str, field: str, size: str
) -> None:
    label, body = structures(equation(FIELDS[field], size))[structure]
    with pytest.raises(InvalidKeyError, match=NAMED):
        Key.from_der(body, password="x")
    with pytest.raises(InvalidKeyError, match=NAMED):
        Key.from_pem(armoured(label, body), password="x")


def test_the_structures_hold_a_named_curve_as_well() -> None:
    """What the cases above are made of is read where the curve has a name."""
    for structure in ("sec1", "pkcs8", "within pkcs8", "in pieces", "sealed"):
        label, body = structures(P256)[structure]
        assert Key.from_der(body, password="x").algorithm == "ES256"
        assert Key.from_pem(armoured(label, body), password="x").is_private


def test_a_curve_that_openssl_describes_is_refused(tmp_path: Path) -> None:
    """P-256 by its equation (CVE-2020-0601)."""
    made = ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout"]
    pem = subprocess.run(
        [*made, "-param_enc", "explicit"], capture_output=True, check=True, text=True
    ).stdout
    with pytest.raises(InvalidKeyError, match=NAMED):
        Key.from_pem(pem)


# --- one key of a text --------------------


def test_the_first_block_of_a_key_is_the_key() -> None:
    """Each may cost a derivation: a text must not buy as many as it has blocks."""
    good = Key.generate("ES256").to_pem()
    for label in ("PUBLIC KEY", "PRIVATE KEY", "CERTIFICATE", "ENCRYPTED PRIVATE KEY"):
        with pytest.raises(InvalidKeyError, match="could be read"):
            Key.from_pem(armoured(label, sequence(number(1))) + good, password="x")
    parameters = armoured("EC PARAMETERS", P256)
    assert Key.from_pem(parameters + good).algorithm == "ES256"
