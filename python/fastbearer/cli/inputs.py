"""What the commands work on: the environment, the terminal, what the extras add."""

from __future__ import annotations

import getpass
import os
import sys
from typing import TYPE_CHECKING, Any

from fastbearer import ConfigurationError, Key, PasswordError

if TYPE_CHECKING:
    import argparse

    from fastbearer.fastapi import Settings

__all__ = [
    "import_app",
    "import_database",
    "key_from",
    "logging_with_audit",
    "read_password",
    "read_settings",
]

SECRET_NAMES = ("BETTER_AUTH_SECRET", "AUTH_SECRET")
YES = {"1", "on", "t", "true", "y", "yes"}


def key_from(options: argparse.Namespace) -> Key:
    """Return the HS256 key of the first environment variable that is set.

    Raises:
        ConfigurationError: None is.
        InvalidKeyError: The secret must not be used as one.
    """
    names = [options.secret_env] if options.secret_env else SECRET_NAMES
    secret = next(filter(None, map(os.environ.get, names)), None)
    if secret is None:
        raise ConfigurationError(f"{names[0]} environment variable is required")
    short = os.environ.get("ALLOW_SHORT_SECRET", "").lower() in YES
    return Key.from_secret(os.fsencode(secret), allow_short_secret=short)


def read_password(*, twice: bool = False) -> str | bytes:
    """Return a password from the terminal, else from all of standard input.

    One line end after the password is not part of it.

    Raises:
        PasswordError: The second time, another one was typed.
    """
    if not sys.stdin.isatty():
        return sys.stdin.buffer.read().removesuffix(b"\n").removesuffix(b"\r")
    password = getpass.getpass("Password: ")
    if twice and getpass.getpass("The same again: ") != password:
        raise PasswordError("the passwords differ")
    return password


def read_settings() -> Settings:
    """Let the settings speak up here, where no traceback surrounds them.

    Raises:
        ConfigurationError: The environment is not fit for use.
    """
    from fastbearer.fastapi import auth

    return auth.settings


def logging_with_audit() -> dict[str, Any]:
    """Return uvicorn's logging, with our own beside it."""
    from copy import deepcopy

    from uvicorn.config import LOGGING_CONFIG

    config: dict[str, Any] = deepcopy(LOGGING_CONFIG)
    ours = {"handlers": ["default"], "level": "INFO", "propagate": False}
    config["loggers"]["fastbearer"] = ours
    return config


def import_app() -> tuple[Any, Any]:
    """Return uvicorn's ``run`` and the service, for which an extra is needed."""
    import uvicorn

    from fastbearer.app import app

    return uvicorn.run, app


def import_database(*, only_accounts: bool) -> Any:
    """Return the database of ``DATABASE_URL``, for which an extra is needed."""
    from fastbearer.accounts import Database
    from fastbearer.app.migrations import TASKS

    default = "sqlite+aiosqlite:///./fastbearer.db"
    database = Database(lambda: os.environ.get("DATABASE_URL") or default)
    if not only_accounts:
        database.add(TASKS)
    return database
