"""The `typ` of a token's header: one of several, and absent where that is said."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbearer import ConfigurationError, InvalidClaimError, Key, Signer, Verifier
from handmade_tokens import HEADER, token, verifier

NO_TYP = {"alg": "HS256"}


def accepts(typ: Any, header: dict[str, Any], **options: Any) -> bool:
    try:
        verifier(typ=typ, **options).verify(token({"sub": "1"}, header))
    except InvalidClaimError as error:
        return (error.claim, error.reason) != ("typ", "typ_wrong")
    return True


@pytest.mark.parametrize(
    ("typ", "found", "fits"),
    [
        ("at+jwt", "at+jwt", True),
        ("at+jwt", "AT+JWT", True),
        ("at+jwt", "application/at+jwt", True),
        ("application/at+jwt", "at+jwt", True),
        ("Application/AT+JWT", "application/at+jwt", True),
        ("at+jwt", "JWT", False),
        ("at+jwt", "jwt", False),
        ("at+jwt", "at+jwt ", False),
        ("at+jwt", "at+jwt;v=1", False),
        ("at+jwt", "", False),
        ("at+jwt", "application/", False),
        ("at+jwt", "application/application/at+jwt", False),
        ("at+jwt", "application/at+jwt/x", False),
        ("x/y", "application/x/y", False),  # RFC 7515 4.1.9: no other slash
        ("x/y", "x/y", True),
        (["at+jwt", "JWT"], "JWT", True),
        (["at+jwt", "JWT"], "at+jwt", True),
        (("at+jwt", "JWT"), "dpop+jwt", False),
        ({"logout+jwt"}, "application/logout+jwt", True),
        (["JWT", None], "JWT", True),
        (["JWT", None], "jwt", True),
        (["JWT", None], "at+jwt", False),
        ([None], "JWT", False),
        ("jwk", "jw\u212a", False),  # KELVIN SIGN, whose lower case is k
        ("at+jwt", "at+jwt\u200b", False),
    ],
)
def test_a_type_is_one_of_those_that_are_taken(
    typ: Any, found: str, fits: bool
) -> None:
    assert accepts(typ, {**HEADER, "typ": found}) is fits
    assert accepts(typ, {"typ": found, "alg": "HS256", "kid": "1"}) is fits


@pytest.mark.parametrize(
    ("typ", "fits"),
    [
        ("JWT", False),
        (["JWT", "at+jwt"], False),
        (["JWT", None], True),
        ([None, "at+jwt"], True),
        ([None], True),
        (None, True),
    ],
)
def test_a_header_without_typ_passes_where_that_is_said(typ: Any, fits: bool) -> None:
    assert accepts(typ, NO_TYP) is fits
    assert accepts(typ, {**NO_TYP, "kid": "1"}) is fits


types = st.sampled_from(
    [
        "JWT",
        "jwt",
        "at+jwt",
        "application/jwt",
        "APPLICATION/JWT",
        None,
        "application/x/y",
    ]
)


@given(st.lists(types, min_size=1, max_size=3), types, st.sampled_from(["", "1"]))
def test_any_types_are_compared_as_the_rule_says(
    taken: list[str | None], found: str | None, kid: str
) -> None:
    """Whether or not the header is one that the key has ready."""

    def normal(one: str | None) -> str | None:
        short = (one or "").lower().removeprefix("application/")
        return None if one is None else one.lower() if "/" in short else short

    header = {"alg": "HS256"} | ({} if found is None else {"typ": found})
    wanted = normal(found) in {normal(one) for one in taken}
    assert accepts(taken, header | ({"kid": kid} if kid else {})) is wanted


def test_what_a_signer_writes_is_taken_with_any_form_of_its_header() -> None:
    key = Key.generate("HS256", kid="1")
    made = Signer(key).sign({"sub": "1"})
    bare = Signer(key).sign({"sub": "1"}, headers={"typ": None})
    for typ in ("JWT", ["jwt", None], None):
        assert Verifier(key, require=(), typ=typ).verify(made) == {"sub": "1"}
    with pytest.raises(InvalidClaimError):
        Verifier(key, require=(), typ="JWT").verify(bare)
    assert Verifier(key, require=(), typ=["JWT", None]).verify_complete(bare)
    with pytest.raises(InvalidClaimError):
        Verifier(key, require=(), typ=["at+jwt", None]).verify(made)


@pytest.mark.parametrize(
    "wrong", ["", [], (), ["", "JWT"], "\u20ac", ["JWT", "j\u212a"]]
)
def test_a_type_that_there_cannot_be_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="typ"):
        verifier(typ=wrong)


@pytest.mark.parametrize("wrong", [5, [5], [b"JWT"], b"JWT", object()])
def test_a_type_of_another_type_is_a_type_error(wrong: Any) -> None:
    with pytest.raises(TypeError):
        verifier(typ=wrong)
