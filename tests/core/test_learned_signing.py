"""What a signer has written before changes nothing in what it writes next.

A signer keeps how the names of members are written that it has met. Here one that
writes everything in turn stands beside fresh ones, and beside json.dumps.
"""

from __future__ import annotations

import gc
import json
import random
import sys
import threading
import weakref
from base64 import urlsafe_b64decode
from typing import Any

import pytest

from fastbearer import Key, Signer

KEY = Key.from_secret("0123456789abcdef0123456789abcdef")
ODD = ['"', "\\", "\n", "\0", "\x1f", "\x7f", "é", "€", "\U0001f511", "/", " ", ""]
TEXTS = [*ODD, *("x" * n for n in range(40)), *("x" * n + "é" for n in range(34))]


class Text(str):
    __slots__ = ()


def payload(token: str) -> str:
    segment = token.split(".")[1]
    return urlsafe_b64decode(segment + "=" * (-len(segment) % 4)).decode()


def dumped(claims: dict[str, Any], ascii: bool) -> str:
    text = json.dumps(claims, ensure_ascii=ascii, separators=(",", ":"))
    return text.replace("\x7f", "\\u007f") if ascii else text


def named(rng: random.Random) -> str:
    """Return a name: the same object again, an equal one, or one not met before."""
    text = rng.choice(TEXTS)
    match rng.randrange(4):
        case 0:
            return sys.intern(text)
        case 1:
            return text
        case 2:
            return "".join([text, ""]) if len(text) < 2 else text[:1] + text[1:]
        case _:
            return sys.intern(f"{text}{rng.randrange(400)}")


def value(rng: random.Random, level: int = 0) -> Any:
    match rng.randrange(9 if level < 4 else 7):
        case 0:
            return rng.choice(TEXTS) + rng.choice(TEXTS)
        case 1:
            return rng.choice([True, False, None])
        case 2:
            return rng.choice([1, -1]) * rng.getrandbits(rng.randrange(70))
        case 3:
            return rng.choice([0, 9, 10, 99, 100, 999, 2**63 - 1, -(2**63), 10**30])
        case 4:
            return rng.uniform(-1, 1) * 10 ** rng.randrange(-20, 20)
        case 5:
            return rng.choice(TEXTS)
        case 6:
            return Text(rng.choice(TEXTS))
        case 7:
            return [value(rng, level + 1) for _ in range(rng.randrange(4))]
        case _:
            return members(rng, level + 1)


def members(rng: random.Random, level: int = 0) -> dict[str, Any]:
    return {named(rng): value(rng, level) for _ in range(rng.randrange(9))}


@pytest.mark.parametrize("ascii", [False, True])
def test_a_learned_signer_writes_what_a_fresh_one_writes(ascii: bool) -> None:
    rng = random.Random(23)
    learned = Signer(KEY, ascii=ascii)
    for _ in range(3_000):
        claims = members(rng)
        for name in ("exp", "nbf", "iat"):
            claims.pop(name, None)
        token = learned.sign(claims)
        assert token == learned.sign(claims) == Signer(KEY, ascii=ascii).sign(claims)
        assert payload(token) == dumped(claims, ascii)


def test_names_of_which_there_are_more_than_places() -> None:
    signer = Signer(KEY)
    names = [sys.intern(f"name {n}") for n in range(2_000)]
    for _ in range(2):
        for name in names:
            assert payload(signer.sign({name: name})) == f'{{"{name}":"{name}"}}'
    whole = dict.fromkeys(names, 1)
    assert payload(signer.sign(whole)) == dumped(whole, False)


def test_names_that_are_as_long_as_a_place_and_longer() -> None:
    signer = Signer(KEY)
    for length in range(20, 40):
        claims = {sys.intern("n" * length): "v" * length}
        for _ in range(3):
            assert payload(signer.sign(claims)) == dumped(claims, False)


def test_a_name_of_a_class_of_its_own_is_not_taken_for_the_plain_one() -> None:
    signer = Signer(KEY)
    plain, own = sys.intern("scope"), Text("scope")
    assert payload(signer.sign({plain: 1})) == payload(signer.sign({own: 1}))
    with pytest.raises(ValueError, match="has a name twice"):
        signer.sign(twice())


def twice() -> dict[str, Any]:
    class Own(str):
        __slots__ = ()

        def __eq__(self, other: object) -> bool:
            return self is other

        __hash__ = object.__hash__

    return {"a": {Own("scope"): 1, Own("scope"): 2}}


def test_dates_are_still_looked_at_when_their_names_are_known() -> None:
    signer = Signer(KEY)
    for _ in range(3):
        signer.sign({"exp": 1, "nbf": 1, "iat": 1})
    with pytest.raises(TypeError, match="exp must be a number"):
        signer.sign({"exp": "1"})


def test_names_are_let_go_with_the_signer() -> None:
    name = sys.intern("a name that nothing else has")
    before = sys.getrefcount(name)
    signer = Signer(KEY)
    for _ in range(3):
        signer.sign({name: 1})
    grown = sys.getrefcount(name) - before
    del signer
    gc.collect()
    assert sys.getrefcount(name) == before
    assert grown == 0 or grown == 1  # 0 where interned strings are immortal


def test_the_signer_is_still_collected() -> None:
    class Clock:
        def __call__(self) -> int:
            return 1

    clock = Clock()
    clock.signer = Signer(KEY, clock=clock, lifetime=1)  # type: ignore[attr-defined]
    clock.signer.sign({"a": 1})  # type: ignore[attr-defined]
    gone = weakref.ref(clock)
    del clock
    gc.collect()
    assert gone() is None


def test_threads_learn_at_once() -> None:
    names = [sys.intern(f"n{n}") for n in range(300)]
    expected = {n: f'{{"{n}":{{"{n}":1}}}}' for n in names}
    for _ in range(20):
        signer, wrong = Signer(KEY), list[str]()
        start = threading.Barrier(4)

        def learn(
            seed: int,
            signer: Signer = signer,
            wrong: list[str] = wrong,
            start: threading.Barrier = start,
        ) -> None:
            mine = random.Random(seed).sample(names, len(names))
            start.wait()
            texts = {name: payload(signer.sign({name: {name: 1}})) for name in mine}
            wrong.extend(name for name in mine if texts[name] != expected[name])

        threads = [threading.Thread(target=learn, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong
