"""What the tests beside the originals share."""

from __future__ import annotations

import base64
import hmac
import time
import warnings
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

SECRET = "a secret that both of them know, 32 bytes"
NOW = int(time.time())
"""When the tests were collected: add and subtract hours, for they run later."""

HS256 = ["HS256"]
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def outcome(call: Callable[[], Any]) -> tuple[str, Any]:
    """Return the result, or the error's class and words."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return "ok", call()
    except Exception as error:
        return type(error).__name__, str(error)


def encoded(text: str | bytes) -> bytes:
    """Return base64url without padding."""
    content = text.encode() if isinstance(text, str) else text
    return base64.urlsafe_b64encode(content).rstrip(b"=")


def forged(
    payload: str, header: str = '{"alg":"HS256","typ":"JWT"}', secret: str = SECRET
) -> str:
    """Sign any text whatever with a secret."""
    signed = encoded(header) + b"." + encoded(payload)
    mac = hmac.digest(secret.encode(), signed, "sha256")
    return (signed + b"." + encoded(mac)).decode()


def other_last_bits(text: str) -> str:
    """Return base64url of the same bytes that is not canonical."""
    return text[:-1] + ALPHABET[ALPHABET.index(text[-1]) ^ 1]


CLAIMS = st.dictionaries(
    st.sampled_from(["a", "exp", "nbf", "iat", "sub", "iss", "aud", "jti", "\u00e9"]),
    st.one_of(
        st.integers(-(2**40), 2**40),
        st.text(max_size=5),
        st.booleans(),
        st.floats(-1e12, 1e12),
        st.lists(st.text(max_size=3), max_size=3),
    ),
    max_size=5,
)
"""Claims of right and wrong types, past and to come."""
