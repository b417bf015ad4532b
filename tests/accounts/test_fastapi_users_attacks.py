"""Attacks on the routes of fastapi-users."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict
from sqlalchemy import String, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

from accounts_kit import CHEAP, PASSWORD, Store, bearer, http, make_auth, rows
from fastbearer import ConfigurationError
from fastbearer.accounts import (
    AccountEvent,
    Accounts,
    FastAPIUsersLayout,
    FastAPIUsersTable,
    Message,
    PublicUser,
    SignUp,
    SQLAlchemyUserStore,
    UserRead,
    UserUpdate,
)
from waiting import wait_until

pytestmark = pytest.mark.http

ADA = "ada@example.com"
BOB = "bob@example.com"
NEW = "another horse battery"
CODES = "SELECT id FROM fastbearer_code"
PRIVILEGES = {"is_superuser": True, "is_verified": True, "is_active": False}


class Public(PublicUser):
    """Shows no more."""


class Some(BaseModel):
    name: str | None = None


MORE = {
    "roles": ["superuser"],
    "email_verified": True,
    "password_hash": "x",
    "hashed_password": "x",
    "id": "x",
}
Serve = Callable[[FastAPI], str]


class Service:
    """The service, and what it sends and tells."""

    def __init__(self, serve: Serve, database: Store, **settings: Any) -> None:
        self.database = database
        self.sent: list[Message] = []
        self.told: list[AccountEvent] = []
        layout = settings.pop("layout", "fastapi-users")
        own = {"hasher": CHEAP, "layout": layout, **settings.pop("own", {})}
        auth = make_auth(database, **settings)
        accounts = Accounts(auth, send=self.sent.append, **own)
        accounts.on_event()(self.told.append)
        app = FastAPI()
        app.include_router(accounts.router)
        self.url = serve(app)

    def ask(
        self, method: str, path: str, token: str | None = None, /, **body: Any
    ) -> httpx2.Response:
        headers = {} if token is None else bearer(token)
        more = {"json": body} if method in ("POST", "PATCH") else {}
        return http.request(method, self.url + path, headers=headers, **more)

    def register(self, email: str, **more: Any) -> dict[str, Any]:
        body = {"email": email, "password": PASSWORD, **more}
        response = self.ask("POST", "/auth/register", **body)
        assert response.status_code == 201, response.text
        return dict(response.json())

    def login(self, email: str, password: str = PASSWORD) -> httpx2.Response:
        form = {"username": email, "password": password}
        return http.post(f"{self.url}/auth/jwt/login", data=form)

    def token(self, email: str, password: str = PASSWORD) -> str:
        return str(self.login(email, password).json()["access_token"])

    def promote(self, email: str) -> None:
        write = "UPDATE fastbearer_user SET roles = 'superuser' WHERE email = ?"
        rows(self.database, write, email)

    def code(self, purpose: str) -> str:
        """Return the code of the one message with a purpose."""
        wait_until(lambda: any(one.purpose == purpose for one in self.sent))
        return next(one.code for one in self.sent if one.purpose == purpose)


@pytest.fixture
def service(serve: Serve, database: Store) -> Iterator[Service]:
    return Service(serve, database)


def test_nobody_registers_as_somebody_special(service: Service) -> None:
    made = service.register(ADA, **PRIVILEGES, **MORE)
    assert (made["is_superuser"], made["is_verified"]) == (False, False)
    assert made["is_active"] is True
    assert made["id"] != "x"
    assert service.token(ADA)
    query = "SELECT roles, email_verified FROM fastbearer_user"
    assert [tuple(map(bool, row)) for row in rows(service.database, query)] == [
        (False, False)
    ]


def test_nobody_promotes_themselves(service: Service) -> None:
    service.register(ADA)
    token = service.token(ADA)
    answer = service.ask("PATCH", "/users/me", token, **PRIVILEGES, **MORE)
    assert answer.json() == service.ask("GET", "/users/me", token).json()
    assert answer.json()["is_superuser"] is False
    assert answer.json()["is_verified"] is False
    assert service.login(ADA).status_code == 200


def test_a_code_of_before_is_not_good_again(service: Service) -> None:
    """The user is again as the code knows them: it must have ended with the move."""
    service.register(ADA)
    token = service.token(ADA)
    assert service.ask("POST", "/auth/forgot-password", email=ADA).status_code == 202
    body = {"token": service.code("reset_password"), "password": NEW}
    for email in (BOB, ADA):
        assert service.ask("PATCH", "/users/me", token, email=email).is_success
    assert service.ask("POST", "/auth/reset-password", **body).status_code == 400
    assert service.login(ADA).is_success


def test_codes_end_with_the_password(service: Service) -> None:
    service.register(ADA)
    assert service.ask("POST", "/auth/forgot-password", email=ADA).status_code == 202
    service.code("reset_password")
    name = {"name": "Ada"}
    assert service.ask("PATCH", "/users/me", service.token(ADA), **name).is_success
    assert len(rows(service.database, CODES)) == 1
    changed = service.ask("PATCH", "/users/me", service.token(ADA), password=NEW)
    assert changed.is_success
    assert rows(service.database, CODES) == []


def test_a_schema_of_the_project_opens_no_door() -> None:
    """What a project says that users may change is a column, and never these."""

    class Careless(UserUpdate):
        hashed_password: str | None = None
        password_hash: str | None = None
        email_verified: bool | None = None
        id: str | None = None

    with pytest.raises(ConfigurationError, match="Careless must not have"):
        FastAPIUsersLayout(update=Careless)

    class Talkative(UserRead):
        hashed_password: str

    with pytest.raises(ConfigurationError, match="it is a secret"):
        FastAPIUsersLayout(read=Talkative)

    class NotOurs(BaseModel):
        name: str | None = None

    with pytest.raises(ConfigurationError, match="UserUpdate"):
        FastAPIUsersLayout(update=NotOurs)
    with pytest.raises(ConfigurationError, match="UserRead"):
        FastAPIUsersLayout(read=NotOurs)


def test_what_users_may_change_is_a_column(serve: Serve, database: Store) -> None:
    class Misspelt(UserUpdate):
        nikname: str | None = None

    layout = FastAPIUsersLayout(update=Misspelt)
    with pytest.raises(ConfigurationError, match=r"Misspelt\.nikname"):
        Service(serve, database, layout=layout)


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_other_users_are_for_superusers(service: Service, method: str) -> None:
    service.register(ADA)
    bob = service.register(BOB)
    token = service.token(ADA)
    answers = {
        service.ask(method, f"/users/{user_id}", token, is_superuser=True).text
        for user_id in (bob["id"], "0" * 32, "no id", "1" * 5000)
    }
    assert answers == {'{"detail":"Forbidden"}'}
    assert service.ask(method, f"/users/{bob['id']}").status_code == 401
    assert service.login(BOB).status_code == 200


def test_a_superuser_of_yesterday_is_none(service: Service) -> None:
    service.register(ADA)
    bob = service.register(BOB)
    service.promote(ADA)
    token = service.token(ADA)
    path = f"/users/{bob['id']}"
    assert service.ask("GET", path, token).json() == bob
    # Behind our back, and by another superuser: then the sessions end as well.
    demote = "UPDATE fastbearer_user SET roles = '' WHERE email = ?"
    rows(service.database, demote, ADA)
    assert service.ask("GET", path, token).status_code == 403
    service.promote(ADA)
    service.promote(BOB)
    boss, ada = service.token(BOB), service.ask("GET", "/users/me", token).json()["id"]
    demoted = service.ask("PATCH", f"/users/{ada}", boss, is_superuser=False)
    assert demoted.json()["is_superuser"] is False
    assert service.ask("GET", path, token).status_code == 401
    assert service.ask("GET", path, service.token(ADA)).status_code == 403


def test_who_was_switched_off_is_out(service: Service) -> None:
    service.register(ADA)
    bob = service.register(BOB)
    service.promote(ADA)
    admin, token = service.token(ADA), service.token(BOB)
    assert service.ask("GET", "/users/me", token).status_code == 200
    off = service.ask("PATCH", f"/users/{bob['id']}", admin, is_active=False)
    assert off.json()["is_active"] is False
    for method, path in (
        ("GET", "/users/me"),
        ("PATCH", "/users/me"),
        ("POST", "/auth/jwt/logout"),
    ):
        assert service.ask(method, path, token).status_code == 401
    right, wrong = service.login(BOB), service.login(BOB, "wrong")
    assert (right.status_code, right.text) == (wrong.status_code, wrong.text)
    on = service.ask("PATCH", f"/users/{bob['id']}", admin, is_active=True)
    assert on.json()["is_active"] is True
    # The session of before has ended for good.
    assert service.ask("GET", "/users/me", token).status_code == 401
    assert service.login(BOB).status_code == 200


def test_a_stolen_session_takes_no_account_over_unseen(service: Service) -> None:
    service.register(ADA)
    service.ask("POST", "/auth/forgot-password", email=ADA)
    code = service.code("reset_password")
    service.sent.clear()
    token = service.token(ADA)
    changed = service.ask("PATCH", "/users/me", token, email="thief@example.com")
    assert changed.json()["email"] == "thief@example.com"
    assert changed.json()["is_verified"] is False
    wait_until(lambda: bool(service.sent))
    assert [(one.to, one.purpose) for one in service.sent] == [(ADA, "email_changed")]
    assert [(one.name, one.former_email) for one in service.told][-1] == (
        "email_changed",
        ADA,
    )
    # The codes of before are good no more, nor is the old e-mail.
    body = {"token": code, "password": NEW}
    assert service.ask("POST", "/auth/reset-password", **body).status_code == 400
    assert service.login(ADA).status_code == 400
    other = service.token("thief@example.com")
    assert service.ask("PATCH", "/users/me", token, password=NEW).status_code == 200
    assert service.ask("GET", "/users/me", token).status_code == 401
    assert service.ask("GET", "/users/me", other).status_code == 401


@pytest.mark.parametrize(
    "taken", [BOB, "BOB@example.com", " bob@EXAMPLE.com ", "BOB@Example.COM"]
)
def test_an_e_mail_of_somebody_else_stays_theirs(service: Service, taken: str) -> None:
    service.register(ADA)
    service.register(BOB)
    token = service.token(ADA)
    refused = service.ask("PATCH", "/users/me", token, email=taken)
    assert refused.status_code == 400
    assert refused.json() == {"detail": "UPDATE_USER_EMAIL_ALREADY_EXISTS"}
    assert service.sent == []


def test_nobody_learns_who_is_registered_by_forgetting(service: Service) -> None:
    service.register(ADA)
    service.register(BOB)
    rows(
        service.database,
        f"UPDATE fastbearer_user SET email_verified = {true(service)} WHERE email = ?",
        BOB,
    )
    for path in ("/auth/forgot-password", "/auth/request-verify-token"):
        answers, codes = set(), []
        for email in (ADA, BOB, "nobody@example.com"):
            before = len(rows(service.database, "SELECT id FROM fastbearer_code"))
            answer = service.ask("POST", path, email=email)
            answers.add((answer.status_code, answer.text))
            after = len(rows(service.database, "SELECT id FROM fastbearer_code"))
            codes.append(after - before)
        assert answers == {(202, "null")}
        assert codes == [1, 1, 1]
    wait_until(lambda: len(service.sent) >= 3)
    assert [(one.to, one.purpose) for one in service.sent] == [
        (ADA, "reset_password"),
        (BOB, "reset_password"),
        (ADA, "verify_email"),
    ]


def true(service: Service) -> str:
    return "true" if isinstance(service.database, str) else "1"


def test_passwords_are_not_guessed_at(serve: Serve, database: Store) -> None:
    service = Service(serve, database, throttle=True, throttle_failures="3/minute")
    service.register(ADA)
    assert [service.login(ADA, "wrong").status_code for _ in range(4)] == [
        *(400, 400, 400),
        429,
    ]
    assert "Retry-After" in service.login(ADA).headers


def sent_form(
    service: Service, parameters: str, fields: dict[str, str], *headers: str
) -> httpx2.Response:
    """Send a login in parts.

    Args:
        service: To which.
        parameters: More of the form's Content-Type.
        fields: What the parts hold.
        headers: More of each part.
    """
    parts = [
        "\r\n".join(
            (
                "--x",
                f'Content-Disposition: form-data; name="{name}"',
                *(*headers, "", value, ""),
            )
        )
        for name, value in fields.items()
    ]
    return http.post(
        f"{service.url}/auth/jwt/login",
        content=f"{''.join(parts)}--x--\r\n".encode(),
        headers={"Content-Type": f"multipart/form-data; boundary=x{parameters}"},
    )


OTHER_ENCODINGS = [
    *('"punycode"', '"idna"', "utf-7", "unicode_escape"),
    *('" punycode"', '"\tutf-7"', "utf_8_sig", '"utf-8 "'),
    *("", '""', "nobodys"),  # they would be read as Latin-1
    *("utf-8; charset=punycode", "UTF-8;Charset=utf-7", 'utf-8 ; charset=""'),
    'utf-8; of="; charset=utf-8; "; charset=punycode',
]


def test_forms_are_in_utf_8(service: Service) -> None:
    """Python decodes some in quadratic time, some to what cannot be stored."""
    fields = dict.fromkeys(("username", "password"), f"+2AA-\\ud800{'a' * 20_000}")
    for charset in OTHER_ENCODINGS:
        refused = sent_form(service, f"; charset={charset}", fields)
        assert refused.json() == {"detail": "A form must be in UTF-8"}, charset
        assert refused.status_code == 400


def test_a_form_in_utf_8_is_read(service: Service) -> None:
    """A word in another parameter is no charset."""
    service.register(ADA)
    for parameters in (
        *("", "; charset=us-ascii", "; charset=utf-8;"),
        *(';charset="UTF-8"', "; CHARSET = utf8"),
        *('; of="a; charset=punycode"', "; no-charset=punycode"),
    ):
        fields = {"username": ADA, "password": PASSWORD}
        read = sent_form(service, parameters, fields)
        assert read.status_code == 200, parameters


def test_no_part_of_a_form_names_its_encoding(service: Service) -> None:
    """RFC 7578 would let it, in a field and in a header."""
    address = "+2AA-@example.com"
    service.register(address)
    fields = {"_charset_": "utf-7", "username": address, "password": PASSWORD}
    read = sent_form(service, "", fields, "Content-Type: text/plain; charset=utf-7")
    assert read.status_code == 200


def test_a_part_of_a_form_has_short_headers(service: Service) -> None:
    """Their parameters are parsed one by one, in older Pythons again and again."""
    fields = {"username": ADA, "password": PASSWORD}
    refused = sent_form(service, "", fields, f"X: {';' * 20_000}")
    assert refused.status_code == 400
    assert refused.json() == {"detail": "Invalid multipart data."}


@pytest.mark.parametrize("field", ["username", "password"])
@pytest.mark.parametrize("text", ["\0", "a\0@example.com", "@", "x" * 60_000, "+1"])
def test_any_text_is_nobodys_name(service: Service, field: str, text: str) -> None:
    service.register(ADA)
    form = {"username": ADA, "password": PASSWORD, field: text}
    refused = http.post(f"{service.url}/auth/jwt/login", data=form)
    assert refused.json() == {"detail": "LOGIN_BAD_CREDENTIALS"}
    assert refused.status_code == 400


def test_no_refusal_repeats_what_was_sent(service: Service) -> None:
    secret = "a secret of somebody's"
    for body in (
        {"password": secret},
        {"email": secret, "password": PASSWORD},
        {"email": ADA, "password": [secret]},
        {"email": ADA, "password": {secret: secret}},
    ):
        refused = service.ask("POST", "/auth/register", **body)
        assert refused.status_code == 422
        assert secret not in refused.text


def test_what_is_configured_is_used_or_refused(serve: Serve, database: Store) -> None:
    auth = make_auth(database, refresh_tokens=True)
    app = FastAPI()
    app.include_router(Accounts(auth, layout="fastapi-users").router)
    with pytest.raises(ConfigurationError, match="REFRESH_TOKENS"):
        serve(app)
    for wrong in ("fastapi_users", "", 1):
        with pytest.raises(ConfigurationError, match="layout="):
            Accounts(make_auth(database), layout=wrong)
    for prefix in ("auth", "/auth/", "/"):
        with pytest.raises(ConfigurationError, match="register="):
            FastAPIUsersLayout(register=prefix)
    for further in ({"password_form": True}, {"public": Public}, {"changes": Some}):
        with pytest.raises(ConfigurationError, match="leave out password_form"):
            Accounts(make_auth(database), layout="fastapi-users", **further)


def test_routers_are_where_they_were(serve: Serve, database: Store) -> None:
    layout = FastAPIUsersLayout(
        auth="/api/v1/login", register=None, verify="", users="/api/v1/people"
    )
    service = Service(serve, database, layout=layout)
    document = http.get(f"{service.url}/openapi.json").json()
    assert list(document["paths"]) == [
        "/api/v1/login/login",
        "/api/v1/login/logout",
        "/auth/forgot-password",
        "/auth/reset-password",
        "/request-verify-token",
        "/verify",
        "/api/v1/people/me",
        "/api/v1/people/{id}",
    ]
    [scheme] = document["components"]["securitySchemes"].values()
    assert scheme["flows"]["password"]["tokenUrl"] == "api/v1/login/login"


# --- schemas and models of a project's own


class Base(DeclarativeBase):
    """Of the models here."""


class Member(FastAPIUsersTable, Base):
    """Users as fastapi-users keeps them, and more."""

    __tablename__ = "member_of_layout"
    username: Mapped[str | None] = mapped_column(String(60), unique=True)
    phone: Mapped[str | None] = mapped_column(String(60), unique=True)
    slug: Mapped[str | None] = mapped_column(String(50), unique=True)
    level: Mapped[int] = mapped_column(default=0)
    groups: Mapped[str] = mapped_column(default="")


STORE = {
    "password_hash": "hashed_password",
    "email_verified": "is_verified",
    "roles": "groups",
}


class Loose(UserUpdate):
    """What a project may write without a thought."""

    model_config = ConfigDict(extra="allow")

    email: str | None = None  # type: ignore[assignment]
    username: str | None = None
    slug: str | None = None
    level: int | None = None


@pytest.fixture
def own(serve: Serve, database: Store, tmp_path: Path) -> Iterator[Service]:
    yield from served(serve, database, tmp_path, FastAPIUsersLayout(update=Loose))


def served(
    serve: Serve, database: Store, folder: Path, layout: FastAPIUsersLayout
) -> Iterator[Service]:
    engine = create_engine(f"sqlite:///{folder}/members.db")
    Base.metadata.create_all(engine)
    store = SQLAlchemyUserStore(Member, sessionmaker(engine), **STORE)
    names = ("email", "username")
    yield Service(serve, database, layout=layout, own={"store": store, "names": names})
    engine.dispose()


def test_a_superuser_of_a_column_goes_out_with_what_the_token_says(
    serve: Serve, database: Store, tmp_path: Path
) -> None:
    """What ``claims=`` has made of the row is in the token until the session ends."""
    engine = create_engine(f"sqlite:///{tmp_path}/members.db")
    Base.metadata.create_all(engine)
    store = SQLAlchemyUserStore(Member, sessionmaker(engine), **STORE)

    def claims(row: Member) -> dict[str, Any]:
        return {"admin": True} if row.is_superuser else {}

    service = Service(serve, database, own={"store": store, "claims": claims})
    made = {email: service.register(email)["id"] for email in (ADA, BOB)}
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE member_of_layout SET is_superuser = 1")
    ada, bob = service.token(ADA), service.token(BOB)
    path = f"/users/{made[BOB]}"
    assert service.ask("PATCH", path, ada, level=1).status_code == 200
    assert service.ask("GET", "/users/me", bob).status_code == 200
    demoted = service.ask("PATCH", path, ada, is_superuser=False)
    assert demoted.json()["is_superuser"] is False
    assert service.ask("GET", "/users/me", bob).status_code == 401
    # Who is made one has a token that says so once they sign in again.
    bob = service.token(BOB)
    service.ask("PATCH", path, ada, is_superuser=True)
    assert service.ask("GET", "/users/me", bob).status_code == 401
    engine.dispose()


@pytest.mark.parametrize("taken", ["BOB@example.com", " bob@EXAMPLE.com ", BOB])
def test_no_e_mail_is_kept_beside_the_same_in_another_form(
    own: Service, taken: str
) -> None:
    own.register(ADA)
    own.register(BOB)
    token = own.token(ADA)
    refused = own.ask("PATCH", "/users/me", token, email=taken)
    assert refused.json() == {"detail": "UPDATE_USER_EMAIL_ALREADY_EXISTS"}
    assert refused.status_code == 400
    assert own.login(BOB).status_code == own.login(ADA).status_code == 200


def test_an_e_mail_has_its_one_form(own: Service) -> None:
    own.register(ADA)
    token = own.token(ADA)
    same = own.ask("PATCH", "/users/me", token, email=ADA.upper())
    assert (same.status_code, same.json()["email"]) == (200, ADA)
    assert own.sent == []
    moved = own.ask("PATCH", "/users/me", token, email="Q@B\u00fccher.example")
    assert moved.json()["email"] == "q@xn--bcher-kva.example"
    for wrong in ("", "nobody", "@b", "x" * 300 + "@example.com"):
        refused = own.ask("PATCH", "/users/me", token, email=wrong)
        assert refused.status_code == 422
        assert refused.json()["detail"][0]["msg"].startswith("Email must be")


@pytest.mark.parametrize("name", [BOB, "+41441234567", "x" * 50, "\u212aim", "", None])
def test_a_user_name_is_one(own: Service, name: str | None) -> None:
    own.register(ADA, username="ada.l")
    token = own.token(ADA)
    refused = own.ask("PATCH", "/users/me", token, username=name)
    assert refused.status_code == 422
    assert refused.json()["detail"][0]["msg"].startswith("User name must be 3 to 30")
    assert own.login("ada.l").status_code == 200


def test_a_user_name_of_somebody_else_stays_theirs(own: Service) -> None:
    own.register(ADA, username="ada.l")
    own.register(BOB, username="bob")
    refused = own.ask("PATCH", "/users/me", own.token(ADA), username=" BOB ")
    assert refused.json() == {"detail": "User name already registered"}
    assert own.login("bob").status_code == 200


def test_what_the_update_does_not_declare_is_not_written(own: Service) -> None:
    own.register(ADA)
    token = own.token(ADA)
    more = {**MORE, "groups": "superuser", "phone": "+41441234567"}
    answer = own.ask("PATCH", "/users/me", token, **PRIVILEGES, **more)
    assert answer.json() == own.ask("GET", "/users/me", token).json()
    assert (answer.json()["is_superuser"], answer.json()["is_verified"]) == (0, 0)
    assert own.login(ADA).status_code == 200


@pytest.mark.parametrize("field", ["slug", "level"])
def test_what_a_column_does_not_take_is_invalid(
    own: Service, field: str, caplog: pytest.LogCaptureFixture
) -> None:
    own.register(ADA)
    own.register(BOB)
    own.ask("PATCH", "/users/me", own.token(BOB), slug="one")
    token = own.token(ADA)
    for value in {"slug": ["one"], "level": [None, 2**70]}[field]:
        refused = own.ask("PATCH", "/users/me", token, **{field: value})
        assert refused.status_code == 422, value
        assert refused.json()["detail"][0]["msg"] == "This cannot be kept"
    nul = own.ask("PATCH", "/users/me", token, slug="a\0")
    assert (nul.status_code, nul.json()["detail"][0]["loc"]) == (422, ["body", "slug"])
    assert not [one for one in caplog.records if one.exc_info]


def fields_of(base: Any, field: str) -> Any:
    annotations = {"__annotations__": {field: str | None}, field: None}
    return type("Careless", (base,), annotations)


@pytest.mark.parametrize(
    "field", ["groups", "phone", "role", "is_admin", "isStaff", "roles", "created_at"]
)
def test_no_update_sets_what_is_a_privilege_here(
    serve: Serve, database: Store, tmp_path: Path, field: str
) -> None:
    def made() -> None:
        layout = FastAPIUsersLayout(update=fields_of(UserUpdate, field))
        list(served(serve, database, tmp_path, layout))

    with pytest.raises(ConfigurationError, match=rf"Careless.*{field}"):
        made()


def test_nothing_shows_the_hash(serve: Serve, database: Store, tmp_path: Path) -> None:
    class Within(BaseModel):
        hashed_password: str

    class Nested(UserRead):
        within: Within | None = None

    with pytest.raises(ConfigurationError, match=r"hashed_password.* it is a secret"):
        FastAPIUsersLayout(read=Nested)
    engine = create_engine(f"sqlite:///{tmp_path}/members.db")
    store = SQLAlchemyUserStore(
        Member, sessionmaker(engine), **{**STORE, "password_hash": "slug"}
    )
    layout = FastAPIUsersLayout(read=fields_of(UserRead, "slug"))
    with pytest.raises(ConfigurationError, match=r"Careless.*slug.* it is a secret"):
        Service(serve, database, layout=layout, own={"store": store})


def test_very_many_errors_are_not_told(serve: Serve, database: Store) -> None:
    class Closed(SignUp):
        model_config = ConfigDict(extra="forbid")

    service = Service(serve, database, own={"sign_up": Closed})
    body = {f"k{number}": 1 for number in range(3000)}
    refused = service.ask("POST", "/auth/register", **body)
    assert refused.status_code == 422
    assert len(refused.json()["detail"]) == 20
