"""What the commands of ``fastbearer user`` do, and the exit status of each."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from fastbearer import ConfigurationError, PasswordError
from fastbearer.cli.commands import OK, USAGE, complain
from fastbearer.cli.inputs import read_password
from fastbearer.cli.own_accounts import import_accounts, quiet
from fastbearer.cli.user_lines import described, show, shown, told

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Coroutine

    from fastbearer.accounts import Accounts, User

    Work = Callable[[Accounts, argparse.Namespace], Coroutine[Any, Any, int]]

__all__ = [
    "change",
    "create",
    "disable",
    "enable",
    "end_sessions",
    "invite",
    "list_invitations",
    "list_users",
    "revoke",
    "run",
]

NO_EXTRA = "fastbearer user needs an extra: pip install 'fastbearer[accounts]'"
NO_USER = "error: unknown_user: there is no such user: {}"
NO_INVITATION = "error: unknown_invitation: there is none of this id that can be used"
NO_TERMINAL = (
    "error: no_password: there is no terminal to ask for it: say --password-stdin or"
    " --no-password"
)
THERE = "there is such a user already; nothing was changed"
GONE = "there is no such user now; sessions of the id have ended"
DEFAULT_FILE = "DATABASE_URL is not set: the users are those of ./fastbearer.db"
REACH = {
    "process": (
        "what ends is kept in the memory of each process (REVOCATION): those that run"
        " do not hear of it, and take tokens until they expire or are restarted"
    ),
    "nowhere": "REVOCATION=off: access tokens are good until they expire",
}


def run(work: Work, options: argparse.Namespace) -> int:
    """Do something with accounts that are open meanwhile."""
    try:
        accounts = import_accounts(options.app)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("fastbearer"):
            raise
        if options.app is not None:
            raise
        return complain(NO_EXTRA, USAGE)
    named = ("DATABASE_URL", "BETTER_AUTH_DATABASE_URL")
    if options.app is None and not any(map(os.environ.get, named)):
        complain(DEFAULT_FILE)

    # It is there, for the accounts are.
    from fastbearer.fastapi.start import says_errors

    async def opened() -> int:
        says_errors.set(True)
        async with accounts.lifespan(None):
            return await work(accounts, options)

    with quiet():
        return asyncio.run(opened())


# Users


async def create(accounts: Accounts, options: argparse.Namespace) -> int:
    from fastbearer.accounts import EmailTakenError, NameTakenError

    fields = {**given_fields(options), **dict(options.field)}
    if options.if_missing and await show_existing(accounts, options):
        return OK
    if not (options.password_stdin or options.no_password or sys.stdin.isatty()):
        return complain(NO_TERMINAL, USAGE)
    if not options.no_password:
        fields["password"] = new_password()
    try:
        user = await accounts.users.create(
            roles=options.roles or (), email_verified=options.email_verified, **fields
        )
    except (EmailTakenError, NameTakenError):
        # Another process may have been faster.
        if options.if_missing and await show_existing(accounts, options):
            return OK
        raise
    show(described(user), options)
    return OK


async def show_existing(accounts: Accounts, options: argparse.Namespace) -> bool:
    """Show the user who has one of the names, and tell whether there is one."""
    for name in ("email", "username", "phone"):
        value = getattr(options, name)
        user = None if not value else await accounts.users.find(**{name: value})
        if user is not None:
            complain(THERE)
            show(described(user), options)
            return True
    return False


async def list_users(accounts: Accounts, options: argparse.Namespace) -> int:
    async for user in accounts.users.all():
        show(described(user), options)
    return OK


async def change(accounts: Accounts, options: argparse.Namespace) -> int:
    given = {name: value or None for name, value in given_fields(options).items()}
    fields: dict[str, Any] = {**given, **dict(options.field)}
    if options.roles is not None:
        fields["roles"] = options.roles
    if options.email_verified is not None:
        fields["email_verified"] = options.email_verified
    user = await found(accounts, options.who)
    if user is None:
        return complain(NO_USER.format(shown(options.who)))
    if options.password or options.password_stdin:
        fields["password"] = new_password()
    user = await accounts.users.set(user.id, **fields)
    show(described(user), options)
    if {"password", "email", "roles"}.intersection(fields):
        tell_reach(accounts)
    return OK


async def disable(accounts: Accounts, options: argparse.Namespace) -> int:
    user = await found(accounts, options.who)
    if user is None:
        return complain(NO_USER.format(shown(options.who)))
    show(described(await accounts.users.disable(user.id)), options)
    tell_reach(accounts)
    return OK


async def enable(accounts: Accounts, options: argparse.Namespace) -> int:
    user = await found(accounts, options.who)
    if user is None:
        return complain(NO_USER.format(shown(options.who)))
    show(described(await accounts.users.enable(user.id)), options)
    return OK


async def end_sessions(accounts: Accounts, options: argparse.Namespace) -> int:
    user = await found(accounts, options.who)
    if user is None and name_of(options.who)[0] != "user_id":
        return complain(NO_USER.format(shown(options.who)))
    await accounts.end_sessions(options.who if user is None else user.id)
    if user is None:
        complain(GONE)
    else:
        show(described(user), options)
    tell_reach(accounts)
    return OK


async def found(accounts: Accounts, who: str) -> User | None:
    """Return the user whom a string names."""
    name, value = name_of(who)
    return await accounts.users.find(**{name: value})


def name_of(who: str) -> tuple[str, str]:
    """Return what a string is, by its shape, and the name itself."""
    kind, separator, rest = who.partition(":")
    if separator and kind in ("email", "username", "phone"):
        return kind, rest
    if "@" in who:
        return "email", who
    return "phone" if who.startswith("+") else "user_id", who


def given_fields(options: argparse.Namespace) -> dict[str, Any]:
    names = ("email", "username", "phone", "name")
    values = {name: getattr(options, name) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def new_password() -> str:
    """Return a password from the terminal or standard input.

    Raises:
        PasswordError: It is empty, or not UTF-8.
    """
    password = read_password(twice=True)
    text = None
    with suppress(UnicodeError):  # which would hold the password
        given = password if isinstance(password, str) else password.decode()
        text = given.encode().decode()
    if text is None:
        raise PasswordError("the password is not UTF-8")
    if not text:
        raise PasswordError("the password is empty")
    return text


def tell_reach(accounts: Accounts) -> None:
    """Say where it is not heard that sessions have ended."""
    note = REACH.get(accounts.users.reach)
    if note is not None:
        complain(f"note: {note}")


# Invitations


async def invite(accounts: Accounts, options: argparse.Namespace) -> int:
    if options.send and options.email is None:
        raise ConfigurationError("--send needs --email")
    try:
        made = await accounts.invite(
            email=options.email,
            roles=options.roles,
            lifetime=options.days,
            send=options.send,
        )
    except OSError as error:
        # What the server says of a message may have the message in it.
        return complain(f"error: not_sent: {type(error).__name__}: see SMTP_URL")
    kind = "id" if options.send else "code"
    print(json.dumps({kind: made}) if options.json else made, flush=True)
    return OK


async def list_invitations(accounts: Accounts, options: argparse.Namespace) -> int:
    async for invitation in accounts.invitations.all():
        show(told(invitation), options)
    return OK


async def revoke(accounts: Accounts, options: argparse.Namespace) -> int:
    if not await accounts.invitations.revoke(options.id):
        return complain(NO_INVITATION)
    return OK
