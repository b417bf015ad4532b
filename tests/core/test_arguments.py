"""What the core's functions say of arguments of the wrong number or type.

The Python layer hands them what they take; others may call them, too.
"""

from __future__ import annotations

import os
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from queue import SimpleQueue
from typing import Any

import pytest

from fastbearer import (
    ConfigurationError,
    ImmatureTokenError,
    InvalidAudienceError,
    Key,
    MalformedTokenError,
    Signer,
    TokenError,
    Verifier,
    _core,
    jws,
)

KEY = Key.from_secret("0123456789abcdef0123456789abcdef")
RSA = Key.generate("RS256")
HASH = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ"
SECRET = _core.SessionSecret("0123456789abcdef0123456789abcdef")


class NoTruth:
    def __bool__(self) -> bool:
        raise LookupError("neither")


CALLS: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
    (_core.password_hash, ()),
    (_core.password_hash, ("x",)),
    (_core.password_hash, ("x", HASH, 1, 2)),
    (_core.password_hash, ("x", HASH, "1")),
    (_core.password_hash, ("x", 5)),
    (_core.password_hash, (5, HASH)),
    (_core.password_verify, ("x",)),
    (_core.password_verify, ("x", HASH, 1, False, 5)),
    (_core.password_verify, ("x", HASH, "1")),
    (_core.password_verify, ("x", 5)),
    (_core.password_verify, (5, HASH)),
    (_core.password_scheme, (5,)),
    (_core.password_is_sole, ("x",)),
    (_core.password_is_sole, ("x", 5)),
    (_core.password_is_sole, (5, "$2b$04$" + "." * 53)),
    (_core.password_rest, ("x",)),
    (_core.in_slot, (SimpleQueue(), set(), len)),
    (_core.in_slot, (SimpleQueue(), {}, len, ("x",))),
    (_core.in_slot, (SimpleQueue(), set(), len, ["x"])),
    (_core.password_parts, (5,)),
    (_core.password_setting, ("argon2id",)),
    (_core.password_setting, ("argon2id", b"salt", "more", 5)),
    (_core.aead_seal, ("A128GCM", b"k" * 16, b"i" * 12, b"")),
    (_core.aead_seal, ("A128GCM", b"k" * 16, b"i" * 12, b"", "text")),
    (_core.aead_open, ("A128GCM", b"k" * 16, b"i" * 12, b"", b"")),
    (_core.aead_open, ("A128GCM", b"k" * 16, b"i" * 12, b"", b"", "tag")),
    (_core.aes_unwrap, (b"k" * 16,)),
    (_core.aes_unwrap, (b"k" * 16, "x")),
    (_core.rsa_oaep_seal, (RSA, True)),
    (_core.rsa_oaep_seal, (RSA, True, "x")),
    (_core.rsa_oaep_open, (RSA, True)),
    (_core.rsa_oaep_open, (RSA, True, "x")),
    (_core.cookie_values, ([],)),
    (_core.cookie_values, ([], "name")),
    (_core.cookie_values, ([], b"a", True, 5)),
    (_core.cookie_values, (5, b"a")),
    (_core.cookie_values, ([(b"cookie", "text")], b"a")),
    (_core.cookie_values, ([(b"cookie",)], b"a")),
    (_core.cookie_values, ([[b"cookie", b"a=1", b"more"]], b"a")),
    (_core.cookie_values, ([5], b"a")),
    (_core.jwk_set_key, ({},)),
    (_core.jwk_set_key, ({}, True, 5)),
    (_core.jws_sign, (b"x", KEY)),
    (_core.jws_sign, ("x", KEY, None)),
    (_core.jws_sign, (b"x", "key", None)),
    (_core.jws_verify, ("x",)),
    (_core.jws_verify, (5, KEY)),
    (_core.unverified_header, (5,)),
    (_core.raw_sign, (b"x",)),
    (_core.raw_sign, (b"x", "key")),
    (_core.raw_verify, (b"x", b"y")),
    (_core.raw_verify, (b"x", b"y", "key")),
    (_core.raw_verify, (b"x", "y", KEY)),
    (_core.base64url_bytes, (5,)),
    (_core.json_object, (5,)),
    (_core.json_secrets, ("{}",)),
    (_core.json_secrets, (5, [])),
    (_core.json_secrets, ("{}", ())),
    (_core.json_wipe, ((),)),
    (_core.unverified_issuer, ()),
    (_core.unverified_issuer, ("x", "5")),
    (_core.unverified_issuer, ("x", 5, 5)),
    (_core.session_misfit, ({}, {})),
    (_core.SessionSecret, ()),
    (_core.SessionSecret, (5,)),
    (SECRET.read_token, (5,)),
    (Key, ()),
    (Key.from_pem, ()),
    (Key.from_jwk, ()),
    (Key.from_secret, ()),
    (Key.generate, ()),
    (Key.generate, (5,)),
    (KEY.to_pem, (1, 2)),
    (KEY.to_jwk, (1, 2)),
    (Signer(KEY).sign, ()),
    (Signer(KEY).sign, ({}, {})),
    (Signer(KEY).sign, ([],)),
    (Verifier(KEY).verify, ()),
    (Verifier(KEY).verify, (5,)),
]


@pytest.mark.parametrize(
    ("call", "arguments"),
    CALLS,
    ids=[f"{n} {c[0].__name__}" for n, c in enumerate(CALLS)],
)
def test_wrong_arguments_are_a_type_error(
    call: Callable[..., Any], arguments: tuple[Any, ...]
) -> None:
    with pytest.raises(TypeError):
        call(*arguments)


@pytest.mark.parametrize(
    "call",
    [
        lambda: _core.rsa_oaep_seal(RSA, NoTruth(), b"x"),
        lambda: _core.password_verify("x", HASH, 1, NoTruth()),
        lambda: KEY.to_jwk(NoTruth()),
        lambda: KEY.to_pem(NoTruth()),
    ],
)
def test_what_is_neither_true_nor_false_is_no_answer(call: Callable[[], Any]) -> None:
    with pytest.raises(LookupError, match="neither"):
        call()


@pytest.mark.parametrize("name", ["header", "Headers", "key"])
def test_a_signer_takes_headers_by_that_name_alone(name: str) -> None:
    with pytest.raises(TypeError, match="headers by name"):
        Signer(KEY).sign({}, **{name: {}})
    with pytest.raises(TypeError, match="headers by name"):
        Signer(KEY).sign({}, headers={}, **{name: {}})  # type: ignore[call-arg]


# --- options ------------------------------------------------------------------


def fails(error: Exception) -> Callable[[], float]:
    def clock() -> float:
        raise error

    return clock


@pytest.mark.parametrize("now", [float("nan"), float("inf"), float("-inf"), 2.0**53])
def test_a_clock_that_gives_no_time_lets_nothing_pass(now: float) -> None:
    token = Signer(KEY).sign({"exp": 1})
    for call in (
        lambda: Verifier(KEY, clock=lambda: now).verify(token),
        lambda: Signer(KEY, lifetime=5, clock=lambda: now).sign({}),
    ):
        with pytest.raises(ValueError, match="no time"):
            call()


@pytest.mark.parametrize(
    ("clock", "error"),
    [(fails(LookupError("broken")), LookupError), (lambda: "12", TypeError)],
)
def test_a_clock_that_fails_lets_nothing_pass(
    clock: Callable[[], Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        Verifier(KEY, clock=clock).verify(Signer(KEY).sign({"exp": 2**40}))
    with pytest.raises(error):
        Signer(KEY, lifetime=5, clock=clock).sign({})


def test_a_clock_may_stand_before_the_epoch() -> None:
    """-1 is what the C API returns for a failure, too."""
    verifier = Verifier(KEY, clock=lambda: -1.0)
    assert verifier.verify(Signer(KEY).sign({"exp": 1})) == {"exp": 1}
    with pytest.raises(ImmatureTokenError):
        verifier.verify(Signer(KEY).sign({"exp": 1, "nbf": 0}))


@pytest.mark.parametrize("cache", [-1, (1 << 24) + 1])
def test_a_cache_has_a_size(cache: int) -> None:
    with pytest.raises(ConfigurationError, match="cache"):
        Verifier(KEY, cache=cache)
    assert Verifier(KEY, cache=1 << 24)


@pytest.mark.parametrize("name", ["audience", "issuer", "algorithms"])
def test_none_of_several_is_no_option(name: str) -> None:
    with pytest.raises(ConfigurationError, match="one string or several"):
        Verifier(KEY, **{name: []})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["leeway", "max_age"])
@pytest.mark.parametrize("seconds", [-1, 2**53, float("nan"), 10**400])
def test_a_duration_is_within_reason(name: str, seconds: float) -> None:
    with pytest.raises(ConfigurationError, match="seconds"):
        Verifier(KEY, **{name: seconds})  # type: ignore[arg-type]


def test_an_issuer_that_is_refused_is_what_is_said() -> None:
    """Also where the audience could not be read either."""
    with pytest.raises(TypeError, match="issuer"):
        Verifier(KEY, issuer=[5], audience=[5])  # type: ignore[list-item]


@pytest.mark.parametrize("keys", [[], ()])
def test_a_verifier_has_a_key(keys: Any) -> None:
    with pytest.raises(ConfigurationError, match="no key"):
        Verifier(keys)


def test_a_key_of_another_library_is_named() -> None:
    class Private:
        def private_bytes(self) -> bytes:
            return b""

    class Public:
        def public_bytes(self) -> bytes:
            return b""

    for made in (Private(), Public()):
        with pytest.raises(TypeError, match="write it as PEM"):
            Verifier(made)  # type: ignore[arg-type]


# --- texts --------------------------------------------------------------------


@pytest.mark.parametrize("text", ["A", "AB", "AA=", "A\u0100A", "a b="])
def test_bytes_are_of_strict_base64url(text: str) -> None:
    with pytest.raises(MalformedTokenError) as caught:
        _core.base64url_bytes(text)
    assert caught.value.reason == "token_base64"


def test_bytes_of_base64url() -> None:
    assert (
        _core.base64url_bytes("AAE_") == _core.base64url_bytes(b"AAE_") == b"\0\1\x3f"
    )
    assert _core.base64url_bytes("") == b""


@pytest.mark.parametrize("size", [3, 100_000])
def test_a_header_that_is_no_base64url_is_refused(size: int) -> None:
    for token in (f"{'A' * (4 * size + 1)}.AAAA.AAAA", f"{'A' * size}!.AAAA.AAAA"):
        with pytest.raises(MalformedTokenError) as caught:
            _core.unverified_header(token)
        assert caught.value.reason == "token_base64"


def test_a_payload_that_is_no_base64url_is_refused() -> None:
    """Its signature is right: whoever has the key wrote it so."""
    head = jws.sign(b"", KEY).split(".")[0]
    for payload in ("A", "AB", "AAA=", "A!AA"):
        text = f"{head}.{payload}".encode()
        signature = _core.raw_sign(text, KEY)
        mac = urlsafe_b64encode(signature).rstrip(b"=").decode()
        for verify in (lambda t: jws.verify(t, KEY), Verifier(KEY).verify):
            with pytest.raises(MalformedTokenError) as caught:
                verify(f"{head}.{payload}.{mac}")
            assert caught.value.reason in ("token_base64", "token_not_compact")


@pytest.mark.parametrize("text", ["\ud800", "[]", "", "{", '{"a":1}x', b"\xff"])
def test_json_is_an_object_in_unicode(text: str | bytes) -> None:
    with pytest.raises(MalformedTokenError):
        _core.json_object(text)


def test_escapes_are_written_where_all_is_ascii() -> None:
    signer = Signer(KEY, ascii=True)
    text = 'a"\\\n\u001f\u007f\u00e9\U0001f600'
    claims = {text: text, "plain\u00e9": "x", "x": "plain\u00e9"}
    payload = jws.verify(signer.sign(claims), KEY)
    assert payload.isascii() and b"\\ud83d\\ude00" in payload
    assert Verifier(KEY, require=()).verify(signer.sign(claims)) == claims


def test_digits_of_an_integer_have_a_limit_of_ours() -> None:
    """sys has one of its own, which programs may lift."""
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        for number in (10**5000, -(10**5000)):
            with pytest.raises(ValueError, match="too many digits"):
                Signer(KEY).sign({"a": number})
    finally:
        sys.set_int_max_str_digits(before)


def test_a_date_that_utc_does_not_have_is_refused() -> None:
    east, west = (timezone(timedelta(hours=hours)) for hours in (14, -14))
    for date in (
        datetime(1, 1, 1, tzinfo=east),
        datetime(9999, 12, 31, 23, tzinfo=west),
    ):
        with pytest.raises(ValueError, match="out of range"):
            Signer(KEY).sign({"exp": date})


@pytest.mark.parametrize("threads", [-1, 0, 1, 63, 64, 1000])
def test_threads_beyond_reason_are_one_for_each_core(threads: int) -> None:
    stored = _core.password_hash("x", HASH, threads)
    assert _core.password_verify("x", stored, threads)
    assert not _core.password_verify("y", stored, threads)


def test_rest_since_ever() -> None:
    assert _core.password_rest(-1) == 0


@pytest.mark.parametrize("wipes", ["1", "0", ""])
def test_memory_may_be_wiped(wipes: str) -> None:
    code = f"from fastbearer._core import *; s = password_hash('x', {HASH!r}); "
    code += "print(password_verify('x', s), password_verify('y', s))"
    environment = {**os.environ, "FASTBEARER_ARGON2_WIPE": wipes}
    shown = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.split() == ["True", "False"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (b"ba=1 \t", "1"),
        (b"x=2;\t ba=1\t;y=3", "1"),
        (b'ba="1"', "1"),
        (b'ba="1', '"1'),
        (b'ba=1"', '1"'),
        (b'ba="', '"'),
    ],
)
def test_a_cookie_is_cut_out_as_it_was_written(field: bytes, value: str) -> None:
    headers = [[b"cookie", field], (b"cookie2", b"ba=5"), [b"x", b"ba=6"]]
    assert _core.cookie_values(headers, b"ba") == {"ba": value}
    assert _core.cookie_values(headers, b"ba", False) == {"ba": value}
    assert _core.cookie_values(headers, b"ba", True) == {"ba": value}


def test_a_signature_longer_than_any_is_wrong_or_no_base64() -> None:
    head = jws.sign(b"{}", KEY).rpartition(".")[0]
    for text, reason in (
        ("A" * 4000, "signature_wrong"),
        ("A" * 3999 + "!", "token_base64"),
    ):
        with pytest.raises(TokenError) as caught:
            jws.verify(f"{head}.{text}", KEY)
        assert caught.value.reason == reason


def test_a_list_of_audiences_is_read_to_its_end() -> None:
    """It is of strings, also after the one that was looked for."""
    verifier = Verifier(KEY, audience=["me", "us"], require=())
    for aud in (["me", "others"], ["others", "us"], ["me", "us"]):
        assert verifier.verify(Signer(KEY).sign({"aud": aud})) == {"aud": aud}
    with pytest.raises(InvalidAudienceError) as caught:
        verifier.verify(Signer(KEY).sign({"aud": ["me", 5]}))
    assert caught.value.reason == "aud_shape"


def test_a_type_that_is_not_ascii_is_no_option() -> None:
    with pytest.raises(ConfigurationError, match="media type"):
        Verifier(KEY, typ="\u00e9")


DATE = "2026-11-22T06:46:51.909Z"


@pytest.mark.parametrize(
    ("date", "is_one"),
    [
        (DATE, True),
        ("2026-11-22T06:46:51Z", True),
        ("2026-11-22T06:46:51.9Z", True),
        ("2026-11-22T06:46:51.Z", False),
        ("2026-11-22T06:46:51:909Z", False),
        ("2026-11-22T06:46:51.9/9Z", False),
        ("2026-11-22T06:46:51.9:9Z", False),
        ("2026-11-22T06:46:5/.909Z", False),
        ("2026-11-22T06:46:5:.909Z", False),
        ("2026-11-22T06:46:51.909", False),
        ("2026-11-22T06:46:51Z9", False),
        ("2026-11-22T06:46:5Z", False),
        (f"2026-11-22T06:46:51.{'9' * 30}Z", False),
    ],
)
def test_a_date_is_what_javascript_writes(date: str, is_one: bool) -> None:
    misfit = _core.session_misfit({"expiresAt": date}, {}, False)
    assert (misfit != "expiresAt") is is_one


@pytest.mark.parametrize(
    "name", ["read_token", "read_compact", "is_sealed_with", "open", "seal"]
)
def test_a_session_secret_takes_texts(name: str) -> None:
    with pytest.raises(TypeError):
        getattr(SECRET, name)(5)


def test_names_that_resemble_those_of_dates_are_other_names() -> None:
    claims = {"\u00e9xp": "x", "ex\u03c1": "x", "nbg": "x", "Exp": "x", "a": -1}
    assert Verifier(KEY, require=()).verify(Signer(KEY).sign(claims)) == claims
    signer = Signer(KEY, ascii=True)
    deleted = {"a\u007f": "b", "c": "d\u007f"}
    assert Verifier(KEY, require=()).verify(signer.sign(deleted)) == deleted


def test_a_sequence_of_keys_need_not_be_iterable() -> None:
    class Keys:
        def __getitem__(self, index: int) -> Key:
            return [KEY][index]

    token = Signer(KEY).sign({})
    assert Verifier(Keys(), require=()).verify(token) == {}  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["HS{256", "hs 256", "HS25", "HS2567", "\u0127s256"])
def test_an_algorithm_is_called_by_its_name(name: str) -> None:
    with pytest.raises(ConfigurationError):
        Verifier(KEY, algorithms=name)


def test_a_password_of_another_form_is_not_the_only_one() -> None:
    """Better Auth hashes NFKC: U+FA10 is U+585A there, which has as many bytes."""
    stored = _core.password_setting("better-auth-scrypt", b"0" * 32)
    assert _core.password_is_sole("\u585a", stored)
    assert _core.password_is_sole("plain", stored)
    assert not _core.password_is_sole("\ufa10", stored)
    assert not _core.password_is_sole("\u212b", stored)
    made = _core.password_hash("\ufa10", stored)
    assert _core.password_verify("\u585a", made)
