"""What a document of keys is: a JWK Set, a map of PEMs, or something else."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastbearer._core import json_object, key_set_max
from fastbearer.errors import InvalidKeyError, MalformedTokenError
from fastbearer.jwks.fetch import FetchError
from fastbearer.keys import Key, KeySet, SkippedKey
from fastbearer.urls import read_url

__all__ = ["LeftOut", "log_left_out", "read_json", "read_keys", "shown"]

logger: logging.Logger = logging.getLogger("fastbearer")

MOST_LINES = 8
"""Lines of the log about one document: it may have hundreds of bad entries."""

MOST_SHOWN = 60
"""Characters of a string from elsewhere in such a line."""

BOM = b"\xef\xbb\xbf"
PEM = "-----BEGIN "

SIGNING_TYPES = frozenset(("AKP", "EC", "OKP", "RSA", "oct"))
ENCRYPTION = ("A128", "A192", "A256", "ECDH-ES", "PBES2", "RSA-OAEP", "RSA1_5", "dir")
"""How the names of algorithms begin that do not sign (RFC 7518 4.1)."""

NOT_AN_OBJECT = "an entry that is not an object"
NO_PEM = "a map of key IDs without a usable key"
NOT_PUBLIC = "its PEM is of a private key, which nobody may publish"
NOT_PEM = "it is not a PEM text"
NO_KID = "its key ID is empty"
SINGLE = "a single JWK and not a set: {'keys': [...]} (RFC 7517 5)"
NEITHER = (
    "a JSON object without keys; it must be a JWK Set (for an issuer, set JWT_ISSUER)"
)
BEGINNINGS = {
    b"": "an empty answer",
    b"<": "an HTML page or XML, not a JWK Set",
    b"[": "a JSON array, not a JWK Set: {'keys': [...]} (RFC 7517 5)",
    b"{": "not strict JSON",
    b"-----BEGIN": "a PEM text, not a JWK Set; Key.from_pem reads it",
    b"eyJ": "a signed key set, which is not read",
}
"""How a body that is not a JSON object begins -> what it is."""


@dataclass(frozen=True)
class LeftOut:
    """An entry of a document that is not used, in words fit for a log.

    Attributes:
        key: Which it is.
        reason: Which rule it breaks.
        is_expected: Whether it is not meant for signatures anyway.
    """

    key: str
    reason: str
    is_expected: bool = False


def read_json(body: bytes) -> dict[str, Any]:
    """Return the object of a JSON document from elsewhere.

    Like most readers, it takes a byte order mark for none (RFC 8259 8.1).

    Raises:
        FetchError: It is something else; the text says what it looks like.
    """
    text = body.removeprefix(BOM)
    try:
        return json_object(text)
    except MalformedTokenError:
        start = text[:200].lstrip()
    for beginning, words in BEGINNINGS.items():
        if start.startswith(beginning) if beginning else not start:
            raise FetchError(words)
    raise FetchError("not JSON")


def read_keys(body: bytes) -> tuple[KeySet, list[LeftOut]]:
    """Return the usable keys of a document, and what of it is not used.

    Raises:
        FetchError: It has no usable key; the text says what it is.
    """
    members = read_json(body)
    if isinstance(members.get("keys"), list):
        return _from_jwks(members)
    texts = (value for value in members.values() if isinstance(value, str))
    if any(text.startswith(PEM) for text in texts):
        return _from_map(members)
    raise FetchError(_described(members))


def log_left_out(left_out: list[LeftOut], where: str) -> None:
    """Write a line for each entry that is not used, up to a few.

    Those that are not for signatures are no news: Keycloak's sets always have one.
    """
    surprising = [entry for entry in left_out if not entry.is_expected]
    for entry in surprising[:MOST_LINES]:
        logger.warning("key left out of %s: %s: %s", where, entry.key, entry.reason)
    if len(surprising) > MOST_LINES:
        more = len(surprising) - MOST_LINES
        logger.warning("keys left out of %s: %d more", where, more)
    for entry in [entry for entry in left_out if entry.is_expected][:MOST_LINES]:
        logger.info("key left out of %s: %s: %s", where, entry.key, entry.reason)


def shown(text: object) -> str:
    """Return what came from elsewhere so that a log may have it: in a line, short."""
    escaped = ascii(text)
    return escaped if len(escaped) <= MOST_SHOWN else f"{escaped[:MOST_SHOWN]}..."


def _from_jwks(members: Mapping[str, Any]) -> tuple[KeySet, list[LeftOut]]:
    try:
        # The source is trusted to be who it is: what other writers leave in a public
        # key does not make it another key.
        keys = KeySet.from_jwks(members, lenient=True)
    except InvalidKeyError as error:
        text = str(error).encode("ascii", "backslashreplace").decode()
        raise FetchError(text) from None
    return keys, [_skipped(one, members["keys"][one.position]) for one in keys.skipped]


def _skipped(one: SkippedKey, entry: object) -> LeftOut:
    if not isinstance(entry, Mapping):
        return LeftOut(NOT_AN_OBJECT, one.message)
    is_named = one.member is None or one.message.endswith(f": {one.member}")
    rule = one.message if is_named else f"{one.message}: {one.member}"
    return LeftOut(_named(entry), rule, _is_for_others(entry))


def _from_map(members: Mapping[str, Any]) -> tuple[KeySet, list[LeftOut]]:
    if len(members) > key_set_max:
        raise FetchError(f"a map of more than {key_set_max} keys")
    found = [_from_pem(kid, text) for kid, text in members.items()]
    keys = [one for one in found if isinstance(one, Key)]
    left_out = [one for one in found if isinstance(one, LeftOut)]
    if not keys:
        raise FetchError(f"{NO_PEM} ({left_out[0].key}: {left_out[0].reason})")
    return KeySet(keys), left_out


def _from_pem(kid: str, text: object) -> Key | LeftOut:
    """Return the key of a certificate, or of a bare public key.

    The dates of a certificate do not matter, as in the libraries of Firebase and
    Google: it is trusted for being in the document, which Google changes in time.
    """
    name = f"kid {shown(kid)}"
    if not (isinstance(text, str) and text.startswith(PEM)):
        return LeftOut(name, NOT_PEM)
    if not kid:
        return LeftOut(name, NO_KID)
    try:
        key = Key.from_pem(text, kid=kid)
    except InvalidKeyError as error:
        return LeftOut(name, str(error))
    return LeftOut(name, NOT_PUBLIC) if key.is_private else key


def _is_for_others(entry: Mapping[str, Any]) -> bool:
    """Tell whether RFC 7517 5 expects us to pass an entry over."""
    kty, alg, uses = (entry.get(name) for name in ("kty", "alg", "key_ops"))
    return (
        (isinstance(kty, str) and kty not in SIGNING_TYPES)
        or entry.get("use") == "enc"
        or (isinstance(alg, str) and alg.startswith(ENCRYPTION))
        or (isinstance(uses, list) and bool(uses) and "verify" not in uses)
    )


def _named(entry: Mapping[str, Any]) -> str:
    kid = f"kid {shown(entry['kid'])}" if "kid" in entry else "without kid"
    kinds = (entry.get(name) for name in ("kty", "crv", "alg"))
    kind = " ".join(shown(text)[1:-1] for text in kinds if isinstance(text, str))
    return f"{kid} ({kind})" if kind else kid


def _described(members: Mapping[str, Any]) -> str:
    """Say what an object is that has no keys."""
    if "jwks_uri" in members or "authorization_endpoint" in members:
        issuer = members.get("issuer")
        parts = read_url(issuer) if isinstance(issuer, str) else None
        is_shown = parts is not None and not parts.has_user and "?" not in str(issuer)
        name = str(issuer)[:200] if is_shown else "its issuer"
        return f"a discovery document: set JWT_ISSUER to {name}, and no URL of keys"
    if "kty" in members:
        return SINGLE
    if "keys" in members:
        return "a JSON object whose keys are not an array"
    return NEITHER
