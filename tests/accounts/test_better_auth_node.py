"""People sign up at a real Better Auth server or here, and sign in at either side."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from accounts_kit import (
    CHEAP,
    answer,
    bearer,
    http,
    make_auth,
    me,
    post,
    refused,
    sign_in,
    sign_up,
    token_of,
)
from asgi import running
from better_auth_server import (
    NEWEST,
    OLDER,
    VERSIONS,
    BetterAuthServer,
    SignedIn,
    better_auth,
)
from fastbearer import Key, PasswordHash, Signer
from fastbearer.accounts import Accounts, BetterAuthUserStore, Message, User
from fastbearer.accounts.messages import Sender
from fastbearer.better_auth.passwords import BetterAuthHash
from project import SECRET
from servers import ask, own_database
from waiting import wait_until

pytestmark = [pytest.mark.node, pytest.mark.postgres, pytest.mark.http]

PASSWORD = "P\u00e2ssw0rd-\u212b-\ufb01"
"""It has letters that NFKC writes in another way: here they are so written."""

SAME = "P\u00e2ssw0rd-\u00c5-fi"
PLAIN = "correct horse battery"
"""Whoever types it types its NFKC form."""

NEWER = "another battery \U0001f511"
NAME = "Ada \u20ac"
ID_SHAPES = {
    None: "[A-Za-z0-9]{32}",
    "serial": "[1-9][0-9]*",
    "uuid": "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
}
"""``generateId`` -> what an id is then."""

UNAUTHORIZED = refused(401, "Invalid email or password")


@dataclass(frozen=True)
class Both:
    """A server, and a service over its tables.

    Attributes:
        server: Better Auth.
        service: The URL of the service.
        database: The URL of their PostgreSQL.
        ids: The server's ``generateId``.
    """

    server: BetterAuthServer
    service: str
    database: str
    ids: str | None

    def hash_of(self, user_id: str) -> str:
        """Return what is stored of a user's password."""
        query = 'SELECT password FROM account WHERE "accountId" = ?'
        ((found,),) = ask(self.database, query, user_id)
        return str(found)

    def sign_in_there(self, email: str, password: str) -> httpx2.Response:
        body = {"email": email, "password": password}
        return self.server.post("/sign-in/email", body)


@contextmanager
def both(
    version: str,
    folder: Path,
    ids: str | None = None,
    *,
    hasher: PasswordHash | None = None,
    store: dict[str, Any] | None = None,
    send: Sender | None = None,
    **options: Any,
) -> Iterator[Both]:
    if ids is not None:
        options["advanced"] = {"database": {"generateId": ids}}
    with (
        own_database() as url,
        better_auth(version, database_url=url, **options) as server,
    ):
        users = BetterAuthUserStore(url, **(store or {}))
        auth = make_auth(folder / "own.db")
        app = FastAPI()
        accounts = Accounts(auth, store=users, hasher=hasher, send=send)
        app.include_router(accounts.router)
        with running(app) as service:
            yield Both(server, service, url, ids)


@pytest.fixture(
    scope="module", params=[(version, ids) for version in VERSIONS for ids in ID_SHAPES]
)
def sides(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Both]:
    version, ids = request.param
    with both(version, tmp_path_factory.mktemp("service"), ids) as sides:
        yield sides


def new_email() -> str:
    return f"{secrets.token_hex(8)}@example.com"


def sign_up_there(sides: Both, **more: Any) -> SignedIn:
    return sides.server.sign_up(new_email(), PASSWORD, NAME, **more)


def sign_up_here(sides: Both, email: str | None = None) -> dict[str, Any]:
    """Return the answer's user and token."""
    body = {"email": email or new_email(), "password": PASSWORD, "name": NAME}
    answered = sign_up(sides.service, **body)
    assert answered.status_code == 201, answered.text
    found: dict[str, Any] = answered.json()["data"]
    return found


def test_who_signs_up_there_signs_in_here(sides: Both) -> None:
    ada = sign_up_there(sides)
    email, stored = ada.user["email"], sides.hash_of(ada.id)
    for password in (PASSWORD, SAME):
        found = sign_in(sides.service, email=email.upper(), password=password)
        shown = {"id": ada.id, "email": email, "name": NAME}
        assert found.json()["data"]["user"] == shown
    wrong = sign_in(sides.service, email=email, password=PASSWORD[:-1])
    assert answer(wrong) == UNAUTHORIZED
    assert sides.hash_of(ada.id) == stored
    assert sides.sign_in_there(email, PASSWORD).status_code == 200


def test_who_signs_up_here_signs_in_there(sides: Both) -> None:
    made = sign_up_here(sides)["user"]
    assert re.fullmatch(ID_SHAPES[sides.ids], made["id"])
    assert sides.sign_in_there(made["email"], PASSWORD[:-1]).status_code == 401
    for password in (PASSWORD, SAME):
        there = sides.server.sign_in(made["email"], password)
        session = sides.server.session_of(there.cookie)
        assert session is not None
        shown = {name: session["user"][name] for name in ("id", "email", "name")}
        assert shown == made
        assert session["user"]["emailVerified"] is False
        assert session["session"]["userId"] == made["id"]


def test_a_token_of_the_accounts_verifies_no_email_there(sides: Both) -> None:
    """Others are taken for links; but who signs up need not be who has the mail."""
    made = sign_up_here(sides)
    email = made["user"]["email"]
    signer = Signer(Key.from_secret(SECRET), lifetime=60)
    for token, is_link in (
        (made["token"], False),
        (make_auth("unused").generate_jwt_token("u", email), False),
        (signer.sign({"sub": made["user"]["id"], "email": email}), True),
    ):
        answered = sides.server.get(f"/verify-email?token={token}")
        assert answered.is_success is is_link
        assert "set-cookie" not in answered.headers
        (row,) = sides.server.rows("user", id=made["user"]["id"])
        assert row["emailVerified"] is is_link


def test_the_rows_are_as_if_the_server_had_made_them(sides: Both) -> None:
    """Field by field, of the same kind: also what nobody has said."""
    there, here = sign_up_there(sides).id, sign_up_here(sides)["user"]["id"]
    for model, field in (("user", "id"), ("account", "userId")):
        (theirs,) = sides.server.rows(model, **{field: there})
        (ours,) = sides.server.rows(model, **{field: here})
        assert shapes(ours) == shapes(theirs)


def shapes(row: dict[str, Any]) -> dict[str, Any]:
    """Return name -> what a text looks like, letters as x; else the type."""
    is_free = {"id", "accountId", "userId", "email"}.__contains__
    looks = {
        name: re.sub("[a-z0-9]", "x", value, flags=re.IGNORECASE)
        for name, value in row.items()
        if isinstance(value, str) and not (is_free(name) and value.isdigit())
    }
    return {name: type(value) for name, value in row.items()} | looks


def test_an_email_is_taken_at_either_side(sides: Both) -> None:
    there = sign_up_there(sides).user["email"]
    taken = sign_up(sides.service, email=there.upper(), password=NEWER)
    assert answer(taken) == refused(400, "Email already registered")
    here = sign_up_here(sides)["user"]["email"]
    body = {"email": here.upper(), "password": NEWER, "name": NAME}
    refusal = sides.server.post("/sign-up/email", body)
    assert refusal.status_code == 422
    assert refusal.json()["code"] == "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL"
    for email in (there, here):
        assert sign_in(sides.service, email=email, password=PASSWORD).is_success
        assert sides.sign_in_there(email, PASSWORD).is_success


def test_a_password_that_is_changed_here(sides: Both) -> None:
    ada = sign_up_there(sides)
    email = ada.user["email"]
    token = token_of(sign_in(sides.service, email=email, password=PASSWORD))
    body = {"current_password": PASSWORD, "new_password": NEWER}
    assert post(sides.service, "change-password", token, **body).is_success
    assert sides.sign_in_there(email, PASSWORD).status_code == 401
    assert sides.sign_in_there(email, NEWER).status_code == 200


def test_a_password_that_is_changed_there(sides: Both) -> None:
    made = sign_up_here(sides)["user"]
    there = sides.server.sign_in(made["email"], PASSWORD)
    body = {"currentPassword": PASSWORD, "newPassword": NEWER}
    changed = sides.server.post("/change-password", body, cookie=there.cookie)
    assert changed.status_code == 200, changed.text
    old, new = (
        sign_in(sides.service, email=made["email"], password=password)
        for password in (PASSWORD, NEWER)
    )
    assert (old.status_code, new.status_code) == (401, 200)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_name_and_an_email_that_are_changed_here(
    version: str, tmp_path: Path
) -> None:
    """They are so there, too, and the sessions there go on with them."""
    outbox: list[Message] = []
    with both(version, tmp_path, send=outbox.append) as sides:
        ada = sign_up_there(sides)
        email, new = ada.user["email"], f"new-{ada.user['email']}"
        token = token_of(sign_in(sides.service, email=email, password=PASSWORD))
        url, headers = f"{sides.service}/api/auth/me", bearer(token)
        changed = http.patch(url, json={"name": "Countess"}, headers=headers)
        assert changed.is_success, changed.text
        body = {"new_email": new, "password": PASSWORD}
        assert post(sides.service, "change-email", token, **body).status_code == 202
        wait_until(lambda: any(one.purpose == "change_email" for one in outbox))
        (code,) = [one.code for one in outbox if one.purpose == "change_email"]
        assert post(sides.service, "confirm-email", token, code=code).is_success
        assert me(sides.service, token).status_code == 401
        session = sides.server.session_of(ada.cookie)
        assert session is not None
        shown = {name: session["user"][name] for name in ("name", "email")}
        assert shown == {"name": "Countess", "email": new}
        assert session["user"]["emailVerified"] is True
        assert sides.sign_in_there(email, PASSWORD).status_code == 401
        assert sides.sign_in_there(new, PASSWORD).status_code == 200


def test_an_account_that_is_deleted_here(sides: Both) -> None:
    ada = sign_up_there(sides)
    email = ada.user["email"]
    token = token_of(sign_in(sides.service, email=email, password=PASSWORD))
    assert sides.server.session_of(ada.cookie) is not None
    assert post(sides.service, "delete-account", token, password=PASSWORD).is_success
    assert sides.server.session_of(ada.cookie) is None
    assert sides.sign_in_there(email, PASSWORD).status_code == 401
    for model, field in (("user", "id"), ("account", "userId"), ("session", "userId")):
        assert sides.server.rows(model, **{field: ada.id}) == []
    assert sides.server.sign_up(email, PASSWORD, NAME).user["email"] == email


@pytest.mark.parametrize("version", VERSIONS)
def test_an_account_that_is_deleted_there(version: str, tmp_path: Path) -> None:
    with both(version, tmp_path, user={"deleteUser": {"enabled": True}}) as sides:
        made = sign_up_here(sides)
        there = sides.server.sign_in(made["user"]["email"], PASSWORD)
        body = {"password": PASSWORD}
        deleted = sides.server.post("/delete-user", body, cookie=there.cookie)
        assert deleted.status_code == 200, deleted.text
        assert me(sides.service, made["token"]).status_code == 401
        email = made["user"]["email"]
        found = sign_in(sides.service, email=email, password=PASSWORD)
        assert answer(found) == UNAUTHORIZED


@pytest.mark.parametrize("version", VERSIONS)
def test_hashes_that_are_upgraded_are_lost_to_the_server(
    version: str, tmp_path: Path
) -> None:
    """Whoever says ``upgrade_hashes=True`` says that it need not verify them."""
    told = {"upgrade_hashes": True}
    with both(version, tmp_path, hasher=CHEAP, store=told) as sides:
        ada = sides.server.sign_up(new_email(), PLAIN, NAME)
        email, stored = ada.user["email"], sides.hash_of(ada.id)
        assert not sign_in(sides.service, email=email, password=NEWER).is_success
        assert sides.hash_of(ada.id) == stored
        assert sign_in(sides.service, email=email, password=PLAIN).is_success
        assert sides.hash_of(ada.id).startswith("$argon2id$")
        assert not sides.sign_in_there(email, PLAIN).is_success
        assert sign_in(sides.service, email=email, password=PLAIN).is_success


@pytest.mark.parametrize("version", VERSIONS)
def test_hashes_that_know_other_spellings_are_not_upgraded(
    version: str, tmp_path: Path
) -> None:
    """The server's hash is of the NFKC form: whoever types another keeps it."""
    told = {"upgrade_hashes": True}
    with both(version, tmp_path, hasher=CHEAP, store=told) as sides:
        ada = sign_up_there(sides)
        stored = sides.hash_of(ada.id)
        email = ada.user["email"]
        assert sign_in(sides.service, email=email, password=PASSWORD).is_success
        assert sides.hash_of(ada.id) == stored
        assert sides.sign_in_there(email, PASSWORD).is_success


@pytest.mark.parametrize("version", VERSIONS)
def test_who_is_banned_there(version: str, tmp_path: Path) -> None:
    with both(version, tmp_path, plugins={"admin": {}}) as sides:
        ada, root = sign_up_here(sides), sign_up_there(sides)
        sides.server.update("user", {"role": "admin"}, id=root.id)
        email, user_id = ada["user"]["email"], ada["user"]["id"]
        for route, status in (("ban-user", 401), ("unban-user", 200)):
            done = sides.server.post(
                f"/admin/{route}", {"userId": user_id}, cookie=root.cookie
            )
            assert done.status_code == 200, done.text
            found = sign_in(sides.service, email=email, password=PASSWORD)
            assert found.status_code == status
            assert me(sides.service, ada["token"]).status_code == status
            there = sides.sign_in_there(email, PASSWORD)
            assert there.status_code == (403 if status == 401 else 200)


@pytest.mark.parametrize("version", VERSIONS)
def test_names_roles_and_bans_of_either_side(version: str, tmp_path: Path) -> None:
    plugins = {"admin": {}, "username": {}, "phoneNumber": {}}
    with both(version, tmp_path, plugins=plugins) as sides:
        there = sign_up_there(sides, username="Ada.L", displayUsername="Ada L.")
        email = f"eve-{secrets.token_hex(4)}@example.com"
        eve = User(email=email, username="eve_e", password_hash="")
        eve.password_hash = BetterAuthHash().hash(PASSWORD)
        eve.roles = ["admin", "user"]

        async def used() -> None:
            store = BetterAuthUserStore(sides.database)
            async with store.lifespan(None):
                fields = ("email", "password", "name", "username", "phone")
                await store.check_fields(fields)
                ada = await store.find_by("username", "ada.l")
                assert ada is not None and ada.id == there.id
                assert ada.roles == ["user"]  # the server's default
                await store.add(eve)
                assert await store.change(ada, {"is_active": False, "roles": ["user"]})

        asyncio.run(used())
        body = {"username": "EVE_E", "password": PASSWORD}
        entered = sides.server.post("/sign-in/username", body)
        assert entered.status_code == 200, entered.text
        assert entered.json()["user"]["id"] == eve.id
        asked = sides.server.sign_in(email, PASSWORD)
        listed = sides.server.get("/admin/list-users", cookie=asked.cookie)
        assert listed.status_code == 200, listed.text  # an admin there, too
        shown = {user["id"]: user for user in listed.json()["users"]}
        assert shown[there.id]["banned"] is True
        assert shown[eve.id]["role"] == "admin,user"
        assert sides.sign_in_there(there.user["email"], PASSWORD).status_code == 403
        former = sides.server.get("/get-session", cookie=there.cookie)
        assert former.json() is None


@pytest.mark.parametrize("version", VERSIONS)
def test_who_has_a_second_factor_there(version: str, tmp_path: Path) -> None:
    plugins = {"twoFactor": {"skipVerificationOnEnable": True}}
    with both(version, tmp_path, plugins=plugins) as sides:
        made = sign_up_here(sides)["user"]
        there = sides.server.sign_in(made["email"], PASSWORD)
        enabled = sides.server.post(
            "/two-factor/enable", {"password": PASSWORD}, cookie=there.cookie
        )
        assert enabled.status_code == 200, enabled.text
        asked = sides.sign_in_there(made["email"], PASSWORD)
        assert asked.json()["twoFactorRedirect"] is True
        found = sign_in(sides.service, email=made["email"], password=PASSWORD)
        assert answer(found) == UNAUTHORIZED


@pytest.mark.parametrize("version", VERSIONS)
def test_an_account_of_another_name(version: str, tmp_path: Path) -> None:
    """1.7 takes no ``accountId`` but the user's id, and 1.6 takes any."""
    takes_any = {NEWEST: False, OLDER: True}[version]
    with both(version, tmp_path, store={"any_account_id": takes_any}) as sides:
        ada = sign_up_there(sides)
        sides.server.update("account", {"accountId": "imported"}, userId=ada.id)
        here = sign_in(sides.service, email=ada.user["email"], password=PASSWORD)
        there = sides.sign_in_there(ada.user["email"], PASSWORD)
        expected = 200 if takes_any else 401
        assert (here.status_code, there.status_code) == (expected, expected)


def test_emails_that_neither_side_takes(sides: Both) -> None:
    for email in ("ada@localhost", "a.@example.com", "o'@example.com"):
        body = {"email": email, "password": PASSWORD, "name": NAME}
        assert sign_up(sides.service, **body).status_code == 400
        assert sides.server.post("/sign-up/email", body).status_code == 400


def test_an_odd_email_that_both_sides_take(sides: Both) -> None:
    email = f"o'hara+{secrets.token_hex(4)}_-x@a-b.1.example"
    sign_up_here(sides, email)
    assert sides.sign_in_there(email, PASSWORD).status_code == 200
