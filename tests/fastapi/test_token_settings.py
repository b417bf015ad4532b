"""The settings of tokens, over HTTP: what is set is used, and what is wrong is told."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import Depends, FastAPI, Security

from asgi import ASGIApp
from fastbearer import Key, Signer
from fastbearer.errors import ConfigurationError
from fastbearer.fastapi import Auth, Issuer, Settings, TokenUser
from fastbearer.testing import FrozenClock
from key_server import KeyServer, answer, jwks_text, serving
from private_ca import PrivateCA
from project import OTHER_SECRET, SECRET

pytestmark = pytest.mark.http

ED = Key.generate("EdDSA", kid="ed")
RSA = Key.generate("RS256", kid="rsa")
CLOCK = FrozenClock()
Serve = Callable[[ASGIApp], str]


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AUTH_SECRET", *map(str.upper, Settings.model_fields)):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def provider() -> Iterator[KeyServer]:
    """Serve a discovery document, and keys everywhere else."""

    def behave(handler: Any) -> None:
        seen.append(dict(handler.headers))
        host = handler.headers["Host"]
        told = {"issuer": f"http://{host}", "jwks_uri": f"http://{host}/keys"}
        is_document = "/.well-known/" in handler.path
        body = json.dumps(told).encode() if is_document else jwks_text(ED, RSA)
        answer(body)(handler)

    seen: list[dict[str, str]] = []
    with KeyServer(behave) as server:
        server.seen = seen  # type: ignore[attr-defined]
        yield server


def token(key: Key, **more: Any) -> str:
    claims = {"sub": "u1", "exp": int(CLOCK.now) + 60, **more}
    return Signer(key).sign({k: v for k, v in claims.items() if v is not None})


class Site:
    """An API with the usual dependencies."""

    def __init__(self, serve: Serve, auth: Auth) -> None:
        app = FastAPI(lifespan=auth.lifespan)
        self.auth = auth

        @app.get("/me")
        async def me(
            user: Annotated[TokenUser, Depends(auth.verify_jwt_token)],
        ) -> TokenUser:
            return user

        @app.get("/{user_id}/tasks", dependencies=[Depends(auth.verify_user_id)])
        async def tasks(user_id: str) -> str:
            return user_id

        writers = Security(auth.requires, scopes=["tasks:write"])

        @app.get("/write", dependencies=[writers])
        async def write() -> str:
            return ""

        self._url = serve(app)

    def get(self, given: str, path: str = "/me") -> httpx2.Response:
        headers = {"Authorization": f"Bearer {given}"}
        return httpx2.get(f"{self._url}{path}", headers=headers)

    def status(self, given: str, path: str = "/me") -> int:
        return self.get(given, path).status_code


@pytest.fixture
def site(serve: Serve) -> Callable[..., Site]:
    def make(issuers: Any = None, **settings: Any) -> Site:
        given = Settings(**settings) if settings or issuers is None else None
        return Site(serve, Auth(given, issuers=issuers, clock=CLOCK))

    return make


Make = Callable[..., Site]


# --- who issues ---------------------------------------------------------------------


def test_the_issuer_alone_is_enough(site: Make, provider: KeyServer) -> None:
    api = site(jwt_issuer=provider.origin, jwt_audience="tasks, other")
    good = {"iss": provider.origin, "aud": "tasks"}
    assert api.status(token(ED, **{**good, "iss": "https://other.example"})) == 401
    assert provider.hits == 0
    assert api.status(token(ED, **good)) == 200
    assert api.status(token(RSA, **{**good, "aud": ["x", "other"]})) == 200
    assert api.status(token(ED, **{**good, "aud": "x"})) == 401
    assert api.status(token(ED, **{**good, "iss": f"{provider.origin}/"})) == 401
    assert provider.paths == ["/.well-known/openid-configuration", "/keys"]


def test_each_url_of_a_list_is_an_issuer_of_its_own(site: Make) -> None:
    keys = [Key.generate("ES256", kid="k") for _ in range(2)]

    def behaving(key: Key) -> Any:
        def behave(handler: Any) -> None:
            host = handler.headers["Host"]
            told = {"issuer": f"http://{host}", "jwks_uri": f"http://{host}/keys"}
            is_document = "/.well-known/" in handler.path
            body = json.dumps(told).encode() if is_document else jwks_text(key)
            answer(body)(handler)

        return behave

    with KeyServer(behaving(keys[0])) as one, KeyServer(behaving(keys[1])) as two:
        api = site(jwt_issuer=f"{one.origin}, {two.origin}")
        assert api.status(token(keys[0], iss=one.origin)) == 200
        assert two.hits == 0
        assert api.status(token(keys[1], iss=two.origin)) == 200
        assert api.status(token(keys[0], iss=two.origin)) == 401
        assert api.auth.issuer_urls() == [one.origin, two.origin]


def test_own_tokens_have_the_first_issuer_and_audience(site: Make) -> None:
    api = site(better_auth_secret=SECRET, jwt_issuer="a, b", jwt_audience="x,y")
    own = api.auth.generate_jwt_token("u1", "")
    claims = api.auth.verifier.verify(own)
    assert (claims["iss"], claims["aud"]) == ("a", "x")
    hs = Key.from_secret(SECRET)
    assert api.status(token(hs, iss="b", aud="y")) == 200
    assert api.status(token(hs, iss="c", aud="y")) == 401
    assert api.status(token(hs, iss="b", aud="z")) == 401
    assert api.status(token(hs, aud="y")) == 401
    assert api.auth.algorithm == "HS256"


def test_better_auth_may_have_another_issuer_and_audience(
    site: Make, provider: KeyServer
) -> None:
    origin = provider.origin
    api = site(
        better_auth_secret=SECRET,
        better_auth_url=origin,
        jwt_issuer="https://api.example",
        jwt_audience="tasks",
    )
    for issuer in (origin, "https://api.example"):
        assert api.status(token(ED, iss=issuer, aud="tasks")) == 200
        assert api.status(token(ED, iss=issuer, aud=origin)) == 401
    own = api.auth.generate_jwt_token("u2", "")
    assert api.get(own).json()["user_id"] == "u2"
    assert api.auth.algorithm is None


def test_a_token_for_others_is_refused_at_both_doors(
    site: Make, provider: KeyServer
) -> None:
    origin = provider.origin
    api = site(better_auth_url=origin)
    claims = {"sub": "u1", "exp": int(CLOCK.now) + 60, "iss": origin, "aud": origin}
    for typ, status in ((None, 200), ("JWT", 200), ("at+jwt", 401), ("x", 401)):
        given = Signer(ED).sign(claims, headers={"typ": typ})
        assert api.status(given) == status
    nameless = Signer(Key.from_pem(ED.to_pem(private=True))).sign(claims)
    assert api.status(nameless) == 401
    for sub in (4, "", None, ["u1"]):
        assert api.status(Signer(ED).sign({**claims, "sub": sub})) == 401


def test_issuers_as_json_beside_a_secret(site: Make, provider: KeyServer) -> None:
    entries = [
        {"url": "https://one.example", "keys": f"{provider.origin}/one"},
        {"profile": "better_auth", "url": provider.origin},
        {
            "url": "https://two.example",
            "keys": {"keys": [RSA.public().to_jwk()]},
            "user_claim": "oid",
            "audience": ["a", "b"],
            "leeway": 5,
        },
    ]
    api = site(better_auth_secret=SECRET, jwt_issuers=json.dumps(entries))
    assert api.status(api.auth.generate_jwt_token("u1", "")) == 200
    assert api.status(token(ED, iss="https://one.example")) == 200
    given = token(RSA, iss="https://two.example", oid="u2", aud="b")
    assert api.get(given).json()["user_id"] == "u2"
    assert provider.paths == ["/one"]


def test_a_list_of_secrets_alone_signs_and_verifies(site: Make) -> None:
    api = site(better_auth_secrets=f"2:{SECRET},1:{OTHER_SECRET}")
    assert api.status(api.auth.generate_jwt_token("u1", "")) == 200
    assert api.status(token(Key.from_secret(SECRET))) == 200
    assert api.status(token(Key.from_secret(OTHER_SECRET))) == 401


def test_issuers_in_code_need_no_settings(site: Make, provider: KeyServer) -> None:
    api = site([Issuer("a", keys=provider.url), Issuer.secret(SECRET, "b")])
    assert api.status(token(ED, iss="a")) == 200
    assert api.status(token(Key.from_secret(SECRET), iss="b")) == 200
    with pytest.raises(ConfigurationError, match="BETTER_AUTH_SECRET"):
        api.auth.generate_jwt_token("u1", "")


def test_issuers_in_code_beside_those_of_the_settings(
    site: Make, provider: KeyServer
) -> None:
    issuers = [Issuer("a", keys=provider.url, user_claim="oid")]
    api = site(issuers, better_auth_secret=SECRET)
    assert api.status(api.auth.generate_jwt_token("u1", "")) == 200
    assert api.get(token(ED, iss="a", oid="u2")).json()["user_id"] == "u2"
    with pytest.raises(ConfigurationError, match="exclude each other"):
        Auth(verifier=api.auth.verifier, issuers=issuers)
    with pytest.raises(ConfigurationError, match="at least one issuer"):
        _ = Auth(issuers=[]).verifier


def test_issuers_that_nothing_tells_apart_stop_the_start() -> None:
    twice = [Issuer("a", keys=ED), Issuer("a", keys=RSA)]
    with pytest.raises(ConfigurationError, match="two issuers have the iss 'a'"):
        _ = Auth(issuers=twice).verifier
    again = json.dumps([{"url": "https://id.example"}])
    settings = Settings(jwt_issuer="https://id.example", jwt_issuers=again)
    with pytest.raises(ConfigurationError, match="two issuers have the iss"):
        _ = Auth(settings).verifier


# --- where keys come from -----------------------------------------------------------


def test_keys_over_http_from_another_machine_must_be_meant() -> None:
    there = {"jwks_url": "http://keycloak:8080/certs", "jwt_issuer": "i"}
    with pytest.raises(ConfigurationError, match="https"):
        _ = Auth(Settings(**there)).verifier
    _ = Auth(Settings(**there, jwt_allow_http=True)).verifier
    found = {"jwt_issuer": "http://keycloak:8080/realms/x"}
    with pytest.raises(ConfigurationError, match="https"):
        _ = Auth(Settings(**found)).verifier
    _ = Auth(Settings(**found, jwt_allow_http=True)).verifier
    entry = {"profile": "keycloak", "url": "http://k", "realm": "x", "audience": "a"}
    listed = json.dumps([entry])
    with pytest.raises(ConfigurationError, match="https"):
        _ = Auth(Settings(jwt_issuers=listed)).verifier
    _ = Auth(Settings(jwt_issuers=listed, jwt_allow_http=True)).verifier


def test_the_secret_signs_for_no_named_issuer(site: Make, provider: KeyServer) -> None:
    secret = Key.from_secret(SECRET)
    api = site(
        [Issuer(provider.origin, ignore_audience=True)], better_auth_secret=SECRET
    )
    assert api.status(token(secret)) == 200
    assert api.status(token(secret, iss="https://stranger.example")) == 200
    assert api.status(token(secret, iss=provider.origin)) == 401


def test_the_secret_signs_for_its_own_server(site: Make, provider: KeyServer) -> None:
    secret = Key.from_secret(SECRET)
    third = Issuer("https://third.example", keys=RSA)
    url = provider.origin
    api = site([third], better_auth_secret=SECRET, better_auth_url=url)
    assert api.status(token(secret, iss=url)) == 200
    assert api.status(token(secret)) == 200
    assert api.status(token(secret, iss="https://third.example")) == 401
    assert provider.hits == 0


def test_headers_of_the_settings_reach_the_issuer(
    site: Make, provider: KeyServer
) -> None:
    headers = '{"X-Api-Key": "hidden-value"}'
    api = site(jwt_issuer=provider.origin, jwt_key_headers=headers)
    assert api.status(token(ED, iss=provider.origin)) == 200
    seen: Any = provider.seen  # type: ignore[attr-defined]
    assert [one.get("X-Api-Key") for one in seen] == ["hidden-value"] * 2
    assert "hidden-value" not in repr(api.auth.settings) + repr(api.auth.issuers)


def test_a_ca_of_ones_own_verifies_the_server(site: Make, tmp_path: Path) -> None:
    ca = PrivateCA(tmp_path)
    with KeyServer(serving(ED)) as server:
        server.socket = ca.serving("localhost").wrap_socket(
            server.socket, server_side=True
        )
        url = server.origin.replace("http://127.0.0.1", "https://localhost")
        trusting = site(jwks_url=url, jwt_issuer="a", jwt_ca_file=str(ca.file))
        assert trusting.status(token(ED, iss="a")) == 200
        assert site(jwks_url=url, jwt_issuer="a").status(token(ED, iss="a")) == 503
    missing = str(tmp_path / "missing")
    settings = Settings(jwks_url=url, jwt_issuer="a", jwt_ca_file=missing)
    with pytest.raises(ConfigurationError, match="CA certificates"):
        _ = Auth(settings).verifier


# --- what tokens must have ----------------------------------------------------------


def test_a_clock_that_is_some_seconds_behind(site: Make) -> None:
    hs = Key.from_secret(SECRET)
    early = token(hs, nbf=int(CLOCK.now) + 3)
    assert site(better_auth_secret=SECRET).status(early) == 401
    assert site(better_auth_secret=SECRET, jwt_leeway=5).status(early) == 200


def test_whom_the_claims_name(site: Make) -> None:
    hs = Key.from_secret(SECRET)
    api = site(
        better_auth_secret=SECRET,
        jwt_user_claim="oid, act.sub",
        jwt_email_claim="upn",
        jwt_scope_claims="permissions",
        jwt_role_claims="realm_access.roles, cognito:groups",
    )
    given = token(hs, oid="u2", upn="u@x", email="e@x")
    assert api.get(given).json() == {"user_id": "u2", "email": "u@x"}
    assert api.status(given, "/u2/tasks") == 200
    assert api.status(given, "/u1/tasks") == 403
    assert api.get(token(hs, act={"sub": "u3"})).json()["user_id"] == "u3"
    missing = api.get(token(hs))
    assert missing.json()["detail"] == "Invalid token: missing user_id"
    number = api.get(token(hs, oid=4))
    assert number.json()["detail"] == "Invalid token: user_id is not a string"
    for claims, status in (
        ({"permissions": ["tasks:write"]}, 200),
        ({"realm_access": {"roles": ["tasks:write"]}}, 200),
        ({"cognito:groups": ["tasks:write"]}, 200),
        ({"scope": "tasks:write"}, 403),
        ({"realm_access": ["tasks:write"]}, 403),
    ):
        assert api.status(token(hs, oid="u2", **claims), "/write") == status


def test_scp_counts_where_there_is_no_scope(site: Make) -> None:
    api = site(better_auth_secret=SECRET)
    hs = Key.from_secret(SECRET)
    assert api.status(token(hs, scp="x tasks:write"), "/write") == 200
    assert api.status(token(hs, scp=["tasks:write"]), "/write") == 200
    assert api.status(token(hs, scope="x", scp="tasks:write"), "/write") == 403


@pytest.mark.parametrize(
    "settings",
    [
        {"jwt_user_claim": "oid"},
        {"jwt_user_claim": "act.sub"},
        {"jwt_user_claim": "https://x.example/user"},
        {"jwt_email_claim": "upn,mail"},
        {"jwt_typ": "at+jwt"},
        {"jwt_typ": "none,at+jwt"},
        {"jwt_typ": "none"},
        {"jwt_typ": "application/at+jwt, JWT"},
        {"jwt_required": '{"tid": ["a", "b"], "act.x": {"y": 1}, "z": [null, 1]}'},
        {"jwt_algorithms": "HS256"},
        {"jwt_max_bytes": 2048},
        {"jwt_scope_claims": "permissions"},
        {"jwt_issuer": "a,b", "jwt_audience": "c,d", "jwt_leeway": 5},
    ],
)
def test_our_own_tokens_are_such_as_we_accept(
    site: Make, settings: dict[str, Any]
) -> None:
    api = site(better_auth_secret=SECRET, **settings)
    own = api.auth.generate_jwt_token("u1", "e@x", scopes=["tasks:write"])
    assert api.get(own).json() == {"user_id": "u1", "email": "e@x"}
    assert api.status(own, "/write") == 200


def test_another_algorithm_of_the_secret(site: Make) -> None:
    secret = SECRET * 2
    api = site(better_auth_secret=secret, jwt_algorithms="HS512,HS256")
    own = api.auth.generate_jwt_token("u1", "")
    assert api.status(own) == 200
    assert api.status(token(Key.from_secret(secret, "HS512"))) == 200
    assert api.status(token(Key.from_secret(secret))) == 200
    assert api.status(token(Key.from_secret(secret, "HS384"))) == 401
    with pytest.raises(ConfigurationError, match="shorter"):
        Settings(better_auth_secret=SECRET, jwt_algorithms="HS512")


# --- what is wrong ------------------------------------------------------------------

WITH_SECRET = {"better_auth_secret": SECRET}
WRONG: list[tuple[dict[str, Any], str]] = [
    ({**WITH_SECRET, "jwt_issuer": "a,,hidden"}, "JWT_ISSUER"),
    ({**WITH_SECRET, "jwt_audience": ","}, "JWT_AUDIENCE"),
    ({**WITH_SECRET, "jwt_algorithms": "hs256"}, "JWT_ALGORITHMS"),
    ({**WITH_SECRET, "jwt_algorithms": "none"}, "JWT_ALGORITHMS"),
    ({**WITH_SECRET, "jwt_algorithms": "RS256"}, "JWT_ALGORITHMS"),
    ({**WITH_SECRET, "jwt_algorithms": "RS256,HS256"}, "JWT_ALGORITHMS"),
    ({**WITH_SECRET, "jwt_leeway": -1}, "JWT_LEEWAY"),
    ({**WITH_SECRET, "jwt_leeway": "hidden"}, "JWT_LEEWAY"),
    ({**WITH_SECRET, "jwt_leeway": 1e9}, "JWT_LEEWAY"),
    ({**WITH_SECRET, "jwt_max_bytes": 0}, "JWT_MAX_BYTES"),
    ({**WITH_SECRET, "jwt_typ": "a,"}, "JWT_TYP"),
    ({**WITH_SECRET, "jwt_user_claim": ","}, "JWT_USER_CLAIM"),
    ({**WITH_SECRET, "jwt_required": "hidden"}, "JWT_REQUIRED"),
    ({**WITH_SECRET, "jwt_required": "[1]"}, "JWT_REQUIRED"),
    ({**WITH_SECRET, "jwt_required": '{"a": "hidden", "a": 1}'}, "JWT_REQUIRED"),
    ({**WITH_SECRET, "jwt_required": '{"a": []}'}, "JWT_REQUIRED"),
    ({**WITH_SECRET, "jwt_required": '{"": "hidden"}'}, "JWT_REQUIRED"),
    ({**WITH_SECRET, "jwt_required": '{"a": NaN}'}, "JWT_REQUIRED"),
    ({**WITH_SECRET, "jwt_required": '{"a": "\udcff"}'}, "JWT_REQUIRED"),
    ({**WITH_SECRET, "jwt_key_headers": '{"X": "a"}'}, "JWT_KEY_HEADERS"),
    ({**WITH_SECRET, "jwt_allow_http": True}, "JWT_ALLOW_HTTP"),
    ({**WITH_SECRET, "jwt_ca_file": "hidden"}, "JWT_CA_FILE"),
    ({**WITH_SECRET, "jwt_any_issuer": True}, "JWT_ANY_ISSUER"),
    ({"jwt_issuer": "me"}, "JWT_ISSUER"),
    ({"jwt_issuer": "https://a.example, me"}, "JWT_ISSUER"),
    ({"jwks_url": "https://id.example/hidden"}, "JWT_ISSUER"),
    (
        {"jwks_url": "https://a.example", "jwt_issuer": "a", "jwt_any_issuer": True},
        "JWT_ANY_ISSUER",
    ),
    (
        {"jwks_url": "https://a.example", "jwt_issuer": "a", "jwt_algorithms": "HS256"},
        "JWT_ALGORITHMS",
    ),
    (
        {"better_auth_url": "https://a.example", "jwt_algorithms": "ES384"},
        "JWT_ALGORITHMS",
    ),
    (
        {
            "jwks_url": "https://a.example",
            "jwt_issuer": "a",
            "jwt_key_headers": '{"X": ["hidden"]}',
        },
        "JWT_KEY_HEADERS",
    ),
]
MALFORMED = [
    "hidden",
    "{}",
    "[]",
    '["hidden"]',
    '[{"url": "https://a.example"}',
    '[{"url": "https://a.example"}], "more": [1]',
    '[{"url": "https://a.example", "url": "https://hidden.example"}]',
    '[{"profile": "hidden"}]',
    '[{"profile": "keycloak"}]',
    '[{"urls": "https://hidden.example"}]',
    '[{"url": 4}]',
    '[{"url": "https://a.example", "leeway": "hidden"}]',
    '[{"url": "https://a.example", "keys": {"keys": [{"kty": "hidden"}]}}]',
    '[{"url": "https://a.example", "required": ["hidden"]}]',
    '[{"url": "https://a.example", "ssl_context": 4}]',
    "[" * 200,
    '[{"url": "\udcff"}]',
]


@pytest.mark.parametrize(
    ("settings", "name"),
    [*WRONG, *(({"jwt_issuers": text}, "JWT_ISSUERS") for text in MALFORMED)],
)
def test_what_is_wrong_is_told_by_its_name(settings: dict[str, Any], name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        _ = Auth(Settings(**settings)).verifier
    told = str(caught.value)
    assert name in told
    assert "hidden" not in told and SECRET not in told
    assert caught.value.__cause__ is None


def test_which_issuer_of_the_list_is_wrong() -> None:
    text = '[{"url": "https://a.example"}, {"url": "https://b.example", "typ": 4}]'
    with pytest.raises(ConfigurationError, match=r"JWT_ISSUERS: issuer 2: typ"):
        Settings(jwt_issuers=text)
