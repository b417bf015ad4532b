"""Limits: by e-mail and by address, in memory and in Redis."""

from __future__ import annotations

import ast
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI

from accounts_kit import (
    PASSWORD,
    CountingHash,
    answer,
    http,
    make_auth,
    make_service,
    post,
    refused,
    sign_in,
    sign_up,
    token_of,
)
from fastbearer.accounts import Accounts
from fastbearer.errors import ConfigurationError
from servers import empty_redis_cluster, own_redis, redis
from waiting import wait_until

Serve = Callable[[FastAPI], str]
TOO_MANY = "Too many attempts. Please try again later."
UNAVAILABLE = "The service cannot reach its store. Please try again."

KINDS = [
    "memory",
    pytest.param("redis", marks=pytest.mark.redis),
    pytest.param("redis cluster", marks=pytest.mark.redis_cluster),
]


@pytest.fixture
def email() -> str:
    """An e-mail that no other run has counted in Redis."""
    return f"{uuid4().hex}@example.com"


@pytest.fixture(params=KINDS)
def limits(request: pytest.FixtureRequest) -> dict[str, Any]:
    urls = {"redis": redis, "redis cluster": empty_redis_cluster}
    return {
        "throttle": True,
        "redis_url": urls[request.param]() if request.param in urls else None,
        "throttle_failures": "10/hour",  # no machine is so slow that one has passed
        "throttle_requests": "100000/hour",  # all tests come from one address
    }


@pytest.fixture
def service(serve: Serve, tmp_path: Path, limits: dict[str, Any]) -> str:
    return serve(make_service(tmp_path / "a.db", **limits))


def test_ten_wrong_passwords(service: str, email: str) -> None:
    sign_up(service, email=email)
    wrong = [sign_in(service, email=email, password="wrong") for _ in range(12)]
    assert [one.status_code for one in wrong] == [401] * 10 + [429] * 2
    assert answer(wrong[-1]) == refused(429, TOO_MANY)
    assert 1 <= int(wrong[-1].headers["retry-after"]) <= 3600
    # The right password is no way around it, nor is another spelling.
    assert sign_in(service, email=email).status_code == 429
    assert sign_in(service, email=f" {email.upper()}").status_code == 429
    assert sign_in(service, email=f"x{email}").status_code == 401


def test_an_unknown_email_is_limited_alike(service: str, email: str) -> None:
    sign_up(service, email=email)
    for one in (email, f"unknown-{email}"):
        found = [sign_in(service, email=one, password="wrong") for _ in range(11)]
        assert [response.status_code for response in found] == [401] * 10 + [429]
        assert answer(found[-1]) == refused(429, TOO_MANY)


def test_many_at_a_time_are_not_more(service: str, email: str) -> None:
    with ThreadPoolExecutor(20) as threads:
        statuses = list(
            threads.map(
                lambda _: sign_in(service, email=email, password="wrong").status_code,
                range(40),
            )
        )
    assert sorted(statuses) == [401] * 10 + [429] * 30


def test_success_forgets_the_failures(service: str, email: str) -> None:
    sign_up(service, email=email)
    for _ in range(3):
        for _ in range(9):
            assert sign_in(service, email=email, password="wrong").status_code == 401
        assert sign_in(service, email=email).status_code == 200


def test_beyond_the_limit_nothing_is_hashed(
    serve: Serve, tmp_path: Path, email: str, limits: dict[str, Any]
) -> None:
    hasher = CountingHash()
    service = serve(make_service(tmp_path / "a.db", hasher=hasher, **limits))
    for _ in range(10):
        sign_up(service, email=email)
        sign_in(service, email=email, password="wrong")
    hasher.made, hasher.verified = 0, []
    assert sign_in(service, email=email).status_code == 429
    assert sign_up(service, email=email).status_code == 429
    assert hasher.made == 0 and hasher.verified == []


def test_signing_up_again_and_again(service: str, email: str) -> None:
    statuses = [sign_up(service, email=email).status_code for _ in range(12)]
    assert statuses == [201] + [400] * 9 + [429] * 2
    # That keeps nobody from signing in.
    assert sign_in(service, email=email).status_code == 200


def test_guessing_the_current_password_counts(service: str, email: str) -> None:
    token = token_of(sign_up(service, email=email))
    body = {"current_password": "wrong", "new_password": "another horse battery"}
    statuses = [
        post(service, "change-password", token, **body).status_code for _ in range(11)
    ]
    assert statuses == [403] * 10 + [429]
    assert post(service, "delete-account", token, password=PASSWORD).status_code == 429


def test_messages_are_few(service: str, email: str) -> None:
    for one in (email, f"unknown-{email}"):
        statuses = [
            post(service, "forgot-password", email=one).status_code for _ in range(6)
        ]
        assert statuses == [202] * 5 + [429]


def test_invalid_input_counts_for_no_email(service: str, email: str) -> None:
    for _ in range(12):
        assert sign_up(service, email=email, password="short").status_code == 400
        assert sign_in(service, email=email, password="x" * 200).status_code == 400
    assert sign_up(service, email=email).status_code == 201


def test_requests_from_one_address(serve: Serve, tmp_path: Path) -> None:
    limits = {"throttle": True, "throttle_requests": "5/hour"}
    service = serve(make_service(tmp_path / "a.db", **limits))
    statuses = [sign_in(service, email=f"{n}@x.example").status_code for n in range(7)]
    assert statuses == [401] * 5 + [429] * 2
    assert post(service, "forgot-password", email="a@b.example").status_code == 429
    # The limit is on the open routes alone.
    assert http.get(f"{service}/healthz").status_code == 200
    assert http.get(f"{service}/somebody/tasks").status_code == 401


def test_it_can_be_off(serve: Serve, tmp_path: Path) -> None:
    service = serve(make_service(tmp_path / "a.db", throttle="off"))
    statuses = {sign_in(service, password="wrong").status_code for _ in range(30)}
    assert statuses == {401}


# --- who is the client?


def addressed(service: str, *forwarded: str) -> int:
    headers = [("X-Forwarded-For", one) for one in forwarded]
    body = {"email": "a@b.example", "password": PASSWORD}
    return http.post(
        f"{service}/api/auth/signin", json=body, headers=headers
    ).status_code


@pytest.fixture
def behind(serve: Serve, tmp_path: Path) -> Callable[..., str]:
    def start(**settings: Any) -> str:
        limits = {"throttle": True, "throttle_requests": "2/hour"}
        limits |= {"throttle_failures": "1000/hour", **settings}
        return serve(make_service(tmp_path / "a.db", **limits))

    return start


def test_nobody_is_believed_by_default(behind: Callable[..., str]) -> None:
    service = behind()
    statuses = [addressed(service, f"203.0.113.{n}") for n in range(3)]
    assert statuses == [401, 401, 429]


@pytest.mark.parametrize(
    "lines",
    [
        ["{}"],
        ["198.51.100.1, {}"],
        ["198.51.100.1", "{}"],
        ["{}, 10.1.2.3"],
        ["{}, 10.1.2.3, 127.0.0.1"],
        ["nonsense, {}"],
        ["::ffff:{}"],
        ["2001:db8:0:{:x}::1"],
    ],
)
def test_a_trusted_proxy_is_believed(
    behind: Callable[..., str], lines: list[str]
) -> None:
    service = behind(trusted_proxies="127.0.0.0/8, 10.0.0.0/8")

    def ask(number: int) -> int:
        text = f"203.0.113.{number}"
        value = number if "{:x}" in lines[0] else text
        return addressed(service, *(line.format(value) for line in lines))

    assert [ask(1), ask(1), ask(1), ask(2), ask(2), ask(2)] == [
        *(401, 401, 429),
        *(401, 401, 429),
    ]


@pytest.mark.parametrize("value", ["", "nonsense", "1.2.3.4.5", "é", ",,,", "x" * 5000])
def test_a_client_that_a_proxy_does_not_name(
    behind: Callable[..., str], value: str
) -> None:
    """Then the proxy is the client: none gets more than one client may have."""
    service = behind(trusted_proxies="127.0.0.1")
    headers = [(b"X-Forwarded-For", value.encode())]
    body = {"email": "a@b.example", "password": PASSWORD}
    statuses = [
        http.post(f"{service}/api/auth/signin", json=body, headers=headers).status_code
        for _ in range(3)
    ]
    assert statuses == [401, 401, 429]


def test_one_network_of_ipv6_is_one_client(behind: Callable[..., str]) -> None:
    service = behind(trusted_proxies="127.0.0.1")
    hosts = [f"2001:db8:0:7::{n}" for n in range(3)]
    assert [addressed(service, host) for host in hosts] == [401, 401, 429]


@pytest.mark.parametrize(
    "value", ["{}:51234", '"{}"', "198.51.100.1:9, {}:4711, 10.0.0.1:80"]
)
def test_ports_of_a_proxy_are_no_part_of_the_client(
    behind: Callable[..., str], value: str
) -> None:
    """Azure's gateway sends a port, a new one for each connection."""
    service = behind(trusted_proxies="127.0.0.1, 10.0.0.0/8")
    hosts = ["203.0.113.1"] * 3 + ["203.0.113.2"]
    assert [addressed(service, value.format(one)) for one in hosts] == [
        *(401, 401, 429, 401)
    ]


# --- settings and failures


@pytest.mark.parametrize(
    "name",
    ["failures", "requests", "messages", "account_failures", "account_messages"],
)
def test_a_limit_must_be_one(serve: Serve, tmp_path: Path, name: str) -> None:
    settings = {f"throttle_{name}": "often"}
    with pytest.raises(ConfigurationError, match=f"THROTTLE_{name.upper()} must be"):
        serve(make_service(tmp_path / "a.db", **settings))


def test_a_redis_url_must_be_one(serve: Serve, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="REDIS_URL must be"):
        serve(make_service(tmp_path / "a.db", redis_url="nonsense"))


@pytest.mark.redis
def test_redis_dies_and_comes_back(serve: Serve, tmp_path: Path) -> None:
    """Errors are 503; what was revoked stays so; no restart is needed."""
    with own_redis() as server:
        settings = {"redis_url": server.url, "revocation": "redis", "throttle": True}
        settings |= {"throttle_requests": "100000/hour", "revocation_lag_seconds": 2}
        service = serve(make_service(tmp_path / "a.db", **settings))
        gone = token_of(sign_up(service))
        kept = token_of(sign_in(service))
        assert post(service, "signout", gone).status_code == 200

        def me(token: str) -> httpx2.Response:
            headers = {"Authorization": f"Bearer {token}"}
            return http.get(f"{service}/api/auth/me", headers=headers)

        for _ in range(2):
            assert [me(gone).status_code, me(kept).status_code] == [401, 200]
            assert http.get(f"{service}/readyz").json()["redis"] == "ok"
            with ThreadPoolExecutor(8) as threads:
                under_load = threads.map(
                    lambda n: (
                        (me if n % 2 else sign_in_with)(
                            kept if n % 2 else service
                        ).status_code
                    ),
                    range(200),
                )
                server.kill()
                statuses = set(under_load)
            assert statuses <= {200, 401, 503} and 503 in statuses
            assert answer(sign_in(service)) == refused(503, UNAVAILABLE)
            # What is known is good for as long as the settings say, and no longer.
            wait_until(lambda: me(kept).status_code == 503)
            assert [me(gone).status_code, me(kept).status_code] == [503, 503]
            ready = http.get(f"{service}/readyz")
            assert ready.status_code == 503
            assert ready.json() == {"status": "down", "database": "ok", "redis": "down"}
            assert http.get(f"{service}/healthz").status_code == 200
            server.start()
            wait_until(lambda: me(kept).status_code == 200)
            assert [me(gone).status_code, me(kept).status_code] == [401, 200]
            assert sign_in(service).status_code == 200


def sign_in_with(service: str) -> httpx2.Response:
    return sign_in(service)


def test_accounts_without_their_lifespan_still_count(tmp_path: Path) -> None:
    accounts = Accounts(make_auth(tmp_path / "a.db", throttle=True))
    assert accounts._throttle._ready() is accounts._throttle._ready()


@pytest.mark.parametrize(
    "module", ["accounts.throttle", "accounts.credentials", "fastapi.client_address"]
)
def test_it_raises_errors_and_knows_nothing_of_http(module: str) -> None:
    source = Path(import_module(f"fastbearer.{module}").__file__ or "")
    named = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.ImportFrom):
            named.add(str(node.module).partition(".")[0])
        elif isinstance(node, ast.Import):
            named.update(alias.name.partition(".")[0] for alias in node.names)
    assert not named & {"fastapi", "starlette"}
