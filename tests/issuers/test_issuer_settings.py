"""Issuers from settings: what an object of JSON may say."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Any

import pytest

from fastbearer import Key, KeySet
from fastbearer.errors import ConfigurationError
from fastbearer.issuers import Issuer
from fastbearer.issuers.settings import arguments_of, issuer_of, profile_names
from project import SECRET
from providers import members, named

TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"


def test_an_issuer_without_a_profile() -> None:
    told = {"url": ["https://a.com", "https://b.com"], "audience": "api", "leeway": 5}
    issuer = issuer_of({**told, "algorithms": None, "allow_http": True})
    assert members(issuer) == members(
        Issuer(
            ["https://a.com", "https://b.com"],
            audience="api",
            leeway=5,
            allow_http=True,
        )
    )


def test_a_shared_secret_in_settings() -> None:
    told = {"profile": "secret", "secret": SECRET, "issuer": "https://a.com"}
    issuer = issuer_of({**told, "audience": "api", "leeway": 5})
    assert issuer.names == ("https://a.com",)
    assert issuer_of({**told, "issuer": ["a", None]}).names == ("a", None)
    assert (issuer.audience, issuer.leeway) == (("api",), 5)


def test_a_key_set_in_settings() -> None:
    key = Key.generate("ES256", kid="one")
    issuer = issuer_of({"url": "x", "keys": {"keys": [key.public().to_jwk()]}})
    assert isinstance(issuer.keys, KeySet)
    assert [one.kid for one in issuer.keys] == ["one"]


KEYCLOAK = {"profile": "keycloak", **named("keycloak").settings}
UNREADABLE: dict[str, tuple[Any, str]] = {
    "a list": ([], "object"),
    "nothing": ({}, "url is missing"),
    "an unknown profile": ({"profile": "hunter2"}, "profile must be one of auth0, "),
    "a profile that is no text": ({"profile": ["auth0"]}, "profile must be"),
    "a private name": ({"profile": "_made"}, "profile must be"),
    "a misspelt name": ({**KEYCLOAK, "audiense": "hunter2"}, "did you mean audience?"),
    "an unknown name": ({**KEYCLOAK, "zzz": "hunter2"}, "'zzz'"),
    "a name of another profile": (
        {**KEYCLOAK, "hosted_domains": "x"},
        "hosted_domains",
    ),
    "an issuer besides the URL": ({**KEYCLOAK, "cls": "x"}, "'cls'"),
    "a missing name": (
        {"profile": "keycloak", "url": "https://a.com"},
        "realm is missing",
    ),
    "null where a text is needed": ({**KEYCLOAK, "realm": None}, "realm is missing"),
    "a number as audience": ({**KEYCLOAK, "audience": 5}, "audience must be"),
    "a list as realm": ({**KEYCLOAK, "realm": ["hunter2"]}, "realm must be"),
    "a text as leeway": ({**KEYCLOAK, "leeway": "hunter2"}, "leeway must be"),
    "true as leeway": ({**KEYCLOAK, "leeway": True}, "leeway must be"),
    "a text as truth": ({**KEYCLOAK, "allow_http": "hunter2"}, "allow_http must be"),
    "a text as required": ({**KEYCLOAK, "required": "hunter2"}, "required must be"),
    "a number as max_bytes": ({**KEYCLOAK, "max_bytes": 1.5}, "max_bytes must be"),
    "headers that are no texts": ({**KEYCLOAK, "headers": {"A": 1}}, "headers must be"),
    "a number as keys": ({**KEYCLOAK, "keys": 5}, "keys: "),
    "keys that are none": ({**KEYCLOAK, "keys": {"hunter2": 1}}, "keys: "),
    "keys of a shared secret": (
        {"profile": "secret", "secret": SECRET, "url": "hunter2"},
        "'url'",
    ),
    "keys besides a secret": (
        {"profile": "secret", "secret": SECRET, "keys": "https://a.com"},
        "'keys'",
    ),
    "a secret that is too short": (
        {"profile": "secret", "secret": "hunter2"},
        "secret",
    ),
}


@pytest.mark.parametrize("case", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_settings_that_cannot_be_read(case: tuple[Any, str]) -> None:
    told, words = case
    with pytest.raises(ConfigurationError) as error:
        issuer_of(told)
    assert words in str(error.value)
    assert "hunter2" not in str(error.value)


ODDITIES = [
    *(True, False, 0, -1, 1.5, float("inf"), float("nan"), 10**30),
    *("", "x", "\ud800", "\x00", "é" * 300, "a.com", "https://a.com", "HS256", SECRET),
    *("id", "consumers", TENANT, "2.0", "eu-west-1", "eu-west-1_x"),
    *([], ["a"], [None], ["a", ["b"]], {}, {"a": 1}, {"keys": []}, {"keys": [{}]}),
]


@pytest.mark.parametrize("profile", [*profile_names(), None])
def test_whatever_the_settings_are(profile: str | None) -> None:
    """No settings of any kind raise anything but a ConfigurationError."""
    chance = random.Random(19)
    names = arguments_of(profile)
    right = {"pool": "eu-west-1_x", "region": "eu-west-1", "tenant": TENANT}
    right |= {"url": "https://a.com", "domain": "a.com", "secret": SECRET}
    accepted = 0
    for _ in range(2000):
        told = {
            name: right.get(name, "a") for name, is_needed in names.items() if is_needed
        }
        for name in chance.sample(list(names), chance.randint(0, 4)):
            told[name] = chance.choice(ODDITIES)
        with suppress(ConfigurationError):
            issuer_of({**told, "profile": profile})
            accepted += 1
    assert accepted > 20
