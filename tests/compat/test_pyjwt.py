"""fastbearer.compat.jwt beside PyJWT: the same in, the same out.

Where it is stricter on purpose, ``STRICTER`` says so; docs/migrate/drop-ins.md has the
reasons.
"""

from __future__ import annotations

import json
import time
import warnings
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import jwt as theirs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jwt import exceptions as their_errors

from compat_kit import (
    CLAIMS,
    HS256,
    NOW,
    SECRET,
    forged,
    other_last_bits,
    outcome,
)
from fastbearer.compat import jwt as ours
from fastbearer.compat.jwt import exceptions as our_errors
from fastbearer.compat.jwt._short_way import claims_of, token_of

BOTH: list[Any] = [theirs, ours]


def both(call: Any) -> tuple[tuple[str, Any], tuple[str, Any]]:
    """Return what comes of a call with the drop-in, and with PyJWT."""
    found = [outcome(lambda jwt=jwt: call(jwt)) for jwt in (ours, theirs)]  # type: ignore[misc]
    return found[0], found[1]


CASES: list[tuple[Any, dict[str, Any]]] = [
    ({"a": 1}, {}),
    ({"exp": NOW + 86400}, {}),
    ({"exp": NOW - 86400}, {}),
    ({"exp": NOW - 86400}, {"leeway": 90000}),
    ({"exp": NOW - 86400}, {"leeway": 0.5}),
    ({"exp": NOW - 86400}, {"leeway": timedelta(hours=25)}),
    ({"exp": NOW - 86400}, {"options": {"verify_exp": False}}),
    ({"exp": NOW - 86400}, {"options": {"verify_signature": False}}),
    (
        {"exp": NOW - 86400},
        {"options": {"verify_signature": False, "verify_exp": True}},
    ),
    ({"exp": "9999999999"}, {}),
    ({"exp": "abc"}, {}),
    ({"exp": True}, {}),
    ({"exp": None}, {}),
    ({"exp": [1]}, {}),
    ({"exp": NOW + 86400.5}, {}),
    ({"exp": 10**30}, {}),
    ({"iat": NOW + 86400}, {}),
    ({"iat": NOW + 86400}, {"leeway": 90000}),
    ({"nbf": NOW + 86400}, {"leeway": 90000}),
    ({"nbf": NOW + 86400}, {"leeway": 80000}),
    ({"nbf": NOW - 80000}, {"leeway": 90000}),
    ({"iat": NOW + 86400.5}, {"options": {"verify_iat": False}}),
    ({"iat": "abc"}, {}),
    ({"iat": None}, {}),
    ({"iat": {}}, {}),
    ({"iat": str(NOW - 86400)}, {}),
    ({"nbf": NOW + 86400}, {}),
    ({"nbf": NOW - 86400}, {}),
    ({"nbf": "x"}, {}),
    ({"aud": "x"}, {}),
    ({"aud": None}, {}),
    ({"aud": []}, {}),
    ({"aud": ""}, {}),
    ({"aud": 1}, {}),
    ({"aud": "x"}, {"audience": "x"}),
    ({"aud": "x"}, {"audience": b"x"}),
    ({"aud": "x"}, {"audience": 1}),
    ({"aud": "x"}, {"audience": ["x"]}),
    ({"aud": "x"}, {"audience": {"y": 1, "x": 2}}),
    ({"aud": "x"}, {"audience": []}),
    ({"aud": ["x", "y"]}, {"audience": "y"}),
    ({"aud": ["x", "y"]}, {"audience": ("z", "y")}),
    ({"aud": ["x", 1]}, {"audience": "x"}),
    ({"aud": {"x": 1}}, {"audience": "x"}),
    ({"aud": "x"}, {"audience": "y"}),
    ({"aud": "x"}, {"audience": "x", "options": {"strict_aud": True}}),
    ({"aud": "x"}, {"audience": ["x"], "options": {"strict_aud": True}}),
    ({"aud": ["x"]}, {"audience": "x", "options": {"strict_aud": True}}),
    ({"aud": "x"}, {"audience": "y", "options": {"strict_aud": True}}),
    ({}, {"audience": "x"}),
    ({"aud": "x"}, {"options": {"verify_aud": False}}),
    ({"iss": "i"}, {"issuer": "i"}),
    ({"iss": "i"}, {"issuer": ["j", "i"]}),
    ({"iss": "i"}, {"issuer": {"i"}}),
    ({"iss": {}}, {"issuer": {"i"}}),
    ({"iss": 1}, {"issuer": "i"}),
    ({"iss": "i"}, {"issuer": "xix"}),
    ({"iss": "i"}, {"issuer": 5}),
    ({"iss": "i"}, {"issuer": "j"}),
    ({}, {"issuer": "i"}),
    ({"iss": "i"}, {"issuer": "j", "options": {"verify_iss": False}}),
    ({"sub": "s"}, {"subject": "s"}),
    ({"sub": "s"}, {"subject": "t"}),
    ({"sub": 1}, {}),
    ({"sub": None}, {}),
    ({"sub": 1}, {"options": {"verify_sub": False}}),
    ({}, {"subject": "s"}),
    ({"jti": 1}, {}),
    ({"jti": "j"}, {}),
    ({"jti": 1}, {"options": {"verify_jti": False}}),
    ({}, {"options": {"require": ["exp"]}}),
    ({"exp": None}, {"options": {"require": ["exp"]}}),
    ({"sub": "s"}, {"options": {"require": ["sub", "iss"]}}),
    ({"iat": NOW + 9, "iss": 1, "aud": "x", "sub": 1}, {"issuer": "i"}),
    ({"iss": 1, "aud": "x", "sub": 1}, {"issuer": "i"}),
    ({"aud": "x", "sub": 1}, {}),
    ({"a": "\u00e9\u20ac\U0001f600", "b": [1, 2.5, None, {"c": {}}]}, {}),
    ([], {}),
    ("text", {}),
]


@pytest.mark.parametrize(("payload", "arguments"), CASES)
def test_claims(payload: Any, arguments: dict[str, Any]) -> None:
    token = forged(json.dumps(payload))
    mine, original = both(lambda jwt: jwt.decode(token, SECRET, HS256, **arguments))
    assert mine == original
    mine, original = both(
        lambda jwt: jwt.decode_complete(token, SECRET, HS256, **arguments)
    )
    assert mine == original


ARGUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "audience": st.one_of(st.none(), st.text(max_size=3), st.just(["a", "b"])),
        "issuer": st.one_of(st.none(), st.text(max_size=3), st.just(["a", "b"])),
        "subject": st.one_of(st.none(), st.text(max_size=3)),
        "leeway": st.one_of(st.integers(0, 2**40), st.floats(0, 1e9)),
        "options": st.dictionaries(
            st.sampled_from(
                ["verify_signature", "verify_exp", "verify_aud", "strict_aud"]
            ),
            st.booleans(),
        ),
    },
)


@settings(deadline=None, max_examples=400)
@given(claims=CLAIMS, arguments=ARGUMENTS)
def test_any_claims(claims: dict[str, Any], arguments: dict[str, Any]) -> None:
    mine, original = both(lambda jwt: jwt.encode(claims, SECRET))
    assert mine == original
    token = forged(json.dumps(claims))
    mine, original = both(lambda jwt: jwt.decode(token, SECRET, HS256, **arguments))
    assert mine == original


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=10,
)


@settings(deadline=None, max_examples=200)
@given(st.dictionaries(st.text(max_size=8), JSON, max_size=5))
def test_what_is_written_is_the_same(claims: dict[str, Any]) -> None:
    mine, original = both(lambda jwt: jwt.encode(claims, SECRET, "HS512"))
    assert mine == original


DATE = datetime(2026, 11, 25, 12, 30, 15, 999999, tzinfo=UTC)
ENCODINGS: list[tuple[Any, dict[str, Any]]] = [
    ({}, {}),
    ({"a": 1}, {"algorithm": "HS384"}),
    ({"a": 1}, {"algorithm": "hs256"}),
    ({"a": 1}, {"algorithm": "HS1024"}),
    ({"a": 1}, {"algorithm": None}),
    ({"exp": DATE, "iat": DATE.replace(tzinfo=None), "nbf": DATE}, {}),
    ({"exp": DATE.astimezone(timezone(timedelta(hours=5)))}, {}),
    ({"other": DATE}, {}),
    ({"a": Decimal("1.5")}, {}),
    ({"a": {1, 2}}, {}),
    ({1: "a", None: 2, False: 3}, {}),
    ({"a": (1, [2])}, {}),
    ({"a": "\u2028</script>\x7f"}, {}),
    ({"a": "\ud800"}, {}),
    ({"iss": 1}, {}),
    ({"iss": "i"}, {}),
    ({"exp": "soon"}, {}),
    ({"exp": 10**20}, {}),
    ([], {}),
    ("text", {}),
    (None, {}),
    ({"a": 1}, {"headers": {"kid": "k"}}),
    ({"a": 1}, {"headers": {"kid": 1}}),
    ({"a": 1}, {"headers": {"kid": None}}),
    ({"a": 1}, {"headers": {"typ": None}}),
    ({"a": 1}, {"headers": {"typ": ""}}),
    ({"a": 1}, {"headers": {"typ": "at+jwt", "x": {"b": 1, "a": 2}}}),
    ({"a": 1}, {"headers": {"z": 1, "b": 2}, "sort_headers": False}),
    ({"a": 1}, {"headers": {"alg": "HS512"}}),
    ({"a": 1}, {"headers": {"alg": ""}}),
    ({"a": 1}, {"headers": {"crit": ["x"], "x": 1}}),
    ({"a": 1}, {"headers": {"b64": False}}),
    ({"a": 1}, {"headers": {"b64": False, "crit": "x"}}),
    ({"a": 1}, {"headers": {"b64": True}}),
    ({"a": 1}, {"headers": {"x": DATE}}),
    ({"a": 1}, {"sort_headers": False}),
]


@pytest.mark.parametrize(("payload", "arguments"), ENCODINGS)
def test_encoding(payload: Any, arguments: dict[str, Any]) -> None:
    mine, original = both(lambda jwt: jwt.encode(payload, SECRET, **arguments))
    assert mine == original


def test_the_claims_are_left_as_they_were() -> None:
    claims = {"exp": DATE, "a": 1}
    ours.encode(claims, SECRET)
    ours.encode(claims, SECRET, headers={"kid": "k"})
    assert claims == {"exp": DATE, "a": 1}


class InHex(json.JSONEncoder):
    def default(self, o: object) -> str:
        return hex(int(str(o)))


def test_an_encoder_of_ones_own() -> None:
    claims = {"a": Decimal(255)}
    mine, original = both(lambda jwt: jwt.encode(claims, SECRET, json_encoder=InHex))
    assert mine == original
    assert ours.decode(mine[1], SECRET, HS256) == {"a": "0xff"}


GOOD = forged('{"a":1}')
MALFORMED: list[Any] = [
    "",
    "a",
    "a.b",
    "a.b.c",
    ".",
    "..",
    "...",
    GOOD + ".x",
    GOOD + "x",
    GOOD + "=",
    GOOD + "==",
    GOOD + "!!!!",
    other_last_bits(GOOD),
    GOOD.replace(".", "=."),
    GOOD.replace(".", "+."),
    GOOD + "\u00e9",
    GOOD + "\n",
    forged("[1]"),
    forged("1"),
    forged("nonsense"),
    forged("{}", '{"typ":"JWT"}'),
    forged("{}", '{"alg":"none"}'),
    forged("{}", '{"alg":""}'),
    forged("{}", '{"alg":null}'),
    forged("{}", '{"alg":"hs256"}'),
    forged("{}", '{"alg":"RS256"}'),
    forged("{}", '{"alg":1}'),
    forged("{}", '{"alg":["HS256"]}'),
    forged("{}", "[]"),
    forged("{}", '{"alg":"HS256","kid":1}'),
    forged("{}", '{"alg":"HS256","kid":null}'),
    forged("{}", '{"alg":"HS256","typ":1}'),
    forged("{}", '{"alg":"HS256","crit":["x"],"x":1}'),
    forged("{}", '{"alg":"HS256","crit":[]}'),
    forged("{}", '{"alg":"HS256","crit":"b64"}'),
    forged("{}", '{"alg":"HS256","crit":[1]}'),
    forged("{}", '{"alg":"HS256","crit":["b64"]}'),
    forged("{}", '{"alg":"HS256","crit":["b64"],"b64":true}'),
    forged("{}", '{"alg":"HS256","crit":["b64"],"b64":false}'),
    forged("{}", '{"alg":"HS256","b64":false}'),
    forged("", '{"alg":"HS256","b64":false}'),
    None,
    1,
    bytearray(b"a.b.c"),
    ["a"],
]


@pytest.mark.parametrize("token", MALFORMED, ids=str)
@pytest.mark.parametrize("algorithms", [HS256, ["HS256", "RS256"], [], None])
def test_malformed_tokens(token: Any, algorithms: Any) -> None:
    calls = [
        lambda jwt: jwt.decode(token, SECRET, algorithms),
        lambda jwt: jwt.decode(token, options={"verify_signature": False}),
        lambda jwt: jwt.get_unverified_header(token),
    ]
    for call in calls:
        mine, original = both(call)
        assert mine[0] == original[0]
        if "string:" not in str(original[1]):  # after that stand a parser's words
            assert mine == original


DEEP = '{"a":' + "[" * 40 + "]" * 40 + "}"
PEM_LINE = "-----BEGIN PUBLIC KEY-----"
STRICTER: list[tuple[str, str, str, Any, str]] = [
    # What is accepted there, or leaks another error; the key; what we raise.
    ("a name twice", forged('{"a":1,"a":2}'), SECRET, HS256, "DecodeError"),
    ("in the header", forged("{}", '{"alg":"x","alg":"HS256"}'), SECRET, HS256, ""),
    ("a deep payload", forged(DEEP), SECRET, HS256, "DecodeError"),
    ("not a number", forged('{"a":NaN}'), SECRET, HS256, "DecodeError"),
    ("a byte order mark", forged('\ufeff{"a":1}'), SECRET, HS256, "DecodeError"),
    ("part of a text", forged("{}"), SECRET, "xHS256x", "InvalidAlgorithmError"),
    ("a lone surrogate", forged("{}") + "\ud800", SECRET, HS256, "DecodeError"),
    ("one line of PEM", forged("{}", secret=PEM_LINE), PEM_LINE, HS256, ""),
    ("a blank secret", forged("{}", secret="   "), "   ", HS256, "InvalidKeyError"),
]


@pytest.mark.parametrize(("name", "token", "key", "algorithms", "error"), STRICTER)
def test_where_it_is_stricter(
    name: str, token: str, key: str, algorithms: Any, error: str
) -> None:
    mine, original = both(lambda jwt: jwt.decode(token, key, algorithms))
    assert not hasattr(their_errors, original[0])
    assert issubclass(getattr(our_errors, mine[0]), our_errors.PyJWTError)
    assert mine[0] == error or not error


def test_the_same_errors() -> None:
    def family(module: Any) -> dict[str, list[str]]:
        classes = [one for one in vars(module).values() if isinstance(one, type)]
        return {
            cls.__name__: [base.__name__ for base in cls.__mro__] for cls in classes
        }

    assert family(our_errors) == family(their_errors)
    assert str(ours.MissingRequiredClaimError("x")) == 'Token is missing the "x" claim'


def test_the_same_names() -> None:
    assert set(theirs.__all__) <= set(ours.__all__)
    assert ours.__version__ == "2.15.1"


def test_the_same_warnings() -> None:
    token = theirs.encode({"a": 1}, SECRET)
    short = forged('{"a":1}', secret="short")
    for call in (
        lambda jwt: jwt.encode({}, "short"),
        lambda jwt: jwt.decode(short, "short", HS256),
        lambda jwt: jwt.decode(token, SECRET, HS256, unknown=1),
        lambda jwt: jwt.decode(token, SECRET, HS256, verify=False),
        lambda jwt: jwt.decode_complete(token, SECRET, HS256, unknown=1),
    ):
        with warnings.catch_warnings(record=True) as mine:
            warnings.simplefilter("always")
            call(ours)
        with warnings.catch_warnings(record=True) as original:
            warnings.simplefilter("always")
            call(theirs)
        assert [(one.category.__name__, str(one.message)) for one in mine] == [
            (one.category.__name__, str(one.message)) for one in original
        ]
        assert mine


def test_short_secrets_are_refused_where_it_is_asked() -> None:
    token = forged('{"a":1}', secret="short")
    for jwt in BOTH:
        strictly = jwt.PyJWT({"enforce_minimum_key_length": True})
        with pytest.raises(jwt.InvalidKeyError, match="below"):
            strictly.encode({}, "short")
        with pytest.raises(jwt.InvalidKeyError, match="below"):
            jwt.decode(token, "short", HS256, {"enforce_minimum_key_length": True})


def test_detached_payloads() -> None:
    payload = b"any bytes, also with a . in them"
    for jwt, other in ((ours, theirs), (theirs, ours)):
        text = jwt.PyJWS().encode(payload, SECRET, is_payload_detached=True)
        jws = other.PyJWS()
        assert jws.decode(text, SECRET, HS256, detached_payload=payload) == payload
        for wrong in (b"", payload + b"!", None):
            mine, original = both(
                lambda one, t=text, w=wrong: one.PyJWS().decode(  # type: ignore[misc]
                    t, SECRET, HS256, detached_payload=w
                )
            )
            assert mine == original and mine[0] != "ok"


def test_unsigned_tokens_are_written_and_never_verify() -> None:
    mine, original = both(lambda jwt: jwt.encode({"a": 1}, None, algorithm=None))
    assert mine == original
    token = mine[1]
    for key in (None, "", SECRET):
        for algorithms in (["none"], HS256, ["none", "HS256"]):
            mine, original = both(
                lambda jwt, k=key, a=algorithms: jwt.decode(token, k, a)  # type: ignore[misc]
            )
            assert mine == original and mine[0] != "ok"


def test_options_of_an_instance() -> None:
    token = forged(json.dumps({"exp": NOW - 60, "aud": "x"}))
    for options in ({"verify_exp": False}, {"verify_aud": False}, {"require": ["a"]}):
        mine, original = both(
            lambda jwt, o=options: jwt.PyJWT(o).decode(token, SECRET, HS256)  # type: ignore[misc]
        )
        assert mine == original
    for jwt in BOTH:
        lenient = jwt.PyJWT()
        lenient.options["verify_exp"] = lenient.options["verify_aud"] = False
        assert lenient.decode(token, SECRET, HS256)["aud"] == "x"


def test_methods_that_a_subclass_replaces() -> None:
    token = forged(json.dumps({"iat": NOW + 86400}))
    for jwt in BOTH:

        class Lenient(jwt.PyJWT):  # type: ignore[misc]
            def _validate_iat(self, *arguments: Any) -> None:
                pass

        assert Lenient().decode(token, SECRET, HS256) == {"iat": NOW + 86400}


def test_a_register_of_ones_own() -> None:
    for jwt in BOTH:
        jws = jwt.PyJWS(algorithms=["HS256"])
        assert jws.get_algorithms() == ["HS256"]
        hmac = jwt.get_algorithm_by_name("HS256")

        class Backwards(type(hmac)):  # type: ignore[misc]
            def sign(self, msg: bytes, key: bytes) -> bytes:
                return bytes(super().sign(msg[::-1], key))

            def verify(self, msg: bytes, key: bytes, sig: bytes) -> bool:
                return bool(self.sign(msg, key) == sig)

        jwt.unregister_algorithm("HS256")
        jwt.register_algorithm("HS256", Backwards(hmac.SHA256))
        try:
            token = jwt.encode({"a": 1}, SECRET)
            assert jwt.decode(token, SECRET, HS256) == {"a": 1}
            with pytest.raises(jwt.InvalidSignatureError):
                jwt.decode(GOOD, SECRET, HS256)
        finally:
            jwt.unregister_algorithm("HS256")
            jwt.register_algorithm("HS256", hmac)
        assert jwt.decode(GOOD, SECRET, HS256) == {"a": 1}


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
def test_a_clock_that_a_test_has_set(
    claim: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As freezegun does it: in the place of time.time."""
    token = forged(json.dumps({claim: NOW + 1000}))
    outcomes = {}
    for when in (NOW, NOW + 999, NOW + 1000, NOW + 1001):
        monkeypatch.setattr(time, "time", lambda when=when: float(when))
        outcomes[when] = outcome(lambda: ours.decode(token, SECRET, HS256))[0]
    assert list(outcomes.values()) == (
        ["ok", "ok", "ExpiredSignatureError", "ExpiredSignatureError"]
        if claim == "exp"
        else ["ImmatureSignatureError", "ImmatureSignatureError", "ok", "ok"]
    )


def test_the_short_way_is_taken() -> None:
    """What most projects call is what the core does by itself."""
    token = forged(json.dumps({"exp": int(time.time()) + 3600, "sub": "s"}))
    assert claims_of(token, SECRET, HS256) == ours.decode(token, SECRET, HS256)
    assert token_of({"a": 1}, SECRET, "HS256") == ours.encode({"a": 1}, SECRET)
    assert claims_of(token, "short", HS256) is None
    assert claims_of(token, SECRET, ["HS256", "HS384"]) is None
    assert claims_of(token, SECRET, [[]]) is None
