"""The options of ``fastbearer user``."""

from __future__ import annotations

import argparse
from datetime import timedelta
from functools import partial
from typing import Any

from fastbearer.cli import users
from fastbearer.cli.option_types import field, lifetime, text_of, words

__all__ = ["add_user"]

WHO = "an id, an e-mail, a phone number (+...) or username:NAME"


def add_user(subparsers: Any) -> None:
    text = "create, list and change users, and invite them (needs fastbearer[accounts])"
    command = subparsers.add_parser("user", help=text, description=text)
    actions = command.add_subparsers(required=True, metavar="ACTION")
    add_create(actions)
    add_list(actions)
    add_set(actions)
    for name, text, work in (
        (
            "disable",
            "stop a user from signing in, and end every session",
            users.disable,
        ),
        ("enable", "let a user sign in again", users.enable),
        ("end-sessions", "end every session of a user", users.end_sessions),
    ):
        add_who(add_action(actions, name, text, work))
    add_invite(actions)
    text = "list the invitations that have not expired"
    add_action(actions, "invitations", text, users.list_invitations)
    text = "revoke an invitation"
    action = add_action(actions, "uninvite", text, users.revoke)
    action.add_argument("id", metavar="ID", help="its id, as the list shows it")


def add_create(actions: Any) -> None:
    text = "add a user; the password is asked for"
    action = add_action(actions, "create", text, users.create)
    add_fields(action)
    action.add_argument("--email-verified", action="store_true")
    password = add_password(action)
    password.add_argument(
        "--no-password",
        action="store_true",
        help="the user chooses one with a code of /forgot-password",
    )
    action.add_argument(
        "--if-missing",
        action="store_true",
        help="if there is such a user already, change nothing and exit with 0",
    )


def add_list(actions: Any) -> None:
    text = "list all users, one per line: ID, names, roles and status"
    add_action(actions, "list", text, users.list_users)


def add_set(actions: Any) -> None:
    text = "change a user; what is left out stays, and an empty value removes it"
    action = add_action(actions, "set", text, users.change)
    add_who(action)
    add_fields(action)
    action.add_argument("--email-verified", action=argparse.BooleanOptionalAction)
    password = add_password(action)
    password.add_argument("--password", action="store_true", help="ask for a new one")


def add_invite(actions: Any) -> None:
    text = "print the code of an invitation: whoever has it may sign up, once"
    action = add_action(actions, "invite", text, users.invite)
    action.add_argument("--email", type=text_of, help="the only one that may sign up")
    action.add_argument("--roles", type=words, default=[], metavar="A,B")
    action.add_argument(
        "--days",
        type=lifetime,
        default=timedelta(days=7),
        help="for which the code is good (default: 7)",
    )
    action.add_argument(
        "--send", action="store_true", help="send it to the e-mail, and print its id"
    )


def add_action(
    actions: Any, name: str, text: str, work: users.Work
) -> argparse.ArgumentParser:
    action: argparse.ArgumentParser = actions.add_parser(
        name, help=text, description=text
    )
    action.add_argument(
        "--app",
        metavar="MODULE:NAME",
        help="where your Accounts are (default: those of the settings)",
    )
    action.add_argument("--json", action="store_true", help="one JSON object a line")
    action.set_defaults(command=partial(users.run, work))
    return action


def add_who(action: argparse.ArgumentParser) -> None:
    action.add_argument("who", metavar="WHO", help=WHO)


def add_fields(action: argparse.ArgumentParser) -> None:
    for name in ("email", "username", "phone", "name"):
        action.add_argument(f"--{name}", type=text_of)
    action.add_argument("--roles", type=words, metavar="A,B")
    action.add_argument(
        "--field",
        type=field,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a field of your own sign-up schema or model",
    )


def add_password(action: argparse.ArgumentParser) -> Any:
    password = action.add_mutually_exclusive_group()
    password.add_argument(
        "--password-stdin", action="store_true", help="read it from standard input"
    )
    return password
