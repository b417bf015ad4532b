"""All the routes of fastapi-users, where a layout has them."""

from collections.abc import Iterator

from fastbearer.accounts.flows.entry import Entry
from fastbearer.accounts.flows.parts import Parts
from fastbearer.accounts.flows.recovery import Recovery
from fastbearer.accounts.flows.updates import Updates
from fastbearer.accounts.routes.answers import Answers
from fastbearer.accounts.routes.fastapi_users.layout import FastAPIUsersLayout
from fastbearer.accounts.routes.fastapi_users.recovery import (
    ResetPasswordRoutes,
    VerifyRoutes,
)
from fastbearer.accounts.routes.fastapi_users.register import RegisterRoutes
from fastbearer.accounts.routes.fastapi_users.sessions import LoginRoutes
from fastbearer.accounts.routes.fastapi_users.users import UsersRoutes
from fastbearer.accounts.routes.table import Routes

__all__ = ["every_route"]


def every_route(
    layout: FastAPIUsersLayout,
    parts: Parts,
    entry: Entry,
    answers: Answers,
) -> Iterator[Routes]:
    """Yield the routes of a layout; without codes, none that send some.

    Args:
        layout: Where they are.
        parts: Of the accounts.
        entry: Signs users up and in.
        answers: Knows the tokens of browsers, and the schemas.
    """
    recovery = None if parts.codes is None else Recovery(parts, parts.codes)
    shown = layout.read
    if layout.auth is not None:
        parts.auth.show_password_form(f"{layout.auth[1:]}/login")
        yield LoginRoutes(layout.auth, parts, entry, answers)
    if layout.register is not None:
        given, texts = answers.schemas.sign_up, answers.schemas.sign_up_texts
        yield RegisterRoutes(layout.register, parts, entry, given, texts, shown)
    if recovery is not None and layout.reset_password is not None:
        yield ResetPasswordRoutes(layout.reset_password, parts, recovery)
    if recovery is not None and layout.verify is not None:
        yield VerifyRoutes(layout.verify, parts, recovery, shown)
    if layout.users is not None:
        yield UsersRoutes(layout.users, parts, Updates(parts), shown, layout.update)
