"""Fields of a project's own: what is given at sign-up, and what is shown."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)
from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from accounts_kit import (
    CHEAP,
    EMAIL,
    PASSWORD,
    Store,
    answer,
    bearer,
    http,
    make_auth,
    me,
    refused,
    rows,
    sign_in,
    sign_up,
    token_of,
)
from fastbearer.accounts import (
    Accounts,
    PublicUser,
    SignUp,
    SQLModelUserStore,
    User,
)
from fastbearer.errors import ConfigurationError
from project_models import Engines, async_dependency, engines_on, sync_dependency
from servers import BOTH

Serve = Callable[[FastAPI], str]

EMAIL_RULE = "Email must be a valid address of at most 254 characters"
COMPANY = "Company must be a string of 2 to 40 characters"


class Base(DeclarativeBase):
    """Of the models here."""


class Person(Base):
    """Users as a project has them."""

    __tablename__ = "person"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    pwd: Mapped[str]
    company: Mapped[str]
    plan: Mapped[str] = mapped_column(default="free")
    address: Mapped[dict[str, Any]] = mapped_column(JSON)
    enabled: Mapped[bool] = mapped_column(default=True)
    groups: Mapped[str] = mapped_column(default="")
    notes: Mapped[list[Note]] = relationship()

    @property
    def label(self) -> str:
        return f"{self.email} of {self.company}"


class Note(Base):
    """What belongs to them."""

    __tablename__ = "note"
    id: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[int] = mapped_column(ForeignKey("person.id"))


class Address(BaseModel):
    """Where somebody lives."""

    model_config = ConfigDict(from_attributes=True)

    city: str
    postcode: str = Field(pattern="^[0-9]{4,5}$")


class PersonSignUp(SignUp):
    """Somebody who joins a company."""

    company: str = Field(
        min_length=2, max_length=40, alias="companyName", description=COMPANY
    )
    plan: str | None = None
    address: Address

    @field_validator("company")
    @classmethod
    def known(cls, company: str) -> str:
        if company == "nowhere":
            raise ValueError("no company is called so")
        return company.title()


class PublicPerson(PublicUser):
    """Somebody of a company."""

    company: str = Field(alias="companyName")
    plan: str = Field(description="What they pay for")
    address: Address
    label: str
    nickname: str | None = None


FIELDS = {"companyName": "acme", "address": {"city": "Bern", "postcode": "3000"}}
PERSON = {
    "id": "1",
    "email": EMAIL,
    "name": None,
    "companyName": "Acme",
    "plan": "free",
    "address": {"city": "Bern", "postcode": "3000"},
    "label": f"{EMAIL} of Acme",
    "nickname": None,
}

STORE = {"password_hash": "pwd", "is_active": "enabled", "roles": "groups"}


@pytest.fixture(params=BOTH)
def engines(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engines]:
    with engines_on(request.param, tmp_path, Person) as engines:
        yield engines


def people(folder: Path, engines: Engines, **settings: Any) -> FastAPI:
    shape = {"sign_up": PersonSignUp, "public": PublicPerson}
    given = {one: settings.pop(one) for one in ("claims", "names") if one in settings}
    shape |= {one: settings.pop(one) for one in shape if one in settings}
    sessions = settings.pop("sessions", sync_dependency)(engines)
    store = SQLModelUserStore(Person, sessions, **STORE)
    auth = make_auth(folder / "own.db", **settings)
    accounts = Accounts(auth, store=store, hasher=CHEAP, **shape, **given)
    app = FastAPI(lifespan=disposing(engines))
    app.include_router(accounts.router)
    return app


def disposing(engines: Engines) -> Any:
    """Return a lifespan after which no connection of a loop is left."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        await engines.asynchronous.dispose()

    return lifespan


@pytest.mark.parametrize("sessions", [sync_dependency, async_dependency])
def test_own_fields_come_in_and_go_out(
    serve: Serve, engines: Engines, tmp_path: Path, sessions: Any
) -> None:
    url = serve(people(tmp_path, engines, sessions=sessions, refresh_tokens=True))
    made = sign_up(url, **FIELDS)
    assert made.status_code == 201, made.text
    assert made.json()["data"]["user"] == PERSON
    entered = sign_in(url)
    assert entered.json()["data"]["user"] == PERSON
    refresh = {"refresh_token": entered.json()["data"]["refresh_token"]}
    again = http.post(f"{url}/api/auth/refresh", json=refresh)
    assert again.json()["data"]["user"] == PERSON
    assert me(url, token_of(again)).json()["data"] == {
        **PERSON,
        "email_verified": False,
    }
    body = {"current_password": PASSWORD, "new_password": "another horse battery"}
    headers = bearer(token_of(again))
    changed = http.post(f"{url}/api/auth/change-password", json=body, headers=headers)
    assert changed.json()["data"]["user"] == PERSON
    assert engines.run("SELECT company, plan FROM person") == [("Acme", "free")]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"companyName": "A"}, COMPANY),
        ({"companyName": 5}, COMPANY),
        ({"companyName": "nowhere"}, COMPANY),
        ({"companyName": None}, COMPANY),
        ({"plan": ["paid"]}, "plan is invalid"),
        ({"address": {"city": "Bern", "postcode": "secret"}}, "address is invalid"),
        ({"address": {}}, "address is invalid"),
        (
            {"email": "nobody"},
            "Email must be a valid address of at most 254 characters",
        ),
    ],
)
def test_an_invalid_field_is_named_and_its_value_is_not(
    serve: Serve, engines: Engines, tmp_path: Path, fields: dict[str, Any], text: str
) -> None:
    url = serve(people(tmp_path, engines))
    response = sign_up(url, **{**FIELDS, **fields})
    assert answer(response) == refused(400, text)
    assert engines.run("SELECT * FROM person") == []


def test_a_missing_field_is_named(
    serve: Serve, engines: Engines, tmp_path: Path
) -> None:
    url = serve(people(tmp_path, engines))
    assert answer(sign_up(url, address=FIELDS["address"])) == refused(400, COMPANY)


def test_openapi_has_the_projects_schemas(
    serve: Serve, engines: Engines, tmp_path: Path
) -> None:
    url = serve(people(tmp_path, engines))
    document = http.get(f"{url}/openapi.json").json()
    schemas = document["components"]["schemas"]
    wanted = schemas["PersonSignUp"]
    assert wanted["description"] == "Somebody who joins a company."
    assert set(wanted["required"]) == {"email", "password", "companyName", "address"}
    assert wanted["properties"]["companyName"]["description"] == COMPANY
    assert wanted["properties"]["address"] == {"$ref": "#/components/schemas/Address"}
    paths = document["paths"]
    body = paths["/api/auth/signup"]["post"]["requestBody"]["content"]
    named = {"$ref": "#/components/schemas/PersonSignUp"}
    assert body["application/json"]["schema"] == named
    shown = {"$ref": "#/components/schemas/PublicPerson"}
    for kind in ("Session", "RefreshableSession", "CookieSession"):
        assert schemas[kind]["properties"]["user"] == shown
    for route in ("signup", "signin", "refresh", "change-password"):
        answers = paths[f"/api/auth/{route}"]["post"]["responses"]
        good = answers.get("201") or answers["200"]
        named = {"$ref": "#/components/schemas/SignedIn"}
        assert good["content"]["application/json"]["schema"] == named
    mine = schemas["Me"]["properties"]["data"]["$ref"].rpartition("/")[2]
    assert {"companyName", "email_verified"} < schemas[mine]["properties"].keys()


def test_cookies_show_the_same_user(
    serve: Serve, engines: Engines, tmp_path: Path
) -> None:
    url = serve(people(tmp_path, engines, auth_cookie=True, cookie_secure=False))
    body = {"email": EMAIL, "password": PASSWORD, **FIELDS}
    made = httpx2.post(f"{url}/api/auth/signup", json=body)  # by nobody with cookies
    assert made.json() == {"success": True, "data": {"user": PERSON}}


# --- what a sign-up must not set


def test_attack_roles_asked_for_in_a_sign_up_body(
    serve: Serve, database: Store
) -> None:
    auth = make_auth(database)
    app = FastAPI()
    app.include_router(Accounts(auth, hasher=CHEAP).router)
    url = serve(app)
    asked = {"roles": ["admin"], "id": "1", "is_active": False, "email_verified": True}
    token = token_of(sign_up(url, **asked, password_hash="x", is_superuser=True))
    query = "SELECT roles, email_verified FROM fastbearer_user"
    [(roles, verified)] = rows(database, query)
    assert (roles, bool(verified)) == ("", False)
    assert me(url, token).json()["data"]["id"] != "1"
    assert "roles" not in auth.verifier.verify(token)


def test_attack_roles_asked_for_in_a_sign_up_body_of_an_own_store(
    serve: Serve, engines: Engines, tmp_path: Path
) -> None:
    class Open(PersonSignUp):
        model_config = ConfigDict(extra="allow")

    for schema in (PersonSignUp, Open):
        url = serve(people(tmp_path, engines, sign_up=schema))
        email = f"{schema.__name__}@example.com"
        asked = {"groups": "admin", "roles": ["admin"], "enabled": False, "id": 77}
        made = sign_up(url, **FIELDS, **asked, pwd="x", email=email)
        assert made.status_code == 201
    people_now = engines.run("SELECT groups, enabled FROM person WHERE id < 70")
    assert [(groups, bool(on)) for groups, on in people_now] == [("", True)] * 2


@pytest.mark.parametrize(
    "field",
    [
        *("id", "roles", "is_active", "is_superuser", "email_verified", "isAdmin"),
        *("password_hash", "hashed_password", "role", "created_at", "is_verified"),
    ],
)
def test_attack_a_schema_that_lets_a_sign_up_set_privileges(field: str) -> None:
    schema = type("Mine", (SignUp,), {"__annotations__": {field: str}})
    with pytest.raises(ConfigurationError, match=rf"^Mine\.{field}: "):
        Accounts(sign_up=schema, auth=make_auth(Path("never.db")))


@pytest.mark.parametrize("field", ["groups", "enabled", "pwd"])
def test_attack_a_schema_with_what_the_store_calls_a_privilege(
    engines: Engines, tmp_path: Path, field: str
) -> None:
    schema = type("Mine", (PersonSignUp,), {"__annotations__": {field: str}})
    with pytest.raises(
        ConfigurationError, match=rf"^Mine\.{field}: (the store keeps|whoever)"
    ):
        people(tmp_path, engines, sign_up=schema)


@pytest.mark.parametrize("field", ["pwd", "password", "password_hash"])
def test_attack_a_public_schema_that_shows_the_hash(
    engines: Engines, tmp_path: Path, field: str
) -> None:
    schema: Any = type("Shown", (PublicUser,), {"__annotations__": {field: str}})
    with pytest.raises(ConfigurationError, match=rf"^Shown\.{field} would be shown"):
        people(tmp_path, engines, public=schema)
    around = type("Around", (PublicUser,), {"__annotations__": {"it": list[schema]}})
    with pytest.raises(ConfigurationError, match=rf"^Shown\.{field} would be shown"):
        people(tmp_path, engines, public=around)


@pytest.mark.parametrize("argument", ["sign_up", "public"])
@pytest.mark.parametrize("model", [BaseModel, dict, Address])
def test_a_schema_is_derived_from_ours(argument: str, model: Any) -> None:
    shape: Any = {argument: model}
    with pytest.raises(ConfigurationError, match=f"^{argument}= must be a class"):
        Accounts(make_auth(Path("never.db")), **shape)


# --- what is checked at the start


def start(app: FastAPI, serve: Serve) -> str:
    with pytest.raises(ConfigurationError) as caught:
        serve(app)
    return str(caught.value)


def test_the_own_table_has_no_further_fields(serve: Serve, tmp_path: Path) -> None:
    app = FastAPI()
    auth = make_auth(tmp_path / "a.db")
    app.include_router(Accounts(auth, sign_up=PersonSignUp).router)
    text = start(app, serve)
    assert text.startswith("sign-up gives address, company, plan, and the table")
    assert "SQLModelUserStore" in text


def test_a_field_that_the_model_has_not(
    serve: Serve, engines: Engines, tmp_path: Path
) -> None:
    class More(PersonSignUp):
        fax: str

    assert "fax" in start(people(tmp_path, engines, sign_up=More), serve)


def test_a_column_that_a_sign_up_may_leave_out(
    serve: Serve, engines: Engines, tmp_path: Path
) -> None:
    class Less(PersonSignUp):
        company: str | None = None  # type: ignore[assignment]

    assert "company" in start(people(tmp_path, engines, sign_up=Less), serve)


def test_a_public_field_that_the_row_has_not(
    serve: Serve, engines: Engines, tmp_path: Path
) -> None:
    class More(PublicPerson):
        fax: str

    text = start(people(tmp_path, engines, public=More), serve)
    assert text.startswith("More.fax: Person has no such attribute")


def test_a_public_field_of_the_own_table(serve: Serve, tmp_path: Path) -> None:
    class More(PublicUser):
        roles: list[str]
        username: str | None
        created_at: Any

    class Else(PublicUser):
        company: str

    def app(public: type[PublicUser]) -> FastAPI:
        app = FastAPI()
        auth = make_auth(tmp_path / "a.db")
        app.include_router(Accounts(auth, public=public, hasher=CHEAP).router)
        return app

    assert start(app(Else), serve).startswith("Else.company: User has no such")
    shown = sign_up(serve(app(More))).json()["data"]["user"]
    assert (shown["roles"], shown["username"]) == ([], None)
    assert shown["created_at"]


def test_a_public_field_that_is_a_relationship(
    serve: Serve, engines: Engines, tmp_path: Path
) -> None:
    class More(PublicPerson):
        notes: list[int]

    text = start(people(tmp_path, engines, public=More), serve)
    assert text.startswith("More.notes: Person does not load it")


def test_a_row_that_does_not_fit_is_a_500_without_its_values(
    serve: Serve, engines: Engines, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Short(PublicPerson):
        plan: str = Field(max_length=2)

    url = serve(people(tmp_path, engines, public=Short))
    response = sign_up(url, **FIELDS, plan="a secret plan")
    assert answer(response) == refused(500, "Failed to create account")
    assert "the row of a user does not fit Short: plan" in caplog.text
    assert "a secret plan" not in caplog.text


# --- what else a schema may be


def test_a_validator_of_the_whole_schema(
    serve: Serve, engines: Engines, tmp_path: Path
) -> None:
    class Whole(PersonSignUp):
        @model_validator(mode="after")
        def fits(self) -> Whole:
            if self.plan == self.company:
                raise ValueError("no")
            return self

    url = serve(people(tmp_path, engines, sign_up=Whole))
    assert answer(sign_up(url, **FIELDS, plan="Acme")) == refused(
        400, "Invalid request"
    )
    assert sign_up(url, **FIELDS).status_code == 201


def test_further_spellings_of_a_schema(
    serve: Serve, engines: Engines, tmp_path: Path
) -> None:
    class Spelt(PersonSignUp):
        model_config = ConfigDict(extra="forbid")

        plan: str | None = Field(
            default=None,
            max_length=9,
            validation_alias=AliasChoices("tier", "tariff"),
        )
        password: SecretStr  # type: ignore[assignment]

    url = serve(people(tmp_path, engines, sign_up=Spelt))
    for name in ("tier", "tariff"):
        response = sign_up(url, **FIELDS, **{name: "much too long"})
        assert answer(response) == refused(400, "tier is invalid")
    assert answer(sign_up(url, **FIELDS, roles="x")) == refused(400, "Invalid request")
    made = sign_up(url, **FIELDS, tariff="paid")
    assert made.json()["data"]["user"]["plan"] == "paid"
    assert sign_in(url).status_code == 200


def test_what_is_given_is_of_python(tmp_path: Path) -> None:
    class Given(SignUp):
        address: Address
        left_out: int | None = None
        with_default: int = 3

    accounts = Accounts(make_auth(tmp_path / "a.db"), sign_up=Given)
    body = Given(email=EMAIL, password=PASSWORD, address=FIELDS["address"])
    user: User = accounts._shape.given.user_of(body)
    address = Address(city="Bern", postcode="3000")
    assert user.given == {"address": address, "with_default": 3}
