"""Accounts: sign-up, sign-in and sign-out over a store of users.

``app.include_router(accounts.router)`` adds the routes of the default
``accounts``, which takes its settings from the environment when the
application starts.
"""

from fastbearer.accounts.database import Database, StoreUnavailableError
from fastbearer.accounts.models import User
from fastbearer.accounts.routes import Accounts
from fastbearer.accounts.store import DatabaseUserStore, EmailTakenError, UserStore
from fastbearer.fastapi import auth

__all__ = [
    "Accounts",
    "Database",
    "DatabaseUserStore",
    "EmailTakenError",
    "StoreUnavailableError",
    "User",
    "UserStore",
    "accounts",
    "lifespan",
    "router",
]

accounts = Accounts(auth)
router = accounts.router
lifespan = accounts.lifespan
