"""Clients and verifiers of key sets, copied; and keys in models of pydantic."""

from __future__ import annotations

import copy
import pickle
from dataclasses import asdict, dataclass
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from fastbearer import Key, KeySet, Signer
from fastbearer.jwks import JWKSClient, JWKSVerifier
from project import SECRET

KEY = Key.from_secret(SECRET)
URL = "https://id.example.com/jwks"


@pytest.mark.parametrize("thing", [JWKSClient(URL), JWKSVerifier(URL)])
def test_copies_share_the_keys_that_were_fetched(thing: Any) -> None:
    @dataclass(frozen=True)
    class Config:
        source: Any

    assert copy.copy(thing) is thing
    assert copy.deepcopy([thing])[0] is thing
    assert asdict(Config(thing))["source"] is thing
    with pytest.raises(TypeError):
        pickle.dumps(thing)


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
