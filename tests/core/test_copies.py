"""Keys and what has them, copied: each is its own copy, and none is pickled."""

from __future__ import annotations

import copy
import gc
import pickle
import sys
from dataclasses import asdict, dataclass, replace
from typing import Any

import pytest

from fastbearer import Key, KeySet, Signer, Verifier
from fastbearer._core import SessionSecret
from project import SECRET

KEY = Key.from_secret(SECRET)
OBJECTS: list[Any] = [
    KEY,
    Key.generate("ES256"),
    KeySet([KEY]),
    Verifier(KEY, cache=10),
    Signer(KEY),
    SessionSecret(SECRET),
]
objects = pytest.mark.parametrize("thing", OBJECTS, ids=lambda one: type(one).__name__)


@objects
def test_a_copy_is_the_thing_itself(thing: Any) -> None:
    assert copy.copy(thing) is thing
    assert copy.deepcopy(thing) is thing
    assert copy.deepcopy({"a": [thing, thing]})["a"][0] is thing


@objects
def test_no_pickle_holds_a_secret(thing: Any) -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError) as caught:
            pickle.dumps(thing, protocol)
        assert SECRET not in str(caught.value)


@objects
def test_who_pickles_is_told_what_to_do(thing: Any) -> None:
    kind = "Key" if isinstance(thing, KeySet) else type(thing).__name__
    with pytest.raises(TypeError, match=f"a {kind} cannot be pickled.*make it again"):
        pickle.dumps(thing)


def test_settings_as_a_dataclass_become_a_dict() -> None:
    @dataclass(frozen=True)
    class Config:
        key: Key
        keys: list[Key]
        verifier: Verifier

    config = Config(KEY, [KEY], Verifier(KEY))
    made = asdict(config)
    assert made["key"] is KEY
    assert made["keys"] == [KEY]
    assert made["verifier"] is config.verifier
    assert copy.deepcopy(config) == config
    assert replace(config, keys=[]).key is KEY


def test_copies_hold_no_reference() -> None:
    key = Key.generate("HS256")
    gc.collect()
    before = sys.getrefcount(key)
    for _ in range(1000):
        copy.deepcopy([copy.copy(key)])
    assert sys.getrefcount(key) == before
