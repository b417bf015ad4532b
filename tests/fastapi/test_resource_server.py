"""A service that tells its clients about itself, from the outside."""

import json
import time
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, Security
from starlette.testclient import TestClient

from fastbearer import Key, Signer
from fastbearer.errors import ConfigurationError
from fastbearer.fastapi import (
    Auth,
    BearerMiddleware,
    DPoP,
    Issuer,
    Resource,
    Settings,
    TokenUser,
)
from project import OTHER_SECRET, SECRET

ISSUER = "https://id.example.com"
URL = "https://api.example.com/tasks"
PLACE = "https://api.example.com/.well-known/oauth-protected-resource/tasks"
LEADS = f'resource_metadata="{PLACE}"'
SCOPES = ["tasks:read", "tasks:write"]
RESOURCE = Resource(URL, scopes_supported=SCOPES, challenge_scopes=["tasks:read"])
KEY = Key.generate("ES256", kid="1")


def settings(**more: Any) -> Settings:
    return Settings(better_auth_secret=SECRET, **more)


def sign(key: Any = None, **claims: Any) -> str:
    usual = {"sub": "u1", "exp": int(time.time()) + 600, "aud": URL}
    found = {k: v for k, v in {**usual, **claims}.items() if v is not None}
    return Signer(key or Key.from_secret(SECRET)).sign(found)


def app_with(auth: Auth) -> FastAPI:
    app = FastAPI(lifespan=auth.lifespan)
    app.include_router(auth.resource_metadata)

    @app.get("/me")
    async def me(
        user: Annotated[TokenUser, Depends(auth.verify_jwt_token)],
    ) -> TokenUser:
        return user

    @app.get("/claims")
    async def claims(
        found: Annotated[dict[str, Any], Depends(auth.token_claims)],
    ) -> dict[str, Any]:
        return found

    @app.get("/{user_id}/tasks")
    async def tasks(
        user: Annotated[TokenUser, Depends(auth.verify_user_id)],
    ) -> TokenUser:
        return user

    @app.get("/write")
    async def write(
        user: Annotated[TokenUser, Security(auth.requires, scopes=["tasks:write"])],
    ) -> TokenUser:
        return user

    return app


def middleware_app(auth: Auth) -> FastAPI:
    app = FastAPI()

    @app.get("/me")
    async def me() -> None:
        return None

    app.add_middleware(BearerMiddleware, auth=auth)
    return app


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_every_refusal_leads_to_the_document() -> None:
    client = TestClient(app_with(Auth(settings(), resource=RESOURCE)))
    first = f'scope="tasks:read", {LEADS}'
    refused = [
        ("/me", {}, 401, f'Bearer realm="fastbearer", {first}'),
        ("/me", bearer("x"), 401, first),
        ("/me", bearer(sign(exp=1)), 401, first),
        ("/me", bearer(sign(sub=None)), 401, first),
        ("/claims", {}, 401, first),
        ("/claims", bearer("x"), 401, first),
        ("/u2/tasks", bearer(sign()), 403, LEADS),
        ("/write", {}, 401, f'scope="tasks:write", {LEADS}'),
        ("/write", bearer(sign()), 403, f'scope="tasks:write", {LEADS}'),
    ]
    for path, headers, status, told in refused:
        answer = client.get(path, headers=headers)
        assert answer.status_code == status, path
        assert told in answer.headers["www-authenticate"], path
    two = client.get("/me", headers=[("Authorization", "Bearer a")] * 2)
    assert (two.status_code, LEADS in two.headers["www-authenticate"]) == (400, True)


def test_the_middleware_leads_there_as_well() -> None:
    client = TestClient(middleware_app(Auth(settings(), resource=RESOURCE)))
    for headers in ({}, bearer("x"), bearer(sign(sub=None))):
        refused = client.get("/me", headers=headers)
        assert refused.status_code == 401
        assert LEADS in refused.headers["www-authenticate"]
    assert client.get("/me", headers=bearer(sign())).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "api.example.com", "127.0.0.1"])
def test_the_host_header_says_nothing(host: str) -> None:
    app = app_with(Auth(settings(), resource=RESOURCE))
    client = TestClient(app, base_url=f"http://{host}")
    assert LEADS in client.get("/me").headers["www-authenticate"]
    path = PLACE.removeprefix("https://api.example.com")
    assert client.get(path).json()["resource"] == URL


def test_behind_a_proxy_that_cuts_a_prefix() -> None:
    """The document is at the root of the host, whatever the prefix."""
    auth = Auth(settings(), resource=Resource("https://api.example.com/v1/tasks"))
    app = FastAPI()
    app.include_router(auth.resource_metadata)
    path = "/.well-known/oauth-protected-resource/v1/tasks"
    client = TestClient(app, root_path="/v1")
    assert client.get(path).status_code == 200


AUDIENCES = [
    (URL, True),
    (["other", URL], True),
    ("https://api.example.com", False),
    (f"{URL}/", False),
    ("other", False),
    (None, False),
    ([], False),
]


@pytest.mark.parametrize(("audience", "is_good"), AUDIENCES)
def test_tokens_are_for_this_service(audience: Any, *, is_good: bool) -> None:
    """Of the shared secret, and of an issuer that code or settings name."""
    issuer = Issuer(ISSUER, keys=KEY)
    keys = {"keys": [KEY.public().to_jwk()]}
    listed = json.dumps([{"url": ISSUER, "keys": keys}])
    foreign = sign(KEY, aud=audience, iss=ISSUER)
    # JWT_AUDIENCE is not for issuers that have fields of their own.
    tasks = {"jwt_audience": "tasks"}
    accepting = [
        (sign(aud=audience), {"settings": settings()}),
        (foreign, {"issuers": [issuer]}),
        (foreign, {"settings": Settings(jwt_issuers=listed)}),
        (foreign, {"settings": settings(jwt_issuers=listed)}),
        (foreign, {"settings": settings(**tasks), "issuers": [issuer]}),
        (foreign, {"settings": settings(**tasks, jwt_issuers=listed)}),
    ]
    for token, options in accepting:
        auth = Auth(**options, resource=RESOURCE)
        answer = TestClient(app_with(auth)).get("/me", headers=bearer(token))
        assert answer.status_code == (200 if is_good else 401)


def test_an_audience_that_is_configured_is_the_only_one() -> None:
    chosen = Auth(settings(jwt_audience="tasks"), resource=RESOURCE)
    client = TestClient(app_with(chosen))
    assert client.get("/me", headers=bearer(sign(aud="tasks"))).status_code == 200
    assert client.get("/me", headers=bearer(sign())).status_code == 401
    own = Issuer(ISSUER, keys=KEY, audience="tasks")
    client = TestClient(app_with(Auth(issuers=[own], resource=RESOURCE)))
    for audience, status in (("tasks", 200), (URL, 401)):
        token = sign(KEY, iss=ISSUER, aud=audience)
        assert client.get("/me", headers=bearer(token)).status_code == status
    anything = Issuer(ISSUER, keys=KEY, ignore_audience=True)
    client = TestClient(app_with(Auth(issuers=[anything], resource=RESOURCE)))
    token = sign(KEY, iss=ISSUER, aud="x")
    assert client.get("/me", headers=bearer(token)).status_code == 200


def test_tokens_of_our_own_are_for_this_service() -> None:
    auth = Auth(settings(), resource=RESOURCE)
    token = auth.generate_jwt_token("u1", "")
    answer = TestClient(app_with(auth)).get("/me", headers=bearer(token))
    assert answer.status_code == 200


def document(auth: Auth) -> Any:
    client = TestClient(app_with(auth))
    return client.get(PLACE.removeprefix("https://api.example.com")).json()


def test_the_authorization_servers_are_the_issuers() -> None:
    several = [
        Issuer(ISSUER, keys=KEY),
        Issuer(
            ["https://accounts.example.com", "accounts.example.com"],
            keys=Key.from_secret(OTHER_SECRET),
        ),
    ]
    found = document(Auth(issuers=several, resource=RESOURCE))
    assert found["authorization_servers"] == [ISSUER, "https://accounts.example.com"]
    chosen = Resource(URL, authorization_servers=["https://as.example.com"])
    found = document(Auth(issuers=several, resource=chosen))
    assert found["authorization_servers"] == ["https://as.example.com"]
    assert "authorization_servers" not in document(Auth(settings(), resource=RESOURCE))


def test_the_document_says_that_proofs_are_accepted() -> None:
    optional = document(Auth(settings(), resource=RESOURCE, dpop=DPoP()))
    assert "ES256" in optional["dpop_signing_alg_values_supported"]
    required = DPoP(required=True, algorithms=["ES256"])
    strict = document(Auth(settings(), resource=RESOURCE, dpop=required))
    assert strict["dpop_signing_alg_values_supported"] == ["ES256"]
    assert strict["dpop_bound_access_tokens_required"] is True


def test_settings_alone() -> None:
    auth = Auth(
        settings(
            resource_url=URL, resource_scopes="tasks:read  x", resource_name="Tasks"
        )
    )
    found = document(auth)
    assert (found["resource"], found["resource_name"]) == (URL, "Tasks")
    assert found["scopes_supported"] == ["tasks:read", "x"]
    refused = TestClient(app_with(auth)).get("/me")
    assert f'scope="tasks:read x", {LEADS}' in refused.headers["www-authenticate"]


def test_without_a_url_there_is_no_document() -> None:
    with pytest.raises(ConfigurationError, match="RESOURCE_URL"):
        _ = Auth(settings()).resource_metadata
