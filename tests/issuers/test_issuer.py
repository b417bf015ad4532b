"""An issuer: what its options may be, and the form in which they are kept."""

import copy
from dataclasses import FrozenInstanceError, replace
from datetime import timedelta
from typing import Any

import pytest

from fastbearer import ConfigurationError, Key, KeySet
from fastbearer.issuers import Issuer
from fastbearer.jwks import JWKSClient
from project import SECRET

URL = "https://id.example.com/realms/tea"
ED = Key.generate("EdDSA", kid="a")


def test_every_option_is_kept_in_one_form() -> None:
    issuer = Issuer(
        URL,
        audience="tasks",
        algorithms=["RS256", "ES256"],
        leeway=timedelta(seconds=5),
        typ=(None, "JWT"),
        require=["exp", ("azp", "appid")],
        required={"token_use": "access", "tid": {"a"}, "sts": [None, "active"]},
        user_claim="oid",
        scope_claims="scp",
        role_claims=["roles"],
        headers={"X-Key": "a"},
    )
    kept: Any = issuer
    assert kept.url == (URL,)
    assert kept.audience == ("tasks",)
    assert kept.algorithms == ("RS256", "ES256")
    assert kept.leeway == 5.0
    assert kept.typ == ("JWT", None)
    assert kept.require == ("exp", ("azp", "appid"))
    assert kept.required == {
        "token_use": ("access",),
        "tid": ("a",),
        "sts": (None, "active"),
    }
    assert kept.user_claim == ("oid",)
    assert kept.scope_claims == ("scp",)
    assert kept.role_claims == ("roles",)
    again = replace(issuer, leeway=1)
    assert {**vars(again), "leeway": 5.0} == vars(issuer)


@pytest.mark.parametrize(
    "keys", [ED, [ED], KeySet([ED]), (ED.public(), Key.generate("ES256"))]
)
def test_keys_in_any_form_become_a_set(keys: Any) -> None:
    kept: Any = Issuer(URL, keys=keys).keys
    assert isinstance(kept, KeySet)
    client = JWKSClient(f"{URL}/keys")
    assert Issuer(URL, keys=client).keys is client


def test_only_the_url_may_be_given_by_position() -> None:
    with pytest.raises(TypeError):
        Issuer(URL, f"{URL}/keys")  # type: ignore[misc]


def test_it_is_immutable_and_copies_to_itself() -> None:
    issuer = Issuer.secret(SECRET, URL)
    with pytest.raises(FrozenInstanceError):
        issuer.leeway = 5  # type: ignore[misc]
    assert copy.copy(issuer) is issuer
    assert copy.deepcopy([issuer])[0] is issuer


def test_its_repr_shows_no_secret() -> None:
    text = repr(Issuer.secret(SECRET)) + repr(
        Issuer(URL, keys=f"{URL}?key=hidden", headers={"X-Key": "hidden"})
    )
    assert SECRET not in text
    assert "hidden" not in text


def test_a_shared_secret_is_an_issuer() -> None:
    plain = Issuer.secret(SECRET, audience="tasks", leeway=3)
    assert plain.names == (None,)
    assert [key.algorithm for key in plain.keys] == ["HS256"]  # type: ignore[union-attr]
    named = Issuer.secret(SECRET.encode() * 2, ["a", "b"], algorithm="HS512")
    assert named.names == ("a", "b")
    assert Issuer.secret(SECRET, ("a", None)).names == ("a", None)
    with pytest.raises(ConfigurationError, match=r"^secret: .*shorter"):
        Issuer.secret("hidden")
    assert Issuer.secret("short", allow_short_secret=True)
    for wrong in ({"secret": 4}, {"secret": ED.public().to_pem()}):
        with pytest.raises(ConfigurationError, match=r"^secret"):
            Issuer.secret(**wrong)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="secret"):
        Issuer.secret(SECRET, algorithm="RS256")


WRONG: list[tuple[str, Any]] = [
    ("url", ""),
    ("url", ()),
    ("url", ["hidden", ""]),
    ("url", 4),
    ("url", b"hidden"),
    ("url", {"hidden": 1}),
    ("keys", ""),
    ("keys", 4),
    ("keys", []),
    ("keys", ["hidden"]),
    ("keys", {"keys": []}),
    ("audience", ""),
    ("audience", []),
    ("audience", [None]),
    ("ignore_audience", "false"),
    ("any_issuer", 1),
    ("algorithms", []),
    ("algorithms", "rs256"),
    ("algorithms", ["none"]),
    ("algorithms", ["RS256", "hidden"]),
    ("algorithms", ["RS256", "HS256"]),
    ("leeway", -1),
    ("leeway", float("nan")),
    ("leeway", float("inf")),
    ("leeway", True),
    ("leeway", "5"),
    ("typ", ""),
    ("typ", []),
    ("typ", 4),
    ("require_kid", "yes"),
    ("require", "exp"),
    ("require", ["exp", ""]),
    ("require", ["exp", ()]),
    ("require", [4]),
    ("require", None),
    ("required", None),
    ("required", ["hidden"]),
    ("required", {"": "hidden"}),
    ("required", {"tid": []}),
    ("required", {"tid": object()}),
    ("required", {"tid": float("nan")}),
    ("required", {4: "hidden"}),
    ("user_claim", ""),
    ("user_claim", ()),
    ("user_claim", 4),
    ("email_claim", None),
    ("scope_claims", [""]),
    ("role_claims", [4]),
    ("max_bytes", 0),
    ("max_bytes", 1.5),
    ("max_bytes", True),
    ("max_bytes", "16384"),
    ("allow_http", "0"),
    ("headers", ["hidden"]),
    ("headers", {"X-Key": 4}),
    ("ssl_context", 4),
    ("ssl_context", ""),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_option_is_refused_by_its_name(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Issuer(**{"url": URL, name: value})
    assert str(caught.value).startswith(name)
    assert "hidden" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"url": None}, "keys"),
        ({"url": (URL, None)}, "keys"),
        ({"audience": "a", "ignore_audience": True}, "audience"),
        ({"keys": ED, "algorithms": ["ES256"]}, "algorithms"),
        ({"keys": ED, "algorithms": ["HS256"]}, "algorithms"),
        ({"keys": ED, "allow_http": True}, "allow_http"),
        ({"keys": ED, "headers": {"X-Key": "a"}}, "headers"),
        ({"keys": JWKSClient(f"{URL}/keys"), "ssl_context": "a"}, "ssl_context"),
    ],
)
def test_options_that_contradict_each_other(fields: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        Issuer(**{"url": URL, **fields})
