"""fastbearer.compat.passlib and .pwdlib beside the originals."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from argon2 import Type
from hypothesis import given, settings
from hypothesis import strategies as st
from pwdlib import PasswordHash as TheirPasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher as TheirArgon2
from pwdlib.hashers.bcrypt import BcryptHasher as TheirBcrypt

import fastbearer.compat.passlib.hash as our_hash
from fastbearer.compat.passlib.context import CryptContext
from fastbearer.compat.passlib.exc import (
    InvalidHashError,
    NullPasswordError,
    PasslibHashWarning,
    PasswordSizeError,
    PasswordTruncateError,
    UnknownHashError,
)
from fastbearer.compat.pwdlib import PasswordHash
from fastbearer.compat.pwdlib.exceptions import UnknownHash
from fastbearer.compat.pwdlib.hashers.argon2 import Argon2Hasher
from fastbearer.compat.pwdlib.hashers.bcrypt import BcryptHasher

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # crypt, which it imports
    import passlib.hash as their_hash
    from passlib.context import CryptContext as TheirContext

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:passlib")

CHEAP: dict[str, dict[str, Any]] = {
    "bcrypt": {"rounds": 4},
    "bcrypt_sha256": {"rounds": 4},
    "argon2": {"rounds": 1, "memory_cost": 8, "parallelism": 1},
    "scrypt": {"rounds": 4},
    "pbkdf2_sha256": {"rounds": 2},
    "pbkdf2_sha512": {"rounds": 2},
    "pbkdf2_sha1": {"rounds": 2},
    "django_pbkdf2_sha1": {"rounds": 2},
    "django_pbkdf2_sha256": {"rounds": 2},
    "django_salted_sha1": {"salt_size": 8},
    "django_salted_md5": {"salt_size": 8},
    "django_bcrypt": {"rounds": 4},
    "django_bcrypt_sha256": {"rounds": 4},
}
PASSWORDS = ["", "a", "correct horse", "\u00e9\u20ac\U0001f600", "x" * 71, "x" * 100]


def theirs(name: str) -> Any:
    return getattr(their_hash, name).using(**CHEAP[name])


def ours(name: str) -> Any:
    return getattr(our_hash, name).using(**CHEAP[name])


@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize("name", CHEAP)
def test_hashes_are_good_crosswise(name: str, password: str) -> None:
    for maker, reader in ((theirs(name), ours(name)), (ours(name), theirs(name))):
        made = maker.hash(password)
        assert reader.identify(made)
        assert reader.verify(password, made) and maker.verify(password, made)
        assert reader.verify(password.encode(), made.encode())
        assert not reader.verify(password + "?" if len(password) < 72 else "y", made)
        assert not reader.needs_update(made) and not maker.needs_update(made)


@pytest.mark.parametrize("name", CHEAP)
def test_a_handler_knows_its_own(name: str) -> None:
    made = {other: theirs(other).hash("p") for other in CHEAP}
    for other, text in made.items():
        assert ours(name).identify(text) == theirs(name).identify(text), other
        if other != name:
            with pytest.raises(InvalidHashError):
                ours(name).verify("p", text)
    for text in ("", "x", "$2b$", "$argon2id$", "\u20ac"):
        assert not ours(name).identify(text)


CONTEXTS: list[dict[str, Any]] = [
    {"schemes": ["bcrypt"], "deprecated": "auto", "bcrypt__rounds": 4},
    {
        "schemes": ["argon2", "bcrypt"],
        "deprecated": "auto",
        "argon2__rounds": 1,
        "argon2__memory_cost": 8,
        "argon2__parallelism": 1,
        "bcrypt__rounds": 4,
    },
    {
        "schemes": "pbkdf2_sha256, django_pbkdf2_sha256",
        "default": "django_pbkdf2_sha256",
        "deprecated": ["pbkdf2_sha256"],
        "pbkdf2_sha256__rounds": 3,
        "django_pbkdf2_sha256__rounds": 3,
    },
    {"schemes": ["bcrypt"], "bcrypt__min_rounds": 5, "bcrypt__default_rounds": 5},
]


@pytest.mark.parametrize("settings", CONTEXTS)
def test_contexts(settings: dict[str, Any]) -> None:
    mine, other = CryptContext(**settings), TheirContext(**settings)
    assert mine.schemes() == other.schemes()
    assert mine.default_scheme() == other.default_scheme()
    hashes = [other.hash("p"), mine.hash("p")]
    hashes += [theirs(name).hash("p") for name in CHEAP]
    for text in hashes:
        name = other.identify(text)
        assert mine.identify(text) == name
        if name is None:
            with pytest.raises(UnknownHashError, match="hash could not be identified"):
                mine.verify("p", text)
            continue
        assert mine.needs_update(text) == other.needs_update(text)
        for password in ("p", "q"):
            found = mine.verify_and_update(password, text)
            expected = other.verify_and_update(password, text)
            assert found[0] == expected[0] == mine.verify(password, text)
            assert (found[1] is None) == (expected[1] is None)
            if found[1] is not None:
                assert other.verify(password, found[1])


@settings(deadline=None, max_examples=100)
@given(
    password=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    wrong=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
)
def test_any_password(password: str, wrong: str) -> None:
    context = CryptContext(schemes=["bcrypt"], bcrypt__rounds=4)
    other = TheirContext(schemes=["bcrypt"], bcrypt__rounds=4)
    made, text = context.hash(password), other.hash(password)
    for hashed in (made, text):
        assert context.verify(password, hashed) and other.verify(password, hashed)
        assert context.verify(wrong, hashed) == other.verify(wrong, hashed)


def test_hashes_of_an_older_bcrypt() -> None:
    made = theirs("bcrypt").hash("p")
    for ident in ("2a", "2b", "2y"):
        old = f"${ident}${made[4:]}"
        assert CryptContext(schemes=["bcrypt"]).verify("p", old)
    with pytest.raises(PasswordTruncateError):
        our_hash.bcrypt.using(rounds=4, truncate_error=True).hash("x" * 73)


@pytest.mark.parametrize("bad", [None, 1, ["p"], bytearray(b"p")])
def test_what_is_no_password(bad: Any) -> None:
    context = CryptContext(schemes=["bcrypt"], bcrypt__rounds=4)
    made = context.hash("p")
    for call in (lambda: context.hash(bad), lambda: context.verify(bad, made)):
        with pytest.raises(TypeError, match="secret must be unicode or bytes"):
            call()


def test_passwords_that_are_refused() -> None:
    context = CryptContext(schemes=["bcrypt", "argon2"], bcrypt__rounds=4)
    with pytest.raises(NullPasswordError):
        context.hash("a\0b")
    with pytest.raises(PasswordSizeError):
        context.hash("x" * 4097)
    with pytest.raises(ValueError, match="surrogate"):
        context.hash("\ud800")
    assert context.verify("p", None) is False
    assert context.verify_and_update("p", None) == (False, None)
    with pytest.raises(TypeError, match="hash must be"):
        context.verify("p", 1)  # type: ignore[arg-type]


SETTINGS: list[dict[str, Any]] = [
    {"schemes": ["bcrypt"], "bcrypt__ident": "2y"},
    {"schemes": ["bcrypt"], "bcrypt__ident": "zz"},
    {"schemes": ["bcrypt"], "bcrypt__round": 4},
    {"schemes": ["bcrypt"], "bcrypt__rounds": "4"},
    {"schemes": ["bcrypt"], "bcrypt__rounds": 3},
    {"schemes": ["bcrypt"], "bcrypt__rounds": 4.0},
    {"schemes": ["bcrypt"], "bcrypt__rounds": 4, "truncate_error": True},
    {"schemes": ["bcrypt"], "bcrypt__rounds": 4, "bcrypt__truncate_error": "yes"},
    {"schemes": ["bcrypt"], "bcrypt__rounds": 4, "all__vary_rounds": 0.1},
    {"schemes": ["bcrypt"], "bcrypt__rounds": 4, "vary_rounds": "10%"},
    {"schemes": ["bcrypt"], "bcrypt__rounds": 4, "harden_verify": True},
    {"schemes": ["bcrypt"], "bcrypt__rounds": 4, "min_verify_time": 1},
    {"schemes": ["bcrypt"], "bcrypt__rounds": 4, "scrypt__rounds": 4},
    {"schemes": ["bcrypt"], "bcrypt__rounds": 4, "nothing__rounds": 4},
    {"schemes": ["bcrypt"], "bcrypt__salt": "x"},
    {"schemes": ["bcrypt"], "bcrypt__default_rounds": 4, "bcrypt__min_rounds": 5},
    {"schemes": ["bcrypt"], "colour": 1},
    {"schemes": ["bcrypt"], "default": "argon2"},
    {"schemes": ["bcrypt"], "deprecated": ["bcrypt"]},
    {"schemes": ["bcrypt"], "deprecated": ["nothing"]},
    {"schemes": ["nothing"]},
    {"schemes": "bcrypt, md5_crypt_of_nobody"},
    {"schemes": ["argon2"], "argon2__rounds": 0, "argon2__memory_cost": 64},
    {"schemes": ["argon2"], "argon2__memory_cost": 1},
    {"schemes": ["argon2"], "argon2__type": "ID", "argon2__time_cost": 1},
    {"schemes": ["argon2"], "argon2__type": "X"},
    {"schemes": ["argon2"], "argon2__parallelism": 2, "argon2__memory_cost": 64},
    {"schemes": ["argon2"], "argon2__salt_len": 8, "argon2__hash_len": 16},
    {"schemes": ["scrypt"], "scrypt__rounds": 4, "scrypt__salt_size": 8},
    {"schemes": ["bcrypt_sha256"], "bcrypt_sha256__rounds": 4},
    {
        "schemes": ["bcrypt_sha256"],
        "bcrypt_sha256__rounds": 4,
        "bcrypt_sha256__version": 1,
    },
    {"schemes": ["bcrypt_sha256"], "bcrypt_sha256__version": 3},
    {"schemes": ["pbkdf2_sha256"], "pbkdf2_sha256__default_rounds": 9},
    {"schemes": ["pbkdf2_sha512"], "pbkdf2_sha512__salt_size": 4},
    {"schemes": ["django_pbkdf2_sha1", "django_salted_md5"]},
    {"schemes": ["django_pbkdf2_sha256"], "django_pbkdf2_sha256__rounds": 9},
    {"schemes": ["django_salted_sha1"], "django_salted_sha1__salt_size": 8},
]


def made_with(context: type[Any], chosen: dict[str, Any]) -> Any:
    """Return the context, or the class of what it raises."""
    try:
        with warnings.catch_warnings(action="ignore"):
            return context(**chosen)
    except (KeyError, TypeError, ValueError) as error:
        return type(error)


@pytest.mark.parametrize("chosen", SETTINGS, ids=str)
def test_settings_side_by_side(chosen: dict[str, Any]) -> None:
    mine = made_with(CryptContext, chosen)
    other = made_with(TheirContext, chosen)
    if isinstance(other, type):
        assert mine is other
        return
    ours, theirs = mine.hash("p"), other.hash("p")
    assert len(ours) == len(theirs) and mine.schemes() == other.schemes()
    for reader, made in ((mine, theirs), (other, ours)):
        assert reader.verify("p", made) and not reader.verify("q", made)
        assert not reader.needs_update(made)


def test_settings_that_are_wrong() -> None:
    with pytest.raises(KeyError, match="categories"):
        CryptContext(schemes=["bcrypt"], admin__bcrypt__rounds=14)
    with pytest.raises(KeyError, match="colour"):
        CryptContext(schemes=["bcrypt"], bcrypt__colour=1)
    with pytest.warns(PasslibHashWarning):
        high = CryptContext(schemes=["bcrypt"], bcrypt__rounds=32)
    assert high.handler().default_rounds == 16
    with pytest.raises(ValueError, match="rounds"):
        our_hash.bcrypt.using(rounds=32)


def test_argon2_of_django_is_renewed_as_argon2id() -> None:
    old = their_hash.django_argon2.using(rounds=1, memory_cost=8, parallelism=1)
    mine = our_hash.django_argon2.using(rounds=1, memory_cost=8, parallelism=1)
    made = old.hash("p")
    assert made.startswith("argon2$argon2i$")
    assert mine.verify("p", made) and not mine.verify("q", made)
    assert mine.needs_update(made) and old.verify("p", mine.hash("p"))
    assert mine.hash("p").startswith("argon2$argon2id$")


@pytest.mark.parametrize("password", ["", "U*U", "U*U" * 2, "U*U" * 30, "\u00e9"])
def test_the_first_kind_of_bcrypt(password: str) -> None:
    old = their_hash.bcrypt.using(rounds=4, ident="2").hash(password)
    assert old.startswith("$2$")
    for other in (password, password + "x", "U*U", "U*U" * 4, "u"):
        expected = their_hash.bcrypt.verify(other, old)
        assert our_hash.bcrypt.verify(other, old) is expected


def test_a_context_can_be_changed() -> None:
    context = CryptContext(schemes=["bcrypt"], bcrypt__rounds=4)
    other = context.copy(schemes=["argon2", "bcrypt"], deprecated="auto")
    made = context.hash("p")
    assert not context.needs_update(made) and other.needs_update(made)
    context.update(bcrypt__rounds=5)
    assert context.hash("p").startswith("$2b$05$") and context.needs_update(made)


BEYOND = "x" * 72 + " and what bcrypt has never seen"


@pytest.mark.parametrize("old", ["bcrypt", "django_bcrypt"])
def test_what_bcrypt_has_not_seen_is_not_hashed_anew(old: str) -> None:
    """passlib hashes what was typed: whoever types something else is locked out."""
    context = CryptContext(
        schemes=["argon2", "bcrypt", "django_bcrypt"],
        deprecated="auto",
        argon2__rounds=1,
        argon2__memory_cost=8,
        argon2__parallelism=1,
    )
    made = theirs(old).hash(BEYOND)
    assert context.verify_and_update(BEYOND[:72] + "?", made) == (True, None)
    assert context.verify_and_update(BEYOND, made) == (True, None)
    assert context.verify_and_update("x", made) == (False, None)
    whole = theirs(old).hash("x" * 71)
    assert context.verify_and_update("x" * 71, whole)[1] is not None


def test_bcrypt_goes_on_seeing_what_bcrypt_has_seen() -> None:
    context = CryptContext(schemes=["bcrypt"], bcrypt__rounds=5)
    right, newer = context.verify_and_update(BEYOND, theirs("bcrypt").hash(BEYOND))
    assert right and newer is not None and context.verify(BEYOND[:72] + "?", newer)


def test_pwdlib_does_not_hash_anew_what_bcrypt_has_not_seen() -> None:
    both = PasswordHash((Argon2Hasher(1, 8, 1), BcryptHasher(4)))
    made = theirs("bcrypt").hash(BEYOND)
    assert both.verify_and_update(BEYOND[:72] + "?", made) == (True, None)
    assert both.verify_and_update("x", made) == (False, None)


# --- pwdlib

HASHERS: list[tuple[Any, Any]] = [
    (Argon2Hasher(1, 8, 1), TheirArgon2(1, 8, 1)),
    (BcryptHasher(4), TheirBcrypt(4)),
]


@pytest.mark.parametrize(("mine", "other"), HASHERS)
def test_pwdlib_crosswise(mine: Any, other: Any) -> None:
    ours, theirs = PasswordHash((mine,)), TheirPasswordHash((other,))
    for password in ("p", "\u00e9", b"bytes", ""):
        for maker, reader in ((ours, theirs), (theirs, ours)):
            made = maker.hash(password)
            assert reader.verify(password, made)
            assert reader.verify_and_update(password, made) == (True, None)
            assert reader.verify_and_update("q", made) == (False, None)
    salt = b"$2b$04$abcdefghijklmnopqrstuu" if mine is HASHERS[1][0] else b"s" * 16
    assert ours.hash("p", salt=salt) == theirs.hash("p", salt=salt)


def test_pwdlib_replaces_old_hashes() -> None:
    both = PasswordHash((Argon2Hasher(1, 8, 1), BcryptHasher(4)))
    old = TheirBcrypt(4).hash("p")
    right, newer = both.verify_and_update("p", old)
    assert right and newer is not None and newer.startswith("$argon2id$")
    dearer = PasswordHash((Argon2Hasher(2, 8, 1),))
    assert dearer.verify_and_update("p", newer)[1] is not None
    with pytest.raises(UnknownHash) as caught:
        both.verify("p", "nothing-Xq7")
    assert "Xq7" not in str(caught.value)


ARGON2: list[dict[str, Any]] = [
    {"hash_len": 16, "salt_len": 8},
    {"hash_len": 64, "salt_len": 32, "type": Type.ID},
    {"parallelism": 2},
    {"time_cost": 2},
    {"memory_cost": 32},
]


@pytest.mark.parametrize("chosen", ARGON2, ids=str)
def test_pwdlib_and_the_settings_of_argon2(chosen: dict[str, Any]) -> None:
    cheap = {"time_cost": 1, "memory_cost": 16, "parallelism": 1}
    mine, other = Argon2Hasher(**cheap | chosen), TheirArgon2(**cheap | chosen)
    for maker, reader in ((mine, other), (other, mine)):
        made = maker.hash("p")
        assert reader.verify("p", made) and not reader.verify("q", made)
        assert not reader.check_needs_rehash(made)
        for hasher in (Argon2Hasher, TheirArgon2):
            assert hasher(**cheap).check_needs_rehash(made)
    assert mine.hash("p", salt=b"s" * 16) == other.hash("p", salt=b"s" * 16)
    with pytest.raises(ValueError, match="type ID"):
        Argon2Hasher(type=Type.I)


def test_pwdlib_recommends_what_pwdlib_does() -> None:
    made = PasswordHash.recommended().hash("p")
    theirs = TheirPasswordHash.recommended()
    assert theirs.verify_and_update("p", made) == (True, None)
    assert made.split("$")[1:4] == theirs.hash("p").split("$")[1:4]


def test_pwdlib_refuses_long_passwords_for_bcrypt() -> None:
    for hasher in (BcryptHasher(4), TheirBcrypt(4)):
        made = hasher.hash("x" * 72)
        assert hasher.verify("x" * 72, made)
    with pytest.raises(ValueError, match="72 bytes"):
        BcryptHasher(4).hash("x" * 73)
    # What bcrypt 4 made of a longer one goes on signing its owner in.
    assert BcryptHasher(4).verify("x" * 73, made)
