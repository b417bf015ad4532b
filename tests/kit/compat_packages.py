"""Applications over fastapi-users and AuthX, and processes that serve them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import httpx2
import pytest

from compat_projects import Signer
from project import ROOT, locked

HOME = ROOT / "build" / "projects"
PACKAGES = [
    "aiosqlite >= 0.20",
    "asyncpg >= 0.30",
    "authx == 1.7.1",
    "fastapi-users[sqlalchemy] == 15.0.5",
    "PyJWT >= 2.15",
    "uvicorn >= 0.30",
]
"""Not of our own environment: they ask for pwdlib 0.3.0 and SQLAlchemy 2.0."""

INSTALL = """
from fastbearer import compat

compat.install("jwt")
compat.install("pwdlib")
"""

USERS = """
import os
import uuid
from contextlib import asynccontextmanager

import fastapi_users.authentication.strategy.jwt
import fastapi_users.jwt
import fastapi_users.manager
import fastapi_users.password
from fastapi import Depends, FastAPI
from fastapi_users import BaseUserManager, FastAPIUsers, UUIDIDMixin, schemas
from fastapi_users.authentication import (
    AuthenticationBackend,
    BearerTransport,
    JWTStrategy,
)
from fastapi_users.db import SQLAlchemyBaseUserTableUUID, SQLAlchemyUserDatabase
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

KEY = os.environ["KEY"]
engine = create_async_engine("sqlite+aiosqlite:///" + os.environ["DATABASE"])
sessions = async_sessionmaker(engine, expire_on_commit=False)
mailed = []


class Base(DeclarativeBase):
    pass


class User(SQLAlchemyBaseUserTableUUID, Base):
    pass


class Shown(schemas.BaseUser[uuid.UUID]):
    pass


class Manager(UUIDIDMixin, BaseUserManager[User, uuid.UUID]):
    reset_password_token_secret = KEY
    verification_token_secret = KEY

    async def on_after_forgot_password(self, user, token, request=None):
        mailed.append(token)

    async def on_after_request_verify(self, user, token, request=None):
        mailed.append(token)


async def manager():
    async with sessions() as session:
        yield Manager(SQLAlchemyUserDatabase(session, User))


@asynccontextmanager
async def tables(app):
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()


def strategy():
    return JWTStrategy(secret=KEY, lifetime_seconds=600)


backend = AuthenticationBackend("jwt", BearerTransport("auth/login"), strategy)
users = FastAPIUsers[User, uuid.UUID](manager, [backend])
app = FastAPI(lifespan=tables)
app.include_router(users.get_auth_router(backend), prefix="/auth")
app.include_router(
    users.get_register_router(Shown, schemas.BaseUserCreate), prefix="/auth"
)
app.include_router(users.get_reset_password_router(), prefix="/auth")
app.include_router(users.get_verify_router(Shown), prefix="/auth")


@app.get("/me")
async def me(user: User = Depends(users.current_user(active=True))):
    return {"sub": str(user.id)}


@app.get("/mailed")
async def last_mailed():
    return mailed[-1]


@app.get("/used")
async def used():
    return [
        fastapi_users.jwt.jwt.__name__,
        fastapi_users.authentication.strategy.jwt.jwt.__name__,
        fastapi_users.manager.jwt.__name__,
        fastapi_users.password.PasswordHash.__module__.removesuffix("._hash"),
    ]
"""

AUTHX = """
import os

import authx.config
import authx.token
from authx import AuthX, AuthXConfig, RequestToken, TokenPayload
from fastapi import Body, Depends, FastAPI, HTTPException, Request

auth = AuthX(AuthXConfig())  # the settings come from the environment
app = FastAPI()
auth.handle_errors(app)
revoked = set()


@auth.set_callback_token_blocklist
def is_revoked(token):
    return token in revoked


@app.post("/sign-in")
def sign_in(password: str = Body(embed=True)):
    if password != os.environ["PASSWORD"]:
        raise HTTPException(401, "the password is wrong")
    return auth.create_token_pair("ada", fresh=True, access_scopes=["items"])


@app.post("/refresh")
def refresh(payload: TokenPayload = Depends(auth.refresh_token_required)):
    return {"access_token": auth.create_access_token(payload.sub)}


@app.post("/sign-out", dependencies=[Depends(auth.access_token_required)])
async def sign_out(request: Request):
    revoked.add((await auth.get_access_token_from_request(request)).token)


@app.get("/me")
def me(payload: TokenPayload = Depends(auth.access_token_required)):
    return {"sub": payload.sub}


@app.get("/fresh", dependencies=[Depends(auth.fresh_token_required)])
def fresh():
    return "fresh"


@app.get("/items", dependencies=[Depends(auth.scopes_required("items"))])
def items():
    return ["tea"]


@app.get("/used")
def used():
    names = [authx.token.jwt.__name__, authx.token.InvalidTokenError.__module__]
    return [*names, authx.config.get_default_algorithms.__module__]
"""

SERVE = """
import socket

import uvicorn

with socket.create_server(("127.0.0.1", 0)) as listener:
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(app, log_level="warning", proxy_headers=False)
    uvicorn.Server(config).run(sockets=[listener])
"""


class Pair(NamedTuple):
    before: httpx2.Client
    after: httpx2.Client
    signer: Signer

    @property
    def ways(self) -> list[tuple[httpx2.Client, httpx2.Client]]:
        """Who makes and who reads."""
        return [
            (self.before, self.after),
            (self.after, self.before),
            (self.after, self.after),
        ]


def environment() -> str:
    """Return the interpreter of an environment that has the packages.

    Raises:
        LookupError: They are not to be had.
    """
    program, stamp = str(HOME / "bin" / "python"), HOME / "made"
    wanted = "\n".join([sys.base_prefix, sys.version, *PACKAGES])
    with locked(HOME.with_suffix(".lock")):
        if not stamp.is_file() or stamp.read_text() != wanted:
            _install(program)
            stamp.write_text(wanted)
    return program


def environment_or_skip() -> str:
    """Return the same; skip the test where the packages are not to be had."""
    try:
        return environment()
    except LookupError as error:
        pytest.skip(f"NO FASTAPI-USERS, NO AUTHX: pip cannot get them: {error}")


def _install(program: str) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(HOME)], check=True)
    command = [program, "-m", "pip", "install", "-qq", *PACKAGES]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LookupError(done.stderr.strip().splitlines()[-1:])


@contextmanager
def serving(python: str, code: str, **settings: str) -> Iterator[httpx2.Client]:
    """Run an application in a process of its own; the value is a client of it."""
    variables = {**os.environ, **settings, "PYTHONPATH": str(ROOT / "python")}
    command = [python, "-c", code + SERVE]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=variables
    ) as process:
        try:
            port = process.stdout.readline().strip() if process.stdout else ""
            assert port, "it did not start"
            with httpx2.Client(base_url=f"http://127.0.0.1:{port}") as client:
                client.get("/used").raise_for_status()
                yield client
        finally:
            process.terminate()


@contextmanager
def both(python: str, code: str, signer: Signer, **settings: str) -> Iterator[Pair]:
    with ExitStack() as stack:
        before, after = (
            stack.enter_context(serving(python, first + code, **settings))
            for first in ("", INSTALL)
        )
        yield Pair(before, after, signer)
