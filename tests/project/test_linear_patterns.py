"""Every pattern of the package meets hostile text in linear time.

Where one took the square of the length, this file would run for many minutes: there
is no limit of time in it, and none is needed.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import fastbearer
from fastbearer.compat.jose.utils import is_pem_format

LENGTH = 100_000
STEPS = {"sub": "search", "split": "search", "finditer": "findall"}
SEARCHES = ("search", "match", "fullmatch", "findall")

ENDS = ("", "\x01", "\n")
REPEATED = (
    *("a", "A", "1", " ", "\t", "\n", ".", "/", "?", "#", "@", ":", ";", ",", "-", "="),
    *('"', "\\", "<", "[", "%", "_", "*", "\xe9", "?#", "//", "a.", "a@", "@a", "1."),
    *("aB", "a=", "a,", ", ", "0x", "%2F", "\\\n", "%3D"),
)
BEFORE = {
    "HTTP_URL": ("http://", "http://a/", "http://a?", "http://a:1", "http://[", "a@"),
    "HOSTS": ("postgres://", "postgres://x@,", "postgres://x:", "postgres://a,b?"),
    "MAY_IMPORT": ("import ", ";", ":"),
    "MAX_AGE": ("max-age", "max-age="),
    "SMTP_URL": ("smtp://", "smtp://a:", "smtp://a@[", "smtps://a:1"),
    "LANGUAGE": ("de-",),
    "WEIGHT": ("q=0.", "q=1."),
    "EMAIL": ("a@", "a@b."),
    "PAIR": ('a="', "a="),
    "ELEMENT": ('a="', "a=", "a=b;", 'a="b";'),
    "AUTHORITY": ("://", "http://"),
    "LIKE_A_VALUE": ("a" * 32 + ".",),
    "OKTA_ISSUER": ("https://a", "https://a/oauth2/"),
    "BEGIN": ("-----BEGIN ",),
}
"""What brings hostile text to the later parts of a pattern."""

WHOLE = {
    "MAY_IMPORT": (";import a", "\nimport a", ";from "),
    "MAX_AGE": (",max-age", " max-age= ", ",max-age=1"),
    "NOT_KEPT": (",no-", ",no-stor"),
    "LIKE_A_NAME": ("session_token", "_session_token_"),
    "OTHER_NAMES": ("state", "session_token_multi"),
    "AUTHORITY": ("://", "://a"),
    "ELEMENT": ("a=b;", 'a="b";', 'a=";', 'a="\\"'),
    "BEGIN": ("-----BEGIN A", "-----BEGIN A-----", "----"),
    "END": ("-----END A", "-----END A----"),
}
"""What is hostile as it is repeated."""


def modules() -> Iterator[Any]:
    for found in pkgutil.walk_packages(fastbearer.__path__, "fastbearer."):
        if "migrations" in found.name or found.name.endswith("__main__"):
            continue
        try:
            module = importlib.import_module(found.name)
        except ImportError:  # of a package that is the user's choice
            continue
        if (module.__file__ or "").endswith(".py"):
            yield module


def patterns() -> Iterator[tuple[str, Callable[[Any], Any], bool]]:
    """Yield each pattern of a module with how that module asks it."""
    for module in modules():
        own = {k: v for k, v in vars(module).items() if isinstance(v, re.Pattern)}
        if not own:  # most have none: their text need not be read
            continue
        tree = ast.parse(Path(module.__file__).read_text())
        named = {
            (node.value.id, STEPS.get(node.attr, node.attr))
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        }
        for name, value in own.items():
            for step in SEARCHES:
                if (name, step) in named:
                    label = f"{module.__name__}.{name}.{step}"
                    is_bytes = isinstance(value.pattern, bytes)
                    yield label, getattr(value, step), is_bytes


FOUND = list(patterns())


def hostile(name: str) -> Iterator[str]:
    for repeated in (*REPEATED, *WHOLE.get(name, ())):
        for before in ("", *BEFORE.get(name, ())):
            for end in ENDS:
                yield before + repeated * (LENGTH // len(repeated)) + end


@pytest.mark.slow
@pytest.mark.parametrize(
    ("label", "ask", "is_bytes"), FOUND, ids=[label for label, _, _ in FOUND]
)
def test_a_pattern_meets_hostile_text(
    label: str, ask: Callable[[Any], Any], *, is_bytes: bool
) -> None:
    name = label.split(".")[-2]
    for text in hostile(name):
        ask(text.encode("latin-1") if is_bytes else text)


def test_the_patterns_of_urls_and_headers_are_among_them() -> None:
    labels = {label for label, _, _ in FOUND}
    assert len(labels) > 40
    assert "fastbearer.urls.HTTP_URL.fullmatch" in labels
    assert "fastbearer.fastapi.proxies.PAIR.match" in labels


@pytest.mark.parametrize("piece", [b"-----BEGIN A-----", b"-----BEGIN A", b"-----"])
def test_what_begins_like_pem_over_and_over(piece: bytes) -> None:
    assert not is_pem_format(piece * (LENGTH // len(piece)))
