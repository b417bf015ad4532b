"""docs/migrate/authlib-joserfc.md: what stands beside each other does the same."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from project import ROOT

PAGE = (ROOT / "docs" / "migrate" / "authlib-joserfc.md").read_text()
SECTION = re.compile(r"(?ms)^## (.+?)\n(.*?)(?=^## |\Z)")
BLOCK = re.compile(r"(?ms)^(joserfc|Authlib|fastbearer):\n\n```python\n(.*?)^```$")
SECTIONS = {
    title: dict(BLOCK.findall(text))
    for title, text in SECTION.findall(PAGE)
    if "```python" in text
}


def run(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    with warnings.catch_warnings(record=True):  # Authlib's says that it goes away
        exec(code, names)
    return names


def pairs() -> Iterator[Any]:
    for title, found in SECTIONS.items():
        for name, theirs in found.items():
            if name != "fastbearer":
                yield pytest.param(theirs, found["fastbearer"], id=f"{title} {name}")


def test_every_block_is_seen() -> None:
    assert sum(map(len, SECTIONS.values())) == PAGE.count("```python") == 7


@pytest.mark.parametrize(("theirs", "ours"), list(pairs()))
def test_both_do_the_same(theirs: str, ours: str) -> None:
    before, after = run(theirs), run(ours)
    if "payload" in after:
        assert before["payload"] == after["payload"] == b"payload"
        return
    assert before["claims"]["sub"] == after["claims"]["sub"] == "user-1"
    assert set(before["claims"]) <= set(after["claims"]) <= {*before["claims"], "iat"}


@pytest.mark.parametrize("name", ["joserfc", "Authlib"])
def test_a_token_of_theirs_is_one_of_ours(name: str) -> None:
    """Open tokens go on: both sides have the same secret, issuer and audience."""
    before, after = run(SECTIONS["HS256"][name]), run(SECTIONS["HS256"]["fastbearer"])
    token = before["token"]
    token = token.decode() if isinstance(token, bytes) else token
    assert after["verifier"].verify(token)["sub"] == "user-1"


def test_a_key_set_of_theirs_is_one_of_ours() -> None:
    from fastbearer import KeySet, Verifier

    before = run(SECTIONS["A set of public keys"]["joserfc"])
    keys = KeySet.from_jwks(before["jwks"])
    assert Verifier(keys).verify(before["token"])["sub"] == "user-1"


def test_the_names_of_the_table_are_there() -> None:
    from joserfc import errors as theirs

    from fastbearer import errors as ours

    rows = re.findall(r"(?m)^\| (.*Error.*) \| (.*) \|$", PAGE)
    assert len(rows) == 3
    for old, new in rows:
        named = re.findall(r"`(\w+Error)`", new) or re.findall(r"`(\w+Error)`", old)
        assert all(hasattr(ours, one) for one in named)
        assert all(hasattr(theirs, one) for one in re.findall(r"`(\w+Error)`", old))
