"""The JSON reader and writer, by the JSONTestSuite and by json's own answers."""

from __future__ import annotations

import json
import tarfile
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbearer import MalformedTokenError, Signer, _core, jws
from handmade_tokens import KEY, verifier
from project import VECTORS

ARCHIVES = sorted((VECTORS / "jsontestsuite").glob("*.tar.gz"))
needs_suite = pytest.mark.skipif(
    not ARCHIVES, reason=f"no JSONTestSuite at {VECTORS / 'jsontestsuite'}"
)


def suite() -> dict[str, bytes]:
    if not ARCHIVES:
        return {}
    with tarfile.open(ARCHIVES[0]) as archive:
        return {
            member.name.rpartition("/")[2]: archive.extractfile(member).read()  # type: ignore[union-attr]
            for member in archive
            if member.name.endswith(".json") and "test_parsing" in member.name
        }


FILES = suite()


@cache
def reader() -> Any:
    return verifier(max_bytes=10**7, ignore_audience=True).verify


def read(payload: bytes) -> Any:
    return reader()(jws.sign(payload, KEY))


@needs_suite
def test_the_suite_is_whole() -> None:
    kinds = [name[0] for name in FILES]
    assert (kinds.count("y"), kinds.count("n"), kinds.count("i")) == (95, 188, 35)


@needs_suite
@pytest.mark.parametrize("name", [name for name in FILES if name[0] == "y"])
def test_what_must_be_read(name: str) -> None:
    wrapped = b'{"v":' + FILES[name] + b"}"
    if "duplicated_key" in name:  # RFC 7519 4 lets us refuse, and we do
        with pytest.raises(MalformedTokenError):
            read(wrapped)
        return
    assert read(wrapped) == {"v": json.loads(FILES[name])}


@needs_suite
@pytest.mark.parametrize("name", [name for name in FILES if name[0] == "n"])
def test_what_must_be_refused(name: str) -> None:
    for payload in (FILES[name], b'{"v":' + FILES[name] + b"}"):
        with pytest.raises(MalformedTokenError):
            read(payload)


@needs_suite
@pytest.mark.parametrize("name", [name for name in FILES if name[0] == "i"])
def test_what_may_be_either(name: str) -> None:
    try:
        value = read(b'{"v":' + FILES[name] + b"}")
    except MalformedTokenError:
        return
    assert value == {"v": json.loads(FILES[name])}


@pytest.mark.parametrize("payload", [b"[]", b'"x"', b"1", b"null", b"true", b"[{}]"])
def test_claims_are_an_object(payload: bytes) -> None:
    with pytest.raises(MalformedTokenError, match="object"):
        read(payload)


def nested(levels: int) -> bytes:
    return b'{"a":' * (levels - 1) + b"{}" + b"}" * (levels - 1)


def test_the_depth_has_a_limit() -> None:
    assert read(nested(32)) == json.loads(nested(32))
    assert read(b'{"a":' + b"[" * 31 + b"]" * 31 + b"}")
    for deep in (
        nested(33),
        b'{"a":' + b"[" * 32 + b"]" * 32 + b"}",
        nested(100_000),
        b'{"a":' + b"[" * 100_000,
    ):
        with pytest.raises(MalformedTokenError):
            read(deep)
    wide = b'{"a":[' + b"[]," * 1000 + b"{}]}"  # levels are not siblings
    assert len(read(wide)["a"]) == 1001


def test_long_integers() -> None:
    for digits in ("9" * 18, "9" * 19, "1" + "0" * 4299, "-" + "7" * 4300):
        assert read(b'{"n":' + digits.encode() + b"}") == {"n": int(digits)}
    with pytest.raises(MalformedTokenError):
        read(b'{"n":' + b"1" * 4301 + b"}")
    with pytest.raises(MalformedTokenError):
        read(b'{"n":1e400}')
    assert read(b'{"n":[-0,0.5,1E2,1e-400,123456789.125]}') == {
        "n": [0, 0.5, 100.0, 0.0, 123456789.125]
    }


@pytest.mark.parametrize(
    "payload",
    [
        b'{"a":1,"a":1}',
        b'{"a":1,"\\u0061":1}',
        b'{"x":{"b":1,"b":2}}',
        b'{"x":[{"":1,"":2}]}',
        '{"é":1,"\\u00e9":2}'.encode(),
        b'{"exp":1,"exp":99999999999}',
    ],
)
def test_a_name_twice(payload: bytes) -> None:
    with pytest.raises(MalformedTokenError, match="twice"):
        read(payload)


@pytest.mark.parametrize(
    "text",
    [
        rb"\ud800", rb"\udc00", rb"\ud800\u0041", rb"\ud800\ud800", rb"\udc00\ud800",
        rb"\u12", rb"\u12g4", rb"\x41", rb"\U0041", rb"\ ", b"\x1f", b"\n", b"\0",
        b"\x80", b"\xc0\xaf", b"\xc1\x81", b"\xe0\x80\x80", b"\xed\xa0\x80",
        b"\xf0\x80\x80\x80", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xff",
        b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98",
    ],
)  # fmt: skip
@pytest.mark.parametrize("before", [b"", b"x" * 7, b"x" * 15, b"x" * 16, b"x" * 40])
def test_text_that_is_refused_wherever_it_stands(text: bytes, before: bytes) -> None:
    for payload in (
        b'{"a":"' + before + text + b'"}',
        b'{"' + before + text + b'":1}',
        b'{"a":"' + before + text + b'tail of some length","b":1}',
    ):
        with pytest.raises(MalformedTokenError):
            read(payload)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=5)
    ),
    max_leaves=25,
)
NAMED = {"exp", "nbf", "iat", "aud"}
objects = st.dictionaries(st.text(st.characters(codec="utf-8")), values).filter(
    lambda members: not NAMED & set(members)
)


@pytest.mark.slow
@given(objects, st.sampled_from([None, 1]), st.booleans())
def test_reading_is_what_json_reads(
    members: dict[str, Any], indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps(members, indent=indent, ensure_ascii=ascii_only)
    assert read(text.encode()) == members


@pytest.mark.slow
@given(objects)
def test_writing_is_what_json_writes(members: dict[str, Any]) -> None:
    written = jws.verify(Signer(KEY).sign(members), KEY)
    assert json.loads(written) == members
    plain = json.dumps(members, separators=(",", ":"), ensure_ascii=False)
    assert written.decode() == plain
    assert read(written) == members


@pytest.mark.parametrize("length", range(40))
@pytest.mark.parametrize("special", ['"', "\\", "\n", "\x1f", "é", "\x7f", "/"])
def test_a_special_character_at_every_place(length: int, special: str) -> None:
    for place in range(length + 1):
        text = "a" * place + special + "b" * (length - place)
        members = {text: text}
        assert read(jws.verify(Signer(KEY).sign(members), KEY)) == members


WHOLE = (
    '{"a":[1.5e+7,-2E-3,true,false,null,"\\u00e9\\ud83d\\ude00\\n\u20ac\U0001f600"]}'
)


def test_a_text_that_ends_anywhere_is_refused() -> None:
    data = WHOLE.encode()
    assert _core.json_object(data) == json.loads(data)
    for size in range(len(data)):
        with pytest.raises(MalformedTokenError) as caught:
            _core.json_object(data[:size])
        assert caught.value.reason in (
            *("json_syntax", "json_utf8", "json_surrogate", "json_not_object"),
        ), data[:size]


@pytest.mark.parametrize("after", ["\\n123456", "\\u0041", "123456", "\\ud83d", ""])
def test_half_of_a_pair_is_refused(after: str) -> None:
    for first in ("\\ud83d", "\\uDBFF", "\\udc00"):
        with pytest.raises(MalformedTokenError) as caught:
            _core.json_object(f'{{"a":"{first}{after}"}}')
        assert caught.value.reason == "json_surrogate"


@pytest.mark.parametrize("length", [31, 32, 33, 63, 64, 65, 2000])
def test_an_escaped_name_is_the_name_whatever_its_length(length: int) -> None:
    """`exp` may not hide in escapes, nor a long name be taken for a short one."""
    escaped = "\\u0065" * length
    assert _core.json_object(f'{{"{escaped}":1}}') == {"e" * length: 1}
    for twice in (
        f'{{"{escaped}":1,"{"e" * length}":2}}',
        f'{{"{"e" * length}":1,"{escaped}":2}}',
    ):
        with pytest.raises(MalformedTokenError) as caught:
            _core.json_object(twice)
        assert caught.value.reason == "json_duplicate"
    token = jws.sign(f'{{"{"x" * length}\\u0069":"a","\\u0069ss":"b"}}'.encode(), KEY)
    assert _core.unverified_issuer(token) == "b"
