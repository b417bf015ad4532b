"""More than a hundred things that are no session of Better Auth."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest

from better_auth_samples import (
    HASH,
    NOW,
    OTHER,
    PLAIN,
    SAMPLES,
    SECRET,
    SIGNATURE,
    STRATEGIES,
    TOKEN,
    compact,
    issued,
    paired,
    refused,
    sealed_data,
    server,
    signed_data,
)
from fastbearer import Key, Signer, Verifier, _core
from fastbearer.better_auth import BetterAuth
from fastbearer.errors import (
    ExpiredTokenError,
    InvalidClaimError,
    InvalidSignatureError,
    MalformedTokenError,
    MissingClaimError,
)

# --- what is refused: more than a hundred -------------------------------------------


@pytest.mark.parametrize("place", range(44))
def test_each_character_of_a_token_signature(place: int) -> None:
    token, _, signature = unquote(PLAIN).partition(".")
    other = "A" if signature[place] != "A" else "B"
    altered = signature[:place] + other + signature[place + 1 :]
    error = refused(lambda: server().read_session_token(f"{token}.{altered}"))
    assert error in (InvalidSignatureError, MalformedTokenError)


@pytest.mark.parametrize(
    "value",
    [
        "",
        ".",
        TOKEN,
        SIGNATURE,
        f"{TOKEN}.",
        f"{TOKEN}{SIGNATURE}",
        f"{TOKEN}.{SIGNATURE[:-1]}",
        f"{TOKEN}.{SIGNATURE}=",
        f"{TOKEN}.{SIGNATURE[:-2]}F=",  # the same bytes, other trailing bits
        f"{TOKEN}.{SIGNATURE.replace('/', '_')}",
        f"{TOKEN}.{SIGNATURE} ",
        f" {TOKEN}.{SIGNATURE}",
        f"{TOKEN}.{SIGNATURE}\n",
        f"{TOKEN[:-1]}.{SIGNATURE}",
        f"{TOKEN}a.{SIGNATURE}",
        f"{TOKEN[:-1]}-.{SIGNATURE}",
        f"{TOKEN[:-1]}\u00e9.{SIGNATURE}",
        f"{TOKEN.swapcase()}.{SIGNATURE}",
        f"x.{TOKEN}.{SIGNATURE}",
        f'"{PLAIN}',
        f'""{PLAIN}""',
        PLAIN.replace("%2F", "%252F"),
        PLAIN.replace("%3D", "%3"),
        PLAIN.replace("%3D", "%"),
        PLAIN + "%3D",
        "%" * 400,
        "a" * 100_000,
    ],
)
def test_shapes_of_a_signed_token(value: str) -> None:
    refused(lambda: server().read_session_token(value))
    refused(lambda: server().read_session_token(value.encode()))


def test_other_cookies_under_the_same_secret() -> None:
    """A right signature does not say what a value is."""
    ba = server()
    key = Key.from_secret(SECRET)
    others = SAMPLES["not_a_session"]
    remembered, verification = others["dont_remember"], others["email_verification"]
    assert _core.raw_verify(
        b"true", base64.b64decode(unquote(remembered).partition(".")[2]), key
    )
    Verifier(key, clock=lambda: NOW).verify(verification)
    api_key = others["api_key"]
    state = "a" * 40
    mac = base64.b64encode(_core.raw_sign(state.encode(), key)).decode()
    for value in (remembered, verification, api_key, f"{state}.{mac}", HASH):
        refused(lambda v=value: ba.read_session_token(v))  # type: ignore[misc]
        refused(lambda v=value: ba.read_session_data(v))  # type: ignore[misc]
        for name in ("session_token", "dont_remember", "state", "two_factor"):
            refused(
                lambda v=value, n=name: ba.read_cookies(f"better-auth.{n}={v}")  # type: ignore[misc]
            )
        refused(lambda v=value: ba.verify_jwt(v, issued("EdDSA")[1]))  # type: ignore[misc]


def test_a_token_that_is_also_a_signed_value() -> None:
    """HS256 signs header.payload, which may have the shape of a cookie's value."""
    ba, key = server(), Key.from_secret(SECRET)
    made = Signer(key).sign({"session": {}, "user": {}, "exp": int(NOW) + 60})
    refused(lambda: ba.read_session_token(made))
    refused(lambda: ba.read_session_data(made))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_session_data_of_elsewhere(strategy: str) -> None:
    signed, data = paired(strategy)
    token = server().read_session_token(signed)
    for other in STRATEGIES:
        if other != strategy:
            other_token = server().read_session_token(paired(other)[0])
            error = refused(
                lambda t=other_token: server().read_session_data(data, session_token=t)  # type: ignore[misc]
            )
            assert error is InvalidClaimError
    refused(lambda: server(secret=OTHER).read_session_data(data))
    refused(lambda: server(cache_version="2").read_session_data(data))
    late = BetterAuth(SECRET, clock=lambda: 1795330313.0)
    assert refused(lambda: late.read_session_data(data)) is ExpiredTokenError
    refused(lambda: server().read_session_data(signed))
    refused(lambda: server().read_session_token(data))
    refused(lambda: server().verify_jwt(data, issued("EdDSA")[1]))
    cookie = f"better-auth.session_data={data}"
    assert refused(lambda: server().read_cookies(cookie)) is MissingClaimError
    only = f"better-auth.session_token={signed}"
    assert refused(lambda: server().read_cookies(only)) is MissingClaimError
    assert server().read_cookies(f"{only}; {cookie}").session["token"] == token


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_part_of_session_data_counts(strategy: str) -> None:
    data = paired(strategy)[1]
    places = list(range(0, len(data), 7)) + list(range(len(data) - 45, len(data)))
    for place in places:
        for other in "A", "_", "=", "+", "\u00e9", "":
            altered = data[:place] + other + data[place + 1 :]
            if altered != data:
                refused(lambda a=altered: server().read_session_data(a))  # type: ignore[misc]
    for altered in (data + "=", data + "A", " " + data, data + ".", data + data, ""):
        refused(lambda a=altered: server().read_session_data(a))  # type: ignore[misc]


def payload(**changes: Any) -> dict[str, Any]:
    token = "a" * 32
    made: dict[str, Any] = {
        "session": {
            "token": token,
            "userId": "u1",
            "expiresAt": "2026-12-29T06:46:51.909Z",
        },
        "user": {"id": "u1", "email": "ada@example.com"},
        "updatedAt": 1,
        "version": "1",
    }
    for name, value in changes.items():
        place, _, member = name.partition("_")
        if member:
            made[place] = {**made[place], member: value}
        else:
            made[place] = value
    return made


def test_an_envelope_of_ones_own_is_read() -> None:
    assert server().read_session_data(compact(payload())).user_id == "u1"
    versioned = server(cache_version=lambda session, user: user["id"])
    assert versioned.read_session_data(compact(payload(version="u1"))).user_id == "u1"
    without = payload()
    del without["version"]
    assert server().read_session_data(compact(without)).user_id == "u1"


@pytest.mark.parametrize(
    "changes",
    [
        {"session": None},
        {"session": []},
        {"user": "ada"},
        {"user": {}},
        {"user_id": ""},
        {"user_id": 1},
        {"user_id": "u2"},
        {"session_userId": "u2"},
        {"session_userId": None},
        {"session_token": "short"},
        {"session_token": "-" * 32},
        {"session_token": None},
        {"session_expiresAt": None},
        {"session_expiresAt": "soon"},
        {"session_expiresAt": True},
        {"session_expiresAt": 1e300},
        {"session_expiresAt": "2026-11-21T06:46:51.909Z"},
        {"session_expiresAt": 1795330012999},
        {"updatedAt": None},
        {"updatedAt": "1"},
        {"updatedAt": True},
        {"version": "2"},
        {"version": 1},
        {"version": ["1"]},
    ],
    ids=str,
)
def test_payloads_that_are_none(changes: dict[str, Any]) -> None:
    """Their signatures are right."""
    ba, content = server(), payload(**changes)
    refused(lambda: ba.read_session_data(compact(content)))
    exp = {"iat": int(NOW), "exp": int(NOW) + 60}
    for seal in (signed_data, sealed_data):
        refused(lambda s=seal: ba.read_session_data(s({**content, **exp})))  # type: ignore[misc]


@pytest.mark.parametrize("expires", [1795330012999, 0, -1, "01795330400000", "1.8e12"])
def test_milliseconds_of_the_envelope(expires: Any) -> None:
    refused(lambda: server().read_session_data(compact(payload(), expires)))


@pytest.mark.parametrize("exp", [None, "soon", True, 1.5, int(NOW), 0, -1])
@pytest.mark.parametrize("make", [signed_data, sealed_data])
def test_exp_of_session_data(make: Any, exp: Any) -> None:
    claims = {**payload(), "exp": exp}
    if exp is None:
        del claims["exp"]
    refused(lambda: server().read_session_data(make(claims)))


def test_other_algorithms_and_types() -> None:
    claims = {**payload(), "iat": int(NOW), "exp": int(NOW) + 60}
    assert server().read_session_data(signed_data(claims)).user_id == "u1"
    refused(lambda: server().read_session_data(signed_data(claims, typ="JWT")))
    refused(lambda: server().read_session_data(signed_data(claims, kid="x")))
    text = json.dumps(claims).encode()
    for algorithm in ("HS384", "HS512"):
        key = Key.from_secret(SECRET, algorithm, allow_short_secret=True)
        made = _core.jws_sign(text, key, None)
        refused(lambda m=made: server().read_session_data(m))  # type: ignore[misc]
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    body = base64.urlsafe_b64encode(text).rstrip(b"=").decode()
    refused(lambda: server().read_session_data(f"{none}.{body}."))


def jwe_parts() -> list[str]:
    return paired("jwe")[1].split(".")


def jwe_changes() -> Iterator[tuple[str, list[str]]]:
    header, _, iv, cipher, tag = jwe_parts()
    yield "another tag", [header, "", iv, cipher, tag[::-1]]
    yield "a shorter tag", [header, "", iv, cipher, tag[:-4]]
    yield "no tag", [header, "", iv, cipher, ""]
    yield "another iv", [header, "", iv[::-1], cipher, tag]
    yield "a shorter iv", [header, "", iv[:-4], cipher, tag]
    yield "iv and tag changed places", [header, "", tag, cipher, iv]
    yield "a key where none belongs", [header, "AAAA", iv, cipher, tag]
    yield "no ciphertext", [header, "", iv, "", tag]
    yield "half of it", [header, "", iv, cipher[: len(cipher) // 2], tag]
    for change in (
        {"enc": "A256GCM"},
        {"enc": "A128CBC-HS256"},
        {"alg": "A256KW"},
        {"kid": "x"},
        {"kid": None},
        {"zip": "DEF"},
        {"typ": "JWT"},
    ):
        plain = json.loads(base64.urlsafe_b64decode(header + "=="))
        other = {k: v for k, v in {**plain, **change}.items() if v is not None}
        text = json.dumps(other, separators=(",", ":")).encode()
        altered = base64.urlsafe_b64encode(text).rstrip(b"=").decode()
        yield str(change), [altered, "", iv, cipher, tag]


@pytest.mark.parametrize("number", range(16))
def test_altered_seals(number: int) -> None:
    name, parts = list(jwe_changes())[number]
    error = refused(lambda: server().read_session_data(".".join(parts)))
    assert error is not ExpiredTokenError, name


def test_there_are_sixteen_altered_seals() -> None:
    assert len(list(jwe_changes())) == 16


# --- cookies ------------------------------------------------------------------------


def cookies(**changes: str) -> str:
    signed, data = paired("compact")
    pairs = {"session_token": signed, "session_data": data, **changes}
    return "; ".join(f"better-auth.{name}={value}" for name, value in pairs.items())


def test_names_of_cookies() -> None:
    ba, strict = server(), server(secure=True)
    assert ba.read_cookies(cookies()).email
    secure = cookies().replace("better-auth", "__Secure-better-auth")
    assert ba.read_cookies(secure).email and strict.read_cookies(secure).email
    refused(lambda: strict.read_cookies(cookies()))
    # One of each kind is no pair.
    mixed = secure.replace(
        "__Secure-better-auth.session_data", "better-auth.session_data"
    )
    refused(lambda: ba.read_cookies(mixed))
    other = server(cookie_prefix="my-app")
    assert other.read_cookies(cookies().replace("better-auth", "my-app")).email
    refused(lambda: other.read_cookies(cookies()))
    for name in ("Better-Auth", "better-auth-", "xbetter-auth", "__Host-better-auth"):
        refused(lambda n=name: ba.read_cookies(cookies().replace("better-auth", n)))  # type: ignore[misc]


def test_the_same_cookie_may_come_twice() -> None:
    signed = paired("compact")[0]
    assert server().read_cookies(f"{cookies()}; better-auth.session_token={signed}")


def in_pieces(count: int, *, leave_out: int | None = None, start: int = 0) -> str:
    signed, data = paired("compact")
    size = -(-len(data) // count)
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    pairs = [f"better-auth.session_token={signed}"]
    pairs += [
        f"better-auth.session_data.{number}={piece}"
        for number, piece in enumerate(pieces, start)
        if number != leave_out
    ]
    return "; ".join(pairs)


def test_pieces() -> None:
    for count in (1, 2, 10, 90):
        assert server().read_cookies(in_pieces(count)).email
    for header in (
        in_pieces(10, leave_out=0),
        in_pieces(10, leave_out=5),
        in_pieces(10, start=1),
        in_pieces(10).replace("session_data.1=", "session_data.01="),
        in_pieces(10).replace("session_data.1=", "session_data.\u0661="),
        in_pieces(10) + "; better-auth.session_data.10=x",
    ):
        refused(lambda h=header: server().read_cookies(h))  # type: ignore[misc]
    signed = paired("compact")[0]
    many = "; ".join(f"better-auth.session_data.{number}=A" for number in range(101))
    refused(
        lambda: server().read_cookies(f"better-auth.session_token={signed}; {many}")
    )


@pytest.mark.parametrize("size", [405_001, 900_000])
def test_what_is_too_long_is_not_read(size: int) -> None:
    refused(lambda: server().read_session_data("A" * size))
    refused(lambda: server().read_cookies(cookies(session_data="A" * size)))
