"""Sign-up that is closed, or by invitation; and what somebody may try with one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest
from fastapi import FastAPI

from accounts_kit import CHEAP, EMAIL, PASSWORD, CountingHash, Store, make_auth, rows
from better_auth_tables import BetterAuthTables
from fastbearer.accounts import (
    Accounts,
    BetterAuthUserStore,
    InvalidUserError,
    Message,
    User,
)
from fastbearer.accounts.routes.refusals import (
    CLOSED,
    EMAIL_TAKEN,
    WRONG_CODE,
    WRONG_INVITATION,
)
from fastbearer.accounts.stores.database import DatabaseUserStore
from fastbearer.accounts.stores.protocol import UnkeepableError
from fastbearer.errors import ConfigurationError, StoreUnavailableError
from servers import on_every_database
from wide_databases import client_of

NO = (403, {"detail": WRONG_INVITATION})
COUNT = "SELECT count(*) FROM fastbearer_user"
OPEN = "SELECT count(*) FROM fastbearer_invitation WHERE used_at IS NULL"


async def ask(database: Store, query: str) -> list[tuple[Any, ...]]:
    """Ask the database, in a loop of its own."""
    return await asyncio.to_thread(rows, database, query)


class Desk:
    """Accounts that run, with a client of theirs and the messages they send."""

    def __init__(
        self, accounts: Accounts, client: httpx2.AsyncClient, outbox: list[Message]
    ) -> None:
        self.accounts = accounts
        self.client = client
        self.outbox = outbox

    async def sign_up(self, code: str | None = None, **fields: Any) -> httpx2.Response:
        body = {"email": EMAIL, "password": PASSWORD, **fields}
        if code is not None:
            body["invitation"] = code
        return await self.client.post("signup", json=body)

    async def answer(self, code: str | None = None, **fields: Any) -> tuple[int, Any]:
        answer = await self.sign_up(code, **fields)
        return answer.status_code, answer.json()

    async def find(self, email: str = EMAIL) -> User:
        user = await self.accounts.users.find(email=email)
        assert user is not None
        return user


@asynccontextmanager
async def desk_of(
    database: Store, *, sign_up: str = "invitation", **options: Any
) -> AsyncIterator[Desk]:
    outbox: list[Message] = []
    settings = options.pop("settings", {})
    auth = make_auth(database, revocation="database", sign_up=sign_up, **settings)
    accounts = Accounts(auth, **{"hasher": CHEAP, "send": outbox.append, **options})
    async with client_of(accounts) as client:
        yield Desk(accounts, client, outbox)


def claims_of(answer: httpx2.Response) -> dict[str, Any]:
    assert answer.is_success, answer.text
    token = answer.json()["data"]["token"]
    return dict(jwt.decode(token, options={"verify_signature": False}))


# Closed


def test_where_sign_up_is_closed_nobody_signs_up(tmp_path: Path) -> None:
    """Whoever is registered, whatever the password: the answer is one."""

    async def walk() -> None:
        hasher = CountingHash()
        closed = desk_of(tmp_path / "a.db", sign_up="closed", hasher=hasher)
        async with closed as desk:
            await desk.accounts.create_user(email=EMAIL, password=PASSWORD)
            made = hasher.made
            for fields in ({}, {"email": "b@example.com"}, {"password": "short"}):
                assert await desk.answer(**fields) == (403, {"detail": CLOSED})
            assert (await desk.sign_up(email="nobody")).status_code == 400
            assert hasher.made == made, "nothing is done for it"
            with pytest.raises(ConfigurationError, match="SIGN_UP=closed"):
                await desk.accounts.invite()
            body = {"email": EMAIL, "password": PASSWORD}
            assert (await desk.client.post("signin", json=body)).is_success

    asyncio.run(walk())


def test_where_sign_up_is_open_an_invitation_may_still_give_roles(
    tmp_path: Path,
) -> None:
    async def walk() -> None:
        async with desk_of(tmp_path / "a.db", sign_up="open") as desk:
            code = await desk.accounts.invite(roles=["editor"])
            assert claims_of(await desk.sign_up(code))["roles"] == ["editor"]
            assert (await desk.sign_up(email="b@example.com")).is_success
            assert await desk.answer(code, email="c@example.com") == NO

    asyncio.run(walk())


@pytest.mark.parametrize("value", ["", "close", "Invitation", "1"])
def test_no_other_word_closes_sign_up_by_mistake(value: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="SIGN_UP must be open, closed or"):
        make_auth(tmp_path / "a.db", sign_up=value)


# By invitation


def test_who_is_invited_signs_up_with_the_roles_that_were_promised(
    database: Store,
) -> None:
    async def walk() -> None:
        async with desk_of(database) as desk:
            code = await desk.accounts.invite(roles=["editor", "author"], by="1")
            answer = await desk.sign_up(code)
            assert claims_of(answer)["roles"] == ["editor", "author"]
            user = await desk.find()
            assert user.roles == ["editor", "author"] and not user.email_verified
            body = {"email": EMAIL, "password": PASSWORD}
            again = await desk.client.post("signin", json=body)
            assert claims_of(again)["roles"] == ["editor", "author"]

    asyncio.run(walk())


def test_only_a_digest_of_the_code_is_stored(tmp_path: Path) -> None:
    async def walk() -> str:
        async with desk_of(tmp_path / "a.db") as desk:
            return await desk.accounts.invite(email=EMAIL)

    code = asyncio.run(walk())
    stored = rows(tmp_path / "a.db", "SELECT * FROM fastbearer_invitation")
    assert len(stored) == 1 and code not in str(stored)


def test_an_invitation_that_was_sent_verifies_the_email(tmp_path: Path) -> None:
    async def walk() -> None:
        async with desk_of(tmp_path / "a.db") as desk:
            await desk.accounts.invite(email=" Ada@Example.com", send=True)
            message = desk.outbox[-1]
            assert (message.to, message.purpose) == ("Ada@Example.com", "invitation")
            assert message.lifetime == timedelta(days=7)
            assert (await desk.sign_up(message.code)).is_success
            assert (await desk.find()).email_verified

    asyncio.run(walk())


def test_one_that_was_only_bound_to_the_email_does_not(tmp_path: Path) -> None:
    async def walk() -> None:
        async with desk_of(tmp_path / "a.db") as desk:
            code = await desk.accounts.invite(email=EMAIL)
            assert (await desk.sign_up(code, email="ADA@example.com")).is_success
            assert not (await desk.find()).email_verified

    asyncio.run(walk())


def test_where_only_verified_users_enter_an_invitation_that_was_sent_lets_in(
    tmp_path: Path,
) -> None:
    """Another one does not: a message goes to the e-mail first."""

    async def walk() -> None:
        settings = {"require_verified_email": True}
        async with desk_of(tmp_path / "a.db", settings=settings) as desk:
            await desk.accounts.invite(email=EMAIL, send=True)
            assert claims_of(await desk.sign_up(desk.outbox[-1].code))
            code = await desk.accounts.invite()
            taken = await desk.sign_up(code)
            assert taken.status_code == 202, "whose e-mail it is, is not told"
            assert await desk.answer(code, email="b@example.com") == NO
            code = await desk.accounts.invite()
            answer = await desk.sign_up(code, email="b@example.com")
            assert answer.status_code == 202
            assert "token" not in answer.text
            assert not (await desk.find("b@example.com")).email_verified
            assert await desk.answer(code, email="c@example.com") == NO

    asyncio.run(walk())


def test_where_the_message_cannot_be_sent_there_is_no_invitation(
    tmp_path: Path,
) -> None:
    def send(message: Message) -> None:
        raise OSError("no server")

    async def walk() -> None:
        async with desk_of(tmp_path / "a.db", send=send) as desk:
            with pytest.raises(OSError, match="no server"):
                await desk.accounts.invite(email=EMAIL, send=True)
            assert [one async for one in desk.accounts.invitations.all()] == []

    asyncio.run(walk())


def test_invitations_are_listed_and_forgotten_once_expired(tmp_path: Path) -> None:
    async def walk() -> None:
        async with desk_of(tmp_path / "a.db") as desk:
            invitations = desk.accounts.invitations
            for number in range(205):
                await desk.accounts.invite(email=f"u{number}@example.com", by="x")
            found = [one async for one in invitations.all()]
            assert len({one.id for one in found}) == 205
            assert {one.invited_by for one in found} == {"x"}
            await ask(
                tmp_path / "a.db",
                "UPDATE fastbearer_invitation SET expires_at = '2020-01-01 00:00:00'",
            )
            assert [one async for one in invitations.all()] == []
            await desk.accounts.invite()
            assert await ask(tmp_path / "a.db", OPEN) == [(1,)]

    asyncio.run(walk())


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"email": "nobody"}, InvalidUserError),
        ({"roles": ["a b"]}, InvalidUserError),
        ({"lifetime": timedelta()}, InvalidUserError),
        ({"send": True}, InvalidUserError),
        ({"by": "a\0"}, InvalidUserError),
        ({"by": "a" * 256}, InvalidUserError),
    ],
)
def test_nobody_is_invited_with_what_cannot_be(
    given: dict[str, Any], error: type[Exception], tmp_path: Path
) -> None:
    async def walk() -> None:
        async with desk_of(tmp_path / "a.db") as desk:
            with pytest.raises(error):
                await desk.accounts.invite(**given)
            assert await ask(tmp_path / "a.db", OPEN) == [(0,)]

    asyncio.run(walk())


# Attacks


def test_attack_sign_up_without_an_invitation(tmp_path: Path) -> None:
    async def walk() -> None:
        async with desk_of(tmp_path / "a.db") as desk:
            for code in (None, "", "x", "a" * 255, "' OR 1=1 --", "%"):
                assert await desk.answer(code) == NO
            for wrong in ("a" * 256, "a\0", 1, ["x"], True):
                assert (await desk.sign_up(wrong)).status_code == 400  # type: ignore[arg-type]
            assert await ask(tmp_path / "a.db", COUNT) == [(0,)]

    asyncio.run(walk())


def test_attack_an_invitation_comes_again(database: Store) -> None:
    async def walk() -> None:
        async with desk_of(database) as desk:
            code = await desk.accounts.invite()
            assert (await desk.sign_up(code)).is_success
            for email in (EMAIL, "b@example.com"):
                assert await desk.answer(code, email=email) == NO
            # Not even once the account is gone that was made with it.
            await ask(database, "DELETE FROM fastbearer_user")
            assert await desk.answer(code) == NO

    asyncio.run(walk())


@on_every_database
def test_attack_twenty_sign_up_with_one_invitation_at_a_time(database: Store) -> None:
    async def walk() -> None:
        async with desk_of(database) as desk:
            code = await desk.accounts.invite(roles=["admin"])
            tries = [desk.answer(code, email=f"u{n}@example.com") for n in range(20)]
            answers = await asyncio.gather(*tries)
            assert [status for status, _ in answers].count(201) == 1
            assert all(one == NO for one in answers if one[0] != 201)
            assert await ask(database, COUNT) == [(1,)]

    asyncio.run(walk())


@on_every_database
def test_attack_one_email_with_many_invitations_at_a_time(database: Store) -> None:
    """One account; the invitations of the others stay good."""

    async def walk() -> None:
        async with desk_of(database) as desk:
            codes = [await desk.accounts.invite() for _ in range(8)]
            answers = await asyncio.gather(*map(desk.answer, codes))
            assert [status for status, _ in answers].count(201) == 1
            assert await ask(database, COUNT) == [(1,)]
            assert await ask(database, OPEN) == [(7,)]

    asyncio.run(walk())


def test_attack_the_invitation_of_another(tmp_path: Path) -> None:
    """Neither a look-alike nor another mailbox; the same in another case is theirs."""

    async def walk() -> None:
        async with desk_of(tmp_path / "a.db") as desk:
            await desk.accounts.invite(email="ada@example.com", send=True)
            code = desk.outbox[-1].code
            for email in (
                "eve@example.com",
                "\u0430da@example.com",  # a Cyrillic a
                "ad\u0430@example.com",
                "ada@ex\u0430mple.com",
                "ada+x@example.com",
                "a.da@example.com",
                "ada@sub.example.com",
                "ada@example.com.evil.example",
                "\uff41da@example.com",  # full width
            ):
                status, said = await desk.answer(code, email=email)
                assert (status, said) == NO or status == 400, email
            assert await ask(tmp_path / "a.db", COUNT) == [(0,)]
            assert (await desk.sign_up(code, email=" ADA@Example.COM ")).is_success

    asyncio.run(walk())


def test_attack_roles_are_asked_for_in_the_body(tmp_path: Path) -> None:
    async def walk() -> None:
        async with desk_of(tmp_path / "a.db") as desk:
            code = await desk.accounts.invite(roles=["reader"])
            wishes = {
                "roles": ["admin"],
                "role": "admin",
                "is_active": True,
                "email_verified": True,
                "is_superuser": True,
                "id": "1",
            }
            answer = await desk.sign_up(code, **wishes)
            assert claims_of(answer)["roles"] == ["reader"]
            user = await desk.find()
            assert (user.roles, user.email_verified) == (["reader"], False)
            assert user.id != "1"

    asyncio.run(walk())


def test_attack_a_code_of_one_kind_is_used_as_the_other(tmp_path: Path) -> None:
    async def walk() -> None:
        async with desk_of(tmp_path / "a.db") as desk:
            await desk.accounts.create_user(email="bob@example.com", password=PASSWORD)
            await desk.client.post("forgot-password", json={"email": "bob@example.com"})
            reset = desk.outbox[-1].code
            assert await desk.answer(reset) == NO
            await desk.accounts.invite(email="bob@example.com", send=True)
            code = desk.outbox[-1].code
            for path, body in (
                ("reset-password", {"code": code, "password": "another battery"}),
                ("verify-email", {"code": code}),
            ):
                answer = await desk.client.post(path, json=body)
                assert (answer.status_code, answer.json()) == (
                    400,
                    {"detail": WRONG_CODE},
                )

    asyncio.run(walk())


def test_attack_who_invites_verifies_an_email_of_another(tmp_path: Path) -> None:
    """The code that does is for whoever reads the e-mail, and for nobody else."""

    async def walk() -> None:
        async with desk_of(tmp_path / "a.db") as desk:
            known = await desk.accounts.invite(email=EMAIL, send=True)
            assert known != desk.outbox[-1].code
            assert await desk.answer(known) == NO
            assert await desk.accounts.invitations.revoke(known)
            assert await desk.answer(desk.outbox[-1].code) == NO

    asyncio.run(walk())


def test_attack_an_invitation_that_was_revoked_while_claimed_comes_back(
    database: Store,
) -> None:
    async def walk() -> None:
        async with desk_of(database) as desk:
            code = await desk.accounts.invite()
            kept: Any = desk.accounts.invitations._invitations
            found = await kept.find(code)
            assert await kept.claim(found)
            assert not await desk.accounts.invitations.revoke(found.id)
            await kept.give_back(found)
            assert await desk.answer(code) == NO
            assert await ask(database, COUNT) == [(0,)]

    asyncio.run(walk())


def test_attack_the_id_of_the_list_is_no_code(tmp_path: Path) -> None:
    async def walk() -> None:
        async with desk_of(tmp_path / "a.db") as desk:
            await desk.accounts.invite()
            (found,) = [one async for one in desk.accounts.invitations.all()]
            assert await desk.answer(found.id) == NO

    asyncio.run(walk())


@on_every_database
def test_attack_an_invitation_that_was_revoked_or_has_expired(database: Store) -> None:
    async def walk() -> None:
        async with desk_of(database) as desk:
            code = await desk.accounts.invite()
            (found,) = [one async for one in desk.accounts.invitations.all()]
            assert await desk.accounts.invitations.revoke(found.id)
            assert not await desk.accounts.invitations.revoke(found.id)
            for nonsense in ("", "x", "a\0", "a\udcff", code):
                assert not await desk.accounts.invitations.revoke(nonsense)
            assert await desk.answer(code) == NO
            code = await desk.accounts.invite()
            await ask(
                database,
                "UPDATE fastbearer_invitation SET expires_at = '2020-01-01 00:00:00'",
            )
            assert await desk.answer(code) == NO
            assert await ask(database, COUNT) == [(0,)]

    asyncio.run(walk())


def test_attack_it_is_revoked_while_somebody_signs_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was found good before the password was hashed is judged again after it."""

    async def walk() -> None:
        async with desk_of(tmp_path / "a.db") as desk:
            code = await desk.accounts.invite()
            hash_new = desk.accounts._credentials.hash_new

            async def and_revoke(*given: Any) -> str:
                (found,) = [one async for one in desk.accounts.invitations.all()]
                assert await desk.accounts.invitations.revoke(found.id)
                return await hash_new(*given)

            monkeypatch.setattr(desk.accounts._credentials, "hash_new", and_revoke)
            assert await desk.answer(code) == NO
            assert await ask(tmp_path / "a.db", COUNT) == [(0,)]

    asyncio.run(walk())


def test_attack_who_has_no_invitation_learns_nothing_of_who_is_registered(
    tmp_path: Path,
) -> None:
    """The answer is the same, and so is the work: no password is hashed."""

    async def walk() -> None:
        hasher = CountingHash()
        async with desk_of(tmp_path / "a.db", hasher=hasher) as desk:
            await desk.accounts.create_user(email=EMAIL, password=PASSWORD)
            bound = await desk.accounts.invite(email="carl@example.com")
            made = hasher.made
            for code in (None, "guess", bound):
                for email in (EMAIL, "free@example.com"):
                    assert await desk.answer(code, email=email) == NO
            assert hasher.made == made
            good = await desk.accounts.invite()
            assert await desk.answer(good) == (400, {"detail": EMAIL_TAKEN})
            assert (await desk.sign_up(good, email="free@example.com")).is_success

    asyncio.run(walk())


def test_attack_guesses_are_counted_by_client(tmp_path: Path) -> None:
    """Under ever other e-mails; who is invited signs up from elsewhere meanwhile."""

    async def walk() -> None:
        settings = {
            "throttle": True,
            "throttle_failures": "5/hour",
            "trusted_proxies": "127.0.0.1",
        }
        async with desk_of(tmp_path / "a.db", settings=settings) as desk:
            code = await desk.accounts.invite()

            async def guess(number: int, address: str, code: str) -> int:
                body = {"email": f"u{number}@example.com", "password": PASSWORD}
                answer = await desk.client.post(
                    "signup",
                    json={**body, "invitation": code},
                    headers={"X-Forwarded-For": address},
                )
                return answer.status_code

            bad, good = "203.0.113.7", "203.0.113.8"
            assert [await guess(n, bad, "x") for n in range(7)] == [403] * 5 + [429] * 2
            assert await guess(8, bad, code) == 429
            assert await guess(9, good, code) == 201
            assert [
                await guess(n, good, await desk.accounts.invite())
                for n in range(10, 20)
            ] == [201] * 10

    asyncio.run(walk())


@pytest.mark.parametrize("sign_up", ["invitation", "open"])
def test_attack_strangers_keep_who_is_invited_from_signing_up(
    tmp_path: Path, sign_up: str
) -> None:
    """From ever other addresses: what they try is not counted by the name."""

    async def walk() -> None:
        settings = {
            "throttle": True,
            "throttle_failures": "2/hour",
            "throttle_account_failures": "4/hour",
            "trusted_proxies": "127.0.0.1",
        }
        options: dict[str, Any] = {"sign_up": sign_up, "settings": settings}
        async with desk_of(tmp_path / "a.db", **options) as desk:
            code = await desk.accounts.invite(email=EMAIL)
            body = {"email": EMAIL, "password": PASSWORD, "invitation": "guess"}
            for number in range(6):
                address = {"X-Forwarded-For": f"198.51.100.{number}"}
                answer = await desk.client.post("signup", json=body, headers=address)
                assert answer.status_code == 403
            assert (await desk.sign_up(code)).status_code == 201

    asyncio.run(walk())


def test_attack_a_password_that_is_refused_does_not_use_the_invitation_up(
    tmp_path: Path,
) -> None:
    async def walk() -> None:
        async with desk_of(tmp_path / "a.db") as desk:
            code = await desk.accounts.invite()
            assert (await desk.sign_up(code, password="short")).status_code == 400
            assert (await desk.sign_up(code, password="password1")).status_code == 400
            assert (await desk.sign_up(code)).is_success

    asyncio.run(walk())


class Killed(BaseException):
    """The process ends here."""


async def away(*_: object) -> Any:
    """Do what a store does that is lost."""
    raise StoreUnavailableError("away")


async def stays(*_: object) -> bool:
    """Do what a store does with a user who has another password by now."""
    return False


@pytest.mark.parametrize("error", [Killed, RuntimeError, StoreUnavailableError])
def test_attack_killed_between_the_claim_and_the_account(
    error: type[BaseException],
    database: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In our own table both are one transaction: the invitation is as good as before.

    The account was written already, and nobody gives the invitation back.
    """

    async def walk() -> None:
        async with desk_of(database) as desk:
            code = await desk.accounts.invite()
            add = DatabaseUserStore.add

            async def add_and_fail(self: DatabaseUserStore, user: User) -> None:
                await add(self, user)
                raise error("killed")

            with monkeypatch.context() as patch:
                patch.setattr(DatabaseUserStore, "add", add_and_fail)
                if error is Killed:
                    with pytest.raises(Killed):
                        await desk.sign_up(code)
                else:
                    assert (await desk.sign_up(code)).status_code in (500, 503)
            assert await ask(database, COUNT) == [(0,)]
            assert await ask(database, OPEN) == [(1,)]
            assert (await desk.sign_up(code)).is_success

    asyncio.run(walk())


def test_where_no_session_begins_the_invitation_is_given_back(
    database: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def walk() -> None:
        async with desk_of(database) as desk:
            code = await desk.accounts.invite()
            with monkeypatch.context() as patch:
                patch.setattr(desk.accounts._sessions, "issue", away)
                assert (await desk.sign_up(code)).status_code == 503
            assert await ask(database, COUNT) == [(0,)]
            assert (await desk.sign_up(code)).is_success

    asyncio.run(walk())


@pytest.mark.parametrize("remove", [away, stays])
def test_attack_one_invitation_gives_two_accounts(
    database: Store, monkeypatch: pytest.MonkeyPatch, remove: Any
) -> None:
    """No session begins, and the new user cannot be forgotten either."""

    async def walk() -> None:
        async with desk_of(database) as desk:
            code = await desk.accounts.invite(roles=["admin"])
            with monkeypatch.context() as patch:
                patch.setattr(desk.accounts._sessions, "issue", away)
                patch.setattr(DatabaseUserStore, "remove", remove)
                assert (await desk.sign_up(code)).status_code == 503
            assert await desk.answer(code, email="b@example.com") == NO
            body = {"email": EMAIL, "password": PASSWORD}
            answer = await desk.client.post("signin", json=body)
            assert claims_of(answer)["roles"] == ["admin"]

    asyncio.run(walk())


# Users who are kept elsewhere


@asynccontextmanager
async def elsewhere(tmp_path: Path) -> AsyncIterator[Desk]:
    tables = BetterAuthTables(tmp_path / "better.db")
    tables.create()
    store = BetterAuthUserStore(tables.url)
    options = {"store": store, "hasher": None}
    async with desk_of(tmp_path / "a.db", **options) as desk:
        yield desk


def test_users_elsewhere_are_invited_too(tmp_path: Path) -> None:
    async def walk() -> None:
        async with elsewhere(tmp_path) as desk:
            await desk.accounts.invite(email=EMAIL, send=True)
            code = desk.outbox[-1].code
            assert (await desk.sign_up(code)).is_success
            assert (await desk.find()).email_verified
            assert await desk.answer(code) == NO

    asyncio.run(walk())


def test_elsewhere_too_twenty_with_one_invitation_are_one(tmp_path: Path) -> None:
    async def walk() -> None:
        async with elsewhere(tmp_path) as desk:
            code = await desk.accounts.invite()
            tries = [desk.answer(code, email=f"u{n}@example.com") for n in range(20)]
            answers = await asyncio.gather(*tries)
            assert [status for status, _ in answers].count(201) == 1

    asyncio.run(walk())


def test_elsewhere_an_invitation_is_given_back_where_nobody_was_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def walk() -> None:
        async with elsewhere(tmp_path) as desk:
            await desk.accounts.create_user(email="bob@example.com", password=PASSWORD)
            code = await desk.accounts.invite()
            taken = (400, {"detail": EMAIL_TAKEN})
            assert await desk.answer(code, email="bob@example.com") == taken
            with monkeypatch.context() as patch:

                async def fail(*_: object) -> None:
                    raise RuntimeError("killed")

                patch.setattr(BetterAuthUserStore, "add", fail)
                assert (await desk.sign_up(code)).status_code == 500
            assert (await desk.sign_up(code)).is_success

    asyncio.run(walk())


@pytest.mark.parametrize("error", [Killed, RuntimeError, StoreUnavailableError])
@pytest.mark.parametrize("is_lost", [False, True])
def test_attack_elsewhere_one_invitation_gives_two_accounts(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: type[BaseException],
    is_lost: bool,
) -> None:
    """The user was kept, and the answer of the store is lost; or the store is, too."""

    async def walk() -> None:
        async with elsewhere(tmp_path) as desk:
            code = await desk.accounts.invite()
            add = BetterAuthUserStore.add

            async def add_and_fail(self: BetterAuthUserStore, user: User) -> None:
                await add(self, user)
                raise error("lost")

            with monkeypatch.context() as patch:
                patch.setattr(BetterAuthUserStore, "add", add_and_fail)
                if is_lost:
                    patch.setattr(BetterAuthUserStore, "find_by_email", away)
                if error is Killed:
                    with pytest.raises(Killed):
                        await desk.sign_up(code)
                else:
                    assert (await desk.sign_up(code)).status_code in (500, 503)
            assert await desk.answer(code, email="b@example.com") == NO
            await desk.find()

    asyncio.run(walk())


def test_attack_elsewhere_who_cannot_be_forgotten_has_used_the_invitation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were kept, but not as it was promised."""

    async def walk() -> None:
        async with elsewhere(tmp_path) as desk:
            await desk.accounts.invite(email=EMAIL, send=True)
            code = desk.outbox[-1].code
            with monkeypatch.context() as patch:
                patch.setattr(BetterAuthUserStore, "verify_email", away)
                patch.setattr(BetterAuthUserStore, "remove", away)
                assert (await desk.sign_up(code)).status_code == 503
            await desk.find()
            assert await desk.answer(code) == NO

    asyncio.run(walk())


def test_elsewhere_what_is_refused_leaves_the_invitation_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever else is wrong, and whoever has the e-mail."""

    async def refuse(*_: object) -> None:
        raise UnkeepableError("too long")

    async def walk() -> None:
        async with elsewhere(tmp_path) as desk:
            await desk.accounts.create_user(email=EMAIL, password=PASSWORD)
            code = await desk.accounts.invite()
            with monkeypatch.context() as patch:
                patch.setattr(BetterAuthUserStore, "add", refuse)
                assert (await desk.sign_up(code)).status_code == 400
            assert (await desk.sign_up(code, email="b@example.com")).is_success

    asyncio.run(walk())


def test_elsewhere_whoever_is_killed_in_between_has_lost_the_invitation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is lost, and not good for two: nothing undoes what a process began."""

    async def walk() -> None:
        async with elsewhere(tmp_path) as desk:
            code = await desk.accounts.invite()
            found = await desk.accounts._users.everybody.find("x")
            assert found is None
            invitations = desk.accounts.invitations._invitations
            with monkeypatch.context() as patch:

                async def nothing(*_: object) -> None:
                    return None

                async def killed(*_: object) -> None:
                    raise Killed

                patch.setattr(invitations, "give_back", nothing)
                patch.setattr(BetterAuthUserStore, "add", killed)
                with pytest.raises(Killed):
                    await desk.sign_up(code)
            assert await desk.answer(code) == NO

    asyncio.run(walk())


def test_without_a_database_for_them_there_are_no_invitations(tmp_path: Path) -> None:
    async def walk() -> None:
        tables = BetterAuthTables(tmp_path / "better.db")
        tables.create()
        store = BetterAuthUserStore(tables.url)
        auth = make_auth(tmp_path / "a.db", revocation="memory")
        accounts = Accounts(auth, store=store)
        async with client_of(accounts) as client:
            with pytest.raises(ConfigurationError, match="SIGN_UP=invitation"):
                await accounts.invite()
            body = {"email": EMAIL, "password": PASSWORD}
            answer = await client.post("signup", json={**body, "invitation": "x"})
            assert (answer.status_code, answer.json()) == NO
            assert (await client.post("signup", json=body)).is_success

    asyncio.run(walk())


@on_every_database
def test_ten_who_are_invited_sign_up_at_a_time(database: Store) -> None:
    async def walk() -> None:
        async with desk_of(database) as desk:
            codes = [await desk.accounts.invite() for _ in range(10)]
            tries = (
                desk.sign_up(code, email=f"u{number}@example.com")
                for number, code in enumerate(codes)
            )
            answers = await asyncio.gather(*tries)
            assert [one.status_code for one in answers] == [201] * 10

    asyncio.run(walk())


# The routes of fastapi-users


async def registered(accounts: Accounts, **body: Any) -> tuple[int, Any]:
    """Sign up as the frontends of fastapi-users do."""
    app = FastAPI()
    app.include_router(accounts.router)
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://test"
    ) as client:
        answer = await client.post(
            "/auth/register", json={"email": EMAIL, "password": PASSWORD, **body}
        )
        return answer.status_code, answer.json()


@pytest.mark.parametrize(
    ("sign_up", "text"), [("closed", CLOSED), ("invitation", WRONG_INVITATION)]
)
def test_attack_sign_up_by_the_other_door(
    sign_up: str, text: str, tmp_path: Path
) -> None:
    """What is closed is closed by whichever route one comes."""

    async def walk() -> None:
        auth = make_auth(tmp_path / "a.db", revocation="database", sign_up=sign_up)
        accounts = Accounts(auth, hasher=CHEAP, layout="fastapi-users")
        async with accounts.lifespan(None):
            status, said = await registered(accounts)
            assert (status, said["detail"]) == (403, text)
            if sign_up == "closed":
                return
            code = await accounts.invite(roles=["editor"])
            status, said = await registered(accounts, invitation=code)
            assert status == 201, said
            user = await accounts.users.find(email=EMAIL)
            assert user is not None and user.roles == ["editor"]
            status, said = await registered(accounts, email="b@x.org", invitation=code)
            assert (status, said["detail"]) == (403, text)

    asyncio.run(walk())
