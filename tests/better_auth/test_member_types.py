"""Signed data whose members have other types than Better Auth writes is refused."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from better_auth_samples import (
    NOW,
    compact,
    refused,
    sealed_data,
    server,
    signed_data,
)
from fastbearer import Key, KeySet, TokenError, _core
from fastbearer.better_auth.fields import Shown
from fastbearer.errors import (
    ImmatureTokenError,
    InvalidClaimError,
    MalformedTokenError,
    MissingClaimError,
)

SIGNING = Key.generate("EdDSA", kid="k1")
KEYS = KeySet([SIGNING.public()])
TOKEN, DATE = "a" * 32, "2026-12-29T06:46:51.909Z"
TIMES = {"createdAt": DATE, "updatedAt": DATE}
SESSION = {
    "id": "s1",
    "token": TOKEN,
    "userId": "u1",
    "expiresAt": DATE,
    **TIMES,
    "ipAddress": "203.0.113.7",
    "userAgent": "x",
}
USER = {
    "id": "u1",
    "name": "Ada",
    "email": "ada@example.com",
    "emailVerified": True,
    "image": None,
    **TIMES,
}
NULLABLE = {"image", "ipAddress", "userAgent"}
KINDS = {
    **dict.fromkeys(("id", "userId", "token"), "id"),
    **dict.fromkeys(("name", "email", "image", "ipAddress", "userAgent"), "text"),
    **dict.fromkeys(("expiresAt", "createdAt", "updatedAt"), "date"),
    "emailVerified": "flag",
}
MEMBERS = [
    *(("session", name) for name in SESSION),
    *(("user", name) for name in USER),
]


def keyed(content: dict[str, Any]) -> str:
    session, user = content.get("session"), content.get("user")
    sid = session.get("token") if isinstance(session, dict) else None
    sub = user.get("id") if isinstance(user, dict) else None
    origin = "http://localhost:3000"
    claims = {**content, "sid": sid, "sub": sub, "iss": origin}
    claims |= {"aud": "better-auth:session-cache", "exp": int(NOW) + 60}
    header = {"typ": "better-auth.session-cache+jwt", "kid": "k1"}
    return _core.jws_sign(json.dumps(claims).encode(), SIGNING, header)


def timed(make: Callable[[dict[str, Any]], str]) -> Callable[[dict[str, Any]], str]:
    return lambda content: make({**content, "iat": int(NOW), "exp": int(NOW) + 60})


STRATEGIES = {
    "compact": compact,
    "jwt": timed(signed_data),
    "jwe": timed(sealed_data),
    "signed with a key": keyed,
}
strategies = pytest.mark.parametrize("make", STRATEGIES.values(), ids=STRATEGIES)


def payload(**changes: Any) -> dict[str, Any]:
    made = {"session": SESSION, "user": USER, "updatedAt": 1, "version": "1"}
    return {**made, **changes}


def read(value: str) -> Any:
    return server(jwks=KEYS).read_session_data(value)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=8)
    | st.sampled_from([DATE, TOKEN, "u1", "", "2026-12-29", "2026-12-29T06:46:51Z"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=4,
)


def is_of_kind(kind: str, value: Any) -> bool:
    if kind == "flag":
        return isinstance(value, bool)
    if not isinstance(value, str):
        return False
    if kind == "date":
        return value in (DATE, "2026-12-29T06:46:51Z")
    return kind == "text" or value != ""


@strategies
@pytest.mark.parametrize(("place", "name"), MEMBERS)
@settings(max_examples=25, deadline=None)
@given(value=VALUES)
def test_members_of_any_type(
    make: Callable[[dict[str, Any]], str], place: str, name: str, value: Any
) -> None:
    """Signed as they are: what is of another type is refused, and nothing breaks."""
    owner = SESSION if place == "session" else USER
    content = payload(**{place: {**owner, name: value}})
    fits = is_of_kind(KINDS[name], value) or (value is None and name in NULLABLE)
    try:
        found = read(make(content))
    except TokenError:
        found = None
    if found is None:
        is_identity = name in ("token", "userId") or (place, name) == ("user", "id")
        assert not fits or is_identity, value
        return
    assert fits
    assert (found.user if place == "user" else found.session)[name] == value
    assert isinstance(found.user_id, str) and isinstance(found.email, str)


@strategies
@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(["session", "user", "updatedAt", "version"]), value=VALUES)
def test_the_payload_of_any_type(
    make: Callable[[dict[str, Any]], str], name: str, value: Any
) -> None:
    kinds = {"updatedAt": (int, float), "version": str}
    fits = type(value) in (int, float) if name == "updatedAt" else value in ("1", "")
    try:
        read(make(payload(**{name: value})))
    except TokenError:
        assert not (name in kinds and fits)
    else:
        assert name in kinds and fits


@pytest.mark.parametrize(
    ("date", "fits"),
    [
        ("2026-12-29T06:46:51Z", True),
        ("2026-12-29T06:46:51.9Z", True),
        ("2026-12-29T06:46:51.909Z", True),
        ("2026-12-29T06:46:51." + "9" * 19 + "Z", True),
        ("2026-12-29T06:46:51." + "9" * 20 + "Z", False),
        ("2026-12-29T06:46:51.Z", False),
        ("2026-12-29T06:46:51,909Z", False),
        ("2026-12-29T06:46:51.90:Z", False),
        ("2026-12-29T06:46:51.909", False),
        ("2026-12-29T06:46:51.909z", False),
        ("2026-12-29T06:46:5Z", False),
        ("2026-12-29 06:46:51.909Z", False),
        ("2026/12-29T06:46:51.909Z", False),
        ("x026-12-29T06:46:51.909Z", False),
        ("2026-12-29T06:46:5x.909Z", False),
        ("2026-12-29T06:46:51Z ", False),
        ("Z", False),
        ("", False),
    ],
)
def test_what_is_a_date(date: str, fits: bool) -> None:
    session = {**SESSION, "expiresAt": date}
    expected = None if fits else "expiresAt"
    assert _core.session_misfit(session, USER, False) == expected


@strategies
@pytest.mark.parametrize(
    "members",
    [
        *({"name": 5}, {"email": ["a"]}, {"email": None}, {"name": {}}, {"id": 7}),
        *({"emailVerified": "true"}, {"emailVerified": 1}, {"image": 5}),
        *({"createdAt": 1795330011911}, {"updatedAt": "today"}, {"createdAt": None}),
        {"createdAt": "2026-12-29T06:46:51.909+00:00"},
    ],
    ids=str,
)
def test_a_user_that_better_auth_would_not_write(
    make: Callable[[dict[str, Any]], str], members: dict[str, Any]
) -> None:
    content = payload(user={**USER, **members})
    assert refused(lambda: read(make(content))) in (
        MalformedTokenError,
        InvalidClaimError,
    )


@strategies
def test_members_that_are_absent_or_a_plugins(
    make: Callable[[dict[str, Any]], str],
) -> None:
    """Fields may be hidden (``returned: false``), and plugins and projects add some."""
    few = {"id": "u1", "role": ["any", 1], "banned": None, "age": 5.5}
    needed = {name: SESSION[name] for name in ("token", "userId", "expiresAt")}
    found = read(make(payload(user=few, session=needed)))
    assert (found.user, found.session) == (few, needed)


@strategies
@pytest.mark.parametrize(
    ("nbf", "is_good"),
    [
        *((int(NOW), True), (0, True), (-1, True), (NOW - 0.5, True)),
        *((int(NOW) + 1, False), (2**40, False), ("0", False), (None, False)),
        *((True, False), ([], False), ({}, False), (1e300, False)),
    ],
)
def test_nbf_holds_in_every_strategy(
    make: Callable[[dict[str, Any]], str], nbf: Any, is_good: bool
) -> None:
    value = make(payload(nbf=nbf))
    if is_good:
        assert read(value).user_id == "u1"
    else:
        assert issubclass(refused(lambda: read(value)), TokenError)
    if nbf == int(NOW) + 1:
        assert refused(lambda: read(value)) is ImmatureTokenError


# --- rows ---------------------------------------------------------------------------


@pytest.mark.parametrize(("place", "name"), MEMBERS)
@settings(max_examples=40, deadline=None)
@given(value=VALUES)
def test_rows_of_any_type(place: str, name: str, value: Any) -> None:
    """A column may be empty, and dates, ids and flags have several types in SQL."""
    session, user = dict(SESSION), dict(USER)
    (session if place == "session" else user)[name] = value
    logging.getLogger("fastbearer").setLevel(logging.CRITICAL)
    try:
        found = Shown().session_of(session, user, TOKEN, NOW)
    finally:
        logging.getLogger("fastbearer").setLevel(logging.NOTSET)
    if found is None:
        return
    for owner in (found.session, found.user):
        for field, one in owner.items():
            assert one is None or is_of_kind(KINDS[field], one) or _is_date(field, one)
    assert found.user_id and isinstance(found.email, str)


def _is_date(field: str, value: Any) -> bool:
    return KINDS[field] == "date" and isinstance(value, str) and value[-1] == "Z"


@pytest.mark.parametrize("name", ["name", "email", "emailVerified", "createdAt"])
def test_an_empty_column_is_no_reason_to_lock_somebody_out(name: str) -> None:
    found = Shown().session_of(SESSION, {**USER, name: None}, TOKEN, NOW)
    assert found is not None and found.user[name] is None


def test_a_text_that_is_none_is_logged_with_its_name(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR, logger="fastbearer"):
        row = {**USER, "email": ["secret"]}
        assert Shown().session_of(SESSION, row, TOKEN, NOW) is None
    assert "email" in caplog.text and "secret" not in caplog.text


# --- tokens of the plugin jwt() -------------------------------------------------------


@pytest.mark.parametrize("sub", ["", 1, True, ["u1"], {"id": "u1"}, 1.5])
def test_a_sub_that_is_no_users_id(sub: Any) -> None:
    origin = "http://localhost:3000"
    claims = {"sub": sub, "exp": int(NOW) + 60, "iss": origin, "aud": origin}
    token = _core.jws_sign(json.dumps(claims).encode(), SIGNING, {"kid": "k1"})
    ba = server(jwks=KEYS)
    expected = MissingClaimError if sub == "" else InvalidClaimError
    assert refused(lambda: ba.verify_jwt(token)) is expected
    assert refused(lambda: asyncio.run(ba.averify_jwt(token))) is expected


@pytest.mark.parametrize("claims", [{}, {"sub": None}], ids=str)
def test_a_sub_that_is_absent(claims: dict[str, Any]) -> None:
    origin = "http://localhost:3000"
    claims = {**claims, "exp": int(NOW) + 60, "iss": origin, "aud": origin}
    token = _core.jws_sign(json.dumps(claims).encode(), SIGNING, {"kid": "k1"})
    assert refused(lambda: server(jwks=KEYS).verify_jwt(token)) is MissingClaimError


@pytest.mark.parametrize("arguments", [(), ({}, {}), ({}, {}, True, 1)])
def test_what_the_core_is_asked_wrongly(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError):
        _core.session_misfit(*arguments)
    assert _core.session_misfit(None, {}, False) == "session"
    assert _core.session_misfit({}, [], False) == "user"
    assert _core.session_misfit({1: 2, "é": 3}, {}, False) == "expiresAt"
