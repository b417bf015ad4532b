"""The shapes of options, for type checkers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypedDict

__all__ = ["FullOptions", "HashlibHash", "JWKDict", "Options", "SigOptions"]

JWKDict = dict[str, Any]
HashlibHash = Callable[..., Any]


class SigOptions(TypedDict, total=False):
    """Options of a signature.

    Attributes:
        verify_signature: Whether it is looked at; True unless it is said.
        enforce_minimum_key_length: Whether a short key is an error.
    """

    verify_signature: bool
    enforce_minimum_key_length: bool


class Options(SigOptions, total=False):
    """Options of a token.

    Attributes:
        verify_signature: Whether the signature is looked at. Without it, none of
            the claims are either, unless it is said.
        require: Names of claims that must be there and not null.
        strict_aud: Whether ``aud`` must be the one string asked for.
        verify_aud: Whether ``aud`` is looked at; the same goes for the others.
    """

    require: list[str]
    strict_aud: bool
    verify_aud: bool
    verify_exp: bool
    verify_iat: bool
    verify_iss: bool
    verify_jti: bool
    verify_nbf: bool
    verify_sub: bool


FullOptions = Options
"""All of them."""
