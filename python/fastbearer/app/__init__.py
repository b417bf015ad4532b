"""The reference service: accounts, and tasks that belong to their users.

``uvicorn fastbearer.app:app`` starts it. The environment is read when it
starts, and one that is unfit for use stops the start.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastbearer.extras import needs_extra

with needs_extra("app"):
    from fastapi import FastAPI

    from fastbearer import __version__
    from fastbearer.accounts import Accounts
    from fastbearer.app.health import Health
    from fastbearer.app.tasks import Tasks
    from fastbearer.fastapi import Auth, ForwardedScheme
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

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with auth.lifespan(app):
            # Only now: the settings are read when the service starts.
            if not auth.settings.api_docs:
                _hide_docs(app)
            yield

    service = FastAPI(
        title="fastbearer",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        # A redirection would repeat the header Host, whatever a client says there.
        redirect_slashes=False,
    )
    service.add_middleware(ForwardedScheme, auth=auth)
    service.include_router(accounts.router)
    tasks = Tasks(auth, accounts.database)
    accounts.on_event("account_deleted")(tasks.forget_user)
    service.include_router(tasks.router)
    health = Health(auth, accounts)
    service.include_router(health.router)
    return service


def _hide_docs(service: FastAPI) -> None:
    """Remove the OpenAPI document and its pages."""
    urls = {
        service.openapi_url,
        service.docs_url,
        service.redoc_url,
        service.swagger_ui_oauth2_redirect_url,
    }
    routes = service.router.routes
    routes[:] = [one for one in routes if getattr(one, "path", None) not in urls]


app: FastAPI = create_app()
