"""What a real Better Auth server has issued is accepted, and written alike."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest

from better_auth_samples import (
    HASH,
    NOW,
    PASSWORD,
    PLAIN,
    SAMPLES,
    SECRET,
    STRATEGIES,
    big,
    issued,
    paired,
    refused,
    server,
)
from fastbearer import KeySet
from fastbearer.better_auth import BetterAuth, Session
from fastbearer.better_auth.javascript import json_bytes
from fastbearer.errors import (
    InvalidHashError,
    TokenError,
)

# --- what is accepted ---------------------------------------------------------------


@pytest.mark.parametrize("value", [PLAIN, unquote(PLAIN), f'"{PLAIN}"'])
def test_a_signed_session_token(value: str) -> None:
    for given in (value, value.encode()):
        assert server().read_session_token(given) == PLAIN.partition(".")[0]
    assert server().sign_session_token(PLAIN.partition(".")[0]) == PLAIN


def test_the_escapes_may_be_in_lower_case() -> None:
    value = PLAIN.replace("%2F", "%2f").replace("%3D", "%3d")
    assert server().read_session_token(value) == PLAIN.partition(".")[0]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_session_data(strategy: str) -> None:
    signed, data = paired(strategy)
    ba = server()
    token = ba.read_session_token(signed)
    session = ba.read_session_data(data, session_token=token)
    assert isinstance(session, Session)
    assert (session.email, session.source) == ("ada@example.com", "cookie")
    assert session.user["name"] == "Ada Lovelace \u03a9"
    assert session.session["token"] == token
    assert session.user_id == session.session["userId"] == session.user["id"]
    written = session.session["expiresAt"]
    assert session.expires_at.isoformat(timespec="milliseconds") == written.replace(
        "Z", "+00:00"
    )
    header = f"better-auth.session_token={signed}; better-auth.session_data={data}"
    assert ba.read_cookies(header) == session


def test_session_data_that_is_signed_with_a_key() -> None:
    data = SAMPLES["session_data_of_the_jwt_plugin"]
    x = "WKP2oj5piRrgKlbya5jGEalMuoPwFlFSH6JTpFJsk6o"
    jwk = {"alg": "EdDSA", "crv": "Ed25519", "kty": "OKP", "x": x}
    jwks = {"keys": [{**jwk, "kid": "UYmo2m4SOCXzBiZxCZnyhDwVSljPtw32"}]}
    ba = server()
    assert ba.read_session_data(data, jwks=jwks).user_id.startswith("xGz1cF3N")
    assert server(jwks=KeySet.from_jwks(jwks)).read_session_data(data).email
    for other in (server(base_url="http://localhost:3001"), server(jwks=None)):
        with pytest.raises(TokenError):
            other.read_session_data(
                data, jwks=jwks if other.origin[-1] == "1" else None
            )


@pytest.mark.parametrize("algorithm", SAMPLES["tokens_of_the_jwt_plugin"])
def test_a_token_of_the_plugin(algorithm: str) -> None:
    token, jwks = issued(algorithm)
    ba = server()
    for keys in (jwks, json.loads(jwks), KeySet.from_jwks(jwks)):
        claims = ba.verify_jwt(token, keys)
        assert claims["email"] == "ada@example.com"
    session = ba.session_of_jwt(claims)
    assert (session.user_id, session.source) == (claims["sub"], "jwt")
    assert session.session == {} and "iss" not in session.user
    assert session.expires_at.timestamp() == claims["exp"]


def test_a_password_hash() -> None:
    ba = server()
    assert ba.verify_password(PASSWORD, HASH)
    assert ba.verify_password("P\u00e2ssw0rd-\u00c5-fi", HASH)
    assert not ba.verify_password("Passw0rd", HASH)
    made = ba.hash_password(PASSWORD)
    assert re.fullmatch("[0-9a-f]{32}:[0-9a-f]{128}", made)
    assert ba.verify_password(PASSWORD, made) and made != ba.hash_password(PASSWORD)
    for other in ("", "$2b$04$" + "a" * 53, HASH[1:], HASH.replace(":", "")):
        with pytest.raises(InvalidHashError):
            ba.verify_password(PASSWORD, other)


# --- what is written ----------------------------------------------------------------


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_what_is_written_is_what_the_server_writes(strategy: str) -> None:
    """But for the initialization vector and the id of what is sealed."""
    signed, data = paired(strategy)
    read = server().read_session_data(data)
    payload = {"compact": 311911, "jwt": 312033, "jwe": 312135}[strategy]
    made_at = (1795330000_000 + payload - 300_000) / 1000
    ba = BetterAuth(SECRET, clock=lambda: made_at)
    written = ba.write_session_data(read.session, read.user, strategy=strategy)  # type: ignore[arg-type]
    if strategy == "jwe":
        assert written.partition(".")[0] == data.partition(".")[0]
        assert len(written) == len(data)
    else:
        assert written == data
    assert ba.read_session_data(written) == read
    cookies = ba.write_cookies(read.session, read.user, strategy=strategy)  # type: ignore[arg-type]
    assert cookies[0] == (
        f"better-auth.session_token={signed}; Max-Age=604800; Path=/; HttpOnly;"
        " SameSite=Lax"
    )
    header = "; ".join(cookie.partition(";")[0] for cookie in cookies)
    assert ba.read_cookies(header) == read


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("secure", [False, True])
def test_long_session_data_comes_in_pieces(strategy: Any, secure: bool) -> None:
    ba = server(secure=secure)
    session, user = big(20_000)
    cookies = ba.write_cookies(session, user, strategy=strategy, domain="example.com")
    assert len(cookies) > 5
    assert all(len(cookie) <= 4050 for cookie in cookies)
    names = [cookie.partition("=")[0] for cookie in cookies]
    prefix = "__Secure-" if secure else ""
    assert names[1:3] == [f"{prefix}better-auth.session_data.{n}" for n in (0, 1)]
    pairs = [cookie.partition(";")[0] for cookie in cookies]
    shuffled = "; ".join(["other=1", *reversed(pairs), "last"])
    assert ba.read_cookies(shuffled).user == user
    with pytest.raises(ValueError, match="too long"):
        ba.write_cookies(*big(400_000), strategy=strategy)


def test_a_session_that_ends_with_the_browser() -> None:
    session, user = big(1)
    cookies = server().write_cookies(session, user, remember=False)
    assert not any("Max-Age" in cookie for cookie in cookies)
    assert (
        server().write_cookies(session, user, strategy=None)
        == (server().write_cookies(session, user)[:1])
    )


@pytest.mark.parametrize(
    ("remember", "max_age", "good_for"),
    [(True, 300, 300), (True, 30, 30), (False, 300, 60), (False, 30, 30)],
)
def test_how_long_the_data_of_a_session_is_good(
    remember: bool, max_age: int, good_for: int
) -> None:
    """A minute at most where the session ends with the browser, as at the server."""
    session, user = big(1)
    ba = BetterAuth(SECRET, clock=lambda: NOW)
    _, data = ba.write_cookies(session, user, remember=remember, max_age=max_age)
    written = ba.write_session_data(session, user, max_age=good_for)
    assert data.partition("=")[2].partition(";")[0] == written


@pytest.mark.parametrize(
    "extra", [{"n": 2**53 + 1}, {"n": 10**400}, {"n": "\ud800"}, {"\udfff": 1}]
)
def test_what_javascript_does_not_have(extra: dict[str, Any]) -> None:
    session, user = big(1)
    with pytest.raises(ValueError, match=r"JavaScript|surrogate"):
        server().write_session_data(session, {**user, **extra})


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"x": value}
    return value


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(
    ("of_session", "of_user"),
    [
        *(({"token": "x"}, {}), ({"token": None}, {}), ({"userId": "other"}, {})),
        *(({"expiresAt": None}, {}), ({"expiresAt": "soon"}, {}), ({}, {"id": ""})),
        *(({}, {"id": 5}), ({}, {"x": nested(31)}), ({}, {"x": nested(5000)})),
        ({}, {"x": "x" * 405_000}),
    ],
)
def test_nothing_is_written_that_would_not_be_read(
    strategy: Any, of_session: dict[str, Any], of_user: dict[str, Any]
) -> None:
    session, user = big(1)
    ba = server()
    with pytest.raises(ValueError, match=r"read again|levels|too long"):
        ba.write_session_data(
            {**session, **of_session}, {**user, **of_user}, strategy=strategy
        )
    deep = ba.write_session_data(session, {**user, "x": nested(30)}, strategy=strategy)
    assert ba.read_session_data(deep).user["x"] == nested(30)
    with pytest.raises(ValueError, match="32 letters"):
        ba.write_cookies({}, {}, strategy=strategy)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_how_long_session_data_is_good(strategy: Any) -> None:
    session, user = big(1)
    for age in (300, 300.9, timedelta(minutes=5)):
        data = server().write_session_data(
            session, user, strategy=strategy, max_age=age
        )
        for seconds, is_good in ((299, True), (301, False)):
            later = BetterAuth(SECRET, clock=lambda s=seconds: NOW + s)  # type: ignore[misc]
            if is_good:
                assert later.read_session_data(data).user_id == user["id"]
            else:
                refused(lambda b=later, d=data: b.read_session_data(d))  # type: ignore[misc]
    for wrong in (10**15, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="max_age"):
            server().write_session_data(session, user, strategy=strategy, max_age=wrong)


def test_names_come_as_javascript_orders_them() -> None:
    names = ["b", "10", "a", "9", "01", "-1", "0", "4294967295", "4294967294", ""]
    written = json_bytes(dict.fromkeys(names, 1))
    expected = ["0", "9", "10", "4294967294", "b", "a", "01", "-1", "4294967295", ""]
    assert list(json.loads(written)) == expected


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_values_of_other_types(strategy: str) -> None:
    """A str may come as bytes; anything else is the caller's mistake."""
    signed, data = paired(strategy)
    ba = server()
    assert ba.read_session_data(data.encode()).email
    header = f"better-auth.session_token={signed}; better-auth.session_data={data}"
    assert ba.read_cookies(header.encode()) == ba.read_cookies(header)
    refused(lambda: ba.read_session_data(b"\xff"))
    for wrong in (None, 5, [], {}):
        for call in (ba.read_session_token, ba.read_session_data, ba.read_cookies):
            with pytest.raises(TypeError):
                call(wrong)  # type: ignore[operator]


def test_a_session_shows_no_token() -> None:
    signed, data = paired("compact")
    session = server().read_session_data(data)
    assert session.user_id in repr(session)
    assert signed[:32] not in repr(session)


@pytest.mark.parametrize(
    "value", ["true", "", "x" * 31, "x" * 33, "-" * 32, "h.p" * 11]
)
def test_nothing_but_session_tokens_is_signed(value: str) -> None:
    """With the secret that signs tokens, a signer of any text would forge them."""
    with pytest.raises(ValueError, match="32 letters"):
        server().sign_session_token(value)
