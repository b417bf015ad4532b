"""The core in threads that nothing keeps apart: a Python without the GIL.

Each case runs in a process of its own, so that a crash is a failure, and with
an allocator that overwrites what is freed, so that a use of it is a crash.
"""

from __future__ import annotations

import subprocess

import pytest

from other_pythons import built_for, environment, free_threaded

SETUP = """
import faulthandler, gc, random, sys, threading
faulthandler.enable()
from fastbearer import *
from fastbearer import _core

key = Key.from_secret("0123456789abcdef0123456789abcdef")
signer, verifier = Signer(key), Verifier(key, require=())

def at_once(*works, times=1):
    failed = []
    start = threading.Barrier(len(works))
    def run(work):
        try:
            start.wait()
            for n in range(times):
                work(n)
        except BaseException as error:
            failed.append(error)
    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for error in failed:
        raise error

assert not sys._is_gil_enabled(), "the core asked for the GIL"
"""

CASES = {
    "claims that others replace": """
claims = {"a": {}, "l": []}
def sign(n):
    verifier.verify(signer.sign(claims))
def change(n):
    claims["a"] = {"k" * 9 + str(n): ["v" * 20 + str(n)]}
    claims["l"] = [str(n) * 9, {"x": [n]}]
    claims["z%d" % (n % 7)] = "q" * (n % 100)
    claims.pop("z%d" % ((n + 3) % 7), None)
at_once(*[sign] * 4, *[change] * 4, times=20_000)
""",
    "claims within claims that others change": """
inner = {}
array = [inner, [inner]]
claims = {"l": array, "i": inner}
def sign(n):
    verifier.verify(signer.sign(claims))
def change(n):
    array[0] = {str(n): "x" * 30}
    array[1] = [{"y": str(n)}]
    array.append({"q": n})
    array.pop()
    claims["i"] = {"n": [n] * 5}
    for i in range(5):
        inner[str(i)] = ["v" + str(n)]
    inner.clear()
at_once(*[sign] * 4, *[change] * 4, times=10_000)
""",
    "a list that is sorted while it is signed": """
claims = {"a": 1, "l": [], "z": 2}
def sign(n):
    try:
        signer.sign(claims)
    except ValueError:
        pass
def sort(n):
    claims["l"].sort(key=lambda one: random.random())
def replace(n):
    claims["l"] = [str(i) * 5 for i in range(1_000)]
at_once(sign, sign, sort, sort, replace, times=2_000)
""",
    "a dict that is long held while it is signed": """
big = {str(n): n for n in range(60_000)}
claims = {"a": 1, "i": None, "z": 2}
def sign(n):
    try:
        signer.sign(claims)
    except ValueError:
        pass
def hold(n):
    held = {"k": ["v" * 40]}
    claims["i"] = held
    held.update(big)
    held.clear()
def take(n):
    claims["i"] = [n]
at_once(sign, sign, hold, take, take, times=400)
""",
    "headers of a token that others change": """
members = {"x": {"a": []}}
def sign(n):
    verifier.verify_complete(signer.sign({}, headers=members))
def change(n):
    members["x"] = {"b" * 9: [str(n)]}
    members["y%d" % (n % 5)] = "v" * (n % 99)
    members.pop("y%d" % ((n + 2) % 5), None)
at_once(*[sign] * 4, *[change] * 4, times=20_000)
""",
    "headers of a request that others change": """
headers = [(b"authorization", b"Bearer abc"), [b"cookie", b"ba.a=1"]]
def read(n):
    for call, name in ((_core.bearer_token, b"authorization"),
                       (_core.cookie_values, b"ba.")):
        try:
            call(headers, name)
        except (TypeError, ValueError):
            pass
def change(n):
    headers[0] = (b"authorization", b"Bearer " + b"x" * (n % 50))
    headers.append((b"cookie", b"ba.b=" + b"y" * (n % 40)))
    headers[1] = [b"cookie", b"ba.c=" + b"z" * (n % 30)]
    headers[1][1] = b"ba.d=" + b"w" * (n % 30)
    headers.pop()
at_once(*[read] * 4, *[change] * 4, times=100_000)
""",
    "a JWK that others change": """
ops = ["verify"]
jwk = {"kty": "oct", "k": "A" * 43, "key_ops": ops, "kid": "k"}
def read(n):
    try:
        Key.from_jwk(jwk).kid
    except InvalidKeyError:
        pass
def change(n):
    ops.append("o" * 5 + str(n))
    ops[0] = "verif" + "y" * (1 + n % 2)
    jwk["kid"] = "k" * (1 + n % 20)
    jwk["k"] = "A" * (42 + n % 2)
    if len(ops) > 6:
        del ops[1:]
at_once(*[read] * 4, *[change] * 4, times=40_000)
""",
    "the bound of a cache": """
small = Verifier(key, require=(), cache=4)
tokens = [signer.sign({"n": n}) for n in range(4_000)]
def verify(n):
    small.verify(tokens[int(random.random() * len(tokens))])
at_once(*[verify] * 8, times=10_000)
known, = [one for one in gc.get_referents(small) if type(one) is set]
assert len(known) <= 4, len(known)
""",
    "what a cache holds is let go": """
small = Verifier(key, require=(), cache=1)
tokens = [signer.sign({"n": n}) for n in range(64)]
before = [sys.getrefcount(token) for token in tokens]
def verify(n):
    small.verify(tokens[int(random.random() * 64)])
at_once(*[verify] * 8, times=10_000)
del small
gc.collect()
assert [sys.getrefcount(token) for token in tokens] == before
""",
    "one key in many hands": """
keys = [Key.generate(name, kid=name) for name in ("ES256", "EdDSA", "RS256", "HS256")]
every = Verifier(KeySet(keys), require=(), cache=8)
tokens = [Signer(one).sign({"x": [1, {"y": "z"}]}) for one in keys]
def use(n):
    for token in tokens:
        assert every.verify(token) == {"x": [1, {"y": "z"}]}
        try:
            every.verify(token[:-9] + "AAAAAAAAA")
        except TokenError:
            continue
        raise AssertionError(token)
    again = Key.from_jwk(keys[0].to_jwk(private=True))
    assert again.thumbprint() == keys[0].thumbprint()
    again = Key.from_pem(keys[2].to_pem())
    assert again.thumbprint() == keys[2].thumbprint()
    assert every.verify(Signer(keys[1]).sign({"n": n})) == {"n": n}
at_once(*[use] * 8, times=60)
""",
    "memory of password hashes": """
settings = [f"$argon2id$v=19$m={m},t=1,p=2$AAAAAAAAAAAAAAAAAAAAAA" for m in (64, 256)]
hashes = [_core.password_hash("pw", setting) for setting in settings]
def verify(n):
    assert _core.password_verify("pw", hashes[n % 2], 2)
    if n % 10 == 0:
        _core.password_rest(0)
at_once(*[verify] * 6, times=200)
""",
}


@pytest.mark.parametrize("case", CASES)
def test_threads_that_nothing_keeps_apart(case: str) -> None:
    python = free_threaded()
    if python is None:
        pytest.skip("NO FREE-THREADED PYTHON FOUND (python3.13t or later)")
    path = str(built_for(python, "free-threaded"))
    run = subprocess.run(
        [python, "-c", SETUP + CASES[case]],
        capture_output=True,
        text=True,
        check=False,
        env=environment(PYTHONPATH=path, PYTHONMALLOC="debug"),
    )
    assert run.returncode == 0, run.stderr
