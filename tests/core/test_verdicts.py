"""A verdict never compares a buffer with what it was loaded from.

``verdict_check.c`` puts functions that compute nothing, and say that all went
well, in the place of those that compute: then no password may be right.
"""

from __future__ import annotations

import subprocess

import pytest

from c_tools import needs_checkout
from fastbearer._core import password_hash, password_verify
from project import made

B64, DOTS = "c2FsdHNhbHQ", "." * 22
SETTINGS = [
    f"$argon2id$v=19$m=8,t=1,p=1${B64}",
    f"$argon2i$v=19$m=8,t=1,p=1${B64}",
    f"$argon2d$v=19$m=8,t=1,p=1${B64}",
    f"$2b$04${DOTS}",
    f"$scrypt$ln=4,r=8,p=1${B64}$",
    f"$pbkdf2-sha256$1${B64}$",
    f"$pbkdf2-sha512$1${B64}$",
    f"argon2$argon2id$v=19$m=8,t=1,p=1${B64}",
    f"bcrypt$$2b$04${DOTS}",
    f"bcrypt_sha256$$2b$04${DOTS}",
    "scrypt$16$salt$8$1$",
    "pbkdf2_sha256$1$salt$",
    "scrypt:16:8:1$salt$",
    "pbkdf2:sha256:1$salt$",
    "pbkdf2:sha512:1$salt$",
]


@pytest.mark.parametrize("setting", SETTINGS)
def test_what_is_made_under_a_bare_setting_is_read(setting: str) -> None:
    """One rule says how long a key is, for those that are made and those read."""
    made = password_hash("right", setting)
    assert password_verify("right", made)
    assert not password_verify("wrong", made)


@pytest.mark.slow
@needs_checkout
def test_a_computation_that_writes_nothing_proves_nothing() -> None:
    hashes = [password_hash("right", setting) for setting in SETTINGS]
    result = subprocess.run(
        [made("build/check/verdict_check"), *hashes], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_bits_beyond_a_bcrypt_digest_are_no_digest() -> None:
    made = password_hash("right", f"$2b$04${DOTS}")
    last = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    other = last[last.index(made[-1]) | 1]
    assert other != made[-1]
    assert not password_verify("right", made[:-1] + other)
