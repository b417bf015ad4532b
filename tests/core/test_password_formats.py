"""Every format of stored hashes: third-party vectors, and other makers' hashes."""

from __future__ import annotations

import hashlib
import json
import secrets
import sys
import unicodedata
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import argon2
import bcrypt
import pytest
from django.conf import settings as django_settings
from django.contrib.auth import hashers as django_hashers
from hypothesis import given, settings
from hypothesis import strategies as st
from pwdlib import PasswordHash as Pwdlib
from pwdlib.hashers.argon2 import Argon2Hasher
from pwdlib.hashers.bcrypt import BcryptHasher
from werkzeug import security as werkzeug

from fastbearer import (
    ConfigurationError,
    InvalidHashError,
    PasswordError,
    PasswordHash,
    PasswordTooLongError,
    _core,
    verify_password,
)
from project import VECTORS

# passlib asks for a module that Python drops, and that crashes under sanitizers.
sys.modules["crypt"] = None  # type: ignore[assignment]
import passlib.hash  # noqa: E402
import passlib.utils  # noqa: E402

del sys.modules["crypt"]

PASSWORDS = VECTORS / "passwords"
needs_vectors = pytest.mark.skipif(
    not PASSWORDS.exists(), reason="the shared vectors of passwords are absent"
)
CHEAP = PasswordHash("argon2id", time_cost=1, memory_cost=8, parallelism=1)
SCRYPT = PasswordHash("scrypt", n=16, r=8, p=1)
PEPPER = {"1": b"1" * 32, "2": b"2" * 32}

if not django_settings.configured:
    django_settings.configure()


OUR_FORMATS = (
    *("$argon2", "$2a$", "$2b$", "$2x$", "$2y$", "$scrypt$"),
    *("$pbkdf2-sha256$", "$pbkdf2-sha512$", "pbkdf2_sha256$", "argon2$", "bcrypt$"),
    *("bcrypt_sha256$", "scrypt$", "scrypt:", "pbkdf2:sha256", "pbkdf2:sha512"),
    *("$bcrypt-sha256$", "$pbkdf2$", "pbkdf2_sha1$", "pbkdf2:sha1:", "$2$"),
)


def vectors(name: str, *groups: str) -> Iterator[Any]:
    """Yield the vectors of a file that are whole hashes of our formats."""
    if not PASSWORDS.exists():
        return
    read = json.loads((PASSWORDS / f"{name}.json").read_text())
    for group in groups:
        for number, vector in enumerate(read[group]):
            stored = vector.get("encoded") or vector.get("hash") or ""
            if stored.startswith(OUR_FORMATS) and not vector.get("large_ram"):
                yield pytest.param(vector, stored, id=f"{group} {number}")


def password_of(vector: dict[str, Any]) -> bytes:
    if "password_hex" in vector:
        return bytes.fromhex(vector["password_hex"])
    return str(vector["password"]).encode()


@pytest.mark.slow
@needs_vectors
@pytest.mark.parametrize(
    ("vector", "stored"),
    [
        *vectors("bcrypt", "openwall"),
        *vectors("argon2", "phc_test_c", "passlib_known_correct"),
        *vectors("scrypt_pbkdf2", "passlib_known_correct"),
        *vectors("frameworks", "hashes"),
    ],
)
def test_the_vectors(vector: dict[str, Any], stored: str) -> None:
    password = password_of(vector)
    if stored.startswith(("$2", "bcrypt$")) and b"\0" in password:
        assert not CHEAP.verify(password, stored)
        return
    try:
        assert CHEAP.verify(password, stored)
    except InvalidHashError:
        assert costs_too_much(stored) or vector.get("expect") not in (None, "match")
        return
    assert not CHEAP.verify(b"!" + password, stored)
    assert CHEAP.identify(stored)


def costs_too_much(stored: str) -> bool:
    return stored.startswith("$2") and int(stored[4:6]) > 16


@needs_vectors
def test_malformed_vectors() -> None:
    for name, group in (
        ("argon2", "passlib_malformed"),
        ("argon2", "phc_test_c_negative"),
        ("scrypt_pbkdf2", "passlib_malformed"),
    ):
        for entry in json.loads((PASSWORDS / f"{name}.json").read_text())[group]:
            stored = entry if isinstance(entry, str) else entry["encoded"]
            if isinstance(entry, dict) and "DECODING" not in entry["expect"]:
                continue
            with pytest.raises(InvalidHashError):
                CHEAP.verify("password", stored)


# --- hashes that others make --------------------


def hex_scrypt(password: str) -> str:
    """Return what Better Auth stores."""
    salt = secrets.token_hex(16)
    normal = unicodedata.normalize("NFKC", password).encode()
    options: Any = {"n": 16384, "r": 16, "p": 1, "dklen": 64, "maxmem": 1 << 27}
    return f"{salt}:{hashlib.scrypt(normal, salt=salt.encode(), **options).hex()}"


@pytest.mark.slow
@pytest.mark.parametrize(
    "password", ["\ufdfa" * 128, "\ufdfa" * 1365, "\u00bd" * 2048, "\ufb01" * 1365]
)
def test_passwords_that_grow_in_their_form(password: str) -> None:
    """What counts is how long they are as they were given."""
    stored = hex_scrypt(password)
    for form in (password, password.encode()):
        assert CHEAP.verify(form, stored)
        assert not CHEAP.verify(form[:-1], stored)
    made = _core.password_hash(password, stored)
    assert made == stored
    for long in (password * 4096, "\ufdfa" * 1366):
        assert not CHEAP.verify(long, stored)
        with pytest.raises(PasswordTooLongError):
            _core.password_hash(long, stored)


SALT = b"$2b$04$abcdefghijklmnopqrstuu"
MAKERS = {
    "argon2id": lambda p: argon2.PasswordHasher(1, 64, 2).hash(p),
    "argon2i": lambda p: argon2.PasswordHasher(1, 64, 2, type=argon2.Type.I).hash(p),
    "argon2d": lambda p: argon2.PasswordHasher(1, 64, 2, type=argon2.Type.D).hash(p),
    "bcrypt": lambda p: bcrypt.hashpw(p.encode(), bcrypt.gensalt(4)).decode(),
    "scrypt": lambda p: passlib.hash.scrypt.using(rounds=4).hash(p),
    "bcrypt-sha256": lambda p: passlib.hash.bcrypt_sha256.using(rounds=4).hash(p),
    "bcrypt-sha256 of version 1": (
        lambda p: passlib.hash.bcrypt_sha256.using(rounds=4, version=1).hash(p)
    ),
    "bcrypt of the first kind": (
        lambda p: passlib.hash.bcrypt.using(rounds=4, ident="2").hash(p)
    ),
    "pbkdf2-sha1": lambda p: passlib.hash.pbkdf2_sha1.using(rounds=9).hash(p),
    "pbkdf2-sha256": lambda p: passlib.hash.pbkdf2_sha256.using(rounds=9).hash(p),
    "pbkdf2-sha512": lambda p: passlib.hash.pbkdf2_sha512.using(rounds=9).hash(p),
    "better-auth-scrypt": hex_scrypt,
    "django-argon2": lambda p: django_hashers.Argon2PasswordHasher().encode(
        p, "saltsalt"
    ),
    "django-bcrypt": lambda p: django_hashers.BCryptPasswordHasher().encode(p, SALT),
    "django-bcrypt-sha256": (
        lambda p: django_hashers.BCryptSHA256PasswordHasher().encode(p, SALT)
    ),
    "django-scrypt": (
        lambda p: django_hashers.ScryptPasswordHasher().encode(p, "salt", 16)
    ),
    "django-pbkdf2-sha256": (
        lambda p: django_hashers.PBKDF2PasswordHasher().encode(p, "salt", 9)
    ),
    "django-pbkdf2-sha1": (
        lambda p: django_hashers.PBKDF2SHA1PasswordHasher().encode(p, "salt", 9)
    ),
    "werkzeug-pbkdf2 of SHA-1": (
        lambda p: werkzeug.generate_password_hash(p, "pbkdf2:sha1:9")
    ),
    "werkzeug-pbkdf2 of SHA-256": (
        lambda p: werkzeug.generate_password_hash(p, "pbkdf2:sha256:9")
    ),
    "werkzeug-scrypt": lambda p: werkzeug.generate_password_hash(p, "scrypt:1024:8:1"),
    "werkzeug-pbkdf2": lambda p: werkzeug.generate_password_hash(p, "pbkdf2:sha512:9"),
}


def need_passlib_for(name: str) -> None:
    """Skip where passlib makes a bcrypt hash, by a package that it cannot use."""
    by_passlib = name.startswith(("bcrypt-sha256", "bcrypt of"))
    if by_passlib and not version("bcrypt").startswith(("3.", "4.")):
        pytest.skip("PASSLIB CANNOT USE THIS BCRYPT: its hashes are not made")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("password", ["correct horse battery", "ﬁé∑ пароль"])
def test_hashes_of_other_makers(name: str, password: str) -> None:
    need_passlib_for(name)
    stored = MAKERS[name](password)
    for form in (stored, stored.encode()):
        assert CHEAP.verify(password, form)
        assert CHEAP.verify(password.encode(), form)
        assert not CHEAP.verify(password + "x", form)
        assert CHEAP.identify(form) == name.partition(" ")[0]
    assert PasswordHash("scrypt").needs_rehash(stored)
    right, newer = CHEAP.verify_and_update(password, stored)
    assert right
    # A new hash would not take the other spellings that Better Auth's takes.
    is_kept = name == "better-auth-scrypt" and not password.isascii()
    assert (newer is None) == is_kept
    assert newer is None or newer.startswith("$argon2id$")
    assert verify_password(password, stored)


def test_the_usual_cost_of_werkzeug() -> None:
    stored = werkzeug.generate_password_hash("x")
    assert CHEAP.verify("x", stored)
    assert not CHEAP.verify("y", stored)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", MAKERS)
def test_changed_hashes_never_pass(name: str) -> None:
    """A changed character is another hash, or none, and never a crash."""
    need_passlib_for(name)
    stored = MAKERS[name]("x")
    if name in ("werkzeug-scrypt", "better-auth-scrypt", "django-argon2"):
        changed = [stored[:-1] + ("0" if stored[-1] != "0" else "1"), stored[:-1]]
    else:
        changed = [stored[:i] + "!" + stored[i + 1 :] for i in range(len(stored))]
        changed += [stored[:i] for i in range(len(stored))]
        changed += [stored + "A", stored + "=", stored + "$", stored + "\n"]
    for text in changed:
        try:
            assert not CHEAP.verify("x", text), text
        except InvalidHashError:
            continue


def test_pwdlib_and_ours() -> None:
    theirs = Pwdlib((Argon2Hasher(1, 64, 1), BcryptHasher(4)))
    assert CHEAP.verify("x", theirs.hash("x"))
    assert theirs.verify("x", CHEAP.hash("x"))
    assert theirs.verify("x", PasswordHash("bcrypt", rounds=4).hash("x"))


@pytest.mark.filterwarnings("ignore")
def test_ours_verify_there() -> None:
    password = "correct horse battery"
    assert passlib.hash.scrypt.verify(password, SCRYPT.hash(password))
    assert passlib.hash.argon2.verify(password, CHEAP.hash(password))
    ours = PasswordHash("bcrypt", rounds=4).hash(password)
    assert bcrypt.checkpw(password.encode(), ours.encode())
    need_passlib_for("bcrypt of passlib")
    assert passlib.hash.bcrypt.verify(password, ours)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=80).map(lambda text: text.replace(b"\0", b"\1")),
    st.sampled_from([b"2a", b"2b", b"2y"]),
)
def test_the_bcrypt_package_agrees(password: bytes, prefix: bytes) -> None:
    stored = bcrypt.hashpw(password[:72], bcrypt.gensalt(4, b"2b"))
    stored = b"$" + prefix + stored[3:]
    has_odd_bytes = prefix == b"2a" and b"\xff" in password
    assert CHEAP.verify(password, stored) or has_odd_bytes
    assert not CHEAP.verify(b"!" + password, stored)


# --- costs --------------------


@pytest.mark.parametrize(
    "stored",
    [
        f"$scrypt$ln=30,r=8,p=1$c2FsdA${'A' * 43}",
        f"$scrypt$ln=20,r=16,p=1$c2FsdA${'A' * 43}",
        f"$scrypt$ln=14,r=8,p=1000$c2FsdA${'A' * 43}",
        f"$scrypt$ln=1,r=128,p=65535$c2FsdA${'A' * 43}",
        f"$scrypt$ln=1,r=8,p=8193$c2FsdA${'A' * 43}",
        f"$scrypt$ln=4,r=1,p=65537$c2FsdA${'A' * 43}",
        f"$scrypt$ln=4,r=65537,p=1$c2FsdA${'A' * 43}",
        f"$scrypt$ln=4,r=65536,p=65536$c2FsdA${'A' * 43}",
        f"scrypt$2$salt$32$65535${'A' * 86}==",
        f"scrypt:2:32:65535$salt${'0' * 128}",
        f"scrypt:536870912:8:1$salt${'0' * 128}",
        f"$pbkdf2-sha256$999999999$c2FsdA${'A' * 43}",
        f"pbkdf2_sha256$99999999$salt${'A' * 43}=",
        f"pbkdf2:sha256:99999999$salt${'0' * 64}",
        f"argon2$argon2id$v=19$m=99999999,t=3,p=4$c2FsdHNhbHQ${'A' * 43}",
        f"$2x$31$abcdefghijklmnopqrstuu{'A' * 31}",
    ],
)
def test_costs_are_capped_before_any_work(stored: str) -> None:
    with pytest.raises(InvalidHashError, match="more memory or time"):
        CHEAP.verify("x", stored)
    with pytest.raises(InvalidHashError):
        CHEAP.needs_rehash(stored)


@pytest.mark.parametrize(
    ("stored", "scheme"),
    [
        (f"$scrypt$ln=20,r=8,p=1$c2FsdA${'A' * 43}", "scrypt"),
        (f"$scrypt$ln=20,r=8,p=2$c2FsdA${'A' * 43}", "scrypt"),
        (f"$scrypt$ln=17,r=8,p=16$c2FsdA${'A' * 43}", "scrypt"),
        (f"$scrypt$ln=14,r=8,p=128$c2FsdA${'A' * 43}", "scrypt"),
        (f"$scrypt$ln=1,r=8,p=8192$c2FsdA${'A' * 43}", "scrypt"),
        (f"$scrypt$ln=4,r=1,p=65536$c2FsdA${'A' * 43}", "scrypt"),
        (f"scrypt$131072$salt$8$5${'A' * 86}==", "django-scrypt"),
        (f"scrypt:131072:8:5$salt${'0' * 128}", "werkzeug-scrypt"),
        (f"$pbkdf2$10000000$c2FsdA${'A' * 27}", "pbkdf2-sha1"),
        (f"$pbkdf2-sha512$10000000$c2FsdA${'A' * 86}", "pbkdf2-sha512"),
        (f"pbkdf2:sha256:10000000$salt${'0' * 64}", "werkzeug-pbkdf2"),
    ],
)
def test_costs_up_to_the_cap_are_taken(stored: str, scheme: str) -> None:
    assert _core.password_scheme(stored) == scheme


@pytest.mark.parametrize(
    "stored",
    [
        f"$scrypt$ln=0,r=8,p=1$c2FsdA${'A' * 43}",
        f"$scrypt$ln=64,r=8,p=1$c2FsdA${'A' * 43}",
        f"$scrypt$ln=4,r=0,p=1$c2FsdA${'A' * 43}",
        f"scrypt:15:8:1$salt${'0' * 128}",
        f"$pbkdf2-sha256$0$c2FsdA${'A' * 43}",
        f"$pbkdf2-sha256$9$c2FsdA${'A' * 5}",
        f"$pbkdf2-sha1$9$c2FsdA${'A' * 43}",
        f"{'0' * 31}g:{'0' * 127}",
        f"{'0' * 32}:{'0' * 127}G",
        f"{'0' * 32};{'0' * 128}",
        "$pepper$",
        "$pepper$1",
        "$pepper$$argon2id$",
    ],
)
def test_malformed(stored: str) -> None:
    for form in (stored, stored.encode()):
        with pytest.raises(InvalidHashError):
            CHEAP.verify("x", form)


# --- ours: scrypt, profiles, pepper --------------------


def test_scrypt_of_our_own() -> None:
    stored = SCRYPT.hash("x")
    assert stored.startswith("$scrypt$ln=4,r=8,p=1$")
    assert SCRYPT.verify("x", stored)
    assert not SCRYPT.needs_rehash(stored)
    assert PasswordHash("scrypt", n=32).needs_rehash(stored)
    assert SCRYPT.verify_and_update("x", CHEAP.hash("x"))[1] is not None
    assert repr(PasswordHash("scrypt")) == "<PasswordHash $scrypt$ln=17,r=8,p=1$>"
    for wrong in ({"n": 100}, {"n": 2**30}, {"r": 0}, {"p": 2**20}):
        with pytest.raises(ConfigurationError):
            PasswordHash("scrypt", **wrong)


def test_profiles(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {
        name: repr(PasswordHash.from_profile(name))
        for name in ("rfc9106-low-memory", "owasp-19mib", "owasp-scrypt")
    }
    assert made["rfc9106-low-memory"] == repr(PasswordHash.recommended())
    assert made["owasp-19mib"] == "<PasswordHash $argon2id$v=19$m=19456,t=2,p=1$>"
    assert made["owasp-scrypt"] == repr(PasswordHash("scrypt"))
    with pytest.raises(ConfigurationError, match="a profile is one of"):
        PasswordHash.from_profile("fast")
    monkeypatch.delenv("FASTBEARER_TESTING", raising=False)
    with pytest.raises(ConfigurationError, match="FASTBEARER_TESTING=1"):
        PasswordHash.from_profile("testing")
    monkeypatch.setenv("FASTBEARER_TESTING", "1")
    assert PasswordHash.from_profile("testing").verify("x", CHEAP.hash("x"))


def peppered(*versions: str, scheme: str = "argon2id") -> PasswordHash:
    chosen = {version: PEPPER[version] for version in versions}
    cheap = {"time_cost": 1, "memory_cost": 8, "parallelism": 1, "rounds": 4, "n": 16}
    return PasswordHash(scheme, **cheap, pepper=chosen)


@pytest.mark.parametrize("scheme", ["argon2id", "bcrypt", "scrypt"])
def test_a_pepper(scheme: str) -> None:
    old, new = peppered("1", scheme=scheme), peppered("1", "2", scheme=scheme)
    for password in ("correct horse", "é" * 200, "\0", b"\xff\0", ""):
        stored = old.hash(password)
        assert stored.startswith("$pepper$1$")
        assert old.verify(password, stored)
        assert old.verify(password, stored.encode())
        assert not old.verify("another", stored)
        assert not old.needs_rehash(stored)
        assert new.verify(password, stored)
        assert new.needs_rehash(stored)
        right, newer = new.verify_and_update(password, stored)
        assert right
        assert newer is not None
        assert newer.startswith("$pepper$2$")
    assert old.identify(stored) == scheme
    bare = stored.removeprefix("$pepper$1")
    assert not old.verify("", bare)


@pytest.mark.parametrize("pepper", ["1", 5, [("1", b"1" * 32)], {1: b"1" * 32}])
def test_what_is_no_pepper(pepper: Any) -> None:
    with pytest.raises((TypeError, ConfigurationError)) as caught:
        PasswordHash(pepper=pepper)
    assert not isinstance(caught.value, UnicodeError)


def test_a_hash_without_a_pepper_still_verifies() -> None:
    stored = CHEAP.hash("x")
    assert peppered("1").verify("x", stored)
    assert peppered("1").needs_rehash(stored)
    assert CHEAP.needs_rehash(peppered("1").hash("x"))


def test_a_pepper_that_is_missing() -> None:
    stored = peppered("2").hash("x")
    for hasher in (CHEAP, peppered("1")):
        with pytest.raises(InvalidHashError, match="pepper"):
            hasher.verify("x", stored)
    with pytest.raises(InvalidHashError):
        verify_password("x", stored)


def test_passwords_that_a_pepper_cannot_take() -> None:
    hasher = peppered("1")
    stored = hasher.hash("x")
    for password, error in (
        ("x" * 4097, PasswordTooLongError),
        ("\ud800", PasswordError),
    ):
        with pytest.raises(error):
            hasher.hash(password)
        assert not hasher.verify(password, stored)


@pytest.mark.parametrize(
    "secrets_of",
    [{}, {"1": b"short"}, {"": b"1" * 32}, {"a$b": b"1" * 32}, {"1": "1" * 32}],
)
def test_a_pepper_that_is_none(secrets_of: Any) -> None:
    with pytest.raises(ConfigurationError):
        PasswordHash(pepper=secrets_of)


def test_verifying_by_the_format_is_the_cores() -> None:
    assert _core.password_scheme(CHEAP.hash("x")) == "argon2id"
