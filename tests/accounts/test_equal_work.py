"""A refused sign-in is the same work, whoever is named: counted, not timed."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
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
from fastbearer import InvalidHashError, PasswordHash
from fastbearer.accounts import User
from fastbearer.accounts.credentials import Credentials
from fastbearer.accounts.decoys import MOST_OUTDATED
from fastbearer.hash_decoys import work_of
from fastbearer.hash_verifiers import DeviseBcrypt, FirebaseScrypt
from fastbearer.pepper import split
from one_user import OneUserStore, credentials, user_with

SIGNER_KEY = base64.b64encode(b"k" * 64).decode()
FIREBASE = FirebaseScrypt(SIGNER_KEY, mem_cost=4)
DIGEST = base64.b64encode(b"d" * 64).decode()
PEPPER = {"old": b"o" * 32, "new": b"n" * 32}
BCRYPT = PasswordHash("bcrypt", rounds=4).hash(PASSWORD)
OUTDATED: Mapping[str, str] = {
    "bcrypt": BCRYPT,
    "an older bcrypt": BCRYPT.replace("$2b$", "$2a$"),
    "a dearer bcrypt": PasswordHash("bcrypt", rounds=5).hash(PASSWORD),
    "Argon2 at another cost": PasswordHash(
        "argon2id", time_cost=2, memory_cost=16, parallelism=1
    ).hash(PASSWORD),
    "scrypt": PasswordHash("scrypt", n=16).hash(PASSWORD),
    "crypt(3)": "$6$rounds=1000$saltsalt$" + "y" * 85 + ".",
    "Django's": f"bcrypt_sha256${BCRYPT}",
    "WordPress'": BCRYPT.replace("$2b$", "$wp$2y$"),
    "Spring's": "{pbkdf2}" + "5a" * 40,
    "Better Auth's": "5a" * 16 + ":" + "a5" * 64,
    "a weak one": "sha1$salt$" + "5a" * 20,
    "Firebase's": FIREBASE.stored(DIGEST, base64.b64encode(b"salt").decode()),
}


class Old(CountingHash):
    """A hasher that takes all that is old, and tells the work that it has done."""

    __slots__ = ()

    def __init__(self, **options: Any) -> None:
        super().__init__(weak_hashes=True, **{"verifiers": [FIREBASE], **options})

    def work(self) -> list[Any]:
        """Return the kinds of the hashes that were computed since the last time."""
        done = []
        for text in self.verified:
            bare = split(text)[1]
            if FIREBASE.identify(bare):
                done.append("Firebase's")
                continue
            with suppress(InvalidHashError):  # told without any work
                done.append(str(work_of(bare)))
        self.verified = []
        return sorted(done)


def matches(chosen: Credentials, password: str, user: User | None) -> bool:
    return asyncio.run(cast(Any, chosen.match(password, user)))


def works(
    chosen: Credentials, hasher: Old, stored: Sequence[str | None]
) -> list[list[Any]]:
    """Return the work of a refusal for each user: nobody, or with a hash."""
    done = []
    for one in stored:
        user = None if one is None else user_with(one)
        assert not matches(chosen, "wrong", user)
        done.append(hasher.work())
    return done


EVERYBODY = (None, "", CHEAP.hash(PASSWORD), "$argon2id$broken", "disabled")


@pytest.mark.parametrize("kind", OUTDATED)
@pytest.mark.parametrize("password", [PASSWORD, "wrong"])
def test_one_outdated_hash_is_everybodys_work(kind: str, password: str) -> None:
    """Once it was met, at a sign-in that was right or not."""
    hasher = Old()
    chosen = credentials(hasher)
    matches(chosen, password, user_with(OUTDATED[kind]))
    hasher.work()
    done = works(chosen, hasher, [OUTDATED[kind], *EVERYBODY])
    assert all(one == done[0] for one in done)
    assert len(done[0]) == len(set(done[0])) == 2


def test_several_outdated_kinds_are_everybodys_work() -> None:
    hasher = Old()
    chosen = credentials(hasher)
    met = list(OUTDATED.values())[:MOST_OUTDATED]
    works(chosen, hasher, met)
    done = works(chosen, hasher, [*met, *EVERYBODY])
    assert all(one == done[0] for one in done)
    assert len(done[0]) == len(set(done[0])) == 1 + MOST_OUTDATED


def test_how_much_nobodys_work_becomes_is_bounded() -> None:
    hasher = Old()
    chosen = credentials(hasher)
    works(chosen, hasher, list(OUTDATED.values()))
    (done,) = works(chosen, hasher, [None])
    assert len(done) == 1 + MOST_OUTDATED


@pytest.mark.parametrize("salt", ["salt", "a-longer-salt"])
def test_a_kind_is_one_whatever_its_salt(salt: str) -> None:
    hasher = Old()
    chosen = credentials(hasher)
    digest = base64.b64encode(b"d" * 32).decode()
    stored = [f"pbkdf2_sha256$10${one}${digest}" for one in (salt, "other", "third1")]
    works(chosen, hasher, stored)
    (done,) = works(chosen, hasher, [None])
    assert len(done) == 2


def test_hashes_of_another_pepper_cost_what_todays_do() -> None:
    """Only their secret is another, which costs nothing."""
    hasher = Old(pepper=PEPPER)
    chosen = credentials(hasher)
    older = PasswordHash(
        "argon2id",
        time_cost=1,
        memory_cost=8,
        parallelism=1,
        pepper={"old": PEPPER["old"]},
    ).hash(PASSWORD)
    done = works(chosen, hasher, [older, None, CHEAP.hash(PASSWORD)])
    assert [len(one) for one in done] == [1, 1, 1]


def test_a_peppered_hash_at_another_cost() -> None:
    hasher = Old(pepper=PEPPER)
    chosen = credentials(hasher)
    dearer = PasswordHash(
        "argon2id", time_cost=2, memory_cost=16, parallelism=1, pepper=PEPPER
    ).hash(PASSWORD)
    done = works(chosen, hasher, [dearer, None, dearer])
    assert done[0] == done[1] == done[2] and len(done[0]) == 2


def test_hashes_that_another_verifier_takes() -> None:
    """Devise's are bcrypt's in their text, and of more than the password."""
    hasher = Old(verifiers=[DeviseBcrypt("a pepper")])
    chosen = credentials(hasher)
    done = works(chosen, hasher, [BCRYPT, None, BCRYPT])
    assert done[0] == done[1] == done[2] and len(done[0]) == 2


def test_todays_bcrypt_is_no_outdated_one() -> None:
    hasher = CHEAP_BCRYPT
    chosen = credentials(hasher)
    works_of = []
    for user in (None, user_with(BCRYPT), None):
        assert not matches(chosen, "wrong", user)
        works_of.append(len(hasher.verified))
        hasher.verified = []
    assert works_of == [1, 1, 1]


class CountingBcrypt(PasswordHash):
    """Today's hasher of a project that has stayed with bcrypt."""

    __slots__ = ("verified",)

    def __init__(self) -> None:
        super().__init__("bcrypt", rounds=4)
        self.verified: list[str] = []

    def _verify(self, password: str | bytes, hash: str | bytes, threads: int) -> bool:
        self.verified.append(str(hash))
        return super()._verify(password, hash, threads)


CHEAP_BCRYPT = CountingBcrypt()


# --- formats of a project's own


class Own:
    """A format of which only the project knows what it costs.

    Args:
        decoys: What it says of nobody.
    """

    name = "own"

    def __init__(self, *decoys: Any) -> None:
        self._decoys = iter(decoys)
        self.asked: list[str] = []

    def identify(self, hash: str) -> bool:
        return hash.startswith("own:")

    def verify(self, password: bytes, hash: str) -> bool:
        self.asked.append(hash)
        if hash == "own:broken":
            raise ValueError(hash)
        return hash == f"own:{password.decode()}"


class WithDecoys(Own):
    """One that tells."""

    def decoy(self, hash: str) -> Any:
        return next(self._decoys)


def asked_for_nobody(verifier: Own) -> list[str]:
    """Return what a verifier verifies for nobody, after one of its hashes was met."""
    chosen = credentials(Old(verifiers=[verifier]))
    for user in (user_with("own:x"), None):
        verifier.asked = []
        assert not matches(chosen, "wrong", user)
    return verifier.asked


def test_a_verifier_may_have_decoys() -> None:
    assert asked_for_nobody(WithDecoys("own:nobody")) == ["own:nobody"]
    assert asked_for_nobody(Own()) == []


@pytest.mark.parametrize("decoy", [None, 5, b"own:x", "own:broken", "not its own"])
def test_a_decoy_that_is_none_is_left_out(decoy: Any) -> None:
    """Whatever it says, a wrong password is a wrong password."""
    asked = asked_for_nobody(WithDecoys(decoy, decoy))
    assert asked == (["own:broken"] if decoy == "own:broken" else [])


def test_a_decoy_that_cannot_be_verified_is_not_tried_again() -> None:
    verifier = WithDecoys("own:broken")
    chosen = credentials(Old(verifiers=[verifier]))
    for user in (user_with("own:x"), None, None):
        verifier.asked = []
        assert not matches(chosen, "wrong", user)
    assert verifier.asked == []


class Lenient(Old):
    """A hasher that verifies what it has no name for."""

    __slots__ = ()

    def _verify(self, password: str | bytes, hash: str | bytes, threads: int) -> bool:
        return hash != "odd" and super()._verify(password, hash, threads)


def test_a_hash_that_has_no_name_is_todays_work_besides() -> None:
    hasher = Lenient()
    done = works(credentials(hasher), hasher, ["odd", None])
    assert [len(one) for one in done] == [1, 1]


# --- at the start


class Listing(OneUserStore):
    """A store that lists users with some hashes."""

    def __init__(self, *stored: str) -> None:
        super().__init__()
        self.stored = stored
        self.asked: list[tuple[str | None, int]] = []

    async def list_users(self, after: str | None, limit: int) -> list[User]:
        self.asked.append((after, limit))
        return [user_with(one) for one in self.stored]


class Failing(OneUserStore):
    """A store that cannot list its users just now."""

    async def list_users(self, after: str | None, limit: int) -> list[User]:
        raise OSError("away")


def test_kinds_are_known_from_the_start() -> None:
    hasher = Old()
    store = Listing(BCRYPT, "", "broken", BCRYPT, CHEAP.hash("x"))
    chosen = credentials(hasher, store)
    asyncio.run(chosen.check_store())
    assert store.asked == [(None, 100)]
    done = works(chosen, hasher, [None, BCRYPT])
    assert done[0] == done[1] and len(done[0]) == 2


def test_what_cannot_be_verified_is_nobodys_work() -> None:
    """A weak hash is refused without any, where none are taken."""
    hasher = CountingHash()
    chosen = credentials(hasher, Listing(OUTDATED["a weak one"]))
    asyncio.run(chosen.check_store())
    for _ in range(2):
        hasher.verified = []
        assert not matches(chosen, "wrong", None)
    assert len(hasher.verified) == 1


@pytest.mark.parametrize("store", [OneUserStore(), Failing()])
def test_a_store_that_lists_nobody(store: OneUserStore) -> None:
    hasher = Old()
    chosen = credentials(hasher, store)
    asyncio.run(chosen.check_store())
    (done,) = works(chosen, hasher, [None])
    assert len(done) == 1


# --- the whole way


def test_the_whole_way(serve: Any, tmp_path: Path) -> None:
    """Somebody of another system's users has another hash than the others."""
    imported = tmp_path / "store.db"
    url = serve(make_service(imported))
    for email in ("new@example.com", "old@example.com"):
        assert sign_up(url, email=email).status_code == 201
    query = "UPDATE fastbearer_user SET password_hash = ? WHERE email = ?"
    rows(imported, query, BCRYPT, "old@example.com")
    hasher = Old()
    again = serve(make_service(imported, hasher=hasher))
    done = []
    for name in ("nobody", "new", "old", "nobody"):
        email = f"{name}@example.com"
        assert sign_in(again, email=email, password="wrong").status_code == 401
        done.append(hasher.work())
    assert all(one == done[0] for one in done) and len(done[0]) == 2


# --- nothing of a real hash


@pytest.mark.parametrize("kind", OUTDATED)
def test_a_decoy_is_made_of_nothing_but_the_kind(kind: str) -> None:
    hasher = PasswordHash(weak_hashes=True, verifiers=[FIREBASE])
    decoy = hasher.decoy(OUTDATED[kind])
    assert decoy != OUTDATED[kind]
    assert hasher.identify(decoy) == hasher.identify(OUTDATED[kind])
    assert not hasher.verify(PASSWORD, decoy)
    assert hasher.decoy(decoy) == decoy == hasher.decoy(OUTDATED[kind].encode())


@pytest.mark.parametrize(
    "make",
    [
        PasswordHash("bcrypt", rounds=4).hash,
        CHEAP.hash,
        PasswordHash("scrypt", n=16).hash,
        lambda text: "{pbkdf2}" + os.urandom(40).hex(),
        lambda text: "{SSHA}" + base64.b64encode(os.urandom(28)).decode(),
        lambda text: "sha1$" + os.urandom(2).hex() + "$" + os.urandom(20).hex(),
    ],
)
def test_all_of_a_kind_have_one_decoy(make: Any) -> None:
    hasher = PasswordHash()
    assert len({hasher.decoy(make(f"{number}")) for number in range(40)}) == 1
