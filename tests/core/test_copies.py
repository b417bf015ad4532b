"""Keys and what has them, copied: each is its own copy, and none is pickled."""

from __future__ import annotations

import copy
import gc
import pickle
import sys
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from fastbearer import Key, KeySet, Signer, Verifier
from fastbearer._core import SessionSecret
from fastbearer.jwks import JWKSClient, JWKSVerifier
from project import SECRET

KEY = Key.from_secret(SECRET)
URL = "https://id.example.com/jwks"
OBJECTS: list[Any] = [
    KEY,
    Key.generate("ES256"),
    KeySet([KEY]),
    Verifier(KEY, cache=10),
    Signer(KEY),
    SessionSecret(SECRET),
    JWKSClient(URL),
    JWKSVerifier(URL),
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


@pytest.mark.parametrize("thing", OBJECTS[:6], ids=lambda one: type(one).__name__)
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
        clients: dict[str, Any] = field(default_factory=dict)

    config = Config(KEY, [KEY], Verifier(KEY), {"a": JWKSClient(URL)})
    made = asdict(config)
    assert made["key"] is KEY
    assert made["keys"] == [KEY]
    assert made["verifier"] is config.verifier
    assert made["clients"]["a"] is config.clients["a"]
    assert copy.deepcopy(config) == config
    assert replace(config, keys=[]).key is KEY


def test_a_model_of_pydantic_has_keys_as_defaults() -> None:
    class Config(BaseModel):
        model_config = ConfigDict(arbitrary_types_allowed=True)
        keys: list[Key] = [KEY]
        keyset: KeySet = KeySet([KEY])
        signer: Signer = Signer(KEY)

    one, other = Config(), Config()
    assert one.keys == other.keys == [KEY]
    assert one.keys is not other.keys
    assert one.model_copy(deep=True).keys[0] is KEY
    assert one.model_dump()["keys"] == [KEY]


def test_copies_hold_no_reference() -> None:
    key = Key.generate("HS256")
    gc.collect()
    before = sys.getrefcount(key)
    for _ in range(1000):
        copy.deepcopy([copy.copy(key)])
    assert sys.getrefcount(key) == before
