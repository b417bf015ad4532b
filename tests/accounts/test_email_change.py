"""Another e-mail: a code to the new one, a notice to the old one; and attacks."""

from __future__ import annotations

import asyncio
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from account_desk import Desk, at_the_desk, desk_of
from accounts_kit import CHEAP, EMAIL, PASSWORD, Store, make_auth, rows
from fastbearer.accounts import Accounts, BetterAuthUserStore
from fastbearer.accounts.codes import Codes
from servers import on_every_database

NEW = "ada@new.example"
EVE = "eve@example.com"
OTHER = "another horse battery"
WRONG_CODE = (400, {"detail": "Code is wrong, was used or has expired"})
TAKEN = (400, {"detail": "Email already registered"})


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "a.db"


@on_every_database
def test_a_change_of_email(database: Store) -> None:
    async def changed(desk: Desk) -> None:
        old = await desk.sign_up()
        await desk.post("signin", email=EMAIL, password=PASSWORD)
        code = await desk.code_to(f" {NEW.upper()} ")
        assert [(one.to, one.purpose) for one in desk.outbox] == [
            (NEW, "change_email"),
            (EMAIL, "email_changing"),
        ]
        assert desk.outbox[1].code == ""
        assert (await desk.me())["email"] == EMAIL
        asking = desk.token
        assert await desk.post("confirm-email", code=code) == 200
        mine = await desk.me()
        assert (mine["email"], mine["email_verified"]) == (NEW, True)
        notice = desk.outbox[2]
        assert (notice.to, notice.purpose, notice.code) == (EMAIL, "email_changed", "")
        assert notice.user is not None and notice.user.email == NEW
        # The session goes on anew; that one, and all others, have ended.
        newer = desk.token
        for token in (old, asking):
            desk.token = token
            assert (await desk.ask("GET", "me")).status_code == 401
        desk.token = ""
        assert await desk.post("signin", email=EMAIL, password=PASSWORD) == 401
        assert await desk.post("signin", email=NEW, password=PASSWORD) == 200
        desk.token = newer
        assert await desk.post("confirm-email", code=code) == 400
        event = next(one for one in desk.events if one.name == "email_changed")
        assert (event.email, event.former_email) == (NEW, EMAIL)

    at_the_desk(changed, database)
    assert rows(database, "SELECT id FROM fastbearer_code") == []


def test_a_taken_address_is_not_told(store: Path) -> None:
    async def tried(desk: Desk) -> None:
        await desk.sign_up(EVE)
        await desk.sign_up()
        body = {"password": PASSWORD}
        free = await desk.ask("POST", "change-email", new_email=NEW, **body)
        taken = await desk.ask("POST", "change-email", new_email=EVE, **body)
        assert (free.status_code, free.content) == (taken.status_code, taken.content)
        assert free.headers == taken.headers
        # Whoever asks reads the mail of the old address alone: it is the same.
        mine = [one.purpose for one in desk.outbox if one.to == EMAIL]
        assert mine == ["email_changing", "email_changing"]
        theirs = [one for one in desk.outbox if one.to == EVE]
        assert [(one.purpose, one.code) for one in theirs] == [
            ("already_registered", "")
        ]
        assert theirs[0].user is not None and theirs[0].user.email == EVE
        assert "email_taken" in desk.names()

    at_the_desk(tried, store)
    owners = rows(store, "SELECT user_id, target FROM fastbearer_code ORDER BY target")
    assert owners[0] == ("", "") and owners[1][1] == NEW


def test_a_taken_address_takes_the_same_work(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is asked of database and hasher before the answer."""
    done: list[str] = []
    make = Codes.make

    async def made(self: Codes, *args: Any) -> str:
        done.append("code")
        return await make(self, *args)

    async def tried(desk: Desk) -> None:
        await desk.sign_up(EVE)
        await desk.sign_up()
        monkeypatch.setattr(Codes, "make", made)
        for new in (NEW, EVE):
            done.clear()
            body = {"new_email": new, "password": PASSWORD}
            assert await desk.post("change-email", **body) == 202
            assert done == ["code"]

    at_the_desk(tried, store)


@on_every_database
def test_an_address_that_is_taken_meanwhile(database: Store) -> None:
    async def tried(desk: Desk) -> None:
        await desk.sign_up()
        code = await desk.code_to(NEW)
        mine = desk.token
        await desk.sign_up(NEW)
        desk.token = mine
        assert await desk.told("confirm-email", code=code) == TAKEN
        # Nothing has changed, the session neither.
        assert (await desk.me())["email"] == EMAIL

    at_the_desk(tried, database)


@on_every_database
def test_two_confirm_the_same_address_and_one_wins(database: Store) -> None:
    async def tried(desk: Desk) -> None:
        tokens, codes = [], []
        for email in (EMAIL, EVE):
            tokens.append(await desk.sign_up(email))
            codes.append(await desk.code_to(NEW))

        async def confirm(number: int) -> int:
            headers = {"Authorization": f"Bearer {tokens[number]}"}
            answer = await desk.client.post(
                "confirm-email", json={"code": codes[number]}, headers=headers
            )
            return answer.status_code

        answers = await asyncio.gather(*map(confirm, (0, 1, 0, 1)))
        assert sorted(answers) == [200, 400, 400, 400] or sorted(answers) == [
            *(200, 400, 400),
            401,
        ]

    at_the_desk(tried, database)
    query = "SELECT id FROM fastbearer_user WHERE email = ?"
    assert len(rows(database, query, NEW)) == 1


@pytest.mark.parametrize(
    "spelling",
    [
        "EVE@Bücher.Example",
        " eve@xn--bcher-kva.example ",
        unicodedata.normalize("NFD", "eve@bücher.example"),
    ],
)
def test_a_look_alike_that_is_the_same_address(store: Path, spelling: str) -> None:
    async def tried(desk: Desk) -> None:
        await desk.sign_up("eve@bücher.example")
        await desk.sign_up()
        body = {"new_email": spelling, "password": PASSWORD}
        assert await desk.post("change-email", **body) == 202
        assert desk.sent("change_email") == []
        assert len(desk.sent("already_registered")) == 1

    at_the_desk(tried, store)


def test_a_look_alike_that_is_another_address(store: Path) -> None:
    """A Cyrillic letter: nobody's, and what it becomes is not Eve."""
    homograph = "\u0435ve@example.com"

    async def tried(desk: Desk) -> None:
        eve = await desk.sign_up(EVE)
        await desk.sign_up()
        code = await desk.code_to(homograph)
        assert desk.sent("change_email")[0].to == homograph
        assert await desk.post("confirm-email", code=code) == 200
        assert (await desk.me())["email"] == homograph
        desk.token = eve
        assert (await desk.me())["email"] == EVE

    at_the_desk(tried, store)


def test_a_stolen_token_is_not_enough(store: Path) -> None:
    async def tried(desk: Desk) -> None:
        await desk.sign_up()
        for body in ({}, {"password": OTHER}, {"password": ""}):
            assert await desk.post("change-email", new_email=EVE, **body) in (400, 403)
        assert desk.outbox == []
        token, desk.token = desk.token, ""
        body = {"new_email": EVE, "password": PASSWORD}
        assert await desk.post("change-email", **body) == 401
        # Nor is the code without the token, nor with somebody else's.
        desk.token = token
        code = await desk.code_to(NEW)
        desk.token = ""
        assert await desk.post("confirm-email", code=code) == 401
        await desk.sign_up(EVE)
        assert await desk.told("confirm-email", code=code) == WRONG_CODE
        desk.token = token
        assert await desk.post("confirm-email", code=code) == 200

    at_the_desk(tried, store)


def test_guessing_the_password_is_limited(store: Path) -> None:
    async def tried(desk: Desk) -> None:
        await desk.sign_up()
        body = {"new_email": NEW, "password": OTHER}
        answers = [await desk.post("change-email", **body) for _ in range(11)]
        assert answers == [403] * 10 + [429]

    at_the_desk(tried, store, settings={"throttle": True})


def test_guessing_codes_is_limited(store: Path) -> None:
    async def tried(desk: Desk) -> None:
        await desk.sign_up()
        answers = [await desk.post("confirm-email", code=f"c{n}") for n in range(12)]
        assert answers == [400] * 9 + [429] * 3

    limits = {"throttle": True, "throttle_requests": "10/minute"}
    at_the_desk(tried, store, settings=limits)


def test_a_code_for_another_purpose(store: Path) -> None:
    async def tried(desk: Desk) -> None:
        await desk.sign_up()
        change = await desk.code_to(NEW)
        verify = await desk.code("request-verification")
        reset = await desk.code()
        for code in (verify, reset):
            assert await desk.told("confirm-email", code=code) == WRONG_CODE
        assert await desk.told("verify-email", code=change) == WRONG_CODE
        body = {"code": change, "password": OTHER}
        assert await desk.told("reset-password", **body) == WRONG_CODE
        assert await desk.post("confirm-email", code=change) == 200

    at_the_desk(tried, store)


@pytest.mark.parametrize("end", ["change", "reset", "delete", "another change"])
def test_a_code_ends_with_what_it_was_made_for(database: Store, end: str) -> None:
    async def tried(desk: Desk) -> None:
        await desk.sign_up()
        code = await desk.code_to(NEW)
        if end == "change":
            body = {"current_password": PASSWORD, "new_password": OTHER}
            assert await desk.post("change-password", **body) == 200
        elif end == "reset":
            reset = await desk.code()
            assert await desk.post("reset-password", code=reset, password=OTHER) == 200
            assert await desk.post("signin", email=EMAIL, password=OTHER) == 200
        elif end == "delete":
            assert await desk.post("delete-account", password=PASSWORD) == 200
            await desk.sign_up()
        else:
            other = await desk.code_to("third@example.com")
            assert await desk.post("confirm-email", code=other) == 200
        assert await desk.told("confirm-email", code=code) == WRONG_CODE

    at_the_desk(tried, database)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE fastbearer_user SET password_hash = 'x'",
        "UPDATE fastbearer_user SET email = 'x@example.com'",
        "UPDATE fastbearer_code SET target = 'eve@example.com'",
        "UPDATE fastbearer_code SET target = ''",
        "UPDATE fastbearer_code SET expires_at = '2020-01-01 00:00:00'",
    ],
)
def test_a_code_ends_whoever_changes_a_row(database: Store, change: str) -> None:
    async def tried(desk: Desk) -> None:
        await desk.sign_up()
        code = await desk.code_to(NEW)
        await asyncio.to_thread(rows, database, change)
        assert await desk.told("confirm-email", code=code) == WRONG_CODE

    at_the_desk(tried, database)


def test_a_code_is_good_once(database: Store) -> None:
    async def tried(desk: Desk) -> None:
        await desk.sign_up()
        code = await desk.code_to(NEW)
        headers = {"Authorization": f"Bearer {desk.token}"}

        async def confirm() -> int:
            answer = await desk.client.post(
                "confirm-email", json={"code": code}, headers=headers
            )
            return answer.status_code

        answers = await asyncio.gather(*(confirm() for _ in range(8)))
        assert answers.count(200) == 1 and set(answers) <= {200, 400, 401}

    at_the_desk(tried, database)


@pytest.mark.parametrize(
    "address",
    [
        "a@b.example\r\nBcc: c@d.example",
        "a@b.example\nX: y",
        "a@b.example\0",
        "x<victim@example.com>",
        "a,victim@example.com",
        '"a b"@example.com',
        "victim@example.com, a@b.example",
        "a@[127.0.0.1]",
        "a" * 300 + "@example.com",
        "",
        "a",
    ],
)
def test_an_address_adds_no_header_nor_recipient(store: Path, address: str) -> None:
    async def tried(desk: Desk) -> None:
        await desk.sign_up()
        body = {"new_email": address, "password": PASSWORD}
        status, told = await desk.told("change-email", **body)
        assert status == 400 and told["detail"].startswith("New email must be a valid")
        assert desk.outbox == []

    at_the_desk(tried, store)


def test_nobody_is_flooded(store: Path) -> None:
    """For each new address, and for whoever asks: their old one gets notices."""

    async def tried(desk: Desk) -> None:
        await desk.sign_up(EVE)
        token = await desk.sign_up()
        for number in range(4):
            body = {"new_email": f"v{number}@example.com", "password": PASSWORD}
            assert await desk.post("change-email", **body) == (
                202 if number < 3 else 429
            )
        # Another user, the same victim.
        await desk.sign_up("mallory@example.com")
        body = {"new_email": "v0@example.com", "password": PASSWORD}
        assert [await desk.post("change-email", **body) for _ in range(3)] == [
            *(202, 202),
            429,
        ]
        assert len([one for one in desk.outbox if one.to == EMAIL]) == 3
        assert len([one for one in desk.outbox if one.to == "v0@example.com"]) == 3
        desk.token = token
        assert (await desk.me())["email"] == EMAIL

    limits = {"throttle": True, "throttle_messages": "3/hour"}
    at_the_desk(tried, store, settings=limits)


def test_one_who_is_not_active_keeps_the_address(store: Path) -> None:
    async def tried(desk: Desk) -> None:
        await desk.sign_up(EVE)
        await asyncio.to_thread(rows, store, "UPDATE fastbearer_user SET is_active = 0")
        await desk.sign_up()
        body = {"new_email": EVE, "password": PASSWORD}
        assert await desk.post("change-email", **body) == 202
        assert [one.purpose for one in desk.outbox] == ["email_changing"]

    at_the_desk(tried, store)


def test_the_same_address_once_more(store: Path) -> None:
    async def tried(desk: Desk) -> None:
        await desk.sign_up()
        code = await desk.code_to(EMAIL)
        assert await desk.post("confirm-email", code=code) == 200
        assert (await desk.me())["email_verified"] is True

    at_the_desk(tried, store)


def test_sessions_that_cannot_end_are_ended_later(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fastbearer.accounts.sessions import Sessions
    from fastbearer.errors import StoreUnavailableError

    async def unavailable(self: Sessions, user_id: str) -> None:
        raise StoreUnavailableError("down")

    async def tried(desk: Desk) -> None:
        await desk.sign_up()
        code = await desk.code_to(NEW)
        with monkeypatch.context() as patch:
            patch.setattr(Sessions, "end_all", unavailable)
            assert await desk.post("confirm-email", code=code) == 503
        old = desk.token
        desk.token = ""
        assert await desk.post("signin", email=NEW, password=PASSWORD) == 200
        desk.token = old
        assert (await desk.ask("GET", "me")).status_code == 401

    at_the_desk(tried, store)


def test_a_store_that_cannot_change_has_no_such_routes(tmp_path: Path) -> None:
    class Few(BetterAuthUserStore):
        change = None  # type: ignore[assignment]

    store = Few(f"sqlite+aiosqlite:///{tmp_path}/b.db")
    accounts = Accounts(
        make_auth(tmp_path / "a.db"), store=store, hasher=CHEAP, send=print
    )
    routes: Any = accounts.router.routes
    found = {
        (path, method) for r in routes for path in [r.path] for method in r.methods
    }
    assert ("/api/auth/forgot-password", "POST") in found
    assert ("/api/auth/me", "GET") in found
    assert ("/api/auth/me", "PATCH") not in found
    assert ("/api/auth/change-email", "POST") not in found


def test_events_come_in_order(store: Path) -> None:
    async def tried(desk: Desk) -> None:
        await desk.sign_up()
        code = await desk.code_to(NEW)
        await desk.post("confirm-email", code=code)
        assert desk.names() == ["signed_up", "email_change_requested", "email_changed"]

    at_the_desk(tried, store)


def test_refresh_tokens_end_as_well(store: Path) -> None:
    async def tried() -> None:
        settings = {"refresh_tokens": True}
        async with desk_of(store, settings=settings) as desk:
            body = {"email": EMAIL, "password": PASSWORD}
            answer = await desk.ask("POST", "signup", **body)
            refresh = answer.json()["data"]["refresh_token"]
            code = await desk.code_to(NEW)
            done = await desk.ask("POST", "confirm-email", code=code)
            newer = done.json()["data"]["refresh_token"]
            assert await desk.post("refresh", refresh_token=refresh) == 401
            assert await desk.post("refresh", refresh_token=newer) == 200

    asyncio.run(tried())


def test_the_language_of_who_asks(store: Path) -> None:
    async def tried() -> None:
        async with desk_of(store) as desk:
            await desk.sign_up()
            headers = {"Accept-Language": "fr;q=0.5, de-CH, *;q=0.1, x\u00e9;q=1"}
            wanted = {"new_email": NEW, "password": PASSWORD}
            sent = {**headers, "Authorization": f"Bearer {desk.token}"}
            bare = {name: value.encode("latin-1") for name, value in sent.items()}
            await desk.client.post("change-email", json=wanted, headers=bare)
            assert {one.languages for one in desk.outbox} == {("de-CH", "fr")}
            assert {one.address for one in desk.outbox} == {"127.0.0.1"}

    asyncio.run(tried())
