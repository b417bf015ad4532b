"""What a session token is: one rule, which is the core's."""

from __future__ import annotations

import ast

import pytest

from fastbearer._core import SessionSecret
from fastbearer.better_auth.session import is_token
from project import ROOT, SECRET

GOOD = ["aZ09" * 8, "0" * 32]
BAD = [
    *("a" * 31, "a" * 33, "", "é" * 32, "a" * 31 + "\0", "a" * 31 + "²", "٣" * 32),
    *("a" * 31 + "-", "a" * 31 + " ", "a" * 31 + "\ud800", "a" * 31 + "\n"),
    *(None, b"a" * 32, 1, ["a"] * 32),
]


@pytest.mark.parametrize("value", [*GOOD, *BAD])
def test_what_is_signed_is_what_is_a_token(value: object) -> None:
    secret = SessionSecret(SECRET)
    assert is_token(value) is (value in GOOD)
    if value in GOOD:
        assert secret.read_token(secret.sign_token(str(value))) == value
    else:
        with pytest.raises(ValueError, match="32 letters and digits"):
            secret.sign_token(value)  # type: ignore[arg-type]


def test_no_module_tells_it_again() -> None:
    folder = ROOT / "python" / "fastbearer" / "better_auth"
    for path in folder.glob("*.py"):
        calls = [
            node.attr
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Attribute)
        ]
        assert "isalnum" not in calls, path.name
