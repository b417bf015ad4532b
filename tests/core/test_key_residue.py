"""What of a private key is left in memory that was given back."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

from fastbearer import Key

SEARCH = """
import gc, json, re, sys
from fastbearer import Key

def use(text):
    Key.from_jwk(json.loads(text)).thumbprint()

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


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="it takes Linux")
@pytest.mark.parametrize(
    ("algorithm", "member"),
    [("ES256", "d"), ("ES512", "d"), ("RS256", "p")],
)
def test_no_private_number_is_left_behind(algorithm: str, member: str) -> None:
    jwk = Key.generate(algorithm).to_jwk(private=True)
    number = base64.urlsafe_b64decode(jwk[member] + "==")
    wanted = [bytes(255 - b for b in one[:20]).hex() for one in (number, number[::-1])]
    run = subprocess.run(
        [sys.executable, "-c", SEARCH, *wanted],
        input=json.dumps(jwk),
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "0"
