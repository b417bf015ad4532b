"""Password hashes: making, verifying, renewing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastbearer import (
    ConfigurationError,
    InvalidHashError,
    PasswordError,
    PasswordHash,
    PasswordTooLongError,
    hash_password,
    verify_password,
)
from project import VECTORS

CHEAP = PasswordHash("argon2id", time_cost=1, memory_cost=8, parallelism=1)
BCRYPT = PasswordHash("bcrypt", rounds=4)
PASSWORDS = VECTORS / "passwords"
needs_vectors = pytest.mark.skipif(
    not PASSWORDS.exists(), reason=f"no vectors at {PASSWORDS}"
)


@pytest.mark.parametrize("hasher", [CHEAP, BCRYPT], ids=["argon2id", "bcrypt"])
def test_a_round(hasher: PasswordHash) -> None:
    for password in (
        "",
        "x",
        "correct horse",
        "pässwörd 😀",
        b"\xff\xfe bytes",
        "y" * 72,
    ):
        stored = hasher.hash(password)
        assert hasher.verify(password, stored)
        assert hasher.verify(password, stored.encode())
        assert CHEAP.verify(password, stored)  # any hasher verifies any format
        assert not hasher.verify(b"z", stored)
        assert hasher.hash(password) != stored  # a fresh salt
        assert not hasher.needs_rehash(stored)
        assert hasher.verify_and_update(password, stored) == (True, None)
        assert hasher.verify_and_update("wrong", stored) == (False, None)


def test_the_default_is_the_second_recommendation_of_rfc_9106() -> None:
    stored = hash_password("secret")
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert len(stored.split("$")[4]) == 22
    assert verify_password("secret", stored)
    assert not verify_password("Secret", stored)
    assert not PasswordHash.recommended().needs_rehash(stored)
    assert PasswordHash().needs_rehash(CHEAP.hash("x"))


def test_the_environment_chooses_the_scheme() -> None:
    code = "import fastbearer; print(fastbearer.hash_password('x'))"
    for scheme, start in (("bcrypt", "$2b$12$"), ("", "$argon2id$")):
        made = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PASSWORD_SCHEME": scheme},
            capture_output=True,
            text=True,
            check=True,
        )
        assert made.stdout.startswith(start)


def test_upgrades() -> None:
    for old in (BCRYPT.hash("x"), PasswordHash("bcrypt", rounds=5).hash("x")):
        right, newer = CHEAP.verify_and_update("x", old)
        assert right
        assert newer is not None
        assert newer.startswith("$argon2id$v=19$m=8,")
    stronger = PasswordHash("argon2id", time_cost=2, memory_cost=8, parallelism=1)
    assert stronger.needs_rehash(CHEAP.hash("x"))
    assert CHEAP.needs_rehash(stronger.hash("x"))


def test_a_longer_salt_does_not_make_up_for_a_shorter_digest() -> None:
    for salt, digest in ((58, 7), (59, 6)):
        stored = f"$argon2id$v=19$m=8,t=1,p=1${'A' * salt}${'A' * digest}"
        assert len(stored) == len(CHEAP.hash("x"))
        assert CHEAP.needs_rehash(stored)


def test_passwords_that_cannot_be_hashed() -> None:
    assert CHEAP.hash("x" * 4096)
    assert CHEAP.verify("a\0b", CHEAP.hash("a\0b"))
    for hasher, password, error in (
        (CHEAP, "x" * 4097, PasswordTooLongError),
        (CHEAP, "é" * 2049, PasswordTooLongError),
        (CHEAP, "a\ud800", PasswordError),
        (BCRYPT, "x" * 73, PasswordTooLongError),
        (BCRYPT, "é" * 37, PasswordTooLongError),
        (BCRYPT, "a\0b", PasswordError),
        (BCRYPT, b"\0", PasswordError),
    ):
        with pytest.raises(error) as caught:
            hasher.hash(password)
        assert str(password) not in repr(caught.value)
    for stored in (CHEAP.hash(""), BCRYPT.hash(""), CHEAP.hash("x" * 4096)):
        for password in ("x" * 4097, "a\ud800", "\ud800"):
            assert CHEAP.verify(password, stored) is False
    for wrong in (None, 5, bytearray(b"x")):
        with pytest.raises(TypeError):
            CHEAP.hash(wrong)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            CHEAP.verify("x", wrong)  # type: ignore[arg-type]


def test_bcrypt_compares_72_bytes_and_no_nul() -> None:
    stored = BCRYPT.hash("x" * 72)
    assert BCRYPT.verify("x" * 72 + "anything", stored)
    assert not BCRYPT.verify("x" * 71, stored)
    assert not BCRYPT.verify("a\0", BCRYPT.hash("a"))
    assert not BCRYPT.verify("\0", BCRYPT.hash(""))


GOOD = (
    "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)
GOOD_BCRYPT = "$2b$04$abcdefghijklmnopqrstuuAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
MALFORMED = [
    "",
    "x",
    "$",
    "plain text",
    "$argon2id$",
    "$argon2id$v=19$",
    "$2b$",
    "$5$salt$x",
    GOOD.replace("19", "019"),
    GOOD.replace("m=8,t=1,p=1", "t=1,m=8,p=1"),
    GOOD.replace("m=8", "m=08"),
    GOOD.replace("m=8", "m=+8"),
    GOOD.replace("m=8", "m=-8"),
    GOOD.replace("m=8", "m="),
    GOOD.replace("m=8", "m=7"),
    GOOD.replace("t=1", "t=0"),
    GOOD.replace("p=1", "p=0"),
    GOOD.replace("p=1", "p=2"),
    GOOD.replace("p=1", "p=1,q=5"),
    GOOD.replace("c29tZXNhbHQ", "c29tZQ"),
    GOOD.replace("c29tZXNhbHQ", "c29tZXNhbHR"),
    GOOD.replace("c29tZXNhbHQ", "c29tZXNhbHQ="),
    GOOD.replace("c29tZXNhbHQ", "c29t-XNhbHQ"),
    GOOD.replace("c29tZXNhbHQ", "A" * 200),
    GOOD + "=",
    GOOD + "$",
    GOOD + "B" * 300,
    GOOD[:-1] + "B",
    GOOD[:-43],
    GOOD[:-44],
    GOOD[:-40] + " " * 40,
    " " + GOOD,
    GOOD + "\n",
    GOOD.replace("argon2id", "argon2x"),
    GOOD.replace("8", "8" * 30),
    GOOD + "\0",
    GOOD + "é",
    GOOD_BCRYPT[:-1],
    GOOD_BCRYPT + "A",
    GOOD_BCRYPT.replace("04", "03"),
    GOOD_BCRYPT.replace("04", "32"),
    GOOD_BCRYPT.replace("04", "4$"),
    GOOD_BCRYPT.replace("$2b$", "$2c$"),
    GOOD_BCRYPT.replace("u", "!"),
    GOOD_BCRYPT[:29],
    GOOD_BCRYPT[:-5] + "\0" * 5,
    GOOD_BCRYPT[:-1] + "é",
]


@pytest.mark.parametrize("stored", MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_hashes(stored: str) -> None:
    for call in (
        lambda: CHEAP.verify("x", stored),
        lambda: CHEAP.verify("x", stored.encode()),
        lambda: CHEAP.needs_rehash(stored),
        lambda: CHEAP.verify_and_update("x", stored),
    ):
        with pytest.raises(InvalidHashError):
            call()


def test_the_good_ones_are_good() -> None:
    assert CHEAP.verify("x", GOOD) is False
    assert CHEAP.verify("x", GOOD_BCRYPT) is False


@pytest.mark.parametrize(
    "bomb",
    [
        GOOD.replace("m=8", "m=2097153"),
        GOOD.replace("m=8", "m=999999999"),
        GOOD.replace("t=1", "t=2000000"),
        GOOD.replace("m=8,t=1", "m=2097152,t=5"),
        GOOD.replace("m=8,t=1,p=1", "m=1024,t=1,p=65"),
        GOOD_BCRYPT.replace("04", "17"),
        GOOD_BCRYPT.replace("04", "31"),
    ],
)
def test_a_stored_hash_does_not_choose_any_cost(bomb: str) -> None:
    with pytest.raises(InvalidHashError, match="memory or time"):
        CHEAP.verify("x", bomb)


@given(st.text() | st.binary())
@settings(max_examples=200)
def test_no_text_is_a_hash_by_accident(stored: Any) -> None:
    with pytest.raises(InvalidHashError):
        CHEAP.verify("x", stored)


@pytest.mark.parametrize(
    "options",
    [
        {"scheme": "md5"},
        {"time_cost": 0},
        {"memory_cost": 7, "parallelism": 1},
        {"memory_cost": 10**9},
        {"parallelism": 0},
        {"parallelism": 100, "memory_cost": 10**4},
        {"scheme": "bcrypt", "rounds": 3},
        {"scheme": "bcrypt", "rounds": 17},
        {"scheme": "bcrypt", "rounds": 100},
        {"time_cost": "1"},
        {"memory_cost": 8.5},
    ],
    ids=repr,
)
def test_costs_out_of_range(options: dict[str, Any]) -> None:
    with pytest.raises((ConfigurationError, TypeError)):
        PasswordHash(**options)


@needs_vectors
def test_the_bcrypt_vectors() -> None:
    vectors = json.loads((PASSWORDS / "bcrypt.json").read_text())["openwall"]
    tried = 0
    for vector in vectors:
        password = bytes.fromhex(vector["password_hex"])
        stored = vector.get("hash") or ""
        if not stored.startswith(("$2a$", "$2b$", "$2y$")) or b"\0" in password:
            continue
        assert BCRYPT.verify(password, stored), vector
        assert not BCRYPT.verify(b"!" + password, stored)
        tried += 1
    assert tried > 10


def argon2id_vectors() -> list[Any]:
    if not PASSWORDS.exists():
        return []
    groups = json.loads((PASSWORDS / "argon2.json").read_text())
    return [
        vector
        for group in ("phc_test_c", "passlib_known_correct", "libsodium_str")
        for vector in groups[group]
        if vector.get("encoded", "").startswith("$argon2id$v=19$")
        and vector.get("m_kib", 0) <= 65536
    ]


@needs_vectors
@pytest.mark.parametrize("vector", argon2id_vectors(), ids=lambda v: v["encoded"][:45])
def test_the_argon2id_vectors(vector: dict[str, Any]) -> None:
    hexadecimal = vector.get("password_hex")
    password = vector["password"] if hexadecimal is None else bytes.fromhex(hexadecimal)
    verdict = vector.get("libargon2_result", "match")
    if verdict.startswith("reject"):
        with pytest.raises(InvalidHashError):
            CHEAP.verify(password, vector["encoded"])
    else:
        assert CHEAP.verify(password, vector["encoded"]) is (verdict == "match")


def test_the_gil_is_free_while_hashing() -> None:
    done = threading.Event()

    def work() -> None:
        PasswordHash("argon2id", time_cost=8).hash("x")
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    steps = 0
    while not done.is_set():
        steps += 1
    thread.join()
    assert steps > 1000
