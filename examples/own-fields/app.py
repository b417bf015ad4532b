"""Members of companies: accounts with fields of the project's own, on PostgreSQL."""

import os

from fastapi import Depends, FastAPI
from pydantic import Field
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fastbearer import accounts as ours
from fastbearer.fastapi import auth


class Base(DeclarativeBase):
    pass


class Member(Base):
    __tablename__ = "member"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    username: Mapped[str] = mapped_column(unique=True)
    hashed_password: Mapped[str]
    company: Mapped[str]


class NewMember(ours.SignUp):
    username: ours.UserName
    company: str = Field(min_length=1, max_length=80)


class ShownMember(ours.PublicUser):
    username: str
    company: str


engine = create_async_engine(os.environ["DATABASE_URL"])
sessions = async_sessionmaker(engine)
store = ours.SQLAlchemyUserStore(Member, sessions, password_hash="hashed_password")
names = ("email", "username")
accounts = ours.Accounts(
    auth, store=store, sign_up=NewMember, public=ShownMember, names=names
)
app = FastAPI(title="Members")
app.include_router(accounts.router)


@app.get("/company")
async def company(me: Member = Depends(accounts.current_account)) -> str:
    return me.company
