"""What many calls leave behind: memory, and answers that differ between threads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from c_tools import needs_proc
from many_threads import wrong_answers
from project import ROOT

TESTS = [str(Path(__file__).parent), str(ROOT / "tests" / "kit")]

under_a_sanitizer = pytest.mark.skipif(
    "ASAN_OPTIONS" in os.environ, reason="a sanitizer keeps freed memory"
)

GROWTH = """
import sys
sys.path[:0] = {tests!r}
import resource
from fastbearer import *
from handmade_tokens import *

def pages():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1])

def try_each(call, inputs, times):
    for n in range(times):
        try:
            call(inputs[n % len(inputs)])
        except (FastbearerError, ValueError, TypeError):
            pass

{setup}
try_each(call, inputs, {calls} // 5)
before = pages()
try_each(call, inputs, {calls})
print((pages() - before) * resource.getpagesize())
"""

VERIFIES = """
import test_strict as strict
call = Verifier(KEY, require=("sub",), audience="a", clock=lambda: NOW).verify
good = [token({"sub": "é", "aud": "a", "n": [1, {"x": 2.5}, None]})] * 30
bad = [text for text in strict.SHAPES.values() if len(text) < 3000]
bad += [raw_token(header, b"{}") for header in strict.HEADERS if len(header) < 3000]
bad += [token({"sub": "1", "aud": aud}) for aud in ("b", [], 1, ["a", 1])]
bad += [token({"sub": "1", "aud": "a", name: value}) for name in ("exp", "nbf", "iat")
        for value in (None, 2**60, 10**50, "x", 1, NOW + 50)]
bad += [raw_token(b'{"alg":"HS256"}', text) for text in (b"[]", b"{", b'{"a":1,"a":2}',
        b'{"a":"\\\\ud800"}', b'{"a":1e999}', b"[" * 99, b"1" * 5000, b"\\xff")]
bad += [token({}), token({"sub": None, "aud": "a"}), 5, None]
inputs = [one for pair in zip(good * 20, bad * 20) for one in pair]
"""

SIGNS = """
call = Signer(KEY, lifetime=5).sign
inputs = [{"sub": "1"}, {"a": "é" * 900}, {"a": float("nan")}, {"a": "\\ud800"}, {1: 2},
          {"a": object()}, {"exp": "x"}, {"a": [[[[{}]]]]}, {"n": 10**80}, None]
"""

KEYS = """
call = Key.from_secret
inputs = [SECRET, b"x" * 200, "short", "", "-----BEGIN PUBLIC KEY-----" * 2, None,
          '{"kty":"EC"}' * 9, "ssh-rsa AAAA" + "x" * 90, "\\ud800"]
from project import SECRET
"""

ASYMMETRIC = """
keys = [Key.generate(name) for name in ("ES256", "EdDSA")]
jwks = [key.to_jwk(private=True) for key in keys]
pems = [key.to_pem(private=True) for key in keys]
tokens = [jws.sign(b"x", key) for key in keys]
def call(n):
    key = Key.from_jwk(jwks[n % 2])
    jws.verify(tokens[n % 2], Key.from_pem(pems[n % 2]).public())
    key.thumbprint()
    key.to_pem()
    if n % 3 == 0:
        Key.from_jwk({**jwks[0], "d": jwks[1]["d"]})
    if n % 3 == 1:
        jws.verify(tokens[n % 2][:-8] + "A" * 8, key)
    Key.from_pem("-----BEGIN PUBLIC KEY-----\\nAAAA\\n-----END PUBLIC KEY-----")
inputs = list(range(6))
"""


@needs_proc
@pytest.mark.soak
@under_a_sanitizer
@pytest.mark.parametrize(
    ("setup", "calls"),
    [(VERIFIES, 500_000), (SIGNS, 100_000), (KEYS, 100_000), (ASYMMETRIC, 3_000)],
    ids=["verify", "sign", "secrets", "keys"],
)
def test_memory_does_not_grow(setup: str, calls: int) -> None:
    setup = setup.replace("from project import SECRET\n", "")
    code = GROWTH.format(
        tests=TESTS, setup="from project import SECRET\n" + setup, calls=calls
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) < 2**20


@needs_proc
@pytest.mark.soak
def test_a_leak_would_be_seen() -> None:
    leak = "kept = []\ncall = lambda n: kept.append(bytes(100))\ninputs = [1]\n"
    code = GROWTH.format(tests=TESTS, setup=leak, calls=100_000)
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert int(run.stdout) > 2**20


def test_threads_get_the_answers_of_one() -> None:
    assert wrong_answers() == []
