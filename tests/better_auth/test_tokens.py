"""Tokens of Better Auth's plugin jwt(), and its secrets."""

from __future__ import annotations

from typing import Any

import pytest

from better_auth_samples import (
    NOW,
    OTHER,
    PLAIN,
    SAMPLES,
    SECRET,
    TOKEN,
    big,
    paired,
    refused,
    server,
)
from fastbearer import Key, KeySet, Signer
from fastbearer.base64url import base64url_encode
from fastbearer.better_auth import DEFAULT_SECRET, BetterAuth, Secrets
from fastbearer.better_auth.javascript import json_bytes
from fastbearer.errors import (
    ConfigurationError,
    InvalidAlgorithmError,
    InvalidKeyError,
    UnknownKeyError,
)

# --- tokens of the plugin -----------------------------------------------------------

SIGNING = {
    name: Key.generate(name, kid=name)
    for name in ("EdDSA", "ES256", "ES512", "PS256", "RS256", "ES384", "RS512")
}
CLAIMS = {
    "sub": "u1",
    "email": "ada@example.com",
    "iat": int(NOW),
    "exp": int(NOW) + 900,
    "iss": "http://localhost:3000",
    "aud": "http://localhost:3000",
}


def plugin_token(algorithm: str = "EdDSA", /, **changes: Any) -> str:
    claims = {k: v for k, v in {**CLAIMS, **changes}.items() if v is not None}
    return Signer(SIGNING[algorithm]).sign(claims, headers={"typ": None})


JWKS = {"keys": [key.to_jwk() for key in SIGNING.values()]}


@pytest.mark.parametrize("algorithm", SIGNING)
def test_algorithms_of_the_plugin(algorithm: str) -> None:
    token = plugin_token(algorithm)
    if algorithm in ("ES384", "RS512"):  # the plugin never signs with these
        refused(lambda: server().verify_jwt(token, JWKS))
    else:
        assert server().verify_jwt(token, JWKS)["sub"] == "u1"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "http://localhost:3001"},
        {"iss": "http://localhost:3000/api/auth"},
        {"iss": None},
        {"aud": "http://localhost:3001"},
        {"aud": None},
        {"aud": "better-auth:session-cache"},
        {"exp": int(NOW)},
        {"exp": None},
        {"nbf": int(NOW) + 60},
        {"sub": None},
    ],
    ids=str,
)
def test_claims_of_the_plugin(changes: dict[str, Any]) -> None:
    refused(lambda: server().verify_jwt(plugin_token(**changes), JWKS))


def test_issuer_and_audience_of_ones_own() -> None:
    ba = server(issuer="me", audience=["api", "other"])
    token = plugin_token(iss="me", aud="api")
    assert ba.verify_jwt(token, JWKS)["aud"] == "api"
    refused(lambda: ba.verify_jwt(plugin_token(), JWKS))
    with_path = server(base_url="http://localhost:3000/api/auth")
    assert with_path.verify_jwt(plugin_token(), JWKS)["sub"] == "u1"


def test_long_tokens_and_clocks_that_differ() -> None:
    long = plugin_token(roles=["x" * 100] * 300)
    assert len(long) > 30_000
    refused(lambda: server().verify_jwt(long, JWKS))
    assert server(max_bytes=65_536).verify_jwt(long, JWKS)["sub"] == "u1"
    for early in ({"nbf": int(NOW) + 3}, {"exp": int(NOW) - 3}):
        token = plugin_token(**early)
        refused(lambda t=token: server().verify_jwt(t, JWKS))  # type: ignore[misc]
        assert server(leeway=5).verify_jwt(token, JWKS)["sub"] == "u1"
    for wrong in ({"leeway": -1}, {"max_bytes": 0}):
        with pytest.raises(ConfigurationError):
            server(**wrong)


def test_keys_and_types_of_the_plugin() -> None:
    ba, good = server(), plugin_token()
    bare = {"keys": [{**JWKS["keys"][0], "kid": None}]}
    del bare["keys"][0]["kid"]
    unnamed = Key.from_jwk(SIGNING["EdDSA"].to_jwk(private=True) | {"kid": "x"})
    for token, jwks in (
        (good, {"keys": [{**JWKS["keys"][0], "kid": "other"}]}),
        (good, {"keys": [{**SIGNING["ES256"].to_jwk(), "kid": "EdDSA"}]}),
        (Signer(unnamed).sign(CLAIMS, headers={"typ": None}), JWKS),
        (Signer(SIGNING["EdDSA"]).sign(CLAIMS, headers={"typ": "at+jwt"}), JWKS),
        (
            Signer(SIGNING["EdDSA"]).sign(
                CLAIMS, headers={"typ": "better-auth.session-cache+jwt"}
            ),
            JWKS,
        ),
        (Signer(Key.from_secret(SECRET, kid="EdDSA")).sign(CLAIMS), JWKS),
    ):
        refused(lambda t=token, j=jwks: ba.verify_jwt(t, j))  # type: ignore[misc]
    nameless = Key.from_jwk(
        {k: v for k, v in SIGNING["EdDSA"].to_jwk(private=True).items() if k != "kid"}
    )
    token = Signer(nameless).sign(CLAIMS, headers={"typ": None})
    assert refused(lambda: ba.verify_jwt(token, bare)) is UnknownKeyError
    secrets = KeySet([Key.from_secret(SECRET, kid="k")])
    with pytest.raises(InvalidKeyError):
        ba.verify_jwt(good, secrets)
    with pytest.raises(ConfigurationError):
        ba.verify_jwt(good)


@pytest.mark.parametrize("algorithm", [[], {}, None, 5, True, "", "none", "HS256"])
@pytest.mark.parametrize("kid", ["EdDSA", [], {}, None, 5])
def test_odd_headers(algorithm: Any, kid: Any) -> None:
    _, payload, signature = plugin_token().split(".")
    for typ in ({}, {"typ": "better-auth.session-cache+jwt"}, {"typ": []}):
        header = json_bytes({"alg": algorithm, "kid": kid, **typ})
        token = f"{base64url_encode(header).decode()}.{payload}.{signature}"
        for jwks in (JWKS, Client()):
            refused(lambda t=token, j=jwks: server().verify_jwt(t, j))  # type: ignore[misc]
            refused(
                lambda t=token, j=jwks: server(jwks=j).read_session_data(t)  # type: ignore[misc]
            )


class Client:
    """Keys from somewhere: more than the plugin signs with."""

    def keys(self, **_: bool) -> KeySet:
        return KeySet([key.public() for key in SIGNING.values()])

    async def akeys(self, **_: bool) -> KeySet:
        return self.keys()


@pytest.mark.parametrize("algorithm", SIGNING)
def test_algorithms_of_a_client(algorithm: str) -> None:
    token = plugin_token(algorithm)
    if algorithm in ("ES384", "RS512"):
        wrong = refused(lambda: server().verify_jwt(token, Client()))
        assert wrong is InvalidAlgorithmError
    else:
        assert server().verify_jwt(token, Client())["sub"] == "u1"


# --- secrets ------------------------------------------------------------------------


def test_rotation() -> None:
    """Only what is sealed outlives its secret, as on the server."""
    ba = BetterAuth(OTHER, previous=[SECRET], clock=lambda: NOW)
    assert ba.read_session_data(paired("jwe")[1]).email
    for strategy in ("compact", "jwt"):
        refused(lambda s=strategy: ba.read_session_data(paired(s)[1]))  # type: ignore[misc]
    refused(lambda: ba.read_session_token(PLAIN))
    newer = SAMPLES["session_token_of_a_newer_secret"]
    assert ba.read_session_token(newer).startswith("XCMEKiSW")
    refused(lambda: server().read_session_token(newer))
    written = ba.write_session_data(*big(1), strategy="jwe")
    assert ba.read_session_data(written).email
    refused(lambda: server().read_session_data(written))


ENVIRONMENTS: list[tuple[dict[str, str], Secrets]] = [
    ({"BETTER_AUTH_SECRET": SECRET}, Secrets(SECRET)),
    ({"AUTH_SECRET": SECRET}, Secrets(SECRET)),
    ({"AUTH_SECRET": OTHER, "BETTER_AUTH_SECRET": SECRET}, Secrets(SECRET)),
    ({"BETTER_AUTH_SECRETS": f"2:{OTHER},1:{SECRET}"}, Secrets(OTHER, (SECRET,))),
    ({"BETTER_AUTH_SECRETS": f" 2:{OTHER} , 1: {SECRET}"}, Secrets(OTHER, (SECRET,))),
    (
        {"BETTER_AUTH_SECRETS": f"2:{OTHER}", "BETTER_AUTH_SECRET": SECRET},
        Secrets(OTHER, (SECRET,)),
    ),
    (
        {"BETTER_AUTH_SECRETS": f"2:{OTHER}", "AUTH_SECRET": DEFAULT_SECRET},
        Secrets(OTHER),
    ),
    (
        {"BETTER_AUTH_SECRETS": f"2:{OTHER}", "BETTER_AUTH_SECRET": OTHER},
        Secrets(OTHER),
    ),
    ({"BETTER_AUTH_SECRETS": f"1:a:{OTHER}"}, Secrets(f"a:{OTHER}")),
    # What JavaScript's parseInt takes for 2 and 1.
    (
        {"BETTER_AUTH_SECRETS": f" +2x :{OTHER},\t1e3:{SECRET}"},
        Secrets(OTHER, (SECRET,)),
    ),
]


@pytest.mark.parametrize(("environment", "secrets"), ENVIRONMENTS)
def test_secrets_of_the_environment(
    environment: dict[str, str], secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Secrets.from_environment(environment) == secrets
    for name in ("BETTER_AUTH_SECRET", "AUTH_SECRET", "BETTER_AUTH_SECRETS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert Secrets.from_environment() == secrets
    ba = BetterAuth.from_environment(clock=lambda: NOW)
    assert BetterAuth(secrets.current).sign_session_token(TOKEN) == (
        ba.sign_session_token(TOKEN)
    )


@pytest.mark.parametrize(
    "text",
    [
        *(SECRET, f":{SECRET}", f"x:{SECRET}", "1:", "1: ", f"-1:{SECRET}", ","),
        *(f"1:{SECRET},", f"1:{SECRET},1:{OTHER}", f"1:{SECRET},01:{OTHER}"),
        *(f"{'1' * 5000}:{SECRET}", f"\u0661:{SECRET}", f"+:{SECRET}", f"1 2 {SECRET}"),
        *(f"1x:{SECRET},1y:{OTHER}", f"--1:{SECRET}", f"+ 1:{SECRET}"),
    ],
)
def test_lists_of_secrets_that_are_none(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Secrets.from_environment({"BETTER_AUTH_SECRETS": text})
    assert SECRET not in str(caught.value)


def test_secrets_that_must_not_be_used() -> None:
    for wrong in (
        "",
        "hunter2",
        DEFAULT_SECRET,
        DEFAULT_SECRET.encode(),
        Key.generate("ES256").to_pem(),
        "\ud800" * 32,
    ):
        for arguments in ((wrong, ()), (SECRET, [wrong])):
            with pytest.raises(ConfigurationError) as caught:
                BetterAuth(arguments[0], previous=arguments[1])
            assert not wrong or str(wrong) not in str(caught.value)
    listed = {"BETTER_AUTH_SECRETS": f"2:{SECRET},1:{DEFAULT_SECRET}"}
    with pytest.raises(ConfigurationError, match="default"):
        BetterAuth.from_environment(listed)
    with pytest.raises(ConfigurationError):
        BetterAuth(SECRET, previous=OTHER)
    with pytest.raises(ConfigurationError, match="required"):
        Secrets.from_environment({})
    with pytest.raises(ConfigurationError, match="default"):
        BetterAuth(DEFAULT_SECRET, allow_short_secret=True)
    assert BetterAuth("hunter2", allow_short_secret=True).sign_session_token(TOKEN)
    assert SECRET not in repr(server())
    assert SECRET not in repr(Secrets(OTHER, (SECRET,)))
    assert OTHER not in repr(Secrets(OTHER, (SECRET,)))


WRONG_URLS: list[Any] = [
    *("", "localhost:3000", "ftp://x", "http://", "http://[", 5, None, b"http://x"),
    *("http://user@x", "http://x:65536", "http://x:", "http://x y", " http://x"),
    *("http://good.com\\@evil.com", "http://x\n", "http://\u00e4.de", "http://[x]"),
    "https://a.com,https://b.com",
]


@pytest.mark.parametrize("url", WRONG_URLS, ids=repr)
def test_urls_that_are_none(url: Any) -> None:
    with pytest.raises(ConfigurationError, match="base_url"):
        BetterAuth(SECRET, base_url=url)
    with pytest.raises(ConfigurationError, match="trusted_origins"):
        BetterAuth(SECRET, trusted_origins=[url])


@pytest.mark.parametrize("prefix", ["", "a b", "a;", "a=", "\ud800", "\u00e4", None, 5])
def test_prefixes_that_are_none(prefix: Any) -> None:
    with pytest.raises((ConfigurationError, TypeError)):
        BetterAuth(SECRET, cookie_prefix=prefix)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://LocalHost:80/x", "http://localhost"),
        ("HTTPS://[::1]:8443?a=b", "https://[::1]:8443"),
        ("http://127.0.0.1:3000#x", "http://127.0.0.1:3000"),
    ],
)
def test_origins_of_urls(url: str, origin: str) -> None:
    assert BetterAuth(SECRET, base_url=url).origin == origin


def test_names_of_cookies_are_secure_where_the_url_is() -> None:
    for url, name in (("https://a.example", "__Secure-"), ("http://a.example", "")):
        environment = {"BETTER_AUTH_SECRET": SECRET, "BETTER_AUTH_URL": url}
        ba = BetterAuth.from_environment(environment, clock=lambda: NOW)
        (cookie,) = ba.write_cookies({"token": TOKEN}, {}, strategy=None)
        assert cookie.startswith(f"{name}better-auth.session_token=")
        plain = BetterAuth.from_environment(environment, secure=False)
        (cookie,) = plain.write_cookies({"token": TOKEN}, {}, strategy=None)
        assert cookie.startswith("better-auth.session_token=")


def test_origins() -> None:
    ba = BetterAuth(SECRET, base_url="https://App.example.com:443/api/auth")
    assert ba.origin == "https://app.example.com"
    environment = {
        "BETTER_AUTH_SECRET": SECRET,
        "BETTER_AUTH_URL": "https://a.example",
        "BETTER_AUTH_TRUSTED_ORIGINS": "https://b.example, https://c.example:8443/",
    }
    found = BetterAuth.from_environment(environment).trusted_origins
    assert found == {
        *("https://a.example", "https://b.example", "https://c.example:8443"),
    }
