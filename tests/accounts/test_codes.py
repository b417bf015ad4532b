"""Codes belong to a user as they were: what changes the user ends them."""

from __future__ import annotations

import asyncio
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from account_desk import Desk, desk_of
from accounts_kit import CHEAP, EMAIL, PASSWORD, Store, make_auth, rows, url_of
from better_auth_tables import BetterAuthTables
from fastbearer.accounts import Accounts, BetterAuthUserStore, Message
from fastbearer.better_auth.passwords import BetterAuthHash
from servers import on_every_database
from wide_databases import client_of

NEW = "another battery staple"
THIRD = "a third battery staple"


async def change(desk: Desk) -> None:
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert await desk.post("change-password", **body) == 200


async def reset(desk: Desk) -> None:
    code = await desk.code()
    assert await desk.post("reset-password", code=code, password=NEW) == 200


async def delete(desk: Desk) -> None:
    assert await desk.post("delete-account", password=PASSWORD) == 200


async def delete_and_come_again(desk: Desk) -> None:
    await delete(desk)
    desk.token = ""
    assert await desk.post("signup", email=EMAIL, password=NEW) == 201


ENDINGS = [change, reset, delete, delete_and_come_again]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a4_codes_end(
    database: Store, ending: Callable[[Desk], Awaitable[None]]
) -> None:
    async def tried() -> None:
        async with desk_of(database) as desk:
            assert await desk.post("signup", email=EMAIL, password=PASSWORD) == 201
            code = await desk.code()
            verification = await desk.code("request-verification")
            await ending(desk)
            desk.token = ""
            assert await desk.post("reset-password", code=code, password=THIRD) == 400
            assert await desk.post("verify-email", code=verification) == 400
            assert await desk.post("signin", email=EMAIL, password=THIRD) == 401

    asyncio.run(tried())
    assert rows(database, "SELECT id FROM fastbearer_code") == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE fastbearer_user SET password_hash = 'x'",
        "UPDATE fastbearer_user SET email = 'eve@example.com'",
        "DELETE FROM fastbearer_user",
    ],
)
@on_every_database
def test_a4_codes_end_whoever_changes_the_user(database: Store, change: str) -> None:
    async def tried() -> None:
        async with desk_of(database) as desk:
            assert await desk.post("signup", email=EMAIL, password=PASSWORD) == 201
            code = await desk.code()
            verification = await desk.code("request-verification")
            await asyncio.to_thread(rows, database, change)
            assert await desk.post("reset-password", code=code, password=THIRD) == 400
            assert await desk.post("verify-email", code=verification) == 400

    asyncio.run(tried())


def test_a_code_has_256_bits_that_nobody_can_guess(database: Store) -> None:
    async def tried() -> list[str]:
        async with desk_of(database) as desk:
            assert await desk.post("signup", email=EMAIL, password=PASSWORD) == 201
            ways = ["forgot-password", "request-verification"] * 5
            return [await desk.code(way) for way in ways]

    codes = asyncio.run(tried())
    assert len(set(codes)) == len(codes)
    assert {len(urlsafe_b64decode(code + "=")) for code in codes} == {32}
    stored = str(rows(database, "SELECT * FROM fastbearer_code"))
    assert not [code for code in codes if code in stored]


@on_every_database
def test_a4_a_code_is_good_once_and_others_stay(database: Store) -> None:
    async def tried() -> None:
        async with desk_of(database) as desk:
            assert await desk.post("signup", email=EMAIL, password=PASSWORD) == 201
            first, second = await desk.code(), await desk.code()
            other = await desk.code("request-verification")
            assert await desk.post("verify-email", code=other) == 200
            assert await desk.post("verify-email", code=other) == 400
            # Neither a verification nor another request takes them away.
            answers = await asyncio.gather(
                *(
                    desk.post("reset-password", code=code, password=NEW)
                    for code in (first, second, first, second)
                )
            )
            assert sorted(answers) == [200, 400, 400, 400]

    asyncio.run(tried())


def test_a4_a_reset_that_cannot_end_sessions_changes_nothing(
    database: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fastbearer.accounts.sessions import Sessions
    from fastbearer.errors import StoreUnavailableError

    async def unavailable(self: Sessions, user_id: str) -> None:
        raise StoreUnavailableError("down")

    async def tried() -> None:
        async with desk_of(database) as desk:
            assert await desk.post("signup", email=EMAIL, password=PASSWORD) == 201
            code = await desk.code()
            with monkeypatch.context() as patch:
                patch.setattr(Sessions, "end_all", unavailable)
                answer = await desk.post("reset-password", code=code, password=NEW)
                assert answer == 503
            assert await desk.post("signin", email=EMAIL, password=PASSWORD) == 200
            assert await desk.post("reset-password", code=code, password=NEW) == 200

    asyncio.run(tried())


def test_a4_a_password_changed_at_the_better_auth_server(
    database: Store, tmp_path: Path
) -> None:
    tables = BetterAuthTables(database)
    tables.create()
    options = {"store": BetterAuthUserStore(url_of(database)), "hasher": None}

    async def tried() -> None:
        async with desk_of(tmp_path / "codes.db", **options) as desk:
            assert await desk.post("signup", email=EMAIL, password=PASSWORD) == 201
            code = await desk.code()
            newer = BetterAuthHash().hash(NEW)
            await asyncio.to_thread(tables.update, "account", password=newer)
            assert await desk.post("reset-password", code=code, password=THIRD) == 400
            code = await desk.code()
            assert await desk.post("reset-password", code=code, password=THIRD) == 200

    asyncio.run(tried())


def test_a_reset_knows_the_name_of_the_user(database: Store) -> None:
    """As sign-up and a change do."""

    async def tried() -> None:
        async with desk_of(database) as desk:
            body = {"email": EMAIL, "password": PASSWORD, "name": "Grace Hopper"}
            assert await desk.post("signup", **body) == 201
            code = await desk.code()
            named = "gracehopper1906"
            assert await desk.post("reset-password", code=code, password=named) == 400
            assert await desk.post("reset-password", code=code, password=NEW) == 200

    asyncio.run(tried())


def test_nothing_is_sent_to_what_is_no_address(database: Store) -> None:
    """A row that an older version, or somebody else, has made."""

    async def tried() -> None:
        async with desk_of(database) as desk:
            assert await desk.post("signup", email=EMAIL, password=PASSWORD) == 201
            odd = "x<victim@example.com>"
            await asyncio.to_thread(
                rows, database, "UPDATE fastbearer_user SET email = ?", odd
            )
            assert await desk.post("forgot-password", email=odd) == 202
            assert await desk.post("request-verification") == 202
            assert desk.outbox == []
            # Its user is not locked out.
            assert await desk.post("signin", email=odd, password=PASSWORD) == 200

    asyncio.run(tried())


def test_s17_signing_up_again_does_not_get_around_the_limit(database: Store) -> None:
    limits = {"throttle": True, "throttle_messages": "2/hour"}

    async def tried() -> list[Message]:
        async with desk_of(
            database, settings={"email_verification": True, **limits}
        ) as desk:
            for _ in range(4):
                desk.token = ""
                assert await desk.post("signup", email=EMAIL, password=PASSWORD) == 201
                await delete(desk)
            return desk.outbox

    assert len(asyncio.run(tried())) == 2


def test_a_code_is_not_in_the_log_of_a_sender_that_fails(
    database: Store, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[str] = []

    def fails(message: Message) -> None:
        seen.append(message.code)
        raise ConnectionError(f"no mail with {message.code}")

    async def tried() -> None:
        accounts = Accounts(make_auth(database), hasher=CHEAP, send=fails)
        async with client_of(accounts) as client:
            body = {"email": EMAIL, "password": PASSWORD}
            await client.post("signup", json=body)
            await client.post("forgot-password", json={"email": EMAIL})

    asyncio.run(tried())
    assert "not sent" in caplog.text and seen[0] not in caplog.text
