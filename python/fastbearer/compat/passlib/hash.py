"""The schemes: those of the common recipes."""

from __future__ import annotations

from fastbearer.compat.passlib.handlers._base import Handler
from fastbearer.compat.passlib.handlers.argon2 import argon2
from fastbearer.compat.passlib.handlers.bcrypt import bcrypt, bcrypt_sha256
from fastbearer.compat.passlib.handlers.django import (
    django_argon2,
    django_bcrypt,
    django_bcrypt_sha256,
    django_disabled,
    django_pbkdf2_sha1,
    django_pbkdf2_sha256,
    django_salted_md5,
    django_salted_sha1,
)
from fastbearer.compat.passlib.handlers.pbkdf2 import (
    pbkdf2_sha1,
    pbkdf2_sha256,
    pbkdf2_sha512,
)
from fastbearer.compat.passlib.handlers.scrypt import scrypt

__all__ = [
    "argon2",
    "bcrypt",
    "bcrypt_sha256",
    "django_argon2",
    "django_bcrypt",
    "django_bcrypt_sha256",
    "django_disabled",
    "django_pbkdf2_sha1",
    "django_pbkdf2_sha256",
    "django_salted_md5",
    "django_salted_sha1",
    "pbkdf2_sha1",
    "pbkdf2_sha256",
    "pbkdf2_sha512",
    "scrypt",
]

HANDLERS: dict[str, Handler] = {name: globals()[name] for name in __all__}
