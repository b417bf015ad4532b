"""The rules of a project's sign-up hold after sign-up, too."""

from __future__ import annotations

import asyncio
import enum
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field, SecretStr, create_model, field_validator, model_validator
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from account_desk import Desk, at_the_desk
from accounts_kit import CHEAP, EMAIL, PASSWORD, make_auth, rows
from fastbearer.accounts import (
    Accounts,
    Email,
    FastAPIUsersTable,
    InvalidUserError,
    SignUp,
    SQLAlchemyUserStore,
    UserName,
)
from fastbearer.errors import ConfigurationError, PasswordRuleError
from wide_databases import client_of

NAMES = ("email", "username")
NEW = "another horse battery"
SHORT = "horse battery"
LONG = "Password must have 16 characters at least"
INVALID = "Password is invalid"
HERE = "Use your address of example.com"


class Strict(SignUp):
    """Has a rule for each of what is changed later."""

    email: Email = Field(description=HERE)
    username: UserName
    password: str = Field(min_length=16, description=LONG)
    name: str = Field(min_length=2)

    @field_validator("email")
    @classmethod
    def of_ours(cls, email: str) -> str:
        if not email.endswith("@example.com"):
            raise ValueError("elsewhere")
        return email

    @field_validator("username")
    @classmethod
    def not_reserved(cls, username: str) -> str:
        if username == "admin":
            raise ValueError("reserved")
        return username

    @model_validator(mode="after")
    def at_sign_up(self) -> Strict:
        assert self.password != self.username
        return self


def tried(database: Path, work: Any, sign_up: type[SignUp] = Strict) -> None:
    async def run(desk: Desk) -> None:
        await desk.sign_up(username="ada", name="Ada")
        await work(desk)

    at_the_desk(run, database, names=NAMES, sign_up=sign_up)


@pytest.mark.parametrize("name", ["admin", "ADMIN", " Admin "])
def test_attack_a_reserved_name_by_a_change(tmp_path: Path, name: str) -> None:
    async def work(desk: Desk) -> None:
        refused = await desk.ask("PATCH", "me", username=name)
        assert refused.status_code == 400
        assert refused.json()["detail"].startswith("User name must be")
        assert (await desk.ask("PATCH", "me", username="Eve")).status_code == 200

    tried(tmp_path / "a.db", work)
    query = "SELECT username FROM fastbearer_user"
    assert rows(tmp_path / "a.db", query) == [("eve",)]


@pytest.mark.parametrize("name", [None, "x", ""])
def test_attack_a_name_that_sign_up_refuses(tmp_path: Path, name: Any) -> None:
    async def work(desk: Desk) -> None:
        assert (await desk.ask("PATCH", "me", name=name)).status_code == 400
        assert (await desk.me())["name"] == "Ada"

    tried(tmp_path / "a.db", work)


def test_attack_an_email_of_another_domain_by_a_change(tmp_path: Path) -> None:
    async def work(desk: Desk) -> None:
        sent = len(desk.outbox)
        body = {"new_email": "ada@elsewhere.org", "password": PASSWORD}
        assert await desk.told("change-email", **body) == (400, {"detail": HERE})
        assert len(desk.outbox) == sent
        code = await desk.code_to("countess@example.com")
        assert await desk.post("confirm-email", code=code) == 200

    tried(tmp_path / "a.db", work)


def test_attack_a_short_password_by_a_change(tmp_path: Path) -> None:
    async def work(desk: Desk) -> None:
        body = {"current_password": PASSWORD, "new_password": SHORT}
        assert await desk.told("change-password", **body) == (400, {"detail": LONG})
        body["new_password"] = NEW
        assert await desk.post("change-password", **body) == 200

    tried(tmp_path / "a.db", work)


def test_attack_a_short_password_by_a_reset(tmp_path: Path) -> None:
    async def work(desk: Desk) -> None:
        code = await desk.code()
        body = {"code": code, "password": SHORT}
        assert await desk.told("reset-password", **body) == (400, {"detail": LONG})
        assert await desk.post("reset-password", code=code, password=NEW) == 200

    tried(tmp_path / "a.db", work)


class Validated(SignUp):
    """Says nothing of its password, which is hidden."""

    password: SecretStr  # type: ignore[assignment]

    @field_validator("password")
    @classmethod
    def has_a_space(cls, password: SecretStr) -> SecretStr:
        if " " not in password.get_secret_value():
            raise ValueError("no space")
        return password


def test_what_is_said_of_a_password_that_the_project_refuses(tmp_path: Path) -> None:
    wrong = "anotherhorsebattery"

    async def work(desk: Desk) -> None:
        refused = (400, {"detail": INVALID})
        body = {"email": "eve@example.com", "username": "eve", "password": wrong}
        assert await desk.told("signup", **body) == refused
        body = {"current_password": PASSWORD, "new_password": wrong}
        assert await desk.told("change-password", **body) == refused
        body["new_password"] = NEW
        assert await desk.post("change-password", **body) == 200

    tried(tmp_path / "a.db", work, Validated)


def test_administration_asks_the_same(tmp_path: Path) -> None:
    async def run() -> None:
        auth = make_auth(tmp_path / "a.db", revocation="database")
        accounts = Accounts(auth, hasher=CHEAP, send=print, names=NAMES, sign_up=Strict)
        async with client_of(accounts):
            ada = await accounts.users.create(email=EMAIL, username="ada", name="Ada")
            for wrong in (
                {"username": "ADMIN"},
                {"email": "ada@elsewhere.org"},
                {"name": None},
            ):
                with pytest.raises(InvalidUserError, match="is not valid"):
                    await accounts.users.set(ada.id, **wrong)
            with pytest.raises(PasswordRuleError, match="16"):
                await accounts.users.set(ada.id, password=SHORT)
            await accounts.users.set(ada.id, password=NEW, username="eve")

    asyncio.run(run())


# --- the routes of fastapi-users


class Base(DeclarativeBase):
    """Of the model here."""


class Taken(FastAPIUsersTable, Base):
    """Users as fastapi-users has them."""

    __tablename__ = "taken_of_rules"
    id: Mapped[int] = mapped_column(primary_key=True)
    __table_args__ = ({"sqlite_autoincrement": True},)


class Create(SignUp):
    """As `Strict`, without a user name."""

    password: str = Field(min_length=16, description=LONG)

    @field_validator("email")
    @classmethod
    def of_ours(cls, email: str) -> str:
        if not email.endswith("@example.com"):
            raise ValueError("elsewhere")
        return email


def test_attack_the_rules_by_the_routes_of_fastapi_users(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'a.db'}")
    Base.metadata.create_all(engine)

    def wrong(code: str) -> tuple[int, Any]:
        return 400, {"detail": {"code": f"{code}_INVALID_PASSWORD", "reason": LONG}}

    async def run() -> None:
        outbox: list[Any] = []
        auth = make_auth(tmp_path / "a.db", revocation="database")
        accounts = Accounts(
            auth,
            hasher=CHEAP,
            send=outbox.append,
            store=SQLAlchemyUserStore(
                Taken,
                lambda: Session(engine),
                password_hash="hashed_password",
                email_verified="is_verified",
            ),
            sign_up=Create,
            layout="fastapi-users",
        )
        async with client_of(accounts) as client:

            async def told(method: str, path: str, **body: Any) -> tuple[int, Any]:
                answer = await client.request(
                    method, f"http://localhost{path}", json=body, headers=headers
                )
                return answer.status_code, answer.json() if answer.content else None

            headers: dict[str, str] = {}
            body = {"email": EMAIL, "password": SHORT}
            assert await told("POST", "/auth/register", **body) == wrong("REGISTER")
            missing = await told("POST", "/auth/register", email=EMAIL)
            assert missing[0] == 422
            body["password"] = PASSWORD
            assert (await told("POST", "/auth/register", **body))[0] == 201
            answer = await client.post(
                "http://localhost/auth/jwt/login",
                data={"username": EMAIL, "password": PASSWORD},
            )
            headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
            assert await told("PATCH", "/users/me", password=SHORT) == wrong(
                "UPDATE_USER"
            )
            moved = await told("PATCH", "/users/me", email="ada@elsewhere.org")
            assert moved[0] == 422
            assert moved[1]["detail"][0]["loc"] == ["body", "email"]
            await told("POST", "/auth/forgot-password", email=EMAIL)
            body = {"token": outbox[-1].code, "password": SHORT}
            assert await told("POST", "/auth/reset-password", **body) == wrong(
                "RESET_PASSWORD"
            )
            body["password"] = NEW
            assert (await told("POST", "/auth/reset-password", **body))[0] == 200

    asyncio.run(run())


@pytest.mark.parametrize("form", ["", 5, 0, None, 1.5])
def test_a_password_form_that_is_none(tmp_path: Path, form: Any) -> None:
    with pytest.raises(ConfigurationError, match="password_form="):
        Accounts(make_auth(tmp_path / "a.db"), password_form=form)


class Agreed(SignUp):
    """Asks for what is not kept."""

    terms: bool = Field(exclude=True)
    password2: str = Field(exclude=True)
    is_admin: bool = Field(default=False, exclude=True)

    @model_validator(mode="after")
    def agreed(self) -> Agreed:
        if not self.terms or self.password2 != self.password:
            raise ValueError("no")
        return self


def test_fields_that_are_not_kept(tmp_path: Path) -> None:
    async def run(desk: Desk) -> None:
        body = {"password": PASSWORD, "password2": PASSWORD}
        wrong = [
            {**body},
            {**body, "terms": False},
            {**body, "terms": True, "password2": NEW},
        ]
        for one in wrong:
            assert await desk.post("signup", email=EMAIL, **one) == 400
        assert await desk.post("signup", email=EMAIL, terms=True, **body) == 201
        body = {"current_password": PASSWORD, "new_password": NEW}
        assert await desk.post("change-password", **body) == 200

    at_the_desk(run, tmp_path / "a.db", sign_up=Agreed)


@pytest.mark.parametrize(
    "field",
    [
        *("is_admin", "admin", "isAdmin", "Admin", "has_admin", "admins"),
        *("superuser", "is_superusers", "staff", "verified", "is_active", "active"),
        *("banned", "disabled", "owner", "moderator", "group", "groups", "permission"),
        *("permissions", "role", "roles", "role_id", "roleIds", "scp", "scope"),
        *("confirmed", "email_confirmed", "phone_verified", "is_email_verified"),
        *("hashed_password", "passwordHash", "deleted_at", "id", "isOwner"),
    ],
)
def test_attack_a_privilege_in_another_spelling(tmp_path: Path, field: str) -> None:
    model = create_model("Model", __base__=SignUp, **{field: (str | None, None)})
    with pytest.raises(ConfigurationError, match="call it otherwise"):
        Accounts(make_auth(tmp_path / "a.db"), sign_up=model)
    later = create_model("Later", **{field: (str | None, None)})
    with pytest.raises(ConfigurationError, match="call it otherwise"):
        Accounts(make_auth(tmp_path / "a.db"), changes=later)


@pytest.mark.parametrize(
    "field",
    [
        *("activity", "owner_name", "age_group", "hash_tag", "issue", "history"),
        *("identity", "administration", "staff_number", "has_car", "is_company", "s"),
        *("is_", "has", "scopeless", "roleplay", "verified_by"),
    ],
)
def test_harmless_words(tmp_path: Path, field: str) -> None:
    model = create_model("Model", __base__=SignUp, **{field: (str | None, None)})
    Accounts(make_auth(tmp_path / "a.db"), sign_up=model)


# --- roles


class Rank(enum.Enum):
    """One role a user."""

    USER = "user"
    ADMIN = "admin"


class Ranked(Base):
    """Has one role."""

    __tablename__ = "ranked_of_rules"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    rank: Mapped[Rank] = mapped_column(default=Rank.USER)


def test_an_invitation_with_a_role_that_nobody_can_have(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'a.db'}")
    Base.metadata.create_all(engine)
    store = SQLAlchemyUserStore(Ranked, lambda: Session(engine), roles="rank")

    async def run() -> None:
        auth = make_auth(tmp_path / "a.db", revocation="database", sign_up="invitation")
        accounts = Accounts(auth, hasher=CHEAP, send=print, store=store)
        async with client_of(accounts) as client:
            for wrong in (["boss"], ["admin", "user"]):
                with pytest.raises(InvalidUserError, match="keeps one role"):
                    await accounts.invite(roles=wrong)
                with pytest.raises(InvalidUserError, match="keeps one role"):
                    await accounts.create_user(email="a@example.com", roles=wrong)
            code = await accounts.invite(roles=["admin"])
            body = {"email": EMAIL, "password": PASSWORD, "invitation": code}
            assert (await client.post("signup", json=body)).status_code == 201
            found = await accounts.users.find(email=EMAIL)
            assert found is not None and found.roles == ["admin"]

    asyncio.run(run())
