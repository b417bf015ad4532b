"""Beside a secret, JWT_ISSUER is the ``iss`` of its tokens: the texts say so."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fastbearer import Key
from fastbearer.errors import ConfigurationError
from fastbearer.fastapi import Auth, Settings
from fastbearer.fastapi.issuer_checks import ISSUER_OF_SECRET
from project import SECRET

PROVIDER = "https://id.example.com"
ASKED = {"introspection_client_id": "me", "introspection_client_secret": "x" * 40}
OF_KEYS: list[dict[str, Any]] = [
    ASKED,
    {"jwt_algorithms": "HS256,RS256"},
    {"jwt_allow_http": True},
    {"jwt_ca_file": "/ca.pem"},
    {"jwt_key_headers": '{"X-Key": "a"}'},
]
KEYS = {"keys": [Key.generate("ES256", kid="a").public().to_jwk()]}


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AUTH_SECRET", *map(str.upper, Settings.model_fields)):
        monkeypatch.delenv(name, raising=False)


def message(**settings: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        Settings(**settings)
    return str(caught.value)


@pytest.mark.parametrize("more", OF_KEYS)
def test_a_provider_of_jwt_issuer_beside_a_secret(more: dict[str, Any]) -> None:
    text = message(better_auth_secret=SECRET, jwt_issuer=PROVIDER, **more)
    assert text.endswith(ISSUER_OF_SECRET)
    assert "JWT_ISSUERS" in text
    # Without the secret, the same is fit for use.
    fit = {
        k: v.replace("HS256,", "") if k == "jwt_algorithms" else v
        for k, v in more.items()
    }
    assert Settings(jwt_issuer=PROVIDER, **fit)
    for issuer in ({}, {"jwt_issuer": "me"}):
        text = message(better_auth_secret=SECRET, **issuer, **more)
        assert ISSUER_OF_SECRET not in text


@pytest.mark.parametrize("name", ["jwt_allow_http", "jwt_ca_file", "jwt_key_headers"])
def test_who_has_fields_of_their_own(name: str) -> None:
    value = {"jwt_key_headers": '{"X-Key": "a"}'}.get(name, "1")
    text = message(better_auth_secret=SECRET, **{name: value})
    assert name.upper() in text and "JWT_ISSUERS" in text and "in code" in text
    field = {"jwt_allow_http": "allow_http", "jwt_ca_file": "ssl_context"}
    assert field.get(name, "headers of its own") in text
    assert "none are fetched" not in text


def test_headers_are_sent_to_no_issuer_of_the_list() -> None:
    fetched = json.dumps([{"url": PROVIDER}])
    text = message(jwt_issuers=fetched, jwt_key_headers='{"X-Key": "a"}')
    assert "an issuer of JWT_ISSUERS or in code has headers of its own" in text
    own = json.dumps([{"url": PROVIDER, "headers": {"X-Key": "a"}}])
    assert Auth(Settings(jwt_issuers=own)).issuers.further[0].headers


@pytest.mark.parametrize("entry", [{}, {"keys": KEYS}])
def test_an_issuer_that_is_asked_is_asked_so(entry: dict[str, Any]) -> None:
    how = {"url": f"{PROVIDER}/introspect", "client_id": "me", "client_secret": "x"}
    listed = json.dumps([{"url": PROVIDER, "introspect": how, **entry}])
    settings = Settings(jwt_issuers=listed, jwt_allow_http=True, jwt_ca_file="/ca")
    (issuer,) = Auth(settings).issuers.further
    assert (issuer.allow_http, issuer.ssl_context) == (True, "/ca")
