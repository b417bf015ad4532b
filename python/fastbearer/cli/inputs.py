"""What the commands work on: the environment, the terminal, what the extras add."""

from __future__ import annotations

import asyncio
import getpass
import os
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from fastbearer import (
    ConfigurationError,
    InvalidKeyError,
    PasswordError,
    Signer,
    Verifier,
)
from fastbearer.better_auth.secrets import is_link, signing_key
from fastbearer.errors import InvalidClaimError
from fastbearer.issuers.binding import check_unbound
from fastbearer.issuers.naming import DEFAULT_NAMING

if TYPE_CHECKING:
    import argparse

    from fastbearer import Key
    from fastbearer.fastapi import Auth, Settings

__all__ = [
    "Judge",
    "import_app",
    "import_database",
    "read_password",
    "read_settings",
    "signer_from",
    "token_from",
    "verified",
]


SECRET_NAMES = ("BETTER_AUTH_SECRET", "AUTH_SECRET")
NOT_ASKED = "; whether its session has ended has not been asked"
REQUIRED = "{} environment variable is required"
YES = {"1", "on", "t", "true", "y", "yes"}


def signer_from(options: argparse.Namespace) -> Signer:
    """Return what signs tokens as the application would.

    Raises:
        ConfigurationError: There is no secret, or a setting is not fit for use.
        InvalidKeyError: The secret must not be used as one.
    """
    key = key_from(options)
    auth = auth_from(options, jwt_expiration_days=options.days)
    if auth is not None:
        return auth.signer
    lifetime = timedelta(days=options.days)
    return Signer(_required(key), lifetime=lifetime, **_named({}))


def verified(options: argparse.Namespace, token: str) -> dict[str, Any]:
    """Return the claims of a token that the application would accept.

    Raises:
        TokenError: The application refuses it.
        KeySourceError: It cannot be told.
        ConfigurationError: There is nothing to verify with, or a setting is not fit
            for use.
        InvalidKeyError: The secret must not be used as one.
    """
    auth = judging_auth(options)
    if auth is None:
        return plainly_verified(options, token)
    claims = auth.verifier.verify(token)
    auth.protection.check_unproven(claims)
    if is_link(claims):
        raise InvalidClaimError("the token is a link of a message", "email")
    return claims


def plainly_verified(options: argparse.Namespace, token: str) -> dict[str, Any]:
    """Return the claims of a good token where there is no extra."""
    given = {"issuer": options.issuer, "audience": options.audience}
    key = _required(key_from(options))
    claims = Verifier(key, **_named(given)).verify(token)
    check_unbound(claims)
    if is_link(claims):
        raise InvalidClaimError("the token is a link of a message", "email")
    return claims


def judging_auth(options: argparse.Namespace, **given: Any) -> Auth | None:
    """Return the application's own ``Auth``, or None without the extra."""
    key_from(options)
    named = {"jwt_issuer": options.issuer, "jwt_audience": options.audience}
    return auth_from(options, **named, **given)


class Judge:
    """Who says whether the settings in force accept a token.

    Args:
        options: Those of ``fastbearer verify``.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options

    def accept(self, token: str) -> str:
        """Return what has not been asked, where a token is accepted, or ``""``.

        Raises:
            TokenError: It is not, as the application logs it.
            HTTPException: The same, where the error is its cause.
            KeySourceError: It cannot be told.
            ConfigurationError: There is nothing to verify with, or a setting is not
                fit for use.
            InvalidKeyError: The secret must not be used as one.
        """
        auth = judging_auth(self._options)
        if auth is None:
            DEFAULT_NAMING.user_id(plainly_verified(self._options, token))
            return ""
        asked = auth.settings.revocation in ("redis", "database", "memory")
        # What has ended, only the processes of the application know, or their store.
        auth = judging_auth(self._options, revocation="off") or auth
        asyncio.run(_accept(auth, token))
        return NOT_ASKED if asked else ""


async def _accept(auth: Auth, token: str) -> None:
    """Do with a token what the dependencies do."""
    auth.user_of(await auth.token_claims.of_token(token))


def token_from(given: str) -> str:
    """Return the token that was given, or for ``-`` that of standard input."""
    if given != "-":
        return given
    # Bytes that are not ASCII are a malformed token, whatever they stand for.
    return sys.stdin.buffer.read().strip().decode("latin-1")


def auth_from(options: argparse.Namespace, **given: Any) -> Auth | None:
    """Return the settings' own signer and verifier, or None without the extra.

    Args:
        options: With ``secret_env``.
        **given: Settings that count in place of the environment, unless None.

    Raises:
        ConfigurationError: A setting is not fit for use.
    """
    try:
        from fastbearer.fastapi import Auth, Settings
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("fastbearer"):
            raise
        return None
    if options.secret_env:
        given["better_auth_secret"] = os.environ[options.secret_env]
    known = {name: value for name, value in given.items() if value is not None}
    return Auth(Settings(**known))


def key_from(options: argparse.Namespace) -> Key | None:
    """Return the HS256 key of the first environment variable that is set, if any.

    Raises:
        ConfigurationError: The variable that was asked for is not set.
        InvalidKeyError: The secret must not be used as one.
    """
    names = [options.secret_env] if options.secret_env else SECRET_NAMES
    secret = next(filter(None, map(os.environ.get, names)), None)
    if secret is None:
        if options.secret_env:
            raise ConfigurationError(REQUIRED.format(options.secret_env))
        return None
    short = os.environ.get("ALLOW_SHORT_SECRET", "").lower() in YES
    name = options.secret_env or " or ".join(SECRET_NAMES)
    try:
        return signing_key(os.fsencode(secret), allow_short_secret=short, name=name)
    except ConfigurationError as error:
        raise InvalidKeyError(str(error)) from None


def _required(key: Key | None) -> Key:
    if key is None:
        raise ConfigurationError(REQUIRED.format(SECRET_NAMES[0]))
    return key


def _named(given: dict[str, Any]) -> dict[str, Any]:
    """Return issuer and audience: those that were given, else the environment's."""
    return {
        name: given.get(name) or os.environ.get(f"JWT_{name.upper()}") or None
        for name in ("issuer", "audience")
    }


def read_password(*, twice: bool = False) -> str | bytes:
    """Return a password from the terminal, else from all of standard input.

    One line end after the password is not part of it.

    Raises:
        PasswordError: The second time, another one was typed.
    """
    if not sys.stdin.isatty():
        return sys.stdin.buffer.read().removesuffix(b"\n").removesuffix(b"\r")
    try:
        password = getpass.getpass("Password: ")
        if twice and getpass.getpass("The same again: ") != password:
            raise PasswordError("the passwords differ")
    except EOFError:
        raise PasswordError("no password was typed") from None
    return password


def read_settings() -> Settings:
    """Let the settings speak up here, where no traceback surrounds them.

    Raises:
        ConfigurationError: The environment is not fit for use.
    """
    from fastbearer.fastapi import auth

    return auth.settings


def import_app() -> tuple[Any, Any]:
    """Return uvicorn's ``run`` and the service, for which an extra is needed."""
    import uvicorn

    from fastbearer.app import app

    return uvicorn.run, app


def import_database(*, only_accounts: bool) -> Any:
    """Return the database of ``DATABASE_URL``, for which an extra is needed."""
    from fastbearer.accounts import Database
    from fastbearer.app.migrations import TASKS
    from fastbearer.connections.pooler import pooled

    default = "sqlite+aiosqlite:///./fastbearer.db"
    url = os.environ.get("DATABASE_URL") or default
    pooler = os.environ.get("DATABASE_POOLER")
    database = Database(lambda: pooled(url, pooler, "DATABASE_URL"))
    if not only_accounts:
        database.add(TASKS)
    return database
