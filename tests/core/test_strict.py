"""What a strict verifier refuses, by name: shape, header, signature, claims."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import fastbearer
from fastbearer import (
    ClaimError,
    ConfigurationError,
    ExpiredTokenError,
    ImmatureTokenError,
    InvalidAlgorithmError,
    InvalidAudienceError,
    InvalidClaimError,
    InvalidIssuerError,
    InvalidSignatureError,
    Key,
    KeySet,
    MalformedTokenError,
    MissingClaimError,
    Signer,
    TokenError,
    UnknownKeyError,
    Verifier,
    jws,
    unverified_header,
)
from handmade_tokens import HEADER, KEY, NOW, b64, raw_token, signed, token, verifier
from project import OTHER_SECRET, SECRET

GOOD = token({"sub": "1"})
HEAD, BODY, MAC = GOOD.split(".")

# --- shape --------------------

SHAPES = {
    "empty": "",
    "one segment": HEAD,
    "two segments": f"{HEAD}.{BODY}",
    "four segments": f"{GOOD}.{MAC}",
    "five segments": f"{HEAD}.{BODY}.{MAC}.{MAC}.{MAC}",
    "dots only": "..",
    "many dots": "a." * 5_000,
    "leading dot": "." + GOOD,
    "trailing dot": GOOD + ".",
    "JSON": json.dumps({"payload": BODY, "signature": MAC, "protected": HEAD}),
    "space before": " " + GOOD,
    "newline behind": GOOD + "\n",
    "NUL behind": GOOD + "\0",
    "non-ASCII": GOOD + "é",
    "lone surrogate": GOOD + "\ud800",
    "quoted": f'"{GOOD}"',
    "no header": f".{BODY}.{MAC}",
    "padded header": f"{HEAD}=.{BODY}.{MAC}",
    "padded payload": signed(f"{HEAD}.{BODY}=="),
    "padded signature": GOOD + "=",
    "standard alphabet": signed(f"{HEAD}.{b64(b'{}???>>>')}".replace("_", "/")),
    "plus": signed(f"{HEAD}.e+30"),
    "length 4n + 1": signed(f"{HEAD}.{BODY}AAAAA"[:-1] + "A" * (-len(BODY) % 4 + 1)),
    "trailing bits of the payload": signed(f"{HEAD}.e31"),
    "newline in the payload": signed(f"{HEAD}.{BODY[:4]}\n{BODY[4:]}"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_that_is_refused(name: str) -> None:
    for form in (SHAPES[name], SHAPES[name].encode("utf-8", "surrogatepass")):
        with pytest.raises(MalformedTokenError):
            verifier().verify(form)


def test_trailing_bits_of_the_signature() -> None:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = letters.index(MAC[-1])
    for bits in (1, 2, 3):
        with pytest.raises(MalformedTokenError):
            verifier().verify(GOOD[:-1] + letters[last | bits])


@pytest.mark.parametrize("value", [None, 1, 1.5, [GOOD], bytearray(GOOD.encode())])
def test_a_token_is_text(value: Any) -> None:
    with pytest.raises(TypeError):
        verifier().verify(value)


def test_max_bytes_comes_first() -> None:
    assert verifier(max_bytes=len(GOOD)).verify(GOOD) == {"sub": "1"}
    assert verifier(max_bytes=2**70).verify(GOOD) == {"sub": "1"}
    for text in (GOOD, "." * len(GOOD), "é" * len(GOOD)):
        with pytest.raises(MalformedTokenError):
            verifier(max_bytes=len(GOOD) - 1).verify(text)
    with pytest.raises(MalformedTokenError, match="max_bytes"):
        verifier().verify("x" * 16385)
    with pytest.raises(MalformedTokenError):
        verifier(max_bytes=10**7).verify("x" * 4_000_000)


def test_padding_where_it_is_allowed() -> None:
    body = b64(b'{"sub": "12"}')
    assert len(body) % 4
    padded = body + "=" * (-len(body) % 4)
    lenient = verifier(allow_padding=True)
    over_text = signed(f"{HEAD}.{padded}")
    assert lenient.verify(over_text) == {"sub": "12"}
    assert lenient.verify(over_text + "=") == {"sub": "12"}
    with pytest.raises(InvalidSignatureError):  # signed without it
        lenient.verify(signed(f"{HEAD}.{body}").replace(body, padded))
    for wrong in (padded + "=", body + "=" * (-len(body) % 4 + 1), "=" + padded):
        with pytest.raises(MalformedTokenError):
            lenient.verify(signed(f"{HEAD}.{wrong}"))


# --- header --------------------

HEADERS = {
    b"[]": MalformedTokenError,
    b'"x"': MalformedTokenError,
    b"null": MalformedTokenError,
    b"": MalformedTokenError,
    b"{": MalformedTokenError,
    b'{"alg":"HS256"}x': MalformedTokenError,
    b'{"alg":"HS256","alg":"HS256"}': MalformedTokenError,
    b'{"alg":"none","alg":"HS256"}': MalformedTokenError,
    b'{"alg":"HS256","\\u0061lg":"HS256"}': MalformedTokenError,
    b'\xef\xbb\xbf{"alg":"HS256"}': MalformedTokenError,
    '{"alg":"HS256"}'.encode("utf-16"): MalformedTokenError,
    b'{"alg":"HS256","crit":["exp"]}': MalformedTokenError,
    b'{"alg":"HS256","crit":[]}': MalformedTokenError,
    b'{"alg":"HS256","crit":null}': MalformedTokenError,
    b'{"alg":"HS256","crit":["b64"],"b64":true}': MalformedTokenError,
    b'{"alg":"HS256","crit":["b64"],"b64":false}': MalformedTokenError,
    b'{"alg":"HS256","b64":false}': MalformedTokenError,
    b'{"alg":"HS256","b64":0}': MalformedTokenError,
    b'{"alg":"HS256","zip":"DEF"}': MalformedTokenError,
    b'{"alg":"HS256","kid":1}': MalformedTokenError,
    b'{"alg":"HS256","kid":null}': MalformedTokenError,
    b'{"alg":"HS256","typ":[]}': MalformedTokenError,
    b'{"alg":"HS256","x":NaN}': MalformedTokenError,
    b'{"alg":"HS256","x":"\\ud800"}': MalformedTokenError,
    b'{"alg":"HS256","x":' + b"[" * 100_000: MalformedTokenError,
    b"{}": InvalidAlgorithmError,
    b'{"alg":null}': InvalidAlgorithmError,
    b'{"alg":1}': InvalidAlgorithmError,
    b'{"alg":["HS256"]}': InvalidAlgorithmError,
    b'{"alg":""}': InvalidAlgorithmError,
    b'{"alg":"hs256"}': InvalidAlgorithmError,
    b'{"alg":"HS256 "}': InvalidAlgorithmError,
    b'{"alg":"XHS256"}': InvalidAlgorithmError,
    b'{"alg":"HS2567"}': InvalidAlgorithmError,
    b'{"alg":"HS384"}': InvalidAlgorithmError,
    b'{"alg":"RS256"}': InvalidAlgorithmError,
    '{"alg":"HS256é"}'.encode(): InvalidAlgorithmError,
} | {
    json.dumps({"alg": none}).encode(): InvalidAlgorithmError
    for none in ("none", "None", "NONE", "nOnE", "NoNe")
}


@pytest.mark.parametrize("header", HEADERS, ids=lambda header: repr(header[:40]))
def test_a_header_that_is_refused(header: bytes) -> None:
    rightly_signed = raw_token(header, b"{}")
    with pytest.raises(HEADERS[header]):
        verifier(max_bytes=10**6).verify(rightly_signed)
    unsigned = rightly_signed.rpartition(".")[0] + "."
    with pytest.raises(TokenError):
        verifier(max_bytes=10**6).verify(unsigned)


def test_a_header_may_hold_what_nobody_reads() -> None:
    more: dict[str, Any] = {"jku": "https://evil.example", "x": {"y": [1]}, "b64": True}
    assert verifier().verify(token({}, {**more, "alg": "HS256"})) == {}
    escaped = raw_token(b'{"\\u0061lg":"HS\\u0032\\u003556"}', b"{}")
    with pytest.raises(InvalidAlgorithmError):  # HS2556
        verifier().verify(escaped)
    assert (
        verifier().verify(raw_token(b'{"\\u0061lg":"HS\\u00325\\u0036"}', b"{}")) == {}
    )
    members = {f"x{n}": n for n in range(63)}
    assert verifier().verify(token({}, {"alg": "HS256", **members})) == {}
    with pytest.raises(MalformedTokenError):
        verifier().verify(token({}, {"alg": "HS256", "one": "more", **members}))


def test_the_type_of_a_token() -> None:
    typed = verifier(typ="at+jwt")
    for typ in ("at+jwt", "AT+JWT", "application/at+jwt", "Application/AT+jwt"):
        assert typed.verify(token({}, {"alg": "HS256", "typ": typ})) == {}
    assert (
        verifier(typ="application/at+jwt").verify(
            token({}, {"alg": "HS256", "typ": "at+jwt"})
        )
        == {}
    )
    for header in ({"alg": "HS256"}, HEADER, {"alg": "HS256", "typ": "x/at+jwt"}):
        with pytest.raises(InvalidClaimError) as caught:
            typed.verify(token({}, header))
        assert caught.value.claim == "typ"


def test_kids_must_agree() -> None:
    named = Key.from_secret(SECRET, kid="a")
    plain = token({})
    with_a, with_b = (token({}, {**HEADER, "kid": kid}) for kid in "ab")
    assert Verifier(named, require=()).verify(with_a) == {}
    assert Verifier(named, require=()).verify(plain) == {}
    assert verifier().verify(with_b) == {}  # a key without an id
    with pytest.raises(UnknownKeyError):
        Verifier(named, require=()).verify(with_b)
    with pytest.raises(UnknownKeyError):
        Verifier(named, require=()).verify(token({}, {**HEADER, "kid": ""}))


def test_key_sets() -> None:
    old = Key.from_secret(OTHER_SECRET, kid="old")
    new = Key.from_secret(SECRET, kid="new")
    longer = Key.generate("HS512", kid="longer")
    keys = KeySet([new, old, longer])
    assert (len(keys), list(keys), keys["old"]) == (3, [new, old, longer], old)
    with pytest.raises(KeyError):
        keys["other"]
    both = Verifier(keys, require=())
    for key in keys:
        assert both.verify(Signer(key).sign({"k": key.kid})) == {"k": key.kid}
        nameless = jws.sign(b"{}", Key.from_secret(OTHER_SECRET))
        assert both.verify(nameless) == {}
    with pytest.raises(UnknownKeyError):
        both.verify(token({}, {**HEADER, "kid": "other"}))
    with pytest.raises(InvalidAlgorithmError):
        both.verify(token({}, {"alg": "HS256", "kid": "longer"}))
    with pytest.raises(InvalidSignatureError):
        both.verify(token({}, {**HEADER, "kid": "old"}))  # signed with the new one
    twins = KeySet(
        [Key.from_secret(OTHER_SECRET, kid="x"), Key.from_secret(SECRET, kid="x")]
    )
    assert Verifier(twins, require=()).verify(token({}, {**HEADER, "kid": "x"})) == {}
    with pytest.raises(ValueError, match="at least one"):
        KeySet([])
    with pytest.raises(TypeError):
        KeySet([SECRET])  # type: ignore[list-item]
    with pytest.raises((ConfigurationError, TypeError)):
        Verifier([])


# --- signature --------------------


def test_every_bit_of_the_signature_counts() -> None:
    raw = bytearray(__import__("base64").urlsafe_b64decode(MAC + "="))
    for bit in range(256):
        raw[bit // 8] ^= 1 << bit % 8
        with pytest.raises(InvalidSignatureError):
            verifier().verify(f"{HEAD}.{BODY}.{b64(bytes(raw))}")
        raw[bit // 8] ^= 1 << bit % 8
    assert verifier().verify(f"{HEAD}.{BODY}.{b64(bytes(raw))}") == {"sub": "1"}


@pytest.mark.parametrize("length", [0, 1, 16, 31, 33, 48, 64, 4096])
def test_the_length_of_the_signature(length: int) -> None:
    with pytest.raises(InvalidSignatureError):
        verifier().verify(f"{HEAD}.{BODY}.{b64(bytes(length))}")


def test_the_payload_is_not_read_before_the_signature() -> None:
    for payload in (b"not json", b'{"exp": 1}', b"[" * 9000, b"\xff"):
        forged = f"{HEAD}.{b64(payload)}.{MAC}"
        with pytest.raises(InvalidSignatureError):
            verifier(require=("exp",)).verify(forged)
    with pytest.raises(InvalidSignatureError):
        verifier().verify(f"{HEAD}.not*base64.{MAC}")


# --- claims --------------------

DATES = {"exp": InvalidClaimError, "nbf": InvalidClaimError, "iat": InvalidClaimError}
NO_DATES = (True, False, None, "1", "", [], [1], {}, 2**53 + 1, -(2**53) - 1, 2**63)


@pytest.mark.parametrize("name", DATES)
@pytest.mark.parametrize("value", [*NO_DATES, 10**50, 1e300, -1e17], ids=repr)
def test_a_date_is_a_number(name: str, value: Any) -> None:
    with pytest.raises(InvalidClaimError) as caught:
        verifier().verify(token({name: value}))
    assert caught.value.claim == name


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"exp": NOW + 1}, None),
        ({"exp": NOW}, ExpiredTokenError),
        ({"exp": NOW - 1}, ExpiredTokenError),
        ({"exp": NOW + 0.5}, None),
        ({"exp": 2**53}, None),
        ({"exp": -(2**53)}, ExpiredTokenError),
        ({"exp": 0}, ExpiredTokenError),
        ({"nbf": NOW}, None),
        ({"nbf": NOW + 1}, ImmatureTokenError),
        ({"nbf": NOW + 0.5}, ImmatureTokenError),
        ({"nbf": -1}, None),
        ({"iat": NOW + 10**6}, None),
        ({"iat": 2**53}, None),
    ],
)
def test_the_boundaries_of_time(claims: dict[str, Any], expected: Any) -> None:
    if expected is None:
        assert verifier().verify(token(claims)) == claims
        return
    with pytest.raises(expected) as caught:
        verifier().verify(token(claims))
    assert caught.value.claim == next(iter(claims))


@pytest.mark.parametrize("leeway", [10, 10.0, timedelta(seconds=10)])
def test_leeway(leeway: Any) -> None:
    lenient = verifier(leeway=leeway)
    assert lenient.verify(token({"exp": NOW - 9, "nbf": NOW + 10}))
    with pytest.raises(ExpiredTokenError):
        lenient.verify(token({"exp": NOW - 10}))
    with pytest.raises(ImmatureTokenError):
        lenient.verify(token({"nbf": NOW + 11}))


@pytest.mark.parametrize("age", [60, timedelta(minutes=1)])
def test_max_age(age: Any) -> None:
    fresh = verifier(max_age=age)
    assert fresh.verify(token({"iat": NOW - 59}))
    assert fresh.verify(token({"iat": NOW + 5}))
    with pytest.raises(ExpiredTokenError):
        fresh.verify(token({"iat": NOW - 60}))
    with pytest.raises(MissingClaimError) as caught:
        fresh.verify(token({}))
    assert caught.value.claim == "iat"
    assert verifier(max_age=age, leeway=5).verify(token({"iat": NOW - 64}))


def test_required_claims() -> None:
    strict = Verifier(KEY, clock=lambda: NOW)
    assert strict.verify(token({"exp": NOW + 1}))
    for claims in ({}, {"exp": None}):
        with pytest.raises(MissingClaimError) as caught:
            strict.verify(token(claims))
        assert caught.value.claim == "exp"
    both = verifier(require=["sub", "tenant", "exp"])
    assert both.verify(token({"sub": "", "tenant": 0, "exp": NOW + 1}))
    for name in ("sub", "tenant", "exp"):
        claims = {"sub": "1", "tenant": 1, "exp": NOW + 1, name: None}
        with pytest.raises(MissingClaimError) as caught:
            both.verify(token(claims))
        assert caught.value.claim == name
        assert name in str(caught.value)


@pytest.mark.parametrize("issuer", ["a", ["a"], ("b", "a"), {"a"}])
def test_issuers(issuer: Any) -> None:
    one = verifier(issuer=issuer)
    assert one.verify(token({"iss": "a"})) == {"iss": "a"}
    for wrong in ("", "A", "aa", " a", ["a"], 1, {"a": 1}, True):
        with pytest.raises(InvalidIssuerError):
            one.verify(token({"iss": wrong}))
    for missing in ({}, {"iss": None}):
        with pytest.raises(MissingClaimError):
            one.verify(token(missing))


@pytest.mark.parametrize("audience", ["a", ["a"], ("b", "a")])
def test_audiences(audience: Any) -> None:
    mine = verifier(audience=audience)
    for right in ("a", ["a"], ["x", "a"]):
        assert mine.verify(token({"aud": right})) == {"aud": right}
    for wrong in ("", "A", "xax", [], ["x"], ["a", 1], [["a"]], {"a": 1}, 1, True):
        with pytest.raises(InvalidAudienceError):
            mine.verify(token({"aud": wrong}))
    with pytest.raises(MissingClaimError):
        mine.verify(token({}))


def test_an_audience_that_nobody_expects() -> None:
    for aud in ("a", ["a"], []):
        with pytest.raises(InvalidAudienceError):
            verifier().verify(token({"aud": aud}))
        assert verifier(ignore_audience=True).verify(token({"aud": aud}))
    with pytest.raises(InvalidAudienceError):
        verifier(ignore_audience=True).verify(token({"aud": [1]}))
    assert verifier().verify(token({"iss": "whoever"}))


def test_an_escaped_name_is_the_name() -> None:
    with pytest.raises(ExpiredTokenError):
        verifier().verify(raw_token(b'{"alg":"HS256"}', b'{"\\u0065xp": 1}'))
    with pytest.raises(InvalidAudienceError):
        verifier().verify(raw_token(b'{"alg":"HS256"}', b'{"a\\u0075d": "x"}'))


def test_the_clock_is_read_once_and_its_faults_are_its_own() -> None:
    readings: list[int] = []

    def clock() -> float:
        readings.append(1)
        return NOW + 0.25

    v = Verifier(KEY, clock=clock, max_age=60)
    v.verify(token({"exp": NOW + 1, "nbf": NOW, "iat": NOW}))
    assert len(readings) == 1

    def broken() -> float:
        raise OSError("no clock")

    with pytest.raises(OSError, match="no clock"):
        Verifier(KEY, clock=broken, require=()).verify(GOOD)
    for never in (10**400, -(10**400), 2.0**60, float("nan")):
        with pytest.raises(ValueError, match="no time"):
            Verifier(KEY, clock=lambda: never, require=()).verify(GOOD)  # noqa: B023


@pytest.mark.parametrize(
    "options",
    [
        {"leeway": -1},
        {"leeway": float("nan")},
        {"leeway": float("inf")},
        {"leeway": "1"},
        {"leeway": True},
        {"max_age": -1},
        {"max_age": "x"},
        {"max_bytes": 0},
        {"max_bytes": -5},
        {"cache": -1},
        {"max_bytes": -(2**70)},
        {"cache": 2**70},
        {"clock": 5},
        {"typ": 5},
        {"issuer": 5},
        {"issuer": []},
        {"issuer": [1]},
        {"audience": []},
        {"audience": b"a"},
        {"audience": "a", "ignore_audience": True},
        {"require": 5},
        {"require": [5]},
        {"unknown": 1},
        {"leeway": 10**400},
        {"max_age": 2**53},
        {"issuer": "\ud800"},
        {"audience": ["\ud800"]},
        {"require": "\ud800"},
        {"typ": "\ud800"},
    ],
    ids=ascii,
)
def test_options_that_make_no_sense(options: dict[str, Any]) -> None:
    with pytest.raises((ConfigurationError, TypeError)):
        Verifier(KEY, **options)


def test_complete_tokens_and_unverified_headers() -> None:
    complete = verifier().verify_complete(GOOD)
    assert complete == (HEADER, {"sub": "1"})
    assert (complete.header, complete.claims) == (HEADER, {"sub": "1"})
    assert unverified_header(f"{HEAD}.x.y") == HEADER
    with pytest.raises(MalformedTokenError):
        unverified_header("e.x.y")


def test_errors_have_codes_and_no_token() -> None:
    for text in (*SHAPES.values(), GOOD[:-4] + "AAAA", token({"exp": 1})):
        with pytest.raises(TokenError) as caught:
            verifier().verify(text)
        shown = repr(caught.value) + str(caught.value) + repr(caught.value.args)
        assert len(text) < 8 or text not in shown
        assert type(caught.value).__name__ in dir(fastbearer)
        assert caught.value.code == type(caught.value).code != TokenError.code
    assert issubclass(ExpiredTokenError, ClaimError)
    assert issubclass(ConfigurationError, ValueError)


# --- nothing else is ever raised --------------------

SEGMENT = st.text("ABCabc019-_=+/. \n", max_size=60) | st.binary(max_size=90).map(b64)


@given(
    st.text() | st.binary() | st.lists(SEGMENT, min_size=1, max_size=6).map(".".join)
)
@example("é" * 20)
@example(b"\xff" * 20)
def test_no_text_raises_anything_else(text: str | bytes) -> None:
    for v in (verifier(), verifier(typ="x", allow_padding=True, cache=4)):
        with pytest.raises(TokenError):
            v.verify(text)
    with pytest.raises(TokenError):
        jws.verify(text, KEY)


@given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
@example(b"[" * 100_000)
@example(b'{"a":' * 100_000)
@example(b'{"exp":' + b"9" * 5000 + b"}")
@example(b'{"exp":1e400}')
@example(b'{"exp":NaN}')
@example(b'{"exp":-Infinity}')
@example(b'{"a":1,"a":2}')
@example(b'{"a":"\\ud800"}')
@example('{"a":"\ud800"}'.encode("utf-8", "surrogatepass"))
@example(b"\xef\xbb\xbf{}")
@example("{}".encode("utf-16"))
@example(b"{} x")
def test_no_payload_raises_anything_else(payload: bytes) -> None:
    for signed_text in (raw_token(b'{"alg":"HS256"}', payload), jws.sign(payload, KEY)):
        with pytest.raises(TokenError):
            verifier(max_bytes=10**7, require=("exp",)).verify(signed_text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@pytest.mark.slow
@given(
    st.dictionaries(
        st.sampled_from(["exp", "nbf", "iat", "iss", "aud", "sub", "x"]), json_values
    )
)
def test_no_claims_raise_anything_else(claims: dict[str, Any]) -> None:
    text = raw_token(
        b'{"alg":"HS256"}', json.dumps(claims).encode("utf-8", "surrogatepass")
    )
    for options in ({}, {"audience": "a", "issuer": "b"}, {"max_age": 5}):
        try:
            assert verifier(max_bytes=10**6, **options).verify(text) == claims
        except TokenError:
            continue


@pytest.mark.slow
@given(
    st.dictionaries(
        st.sampled_from(["alg", "kid", "typ", "crit", "b64", "zip", "x"]), json_values
    )
)
def test_no_header_raises_anything_else(header: dict[str, Any]) -> None:
    text = raw_token(json.dumps(header).encode("utf-8", "surrogatepass"), b"{}")
    with pytest.raises(TokenError):
        verifier(max_bytes=10**6).verify(text)
    header["alg"] = "HS256"
    try:
        assert verifier(max_bytes=10**6).verify(token({}, header)) == {}
    except MalformedTokenError:
        assert {"kid", "typ", "crit", "b64", "zip"} & set(header)
