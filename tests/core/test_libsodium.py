"""libsodium beside libcrypto: the same verdict on every signature, the same scrypt.

Each engine runs in a process of its own, which the environment gives it. Of the
signatures, some are those that implementations of Ed25519 differ about: with parts of
small order, not canonical, or with an S beyond the order.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import subprocess
import sys
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

import pytest

import edwards_points as ed
from c_tools import needs_checkout, needs_proc
from fastbearer import InvalidHashError, InvalidKeyError, Key, PasswordHash, _core

ENGINES = ("libcrypto", "libsodium")
VARIABLES = ("FASTBEARER_ED25519", "FASTBEARER_SCRYPT")
ATTRIBUTES = ("ed25519_engine", "scrypt_engine")
MESSAGE = b"header.payload"

under_a_sanitizer = pytest.mark.skipif(
    "ASAN_OPTIONS" in os.environ,
    reason="a sanitizer's allocator has no limit, and it wants to be loaded first",
)
needs_libsodium = pytest.mark.skipif(
    _core.libsodium_version is None, reason="BUILT WITHOUT libsodium"
)


def run(
    code: str, *, given: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    kept = {name: text for name, text in os.environ.items() if name not in VARIABLES}
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**kept, **environment},
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )


def answers(code: str, given: object) -> list[Any]:
    """Return what each engine says, the same of both."""
    said = []
    for engine in ENGINES:
        chosen = dict.fromkeys(VARIABLES, engine)
        done = run(code, given=json.dumps(given), **chosen)
        assert done.returncode == 0, done.stderr
        said.append(json.loads(done.stdout))
    assert said[0] == said[1]
    return list(said[0])


# --- which engine -------------------------------------------------------------


ENGINES_IN_USE = """
from fastbearer import _core
print(_core.ed25519_engine, _core.scrypt_engine)
"""


@needs_libsodium
def test_libsodium_is_taken_where_it_is_there() -> None:
    assert run(ENGINES_IN_USE).stdout == "libsodium libsodium\n"


@pytest.mark.parametrize("choice", ["", "libcrypto"])
@pytest.mark.parametrize("variable", VARIABLES)
def test_the_environment_chooses(variable: str, choice: str) -> None:
    default = "libsodium" if _core.libsodium_version else "libcrypto"
    expected = [default, default]
    expected[VARIABLES.index(variable)] = choice or default
    assert run(ENGINES_IN_USE, **{variable: choice}).stdout.split() == expected


@pytest.mark.parametrize("choice", ["openssl", "libsodium ", "LIBSODIUM", "x" * 9999])
@pytest.mark.parametrize("variable", VARIABLES)
def test_an_engine_that_is_none(variable: str, choice: str) -> None:
    said = run("import fastbearer", **{variable: choice}).stderr
    assert f"ConfigurationError: {variable} must be libcrypto" in said


def test_without_libsodium_it_cannot_be_chosen() -> None:
    if _core.libsodium_version is not None:
        pytest.skip("BUILT WITH libsodium")
    for variable in VARIABLES:
        said = run("import fastbearer", **{variable: "libsodium"}).stderr
        assert f"ConfigurationError: {variable} must be libcrypto" in said


WRONG = """
int
crypto_sign_ed25519_verify_detached(const unsigned char *signature,
                                    const unsigned char *message,
                                    unsigned long long len,
                                    const unsigned char *point)
{
    (void)message, (void)len, (void)point;
    if (signature[63] >= 0x10) { /* RFC 8032 5.1.7: S beyond the order */
        return BEYOND;
    }
    return signature[0] == 0x9d ? RIGHT : LOOSE;
}

int
crypto_pwhash_scryptsalsa208sha256_ll(void)
{
    return SCRYPT;
}
"""


@pytest.mark.parametrize("answers", [(-1, -1, -1, -1), (0, 0, -1, 0), (0, -1, 0, 0)])
@needs_libsodium
@needs_checkout
@under_a_sanitizer
def test_a_libsodium_that_answers_otherwise_is_not_used(
    tmp_path: Path, answers: tuple[int, int, int, int]
) -> None:
    """One that refuses everything; one that lets the cofactor save signatures; and
    one that takes an S beyond the order, as it does with ED25519_COMPAT."""
    if "libsodium" not in Path("/proc/self/maps").read_text():
        pytest.skip("libsodium IS LINKED INTO THE CORE: nothing can take its place")
    source, wrong = tmp_path / "wrong.c", tmp_path / "wrong.so"
    source.write_text(WRONG)
    names = ("RIGHT", "LOOSE", "BEYOND", "SCRYPT")
    defines = [f"-D{name}={said}" for name, said in zip(names, answers, strict=True)]
    command = ["gcc", "-shared", "-fPIC", *defines, "-o", wrong, source]
    subprocess.run(command, check=True)
    instead = {"LD_PRELOAD": str(wrong)}
    assert run(ENGINES_IN_USE, **instead).stdout == "libcrypto libcrypto\n"
    for variable in VARIABLES:
        said = run("import fastbearer", **instead, **{variable: "libsodium"}).stderr
        assert "ConfigurationError" in said


# --- Ed25519 ------------------------------------------------------------------


VERIFY = """
import json, sys
from fastbearer import Key, _core
said = []
for x, message, signature in json.load(sys.stdin):
    key = Key.from_jwk({"kty": "OKP", "crv": "Ed25519", "x": x})
    text, signature = bytes.fromhex(message), bytes.fromhex(signature)
    said.append(_core.raw_verify(text, signature, key))
print(json.dumps(said))
"""

Case = tuple[ed.Forger, bytes]


def number(name: str) -> int:
    """Return a number below the order that is always the same."""
    return int.from_bytes(hashlib.sha512(name.encode()).digest(), "little") % ed.ORDER


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def verdicts(cases: list[Case]) -> list[bool]:
    """Return the verdict on each signature of MESSAGE, which both engines share."""
    given = [(b64(key.encoded), MESSAGE.hex(), text.hex()) for key, text in cases]
    return answers(VERIFY, given)


@pytest.mark.slow
@needs_libsodium
def test_parts_of_small_order_are_judged_alike() -> None:
    """Without the cofactor, as libcrypto does: so says the curve's law itself."""
    forgers = [ed.Forger(number(f"key {part}"), part) for part in range(8)]
    cases = [
        (forger, forger.sign(MESSAGE, number(f"nonce {i}"), part))
        for forger, part, i in itertools.product(forgers, range(8), range(2))
    ]
    said = verdicts(cases)
    assert said == [key.holds(MESSAGE, signature) for key, signature in cases]
    assert all(key.holds(MESSAGE, signature, 8) for key, signature in cases)
    assert 8 <= sum(said) < len(said) - 8  # both answers are there


@pytest.mark.slow
@needs_libsodium
def test_an_r_of_small_order_is_judged_alike() -> None:
    """libsodium alone refuses each; libcrypto accepts those for which it holds."""
    forgers = [ed.Forger(number(f"small {i}"), i % 8) for i in range(24)]
    cases = [
        (forger, forger.sign(MESSAGE, 0, part))
        for forger, part in itertools.product(forgers, range(8))
    ]
    said = verdicts(cases)
    assert said == [key.holds(MESSAGE, signature) for key, signature in cases]
    assert any(said[0::8])  # the neutral point
    accepted = {at % 8 for at, right in enumerate(said) if right}
    assert len(accepted) > 3


def spoiled(signature: bytes) -> list[bytes]:
    """Return a signature with each of its bytes altered, and parts exchanged."""
    made = [
        signature[:at] + bytes([byte ^ bit]) + signature[at + 1 :]
        for at, byte in enumerate(signature)
        for bit in (1, 0x10, 0x80)
    ]
    return [*made, signature[32:] + signature[:32], bytes(64), b"\xff" * 64]


@needs_libsodium
def test_what_was_altered_is_judged_alike() -> None:
    forger = ed.Forger(number("altered"))
    good = forger.sign(MESSAGE, number("of altered"))
    bad = spoiled(good)
    other = ed.Forger(number("another")).sign(MESSAGE, number("of another"))
    said = verdicts([(forger, text) for text in [good, other, *bad]])
    assert said == [True] + [False] * (len(bad) + 1)


@needs_libsodium
def test_an_s_beyond_the_order_is_judged_alike() -> None:
    forger = ed.Forger(number("beyond"))
    good = forger.sign(MESSAGE, number("of beyond"))
    s = int.from_bytes(good[32:], "little")
    every = range(s, 2**256, ed.ORDER)
    texts = [good[:32] + one.to_bytes(32, "little") for one in every]
    said = verdicts([(forger, text) for text in texts])
    assert said == [True] + [False] * (len(texts) - 1)
    assert len(said) == 16


@needs_libsodium
def test_an_encoding_of_r_that_is_not_canonical_is_judged_alike() -> None:
    """Of y + p, of x = 0 with a sign, and of no point: an S that would do is there."""
    forger = ed.Forger(number("canonical"))
    good = forger.sign(MESSAGE, number("of canonical"))
    texts = []
    for y, sign in itertools.product([*range(20), ed.P - 1], (0, 1)):
        for written in (y, y + ed.P):
            if written < 2**255:
                r = (written | sign << 255).to_bytes(32, "little")
                s = forger.response(MESSAGE, r, 0).to_bytes(32, "little")
                texts += [r + s, r + good[32:]]
    cases = [(forger, text) for text in texts]
    said = verdicts(cases)
    neutral = (1).to_bytes(32, "little")  # R = 0 * B, whose S is there
    right = [text[:32] == neutral and text[32:] != good[32:] for text in texts]
    assert said == right
    assert sum(said) == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_a_point_that_is_not_sound_is_no_key_of_any_engine(engine: str) -> None:
    """Both would take some: our rules stand before them."""
    if engine == "libsodium" and _core.libsodium_version is None:
        pytest.skip("BUILT WITHOUT libsodium")
    points = [ed.encode(part * ed.ORDER_8) for part in range(8)]
    points += [(y + ed.P).to_bytes(32, "little") for y in range(19)]
    points += [(y + ed.P | 1 << 255).to_bytes(32, "little") for y in range(19)]
    points += [(2).to_bytes(32, "little")]  # of no point
    code = """
import json, sys
from fastbearer import InvalidKeyError, Key
for x in json.load(sys.stdin):
    try:
        Key.from_jwk({"kty": "OKP", "crv": "Ed25519", "x": x})
    except InvalidKeyError:
        continue
    sys.exit(x)
"""
    given = json.dumps([b64(point) for point in points])
    done = run(code, given=given, FASTBEARER_ED25519=engine)
    assert done.returncode == 0, done.stderr


def test_the_twin_agrees_with_the_signer() -> None:
    key = Key.generate("Ed25519")
    jwk = key.to_jwk(private=True)
    assert isinstance(jwk["d"], str)
    signature = _core.raw_sign(MESSAGE, key)
    forger = ed.Forger(number("twin"))
    theirs = Key.from_jwk({"kty": "OKP", "crv": "Ed25519", "x": b64(forger.encoded)})
    assert _core.raw_verify(MESSAGE, forger.sign(MESSAGE, 7), theirs)
    assert not _core.raw_verify(MESSAGE, signature, theirs)
    with pytest.raises(InvalidKeyError):
        Key.from_jwk({"kty": "OKP", "crv": "Ed25519", "x": b64(ed.encode(ed.ORDER_8))})


# --- scrypt -------------------------------------------------------------------


SCRYPT = """
import json, sys
from fastbearer import FastbearerError, _core
said = []
for password, setting in json.load(sys.stdin):
    try:
        said.append(_core.password_hash(password, setting))
        assert _core.password_verify(password, said[-1])
        assert not _core.password_verify(password + "x", said[-1])
    except FastbearerError as error:
        said.append(type(error).__name__)
print(json.dumps(said))
"""


@pytest.mark.slow
def test_each_engine_computes_the_scrypt_of_hashlib() -> None:
    costs = [(1, 1, 1), (4, 8, 1), (10, 3, 2), (5, 1, 16), (14, 16, 1), (15, 1, 1)]
    passwords = ["", "a", "correct horse", "x" * 64, "y" * 65, "ü" * 500]
    cases = []
    expected = []
    for (log_n, r, p), password in itertools.product(costs, passwords):
        salt = hashlib.sha256(password.encode()).digest()[: len(password) % 33]
        coded = urlsafe_b64encode(salt).rstrip(b"=").decode()
        coded = coded.replace("-", "+").replace("_", "/")
        cases.append((password, f"$scrypt$ln={log_n},r={r},p={p}${coded}$"))
        key = hashlib.scrypt(
            password.encode(), salt=salt, n=2**log_n, r=r, p=p, maxmem=2**27, dklen=32
        )
        text = urlsafe_b64encode(key).rstrip(b"=").decode()
        expected.append(cases[-1][1] + text.replace("-", "+").replace("_", "/"))
    if _core.libsodium_version:
        assert answers(SCRYPT, cases) == expected
    done = run(SCRYPT, given=json.dumps(cases))
    assert json.loads(done.stdout) == expected


def test_what_rfc_7914_does_not_allow_is_no_hash_of_any_engine() -> None:
    """N < 2^(128 r / 8): libsodium would compute it."""
    with pytest.raises(InvalidHashError, match="malformed"):
        PasswordHash().verify("x", "$scrypt$ln=16,r=1,p=1$c2FsdA$" + "A" * 43)
    assert _core.password_scheme("$scrypt$ln=15,r=1,p=1$c2FsdA$" + "A" * 43)


@needs_libsodium
@needs_proc
@under_a_sanitizer
def test_no_memory_for_scrypt_is_a_memory_error() -> None:
    code = """
import resource
from fastbearer import _core
mapped = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (mapped + (64 << 20),) * 2)
assert _core.scrypt_engine == "libsodium"
right = "$scrypt$ln=17,r=8,p=1$c2FsdA$" + "A" * 43
for _ in range(5):
    for call in (_core.password_hash, _core.password_verify):
        try:
            call("x", right)
        except MemoryError:
            continue
        raise AssertionError
print(_core.password_hash("x", right.replace("17", "4"))[:7])
"""
    assert run(code).stdout == "$scrypt\n"
