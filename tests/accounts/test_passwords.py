"""Passwords of accounts: the same work for everybody, and rules for new ones."""

from __future__ import annotations

import asyncio
import functools
import gzip
import logging
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import password_validation

from accounts_kit import CHEAP, EMAIL, PASSWORD, CountingHash, make_service, sign_in
from accounts_kit import sign_up as sign_up_at
from fastbearer import (
    HasherBusyError,
    InvalidHashError,
    PasswordHash,
    PasswordTooLongError,
)
from fastbearer.accounts import User
from fastbearer.accounts.common_passwords import common_passwords
from fastbearer.accounts.password_rules import PasswordRules, forms_of
from fastbearer.errors import PasswordError, PasswordRuleError
from fastbearer.fastapi import Settings
from fastbearer.hashing_pool import hashing_client
from one_user import OneUserStore, credentials, user_with
from project import SECRET

NFC, NFD = "caf\u00e9 au lait", "cafe\u0301 au lait"
BROKEN_CRYPT = "$6$rounds=5000$saltsalt$" + "x" * 86
CHEAP_HASH = CHEAP.hash("x")
OTHER_PEPPER = PasswordHash(
    "argon2id",
    time_cost=1,
    memory_cost=8,
    parallelism=1,
    pepper={"9": b"9" * 32},
).hash(PASSWORD)


# --- the same work for everybody


class PickyHash(CountingHash):
    """A hasher that refuses a hash in a way of its own."""

    __slots__ = ("error",)

    async def averify_and_update(
        self, password: str | bytes, hash: str | bytes
    ) -> tuple[bool, str | None]:
        raise self.error


NOT_TO_BE_VERIFIED = {
    "sha512-crypt, broken": BROKEN_CRYPT,
    "weak": "sha1$salt$" + "0" * 40,
    "nothing": "",
    "garbage": "nothing that anybody has made",
    "not ASCII": "\u20ac",
    "broken": "$argon2id$broken",
    "cut": CHEAP.hash("x")[:-2],
    "too costly": "$2b$31$abcdefghijklmnopqrstuuBd8oQ1qZ7oXWKcYm4fEJt5n5iKzvQvG",
    "memory": "$argon2id$v=19$m=99999999,t=3,p=4$c2FsdHNhbHRzYWx0$" + "A" * 43,
    "another pepper": OTHER_PEPPER,
    "a pepper's mark": "$pepper$",
    "disabled": "!" + "x" * 40,
}


def work_of(hasher: CountingHash, password: str, user: User | None) -> int:
    """Return how many hashes were computed to find that it is not the one."""
    hasher.made, hasher.verified = 0, []
    assert not asyncio.run(credentials(hasher).match(password, user))
    assert hasher.made == 0
    computed = 0
    for stored in hasher.verified:
        try:
            CHEAP.verify("x", stored)
        except InvalidHashError:
            continue  # told without any work
        computed += 1
    return computed


@pytest.mark.parametrize("kind", NOT_TO_BE_VERIFIED)
def test_a_hash_that_cannot_be_verified_is_the_decoys_work(kind: str) -> None:
    hasher = CountingHash()
    user = user_with(NOT_TO_BE_VERIFIED[kind])
    assert work_of(hasher, "wrong", user) == work_of(hasher, "wrong", None) == 1
    assert work_of(hasher, "wrong", user_with(CHEAP.hash("x"))) == 1


@pytest.mark.parametrize(
    "error", [InvalidHashError("no"), PasswordError("no"), PasswordTooLongError("no")]
)
def test_a_hasher_that_refuses_in_its_own_way(error: Exception) -> None:
    hasher = PickyHash()
    hasher.error = error
    assert work_of(hasher, "wrong", user_with(CHEAP.hash("x"))) == 1


@pytest.mark.parametrize("password", ["x" * 4097, "\u00e9" * 2049])
def test_a_password_that_is_too_long_to_hash(password: str) -> None:
    hasher = CountingHash()
    chosen = credentials(hasher, password_max_length=10_000)
    for user in (None, user_with(CHEAP.hash("x")), user_with(BROKEN_CRYPT)):
        hasher.verified = []
        assert not asyncio.run(chosen.match(password, user))
        sound = [one for one in hasher.verified if one.startswith("$argon2id$v=19$m=8")]
        assert len(sound) == len(forms_of(password))


def test_forms_of_a_password_are_the_same_work_for_all() -> None:
    hasher = CountingHash()
    for user in (None, user_with(""), user_with(BROKEN_CRYPT), user_with(CHEAP_HASH)):
        for typed in (NFD, NFC):
            assert work_of(hasher, typed, user) == 2
        assert work_of(hasher, NFC + NFD, user) == 3
        assert work_of(hasher, PASSWORD, user) == 1


def test_that_everybody_is_busy_is_no_verdict() -> None:
    hasher = PickyHash()
    hasher.error = HasherBusyError("busy")
    with pytest.raises(HasherBusyError):
        asyncio.run(credentials(hasher).match(PASSWORD, user_with(CHEAP.hash("x"))))
    assert hasher.verified == []


def compared_of(password: str, user: User | None) -> int:
    """Return how often it is told that a password was compared, and was another."""
    told: list[bool] = []
    with suppress(HasherBusyError):
        match = credentials(BusyHash()).match(password, user, lambda: told.append(True))
        asyncio.run(match)
    return len(told)


class BusyHash(CountingHash):
    """A hasher that has a place for one hash."""

    __slots__ = ()

    def _verify(self, password: str | bytes, hash: str | bytes, threads: int) -> bool:
        if self.verified:
            raise HasherBusyError("busy")
        return super()._verify(password, hash, threads)


def test_it_is_told_that_a_password_was_compared() -> None:
    user = user_with(CHEAP_HASH)
    for somebody in (None, user_with(""), user_with(BROKEN_CRYPT), user):
        assert compared_of("wrong", somebody) == 1
        assert compared_of(NFC, somebody) == 1  # in one form
    assert compared_of("x", user) == 0  # it is right


def test_the_log_names_the_user_and_not_the_hash(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO, "fastbearer"):
        asyncio.run(credentials(CHEAP).match(PASSWORD, user_with(BROKEN_CRYPT)))
    assert "password hash of user 1: invalid_hash" in caplog.messages
    assert "saltsalt" not in caplog.text


# --- renewals


class LostStore(OneUserStore):
    """A store that cannot be written at the moment."""

    async def replace_password_hash(self, user: User, password_hash: str) -> bool:
        raise ConnectionError("down")


def test_the_log_says_that_a_renewal_was_not_stored(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whoever signs in is let in all the same, and keeps the hash that they had."""
    stored = PasswordHash("bcrypt", rounds=4).hash(PASSWORD)
    user = user_with(stored)
    with caplog.at_level(logging.INFO, "fastbearer"):
        assert asyncio.run(credentials(CHEAP, LostStore()).match(PASSWORD, user))
    assert user.password_hash == stored
    assert caplog.messages == ["password hash of user 1 not upgraded"]
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert record.exc_info is not None and record.exc_info[0] is ConnectionError
    assert stored not in caplog.text


def test_a_renewal_that_was_overtaken_changes_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Overtaken(OneUserStore):
        async def replace_password_hash(self, user: User, password_hash: str) -> bool:
            return False

    user = user_with(PasswordHash("bcrypt", rounds=4).hash(PASSWORD))
    before = user.password_hash
    assert asyncio.run(credentials(CHEAP, Overtaken()).match(PASSWORD, user))
    assert user.password_hash == before
    user = user_with(before)
    assert asyncio.run(credentials(CHEAP, OneUserStore()).match(PASSWORD, user))
    assert user.password_hash != before
    assert caplog.messages == []


def test_what_bcrypt_has_not_seen_locks_nobody_out() -> None:
    phrase = "x" * 72 + " and eighteen more"
    stored = PasswordHash("bcrypt", rounds=4).hash(phrase[:72])
    store = OneUserStore()
    chosen = credentials(CHEAP, store)
    for typed in (phrase[:72] + "anything", phrase[:72], phrase):
        assert asyncio.run(chosen.match(typed, user_with(stored)))
    assert store.replaced == []
    stored = PasswordHash("bcrypt", rounds=4).hash(phrase[:71])
    assert asyncio.run(chosen.match(phrase[:71], user_with(stored)))
    assert len(store.replaced) == 1


def test_a_password_is_one_however_its_accents_are_typed() -> None:
    store = OneUserStore()
    chosen = credentials(CHEAP, store)
    for one in (NFC, NFD):
        stored = asyncio.run(chosen.hash_new(one, EMAIL))
        for typed in (NFC, NFD):
            assert asyncio.run(chosen.match(typed, user_with(stored)))
    assert store.replaced == []


def test_a_hash_of_the_password_as_it_was_typed_still_verifies() -> None:
    store = OneUserStore()
    chosen = credentials(CHEAP, store)
    assert asyncio.run(chosen.match(NFD, user_with(CHEAP.hash(NFD))))
    assert store.replaced == []
    old = PasswordHash("bcrypt", rounds=4).hash(NFD)
    assert asyncio.run(chosen.match(NFD, user_with(old)))
    (newer,) = store.replaced
    assert CHEAP.verify(NFC, newer)


# --- rules for new passwords


@functools.cache
def rules() -> PasswordRules:
    made = Settings(better_auth_secret=SECRET, site_name="Tea & Tasks")
    return PasswordRules(lambda: made)


def judged(password: str, email: str = EMAIL, name: str | None = None) -> str | None:
    """Return what is said against a password."""
    try:
        rules().check_new(password, email, name)
    except PasswordRuleError as error:
        return str(error)
    return None


COMMON = "Password is too common, or too much like the email"


def most_common() -> list[str]:
    path = Path(password_validation.__file__).with_name("common-passwords.txt.gz")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        words = [line.strip() for line in lines]
    return [word for word in words if len(word) >= 8]


def test_the_most_common_passwords_are_refused() -> None:
    words = most_common()
    assert len(words) > 8000
    accepted = [word for word in words if judged(word) is None]
    assert not accepted, accepted[:20]


def test_words_of_every_list_are_refused() -> None:
    for word in ("password1", "December", "Elizabeth", "Williamson", "stephanie"):
        assert judged(word) == COMMON, word


@pytest.mark.parametrize(
    ("password", "name"),
    [
        ("fastbearer", None),
        ("FastBearer1", None),
        ("fastbearer2026!", None),
        ("teatasks", None),
        ("Tea-Tasks-1", None),
        ("tea & tasks", None),
        ("ada@example.com", None),
        ("example.com", None),
        ("ada.example", None),
        ("Example-1234", None),
        ("adaadaada", None),
        ("Lovelace1815", "Ada Lovelace"),
        ("ada lovelace", "Ada Lovelace"),
        ("L\u00f6wenherz!", "Ada L\u00f6wenherz"),
    ],
)
def test_words_of_the_context_are_refused(password: str, name: str | None) -> None:
    assert judged(password, name=name) == COMMON


@pytest.mark.parametrize(
    "password",
    [
        PASSWORD,
        "lovelace likes tea",
        "my example is good",
        "20260101!?",
        "kq7-vw2-xn9",
        "\u05d0\u05d1\u05d2 \u05d3\u05d4\u05d5\u05d6",
    ],
)
def test_other_passwords_are_taken(password: str) -> None:
    assert judged(password, name="Ada Lovelace") is None


def test_a_random_password_is_not_taken_for_a_common_one() -> None:
    common = common_passwords(8)
    assert not any(f"kq7vw2xn{number}" in common for number in range(100_000))


@pytest.mark.parametrize(
    "password", ["e\u0301" * 4, "x" * 7, "x" * 129, "a" + "\u0300\u0316" * 500_000]
)
def test_the_length_is_that_of_the_form(password: str) -> None:
    assert judged(password) == "Password must be 8 to 128 characters long"


def test_the_rule_of_the_hash() -> None:
    chosen = credentials(PasswordHash("bcrypt", rounds=4))
    with pytest.raises(PasswordRuleError, match="at most 72 bytes"):
        asyncio.run(chosen.hash_new("\u00e9" * 37, EMAIL))


def test_credentials_know_no_web() -> None:
    folder = Path(__file__).parents[2] / "python" / "fastbearer" / "accounts"
    for name in ("credentials.py", "password_rules.py", "common_passwords.py"):
        source = (folder / name).read_text()
        assert not re.search(
            r"^(from|import) (fastapi|starlette)", source, re.MULTILINE
        )


# --- for whom a password is hashed


class NotingHash(CountingHash):
    """Notes for whom it hashes."""

    __slots__ = ("clients",)

    def __init__(self) -> None:
        super().__init__()
        self.clients: list[str | None] = []

    async def ahash(self, password: str | bytes) -> str:
        self.clients.append(hashing_client.get())
        return await super().ahash(password)

    async def averify(self, password: str | bytes, hash: str | bytes) -> bool:
        self.clients.append(hashing_client.get())
        return await super().averify(password, hash)

    async def averify_and_update(
        self, password: str | bytes, hash: str | bytes
    ) -> tuple[bool, str | None]:
        self.clients.append(hashing_client.get())
        return await super().averify_and_update(password, hash)


def test_a_request_hashes_for_its_address(serve: Any, tmp_path: Path) -> None:
    hasher = NotingHash()
    url = serve(make_service(tmp_path / "store.db", hasher=hasher))
    assert sign_up_at(url).status_code == 201
    assert sign_in(url).status_code == 200
    assert sign_in(url, email="nobody@example.com").status_code == 401
    assert hasher.clients == ["127.0.0.1"] * 3


def test_where_no_address_is_known_it_is_the_account() -> None:
    hasher = NotingHash()
    chosen = credentials(hasher)
    asyncio.run(chosen.match(PASSWORD, user_with(CHEAP.hash(PASSWORD))))
    asyncio.run(chosen.hash_new(PASSWORD, "bob@example.com"))
    assert hasher.clients == [EMAIL, "bob@example.com"]
    assert hashing_client.get() is None
