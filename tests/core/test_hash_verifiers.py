"""Formats that a project knows and the core does not."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import bcrypt
import pytest

from fastbearer import (
    ConfigurationError,
    InvalidHashError,
    PasswordError,
    PasswordHash,
    PasswordTooLongError,
)
from fastbearer.hash_verifiers import DeviseBcrypt, FirebaseScrypt
from waiting import HANG

PASSWORD = "correct horse battery"
CHEAP = {"time_cost": 1, "memory_cost": 8, "parallelism": 1}
PLAIN = PasswordHash("argon2id", **CHEAP)


def hex_md5(password: str) -> str:
    return hashlib.md5(password.encode()).hexdigest()


class HexMd5:
    """The bare MD5 of a forum of 2003."""

    name = "hex-md5"

    def __init__(self) -> None:
        self.threads: set[str] = set()

    def identify(self, hash: str) -> bool:
        return len(hash) == 32 and hash.isalnum()

    def verify(self, password: bytes, hash: str) -> bool:
        self.threads.add(threading.current_thread().name)
        return hashlib.md5(password).hexdigest() == hash


def hasher_with(*verifiers: Any, **options: Any) -> PasswordHash:
    return PasswordHash("argon2id", **CHEAP, verifiers=verifiers, **options)


@pytest.mark.parametrize("password", [PASSWORD, "\u00e9\u20ac", "", "\0"])
def test_a_format_of_ones_own(password: str) -> None:
    hasher, stored = hasher_with(HexMd5()), hex_md5(password)
    for form in (stored, stored.encode()):
        assert hasher.verify(password, form)
        assert hasher.verify(password.encode(), form)
        assert not hasher.verify(password + "x", form)
        assert hasher.identify(form) == "hex-md5"
        assert hasher.needs_rehash(form)
    right, newer = hasher.verify_and_update(password, stored)
    assert right
    assert newer is not None
    assert PLAIN.verify(password, newer)
    assert hasher.verify_and_update(password + "x", stored) == (False, None)
    with pytest.raises(InvalidHashError):
        PLAIN.verify(password, stored)


def test_formats_of_the_core_are_what_they_were() -> None:
    hasher = hasher_with(HexMd5())
    stored = hasher.hash(PASSWORD)
    assert hasher.verify(PASSWORD, stored)
    assert hasher.identify(stored) == "argon2id"
    assert not hasher.needs_rehash(stored)
    with pytest.raises(InvalidHashError, match="not a hash"):
        hasher.verify(PASSWORD, "neither")


def test_the_work_is_the_pools() -> None:
    verifier = HexMd5()
    hasher, stored = hasher_with(verifier), hex_md5(PASSWORD)

    async def ask() -> None:
        assert await hasher.averify(PASSWORD, stored)
        assert not await hasher.averify("wrong", stored)
        right, newer = await hasher.averify_and_update(PASSWORD, stored)
        assert right
        assert newer is not None

    asyncio.run(ask())
    assert threading.current_thread().name not in verifier.threads
    assert verifier.threads


def test_the_first_that_takes_a_hash_is_asked() -> None:
    """Also before the core, whose formats a project may have used otherwise."""

    class Mine(HexMd5):
        def verify(self, password: bytes, hash: str) -> bool:
            return password == b"mine"

    class Bcrypt(Mine):
        def identify(self, hash: str) -> bool:
            return hash.startswith("$2b$")

    stored = PasswordHash("bcrypt", rounds=4).hash(PASSWORD)
    assert hasher_with(Mine(), HexMd5()).verify("mine", hex_md5(PASSWORD))
    assert not hasher_with(HexMd5(), Mine()).verify("mine", hex_md5(PASSWORD))
    assert hasher_with(Bcrypt()).verify("mine", stored)
    assert not hasher_with(Bcrypt()).verify(PASSWORD, stored)


def test_a_peppered_hash_is_the_cores() -> None:
    class Greedy(HexMd5):
        def identify(self, hash: str) -> bool:
            return True

        def verify(self, password: bytes, hash: str) -> bool:
            raise AssertionError("asked about a hash that is not its own")

    hasher = hasher_with(Greedy(), pepper={"1": b"1" * 32})
    stored = hasher.hash(PASSWORD)
    assert hasher.verify(PASSWORD, stored)
    assert hasher.identify(stored) == "argon2id"
    assert not hasher.needs_rehash(stored)


def test_a_name_is_that_of_the_class_where_none_is_given() -> None:
    class Forum(HexMd5):
        name = None  # type: ignore[assignment]

    assert hasher_with(Forum()).identify(hex_md5("x")) == "Forum"


# --- what goes wrong

SECRET = "hunter2 of ada"


class Broken(HexMd5):
    def __init__(self, does: Callable[[], Any]) -> None:
        super().__init__()
        self.does = does

    def verify(self, password: bytes, hash: str) -> bool:
        return bool(self.does()) if self.does is raising else self.does()


def raising() -> Any:
    raise ValueError(f"cannot digest {SECRET}")


async def later() -> bool:
    return True


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("does", "told"),
    [
        (raising, "the verifier hex-md5 failed: ValueError"),
        (lambda: SECRET, "the verifier hex-md5 gave a str, not a bool"),
        (lambda: None, "the verifier hex-md5 gave a NoneType, not a bool"),
        (lambda: 1, "the verifier hex-md5 gave a int, not a bool"),
        (later, "the verifier hex-md5 gave a coroutine, not a bool"),
    ],
)
def test_an_error_is_typed_and_repeats_nothing(
    does: Callable[[], Any], told: str
) -> None:
    hasher = hasher_with(Broken(does))
    for refuse in (hasher.verify, hasher.verify_and_update):
        with pytest.raises(InvalidHashError) as caught:
            refuse(SECRET, hex_md5("x"))
        assert str(caught.value) == told
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
    assert caught.value.code == "invalid_hash"


def test_what_identifies_wrongly() -> None:
    class Vague(HexMd5):
        def identify(self, hash: str) -> bool:
            return None  # type: ignore[return-value]

    for method in ("identify", "needs_rehash"):
        with pytest.raises(InvalidHashError, match="NoneType"):
            getattr(hasher_with(Vague()), method)(hex_md5("x"))


@pytest.mark.parametrize("error", [PasswordTooLongError("at most 8"), MemoryError()])
def test_what_it_may_raise(error: Exception) -> None:
    class Strict(HexMd5):
        def verify(self, password: bytes, hash: str) -> bool:
            raise error

    with pytest.raises(type(error)):
        hasher_with(Strict()).verify("x", hex_md5("x"))


@pytest.mark.parametrize("wrong", [5, "md5", HexMd5, lambda p, h: True, None])
def test_what_is_no_verifier(wrong: Any) -> None:
    with pytest.raises(TypeError, match="identify and verify"):
        hasher_with(wrong)


@pytest.mark.parametrize("password", ["\ud800", "x" * 4097, b"x" * 4097])
def test_what_can_be_hashed_nowhere_matches_none(password: str | bytes) -> None:
    asked = []

    class Easy(HexMd5):
        def verify(self, password: bytes, hash: str) -> bool:
            asked.append(password)
            return True

    assert not hasher_with(Easy()).verify(password, hex_md5("x"))
    assert asked == [b""]  # the same work


def test_a_hash_that_others_verify_too_is_kept() -> None:
    class Folding(HexMd5):
        def verify(self, password: bytes, hash: str) -> bool:
            return super().verify(password.lower(), hash)

        def is_sole(self, password: bytes, hash: str) -> bool:
            return password == password.lower()

    hasher, stored = hasher_with(Folding()), hex_md5("secret")
    assert hasher.verify_and_update("SECRET", stored) == (True, None)
    assert hasher.verify_and_update("secret", stored)[1] is not None


NESTED = """
from fastbearer import PasswordHash, verify_password
inner = PasswordHash("bcrypt", rounds=4)
class Nested:
    def identify(self, hash):
        return hash.startswith("x$2b$")
    def verify(self, password, hash):
        return inner.verify(password, hash[1:]) and verify_password(password, hash[1:])
outer = PasswordHash("argon2id", time_cost=1, memory_cost=8, parallelism=1,
    verifiers=[Nested()])
stored = "x" + inner.hash("y")
assert outer.verify("y", stored) and not outer.verify("z", stored)
print("done")
"""


def test_a_verifier_may_call_for_a_hash_in_the_only_slot() -> None:
    """It has the slot already: waiting for another would be for ever."""
    command = [sys.executable, "-c", NESTED]
    environment = {"FASTBEARER_HASH_SLOTS": "1"}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=HANG
    )
    assert done.stdout == "done\n", done.stderr


# --- Devise

PEPPER = "a pepper of a Rails application"


def devise(password: str) -> str:
    """What Devise::Encryptor.digest does: the pepper follows the password."""
    text = (password + PEPPER).encode()[:72]
    return bcrypt.hashpw(text, bcrypt.gensalt(4, b"2a")).decode()


def test_devise() -> None:
    hasher = hasher_with(DeviseBcrypt(PEPPER))
    stored = devise(PASSWORD)
    assert hasher.verify(PASSWORD, stored)
    assert not hasher.verify("wrong", stored)
    assert not hasher.verify(PASSWORD + PEPPER, stored)
    assert not PLAIN.verify(PASSWORD, stored)
    assert hasher.identify(stored) == "devise-bcrypt"
    assert hasher.verify_and_update(PASSWORD, stored)[1] is not None
    assert not hasher.verify(PASSWORD + "\0", stored)
    # Of password and pepper, bcrypt has seen 72 bytes.
    stored = devise("x" * 50)
    assert hasher.verify_and_update("x" * 50, stored) == (True, None)
    assert PEPPER not in repr(hasher) + repr(DeviseBcrypt(PEPPER))
    with pytest.raises(ConfigurationError):
        DeviseBcrypt("")


# --- Firebase

# supabase/auth, internal/crypto/password_test.go: a hash by Firebase
SIGNER = (
    "ou9tdYTGyYm8kuR6Dt0Bp0kDuAYoXrK16mbZO4yGwAn3oLspjnN0/c41v8xZnO1n14J3MjKj1b2g6AUCAlF"
    "wMw=="
)
SALT = "C0sHCg9ek77hsg=="
EXPORTED = (
    "zKVTMvnWVw5BBOZNUdnsalx4c4c7y/w7IS5p6Ut2+CfEFFlz37J9huyQfov4iizN8dbjvEJlM5tQaJP84+h"
    "fTw=="
)


def test_firebase() -> None:
    firebase = FirebaseScrypt(SIGNER)
    stored = firebase.stored(EXPORTED, SALT)
    assert stored == f"$firebase${SALT}${EXPORTED}"
    assert SIGNER not in stored + repr(firebase)
    # An export is in the other alphabet of base64.
    other = EXPORTED.replace("+", "-").replace("/", "_")
    assert firebase.stored(other, SALT) == stored
    hasher = hasher_with(firebase)
    assert hasher.verify("mytestpassword", stored)
    assert not hasher.verify("mytestpassword1", stored)
    assert hasher.identify(stored) == "firebase-scrypt"
    assert hasher.verify_and_update("mytestpassword", stored)[1] is not None
    assert not hasher_with(FirebaseScrypt(SIGNER, rounds=7)).verify(
        "mytestpassword", stored
    )
    # With the parameters in it, the core knows it alone.
    whole = f"$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk={SIGNER}${SALT}${EXPORTED}"
    assert PLAIN.verify("mytestpassword", whole)


@pytest.mark.parametrize(
    "parameters",
    [
        {"signer_key": ""},
        {"signer_key": "no base64!"},
        {"signer_key": SIGNER + "$"},
        {"signer_key": SIGNER, "mem_cost": 30},
        {"signer_key": SIGNER, "mem_cost": 0},
        {"signer_key": SIGNER, "rounds": 0},
        {"signer_key": SIGNER, "salt_separator": "B,"},
    ],
)
def test_parameters_of_firebase_that_are_none(parameters: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        FirebaseScrypt(**parameters)


@pytest.mark.parametrize(
    ("password_hash", "salt"), [("", SALT), (EXPORTED[:-4], SALT), (EXPORTED, "!")]
)
def test_an_export_that_is_none(password_hash: str, salt: str) -> None:
    with pytest.raises(InvalidHashError):
        FirebaseScrypt(SIGNER).stored(password_hash, salt)
    text = f"$firebase${salt}${password_hash}"
    with pytest.raises(PasswordError):
        hasher_with(FirebaseScrypt(SIGNER)).verify("x", text)


# --- coroutine functions


@pytest.mark.filterwarnings("ignore:.*iscoroutinefunction:DeprecationWarning")
def test_a_framework_sees_coroutine_functions() -> None:
    for method in (PLAIN.ahash, PLAIN.averify, PLAIN.averify_and_update):
        assert inspect.iscoroutinefunction(method)
        assert asyncio.iscoroutinefunction(method)
    assert inspect.iscoroutinefunction(PasswordHash.averify)
    assert not inspect.iscoroutinefunction(PLAIN.verify)
    assert list(inspect.signature(PLAIN.averify).parameters) == ["password", "hash"]
    with pytest.raises(TypeError, match="await it"):
        bool(PLAIN.averify("x", "y"))
