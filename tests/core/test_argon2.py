"""Argon2 of our own beside libargon2's, through the hashes that they write."""

from __future__ import annotations

import os
import subprocess
import sys

import argon2
import pytest
from argon2.low_level import Type, hash_secret
from hypothesis import given, settings
from hypothesis import strategies as st

from c_tools import needs_proc
from fastbearer import PasswordHash, _core

KINDS = {"argon2id": Type.ID, "argon2i": Type.I, "argon2d": Type.D}
HASHER = PasswordHash("argon2id", time_cost=1, memory_cost=8, parallelism=1)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("version", [0x10, 0x13])
@settings(max_examples=40, deadline=None)
@given(
    password=st.binary(max_size=100),
    salt=st.binary(min_size=8, max_size=40),
    time_cost=st.integers(1, 4),
    lanes=st.integers(1, 6),
    blocks=st.integers(8, 80),
    size=st.integers(4, 100),
    threads=st.integers(0, 8),
)
def test_libargon2_agrees(
    kind: str,
    version: int,
    password: bytes,
    salt: bytes,
    time_cost: int,
    lanes: int,
    blocks: int,
    size: int,
    threads: int,
) -> None:
    theirs = hash_secret(
        password, salt, time_cost, blocks * lanes, lanes, size, KINDS[kind], version
    )
    assert theirs.startswith(f"${kind}$v={version}$".encode())
    assert _core.password_verify(password, theirs, threads)
    assert _core.password_hash(password, theirs, threads) == theirs.decode()
    assert not _core.password_verify(password + b"x", theirs, threads)
    assert _core.password_scheme(theirs) == kind
    assert HASHER.needs_rehash(theirs)


def test_without_a_version_it_is_the_first() -> None:
    old = hash_secret(b"x", b"a salt of 16 by.", 2, 64, 2, 32, Type.I, 0x10).decode()
    for stored in (old, old.replace("v=16$", "")):
        assert HASHER.verify("x", stored)
        assert not HASHER.verify("y", stored)
        right, newer = HASHER.verify_and_update("x", stored)
        assert right
        assert newer is not None
        assert newer.startswith("$argon2id$v=19$")


def test_what_it_makes_argon2_cffi_verifies() -> None:
    hasher = PasswordHash("argon2id", time_cost=2, memory_cost=256, parallelism=3)
    stored = hasher.hash("correct horse battery")
    assert argon2.PasswordHasher().verify(stored, "correct horse battery")


def run(choice: str, code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "FASTBEARER_ARGON2": choice},
        capture_output=True,
        text=True,
    )


ENGINES = ["portable", "avx2", "avx512", "neon", "libargon2"]


def skip_where_it_is_not(engine: str, result: subprocess.CompletedProcess[str]) -> None:
    if engine not in ("", "portable") and "what this CPU can do" in result.stderr:
        lacking = "BUILT WITHOUT" if engine == "libargon2" else "THIS CPU HAS NO"
        pytest.skip(f"{lacking} {engine}")


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_makes_the_same_hash(engine: str) -> None:
    setting = "$argon2id$v=19$m=2048,t=2,p=3$YSBzYWx0IG9mIDE2IGJ5Lg"
    code = f"""
from fastbearer import _core
print(_core.argon2_engine)
for threads in (1, 2, 8):
    print(_core.password_hash("x", {setting!r}, threads))
"""
    result = run(engine, code)
    skip_where_it_is_not(engine, result)
    expected = hash_secret(b"x", b"a salt of 16 by.", 2, 2048, 3, 32, Type.ID).decode()
    assert result.stdout.split() == [engine, expected, expected, expected]


WITHOUT_THREADS = """
import os, resource, threading
from fastbearer import PasswordHash
hasher = PasswordHash("argon2id", time_cost=1, memory_cost=64, parallelism=4)
made = hasher.hash("a password")
if os.getuid() == 0:
    os.setuid(65534)  # no limit holds root
resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
try:
    threading.Thread(target=int).start()
except RuntimeError:
    assert hasher.verify("a password", made)
    assert not hasher.verify("another", made)
else:
    raise SystemExit("THIS SYSTEM KEEPS NO LIMIT OF THREADS")
"""


@pytest.mark.parametrize("engine", ENGINES)
def test_where_no_thread_can_be_made_one_does_it(engine: str) -> None:
    result = run(engine, WITHOUT_THREADS)
    skip_where_it_is_not(engine, result)
    if "KEEPS NO LIMIT" in result.stderr:
        pytest.skip(result.stderr.strip())
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("engine", ["", *ENGINES])
def test_the_engine_of_the_environment(engine: str) -> None:
    result = run(engine, "from fastbearer import _core; print(_core.argon2_engine)")
    skip_where_it_is_not(engine, result)
    assert result.stdout.strip() == engine or _core.argon2_engine


@pytest.mark.parametrize("engine", ["sse2", "AVX2", "libargon2 ", "x" * 9999])
def test_an_engine_that_is_none(engine: str) -> None:
    result = run(engine, "import fastbearer")
    assert "ConfigurationError: FASTBEARER_ARGON2 must be" in result.stderr


MEMORY = """
import os, resource, sys, threading
from fastbearer import _core
setting = "$argon2id$v=19$m=32768,t=1,p=1$YSBzYWx0IG9mIDE2IGJ5Lg"
cores = len(os.sched_getaffinity(0))

def rss():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize() >> 20

before = rss()
def work():
    for _ in range(3):
        _core.password_hash("x", setting)

threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
idle = rss() - before
assert idle <= cores * 34, idle
left = _core.password_rest(3600)
assert 1 <= left <= cores, left
assert _core.password_rest(0) == 0
assert rss() - before <= 4, rss() - before
print("given back")
"""


@needs_proc
def test_idle_memory_is_bounded_and_given_back() -> None:
    result = subprocess.run(
        [sys.executable, "-c", MEMORY], capture_output=True, text=True
    )
    assert result.stdout == "given back\n", result.stderr


under_a_sanitizer = pytest.mark.skipif(
    "ASAN_OPTIONS" in os.environ,
    reason="a sanitizer's allocator survives no fork of threads, and has no limit",
)


@under_a_sanitizer
def test_a_fork_while_others_hash() -> None:
    code = """
import os, threading
from fastbearer import _core
setting = "$argon2id$v=19$m=512,t=1,p=2$YSBzYWx0IG9mIDE2IGJ5Lg"
expected = _core.password_hash("x", setting)
stop = threading.Event()
def work():
    while not stop.is_set():
        assert _core.password_hash("x", setting) == expected
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
for _ in range(20):
    child = os.fork()
    if child == 0:
        os._exit(0 if _core.password_hash("x", setting) == expected else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
stop.set()
for thread in threads: thread.join()
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)


@needs_proc
@under_a_sanitizer
def test_no_memory_is_a_memory_error() -> None:
    code = """
import resource
from fastbearer import _core
# What a Python without the GIL has mapped when it starts is more than a gigabyte.
mapped = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (mapped + (1 << 30),) * 2)
setting = "$argon2id$v=19$m=2000000,t=1,p=1$YSBzYWx0IG9mIDE2IGJ5Lg"
for _ in range(5):
    try:
        _core.password_hash("x", setting)
    except MemoryError:
        continue
    raise AssertionError
print(_core.password_hash("x", setting.replace("2000000", "64"))[:9])
"""
    command = [sys.executable, "-c", code]
    assert subprocess.check_output(command, text=True) == "$argon2id\n"
