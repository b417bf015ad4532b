"""Whom claims name: by names and by paths."""

from typing import Any

import pytest

from fastbearer.errors import TokenError
from fastbearer.issuers.naming import DEFAULT_NAMING, Naming, find_claim


@pytest.mark.parametrize(
    ("claims", "name", "found"),
    [
        ({"a": 1}, "a", 1),
        ({"a": {"b": {"c": 1}}}, "a.b.c", 1),
        ({"a.b": 1, "a": {"b": 2}}, "a.b", 1),
        ({"https://x.example/roles": ["r"]}, "https://x.example/roles", ["r"]),
        ({"a": "text"}, "a.b", None),
        ({"a": ["b"]}, "a.b", None),
        ({"a": [{"b": 1}]}, "a.0.b", None),
        ({"a": None}, "a.b", None),
        ({"a": {"b": None}}, "a.b", None),
        ({}, "a.b", None),
        ({"a": {"": 1}}, "a.", 1),
        ({"r": {"my.client": {"roles": 1}}}, "r.my.client.roles", 1),
        ({"a": {"b": 1}}, "a..b", None),
    ],
)
def test_a_claim_is_found_by_name_or_path(claims: Any, name: str, found: Any) -> None:
    assert find_claim(claims, name) == found


@pytest.mark.parametrize("wrong", [4, 1.5, True, False, ["u1"], {"id": "u1"}, []])
def test_a_user_that_is_no_text_is_refused_in_true_words(wrong: Any) -> None:
    for naming, claims in (
        (DEFAULT_NAMING, {"sub": wrong}),
        (DEFAULT_NAMING, {"user_id": wrong}),
        (Naming(user=["oid"]), {"sub": "u1", "oid": wrong}),
        (Naming(user=["act.sub"]), {"sub": "u1", "act": {"sub": wrong}}),
    ):
        with pytest.raises(TokenError) as caught:
            naming.user_id(claims)
        assert (caught.value.code, caught.value.reason) == (
            "invalid_claim",
            "user_not_text",
        )


@pytest.mark.parametrize("claims", [{}, {"sub": ""}, {"sub": None}, {"name": "u"}])
def test_claims_that_name_nobody(claims: Any) -> None:
    with pytest.raises(TokenError) as caught:
        DEFAULT_NAMING.user_id(claims)
    assert (caught.value.code, caught.value.reason) == ("missing_claim", "no_user")


def test_the_first_text_names_the_user() -> None:
    assert DEFAULT_NAMING.user_id({"sub": 4, "user_id": "u1"}) == "u1"
    assert DEFAULT_NAMING.user_id({"sub": "u1", "user_id": "u2"}) == "u1"


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({"scope": "a b"}, {"a", "b"}),
        ({"scope": ["a", "b", 4, None]}, {"a", "b"}),
        ({"scp": "a"}, {"a"}),
        ({"scp": ["a"]}, {"a"}),
        ({"scope": "a", "scp": "b"}, {"a"}),
        ({"scope": None, "scp": "b"}, {"b"}),
        ({"scope": [], "scp": "b"}, set()),
        ({"scope": 4}, set()),
        ({"scope": {"a": 1}}, set()),
        ({}, set()),
    ],
)
def test_scopes(claims: Any, scopes: set[str]) -> None:
    assert DEFAULT_NAMING.scopes_of(claims) - {""} == scopes


def test_roles_count_as_scopes() -> None:
    naming = Naming(scopes=["scope"], roles=["realm_access.roles", "urn:roles", "role"])
    assert naming.scopes_of(
        {
            "scope": "a",
            "scp": "x",
            "realm_access": {"roles": ["b", 4]},
            "urn:roles": {"c": {"org": "d"}},
            "role": "two words",
        }
    ) == {"a", "b", "c", "two words"}
    assert naming.scopes_of({"realm_access": "roles"}) == set()
