"""What a verifier has learned changes no answer: it reads as one that is new.

A verifier learns the names of the first claims that it sees, and reads others of the
same shape faster. A token that it has learned from stands beside one of a verifier that
has seen nothing: the same dict, in the same order, or the same error.
"""

from __future__ import annotations

import gc
import json
import random
import subprocess
import sys
import sysconfig
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbearer import TokenError, _core, jws
from handmade_tokens import KEY, verifier
from other_pythons import built_with, environment
from project import ROOT

Verify = Callable[[str], dict[str, Any]]

OWN = b'{"sub":"user-1","user_id":"u","email":"a@exa.io","iat":999000,"exp":4102444800}'
OTHER = b'{"sub":"user-1","user_id":"u","scope":"a b","exp":4102444800}'
DEEP = (
    b'{"iss":"i","aud":["a","b"],"exp":4102444800,"email_verified":true,"n":null,'
    b'"realm_access":{"roles":["admin","user"]},"empty":{},'
    b'"grants":[{"id":1,"name":"one","on":{"x":0}},{"id":22,"name":"two","on":{"x":1}}],'
    b'"rate":0.25,"big":123456789012345678901234567890,"caf\xc3\xa9":"\xc3\xa9\\n","":""}'
)
SPACED = b"""{ "sub": "x",
\t"caf\\u00e9" : 1, "o" : { "a" : [ { "b" : 1 } , { "b" : 2 } ] } }
"""
TEXTS = {"own": OWN, "other": OTHER, "deep": DEEP, "spaced": SPACED}
CLOSE = [OWN, OTHER, b'{"sub":"user-1","user_id":"u"}', b'{"sub":"user-1"}', b"{}"]
"""Each begins as another does."""


def new() -> Verify:
    return verifier(ignore_audience=True, max_bytes=10**6).verify


def token(payload: bytes) -> str:
    return jws.sign(payload, KEY)


def taught(*payloads: bytes) -> Verify:
    """Return a verifier that has learned what there is: a level at a time."""
    verify = new()
    for payload in payloads * 6:
        verify(token(payload))
    return verify


def answer(verify: Verify, text: str) -> str:
    """Return what a verifier makes of a token, with the order of its names."""
    try:
        return repr(verify(text))
    except TokenError as error:
        return f"{type(error).__name__} {error.reason} {error}"


def check_alike(learned: Verify, payload: bytes) -> None:
    text = token(payload)
    assert answer(learned, text) == answer(new(), text), payload


def altered(payload: bytes) -> Iterator[bytes]:
    """Yield a text that lacks, repeats or has another one of its bytes."""
    for at in range(len(payload)):
        yield payload[:at]
        yield payload[:at] + payload[at + 1 :]
        yield payload[:at] + payload[at : at + 1] * 2 + payload[at + 1 :]
        for other in b'"\\,:}] 0-.e\x1f\xff':
            yield payload[:at] + bytes([other]) + payload[at + 1 :]


@pytest.mark.parametrize("name", [*TEXTS])
def test_each_byte_that_is_another_one(name: str) -> None:
    learned = taught(TEXTS[name])
    for payload in altered(TEXTS[name]):
        check_alike(learned, payload)
    check_alike(learned, TEXTS[name])


MEMBERS = (
    *(b'"sub":"user-1"', b'"user_id":"u"', b'"email":"a@exa.io"', b'"iat":999000'),
    *(b'"exp":4102444800', b'"exp":1', b'"nbf":4102444800', b'"exp":"x"', b'"exp":-5'),
    *(b'"s\\u0075b":"hidden"', b'"\\u0065xp":1', b' "sub" : "spaced" ', b'"Sub":"x"'),
    *(b'"exp":1e3', b'"exp":true', b'"exp":4102444800.5', b'"exp":null', b'"exp":0'),
    *(b'"n":0', b'"n":-0', b'"n":01', b'"n":999999999999999999', b'"n":-1', b'"n":-'),
    *(b'"n":1000000000000000000', b'"n":9223372036854775807', b'"n":' + b"9" * 400),
    *(b'"n":9223372036854775808', b'"n":-9223372036854775809', b'"n":' + b"9" * 4301),
    *(b'"r":1.5', b'"r":-0.0', b'"r":1e400', b'"r":1.', b'"r":5e-324', b'"r":0.1'),
    *(
        b'"o":{}',
        b'"o":{"sub":1}',
        b'"o":{"sub":1,"sub":2}',
        b'"o":{"a":{"b":{"c":1}}}',
    ),
    *(b'"o":[]', b'"o":[{"a":1},{"a":2}]', b'"o":[{"a":1},{"b":2}]', b'"o":["x",1,[]]'),
    *(b'"o":[{"a":1,"a":1}]', b'"o":[1,]', b'"o":["a" ,"b"]', b'"o":[' * 40),
    *(b'"":""', b'"\xc3\xa9":"\xc3\xa9"', b'"t":"\\ud800"', b'"t":"\xff"', b'"t":"\n"'),
    *(b'"' + b"k" * size + b'":1' for size in (27, 28, 29, 32, 59, 60, 61, 90, 300)),
    *(b'"t":"' + b"v" * size + b'"' for size in (15, 16, 17, 31, 32, 33, 3000)),
)


def test_members_in_any_order_and_number() -> None:
    dice = random.Random(23)
    for _ in range(300):
        texts = [objects(dice) for _ in range(12)]
        learned = taught_by_what_is_right(texts[:4])
        for payload in texts:
            check_alike(learned, payload)
            check_alike(learned, payload)


def objects(dice: random.Random) -> bytes:
    members = dice.choices(MEMBERS[:5] if dice.random() < 0.3 else MEMBERS, k=5)
    members = members[: dice.randrange(6)]
    if dice.random() < 0.5:
        members = [*dict.fromkeys(members)]
    return b"{" + b",".join(members) + b"}"


def taught_by_what_is_right(payloads: list[bytes]) -> Verify:
    verify = new()
    for payload in payloads * 3:
        answer(verify, token(payload))
    return verify


FLOATS = st.floats(allow_nan=False, allow_infinity=False)
LEAVES = st.none() | st.booleans() | st.integers() | FLOATS | st.text()
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.mark.slow
@given(st.lists(st.dictionaries(st.text(), VALUES, max_size=6), max_size=5))
def test_any_claims(claims: list[dict[str, Any]]) -> None:
    verify = new()
    for one in claims * 3:
        text = json.dumps({**one, "exp": 4102444800})
        assert verify(token(text.encode())) == json.loads(text)
        assert [*verify(token(text.encode()))] == [*json.loads(text)]


def test_shapes_that_begin_alike() -> None:
    for first in CLOSE:
        for second in CLOSE:
            learned = taught(first, second)
            for payload in (*CLOSE, DEEP):
                check_alike(learned, payload)


def test_objects_beside_each_other_are_not_deep() -> None:
    claims = {"a": [{"b": {"c": n}} for n in range(100)]}
    payload = json.dumps(claims, separators=(",", ":")).encode()
    assert taught(payload)(token(payload)) == claims
    deep = b'{"a":' * 31 + b"{}" + b"}" * 31
    learned = taught(deep)
    check_alike(learned, deep)
    check_alike(learned, deep.replace(b"{}", b'{"a":{}}'))


def test_more_shapes_than_are_learned() -> None:
    payloads = [
        json.dumps({f"name{n}": n, "o": {f"in{n}": [{f"x{n}": n}]}}).encode()
        for n in range(200)
    ]
    learned = taught(*payloads)
    for payload in payloads:
        check_alike(learned, payload)


@pytest.mark.parametrize("count", [0, 1, 2, 5, 6, 10, 11, 47, 48, 49, 64, 300])
def test_objects_of_any_size(count: int) -> None:
    claims = {f"m{n}": [n] for n in range(count)}
    payload = json.dumps(claims, separators=(",", ":")).encode()
    learned = taught(payload)
    for verify in (learned, new()):
        read = verify(token(payload))
        assert read == claims
        assert [*read] == [*claims]
    assert sys.getsizeof(learned(token(payload))) == sys.getsizeof(
        new()(token(payload))
    )


# --- the dicts ----------------------------------------------------------------------


def test_no_dict_changes_another() -> None:
    verify = taught(DEEP)
    text = token(DEEP)
    expected = json.loads(DEEP)
    changes: list[Callable[[dict[str, Any]], Any]] = [
        lambda claims: claims.clear(),
        lambda claims: claims.pop("iss"),
        lambda claims: claims.popitem(),
        lambda claims: claims.update(iss=None, new=1),
        lambda claims: claims.update({f"k{n}": n for n in range(1000)}),
        lambda claims: [claims.pop(name) for name in [*claims]],
        lambda claims: claims.setdefault("iss", 5),
        lambda claims: claims.__ior__({"iss": 7, "zz": 8}),
        lambda claims: claims.update({1: 2}),
        lambda claims: claims["grants"].append(claims),
        lambda claims: claims["grants"][0].clear(),
        lambda claims: claims["realm_access"].update(roles=1),
        lambda claims: claims["empty"].update(x=1),
    ]
    kept = []
    for change in changes:
        claims = verify(text)
        assert claims == expected
        change(claims)
        kept.append(claims)
        assert verify(text) == new()(text) == expected
    assert kept[0] == {}
    assert kept[3]["new"] == 1


def test_a_dict_is_as_any_other() -> None:
    claims, plain = taught(DEEP)(token(DEEP)), json.loads(DEEP)
    assert [*claims] == [*plain]
    assert [*claims.items()] == [*plain.items()]
    assert [*reversed(claims)] == [*reversed(plain)]
    for name in [*plain]:
        assert name in claims
        assert claims[name] == plain[name]
    assert claims.copy() == plain == dict(claims) == {**claims}
    assert repr(claims) == repr(plain)
    for name in ("iss", "rate", "\u00e9"):
        claims.pop(name, None)
        plain.pop(name, None)
        claims[name] = plain[name] = name
    assert [*claims.items()] == [*plain.items()]
    for n in range(50):
        claims[f"more{n}"] = plain[f"more{n}"] = n
    assert [*claims.items()] == [*plain.items()]
    assert sys.getsizeof(claims.copy()) == sys.getsizeof(plain.copy())
    assert len(claims) == len(plain)


@pytest.mark.parametrize(
    ("payload", "may_be"), [(b'{"a":1,"b":"x"}', False), (b'{"a":[],"b":1}', True)]
)
def test_the_garbage_collector_knows_what_holds_another(
    payload: bytes, may_be: bool
) -> None:
    learned, plain = taught(payload)(token(payload)), new()(token(payload))
    assert gc.is_tracked(learned) == gc.is_tracked(plain)
    assert gc.is_tracked(learned) or not may_be


def test_a_cycle_is_collected() -> None:
    class Ended:
        count = 0

        def __del__(self) -> None:
            Ended.count += 1

    verify = taught(DEEP)
    for _ in range(10):
        claims = verify(token(DEEP))
        claims["grants"][0]["all"] = claims
        claims["ended"] = Ended()
    del claims
    gc.collect()
    assert Ended.count == 10


def test_nobody_is_shown_what_is_copied() -> None:
    gc.collect()
    payload = b'{"nobody else has it":1,"o":{"nor this":[{"nor that":1}]}}'
    verify = taught(payload)
    names = ("nobody else has it", "nor this", "nor that")
    seen = [
        one
        for one in gc.get_objects()
        if type(one) is dict and any(one.get(name, name) != name for name in names)
    ]  # not where a Python without the GIL keeps names: each is its own value
    assert seen == []
    assert verify(token(payload)) == json.loads(payload)


def test_what_was_learned_goes_with_its_verifier() -> None:
    payloads = [token(json.dumps({f"name{n}": {"x": n}}).encode()) for n in range(9)]

    def learn(times: int) -> None:
        for _ in range(times):
            verify = new()
            for payload in payloads * 3:
                verify(payload)

    learn(5)
    tracemalloc.start()
    learn(5)
    gc.collect()  # without a GIL, what was freed waits for its turn
    before = tracemalloc.get_traced_memory()[0]
    learn(50)
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert after - before < 4000, "a verifier of these names takes 5000 bytes and more"


def growth(verify: Verify, texts: list[str]) -> int:
    """Return how many bytes a verifier keeps of tokens that it has seen."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for text in texts * 3:
        answer(verify, text)
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return after - before


def test_what_is_refused_teaches_nothing() -> None:
    names = [json.dumps({f"name{n}": {"x": [{"y": n}]}})[1:] for n in range(9)]
    good = [token(f'{{"exp":4102444800,{one}'.encode()) for one in names]
    late = [token(f'{{"exp":1,{one}'.encode()) for one in names]
    broken = [token(f'{{"exp":4102444800,{one}'.encode()[:-1]) for one in names]
    forged = [one[:-43] + "A" * 43 for one in good]
    growth(new(), good + late + broken + forged)
    verify = new()
    assert growth(verify, late + broken + forged) < 1000
    assert growth(verify, good) > 2000


CHANGED_MEANWHILE = """
import gc
from fastbearer import Key, Verifier, jws
key = Key.from_secret("0123456789abcdef0123456789abcdef")
text = jws.sign(b'{"first":[],"sub":"x","exp":4102444800}', key)
def change(phase, info):
    for one in gc.get_objects():
        if type(one) is dict and "first" in one and phase == "start":
            CHANGE
gc.callbacks.append(change)
for threshold in range(1, 60):
    verifier = Verifier(key)
    for _ in range(4):
        gc.collect()
        gc.set_threshold(threshold)
        try:
            verifier.verify(text)
        except Exception:
            pass
        gc.set_threshold(0)
    gc.callbacks.clear()
    assert verifier.verify(text) == {"first": [], "sub": "x", "exp": 4102444800}
    gc.callbacks.append(change)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        'one.update({f"x{n}": n for n in range(400)})',
        'one["admin"] = one.pop("sub", 0)',
        "one.clear()",
    ],
)
def test_claims_that_are_changed_while_they_are_read(change: str) -> None:
    """Code of the same process may find them, in a collection: it hurts nobody else."""
    code = CHANGED_MEANWHILE.replace("CHANGE", change)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_call_keeps_no_reference() -> None:
    verify, text = taught(DEEP), token(DEEP)
    kept = verify(text)
    names = [*kept, None, "", 0, True]
    before = [sys.getrefcount(name) for name in names]
    for _ in range(3000):
        verify(text)
        answer(verify, token(DEEP[:-1] + b',"more":1'))
    after = [sys.getrefcount(name) for name in names]
    assert max(b - a for a, b in zip(before, after, strict=True)) < 1000


# --- at once ------------------------------------------------------------------------


def test_collections_that_verify_meanwhile() -> None:
    """CPython 3.11 collects inside an allocation; a collection may run anything."""
    texts = [
        token(json.dumps({f"n{n}": {"x": [n]}, "y": [n]}).encode()) for n in range(9)
    ]
    expected = [json.dumps({f"n{n}": {"x": [n]}, "y": [n]}) for n in range(9)]
    verify = new()
    inside: list[bool] = []

    def collected(phase: str, info: dict[str, int]) -> None:
        if phase == "stop" and not inside:
            inside.append(True)
            at = random.randrange(9)
            assert json.dumps(verify(texts[at])) == expected[at]
            inside.pop()

    threshold = gc.get_threshold()
    gc.callbacks.append(collected)
    gc.set_threshold(1)
    try:
        for n in range(2000):
            if n % 50 == 0:
                verify = new()
            assert json.dumps(verify(texts[n % 9])) == expected[n % 9]
    finally:
        gc.set_threshold(*threshold)
        gc.callbacks.remove(collected)


def test_threads_that_learn_at_once() -> None:
    claims = [{f"n{n % 5}": n, "o": {f"x{n % 3}": [{"id": n}]}} for n in range(30)]
    texts = [token(json.dumps(one).encode()) for one in claims]
    failed: list[BaseException] = []

    def run(verify: Verify, start: threading.Barrier) -> None:
        try:
            start.wait()
            for _ in range(20):
                for text, one in zip(texts, claims, strict=True):
                    assert verify(text) == one
        except BaseException as error:
            failed.append(error)

    for _ in range(20):
        given_ = (new(), threading.Barrier(4))
        threads = [threading.Thread(target=run, args=given_) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failed == []


# --- both ways of filling a dict, and planted bugs ----------------------------------

HERE = "tests/core/test_shapes.py"


def test_how_values_get_into_a_dict() -> None:
    is_known = (3, 11) <= sys.version_info < (3, 14) and hasattr(sys, "getrefcount")
    has_gil = not sysconfig.get_config_var("Py_GIL_DISABLED")
    assert _core.dict_values == ("written" if is_known and has_gil else "set")


def run_here(package: Any) -> subprocess.CompletedProcess[str]:
    """Run the tests of this file with another core."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    deselected = "not how_values and not planted and not set_one and not any_claims"
    return subprocess.run(
        [*command, "-m", "not soak", "-k", deselected, HERE],
        env=environment(PYTHONPATH=str(package)),
        capture_output=True,
        text=True,
        cwd=ROOT,
    )


def source(file: str, old: str, new: str) -> str:
    text: str = (ROOT / "csrc" / "module" / "json" / file).read_text()
    assert text.count(old) == 1, f"{file} has not, or twice: {old}"
    return text.replace(old, new)


NOT_WRITTEN = [
    ("= DICT_ENTRIES_ARE_KNOWN;", "= false;"),
    # What the trial at the start has to see:
    ("me_value = values[i];", "me_value = values[count - 1 - i];"),
    ("PyObject_GC_Track(copy);", ""),
]


@pytest.mark.soak
@pytest.mark.parametrize(("old", "new"), NOT_WRITTEN, ids=[p[0] for p in NOT_WRITTEN])
def test_values_that_are_set_one_by_one(old: str, new: str, tmp_path: Any) -> None:
    file = "module/json/dict_fill.c"
    text = source("dict_fill.c", old, new)
    package = built_with(sys.executable, "fuzzed", file, text, tmp_path)
    code = "from fastbearer import _core; print(_core.dict_values, _core.__file__)"
    told = subprocess.check_output(
        [sys.executable, "-c", code],
        env=environment(PYTHONPATH=str(package)),
        text=True,
    )
    assert told.split()[0] == "set"
    assert str(tmp_path) in told
    done = run_here(package)
    assert done.returncode == 0, done.stdout[-3000:]


PLANTED = [
    ("shape.c", "&& begin_alike(one, than, count)", ""),
    ("shape.c", "draft->texts[i].len <= SHAPE_TEXT_MAX;", "true;"),
    ("shape.c", "if (draft->count <= SHAPE_MEMBERS_MAX) {", "{"),
    ("shape.c", "memset(member->mask, 0xff,", "(void)(text.len,"),
    ("shape.c", "Py_DECREF(one->model);", ""),
    ("shape.c", "fb_shape_free(&one->members[i].inner);", ""),
    ("json_read.c", "from->cursor.depth--;", ""),
    ("json_read.c", "value;\n        at->is_first = false;", "value;"),
    ("json_read.c", "Py_ssize_t members = found->count;", "Py_ssize_t members = 0;"),
    ("json_read.c", "known->of[member->id] = value;", ""),
    ("json_read.c", "known->integers[member->id] = integer;", ""),
    ("json_read.c", "from->cursor.p = start;", ""),
    ("dict_fill.c", "return PyDict_Copy(model);", "return Py_NewRef(model);"),
    ("json_read.c", "found->as = other;", "found->as = other; found->count = 0;"),
]


@pytest.mark.soak
@pytest.mark.parametrize(
    ("file", "old", "new"), PLANTED, ids=[f"{p[0]} {p[1][:40]}" for p in PLANTED]
)
def test_a_planted_bug_is_seen(file: str, old: str, new: str, tmp_path: Any) -> None:
    text = source(file, old, new)
    package = built_with(
        sys.executable, "fuzzed", f"module/json/{file}", text, tmp_path
    )
    assert run_here(package).returncode != 0
