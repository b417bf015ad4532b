"""What threads do at once that nothing keeps apart, and how a case of it is run.

Each run is a process of its own, so that a crash is a failure, and has an allocator
that overwrites what is freed, so that a use of it is a crash.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from other_pythons import environment

KIT = Path(__file__).parent

SETUP = """
import faulthandler, gc, os, random, sys, threading
faulthandler.enable()
from fastbearer import *
from fastbearer import _core

key = Key.from_secret("0123456789abcdef0123456789abcdef")
signer, verifier = Signer(key), Verifier(key, require=())

SHARE = int(os.environ.get("SHARE", "1"))

def at_once(*works, times=1):
    failed = []
    times = -(-times // SHARE)
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
    "names that a signer meets for the first time": """
names = [sys.intern("n%d" % n) for n in range(200)]
fresh = [Signer(key) for _ in range(200)]
def sign(n):
    name = names[n % 7 * 29 % 200]
    text = fresh[n % 200].sign({name: {names[n % 200]: n}})
    assert verifier.verify(text) == {name: {names[n % 200]: n}}
at_once(*[sign] * 8, times=4_000)
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
    "claims of other kinds of dicts": """
import collections
class Own(dict):
    pass
ordered = collections.OrderedDict(a=1, b=[2])
claims = {"o": ordered, "d": collections.defaultdict(list), "s": Own(x=1), "l": ()}
def sign(n):
    verifier.verify(signer.sign(claims))
    verifier.verify(signer.sign(ordered))
    verifier.verify(signer.sign({}, headers=ordered))
def change(n):
    ordered["c%d" % (n % 9)] = ["v" * (n % 30)]
    ordered.pop("c%d" % ((n + 4) % 9), None)
    claims["d"]["k%d" % (n % 9)].append(str(n))
    claims["s"] = Own({"y" * (1 + n % 20): (n, str(n))})
    claims["l"] = (ordered, [str(n)])
    if n % 100 == 0:
        claims["d"].clear()
at_once(*[sign] * 4, *[change] * 4, times=4_000)
""",
    "claims that cannot be signed": """
claims = {"a": 1}
def sign(n):
    try:
        signer.sign(claims)
    except (TypeError, ValueError):
        pass
def change(n):
    class Other:
        pass
    claims["k" * 9 + str(n % 5)] = [{"v" * 20 + str(n): Other()}]
    claims["e"] = {"x" * 20 + str(n): 10 ** 5000, 5: "\\ud800"}
    claims["f"] = [[float("nan")] for _ in range(3)]
    claims.pop("k" * 9 + str((n + 2) % 5), None)
at_once(*[sign] * 4, *[change] * 4, times=4_000)
""",
    "members of a session that others change": """
session = {"expiresAt": "2026-11-22T06:46:51.909Z", "token": "t" * 32, "userId": "u"}
user = {"id": "u"}
def read(n):
    _core.session_misfit(session, user, True)
def change(n):
    for i in range(20):
        session["m" * 9 + str(n) + str(i)] = user["m" * 9 + str(i)] = str(n) * 9
    session["userAgent"] = user["name"] = "v" * (n % 50)
    for one in (session, user):
        for name in list(one):
            if name[0] == "m":
                one.pop(name, None)
at_once(*[read] * 6, *[change] * 2, times=20_000)
""",
    "options that others change": """
names, keys = ["a", "b"], [key, key]
def make(n):
    try:
        made = Verifier(keys, issuer=names, audience=names, require=names, typ=names)
        made = Signer(key, audience=names)
        Verifier(KeySet(keys), algorithms=["HS256"])
    except (ConfigurationError, TypeError):
        pass
def change(n):
    names[0] = "n" * (1 + n % 30)
    names.append("m" * (n % 30))
    keys.append(Key.from_secret("0123456789abcdef0123456789abcdef" + str(n)))
    if n % 9 == 0:
        del names[1:], keys[1:]
at_once(*[make] * 4, *[change] * 4, times=4_000)
""",
    "secrets of sessions in many hands": """
secret = _core.SessionSecret("s" * 32)
token = "aB3" * 10 + "xy"
signed, sealed = secret.sign_token(token), secret.seal(b'{"a":{"b":[1]}}')
def use(n):
    assert secret.read_token(signed) == token
    assert secret.sign_token(token) == signed
    assert secret.open(sealed) == {"a": {"b": [1]}}
    assert secret.open(secret.seal(b'{"n":%d}' % n)) == {"n": n}
    try:
        secret.open(sealed[:-2] + "AA")
    except TokenError:
        pass
at_once(*[use] * 8, times=400)
""",
    "what is collected meanwhile": """
def make(n):
    held = []
    one = Verifier(key, require=(), cache=3, clock=lambda: len(held) + n)
    two = Signer(key, lifetime=9, clock=lambda: len(held) + n)
    held += [one, two, held]
    assert one.verify(two.sign({"n": n}))["n"] == n
def collect(n):
    gc.collect()
    gc.get_referents(*gc.get_objects()[-50:])
at_once(*[make] * 6, *[collect] * 2, times=150)
""",
    "shapes that are learned at once": """
claims = [{"n%d" % (n % 5): n, "o": {"x%d" % (n % 3): [{"id": n}]}} for n in range(30)]
tokens = [signer.sign(one) for one in claims]
box = [verifier]
def verify(n):
    one = box[0]
    for token, expected in zip(tokens, claims):
        read = one.verify(token)
        assert read == expected, (read, expected)
        read["o"].clear()
        read.clear()
def renew(n):
    box[0] = Verifier(key, require=())
at_once(*[verify] * 6, renew, times=2_000)
""",
    "a verifier in many hands": """
import many_threads
assert many_threads.wrong_answers(-(-300 // SHARE)) == []
""",
}


def run_case(
    python: str, package: Path, case: str, *, share: int = 1, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run a case with the package that was built for that Python.

    Args:
        python: Its executable.
        package: The folder that `built_for` returns.
        case: A name of CASES.
        share: Every thread does this part of its work: 10 stands for a tenth.
        more: Variables of the environment.
    """
    path = os.pathsep.join(map(str, (package, KIT)))
    more = {"PYTHONMALLOC": "debug", "SHARE": str(share)} | more
    return subprocess.run(
        [python, "-c", SETUP + CASES[case]],
        capture_output=True,
        text=True,
        check=False,
        env=environment(PYTHONPATH=path, **more),
    )
