"""The profiles of identity providers: tokens of their shape over real HTTP.

The providers' hosts cannot be reached from here, so the keys come from a server on the
loopback; test_profile_settings.py compares the real addresses.
"""

import base64
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import Depends, FastAPI, Security

from asgi import running
from fastbearer import Key
from fastbearer.fastapi import Auth
from fastbearer.issuers import Introspection, Issuer
from fastbearer.issuers.settings import issuer_of
from fastbearer.jwks import JWKSClient
from introspection_server import CLIENT_ID, CLIENT_SECRET, IntrospectionServer
from key_server import KeyServer, answer
from project import SECRET
from providers import (
    NOW,
    PROVIDERS,
    Provider,
    key_of,
    named,
    openid_configuration,
    x509_map,
)

pytestmark = pytest.mark.http

OTHER_SCOPE = "nobody:has"

every_provider = pytest.mark.parametrize(
    "provider", PROVIDERS, ids=[one.name for one in PROVIDERS]
)


def every_case(kind: str) -> pytest.MarkDecorator:
    """Parametrize with each provider's situations of a kind."""
    cases = [
        pytest.param(one, change, id=f"{one.name}: {situation}")
        for one in PROVIDERS
        for situation, change in getattr(one, kind).items()
    ]
    return pytest.mark.parametrize(("provider", "change"), cases)


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def nothing() -> None:
    """Answer with 200 and null."""


class Site:
    """An API that believes issuers, and the clock that it reads."""

    def __init__(self, *issuers: Issuer, scopes: Iterable[str] = ()) -> None:
        self.now = float(NOW)
        auth = Auth(issuers=list(issuers), clock=lambda: self.now)
        self.app = FastAPI(lifespan=auth.lifespan)

        @self.app.get("/me")
        def me(
            user: Annotated[dict[str, Any], Depends(auth.verify_jwt_token)],
        ) -> dict[str, Any]:
            return user

        self._paths: dict[str, str] = {}
        for number, scope in enumerate(scopes):
            self._paths[scope] = f"/scope/{number}"
            needs = Security(auth.requires, scopes=[scope])
            self.app.get(f"/scope/{number}", dependencies=[needs])(nothing)
        self.url = ""

    def get(self, token: str, path: str = "/me") -> httpx2.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return httpx2.get(f"{self.url}{path}", headers=headers)

    def status(self, token: str, at: float = NOW) -> int:
        """Return the status of a token's response, when the clock shows that."""
        self.now = float(at)
        return self.get(token).status_code

    def scopes(self, token: str) -> set[str]:
        """Return the scopes of a token, of those that the site knows."""
        status = {
            one: self.get(token, path).status_code for one, path in self._paths.items()
        }
        assert set(status.values()) <= {200, 403}
        return {one for one, number in status.items() if number == 200}


@pytest.fixture(scope="module")
def site_of() -> Iterator[Callable[[Provider], Site]]:
    """Return the site of a provider, with its key server; made once."""
    made: dict[str, Site] = {}
    with ExitStack() as servers:

        def site_of(provider: Provider) -> Site:
            if provider.name not in made:
                document = provider.key_set([provider.key("next"), provider.key()])
                keys = servers.enter_context(KeyServer(answer(document)))
                scopes = [*sorted(provider.scopes), OTHER_SCOPE]
                site = Site(provider.issuer(keys=keys.url), scopes=scopes)
                site.url = servers.enter_context(running(site.app))
                made[provider.name] = site
            return made[provider.name]

        yield site_of


@every_provider
def test_a_good_token(provider: Provider, site_of: Callable[[Provider], Site]) -> None:
    response = site_of(provider).get(provider.token())
    assert (response.status_code, response.json()) == (200, provider.user)


@every_provider
def test_its_scopes(provider: Provider, site_of: Callable[[Provider], Site]) -> None:
    assert site_of(provider).scopes(provider.token()) == provider.scopes


@every_case("fine")
def test_also_good(
    provider: Provider, change: dict[str, Any], site_of: Callable[[Provider], Site]
) -> None:
    assert site_of(provider).status(provider.token(change)) == 200


@every_case("wrong")
def test_refused(
    provider: Provider, change: dict[str, Any], site_of: Callable[[Provider], Site]
) -> None:
    assert site_of(provider).status(provider.token(change)) == 401


@every_provider
def test_every_issuer_that_it_writes(
    provider: Provider, site_of: Callable[[Provider], Site]
) -> None:
    for url in provider.urls:
        token = provider.token({"claims": {"iss": url}})
        assert site_of(provider).status(token) == 200, url
        for near in (f"{url}/", url.rstrip("/"), url.upper(), f" {url}"):
            if near not in provider.urls:
                other = provider.token({"claims": {"iss": near}})
                assert site_of(provider).status(other) == 401, near


@every_provider
def test_what_is_signed_by_somebody_else(
    provider: Provider, site_of: Callable[[Provider], Site]
) -> None:
    site = site_of(provider)
    forged = key_of(provider.algorithm, "current2")
    stranger = Key.from_pem(
        forged.to_pem(private=True), provider.algorithm, kid="current"
    )
    secret = Key.from_secret(b"k" * 32, kid="current")
    for key in (stranger, forged, secret):
        assert site.status(provider.token(key=key)) == 401


@every_provider
def test_what_is_no_signed_token_at_all(
    provider: Provider, site_of: Callable[[Provider], Site]
) -> None:
    """Opaque tokens, encrypted ones, and those of an emulator that signs nothing."""
    site = site_of(provider)
    _, payload, signature = provider.token().split(".")
    unsigned = base64url(b'{"alg":"none","typ":"JWT"}')
    encrypted = base64url(b'{"alg":"dir","enc":"A256GCM"}')
    for token in (
        "ya29.a0AfH6SMBx",
        "opaque",
        f"{unsigned}.{payload}.",
        f"{unsigned}.{payload}.{signature}",
        f"{encrypted}..{payload}.{signature}.{signature}",
    ):
        assert site.status(token) == 401


@every_provider
def test_clocks_that_differ(
    provider: Provider, site_of: Callable[[Provider], Site]
) -> None:
    site, leeway = site_of(provider), provider.issuer().leeway
    end = NOW + 100 + leeway
    token = provider.token({"claims": {"exp": NOW + 100, "nbf": NOW + 50}})
    early = NOW + 50 - leeway
    seen = [site.status(token, at) for at in (early - 1, early, end - 1, end)]
    assert seen == [401, 200, 200, 401]


@every_provider
def test_its_keys_rotate(provider: Provider) -> None:
    old, new = provider.key("old"), provider.key("current")
    elapsed = [0.0]
    with KeyServer(answer(provider.key_set([old]))) as source:
        client = JWKSClient(source.url, clock=lambda: elapsed[0])
        site = Site(provider.issuer(keys=client))
        with running(site.app) as site.url:
            assert site.status(provider.token(key=old)) == 200
            source.behave = answer(provider.key_set([new]))
            assert site.status(provider.token(key=new)) == 401  # too soon to ask again
            elapsed[0] += 10
            assert site.status(provider.token(key=new)) == 200
            assert site.status(provider.token(key=old)) == 401


def test_all_of_them_for_one_api() -> None:
    one_each = {provider.urls[0]: provider for provider in reversed(PROVIDERS)}
    with ExitStack() as servers:
        sources = {
            name: servers.enter_context(KeyServer(answer(one.key_set([one.key()]))))
            for name, one in one_each.items()
        }
        issuers = [one.issuer(keys=sources[url].url) for url, one in one_each.items()]
        site = Site(*issuers)
        site.url = servers.enter_context(running(site.app))
        for url, one in one_each.items():
            assert sources[url].hits == 0
            assert site.get(one.token()).json() == one.user, one.name
            assert sources[url].hits == 1
        unknown = one.token({"claims": {"iss": "https://unknown.example.com"}})
        assert site.status(unknown) == 401
        assert sum(source.hits for source in sources.values()) == len(sources)


def test_an_x509_map_as_firebase_publishes_it() -> None:
    firebase = named("firebase")
    with KeyServer(answer(x509_map([firebase.key(), firebase.key("next")]))) as source:
        site = Site(firebase.issuer(keys=source.url))
        with running(site.app) as site.url:
            assert site.get(firebase.token()).json() == firebase.user
            other = firebase.token(key=firebase.key("other"))
            assert site.status(other) == 401


def test_supabase_with_its_legacy_secret() -> None:
    supabase = named("supabase")
    site = Site(Issuer.supabase(**supabase.settings, secret=SECRET))
    good = Key.from_secret(SECRET)
    with running(site.app) as site.url:
        assert site.get(supabase.token(key=good)).json() == supabase.user
        assert site.status(supabase.token()) == 401
        for change in supabase.wrong.values():
            assert site.status(supabase.token(change, key=good)) == 401


@pytest.mark.parametrize("name", ["zitadel", "zitadel_clients"])
def test_opaque_tokens_of_zitadel(name: str) -> None:
    zitadel = named(name)
    project = "urn:zitadel:iam:org:project"
    said = {
        "iss": zitadel.urls[0],
        "sub": zitadel.user["user_id"],
        "aud": ["69234237810729234", "69234237810729019"],
        "client_id": "69234237810729234",
        "username": "road.runner@acme.ch",
        "token_type": "Bearer",
        "scope": "openid email",
        "jti": "69234237813329048",
        "exp": NOW + 43200,
        "iat": NOW,
        "nbf": NOW,
        "email": "road.runner@acme.ch",
        f"{project}:69234237810729019:roles": {"editor": {"id1": "acme.zitadel.ch"}},
        f"{project}:roles": {"admin": {"id1": "acme.zitadel.ch"}},
    }
    with IntrospectionServer({"opaque": said}) as server:
        server.tokens["foreign"] = {**said, "aud": ["1"], "client_id": "1"}
        how = Introspection(
            server.endpoint, client_id=CLIENT_ID, client_secret=CLIENT_SECRET
        )
        known = ["openid", "email", "editor", "admin", OTHER_SCOPE]
        site = Site(zitadel.issuer(introspect=how), scopes=known)
        with running(site.app) as site.url:
            user = {**zitadel.user, "email": "road.runner@acme.ch"}
            assert site.get("opaque").json() == user
            roles = {"editor"} | ({"admin"} if name == "zitadel_clients" else set())
            assert site.scopes("opaque") == {"openid", "email"} | roles
            assert (site.status("foreign"), site.status("inactive")) == (401, 401)


def test_keycloak_inside_a_cluster() -> None:
    """The public issuer, and keys from another address over http."""
    keycloak = named("keycloak")
    path = "/realms/app/protocol/openid-connect/certs"
    with KeyServer(answer(keycloak.key_set([keycloak.key()]))) as source:
        site = Site(keycloak.issuer(keys=f"{source.origin}{path}", allow_http=True))
        with running(site.app) as site.url:
            assert site.get(keycloak.token()).json() == keycloak.user
            assert source.paths == [path]


ON_LOOPBACK = {
    "auth0": ("domain", "", "/.well-known/jwks.json"),
    "better_auth": ("url", "", "/api/auth/jwks"),
    "clerk": ("domain", "", "/.well-known/jwks.json"),
    "keycloak": ("url", "", "/realms/app/protocol/openid-connect/certs"),
    "keycloak_clients": (
        "url",
        "/auth",
        "/auth/realms/app/protocol/openid-connect/certs",
    ),
    "okta": ("domain", "", "/oauth2/aus1/v1/keys"),
    "supabase": ("url", "", "/auth/v1/.well-known/jwks.json"),
    "zitadel": ("domain", "", "/oauth/v2/keys"),
}
"""Provider -> the argument with its address, a path in that, and the keys' path."""


@pytest.mark.parametrize("name", ON_LOOPBACK)
def test_a_server_of_ones_own_on_this_machine(name: str) -> None:
    """Its issuer and the address of its keys are what the profile makes of its URL."""
    provider = named(name)
    argument, base, path = ON_LOOPBACK[name]
    with KeyServer(answer(provider.key_set([provider.key()]))) as source:
        address = f"{source.origin}{base}"
        settings = {**provider.settings, argument: address}
        issuer = issuer_of({"profile": provider.profile, **settings})
        site = Site(issuer)
        with running(site.app) as site.url:
            for url in issuer.names:
                audience = {"aud": url} if name == "better_auth" else {}
                token = provider.token({"claims": {"iss": url, **audience}})
                assert site.get(token).json() == provider.user
            assert site.status(provider.token()) == 401
        assert source.paths == [path]


def test_a_client_of_keycloak_with_dots_in_its_name() -> None:
    keycloak = named("keycloak")
    api = "com.example.tasks"
    claims = {"aud": api, "resource_access": {api: {"roles": ["tasks:read"]}}}
    with KeyServer(answer(keycloak.key_set([keycloak.key()]))) as source:
        issuer = Issuer.keycloak("id.example.com", "app", api, keys=source.url)
        site = Site(issuer, scopes=["tasks:read", OTHER_SCOPE])
        with running(site.app) as site.url:
            assert site.scopes(keycloak.token({"claims": claims})) == {"tasks:read"}


DISCOVERED = {
    "github_actions": ("url", "", "/.well-known/jwks"),
    "keycloak": ("url", "", "/realms/app/protocol/openid-connect/certs"),
    "kinde": ("url", "", "/.well-known/jwks"),
    "logto": ("url", "/oidc", "/oidc/jwks"),
    "zitadel": ("domain", "", "/oauth/v2/keys"),
}


@pytest.mark.parametrize("name", DISCOVERED)
def test_keys_that_discovery_finds(name: str) -> None:
    provider = named(name)
    argument, base, path = DISCOVERED[name]
    with KeyServer(answer(b"", 404)) as source:
        settings = {**provider.settings, argument: f"{source.origin}{base}"}
        make = Issuer if provider.profile is None else getattr(Issuer, provider.profile)
        issuer = make(**settings, keys=None)
        (url,) = issuer.names
        found = {
            path: provider.key_set([provider.key()]),
            f"{url.removeprefix(source.origin)}/.well-known/openid-configuration": (
                openid_configuration(url, f"{source.origin}{path}")
            ),
        }
        source.behave = lambda handler: (
            answer(found[handler.path])(handler)
            if handler.path in found
            else answer(b"", 404)(handler)
        )
        site = Site(issuer)
        with running(site.app) as site.url:
            token = provider.token({"claims": {"iss": url}})
            assert site.get(token).json() == provider.user
            assert site.status(provider.token()) == 401
        assert source.paths[-1] == path
