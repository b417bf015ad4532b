"""What administrators do with users, in code: create, find, list, change, disable."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest
from pydantic import Field as Checked
from pydantic import field_validator
from sqlalchemy.pool import NullPool
from sqlmodel import Field, Session, SQLModel, create_engine

from accounts_kit import CHEAP, EMAIL, PASSWORD, Store, make_auth, rows
from better_auth_tables import BetterAuthTables
from fastbearer.accounts import (
    AccountEvent,
    Accounts,
    BetterAuthUserStore,
    Database,
    DatabaseRevocations,
    EmailTakenError,
    InvalidUserError,
    NameTakenError,
    NotCreatedError,
    SQLModelUserStore,
    UnknownUserError,
    User,
)
from fastbearer.accounts.records import new_id
from fastbearer.accounts.routes.schemas import SignUp
from fastbearer.errors import (
    ConfigurationError,
    PasswordRuleError,
    StoreUnavailableError,
)
from servers import on_every_database
from wide_databases import client_of

NEW = "another battery staple"


class Desk:
    """Accounts that run, with a client of theirs and what they tell."""

    def __init__(self, accounts: Accounts, client: httpx2.AsyncClient) -> None:
        self.accounts = accounts
        self.users = accounts.users
        self.client = client
        self.told: list[AccountEvent] = []
        accounts.on_event()(self.told.append)

    async def sign_in(self, email: str = EMAIL, password: str = PASSWORD) -> Any:
        body = {"email": email, "password": password}
        return await self.client.post("signin", json=body)

    async def me(self, token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return (await self.client.get("me", headers=headers)).status_code

    def names(self) -> list[str]:
        return [event.name for event in self.told]


@asynccontextmanager
async def desk_of(
    database: Store, *, settings: dict[str, Any] | None = None, **options: Any
) -> AsyncIterator[Desk]:
    accounts = Accounts(
        make_auth(database, revocation="database", **(settings or {})),
        **{"hasher": CHEAP, **options},
    )
    async with client_of(accounts) as client:
        yield Desk(accounts, client)


def token_of(answer: httpx2.Response) -> str:
    assert answer.is_success, answer.text
    return str(answer.json()["data"]["token"])


def test_a_user_who_was_created_signs_in(database: Store) -> None:
    async def walk() -> None:
        async with desk_of(database) as desk:
            user = await desk.accounts.create_user(
                email=" Ada@Example.COM",
                password=PASSWORD,
                name=" Ada ",
                roles=["admin"],
            )
            assert (user.email, user.name, user.roles) == (EMAIL, "Ada", ["admin"])
            assert not user.email_verified and user.is_active
            token = token_of(await desk.sign_in())
            claims = jwt.decode(token, options={"verify_signature": False})
            assert (claims["sub"], claims["roles"]) == (user.id, ["admin"])
            assert desk.told[0].name == "user_created"
            assert (desk.told[0].address, desk.told[0].user_id) == ("", user.id)

    asyncio.run(walk())


def test_a_script_creates_users(tmp_path: Path) -> None:
    async def script() -> None:
        accounts = Accounts(make_auth(tmp_path / "a.db"), hasher=CHEAP)
        async with accounts.lifespan(None):
            await accounts.create_user(email=EMAIL, password=PASSWORD)
            assert (await accounts.users.find(email=EMAIL)) is not None

    asyncio.run(script())


def test_without_a_password_nobody_signs_in_before_a_reset(tmp_path: Path) -> None:
    async def walk() -> None:
        outbox: list[Any] = []
        async with desk_of(tmp_path / "a.db", send=outbox.append) as desk:
            user = await desk.users.create(email=EMAIL, email_verified=True)
            assert user.password_hash == "" and user.email_verified
            for password in ("", PASSWORD):
                assert (await desk.sign_in(password=password)).status_code == 401
            await desk.client.post("forgot-password", json={"email": EMAIL})
            body = {"code": outbox[-1].code, "password": PASSWORD}
            assert (await desk.client.post("reset-password", json=body)).is_success
            assert (await desk.sign_in()).is_success

    asyncio.run(walk())


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ({"email": None}, InvalidUserError, "email is missing"),
        ({"email": "nobody"}, InvalidUserError, "email is not valid"),
        ({"name": "a" * 256}, InvalidUserError, "name is not valid"),
        ({"name": "a\0"}, InvalidUserError, "name is not valid"),
        ({"name": "a\udcff"}, InvalidUserError, "name is not storable"),
        ({"company": "Acme"}, InvalidUserError, "users have no field company"),
        ({"id": "1"}, InvalidUserError, "users have no field id"),
        ({"password_hash": "x"}, InvalidUserError, "users have no field password_hash"),
        ({"invitation": "x"}, InvalidUserError, "users have no field invitation"),
        ({"username": "a b"}, InvalidUserError, "username is not valid"),
        ({"username": "ada@example.org"}, InvalidUserError, "username is not valid"),
        ({"phone": "12"}, InvalidUserError, "phone is not valid"),
        ({"roles": ["a b"]}, InvalidUserError, "a role is a word"),
        ({"roles": [""]}, InvalidUserError, "a role is a word"),
        ({"roles": ["a\x1b[2J"]}, InvalidUserError, "a role is a word"),
        ({"roles": ["a" * 1001]}, InvalidUserError, "roles is too long"),
        ({"is_active": "no"}, InvalidUserError, "is_active must be true or false"),
        ({"email_verified": 1}, InvalidUserError, "email_verified must be"),
        ({"password": "short"}, PasswordRuleError, "8 to 128"),
        ({"password": "password1"}, PasswordRuleError, "common"),
        ({"password": "ada@example.com"}, PasswordRuleError, "common"),
    ],
)
def test_nobody_is_created_with_what_sign_up_refuses(
    given: dict[str, Any], error: type[Exception], text: str, tmp_path: Path
) -> None:
    async def walk() -> None:
        async with desk_of(tmp_path / "a.db") as desk:
            with pytest.raises(error, match=text):
                await desk.users.create(**{"email": EMAIL, **given})
            assert [user async for user in desk.users.all()] == []
            assert desk.told == []

    asyncio.run(walk())


def test_errors_repeat_nothing_that_was_given(tmp_path: Path) -> None:
    async def walk() -> None:
        async with desk_of(tmp_path / "a.db") as desk:
            with pytest.raises(InvalidUserError) as caught:
                await desk.users.create(email="secret nobody", password="a secret")
            assert "secret" not in f"{caught.value!r} {caught.value.__cause__!r}"
            assert caught.value.fields == ("email",)

    asyncio.run(walk())


@on_every_database
def test_a_name_that_is_taken_is_refused(database: Store) -> None:
    async def walk() -> None:
        async with desk_of(database) as desk:
            await desk.users.create(email=EMAIL, username="ada", phone="+41441234567")
            with pytest.raises(EmailTakenError):
                await desk.users.create(email="ADA@example.com")
            with pytest.raises(NameTakenError):
                await desk.users.create(email="b@example.com", username="ADA")
            with pytest.raises(NameTakenError):
                await desk.users.create(email="b@example.com", phone="+41 44 123 45 67")

    asyncio.run(walk())


@on_every_database
def test_of_two_who_create_the_first_administrator_one_does(database: Store) -> None:
    async def walk() -> None:
        async with desk_of(database) as desk:
            tries = [
                desk.users.create(email=EMAIL, password=PASSWORD, roles=["admin"])
                for _ in range(8)
            ]
            found = await asyncio.gather(*tries, return_exceptions=True)
            assert sum(isinstance(one, User) for one in found) == 1
            refused = [one for one in found if not isinstance(one, User)]
            assert {type(one) for one in refused} <= {
                EmailTakenError,
                StoreUnavailableError,
            }

    asyncio.run(walk())


def test_users_are_found_by_each_of_their_names(tmp_path: Path) -> None:
    async def walk() -> None:
        async with desk_of(tmp_path / "a.db") as desk:
            user = await desk.users.create(
                email=EMAIL, username="Ada", phone="+41441234567", is_active=False
            )
            for given in (
                {"user_id": user.id},
                {"email": " ADA@example.com"},
                {"username": "ADA"},
                {"phone": "+41 (44) 123-45-67"},
            ):
                found = await desk.users.find(**given)  # type: ignore[arg-type]
                assert found is not None and found.id == user.id, given
            for given in ({"user_id": "x"}, {"email": "x"}, {"username": "@"}):
                assert await desk.users.find(**given) is None  # type: ignore[arg-type]
            with pytest.raises(TypeError):
                await desk.users.find()
            with pytest.raises(TypeError):
                await desk.users.find(user.id, email=EMAIL)

    asyncio.run(walk())


def test_there_are_no_users_from_the_start(tmp_path: Path) -> None:
    async def walk() -> None:
        async with desk_of(tmp_path / "a.db") as desk:
            assert [user async for user in desk.users.all()] == []

    asyncio.run(walk())


def test_every_user_is_listed_once_page_by_page(tmp_path: Path) -> None:
    async def walk() -> None:
        async with desk_of(tmp_path / "a.db") as desk:
            made = [
                (
                    await desk.users.create(
                        email=f"u{n}@example.com", is_active=n % 2 > 0
                    )
                )
                for n in range(205)
            ]
            found = [user.id async for user in desk.users.all()]
            assert found == sorted(user.id for user in made)

    asyncio.run(walk())


@on_every_database
def test_who_is_disabled_is_out_at_once(database: Store) -> None:
    async def walk() -> None:
        async with desk_of(database, settings={"refresh_tokens": True}) as desk:
            user = await desk.users.create(email=EMAIL, password=PASSWORD)
            answer = await desk.sign_in()
            token, data = token_of(answer), answer.json()["data"]
            assert await desk.me(token) == 200
            disabled = await desk.users.disable(user.id)
            assert not disabled.is_active
            assert await desk.me(token) == 401
            body = {"refresh_token": data["refresh_token"]}
            assert (await desk.client.post("refresh", json=body)).status_code == 401
            assert (await desk.sign_in()).status_code == 401
            assert (await desk.users.enable(user.id)).is_active
            assert await desk.me(token) == 401, "a session that has ended stays so"
            assert (await desk.client.post("refresh", json=body)).status_code == 401
            assert await desk.me(token_of(await desk.sign_in())) == 200
            names = [name for name in desk.names() if name.startswith("user_")]
            assert names == ["user_created", "user_disabled", "user_enabled"]

    asyncio.run(walk())


def test_a_sign_in_that_was_under_way_does_not_outlive_the_disabling(
    tmp_path: Path,
) -> None:
    """Whatever the order, no token is good after it that was asked for before."""

    async def walk() -> None:
        async with desk_of(tmp_path / "a.db") as desk:
            user = await desk.users.create(email=EMAIL, password=PASSWORD)
            for _ in range(10):
                await desk.users.enable(user.id)
                answers = await asyncio.gather(
                    *(desk.sign_in() for _ in range(5)),
                    desk.users.disable(user.id),
                    *(desk.sign_in() for _ in range(5)),
                )
                for answer in answers:
                    if not isinstance(answer, User) and answer.is_success:
                        assert await desk.me(token_of(answer)) == 401

    asyncio.run(walk())


def test_where_sessions_cannot_end_nobody_is_disabled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def walk() -> None:
        async with desk_of(tmp_path / "a.db") as desk:
            user = await desk.users.create(email=EMAIL, password=PASSWORD)
            token = token_of(await desk.sign_in())
            revocations: Any = desk.accounts._auth.revocations

            async def away(*_: object) -> Any:
                raise StoreUnavailableError("away")

            with monkeypatch.context() as patch:
                patch.setattr(revocations, "not_before", away)
                with pytest.raises(StoreUnavailableError):
                    await desk.users.disable(user.id)
            found = await desk.users.find(user.id)
            assert found is not None and found.is_active
            with monkeypatch.context() as patch:
                patch.setattr(revocations, "end_sessions", away)
                with pytest.raises(StoreUnavailableError):
                    await desk.users.disable(user.id)
            found = await desk.users.find(user.id)
            assert found is not None and not found.is_active
            await desk.users.disable(user.id)  # as its docstring says: call it again
            assert await desk.me(token) == 401

    asyncio.run(walk())


def test_changed_roles_are_in_no_older_token(tmp_path: Path) -> None:
    async def walk() -> None:
        async with desk_of(tmp_path / "a.db") as desk:
            user = await desk.users.create(
                email=EMAIL, password=PASSWORD, roles=["admin", "editor"]
            )
            token = token_of(await desk.sign_in())
            changed = await desk.users.set(user.id, roles=["editor"])
            assert changed.roles == ["editor"]
            assert await desk.me(token) == 401
            token = token_of(await desk.sign_in())
            await desk.users.set(user.id, name="Ada", email_verified=True)
            assert await desk.me(token) == 200, "no token says that"
            found = await desk.users.find(user.id)
            assert found is not None and (found.name, found.email_verified) == (
                "Ada",
                True,
            )

    asyncio.run(walk())


def test_a_password_that_is_set_ends_sessions_and_codes(tmp_path: Path) -> None:
    async def walk() -> None:
        outbox: list[Any] = []
        async with desk_of(tmp_path / "a.db", send=outbox.append) as desk:
            user = await desk.users.create(email=EMAIL, password=PASSWORD)
            token = token_of(await desk.sign_in())
            await desk.client.post("forgot-password", json={"email": EMAIL})
            await desk.users.set(user.id, password=NEW)
            assert rows(tmp_path / "a.db", "SELECT id FROM fastbearer_code") == []
            assert await desk.me(token) == 401
            assert (await desk.sign_in()).status_code == 401
            assert (await desk.sign_in(password=NEW)).is_success
            body = {"code": outbox[-1].code, "password": PASSWORD}
            assert (await desk.client.post("reset-password", json=body)).is_error
            with pytest.raises(PasswordRuleError):
                await desk.users.set(user.id, password="short")
            assert (await desk.sign_in(password=NEW)).is_success

    asyncio.run(walk())


def test_a_name_that_is_set_ends_no_code(tmp_path: Path) -> None:
    async def walk() -> None:
        outbox: list[Any] = []
        async with desk_of(tmp_path / "a.db", send=outbox.append) as desk:
            user = await desk.users.create(email=EMAIL, password=PASSWORD)
            fields = {"name": "Ada"}, {"roles": ["x"]}, {"email_verified": True}, {}
            for values in fields:
                await desk.client.post("forgot-password", json={"email": EMAIL})
                await desk.users.set(user.id, **values)  # type: ignore[arg-type]
                body = {"code": outbox[-1].code, "password": NEW}
                answer = await desk.client.post("reset-password", json=body)
                assert answer.is_success, values
            for off in ({"email": "eve@example.com"}, {"is_active": False}):
                now = await desk.users.find(user.id)
                assert now is not None
                await desk.client.post("forgot-password", json={"email": now.email})
                await desk.users.set(user.id, **off)  # type: ignore[arg-type]
                body = {"code": outbox[-1].code, "password": NEW}
                answer = await desk.client.post("reset-password", json=body)
                assert answer.status_code == 400, off
            await desk.users.enable(user.id)
            answer = await desk.client.post("reset-password", json=body)
            assert answer.status_code == 400

    asyncio.run(walk())


def test_an_email_that_is_set_ends_codes(tmp_path: Path) -> None:
    """Where it is set back, the user is again as the code knows them."""

    async def walk() -> None:
        outbox: list[Any] = []
        async with desk_of(tmp_path / "a.db", send=outbox.append) as desk:
            user = await desk.users.create(email=EMAIL, password=PASSWORD)
            await desk.client.post("forgot-password", json={"email": EMAIL})
            for email in ("eve@example.com", EMAIL):
                await desk.users.set(user.id, email=email)
            body = {"code": outbox[-1].code, "password": NEW}
            assert (await desk.client.post("reset-password", json=body)).is_error

    asyncio.run(walk())


def test_a_changed_email_is_not_verified_and_may_be_taken(database: Store) -> None:
    async def walk() -> None:
        async with desk_of(database) as desk:
            user = await desk.users.create(email=EMAIL, email_verified=True)
            await desk.users.create(email="bob@example.com", username="bob")
            changed = await desk.users.set(user.id, email="Eve@Example.com")
            assert (changed.email, changed.email_verified) == ("eve@example.com", False)
            with pytest.raises(EmailTakenError):
                await desk.users.set(user.id, email="BOB@example.com")
            with pytest.raises(NameTakenError):
                await desk.users.set(user.id, username="bob")
            for wrong in (
                {"email": "x"},
                {"email": None},
                {"id": "x"},
                {"created_at": None},
                {"password_hash": "x"},
                {"company": "Acme"},
                {"is_active": None},
                {"roles": ["a b"]},
            ):
                with pytest.raises(InvalidUserError):
                    await desk.users.set(user.id, **wrong)  # type: ignore[arg-type]
            found = await desk.users.find(user.id)
            assert found is not None and found.email == "eve@example.com"

    asyncio.run(walk())


def test_nobody_is_changed_who_is_not_there(tmp_path: Path) -> None:
    async def walk() -> None:
        async with desk_of(tmp_path / "a.db") as desk:
            for user_id in ("", "x", "a\0", "a\udcff"):
                with pytest.raises(UnknownUserError):
                    await desk.users.disable(user_id)
                with pytest.raises(UnknownUserError):
                    await desk.users.set(user_id, name="x")
            assert desk.told == []

    asyncio.run(walk())


def test_the_audit_log_has_what_administrators_do(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def walk() -> None:
        async with desk_of(tmp_path / "a.db") as desk:
            user = await desk.users.create(email=EMAIL, password=PASSWORD)
            await desk.users.set(user.id, name="Ada")
            await desk.users.disable(user.id)

    caplog.set_level(logging.INFO, logger="fastbearer.audit")
    asyncio.run(walk())
    told = [one for one in caplog.records if one.name == "fastbearer.audit"]
    lines = [json.loads(one.getMessage()) for one in told]
    assert [line["event"] for line in lines] == [
        "user_created",
        "user_changed",
        "user_disabled",
    ]
    assert {(line["email"], line["address"]) for line in lines} == {(EMAIL, "")}
    assert PASSWORD not in caplog.text


# Stores of a project's own


class Worker(SQLModel, table=True):
    """A model with a column that must have a value, and without roles."""

    __tablename__ = "worker"
    id: str = Field(primary_key=True)
    email: str = Field(unique=True)
    password_hash: str
    company: str
    email_verified: bool = False


class WorkerSignUp(SignUp):
    """Who works for a company."""

    company: str = Checked(min_length=2, max_length=20)

    @field_validator("company")
    @classmethod
    def tidy(cls, company: str) -> str:
        return company.strip().title()


class WorkerStore(SQLModelUserStore):
    def new_row(self, user: User) -> SQLModel:
        return Worker(
            id=user.id,
            email=user.email,
            password_hash=user.password_hash,
            **user.given,
        )


@pytest.fixture
def workers(tmp_path: Path) -> WorkerStore:
    engine = create_engine(f"sqlite:///{tmp_path}/own.db", poolclass=NullPool)
    SQLModel.metadata.create_all(engine, tables=[Worker.__table__])  # type: ignore[attr-defined]

    def get_session() -> Iterator[Session]:
        with Session(engine) as session:
            yield session

    return WorkerStore(Worker, get_session)


def test_a_schema_of_ones_own_judges_here_too(
    tmp_path: Path, workers: WorkerStore
) -> None:
    async def walk() -> None:
        options = {"store": workers, "sign_up": WorkerSignUp}
        async with desk_of(tmp_path / "a.db", **options) as desk:
            with pytest.raises(InvalidUserError, match="company is missing") as caught:
                await desk.users.create(email=EMAIL)
            assert caught.value.fields == ("company",)
            with pytest.raises(InvalidUserError, match="company is not valid"):
                await desk.users.create(email=EMAIL, company="A")
            user = await desk.users.create(email=EMAIL, company=" acme ")
            found = rows(tmp_path / "own.db", "SELECT id, company FROM worker")
            assert found == [(user.id, "Acme")]

    asyncio.run(walk())


def test_a_store_that_keeps_no_roles_refuses_them(
    tmp_path: Path, workers: WorkerStore
) -> None:
    async def walk() -> None:
        options = {"store": workers, "sign_up": WorkerSignUp}
        async with desk_of(tmp_path / "a.db", **options) as desk:
            for given in ({"roles": ["admin"]}, {"is_active": False}):
                with pytest.raises(ConfigurationError):
                    await desk.users.create(email=EMAIL, company="Acme", **given)  # type: ignore[arg-type]
            assert rows(tmp_path / "own.db", "SELECT id FROM worker") == []
            with pytest.raises(ConfigurationError):
                await desk.accounts.invite(roles=["admin"])

    asyncio.run(walk())


class Bare:
    """A store as the protocol asks for at least; it forgets what it is not asked."""

    def __init__(self) -> None:
        self.users: dict[str, User] = {}

    async def add(self, user: User) -> None:
        if await self.find_by_email(user.email) is not None:
            raise EmailTakenError("taken")
        if user.email.startswith("fail"):
            raise RuntimeError("cannot keep them")
        self.users[user.id] = User(
            id=user.id, email=user.email, password_hash=user.password_hash
        )

    async def find_by_email(self, email: str) -> User | None:
        return next((one for one in self.users.values() if one.email == email), None)

    async def find(self, user_id: str) -> User | None:
        return self.users.get(user_id)

    async def replace_password_hash(self, user: User, password_hash: str) -> bool:
        self.users[user.id].password_hash = password_hash
        return True

    async def verify_email(self, user: User) -> None:
        self.users[user.id].email_verified = True

    async def remove(self, user: User) -> None:
        del self.users[user.id]


class Changing(Bare):
    """One that says it can change users, and does not."""

    async def change(self, user: User, values: Any) -> bool:
        return True


def test_what_a_store_lacks_is_named(tmp_path: Path) -> None:
    async def walk() -> None:
        async with desk_of(tmp_path / "a.db", store=Bare()) as desk:
            user = await desk.users.create(
                email=EMAIL, password=PASSWORD, email_verified=True
            )
            assert user.email_verified
            assert (await desk.users.find(email=EMAIL)) is not None
            for work, method in (
                (desk.users.disable(user.id), "change"),
                (desk.users.set(user.id, name="x"), "change"),
                (desk.users.find(username="ada"), "find_by"),
                (desk.users.create(email="b@example.com", roles=["x"]), "change"),
                (anext(desk.users.all()), "list_users"),
            ):
                with pytest.raises(ConfigurationError, match=f"a method {method} "):
                    await work  # type: ignore[misc]
            token = token_of(await desk.sign_in())
            await desk.users.set(user.id, password=NEW)  # needs no more than it has
            assert await desk.me(token) == 401
            with pytest.raises(NotCreatedError, match="RuntimeError"):
                await desk.users.create(email="fail@example.com")

    asyncio.run(walk())


def test_a_store_that_forgets_roles_keeps_nobody_without_them(tmp_path: Path) -> None:
    async def walk() -> None:
        store = Changing()
        async with desk_of(tmp_path / "a.db", store=store) as desk:
            with pytest.raises(ConfigurationError, match="does not keep roles"):
                await desk.users.create(email=EMAIL, roles=["admin"])
            with pytest.raises(ConfigurationError, match="does not keep is_active"):
                await desk.users.create(email=EMAIL, is_active=False)
            assert store.users == {}
            user = await desk.users.create(email=EMAIL)
            with pytest.raises(ConfigurationError, match="does not keep is_active"):
                await desk.users.disable(user.id)

    asyncio.run(walk())


def test_users_of_better_auth_are_created(tmp_path: Path) -> None:
    async def walk() -> None:
        outbox: list[Any] = []
        tables = BetterAuthTables(tmp_path / "better.db")
        tables.create()
        store = BetterAuthUserStore(tables.url)
        options = {"store": store, "hasher": None, "send": outbox.append}
        async with desk_of(tmp_path / "a.db", **options) as desk:
            user = await desk.users.create(
                email=EMAIL, password=PASSWORD, name="Ada", email_verified=True
            )
            assert user.email_verified
            assert (await desk.sign_in()).is_success
            await desk.users.create(email="bob@example.com")
            assert len(tables.rows("account")) == 1
            await desk.client.post("forgot-password", json={"email": "bob@example.com"})
            body = {"code": outbox[-1].code, "password": PASSWORD}
            assert (await desk.client.post("reset-password", json=body)).is_success
            assert (await desk.sign_in("bob@example.com")).is_success
            carl = await desk.users.create(email="carl@example.com", roles=["admin"])
            found = await desk.users.find(carl.id)
            assert found is not None and found.roles == ["admin"]

    asyncio.run(walk())


def test_in_sqlite_no_connection_is_made_to_listen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script that is soon done would leave its thread with a loop that is gone."""

    async def walk() -> None:
        database = Database(lambda: f"sqlite+aiosqlite:///{tmp_path}/a.db")
        monkeypatch.setattr(Database, "transaction", None)
        journal = DatabaseRevocations(database)._journal
        assert await journal.listen(lambda: None) is False

    asyncio.run(walk())


class Clerk(SQLModel, table=True):
    """A model whose columns have names of their own."""

    __tablename__ = "clerk"
    id: str = Field(primary_key=True, default_factory=new_id)
    email: str = Field(unique=True)
    pwd: str
    verified: bool = False
    level: int = 0
    is_superuser: bool = False


@pytest.fixture
def clerks(tmp_path: Path) -> SQLModelUserStore:
    engine = create_engine(f"sqlite:///{tmp_path}/clerks.db", poolclass=NullPool)
    SQLModel.metadata.create_all(engine, tables=[Clerk.__table__])  # type: ignore[attr-defined]

    def get_session() -> Iterator[Session]:
        with Session(engine) as session:
            yield session

    kept = {"password_hash": "pwd", "email_verified": "verified"}
    return SQLModelUserStore(Clerk, get_session, **kept)


def test_attack_a_column_of_ours_is_written_by_its_own_name(
    tmp_path: Path, clerks: SQLModelUserStore
) -> None:
    async def walk() -> None:
        async with desk_of(tmp_path / "a.db", store=clerks) as desk:
            user = await desk.users.create(email=EMAIL, password=PASSWORD)
            for field, value in {"pwd": "plain", "verified": True}.items():
                with pytest.raises(InvalidUserError, match=f"kept in {field}"):
                    await desk.users.set(user.id, **{field: value})
            assert (await desk.sign_in()).status_code == 200

    asyncio.run(walk())


def test_a_field_of_the_model_comes_as_a_text_and_ends_sessions_if_it_grants(
    tmp_path: Path, clerks: SQLModelUserStore
) -> None:
    async def walk() -> None:
        async with desk_of(tmp_path / "a.db", store=clerks) as desk:
            user = await desk.users.create(email=EMAIL, password=PASSWORD)
            token = token_of(await desk.sign_in())
            await desk.users.set(user.id, level="7")
            assert await desk.me(token) == 200
            with pytest.raises(InvalidUserError, match="level is not valid"):
                await desk.users.set(user.id, level="abc")
            await desk.users.set(user.id, is_superuser="true")
            found = rows(
                tmp_path / "clerks.db", "SELECT level, is_superuser FROM clerk"
            )
            assert found == [(7, 1)]
            assert await desk.me(token) == 401

    asyncio.run(walk())
