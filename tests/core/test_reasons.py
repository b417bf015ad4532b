"""``error.reason``: the one rule that was broken, a promise to programs."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from fastbearer import InvalidKeyError, Key, Signer, Verifier, jws
from fastbearer._core import json_object, password_hash, password_verify
from fastbearer.errors import FastbearerError, MissingClaimError, UnknownKeyError
from project import ROOT

SECRET = "q7Wn3VfB0sXcE5rT9yUiK2mLhJ8gDzA4pO6vNxCbQwY"
KEY = Key.from_secret(SECRET)


def test_the_reasons_are_those_of_the_snapshot() -> None:
    """A reason may come; one that goes or is renamed breaks programs."""
    table = (ROOT / "csrc" / "lib" / "base" / "status.h").read_text()
    names = re.findall(r"^    X\((\w+), ", table, re.MULTILINE)
    assert len(names) > 60
    reasons = [name.lower() for name in names if name not in ("OK", "NO_MEMORY")]
    snapshot = Path(__file__).with_name("reasons.txt").read_text().split()
    assert sorted(reasons) == snapshot


@pytest.mark.parametrize(
    ("refused", "reason"),
    [
        (lambda: Verifier(KEY).verify("a.b"), "token_not_compact"),
        (lambda: Verifier(KEY).verify("a.b.c.d.e"), "token_encrypted"),
        (lambda: Verifier(KEY).verify("\u20ac.b.c"), "token_base64"),
        (lambda: jws.verify(jws.sign(b"{}", KEY)[:-1] + "!", KEY), "token_base64"),
        (lambda: jws.verify(jws.sign(b"{}", KEY)[:-2] + "AA", KEY), "signature_wrong"),
        (lambda: Verifier(KEY).verify(jws.sign(b"[]", KEY)), "json_not_object"),
        (lambda: Verifier(KEY).verify(Signer(KEY).sign({})), "claim_missing"),
        (lambda: Verifier(KEY).verify(Signer(KEY).sign({"exp": 1})), "exp_passed"),
        (lambda: json_object("\ud800"), "json_surrogate"),
        (lambda: Key.from_secret("\ud800" * 40), "key_unicode"),
        (lambda: password_hash("\ud800", "$2b$04$" + "." * 22), "password_unicode"),
        (lambda: password_verify("no", "\u20ac"), "hash_unknown"),
        (lambda: Key.from_secret("x" * 40, "HS\u20ac"), "key_algorithm"),
        (lambda: Key.from_secret(""), "key_empty"),
        (lambda: Key.from_secret("short"), "key_short"),
        (lambda: Key.from_secret('{"kty":"oct","k":"abc"}'), "key_is_jwk"),
        (lambda: Key.from_pem("none"), "key_no_pem"),
        (lambda: password_verify("no", "no hash"), "hash_unknown"),
    ],
)
def test_an_error_says_its_reason(refused: Callable[[], object], reason: str) -> None:
    with pytest.raises(FastbearerError) as caught:
        refused()
    assert caught.value.reason == reason


def test_a_reason_outlives_pickling_and_copying() -> None:
    with pytest.raises(InvalidKeyError) as caught:
        Key.from_secret("short")
    with pytest.raises(MissingClaimError) as missing:
        Verifier(KEY).verify(Signer(KEY).sign({}))
    for error in (caught.value, missing.value):
        for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
            assert (type(twin), twin.reason) == (type(error), error.reason)
            assert str(twin) == str(error)


def test_what_the_core_did_not_raise_has_no_reason() -> None:
    assert UnknownKeyError("elsewhere").reason is None


@pytest.mark.parametrize(
    "refused",
    [
        lambda: Verifier(KEY).verify(5),  # type: ignore[arg-type]
        lambda: json_object(5),  # type: ignore[arg-type]
        lambda: Key.from_secret(5),  # type: ignore[arg-type]
        lambda: password_verify(5, "no hash"),  # type: ignore[arg-type]
        lambda: password_verify("no", 5),  # type: ignore[arg-type]
    ],
)
def test_another_type_is_named(refused: Callable[[], object]) -> None:
    with pytest.raises(TypeError, match="must be str or bytes, not int"):
        refused()
