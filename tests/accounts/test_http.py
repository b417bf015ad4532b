"""Sign-up, sign-in and sign-out as a client meets them, over real HTTP."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import httpx2
import jwt
import pytest
from fastapi import FastAPI

from accounts_kit import (
    BODY,
    CHEAP,
    EMAIL,
    PASSWORD,
    CountingHash,
    Store,
    answer,
    bearer,
    forbid,
    http,
    make_auth,
    make_service,
    refused,
    rows,
    sign_in,
    sign_up,
    store_of,
)
from asgi import running
from fastbearer import PasswordHash
from fastbearer.accounts import Accounts, User
from fastbearer.app import create_app
from fastbearer.errors import HasherBusyError
from fastbearer.fastapi import Auth
from project import SECRET
from servers import EVERY, empty_redis_cluster

Serve = Callable[[FastAPI], str]

EMAIL_RULE = "Email must be a valid address of at most 254 characters"
PASSWORD_RULE = "Password must be a string without NUL characters"
NAME_RULE = "Name must be a string of at most 255 characters, or null"
LENGTH_RULE = "Password must be 8 to 128 characters long"
WRONG = "Invalid email or password"
TAKEN = "Email already registered"
FAILED = "Failed to create account"
BUSY = "Too many passwords are being checked. Please try again."
CHALLENGE = 'Bearer realm="fastbearer"'


CLUSTER = pytest.param("redis cluster", marks=pytest.mark.redis_cluster)
BEHIND_NOTHING = ("postgresql",)
PLACES = [
    *(one for one in EVERY if getattr(one, "values", (one,)) != BEHIND_NOTHING),
    CLUSTER,
]
"""Where things are kept: in a database alone, or beside it in a Redis Cluster. What is
behind the pooler is a PostgreSQL."""


@contextmanager
def place_of(kind: str, folder: Path) -> Iterator[tuple[Store, dict[str, Any]]]:
    """Give an empty store of users, and the settings of whatever is beside it."""
    if kind == "redis cluster":
        limits = {
            "throttle": True,
            "throttle_failures": "100000/hour",
            "throttle_requests": "100000/hour",
        }
        url = empty_redis_cluster()
        yield folder / "store.db", {"redis_url": url, "revocation": "redis", **limits}
        return
    with store_of(kind, folder) as store:
        yield store, {}


@pytest.fixture(params=PLACES)
def place(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[Store, dict[str, Any]]]:
    with place_of(request.param, tmp_path) as found:
        yield found


@pytest.fixture
def database(place: tuple[Store, dict[str, Any]]) -> Store:
    return place[0]


@pytest.fixture
def service(serve: Serve, place: tuple[Store, dict[str, Any]]) -> str:
    return serve(make_service(place[0], **place[1]))


@pytest.fixture(scope="module", params=PLACES)
def shared_service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Store]]:
    """A service, and its database, for tests that leave both as they are."""
    folder = tmp_path_factory.mktemp("accounts")
    with (
        place_of(request.param, folder) as (database, settings),
        running(make_service(database, **settings)) as url,
    ):
        yield url, database


def users(database: Store) -> list[tuple[Any, ...]]:
    return rows(database, "SELECT id, email, name FROM fastbearer_user")


def stored_hash(database: Store) -> str:
    found = rows(database, "SELECT password_hash FROM fastbearer_user")
    return str(found[0][0])


# --- what goes well


def test_sign_up_answers_a_token_and_the_user(service: str, database: Store) -> None:
    response = sign_up(service, name=" Ada Lovelace ")
    assert response.status_code == 201
    assert response.headers["cache-control"] == "no-store"
    body = response.json()
    token, user = body["data"]["token"], body["data"]["user"]
    assert body == {"success": True, "data": {"token": token, "user": user}}
    assert user == {"id": user["id"], "email": EMAIL, "name": "Ada Lovelace"}
    assert len(user["id"]) == 32 and set(user["id"]) <= set("0123456789abcdef")
    claims = jwt.decode(token, SECRET, ["HS256"])
    assert claims["sub"] == claims["user_id"] == user["id"]
    assert claims["email"] == EMAIL
    assert users(database) == [(user["id"], EMAIL, "Ada Lovelace")]


@pytest.mark.parametrize("fields", [{}, {"name": None}])
def test_a_name_is_optional(service: str, fields: dict[str, None]) -> None:
    assert sign_up(service, **fields).json()["data"]["user"]["name"] is None


def test_longest_name_and_email_and_shortest_password(service: str) -> None:
    # RFC 5321 4.5.3.1: a local part of 64, and 254 altogether.
    longest = f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 57}.com"
    assert len(longest) == 254
    response = sign_up(service, email=longest, password="8 chars!", name="ñ" * 255)
    assert response.status_code == 201
    user = response.json()["data"]["user"]
    assert (user["email"], user["name"]) == (longest, "ñ" * 255)


def test_unknown_fields_are_ignored(service: str) -> None:
    response = sign_up(service, id="mine", password_hash="x", role="admin")
    assert response.status_code == 201
    user = response.json()["data"]["user"]
    assert set(user) == {"id", "email", "name"} and user["id"] != "mine"


def test_passwords_are_stored_as_argon2id_hashes(serve: Serve, database: Store) -> None:
    auth = make_auth(database)
    url = serve(create_app(auth))  # with the hasher of the settings
    assert sign_up(url).status_code == 201
    assert stored_hash(database).startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert PASSWORD not in stored_hash(database)
    assert sign_in(url).status_code == 200


def test_sign_in_answers_a_token_and_the_user(service: str) -> None:
    user = sign_up(service, name="Ada").json()["data"]["user"]
    response = sign_in(service)
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    body = response.json()
    token = body["data"]["token"]
    assert body == {"success": True, "data": {"token": token, "user": user}}
    assert jwt.decode(token, SECRET, ["HS256"])["sub"] == user["id"]


@pytest.mark.parametrize(
    "written", [EMAIL, "ADA@EXAMPLE.COM", "Ada@Example.com", " ada@example.com\n"]
)
def test_emails_are_compared_without_case(service: str, written: str) -> None:
    assert sign_up(service, email="aDa@example.COM").status_code == 201
    response = sign_in(service, email=written)
    assert response.status_code == 200
    assert response.json()["data"]["user"]["email"] == EMAIL
    assert answer(sign_up(service, email=written)) == refused(400, TAKEN)


def test_passwords_are_taken_exactly_as_sent(service: str) -> None:
    password = "  Pässwörd with spaces\t"
    assert sign_up(service, password=password).status_code == 201
    assert sign_in(service, password=password).status_code == 200
    for other in (password.strip(), password.lower(), password + " "):
        assert answer(sign_in(service, password=other)) == refused(401, WRONG)


def test_sign_out_with_a_token(service: str) -> None:
    token = sign_up(service).json()["data"]["token"]
    response = http.post(f"{service}/api/auth/signout", headers=bearer(token))
    assert answer(response) == (200, {"success": True})


@pytest.mark.parametrize(
    ("headers", "detail"),
    [({}, "Not authenticated"), (bearer("not.a.token"), "Invalid token")],
)
def test_sign_out_without_a_good_token(
    service: str, headers: dict[str, str], detail: str
) -> None:
    response = http.post(f"{service}/api/auth/signout", headers=headers)
    assert answer(response) == refused(401, detail)
    assert response.headers["www-authenticate"].startswith(CHALLENGE)


# --- wrong e-mail or password


def test_wrong_password_and_unknown_email_answer_alike(service: str) -> None:
    sign_up(service)
    wrong = sign_in(service, password="another password")
    unknown = sign_in(service, email="nobody@example.com")
    assert answer(wrong) == answer(unknown) == refused(401, WRONG)
    ours = [name for name in wrong.headers if name != "date"]
    assert {n: wrong.headers[n] for n in ours} == {n: unknown.headers[n] for n in ours}
    assert wrong.headers["www-authenticate"] == CHALLENGE


@pytest.mark.parametrize("password", ["", "x", "7 chars", "x" * 128, "🔑" * 128])
def test_sign_in_has_no_lower_limit(service: str, password: str) -> None:
    sign_up(service)
    assert answer(sign_in(service, password=password)) == refused(401, WRONG)


def test_sign_in_has_an_upper_limit(service: str) -> None:
    rule = "Password must be at most 128 characters long"
    for length in (129, 60_000):
        response = sign_in(service, password="x" * length)
        assert answer(response) == refused(400, rule)


def test_an_unknown_email_costs_a_verify_as_well(serve: Serve, database: Store) -> None:
    hasher = CountingHash()
    url = serve(make_service(database, hasher=hasher))
    for email in ("first@example.com", "second@example.com"):
        assert sign_in(url, email=email).status_code == 401
    first, second = hasher.verified
    assert first == second and not hasher.needs_rehash(first)


# --- invalid input

SHORT, LONG = "7 chars", "x" * 129

INVALID: list[tuple[dict[str, Any], str]] = [
    ({"email": None}, EMAIL_RULE),
    ({"email": 7}, EMAIL_RULE),
    ({"email": ["ada@example.com"]}, EMAIL_RULE),
    ({"email": ""}, EMAIL_RULE),
    ({"email": "ada"}, EMAIL_RULE),
    ({"email": "@example.com"}, EMAIL_RULE),
    ({"email": "ada@"}, EMAIL_RULE),
    ({"email": "a@b@example.com"}, EMAIL_RULE),
    ({"email": "ada lovelace@example.com"}, EMAIL_RULE),
    ({"email": "ada@exam\u00a0ple.com"}, EMAIL_RULE),
    ({"email": "ada@exam\nple.com"}, EMAIL_RULE),
    ({"email": "ada\u200b@example.com"}, EMAIL_RULE),
    ({"email": "ada\0@example.com"}, EMAIL_RULE),
    ({"email": f"{'a' * 243}@example.com"}, EMAIL_RULE),
    ({"password": None}, PASSWORD_RULE),
    ({"password": 12345678}, PASSWORD_RULE),
    ({"password": {"$ne": PASSWORD}}, PASSWORD_RULE),
    ({"password": [PASSWORD]}, PASSWORD_RULE),
    ({"password": f"{PASSWORD}\0"}, PASSWORD_RULE),
    ({"password": ""}, LENGTH_RULE),
    ({"password": SHORT}, LENGTH_RULE),
    ({"password": LONG}, LENGTH_RULE),
    ({"password": "🔑" * 7}, LENGTH_RULE),
    ({"password": "x" * 60_000}, LENGTH_RULE),
    ({"name": 7}, NAME_RULE),
    ({"name": "n" * 256}, NAME_RULE),
    ({"name": "A\0da"}, NAME_RULE),
    ({"name": {"first": "Ada"}}, NAME_RULE),
]


@pytest.mark.http
def test_invalid_fields_are_refused_in_our_words(
    shared_service: tuple[str, Store],
) -> None:
    url, database = shared_service
    for fields, detail in INVALID:
        response = sign_up(url, **fields)
        assert answer(response) == refused(400, detail), fields
        assert PASSWORD not in response.text
    assert users(database) == []


@pytest.mark.http
@pytest.mark.parametrize("route", ["signup", "signin"])
@pytest.mark.parametrize(
    ("missing", "detail"), [("email", EMAIL_RULE), ("password", PASSWORD_RULE)]
)
def test_missing_fields(
    shared_service: tuple[str, Store], route: str, missing: str, detail: str
) -> None:
    body = {"email": EMAIL, "password": PASSWORD}
    del body[missing]
    response = http.post(f"{shared_service[0]}/api/auth/{route}", json=body)
    assert answer(response) == refused(400, detail)
    assert PASSWORD not in response.text


GOOD = json.dumps({"email": EMAIL, "password": PASSWORD}).encode()

BROKEN = {
    "nothing": b"",
    "cut": GOOD[:-1],
    "trailing": GOOD + b"}",
    "not JSON": PASSWORD.encode(),
    "a list": b"[" + GOOD + b"]",
    "a string": json.dumps(PASSWORD).encode(),
    "a number": b"12",
    "null": b"null",
    "NaN": GOOD[:-1] + b', "name": NaN}',
    "Infinity": GOOD[:-1] + b', "other": -Infinity}',
    "lone surrogate": GOOD[:-1] + b', "name": "\\ud800"}',
    "lone surrogate in a password": GOOD.replace(b"correct", b"\\udfff"),
    "not UTF-8": GOOD.replace(b"correct", b"\xff\xfe"),
    "a raw surrogate": GOOD.replace(b"correct", b"\xed\xa0\x80"),
    "UTF-16": GOOD.decode().encode("utf-16"),
    "BOM": b"\xef\xbb\xbf" + GOOD,
    "raw NUL": GOOD.replace(b"correct", b"\0"),
    "deep lists": GOOD[:-1] + b', "other": ' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "deep objects": b'{"email":' * 6000 + b"1" + b"}" * 6000,
    "huge integer": GOOD[:-1] + b', "other": ' + b"9" * 5000 + b"}",
}


@pytest.mark.http
@pytest.mark.parametrize("route", ["signup", "signin"])
@pytest.mark.parametrize("kind", BROKEN)
def test_broken_bodies(
    shared_service: tuple[str, Store], route: str, kind: str
) -> None:
    response = http.post(
        f"{shared_service[0]}/api/auth/{route}",
        content=BROKEN[kind],
        headers={"Content-Type": "application/json"},
    )
    assert answer(response) == refused(400, BODY)


@pytest.mark.http
@pytest.mark.parametrize(
    "content_type",
    [None, "text/plain", "application/x-www-form-urlencoded", "json", "", "é"],
)
def test_other_content_types(
    shared_service: tuple[str, Store], content_type: str | None
) -> None:
    headers: dict[bytes, bytes] = {}
    if content_type is not None:
        headers[b"Content-Type"] = content_type.encode()
    url = f"{shared_service[0]}/api/auth/signup"
    response = http.post(url, content=GOOD, headers=headers)
    assert answer(response) == refused(400, BODY)


@pytest.mark.http
def test_huge_bodies(shared_service: tuple[str, Store]) -> None:
    url = f"{shared_service[0]}/api/auth/signin"
    headers = {"Content-Type": "application/json"}
    spaces = b" " * (65_536 - len(GOOD))
    fits = http.post(url, content=GOOD + spaces, headers=headers)
    assert fits.status_code == 401
    too_large = http.post(url, content=GOOD + spaces + b" ", headers=headers)
    assert answer(too_large) == refused(413, "Request body must be at most 65536 bytes")


def test_password_limits_come_from_the_settings(serve: Serve, database: Store) -> None:
    service = make_service(database, password_min_length=2, password_max_length=4)
    url = serve(service)
    rule = "Password must be 2 to 4 characters long"
    assert answer(sign_up(url, password="🔑")) == refused(400, rule)
    assert answer(sign_up(url, password="12345")) == refused(400, rule)
    assert sign_up(url, password="🔑🔑🔑🔑").status_code == 201
    rule = "Password must be at most 4 characters long"
    assert answer(sign_in(url, password="12345")) == refused(400, rule)
    assert sign_in(url, password="🔑🔑🔑🔑").status_code == 200


def test_a_password_longer_than_the_core_hashes(serve: Serve, database: Store) -> None:
    url = serve(make_service(database, password_max_length=10_000))
    rule = "Password must be at most 4096 bytes long"
    assert answer(sign_up(url, password="ñ" * 2049)) == refused(400, rule)
    assert answer(sign_in(url, password="ñ" * 2049)) == refused(401, WRONG)
    assert sign_up(url, password="ñ" * 2048).status_code == 201


# --- bcrypt, and hashes that are not what the settings would make

CHEAP_BCRYPT = PasswordHash("bcrypt", rounds=4)


def test_bcrypt_takes_72_bytes_and_no_more(serve: Serve, database: Store) -> None:
    url = serve(make_service(database, hasher=CHEAP_BCRYPT))
    rule = "Password must be at most 72 bytes long"
    for password in ("x" * 73, "ñ" * 37):
        response = sign_up(url, password=password)
        assert answer(response) == refused(400, rule)
        assert password not in response.text
    assert users(database) == []
    assert sign_up(url, password="x" * 72).status_code == 201
    assert sign_in(url, password="x" * 72).status_code == 200


def test_the_setting_password_scheme(serve: Serve, database: Store) -> None:
    url = serve(create_app(make_auth(database, password_scheme="bcrypt")))
    assert sign_up(url).status_code == 201
    assert stored_hash(database).startswith("$2b$12$")
    assert sign_in(url).status_code == 200
    assert answer(sign_in(url, password="wrong one")) == refused(401, WRONG)


def served_with_hash(serve: Serve, database: Store, kept: str, **options: Any) -> str:
    """Return a service whose one user has the password hash that is given."""
    url = serve(make_service(database, **options))
    assert sign_up(url).status_code == 201
    rows(database, "UPDATE fastbearer_user SET password_hash = ?", kept)
    return url


OUTDATED = {
    "bcrypt": CHEAP_BCRYPT,
    "scrypt": PasswordHash("scrypt", n=16, r=8, p=1),
    "argon2id": PasswordHash("argon2id", time_cost=2, memory_cost=16, parallelism=2),
}


@pytest.mark.parametrize("old", OUTDATED)
def test_sign_in_upgrades_an_outdated_hash(
    serve: Serve, database: Store, old: str
) -> None:
    kept = OUTDATED[old].hash(PASSWORD)
    url = served_with_hash(serve, database, kept)
    assert sign_in(url, password="wrong one").status_code == 401
    assert stored_hash(database) == kept
    assert sign_in(url).status_code == 200
    upgraded = stored_hash(database)
    assert not CHEAP.needs_rehash(upgraded) and CHEAP.verify(PASSWORD, upgraded)
    assert sign_in(url).status_code == 200
    assert stored_hash(database) == upgraded


def test_sign_in_survives_a_failed_upgrade(serve: Serve, database: Store) -> None:
    kept = CHEAP_BCRYPT.hash(PASSWORD)
    url = served_with_hash(serve, database, kept)
    forbid(database, "UPDATE")
    assert sign_in(url).status_code == 200
    assert stored_hash(database) == kept


def test_sign_in_where_the_new_scheme_cannot_take_the_password(
    serve: Serve, database: Store
) -> None:
    password = "x" * 73
    kept = CHEAP.hash(password)
    url = served_with_hash(serve, database, kept, hasher=CHEAP_BCRYPT)
    assert sign_in(url, password=password).status_code == 200
    assert stored_hash(database) == kept
    assert answer(sign_in(url, password="x" * 74)) == refused(401, WRONG)


def test_a_stored_hash_that_nobody_can_read(
    serve: Serve, database: Store, caplog: pytest.LogCaptureFixture
) -> None:
    url = served_with_hash(serve, database, "$argon2id$broken")
    assert answer(sign_in(url)) == refused(401, WRONG)
    ((user_id, _, _),) = users(database)
    assert f"password hash of user {user_id}: invalid_hash" in caplog.messages
    assert "broken" not in caplog.text


class BusyHash(PasswordHash):
    """All slots are taken."""

    __slots__ = ()

    async def ahash(self, password: str | bytes) -> str:
        raise HasherBusyError("busy")

    async def averify(self, password: str | bytes, hash: str | bytes) -> bool:
        raise HasherBusyError("busy")

    async def averify_and_update(
        self, password: str | bytes, hash: str | bytes
    ) -> tuple[bool, str | None]:
        raise HasherBusyError("busy")


def test_too_many_passwords_at_a_time(serve: Serve, database: Store) -> None:
    url = serve(make_service(database, hasher=BusyHash()))
    for response in (sign_up(url), sign_in(url)):
        assert answer(response) == refused(503, BUSY)
        assert response.headers["retry-after"] == "1"
    assert users(database) == []
    assert sign_up(serve(make_service(database))).status_code == 201
    assert answer(sign_in(url)) == refused(503, BUSY)


class PausedHash(PasswordHash):
    """Every hash and verify waits until it is told to go on."""

    __slots__ = ("go_on", "reached")

    def __init__(self) -> None:
        super().__init__("argon2id", time_cost=1, memory_cost=8, parallelism=1)
        self.reached, self.go_on = Event(), Event()

    def _hash(self, password: str | bytes, threads: int) -> str:
        self.reached.set()
        self.go_on.wait()
        return super()._hash(password, threads)

    def _verify(self, password: str | bytes, hash: str | bytes, threads: int) -> bool:
        self.reached.set()
        self.go_on.wait()
        return super()._verify(password, hash, threads)


@pytest.mark.parametrize("ask", [sign_up, sign_in])
def test_hashing_stops_neither_the_server_nor_the_database(
    serve: Serve, database: Store, ask: Callable[[str], httpx2.Response]
) -> None:
    hasher = PausedHash()
    url = serve(make_service(database, hasher=hasher))
    with ThreadPoolExecutor(1) as threads:
        try:
            pending = threads.submit(ask, url)
            hasher.reached.wait()
            assert http.get(f"{url}/u1/tasks").status_code == 401
            now = "'2026-11-24 00:00:00'"
            names = "id, email, password_hash, email_verified, created_at, updated_at"
            values = f"'', '', '', false, {now}, {now}"
            rows(database, f"INSERT INTO fastbearer_user ({names}) VALUES ({values})")
            assert not pending.done()
        finally:
            hasher.go_on.set()
        assert pending.result().status_code in (201, 401)


# --- nothing lost, nothing half made


def test_a_race_for_one_email_has_one_winner(service: str, database: Store) -> None:
    spellings = [EMAIL, EMAIL.upper(), EMAIL.title(), f" {EMAIL} "] * 5

    def race(number: int) -> tuple[int, Any]:
        password = f"{PASSWORD} {number}"
        return answer(sign_up(service, email=spellings[number], password=password))

    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(race, range(20)))
    assert sorted(status for status, _ in answers) == [201] + [400] * 19
    assert all(body == {"detail": TAKEN} for status, body in answers if status == 400)
    winner = [status for status, _ in answers].index(201)
    assert len(users(database)) == 1
    assert sign_in(service, password=f"{PASSWORD} {winner}").status_code == 200


def test_a_failing_table(
    service: str, database: Store, caplog: pytest.LogCaptureFixture
) -> None:
    rows(database, "ALTER TABLE fastbearer_user RENAME TO hidden")
    response = sign_up(service)
    assert answer(response) == refused(500, FAILED)
    assert "account not created" in caplog.messages
    for private in (PASSWORD, EMAIL, "$argon2id$"):
        assert private not in caplog.text
    rows(database, "ALTER TABLE hidden RENAME TO fastbearer_user")
    assert users(database) == []
    assert sign_up(service).status_code == 201


def test_a_constraint_that_is_not_the_emails(service: str, database: Store) -> None:
    forbid(database, "INSERT")
    # PostgreSQL's trigger says that it is about the values; the others' do not.
    told = (refused(500, FAILED), refused(400, "This cannot be kept"))
    assert answer(sign_up(service)) in told
    assert users(database) == []


class FailingStore:
    """A store of the project's own, which is down."""

    async def add(self, user: User) -> None:
        raise ConnectionError("down")

    async def find_by_email(self, email: str) -> User | None:
        return None

    async def replace_password_hash(self, user: User, password_hash: str) -> None:
        raise ConnectionError("down")


def test_a_failing_store(serve: Serve, database: Store) -> None:
    url = serve(make_service(database, store=FailingStore()))
    assert answer(sign_up(url)) == refused(500, FAILED)
    assert answer(sign_in(url)) == refused(401, WRONG)


class NoSigning(Auth):
    """Tokens cannot be signed."""

    def generate_jwt_token(self, user_id: str, email: str) -> str:
        raise RuntimeError("no signer")


def test_no_account_where_no_token_can_be_signed(serve: Serve, database: Store) -> None:
    auth = NoSigning(make_auth(database).settings)
    url = serve(create_app(auth, accounts=Accounts(auth, hasher=CHEAP)))
    assert answer(sign_up(url)) == refused(500, FAILED)
    assert users(database) == []


def test_passwords_are_in_no_log(
    service: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "fastbearer"):
        sign_up(service)
        sign_up(service)
        sign_in(service)
        sign_in(service, password=f"{PASSWORD}!")
    assert PASSWORD not in caplog.text
