"""Opaque tokens of real providers: oidc-provider, and Better Auth's OAuth provider."""

from __future__ import annotations

import asyncio
import json
import urllib.parse
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any

import pytest

from fastbearer import Key
from fastbearer.errors import (
    InactiveTokenError,
    IntrospectionError,
    InvalidAudienceError,
    InvalidIssuerError,
    MissingClaimError,
)
from fastbearer.issuers import Introspection, Issuer
from fastbearer.issuers.opaque import OpaqueVerifier
from fastbearer.jwks import JWKSVerifier
from fastbearer.jwks.discovery import DiscoveredKeys
from node_providers import (
    BetterAuthPlugins,
    OIDCProvider,
    better_auth_plugins,
    oidc_provider,
)

pytestmark = pytest.mark.node

SECRET = "s3cret+/=:&% of a client"
OPAQUE = "https://api.example.com/opaque"
JWT = "https://api.example.com/jwt/ES256"
KEYS = {name: Key.generate(name, kid=name) for name in ("RS256", "ES256", "EdDSA")}


def client(name: str, method: str, **more: Any) -> dict[str, Any]:
    secret = {} if "key" in method else {"client_secret": SECRET}
    return {
        "client_id": name,
        "token_endpoint_auth_method": method,
        "grant_types": ["client_credentials"],
        "redirect_uris": [],
        "response_types": [],
        **secret,
        **more,
    }


def with_key(algorithm: str) -> dict[str, Any]:
    jwks = {"keys": [{**KEYS[algorithm].public().to_jwk(), "use": "sig"}]}
    signing = {"token_endpoint_auth_signing_alg": algorithm, "jwks": jwks}
    return client(f"key-{algorithm}", "private_key_jwt", **signing)


CLIENTS = [
    client("app", "client_secret_basic"),
    client("basic: %", "client_secret_basic"),
    client("post", "client_secret_post"),
    *map(with_key, KEYS),
]


@pytest.fixture(scope="module")
def provider() -> Iterator[OIDCProvider]:
    with oidc_provider(CLIENTS) as provider:
        yield provider


def verifier(
    provider: OIDCProvider, client_id: str = "basic: %", **options: Any
) -> OpaqueVerifier:
    fields = {
        name: options.pop(name)
        for name in ("audience", "require", "url")
        if name in options
    }
    if "private_key" not in options:
        options = {"client_secret": SECRET, **options}
    how = Introspection(client_id=client_id, **options)
    url = fields.pop("url", provider.issuer)
    return OpaqueVerifier(Issuer(url, introspect=how, **fields))


# --- oidc-provider ------------------------------------------------------------------


def test_an_opaque_token_is_asked_about_at_the_endpoint_that_is_discovered(
    provider: OIDCProvider,
) -> None:
    token = provider.issue(
        account="ada", client="app", scope="tasks:read", resource=OPAQUE
    )
    assert token.count(".") == 0
    claims = verifier(provider, audience=OPAQUE).verify(token)
    assert claims["sub"] == "ada" and claims["iss"] == provider.issuer
    assert (claims["scope"], claims["client_id"]) == ("tasks:read", "app")
    assert "active" not in claims
    with pytest.raises(InvalidAudienceError):
        verifier(provider, audience="https://other.example.com").verify(token)


@pytest.mark.parametrize(
    ("client_id", "options"),
    [
        ("basic: %", {}),
        ("post", {"auth": "client_secret_post"}),
        *((f"key-{name}", {"private_key": key}) for name, key in KEYS.items()),
    ],
    ids=["basic", "post", *KEYS],
)
def test_the_provider_knows_its_clients(
    provider: OIDCProvider, client_id: str, options: dict[str, Any]
) -> None:
    token = provider.issue(account="ada", client="app", scope="openid")
    one = verifier(provider, client_id, lifetime=0, **options)
    for _ in range(2):  # an assertion is taken once only
        assert one.verify(token)["sub"] == "ada"


@pytest.mark.parametrize(
    ("client_id", "options"),
    [
        ("basic: %", {"client_secret": "wrong"}),
        ("nobody", {}),
        ("key-ES256", {"private_key": Key.generate("ES256", kid="ES256")}),
        (
            "key-ES256",
            {"private_key": KEYS["ES256"], "assertion_audience": "https://other"},
        ),
    ],
    ids=["secret", "name", "key", "audience"],
)
def test_who_is_no_client_is_told_nothing_of_the_token(
    provider: OIDCProvider,
    client_id: str,
    options: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    token = provider.issue(account="ada", client="app", scope="openid")
    with pytest.raises(IntrospectionError):
        verifier(provider, client_id, **options).verify(token)
    assert "invalid_client" in caplog.text and token not in caplog.text


def test_what_is_revoked_at_the_provider_is_inactive(provider: OIDCProvider) -> None:
    token = provider.issue(account="ada", client="app", scope="openid")
    one = verifier(provider, lifetime=0)
    assert one.verify(token)
    provider.revoke(token, ("app", urllib.parse.quote_plus(SECRET)))
    with pytest.raises(InactiveTokenError):
        one.verify(token)
    with pytest.raises(InactiveTokenError):
        one.verify("made-up-token-of-nobody")


def test_a_refresh_token_is_refused_where_types_are_asked_for(
    provider: OIDCProvider,
) -> None:
    """The provider calls it active, and gives it no type at all."""
    options = {"account": "ada", "client": "app", "scope": "openid"}
    refresh = provider.issue(kind="RefreshToken", **options)
    access = provider.issue(**options)
    strict = verifier(provider, require=["exp", "token_type"])
    assert strict.verify(access)["token_type"] == "Bearer"
    with pytest.raises(MissingClaimError):
        strict.verify(refresh)
    with pytest.raises(MissingClaimError):
        verifier(provider, audience=OPAQUE).verify(refresh)


def test_a_token_of_a_client_alone_has_no_user(provider: OIDCProvider) -> None:
    answer = provider.client.post(
        "/token",
        data={"grant_type": "client_credentials", "resource": OPAQUE},
        auth=("app", urllib.parse.quote_plus(SECRET)),
    )
    token = answer.json()["access_token"]
    claims = verifier(provider, audience=OPAQUE).verify(token)
    assert "sub" not in claims and claims["client_id"] == "app"


def test_a_bound_token_says_so(provider: OIDCProvider) -> None:
    jkt = Key.generate("ES256").thumbprint()
    token = provider.issue(account="ada", client="app", scope="openid", jkt=jkt)
    claims = verifier(provider).verify(token)
    assert (claims["cnf"], claims["token_type"]) == ({"jkt": jkt}, "DPoP")


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_its_jwts_are_verified_with_the_keys_that_are_discovered(
    provider: OIDCProvider, algorithm: str
) -> None:
    resource = f"https://api.example.com/jwt/{algorithm}"
    token = provider.issue(
        account="ada", client="app", scope="tasks:read", resource=resource
    )
    keys = JWKSVerifier(
        DiscoveredKeys(provider.issuer),
        issuer=provider.issuer,
        audience=resource,
        typ="at+jwt",
    )
    claims = keys.verify(token)
    assert claims["sub"] == "ada" and claims["scope"] == "tasks:read"


def test_another_issuers_name_is_found_out_at_discovery(
    provider: OIDCProvider,
) -> None:
    other = provider.issuer.replace("127.0.0.1", "localhost")
    token = provider.issue(account="ada", client="app", scope="openid")
    with pytest.raises(Exception, match="issuer"):
        verifier(provider, url=other).verify(token)
    endpoint = f"{provider.issuer}/token/introspection"
    how = Introspection(endpoint, client_id="basic: %", client_secret=SECRET)
    with pytest.raises(InvalidIssuerError):
        OpaqueVerifier(Issuer(other, introspect=how)).verify(token)


# --- Better Auth's OAuth provider ---------------------------------------------------


@pytest.fixture(scope="module")
def better_auth(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[BetterAuthPlugins]:
    database = tmp_path_factory.mktemp("oauth") / "better-auth.db"
    oauth = {
        "loginPage": "/sign-in",
        "consentPage": "/consent",
        "scopes": ["openid", "profile", "email", "offline_access"],
        "silenceWarnings": {"oauthAuthServerConfig": True, "openidConfig": True},
    }
    plugins = {"jwt": {}, "oauthProvider": oauth}
    with better_auth_plugins(database, plugins) as server:
        yield server


def authorized(server: BetterAuthPlugins, name: str) -> tuple[dict[str, Any], Any]:
    """Make a client, and let a user sign in with it; return it and its tokens."""
    user_id, cookie = server.sign_up(name)
    redirect = "https://app.example.com/callback"
    body = {
        "redirect_uris": [redirect],
        "skip_consent": True,
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": "openid profile email offline_access",
    }
    made = server.call("adminCreateOAuthClient", body, {"cookie": cookie})
    verifier, challenge = pkce()
    query = {
        "response_type": "code",
        "client_id": made["client_id"],
        "redirect_uri": redirect,
        "scope": "openid email offline_access",
        "state": "state",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    asked = f"/oauth2/authorize?{urllib.parse.urlencode(query)}"
    answer = server.request("GET", asked, cookie=cookie)
    where = answer.headers.get("location") or answer.json()["url"]
    code = urllib.parse.parse_qs(urllib.parse.urlsplit(where).query)["code"][0]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect,
        "code_verifier": verifier,
    }
    tokens = server.client.post(
        "/api/auth/oauth2/token",
        data=form,
        auth=(made["client_id"], made["client_secret"]),
    )
    assert tokens.status_code == 200, tokens.text
    return {**made, "user_id": user_id}, tokens.json()


def pkce() -> tuple[str, str]:
    verifier = token_urlsafe(48)
    digest = urlsafe_b64encode(sha256(verifier.encode()).digest())
    return verifier, digest.rstrip(b"=").decode()


def test_an_opaque_token_of_better_auth(better_auth: BetterAuthPlugins) -> None:
    made, tokens = authorized(better_auth, "ada")
    token = tokens["access_token"]
    assert token.count(".") == 0, json.dumps(tokens)
    how = Introspection(
        f"{better_auth.origin}/api/auth/oauth2/introspect",
        client_id=made["client_id"],
        client_secret=made["client_secret"],
        lifetime=0,
    )
    one = OpaqueVerifier(
        Issuer([f"{better_auth.origin}/api/auth", better_auth.origin], introspect=how)
    )
    claims = one.verify(token)
    assert claims["sub"] == made["user_id"]
    assert claims["scope"] == "openid email offline_access"
    assert asyncio.run(one.averify(token)) == claims
    # Its refresh tokens have the type of an access token: the hint keeps them out.
    with pytest.raises(InactiveTokenError):
        one.verify(tokens["refresh_token"])
    with pytest.raises(InactiveTokenError):
        one.verify("made-up")
