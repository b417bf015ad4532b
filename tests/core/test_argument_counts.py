"""Each function of the core takes as many arguments as its signature says."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fastbearer import Key, Signer, Verifier, _core
from project import SECRET

KEY = Key.from_secret(SECRET)
OBJECTS = [KEY, Verifier(KEY), Signer(KEY), _core.SessionSecret(SECRET)]
POSITIONAL = inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD


def callables() -> Iterator[Callable[..., Any]]:
    """Yield the functions, and the methods of an object of each type."""
    for holder in (_core, *OBJECTS):
        for name in dir(holder):
            value = getattr(holder, name)
            is_ours = inspect.isbuiltin(value) and not name.startswith("__")
            if is_ours and value.__text_signature__ is not None:
                yield value


FUNCTIONS = {each.__qualname__: each for each in callables()}


def test_the_functions_are_found() -> None:
    assert {"password_hash", "aead_open", "Verifier.verify"} <= FUNCTIONS.keys()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_too_few_and_too_many_are_refused(name: str) -> None:
    parameters = inspect.signature(FUNCTIONS[name]).parameters.values()
    given = [one for one in parameters if one.kind in POSITIONAL]
    needed = [one for one in given if one.default is inspect.Parameter.empty]
    for count in {*range(len(needed)), len(given) + 1, len(given) + 2}:
        with pytest.raises(TypeError):
            FUNCTIONS[name](*["x"] * count)
