"""The bearer token among the headers of a request."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbearer._core import bearer_token

NAME = b"authorization"
HOST = (b"host", b"a")


def found(value: bytes) -> str | None:
    return bearer_token([HOST, (NAME, value), (b"accept", b"*/*")], NAME)


@pytest.mark.parametrize(
    ("value", "token"),
    [
        (b"Bearer abc", "abc"),
        (b"bearer abc", "abc"),
        (b"BEARER abc", "abc"),
        (b"Bearer   abc", "abc"),
        (b"Bearer abc ", "abc "),
        (b"Bearer a b", "a b"),
        (b"Bearer \xff\x00", "\xff\x00"),
        (b"Bearer ", ""),
        (b"Bearer", ""),
        (b"Bearer\tabc", ""),
        (b"Bearerabc", ""),
        (b" Bearer abc", ""),
        (b"Basic abc", ""),
        (b"\xe2earer abc", ""),
        (b"", ""),
    ],
)
def test_token(value: bytes, token: str) -> None:
    assert found(value) == token


def test_no_such_header() -> None:
    assert bearer_token([], NAME) is None
    assert bearer_token([HOST, (b"authorizatio", b"Bearer a")], NAME) is None
    assert bearer_token([(b"Authorization", b"Bearer a")], NAME) is None
    # Who does not keep to ASGI gets no token in.
    assert bearer_token([("authorization", b"Bearer a")], NAME) is None  # type: ignore[list-item]


def test_two_headers() -> None:
    for second in (b"Bearer a", b"Basic b", b""):
        with pytest.raises(ValueError, match="more than one"):
            bearer_token([(NAME, b"Bearer a"), HOST, (NAME, second)], NAME)


@pytest.mark.parametrize("kind", [list, tuple, iter])
@pytest.mark.parametrize("pair", [list, tuple])
def test_any_sequence_of_any_pairs(kind: Any, pair: Any) -> None:
    headers = [pair(HOST), pair((NAME, b"Bearer abc"))]
    assert bearer_token(kind(headers), NAME) == "abc"


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ([],),
        ([], "authorization"),
        (None, NAME),
        ([(NAME,)], NAME),
        ([(NAME, b"a", b"b")], NAME),
        ([b"ab"], NAME),
        ([None], NAME),
        ([(NAME, "Bearer a")], NAME),
        ([(NAME, b"Bearer a"), None], NAME),
    ],
)
def test_what_is_no_header(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError):
        bearer_token(*arguments)


@given(st.lists(st.tuples(st.sampled_from([NAME, b"host"]), st.binary(max_size=12))))
def test_like_python(headers: list[tuple[bytes, bytes]]) -> None:
    values = [value for name, value in headers if name == NAME]
    if len(values) > 1:
        with pytest.raises(ValueError, match="more than one"):
            bearer_token(headers, NAME)
        return
    expected = None
    if values:
        scheme, _, token = values[0].partition(b" ")
        is_bearer = scheme.lower() == b"bearer"
        expected = token.lstrip(b" ").decode("latin-1") if is_bearer else ""
    assert bearer_token(headers, NAME) == expected
