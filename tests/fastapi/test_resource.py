"""What a service says of itself (RFC 9728), and the challenges that lead there."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from fastbearer.errors import ConfigurationError, InvalidProofError, TokenError
from fastbearer.fastapi.challenges import (
    Challenges,
    answer_to,
    insufficient_scope,
    invalid_request,
    not_authenticated,
    other_user,
)
from fastbearer.fastapi.resource import OWN_MEMBERS, Resource, metadata_router

WELL_KNOWN = "/.well-known/oauth-protected-resource"
ISSUER = "https://id.example.com"

PLACES = [
    ("https://api.example.com", WELL_KNOWN),
    ("https://api.example.com/", WELL_KNOWN),
    ("https://api.example.com/mcp", f"{WELL_KNOWN}/mcp"),
    ("https://api.example.com/mcp/", f"{WELL_KNOWN}/mcp/"),
    ("https://api.example.com/a/b", f"{WELL_KNOWN}/a/b"),
    ("https://API.example.com:443/a%20b", f"{WELL_KNOWN}/a%20b"),
    ("http://127.0.0.1:8000/mcp", f"{WELL_KNOWN}/mcp"),
    ("http://localhost:8000/mcp", f"{WELL_KNOWN}/mcp"),
]


@pytest.mark.parametrize(("url", "path"), PLACES)
def test_the_document_is_where_clients_look_for_it(url: str, path: str) -> None:
    resource = Resource(url)
    assert resource.metadata_path == path
    app = FastAPI()
    app.include_router(
        metadata_router(resource.metadata_path, lambda: resource.document([ISSUER], []))
    )
    client = TestClient(app, base_url=resource.origin)
    response = client.get(resource.metadata_url)
    assert response.status_code == 200
    assert response.json() == {
        "resource": url,
        "authorization_servers": [ISSUER],
        "bearer_methods_supported": ["header"],
    }
    assert client.get("/elsewhere" + path).status_code == 404


def served(resource: Resource) -> TestClient:
    app = FastAPI()
    app.include_router(
        metadata_router(resource.metadata_path, lambda: resource.document([ISSUER], []))
    )
    return TestClient(app)


def test_a_script_of_any_site_reads_the_document() -> None:
    client = served(Resource("https://api.example.com/mcp"))
    path = f"{WELL_KNOWN}/mcp"
    answer = client.get(path, headers={"Origin": "https://inspector.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["content-type"] == "application/json"
    assert "set-cookie" not in answer.headers
    preflight = client.options(
        path,
        headers={
            "Origin": "https://inspector.example",
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "mcp-protocol-version",
        },
    )
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-headers"] == "*"
    assert "GET" in preflight.headers["access-control-allow-methods"]
    assert client.post(path).status_code == 405


def test_the_document_is_not_in_the_schema_of_the_service() -> None:
    client = served(Resource("https://api.example.com"))
    assert client.get("/openapi.json").json()["paths"] == {}


def test_two_resources_of_one_application() -> None:
    app = FastAPI()
    for name in ("one", "two"):
        resource = Resource(f"https://api.example.com/{name}")
        document = resource.document([ISSUER], [])
        app.include_router(
            metadata_router(resource.metadata_path, lambda found=document: found)
        )
    client = TestClient(app)
    for name in ("one", "two"):
        found = client.get(f"{WELL_KNOWN}/{name}").json()["resource"]
        assert found == f"https://api.example.com/{name}"


def test_all_that_a_service_can_say_of_itself() -> None:
    resource = Resource(
        "https://api.example.com/mcp",
        authorization_servers=[f"{ISSUER}/a", f"{ISSUER}/b"],
        scopes_supported=["tasks:read", "tasks:write"],
        name="Tasks",
        documentation="https://docs.example.com",
        policy="https://example.com/policy",
        terms="https://example.com/terms",
        more={"resource_name#it": "Compiti", "jwks_uri": "https://api.example.com/k"},
    )
    document = resource.document([ISSUER], ["ES256"], needs_proof=True)
    assert document == {
        "resource": "https://api.example.com/mcp",
        "authorization_servers": [f"{ISSUER}/a", f"{ISSUER}/b"],
        "scopes_supported": ["tasks:read", "tasks:write"],
        "bearer_methods_supported": [],
        "resource_name": "Tasks",
        "resource_name#it": "Compiti",
        "resource_documentation": "https://docs.example.com",
        "resource_policy_uri": "https://example.com/policy",
        "resource_tos_uri": "https://example.com/terms",
        "jwks_uri": "https://api.example.com/k",
        "dpop_signing_alg_values_supported": ["ES256"],
        "dpop_bound_access_tokens_required": True,
    }
    assert document.keys() - resource.more.keys() == OWN_MEMBERS
    optional = resource.document([ISSUER], ["ES256"])
    assert optional["bearer_methods_supported"] == ["header"]
    assert "dpop_bound_access_tokens_required" not in optional


WRONG = [
    *({"url": url} for url in ("", "api.example.com", "http://api.example.com")),
    *(
        {"url": f"https://api.example.com/{tail}"}
        for tail in ("?a=b", "#a", "{x}", "ü")
    ),
    *({"url": url} for url in ("https://u:p@api.example.com", "ftp://a", None, 7)),
    {"scopes_supported": "tasks"},
    {"scopes_supported": ['a"b']},
    {"scopes_supported": ["a b"]},
    {"scopes_supported": [""]},
    {"challenge_scopes": ["a\r\nb"]},
    {"authorization_servers": "https://id.example.com"},
    {"authorization_servers": ["id.example.com"]},
    {"authorization_servers": []},
    {"more": {"resource": "https://evil.example"}},
    {"more": {"dpop_bound_access_tokens_required": False}},
]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_resource_that_makes_no_sense(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        Resource(**{"url": "https://api.example.com", **wrong})


BEARER = 'Bearer realm="fastbearer"'
PLACE = 'resource_metadata="https://api.example.com/.well-known/x"'
LEADING = Challenges("https://api.example.com/.well-known/x", ("tasks:read",))


def challenge(refusal: Any) -> str:
    return str(refusal.headers["WWW-Authenticate"])


def test_every_refusal_leads_to_the_metadata() -> None:
    first = f'scope="tasks:read", {PLACE}'
    assert challenge(not_authenticated(LEADING)) == f"{BEARER}, {first}"
    told = 'error="invalid_token", error_description="Invalid token"'
    refused = answer_to(TokenError("x"), None, LEADING)
    assert challenge(refused) == f"{BEARER}, {told}, {first}"
    needed = challenge(insufficient_scope(["tasks:write", "x"], LEADING))
    assert needed.endswith(f', scope="tasks:write x", {PLACE}')
    for refusal in (invalid_request("Two", LEADING), other_user(LEADING)):
        assert challenge(refusal).endswith(f", {PLACE}")
        assert "scope=" not in challenge(refusal).replace("insufficient_scope", "")


def test_a_route_s_own_scopes_come_first() -> None:
    text = challenge(not_authenticated(LEADING, ["tasks:write"]))
    assert text == f'{BEARER}, scope="tasks:write", {PLACE}'


BOTH = Challenges(None, (), ("ES256", "PS256"))
PROOF_ONLY = Challenges(None, (), ("ES256",), needs_proof=True)
DPOP = 'DPoP realm="fastbearer"'
TOLD = 'error="invalid_token", error_description="Invalid token"'


def test_both_schemes_where_both_are_accepted() -> None:
    """RFC 9449 7.2: the error belongs to the scheme that was used."""
    algs = 'algs="ES256 PS256"'
    assert challenge(not_authenticated(BOTH)) == f"{BEARER}, {DPOP}, {algs}"
    bearer = challenge(answer_to(TokenError("x"), None, BOTH))
    assert bearer == f"{BEARER}, {TOLD}, {DPOP}, {algs}"
    dpop = challenge(answer_to(TokenError("x"), None, BOTH, is_proven=True))
    assert dpop == f"{BEARER}, {DPOP}, {TOLD}, {algs}"


def test_one_scheme_where_a_proof_is_required() -> None:
    assert challenge(not_authenticated(PROOF_ONLY)) == f'{DPOP}, algs="ES256"'
    refused = challenge(answer_to(TokenError("x"), None, PROOF_ONLY))
    assert refused == f'{DPOP}, {TOLD}, algs="ES256"'


def test_a_bad_proof_and_a_missing_nonce() -> None:
    bad = answer_to(InvalidProofError("x", "y"), None, PROOF_ONLY, is_proven=True)
    assert (bad.status_code, bad.detail) == (401, "Invalid DPoP proof")
    assert 'error="invalid_dpop_proof"' in challenge(bad)
    assert "DPoP-Nonce" not in bad.headers
    nonce = InvalidProofError("x", "nonce_missing", "n-1")
    asks = answer_to(nonce, None, BOTH, is_proven=True)
    assert (asks.status_code, asks.headers["DPoP-Nonce"]) == (401, "n-1")
    assert f'{DPOP}, error="use_dpop_nonce"' in challenge(asks)
