"""The parser of the command line."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from fastbearer import __version__
from fastbearer.cli import commands
from fastbearer.cli.environment import ENV_FILE
from fastbearer.cli.option_types import claim, days_up_to, filled, within
from fastbearer.cli.user_options import add_user

__all__ = ["parser"]

SECRET_BYTES = range(32, 1025)  # RFC 7518 3.2: as long as HS256's hash, at least
PORTS = range(65_536)
WORKERS = range(1, 257)
DAYS_AT_MOST = 36_500


def parser() -> argparse.ArgumentParser:
    """Return the parser; each command is the default ``command`` of its own."""
    result = argparse.ArgumentParser(
        prog="fastbearer", description="Bearer tokens and password hashes."
    )
    result.add_argument(
        "--version", action="version", version=f"fastbearer {__version__}"
    )
    result.add_argument(
        ENV_FILE,
        metavar="FILE",
        help="read settings from a .env file as well; the environment wins",
    )
    subparsers = result.add_subparsers(required=True, metavar="COMMAND")
    add_secret(subparsers)
    add_token(subparsers)
    add_verify(subparsers)
    add_inspect(subparsers)
    add_doctor(subparsers)
    add_docs(subparsers)
    add_hash(subparsers)
    add_migrate(subparsers)
    add_migrate_imports(subparsers)
    add_serve(subparsers)
    add_user(subparsers)
    return result


def add_secret(subparsers: Any) -> None:
    text = "print a fresh random secret (base64url)"
    command = subparsers.add_parser("secret", help=text, description=text)
    command.add_argument(
        "--bytes",
        type=within(SECRET_BYTES),
        default=SECRET_BYTES[0],
        metavar="N",
        help="of randomness (default: %(default)s, which is also the least)",
    )
    command.set_defaults(command=commands.make_secret)


def add_token(subparsers: Any) -> None:
    text = "sign a token with HS256, as the application with these settings does"
    command = subparsers.add_parser("token", help=text, description=text)
    command.add_argument(
        "--sub", type=filled, required=True, metavar="ID", help="the user's id"
    )
    command.add_argument("--email", help="the user's e-mail address")
    command.add_argument(
        "--days",
        type=days_up_to(DAYS_AT_MOST),
        default=os.environ.get("JWT_EXPIRATION_DAYS") or "7",
        help="lifetime (default: JWT_EXPIRATION_DAYS, else 7)",
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
    command.set_defaults(command=commands.sign_token)


def add_verify(subparsers: Any) -> None:
    text = "verify a token as the application does, and print its claims as JSON"
    command = subparsers.add_parser("verify", help=text, description=text)
    add_judging(command)
    command.set_defaults(command=commands.verify_token)


def add_inspect(subparsers: Any) -> None:
    text = "show what a token says, unverified, and whether it would be accepted"
    command = subparsers.add_parser("inspect", help=text, description=text)
    add_judging(command)
    command.set_defaults(command=commands.inspect_token)


def add_doctor(subparsers: Any) -> None:
    text = "look at the settings in force, and at all that they need"
    command = subparsers.add_parser("doctor", help=text, description=text)
    command.set_defaults(command=commands.doctor)


def add_docs(subparsers: Any) -> None:
    text = "open the documentation at an error code, and print the address"
    command = subparsers.add_parser("docs", help=text, description=text)
    command.add_argument(
        "code",
        nargs="?",
        help="a code or a reason, or an error's class (default: the first page)",
    )
    command.set_defaults(command=commands.show_docs)


def add_judging(command: argparse.ArgumentParser) -> None:
    """Add a token, and what it is judged by."""
    command.add_argument(
        "token", nargs="?", default="-", help="default: -, which is standard input"
    )
    command.add_argument(
        "--issuer",
        type=filled,
        help="the iss that the token must have (default: JWT_ISSUER)",
    )
    command.add_argument(
        "--audience",
        type=filled,
        help="the aud that the token must name (default: JWT_AUDIENCE)",
    )
    add_secret_env(command)


def add_hash(subparsers: Any) -> None:
    text = "hash a password from the terminal or standard input, or check one"
    command = subparsers.add_parser("hash", help=text, description=text)
    action = command.add_mutually_exclusive_group()
    action.add_argument(
        "--scheme",
        choices=["argon2id", "bcrypt", "scrypt"],
        help="default: PASSWORD_SCHEME, else argon2id",
    )
    action.add_argument(
        "--check", metavar="HASH", help="exit with 0 if the password made this hash"
    )
    command.set_defaults(command=commands.hash_or_check)


def add_migrate(subparsers: Any) -> None:
    text = "create the tables in DATABASE_URL, or bring them up to date"
    command = subparsers.add_parser("migrate", help=text, description=text)
    command.add_argument(
        "--accounts", action="store_true", help="only those of the accounts"
    )
    command.set_defaults(command=commands.migrate)


def add_migrate_imports(subparsers: Any) -> None:
    text = "show how imports of jose, jwt, passlib and pwdlib change to the drop-ins"
    command = subparsers.add_parser("migrate-imports", help=text, description=text)
    command.add_argument(
        "paths", type=Path, nargs="+", metavar="PATH", help="a file, or a folder"
    )
    action = command.add_mutually_exclusive_group()
    action.add_argument("--write", action="store_true", help="change the files too")
    action.add_argument(
        "--check", action="store_true", help="exit with 1 if a file would change"
    )
    command.set_defaults(command=commands.migrate_imports)


def add_serve(subparsers: Any) -> None:
    text = "start the service (needs the extra: fastbearer[app])"
    command = subparsers.add_parser("serve", help=text, description=text)
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
    command.set_defaults(command=commands.serve)


def add_secret_env(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--secret-env",
        metavar="NAME",
        help="environment variable with the secret "
        "(default: BETTER_AUTH_SECRET, then AUTH_SECRET)",
    )
