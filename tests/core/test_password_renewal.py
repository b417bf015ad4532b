"""A renewal never changes which password is its owner's."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Callable

import bcrypt
import pytest
from django.conf import settings as django_settings
from django.contrib.auth import hashers as django_hashers

from fastbearer import PasswordHash, _core

CHEAP = PasswordHash("argon2id", time_cost=1, memory_cost=8, parallelism=1)
BCRYPT = PasswordHash("bcrypt", rounds=4)
PEPPERED = PasswordHash(
    "argon2id",
    time_cost=1,
    memory_cost=8,
    parallelism=1,
    pepper={"1": b"1" * 32},
)
LONG = (
    "a pass phrase of ninety bytes, of which bcrypt has never seen more than these 72"
)
SALT = b"$2b$04$abcdefghijklmnopqrstuu"

if not django_settings.configured:
    django_settings.configure()


def bcrypt_of(password: str) -> str:
    return bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(4)).decode()


def better_auth_of(password: str) -> str:
    normal = unicodedata.normalize("NFKC", password)
    return _core.password_hash(normal, f"{secrets.token_hex(16)}:{'0' * 128}")


def pbkdf2_of(password: str) -> str:
    return _core.password_hash(password, "$pbkdf2-sha256$9$c2FsdA$")


def faulty_of(password: str) -> str:
    whole = f"$2x$04$abcdefghijklmnopqrstuu{'.' * 31}"
    return _core.password_hash(password, whole)


PARTLY_SEEN: dict[str, tuple[Callable[[str], str], str, str]] = {
    "bcrypt": (bcrypt_of, LONG, LONG[:72] + " and anything"),
    "bcrypt, of 72 bytes": (bcrypt_of, LONG, LONG[:72]),
    "Django's bcrypt": (lambda p: f"bcrypt${bcrypt_of(p)}", LONG, LONG[:72] + "!"),
    "NFKC": (better_auth_of, "fish and chips", "\ufb01sh and chips"),
    "a NUL": (pbkdf2_of, "secret", "secret\0"),
    "the faulty bcrypt": (faulty_of, "xyz\u00e9ab", "cde\u00e9ab"),
}


@pytest.mark.parametrize("hasher", [CHEAP, PEPPERED], ids=["plain", "pepper"])
@pytest.mark.parametrize("kind", PARTLY_SEEN)
def test_what_was_typed_may_not_be_what_was_chosen(
    kind: str, hasher: PasswordHash
) -> None:
    make, chosen, typed = PARTLY_SEEN[kind]
    stored = make(chosen)
    assert hasher.verify(chosen, stored)
    assert hasher.needs_rehash(stored)
    assert hasher.verify_and_update(typed, stored) == (True, None)
    assert hasher.verify_and_update("wrong", stored) == (False, None)


@pytest.mark.parametrize(
    ("make", "password"),
    [
        (bcrypt_of, "x" * 71),
        (faulty_of, "plain"),
        (better_auth_of, "caf\u00e9"),
        (pbkdf2_of, "x" * 100),
        (pbkdf2_of, "a\0b"),
        (lambda p: django_hashers.BCryptSHA256PasswordHasher().encode(p, SALT), LONG),
    ],
)
def test_whatever_was_seen_whole_is_renewed(
    make: Callable[[str], str], password: str
) -> None:
    for hasher in (CHEAP, PEPPERED):
        right, newer = hasher.verify_and_update(password, make(password))
        assert right
        assert newer is not None
        assert hasher.verify(password, newer)
        assert not hasher.needs_rehash(newer)


def test_a_pepper_is_renewed_whatever_is_inside() -> None:
    """Inside is what the pepper has keyed: short, and of the whole password."""
    old = PasswordHash("bcrypt", rounds=4, pepper={"1": b"1" * 32})
    new = PasswordHash("bcrypt", rounds=4, pepper={"1": b"1" * 32, "2": b"2" * 32})
    stored = old.hash(LONG)
    right, newer = new.verify_and_update(LONG, stored)
    assert right
    assert newer is not None
    assert new.verify(LONG, newer)
    assert not new.verify(LONG[:72], newer)


@pytest.mark.parametrize("password", ["x" * 73, "a\0b"])
def test_what_the_new_scheme_cannot_hash_stays(password: str) -> None:
    stored = CHEAP.hash(password)
    assert BCRYPT.verify_and_update(password, stored) == (True, None)
    assert BCRYPT.verify_and_update("wrong", stored) == (False, None)


def test_a_decoy_costs_what_a_hash_costs() -> None:
    for hasher in (CHEAP, BCRYPT, PEPPERED, PasswordHash("scrypt", n=16)):
        decoy = hasher.decoy()
        assert not hasher.needs_rehash(decoy)
        assert not hasher.verify("", decoy)
        assert hasher.decoy() != decoy
        assert len(decoy) == len(hasher.hash("x"))
