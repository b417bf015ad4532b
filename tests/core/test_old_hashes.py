"""Hashes of older systems: of their real makers, and of vectors that were published."""

from __future__ import annotations

import base64
import ctypes
import hashlib
import hmac
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import bcrypt
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from django.conf import settings as django_settings
from django.contrib.auth import hashers as django_hashers
from hypothesis import given, settings
from hypothesis import strategies as st

from fastbearer import (
    InvalidHashError,
    PasswordHash,
    PasswordTooLongError,
    _core,
    verify_password,
)

# passlib asks for a module that Python drops, and that crashes under sanitizers.
sys.modules["crypt"] = None  # type: ignore[assignment]
import passlib.hash as passlib  # noqa: E402

del sys.modules["crypt"]

if not django_settings.configured:
    django_settings.configure()

STRONG = PasswordHash("argon2id", time_cost=1, memory_cost=8, parallelism=1)
HASHER = PasswordHash(
    "argon2id", time_cost=1, memory_cost=8, parallelism=1, weak_hashes=True
)
PASSWORDS = [
    "correct horse battery",
    "\ufb01\u00e9\u2211 \u043f\u0430\u0440\u043e\u043b",
    "",
]
SALT = b"sixteen bytes!!!"


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def pbkdf2(digest: str, password: str, rounds: int, salt: bytes = SALT) -> bytes:
    return hashlib.pbkdf2_hmac(digest, password.encode(), salt, rounds, 32)


# --- makers: programs, packages, and for others what their sources say


def werkzeug_1(method: str, salt: str = "a1B2c3D4") -> Callable[[str], str]:
    """Werkzeug before 3.0, security.py: HMAC, or without a salt the digest."""

    def make(password: str) -> str:
        raw = password.encode()
        if salt:
            made = hmac.new(salt.encode(), raw, method).hexdigest()
        else:
            made = hashlib.new(method, raw).hexdigest()
        return f"{method}${salt}${made}"

    return make


def aspnet_v3(prf: int, digest: str, rounds: int = 9) -> Callable[[str], str]:
    """dotnet/aspnetcore, src/Identity/Extensions.Core/src/PasswordHasher.cs"""

    def make(password: str) -> str:
        head = struct.pack(">BIII", 1, prf, rounds, len(SALT))
        return b64(head + SALT + pbkdf2(digest, password, rounds))

    return make


def aspnet_v2(password: str) -> str:
    return b64(b"\0" + SALT + pbkdf2("sha1", password, 1000))


def spring_pbkdf2(password: str) -> str:
    """spring-security-crypto, Pbkdf2PasswordEncoder, its first defaults"""
    return "{pbkdf2}" + (SALT[:8] + pbkdf2("sha1", password, 185000, SALT[:8])).hex()


def spring_pbkdf2_v5_8(password: str) -> str:
    key = pbkdf2("sha256", password, 310000)
    return "{pbkdf2@SpringSecurity_v5_8}" + (SALT + key).hex()


def spring_scrypt(password: str) -> str:
    """spring-security-crypto, SCryptPasswordEncoder"""
    salt = SALT * 4
    key = hashlib.scrypt(password.encode(), salt=salt, n=16, r=8, p=1, dklen=32)
    return f"{{scrypt}}${4 << 16 | 8 << 8 | 1:x}${b64(salt)}${b64(key)}"


def fbscrypt(password: str) -> str:
    """firebase/scrypt, README; the text is Supabase Auth's (internal/crypto)."""
    key = hashlib.scrypt(password.encode(), salt=b"salt\7", n=16, r=8, p=1, dklen=64)
    stream = Cipher(algorithms.AES(key[:32]), modes.CTR(bytes(16))).encryptor()
    signer = b"a project's signer key, 64 bytes".ljust(64, b"!")
    made = stream.update(signer)
    costs = f"v=1,n=4,r=8,p=1,ss={b64(bytes([7]))},sk={b64(signer)}"
    return f"$fbscrypt${costs}${b64(b'salt')}${b64(made)}"


def wordpress(password: str) -> str:
    """WordPress 6.8, wp_hash_password in wp-includes/pluggable.php"""
    digest = hmac.digest(b"wp-sha384", password.strip(" \n\r\t\v\0").encode(), "sha384")
    made = bcrypt.hashpw(base64.b64encode(digest), bcrypt.gensalt(4, b"2b"))
    return "$wp" + made.decode().replace("$2b$", "$2y$")


def openssl(option: str) -> Callable[[str], str]:
    def make(password: str) -> str:
        command = ["openssl", "passwd", option, "-stdin"]
        made = subprocess.run(
            command, input=password + "\n", capture_output=True, text=True, check=True
        )
        return made.stdout.strip()

    return make


def program(name: str, *options: str) -> Callable[[str], str]:
    """Return a maker that is a program of Debian's: whois has mkpasswd."""

    def make(password: str) -> str:
        found = shutil.which(name, path="/usr/bin:/usr/sbin")
        if found is None:
            pytest.skip(f"{name} is not installed")
        command = [found, *options, password]
        return subprocess.check_output(command, text=True).strip()

    return make


def labelled(label: str, make: Callable[[str], str]) -> Callable[[str], str]:
    return lambda password: label + make(password)


SLAPPASSWD = ("/usr/sbin/slappasswd", "-h")
STRONG_MAKERS: dict[str, Callable[[str], str]] = {
    "sha256-crypt": passlib.sha256_crypt.using(rounds=1000).hash,
    "sha256-crypt of 5000 rounds": passlib.sha256_crypt.using(rounds=5000).hash,
    "sha256-crypt by openssl": openssl("-5"),
    "sha256-crypt by mkpasswd": program("mkpasswd", "-m", "sha256crypt"),
    "sha512-crypt": passlib.sha512_crypt.using(rounds=1003).hash,
    "sha512-crypt by openssl": openssl("-6"),
    "sha512-crypt by mkpasswd": program("mkpasswd", "-m", "sha512crypt", "-R", "1234"),
    "aspnet-identity-v3 of SHA-1": aspnet_v3(0, "sha1"),
    "aspnet-identity-v3 of SHA-256": aspnet_v3(1, "sha256"),
    "aspnet-identity-v3": aspnet_v3(2, "sha512"),
    "spring-pbkdf2": spring_pbkdf2,
    "spring-pbkdf2 of 5.8": spring_pbkdf2_v5_8,
    "spring-scrypt": spring_scrypt,
    "atlassian-pbkdf2": passlib.atlassian_pbkdf2_sha1.hash,
    "ldap-pbkdf2 of SHA-1": passlib.ldap_pbkdf2_sha1.using(rounds=9).hash,
    "ldap-pbkdf2 of SHA-256": passlib.ldap_pbkdf2_sha256.using(rounds=9).hash,
    "ldap-pbkdf2": passlib.ldap_pbkdf2_sha512.using(rounds=9).hash,
    "firebase-scrypt": fbscrypt,
    "wordpress-bcrypt": wordpress,
    "labelled-bcrypt by Spring": labelled(
        "{bcrypt}", PasswordHash("bcrypt", rounds=4).hash
    ),
    "labelled-bcrypt": labelled("{BLF-CRYPT}", PasswordHash("bcrypt", rounds=4).hash),
    "labelled-argon2 by Spring": labelled("{argon2}", STRONG.hash),
    "labelled-argon2": labelled("{ARGON2}", STRONG.hash),
    "labelled-crypt": passlib.ldap_sha512_crypt.using(rounds=1000).hash,
    "labelled-crypt by Dovecot": labelled("{SHA256-CRYPT}", openssl("-5")),
}
WEAK_MAKERS: dict[str, Callable[[str], str]] = {
    "aspnet-identity-v2": aspnet_v2,
    "md5-crypt": passlib.md5_crypt.hash,
    "md5-crypt by openssl": openssl("-1"),
    "md5-crypt by mkpasswd": program("mkpasswd", "-m", "md5crypt"),
    "apache-md5-crypt": passlib.apr_md5_crypt.hash,
    "apache-md5-crypt by openssl": openssl("-apr1"),
    "phpass": passlib.phpass.using(rounds=7).hash,
    "phpass by phpBB": passlib.phpass.using(rounds=7, ident="H").hash,
    "salted-md5": lambda p: django_hashers.MD5PasswordHasher().encode(p, "salt"),
    "salted-md5 by Werkzeug": werkzeug_1("md5"),
    "salted-sha1": passlib.django_salted_sha1.hash,
    "salted-sha1 by Werkzeug": werkzeug_1("sha1"),
    "salted-sha1 without a salt": lambda p: (
        "sha1$$" + hashlib.sha1(p.encode()).hexdigest()
    ),
    "salted-sha256": werkzeug_1("sha256"),
    "salted-sha256 without a salt": werkzeug_1("sha256", ""),
    "salted-sha512": werkzeug_1("sha512"),
    "ldap-md5": passlib.ldap_md5.hash,
    "ldap-md5 with a salt": passlib.ldap_salted_md5.hash,
    "ldap-sha1": passlib.ldap_sha1.hash,
    "ldap-sha1 with a salt": passlib.ldap_salted_sha1.hash,
    "ldap-sha1 by slappasswd": program(*SLAPPASSWD, "{SSHA}", "-s"),
    "ldap-md5 by slappasswd": program(*SLAPPASSWD, "{SMD5}", "-s"),
    "ldap-sha256": passlib.ldap_salted_sha256.hash,
    "ldap-sha512": passlib.ldap_salted_sha512.hash,
    "ldap-md5 in hex": passlib.ldap_hex_md5.hash,
    "ldap-md5 in hex, as Spring has it": labelled("{MD5}", passlib.hex_md5.hash),
    "ldap-sha1 in hex": passlib.ldap_hex_sha1.hash,
    "ldap-sha256 in hex": labelled("{SHA256}", passlib.hex_sha256.hash),
    "ldap-sha512 in hex": labelled("{SHA512}", passlib.hex_sha512.hash),
    "ldap-sha1 in capital hex": labelled(
        "{sha}", lambda password: passlib.hex_sha1.hash(password).upper()
    ),
    "labelled-crypt of MD5": labelled("{CRYPT}", openssl("-1")),
}
MAKERS = {**STRONG_MAKERS, **WEAK_MAKERS}

PUBLISHED = [
    # Ulrich Drepper, "Unix crypt using SHA-256 and SHA-512", its test vectors
    ("Hello world!", "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"),
    (
        "Hello world!",
        "$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA",
    ),
    (
        "Hello world!",
        (
            "$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSn"
            "CM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v."
        ),
    ),
    # dotnet/aspnetcore, src/Identity/test/Identity.Test/PasswordHasherTest.cs
    (
        "my password",
        "AAABAgMEBQYHCAkKCwwNDg+ukCEMDf0yyQ29NYubggHIVY0sdEUfdyeM+E1LtH1uJg==",
    ),
    ("my password", "AQAAAAAAAAD6AAAAEAhftMyfTJylOlZT+eEotFXd1elee8ih5WsjXaR3PA9M"),
    (
        "my password",
        (
            "AQAAAAEAA9CQAAAAIESkQuj2Du8Y+kbc5lcN/W/3NiAZFEm11P27nrSN5/tId+bR1SwV8CO1Jd72"
            "r4C08OLvplNlCDc3oQZ8efcW+jQ="
        ),
    ),
    ("my password", "AQAAAAIAAAAyAAAAEOMwvh3+FZxqkdMBz2ekgGhwQ4B6pZWND6zgESBuWiHw"),
    (
        "my password",
        (
            "AQAAAAIAAAD6AAAAIJbVi5wbMR+htSfFp8fTw8N8GOS/Sje+S/4YZcgBfU7EQuqv4OkVYmc4VJl9"
            "AGZzmRTxSkP7LtVi9IWyUxX8IAAfZ8v+ZfhjCcudtC1YERSqE1OEdXLW9VukPuJWBBjLuw=="
        ),
    ),
    # Spring Security's reference, "Password Storage"
    (
        "password",
        "{bcrypt}$2a$10$dXJ3SW6G7P50lGmMkkmwe.20cQQubK3.HZWzG3YB1tlRy.fqvM/BG",
    ),
    (
        "password",
        (
            "{pbkdf2}5d923b44a6d129f3ddf3e3c8d29412723dcbde72445e8ef6bf3b508fbf17fa4ed4d6b9"
            "9ca763d8dc"
        ),
    ),
    (
        "password",
        (
            "{scrypt}$e0801$8bWJaSu2IKSn9Z9kM+TPXfOc/9bdYSrN1oD9qfVThWEwdRTnO7re7Ei+fUZRJ6"
            "8k9lTyuTeUp4of4g24hHnazw==$OAOec05+bXxvuu/1qZ6NUR+xQYvYv7BeL1QxwRpY5Pc="
        ),
    ),
    # supabase/auth, internal/crypto/password_test.go: a hash by Firebase
    (
        "mytestpassword",
        (
            "$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=ou9tdYTGyYm8kuR6Dt0Bp0kDuAYoXrK16mbZO4yG"
            "wAn3oLspjnN0/c41v8xZnO1n14J3MjKj1b2g6AUCAlFwMw==$C0sHCg9ek77hsg==$zKVTMvnWVw5B"
            "BOZNUdnsalx4c4c7y/w7IS5p6Ut2+CfEFFlz37J9huyQfov4iizN8dbjvEJlM5tQaJP84+hfTw=="
        ),
    ),
    # hashes by WordPress 6.8, of two projects that take over its users
    (
        "grimoire-test-123",
        "$wp$2y$12$iWN5xRwDE7i9R5jVJvCyqOxS1CNnwUggQaF8O2W9Bg8TuXQz.ngrS",
    ),
    (
        " BigBike@2026\n",
        "$wp$2y$10$qeleDSuDaeZO5fBsEqFReeWdlqaDnBDBzB16hFgsFnhN9qFBIihvm",
    ),
]


CASES = [
    (name, password)
    for name in MAKERS
    for password in PASSWORDS
    if password or not re.search("by (openssl|mkpasswd|slappasswd)|Dovecot|MD5", name)
]
"""Programs take no empty password."""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "password"), CASES)
def test_hashes_of_their_makers(name: str, password: str) -> None:
    stored = MAKERS[name](password)
    for form in (stored, stored.encode()):
        assert HASHER.verify(password, form)
        assert HASHER.verify(password.encode(), form)
        assert not HASHER.verify(password + "x", form)
        assert HASHER.identify(form) == name.partition(" ")[0]
    assert HASHER.needs_rehash(stored)
    right, newer = HASHER.verify_and_update(password, stored)
    assert right
    assert newer is not None
    assert STRONG.verify(password, newer)
    assert HASHER.verify_and_update(password + "x", stored) == (False, None)


@pytest.mark.slow
@pytest.mark.parametrize(("password", "stored"), PUBLISHED)
def test_published_hashes(password: str, stored: str) -> None:
    assert HASHER.verify(password, stored)
    assert not HASHER.verify(password + "!", stored)


@pytest.mark.parametrize("digest", [passlib.sha256_crypt, passlib.sha512_crypt])
@pytest.mark.parametrize("length", [1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 129, 512])
def test_lengths_at_which_crypt_does_otherwise(digest: Any, length: int) -> None:
    for salt in ("", "s", "16 characters!!!".replace(" ", ".").replace("!", "/")):
        stored = digest.using(rounds=1000, salt=salt).hash("p" * length)
        assert HASHER.verify("p" * length, stored)
        assert not HASHER.verify("p" * (length - 1), stored)
    for crypt in (passlib.md5_crypt, passlib.apr_md5_crypt):
        stored = crypt.hash("p" * length)
        assert HASHER.verify("p" * length, stored)
        assert not HASHER.verify("p" * (length - 1), stored)


# --- weak ones


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", WEAK_MAKERS)
def test_weak_hashes_verify_only_where_they_are_taken(name: str) -> None:
    stored = WEAK_MAKERS[name](PASSWORDS[0])
    for refuse in (
        lambda: STRONG.verify(PASSWORDS[0], stored),
        lambda: STRONG.verify_and_update(PASSWORDS[0], stored),
        lambda: verify_password(PASSWORDS[0], stored),
        lambda: _core.password_verify(PASSWORDS[0], stored),
    ):
        with pytest.raises(InvalidHashError, match="weak_hashes=True") as caught:
            refuse()
        assert caught.value.reason == "hash_weak"
    # What it is can be told.
    assert STRONG.identify(stored) == name.partition(" ")[0]
    assert STRONG.needs_rehash(stored)
    assert _core.password_parts(stored)["is_weak"] is True


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", STRONG_MAKERS)
def test_others_verify_without_a_word(name: str) -> None:
    stored = STRONG_MAKERS[name](PASSWORDS[0])
    assert STRONG.verify(PASSWORDS[0], stored)
    assert _core.password_parts(stored)["is_weak"] is False


@pytest.mark.parametrize("label", ["{MD5}", "{SHA}", "{SHA256}", "{SHA512}"])
def test_hex_after_the_label_of_a_salt_is_base64(label: str) -> None:
    """All characters of hex are of base64: the digest and a salt of half its size."""
    salted = label.replace("{", "{S")
    name = {"{MD5}": "md5", "{SHA}": "sha1"}.get(label, label[1:-1].lower())
    size = hashlib.new(name).digest_size
    text = "5a" * size
    assert _core.password_parts(label + text)["salt_size"] == 0
    assert _core.password_parts(salted + text)["salt_size"] == size // 2
    shorter = text[:-8]
    salt_size = len(shorter) * 3 // 4 - size
    assert _core.password_parts(label + shorter)["salt_size"] == salt_size


@pytest.mark.parametrize(
    ("label", "digest"),
    [("{SMD5}", "md5"), ("{SSHA}", "sha1"), ("{SSHA512}", "sha512")],
)
def test_the_longest_salt_that_is_read(label: str, digest: str) -> None:
    """It ends where the digest begins that is compared."""
    for size, is_read in ((255, True), (256, True), (257, False)):
        salt = bytes(range(255, -1, -1))[:size].ljust(size, b"s")
        made = hashlib.new(digest, b"x" + salt).digest() + salt
        stored = label + base64.b64encode(made).decode()
        if is_read:
            assert _core.password_verify("x", stored, 1, True)
            assert not _core.password_verify("y", stored, 1, True)
        else:
            with pytest.raises(InvalidHashError):
                _core.password_verify("x", stored, 1, True)


def test_the_environment_takes_weak_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastbearer.passwords._default", None)
    monkeypatch.setenv("PASSWORD_WEAK_HASHES", "1")
    stored = passlib.ldap_salted_sha1.hash("x")
    assert verify_password("x", stored)
    assert not verify_password("y", stored)
    monkeypatch.setattr("fastbearer.passwords._default", None)
    monkeypatch.setenv("PASSWORD_WEAK_HASHES", "0")
    with pytest.raises(InvalidHashError):
        verify_password("x", stored)
    monkeypatch.setattr("fastbearer.passwords._default", None)


# --- what is no hash, or asks for too much


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", MAKERS)
def test_changed_hashes_never_pass(name: str) -> None:
    """A changed character is another hash, or none, and never a crash."""
    stored = MAKERS[name]("x")
    is_slow = name.startswith(("spring-pbkdf2", "sha512-crypt by", "sha256-crypt of"))
    places = range(len(stored) - 4, len(stored)) if is_slow else range(len(stored))
    changed = [stored[:i] + "!" + stored[i + 1 :] for i in places]
    changed += [stored[:i] for i in places]
    changed += [stored + "A", stored + "=", stored + "$", stored + "\n"]
    changed += [stored[:i] + chr(ord(stored[i]) ^ 1) + stored[i + 1 :] for i in places]
    for text in changed:
        try:
            right = HASHER.verify("x", text)
        except InvalidHashError:
            continue
        # bcrypt ignores bits beyond its salt, and its makers' letters say the same.
        is_same = re.search(r"2[aby]\$|\$H\$", text) and len(text) == len(stored)
        # ASP.NET takes keys of several lengths: a shorter one is a hash, too.
        is_whole = name.startswith("aspnet-identity-v3") and len(text) == 60
        assert not right or is_same or is_whole, text


@pytest.mark.parametrize(
    "stored",
    [
        f"$5$rounds=1000001$salt${'A' * 42}.",
        f"$6$rounds=999999999$salt${'A' * 85}.",
        f"$P$Jsaltsalt{'A' * 21}.",
        f"{{CRYPT}}$5$rounds=1000001$salt${'A' * 42}.",
        "{bcrypt}$2a$31$dXJ3SW6G7P50lGmMkkmwe.20cQQubK3.HZWzG3YB1tlRy.fqvM/BG",
        "$wp$2y$31$iWN5xRwDE7i9R5jVJvCyqOxS1CNnwUggQaF8O2W9Bg8TuXQz.ngrS",
        f"{{ARGON2}}$argon2id$v=19$m=99999999,t=3,p=4$c2FsdHNhbHQ${'A' * 43}",
        f"{{PBKDF2-SHA256}}99999999$c2FsdA${'A' * 43}",
        f"{{scrypt}}$1f0801$c2FsdA==${'A' * 43}=",
        f"{{scrypt}}$14ff01$c2FsdA==${'A' * 43}=",
        b64(struct.pack(">BIII", 1, 1, 2**32 - 1, 16) + bytes(48)),
        b64(struct.pack(">BIII", 1, 0, 2_500_001, 16) + bytes(80)),
        b64(struct.pack(">BIII", 1, 1, 5_000_001, 16) + bytes(80)),
        f"$fbscrypt$v=1,n=1,r=32,p=65535,ss=,sk={b64(SALT)}$c2FsdA==${b64(SALT)}",
        f"$fbscrypt$v=1,n=30,r=8,p=1,ss=,sk={b64(SALT)}$c2FsdA==${b64(SALT)}",
    ],
)
def test_costs_are_capped_before_any_work(stored: str) -> None:
    for hasher in (STRONG, HASHER):
        with pytest.raises(InvalidHashError, match="more memory or time"):
            hasher.verify("x", stored)
        with pytest.raises(InvalidHashError):
            hasher.needs_rehash(stored)


@pytest.mark.parametrize(
    ("prf", "iterations", "key"),
    [(0, 2_500_000, 64), (0, 10_000_000, 16), (1, 5_000_000, 64), (2, 10_000_000, 64)],
)
def test_each_block_of_a_key_has_iterations_of_its_own(
    prf: int, iterations: int, key: int
) -> None:
    """RFC 8018 5.2: SHA-1 makes 20 bytes of a key at a time."""
    head = struct.pack(">BIII", 1, prf, iterations, 16)
    assert _core.password_scheme(b64(head + bytes(16 + key))) == "aspnet-identity-v3"


@pytest.mark.parametrize(
    "stored",
    [
        f"$5$rounds=999$salt${'A' * 42}.",
        f"$5$rounds=05000$salt${'A' * 42}.",
        f"$5$rounds=$salt${'A' * 42}.",
        f"$5$seventeen letters${'A' * 42}.",
        f"$5$salt${'A' * 42}z",  # bits are left over
        f"$6$salt${'A' * 43}",
        f"$1$ninechars${'A' * 21}.",
        f"$P$4saltsalt{'A' * 21}.",
        f"$P$_saltsalt{'A' * 21}.",
        "$P$",
        "sha1$salt",
        f"sha1$salt${'A' * 40}",
        f"sha1$a$b${'0' * 40}",
        "{SSHA}",
        "{SSHA}AAAA",
        f"{{SSHA512}}{b64(bytes(64 + 257))}",
        "{noop}password",
        "{bcrypt}",
        "{bcrypt}password",
        "{bcrypt}$2a$10$dXJ3SW6G7P50lGmMkkmwe.",
        "{bcrypt}{bcrypt}$2a$10$dXJ3SW6G7P50lGmMkkmwe.20cQQubK3.HZWzG3YB1tlRy.fqvM/BG",
        f"{{CRYPT}}{{SSHA}}{b64(bytes(24))}",
        "{CRYPT}4uCT7keuSzioQYmmMW7yqgno",
        "$wp$",
        "$wp$2y$12$iWN5xRwDE7i9R5jVJvCyqO",
        b64(struct.pack(">BIII", 1, 1, 0, 16) + bytes(48)),
        b64(struct.pack(">BIII", 1, 3, 9, 16) + bytes(48)),
        b64(struct.pack(">BIII", 1, 1, 9, 15) + bytes(48)),
        b64(struct.pack(">BIII", 1, 1, 9, 33) + bytes(48)),
        b64(struct.pack(">BIII", 1, 1, 9, 2**32 - 1) + bytes(48)),
        "AQAAAA==",
        b64(b"\2" + bytes(48)),
        "{pbkdf2}" + "00" * 39,
        "{pbkdf2@SpringSecurity_v5_8}" + "00" * 40,
        f"{{scrypt}}$0e0801$c2FsdA==${'A' * 43}=",
        f"{{scrypt}}$e0801$c2FsdA==${'A' * 42}==",
        f"$fbscrypt$v=2,n=4,r=8,p=1,ss=,sk={b64(SALT)}$c2FsdA==${b64(SALT)}",
        f"$fbscrypt$v=1,n=4,r=8,p=1,ss=,sk=$c2FsdA==${b64(SALT)}",
        "$fbscrypt$v=1,n=4,r=8,p=1,ss=,sk=$c2FsdA==$",
        "!",
    ],
)
def test_what_is_no_hash(stored: str) -> None:
    with pytest.raises(InvalidHashError):
        HASHER.verify("password", stored)


@pytest.mark.parametrize(
    "stored",
    [
        passlib.sha256_crypt.using(rounds=1000).hash("x"),
        passlib.phpass.using(rounds=7).hash("x"),
    ],
    ids=["sha256-crypt", "phpass"],
)
def test_the_length_of_a_password_is_no_cost(stored: str) -> None:
    """Each round hashes it again, so there is a most."""
    for password in ("x" * 513, "x" * 4096, "x" * 100_000):
        assert not HASHER.verify(password, stored)
    assert HASHER.verify("x", stored)


def test_a_nul_is_the_end_for_crypt_alone() -> None:
    for make in (passlib.sha512_crypt.using(rounds=1000).hash, passlib.md5_crypt.hash):
        assert not HASHER.verify("x\0", make("x"))
        assert not HASHER.verify("\0", make(""))
    assert HASHER.verify("a\0b", werkzeug_1("sha256")("a\0b"))
    assert not HASHER.verify("a", werkzeug_1("sha256")("a\0b"))


@pytest.mark.parametrize(
    ("stored", "password", "is_sole"),
    [
        (wordpress("x"), "x", True),
        (wordpress("x"), " x", False),
        (fbscrypt("x"), "x", True),
        (fbscrypt("x"), "x\0", False),
        (aspnet_v2("x"), "x\0", False),
        ("{bcrypt}" + PasswordHash("bcrypt", rounds=4).hash("x"), "x" * 71, True),
        ("{bcrypt}" + PasswordHash("bcrypt", rounds=4).hash("x"), "x" * 72, False),
        (passlib.sha256_crypt.using(rounds=1000).hash("x"), "x" * 512, True),
    ],
    ids=[
        "wordpress",
        "wordpress, stripped",
        "firebase",
        "firebase, cut at NUL",
        "aspnet-v2",
        "bcrypt of 71 bytes",
        "bcrypt of 72 bytes",
        "sha256-crypt",
    ],
)
def test_whether_a_hash_has_seen_the_whole_password(
    stored: str, password: str, is_sole: bool
) -> None:
    assert _core.password_is_sole(password, stored) is is_sole


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", MAKERS)
def test_no_new_ones_are_made(name: str) -> None:
    with pytest.raises(InvalidHashError) as caught:
        _core.password_hash("x", MAKERS[name]("x"))
    assert caught.value.reason == "hash_old"


def test_a_long_password_is_refused_for_a_new_hash_alone() -> None:
    with pytest.raises(PasswordTooLongError):
        HASHER.hash("x" * 4097)


# --- crypt(3) itself


def libxcrypt() -> Any:
    try:
        library = ctypes.CDLL("libcrypt.so.1")
    except OSError:
        pytest.skip("libcrypt.so.1 is not installed")
    library.crypt.restype = ctypes.c_char_p
    return library.crypt


SALTS = st.text("./0123456789ABCXYZabcxyz", max_size=8)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=140).map(lambda text: text.replace(b"\0", b"\1")),
    SALTS,
    st.sampled_from(["$1$", "$5$", "$6$", "$5$rounds=1000$", "$6$rounds=1001$"]),
)
def test_crypt_agrees(password: bytes, salt: str, mark: str) -> None:
    stored = libxcrypt()(password, f"{mark}{salt}".encode()).decode()
    assert stored.startswith(mark + salt)
    assert HASHER.verify(password, stored)
    assert not HASHER.verify(password + b"!", stored)
