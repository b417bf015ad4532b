"""What is right for a token, by a second reading of the RFCs in plain Python.

Each step returns the reasons for which a token may be refused; without any, it passes.
A later step is not looked at before the earlier ones have passed.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from fastbearer import Key

from .json_texts import NOW, read_strictly
from .signature_model import is_signature

SEGMENT = re.compile(rb"[A-Za-z0-9_-]*")
DATE_MAX = 2**53
MEMBERS_MAX = 64
TRIES_MAX = 16
ALGORITHMS = (
    *("HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "ES256K", "EdDSA", "Ed25519", "Ed448"),
)
BAD_JSON = {
    *("json_depth", "json_duplicate", "json_not_object", "json_number"),
    *("json_surrogate", "json_syntax", "json_utf8"),
}


def b64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def unb64(text: bytes) -> bytes | None:
    """Return what strict base64url stands for: RFC 7515 2, RFC 4648 3.5."""
    if not SEGMENT.fullmatch(text) or len(text) % 4 == 1:
        return None
    data = base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    return data if b64(data) == text else None


@dataclass(frozen=True)
class Options:
    """Those of a Verifier, as they are handed to it."""

    issuer: tuple[str, ...] | None = None
    audience: tuple[str, ...] | None = None
    ignore_audience: bool = False
    leeway: float = 0
    require: tuple[str, ...] = ()
    typ: tuple[str | None, ...] | None = None
    max_age: float | None = None
    max_bytes: int = 10**6
    allow_padding: bool = False
    cache: int = 0
    algorithms: tuple[str, ...] | None = None

    def named(self) -> dict[str, Any]:
        return {**vars(self), "clock": lambda: NOW}


# --- shape --------------------


@dataclass
class Parts:
    header: bytes = b""
    payload: bytes = b""
    signature: bytes = b""
    signed: bytes = b""
    reasons: set[str] = field(default_factory=set)


def without_padding(text: bytes) -> bytes:
    padding = len(text) - len(text.rstrip(b"="))
    is_right = padding in (1, 2) and len(text) % 4 == 0
    return text[:-padding] if is_right else text


def split(token: bytes, options: Options) -> Parts:
    if len(token) > options.max_bytes:
        return Parts(reasons={"token_too_long"})
    segments = token.split(b".")
    if len(segments) != 3:
        encrypted = len(segments) == 5
        return Parts(reasons={"token_encrypted" if encrypted else "token_not_compact"})
    signed = token[: token.rindex(b".")]
    if options.allow_padding:
        segments = [without_padding(one) for one in segments]
    return Parts(*segments, signed)


# --- header --------------------


def media_type(text: str) -> str:
    """RFC 7515 4.1.9: "application/" is implied where no other slash is."""
    text = "".join(c.lower() if c.isascii() else c for c in text)
    rest = text.removeprefix("application/")
    return rest if rest and "/" not in rest else text


def header_reasons(header: dict[str, Any], options: Options) -> set[str]:
    reasons = set()
    alg, typ = header.get("alg"), header.get("typ")
    if not isinstance(alg, str) or alg not in ALGORITHMS:
        reasons.add("alg_not_keys")
    if len(header) > MEMBERS_MAX:
        reasons.add("header_members")
    if "crit" in header:
        reasons.add("header_crit")
    if header.get("b64", True) is not True:
        reasons.add("header_b64")
    if "zip" in header:
        reasons.add("header_zip")
    if not isinstance(header.get("kid", ""), str) or not isinstance(typ or "", str):
        reasons.add("header_type")
    if "typ" in header and not isinstance(typ, str):
        reasons.add("header_type")
    if options.typ is not None:
        wanted = {media_type(one) for one in options.typ if one is not None}
        fits = None in options.typ if typ is None else False
        fits = fits or (isinstance(typ, str) and media_type(typ) in wanted)
        reasons |= set() if fits else {"typ_wrong"}
    return reasons


# --- signature --------------------


def names_of(key: Key) -> tuple[str, ...]:
    return key.algorithms


def signature_reasons(
    parts: Parts, header: dict[str, Any], keys: Iterable[Key], options: Options
) -> set[str]:
    alg, kid = header["alg"], header.get("kid")
    allowed = options.algorithms
    keys = [*keys]
    if allowed is not None:
        keys = [key for key in keys if set(names_of(key)) & {*allowed}]
        if not any(alg in names_of(key) for key in keys):
            return {"alg_not_allowed", "alg_not_keys"}
    fitting = [
        key
        for key in keys
        if alg in names_of(key) and (kid is None or key.kid in (None, kid))
    ]
    if not fitting:
        return {"alg_not_keys", "kid_unknown"}
    claimed = unb64(parts.signature)
    if claimed is None:
        return {"token_base64"}
    if any(
        is_signature(key, alg, parts.signed, claimed) for key in fitting[:TRIES_MAX]
    ):
        return set()
    return {"kid_needed" if len(fitting) > TRIES_MAX else "signature_wrong"}


# --- claims --------------------


def is_date(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= DATE_MAX


def date_reasons(claims: dict[str, Any], options: Options) -> set[str]:
    reasons = {
        f"{name}_invalid"
        for name in ("exp", "nbf", "iat")
        if name in claims and not is_date(claims[name])
    }
    if is_date(claims.get("exp")) and claims["exp"] + options.leeway <= NOW:
        reasons.add("exp_passed")
    if is_date(claims.get("nbf")) and claims["nbf"] - options.leeway > NOW:
        reasons.add("nbf_ahead")
    if is_date(claims.get("iat")) and options.max_age is not None:
        old = claims["iat"] + options.max_age + options.leeway <= NOW
        reasons |= {"age_passed"} if old else set()
    return reasons


def audience_reasons(claims: dict[str, Any], options: Options) -> set[str]:
    if "aud" not in claims:
        return set()
    named = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if not all(isinstance(one, str) for one in named):
        return {"aud_shape"}
    if options.audience is None:
        return set() if options.ignore_audience else {"aud_unexpected"}
    return set() if {*named} & {*options.audience} else {"aud_wrong"}


def claims_reasons(claims: dict[str, Any], options: Options) -> set[str]:
    needed = {*options.require}
    needed |= {"iss"} if options.issuer is not None else set()
    needed |= {"aud"} if options.audience is not None else set()
    needed |= {"iat"} if options.max_age is not None else set()
    reasons = date_reasons(claims, options) | audience_reasons(claims, options)
    if any(claims.get(name) is None for name in needed):
        reasons.add("claim_missing")
    if options.issuer is not None and claims.get("iss") is not None:
        is_one = isinstance(claims["iss"], str) and claims["iss"] in options.issuer
        reasons |= set() if is_one else {"iss_wrong"}
    return reasons


# --- all of it --------------------


def judged(
    token: bytes, keys: Iterable[Key], options: Options
) -> tuple[dict[str, Any], dict[str, Any]] | set[str]:
    """Return header and claims, or the reasons that a refusal may name."""
    parts = split(token, options)
    if parts.reasons:
        return parts.reasons
    text = unb64(parts.header)
    header = None if text is None else read_strictly(text)
    if header is None:
        return {"token_base64"} if text is None else BAD_JSON
    reasons = header_reasons(header, options)
    reasons = reasons or signature_reasons(parts, header, keys, options)
    if reasons:
        return reasons
    text = unb64(parts.payload)
    claims = None if text is None else read_strictly(text)
    if claims is None:
        return {"token_base64"} if text is None else BAD_JSON
    return claims_reasons(claims, options) or (header, claims)


def signed_with_hmac(header: bytes, payload: bytes, secret: bytes) -> bytes:
    """Return a token of HS256, whatever its two texts are."""
    message = b64(header) + b"." + b64(payload)
    return message + b"." + b64(hmac.digest(secret, message, "sha256"))
