"""Whose token it says it is: `_core.unverified_issuer` beside a reader in Python."""

from __future__ import annotations

import json
import sys
import tracemalloc
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fastbearer import Key, Signer, TokenError, Verifier, jws
from fastbearer._core import unverified_issuer

KEY = Key.generate("HS256")
ISSUER = "https://id.example.com"


def token(payload: bytes) -> str:
    return jws.sign(payload, KEY)


class NotStrictError(ValueError):
    """JSON that the core's reader refuses, and json's own does not."""


def no_constant(text: str) -> Any:
    raise NotStrictError(text)


def expected(payload: bytes) -> str | None:
    """Read it again: the one `iss` of the top level, if it is a string."""
    tops: list[list[tuple[str, Any]]] = []

    def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
        tops.append(members)  # the outermost object comes last
        return dict(members)

    try:
        text = payload.decode("utf-8")
        read = json.loads(text, object_pairs_hook=pairs, parse_constant=no_constant)
        text.encode("utf-8")
        json.dumps(read, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        return None
    if not isinstance(read, dict) or text.startswith("\ufeff"):
        return None
    values = [value for name, value in tops[-1] if name == "iss"]
    found = values[0] if len(values) == 1 else None
    return found if isinstance(found, str) else None


names = st.sampled_from(["iss", "is", "isss", "ISS", "sub", "", "\u0131ss", "i\ud7ffs"])
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3)
    ),
    max_leaves=8,
)


@st.composite
def objects(draw: st.DrawFn) -> bytes:
    """An object that may have names twice, and hide them after escapes."""
    members = draw(st.lists(st.tuples(names, values), max_size=5))
    written = []
    for name, value in members:
        text = json.dumps(name, ensure_ascii=draw(st.booleans()))
        if draw(st.booleans()):
            text = '"' + "".join(f"\\u{ord(character):04x}" for character in name) + '"'
        written.append(text + ":" + json.dumps(value, ensure_ascii=draw(st.booleans())))
    return ("{" + draw(st.sampled_from([",", " ,\n"])).join(written) + "}").encode()


@given(objects())
@example(b'{"iss":"a","i\\u0073s":"b"}')
@example(b'{"iss":null,"iss":"b"}')
@example(b'{"a":{"iss":"b"}}')
@example(b'{"a":[{"iss":"b"},{}],"iss":"c"}')
def test_the_issuer_of_any_object_is_what_another_reader_finds(payload: bytes) -> None:
    assert unverified_issuer(token(payload)) == expected(payload)


@given(objects(), st.integers(0, 200), st.binary(max_size=2))
def test_the_issuer_of_a_spoilt_object_is_none_or_what_another_reader_finds(
    payload: bytes, position: int, piece: bytes
) -> None:
    at = position % (len(payload) + 1)
    spoilt = payload[:at] + piece + payload[at + 1 :]
    assert unverified_issuer(token(spoilt)) == expected(spoilt)


@given(objects())
def test_a_token_that_verifies_has_the_issuer_that_was_peeked(payload: bytes) -> None:
    verifier = Verifier(KEY, require=(), ignore_audience=True)
    try:
        claims = verifier.verify(token(payload))
    except TokenError:
        return
    issuer = claims.get("iss")
    wanted = issuer if isinstance(issuer, str) else None
    assert unverified_issuer(token(payload)) == wanted


@given(st.binary(max_size=80) | st.text(max_size=80))
def test_no_text_raises(text: bytes | str) -> None:
    assert unverified_issuer(text) is None or "iss" in str(text)


@pytest.mark.parametrize(
    "issuer", [ISSUER, "", "é", "日本", "\U0001f600", 'a"b\\c', "\u0000", "x" * 5000]
)
def test_the_issuer_is_the_text_of_the_claim(issuer: str) -> None:
    made = Signer(KEY).sign({"iss": issuer, "sub": "1"})
    assert unverified_issuer(made) == issuer
    assert unverified_issuer(made.encode()) == issuer
    written = Signer(KEY, ascii=True).sign({"iss": issuer})
    assert unverified_issuer(written) == issuer


@pytest.mark.parametrize(
    "payload",
    [
        b"{}",
        b'{"iss":1}',
        b'{"iss":null}',
        b'{"iss":["https://id.example.com"]}',
        b'{"iss":{"iss":"https://id.example.com"}}',
        b'{"iss":"a","iss":"a"}',
        b'{"iss":"a"',
        b'{"iss":"a"}x',
        b'{"iss":"a",}',
        b'{"iss":"a","b":01}',
        b'{"iss":"\\ud800"}',
        b'{"iss":"\xff"}',
        b'\xef\xbb\xbf{"iss":"a"}',
        b'["iss","a"]',
        b'"iss"',
        b"",
        b'{"iss":"a","deep":' + b"[" * 40 + b"]" * 40 + b"}",
    ],
)
def test_a_payload_without_one_issuer_has_none(payload: bytes) -> None:
    assert unverified_issuer(token(payload)) is None


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "a.b", "a.b.c.d", "a.b.c.d.e", "opaque", "a.!!.c", "\u20ac.b.c"],
)
def test_what_is_no_token_has_no_issuer(text: str) -> None:
    assert unverified_issuer(text) is None


def test_the_header_and_the_signature_are_not_looked_at() -> None:
    payload = jws.sign(b'{"iss":"a"}', KEY).split(".")[1]
    assert unverified_issuer(f"!.{payload}.!") == "a"


def test_padding_is_for_the_verifier_to_judge() -> None:
    payload = urlsafe_b64encode(b'{"iss":"abcd"}').decode()
    assert payload.endswith("=")
    assert unverified_issuer(f"e30.{payload}.AA") == "abcd"
    assert unverified_issuer(f"e30.{payload}=.AA") is None


def test_a_token_beyond_the_limit_is_not_read() -> None:
    made = Signer(KEY).sign({"iss": ISSUER})
    assert unverified_issuer(made, len(made)) == ISSUER
    assert unverified_issuer(made, len(made) - 1) is None
    assert unverified_issuer(made, 10**30) == ISSUER
    assert unverified_issuer(made, -1) is None
    long = Signer(KEY).sign({"iss": ISSUER, "pad": "x" * 16384})
    assert unverified_issuer(long) is None
    assert unverified_issuer(long, 10**6) == ISSUER


@pytest.mark.parametrize("wrong", [None, 5, [], bytearray(b"a.b.c"), memoryview(b"a")])
def test_another_type_is_a_type_error(wrong: Any) -> None:
    with pytest.raises(TypeError, match="a token must be str or bytes, not"):
        unverified_issuer(wrong)
    with pytest.raises(TypeError):
        unverified_issuer("a.b.c", "5")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        unverified_issuer()  # type: ignore[call-arg]


def test_nothing_is_kept() -> None:
    """Long payloads leave the stack: what is taken for them is given back."""
    made = token(b'{"pad":"' + b"x" * 9000 + b'","iss":"' + b"y" * 900 + b'"}')
    issuer = unverified_issuer(made)
    assert issuer is not None
    assert sys.getrefcount(issuer) <= 2
    tracemalloc.start()
    try:
        for _ in range(2000):
            unverified_issuer(made)
        assert tracemalloc.get_traced_memory()[0] < 100_000
    finally:
        tracemalloc.stop()
