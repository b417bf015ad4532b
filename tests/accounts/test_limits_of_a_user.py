"""Limits that a user cannot get around: by other names, nor by other accounts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI

from accounts_kit import PASSWORD, CountingHash, bearer, http, make_auth, rows
from fastbearer import HasherBusyError, PasswordHash
from fastbearer.accounts import AccountEvent, Accounts, Message
from servers import empty_redis_cluster, redis
from waiting import wait_until

pytestmark = pytest.mark.http

Serve = Callable[[FastAPI], str]
HOME, AWAY = "203.0.113.1", "198.51.100.9"
NEW = "another horse battery"
STRANGERS = [f"192.0.2.{n}" for n in range(1, 100)]
BOTH_NAMES = ("email", "username")
TWO_FORMS = "caf\u00e9 au lait"
"""A password that is compared twice, for it may have been hashed in either form."""


class CrowdedHash(CountingHash):
    """A hasher that has a number of places left, once that is set.

    And one to which all hashes of before are outdated, while that is so.
    """

    __slots__ = ("places", "renews")

    def __init__(self) -> None:
        super().__init__()
        self.places: int | None = None
        self.renews = False

    def needs_rehash(self, hash: str | bytes) -> bool:
        return self.renews or super().needs_rehash(hash)

    def _hash(self, password: str | bytes, threads: int) -> str:
        self._take_place()
        return super()._hash(password, threads)

    def _verify(self, password: str | bytes, hash: str | bytes, threads: int) -> bool:
        self._take_place()
        return super()._verify(password, hash, threads)

    def _take_place(self) -> None:
        if self.places == 0:
            raise HasherBusyError("no place")
        if self.places is not None:
            self.places -= 1


class Service:
    """A service whose clients say where they are, and what it has done."""

    def __init__(
        self, serve: Serve, folder: Path, own: dict[str, Any], **settings: Any
    ) -> None:
        self.hasher = CrowdedHash()
        self.told: list[AccountEvent] = []
        self.sent: list[Message] = []
        self._database = folder / "a.db"
        limits = {"throttle": True, "throttle_requests": "100000/minute"}
        auth = make_auth(
            self._database, trusted_proxies="127.0.0.1", **limits, **settings
        )
        accounts = Accounts(auth, hasher=self.hasher, send=self.sent.append, **own)
        accounts.on_event()(self.told.append)
        app = FastAPI()
        app.include_router(accounts.router)
        self._url = serve(app)

    def ask(
        self,
        method: str,
        path: str,
        address: str = HOME,
        token: str = "",
        form: dict[str, str] | None = None,
        **body: Any,
    ) -> httpx2.Response:
        headers = {"X-Forwarded-For": address, **(bearer(token) if token else {})}
        content = {"json": body} if form is None else {"data": form}
        return http.request(method, self._url + path, headers=headers, **content)

    def post(
        self, route: str, address: str = HOME, token: str = "", **body: Any
    ) -> httpx2.Response:
        return self.ask("POST", f"/api/auth/{route}", address, token, **body)

    def token(self, route: str, address: str = HOME, **body: Any) -> str:
        answer = self.post(route, address, **{"password": PASSWORD, **body})
        assert answer.status_code in (200, 201), answer.text
        return str(answer.json()["data"]["token"])

    def login(self, email: str, password: str, address: str = HOME) -> httpx2.Response:
        """Sign in in the layout of fastapi-users."""
        form = {"username": email, "password": password}
        return self.ask("POST", "/auth/jwt/login", address, form=form)

    def logged_in(self, email: str) -> str:
        """Return the token of a new user in the layout of fastapi-users."""
        body = {"email": email, "password": PASSWORD}
        assert self.ask("POST", "/auth/register", **body).status_code == 201
        return str(self.login(email, PASSWORD).json()["access_token"])

    def make_superuser(self, email: str) -> None:
        query = "UPDATE fastbearer_user SET roles = ? WHERE email = ?"
        rows(self._database, query, "superuser", email)

    def rename(self, token: str, username: str) -> int:
        answer = self.ask("PATCH", "/api/auth/me", token=token, username=username)
        return answer.status_code

    def guesses(self) -> int:
        """Return how many passwords were compared with the one user's hash."""
        (stored,) = rows(self._database, "SELECT password_hash FROM fastbearer_user")
        return self.hasher.verified.count(stored[0])

    def meet_outdated(self, email: str) -> None:
        """Let an outdated kind of hash be known: a wrong password is more work."""
        read = "SELECT password_hash FROM fastbearer_user"
        write = "UPDATE fastbearer_user SET password_hash = ?"
        (stored,) = rows(self._database, read)
        rows(self._database, write, PasswordHash("bcrypt", rounds=4).hash(PASSWORD))
        self.post("signin", STRANGERS[-1], email=email, password="x")
        rows(self._database, write, stored[0])

    def crowded(
        self, places: int, times: int, ask: Callable[[], httpx2.Response]
    ) -> list[int]:
        """Return the statuses of requests, each of which finds so many places."""
        statuses = []
        for _ in range(times):
            self.hasher.places = places
            statuses.append(ask().status_code)
        self.hasher.places = None
        return statuses

    def code(self) -> str:
        wait_until(lambda: any(one.purpose == "reset_password" for one in self.sent))
        return next(one.code for one in self.sent if one.purpose == "reset_password")


@pytest.fixture
def email() -> str:
    """An e-mail that no other run has counted in Redis."""
    return f"{uuid4().hex}@example.com"


@pytest.fixture(
    params=[
        "memory",
        pytest.param("redis", marks=pytest.mark.redis),
        pytest.param("redis cluster", marks=pytest.mark.redis_cluster),
    ]
)
def start(
    request: pytest.FixtureRequest, serve: Serve, tmp_path: Path
) -> Callable[..., Service]:
    urls = {"redis": redis, "redis cluster": empty_redis_cluster}
    url = urls[request.param]() if request.param in urls else None

    def start(own: dict[str, Any] | None = None, **settings: Any) -> Service:
        return Service(serve, tmp_path, own or {}, redis_url=url, **settings)

    return start


def fresh_name() -> str:
    return f"u{uuid4().hex[:20]}"


# --- other names


@pytest.mark.parametrize("addresses", [[HOME], [AWAY], STRANGERS])
def test_attack_another_name_for_more_guesses(
    start: Callable[..., Service], email: str, addresses: list[str]
) -> None:
    limit = "throttle_account_failures" if len(addresses) > 1 else "throttle_failures"
    service = start({"names": BOTH_NAMES}, **{limit: "6/day"})
    token = service.token("signup", email=email, username=fresh_name())
    tries = [*addresses, *addresses * 20]
    for _ in range(5):
        name = fresh_name()
        assert service.rename(token, name) == 200
        for _ in range(3):
            answer = service.post("signin", tries.pop(), username=name, password="x")
            assert answer.status_code == 401
    assert service.guesses() == 6
    # The right password is no way around it, and looks like that of nobody.
    name = fresh_name()
    assert service.rename(token, name) == 200
    known, unknown = (
        service.post("signin", addresses[0], username=one, password=PASSWORD)
        for one in (name, fresh_name())
    )
    assert (known.status_code, known.text) == (unknown.status_code, unknown.text)
    assert service.guesses() == 6
    assert "locked_out" in [one.name for one in service.told]


def test_all_names_of_a_user_are_counted_together(
    start: Callable[..., Service], email: str
) -> None:
    service = start({"names": BOTH_NAMES}, throttle_failures="6/day")
    name, other = fresh_name(), fresh_name()
    token = service.token("signup", email=email, username=name)
    for login in ({"email": email}, {"username": name}):
        statuses = [
            service.post("signin", AWAY, password="x", **login).status_code
            for _ in range(4)
        ]
        assert statuses == [401, 401, 401, 429]
    assert service.rename(token, other) == 200
    service.post("signin", AWAY, password="x", username=other)
    assert service.guesses() == 6


for_each_guess_in_a_session = pytest.mark.parametrize(
    ("route", "body"),
    [
        ("change-password", {"current_password": "x", "new_password": NEW}),
        ("delete-account", {"password": "x"}),
        ("change-email", {"password": "x", "new_email": "new@example.com"}),
    ],
)


@for_each_guess_in_a_session
def test_attack_another_name_to_guess_in_a_session(
    start: Callable[..., Service], email: str, route: str, body: dict[str, str]
) -> None:
    names = ("username", "email")
    service = start({"names": names}, throttle_failures="6/day")
    token = service.token("signup", email=email, username=fresh_name())
    statuses = []
    for _ in range(4):
        assert service.rename(token, fresh_name()) == 200
        answers = [service.post(route, HOME, token, **body) for _ in range(2)]
        statuses += [one.status_code for one in answers]
    assert statuses == [403] * 6 + [429] * 2


def test_attack_another_email_for_more_guesses(
    start: Callable[..., Service], email: str
) -> None:
    """In the layout of fastapi-users, no password is asked for that."""
    service = start({"layout": "fastapi-users"}, throttle_failures="4/day")

    def sign_in(one: str, password: str) -> httpx2.Response:
        form = {"username": one, "password": password}
        return service.ask("POST", "/auth/jwt/login", form=form)

    body = {"email": email, "password": PASSWORD}
    assert service.ask("POST", "/auth/register", **body).status_code == 201
    token = sign_in(email, PASSWORD).json()["access_token"]
    before = service.guesses()
    for number in range(3):
        moved = service.ask("PATCH", "/users/me", token=token, email=f"{number}{email}")
        assert moved.status_code == 200, moved.text
        for _ in range(3):
            assert sign_in(f"{number}{email}", "x").status_code == 400
    assert service.guesses() - before == 4


def test_other_names_are_few(start: Callable[..., Service], email: str) -> None:
    service = start({"names": BOTH_NAMES}, throttle_failures="3/day")
    name = fresh_name()
    token = service.token("signup", email=email, username=name)
    assert [service.rename(token, name) for _ in range(5)] == [200] * 5
    assert [service.rename(token, "no name") for _ in range(5)] == [400] * 5
    statuses = [service.rename(token, fresh_name()) for _ in range(5)]
    assert statuses == [200] * 3 + [429] * 2


def test_other_emails_are_few(start: Callable[..., Service], email: str) -> None:
    service = start(
        {"layout": "fastapi-users"},
        throttle_failures="3/day",
        throttle_messages="100/hour",
    )
    body = {"email": email, "password": PASSWORD}
    service.ask("POST", "/auth/register", **body)
    form = {"username": email, "password": PASSWORD}
    entered = service.ask("POST", "/auth/jwt/login", form=form)
    token = entered.json()["access_token"]
    statuses = [
        service.ask("PATCH", "/users/me", token=token, email=f"{n}{email}").status_code
        for n in range(5)
    ]
    assert statuses == [200] * 3 + [429] * 2


def test_messages_of_a_user_are_few_wherever_they_go(
    start: Callable[..., Service], email: str
) -> None:
    service = start({"layout": "fastapi-users"}, throttle_messages="3/hour")
    body = {"email": email, "password": PASSWORD}
    service.ask("POST", "/auth/register", **body)
    form = {"username": email, "password": PASSWORD}
    entered = service.ask("POST", "/auth/jwt/login", form=form)
    token = entered.json()["access_token"]
    statuses = [
        service.ask("PATCH", "/users/me", token=token, email=f"{n}{email}").status_code
        for n in range(5)
    ]
    assert statuses == [200] * 3 + [429] * 2


# --- clients that are known


def exhausted(service: Service, email: str) -> None:
    """Use up what strangers have altogether."""
    statuses = [
        service.post("signin", one, email=email, password="x").status_code
        for one in STRANGERS[:8]
    ]
    assert statuses[-1] == 429


def test_attack_known_before_there_was_an_account(
    start: Callable[..., Service], email: str
) -> None:
    service = start(throttle_account_failures="6/day")
    for address in (HOME, AWAY):
        token = service.token("signup", address, email=email)
        gone = service.post("delete-account", address, token, password=PASSWORD)
        assert gone.status_code == 200
    service.token("signup", "203.0.113.77", email=email, password=NEW)
    exhausted(service, email)
    for address in (HOME, AWAY):
        answer = service.post("signin", address, email=email, password=PASSWORD)
        assert answer.status_code == 429


def test_a_thief_is_known_no_more_after_a_reset(
    start: Callable[..., Service], email: str
) -> None:
    service = start(throttle_account_failures="6/day")
    service.token("signup", email=email)
    service.token("signin", AWAY, email=email)
    assert service.post("forgot-password", email=email).status_code == 202
    body = {"code": service.code(), "password": NEW}
    assert service.post("reset-password", **body).status_code == 200
    exhausted(service, email)
    assert service.post("signin", AWAY, email=email, password=NEW).status_code == 429
    # Whoever has chosen the new password is.
    assert service.post("signin", email=email, password=NEW).status_code == 200


def test_a_thief_is_known_no_more_after_another_password(
    start: Callable[..., Service], email: str
) -> None:
    service = start(throttle_account_failures="6/day")
    token = service.token("signup", email=email)
    service.token("signin", AWAY, email=email)
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert service.post("change-password", HOME, token, **body).status_code == 200
    exhausted(service, email)
    assert service.post("signin", AWAY, email=email, password=NEW).status_code == 429
    assert service.post("signin", email=email, password=NEW).status_code == 200


def test_whoever_sets_their_password_in_a_session_stays_known(
    start: Callable[..., Service], email: str
) -> None:
    """In the layout of fastapi-users, without the password of before."""
    service = start({"layout": "fastapi-users"}, throttle_account_failures="6/day")
    token = service.logged_in(email)
    service.login(email, PASSWORD, AWAY)
    moved = service.ask("PATCH", "/users/me", token=token, password=NEW)
    assert moved.status_code == 200, moved.text
    logins = [service.login(email, "x", one).status_code for one in STRANGERS[:8]]
    assert logins == [400] * 6 + [429] * 2
    assert service.login(email, NEW, AWAY).status_code == 429
    assert service.login(email, NEW, HOME).status_code == 200


def test_whoever_sets_the_password_of_another_is_not_known_to_them(
    start: Callable[..., Service], email: str
) -> None:
    service = start({"layout": "fastapi-users"}, throttle_account_failures="6/day")
    boss = f"boss-{email}"
    token = service.logged_in(boss)
    service.make_superuser(boss)
    body = {"email": email, "password": PASSWORD}
    user_id = service.ask("POST", "/auth/register", **body).json()["id"]
    moved = service.ask("PATCH", f"/users/{user_id}", token=token, password=NEW)
    assert moved.status_code == 200, moved.text
    logins = [service.login(email, "x", one).status_code for one in STRANGERS[:8]]
    assert logins == [400] * 6 + [429] * 2
    assert service.login(email, NEW, HOME).status_code == 429


@pytest.mark.parametrize("route", ["signin", "change-email"])
def test_a_right_password_whose_hash_is_renewed_takes_its_own_back(
    start: Callable[..., Service], email: str, route: str
) -> None:
    """It was counted for the clients that are known, not for the strangers."""
    service = start(throttle_account_failures="6/day")
    token = service.token("signup", email=email)
    login = {"email": email, "password": PASSWORD}
    moved = {"password": PASSWORD, "new_email": f"new-{email}"}
    body, status = (login, 200) if route == "signin" else (moved, 202)
    tries = iter(STRANGERS)

    def guess() -> int:
        answer = service.post("signin", next(tries), email=email, password="x")
        return answer.status_code

    statuses = [guess() for _ in range(3)]
    service.hasher.renews = True
    for _ in range(3):
        answer = service.post(route, HOME, token, **body)
        assert answer.status_code == status, answer.text
    service.hasher.renews = False
    statuses += [guess() for _ in range(4)]
    assert statuses == [401] * 6 + [429]
    # Nor has anything stayed counted for those that are known.
    known = [
        service.post("signin", HOME, email=email, password="x").status_code
        for _ in range(7)
    ]
    assert known == [401] * 6 + [429]


def test_known_clients_have_a_limit_as_well(
    start: Callable[..., Service], email: str
) -> None:
    service = start(throttle_account_failures="6/day")
    homes = [f"203.0.113.{n}" for n in range(1, 9)]
    service.token("signup", email=email)
    for address in homes:
        service.token("signin", address, email=email)
    before = service.guesses()
    statuses = [
        service.post("signin", one, email=email, password="x").status_code
        for one in homes
    ]
    assert statuses == [401] * 6 + [429] * 2
    assert service.guesses() - before == 6


def test_a_right_password_is_no_guess(
    start: Callable[..., Service], email: str
) -> None:
    service = start(throttle_account_failures="6/day")
    service.token("signup", email=email)
    for _ in range(10):
        service.token("signin", email=email)
    for address in STRANGERS[:10]:
        service.token("signin", address, email=email)
    wrong = [service.post("signin", one, email=email, password="x") for one in [AWAY]]
    assert [one.status_code for one in wrong] == [401]


# --- what is given back


@pytest.mark.parametrize("is_somebodys", [True, False])
def test_attack_a_queue_that_is_full_after_a_guess(
    start: Callable[..., Service], email: str, is_somebodys: bool
) -> None:
    """That it stays counted does not tell whose name it is."""
    service = start(throttle_failures="4/day")
    service.token("signup", email=email)
    service.meet_outdated(email)
    name = email if is_somebodys else f"nobody-{email}"
    before = service.guesses()

    def guess() -> httpx2.Response:
        return service.post("signin", AWAY, email=name, password="x")

    assert service.crowded(1, 6, guess) == [503] * 4 + [429] * 2
    assert service.guesses() - before == (4 if is_somebodys else 0)


@pytest.mark.parametrize("is_somebodys", [True, False])
def test_attack_a_queue_that_is_full_after_one_form_of_a_guess(
    start: Callable[..., Service], email: str, is_somebodys: bool
) -> None:
    service = start(throttle_failures="4/day")
    service.token("signup", email=email)
    name = email if is_somebodys else f"nobody-{email}"

    def guess() -> httpx2.Response:
        return service.post("signin", AWAY, email=name, password=TWO_FORMS)

    assert service.crowded(1, 6, guess) == [503] * 4 + [429] * 2


@for_each_guess_in_a_session
def test_attack_a_queue_that_is_full_after_a_guess_in_a_session(
    start: Callable[..., Service], email: str, route: str, body: dict[str, str]
) -> None:
    service = start(throttle_failures="4/day")
    token = service.token("signup", email=email)
    service.meet_outdated(email)

    def guess() -> httpx2.Response:
        return service.post(route, AWAY, token, **body)

    assert service.crowded(1, 6, guess) == [503] * 4 + [429] * 2


def test_attack_a_queue_that_is_full_after_a_guess_at_the_login(
    start: Callable[..., Service], email: str
) -> None:
    """The same in the layout of fastapi-users."""
    service = start({"layout": "fastapi-users"}, throttle_failures="4/day")
    service.logged_in(email)

    def guess() -> httpx2.Response:
        return service.login(email, TWO_FORMS, AWAY)

    assert service.crowded(1, 6, guess) == [503] * 4 + [429] * 2


def test_what_was_not_compared_is_given_back(
    start: Callable[..., Service], email: str
) -> None:
    service = start(throttle_failures="4/day")
    service.token("signup", email=email)

    def guess() -> httpx2.Response:
        return service.post("signin", AWAY, email=email, password="x")

    assert service.crowded(0, 9, guess) == [503] * 9
    assert service.crowded(1, 5, guess) == [401] * 4 + [429]


def test_an_attempt_is_given_back_once(
    start: Callable[..., Service], email: str
) -> None:
    """A right password has taken its own back, before there is no place for the new."""
    service = start(throttle_account_failures="6/day")
    token = service.token("signup", email=email)
    service.token("signin", AWAY, email=email)

    def guess() -> httpx2.Response:
        return service.post("signin", AWAY, email=email, password="x")

    def change() -> httpx2.Response:
        body = {"current_password": PASSWORD, "new_password": NEW}
        return service.post("change-password", HOME, token, **body)

    assert service.crowded(1, 3, guess) == [401] * 3
    assert service.crowded(1, 3, change) == [503] * 3
    assert service.crowded(1, 4, guess) == [401] * 3 + [429]


def test_attack_a_queue_that_is_full_after_an_email_was_looked_up(
    start: Callable[..., Service], email: str
) -> None:
    """A 409 would have told that somebody has it."""
    service = start({"layout": "fastapi-users"}, throttle_failures="4/day")
    token = service.logged_in(email)

    def move() -> httpx2.Response:
        moved = {"email": f"{uuid4().hex}@example.com", "password": NEW}
        return service.ask("PATCH", "/users/me", token=token, **moved)

    assert service.crowded(0, 6, move) == [503] * 4 + [429] * 2
