"""What a profile makes of what it is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from fastbearer.errors import ConfigurationError
from fastbearer.issuers import Issuer
from fastbearer.issuers.settings import issuer_of, profile_names
from project import SECRET
from providers import PROVIDERS, Provider, members

every_provider = pytest.mark.parametrize(
    "provider", PROVIDERS, ids=[one.name for one in PROVIDERS]
)

TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
OTHER_TENANT = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490"
PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"
API = "6e74172b-be56-4843-9ff4-e66a39bb12e3"
MICROSOFT = "https://login.microsoftonline.com"
CHINA = "cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_a"


def several(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def test_each_profile_has_a_provider_in_the_kit() -> None:
    covered = {one.profile for one in PROVIDERS if one.profile is not None}
    assert covered == set(profile_names()) - {"secret"}


@every_provider
def test_the_addresses_are_those_of_the_providers_document(provider: Provider) -> None:
    issuer = provider.issuer()
    assert several(issuer.url) == provider.urls
    assert issuer.keys == provider.keys


@every_provider
def test_settings_say_the_same_as_code(provider: Provider) -> None:
    told = json.loads(json.dumps({"profile": provider.profile, **provider.settings}))
    assert members(issuer_of(told)) == members(provider.issuer())


WORDS: dict[str, tuple[Callable[..., Issuer], tuple[Any, ...], Any, str]] = {
    "Auth0's domain": (
        Issuer.auth0,
        ("Tenant.EU.auth0.com", "api"),
        "https://tenant.eu.auth0.com/",
        "https://tenant.eu.auth0.com/.well-known/jwks.json",
    ),
    "Auth0's custom domain": (
        Issuer.auth0,
        ("https://login.example.com", "api"),
        "https://login.example.com/",
        "https://login.example.com/.well-known/jwks.json",
    ),
    "Better Auth with a path": (
        Issuer.better_auth,
        ("https://app.example.com/auth/",),
        "https://app.example.com",
        "https://app.example.com/auth/jwks",
    ),
    "Better Auth on this machine": (
        Issuer.better_auth,
        ("http://localhost:3000",),
        "http://localhost:3000",
        "http://localhost:3000/api/auth/jwks",
    ),
    "Clerk behind a proxy": (
        Issuer.clerk,
        ("https://app.example.com/__clerk",),
        "https://app.example.com/__clerk",
        "https://app.example.com/__clerk/.well-known/jwks.json",
    ),
    "Cognito in China": (
        Issuer.cognito,
        ("cn-north-1", "cn-north-1_a", "client"),
        (
            f"https://{CHINA}",
            f"https://issuer-{CHINA}",
        ),
        f"https://{CHINA}/.well-known/jwks.json",
    ),
    "Entra for version 1.0 alone": (
        Issuer.entra,
        (TENANT, API, "1.0"),
        (f"https://sts.windows.net/{TENANT}/",),
        f"{MICROSOFT}/{TENANT}/discovery/keys",
    ),
    "Entra for several tenants": (
        Issuer.entra,
        ([TENANT.upper(), OTHER_TENANT], API, ["v2.0"]),
        (f"{MICROSOFT}/{TENANT}/v2.0", f"{MICROSOFT}/{OTHER_TENANT}/v2.0"),
        f"{MICROSOFT}/{TENANT}/discovery/v2.0/keys",
    ),
    "personal Microsoft accounts": (
        Issuer.entra,
        ("consumers", API, "2"),
        (f"{MICROSOFT}/{PERSONAL}/v2.0",),
        f"{MICROSOFT}/{PERSONAL}/discovery/v2.0/keys",
    ),
    "Keycloak's issuer": (
        Issuer.keycloak,
        ("https://id.example.com/realms/app/", "app", "api"),
        "https://id.example.com/realms/app",
        "https://id.example.com/realms/app/protocol/openid-connect/certs",
    ),
    "Keycloak under /auth": (
        Issuer.keycloak,
        ("id.example.com/auth", "app", "api"),
        "https://id.example.com/auth/realms/app",
        "https://id.example.com/auth/realms/app/protocol/openid-connect/certs",
    ),
    "a realm with a space": (
        Issuer.keycloak,
        ("https://id.example.com", "My Realm", "api"),
        "https://id.example.com/realms/My%20Realm",
        "https://id.example.com/realms/My%20Realm/protocol/openid-connect/certs",
    ),
    "Okta's issuer URI": (
        Issuer.okta,
        ("https://dev-1.okta.com/oauth2/aus1",),
        "https://dev-1.okta.com/oauth2/aus1",
        "https://dev-1.okta.com/oauth2/aus1/v1/keys",
    ),
    "Okta's custom domain": (
        Issuer.okta,
        ("id.example.com",),
        "https://id.example.com/oauth2/default",
        "https://id.example.com/oauth2/default/v1/keys",
    ),
    "Supabase's Auth URL": (
        Issuer.supabase,
        ("https://abc.supabase.co/auth/v1/",),
        "https://abc.supabase.co/auth/v1",
        "https://abc.supabase.co/auth/v1/.well-known/jwks.json",
    ),
    "Supabase's project reference": (
        Issuer.supabase,
        ("abcdefghijklmnopqrst",),
        "https://abcdefghijklmnopqrst.supabase.co/auth/v1",
        "https://abcdefghijklmnopqrst.supabase.co/auth/v1/.well-known/jwks.json",
    ),
    "the address of a discovery document": (
        Issuer.keycloak,
        (
            "https://id.example.com/realms/app/.well-known/openid-configuration",
            "app",
            "api",
        ),
        "https://id.example.com/realms/app",
        "https://id.example.com/realms/app/protocol/openid-connect/certs",
    ),
    "Supabase on this machine": (
        Issuer.supabase,
        ("http://127.0.0.1:54321",),
        "http://127.0.0.1:54321/auth/v1",
        "http://127.0.0.1:54321/auth/v1/.well-known/jwks.json",
    ),
    "ZITADEL on this machine": (
        Issuer.zitadel,
        ("http://localhost:8080/", "1"),
        "http://localhost:8080",
        "http://localhost:8080/oauth/v2/keys",
    ),
}


@pytest.mark.parametrize("case", WORDS.values(), ids=WORDS.keys())
def test_what_people_write_down(
    case: tuple[Callable[..., Issuer], tuple[Any, ...], Any, str],
) -> None:
    profile, arguments, url, keys = case
    issuer = profile(*arguments)
    assert several(issuer.url) == several(url)
    assert issuer.keys == keys


def test_the_government_cloud_of_microsoft() -> None:
    issuer = Issuer.entra(TENANT, API, authority="https://login.microsoftonline.us")
    assert several(issuer.url) == [f"https://login.microsoftonline.us/{TENANT}/v2.0"]


@pytest.mark.parametrize("audience", [API, f"api://{API}"])
def test_entra_writes_an_audience_in_two_ways(audience: str) -> None:
    issuer = Issuer.entra(TENANT, audience)
    assert several(issuer.audience) == [API, f"api://{API}"]


def test_an_application_id_uri_of_ones_own() -> None:
    issuer = Issuer.entra(TENANT, ["api://example.com/tasks", API])
    assert several(issuer.audience) == ["api://example.com/tasks", API, f"api://{API}"]


WRONG: dict[str, tuple[Callable[[], Issuer], str]] = {
    "Auth0 with a path": (lambda: Issuer.auth0("a.com/x", "api"), "domain"),
    "Auth0 without an audience": (lambda: Issuer.auth0("a.com", ""), "audience"),
    "a list with an empty audience": (
        lambda: Issuer.auth0("a.com", ["api", ""]),
        "audience",
    ),
    "no domain": (lambda: Issuer.clerk(""), "domain"),
    "a domain with a password": (
        lambda: Issuer.clerk("https://u:hunter2@a.com"),
        "domain",
    ),
    "a URL with a query": (
        lambda: Issuer.supabase("https://a.com?apikey=hunter2"),
        "url",
    ),
    "a URL that is no text": (lambda: Issuer.better_auth(None), "url"),  # type: ignore[arg-type]
    "another scheme": (lambda: Issuer.zitadel("ftp://a.com", "1"), "domain"),
    "a pool of another region": (
        lambda: Issuer.cognito("eu-west-1", "us-west-2_x", "c"),
        "pool",
    ),
    "Cognito without clients": (
        lambda: Issuer.cognito("eu-west-1", "eu-west-1_x", []),
        "clients",
    ),
    "another kind of token": (
        lambda: Issuer.cognito("eu-west-1", "eu-west-1_x", "c", token_use="refresh"),
        "token_use",
    ),
    "every tenant": (lambda: Issuer.entra("common", API), "tenant"),
    "every organization": (lambda: Issuer.entra("organizations", API), "tenant"),
    "a tenant's domain": (
        lambda: Issuer.entra("contoso.onmicrosoft.com", API),
        "tenant",
    ),
    "personal accounts among tenants": (
        lambda: Issuer.entra([TENANT, "consumers"], API),
        "consumers",
    ),
    "another version": (lambda: Issuer.entra(TENANT, API, "3.0"), "versions"),
    "version 1.0 of another cloud": (
        lambda: Issuer.entra(TENANT, API, "1.0", authority="login.microsoftonline.us"),
        "versions",
    ),
    "a project with a slash": (lambda: Issuer.firebase("a/b"), "project"),
    "Google without clients": (lambda: Issuer.google([]), "clients"),
    "Keycloak for anybody": (
        lambda: Issuer.keycloak("https://a.com", "app"),
        "audience",
    ),
    "a realm with a slash": (lambda: Issuer.keycloak("a.com", "a/b", "api"), "realm"),
    "no realm": (lambda: Issuer.keycloak("a.com", "", "api"), "realm"),
    "a secret that is too short": (
        lambda: Issuer.supabase("https://a.com", secret="hunter2"),
        "secret",
    ),
    "a secret and keys": (
        lambda: Issuer.supabase("https://a.com", secret=SECRET, keys="https://b.com"),
        "secret and keys",
    ),
    "half a character as realm": (
        lambda: Issuer.keycloak("a.com", "\ud800", "api"),
        "realm",
    ),
    "Okta's console": (lambda: Issuer.okta("dev-1-admin.okta.com"), "-admin"),
    "Okta without a server": (
        lambda: Issuer.okta("dev-1.okta.com", server=""),
        "server",
    ),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG.keys())
def test_refused_at_start(case: tuple[Callable[[], Issuer], str]) -> None:
    make, name = case
    with pytest.raises(ConfigurationError) as error:
        make()
    assert name in str(error.value)
    assert "hunter2" not in str(error.value)


def test_a_field_wins_over_the_profile() -> None:
    issuer = Issuer.auth0("a.com", "api", leeway=30, role_claims=(), max_bytes=99_999)
    assert (issuer.leeway, issuer.role_claims, issuer.max_bytes) == (30, (), 99_999)


def test_what_is_required_is_added() -> None:
    issuer = Issuer.supabase("https://a.com", required={"aal": "aal2"})
    assert issuer.required == {
        "role": ("authenticated",),
        "client_id": (None,),
        "aal": ("aal2",),
    }


def test_who_asks_for_more_does_not_ask_for_less() -> None:
    issuer = Issuer.entra(TENANT, API, require=["email"])
    assert issuer.require == ("exp", ("azp", "appid"), ("scp", "roles"), "email")
    assert Issuer.auth0("a.com", "api", require=["email"]).require == ("exp", "email")


@pytest.mark.parametrize("wrong", ["email", 5, [5], [""], {"a"}.union({5})])
def test_requirements_of_another_type(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="require"):
        Issuer.auth0("a.com", "api", require=wrong)


@pytest.mark.parametrize("wrong", ["hunter2", 5, [("a", "hunter2")], {"a": []}])
def test_required_values_of_another_type(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="required") as error:
        Issuer.auth0("a.com", "api", required=wrong)
    assert "hunter2" not in str(error.value)
