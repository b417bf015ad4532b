"""Users who sign in with a user name or a phone number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, get_args

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import field_validator
from sqlalchemy import create_engine
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel
from sqlmodel import Session as Rows

from accounts_kit import (
    CHEAP,
    EMAIL,
    PASSWORD,
    CountingHash,
    Store,
    answer,
    http,
    make_auth,
    me,
    post,
    refused,
    rows,
    sign_up,
    store_of,
    token_of,
)
from asgi import running
from fastbearer.accounts import (
    Accounts,
    Email,
    PublicUser,
    SignUp,
    SQLModelUserStore,
    User,
    UserName,
)
from fastbearer.accounts.names import NAMES, Name, given_name, name_of, new_name
from fastbearer.errors import ConfigurationError
from servers import BOTH

Serve = Callable[[FastAPI], str]

PHONE = "+41441234567"
ADA = {"email": EMAIL, "username": "ada", "phone": PHONE}
ONE = "Give exactly one of email, user name and phone number"
WRONG = "Invalid email, user name, phone number or password"
USERNAME = (
    "User name must be 3 to 30 letters, digits, hyphens, underscores and single dots"
    " within, with one letter at least"
)
PHONE_RULE = "Phone number must begin with + and the country's code: +41 44 1234567"
TOO_MANY = "Too many attempts. Please try again later."


def made(
    database: Store, hasher: Any = CHEAP, names: Any = NAMES, **settings: Any
) -> FastAPI:
    shape = {one: settings.pop(one) for one in ("sign_up", "public") if one in settings}
    auth = make_auth(database, **settings)
    app = FastAPI()
    app.include_router(Accounts(auth, hasher=hasher, names=names, **shape).router)
    return app


def sign_in(url: str, password: str = PASSWORD, **names: Any) -> httpx2.Response:
    body = {"password": password, **names}
    return http.post(f"{url}/api/auth/signin", json=body)


@pytest.fixture(scope="module", params=BOTH)
def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Store]]:
    """A service that has Ada alone, for tests that leave it so."""
    folder = tmp_path_factory.mktemp("names")
    with store_of(request.param, folder) as database, running(made(database)) as url:
        assert sign_up(url, **ADA).status_code == 201
        yield url, database


pytestmark = pytest.mark.http


@pytest.mark.parametrize(
    "names",
    [
        {"email": " Ada@Example.com"},
        {"username": "ada"},
        {"username": " ADA "},
        {"phone": PHONE},
        {"phone": "+41 (44) 123-45.67"},
        {"phone": " +41/44/1234567 "},
    ],
)
def test_each_name_signs_in(shared: tuple[str, Store], names: dict[str, str]) -> None:
    url, _ = shared
    entered = sign_in(url, **names)
    assert entered.json()["data"]["user"]["email"] == EMAIL
    assert me(url, token_of(entered)).status_code == 200


@pytest.mark.parametrize(
    "names",
    [
        {},
        {"email": EMAIL, "username": "ada"},
        {"username": "ada", "phone": PHONE},
        {**ADA},
        {"name": "ada"},
    ],
)
def test_one_name_exactly(shared: tuple[str, Store], names: dict[str, str]) -> None:
    assert answer(sign_in(shared[0], **names)) == refused(400, ONE)


@pytest.mark.parametrize(
    "names",
    [
        {"email": "ada"},
        {"email": PHONE},
        {"username": EMAIL},
        {"username": PHONE},
        {"username": "ada."},
        {"username": "a\u0501a"},
        {"phone": "+41441234568"},
    ],
)
def test_attack_a_name_of_one_kind_given_as_another(
    shared: tuple[str, Store], names: dict[str, str]
) -> None:
    response = sign_in(shared[0], **names)
    assert response.status_code in (400, 401)
    assert response.json()["detail"].startswith(("Email must", WRONG))


@pytest.mark.parametrize("value", [None, 7, "", "a\0b", "a\u200bda", [], "x" * 256])
@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_none(
    shared: tuple[str, Store], name: str, value: object
) -> None:
    response = sign_in(shared[0], **{name: value})
    assert response.status_code == 400
    assert "\u200b" not in response.text


def test_openapi_says_that_it_is_one_name(shared: tuple[str, Store]) -> None:
    url, _ = shared
    document = http.get(f"{url}/openapi.json").json()
    schema = document["components"]["schemas"]["SignIn"]
    assert schema["oneOf"] == [{"required": [name]} for name in NAMES]
    assert set(schema["properties"]) == {*NAMES, "password"}
    assert all("default" not in schema["properties"][name] for name in NAMES)
    answers = document["paths"]["/api/auth/signup"]["post"]["responses"]
    assert "User name already registered" in answers["400"]["description"]


@pytest.mark.parametrize(
    ("taken", "text"),
    [
        ({"email": "ADA@example.com", "username": "eve"}, "Email already registered"),
        ({"username": "Ada"}, "User name already registered"),
        ({"phone": "+41 44 123 45 67"}, "Phone number already registered"),
    ],
)
def test_a_name_that_somebody_has(
    shared: tuple[str, Store], taken: dict[str, str], text: str
) -> None:
    url, database = shared
    response = sign_up(url, **{"email": "eve@example.com", **taken})
    assert answer(response) == refused(400, text)
    assert len(rows(database, "SELECT id FROM fastbearer_user")) == 1


LOOK_ALIKES = [
    EMAIL,
    "ada@example.com.",
    "@ada",
    "ada\uff20example.com",  # a wide @
    "\u0430da",  # a Cyrillic a
    "ad\u00e4",
    "\uff41da",  # a wide a
    "\u212aim",  # the Kelvin sign, in lower case a k
    "ada\u0661",  # a digit, and none of ASCII
    "a\u200bda",  # a space of no width
    "ada\u00ad",
    "ad\u0131",
    "ada\u202e",
    PHONE,
    "41441234567",
    "044.123.45.67",
    "0-4-4",
    "ada.",
    "a..da",
    ".ada",
    "_ada",
    "-ada",
    "ada b",
    "ada\nb",
    "ad",
    "a" * 31,
    "ada/b",
    "ada%40example.com",
    "",
    "   ",
]


@pytest.mark.parametrize("username", LOOK_ALIKES)
def test_attack_a_user_name_that_looks_like_anothers_name(
    shared: tuple[str, Store], username: str
) -> None:
    url, database = shared
    response = sign_up(url, email="eve@example.com", username=username)
    assert answer(response) == refused(400, USERNAME)
    assert len(rows(database, "SELECT id FROM fastbearer_user")) == 1


@pytest.mark.parametrize(
    "phone",
    [
        "0441234567",
        "0041441234567",
        "+0441234567",
        "+41 (0)44 123 45 67",  # of one number there would be two
        "+4144123456\u0667",
        "+41\u200b441234567",
        "+4144123456789012",
        "+4144123",
        "+41441234567 x1",
        EMAIL,
    ],
)
def test_attack_a_phone_number_in_a_second_form(
    shared: tuple[str, Store], phone: str
) -> None:
    response = sign_up(shared[0], email="eve@example.com", phone=phone)
    assert answer(response) == refused(400, PHONE_RULE)


@pytest.mark.parametrize("text", [*LOOK_ALIKES, "ada", "Ada_L.1-2", "x0x"])
def test_no_text_is_of_two_kinds(text: str) -> None:
    kinds: list[Name] = []
    for name in get_args(Name):
        try:
            new_name(name, text)
        except ValueError:
            continue
        kinds.append(name)
    assert kinds in ([], [name_of(text)])


def test_a_name_that_was_got_under_other_rules() -> None:
    assert given_name("username", "J\u00f6rg M\u00fcller") == "j\u00f6rg m\u00fcller"
    assert given_name("username", "Jo\u0308rg") == "j\u00f6rg"
    assert given_name("username", "AL") == "al"


@pytest.mark.parametrize(
    ("password", "names"),
    [
        ("lovelace1815", {"username": "lovelace1815"}),
        ("Lovelace-1815!", {"username": "lovelace1815"}),
        ("lovelace.99", {"username": "ada.lovelace"}),
        (PHONE, {"phone": PHONE}),
        ("41441234567", {"phone": PHONE}),
    ],
)
def test_attack_a_password_that_is_the_users_name(
    shared: tuple[str, Store], password: str, names: dict[str, str]
) -> None:
    response = sign_up(shared[0], email="eve@example.com", password=password, **names)
    text = "Password is too common, or too much like the email"
    assert answer(response) == refused(400, text)


def test_attack_the_same_user_name_at_the_same_time(
    serve: Serve, database: Store
) -> None:
    url = serve(made(database))

    def one(number: int) -> int:
        name = "eve" if number % 2 else "EVE"
        response = sign_up(url, email=f"{number}@example.com", username=name)
        return response.status_code

    with ThreadPoolExecutor(8) as threads:
        statuses = sorted(threads.map(one, range(8)))
    assert statuses == [201] + [400] * 7
    found = rows(database, "SELECT username FROM fastbearer_user")
    assert [name for (name,) in found] == ["eve"]


# --- what an answer, or the work for it, tells


@pytest.mark.parametrize("name", NAMES)
def test_attack_enumeration_by_answer_or_by_work(
    serve: Serve, database: Store, name: str
) -> None:
    hasher = CountingHash()
    url = serve(made(database, hasher))
    assert sign_up(url, **ADA).status_code == 201
    nobody = {"email": "eve@example.com", "username": "eve", "phone": "+41441234568"}
    seen = []
    for names in (ADA, nobody):
        hasher.verified.clear()
        hasher.made = 0
        response = sign_in(url, "a wrong password", **{name: names[name]})
        headers = {**response.headers, "date": ""}
        seen.append((response.text, headers, len(hasher.verified), hasher.made))
    assert seen[0] == seen[1]
    assert seen[0][0] == f'{{"detail":"{WRONG}"}}'
    assert seen[0][2:] == (1, 0)


def limited(database: Store) -> FastAPI:
    return made(database, throttle=True, throttle_failures="9/hour")


def guesses(url: str, **names: str) -> list[int]:
    return [sign_in(url, "a wrong password", **names).status_code for _ in range(4)]


def test_attack_more_guesses_for_a_person_of_several_names(
    serve: Serve, tmp_path: Path
) -> None:
    """Nine altogether, as for a person of one name."""
    url = serve(limited(tmp_path / "a.db"))
    assert sign_up(url, **ADA).status_code == 201
    statuses = [
        status for name in NAMES for status in guesses(url, **{name: ADA[name]})
    ]
    assert statuses == [401, 401, 401, 429] * 3
    for name in NAMES:
        assert answer(sign_in(url, **{name: ADA[name]})) == refused(429, TOO_MANY)


def test_attack_which_names_are_one_persons(serve: Serve, tmp_path: Path) -> None:
    """A name that is locked tells nothing of another: that one is like a stranger's."""
    url = serve(limited(tmp_path / "a.db"))
    assert sign_up(url, **ADA).status_code == 201
    assert guesses(url, username="ada") == [401, 401, 401, 429]
    assert guesses(url, email=EMAIL) == guesses(url, email="eve@example.com")
    assert guesses(url, username="nobody") == [401, 401, 401, 429]


def test_a_name_is_counted_in_one_form(serve: Serve, tmp_path: Path) -> None:
    url = serve(limited(tmp_path / "a.db"))
    forms = ["ada", "ADA", " Ada", "aDa"]
    statuses = [sign_in(url, username=name).status_code for name in forms]
    assert statuses == [401, 401, 401, 429]


# --- what a project makes of it


class Careful(SignUp):
    """Nobody calls themselves an administrator."""

    username: str

    @field_validator("username")
    @classmethod
    def not_reserved(cls, name: str) -> str:
        if name in ("admin", "root", "support"):
            raise ValueError("reserved")
        return name.upper()


@pytest.mark.parametrize("name", ["admin", "ADMIN", " Admin ", "rOOt"])
def test_attack_a_reserved_user_name_in_another_form(
    serve: Serve, tmp_path: Path, name: str
) -> None:
    url = serve(made(tmp_path / "a.db", sign_up=Careful, names=("username",)))
    assert sign_up(url, username=name).status_code == 400
    assert sign_up(url, username="administrata").status_code == 201
    found = rows(tmp_path / "a.db", "SELECT username FROM fastbearer_user")
    assert found == [("administrata",)]


def test_a_validator_that_spoils_a_name(serve: Serve, tmp_path: Path) -> None:
    class Spoilt(Careful):
        @field_validator("username")
        @classmethod
        def longer(cls, name: str) -> str:
            return f"{name}@"

    url = serve(made(tmp_path / "a.db", sign_up=Spoilt, names=("username",)))
    assert answer(sign_up(url, username="eve")) == refused(400, USERNAME)


def test_the_only_name_is_needed(serve: Serve, tmp_path: Path) -> None:
    url = serve(made(tmp_path / "a.db", names=("username",)))
    assert answer(sign_up(url)) == refused(400, USERNAME)
    assert sign_up(url, username="ada").status_code == 201
    assert answer(sign_in(url, email=EMAIL))[0] == 400
    assert answer(sign_in(url, username="eve")) == refused(
        401, "Invalid user name or password"
    )
    assert sign_in(url, username="ada").status_code == 200


def test_one_name_of_those_that_sign_in_is_needed(serve: Serve, tmp_path: Path) -> None:
    url = serve(made(tmp_path / "a.db", names=("username", "phone")))
    text = "Give one of user name and phone number at least"
    assert answer(sign_up(url)) == refused(400, text)
    assert sign_up(url, phone=PHONE).status_code == 201


class WithoutEmail(SignUp):
    """A user who may have no e-mail."""

    email: Email | None = None  # type: ignore[assignment]


def test_the_own_table_needs_an_email(serve: Serve, tmp_path: Path) -> None:
    app = made(tmp_path / "a.db", sign_up=WithoutEmail, names=("username",))
    with pytest.raises(ConfigurationError, match="e-mail"):
        serve(app)


class OfPlayers(SQLModel, registry=registry()):
    """Base of the model here, apart from those of other tests."""


class Player(OfPlayers, table=True):
    """Users without an e-mail."""

    id: str = Field(default_factory=lambda: User(email="").id, primary_key=True)
    username: str = Field(unique=True, max_length=30)
    password_hash: str = Field(max_length=255)


class PublicPlayer(PublicUser):
    """A player."""

    username: UserName


def test_users_without_an_email(serve: Serve, tmp_path: Path) -> None:
    class PlayerSignUp(SignUp):
        email: None = None  # type: ignore[assignment]

    engine = create_engine(f"sqlite:///{tmp_path}/players.db")
    OfPlayers.metadata.create_all(engine)

    def get_session() -> Iterator[Rows]:
        with Rows(engine) as session:
            yield session

    accounts = Accounts(
        make_auth(tmp_path / "a.db", throttle=True, throttle_failures="3/hour"),
        store=SQLModelUserStore(Player, get_session),
        hasher=CHEAP,
        names=("username",),
        sign_up=PlayerSignUp,
        public=PublicPlayer,
    )
    app = FastAPI()
    app.include_router(accounts.router)
    url = serve(app)

    def join(name: str) -> httpx2.Response:
        return post(url, "signup", password=PASSWORD, username=name)

    made = join("Ada")
    assert made.status_code == 201, made.text
    user = made.json()["data"]["user"]
    assert (user["email"], user["username"]) == ("", "ada")
    assert answer(join("ADA")) == refused(400, "User name already registered")
    assert sign_in(url, username="ada").json()["data"]["user"] == user
    assert sign_in(url, email="").status_code == 400
    # Wrong passwords of the one count for the one alone.
    wrong = {"current_password": "x", "new_password": "another horse battery"}
    first, second = token_of(made), token_of(join("bob"))
    statuses = [
        post(url, "change-password", first, **wrong).status_code for _ in range(4)
    ]
    assert statuses == [403, 403, 403, 429]
    assert post(url, "change-password", second, **wrong).status_code == 403


class Plain:
    """A store that knows no other names."""

    async def find_by_email(self, email: str) -> User | None:
        return None


@pytest.mark.parametrize("name", ["username", "phone"])
def test_a_store_that_finds_nobody_by_the_name(
    serve: Serve, tmp_path: Path, name: Any
) -> None:
    store: Any = Plain()
    auth = make_auth(tmp_path / "a.db", revocation="memory")
    app = FastAPI()
    app.include_router(Accounts(auth, store=store, names=("email", name)).router)
    with pytest.raises(ConfigurationError, match=r"\(Plain\) needs a method find_by"):
        serve(app)


@pytest.mark.parametrize("names", [(), "email", ("mail",), ("email", "login")])
def test_names_that_there_are_not(tmp_path: Path, names: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^names= must be one or several"):
        Accounts(make_auth(tmp_path / "a.db"), names=names)
