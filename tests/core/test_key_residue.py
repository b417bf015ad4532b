"""What of a private key is left in memory that was given back."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fastbearer import Key
from sanitized import without_sanitizer

SEARCH = """
import gc, json, re, sys
from fastbearer import Key, Signer

def use(text):
    is_jwk = text.startswith("{")
    key = Key.from_jwk(json.loads(text)) if is_jwk else Key.from_pem(text)
    key.thumbprint()
    Signer(key).sign({})

text = sys.stdin.read()
use(text)
gc.collect()
inverse = bytes(range(255, -1, -1))
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


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="it takes Linux")
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
    wanted = [bytes(255 - b for b in one[:20]).hex() for one in (number, number[::-1])]
    run = subprocess.run(
        [sys.executable, "-c", SEARCH, *wanted],
        env=without_sanitizer(os.environ),  # it has memory of its own, and keeps all
        input=as_text(key, form),
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "0"
