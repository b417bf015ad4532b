"""The short way: what the strict core accepts, PyJWT accepts.

Each function gives up (None) where the core refuses; the long way is then more
lenient, or has PyJWT's own words.
"""

from __future__ import annotations

from typing import Any

from fastbearer._core import Key, Signer, Verifier, algorithms
from fastbearer.compat._shared import clock
from fastbearer.compat._shared.memo import TextMemo
from fastbearer.compat.jwt._asymmetric import AsymmetricAlgorithm
from fastbearer.compat.jwt.algorithms import get_default_algorithms
from fastbearer.compat.jwt.exceptions import PyJWTError
from fastbearer.errors import FastbearerError

__all__ = ["claims_of", "token_of"]

MAX_BYTES = 2**26
KNOWN = get_default_algorithms()


def claims_of(token: Any, key: Any, names: Any) -> dict[str, Any] | None:
    """Return the claims of a token whose signature, ``exp`` and ``nbf`` are right.

    Args:
        token: The token.
        key: A secret or PEM.
        names: A list with the one algorithm.
    """
    if not isinstance(key, (str, bytes)):
        return None
    if not isinstance(names, (list, tuple)) or len(names) != 1:
        return None
    try:
        verifier = _verifiers(key, names[0])
        return None if verifier is None else verifier.verify(token)
    except (FastbearerError, TypeError):
        return None


def token_of(claims: dict[str, Any], key: Any, name: str | None) -> str | None:
    """Return a token, its header having ``alg`` and ``typ``."""
    if not isinstance(key, (str, bytes)):
        return None
    try:
        signer = _signers(key, name)
        return None if signer is None else signer.sign(claims)
    except (FastbearerError, TypeError, ValueError):
        return None


def _core_key(key: str | bytes, name: Any) -> Key | None:
    algorithm = KNOWN.get(name)
    if name not in algorithms:
        return None
    if isinstance(algorithm, AsymmetricAlgorithm):
        return algorithm.core_key(key)
    return Key.from_secret(key, name)  # a short one has a warning, the long way


def _make_verifier(key: str | bytes, name: Any) -> Verifier | None:
    try:
        core = _core_key(key, name)
    except (FastbearerError, PyJWTError):
        return None
    if core is None:
        return None
    return Verifier(
        core if name.startswith("HS") else core.public(),
        require=(),
        ignore_audience=True,
        max_bytes=MAX_BYTES,
        allow_padding=True,
        clock=clock.now,
    )


def _make_signer(key: str | bytes, name: Any) -> Signer | None:
    try:
        core = _core_key(key, name)
        return None if core is None else Signer(core, ascii=True)
    except (FastbearerError, PyJWTError):
        return None


_verifiers = TextMemo(_make_verifier)
_signers = TextMemo(_make_signer)
