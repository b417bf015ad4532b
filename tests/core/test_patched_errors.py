"""The core writes into slots of errors: it starts only where the errors have them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

START_AGAIN = """
import sys
import fastbearer.errors as errors

class Other:
    __slots__ = (*"abcdefghijklmnopqrstuvwxyz", "_reason", "claim")

class Plain:
    __slots__ = ("_reason", "claim")

{patch}

for name in [name for name in sys.modules if name.startswith("fastbearer.")]:
    if name != "fastbearer.errors":
        del sys.modules[name]
try:
    import fastbearer._core as _core
except ImportError as error:
    print("refused:", error)
else:
    key = _core.Key.from_secret(b"0123456789abcdef0123456789abcdef")
    try:
        _core.Verifier(key).verify(_core.Signer(key).sign({{}}))
    except errors.FastbearerError as error:
        print("raised:", type(error).__name__, error.reason)
"""

EVERY = """
for name in errors.__all__:
    setattr(errors, name, Plain)
"""


CLAIMS = """
class Lone(Exception):
    __slots__ = ("claim",)
of_claims = errors.ClaimError
for name in errors.__all__:
    if issubclass(getattr(errors, name), of_claims):
        setattr(errors, name, Lone)
"""


def started(patch: str) -> str:
    return subprocess.check_output(
        [sys.executable, "-c", START_AGAIN.format(patch=patch)],
        env=os.environ | {"PYTHONMALLOC": "debug"},
        text=True,
    ).strip()


@pytest.mark.parametrize(
    ("patch", "name"),
    [
        ("errors.MissingClaimError = errors.FastbearerError", "MissingClaimError"),
        ("errors.MissingClaimError = errors.TokenError", "MissingClaimError"),
        ("errors.InvalidIssuerError = errors.TokenError", "InvalidIssuerError"),
        ("errors.InvalidKeyError = ValueError", "InvalidKeyError"),
        ("errors.InvalidKeyError = 5", "InvalidKeyError"),
        ("errors.FastbearerError._reason = Other._reason", "_reason"),
        ("errors.ClaimError.claim = Other.claim", "claim"),
        ("errors.ClaimError.claim = 5", "claim"),
        (EVERY, "FastbearerError"),
        (CLAIMS, "Error"),
    ],
)
def test_errors_without_the_slots_are_refused(patch: str, name: str) -> None:
    told = started(patch)
    assert told.startswith("refused:")
    assert name in told


@pytest.mark.parametrize(
    "patch",
    [
        "",
        "class Mine(errors.MissingClaimError): pass\nerrors.MissingClaimError = Mine",
        "errors.UnknownKeyError = errors.TokenError",
        "errors.InvalidKeyError = errors.ClaimError",
    ],
)
def test_errors_of_the_same_kind_are_taken(patch: str) -> None:
    raised = "Mine" if "Mine" in patch else "MissingClaimError"
    assert started(patch) == f"raised: {raised} claim_missing"
