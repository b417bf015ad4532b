"""PBKDF2 beside hashlib's: with SHA-256 of our own steps, and by libcrypto.

Its hashes are made by ASP.NET Core's format, which has keys of several lengths.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import subprocess
import sys
from base64 import b64encode

import pytest

DIGESTS = ("sha1", "sha256", "sha512")
PASSWORDS = ["", "a", "p" * 63, "p" * 64, "p" * 65, "p" * 200, "\0a", "ü" * 40]
SALTS = [16, 51, 52, 55, 56, 60, 64, 128, 256]
"""Bytes; the number of the block comes after them."""
KEYS = [16, 32, 64]
ROUNDS = [1, 2, 3, 100]

VERIFY = """
import json, sys
from fastbearer import _core
said = []
for password, hash in json.load(sys.stdin):
    said.append(
        _core.password_verify(password, hash)
        and not _core.password_verify(password + "x", hash)
    )
print(json.dumps(said))
"""


def written(digest: str, password: str, salt: bytes, rounds: int, size: int) -> str:
    """Return the hash as ASP.NET Core writes it."""
    key = hashlib.pbkdf2_hmac(digest, password.encode(), salt, rounds, size)
    numbers = (DIGESTS.index(digest), rounds, len(salt))
    head = b"\1" + b"".join(number.to_bytes(4, "big") for number in numbers)
    return b64encode(head + salt + key).decode()


def cases() -> list[tuple[str, str]]:
    """Return passwords with their hashes."""
    made = []
    for digest, password, rounds in itertools.product(DIGESTS, PASSWORDS, ROUNDS):
        for salt, size in itertools.product(SALTS, KEYS):
            text = written(digest, password, os.urandom(salt), rounds, size)
            made.append((password, text))
    return made


@pytest.mark.parametrize("choice", ["", "evp"])
def test_it_is_what_hashlib_computes(choice: str) -> None:
    given = cases()
    done = subprocess.run(
        [sys.executable, "-c", VERIFY],
        env={**os.environ, "FASTBEARER_HMAC": choice},
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(done.stdout)
    wrong = [case for case, right in zip(given, said, strict=True) if not right]
    assert wrong == []
    assert len(said) == 2592
