"""Arguments that the caller takes away while the core still works with them.

What is given by name stands in a dict, which code of others can find and empty: the
core holds what it was given, by references of its own.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import gc
import json
import subprocess
import sys
import sysconfig
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fastbearer import FastbearerError, Key, Signer, Verifier
from project import SECRET

KEY = Key.from_secret(SECRET)
EC = Key.generate("ES256")


class Text(str):
    """A str that tells when it is gone."""


class Several(list[Any]):
    """A list that tells when it is gone."""


class Seconds(dt.timedelta):
    """A timedelta that tells when it is gone."""


class Call:
    """A call of the core, and what becomes of its arguments."""

    def __init__(self) -> None:
        self.known: dict[str, weakref.ref[Any]] = {}
        self.gone: set[str] | None = None

    def given(self, **named: Any) -> dict[str, Any]:
        """Return the arguments, of which nobody else holds any."""
        self.known = {name: weakref.ref(value) for name, value in named.items()}
        return named

    def take_away(self, by: str) -> None:
        """Empty the dict of the call, which is found by an argument that it holds."""
        argument = self.known[by]()
        for one in gc.get_referrers(argument):
            if type(one) is dict and one.get(by) is argument:
                one.clear()
        names = {*self.known} - {by}
        self.gone = {name for name in names if self.known[name]() is None}


class Acting:
    """An argument that takes the others away once it is asked what it is."""

    def __init__(self, call: Call, name: str, answer: Any = None) -> None:
        self.call, self.name, self.answer = call, name, answer

    def act(self) -> Any:
        if self.call.gone is None:
            self.call.take_away(self.name)
        if self.call.gone:
            raise LookupError("the core would go on with what is gone")
        return self.answer

    def __index__(self) -> int:
        self.act()
        return 100

    def __bool__(self) -> bool:
        self.act()
        return True

    def total_seconds(self) -> float:
        self.act()
        return 5.0

    def __iter__(self) -> Iterator[Any]:
        return iter(self.act())

    def keys(self) -> Iterator[str]:
        return self.names(self.act(), self.call, weakref.ref(self))

    @staticmethod
    def names(jwk: dict[str, Any], call: Call, me: weakref.ref[Any]) -> Iterator[str]:
        if me() is None:
            call.gone = {"the mapping itself"}
            raise LookupError
        yield from jwk

    def __getitem__(self, name: str) -> Any:
        return self.answer[name]


def verifier_options() -> dict[str, Any]:
    return {
        "key": Several([KEY]),
        "issuer": Text("https://issuer.example"),
        "audience": Several(["a", "b"]),
        "leeway": Seconds(seconds=3),
        "require": Several(["exp", "jti"]),
        "typ": Text("at+jwt"),
        "max_age": Seconds(seconds=60),
        "clock": lambda: 1_700_000_000,
        "algorithms": Several(["HS256"]),
    }


def signer_options() -> dict[str, Any]:
    return {
        "issuer": Text("https://issuer.example"),
        "audience": Several(["a", "b"]),
        "lifetime": Seconds(seconds=3),
        "clock": lambda: 1_700_000_000,
    }


def secret_options() -> dict[str, Any]:
    return {"secret": Text(SECRET), "algorithm": Text("HS256"), "kid": Text("k")}


def new_signer(**options: Any) -> Signer:
    return Signer(KEY, **options)


def verifier_is_right(verifier: Verifier) -> bool:
    claims: dict[str, Any] = {"iss": "https://issuer.example", "aud": "b"}
    claims |= {"jti": "j", "exp": 1_700_000_060, "iat": 1_700_000_000}
    token = Signer(KEY).sign(claims, headers={"typ": "at+jwt"})
    return verifier.verify(token) == claims


def signer_is_right(signer: Signer) -> bool:
    options: dict[str, Any] = {"ignore_audience": True, "require": ()}
    verifier = Verifier(KEY, clock=lambda: 1_700_000_000, **options)
    told = verifier.verify(signer.sign({}))
    return bool(told["iss"] == "https://issuer.example" and told["aud"] == ["a", "b"])


CALLS: list[tuple[Callable[..., Any], Callable[[], Any], str, Any, Any]] = [
    (Verifier, verifier_options, "ignore_audience", None, None),
    (Verifier, verifier_options, "max_bytes", None, None),
    (Verifier, verifier_options, "cache", None, verifier_is_right),
    (Verifier, verifier_options, "allow_padding", None, verifier_is_right),
    (Verifier, verifier_options, "typ", ["at+jwt"], verifier_is_right),
    (Verifier, verifier_options, "key", [KEY], verifier_is_right),
    (Verifier, verifier_options, "algorithms", ["HS256"], verifier_is_right),
    (Verifier, verifier_options, "issuer", ["https://issuer.example"], None),
    (Verifier, verifier_options, "audience", ["a", "b"], verifier_is_right),
    (Verifier, verifier_options, "require", ["exp", "jti"], verifier_is_right),
    (Verifier, verifier_options, "leeway", None, verifier_is_right),
    (Verifier, verifier_options, "max_age", None, verifier_is_right),
    (new_signer, signer_options, "ascii", None, signer_is_right),
    (new_signer, signer_options, "audience", ["a", "b"], signer_is_right),
    (new_signer, signer_options, "lifetime", None, signer_is_right),
    (
        Key.from_secret,
        secret_options,
        "allow_short_secret",
        None,
        lambda key: (
            (key.kid, key.to_jwk(private=True)["k"])
            == ("k", KEY.to_jwk(private=True)["k"])
        ),
    ),
    (
        Key.from_jwk,
        lambda: {"algorithm": Text("ES256")},
        "jwk",
        EC.to_jwk(),
        lambda key: key.thumbprint() == EC.thumbprint(),
    ),
    (
        Key.from_jwk,
        lambda: {"jwk": Text(json.dumps(EC.to_jwk())), "algorithm": Text("ES256")},
        "lenient",
        None,
        lambda key: key.thumbprint() == EC.thumbprint(),
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("call", "options", "name", "answer", "is_right"),
    CALLS,
    ids=[f"{call.__name__} {name}" for call, _, name, _, _ in CALLS],
)
def test_what_is_asked_does_not_take_the_others_away(
    call: Callable[..., Any],
    options: Callable[[], dict[str, Any]],
    name: str,
    answer: Any,
    is_right: Callable[[Any], bool] | None,
) -> None:
    this = Call()

    def given() -> dict[str, Any]:
        return this.given(**{**options(), name: Acting(this, name, answer)})

    made = None
    with contextlib.suppress(LookupError, TypeError, FastbearerError):
        made = call(**given())
    assert this.gone == set()
    assert is_right is None or is_right(made)


# --- while the GIL is let go --------------------


def costly_pem() -> str:
    """Return a private key under a password that takes long to try."""
    return subprocess.run(
        ["openssl", "pkcs8", "-topk8", "-iter", "300000", "-passout", "pass:pw"],
        input=EC.to_pem(private=True),
        capture_output=True,
        check=True,
        text=True,
    ).stdout


def pem_options() -> dict[str, Any]:
    return {"data": Text(costly_pem()), "password": Text("pw"), "kid": Text("k")}


@pytest.mark.slow
@pytest.mark.skipif(
    bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    reason="it takes the GIL to be sure of when another thread runs",
)
@pytest.mark.parametrize(
    ("call", "options"),
    [
        (Key.generate, lambda: {"algorithm": Text("RS256"), "kid": Text("k")}),
        (Key.from_pem, pem_options),
    ],
    ids=["generate", "from_pem"],
)
def test_another_thread_does_not_take_them_away(
    call: Callable[..., Key], options: Callable[[], dict[str, Any]]
) -> None:
    this, begin = Call(), threading.Lock()
    begin.acquire()

    def act() -> None:
        begin.acquire()
        this.take_away("kid")
        this.gone = {name for name, one in this.known.items() if one() is None}

    prepared = [options()]

    def given() -> dict[str, Any]:
        named = this.given(**prepared.pop())
        begin.release()
        return named

    other = threading.Thread(target=act)
    other.start()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)  # it runs where the core lets go of the GIL, only
    try:
        key = call(**given())
        gone = this.gone
    finally:
        sys.setswitchinterval(interval)
        other.join()
    assert gone == set()
    assert key.kid == "k"
