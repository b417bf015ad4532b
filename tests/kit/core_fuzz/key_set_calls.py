"""Calls of sets of keys."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from fastbearer import InvalidKeyError, Key, KeySet

from .calls import Call, OddError, calls, holds, raises, returns
from .fixed_keys import ASYMMETRIC, KEYS
from .json_texts import mutated, read_strictly
from .key_calls import some_jwk
from .odd_values import odd


@calls("KeySet", ValueError)
def key_set(dice: Random) -> Call:
    keys = dice.sample([*KEYS.values()], dice.choice((0, 1, 3)))
    if not keys:
        return Call(KeySet, (keys,), check=raises(ValueError))
    given = dice.choice((keys, tuple(keys), iter(keys), dict.fromkeys(keys).keys()))
    return Call(KeySet, (given,), check=holds(lambda made: [*made] == keys))


def some_entries(dice: Random) -> tuple[list[Any], list[Key], tuple[str, ...]]:
    """Return entries, those that are good keys, and what is secret of them."""
    entries: list[Any] = []
    good: list[Key] = []
    secrets: tuple[str, ...] = ()
    for _ in range(dice.choice((0, 1, 2, 5))):
        roll = dice.random()
        if roll < 0.4:
            good.append(KEYS[dice.choice(ASYMMETRIC)].public())
            entries.append(good[-1].to_jwk())
        elif roll < 0.8:
            jwk, _, more = some_jwk(dice)
            entries.append(jwk)
            secrets += more
        else:
            entries.append(odd())
    return entries, good, secrets


@calls("KeySet.from_jwks", InvalidKeyError, weight=5)
def from_jwks(dice: Random) -> Call:
    """One bad entry locks out no other."""
    entries, good, secrets = some_entries(dice)
    prints = {key.thumbprint() for key in good}
    named = {"private": dice.random() < 0.3, "lenient": dice.random() < 0.3}

    def check(made: Any, error: BaseException | None) -> str | None:
        if error is not None:
            ours = good and not isinstance(error, OddError)
            return "should take the good keys" if ours else None
        if not prints <= {key.thumbprint() for key in made}:
            return "has lost a good key"
        if not named["private"] and any(key.is_private for key in made):
            return "has a private key"
        lost = len(entries) - len(made)
        return None if lost == len(made.skipped) else "does not tell all it skipped"

    given: Any = {"keys": entries}
    if dice.random() < 0.4:
        try:
            given = json.dumps(given)
        except (TypeError, ValueError, RecursionError, OddError):
            entries[:] = [key.to_jwk() for key in good]
        else:
            if dice.random() < 0.3 or read_strictly(given.encode()) is None:
                text = mutated(dice, given.encode("utf-8", "surrogatepass"))
                return Call(KeySet.from_jwks, (text,), named, secrets=secrets)
    return Call(KeySet.from_jwks, (given,), named, check, secrets)


@calls("KeySet.skipped")
def skipped(dice: Random) -> Call:
    good = KEYS["ES256"].public().to_jwk()
    made = KeySet.from_jwks({"keys": [good, {**good, "use": "enc"}]})
    return Call(
        lambda: [one.reason for one in made.skipped], check=returns(["key_use"])
    )
