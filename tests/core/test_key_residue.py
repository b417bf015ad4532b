"""What of a private key is left in memory that was given back."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fastbearer import Key
from sanitized import without_sanitizer

if TYPE_CHECKING:
    from collections.abc import Callable

USE = """
import gc, json, re, sys
from fastbearer import Key, Signer

inverse = bytes(range(255, -1, -1))

def use(text):
    is_jwk = text.startswith("{")
    key = Key.from_jwk(json.loads(text)) if is_jwk else Key.from_pem(text)
    key.thumbprint()
    Signer(key).sign({})

use(sys.stdin.read())
"""

READ_PEM = """
import gc, re, sys
from fastbearer import InvalidKeyError, Key

inverse = bytes(range(255, -1, -1))
try:
    Key.from_pem(sys.stdin.read(), password="password")
except InvalidKeyError as error:
    print(error.reason)
else:
    print("a key")
"""

PRINT_SECRET = """
import gc, re, sys
from fastbearer import Key

inverse = bytes(range(255, -1, -1))
key = Key.from_secret(bytes.fromhex(sys.stdin.read()).translate(inverse))
print(key.thumbprint())
"""

READ_TEXT = """
import gc, re, sys
from fastbearer import Key

inverse = bytes(range(255, -1, -1))
text = sys.stdin.read()
print(Key.from_jwk(text).thumbprint())
print(Key.from_jwk(text.encode(), lenient=True).thumbprint())
"""

READ_SET = """
import gc, re, sys
from fastbearer import InvalidKeyError, KeySet

inverse = bytes(range(255, -1, -1))
try:
    keys = KeySet.from_jwks(sys.stdin.read(), private=True)
except InvalidKeyError as error:
    print("refused")
else:
    print(*[key.kid for key in keys], *[entry.kid for entry in keys.skipped])
"""

READ_REFUSED = """
import gc, re, sys
from fastbearer import InvalidKeyError, Key

inverse = bytes(range(255, -1, -1))
try:
    Key.from_jwk(sys.stdin.read())
except InvalidKeyError as error:
    print(error.reason)
"""

SEARCH = """
gc.collect()
# What is searched for comes inverted, so that it does not find itself.
wanted = [bytes.fromhex(one) for one in sys.argv[1:]]
found = 0
for line in open("/proc/self/maps"):
    area = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
    if area is None or "[v" in line:
        continue
    start, end = (int(text, 16) for text in area.groups())
    with open("/proc/self/mem", "rb") as memory:
        memory.seek(start)
        try:
            here = memory.read(end - start).translate(inverse)
        except OSError:
            continue
    found += sum(here.count(one) for one in wanted)
    del here
print(found)
"""


def as_text(key: Key, form: str) -> str:
    """Return a text that does not hold its numbers as they are, as DER would."""
    is_jwk = form == "jwk"
    return json.dumps(key.to_jwk(private=True)) if is_jwk else key.to_pem(private=True)


def inverted(text: bytes) -> str:
    return bytes(255 - b for b in text).hex()


def told(program: str, given: str, *wanted: bytes) -> list[str]:
    """Return what a program prints, and how often what is wanted is in its memory."""
    run = subprocess.run(
        [sys.executable, "-c", program + SEARCH, *map(inverted, wanted)],
        env=without_sanitizer(os.environ),  # it has memory of its own, and keeps all
        input=given,
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.split()


linux = pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="it takes Linux")


@pytest.mark.slow
@linux
@pytest.mark.parametrize(
    ("algorithm", "member", "form"),
    [
        *(("ES256", "d", "jwk"), ("ES512", "d", "jwk"), ("RS256", "p", "jwk")),
        *(("EdDSA", "d", "jwk"), ("Ed448", "d", "jwk"), ("HS256", "k", "jwk")),
        *(("ES256", "d", "pem"), ("RS256", "p", "pem"), ("EdDSA", "d", "pem")),
    ],
)
def test_no_private_number_is_left_behind(
    algorithm: str, member: str, form: str
) -> None:
    key = Key.generate(algorithm)
    number = base64.urlsafe_b64decode(key.to_jwk(private=True)[member] + "==")
    assert told(USE, as_text(key, form), number[:20], number[::-1][:20]) == ["0"]


ALGORITHMS = ["RS256", "ES256", "ES512", "EdDSA", "Ed448"]


def openssl(*arguments: str, text: str) -> str:
    run = subprocess.run(
        ["openssl", *arguments], input=text, capture_output=True, text=True, check=True
    )
    return run.stdout


def sealed(pem: str) -> str:
    options = ["-topk8", "-passout", "pass:password", "-iter", "10"]
    return openssl("pkcs8", *options, text=pem)


def older(pem: str) -> str:
    """Return it as PKCS#1 or SEC 1."""
    return openssl("pkey", "-traditional", text=pem)


def with_two_points(pem: str) -> str:
    """Return a key whose point is another key's, which is refused."""
    lines = pem.splitlines()
    lines[3] = Key.generate("ES512").to_pem(private=True).splitlines()[3]
    return "\n".join(lines)


# Nothing is done with the key afterwards, which might cover what its reading has left.
@pytest.mark.slow
@linux
@pytest.mark.parametrize(
    ("algorithm", "form"),
    [
        *((name, form) for name in ALGORITHMS for form in (str, sealed)),
        *((name, older) for name in ALGORITHMS if not name.startswith("Ed")),
    ],
)
def test_reading_pem_leaves_no_private_number_behind(
    algorithm: str, form: Callable[[str], str]
) -> None:
    key = Key.generate(algorithm)
    member = "p" if algorithm == "RS256" else "d"
    number = base64.urlsafe_b64decode(key.to_jwk(private=True)[member] + "==")
    text = form(key.to_pem(private=True))
    assert told(READ_PEM, text, number[:20], number[::-1][:20]) == ["a", "key", "0"]


@linux
def test_a_refused_key_leaves_no_private_number_behind() -> None:
    key = Key.generate("ES512")
    number = base64.urlsafe_b64decode(key.to_jwk(private=True)["d"] + "==")
    text = with_two_points(key.to_pem(private=True))
    answer = told(READ_PEM, text, number[:20], number[::-1][:20])
    assert answer == ["key_unreadable", "0"]


def thumbprint(jwk: dict[str, str], *members: str) -> str:
    """Return what RFC 7638 asks for."""
    required = {name: jwk[name] for name in sorted(members)}
    text = json.dumps(required, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def pieces(text: str) -> list[bytes]:
    """Return parts of a text that an allocator's own notes do not cover."""
    return [text[at : at + 30].encode() for at in (len(text) // 3, len(text) // 2)]


@linux
@pytest.mark.parametrize("size", [32, 64, 300, 600, 767, 768, 769, 1200, 9000])
def test_a_thumbprint_leaves_no_secret_behind(size: int) -> None:
    secret = os.urandom(size)
    jwk = Key.from_secret(secret).to_jwk(private=True)
    found = told(PRINT_SECRET, inverted(secret), *pieces(jwk["k"]))
    assert found == [thumbprint(jwk, "k", "kty"), "0"]


def escaped(jwk: dict[str, Any], name: str) -> tuple[str, list[bytes]]:
    """Return a JWK's text, and pieces of a member that only its reader writes.

    An escape amid each piece that is looked for keeps the text from having it.
    """
    private = jwk[name]
    text = json.dumps({**jwk, name: "?"})
    wanted = pieces(private)
    places = sorted(private.index(piece.decode()) + 15 for piece in wanted)
    for at in reversed(places):
        private = f"{private[:at]}\\u{ord(private[at]):04x}{private[at + 1 :]}"
    return text.replace("?", private), wanted


PRIVATE_MEMBERS = [
    *((Key.from_secret(os.urandom(size)), "k") for size in (64, 300, 900)),
    *((Key.generate(name), "d") for name in ("ES256", "EdDSA", "RS256")),
]
NAMES = ["64", "300", "900", "ES256", "EdDSA", "RS256"]
SOME = [PRIVATE_MEMBERS[1], PRIVATE_MEMBERS[5]]


@linux
@pytest.mark.parametrize(("key", "name"), PRIVATE_MEMBERS, ids=NAMES)
def test_a_jwk_of_text_leaves_no_private_member_behind(key: Key, name: str) -> None:
    text, wanted = escaped(key.to_jwk(private=True), name)
    print_ = key.thumbprint()
    assert told(READ_TEXT, text, *wanted) == [print_, print_, "0"]


@pytest.mark.slow
@linux
@pytest.mark.parametrize(("key", "name"), SOME, ids=["oct", "RSA"])
@pytest.mark.parametrize(
    ("form", "answer"),
    [
        ('{"keys":[%s]}', ["one"]),
        ('{"keys":[%s,{"kty":"no","kid":"two"}]}', ["one", "two"]),
        ('{"keys":[{"kty":"no","d":[%s]}]}', ["refused"]),
        ('{"keys":[{"kty":"no"}],"keys":[%s]}', ["refused"]),
        ('{"keys":[%s],"keys":[]}', ["refused"]),
        ('{"keys":[%s]', ["refused"]),
        ('{"keys":[%s,01]}', ["refused"]),
        ('{"key":%s}', ["refused"]),
    ],
)
def test_a_set_of_text_leaves_no_private_member_behind(
    form: str, answer: list[str], key: Key, name: str
) -> None:
    jwk = {**key.to_jwk(private=True), "kid": "one"}
    text, wanted = escaped(jwk, name)
    assert told(READ_SET, form % text, *wanted) == [*answer, "0"]


@linux
@pytest.mark.parametrize(("key", "name"), SOME, ids=["oct", "RSA"])
@pytest.mark.parametrize(
    "end", [',"kty":"oct"}', ',"kid":1,"kid":2}', ',"kid":01}', "", "}}"]
)
def test_a_refused_jwk_of_text_leaves_no_private_member_behind(
    end: str, key: Key, name: str
) -> None:
    text, wanted = escaped(key.to_jwk(private=True), name)
    assert told(READ_REFUSED, text[:-1] + end, *wanted) == ["jwk_json", "0"]


@linux
def test_a_member_that_comes_twice_is_left_behind_by_neither() -> None:
    jwk = Key.from_secret(os.urandom(300)).to_jwk(private=True)
    text, wanted = escaped(jwk, "k")
    again, more = escaped(Key.from_secret(os.urandom(300)).to_jwk(private=True), "k")
    both = text[:-1] + ", " + again[1:]
    assert told(READ_REFUSED, both, *wanted, *more) == ["jwk_json", "0"]
