"""Arguments whose classes lie: they answer otherwise than they are, or act
while they are asked. Nothing is confused by them, and nothing crashes."""

from __future__ import annotations

import datetime as dt
import gc
import os
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fastbearer import (
    ConfigurationError,
    InvalidClaimError,
    InvalidIssuerError,
    InvalidKeyError,
    Key,
    KeySet,
    MalformedTokenError,
    Signer,
    Verifier,
    _core,
)
from project import SECRET

KEY = Key.from_secret(SECRET)


class Text(str):
    """A str that can hold other objects."""

    held: object


class AnyText(str):
    """A str that is everything at once."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    def __hash__(self) -> int:
        return 5

    def lower(self) -> str:
        return "at+jwt"


# --- strings with a class of their own --------------------


def test_a_typ_is_what_its_text_says() -> None:
    token = Signer(KEY).sign({}, headers={"typ": "at+jwt"})
    verifier = Verifier(KEY, require=(), typ=AnyText("dpop+jwt"))
    with pytest.raises(InvalidClaimError):
        verifier.verify(token)


def test_an_issuer_is_what_its_text_says() -> None:
    for issuer in (AnyText("a"), [AnyText("a")]):
        verifier = Verifier(KEY, require=(), issuer=issuer)
        with pytest.raises(InvalidIssuerError):
            verifier.verify(Signer(KEY).sign({"iss": "b"}))
        assert verifier.verify(Signer(KEY).sign({"iss": "a"})) == {"iss": "a"}


def test_required_names_are_what_their_texts_say() -> None:
    verifier = Verifier(KEY, require=[AnyText("mine")])
    token = Signer(KEY).sign({"mine": 1})
    assert verifier.verify(token) == {"mine": 1}


def test_a_kid_becomes_a_plain_string() -> None:
    jwk = {**KEY.to_jwk(private=True), "kid": AnyText("a")}
    made = [
        Key.from_secret(SECRET, kid=AnyText("a")),
        Key.generate("ES256", kid=AnyText("a")),
        Key.from_jwk(jwk),
        Key.from_pem(Key.generate("ES256").to_pem(), kid=AnyText("a")),
    ]
    assert [(type(key.kid), key.kid) for key in made] == [(str, "a")] * 4


def holding(option: str) -> Callable[[Text], object]:
    """Return what makes an object that a string would be held by."""
    return {
        "kid": lambda text: Key.from_secret(SECRET, kid=text),
        "issuer of a signer": lambda text: Signer(KEY, issuer=text),
        "audience of a signer": lambda text: Signer(KEY, audience=text),
        "audiences of a signer": lambda text: Signer(KEY, audience=[text]),
        "issuer": lambda text: Verifier(KEY, issuer=text),
        "audience": lambda text: Verifier(KEY, audience=[text]),
        "typ": lambda text: Verifier(KEY, typ=text),
        "require": lambda text: Verifier(KEY, require=[text]),
    }[option]


@pytest.mark.slow
@pytest.mark.parametrize(
    "option",
    [
        *("kid", "issuer", "audience", "typ", "require", "issuer of a signer"),
        *("audience of a signer", "audiences of a signer"),
    ],
)
def test_options_keep_no_cycle_alive(option: str) -> None:
    text = Text("x")
    text.held = holding(option)(text)
    seen = weakref.ref(text)
    del text
    gc.collect()
    assert seen() is None


# --- names that are there twice --------------------


class Twin(str):
    """A name that no look-up finds by its text."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return 7


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "a", Twin("sub"): "b"},
        {Twin("sub"): "a", Twin("sub"): "b"},
        {"x": {"a": 1, Twin("a"): 2}},
        {"x": [{Twin("a"): 1, Twin("a"): 2}]},
        {"exp": dt.datetime(2030, 1, 1), Twin("exp"): 5},
    ],
)
def test_no_name_is_signed_twice(claims: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="twice"):
        Signer(KEY).sign(claims)


def test_claims_of_a_signer_meet_their_twins() -> None:
    clock = lambda: 1_000  # noqa: E731
    signer = Signer(KEY, issuer="i", audience="a", lifetime=5, clock=clock)
    given: dict[str, Any] = {Twin("iss"): "x", Twin("aud"): "x", Twin("iat"): 1}
    verifier = Verifier(KEY, issuer="x", audience="x", clock=clock)
    claims = verifier.verify(signer.sign(given))
    assert claims == {"iss": "x", "aud": "x", "iat": 1, "exp": 1005}


def test_names_with_a_class_of_their_own_are_signed() -> None:
    token = Signer(KEY).sign({Text("sub"): "a", "x": {Text("b"): 1}})
    assert Verifier(KEY, require=()).verify(token) == {"sub": "a", "x": {"b": 1}}


def test_a_jwk_has_no_name_twice() -> None:
    jwk = KEY.to_jwk(private=True)
    with pytest.raises(InvalidKeyError):
        Key.from_jwk({**jwk, Twin("kty"): "EC"})
    named = Key.from_jwk({Text(name): value for name, value in jwk.items()})
    assert named.thumbprint() == KEY.thumbprint()


# --- code that runs while others read --------------------


def test_a_datetime_does_not_change_what_is_signed() -> None:
    claims: dict[str, Any] = {}

    class Acting(dt.datetime):
        def utctimetuple(self) -> Any:
            claims.clear()
            claims.update({f"n{n}": [n] for n in range(99)}, exp=7, sub="other")
            return super().utctimetuple()

    claims |= {"sub": "a", "exp": Acting(2030, 1, 1), "z": ["kept"]}
    read = Verifier(KEY, clock=lambda: 0).verify(Signer(KEY).sign(claims))
    assert read == {"sub": "a", "exp": 1893456000, "z": ["kept"]}


def test_a_clock_does_not_change_what_is_signed() -> None:
    claims: dict[str, Any] = {"sub": "a"}

    def clock() -> int:
        claims["exp"] = 7
        return 1_000

    signer = Signer(KEY, lifetime=60, clock=clock)
    token = signer.sign(claims)
    assert Verifier(KEY, clock=lambda: 0).verify(token)["exp"] == 7
    assert Verifier(KEY, clock=lambda: 0).verify(signer.sign({}))["exp"] == 1060


def test_a_name_of_a_jwk_does_not_take_the_others_away() -> None:
    class Acting(str):
        __slots__ = ()

        def __hash__(self) -> int:
            return hash("use")

        def __eq__(self, other: object) -> bool:
            for one in gc.get_referrers(self):
                if isinstance(one, dict) and "kty" in one and one is not given:
                    one.pop("kty", None)
                    one["pad"] = [bytes(64) for _ in range(200)]
            return False

    jwk = Key.generate("ES256").to_jwk()
    given = {**jwk, Acting("zz"): 1}

    class Mapping:
        def keys(self) -> list[str]:
            return list(given)

        def __getitem__(self, name: str) -> Any:
            return "".join(["E", "C"]) if name == "kty" else given[name]

    for one in (Mapping(), given):
        try:
            key = Key.from_jwk(one)  # type: ignore[arg-type]
        except InvalidKeyError:
            continue
        assert key.algorithm == "ES256"


def test_nobody_finds_a_verifier_before_it_is_whole() -> None:
    found: list[object] = []

    class Keys:
        def __iter__(self) -> Iterator[Key]:
            found.extend(o for o in gc.get_objects() if type(o) is Verifier)
            yield KEY

    known = [o for o in gc.get_objects() if type(o) is Verifier]
    verifier = Verifier(Keys())
    assert all(any(one is other for other in known) for one in found)
    assert any(one is verifier for one in gc.get_objects())


def test_nobody_finds_a_signer_before_it_is_whole() -> None:
    found: list[object] = []

    class Audiences:
        def __iter__(self) -> Iterator[str]:
            found.extend(o for o in gc.get_objects() if type(o) is Signer)
            yield "a"

    known = [o for o in gc.get_objects() if type(o) is Signer]
    signer = Signer(KEY, audience=Audiences())
    assert all(any(one is other for other in known) for one in found)
    assert any(one is signer for one in gc.get_objects())


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, SystemExit])
def test_what_is_not_about_the_argument_goes_through(error: type[Exception]) -> None:
    class Raising:
        def total_seconds(self) -> float:
            raise error

        def keys(self) -> list[str]:
            raise error

    class Metaclass(type):
        def __getattr__(cls, name: str) -> object:
            raise error

    class Asked(metaclass=Metaclass):
        def __getattr__(self, name: str) -> object:
            raise error

    with pytest.raises(error):
        Verifier(KEY, leeway=Raising())  # type: ignore[arg-type]
    with pytest.raises(error):
        Key.from_jwk(Raising())  # type: ignore[arg-type]
    for take in (Verifier, Signer, lambda key: Verifier([key])):
        with pytest.raises(error):
            take(Asked())  # type: ignore[arg-type]
    for claims in ({"a": Asked()}, {"a": [Asked()]}):
        with pytest.raises(error):
            Signer(KEY).sign(claims)


# --- lone surrogates --------------------


def test_a_kid_that_no_header_can_hold_is_an_invalid_key() -> None:
    pem = Key.generate("ES256").to_pem()
    calls: list[Callable[[], Key]] = [
        lambda: Key.from_secret(SECRET, kid="\ud800"),
        lambda: Key.generate("ES256", kid="\ud800"),
        lambda: Key.generate("HS256", kid="\ud800"),
        lambda: Key.from_pem(pem, kid="\ud800"),
        lambda: Key.from_jwk({**KEY.to_jwk(private=True), "kid": "\ud800"}),
    ]
    for call in calls:
        with pytest.raises(InvalidKeyError):
            call()


def test_one_such_kid_does_not_lock_out_the_others() -> None:
    good = Key.generate("ES256", kid="good").to_jwk()
    bad = {**good, "kid": "\ud800"}
    assert len(KeySet.from_jwks({"keys": [bad, good]})) == 1


def test_text_that_is_no_unicode_is_malformed_json() -> None:
    with pytest.raises(MalformedTokenError):
        _core.json_object('{"a":"\ud800"}')


def test_an_option_that_is_no_unicode_makes_no_sense() -> None:
    with pytest.raises(ConfigurationError):
        Verifier(KEY, issuer="\ud800")


# --- what acts while it is told why it cannot be signed --------------------

ACTS = """
import faulthandler, gc
from fastbearer import Key, Signer
faulthandler.enable()

class Meta(type):
    def __getattribute__(cls, name):
        if name == "model_dump":
            claims.clear()
            array.clear()
            gc.collect()
            globals()["filling"] = ["x" * 60 + str(n) for n in range(100)]
        return type.__getattribute__(cls, name)

def other():
    class Other(metaclass=Meta):
        pass
    return Other()

array, claims = [], {}
"""


@pytest.mark.parametrize(
    ("claims", "where"),
    [
        ('claims["n" * 60 + str(len(claims))] = other()', f"['{'n' * 60}0']"),
        (
            'array.append(other()); claims["n" * 60 + str(0)] = array',
            f"['{'n' * 60}0'][0]",
        ),
    ],
)
def test_a_class_that_takes_the_claims_away(claims: str, where: str) -> None:
    """Its metaclass is asked what to write instead, and empties what is written."""
    sign = (
        "try:\n    Signer(Key.generate('HS256')).sign(claims)\n"
        "except TypeError as error:\n    print(error)"
    )
    told = subprocess.check_output(
        [sys.executable, "-c", f"{ACTS}\n{claims}\n{sign}"],
        env=os.environ | {"PYTHONMALLOC": "debug"},
        text=True,
    )
    assert told == f"claims{where}: JSON has no values of type Other\n"
