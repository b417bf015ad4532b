"""Who an e-mail or an id names, on databases that hold more to be equal than we do."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, String
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from accounts_kit import (
    CHEAP,
    EMAIL,
    PASSWORD,
    Store,
    make_auth,
    rows,
    store_of,
    url_of,
)
from better_auth_tables import BetterAuthTables
from fastbearer.accounts import (
    Accounts,
    BetterAuthUserStore,
    Message,
    SQLModelUserStore,
    User,
    emails,
)
from fastbearer.accounts.emails import is_same_email, normalize_email, spellings
from fastbearer.accounts.stores.checked import CheckedUserStore
from fastbearer.accounts.stores.ids import key_of
from fastbearer.errors import ConfigurationError
from servers import EACH
from wide_databases import Wide, client_of, wide_database

HASHED = CHEAP.hash(PASSWORD)
OTHER_SPELLINGS = [
    ("mike@example.org", "mik\u00e9@example.org"),
    ("mike@example.org", "m\u0131ke@example.org"),
    ("mik\u00e9@example.org", "mike@example.org"),
    ("\u0130an@example.org", "ian@example.org"),  # lower("\u0130") may be "i"
    ("resume@example.org", "r\u00e9sum\u00e9@example.org"),
]


class Own(SQLModel, registry=registry()):
    """Base of the models here, apart from those of other tests."""


def model_of(collation: str, **columns: Any) -> Any:
    """Return a model whose e-mails are compared by a collation."""
    name = f"owner_{uuid4().hex[:8]}"
    fields: dict[str, Any] = {
        "__module__": __name__,
        "__tablename__": name,
        "__annotations__": {"id": str, "email": str, "password_hash": str},
        "id": Field(default_factory=lambda: uuid4().hex, primary_key=True),
        "email": Field(sa_column=Column(String(254, collation=collation))),
        "password_hash": Field(max_length=255),
    }
    for column, (kind, default) in columns.items():
        fields["__annotations__"][column] = kind
        fields[column] = Field(default=default)
    return type(Own)(name.title(), (Own,), fields, table=True)


@pytest.fixture(params=EACH)
def wide(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Wide]:
    with wide_database(request.param, tmp_path) as database:
        yield database


class People:
    """A model of the project's own, with accounts on it."""

    def __init__(self, wide: Wide, folder: Path, **columns: Any) -> None:
        self.model = model_of(wide.collation, **columns)
        self._defaults = {name: default for name, (_, default) in columns.items()}
        self.table = self.model.__tablename__
        self.wide = wide
        wide.make(self.model.__table__)
        self.outbox: list[Message] = []
        self.store = SQLModelUserStore(self.model, wide.get_session)
        self.accounts = Accounts(
            make_auth(folder / "codes.db"),
            store=self.store,
            hasher=CHEAP,
            send=self.outbox.append,
        )

    def add(self, email: str, **values: Any) -> str:
        """Add a row as the project itself would; return its id."""
        row = {"id": uuid4().hex, "email": email, "password_hash": HASHED}
        row |= {**self._defaults, **values}
        names = ", ".join(row)
        marks = ", ".join(f":{name}" for name in row)
        self.wide.run(f"INSERT INTO {self.table} ({names}) VALUES ({marks})", **row)
        return str(row["id"])

    def post(self, *requests: tuple[str, dict[str, Any]]) -> list[int]:
        """Send requests one after the other; return their statuses."""

        async def sent() -> list[int]:
            async with client_of(self.accounts) as client:
                answers = [
                    await client.post(path, json=body) for path, body in requests
                ]
                return [answer.status_code for answer in answers]

        return asyncio.run(sent())


def sign_in(email: str) -> tuple[str, dict[str, Any]]:
    return "signin", {"email": email, "password": PASSWORD}


def sign_up(email: str) -> tuple[str, dict[str, Any]]:
    return "signup", {"email": email, "password": PASSWORD}


def forgot(email: str) -> tuple[str, dict[str, Any]]:
    return "forgot-password", {"email": email}


# --- A1: who is asked for


def test_the_database_joins_what_it_is_asked_to(wide: Wide, tmp_path: Path) -> None:
    """Else the tests below would prove nothing."""
    people = People(wide, tmp_path)
    people.add("mike@example.org")
    query = f"SELECT email FROM {people.table} WHERE email = :email"
    assert wide.run(query, email="mik\u00e9@example.org") == [("mike@example.org",)]


@pytest.mark.parametrize(("recorded", "typed"), OTHER_SPELLINGS)
def test_a1_another_spelling_is_nobody(
    wide: Wide, tmp_path: Path, recorded: str, typed: str
) -> None:
    people = People(wide, tmp_path)
    people.add(recorded)
    assert people.post(forgot(typed), sign_in(typed)) == [202, 401]
    assert people.outbox == []


def test_a1_a_message_goes_to_the_address_on_record(wide: Wide, tmp_path: Path) -> None:
    people = People(wide, tmp_path)
    people.add("Mike@Example.org")
    assert people.post(forgot("MIKE@example.ORG"), sign_in("mike@example.org")) == [
        202,
        200,
    ]
    assert [message.to for message in people.outbox] == ["Mike@Example.org"]


LETTERS = {
    "a": "a\u00e1\u0101\uff41\u0430A\u00c5",
    "e": "e\u00e9\u0113E\u00ca",
    "i": "i\u0131I\u0130\u00ed",
    "k": "kK\u212a",
    "o": "o\u00f6O",
    "s": "s\u017fS\u00df",
}
spelling = st.tuples(
    *(st.sampled_from(LETTERS.get(letter, letter)) for letter in "miskoae")
).map(lambda letters: "".join(letters) + "@example.org")


def test_a1_no_message_leaves_to_another_address(wide: Wide, tmp_path: Path) -> None:
    people = People(wide, tmp_path)
    sent = set()
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        client = runner.run(stack.enter_async_context(client_of(people.accounts)))

        @settings(
            max_examples=40,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.explicit, Phase.generate],
        )
        @given(spelling, spelling)
        @example("mikae@example.org", "Mikae@example.org")
        def asked(recorded: str, typed: str) -> None:
            people.outbox.clear()
            wide.run(f"DELETE FROM {people.table}")
            people.add(recorded)
            answer = runner.run(client.post("forgot-password", json={"email": typed}))
            assert answer.status_code == 202
            assert {message.to for message in people.outbox} <= {recorded}
            is_same = normalize_email(recorded) == normalize_email(typed)
            assert is_same or not people.outbox
            sent.update(message.to for message in people.outbox)

        try:
            asked()
        finally:
            runner.run(stack.aclose())
    assert sent  # else it would prove nothing


@pytest.mark.postgres
def test_a1_our_own_table(tmp_path: Path) -> None:
    outbox: list[Message] = []
    with store_of("postgresql", tmp_path) as database:
        widen(database, "fastbearer_user", "email")
        accounts = Accounts(make_auth(database), hasher=CHEAP, send=outbox.append)

        async def tried() -> list[int]:
            async with client_of(accounts) as client:
                requests = [
                    sign_up("mike@example.org"),
                    sign_in("mik\u00e9@example.org"),
                    forgot("mik\u00e9@example.org"),
                    sign_up("mik\u00e9@example.org"),
                    sign_in("mike@example.org"),
                ]
                sent = [await client.post(path, json=body) for path, body in requests]
                return [one.status_code for one in sent]

        assert asyncio.run(tried()) == [201, 401, 202, 400, 200]
        assert outbox == []


@pytest.mark.postgres
def test_a1_better_auths_tables(tmp_path: Path) -> None:
    outbox: list[Message] = []
    with store_of("postgresql", tmp_path) as database:
        tables = BetterAuthTables(database)
        tables.create()
        widen(database, "user", "email")
        store = BetterAuthUserStore(url_of(database))
        auth = make_auth(tmp_path / "codes.db")
        accounts = Accounts(auth, store=store, send=outbox.append)

        async def tried() -> list[int]:
            async with client_of(accounts) as client:
                requests = [
                    sign_up("mike@example.org"),
                    # The store keeps no other letters; a row may still have them.
                    sign_in("mik\u00e9@example.org"),
                    forgot("mik\u00e9@example.org"),
                    sign_in("mike@example.org"),
                ]
                sent = [await client.post(path, json=body) for path, body in requests]
                return [one.status_code for one in sent]

        assert asyncio.run(tried()) == [201, 401, 202, 200]
        tables.update("user", email="mik\u00e9@example.org")

        async def asked() -> list[int]:
            async with client_of(accounts) as client:
                requests = [sign_in("mike@example.org"), forgot("mike@example.org")]
                requests += [sign_up("mike@example.org")]
                sent = [await client.post(path, json=body) for path, body in requests]
                return [one.status_code for one in sent]

        assert asyncio.run(asked()) == [401, 202, 400]
        assert outbox == []


def test_s2_a_better_auth_table_that_gives_ids_twice(tmp_path: Path) -> None:
    tables = BetterAuthTables(tmp_path / "server.db", ids="integer")
    tables.create()
    store = BetterAuthUserStore(tables.url)
    asyncio.run(opened(store))
    declared = "SELECT sql FROM sqlite_master WHERE name = 'user'"
    sql = tables.run(declared)[0]["sql"].replace("autoincrement", "")
    tables.run('DROP TABLE "user"')
    tables.run(sql)
    with pytest.raises(ConfigurationError, match="'user' needs an AUTOINCREMENT key"):
        asyncio.run(opened(BetterAuthUserStore(tables.url)))


async def opened(store: BetterAuthUserStore) -> None:
    async with store.lifespan(None):
        pass


def widen(database: Store, table: str, column: str) -> None:
    rows(
        database,
        "CREATE COLLATION wide"
        " (provider = icu, locale = 'und-u-ks-level1', deterministic = false)",
    )
    kind = "varchar(254) COLLATE wide"
    rows(database, f'ALTER TABLE "{table}" ALTER COLUMN "{column}" TYPE {kind}')


class WrongStore:
    """A store of the project's own that returns whom nobody asked for."""

    def __init__(self) -> None:
        self.user = User(id="7", email="ada@example.com", password_hash=HASHED)

    async def find_by_email(self, email: str) -> User | None:
        return self.user

    async def find(self, user_id: str) -> User | None:
        return self.user

    async def replace_password_hash(self, user: User, password_hash: str) -> bool:
        return True


def test_a1_a_store_that_returns_a_wrong_row(tmp_path: Path) -> None:
    outbox: list[Message] = []
    auth = make_auth(tmp_path / "codes.db")
    store: Any = WrongStore()
    accounts = Accounts(auth, store=store, hasher=CHEAP, send=outbox.append)

    async def tried() -> list[int]:
        async with client_of(accounts) as client:
            posts = [sign_in("eve@example.com"), forgot("eve@example.com")]
            sent = [await client.post(path, json=body) for path, body in posts]
            for user_id in ("07", "+7", "8", "7"):
                token = auth.generate_jwt_token(user_id, "")
                headers = {"Authorization": f"Bearer {token}"}
                sent.append(await client.get("me", headers=headers))
            return [one.status_code for one in sent]

    assert asyncio.run(tried()) == [401, 202, 401, 401, 401, 200]
    assert outbox == []


def test_a1_the_e_mail_of_a_stored_user_is_in_our_form() -> None:
    store: Any = WrongStore()
    store.user.email = "Ada@B\u00fccher.example"
    checked = CheckedUserStore(store)
    found = asyncio.run(checked.find_by_email("ada@xn--bcher-kva.example"))
    assert found is not None
    assert found.email == "ada@xn--bcher-kva.example"
    assert found.address == "Ada@B\u00fccher.example"


# --- A6: what is an address


@pytest.mark.parametrize(
    "email",
    [
        "x<victim@example.com>",
        "a,victim@example.com",
        "tom@example..com",
        ".tom@example.com",
        "tom.@example.com",
        "to..m@example.com",
        "tom@.example.com",
        "tom@example.com.",
        '"tom"@example.com',
        '"a b"@example.com',
        "Tom <tom@example.com>",
        "tom@[192.0.2.1]",
        "tom@192.0.2.1",
        "tom(x)@example.com",
        "tom;x@example.com",
        "tom@-example.com",
        "tom@exa_mple.com",
        "tom@xn--\u00fc.example",
        "tom@ab--cd.example",
        "tom@" + "a" * 64 + ".com",
        "a" * 65 + "@example.com",
        "\u00e9" * 33 + "@example.com",
        "a@" + ".".join(["b" * 60] * 5),
        "tom\u202e@example.com",
        "tom\u200b@example.com",
        "tom@exam\u00adple\u0000.com",
        "tom",
        "@",
        "",
    ],
)
def test_a6_what_is_no_address(email: str) -> None:
    with pytest.raises(ValueError, match=r"^not an e-mail address$"):
        normalize_email(email)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" Ada@Example.COM\n", "ada@example.com"),
        ("ada@b\u00fccher.example", "ada@xn--bcher-kva.example"),
        ("ADA@B\u00dcCHER.EXAMPLE", "ada@xn--bcher-kva.example"),
        ("ada@bu\u0308cher.example", "ada@xn--bcher-kva.example"),
        ("ada@XN--BCHER-KVA.example", "ada@xn--bcher-kva.example"),
        ("ada@b\u00fccher\u3002example", "ada@xn--bcher-kva.example"),
        ("a" * 64 + "@example.com", "a" * 64 + "@example.com"),
        ("o'hara+x@example.com", "o'hara+x@example.com"),
        ("\u00c9va@example.com", "\u00e9va@example.com"),
        ("ada@localhost", "ada@localhost"),
        ("ada@corp.local", "ada@corp.local"),
        ("ada@intranet", "ada@intranet"),
    ],
)
def test_a6_addresses_in_one_form(typed: str, kept: str) -> None:
    assert normalize_email(typed) == kept
    assert normalize_email(kept) == kept
    assert is_same_email(typed, kept)
    assert kept in spellings(kept)


@settings(max_examples=300, deadline=None)
@given(st.emails() | st.text(max_size=20).map(lambda local: f"{local}@example.com"))
def test_a6_the_form_is_a_fixed_point(typed: str) -> None:
    try:
        kept = normalize_email(typed)
    except ValueError:
        return
    assert normalize_email(kept) == kept
    assert is_same_email(typed, kept) and is_same_email(kept, kept)
    assert all(is_same_email(one, kept) for one in spellings(kept))


def test_a6_one_account_for_both_forms_of_a_domain(
    database: Store, tmp_path: Path
) -> None:
    outbox: list[Message] = []
    accounts = Accounts(make_auth(database), hasher=CHEAP, send=outbox.append)
    unicode, ascii_form = "ada@b\u00fccher.example", "ada@xn--bcher-kva.example"

    async def tried() -> list[int]:
        async with client_of(accounts) as client:
            requests = [
                sign_up(unicode),
                sign_up(ascii_form),
                sign_in(ascii_form),
                sign_in(unicode),
                forgot(unicode),
                sign_up("x<victim@example.com>"),
            ]
            sent = [await client.post(path, json=body) for path, body in requests]
            return [one.status_code for one in sent]

    assert asyncio.run(tried()) == [201, 400, 200, 200, 202, 400]
    assert [message.to for message in outbox] == [ascii_form]


def test_a6_a_row_of_an_older_version(database: Store) -> None:
    """It has the domain in Unicode: its user still signs in, and is found taken."""
    accounts = Accounts(make_auth(database), hasher=CHEAP)
    older = "ada@b\u00fccher.example"

    async def tried() -> list[int]:
        async with client_of(accounts) as client:
            await client.post("signup", json=sign_up(EMAIL)[1])
            # asyncpg's own event loop
            await asyncio.to_thread(
                rows, database, "UPDATE fastbearer_user SET email = ?", older
            )
            requests = [sign_in(older), sign_in("ada@xn--bcher-kva.example")]
            requests += [sign_up(older)]
            sent = [await client.post(path, json=body) for path, body in requests]
            return [one.status_code for one in sent]

    assert asyncio.run(tried()) == [200, 200, 400]


def test_s1_nothing_long_is_normalized(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def spy(form: Any, written: str) -> str:
        seen.append(len(written))
        return unicodedata.normalize(form, written)

    monkeypatch.setattr(emails, "unicodedata", SimpleNamespace(normalize=spy))
    accounts = Accounts(make_auth(tmp_path / "users.db"), hasher=CHEAP)
    hostile = "a" + "\u0300\u0316" * 2_000 + "@example.com"

    async def tried() -> list[int]:
        async with client_of(accounts) as client:
            requests = [sign_up(hostile), sign_in(hostile), forgot(hostile)]
            sent = [await client.post(path, json=body) for path, body in requests]
            return [one.status_code for one in sent]

    assert asyncio.run(tried()) == [400, 400, 400]
    normalize_email(EMAIL)
    assert not is_same_email(hostile, EMAIL)
    assert max(seen) <= 254


# --- A8: rows that are there, and are not to be let in

ACTIVE = {"is_active": (bool, True)}


def test_a8_a_deactivated_user_is_registered_already(
    wide: Wide, tmp_path: Path
) -> None:
    people = People(wide, tmp_path, **ACTIVE)
    people.add("bob@example.org", is_active=False)
    statuses = people.post(
        sign_up("bob@example.org"),
        sign_in("bob@example.org"),
        forgot("bob@example.org"),
    )
    assert statuses == [400, 401, 202] and people.outbox == []


def test_a8_of_several_rows_the_active_one(wide: Wide, tmp_path: Path) -> None:
    people = People(wide, tmp_path, **ACTIVE)
    people.add("bob@example.org", is_active=False)
    people.add("BOB@example.org")
    people.add("b\u00f6b@example.org")
    assert people.post(sign_in("bob@example.org")) == [200]
    people.add("Bob@example.org")  # a second one: whose password it is nobody can tell
    assert people.post(sign_in("bob@example.org")) == [401]


def test_a8_rows_that_were_deleted(wide: Wide, tmp_path: Path) -> None:
    people = People(wide, tmp_path, deleted_at=(str | None, None))
    people.add("bob@example.org", deleted_at="2026")
    assert people.post(sign_in("bob@example.org")) == [401]
    assert people.post(sign_up("bob@example.org"), sign_in("bob@example.org")) == [
        201,
        200,
    ]


def test_a8_a_deleted_row_under_a_unique_index(wide: Wide, tmp_path: Path) -> None:
    people = People(wide, tmp_path, deleted_at=(str | None, None))
    wide.run(f"CREATE UNIQUE INDEX one_{people.table} ON {people.table} (email)")
    people.add("bob@example.org", deleted_at="2026")
    assert people.post(sign_up("bob@example.org")) == [400]


@pytest.mark.parametrize("wide", EACH[:2], indirect=True)
def test_a8_a_partial_unique_index(wide: Wide, tmp_path: Path) -> None:
    people = People(wide, tmp_path, deleted_at=(str | None, None))
    wide.run(
        f"CREATE UNIQUE INDEX one_{people.table} ON {people.table} (email)"
        " WHERE deleted_at IS NULL"
    )
    people.add("bob@example.org", deleted_at="2026")
    people.add("bob@example.org")
    assert people.post(sign_in("bob@example.org"), sign_up("bob@example.org")) == [
        200,
        400,
    ]


def test_a8_columns_of_other_names(wide: Wide, tmp_path: Path) -> None:
    people = People(wide, tmp_path, enabled=(bool, True), removed=(str | None, None))
    people.store = SQLModelUserStore(
        people.model, wide.get_session, is_active="enabled", deleted_at="removed"
    )
    auth = make_auth(tmp_path / "codes.db")
    people.accounts = Accounts(auth, store=people.store, hasher=CHEAP)
    people.add("off@example.org", enabled=False)
    people.add("gone@example.org", removed="2026")
    people.add("on@example.org")
    addresses = ("off@example.org", "gone@example.org", "on@example.org")
    assert people.post(*map(sign_in, addresses)) == [401, 401, 200]


# --- S10: ids


@pytest.mark.parametrize("user_id", ["02", "+2", " 2", "2 ", "0_2", "-0", "\u0662", ""])
def test_s10_a_number_is_written_in_one_way(user_id: str) -> None:
    assert key_of(user_id, int) is None


def test_s10_a_uuid_is_written_in_one_way() -> None:
    from uuid import UUID

    one = UUID("12345678-abcd-abcd-abcd-1234567890ab")
    assert key_of(str(one), UUID) == one
    for other in (str(one).upper(), one.hex, f"{{{one}}}", one.urn, f" {one}"):
        assert key_of(other, UUID) is None


def test_s10_texts_are_compared_exactly(wide: Wide, tmp_path: Path) -> None:
    people = People(wide, tmp_path)
    people.add("ada@example.org", id="abc")
    if wide.kind == "mariadb":  # the others compare ids letter for letter
        query = f"SELECT id FROM {people.table} WHERE id = :id"
        assert wide.run(query, id="ABC") == [("abc",)]
    for user_id in ("ABC", "abc ", "\u00e1bc"):
        assert asyncio.run(people.store.find(user_id)) is None
    assert asyncio.run(people.store.find("abc")) is not None


# --- S12: of several changes of a password one wins


def test_s12_one_of_many_replaces_a_hash(wide: Wide, tmp_path: Path) -> None:
    people = People(wide, tmp_path)
    user_id = people.add("ada@example.org")

    async def raced() -> list[bool]:
        user = await people.store.find(user_id)
        assert user is not None
        replaced = (
            people.store.replace_password_hash(user, f"hash {number}")
            for number in range(8)
        )
        return await asyncio.gather(*replaced)

    assert sorted(asyncio.run(raced())) == [False] * 7 + [True]
