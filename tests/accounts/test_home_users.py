"""Whoever else's users come with the id of one of ours: however they send the token."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fastapi import Depends, HTTPException
from starlette.testclient import TestClient

from accounts_kit import CHEAP, EMAIL, PASSWORD, bearer, token_of, url_of
from fastbearer import Key, KeySet, KeySourceError, Signer
from fastbearer.accounts import AccountEvent, Accounts
from fastbearer.app import create_app
from fastbearer.fastapi import Auth, Issuer, Settings
from project import SECRET

KEY = Key.generate("ES256", kid="theirs")
ISSUER = "https://id.example"
NEW_PASSWORD = "another horse battery"
COOKIE = "__Host-fastbearer"
TASK = {"title": "mine"}

ACCOUNT_ROUTES = [
    ("GET", "/api/auth/me"),
    ("POST", "/api/auth/change-password"),
    ("POST", "/api/auth/delete-account"),
    ("POST", "/api/auth/request-verification"),
]
TASK_ROUTES = [
    ("GET", "/{}/tasks/{}"),
    ("PUT", "/{}/tasks/{}"),
    ("PATCH", "/{}/tasks/{}"),
    ("PATCH", "/{}/tasks/{}/complete"),
    ("DELETE", "/{}/tasks/{}"),
]


class Flaky:
    """A source of keys that may be away for some calls, and is then back.

    Attributes:
        fails: How many calls are still to fail.
    """

    def __init__(self) -> None:
        self.fails = 0

    def keys(self, *, unknown_kid: bool = False) -> KeySet:
        if self.fails:
            self.fails -= 1
            raise KeySourceError("away")
        return KeySet([KEY.public()])

    async def akeys(self, *, unknown_kid: bool = False) -> KeySet:
        await asyncio.sleep(0)
        return self.keys()


class Service(NamedTuple):
    client: TestClient
    auth: Auth
    user_id: str
    task_id: str
    ours: str
    theirs: str
    source: Flaky
    events: list[AccountEvent]

    def status(self, method: str, path: str, headers: dict[str, str]) -> int:
        body = {"password": PASSWORD, "current_password": PASSWORD, "title": "theirs"}
        body["new_password"] = NEW_PASSWORD
        path = path.format(self.user_id, self.task_id)
        self.client.cookies.clear()
        return self.client.request(
            method, path, headers=headers, json=None if method == "GET" else body
        ).status_code


@contextmanager
def served(folder: Path, **settings: Any) -> Iterator[Service]:
    source = Flaky()
    foreign = Issuer(ISSUER, keys=source, ignore_audience=True, algorithms=["ES256"])
    own = Settings(
        better_auth_secret=SECRET,
        database_url=url_of(folder / "a.db"),
        throttle=False,
        **settings,
    )
    auth = Auth(own, issuers=[foreign])
    accounts = Accounts(auth, hasher=CHEAP, send=lambda message: None)
    events: list[AccountEvent] = []
    accounts.on_event()(events.append)
    app = create_app(auth, accounts=accounts)

    @app.get("/ours", dependencies=[Depends(auth.verify_home_user)])
    async def ours() -> None:
        """For our own users."""

    with TestClient(app, base_url="https://testserver") as client:
        body = {"email": EMAIL, "password": PASSWORD}
        signed = client.post("/api/auth/signup", json=body)
        user_id = signed.json()["data"]["user"]["id"]
        token = auth.generate_jwt_token(user_id, EMAIL)
        path = f"/{user_id}/tasks"
        made = client.post(path, json=TASK, headers=bearer(token))
        signer = Signer(KEY, issuer=ISSUER, lifetime=900)
        theirs = signer.sign({"sub": user_id, "email": EMAIL})
        task_id = made.json()["data"]["id"]
        yield Service(client, auth, user_id, task_id, token, theirs, source, events)


def cookies(*tokens: str) -> dict[str, str]:
    return {
        "Cookie": "; ".join(f"{COOKIE}={token}" for token in tokens),
        "Origin": "https://testserver",
    }


def test_a_foreign_users_cookie_beside_a_bad_one_is_refused(tmp_path: Path) -> None:
    with served(tmp_path, auth_cookie=True) as service:
        theirs = service.theirs
        for sent in (
            cookies(theirs),
            cookies("junk", theirs),
            cookies(theirs, "junk"),
            cookies("junk", "more", theirs),
            bearer(theirs),
        ):
            for method, path in [*ACCOUNT_ROUTES, ("GET", "/ours")]:
                assert service.status(method, path, sent) == 401, (path, sent)
        for sent in (cookies("junk", service.ours), cookies(service.ours, "junk")):
            assert service.status("GET", "/api/auth/me", sent) == 200
            assert service.status("GET", "/{}/tasks", sent) == 200
            assert service.status("GET", "/ours", sent) == 200


@pytest.mark.parametrize("fails", [1, 2])
@pytest.mark.parametrize("cookie", [False, True])
def test_a_source_of_keys_that_is_away_for_a_moment_admits_nobody(
    tmp_path: Path, fails: int, *, cookie: bool
) -> None:
    with served(tmp_path, auth_cookie=cookie) as service:
        sent = cookies("junk", service.theirs) if cookie else bearer(service.theirs)
        for method, path in ACCOUNT_ROUTES:
            service.source.fails = fails
            statuses = [service.status(method, path, sent) for _ in range(3)]
            assert set(statuses) <= {401, 503}, path
            assert statuses[-1] == 401


def test_equal_subjects_of_two_issuers_have_tasks_of_their_own(tmp_path: Path) -> None:
    with served(tmp_path) as service:
        path = f"/{service.user_id}/tasks"
        theirs, ours = bearer(service.theirs), bearer(service.ours)
        assert service.client.get(path, headers=theirs).json()["data"] == []
        for method, one in TASK_ROUTES:
            assert service.status(method, one, theirs) == 404, one
        made = service.client.post(path, json={"title": "theirs"}, headers=theirs)
        assert made.status_code == 201
        task = f"{path}/{made.json()['data']['id']}"
        assert service.client.get(task, headers=theirs).status_code == 200
        assert service.client.get(task, headers=ours).status_code == 404
        for headers, title in ((ours, TASK["title"]), (theirs, "theirs")):
            found = service.client.get(path, headers=headers).json()["data"]
            assert [one["title"] for one in found] == [title]


def test_an_event_names_no_account_of_ours_for_a_foreign_user(tmp_path: Path) -> None:
    with served(tmp_path, revocation="memory") as service:
        for route in ("signout-everywhere", "signout"):
            service.events.clear()
            token = Signer(KEY, issuer=ISSUER, lifetime=900).sign(
                {"sub": service.user_id, "email": EMAIL, "iat": 4_000_000_000}
            )
            path = f"/api/auth/{route}"
            assert service.status("POST", path, bearer(token)) == 200
            assert [(one.user_id, one.email) for one in service.events] == [(None, "")]
            assert service.status("POST", path, bearer(service.ours)) == 200
            assert service.events[-1].user_id == service.user_id
            # What everybody of the user had has ended.
            again = service.client.post(
                "/api/auth/signin", json={"email": EMAIL, "password": PASSWORD}
            )
            service = service._replace(ours=token_of(again))


def test_a_token_in_a_message_is_one_of_our_own_users(tmp_path: Path) -> None:
    with served(tmp_path) as service:
        door = service.auth.verify_home_user
        user = asyncio.run(door.authenticated_by(service.ours))
        assert user["user_id"] == service.user_id
        with pytest.raises(HTTPException) as caught:
            asyncio.run(door.authenticated_by(service.theirs))
        assert caught.value.status_code == 401
