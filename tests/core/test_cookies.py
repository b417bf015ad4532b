"""The one reader of cookies, for Better Auth's many and for a token's one."""

from __future__ import annotations

import pytest

from fastbearer._core import cookie_values


def lines(*values: bytes) -> list[tuple[bytes, bytes]]:
    return [(b"host", b"a"), *((b"cookie", value) for value in values)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"t=1", "1"),
        (b"a=0; t=1; b=2", "1"),
        (b" \tt = 1 ;", "1"),
        (b't="1"', "1"),
        (b"t=a=b", "a=b"),
        (b"t=\xe9", "\xe9"),
        (b"t=", ""),
        (b"tt=1", None),
        (b"T=1", None),
        (b"__Secure-t=1", None),
        (b"t", None),
        (b"", None),
    ],
)
def test_a_whole_name_is_found_alone(line: bytes, expected: str | None) -> None:
    found = cookie_values(lines(line), b"t", True)
    assert found == ({} if expected is None else {"t": expected})


def test_others_may_come_twice() -> None:
    headers = lines(b"token_x=1; token_x=2; token=3")
    assert cookie_values(headers, b"token", True) == {"token": "3"}
    found = cookie_values(headers, b"token")
    assert found == {"token_x": ["1", "2"], "token": "3"}


def test_of_many_values_of_one_name_each_is_given_once() -> None:
    headers = lines(b"a.x=1; a.x=2; a.x=1", b"a.x=2; a.x=; a.y=1; a.y=1")
    assert cookie_values(headers, b"a.") == {"a.x": ["1", "2", ""], "a.y": "1"}


def test_of_one_name_there_are_at_most_eight_values() -> None:
    eight = [b"a.x=%d" % number for number in range(8)]
    found = cookie_values(lines(*eight, *eight), b"a.")
    assert found == {"a.x": [str(number) for number in range(8)]}
    with pytest.raises(ValueError, match="too often"):
        cookie_values(lines(*eight, b"a.x=8"), b"a.")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (lines(b"t=1; t=2"), ["1", "2"]),
        (lines(b"t=1", b"t=2"), ["1", "2"]),
        (lines(b"t=; t=1"), ["", "1"]),
        (lines(b"t=1; t=1"), "1"),
        (lines(b"t=long; tt=x; t=long"), "long"),
        (lines(b"t=; t="), ""),
        (lines(b"t=1; t=2; t=1; t=3"), ["1", "2", "3"]),
    ],
)
def test_a_whole_name_may_come_twice(
    headers: list[tuple[bytes, bytes]], expected: str | list[str]
) -> None:
    assert cookie_values(headers, b"t", True) == {"t": expected}


def test_a_whole_name_has_at_most_eight_values() -> None:
    with pytest.raises(ValueError, match="too often"):
        cookie_values(lines(*(b"t=%d" % number for number in range(9))), b"t", True)


def test_without_whole_names_begin_so() -> None:
    headers = lines(b"a.x=1; __Secure-a.y=2; b.x=3; a.x=1")
    assert cookie_values(headers, b"a.") == {"a.x": "1", "__Secure-a.y": "2"}


def test_what_comes_after_a_name_is_no_part_of_it() -> None:
    headers = lines(b"__Secure-a=1; a=1; __Secure-=1")
    for begins in (b"a=1", b"a=", b"=1"):
        assert cookie_values(headers, begins) == {}
    assert cookie_values(headers, b"a") == {"__Secure-a": "1", "a": "1"}


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ([],),
        ([], "t"),
        ([], b"t", True, 1),
        (5, b"t"),
        ([5], b"t"),
        ([(b"a",)], b""),
    ],
)
def test_what_is_no_headers_is_a_type_error(arguments: tuple[object, ...]) -> None:
    with pytest.raises(TypeError):
        cookie_values(*arguments)  # type: ignore[arg-type]
