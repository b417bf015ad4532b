"""Opaque tokens: asked about at their issuer (RFC 7662), and judged like JWTs."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastbearer import ConfigurationError, Key, Signer
from fastbearer.errors import (
    ExpiredTokenError,
    FastbearerError,
    ImmatureTokenError,
    InactiveTokenError,
    IntrospectionError,
    InvalidAudienceError,
    InvalidClaimError,
    InvalidIssuerError,
    KeySourceError,
    MalformedTokenError,
    MissingClaimError,
    TokenError,
)
from fastbearer.issuers import Introspection, Issuer, IssuersVerifier
from fastbearer.issuers.opaque import OpaqueVerifier
from introspection_server import (
    CLIENT_ID,
    CLIENT_SECRET,
    Client,
    IntrospectionServer,
)
from key_server import Behaviour, answer
from project import SECRET
from provider_answers import ANSWERS, REFRESH_TOKENS

pytestmark = pytest.mark.http

NOW = 1_795_330_013
TOKEN = "VjVxyCZmRmWYqd3_F5db9Pb9mHR5fqzhn.dQ~+/=="
LATER = {"exp": NOW + 600, "iat": NOW, "sub": "ada"}


@pytest.fixture
def server() -> Iterator[IntrospectionServer]:
    with IntrospectionServer({TOKEN: dict(LATER)}) as server:
        yield server


def how(server: IntrospectionServer, **options: Any) -> Introspection:
    given = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    return Introspection(server.endpoint, **{**given, **options})


def verifier(
    server: IntrospectionServer,
    introspect: Introspection | None = None,
    *,
    clock: Callable[[], float] = lambda: NOW,
    **options: Any,
) -> OpaqueVerifier:
    issuer = Issuer(
        options.pop("url", server.issuer),
        introspect=introspect or how(server),
        **options,
    )
    return OpaqueVerifier(issuer, clock=clock)


def filled(members: dict[str, Any], issuer: str) -> dict[str, Any]:
    """Return an answer of a document, with times and the issuer's name."""
    times = {"exp": NOW + 600, "iat": NOW - 1, "nbf": NOW - 1}
    named = {name: times[name] if v is None else v for name, v in members.items()}
    return {**named, **({"iss": issuer} if "iss" in named else {})}


# --- what the issuer says -----------------------------------------------------------


@pytest.mark.parametrize("provider", ANSWERS)
def test_an_active_token_has_the_claims_that_its_provider_answers(
    server: IntrospectionServer, provider: str
) -> None:
    answer = filled(ANSWERS[provider], server.issuer)
    server.tokens[TOKEN] = answer
    is_named = "aud" in answer
    claims = verifier(server, ignore_audience=is_named).verify(TOKEN)
    assert claims == {**answer, "iss": server.issuer}


NULLS = ("exp", "nbf", "iat", "iss", "aud", "sub", "jti", "scope", "client_id", "typ")


@pytest.mark.parametrize("name", NULLS)
def test_a_member_that_is_null_is_absent(
    server: IntrospectionServer, name: str
) -> None:
    server.tokens[TOKEN] = {**LATER, name: None}
    without = {key: value for key, value in LATER.items() if key != name}
    claims = verifier(server).verify(TOKEN)
    assert claims == {**without, "iss": server.issuer}


def test_what_is_required_is_not_there_where_it_is_null(
    server: IntrospectionServer,
) -> None:
    server.tokens[TOKEN] = {**LATER, "aud": None, "token_type": None}
    with pytest.raises(MissingClaimError):
        verifier(server, audience="api").verify(TOKEN)
    with pytest.raises(MissingClaimError):
        verifier(server, require=["token_type"]).verify(TOKEN)


def test_a_cnf_is_kept_whatever_it_is(server: IntrospectionServer) -> None:
    for cnf in (None, {}, {"jkt": None}, [], "", False):
        server.tokens[TOKEN] = {**LATER, "cnf": cnf}
        assert verifier(server).verify(TOKEN)["cnf"] == cnf


def test_a_token_that_is_not_active_is_refused(server: IntrospectionServer) -> None:
    with pytest.raises(InactiveTokenError) as caught:
        verifier(server).verify("another-token")
    assert (caught.value.code, caught.value.reason) == (
        "inactive_token",
        "token_inactive",
    )
    assert isinstance(caught.value, TokenError)


def test_what_an_inactive_answer_says_beside_it_counts_for_nothing(
    server: IntrospectionServer,
) -> None:
    body = json.dumps({"active": False, **LATER}).encode()
    server.behave = answer(body)
    with pytest.raises(InactiveTokenError):
        verifier(server).verify(TOKEN)


@pytest.mark.parametrize("kind", REFRESH_TOKENS)
def test_a_token_that_is_active_but_no_access_token_is_refused(
    server: IntrospectionServer, kind: str
) -> None:
    server.tokens[TOKEN] |= REFRESH_TOKENS[kind]
    with pytest.raises(InvalidClaimError) as caught:
        verifier(server).verify(TOKEN)
    assert caught.value.reason == "not_access_token"


def test_an_issuer_that_names_no_type_can_be_held_to_name_it(
    server: IntrospectionServer,
) -> None:
    strict = verifier(server, require=["exp", "token_type"])
    with pytest.raises(MissingClaimError):
        strict.verify(TOKEN)
    server.tokens["typed"] = {**LATER, "token_type": "bearer"}
    assert strict.verify("typed")["sub"] == "ada"


def test_another_type_of_token_is_taken_where_it_is_named(
    server: IntrospectionServer,
) -> None:
    server.tokens[TOKEN]["token_type"] = "PoP"
    named = how(server, token_types=["pop"])
    assert verifier(server, named).verify(TOKEN)["token_type"] == "PoP"


# --- the same rules as for JWTs -----------------------------------------------------


def test_iss_is_the_issuers_where_the_answer_has_none(
    server: IntrospectionServer,
) -> None:
    several = [server.issuer, "https://old.example.com"]
    assert verifier(server, url=several).verify(TOKEN)["iss"] == server.issuer


@pytest.mark.parametrize("other", ["https://evil.example", "{}/", 7, ["{}"]])
def test_the_token_of_another_issuer_is_refused(
    server: IntrospectionServer, other: Any
) -> None:
    if isinstance(other, str):
        other = other.format(server.issuer)
    elif isinstance(other, list):
        other = [server.issuer]
    server.tokens[TOKEN]["iss"] = other
    with pytest.raises(InvalidIssuerError):
        verifier(server).verify(TOKEN)


def test_a_token_for_another_audience_is_refused(server: IntrospectionServer) -> None:
    server.tokens[TOKEN]["aud"] = ["https://other.example.com"]
    with pytest.raises(InvalidAudienceError):
        verifier(server, audience="https://api.example.com").verify(TOKEN)
    with pytest.raises(InvalidAudienceError):
        verifier(server).verify(TOKEN)
    assert verifier(server, ignore_audience=True).verify(TOKEN)
    both = ["https://api.example.com", "https://other.example.com"]
    assert verifier(server, audience=both).verify(TOKEN)


def test_an_answer_without_aud_is_refused_where_an_audience_is_set(
    server: IntrospectionServer,
) -> None:
    with pytest.raises(MissingClaimError) as caught:
        verifier(server, audience="https://api.example.com").verify(TOKEN)
    assert caught.value.claim == "aud"


def test_exp_and_nbf_count_though_the_issuer_says_active(
    server: IntrospectionServer,
) -> None:
    server.tokens |= {
        "over": {"sub": "ada", "exp": NOW},
        "ahead": {"sub": "ada", "nbf": NOW + 5},
        "text": {"sub": "ada", "exp": "never"},
        "true": {"sub": "ada", "exp": True},
    }
    exact = verifier(server)
    with pytest.raises(ExpiredTokenError):
        exact.verify("over")
    with pytest.raises(ImmatureTokenError):
        exact.verify("ahead")
    for wrong in ("text", "true"):
        with pytest.raises(InvalidClaimError):
            exact.verify(wrong)
    patient = verifier(server, leeway=10)
    assert patient.verify("over") and patient.verify("ahead")


def test_an_answer_need_not_have_exp_but_whatever_else_is_required(
    server: IntrospectionServer,
) -> None:
    server.tokens[TOKEN] = {"sub": "ada"}
    assert verifier(server).verify(TOKEN) == {"sub": "ada", "iss": server.issuer}
    with pytest.raises(MissingClaimError):
        verifier(server, require=["exp", "client_id"]).verify(TOKEN)


RULES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "a name": {"require": ["exp", "realm_access"]},
    "a path": {"require": ["exp", "realm_access.roles"]},
    "one of two": {"require": ["exp", ("scp", "scope")]},
    "one of two paths": {"require": ["exp", ("realm_access.roles", "groups.of")]},
    "a group of one path": {"require": ["exp", ("realm_access.roles",)]},
    "a value": {"required": {"scope": ["read"]}},
    "a value at a path": {"required": {"realm_access.roles": [["reader"]]}},
    "an audience": {"audience": "api"},
}
SAID: list[dict[str, Any]] = [
    {},
    {"realm_access": {}},
    {"realm_access": {"roles": ["reader"]}},
    {"realm_access": {"roles": None}},
    {"realm_access.roles": ["reader"]},
    {"groups": {"of": "ada"}},
    {"scope": "read", "aud": "api"},
    {"scp": ["read"], "aud": ["other"]},
]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("said", SAID, ids=str)
def test_the_same_claims_are_judged_alike_in_a_jwt_and_in_an_answer(
    server: IntrospectionServer, rule: str, said: dict[str, Any]
) -> None:
    signing = Key.generate("ES256")
    claims = {**LATER, "iss": server.issuer, **said}
    server.tokens[TOKEN] = claims
    issuer = Issuer(
        server.issuer, keys=signing.public(), introspect=how(server), **RULES[rule]
    )
    one = IssuersVerifier([issuer], lambda: NOW)

    def verdict(token: str) -> object:
        try:
            return one.verify(token)
        except TokenError as error:
            return type(error), error.reason

    assert verdict(TOKEN) == verdict(Signer(signing).sign(claims))


def test_the_claims_of_each_request_are_its_own(server: IntrospectionServer) -> None:
    one = verifier(server)
    one.verify(TOKEN)["sub"] = "mallory"
    assert one.verify(TOKEN)["sub"] == "ada"


PROFILES: dict[str, tuple[Callable[..., Issuer], str]] = {
    "keycloak": (partial(Issuer.keycloak, "https://id.example.com", "app"), "api"),
    "okta": (partial(Issuer.okta, "https://acme.okta.com"), "https://api.example.com"),
    "zitadel": (partial(Issuer.zitadel, "acme.zitadel.cloud"), "api"),
}


@pytest.mark.parametrize("provider", PROFILES)
def test_the_profile_of_a_provider_takes_its_opaque_tokens(
    server: IntrospectionServer, provider: str
) -> None:
    make, audience = PROFILES[provider]
    issuer = make(audience, introspect=how(server))
    answer = filled(ANSWERS[provider], str(issuer.names[0]))
    server.tokens |= {
        "good": answer,
        "other": {**answer, "aud": "other"},
        "foreign": {**answer, "iss": server.issuer},
    }
    one = IssuersVerifier([issuer], lambda: NOW)
    claims = one.verify("good")
    assert one.naming_of(claims).user_id(claims) in answer.values()
    with pytest.raises(InvalidAudienceError):
        one.verify("other")
    with pytest.raises(InvalidIssuerError):
        one.verify("foreign")


def test_a_rule_for_the_client_holds_whatever_the_answer_calls_it(
    server: IntrospectionServer,
) -> None:
    issuer = Issuer(server.issuer, introspect=how(server), required={"azp": ["app"]})
    server.tokens |= {
        "app": {"sub": "ada", "client_id": "app"},
        "other": {"sub": "ada", "client_id": "other"},
        "both": {"sub": "ada", "client_id": "app", "azp": "other"},
        "none": {"sub": "ada"},
    }
    one = IssuersVerifier([issuer], lambda: NOW)
    assert one.verify("app")["azp"] == "app"
    for token in ("other", "both"):
        with pytest.raises(InvalidClaimError):
            one.verify(token)
    with pytest.raises(MissingClaimError):
        one.verify("none")


def test_an_opaque_token_is_its_issuers_beside_a_secret_of_the_same_name(
    server: IntrospectionServer,
) -> None:
    asked = Issuer(server.issuer, introspect=how(server))
    own = Issuer.secret(SECRET, server.issuer)
    one = IssuersVerifier([own, asked], lambda: NOW)
    claims = one.verify(TOKEN)
    assert one.issuer_of(TOKEN, claims) is asked


# --- who asks -----------------------------------------------------------------------


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_the_client_secret_is_sent_as_the_server_wants_it(
    server: IntrospectionServer, method: Any
) -> None:
    server.clients[CLIENT_ID].methods = (method,)
    assert verifier(server, how(server, auth=method)).verify(TOKEN)
    (question,) = server.questions
    assert ("authorization" in question.headers) == (method == "client_secret_basic")
    assert question.form["token"] == TOKEN
    assert question.form["token_type_hint"] == "access_token"


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
def test_a_private_key_shows_who_asks(
    server: IntrospectionServer, algorithm: str
) -> None:
    key = Key.generate(algorithm, kid="k1")
    server.clients["api"] = Client(methods=(), keys={"k1": key})
    for private in (key, key.to_jwk(private=True)):
        one = how(server, client_id="api", client_secret=None, private_key=private)
        assert verifier(server, one, clock=lambda: 0).verify(TOKEN)
    assertions = {question.form["client_assertion"] for question in server.questions}
    assert len(assertions) == len(server.seen) == 2


@pytest.mark.parametrize("form", ["text", "mapping", "path"])
def test_the_key_file_of_a_zitadel_application_is_all_that_is_needed(
    server: IntrospectionServer, tmp_path: Path, form: str
) -> None:
    key = Key.generate("RS256", kid="81693565968962154")
    file = {
        "type": "application",
        "keyId": key.kid,
        "key": key.to_pem(private=True),
        "appId": "78366403256846242",
        "clientId": "78366401571920522@acme",
    }
    path = tmp_path / "key.json"
    path.write_text(json.dumps(file))
    server.clients[file["clientId"]] = Client(methods=(), keys={key.kid: key})
    given = {"text": json.dumps(file), "mapping": file, "path": path}[form]
    one = Introspection(server.endpoint, private_key=given)
    assert verifier(server, one).verify(TOKEN)["sub"] == "ada"


def test_an_assertion_is_for_the_server_that_is_named(
    server: IntrospectionServer,
) -> None:
    key = Key.generate("ES256", kid="k1")
    server.clients["api"] = Client(methods=(), keys={"k1": key})
    given = {"client_id": "api", "client_secret": None, "private_key": key}
    endpoint = how(server, assertion_audience=server.endpoint, **given)
    assert verifier(server, endpoint).verify(TOKEN)
    elsewhere = how(server, assertion_audience="https://other.example", **given)
    with pytest.raises(IntrospectionError):
        verifier(server, elsewhere).verify(TOKEN)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"client_id": "api"},
        {"client_secret": "s"},
        {"client_id": "", "client_secret": "s"},
        {"client_id": "api", "client_secret": ""},
        {"client_id": "api", "client_secret": 7},
        {"client_id": "api", "client_secret": "s", "private_key": "x"},
        {"client_id": "api", "client_secret": "s", "auth": "private_key_jwt"},
        {"client_id": "api", "client_secret": "s", "auth": "tls_client_auth"},
        {"client_id": "api", "private_key": Key.generate("HS256")},
        {"client_id": "api", "private_key": Key.generate("ES256").public()},
        {"client_id": "api", "private_key": "{}"},
        {"client_id": "api", "private_key": "{not json"},
        {"client_id": "api", "private_key": 7},
        {"client_id": "api", "private_key": Path("/nowhere/key.json")},
        {"private_key": Key.generate("ES256")},
        {"private_key": {"type": "serviceaccount", "keyId": "1", "key": "x"}},
        {"private_key": {"keyId": "1", "key": "x", "clientId": "c"}},
        {"client_id": "api", "client_secret": "s", "lifetime": -1},
        {"client_id": "api", "client_secret": "s", "lifetime": float("nan")},
        {"client_id": "api", "client_secret": "s", "concurrency": 0},
        {"client_id": "api", "client_secret": "s", "waiting": -1},
        {"client_id": "api", "client_secret": "s", "timeout": 0},
        {"client_id": "api", "client_secret": "s", "timeout": "5"},
        {"client_id": "api", "client_secret": "s", "lifetime": True},
        {"client_id": "api", "client_secret": "s", "waiting": None},
        {"client_id": "api", "client_secret": "s", "always": "yes"},
        {"client_id": "api", "client_secret": "s", "token_types": "Bearer"},
        {"client_id": "api", "client_secret": "s", "token_types": [1]},
        {"client_id": "api", "client_secret": "s", "token_type_hint": 1},
        {"client_id": "api", "client_secret": "s", "url": 7},
        {"client_id": "api", "client_secret": "s", "url": "ftp://example.com"},
        {"client_id": "api", "client_secret": "s", "url": "https://u:p@example.com"},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_said_when_it_is_set(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        Introspection(**options)


def test_a_secret_does_not_travel_over_http_unless_told(
    server: IntrospectionServer,
) -> None:
    away = Introspection("http://idp.internal/x", client_id="a", client_secret="s")
    with pytest.raises(IntrospectionError, match="https"):
        verifier(server, away).verify(TOKEN)
    assert server.questions == []


def test_no_text_of_ours_has_a_secret(server: IntrospectionServer) -> None:
    one = how(server)
    assert CLIENT_SECRET not in repr(one) + repr(one.client) + repr(vars(one))


# --- failures are not the token's ---------------------------------------------------

GOOD = json.dumps({"active": True, **LATER}).encode()


def closed(handler: Any) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")


FAILURES: dict[str, Behaviour] = {
    "a 500": answer(GOOD, 500),
    "a 401": answer(b'{"error":"invalid_client"}', 401),
    "a 403": answer(b"forbidden", 403),
    "a 400": answer(b'{"error":"invalid_request"}', 400),
    "a 404": answer(b"<html>", 404),
    "a 204": answer(b"", 204),
    "a 201": answer(GOOD, 201),
    "a redirect": answer(GOOD, 302, [("Location", "/elsewhere")]),
    "no JSON": answer(b"<html>sign in</html>"),
    "nothing": answer(b""),
    "a list": answer(b'[{"active":true}]'),
    "true": answer(b"true"),
    "a name twice": answer(b'{"active":false,"active":true,"sub":"ada"}'),
    "no active": answer(json.dumps(LATER).encode()),
    "active as a text": answer(b'{"active":"true","sub":"ada"}'),
    "active as a number": answer(b'{"active":1,"sub":"ada"}'),
    "active as null": answer(b'{"active":null,"sub":"ada"}'),
    "NaN": answer(b'{"active":true,"sub":"ada","exp":NaN}'),
    "a BOM": answer(b"\xef\xbb\xbf" + GOOD),
    "not UTF-8": answer(b'{"active":true,"sub":"\xff"}'),
    "trailing bytes": answer(GOOD + b"{}"),
    "too much": answer(b" " * 70_000 + GOOD),
    "a compressed answer": answer(GOOD, headers=[("Content-Encoding", "gzip")]),
    "a signed answer": answer(
        b"eyJhbGciOiJub25lIn0.e30.",
        headers=[("Content-Type", "application/token-introspection+jwt")],
    ),
    "an answer that breaks off": closed,
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_of_the_endpoint_says_nothing_of_the_token(
    server: IntrospectionServer, failure: str, caplog: pytest.LogCaptureFixture
) -> None:
    server.behave = FAILURES[failure]
    with pytest.raises(IntrospectionError) as caught:
        verifier(server).verify(TOKEN)
    assert isinstance(caught.value, KeySourceError)
    assert caught.value.code == "introspection_unavailable"
    assert caught.value.retry_after > 0
    (record,) = caplog.records
    line = record.getMessage()
    assert server.endpoint in line and "\n" not in line
    assert TOKEN not in line + str(caught.value)
    assert CLIENT_SECRET not in line
    assert len(server.questions) == 1


def test_a_failure_is_not_remembered(server: IntrospectionServer) -> None:
    server.behave = FAILURES["a 500"]
    one = verifier(server)
    with pytest.raises(IntrospectionError):
        one.verify(TOKEN)
    server.behave = None
    assert one.verify(TOKEN)["sub"] == "ada"


def test_wrong_credentials_are_named_in_the_log(
    server: IntrospectionServer, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(IntrospectionError):
        verifier(server, how(server, client_secret="wrong")).verify(TOKEN)
    assert "status 401 (invalid_client): the server refuses our" in caplog.text


def test_a_hostile_error_code_does_not_reach_the_log(
    server: IntrospectionServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.behave = answer(json.dumps({"error": f"x\n{TOKEN}"}).encode(), 400)
    with pytest.raises(IntrospectionError):
        verifier(server).verify(TOKEN)
    assert TOKEN not in caplog.text and "status 400" in caplog.text


def test_the_server_says_when_to_ask_again(server: IntrospectionServer) -> None:
    server.behave = answer(b"slow down", 429, [("Retry-After", "17")])
    with pytest.raises(IntrospectionError) as caught:
        verifier(server).verify(TOKEN)
    assert caught.value.retry_after == 17


def test_an_endpoint_that_does_not_answer_is_given_up(
    server: IntrospectionServer,
) -> None:
    server.behave = lambda handler: server.released.wait() and None
    with pytest.raises(IntrospectionError, match="no answer within"):
        verifier(server, how(server, timeout=0.05)).verify(TOKEN)


def test_an_endpoint_that_is_not_there_is_a_failure(
    server: IntrospectionServer, caplog: pytest.LogCaptureFixture
) -> None:
    gone = Introspection("http://127.0.0.1:9/x", client_id="a", client_secret="s")
    with pytest.raises(IntrospectionError):
        verifier(server, gone).verify(TOKEN)
    assert "http://127.0.0.1:9/x" in caplog.text


@settings(max_examples=60)
@given(body=st.binary(max_size=200), active=st.booleans())
def test_no_answer_whatever_makes_anything_but_a_verdict(
    body: bytes, active: bool
) -> None:
    start = b'{"active":true,' if active else b""
    with IntrospectionServer() as server:
        server.behave = answer(start + body)
        logging.getLogger("fastbearer").disabled = True
        try:
            verifier(server).verify(TOKEN)
        except FastbearerError:
            pass
        finally:
            logging.getLogger("fastbearer").disabled = False


# --- what is sent at all ------------------------------------------------------------


@pytest.mark.parametrize(
    "token",
    [
        "",
        " ",
        "two words",
        "a\r\nX: y",
        "a\x00b",
        "caf\u00e9",
        "\ud800",
        "=",
        "a=b",
        "a" * 16385,
        b"\xff\xfe",
        b"",
    ],
    ids=ascii,
)
def test_what_cannot_be_a_bearer_token_is_never_sent(
    server: IntrospectionServer, token: str | bytes
) -> None:
    with pytest.raises(MalformedTokenError) as caught:
        verifier(server).verify(token)
    assert caught.value.reason in ("token_characters", "token_too_long")
    assert server.questions == []


def test_a_token_may_be_bytes_and_as_long_as_is_set(
    server: IntrospectionServer,
) -> None:
    long = "a" * 20_000
    server.tokens[long] = dict(LATER)
    one = verifier(server, max_bytes=20_000)
    assert one.verify(long.encode()) == one.verify(long)
    with pytest.raises(TypeError):
        one.verify(7)  # type: ignore[arg-type]


def test_headers_go_to_the_endpoint_that_is_given(server: IntrospectionServer) -> None:
    one = how(server, headers={"X-Tenant": "acme"})
    verifier(server, one, headers={"X-Other": "x"}).verify(TOKEN)
    verifier(server, headers={"X-Other": "x"}).verify(TOKEN)
    first, second = server.questions
    assert first.headers["x-tenant"] == "acme" and "x-other" not in first.headers
    assert second.headers["x-other"] == "x"
    with pytest.raises(ConfigurationError):
        verifier(server, how(server, headers={"X": "a\r\nb"}))


# --- the endpoint that the issuer's document names ----------------------------------


def discovered(server: IntrospectionServer, **options: Any) -> OpaqueVerifier:
    how = Introspection(client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
    issuer = Issuer(server.issuer, introspect=how, **options)
    return OpaqueVerifier(issuer, clock=lambda: NOW)


def test_the_endpoint_is_discovered_once(server: IntrospectionServer) -> None:
    one = discovered(server, headers={"X-Tenant": "acme"})
    for token in (TOKEN, TOKEN + "="):
        server.tokens[token] = dict(LATER)
        assert one.verify(token)["sub"] == "ada"
    assert server.documents == 1 and len(server.questions) == 2
    assert server.questions[0].headers["x-tenant"] == "acme"


def test_headers_of_the_issuer_stay_at_its_origin(server: IntrospectionServer) -> None:
    with IntrospectionServer({TOKEN: dict(LATER)}) as elsewhere:
        server.metadata = {
            "issuer": server.issuer,
            "introspection_endpoint": elsewhere.endpoint,
        }
        assert discovered(server, headers={"X-Tenant": "acme"}).verify(TOKEN)
        (question,) = elsewhere.questions
        assert "x-tenant" not in question.headers


@pytest.mark.parametrize("endpoint", [None, 7, "", "http://idp.internal/x", "ftp://x"])
def test_a_document_without_a_good_endpoint_is_a_failure(
    server: IntrospectionServer, endpoint: Any, caplog: pytest.LogCaptureFixture
) -> None:
    server.metadata = {"issuer": server.issuer, "introspection_endpoint": endpoint}
    with pytest.raises(IntrospectionError):
        discovered(server).verify(TOKEN)
    assert "token not introspected" in caplog.text
    assert server.questions == []


class Document:
    """What an issuer says of itself, wherever it is."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint

    async def metadata(self) -> dict[str, Any]:
        return {"introspection_endpoint": self._endpoint}


@pytest.mark.parametrize(
    ("issuer", "why"),
    [
        ("https://id.example.com", "is of this machine"),
        ("http://id.example.com", "is of this machine"),
        ("https://127.0.0.1:8443", "is http, and the issuer is https"),
        ("https://id.localhost", "is http, and the issuer is https"),
    ],
)
def test_a_document_has_no_say_in_where_secrets_are_sent_in_the_clear(
    server: IntrospectionServer,
    issuer: str,
    why: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    how = Introspection(client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
    one = Issuer(issuer, introspect=how)
    document = Document(server.endpoint)
    with pytest.raises(IntrospectionError):
        OpaqueVerifier(one, document, lambda: NOW).verify(TOKEN)
    assert why in caplog.text
    assert server.questions == []
    allowed = Issuer(issuer, introspect=how, allow_http=True)
    assert OpaqueVerifier(allowed, document, lambda: NOW).verify(TOKEN)


def test_the_document_of_another_issuer_is_a_failure(
    server: IntrospectionServer,
) -> None:
    server.metadata = {
        "issuer": "https://evil.example",
        "introspection_endpoint": server.endpoint,
    }
    with pytest.raises(KeySourceError):
        discovered(server).verify(TOKEN)
    assert server.questions == []
