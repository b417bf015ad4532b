"""The command ``fastbearer``: secrets, tokens, password hashes, the service.

Secrets come from the environment and passwords from the terminal or standard
input, never from the command line, which other users of the machine can read.
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastbearer import (
    ConfigurationError,
    FastbearerError,
    Key,
    PasswordError,
    PasswordHash,
    Signer,
    Verifier,
    __version__,
    hash_password,
    verify_password,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fastbearer.fastapi import Settings

__all__ = ["main"]

SECONDS_PER_DAY = 86_400
SECRET_BYTES = range(32, 1025)  # RFC 7518 3.2: as long as HS256's hash, at least
PORTS = range(65_536)
WORKERS = range(1, 257)
GRACE_SECONDS = 30  # for requests under way, when the service is to stop
DAYS_AT_MOST = 36_500
SECRET_NAMES = ("BETTER_AUTH_SECRET", "AUTH_SECRET")
YES = {"1", "on", "t", "true", "y", "yes"}

OK, FAILED, USAGE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: In place of those of the process.

    Returns:
        The exit status: 0; 1 for a token, hash, key or setting that is
        refused, which one line on standard error explains; 2 for a usage
        error or a missing extra.
    """
    options = parser().parse_args(arguments)
    try:
        status: int = options.command(options)
    except FastbearerError as error:
        return complain(f"error: {error.code}: {error}")
    return status


def complain(message: str, status: int = FAILED) -> int:
    """Print a line on standard error and return the exit status."""
    print(message, file=sys.stderr)
    return status


# The commands


def make_secret(options: argparse.Namespace) -> int:
    print(secrets.token_urlsafe(options.bytes))
    return OK


def sign_token(options: argparse.Namespace) -> int:
    from fastbearer.better_auth.links import NOT_A_LINK

    claims: dict[str, Any] = {"sub": options.sub}
    if options.email is not None:
        claims.update(NOT_A_LINK, email=options.email)
    claims.update(options.claim)
    signer = Signer(key_from(options), lifetime=options.days * SECONDS_PER_DAY)
    try:
        print(signer.sign(claims))
    except (TypeError, ValueError) as error:
        return complain(f"error: invalid_claim: {error}", USAGE)
    return OK


def verify_token(options: argparse.Namespace) -> int:
    verifier = Verifier(
        key_from(options), issuer=options.issuer, audience=options.audience
    )
    # As bytes: standard input that is not UTF-8 is a malformed token, too.
    token = os.fsencode(options.token)
    if token == b"-":
        token = sys.stdin.buffer.read().strip()
    print(json.dumps(verifier.verify(token), indent=2))
    return OK


def hash_or_check(options: argparse.Namespace) -> int:
    if options.check is not None:
        return check(options.check)
    password = read_password(twice=True)
    if not password:
        raise PasswordError("the password is empty")
    hasher = PasswordHash(options.scheme).hash if options.scheme else hash_password
    print(hasher(password))
    return OK


def check(stored: str) -> int:
    """Compare a password with a stored hash: the exit status is the answer."""
    if verify_password(read_password(), stored):
        print("match")
        return OK
    print("no match")
    return FAILED


def serve(options: argparse.Namespace) -> int:
    try:
        run, app = import_app()
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("fastbearer"):
            raise
        needed = "fastbearer serve needs an extra: pip install 'fastbearer[app]'"
        return complain(needed, USAGE)
    try:
        settings = read_settings()
        check_workers(options.workers, settings)
    except ConfigurationError as error:
        return complain(f"ConfigurationError: {error}")
    run(
        # Processes of their own import it; within this one, it is there.
        app if options.workers == 1 else "fastbearer.app:app",
        host=options.host,
        port=options.port,
        workers=options.workers,
        # A proxy is believed where it is named; nothing is guessed.
        proxy_headers=settings.trusted_proxies is not None,
        forwarded_allow_ips=settings.trusted_proxies or "",
        timeout_graceful_shutdown=GRACE_SECONDS,
        log_config=logging_with_audit(),
    )
    return OK


def migrate(options: argparse.Namespace) -> int:
    try:
        database = import_database(only_accounts=options.accounts)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("fastbearer"):
            raise
        needed = "fastbearer migrate needs an extra: pip install 'fastbearer[accounts]'"
        return complain(needed, USAGE)
    import asyncio

    try:
        asyncio.run(database.migrate())
    except ConfigurationError as error:
        return complain(f"ConfigurationError: {error}")
    print("the tables are up to date")
    return OK


def migrate_imports(options: argparse.Namespace) -> int:
    try:
        from fastbearer.compat.migrate_imports import changes
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("fastbearer"):
            raise
        needed = "fastbearer migrate-imports needs an extra: "
        return complain(f"{needed}pip install 'fastbearer[compat]'", USAGE)
    if not options.path.exists():
        return complain(f"there is no {options.path}")
    try:
        for difference in changes(options.path, write=options.write):
            sys.stdout.write(difference)
    except OSError as error:
        return complain(f"cannot write {error.filename}: {error.strerror}")
    return OK


# What the commands work on


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


def check_workers(workers: int, settings: Settings) -> None:
    """Judge whether several processes can work together.

    Raises:
        ConfigurationError: One would not know what another revokes.
    """
    if workers == 1:
        return
    if settings.revocation == "memory":
        raise ConfigurationError(
            "REVOCATION=memory is for one worker; take database or redis"
        )
    if settings.throttle and settings.redis_url is None:
        complain("without a REDIS_URL, each worker has limits of its own")


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


# What the options are made of


def within(numbers: range) -> Callable[[str], int]:
    """Return the type of an option that is one of these numbers."""

    def number(text: str) -> int:
        if not text.isdecimal() or int(text) not in numbers:
            raise argparse.ArgumentTypeError(
                f"must be a number from {numbers[0]} to {numbers[-1]}"
            )
        return int(text)

    return number


def days(text: str) -> float:
    """Return a lifetime in days; parts of a day are good."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= DAYS_AT_MOST:
        raise argparse.ArgumentTypeError(
            f"must be a number above 0 and at most {DAYS_AT_MOST}"
        )
    return value


def claim(text: str) -> tuple[str, Any]:
    """Return the name and the value of ``NAME=VALUE``."""
    name, separator, value = text.partition("=")
    if not name or not separator:
        raise argparse.ArgumentTypeError("must be NAME=VALUE")
    try:
        return name, json.loads(value)
    except (ValueError, RecursionError):
        return name, value


def filled(text: str) -> str:
    """Return the text, which must not be empty."""
    if not text:
        raise argparse.ArgumentTypeError("must not be empty")
    return text


# The command line


def parser() -> argparse.ArgumentParser:
    """Return the parser; each command is the default ``command`` of its own."""
    result = argparse.ArgumentParser(
        prog="fastbearer", description="Bearer tokens and password hashes."
    )
    result.add_argument(
        "--version", action="version", version=f"fastbearer {__version__}"
    )
    commands = result.add_subparsers(required=True, metavar="COMMAND")
    add_secret(commands)
    add_token(commands)
    add_verify(commands)
    add_hash(commands)
    add_migrate(commands)
    add_migrate_imports(commands)
    add_serve(commands)
    return result


def add_secret(commands: Any) -> None:
    text = "print a fresh random secret (base64url)"
    command = commands.add_parser("secret", help=text, description=text)
    command.add_argument(
        "--bytes",
        type=within(SECRET_BYTES),
        default=SECRET_BYTES[0],
        metavar="N",
        help="of randomness (default: %(default)s, which is also the least)",
    )
    command.set_defaults(command=make_secret)


def add_token(commands: Any) -> None:
    text = "sign a token with HS256"
    command = commands.add_parser("token", help=text, description=text)
    command.add_argument(
        "--sub", type=filled, required=True, metavar="ID", help="the user's id"
    )
    command.add_argument("--email", help="the user's e-mail address")
    command.add_argument(
        "--days", type=days, default=7, help="lifetime (default: %(default)s)"
    )
    command.add_argument(
        "--claim",
        type=claim,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="one more claim; a VALUE that is JSON is taken as such, else as text",
    )
    add_secret_env(command)
    command.set_defaults(command=sign_token)


def add_verify(commands: Any) -> None:
    text = "verify an HS256 token and print its claims as JSON"
    command = commands.add_parser("verify", help=text, description=text)
    command.add_argument(
        "token", nargs="?", default="-", help="default: -, which is standard input"
    )
    command.add_argument(
        "--issuer", type=filled, help="the iss that the token must have"
    )
    command.add_argument(
        "--audience", type=filled, help="the aud that the token must name"
    )
    add_secret_env(command)
    command.set_defaults(command=verify_token)


def add_hash(commands: Any) -> None:
    text = "hash a password from the terminal or standard input, or check one"
    command = commands.add_parser("hash", help=text, description=text)
    action = command.add_mutually_exclusive_group()
    action.add_argument(
        "--scheme",
        choices=["argon2id", "bcrypt", "scrypt"],
        help="default: PASSWORD_SCHEME, else argon2id",
    )
    action.add_argument(
        "--check", metavar="HASH", help="exit with 0 if the password made this hash"
    )
    command.set_defaults(command=hash_or_check)


def add_migrate(commands: Any) -> None:
    text = "create the tables in DATABASE_URL, or bring them up to date"
    command = commands.add_parser("migrate", help=text, description=text)
    command.add_argument(
        "--accounts", action="store_true", help="only those of the accounts"
    )
    command.set_defaults(command=migrate)


def add_migrate_imports(commands: Any) -> None:
    text = "show how imports of jose, jwt, passlib and pwdlib change to the drop-ins"
    command = commands.add_parser("migrate-imports", help=text, description=text)
    command.add_argument("path", type=Path, help="a file, or a folder")
    command.add_argument("--write", action="store_true", help="change the files too")
    command.set_defaults(command=migrate_imports)


def add_serve(commands: Any) -> None:
    text = "start the service (needs the extra: fastbearer[app])"
    command = commands.add_parser("serve", help=text, description=text)
    command.add_argument("--host", default="127.0.0.1", help="default: %(default)s")
    command.add_argument(
        "--port", type=within(PORTS), default=8000, help="default: %(default)s"
    )
    command.add_argument(
        "--workers",
        type=within(WORKERS),
        default=1,
        metavar="N",
        help="processes (default: %(default)s)",
    )
    command.set_defaults(command=serve)


def add_secret_env(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--secret-env",
        metavar="NAME",
        help="environment variable with the secret "
        "(default: BETTER_AUTH_SECRET, then AUTH_SECRET)",
    )
