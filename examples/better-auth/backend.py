"""The backend: the tasks of whoever is signed in to Better Auth.

`run` sets the variables that it reads: BETTER_AUTH_SECRET, BETTER_AUTH_URL, and
BETTER_AUTH_DATABASE, Better Auth's own file.
"""

import os
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from pydantic import BaseModel, Field

from fastbearer.better_auth import BetterAuth, Session
from fastbearer.better_auth.sql import SQLSessions
from fastbearer.fastapi import better_auth_session
from fastbearer.jwks import JWKSClient

FRONTEND = os.environ["BETTER_AUTH_URL"]

sessions = SQLSessions(f"sqlite+aiosqlite:///{os.environ['BETTER_AUTH_DATABASE']}")
keys = JWKSClient(f"{FRONTEND}/api/auth/jwks")
better_auth = BetterAuth.from_environment(store=sessions, jwks=keys)
SignedIn = Annotated[Session, Depends(better_auth_session(better_auth))]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Look whether Better Auth's tables are there."""
    await sessions.check()
    yield
    await sessions.aclose()


app = FastAPI(title="Tasks", lifespan=lifespan)
app.add_middleware(
    CORSMiddleware,
    allow_origins=[FRONTEND],
    allow_credentials=True,
    allow_methods=["GET", "POST"],
    allow_headers=["Authorization"],
)


class Task(BaseModel):
    """What is to be done."""

    title: str = Field(min_length=1, max_length=200)


tasks: defaultdict[str, list[Task]] = defaultdict(list)


@app.get("/tasks")
async def list_tasks(session: SignedIn) -> list[Task]:
    """Return the user's own tasks."""
    return tasks[session.user_id]


@app.post("/tasks", status_code=201)
async def add_task(session: SignedIn, task: Task) -> list[Task]:
    """Add one, and return them all."""
    tasks[session.user_id].append(task)
    return tasks[session.user_id]
