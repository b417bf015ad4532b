"""Sub-interpreters that each have a GIL of their own (PEP 684).

Python 3.12 or later makes them. Where the tests run on an older one, the core is
built for every newer Python that is found; the build is kept in ``build/`` and is
quick when nothing has changed.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from other_pythons import VERSIONS, built_for, environment, newer_pythons
from project import SECRET

IN_THE_MAIN_ONE = f"""
import base64, threading
import fastbearer

# CPython 3.12.1 frees binascii's keywords twice, without any package of ours,
# where a sub-interpreter was the first to call it.
base64.b64encode(b"")

SECRET = {SECRET!r}
KEY = fastbearer.Key.from_secret(SECRET)
TOKEN = fastbearer.Signer(KEY).sign({{"sub": "main", "exp": 4102444800}})
CLAIMS = {{"sub": "main", "exp": 4102444800}}
"""

CREATE = """
try:
    import _interpreters as interpreters
    def create():
        made = interpreters.create("isolated")
        assert interpreters.get_config(made).gil == "own"
        return made
    def run(interpreter, script):
        failure = interpreters.exec(interpreter, script)
        assert failure is None, failure
except ImportError:
    import _xxsubinterpreters as interpreters
    def create():
        made = interpreters.create(isolated=True)
        run(made, OWN_GIL)
        return made
    def run(interpreter, script):
        interpreters.run_string(interpreter, script)

OWN_GIL = '''
import _testinternalcapi
assert _testinternalcapi.get_interp_settings()["own_gil"]
'''
"""

IN_THE_OTHER_ONE = """
import fastbearer
from fastbearer import jws

KEY = fastbearer.Key.from_secret(SECRET, kid="k")
VERIFIER = fastbearer.Verifier(fastbearer.KeySet([KEY]))
FOREIGN = fastbearer.Signer(fastbearer.Key.generate("HS256")).sign({"exp": 4102444800})

assert VERIFIER.verify(TOKEN) == {"sub": "main", "exp": 4102444800}
assert VERIFIER.verify_complete(TOKEN).header == {"alg": "HS256", "typ": "JWT"}
assert VERIFIER.verify(fastbearer.Signer(KEY, lifetime=60).sign({"a": [1]}))["a"] == [1]
assert jws.verify(jws.sign(b"any", KEY), KEY) == b"any"

REFUSED = {
    "": fastbearer.MalformedTokenError,
    FOREIGN: fastbearer.InvalidSignatureError,
    fastbearer.Signer(KEY).sign({"exp": 1}): fastbearer.ExpiredTokenError,
    fastbearer.Signer(KEY).sign({}): fastbearer.MissingClaimError,
    jws.sign(b'{"a":1,"a":2}', KEY): fastbearer.MalformedTokenError,
}
DEEP = {"exp": 4102444800, "o": {"a": [{"b": 1}, {"b": 2}]}, "e": {}}
DEEP_TOKEN = fastbearer.Signer(KEY).sign(DEEP)

for round in range(200):
    claims = VERIFIER.verify(DEEP_TOKEN)
    assert claims == DEEP
    claims["o"]["a"].append(claims)
    for token, error in REFUSED.items():
        try:
            VERIFIER.verify(token)
        except fastbearer.TokenError as caught:
            assert type(caught) is error, (type(caught), error)
        else:
            raise AssertionError(error)
    assert VERIFIER.verify(TOKEN)["sub"] == "main"

for scheme, costs in {
    "argon2id": {"time_cost": 1, "memory_cost": 64, "parallelism": 1},
    "bcrypt": {"rounds": 4},
}.items():
    hasher = fastbearer.PasswordHash(scheme, **costs)
    assert hasher.verify("secret", hasher.hash("secret"))
    assert not hasher.verify("Secret", hasher.hash("secret"))
"""

ONE = f"""
{IN_THE_MAIN_ONE}
{CREATE}
OTHER = create()
run(OTHER, f"SECRET, TOKEN = {{SECRET!r}}, {{TOKEN!r}}\\n" + {IN_THE_OTHER_ONE!r})
assert fastbearer.Verifier(KEY).verify(TOKEN) == CLAIMS
interpreters.destroy(OTHER)
assert fastbearer.Verifier(KEY).verify(TOKEN) == CLAIMS
try:
    fastbearer.Verifier(KEY).verify("")
except fastbearer.MalformedTokenError:
    print("agreed")
"""

IN_SUCCESSION = f"""
{IN_THE_MAIN_ONE}
{CREATE}
for _ in range(8):
    other = create()
    run(other, f"SECRET, TOKEN = {{SECRET!r}}, {{TOKEN!r}}\\n" + {IN_THE_OTHER_ONE!r})
    interpreters.destroy(other)
    assert fastbearer.Verifier(KEY).verify(TOKEN) == CLAIMS
print("agreed")
"""

AT_THE_SAME_TIME = f"""
{IN_THE_MAIN_ONE}
{CREATE}
others = [create() for _ in range(4)]
failures = []

def work(other):
    try:
        run(other,
            f"SECRET, TOKEN = {{SECRET!r}}, {{TOKEN!r}}\\n" + {IN_THE_OTHER_ONE!r})
    except BaseException as failure:
        failures.append(failure)

threads = [threading.Thread(target=work, args=[other]) for other in others]
for thread in threads:
    thread.start()
verifier = fastbearer.Verifier(KEY)
for _ in range(20_000):
    assert verifier.verify(TOKEN) == CLAIMS
for thread in threads:
    thread.join()
for other in others:
    interpreters.destroy(other)
assert not failures, failures
print("agreed")
"""


@pytest.fixture(
    scope="module",
    params=["the newest", pytest.param("every one", marks=pytest.mark.soak)],
)
def pythons(request: pytest.FixtureRequest) -> list[tuple[str, str]]:
    """Return the Pythons that can, with the path where each finds the package."""
    if sys.version_info >= (3, 12):
        return [(sys.executable, os.environ.get("PYTHONPATH", ""))]
    found = newer_pythons()
    if not found:
        pytest.skip(f"no Python of {', '.join(VERSIONS)} with headers was found")
    if request.param == "the newest":
        newest = max(found, key=lambda version: int(version.partition(".")[2]))
        found = {newest: found[newest]}
    return [
        (python, str(built_for(python, version))) for version, python in found.items()
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    "script",
    [ONE, IN_SUCCESSION, AT_THE_SAME_TIME],
    ids=["one", "in succession", "at the same time"],
)
def test_with_a_gil_of_its_own(pythons: list[tuple[str, str]], script: str) -> None:
    for python, path in pythons:
        done = subprocess.run(
            [python, "-X", "dev", "-W", "ignore", "-c", script],
            env=environment(PYTHONPATH=path),
            capture_output=True,
            text=True,
        )
        assert (done.stdout.strip(), done.returncode) == ("agreed", 0), done.stderr


@pytest.mark.slow
def test_the_check_sees_a_failure(pythons: list[tuple[str, str]]) -> None:
    """A script that fails in a sub-interpreter fails the process."""
    script = f"{IN_THE_MAIN_ONE}\n{CREATE}\nrun(create(), 'assert False')"
    for python, path in pythons:
        done = subprocess.run(
            [python, "-W", "ignore", "-c", script],
            env=environment(PYTHONPATH=path),
            capture_output=True,
            text=True,
        )
        assert done.returncode != 0
        assert "AssertionError" in done.stderr
