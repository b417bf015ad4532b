"""What was stored of a user ends their sessions, whatever fails after that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import Depends, FastAPI

from accounts_kit import CHEAP, EMAIL, PASSWORD, bearer, make_auth
from fastbearer.accounts import Accounts, Message
from fastbearer.accounts.codes import Codes
from fastbearer.accounts.refresh import RefreshTokens
from fastbearer.accounts.sessions import Sessions
from fastbearer.accounts.stores.database import DatabaseUserStore
from fastbearer.errors import StoreUnavailableError
from fastbearer.fastapi import Auth

NEW = "another horse battery"
MOVED = "ada@new.example"
FLOWS = ("delete", "email", "reset", "password", "disable", "set_password")
LOSSES = (StoreUnavailableError("lost"), asyncio.CancelledError())


class Desk:
    """Accounts in this event loop, and a route that asks them for no user."""

    def __init__(self, auth: Auth, accounts: Accounts, sent: list[Message]) -> None:
        self.auth, self.accounts, self.sent = auth, accounts, sent
        self.client: httpx2.AsyncClient
        self.user_id = self.token = ""

    async def post(self, path: str, **body: Any) -> httpx2.Response:
        headers = bearer(self.token) if self.token else {}
        return await self.client.post(f"/api/auth/{path}", json=body, headers=headers)

    async def sign_up(self) -> dict[str, Any]:
        """Sign up, stay signed in, and return what was answered."""
        answer = await self.post("signup", email=EMAIL, password=PASSWORD)
        data: dict[str, Any] = answer.json()["data"]
        self.user_id, self.token = data["user"]["id"], data["token"]
        return data

    async def own(self) -> int:
        headers = bearer(self.token)
        return (await self.client.get("/own", headers=headers)).status_code

    async def ask_for_code(self, flow: str) -> str:
        if flow == "email":
            body = {"new_email": MOVED, "password": PASSWORD}
            await self.post("change-email", **body)
        elif flow == "reset":
            await self.post("forgot-password", email=EMAIL)
        codes = [one.code for one in self.sent if one.code]
        return codes[-1] if codes else ""

    async def do(self, flow: str, code: str) -> None:
        """Change the user in one of the ways, and ask no answer of it."""
        users = self.accounts.users
        if flow == "delete":
            await self.post("delete-account", password=PASSWORD)
        elif flow == "email":
            await self.post("confirm-email", code=code)
        elif flow == "reset":
            await self.post("reset-password", code=code, password=NEW)
        elif flow == "password":
            body = {"current_password": PASSWORD, "new_password": NEW}
            await self.post("change-password", **body)
        elif flow == "disable":
            await users.disable(self.user_id)
        else:
            await users.set(self.user_id, password=NEW)


@asynccontextmanager
async def desk_of(folder: Path, **settings: Any) -> AsyncIterator[Desk]:
    sent: list[Message] = []
    given = {"revocation": "database", "refresh_tokens": True, **settings}
    auth = make_auth(folder / "a.db", **given)
    accounts = Accounts(auth, hasher=CHEAP, send=sent.append)
    app = FastAPI()
    app.include_router(accounts.router)

    @app.get("/own")
    async def own(user: Any = Depends(auth.verify_jwt_token)) -> Any:  # noqa: B008
        return user

    desk = Desk(auth, accounts, sent)
    transport = httpx2.ASGITransport(app=app)
    async with (
        accounts.lifespan(None),
        httpx2.AsyncClient(transport=transport, base_url="http://x") as desk.client,
    ):
        yield desk


def fail(error: BaseException) -> Any:
    async def failing(*_: object) -> None:
        raise error

    return failing


@pytest.mark.parametrize("loss", LOSSES, ids=["outage", "cancelled"])
@pytest.mark.parametrize("flow", FLOWS)
def test_a_change_that_loses_the_codes_has_ended_the_sessions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flow: str, loss: BaseException
) -> None:
    async def tried() -> None:
        async with desk_of(tmp_path) as desk:
            await desk.sign_up()
            code = await desk.ask_for_code(flow)
            with monkeypatch.context() as patch, suppress(type(loss)):
                patch.setattr(Codes, "_delete", fail(loss))
                await desk.do(flow, code)
            assert await desk.own() == 401

    asyncio.run(tried())


@pytest.mark.parametrize("loss", LOSSES, ids=["outage", "cancelled"])
@pytest.mark.parametrize("flow", FLOWS)
def test_refresh_tokens_that_cannot_be_deleted_keep_no_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flow: str, loss: BaseException
) -> None:
    """Their generation has ended: they are good no more, though they are there."""

    async def tried() -> None:
        async with desk_of(tmp_path) as desk:
            refresh = (await desk.sign_up())["refresh_token"]
            code = await desk.ask_for_code(flow)
            with monkeypatch.context() as patch, suppress(type(loss)):
                patch.setattr(RefreshTokens, "end_all", fail(loss))
                await desk.do(flow, code)
            assert await desk.own() == 401
            again = await desk.post("refresh", refresh_token=refresh)
            assert again.status_code == 401

    asyncio.run(tried())


def test_a_refresh_after_the_end_of_all_sessions_deletes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever ends them deletes the same rows: each might wait for the other."""

    async def tried() -> None:
        async with desk_of(tmp_path) as desk:
            refresh = (await desk.sign_up())["refresh_token"]
            revocations = desk.auth.revocations
            assert revocations is not None
            await revocations.end_sessions(desk.user_id)
            monkeypatch.setattr(RefreshTokens, "end", fail(AssertionError("deleted")))
            answer = await desk.post("refresh", refresh_token=refresh)
            assert answer.status_code == 401

    asyncio.run(tried())


@pytest.mark.parametrize("loss", LOSSES, ids=["outage", "cancelled"])
@pytest.mark.parametrize("flow", ["delete", "email", "disable"])
def test_sessions_that_could_not_end_do_so_before_the_next_one_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flow: str, loss: BaseException
) -> None:
    async def tried() -> None:
        async with desk_of(tmp_path) as desk:
            await desk.sign_up()
            code = await desk.ask_for_code(flow)
            with monkeypatch.context() as patch, suppress(type(loss)):
                revocations = type(desk.auth.revocations)
                patch.setattr(revocations, "end_sessions", fail(loss))
                await desk.do(flow, code)
            body = {"email": "eve@example.com", "password": PASSWORD}
            assert (await desk.post("signup", **body)).status_code == 201
            assert await desk.own() == 401

    asyncio.run(tried())


@pytest.mark.parametrize("loss", LOSSES, ids=["outage", "cancelled"])
@pytest.mark.parametrize("method", ["change", "remove"])
def test_a_change_that_may_have_been_stored_ends_the_sessions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, loss: BaseException
) -> None:
    """The answer to a commit may be lost after the commit was done."""
    stored = getattr(DatabaseUserStore, method)

    async def lost(self: DatabaseUserStore, *args: Any) -> None:
        await stored(self, *args)
        raise loss

    async def tried() -> None:
        async with desk_of(tmp_path) as desk:
            await desk.sign_up()
            with monkeypatch.context() as patch, suppress(type(loss)):
                patch.setattr(DatabaseUserStore, method, lost)
                await desk.do("delete" if method == "remove" else "disable", "")
            assert await desk.own() == 401

    asyncio.run(tried())


@pytest.mark.parametrize("loss", LOSSES, ids=["outage", "cancelled"])
def test_a_sign_out_that_loses_the_refresh_tokens_has_ended_the_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loss: BaseException
) -> None:
    """With the refresh token alone nobody could come again for the access token."""

    async def tried() -> None:
        async with desk_of(tmp_path) as desk:
            data = await desk.sign_up()
            for with_token in (False, True):
                desk.token = data["token"] if with_token else ""
                refresh = data["refresh_token"]
                with monkeypatch.context() as patch, suppress(type(loss)):
                    patch.setattr(RefreshTokens, "end", fail(loss))
                    await desk.post("signout", refresh_token=refresh)
                desk.token = data["token"]
                assert await desk.own() == 401
                body = {"email": EMAIL, "password": PASSWORD}
                data = (await desk.post("signin", **body)).json()["data"]

    asyncio.run(tried())


@pytest.mark.parametrize("loss", LOSSES, ids=["outage", "cancelled"])
@pytest.mark.parametrize("part", ["access", "refresh"])
def test_a_theft_ends_what_can_be_ended_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str, loss: BaseException
) -> None:
    """The thief goes on with the successor, and nobody may come again."""

    async def tried() -> None:
        async with desk_of(tmp_path, refresh_grace_seconds=0) as desk:
            first = (await desk.sign_up())["refresh_token"]
            data = (await desk.post("refresh", refresh_token=first)).json()["data"]
            desk.token = data["token"]
            revocations: type[Any] = type(desk.auth.revocations)
            lost: tuple[type[Any], str] = (revocations, "end_session")
            if part == "refresh":
                lost = (RefreshTokens, "end")
            with monkeypatch.context() as patch, suppress(type(loss)):
                patch.setattr(*lost, fail(loss))
                await desk.post("refresh", refresh_token=first)
            if part == "refresh":
                assert await desk.own() == 401
            else:
                again = await desk.post("refresh", refresh_token=data["refresh_token"])
                assert again.status_code == 401

    asyncio.run(tried())


def test_a_refused_change_leaves_the_sessions(tmp_path: Path) -> None:
    async def tried() -> None:
        async with desk_of(tmp_path) as desk:
            await desk.sign_up()
            code = await desk.ask_for_code("email")
            body = {"email": MOVED, "password": PASSWORD}
            kept, desk.token = desk.token, ""
            assert (await desk.post("signup", **body)).status_code == 201
            desk.token = kept
            answer = await desk.post("confirm-email", code=code)
            assert answer.status_code == 400
            assert await desk.own() == 200

    asyncio.run(tried())


# --- what has succeeded stays so


def test_a_sign_up_that_cannot_end_the_browsers_former_session_has_succeeded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []

    async def tried() -> None:
        cookies = {"auth_cookie": True, "cookie_secure": False}
        async with desk_of(tmp_path, **cookies) as desk:
            desk.accounts.on_event()(lambda event: told.append(event.name))
            desk.client.headers["Sec-Fetch-Site"] = "same-origin"
            for path, email in (
                ("signup", "eve@example.com"),
                ("signup", EMAIL),
                ("signin", EMAIL),
            ):
                body = {"email": email, "password": PASSWORD}
                answer = await desk.post(path, **body)
                assert answer.is_success, answer.text
                assert (await desk.client.get("/api/auth/me")).status_code == 200
                for method in ("end", "session_of"):
                    monkeypatch.setattr(Sessions, method, fail(LOSSES[0]))

    asyncio.run(tried())
    assert told == ["signed_up", "signed_up", "signed_in"]
    assert "former session not ended" in caplog.text


def test_an_outage_after_a_refresh_token_was_used_is_no_theft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its successor is answered, so that nobody comes again with the old one."""

    async def tried() -> None:
        async with desk_of(tmp_path) as desk:
            first = (await desk.sign_up())["refresh_token"]
            with monkeypatch.context() as patch:
                patch.setattr(RefreshTokens, "is_alive", fail(LOSSES[0]))
                answer = await desk.post("refresh", refresh_token=first)
            assert answer.status_code == 200
            data = answer.json()["data"]
            desk.token = data["token"]
            assert await desk.own() == 200
            again = await desk.post("refresh", refresh_token=data["refresh_token"])
            assert again.status_code == 200

    asyncio.run(tried())


@pytest.mark.parametrize("flow", ["email", "password"])
def test_a_change_without_a_session_after_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flow: str
) -> None:
    told: list[str] = []

    async def tried() -> None:
        async with desk_of(tmp_path) as desk:
            await desk.sign_up()
            code = await desk.ask_for_code(flow)
            desk.accounts.on_event()(lambda event: told.append(event.name))
            monkeypatch.setattr(Sessions, "start", fail(LOSSES[0]))
            await desk.do(flow, code)

    asyncio.run(tried())
    assert told[-1] == f"{flow}_changed"
