"""Values that no function expects: objects that lie, fail, act or have no end."""

from __future__ import annotations

import array
import collections
import datetime as dt
import decimal
import gc
import types
import weakref
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from .calls import OddError

DICE = Random()
"""What hostile objects decide with; the loop seeds it anew for each call."""


class OddText(str):
    """A str whose methods answer what they like."""

    def __eq__(self, other: object) -> bool:
        if DICE.random() < 0.1:
            raise OddError("eq")
        return DICE.random() < 0.5

    def __ne__(self, other: object) -> bool:
        return DICE.random() < 0.5

    def __hash__(self) -> int:
        return DICE.choice((0, hash(str.__str__(self)), DICE.getrandbits(60)))

    def __len__(self) -> int:
        return DICE.choice((0, 1, 10**6))

    def __str__(self) -> str:
        return "another"

    def lower(self) -> Any:
        return DICE.choice(("at+jwt", 5, None))

    def encode(self, *_: Any, **__: Any) -> Any:
        return DICE.choice((b"another", None))


class Twin(str):
    """A str that equals itself alone, so that a dict holds its text twice."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return 7


class Thief(str):
    """A str that empties the dicts that hold it when it is compared."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        for one in gc.get_referrers(self):
            if type(one) is dict and "__name__" not in one and DICE.random() < 0.3:
                one.pop(DICE.choice(("kty", "crv", "alg", "x", "exp", "sub")), None)
                one["filling"] = [bytes(64)]
        return str.__eq__(self, other)

    def __hash__(self) -> int:
        return str.__hash__(self)


class OddBytes(bytes):
    def __eq__(self, other: object) -> bool:
        return DICE.random() < 0.5

    def __hash__(self) -> int:
        return DICE.getrandbits(60)

    def __len__(self) -> int:
        return DICE.choice((0, 10**6))

    def __bytes__(self) -> bytes:
        return b"another"


class OddInt(int):
    def __index__(self) -> int:
        raise OddError("index")

    def __int__(self) -> int:
        raise OddError("int")

    def __float__(self) -> float:
        raise OddError("float")

    def __str__(self) -> str:
        return "nine"

    __repr__ = __str__


class OddFloat(float):
    def __float__(self) -> float:
        raise OddError("float")

    def __repr__(self) -> str:
        return "NaN"


class OddDict(dict):  # type: ignore[type-arg]
    def keys(self) -> Any:
        return DICE.choice((["kty"], [], dict.keys(self), [5], iter(["kty", "kty"])))

    def items(self) -> Any:
        return DICE.choice(([("exp", 1)], [1], dict.items(self)))

    def get(self, *_: Any) -> Any:
        return DICE.choice((None, "RSA", OddText("d")))

    def __getitem__(self, name: object) -> Any:
        return DICE.choice(("RSA", 5, None))

    def __contains__(self, name: object) -> bool:
        return DICE.random() < 0.5

    def __iter__(self) -> Iterator[Any]:
        return iter(DICE.choice(([], ["a"], [1])))

    def __len__(self) -> int:
        return DICE.choice((0, 10**6))


class OddList(list):  # type: ignore[type-arg]
    def __len__(self) -> int:
        return 10**5

    def __getitem__(self, place: Any) -> Any:
        raise OddError("getitem")

    def __iter__(self) -> Iterator[Any]:
        return iter([OddText("a"), 1])


class OddTuple(tuple):  # type: ignore[type-arg]
    __slots__ = ()

    def __len__(self) -> int:
        return 2

    def __iter__(self) -> Iterator[Any]:
        raise OddError("iter")


class OddMapping:
    def __init__(self, members: dict[Any, Any]) -> None:
        self.members = members

    def keys(self) -> Any:
        if DICE.random() < 0.2:
            raise OddError("keys")
        return [*self.members, *DICE.choice(((), ("kty",), ("absent",)))]

    def __getitem__(self, name: Any) -> Any:
        if DICE.random() < 0.1:
            raise OddError("getitem")
        if name not in self.members:
            raise OddError(name)
        return self.members[name]


class OddBool:
    def __bool__(self) -> bool:
        raise OddError("bool")

    def __eq__(self, other: object) -> bool:
        raise OddError("eq")

    __hash__ = object.__hash__


class OddRepr:
    def __repr__(self) -> str:
        raise OddError("repr")

    def __str__(self) -> str:
        raise OddError("str")

    def __getattr__(self, name: str) -> Any:
        raise OddError(name)


class OddMeta(type):
    """A metaclass whose classes run code when they are looked at."""

    def __getattribute__(cls, name: str) -> Any:
        if name in ("model_dump", "__dataclass_fields__") and DICE.random() < 0.5:
            gc.collect()
        return type.__getattribute__(cls, name)

    def __instancecheck__(cls, instance: object) -> bool:
        return True


class OddClass(metaclass=OddMeta):
    @property
    def __class__(self) -> Any:
        return str


class OddDate(dt.datetime):
    """A datetime that changes what it stands in."""

    def utctimetuple(self) -> Any:
        for one in gc.get_referrers(self):
            if type(one) is dict and "__name__" not in one and DICE.random() < 0.5:
                one.clear()
                one.update({f"n{n}": n for n in range(20)})
        return DICE.choice(
            (super().utctimetuple(), None, (1,), (10**9, 1, 1, 1, 1, 1), (2020,) * 6)
        )


class OddDelta:
    def total_seconds(self) -> Any:
        if DICE.random() < 0.3:
            raise OddError("total_seconds")
        return DICE.choice((5, -1, 1e300, "5", None, OddFloat(5), 10**400))


def breaking() -> Iterator[Any]:
    """Yield some, and fail on the way."""
    yield DICE.choice(("a", 5, b"x"))
    raise OddError("next")


class Unsteady:
    """A sequence that says it is longer than it is."""

    def __len__(self) -> int:
        return DICE.choice((0, 3, 10**5))

    def __getitem__(self, place: int) -> Any:
        if place > 2:
            raise DICE.choice((IndexError, OddError))(place)
        return DICE.choice(("a", (b"cookie", b"a=b"), 5))


def deep(levels: int) -> Any:
    value: Any = DICE.choice((5, {}, object()))
    for n in range(levels):
        value = DICE.choice(([value], {"a": value}, (value,))) if n % 3 else [value]
    return value


def endless() -> Any:
    one: list[Any] = []
    other = {"list": one}
    one.append(other)
    return DICE.choice((one, other))


SCALARS: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 5, 2**31, 2**32 + 1, 2**53, 2**53 + 1, 2**63 - 1),
    *(2**63, -(2**63), -(2**63) - 1, 2**64 + 3, 10**400, -(10**400), 10**4300),
    *(0.0, -0.0, 0.5, 1e308, -1e308, 5e-324, float("nan"), float("inf"), -1e17),
    *("", " ", "a", "exp", "HS256", "none", "JWT", "\0", "\ud800", "\u00e9", "\u20ac"),
    *("\U0001f600", "x" * 5000, "\u00e9" * 900, "a.b.c", "a.b.c.d.e", "..", '{"a":1}'),
    *(b"", b"a", b"\0", b"\xff", b"x" * 5000, b"a.b.c", b'{"a":1}', b"\xef\xbb\xbf{}"),
    *("e30.e30.e30", "RSA", "$2b$04$", "$argon2id$v=19$", "=" * 9, "%", "%s%n"),
)

MAKERS: tuple[Callable[[], Any], ...] = (
    lambda: OddText(DICE.choice(("a", "exp", "HS256", "\ud800", "e30.e30.e30"))),
    lambda: Twin(DICE.choice(("a", "sub", "kty"))),
    lambda: Thief(DICE.choice(("a", "exp", "kty"))),
    lambda: OddBytes(DICE.choice((b"a", b"e30.e30.e30", b"cookie"))),
    lambda: OddInt(DICE.choice((0, 5, 10**30, -1))),
    lambda: OddFloat(DICE.choice((0.5, float("inf")))),
    lambda: OddDict(DICE.choice(({}, {"kty": "oct"}, {"exp": 5}))),
    lambda: OddList(DICE.choice(([], ["a"], [(b"cookie", b"a=b")]))),
    lambda: OddTuple((b"cookie", b"a=b")),
    lambda: OddMapping({"kty": "oct", "k": "A" * 43}),
    lambda: types.MappingProxyType({"kty": "oct", "k": "A" * 43}),
    lambda: collections.OrderedDict(kty="oct", k="A" * 43),
    lambda: collections.UserString("a"),
    OddBool,
    OddRepr,
    OddClass,
    OddDelta,
    Unsteady,
    breaking,
    endless,
    object,
    lambda: OddDate(2030, 1, 1),
    lambda: dt.datetime(*DICE.choice(((1, 1, 1), (9999, 12, 31), (2020, 1, 1)))),
    lambda: dt.datetime(1, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=23))),
    lambda: dt.timedelta(DICE.choice((-1, 0, 1, 999999999))),
    lambda: decimal.Decimal("NaN"),
    lambda: bytearray(b"a.b.c"),
    lambda: memoryview(b"a.b.c"),
    lambda: memoryview(array.array("i", [1, 2]))[::2],
    lambda: array.array("b", [1]),
    lambda: iter(["a"]),
    lambda: (one for one in (5, None)),
    lambda: lambda: DICE.choice((5, "x", None, float("nan"), 10**400, OddFloat(1))),
    lambda: weakref.proxy(OddBool),
    lambda: DICE.choice((str, int, Exception, OddClass)),
    lambda: deep(DICE.choice((3, 31, 32, 33, 500))),
    lambda: {DICE.choice(("a", 5, None, Twin("a"), OddText("b"))): odd()},
    lambda: [odd(), odd()],
    lambda: {1, "a"},
    lambda: range(3),
    lambda: 5j,
)


def odd() -> Any:
    """Return any of them."""
    if DICE.random() < 0.5:
        return DICE.choice(SCALARS)
    return DICE.choice(MAKERS)()
