"""Users who come from elsewhere, with the hashes that were made there."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from accounts_kit import (
    CHEAP,
    PASSWORD,
    CountingHash,
    make_service,
    rows,
    sign_in,
    sign_up,
)
from fastbearer import ConfigurationError, PasswordHash
from fastbearer.accounts import User
from fastbearer.accounts.credentials import Credentials
from one_user import OneUserStore, credentials, user_with

NFC, NFD = "caf\u00e9 au lait", "cafe\u0301 au lait"
OLD_SHA1 = f"sha1$salt${hashlib.sha1(b'salt' + PASSWORD.encode()).hexdigest()}"
OLD = {
    "a weak one": OLD_SHA1,
    "a fast one": (
        "$6$saltsalt$G9wFFnnUFCPffgjGaIp8t6onbqx3zGbMIn93ecLfBFGJpBV3"
        "/0HPLZ17qYbjb.WJDtXbmuMlQ9NnvzVms5ZXj."
    ),
    "one of today, at another cost": PasswordHash(
        "argon2id", time_cost=1, memory_cost=16, parallelism=2
    ).hash(PASSWORD),
    "a project's own": f"loud:{PASSWORD.upper()}",
}


class Shouting:
    """Verifies the passwords of a system that stored them in capitals."""

    def identify(self, hash: str) -> bool:
        return hash.startswith("loud:")

    def verify(self, password: bytes, hash: str) -> bool:
        return f"loud:{password.decode().upper()}" == hash


class OldHash(CountingHash):
    """One that takes all that is old."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(weak_hashes=True, verifiers=[Shouting()])


def matches(chosen: Credentials, password: str, user: User | None) -> bool:
    return asyncio.run(cast(Any, chosen.match(password, user)))


@pytest.mark.parametrize("kind", OLD)
def test_the_work_for_an_old_hash_is_a_decoys_besides(kind: str) -> None:
    """A hash that costs next to nothing must not tell that its owner is registered."""
    hasher = OldHash()
    chosen = credentials(hasher)
    assert not matches(chosen, "wrong", None)
    (decoy,) = hasher.verified
    assert not hasher.needs_rehash(decoy)
    hasher.verified = []
    assert not matches(chosen, "wrong", user_with(OLD[kind]))
    assert hasher.verified == [OLD[kind], decoy]
    # A right password is hashed anew, which is the same work.
    hasher.verified = []
    assert hasher.made == 0
    assert matches(chosen, PASSWORD, user_with(OLD[kind]))
    assert (hasher.verified, hasher.made) == ([OLD[kind]], 1)


def test_a_hash_of_today_is_no_more_work_than_nobodys() -> None:
    hasher = OldHash()
    stored = CHEAP.hash(PASSWORD)
    assert not matches(credentials(hasher), "wrong", user_with(stored))
    assert hasher.verified == [stored]


class KeepingHash(OldHash):
    """A hasher for which no hash is outdated, as Better Auth's is none."""

    __slots__ = ()

    def needs_rehash(self, hash: str | bytes) -> bool:
        self.identify(hash)
        return False


def test_where_hashes_are_kept_a_fast_one_is_a_decoys_work_besides() -> None:
    hasher = KeepingHash()
    today = CHEAP.hash(PASSWORD)
    for known, work in (((OLD_SHA1, today), (2, 2)), ((today, OLD_SHA1), (1, 2))):
        chosen = credentials(hasher)
        for stored, expected in zip(known, work, strict=True):
            hasher.verified = []
            assert not matches(chosen, "wrong", user_with(stored))
            assert len(hasher.verified) == expected


@pytest.mark.parametrize("kind", OLD)
def test_an_old_hash_is_renewed_at_sign_in(kind: str) -> None:
    store = OneUserStore()
    user = user_with(OLD[kind])
    chosen = credentials(OldHash(), store)
    assert not matches(chosen, "wrong", user)
    assert store.replaced == []
    assert matches(chosen, PASSWORD, user)
    (newer,) = store.replaced
    assert user.password_hash == newer
    assert CHEAP.verify(PASSWORD, newer)


def test_a_weak_hash_signs_nobody_in_unless_it_is_taken(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = OneUserStore()
    assert not matches(credentials(CHEAP, store), PASSWORD, user_with(OLD_SHA1))
    assert store.replaced == []
    assert "PASSWORD_WEAK_HASHES=1 lets it verify" in caplog.text
    assert "salt" not in caplog.text
    own = credentials(None, store, password_weak_hashes=True)
    own.prepare()
    assert matches(own, PASSWORD, user_with(OLD_SHA1))
    assert len(store.replaced) == 1


def test_the_setting_is_not_for_a_hasher_that_refuses_them() -> None:
    """What is configured is used, or refused at the start."""
    with pytest.raises(ConfigurationError, match="weak_hashes=True"):
        credentials(CHEAP, password_weak_hashes=True).prepare()
    credentials(OldHash(), password_weak_hashes=True).prepare()
    credentials(CHEAP).prepare()


def unsalted_sha1(password: str) -> str:
    return f"sha1$${hashlib.sha1(password.encode()).hexdigest()}"


@pytest.mark.parametrize("stored", [NFC, NFD])
@pytest.mark.parametrize("typed", [NFC, NFD])
@pytest.mark.parametrize(
    "make", [unsalted_sha1, PasswordHash("bcrypt", rounds=4).hash, CHEAP.hash]
)
def test_old_hashes_of_either_form(
    make: Callable[[str], str], typed: str, stored: str
) -> None:
    """Their makers took a password as it came, from whatever keyboard."""
    store = OneUserStore()
    old = make(stored)
    assert matches(credentials(OldHash(), store), typed, user_with(old))
    assert bool(store.replaced) == CHEAP.needs_rehash(old)
    for newer in store.replaced:
        assert CHEAP.verify(NFC, newer)


def test_the_whole_way(serve: Any, tmp_path: Path) -> None:
    """An imported user signs in, and after that has a hash of today."""
    path = tmp_path / "store.db"
    url = serve(make_service(path, hasher=OldHash()))
    assert sign_up(url).status_code == 201
    for stored in OLD.values():
        rows(path, "UPDATE fastbearer_user SET password_hash = ?", stored)
        assert sign_in(url, password="wrong password").status_code == 401
        assert rows(path, "SELECT password_hash FROM fastbearer_user") == [(stored,)]
        assert sign_in(url).status_code == 200
        ((newer,),) = rows(path, "SELECT password_hash FROM fastbearer_user")
        assert CHEAP.verify(PASSWORD, newer)
        assert not CHEAP.needs_rehash(newer)
