"""Calls of what hashes passwords and reads hashes, all of them cheap."""

from __future__ import annotations

import base64
import hashlib
import re
import threading
from collections.abc import Callable
from functools import cache
from queue import SimpleQueue
from random import Random
from typing import Any

import fastbearer
from fastbearer import ConfigurationError, PasswordError, PasswordHash, _core

from .calls import Call, Check, calls, holds, raises, returns
from .json_texts import mutated

PASSWORD = "Xq7-a-password-of-nobody"
SALT = "c2FsdHNhbHRzYWx0MTIz"
DOTS = "." * 22

SETTINGS = (
    *(f"$argon2{k}$v=19$m=8,t=1,p=1${SALT}" for k in ("id", "i", "d")),
    *(f"$argon2id$v=19$m=32,t=2,p=2${SALT}", f"$2b$04${DOTS}", f"$2a$04${DOTS}"),
    *(f"$scrypt$ln=4,r=8,p=1${SALT}$", f"$pbkdf2-sha256$9${SALT}$"),
    *(f"$pbkdf2-sha512$9${SALT}$", f"$pbkdf2$9${SALT}$", "pbkdf2_sha256$9$salt$"),
    *("scrypt$16$salt$8$1$", "scrypt:16:8:1$salt$", "pbkdf2:sha256:9$salt$"),
    *(f"bcrypt$$2b$04${DOTS}", f"bcrypt_sha256$$2b$04${DOTS}", "pbkdf2_sha1$9$salt$"),
    *(
        f"argon2$argon2id$v=19$m=8,t=1,p=1${SALT}",
        f"$bcrypt-sha256$v=2,t=2b,r=4${DOTS}",
    ),
)
OTHERS = (
    *(
        "",
        "$",
        "$2b$",
        "$2b$99$" + DOTS,
        "$argon2id$",
        "$1$salt$",
        "md5$salt$",
        "{SSHA}",
    ),
    *("0" * 32 + ":" + "0" * 128, "$5$rounds=1000$salt$", "$P$9saltsalt", "plain"),
    *("$argon2id$v=19$m=4294967295,t=1,p=1$" + SALT, "$scrypt$ln=63,r=8,p=1$AA$"),
)


@cache
def hashes() -> tuple[str, ...]:
    return tuple(_core.password_hash(PASSWORD, setting) for setting in SETTINGS)


def password(dice: Random) -> Any:
    return dice.choice(
        (
            *(PASSWORD, PASSWORD.encode(), "", b"", "\u00e9" * 9, "\u212b", "x" * 71),
            *(
                "x" * 73,
                "x" * 4096,
                "x" * 4097,
                "a\0b",
                b"\xff\xfe",
                "\ud800" + PASSWORD,
            ),
        )
    )


def is_cheap(text: bytes) -> bool:
    """Tell whether a changed hash still costs next to nothing, if it is one."""
    numbers = re.findall(rb"\d+", text[:48])
    is_bcrypt = re.search(rb"2[abxy]?\$|r=|\$[56HPS]", text[:24])
    return all(len(one) < 3 for one in numbers) and (
        not is_bcrypt or b"04$" in text[:24] or b"r=4" in text[:24]
    )


def is_hashable(given: Any, setting: str) -> bool:
    """Tell whether a password can be hashed by its scheme."""
    try:
        data = given.encode() if isinstance(given, str) else given
    except UnicodeEncodeError:
        return False
    limit = 72 if setting.startswith(("$2", "bcrypt$")) else 4096
    is_bcrypt = "$2" in setting and "sha256" not in setting
    return len(data) <= limit and not (is_bcrypt and b"\0" in data)


@calls("password_hash", PasswordError, weight=4)
def password_hash(dice: Random) -> Call:
    setting, given = dice.choice(SETTINGS), password(dice)
    if dice.random() < 0.2:
        spoiled = mutated(dice, dice.choice((*SETTINGS, *OTHERS)).encode())
        if is_cheap(spoiled):
            args = (given, spoiled, 1)
            return Call(_core.password_hash, args, secrets=(PASSWORD,))

    def is_right(made: str) -> bool:
        right = _core.password_verify(given, made, 1)
        other = _core.password_verify(PASSWORD + "no", made, 1)
        return right and not other and made.startswith(setting.rstrip("$."))

    check = holds(is_right) if is_hashable(given, setting) else raises(PasswordError)
    return Call(_core.password_hash, (given, setting, 1), {}, check, (PASSWORD,))


def second_opinion(text: str, word: bytes) -> bool | None:
    """Return what hashlib says of a hash of PBKDF2 or scrypt; None for others."""
    found = re.fullmatch(r"pbkdf2_(sha\d+)\$(\d+)\$([^$]*)\$(\S+)", text)
    if found:
        name, rounds, salt, digest = found.groups()
        made = hashlib.pbkdf2_hmac(name, word, salt.encode(), int(rounds))
        return base64.b64encode(made).decode() == digest
    found = re.fullmatch(r"scrypt:(\d+):(\d+):(\d+)\$([^$]*)\$(\S+)", text)
    if found:
        n, r, p = (int(number) for number in found.groups()[:3])
        salt, digest = found.groups()[3:]
        return hashlib.scrypt(word, salt=salt.encode(), n=n, r=r, p=p).hex() == digest
    return None


def is_of(stored: bytes, original: str) -> bool:
    """Tell whether a hash may verify as another does: bcrypt's two beginnings."""
    plain = re.sub(rb"\$2[ay]\$", b"$2b$", stored)
    return plain == re.sub(rb"\$2[ay]\$", b"$2b$", original.encode())


def verifying(dice: Random, function: Callable[..., Any], *more: Any) -> Call:
    original = dice.choice(hashes())
    stored = original.encode()
    if dice.random() < 0.6:
        stored = mutated(dice, stored)
        if not is_cheap(stored):
            stored = original.encode()
    given = dice.choice((PASSWORD, PASSWORD.encode(), PASSWORD + "x", password(dice)))
    word = given if isinstance(given, bytes) else given.encode("utf-8", "replace")
    text = stored if dice.random() < 0.5 else stored.decode("latin-1")

    def check(answer: Any, error: BaseException | None) -> str | None:
        if error is not None:
            return "should be read" if stored == original.encode() else None
        is_right = word == PASSWORD.encode() and is_of(stored, original)
        second = second_opinion(stored.decode("latin-1"), word)
        wanted = second if second is not None and word == given else is_right
        return None if answer is wanted else f"answers {answer}, not {wanted}"

    secrets = (PASSWORD, original[-20:])
    return Call(function, (given, text, *more), check=check, secrets=secrets)


@calls("password_verify", PasswordError, weight=8)
def password_verify(dice: Random) -> Call:
    return verifying(dice, _core.password_verify, 1)


@calls("password_verify", PasswordError)
def password_verify_in_threads(dice: Random) -> Call:
    stored, threads = (
        dice.choice(hashes()),
        dice.choice((0, 1, 3, 64, -1, 2**40, 2**70)),
    )
    args = (PASSWORD, stored, threads)
    return Call(_core.password_verify, args, check=returns(True), secrets=(PASSWORD,))


@calls("verify_password", PasswordError)
def verify_password(dice: Random) -> Call:
    return verifying(dice, fastbearer.verify_password)


def looked_at(dice: Random) -> str | bytes:
    text = dice.choice((*hashes(), *SETTINGS, *OTHERS)).encode()
    text = mutated(dice, text) if dice.random() < 0.5 else text
    return text if dice.random() < 0.5 else text.decode("latin-1")


@calls("password_scheme", PasswordError)
def password_scheme(dice: Random) -> Call:
    return Call(_core.password_scheme, (looked_at(dice),))


@calls("password_parts", PasswordError)
def password_parts(dice: Random) -> Call:
    given = looked_at(dice)

    def agrees(parts: Any, error: BaseException | None) -> str | None:
        if error is not None:
            return None
        scheme = _core.password_scheme(given)
        return None if parts["scheme"] == scheme else "names another scheme"

    return Call(_core.password_parts, (given,), check=agrees)


@calls("password_is_sole", PasswordError)
def password_is_sole(dice: Random) -> Call:
    args = (password(dice), looked_at(dice))
    return Call(_core.password_is_sole, args, secrets=(PASSWORD,))


SCHEMES = ("argon2id", "bcrypt", "scrypt", "pbkdf2-sha256", "bcrypt-sha256", "nothing")
NUMBERS = (*range(18), 31, 32, 128, 2**31, 2**32, 2**32 + 16, 2**63, 2**64 + 1, 10**30)
COSTS = ("rounds", "memory_cost", "parallelism", "block_size", "digest_size", "version")


@calls("password_setting", PasswordError, ValueError, weight=5)
def password_setting(dice: Random) -> Call:
    """What is written says the numbers that were given, or is refused."""
    scheme = dice.choice(SCHEMES)
    costs = {name: dice.choice((-1, *NUMBERS)) for name in dice.sample(COSTS, 3)}

    def check(made: Any, error: BaseException | None) -> str | None:
        if error is not None:
            return None
        parts = _core.password_parts(made)
        said = {name: parts[name] for name in costs if parts[name] != 0}
        wrong = {name: said[name] for name in said if said[name] != costs[name]}
        # What a format does not say stands for what it always does.
        wrong = {n: v for n, v in wrong.items() if n not in ("digest_size", "version")}
        return None if not wrong else f"writes {wrong} for {costs}"

    salt = dice.choice((b"s" * 16, "saltsaltsaltsalt", b"", b"s" * 300))
    return Call(_core.password_setting, (scheme, salt), costs, check)


@calls("password_rest")
def password_rest(dice: Random) -> Call:
    seconds = dice.choice((0, 1, -1, 2**40, 2**70, -(2**70)))
    return Call(_core.password_rest, (seconds,), check=holds(lambda left: left >= 0))


@calls("in_slot", AttributeError, ValueError)
def in_slot(dice: Random) -> Call:
    slots: SimpleQueue[int] = SimpleQueue()
    slots.put(1)
    own: set[int] = dice.choice((set(), {threading.get_ident()}, {0}))
    given = dice.choice(("5", "five"))
    kept = own.copy()

    def is_right(answer: Any, error: BaseException | None) -> str | None:
        if (slots.qsize(), own) != (1, kept):
            return "keeps the slot"
        return None if answer == 5 or (error and given == "five") else "is not done"

    return Call(_core.in_slot, (slots, own, int, (given,)), check=is_right)


# --- PasswordHash --------------------

CHEAP = (
    {"scheme": "argon2id", "time_cost": 1, "memory_cost": 8, "parallelism": 1},
    {"scheme": "bcrypt", "rounds": 4},
    {"scheme": "scrypt", "n": 16},
)
PEPPER = {"1": b"Xq7-pepper-of-nobody-0123456789-"}
OPTIONS = (
    *("time_cost", "memory_cost", "parallelism", "rounds", "n", "r", "p"),
    "pepper",
)


@calls("PasswordHash", ConfigurationError, PasswordError, weight=3)
def password_hash_options(dice: Random) -> Call:
    named: dict[str, Any] = dict(dice.choice(CHEAP))
    for name in dice.sample(OPTIONS, dice.choice((0, 1, 1, 2))):
        named[name] = dice.choice((-1, *NUMBERS, None, 1.5, "5", True, PEPPER))
    return Call(PasswordHash, (), named, secrets=(PEPPER["1"],))


def hasher(dice: Random) -> PasswordHash:
    pepper = PEPPER if dice.random() < 0.3 else None
    return PasswordHash(**dice.choice(CHEAP), pepper=pepper)  # type: ignore[arg-type]


@calls("PasswordHash.hash", PasswordError)
def hash_one(dice: Random) -> Call:
    made = hasher(dice)
    check: Check = holds(lambda stored: made.verify(PASSWORD, stored))
    return Call(made.hash, (PASSWORD,), {}, check, (PASSWORD, PEPPER["1"]))


@calls("PasswordHash.verify", PasswordError)
def verify_one(dice: Random) -> Call:
    made = PasswordHash(**dice.choice(CHEAP))  # type: ignore[arg-type]
    return verifying(dice, made.verify)


@calls("PasswordHash.verify_and_update", PasswordError)
def verify_and_update(dice: Random) -> Call:
    made = hasher(dice)

    def is_right(answer: tuple[bool, str | None]) -> bool:
        is_good, newer = answer
        return is_good and (newer is None or made.verify(PASSWORD, newer))

    stored = dice.choice((made.hash(PASSWORD), *hashes()))
    check = holds(is_right)
    return Call(made.verify_and_update, (PASSWORD, stored), {}, check, (PASSWORD,))


@calls("PasswordHash.identify", PasswordError)
def identify(dice: Random) -> Call:
    return Call(hasher(dice).identify, (looked_at(dice),))


@calls("PasswordHash.needs_rehash", PasswordError)
def needs_rehash(dice: Random) -> Call:
    made = hasher(dice)
    if dice.random() < 0.3:
        return Call(made.needs_rehash, (made.hash("x"),), check=returns(False))
    return Call(made.needs_rehash, (looked_at(dice),))


@calls("PasswordHash.decoy", PasswordError)
def decoy(dice: Random) -> Call:
    made, like = hasher(dice), looked_at(dice)
    if dice.random() < 0.5:
        check = holds(lambda stored: not made.verify(PASSWORD, stored))
        known = dice.choice(((), (made.hash(PASSWORD),)))
        return Call(made.decoy, known, {}, check, (PEPPER["1"],))
    return Call(made.decoy, (like,), {}, secrets=(PEPPER["1"],))


@calls("PasswordHash.from_profile", ConfigurationError, ValueError)
def from_profile(dice: Random) -> Call:
    name = dice.choice(("owasp-7mib", "rfc9106", "testing", "none", "", "owasp-bcrypt"))
    return Call(PasswordHash.from_profile, (name,))


@calls("PasswordHash.recommended", weight=1)
def recommended(dice: Random) -> Call:
    check = holds(lambda made: made.scheme == "argon2id")
    return Call(PasswordHash.recommended, check=check)


TOO_LONG = "x" * 4097


@calls("hash_password", PasswordError)
def hash_password(dice: Random) -> Call:
    """The default costs 64 MiB: what cannot be hashed is refused before that."""
    given = dice.choice((TOO_LONG, "\ud800" + PASSWORD))
    check = raises(PasswordError)
    return Call(fastbearer.hash_password, (given,), {}, check, (PASSWORD,))
