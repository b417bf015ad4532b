"""Accounts: sign-up, sign-in, sign-out and the rest, over a store of users.

``app.include_router(accounts.router)`` adds the routes of the default
``accounts``, which takes its settings from the environment when the
application starts.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Annotated, TypeAlias

from fastbearer.extras import needs_extra

with needs_extra("accounts"):
    from fastapi import APIRouter, Depends

    from fastbearer.accounts.assembly import Accounts
    from fastbearer.accounts.database import Database
    from fastbearer.accounts.database_revocations import DatabaseRevocations
    from fastbearer.accounts.events import AccountEvent
    from fastbearer.accounts.flows.administration import Users
    from fastbearer.accounts.flows.errors import (
        InvalidUserError,
        NotCreatedError,
        UnknownUserError,
    )
    from fastbearer.accounts.flows.inviting import Inviting
    from fastbearer.accounts.messages import Message
    from fastbearer.accounts.migrations.filters import (
        include_name,
        include_object,
        metadata,
    )
    from fastbearer.accounts.models import Invitation, User
    from fastbearer.accounts.routes.fastapi_users.layout import FastAPIUsersLayout
    from fastbearer.accounts.routes.fastapi_users.schemas import UserRead, UserUpdate
    from fastbearer.accounts.routes.schemas import (
        Email,
        Phone,
        PublicUser,
        SignUp,
        UserName,
    )
    from fastbearer.accounts.stores.better_auth import BetterAuthUserStore
    from fastbearer.accounts.stores.database import DatabaseUserStore
    from fastbearer.accounts.stores.fastapi_users_table import FastAPIUsersTable
    from fastbearer.accounts.stores.protocol import (
        EmailTakenError,
        InvalidEmailError,
        NameTakenError,
        UserInUseError,
        UserStore,
    )
    from fastbearer.accounts.stores.sqlalchemy import (
        SQLAlchemyUserStore,
        SQLModelUserStore,
    )
    from fastbearer.errors import StoreUnavailableError
    from fastbearer.fastapi import auth

__all__ = [
    "AccountEvent",
    "Accounts",
    "BetterAuthUserStore",
    "CurrentAccount",
    "Database",
    "DatabaseRevocations",
    "DatabaseUserStore",
    "Email",
    "EmailTakenError",
    "FastAPIUsersLayout",
    "FastAPIUsersTable",
    "InvalidEmailError",
    "InvalidUserError",
    "Invitation",
    "Inviting",
    "Message",
    "NameTakenError",
    "NotCreatedError",
    "Phone",
    "PublicUser",
    "SQLAlchemyUserStore",
    "SQLModelUserStore",
    "SignUp",
    "StoreUnavailableError",
    "UnknownUserError",
    "User",
    "UserInUseError",
    "UserName",
    "UserRead",
    "UserStore",
    "UserUpdate",
    "Users",
    "accounts",
    "include_name",
    "include_object",
    "lifespan",
    "metadata",
    "router",
]

accounts: Accounts = Accounts(auth)
CurrentAccount: TypeAlias = Annotated[User, Depends(accounts.current_account)]
"""The signed-in user of the default accounts."""
router: APIRouter = accounts.router
lifespan: Callable[[object], AbstractAsyncContextManager[None]] = accounts.lifespan
