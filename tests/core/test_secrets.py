"""Secrets, and what must not become one."""

from __future__ import annotations

import base64
import json
import random
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from fastbearer import InvalidKeyError, Key, Signer, Verifier
from project import SECRET

LENGTHS = {"HS256": 32, "HS384": 48, "HS512": 64}


@pytest.mark.parametrize("algorithm", LENGTHS)
def test_a_secret_is_as_long_as_the_hash(algorithm: str) -> None:
    length = LENGTHS[algorithm]
    random.seed(algorithm)
    for size in (length, length + 1, 127, 128, 129, 500):
        key = Key.from_secret(random.randbytes(size), algorithm, kid="k")
        assert (key.algorithm, key.kid, key.is_private) == (algorithm, "k", True)
    with pytest.raises(InvalidKeyError):
        Key.from_secret(random.randbytes(length - 1), algorithm)
    short = Key.from_secret("short", algorithm, allow_short_secret=True)
    token = Signer(short).sign({"sub": "1"})
    assert Verifier(short, require=()).verify(token) == {"sub": "1"}


@pytest.mark.parametrize("secret", ["", b"", " " * 64, "\t\r\n" * 20, b"\0" * 64])
@pytest.mark.parametrize("allow", [False, True])
def test_an_empty_secret_is_never_one(secret: Any, allow: bool) -> None:
    with pytest.raises(InvalidKeyError):
        Key.from_secret(secret, allow_short_secret=allow)


@pytest.mark.parametrize("algorithm", ["hs256", "HS1", "", "none", "RS256", "ES256"])
def test_algorithms_that_take_no_secret(algorithm: str) -> None:
    with pytest.raises(InvalidKeyError):
        Key.from_secret(SECRET, algorithm)


def test_wrong_types() -> None:
    for arguments in ([None], [5], [bytearray(64)], [SECRET, 5], [SECRET, b"HS256"]):
        with pytest.raises(TypeError):
            Key.from_secret(*arguments)
    with pytest.raises(TypeError):
        Key.from_secret(SECRET, kid=5)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Key()
    with pytest.raises(InvalidKeyError):
        Key.from_secret("\ud800" * 40)
    with pytest.raises(AttributeError):
        Key.from_secret(SECRET).kid = "x"  # type: ignore[misc]


def test_generated_keys_differ() -> None:
    tokens = {Signer(Key.generate("HS256")).sign({}) for _ in range(20)}
    assert len(tokens) == 20


def test_nothing_shows_a_secret() -> None:
    key = Key.from_secret(SECRET, kid="id")
    assert SECRET not in repr(key)
    assert "id" in repr(key)
    for secret in ("hunter2", "-----BEGIN PUBLIC KEY-----hunter2" * 3):
        with pytest.raises(InvalidKeyError) as caught:
            Key.from_secret(secret)
        assert "hunter2" not in repr(caught.value) + repr(caught.value.__context__)


# --- key material in the clothes of a secret --------------------

BODY = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEabc"
LABELS = (
    "PUBLIC KEY",
    "PRIVATE KEY",
    "ENCRYPTED PRIVATE KEY",
    "RSA PUBLIC KEY",
    "RSA PRIVATE KEY",
    "EC PRIVATE KEY",
    "CERTIFICATE",
    "X509 CERTIFICATE",
    "X509 CRL",
    "NEW CERTIFICATE REQUEST",
    "DH PARAMETERS",
    "OPENSSH PRIVATE KEY",
)


def manglings(label: str) -> dict[str, str | bytes]:
    pem = f"-----BEGIN {label}-----\n{BODY}\n-----END {label}-----\n"
    return {
        "as it is": pem,
        "bytes": pem.encode(),
        "CRLF": pem.replace("\n", "\r\n"),
        "one line": pem.replace("\n", ""),
        "escaped newlines": pem.replace("\n", "\\n"),
        "no end": pem.partition("-----END")[0],
        "no begin": pem.partition("-----\n")[2],
        "no dashes": pem.replace("-", ""),
        "fewer dashes": pem.replace("-----", "---- "),
        "no spaces": pem.replace(" ", ""),
        "tabs": pem.replace(" ", "\t"),
        "lower case": pem.lower(),
        "leading space": " \n\t" + pem,
        "leading text": "key: " + pem,
        "quoted": json.dumps(pem),
        "BOM": "\ufeff" + pem,
        "NUL before": "\0" + pem,
        "UTF-16": pem.encode("utf-16"),
        "UTF-16 BE": pem.encode("utf-16-be"),
        "UTF-32": pem.encode("utf-32"),
    }


@pytest.mark.parametrize("name", manglings(""))
@pytest.mark.parametrize("label", LABELS)
def test_pem_however_mangled(label: str, name: str) -> None:
    for algorithm in LENGTHS:
        with pytest.raises(InvalidKeyError, match="PEM"):
            Key.from_secret(manglings(label)[name], algorithm, allow_short_secret=True)


JWK = {"kty": "EC", "crv": "P-256", "x": "a" * 43, "y": "b" * 43}
SSH = (
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ" + "c" * 60,
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "d" * 43,
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY" + "e" * 60,
    "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t" + "f" * 40,
    "ssh-dss AAAAB3NzaC1kc3MAAACB" + "g" * 60,
    "AAAAC3NzaC1lZDI1NTE5AAAAIdddddddddddddddddddddddddddddddddddddd",
    "---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----",
    'command="ls" ssh-rsa AAAAB3NzaC1yc2EAAAADAQAB' + "h" * 60,
    b"\0\0\0\x07ssh-rsa\0\0\0\x03\1\0\1" + b"i" * 60,
)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(JWK),
        json.dumps(JWK, indent=2),
        json.dumps({"keys": [JWK]}),
        json.dumps([JWK, JWK]),
        json.dumps({"jwks": {"keys": [JWK]}}),
        json.dumps({"keys": []}) + " " * 40,
        str(JWK),
        json.dumps(json.dumps(JWK)),
        json.dumps(JWK).replace('"kty":', '"kty"  :\n'),
        json.dumps(JWK).replace('"kty"', '"\\u006b\\u0054y"'),
        "  " + json.dumps(JWK),
        json.dumps(JWK)[:-1],
        json.dumps(JWK).encode("utf-16"),
        json.dumps(JWK).replace('"kty"', '"k\\u0074y"').encode("utf-16"),
    ],
)
def test_jwk_text(text: Any) -> None:
    with pytest.raises(InvalidKeyError, match="JWK"):
        Key.from_secret(text)


@pytest.mark.parametrize("text", SSH)
def test_ssh_keys(text: Any) -> None:
    with pytest.raises(InvalidKeyError, match=r"SSH|PEM"):
        Key.from_secret(text)


def ders() -> dict[str, bytes]:
    """Return a DER of every structure that a key or certificate comes in."""
    primitives = pytest.importorskip("cryptography.hazmat.primitives")
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
    )

    der, plain = Encoding.DER, NoEncryption()
    keys = {
        "RSA": rsa.generate_private_key(65537, 2048),
        "EC": ec.generate_private_key(ec.SECP256R1()),
        "Ed25519": ed25519.Ed25519PrivateKey.generate(),
    }
    made: dict[str, bytes] = {}
    for name, key in keys.items():
        public = key.public_key()
        made[f"{name} SPKI"] = public.public_bytes(
            der, PublicFormat.SubjectPublicKeyInfo
        )
        made[f"{name} PKCS#8"] = key.private_bytes(der, PrivateFormat.PKCS8, plain)
        made[f"{name} encrypted"] = key.private_bytes(
            der, PrivateFormat.PKCS8, BestAvailableEncryption(b"pw")
        )
        if name != "Ed25519":
            made[f"{name} traditional"] = key.private_bytes(
                der, PrivateFormat.TraditionalOpenSSL, plain
            )
    made["RSA PKCS#1"] = keys["RSA"].public_key().public_bytes(der, PublicFormat.PKCS1)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    now = datetime.now(UTC)
    made["X.509"] = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(keys["EC"].public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(keys["EC"], primitives.hashes.SHA256())
        .public_bytes(der)
    )
    return made


def test_der_and_its_base64() -> None:
    for name, der in ders().items():
        lines = base64.encodebytes(der)
        for form in (
            der,
            base64.b64encode(der),
            base64.urlsafe_b64encode(der),
            base64.b64encode(der).rstrip(b"="),
            lines,
            lines.replace(b"\n", b"\r\n"),
            b" " + base64.b64encode(der) + b"\n",
            base64.b64encode(der).decode().encode("utf-16-le"),
        ):
            try:
                pytest.fail(f"{name}: {Key.from_secret(form)} of {form!r}")
            except InvalidKeyError as error:
                assert "DER" in str(error)  # noqa: PT017
        # Only the whole value counts: these are no keys.
        for other in (der + b"x", der[:-1], b"x" + der, der[1:]):
            assert Key.from_secret(other).algorithm == "HS256"


def materials() -> dict[str, bytes]:
    """Return public keys in every form that is handed about."""
    made = {f"DER {name}": der for name, der in ders().items()}
    for algorithm in ("RS256", "ES256", "EdDSA", "Ed448"):
        key = Key.generate(algorithm)
        made[f"PEM {algorithm}"] = key.to_pem().encode()
        made[f"JWK {algorithm}"] = json.dumps(key.to_jwk()).encode()
    for text in SSH[:3]:
        assert isinstance(text, str)
        made[text[:14]] = text.encode()
    return made


def written(data: bytes) -> dict[str, bytes]:
    """Return the ways of writing bytes as a text of one line, or of several."""
    coded = base64.b64encode(data)
    return {
        "base64": coded,
        "base64url": base64.urlsafe_b64encode(data).rstrip(b"="),
        "lines": base64.encodebytes(data),
        "hexadecimal": data.hex().encode(),
        "capitals": data.hex().upper().encode(),
        "hexadecimal with colons": data.hex(":").encode(),
    }


def wrapped(text: bytes) -> dict[str, bytes]:
    """Return what becomes of a text on its way through files and settings."""
    return {
        "as it is": text,
        "quoted": b'"' + text + b'"',
        "single quotes": b"'" + text + b"'",
        "a repr": b"b'" + text + b"'",
        "BOM": b"\xef\xbb\xbf" + text,
        "UTF-16": text.decode().encode("utf-16"),
        "white space": b" " + text + b"\r\n",
        "escapes": b'"' + text.replace(b"\n", b"\\n").replace(b"/", b"\\/") + b'"',
        "literal line ends": text[:64] + b"\\n" + text[64:] + b"\\r\\n",
        "URL-escaped": quote(text, safe="").encode(),
    }


def test_key_material_that_is_written_in_another_way() -> None:
    accepted = []
    for name, data in materials().items():
        for how, text in written(data).items():
            for cover, secret in wrapped(text).items():
                for allow in (False, True):
                    try:
                        Key.from_secret(secret, allow_short_secret=allow)
                    except InvalidKeyError as error:
                        assert str(error.reason).startswith("key_is_")  # noqa: PT017
                    else:
                        accepted.append((name, how, cover))
    assert accepted == []


@pytest.mark.parametrize("space", [b"\n", b"\r\n", b" ", b"\t \n"])
def test_der_between_white_space(space: bytes) -> None:
    for der in ders().values():
        for secret in (der + space, space + der, space + der + space):
            with pytest.raises(InvalidKeyError, match="DER"):
                Key.from_secret(secret)


@pytest.mark.parametrize("safe", ["", "/"])
def test_a_text_of_a_key_that_is_escaped_for_a_url(safe: str) -> None:
    key = Key.generate("ES256")
    for text in (
        key.to_pem(),
        json.dumps(key.to_jwk()),
        json.dumps({"keys": [key.to_jwk()]}),
    ):
        for escaped in (quote(text, safe), quote_plus(text, safe)):
            for secret in (escaped, escaped.lower(), f'"{escaped}"'):
                with pytest.raises(InvalidKeyError, match=r"PEM|JWK"):
                    Key.from_secret(secret, allow_short_secret=True)


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", LENGTHS)
def test_random_secrets_are_never_taken_for_keys(algorithm: str) -> None:
    """A million in all: raw, base64 and hexadecimal, as people make them."""
    source = random.Random(algorithm)
    for _ in range(85_000):
        raw = source.randbytes(LENGTHS[algorithm])
        Key.from_secret(raw, algorithm)
        Key.from_secret(base64.urlsafe_b64encode(raw), algorithm)
        Key.from_secret(base64.b64encode(raw) + b"\n", algorithm)
        Key.from_secret(raw.hex(), algorithm)


@pytest.mark.parametrize(
    "secret",
    [
        *("A" * 43, "A" * 64, "0" * 128, "IC" * 40, "20" * 32),
        base64.b64encode(b" " * 48).decode(),
        base64.b64encode(b"a passphrase about a public key and a JWK").decode(),
        "%20" * 20 + "%zz%2",
        "\\n" * 40,
        '"' * 40,
        "b'" + "x" * 40,
    ],
)
def test_what_decodes_to_nothing_of_a_key_is_a_secret(secret: str) -> None:
    assert Key.from_secret(secret).algorithm == "HS256"


@pytest.mark.parametrize(
    "passphrase",
    [
        "please-begin-with-the-public-part-of-the-key-today",
        "my private key is under the doormat, certificate too",
        "the kty and the keys are no JWK by themselves, are they",
        "ssh is a protocol; rsa is an algorithm; this is a secret",
        "backend-private-key-3f9c1d7e5b2a4860-0123456789",
        "my-backend-cms-secret-key-2026-0123456789",
        "the weekend certificate of the front-end PKCS7 team",
        "0" * 64,
        "MIIB" + "x" * 60,
    ],
)
def test_passphrases_that_only_sound_like_keys(passphrase: str) -> None:
    assert Key.from_secret(passphrase).algorithm == "HS256"


# --- what only resembles a key ------------------------------------------------


def der_of_a_key() -> bytes:
    pem = Key.generate("ES256").to_pem()
    return base64.b64decode("".join(pem.splitlines()[1:-1]))


def test_a_key_that_is_cut_off_or_goes_on_is_a_secret() -> None:
    der = der_of_a_key()
    with pytest.raises(InvalidKeyError):
        Key.from_secret(der)
    for other in (*(der[:size] for size in range(64, len(der))), der + b"\0"):
        assert Key.from_secret(other).algorithm == "HS256"


def element(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    assert len(body) < 128
    return bytes([tag, len(body)]) + body


BITS = element(0x03, b"\0" * 40)
OID = element(0x30, element(0x06, b"\x2a"))


@pytest.mark.parametrize(
    "der",
    [
        element(0x30, element(0x30), BITS),
        element(0x30, element(0x03), BITS),
        element(0x30, element(0x30, b"\x06\x05\x2a"), BITS),
        element(0x30, element(0x30, b"\x06"), BITS),
        element(0x30, *[element(0x02, b"\x01" * 4)] * 10),
        element(0x30, OID, BITS, BITS),
        element(0x31, OID, BITS),
        b"\x30\x80" + OID + BITS,
        b"\x30\x85\0\0\0\0\x31" + OID + BITS,
        b"\x30\x82\0\x31" + OID + BITS,
        b"\x30\x81\x31" + OID + BITS,
        element(0x30, OID, BITS)[:-1],
        b"\x04\x04" * 20 + b"\x30\x84",
        element(0x30, element(0x02, b"\x01" * 32), b"\x02\x84"),
    ],
)
def test_what_is_no_sound_der_is_a_secret(der: bytes) -> None:
    for secret in (der, base64.b64encode(der)):
        assert Key.from_secret(secret, allow_short_secret=True).algorithm == "HS256"


def test_its_sound_neighbour_is_none() -> None:
    with pytest.raises(InvalidKeyError):
        Key.from_secret(element(0x30, OID, BITS))


@pytest.mark.parametrize("escape", ["\\u002", "\\u00g0", "\\u000g", "\\u0", "\\v002d"])
def test_what_is_no_escape_stands_for_itself(escape: str) -> None:
    text = f"{escape}----BEGIN{escape}PRIVATE KEY" + "x" * 40
    assert Key.from_secret(text).algorithm == "HS256"


@pytest.mark.parametrize("line", ["BEGIN PRIVATE KEY--", "--END PRIVATE KEY"])
def test_dashes_on_one_side_are_enough(line: str) -> None:
    with pytest.raises(InvalidKeyError) as caught:
        Key.from_secret(f"{'x' * 30}{line}{'x' * 30}")
    assert caught.value.reason == "key_is_pem"
