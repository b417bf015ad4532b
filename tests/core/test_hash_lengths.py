"""What is too long or too short in a hash, and costs that are out of reach."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from typing import Any

import pytest

from fastbearer import InvalidHashError, _core

PHC = "$argon2id$v=19$m=8,t=1,p=1$"
DOTS = "." * 22
DIGEST = "." * 31
B64 = "c2FsdHNhbHQ"


def reason(call: object, *arguments: object) -> str | None:
    assert callable(call)
    with pytest.raises(InvalidHashError) as caught:
        call(*arguments)
    return caught.value.reason


LONG = [
    f"argon2{PHC}{'QUJD' * 200}",
    f"argon2{PHC}{B64}${'QUJD' * 200}",
    f"{PHC}{'QUJD' * 200}",
    f"$2b$04${DOTS}{DIGEST * 20}",
    f"bcrypt$$2b$04${DOTS}{DIGEST * 20}",
    f"$bcrypt-sha256$v=2,t=2b,r=4${DOTS}${DIGEST * 3}",
    f"$bcrypt-sha256$v=2,t=2b,r=4${DOTS}.",
    f"$bcrypt-sha256$v=2,t=2b,r=4${DOTS}$",
    f"$bcrypt-sha256$v=2,t=2b,r=100${DOTS}${DIGEST}",
    f"$bcrypt-sha256$v=3,t=2b,r=4${DOTS}${DIGEST}",
    f"$scrypt$ln=4,r=8,p=1${'QUJD' * 200}$",
    f"$pbkdf2-sha256$1${'QUJD' * 200}$",
    f"pbkdf2_sha256$1${'s' * 500}$",
    f"scrypt$16${'s' * 500}$8$1$",
    f"pbkdf2:sha256:1${'s' * 500}$",
    f"scrypt:16:8:1${'s' * 500}$",
    f"md5${'s' * 500}${'0' * 32}",
    f"{{bcrypt}}$2b$04${DOTS}{DIGEST * 20}",
    f"$wp$2y$04${DOTS}{DIGEST * 20}",
    f"$1${'s' * 500}${'.' * 22}",
]


@pytest.mark.parametrize("text", LONG, ids=[text[:24] for text in LONG])
def test_a_hash_that_is_too_long_is_no_hash(text: str) -> None:
    assert reason(_core.password_scheme, text) in ("hash_malformed", "hash_unknown")
    for arguments in (("x", text, 1, True), ("x", text)):
        found = reason(_core.password_verify, *arguments)
        assert found in ("hash_malformed", "hash_unknown", "hash_weak")
    found = reason(_core.password_hash, "x", text)
    assert found in ("hash_malformed", "hash_unknown", "hash_old")


SETTINGS = [
    f"{PHC}{B64}",
    f"$2b$04${DOTS}",
    f"bcrypt$$2b$04${DOTS}",
    f"bcrypt_sha256$$2b$04${DOTS}",
    f"argon2{PHC}{B64}",
    f"$scrypt$ln=4,r=8,p=1${B64}$",
    f"$pbkdf2-sha256$1${B64}$",
    "scrypt$16$salt$8$1$",
    "pbkdf2_sha256$1$salt$",
    "scrypt:16:8:1$salt$",
    "pbkdf2:sha256:1$salt$",
    f"$bcrypt-sha256$v=2,t=2b,r=4${DOTS}",
    f"{{bcrypt}}$2b$04${DOTS}",
    f"$wp$2y$04${DOTS}",
]


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_is_no_hash_of_any_password(setting: str) -> None:
    """It has no digest: an empty one must not be compared with nothing."""
    for password in ("x", ""):
        found = reason(_core.password_verify, password, setting, 1, True)
        assert found in ("hash_malformed", "hash_unknown")


@pytest.mark.parametrize(
    "hash",
    [
        f"$2b$32${DOTS}{DIGEST}",
        f"$2b$17${DOTS}{DIGEST}",
        f"$bcrypt-sha256$v=2,t=2b,r=31${DOTS}${DIGEST}",
        f"{{bcrypt}}$2b$31${DOTS}{DIGEST}",
    ],
)
def test_a_cost_beyond_reach_is_not_paid(hash: str) -> None:
    for call in (_core.password_scheme, lambda text: _core.password_verify("x", text)):
        assert reason(call, hash) in ("hash_costly", "hash_malformed")


@pytest.mark.parametrize("white", [" ", "\n", "\r", "\t", "\v", "\0"])
def test_wordpress_trims_what_php_trims(white: str) -> None:
    """wp_hash_password() of WordPress 6.8 hashes trim($password)."""
    mac = hmac.digest(b"wp-sha384", b"x y", hashlib.sha384)
    made = _core.password_hash(b64encode(mac).decode(), f"$2y$04${DOTS}")
    stored = f"$wp{made}"
    for typed in ("x y", f"{white}x y", f"x y{white}{white}"):
        assert _core.password_verify(typed, stored, 1, True)
        assert _core.password_is_sole(typed, stored) is (typed == "x y")
    assert not _core.password_verify(f"x{white}y", stored, 1, True) or white == " "
    assert not _core.password_verify("\fx y", stored, 1, True)


WRITTEN = {
    "argon2id": {"rounds": 1, "memory_cost": 8},
    "bcrypt": {"rounds": 4, "kind": "b"},
    "bcrypt-sha256": {"rounds": 4, "version": 2},
    "scrypt": {"rounds": 16},
    "pbkdf2-sha256": {"rounds": 1},
    "django-pbkdf2-sha256": {"rounds": 1},
    "better-auth-scrypt": {},
}


@pytest.mark.parametrize("scheme", WRITTEN)
def test_a_salt_that_does_not_fit_makes_no_setting(scheme: str) -> None:
    costs: Any = WRITTEN[scheme]
    salt = b"0123456789abcdef" * (2 if scheme.startswith("better") else 1)
    made = _core.password_setting(scheme, salt, **costs)
    assert _core.password_scheme(made) == scheme
    for size in range(1, 600, 5):
        try:
            made = _core.password_setting(scheme, b"0" * size, **costs)
        except InvalidHashError:
            continue
        assert size < 400
        assert _core.password_scheme(made) == scheme


@pytest.mark.parametrize("rounds", [0, 3, 5, 2**63 + 1, 2**64 - 1])
def test_only_powers_of_two_have_a_logarithm(rounds: int) -> None:
    """passlib's text of scrypt has the logarithm of N."""
    with pytest.raises(InvalidHashError):
        _core.password_setting("scrypt", b"0123456789abcdef", rounds=rounds)


@pytest.mark.parametrize("name", ["memory_cost", "parallelism", "digest_size"])
def test_costs_beyond_32_bits_are_not_cut(name: str) -> None:
    costs: Any = {"rounds": 1, "memory_cost": 8, name: 2**32 + 8}
    with pytest.raises(InvalidHashError):
        _core.password_setting("argon2id", b"0123456789abcdef", **costs)
    with pytest.raises(InvalidHashError):
        _core.password_setting("scrypt", b"0" * 16, rounds=16, block_size=2**32 + 8)


def test_no_setting_is_made_of_a_format_that_makes_none() -> None:
    for scheme in ("argon2d", "phpass", "no such format"):
        with pytest.raises(InvalidHashError):
            _core.password_setting(scheme, b"0123456789abcdef")


@pytest.mark.parametrize(
    "text",
    [
        "$2",
        "$2$",
        "$3b$04$" + "." * 53,
        f"$argon2id$v=19$m=8,t=1,p=1${B64}x",
        f"$argon2id$v=19$m=8,t=1,p=1${B64}$",
        f"$argon2id$v=19$m=8,t=1,p=1${B64}$!",
        f"$argon2id$v=19$m=8,t=1,p=1${B64}!",
        f"$argon2i${B64}",
        "$argon2id",
        "scrypt:16:8:1",
        "scrypt:16:8:1$",
        "scrypt$16$salt$8$x$",
        "scrypt$16$salt$8$1",
        "{scrypt}$e0801",
        "{scrypt}$$c2FsdA==$c2FsdA==",
        "{scrypt}$123456789$c2FsdA==$c2FsdA==",
        "{scrypt}$ffffffff$c2FsdA==$c2FsdA==",
        "{scrypt}$0e0801$c2FsdA==$c2FsdA==",
        (
            "$fbscrypt$v=1,n=64,r=8,p=1,ss=Bw==,sk=c2lnbmVyIGtleSBzaWduZXI=$c2FsdA==$"
            "c2lnbmVyIGtleSBzaWduZXI="
        ),
        "scrypt:16:8:x$salt$" + "0" * 128,
        "{scrypt}$ffffff$c2FsdA==$" + b64encode(bytes(32)).decode(),
        "{scrypt}$ffffff$c2FsdA==$" + b64encode(bytes(64)).decode(),
        "A" * 67 + "=",
        "AA" + "=" * 66,
        "AQAAAAEAAAAJAAAAEHNhbHQ=",
        "sha1$salt",
        f"sha1${'s' * 300}${'0' * 40}",
        "sha1$salt$" + "0" * 38,
        "{bcrypt}",
        "{bcrypt}x",
        "{noop}x",
        "{ARGON2}$2b$04$" + "." * 53,
        ":" + "0" * 128,
        "00:" + "0" * 126,
        "$bcrypt-sha256$2b,4",
        "$bcrypt-sha256$v=2,t=2b,r=4$.",
    ],
)
def test_a_text_that_lacks_a_part_is_no_hash(text: str) -> None:
    for call, arguments in (
        (_core.password_scheme, (text,)),
        (_core.password_verify, ("x", text, 1, True)),
        (_core.password_is_sole, ("x", text)),
    ):
        assert reason(call, *arguments) in (
            *("hash_malformed", "hash_unknown", "hash_costly"),
        )


def test_the_first_version_of_bcrypt_sha256_is_written_again() -> None:
    made = _core.password_setting("bcrypt-sha256", b"0" * 16, rounds=4, version=1)
    assert made.startswith("$bcrypt-sha256$2b,4$")
    assert _core.password_parts(made)["version"] == 1
    stored = _core.password_hash("x", made[:-32])
    assert _core.password_verify("x", stored)
    assert not _core.password_verify("y", stored)
