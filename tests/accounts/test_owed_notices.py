"""Whose e-mail is another by now is told so, however the request ends."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest

from account_desk import Desk, at_the_desk
from accounts_kit import EMAIL, PASSWORD, bearer
from fastbearer.accounts.sessions import Sessions
from fastbearer.accounts.stores.checked import CheckedUserStore
from fastbearer.errors import StoreUnavailableError, TokenError

EVE = "eve@example.com"
NEW = "another horse battery"
ME = "http://test/users/me"
LOSSES = [
    StoreUnavailableError("lost"),
    TokenError("overtaken"),
    asyncio.CancelledError(),
]
IDS = ["outage", "overtaken", "cancelled"]


def fail(error: BaseException) -> Any:
    async def failing(*_: object, **__: object) -> None:
        raise error

    return failing


def told(desk: Desk) -> list[str]:
    return [one.to for one in desk.sent("email_changed")]


@pytest.mark.parametrize("error", LOSSES, ids=IDS)
@pytest.mark.parametrize("step", ["_end_at_last", "start"])
def test_a_confirmed_email_is_told_where_the_request_fails_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException
) -> None:
    async def tried(desk: Desk) -> None:
        await desk.sign_up()
        code = await desk.code_to(EVE)
        with monkeypatch.context() as patch, suppress(asyncio.CancelledError):
            patch.setattr(Sessions, step, fail(error))
            assert await desk.post("confirm-email", code=code) >= 400
        assert told(desk) == [EMAIL]
        desk.token = ""
        assert await desk.post("signin", email=EVE, password=PASSWORD) == 200

    at_the_desk(tried, tmp_path / "a.db")


def test_an_email_that_is_refused_is_not_told(tmp_path: Path) -> None:
    async def tried(desk: Desk) -> None:
        await desk.sign_up()
        code, mine = await desk.code_to(EVE), desk.token
        await desk.sign_up(EVE)
        desk.token = mine
        assert await desk.post("confirm-email", code=code) == 400
        assert told(desk) == []

    at_the_desk(tried, tmp_path / "a.db")


async def entered(desk: Desk) -> dict[str, str]:
    """Register with the routes of fastapi-users, and return the header of a token."""
    body = {"email": EMAIL, "password": PASSWORD}
    assert (await desk.client.post("http://test/auth/register", json=body)).is_success
    answer = await login(desk, EMAIL)
    return bearer(answer.json()["access_token"])


async def login(desk: Desk, email: str) -> httpx2.Response:
    form = {"username": email, "password": PASSWORD}
    return await desk.client.post("http://test/auth/jwt/login", data=form)


async def overtaken(*_: object) -> bool:
    return False


@pytest.mark.parametrize(
    "replace", [overtaken, fail(LOSSES[0])], ids=["overtaken", "outage"]
)
def test_attack_an_email_moves_unseen_with_a_password_that_comes_too_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replace: Any
) -> None:
    """Whoever has a stolen session can have another request overtake this one."""

    async def tried(desk: Desk) -> None:
        token = await entered(desk)
        with monkeypatch.context() as patch:
            patch.setattr(CheckedUserStore, "replace_password_hash", replace)
            body = {"email": EVE, "password": NEW}
            answer = await desk.client.patch(ME, json=body, headers=token)
        assert answer.is_error
        assert (await login(desk, EVE)).is_success
        assert told(desk) == [EMAIL]
        (moved,) = [one for one in desk.events if one.name == "email_changed"]
        assert (moved.email, moved.former_email) == (EVE, EMAIL)

    at_the_desk(tried, tmp_path / "a.db", layout="fastapi-users")


def test_a_moved_email_is_told_where_the_user_is_gone_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = CheckedUserStore.change

    async def change_and_go(self: CheckedUserStore, user: Any, values: Any) -> bool:
        changed = await change(self, user, values)
        await self.remove(user)
        return changed

    async def tried(desk: Desk) -> None:
        token = await entered(desk)
        monkeypatch.setattr(CheckedUserStore, "change", change_and_go)
        body = {"email": EVE}
        answer = await desk.client.patch(ME, json=body, headers=token)
        assert answer.is_error
        assert told(desk) == [EMAIL]

    at_the_desk(tried, tmp_path / "a.db", layout="fastapi-users")
