"""Nobody's hashes, written from their parts, and what a hash says of a password."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from fastbearer import FastbearerError, InvalidHashError, PasswordTooLongError, _core

SALT = b"0123456789abcdef"
TEXT = "0123456789abcdef0123456789abcdef"
WRITTEN: dict[str, tuple[str | bytes, dict[str, Any], str]] = {
    "argon2id": (
        SALT,
        {"rounds": 1, "memory_cost": 8},
        "$argon2id$v=19$m=8,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$" + "A" * 43,
    ),
    "bcrypt": (SALT, {"rounds": 4}, "$2b$04$KBCwKxOzLha2MUDgW0PjXe" + "." * 31),
    "bcrypt-sha256": (
        SALT,
        {"rounds": 4, "version": 2},
        "$bcrypt-sha256$v=2,t=2b,r=4$KBCwKxOzLha2MUDgW0PjXe$" + "." * 31,
    ),
    "scrypt": (
        SALT,
        {"rounds": 16},
        "$scrypt$ln=4,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$" + "A" * 43,
    ),
    "pbkdf2-sha1": (b"s", {"rounds": 9}, "$pbkdf2$9$cw$" + "A" * 27),
    "pbkdf2-sha256": (b"s", {"rounds": 9}, "$pbkdf2-sha256$9$cw$" + "A" * 43),
    "pbkdf2-sha512": (b"s", {"rounds": 9}, "$pbkdf2-sha512$9$cw$" + "A" * 86),
    "better-auth-scrypt": (TEXT, {}, TEXT + ":" + "0" * 128),
    "django-pbkdf2-sha1": (
        "salt",
        {"rounds": 9},
        "pbkdf2_sha1$9$salt$" + "A" * 27 + "=",
    ),
    "django-pbkdf2-sha256": (
        "salt",
        {"rounds": 9},
        "pbkdf2_sha256$9$salt$" + "A" * 43 + "=",
    ),
}


@pytest.mark.parametrize("scheme", WRITTEN)
def test_a_hash_of_nobody(scheme: str) -> None:
    salt, costs, text = WRITTEN[scheme]
    made = _core.password_setting(scheme, salt, **costs)
    assert made == text
    parts = _core.password_parts(made)
    assert parts.pop("scheme") == scheme
    assert {name: parts[name] for name in costs} == costs
    for password in ("", "x", b"\0"):
        assert not _core.password_verify(password, made)
    # What is made under it says the same of itself.
    stored = _core.password_hash("x", made)
    assert _core.password_parts(stored) == _core.password_parts(made)
    assert _core.password_verify("x", stored)
    assert not _core.password_verify("y", stored)
    assert _core.password_scheme(stored) == scheme


@pytest.mark.parametrize(
    ("scheme", "salt", "costs"),
    [
        ("argon2id", SALT, {"rounds": 1, "memory_cost": 7}),
        ("argon2id", SALT, {"rounds": 0, "memory_cost": 8}),
        ("argon2id", SALT, {"rounds": 1, "memory_cost": 8, "digest_size": 3}),
        ("argon2id", SALT, {"rounds": 1, "memory_cost": 8, "digest_size": 129}),
        ("argon2id", SALT, {"rounds": 1, "memory_cost": 8, "digest_size": -1}),
        ("argon2id", SALT, {"rounds": 1, "memory_cost": 2**40}),
        ("argon2id", SALT, {"rounds": 1, "memory_cost": 8, "parallelism": 2**35}),
        ("argon2id", SALT[:7], {"rounds": 1, "memory_cost": 8}),
        ("argon2id", SALT * 5, {"rounds": 1, "memory_cost": 8}),
        ("bcrypt", SALT, {"rounds": 17}),
        ("bcrypt", SALT, {"rounds": 3}),
        ("bcrypt", SALT, {"rounds": 104}),
        ("bcrypt", SALT, {"rounds": 4, "kind": "z"}),
        ("bcrypt", SALT[:15], {"rounds": 4}),
        ("bcrypt-sha256", SALT, {"rounds": 17, "version": 2}),
        ("scrypt", SALT, {"rounds": 15}),
        ("scrypt", SALT, {"rounds": 2**40}),
        ("scrypt", b"x" * 257, {"rounds": 16}),
        ("scrypt", b"x" * 4000, {"rounds": 16}),
        ("pbkdf2-sha256", b"x" * 4000, {"rounds": 9}),
        ("pbkdf2-sha256", SALT, {"rounds": 0}),
        ("pbkdf2-sha256", SALT, {"rounds": 2**63}),
        ("django-pbkdf2-sha256", "a$b", {"rounds": 9}),
        ("django-pbkdf2-sha256", "a" * 600, {"rounds": 9}),
        ("better-auth-scrypt", TEXT * 20, {}),
        ("argon2i", SALT, {"rounds": 1, "memory_cost": 8}),
        ("werkzeug-scrypt", "salt", {"rounds": 16}),
        ("md5", SALT, {}),
    ],
)
def test_what_is_not_written(
    scheme: str, salt: str | bytes, costs: dict[str, Any]
) -> None:
    with pytest.raises(InvalidHashError):
        _core.password_setting(scheme, salt, **costs)


@pytest.mark.parametrize("wide", [2**32, 2**64, 2**70, 10**30])
@pytest.mark.parametrize(
    ("scheme", "cost"),
    [
        *(("argon2id", name) for name in ("rounds", "memory_cost", "parallelism")),
        ("bcrypt-sha256", "rounds"),
    ],
)
def test_a_cost_does_not_wrap_round(scheme: str, cost: str, wide: int) -> None:
    """One that is beyond C's integers must not become the small one it ends in."""
    small = WRITTEN[scheme][1] | {"parallelism": 1}
    for number in (wide + small[cost], small[cost] - wide):
        with pytest.raises(InvalidHashError):
            _core.password_setting(scheme, SALT, **{**small, cost: number})


def test_words_that_no_hash_can_hold() -> None:
    for scheme, kind in (("\ud800", ""), ("bcrypt\0", ""), ("bcrypt", "bb")):
        with pytest.raises(InvalidHashError):
            _core.password_setting(scheme, SALT, rounds=4, kind=kind)
    for salt in ("\ud800" * 16, "\u00e9" * 16):
        with pytest.raises(InvalidHashError):
            _core.password_setting("bcrypt", salt, rounds=4)


def test_a_number_may_be_larger_than_any_machine() -> None:
    stored = _core.password_hash("x", "$2b$04$abcdefghijklmnopqrstuu", 2**70)
    for threads in (2**70, -(2**70)):
        assert _core.password_verify("x", stored, threads)
    assert _core.password_rest(2**70) >= _core.password_rest(-(2**70)) == 0


def test_what_is_made_under_a_bare_setting_can_be_read() -> None:
    for bare in (
        "$pbkdf2-sha512$9$c2FsdA$",
        "$pbkdf2$9$c2FsdA$",
        "scrypt$16$salt$8$1$",
        "scrypt:16:8:1$salt$",
        "$scrypt$ln=4,r=8,p=1$c2FsdA$",
        "$2b$04$abcdefghijklmnopqrstuu",
        "$bcrypt-sha256$v=2,t=2b,r=4$abcdefghijklmnopqrstuu",
        f"{TEXT}:{'0' * 128}",
    ):
        stored = _core.password_hash("x", bare)
        assert _core.password_scheme(stored)
        assert _core.password_verify("x", stored), bare


def test_a_salt_that_leaves_no_room_for_the_digest() -> None:
    """Of every length it is clear at once whether a hash can be verified."""
    for length in range(180, 300):
        stored = f"pbkdf2:sha512:9${'s' * length}${'0' * 128}"
        try:
            _core.password_scheme(stored)
        except InvalidHashError:
            with pytest.raises(InvalidHashError):
                _core.password_verify("x", stored)
            with pytest.raises(InvalidHashError):
                _core.password_hash("x", stored)
        else:
            assert not _core.password_verify("x", stored)


BCRYPT = "$2b$04$abcdefghijklmnopqrstuu" + "A" * 31
FIRST = BCRYPT.replace("2b", "2")
TURN = "x" * 39 + "y"
KDFS = [
    f"$pbkdf2-sha256$9$c2FsdA${'A' * 43}",
    f"$scrypt$ln=4,r=8,p=1$c2FsdA${'A' * 43}",
    f"pbkdf2_sha1$9$salt${'A' * 27}=",
]


@pytest.mark.parametrize(
    ("stored", "password", "is_sole"),
    [
        (BCRYPT, "x" * 71, True),
        (BCRYPT, "x" * 72, False),  # or of a longer one that begins so
        (BCRYPT, "x" * 73, False),
        (BCRYPT, "\u00e9" * 35, True),
        (BCRYPT, "\u00e9" * 36, False),
        (BCRYPT, "\u00e9" * 37, False),
        (BCRYPT.replace("2b", "2x"), "plain", True),
        (BCRYPT.replace("2b", "2x"), "caf\u00e9", False),
        (BCRYPT.replace("2b", "2a"), "caf\u00e9", True),
        *((stored, "ab", True) for stored in (FIRST, f"bcrypt${FIRST}")),
        *((stored, "abab", False) for stored in (FIRST, f"bcrypt${FIRST}")),
        (FIRST, "x", True),
        (FIRST, "xx", False),
        (FIRST, "", True),
        (FIRST, "abaab", True),
        (FIRST, TURN, True),
        (FIRST, TURN + TURN[:31], False),  # the same 72 bytes
        (FIRST, "x" * 72, False),
        (f"bcrypt${BCRYPT}", "x" * 71, True),
        (f"bcrypt${BCRYPT}", "x" * 72, False),
        (f"bcrypt${BCRYPT}", "x" * 73, False),
        (f"bcrypt${BCRYPT.replace('2b', '2x')}", "caf\u00e9", False),
        (f"bcrypt_sha256${BCRYPT}", "x" * 4096, True),
        (f"$bcrypt-sha256$v=2,t=2b,r=4${'a' * 21}u${'A' * 31}", "x" * 100, True),
        *((stored, "x" * 4096, True) for stored in KDFS),
        *((stored, "x\0", False) for stored in KDFS),
        *((stored, "\0x", True) for stored in KDFS),
        (f"$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ${'A' * 43}", "x\0", True),
        (f"{TEXT}:{'0' * 128}", "caf\u00e9", True),
        (f"{TEXT}:{'0' * 128}", "cafe\u0301", False),
        (f"{TEXT}:{'0' * 128}", "\ufb01", False),
        (f"{TEXT}:{'0' * 128}", "\ufdfa" * 300, False),
        (f"{TEXT}:{'0' * 128}", "\ud800", False),
    ],
)
def test_whether_a_hash_has_seen_the_whole_password(
    stored: str, password: str, is_sole: bool
) -> None:
    assert _core.password_is_sole(password, stored) is is_sole
    if "\ud800" not in password:
        assert _core.password_is_sole(password.encode(), stored) is is_sole


@pytest.mark.parametrize("stored", [BCRYPT, f"bcrypt${BCRYPT}"])
def test_a_new_hash_forgets_nothing(stored: str) -> None:
    """Also under a whole hash, as under one without its digest."""
    with pytest.raises(PasswordTooLongError):
        _core.password_hash("x" * 73, stored)
    with pytest.raises(PasswordTooLongError):
        _core.password_hash("x" * 73, stored[:-31])


@pytest.mark.parametrize(
    "setting",
    ["argon2$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ", "bcrypt$$2b$04$" + "." * 22],
)
def test_a_setting_of_django_makes_a_whole_hash(setting: str) -> None:
    made = _core.password_hash("x", setting, 1)
    assert made.startswith(setting)
    inner = _core.password_hash("x", "$" + setting.partition("$")[2].lstrip("$"), 1)
    assert made.endswith(inner.removeprefix("$")) and len(inner) > 50
    assert _core.password_verify("x", made, 1)
    assert not _core.password_verify("y", made, 1)


FIPS = """
import ctypes, re, sys
from fastbearer import _core
stored = "$scrypt$ln=4,r=8,p=1$c2FsdA$" + "A" * 43
assert not _core.password_verify("x", stored)
with open("/proc/self/maps") as maps:
    path = re.search(r"/\\S*libcrypto\\S*", maps.read())
if path is None:
    sys.exit("libcrypto is inside the module")
# Nothing that is approved can be found: there is no FIPS provider here.
assert ctypes.CDLL(path[0]).EVP_set_default_properties(None, b"fips=yes") == 1
for call in (_core.password_verify, _core.password_hash):
    try:
        call("x", stored)
    except Exception as error:
        print(type(error).__name__)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="finds libcrypto in /proc")
def test_scrypt_where_it_is_not_approved() -> None:
    command = [sys.executable, "-c", FIPS]
    # By default libsodium computes it, unless FIPS is asked for before the core starts.
    chosen = {**os.environ, "FASTBEARER_SCRYPT": "libcrypto"}
    run = subprocess.run(command, capture_output=True, text=True, env=chosen)
    if "inside the module" in run.stderr:
        pytest.skip("libcrypto IS INSIDE THE MODULE: no test can set its properties")
    assert run.stdout == f"{FastbearerError.__name__}\n" * 2, run.stderr
