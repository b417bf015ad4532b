"""What the drop-ins make verifies in the core, as the guides say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fastbearer import InvalidHashError, PasswordHash, _core, verify_password
from fastbearer.compat.passlib.hash import HANDLERS
from fastbearer.compat.pwdlib.hashers.argon2 import Argon2Hasher
from fastbearer.compat.pwdlib.hashers.bcrypt import BcryptHasher
from project import ROOT

CHEAP: dict[str, list[dict[str, Any]]] = {
    "bcrypt": [{"rounds": 4, "ident": ident} for ident in ("2a", "2b", "2y")],
    "bcrypt_sha256": [{"rounds": 4, "version": version} for version in (1, 2)],
    "argon2": [
        {"rounds": 1, "memory_cost": 8, "parallelism": 1},
        {"rounds": 1, "memory_cost": 8, "parallelism": 1, "salt_size": 8},
        {"rounds": 1, "memory_cost": 8, "parallelism": 1, "digest_size": 64},
    ],
    "scrypt": [{"rounds": 4}, {"rounds": 4, "salt_size": 0}],
    "pbkdf2_sha1": [{"rounds": 2}, {"rounds": 2, "salt_size": 64}],
    "pbkdf2_sha256": [{"rounds": 2}, {"rounds": 2, "salt_size": 64}],
    "pbkdf2_sha512": [{"rounds": 2}, {"rounds": 2, "salt_size": 64}],
    "django_pbkdf2_sha1": [{"rounds": 2}],
    "django_pbkdf2_sha256": [{"rounds": 2}],
    "django_bcrypt": [{"rounds": 4}],
    "django_bcrypt_sha256": [{"rounds": 4}],
    "django_argon2": [{"rounds": 1, "memory_cost": 8, "parallelism": 1}],
    "django_salted_sha1": [{}],
    "django_salted_md5": [{}],
    "django_disabled": [{}],
}
PWDLIB: dict[str, list[Callable[[str], str]]] = {
    "Argon2Hasher": [Argon2Hasher(1, 8, 1).hash, Argon2Hasher(1, 8, 1, 16, 8).hash],
    "BcryptHasher": [BcryptHasher(4).hash, BcryptHasher(4, "2a").hash],
}


def makers_of(name: str) -> list[Callable[[str], str]]:
    if name in PWDLIB:
        return PWDLIB[name]
    handler = HANDLERS[name]
    return [handler.using(**settings).hash for settings in CHEAP[name]]


def rows(page: str, heading: str, number: int = 1) -> Iterator[list[str]]:
    """Yield the cells of the table below a heading row, or below the n-th such."""
    lines = iter((ROOT / "docs" / page).read_text().splitlines())
    for line in lines:
        number -= line == heading
        if number == 0:
            next(lines)
            break
    for line in lines:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.strip("|").split("|")]


TABLE = {
    maker.strip("`"): answer
    for maker, answer in rows("migrate/passlib.md", "| Maker | `verify_password` |")
}


def test_the_table_has_every_maker() -> None:
    assert list(TABLE) and set(TABLE) == {*HANDLERS, *PWDLIB}
    assert set(TABLE.values()) == {"yes", "no", "weak"}


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.parametrize("password", ["correct horse battery", "\u00e9\u20ac"])
def test_what_a_drop_in_makes(name: str, password: str) -> None:
    for make in makers_of(name):
        stored = make(password)
        if TABLE[name] == "yes":
            assert verify_password(password, stored)
            assert not verify_password(password + "!", stored)
        else:
            with pytest.raises(InvalidHashError):
                verify_password(password, stored)
        if TABLE[name] == "weak":
            hasher = PasswordHash(weak_hashes=True)
            assert hasher.verify(password, stored)
            assert not hasher.verify(password + "!", stored)


def named_in(tables: Iterator[list[str]]) -> set[str]:
    return {
        name for *_, names in tables for name in re.findall(r"`([a-z0-9-]+)`", names)
    }


def names_of(table: str) -> dict[str, bool]:
    """Return the names of a table's rows, and whether they are weak."""
    return {
        row.partition('"')[0]: ".is_weak = true" in row
        for row in table.split('.name = "')[1:]
    }


def test_the_formats_that_the_docs_name_are_the_cores() -> None:
    """Each in the table where it belongs: of today, older, or weak."""
    page = "guide/passwords.md"
    heading = "| Written by | Text | `identify` |"
    folder = ROOT / "csrc" / "lib" / "password"
    made = names_of((folder / "formats.c").read_text())
    old = names_of((folder / "formats_old.c").read_text())
    weak = {name for name, is_weak in old.items() if is_weak}
    assert named_in(rows(page, "| Format | `identify` |")) == made.keys()
    assert named_in(rows(page, heading)) == old.keys() - weak
    assert named_in(rows(page, heading, 2)) == weak
    assert not any(made.values())
    assert len(weak) == 12


def test_the_first_kind_of_bcrypt() -> None:
    """The drop-in names it, and makes it no more."""
    from_1999 = "$2$05$c92SVSfjeiCD6F2nAD6y0uBpJDjdRkt0EgeC4/31Rf2LUZbDRDE.O"
    assert _core.password_scheme(from_1999) == "bcrypt"
    for repeated in ("U*U", "U*U" * 2):
        assert verify_password(repeated, from_1999) is HANDLERS["bcrypt"].verify(
            repeated, from_1999
        )
