"""The same application, over fastbearer: its database and its page are unchanged."""

import os
from pathlib import Path
from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.responses import FileResponse
from sqlalchemy import String
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fastbearer import accounts as ours
from fastbearer.fastapi import auth


class Base(DeclarativeBase):
    pass


class User(ours.FastAPIUsersTable, Base):
    nickname: Mapped[str | None] = mapped_column(String(50))


class UserRead(ours.UserRead):
    nickname: str | None = None


class UserCreate(ours.SignUp):
    nickname: str | None = None


class UserUpdate(ours.UserUpdate):
    nickname: str | None = None


async def send(message: ours.Message) -> None:
    print(f"{message.purpose} for {message.to}: {message.code}")


sessions = async_sessionmaker(create_async_engine(os.environ["DATABASE_URL"]))
accounts = ours.Accounts(
    auth,
    store=ours.SQLAlchemyUserStore(
        User, sessions, password_hash="hashed_password", email_verified="is_verified"
    ),
    sign_up=UserCreate,
    send=send,
    layout=ours.FastAPIUsersLayout(read=UserRead, update=UserUpdate),
)
app = FastAPI()
app.include_router(accounts.router)


@app.get("/hello")
async def hello(user: Annotated[User, Depends(accounts.current_account)]):
    return {"message": f"Hello {user.nickname or user.email}!"}


@app.get("/")
async def page() -> FileResponse:
    return FileResponse(Path(__file__).with_name("index.html"))
