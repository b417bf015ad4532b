"""The reference service: accounts, and tasks that belong to their users.

``uvicorn fastbearer.app:app`` starts it. The environment is read when it
starts, and one that is unfit for use stops the start.
"""

from fastapi import FastAPI

from fastbearer import __version__
from fastbearer.accounts import Accounts
from fastbearer.app.health import Health
from fastbearer.app.tasks import Tasks
from fastbearer.fastapi import Auth
from fastbearer.fastapi import auth as default_auth

__all__ = ["app", "create_app"]

DESCRIPTION = (
    "Sign up, take the token from the answer, press Authorize and paste it: "
    "then the tasks of your own user ID are yours to use."
)


def create_app(
    auth: Auth = default_auth, *, accounts: Accounts | None = None
) -> FastAPI:
    """Return the service, to be started by an ASGI server.

    Args:
        auth: The configuration of tokens, passwords and database.
        accounts: In place of ``Accounts(auth)``; the tasks are kept in its
            database.
    """
    accounts = Accounts(auth) if accounts is None else accounts
    service = FastAPI(
        title="fastbearer",
        version=__version__,
        description=DESCRIPTION,
        lifespan=auth.lifespan,
    )
    service.include_router(accounts.router)
    tasks = Tasks(auth, accounts.database)
    accounts.on_event("account_deleted")(tasks.forget_user)
    service.include_router(tasks.router)
    health = Health(auth, accounts)
    service.include_router(health.router)
    return service


app = create_app()
