"""FASTBEARER_HMAC=evp: the public interface of libcrypto, and the same tokens.

The core copies SHA-2 states by value where they agree with libcrypto's; where
they do not, or under FIPS, it takes EVP. Either makes the same signatures.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import subprocess
import sys
from base64 import urlsafe_b64encode

import pytest

ALGORITHMS = {
    "HS256": hashlib.sha256,
    "HS384": hashlib.sha384,
    "HS512": hashlib.sha512,
}
SECRET_SIZES = [64, 65, 127, 128, 129, 200, 1000]
PAYLOAD_SIZES = [0, 1, 2, 3, *range(30, 70), *range(80, 160, 3), 1000, 100_000]

SCRIPT = f"""
import json
from fastbearer import *
from fastbearer import jws

tokens = {{}}
for algorithm in {list(ALGORITHMS)}:
    for size in {SECRET_SIZES}:
        key = Key.from_secret(bytes(i % 251 + 1 for i in range(size)), algorithm)
        other = Key.generate(algorithm)
        for length in {PAYLOAD_SIZES}:
            payload = bytes(i % 256 for i in range(length))
            token = jws.sign(payload, key)
            assert jws.verify(token, KeySet([other, key])) == payload
            text, _, mac = token.rpartition(".")
            flipped = f"{{text}}.{{'B' if mac[0] == 'A' else 'A'}}{{mac[1:]}}"
            for wrong in (flipped, jws.sign(payload, other)):
                try:
                    jws.verify(wrong, key)
                except InvalidSignatureError:
                    continue
                raise AssertionError(wrong)
            tokens[f"{{algorithm}} {{size}} {{length}}"] = mac
print(json.dumps(tokens))
"""


def signatures(choice: str | None) -> dict[str, str]:
    """Return the signature of each case, made in a process of its own."""
    environment = dict(os.environ)
    environment.pop("FASTBEARER_HMAC", None)
    if choice is not None:
        environment["FASTBEARER_HMAC"] = choice
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert isinstance(made, dict)
    return made


def encode(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def expected() -> dict[str, str]:
    """Return the same, by the standard library."""
    made = {}
    for algorithm, digest in ALGORITHMS.items():
        header = encode(f'{{"alg":"{algorithm}"}}'.encode())
        for size in SECRET_SIZES:
            secret = bytes(i % 251 + 1 for i in range(size))
            for length in PAYLOAD_SIZES:
                payload = encode(bytes(i % 256 for i in range(length)))
                mac = hmac.digest(secret, f"{header}.{payload}".encode(), digest)
                made[f"{algorithm} {size} {length}"] = encode(mac)
    return made


@pytest.mark.slow
@pytest.mark.parametrize("choice", ["evp", "", None])
def test_either_way_makes_the_right_signatures(choice: str | None) -> None:
    assert signatures(choice) == expected()
