"""The classes of attacks on accounts, one by one, on each database.

Their numbers are those of the project's list of attacks, A1 to A18.
"""

from __future__ import annotations

import json
import logging
import re
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import httpx2
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
from fastbearer import PasswordHash
from fastbearer.accounts import Accounts, Message
from fastbearer.app import create_app
from fastbearer.fastapi import Auth
from fastbearer.testing import FrozenClock
from servers import on_every_database
from waiting import wait_until

Serve = Callable[[FastAPI], str]
WRONG = refused(401, "Invalid email or password")
TAKEN = refused(400, "Email already registered")
EMAIL_RULE = "Email must be a valid address of at most 254 characters"
CHALLENGES = {
    'Bearer realm="fastbearer"',
    (
        'Bearer realm="fastbearer", error="invalid_token",'
        ' error_description="Invalid token"'
    ),
}


@pytest.fixture
def hasher() -> CountingHash:
    return CountingHash()


@pytest.fixture
def outbox() -> list[Message]:
    return []


@pytest.fixture
def service(
    serve: Serve, database: Store, hasher: CountingHash, outbox: list[Message]
) -> str:
    return serve(make_service(database, hasher=hasher, send=outbox.append))


def raw(url: str, request: bytes) -> bytes:
    """Send bytes over a connection of their own; return the whole answer."""
    parts = httpx2.URL(url)
    with socket.create_connection((parts.host, parts.port or 80)) as connection:
        connection.sendall(request)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    return received


def without_date(response: httpx2.Response) -> tuple[Any, ...]:
    headers = [pair for pair in response.headers.multi_items() if pair[0] != "date"]
    return response.status_code, headers, response.content


def test_a1_enumeration_by_response(service: str) -> None:
    sign_up(service)
    unknown = "bob@example.com"
    assert len(unknown) == len(EMAIL)
    wrong = [
        without_date(sign_in(service, email=email, password="wrong password"))
        for email in (EMAIL, unknown)
    ]
    assert wrong[0] == wrong[1] and wrong[0][0] == 401
    asked = [
        without_date(post(service, "forgot-password", email=email))
        for email in (EMAIL, unknown)
    ]
    assert asked[0] == asked[1] and asked[0][0] == 202
    # Of sign-up it is said that it tells: that is its documented answer.
    assert answer(sign_up(service)) == TAKEN


def test_a2_enumeration_by_time(service: str, hasher: CountingHash) -> None:
    """The same work is done; what time it takes is measured by `make soak`."""
    sign_up(service)
    sign_in(service, email="first@example.com")  # makes the decoy
    hasher.made, hasher.verified = 0, []
    assert answer(sign_in(service, password="wrong")) == WRONG
    assert answer(sign_in(service, email="bob@example.com")) == WRONG
    # All but salt and digest.
    known, unknown = (
        one.rpartition("$")[0].rpartition("$")[0] for one in hasher.verified
    )
    assert known == unknown == "$argon2id$v=19$m=8,t=1,p=1"
    assert hasher.made == 0


def test_a3_brute_force(serve: Serve, database: Store) -> None:
    limits = {"throttle": True, "throttle_failures": "5/hour"}
    url = serve(make_service(database, **limits))
    sign_up(url)
    started = time.monotonic()
    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(lambda _: sign_in(url, password="wrong"), range(30)))
    lasted = time.monotonic() - started
    assert sorted(response.status_code for response in found) == [401] * 5 + [429] * 25
    late = next(response for response in found if response.status_code == 429)
    assert 3599 - lasted <= int(late.headers["retry-after"]) <= 3600


def test_a3_a_limit_passes_and_success_resets_it(serve: Serve, database: Store) -> None:
    limits = {"throttle": True, "throttle_failures": "5/hour"}
    clock = FrozenClock(time.time())
    auth = Auth(make_auth(database, **limits).settings, clock=clock)
    url = serve(create_app(auth, accounts=Accounts(auth, hasher=CHEAP)))
    sign_up(url)
    wrong = [sign_in(url, password="wrong").status_code for _ in range(6)]
    assert wrong == [401] * 5 + [429]
    assert sign_in(url).status_code == 429
    clock.advance(3601)
    assert sign_in(url).status_code == 200
    for _ in range(2):
        for _ in range(4):
            assert answer(sign_in(url, password="wrong")) == WRONG
        assert sign_in(url).status_code == 200


def test_a4_more_hashes_than_memory(serve: Serve, database: Store) -> None:
    """Excess waits or is refused; others are served meanwhile."""
    costly = PasswordHash("argon2id", time_cost=2, memory_cost=65536, parallelism=1)
    url = serve(make_service(database, hasher=costly))
    token = token_of(sign_up(url))
    with ThreadPoolExecutor(110) as threads:
        storm = [threads.submit(sign_in, url) for _ in range(100)]
        meanwhile = [threads.submit(me, url, token) for _ in range(10)]
        statuses = {future.result().status_code for future in storm}
        assert {future.result().status_code for future in meanwhile} == {200}
    assert 200 in statuses and statuses <= {200, 503}


def test_a5_very_long_passwords(service: str, hasher: CountingHash) -> None:
    sign_up(service)
    hasher.made, hasher.verified = 0, []
    for password in ("x" * 129, "\u00e9" * 9000, "x" * 60_000):
        assert sign_up(service, password=password, email="b@c").status_code == 400
        assert sign_in(service, password=password).status_code == 400
        assert sign_in(service, password=password, email="b@c").status_code == 400
    assert sign_in(service, password="x" * 64_000_000).status_code == 413
    assert hasher.made == 0 and hasher.verified == []


@pytest.mark.parametrize(
    "bomb",
    [
        "$argon2id$v=19$m=2147483647,t=3,p=4$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA",
        "$argon2id$v=19$m=65536,t=4294967295,p=4$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
        "$2b$31$abcdefghijklmnopqrstuuBd8oQ1qZ7oXWKcYm4fEJt5n5iKzvQvG",
        "pbkdf2_sha256$4000000000$salt$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGg=",
        "$scrypt$ln=40,r=8,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
        "",
        "\u20ac",
    ],
)
def test_a6_a_stored_hash_that_costs_too_much(
    service: str, database: Store, bomb: str
) -> None:
    sign_up(service)
    rows(database, "UPDATE fastbearer_user SET password_hash = ?", bomb)
    assert answer(sign_in(service)) == WRONG


ODD_HEADERS: list[tuple[bytes, int]] = [
    (b"Bearer " + b"x" * 8192, 401),
    (b"Bearer", 401),
    (b"Bearer ", 401),
    (b"Bearer\tabc", 401),
    (b"bearer abc", 401),
    (b"BEARER  a.b.c", 401),
    (b"Basic YTpi", 401),
    (b"a.b.c", 401),
    (b"Bearer \xff\xfe.\x80.\xc3", 401),
    (b"Bearer a.b.c, Bearer a.b.c", 401),
    (b'Bearer "a.b.c"', 401),
    (b"Bearer abc\r\nAuthorization: Bearer abc", 400),
]


def test_a7_odd_authorization(service: str) -> None:
    for value, status in ODD_HEADERS:
        request = b"GET /api/auth/me HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
        received = raw(service, request + b"Authorization: " + value + b"\r\n\r\n")
        head = received.partition(b"\r\n\r\n")[0].decode("latin-1")
        assert head.startswith(f"HTTP/1.1 {status} "), (value, head)
        challenge = re.search(r"(?im)^www-authenticate: (.*?)\r?$", head)
        assert challenge is not None, (value, head)
        assert status == 400 or challenge[1] in CHALLENGES, (value, head)
    # What the server itself does not take never reaches us.
    too_much = [(b"Bearer a\0b", {"400", "401"})]
    too_much += [(b"Bearer " + b"x" * 1_048_576, {"400", "431"})]
    for value, statuses in too_much:
        request = b"GET /api/auth/me HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
        try:
            found = raw(service, request + b"Authorization: " + value + b"\r\n\r\n")
        except ConnectionError:
            continue  # hung up before all was sent
        assert found[9:12].decode() in statuses, value
    assert http.get(f"{service}/healthz").status_code == 200


def test_a8_slow_and_large_requests(service: str) -> None:
    """Half-sent requests hold nobody up; a body without a length is bounded."""
    parts = httpx2.URL(service)
    address = (parts.host, parts.port or 80)
    halves = [
        b"GET /api/auth/me HTTP/1.1\r\nHost: a\r\nX-Slow:",
        (
            b"POST /api/auth/signin HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n"
            b'Content-Type: application/json\r\n\r\n{"email":'
        ),
    ]
    slow = [socket.create_connection(address) for _ in range(60)]
    try:
        for number, connection in enumerate(slow):
            connection.sendall(halves[number % 2])
        token = token_of(sign_up(service))
        assert me(service, token).status_code == 200
    finally:
        for connection in slow:
            connection.close()

    def endless() -> Iterator[bytes]:
        for _ in range(40):
            yield b" " * 65536

    headers = {"Content-Type": "application/json"}
    url = f"{service}/api/auth/signin"
    with suppress(httpx2.TransportError):  # refused while it was still sending
        assert http.post(url, content=endless(), headers=headers).status_code == 413
    assert me(service, token).status_code == 200


@pytest.mark.parametrize("bad", ["\0", "\\ud800", "\r\n", "\x1b", "\u2028", "\u202e"])
def test_a9_characters_that_do_harm(service: str, bad: str) -> None:
    data = sign_up(service).json()["data"]
    tasks = f"{service}/{data['user']['id']}/tasks"
    headers = {**bearer(data["token"]), "Content-Type": "application/json"}

    def sent(url: str, **fields: str) -> httpx2.Response:
        text = json.dumps(fields).replace("\\\\ud800", "\\ud800")
        return http.post(url, content=text.encode(), headers=headers)

    email = sent(f"{service}/api/auth/signup", email=f"a{bad}@b.c", password=PASSWORD)
    assert email.status_code == 400
    cannot_be_stored = bad in ("\0", "\\ud800")
    for response, created in (
        (
            sent(f"{service}/api/auth/signup", email="b@b.c", password=PASSWORD + bad),
            201,
        ),
        (sent(tasks, title=f"a{bad}b"), 201),
    ):
        assert response.status_code == (400 if cannot_be_stored else created)
    if not cannot_be_stored:
        titles = [
            one["title"] for one in http.get(tasks, headers=headers).json()["data"]
        ]
        assert titles == [f"a{bad}b"]


SAME_EMAIL = [
    ("Ada@Example.com", " ada@example.COM\n"),
    ("\u00c9va@b.c", "e\u0301va@b.c"),  # composed or not
    ("\u212a@b.c", "k@b.c"),  # the Kelvin sign is a capital k
]
OTHER_EMAIL = [
    ("stra\u00dfe@b.c", "strasse@b.c"),
    ("\u0131@b.c", "i@b.c"),  # without its dot
    ("\u0130@b.c", "i@b.c"),  # a capital with its dot
    ("\u0430da@b.c", "ada@b.c"),  # Cyrillic a
    ("\uff41da@b.c", "ada@b.c"),  # a wide one
]


@pytest.mark.parametrize(("first", "second"), SAME_EMAIL)
@on_every_database
def test_a10_the_same_email(service: str, first: str, second: str) -> None:
    data = sign_up(service, email=first).json()["data"]
    assert answer(sign_up(service, email=second)) == TAKEN
    assert sign_in(service, email=second).json()["data"]["user"] == data["user"]


@pytest.mark.parametrize(("first", "second"), OTHER_EMAIL)
def test_a10_another_email(service: str, first: str, second: str) -> None:
    sign_up(service, email=first)
    assert answer(sign_in(service, email=second)) == WRONG
    assert sign_up(service, email=second).status_code == 201


@on_every_database
def test_a11_injection(service: str, database: Store) -> None:
    data = sign_up(service).json()["data"]
    tasks = f"{service}/{data['user']['id']}/tasks"
    headers = bearer(data["token"])
    for text in ("' OR '1'='1", "%", "_", "'; DROP TABLE fastbearer_user; --", "$1"):
        email = f"{text.replace(' ', '')}@b.c"
        assert answer(sign_in(service, email=email)) == WRONG
        assert http.post(tasks, json={"title": text}, headers=headers).is_success
        for ident in (text, "1 OR 1=1", str(2**63), str(2**70), "-1", "\u0661"):
            url = f"{tasks}/{quote(ident, safe='')}"
            assert http.get(url, headers=headers).status_code == 404, ident
    assert len(http.get(tasks, headers=headers).json()["data"]) == 5
    for limit in (2**31, 2**63, 2**200, "1;", "1e3", "-1", "\u0661"):
        found = http.get(tasks, params={"limit": limit}, headers=headers)
        assert found.status_code == 400, limit
    assert rows(database, "SELECT email FROM fastbearer_user") == [(EMAIL,)]


def test_a12_mass_assignment(service: str, database: Store) -> None:
    more = {
        "id": "chosen",
        "is_admin": True,
        "role": "admin",
        "email_verified": True,
        "password_hash": "x",
        "created_at": "1970-01-01T00:00:00Z",
    }
    data = sign_up(service, **more).json()["data"]
    assert data["user"]["id"] != "chosen"
    assert me(service, data["token"]).json()["data"]["email_verified"] is False
    assert sign_in(service).status_code == 200
    tasks = f"{service}/{data['user']['id']}/tasks"
    headers = bearer(data["token"])
    theirs = {"title": "t", "id": "chosen", "user_id": "bob", "owner_id": "bob"}
    task = http.post(tasks, json=theirs, headers=headers).json()["data"]
    assert task["id"] != "chosen"
    for method in ("PUT", "PATCH"):
        body = {**theirs, "title": method, "created_at": "1970-01-01T00:00:00Z"}
        url = f"{tasks}/{task['id']}"
        changed = http.request(method, url, json=body, headers=headers).json()["data"]
        assert changed["created_at"] == task["created_at"]
        assert (changed["id"], changed["title"]) == (task["id"], method)
    assert rows(database, "SELECT user_id FROM fastbearer_task") == [
        (data["user"]["id"],)
    ]


@on_every_database
def test_a13_twenty_sign_ups_at_a_time(service: str) -> None:
    with ThreadPoolExecutor(20) as threads:
        found = list(threads.map(lambda _: sign_up(service), range(20)))
    assert sorted(response.status_code for response in found) == [201] + [400] * 19
    assert {answer(one)[1].get("detail") for one in found} == {None, TAKEN[1]["detail"]}


@on_every_database
def test_a14_other_peoples_tasks(service: str) -> None:
    ada = sign_up(service).json()["data"]
    eve = sign_up(service, email="eve@example.com").json()["data"]
    hers = f"{service}/{ada['user']['id']}/tasks"
    made = http.post(hers, json={"title": "t"}, headers=bearer(ada["token"])).json()
    task = made["data"]
    own = f"{service}/{eve['user']['id']}/tasks"
    verbs = [("GET", ""), ("PUT", ""), ("PATCH", ""), ("PATCH", "/complete")]
    for verb, end in [*verbs, ("DELETE", "")]:
        body = {"json": {"title": "x"}} if verb in ("PUT", "PATCH") and not end else {}
        answers = [
            without_date(
                http.request(verb, f"{path}{end}", headers=bearer(eve["token"]), **body)
            )
            for path in (f"{own}/{task['id']}", f"{own}/never-was")
        ]
        assert answers[0] == answers[1] and answers[0][0] == 404
        foreign = http.request(
            verb, f"{hers}/{task['id']}{end}", headers=bearer(eve["token"]), **body
        )
        assert foreign.status_code == 403
    assert http.get(own, headers=bearer(eve["token"])).json()["data"] == []
    seen = http.get(hers, headers=bearer(ada["token"])).json()["data"]
    assert seen == [task]


BOMBS = [
    b"[" * 500_000,
    b'{"a":' * 150_000,
    b'{"email": "a@b.c", "password": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    b'{"email": "a@b.c", "password": NaN}',
    b'{"email": "a@b.c", "password": 1e999}',
    b'{"email": "a@b.c", "password": ' + b"9" * 500_000 + b"}",
    b'{"email": "a@b.c", "password": "correct horse battery"',
    b"\xef\xbb\xbf{}",
    b'"\xff"',
    b"null",
    b"",
]


def test_a15_json_bombs(service: str, hasher: CountingHash) -> None:
    headers = {"Content-Type": "application/json"}
    for path in ("signup", "signin"):
        for bomb in BOMBS:
            url = f"{service}/api/auth/{path}"
            found = http.post(url, content=bomb, headers=headers)
            assert found.status_code in (400, 413), (path, bomb[:40])
        url = f"{service}/api/auth/{path}"
        large = http.post(url, content=b" " * 2_000_000, headers=headers)
        assert large.status_code == 413
        xml = http.post(url, content=b"<a/>", headers={"Content-Type": "text/xml"})
        assert answer(xml) == refused(400, BODY)
    assert hasher.made == 0 and hasher.verified == []
    # Of a name that comes twice the last one counts, everywhere alike.
    twice = b'{"email": "bad", "email": "a@b.c", "password": "correct horse battery"}'
    made = http.post(f"{service}/api/auth/signup", content=twice, headers=headers)
    assert made.json()["data"]["user"]["email"] == "a@b.c"


def test_a16_header_injection(service: str) -> None:
    """No answer has a header with anything that was sent."""
    mark = "Xq7%0d%0aSet-Cookie:%20a=b"
    sent = [
        http.get(f"{service}/{mark}/tasks"),
        http.get(f"{service}/{mark}/tasks", headers=bearer(f'{mark}"')),
        http.get(f"{service}/api/auth/me", headers=bearer(f'a", error="{mark}')),
        sign_in(service, email=f"{mark}@b.c"),
        sign_up(service, email=f"{mark}@b.c", name="\r\nSet-Cookie: a=b"),
        http.get(f"{service}/{mark}"),
    ]
    for response in sent:
        assert response.status_code < 500
        assert "Xq7" not in str(response.headers.raw)
        assert "set-cookie" not in response.headers
        assert response.headers.get("www-authenticate") in {None, *CHALLENGES}


@on_every_database
def test_a17_tokens_after_the_end(serve: Serve, database: Store) -> None:
    url = serve(make_service(database, revocation="database", send=print))
    sign_up(url)
    first, second, third = (token_of(sign_in(url)) for _ in range(3))
    post(url, "signout", first)
    assert [me(url, one).status_code for one in (first, second, third)] == [
        *(401, 200, 200)
    ]
    changed = post(
        url,
        "change-password",
        second,
        current_password=PASSWORD,
        new_password="another horse battery",
    )
    fresh = token_of(changed)
    assert [me(url, one).status_code for one in (second, third, fresh)] == [
        *(401, 401, 200)
    ]
    gone = post(url, "delete-account", fresh, password="another horse battery")
    assert gone.status_code == 200
    assert me(url, fresh).status_code == 401
    # Without revocation, a token is good until it expires, as documented; but
    # the routes of the account know that there is none.
    stateless = serve(make_service(database, revocation="off"))
    again = token_of(sign_up(stateless))
    assert post(stateless, "signout", again).status_code == 200
    assert me(stateless, again).status_code == 200
    post(stateless, "delete-account", again, password=PASSWORD)
    assert me(stateless, again).status_code == 401


@on_every_database
def test_a18_nothing_leaks(
    serve: Serve, database: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    outbox: list[Message] = []
    url = serve(
        make_service(
            database,
            hasher=CHEAP,
            send=outbox.append,
            refresh_tokens=True,
            revocation="database",
        )
    )
    data = sign_up(url).json()["data"]
    secrets = {PASSWORD, data["token"], data["refresh_token"], "wrong-Xq7", "new-Xq7-x"}
    texts = [
        sign_in(url, password="wrong-Xq7").text,
        sign_up(url).text,
        sign_up(url, email=["x"], password="wrong-Xq7").text,
        sign_in(url, email=7).text,
        sign_up(url, password={"a": "wrong-Xq7"}).text,
        post(url, "refresh", refresh_token="wrong-Xq7").text,
        post(url, "reset-password", code="wrong-Xq7", password="new-Xq7-x").text,
        me(url, data["token"] + "x").text,
        me(url, data["token"]).text,
    ]
    for name in ("current_password", "new_password"):
        body = {"current_password": PASSWORD, "new_password": "new-Xq7-x", name: 7}
        texts.append(post(url, "change-password", data["token"], **body).text)
    post(url, "forgot-password", email=EMAIL)
    wait_until(lambda: outbox)
    secrets.add(outbox[0].code)
    rows(database, "UPDATE fastbearer_user SET password_hash = 'broken-Xq7'")
    texts.append(sign_in(url).text)
    secrets.add("broken-Xq7")
    logged = caplog.text + repr([vars(record) for record in caplog.records])
    for secret in secrets:
        assert secret not in logged, secret
        assert not any(secret in text for text in texts), secret
    assert "argon2" not in "".join(texts)
    assert repr(outbox[0].code) not in repr(outbox[0])
