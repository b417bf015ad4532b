"""Members of companies: accounts with fields of the project's own, on PostgreSQL."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import FastAPI
from pydantic import Field
from sqlalchemy import make_url, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fastbearer.accounts import (
    Accounts,
    PublicUser,
    SignUp,
    SQLAlchemyUserStore,
    UserName,
)
from fastbearer.fastapi import CurrentUser, auth


class Base(DeclarativeBase):
    """The project's tables."""


class Member(Base):
    """A user, as the project keeps them."""

    __tablename__ = "member"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    email: Mapped[str] = mapped_column(unique=True)
    username: Mapped[str] = mapped_column(unique=True)
    hashed_password: Mapped[str]
    company: Mapped[str]


class NewMember(SignUp):
    """What somebody gives who signs up."""

    username: UserName
    company: Annotated[str, Field(min_length=1, max_length=80)]


class ShownMember(PublicUser):
    """What members are shown of themselves."""

    username: str
    company: str


url = make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+asyncpg")
engine = create_async_engine(url, hide_parameters=True)
sessions = async_sessionmaker(engine)
accounts = Accounts(
    auth,
    store=SQLAlchemyUserStore(Member, sessions, password_hash="hashed_password"),
    sign_up=NewMember,
    public=ShownMember,
    names=("email", "username"),
)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Make the table, where a migration would be."""
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()


app = FastAPI(title="Members", lifespan=lifespan)
app.include_router(accounts.router)


@app.get("/colleagues")
async def colleagues(user: CurrentUser) -> list[str]:
    """Return the names of those who are of the same company."""
    company = select(Member.company).where(Member.id == UUID(user["user_id"]))
    of_company = Member.company == company.scalar_subquery()
    async with sessions() as session:
        names = select(Member.username).where(of_company).order_by(Member.username)
        return list(await session.scalars(names))
