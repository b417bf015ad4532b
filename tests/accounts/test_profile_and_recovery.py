"""Looking at an account, changing it, recovering it, deleting it."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from accounts_kit import (
    CHEAP,
    EMAIL,
    PASSWORD,
    Store,
    answer,
    bearer,
    http,
    make_auth,
    make_service,
    me,
    post,
    refused,
    rows,
    sign_in,
    sign_up,
    token_of,
)
from fastbearer.accounts import AccountEvent, Accounts, Message
from fastbearer.app import create_app
from servers import on_every_database
from waiting import wait_until

Serve = Callable[[FastAPI], str]
NEW = "another horse battery"
WRONG_CODE = "Code is wrong, was used or has expired"
REVOKED = "Token has been revoked. Please sign in again."
WRONG_PASSWORD = "Current password is wrong"
COMMON = "Password is too common, or too much like the email"


class Outbox(list[Message]):
    """Messages; whoever wants one waits for it, for it comes after the answer."""

    def __getitem__(self, number: Any) -> Any:
        wait_until(lambda: len(self) > number)
        return super().__getitem__(number)


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture
def service(serve: Serve, database: Store, outbox: Outbox) -> str:
    return serve(make_service(database, send=outbox.append))


@on_every_database
def test_me(service: str) -> None:
    data = sign_up(service, name="Ada").json()["data"]
    user = {**data["user"], "email_verified": False}
    assert answer(me(service, data["token"])) == (200, {"success": True, "data": user})
    assert http.get(f"{service}/api/auth/me").status_code == 401


def test_changing_the_password(service: str) -> None:
    token = token_of(sign_up(service))
    body = {"current_password": PASSWORD, "new_password": NEW}
    changed = token_of(post(service, "change-password", token, **body))
    assert me(service, changed).status_code == 200
    assert sign_in(service).status_code == 401
    assert sign_in(service, password=NEW).status_code == 200
    assert post(service, "change-password", token, **body).status_code == 401
    again = post(service, "change-password", changed, **body)
    assert answer(again) == refused(403, WRONG_PASSWORD)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"new_password": NEW}, "Current password must be a string"),
        ({"current_password": PASSWORD}, "New password must be a string"),
        ({"current_password": PASSWORD, "new_password": "short"}, "Password must be 8"),
        ({"current_password": PASSWORD, "new_password": "password1"}, COMMON),
        ({"current_password": "x" * 129, "new_password": NEW}, "Password must be at"),
        (
            {
                "current_password": PASSWORD,
                "new_password": NEW,
                "end_other_sessions": "yes",
            },
            "end_other_sessions must be",
        ),
    ],
)
def test_changing_it_with_invalid_input(
    service: str, body: dict[str, Any], detail: str
) -> None:
    token = token_of(sign_up(service))
    response = post(service, "change-password", token, **body)
    assert response.status_code == 400
    assert response.json()["detail"].startswith(detail)
    assert sign_in(service).status_code == 200


@on_every_database
def test_two_changes_at_a_time_have_one_winner(service: str) -> None:
    token = token_of(sign_up(service))

    def change(number: int) -> int:
        body = {"current_password": PASSWORD, "new_password": f"{NEW} {number}"}
        return post(service, "change-password", token, **body).status_code

    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(change, range(8)))
    assert sorted(statuses) == [200] + [403] * 7
    winner = statuses.index(200)
    assert sign_in(service, password=f"{NEW} {winner}").status_code == 200


@on_every_database
def test_deleting_the_account(service: str, database: Store) -> None:
    data = sign_up(service).json()["data"]
    token, user_id = data["token"], data["user"]["id"]
    tasks = f"{service}/{user_id}/tasks"
    http.post(tasks, json={"title": "mine"}, headers=bearer(token))
    wrong = post(service, "delete-account", token, password="wrong password")
    assert answer(wrong) == refused(403, WRONG_PASSWORD)
    done = post(service, "delete-account", token, password=PASSWORD)
    assert answer(done) == (200, {"success": True})
    assert answer(me(service, token)) == refused(401, REVOKED)
    assert sign_in(service).status_code == 401
    assert rows(database, "SELECT id FROM fastbearer_task") == []
    assert sign_up(service).json()["data"]["user"]["id"] != user_id


# --- codes


@on_every_database
def test_resetting_the_password(service: str, database: Store, outbox: Outbox) -> None:
    sign_up(service)
    assert answer(post(service, "forgot-password", email=f" {EMAIL.upper()}")) == (
        202,
        {"success": True},
    )
    message = outbox[0]
    assert (message.to, message.purpose) == (EMAIL, "reset_password")
    assert message.code not in repr(message)
    assert message.code not in str(rows(database, "SELECT * FROM fastbearer_code"))
    done = post(service, "reset-password", code=message.code, password=NEW)
    assert answer(done) == (200, {"success": True})
    assert sign_in(service).status_code == 401
    signed = sign_in(service, password=NEW)
    assert me(service, token_of(signed)).json()["data"]["email_verified"] is True
    again = post(service, "reset-password", code=message.code, password=PASSWORD)
    assert answer(again) == refused(400, WRONG_CODE)


def test_an_unknown_address_gets_the_same_answer(
    service: str, database: Store, outbox: Outbox
) -> None:
    sign_up(service)
    known = post(service, "forgot-password", email=EMAIL)
    unknown = post(service, "forgot-password", email="nobody@example.com")
    assert answer(known) == answer(unknown)
    same = [name for name in known.headers if name != "date"]
    assert {n: known.headers[n] for n in same} == {n: unknown.headers[n] for n in same}
    assert outbox[0].to == EMAIL
    assert len(outbox) == 1
    assert len(rows(database, "SELECT id FROM fastbearer_code")) == 2


def test_a_code_survives_a_password_that_is_refused(
    service: str, outbox: Outbox
) -> None:
    sign_up(service)
    post(service, "forgot-password", email=EMAIL)
    code = outbox[0].code
    for password in ("short", "password1", EMAIL):
        refusal = post(service, "reset-password", code=code, password=password)
        assert refusal.status_code == 400 and refusal.json()["detail"] != WRONG_CODE
    assert post(service, "reset-password", code=code, password=NEW).status_code == 200


def test_a_code_is_good_once(service: str, outbox: Outbox) -> None:
    sign_up(service)
    post(service, "forgot-password", email=EMAIL)
    code = outbox[0].code

    def reset(number: int) -> int:
        password = f"{NEW} {number}"
        return post(service, "reset-password", code=code, password=password).status_code

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(reset, range(8))) == [200] + [400] * 7


@pytest.mark.parametrize("route", ["reset-password", "verify-email"])
@pytest.mark.parametrize("code", ["", "x", "x" * 255, "é", "' OR 1=1 --"])
def test_wrong_codes(service: str, route: str, code: str) -> None:
    assert answer(post(service, route, code=code, password=NEW)) == refused(
        400, WRONG_CODE
    )


@on_every_database
def test_a_code_expires(service: str, database: Store, outbox: Outbox) -> None:
    sign_up(service)
    post(service, "forgot-password", email=EMAIL)
    rows(database, "UPDATE fastbearer_code SET expires_at = '2020-01-01 00:00:00'")
    done = post(service, "reset-password", code=outbox[0].code, password=NEW)
    assert answer(done) == refused(400, WRONG_CODE)
    post(service, "forgot-password", email=EMAIL)
    assert len(rows(database, "SELECT id FROM fastbearer_code")) == 1


def test_a_code_is_good_for_its_purpose(service: str, outbox: Outbox) -> None:
    token = token_of(sign_up(service))
    assert post(service, "request-verification", token).status_code == 202
    post(service, "forgot-password", email=EMAIL)
    verify, reset = outbox[0].code, outbox[1].code
    assert post(service, "verify-email", code=reset).status_code == 400
    assert post(service, "reset-password", code=verify, password=NEW).status_code == 400
    assert post(service, "verify-email", code=verify).status_code == 200
    assert me(service, token).json()["data"]["email_verified"] is True
    assert post(service, "verify-email", code=verify).status_code == 400


@on_every_database
def test_verification_at_sign_up(serve: Serve, database: Store, outbox: Outbox) -> None:
    settings = {"email_verification": True, "code_minutes": 5}
    service = serve(make_service(database, send=outbox.append, **settings))
    sign_up(service)
    assert outbox[0].purpose == "verify_email"
    assert outbox[0].lifetime.total_seconds() == 300
    assert post(service, "verify-email", code=outbox[0].code).status_code == 200


def test_the_console_is_the_sender_where_it_is_asked_for(
    serve: Serve, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    service = serve(make_service(tmp_path / "a.db", mail_console=True))
    sign_up(service)
    post(service, "forgot-password", email=EMAIL)
    printed = ""
    while "reset_password" not in printed:
        printed += capfd.readouterr().err
    code = re.search(r"code (\S+),", printed)
    assert code is not None and f"message to {EMAIL}: reset_password" in printed
    done = post(service, "reset-password", code=code[1], password=NEW)
    assert done.status_code == 200


@pytest.mark.parametrize("kind", ["function", "coroutine"])
def test_a_sender_that_fails_is_logged(
    serve: Serve, tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def asend(message: Message) -> None:
        raise OSError("no mail today")

    def send(message: Message) -> None:
        raise OSError("no mail today")

    sender = send if kind == "function" else asend
    service = serve(make_service(tmp_path / "a.db", send=sender))
    sign_up(service)
    assert post(service, "forgot-password", email=EMAIL).status_code == 202
    wait_until(lambda: "message reset_password not sent" in caplog.text)


# --- passwords


@pytest.mark.parametrize(
    "password",
    ["password1", "PASSWORD1", "12345678", "iloveyou", EMAIL, EMAIL.upper()],
)
def test_common_passwords_are_refused(service: str, password: str) -> None:
    assert answer(sign_up(service, password=password)) == refused(400, COMMON)


def test_the_name_of_the_mailbox_is_no_password(service: str) -> None:
    response = sign_up(service, email="ada.lovelace@x.example", password="Ada.Lovelace")
    assert answer(response) == refused(400, COMMON)


def test_common_passwords_may_be_allowed(serve: Serve, tmp_path: Path) -> None:
    service = serve(make_service(tmp_path / "a.db", password_refuse_common=False))
    assert sign_up(service, password="password1").status_code == 201


def test_a_common_password_from_before_still_signs_in(
    serve: Serve, tmp_path: Path
) -> None:
    lax = serve(make_service(tmp_path / "a.db", password_refuse_common=False))
    sign_up(lax, password="password1")
    strict = serve(make_service(tmp_path / "a.db"))
    assert sign_in(strict, password="password1").status_code == 200


def test_a_password_does_not_expire(service: str, database: Store) -> None:
    sign_up(service)
    old = "2001-01-01 00:00:00"
    rows(
        database,
        f"UPDATE fastbearer_user SET created_at = '{old}', updated_at = '{old}'",
    )
    assert sign_in(service).status_code == 200


# --- events


def test_events_and_the_audit_log(
    serve: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "fastbearer.audit")
    auth = make_auth(
        tmp_path / "a.db",
        throttle=True,
        revocation="memory",
        refresh_tokens=True,
        refresh_grace_seconds=0,
    )
    outbox = Outbox()
    accounts = Accounts(auth, hasher=CHEAP, send=outbox.append)
    told: list[AccountEvent] = []
    ups: list[AccountEvent] = []

    @accounts.on_event("signed_up")
    async def welcome(event: AccountEvent) -> None:
        ups.append(event)

    @accounts.on_event()
    def fail(event: AccountEvent) -> None:
        raise RuntimeError("the handler's own trouble")

    accounts.on_event()(told.append)
    service = serve(create_app(auth, accounts=accounts))

    data = sign_up(service).json()["data"]
    token = data["token"]
    secrets = {PASSWORD, NEW, token, data["refresh_token"]}
    for _ in range(11):
        sign_in(service, email="nobody@example.com", password=NEW)
    sign_in(service, password="wrong wrong")
    post(service, "refresh", refresh_token=data["refresh_token"])
    post(service, "refresh", refresh_token=data["refresh_token"])
    signed = token_of(sign_in(service))
    post(service, "signout", signed)
    assert me(service, token).status_code == 401  # its refresh token was stolen
    token = token_of(sign_in(service))
    body = {"current_password": PASSWORD, "new_password": NEW}
    token = token_of(post(service, "change-password", token, **body))
    post(service, "request-verification", token)
    post(service, "verify-email", code=outbox[0].code)
    post(service, "forgot-password", email=EMAIL)
    post(service, "reset-password", code=outbox[1].code, password=PASSWORD)
    token = token_of(sign_in(service))
    post(service, "signout-everywhere", token)
    token = token_of(sign_in(service))
    post(service, "delete-account", token, password=PASSWORD)
    secrets |= {token, signed, *(message.code for message in outbox)}

    names = [event.name for event in told]
    assert names == [
        "signed_up",
        *["sign_in_failed"] * 10,
        "locked_out",
        "sign_in_failed",
        "token_reused",
        "signed_in",
        "signed_out",
        "signed_in",
        "password_changed",
        "email_verified",
        "reset_requested",
        "password_reset",
        "signed_in",
        "sessions_ended",
        "signed_in",
        "account_deleted",
    ]
    assert [event.user and event.user.email for event in ups] == [EMAIL]
    lines = [r.getMessage() for r in caplog.records if r.name == "fastbearer.audit"]
    logged = [json.loads(line) for line in lines]
    assert [one["event"] for one in logged] == names
    assert {one["address"] for one in logged} == {"127.0.0.1"}
    assert logged[1]["user_id"] is None and logged[1]["email"] == "nobody@example.com"
    assert logged[12]["user_id"] == data["user"]["id"]
    everything = caplog.text + repr(told)
    assert not [secret for secret in secrets if secret in everything]
    assert "handler of signed_up failed" in everything


def test_an_event_must_be_one(tmp_path: Path) -> None:
    accounts = Accounts(make_auth(tmp_path / "a.db"))
    with pytest.raises(ValueError, match="an event is one of signed_up"):
        accounts.on_event("signed_upp")  # type: ignore[arg-type]
