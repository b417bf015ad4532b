"""No error brings along the error of a text that could not be encoded or decoded.

Such an error holds the whole text, which may be a password, a key or a token; raised
within its handler, ours would hold it in turn, also with ``from None``.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fastbearer import FastbearerError, Key, PasswordHash, _core
from fastbearer.better_auth.secrets import signing_key
from fastbearer.compat.jose import jwe
from fastbearer.compat.jose.backends.native import HMACKey
from fastbearer.compat.jose.exceptions import JOSEError
from fastbearer.compat.passlib.hash import argon2
from fastbearer.issuers.client_authentication import ClientAuthentication
from project import ROOT

PACKAGE = ROOT / "python" / "fastbearer"
HOLDING = {"UnicodeEncodeError", "UnicodeDecodeError", "UnicodeError"}
SECRET = "a-secret-that-no-error-may-hold-\ud800"


def named(handler: ast.ExceptHandler) -> set[str]:
    if handler.type is None:
        return set()
    return {one.id for one in ast.walk(handler.type) if isinstance(one, ast.Name)}


def raising_handlers(source: str) -> Iterator[int]:
    """Yield the lines of handlers of such an error that raise another one."""
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.ExceptHandler)
            and named(node) & HOLDING
            and any(isinstance(one, ast.Raise) for one in ast.walk(node))
        ):
            yield node.lineno


PLANTED = """
try:
    text.encode()
except (TypeError, UnicodeEncodeError):
    raise ValueError("no text") from None
"""


def test_a_planted_handler_is_seen() -> None:
    assert [*raising_handlers(PLANTED)] == [4]
    quiet = PLANTED.replace("raise ", "text = ").replace(" from None", "")
    assert not [*raising_handlers(quiet)]


def test_no_handler_of_such_an_error_raises() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{line}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for line in raising_handlers(path.read_text())
    ]
    assert found == []


def unreadable(folder: Path) -> Path:
    file = folder / "key.pem"
    file.write_bytes(b"a-secret-that-no-error-may-hold-\xff")
    return file


PEPPERED = PasswordHash(
    time_cost=1, memory_cost=8, parallelism=1, pepper={"1": b"p" * 32}
)
CALLS: list[Callable[[Path], object]] = [
    lambda _: Key.from_secret(SECRET),
    lambda _: Key.from_pem(SECRET),
    lambda _: Key.from_jwk(SECRET),
    lambda _: Key.from_der(b"x", password=SECRET),
    lambda _: _core.SessionSecret(SECRET),
    lambda _: _core.password_hash(SECRET, "$2b$04$" + "." * 22),
    lambda _: PEPPERED.hash(SECRET),
    lambda _: PEPPERED.verify("x", SECRET.encode("utf-8", "surrogatepass")),
    lambda _: PEPPERED.identify(SECRET),
    lambda _: signing_key(SECRET, allow_short_secret=True),
    lambda _: argon2.hash(SECRET),
    lambda _: HMACKey(SECRET, "HS256"),
    lambda _: jwe.decrypt(SECRET, "k" * 32),
    lambda folder: ClientAuthentication("c", None, unreadable(folder)),
]


@pytest.mark.parametrize("call", CALLS)
def test_an_error_holds_no_text(call: Callable[[Path], object], tmp_path: Path) -> None:
    with pytest.raises((FastbearerError, JOSEError, ValueError)) as caught:
        call(tmp_path)
    error: BaseException | None = caught.value
    while error is not None:
        assert "no-error-may-hold" not in f"{error!s} {error.args!r}"
        error = error.__context__
