"""Claims are read where a dict keeps them, and never otherwise than as dicts say.

What is signed stands beside json.dumps of the same dict, whatever was done to the dict
before, and whatever is done to it meanwhile.
"""

from __future__ import annotations

import gc
import json
import random
import subprocess
import sys
import sysconfig
from base64 import urlsafe_b64decode
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from fastbearer import Key, Signer, _core
from other_pythons import built_with, environment
from project import ROOT

KEY = Key.from_secret("0123456789abcdef0123456789abcdef")
HERE = "tests/core/test_dict_walk.py"


class Text(str):
    __slots__ = ()


class Shared:
    """Attributes of objects of a class share their names, and values lie apart."""

    def __init__(self, n: int) -> None:
        self.one, self.two, self.three = n, str(n), [n]


def signed(claims: dict[Any, Any]) -> str:
    segment = Signer(KEY).sign(claims).split(".")[1]
    return urlsafe_b64decode(segment + "=" * (-len(segment) % 4)).decode()


def dumped(claims: dict[Any, Any]) -> str:
    return json.dumps(claims, ensure_ascii=False, separators=(",", ":"))


def change(rng: random.Random, claims: dict[Any, Any]) -> None:
    """Do to a dict one of the things that change how it is kept."""
    name = rng.choice(["a", "bb", "ccc", f"n{rng.randrange(30)}"])
    match rng.randrange(8):
        case 0 | 1 | 2:
            claims[name] = rng.choice([1, "text", None, 2.5, True, ["x"], {"y": 1}])
        case 3:
            claims.pop(name, None)
        case 4 if claims:
            claims.popitem()
        case 5 if claims:
            claims.pop(next(iter(claims)))
        case 6 if rng.randrange(10) == 0:
            claims.clear()
        case 7:
            claims.setdefault(Text(name), "of a class of its own")


def test_whatever_was_done_to_a_dict() -> None:
    rng = random.Random(7)
    claims: dict[Any, Any] = {}
    for _ in range(5000):
        change(rng, claims)
        assert signed(claims) == dumped(claims)
        assert signed({"within": claims}) == dumped({"within": claims})


@pytest.mark.parametrize(
    "claims",
    [
        {},
        Shared(1).__dict__,
        vars(Shared(2)) | {"more": 3},
        OrderedDict(a=1, b="2"),
        defaultdict(list, a=[1]),
        dict.fromkeys("abc"),
        dict.fromkeys(map(str, range(300)), "x"),
        {**dict.fromkeys("abc"), Text("d"): 4},
    ],
    ids=["none", "shared", "merged", "ordered", "default", "keys", "many", "class"],
)
def test_every_kind_of_dict(claims: dict[Any, Any]) -> None:
    assert signed(claims) == dumped(claims)
    assert signed({"within": claims}) == dumped({"within": claims})


def replaced(claims: dict[Any, Any]) -> None:
    claims.clear()
    claims.update(dict.fromkeys(map(str, range(100)), "new"))


def of_other_names(claims: dict[Any, Any]) -> None:
    """Its entries are of another size then, perhaps at the same address."""
    claims.clear()
    claims.update(dict.fromkeys(range(60), "new"))
    for n in range(56):
        del claims[n]


def emptied(claims: dict[Any, Any]) -> None:
    claims.clear()


def swapped(claims: dict[Any, Any]) -> None:
    del claims["last"]
    claims["other"] = "new"


def put_back(claims: dict[Any, Any]) -> None:
    claims["first"] = claims.pop("first")


def grown(claims: dict[Any, Any]) -> None:
    claims.update(dict.fromkeys(map(str, range(1000)), "new"))


def one_more(claims: dict[Any, Any]) -> None:
    claims["more"] = "new"


class Garbage:
    """What runs when the garbage collector frees it, perhaps amid a signature."""

    def __init__(self, run: Callable[[], None]) -> None:
        self.run, self.itself = run, self

    def __del__(self) -> None:
        self.run()


def signed_or_refused(claims: dict[Any, Any]) -> str:
    try:
        return signed(claims)
    except TypeError as error:
        return str(error)


@pytest.mark.parametrize(
    "change", [replaced, of_other_names, emptied, swapped, put_back, grown, one_more]
)
def test_what_is_done_to_a_dict_comes_before_or_after(
    change: Callable[[dict[Any, Any]], None],
) -> None:
    """Names of a class of its own are compared in a set, for whose memory CPython 3.11
    would collect garbage: then code of others ran amid the signature."""
    before = gc.get_threshold()

    def claims() -> dict[Any, Any]:
        return {"first": "x", "inner": {Text("a"): 1}, "then": ["y"], "last": "z"}

    changed = claims()
    change(changed)
    whole = {signed_or_refused(claims()), signed_or_refused(changed)}
    gc.freeze()  # what others have left is not looked at each time
    try:
        for at in range(1, 80):
            given = claims()
            gc.collect()
            Garbage(partial(change, given))
            gc.set_threshold(at)
            text = signed_or_refused(given)
            gc.set_threshold(*before)
            assert text in whole
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


# --- both ways, and planted bugs ------------------------------------------------------


def test_how_members_are_read() -> None:
    is_known = (3, 11) <= sys.version_info < (3, 14)
    has_gil = not sysconfig.get_config_var("Py_GIL_DISABLED")
    assert _core.dict_members == ("read" if is_known and has_gil else "asked for")


def run_here(old: str, new: str, folder: Path) -> tuple[str, int]:
    """Return how members are read where dict_walk.c has another text, and whether the
    tests of this file fail there."""
    file = "module/json/dict_walk.c"
    text = (ROOT / "csrc" / file).read_text()
    assert text.count(old) == 1, f"{file} has not, or twice: {old}"
    package = built_with(sys.executable, "fuzzed", file, text.replace(old, new), folder)
    settings = environment(PYTHONPATH=str(package))
    code = "from fastbearer import _core; print(_core.dict_members)"
    told = subprocess.check_output(
        [sys.executable, "-c", code], env=settings, text=True
    )
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    chosen = ["-m", "not soak", "-k", "not how_members", HERE]
    done = subprocess.run([*command, *chosen], env=settings, cwd=ROOT)
    return told.strip(), done.returncode


@pytest.mark.soak
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("if (is_known) {", "if (false) {"),
        # What the trial at the start has to see:
        ("walk->keys = dict->ma_keys;", "walk->keys = walk->dict;"),
        ("walk->count = dict->ma_used;", "walk->count = dict->ma_used - 1;"),
        ("UNICODE_ENTRIES(dict->ma_keys);", "UNICODE_ENTRIES(dict->ma_keys) + 1;"),
    ],
    ids=["off", "keys", "count", "entries"],
)
def test_members_that_are_asked_for(old: str, new: str, tmp_path: Path) -> None:
    assert run_here(old, new, tmp_path) == ("asked for", 0)


@pytest.mark.soak
def test_a_planted_bug_is_seen(tmp_path: Path) -> None:
    kind = "if (dict->ma_keys->dk_kind == DICT_KEYS_UNICODE) {"
    told, failed = run_here(kind, "{", tmp_path)
    assert told == "read"
    assert failed
