"""PEM texts as they come out of variables, YAML, JSON and mails."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from hypothesis import given
from hypothesis import strategies as st
from jose import jwk as python_jose_jwk

from fastbearer import InvalidKeyError, Key

PASSWORD = b"a password"


@cache
def texts() -> dict[str, tuple[str, Key]]:
    """Return PEM texts of each label, with the key that each is."""
    rsa, ec = Key.generate("RS256"), Key.generate("ES256")
    keys = {"RS256": rsa, "ES256": ec, "EdDSA": Key.generate("EdDSA")}
    found = {}
    for name, key in keys.items():
        found[f"{name} public"] = (key.to_pem(), key.public())
        found[f"{name} private"] = (key.to_pem(private=True), key)
        native: Any = load_pem_private_key(key.to_pem(private=True).encode(), None)
        sealed = native.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSWORD)
        )
        found[f"{name} encrypted"] = (sealed.decode(), key)
        if name != "EdDSA":
            old = native.private_bytes(
                Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
            )
            found[f"{name} traditional"] = (old.decode(), key)
    return found


@pytest.mark.parametrize("name", texts())
@pytest.mark.parametrize("more", [b"\0", b"\x05\0", b"0"])
def test_bytes_after_the_key_are_refused(name: str, more: bytes) -> None:
    """Two readers of one key must not read two keys."""
    pem, key = texts()[name]
    password = PASSWORD if "encrypted" in name else None
    first, *body, last = pem.splitlines()
    der = base64.b64decode("".join(body))
    algorithm = name.split()[0]
    read = Key.from_der(der, algorithm, password=password)
    assert read.thumbprint() == key.thumbprint()
    with pytest.raises(InvalidKeyError):
        Key.from_der(der + more, algorithm, password=password)
    longer = "\n".join([first, base64.b64encode(der + more).decode(), last])
    with pytest.raises(InvalidKeyError):
        Key.from_pem(longer, algorithm, password=password)


SPELLINGS = {
    "one line with spaces": lambda pem: pem.strip().replace("\n", " "),
    "one line without any": lambda pem: pem.replace("\n", ""),
    "literal \\n": lambda pem: pem.replace("\n", "\\n"),
    "literal \\r\\n": lambda pem: pem.replace("\n", "\\r\\n"),
    "literal \\\\n": lambda pem: pem.replace("\n", "\\\\n"),
    "literal \\n and \\t": lambda pem: pem.replace("\n", "\\n\\t"),
    "literal \\n and line ends": lambda pem: pem.replace("\n", "\\n\n"),
    "in double quotes": lambda pem: f'"{pem.strip()}"',
    "in single quotes, with \\n": lambda pem: "'" + pem.replace("\n", "\\n") + "'",
    "as JSON text": json.dumps,
    "as JSON text with \\/": lambda pem: json.dumps(pem).replace("/", "\\/"),
    "indented by spaces": lambda pem: "".join(
        f"    {line}\n" for line in pem.splitlines()
    ),
    "indented by tabs": lambda pem: pem.replace("\n", "\n\t\t"),
    "with CR": lambda pem: pem.replace("\n", "\r"),
    "with CR LF": lambda pem: pem.replace("\n", "\r\n"),
    "with blank lines": lambda pem: pem.replace("\n", "\n\n"),
    "with trailing spaces": lambda pem: pem.replace("\n", "  \n"),
    "with a BOM": lambda pem: "\ufeff" + pem,
    "after a name": lambda pem: "PUBLIC_KEY=" + pem,
    "after text of a mail": lambda pem: "Here it is:\n\n> " + pem + "\nRegards",
    "lines of 76": lambda pem: reflowed(pem, 76),
    "lines of 7": lambda pem: reflowed(pem, 7),
    "lines of 1000": lambda pem: reflowed(pem, 1000),
    "without a last line end": lambda pem: pem.strip(),
    "with vertical tabs and form feeds": lambda pem: pem.replace("\n", "\v\f\n"),
}


def reflowed(pem: str, width: int) -> str:
    first, *body, last = pem.strip().splitlines()
    text = "".join(body)
    lines = [text[at : at + width] for at in range(0, len(text), width)]
    return "\n".join([first, *lines, last, ""])


def read(pem: str | bytes, name: str) -> Key:
    return Key.from_pem(pem, password=PASSWORD if "encrypted" in name else None)


NAMES = [
    f"{name} {form}"
    for name in ("RS256", "ES256", "EdDSA")
    for form in ("public", "private", "encrypted", "traditional")
    if (name, form) != ("EdDSA", "traditional")
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_key_is_read_however_its_lines_came_here(name: str, spelling: str) -> None:
    pem, key = texts()[name]
    written = SPELLINGS[spelling](pem)
    for text in (written, written.encode()):
        made = read(text, name)
        assert made.thumbprint() == key.thumbprint()
        assert made.is_private is key.is_private


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_key_stays_no_secret_however_its_lines_came_here(
    name: str, spelling: str
) -> None:
    """What is taken as a key must be known as one (RFC 8725 3.1)."""
    written = SPELLINGS[spelling](texts()[name][0])
    with pytest.raises(InvalidKeyError) as caught:
        Key.from_secret(written)
    assert caught.value.reason == "key_is_pem"


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("name", ["RS256 public", "ES256 public"])
def test_what_the_originals_read_is_read(name: str, spelling: str) -> None:
    """The cryptography of PyJWT, and python-jose's."""
    pem, key = texts()[name]
    written = SPELLINGS[spelling](pem).encode()
    others: list[Any] = []
    with contextlib.suppress(ValueError):
        others.append(load_pem_public_key(written))
    with contextlib.suppress(Exception):
        others.append(
            python_jose_jwk.construct(written.decode(), name[:5]).prepared_key
        )
    native: Any = load_pem_public_key(pem.encode())
    for other in others:
        assert other.public_numbers() == native.public_numbers()
    assert read(written, name).thumbprint() == key.thumbprint()


white = st.text(" \t\r\n\v\f", max_size=3) | st.sampled_from(["\\n", "\\r\\n", "\\\\n"])


@given(st.data())
def test_white_space_anywhere_in_the_body_is_none(data: st.DataObject) -> None:
    pem, key = texts()["ES256 public"]
    first, *body, last = pem.strip().splitlines()
    text = "".join(body)
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=5))
    pieces = [text[a:b] for a, b in itertools.pairwise([0, *sorted(cuts), None])]
    joined = "".join(piece + data.draw(white) for piece in pieces)
    written = first + data.draw(white) + joined + last
    assert Key.from_pem(written).thumbprint() == key.thumbprint()


@given(st.integers(0, 177), st.text(max_size=2))
def test_a_spoilt_text_is_that_key_or_none(position: int, piece: str) -> None:
    pem, key = texts()["ES256 public"]
    spoilt = pem[:position] + piece + pem[position + 1 :]
    try:
        made = Key.from_pem(spoilt)
    except InvalidKeyError:
        return
    assert made.thumbprint() == key.thumbprint()


@pytest.mark.parametrize("piece", ["\0", "\\\0", "\\x", "\\", "\\\\", "\\ ", "*"])
def test_what_is_no_line_end_is_not_cut_out(piece: str) -> None:
    pem = Key.generate("ES256").to_pem()
    spoilt = f"{pem[:60]}{piece}{pem[60:]}"
    if piece.strip(" \\"):
        with pytest.raises(InvalidKeyError):
            Key.from_pem(spoilt)
    else:
        assert Key.from_pem(spoilt).to_pem() == pem


def test_the_first_key_of_several_is_taken_in_any_spelling() -> None:
    first, key = texts()["ES256 public"]
    second, _ = texts()["RS256 public"]
    for spell in SPELLINGS.values():
        made = Key.from_pem(spell(first) + "\n" + second)
        assert made.thumbprint() == key.thumbprint()


def test_the_password_of_an_old_key_is_still_what_is_missing() -> None:
    """RFC 1421 headers need their lines; such a key asks for MD5."""
    native: Any = load_pem_private_key(texts()["RS256 private"][0].encode(), None)
    old = native.private_bytes(
        Encoding.PEM,
        PrivateFormat.TraditionalOpenSSL,
        BestAvailableEncryption(PASSWORD),
    )
    with pytest.raises(InvalidKeyError) as caught:
        Key.from_pem(old, password=PASSWORD)
    assert caught.value.reason in ("key_unreadable", "key_password")
    sealed = texts()["RS256 encrypted"][0].replace("\n", "\\n")
    with pytest.raises(InvalidKeyError) as caught:
        Key.from_pem(sealed)
    assert caught.value.reason == "key_password"


@pytest.mark.parametrize("body", ["", "*", "Version: 1\n\nAAAA\n=AAAA", "AAA", "AA-A"])
def test_a_block_of_another_kind_may_hold_anything(body: str) -> None:
    pem, key = texts()["ES256 private"]
    other = f"-----BEGIN OTHER-----\n{body}\n-----END OTHER-----\n"
    assert Key.from_pem(other + pem).thumbprint() == key.thumbprint()
    broken = other.replace("OTHER", "PRIVATE KEY")
    if ":" not in body:
        with pytest.raises(InvalidKeyError):
            Key.from_pem(broken + pem)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "secret",
        '{"kty":"RSA"}',
        "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA",
        "-----BEGIN PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY-----\nMFkw\n",
        "-----BEGIN PUBLIC KEY-----MFkw-----END PRIVATE KEY-----",
        "-----BEGIN A-----" * 2000,
        "-----BEGIN " * 3000,
    ],
    ids=lambda text: text[:40],
)
def test_a_text_without_a_block_says_what_to_call(text: str) -> None:
    with pytest.raises(InvalidKeyError, match=r"no PEM block.*Key\.from_jwk") as caught:
        Key.from_pem(text)
    assert caught.value.reason == "key_no_pem"


def test_blocks_beyond_number_are_not_tried() -> None:
    many = (
        "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    )
    pem, key = texts()["ES256 public"]
    assert Key.from_pem(many * 3 + pem).thumbprint() == key.thumbprint()
    with pytest.raises(InvalidKeyError) as caught:
        Key.from_pem((many * 30 + pem).replace("\n", " "))
    assert caught.value.reason == "key_costly"
