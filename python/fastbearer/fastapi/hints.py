"""What may help to find the cause of a refusal: from a reason to a hint for the log.

A hint says what to do or where to look, in words of ours. Of a token it tells kinds
only: how many segments it has, which of the known algorithms, and for how long it has
expired, in seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from fastbearer import KeySet, unverified_header
from fastbearer._core import algorithms, base64url_bytes, json_object
from fastbearer.errors import TokenError
from fastbearer.fastapi.hint_places import filled, issuers_of, place
from fastbearer.fastapi.issuer_checks import ISSUER_OF_SECRET, names_provider
from fastbearer.issuers import Issuer, server_profiles
from fastbearer.issuers.member import is_symmetric

__all__ = ["hint_for"]

BETTER_AUTH_ALGORITHMS = frozenset(server_profiles.BETTER_AUTH_ALGORITHMS)
KNOWN_ALGORITHMS = frozenset((*algorithms, "none"))
CLOSE_SECONDS = 300
"""By how much clocks may be suspected to differ."""

MAX_BYTES = 16384
"""Longer tokens are not read for a hint."""

EMPTY_VALUES = frozenset(("undefined", "null", "none", "nan", "[object object]"))

NOT_THIS_ISSUER = (
    "the token is of another issuer: see {accepted} for those that are accepted,"
    " compared exactly"
)
OTHER_KIND = "is it an ID token, where an access token is wanted?"
ID_TOKEN = "it has the claims of an ID token: send the access token"
TWICE = 'the header says "Bearer" twice, or once where no scheme is expected'
JOINED = "a proxy has joined two headers with a comma"
OPAQUE = (
    "an opaque token: only its issuer can tell what it says"
    " (introspection, see {asked})"
)

UNSIGNED = "alg is none: nothing signs such a token, and it is never accepted"
NOT_LISTED = "list every accepted alg in {}, if tokens with this alg are to be accepted"
BETTER_AUTH = "Better Auth's jwt() plugin? Set BETTER_AUTH_URL."
BETTER_AUTH_TOO = (
    "Better Auth's jwt() plugin? Set BETTER_AUTH_URL, and list its alg in"
    " JWT_ALGORITHMS."
)

HINTS: Mapping[str, str] = {
    "alg_not_allowed": "its alg is not one that is accepted",
    "alg_not_keys": "its alg is not one that the keys are for",
    "aud_shape": "aud must be text, or a list of texts (RFC 7519 4.1.3)",
    "aud_unexpected": "set {audience} to what such tokens are for",
    "aud_wrong": "if such tokens are for this service, set {audience} to theirs",
    "exp_invalid": "exp must be a number of seconds, not text and not milliseconds",
    "header_zip": "ask the issuer for tokens that are not compressed",
    "iat_invalid": "iat must be a number of seconds, not text and not milliseconds",
    "iss_wrong": NOT_THIS_ISSUER,
    "kid_needed": "its header has no kid, and there are several keys",
    "kid_unknown": "its issuer may have other keys, or it is of another issuer",
    "nbf_invalid": "nbf must be a number of seconds, not text and not milliseconds",
    "not_access_token": "a refresh token or an ID token: send the access token",
    "signature_wrong": "another key has signed it: compare the secrets of both sides",
    "token_base64": "it may have been cut off, or have padding",
    "token_encrypted": "an encrypted token (JWE): ask the issuer for signed ones,"
    " with an audience or a resource where it knows such",
    "token_inactive": "it is over, was revoked, or this service's client may not ask",
    "token_too_long": "set {max_bytes}, if tokens of the issuer are so long",
    "typ_wrong": OTHER_KIND,
}
"""Where a reason alone says what to do; the others are plain enough, or depend."""

HINTS_OF_OTHERS: Mapping[str, str] = {
    "no_proof": "send it after DPoP with a proof, where DPOP is on (RFC 9449)",
    "dpop_without_cnf": "let its issuer answer introspection with cnf (RFC 9449 6.2)",
    "unbound": "a token without cnf.jkt is sent after Bearer",
    "other_binding": "only a cnf that has jkt, and nothing else, can be proved",
    "other_key": "the proof is signed with another key than that of cnf.jkt",
    "proof_htu": "behind a proxy, set DPOP_BASE_URL, or base_url=... of a DPoP in code",
    "proof_iat": "the client's clock, or the age of the proof",
    "proof_replayed": "the client must make a new proof for each request",
    "not_access_token": OTHER_KIND,
    "session_ended": "its user has signed out, or somebody has ended the session",
    "token_inactive": "its issuer says so: it has expired, or was revoked",
    "value_wrong": "is it of another client or tenant? See {required}",
}
"""The same of refusals that are not the core's."""

MISSING_CLAIMS: Mapping[str | None, str] = {
    "exp": "tokens must expire: let the issuer write exp",
    "aud": "an audience is asked for (see {audience}), and the token has none",
    "iss": "an issuer is asked for (see {accepted}), and the token has none",
    "sub": "the token names no user: set {user_claim}, if another claim does",
}

OF_ITS_FORM = frozenset(("token_base64", "token_encrypted", "token_not_compact"))
OF_ANOTHER_KIND = frozenset(("aud_unexpected", "aud_wrong", "typ_wrong", "value_wrong"))


class Context(Protocol):
    """What a hint may depend on: an ``Auth``."""

    @property
    def algorithm(self) -> str | None:
        """The one algorithm of the verifier, where known."""
        ...

    @property
    def clock(self) -> Callable[[], float]:
        """What says the time."""
        ...


def hint_for(error: TokenError, token: str, context: Context) -> str | None:
    """Return what may help to find the cause of a refusal, or None.

    Args:
        error: Why the token was refused.
        token: As it came, and perhaps anything.
        context: Who refused it.
    """
    hint = _unfilled(error, token, context)
    return None if hint is None else filled(hint, context)


def _unfilled(error: TokenError, token: str, context: Context) -> str | None:
    reason, claim = error.reason or "", getattr(error, "claim", None)
    if error.code == "invalid_algorithm":
        return _of_algorithm(token, reason, context)
    if reason in OF_ITS_FORM:
        return _of_form(token) or HINTS.get(reason)
    if reason in ("nbf_ahead", "exp_passed"):
        return _of_clocks(token, claim, context.clock())
    if error.code == "missing_claim":
        known = MISSING_CLAIMS.get(claim)
        return known or (ID_TOKEN if _is_id_token(token) else None)
    if reason in OF_ANOTHER_KIND and _is_id_token(token):
        return ID_TOKEN
    if error.code == "invalid_issuer":
        return NOT_THIS_ISSUER
    return HINTS.get(reason) or HINTS_OF_OTHERS.get(reason)


def _of_algorithm(token: str, reason: str, context: Context) -> str | None:
    """Return which algorithm it has, if we know its name, and what to do about it."""
    try:
        alg = unverified_header(token).get("alg")
    except TokenError:
        return HINTS.get(reason)
    if not isinstance(alg, str) or alg not in KNOWN_ALGORITHMS:
        return HINTS.get(reason)
    if alg == "none":
        return UNSIGNED
    only, advice = context.algorithm, _advice(alg, reason, context)
    hint = f"alg is {alg}"
    if only is None or alg == only:
        advice = advice or HINTS.get(reason)
    else:
        hint += f", this verifier has only {only}"
    return f"{hint}; {advice}" if advice else hint


def _advice(alg: str, reason: str, context: Context) -> str | None:
    """Return what would let tokens of an algorithm pass, if anything would."""
    is_narrowed = reason == "alg_not_allowed"
    issuers = issuers_of(context)
    if issuers is None:
        return NOT_LISTED.format("{algorithms}") if is_narrowed else None
    is_secret = alg.startswith("HS")
    if context.algorithm is not None and not is_secret:
        return _of_secret_alone(alg, issuers.own, context)
    of_settings: Any = issuers.others
    if is_secret:
        of_settings = [] if issuers.own is None else [issuers.own]
    elif getattr(_settings(context), "better_auth_url", None) is not None:
        of_settings = of_settings if alg in BETTER_AUTH_ALGORITHMS else ()
    kinds = {
        "settings": any(_may_have(one, alg) for one in of_settings),
        "issuers": is_narrowed and any(_may_have(one, alg) for one in issuers.further),
    }
    found = [kind for kind, is_one in kinds.items() if is_one]
    if not found:
        return None
    kind = found[0] if len(found) == 1 else "both"
    return NOT_LISTED.format(place("algorithms", kind))


def _may_have(issuer: Issuer, alg: str) -> bool:
    """Tell whether keys of an issuer may be of an algorithm that is not accepted."""
    keys: Any = issuer.keys
    if isinstance(keys, KeySet):
        names = {name for key in keys for name in key.algorithms}
        return alg in names or all(map(is_symmetric, (alg, *names)))
    return issuer.algorithms is not None and not is_symmetric(alg)


def _of_secret_alone(alg: str, own: Issuer | None, context: Context) -> str | None:
    """Return who may have signed with a key what only a secret may sign."""
    if names_provider(own):
        return ISSUER_OF_SECRET
    if alg not in BETTER_AUTH_ALGORITHMS:
        return None
    is_listed = getattr(_settings(context), "jwt_algorithms", None) is not None
    return BETTER_AUTH_TOO if is_listed else BETTER_AUTH


def _settings(context: object) -> object:
    return getattr(context, "settings", None)


def _of_form(token: str) -> str | None:
    """Return what a token is that does not have the form of one."""
    start = token[:80].strip().lower()
    if start.startswith("bearer"):
        return TWICE
    if start in EMPTY_VALUES:
        return "the client has sent the name of an empty value in place of a token"
    if start.startswith(('"', "'")):
        return "the token has quotation marks around it"
    if "," in token[:MAX_BYTES]:
        return JOINED
    return OPAQUE if "." not in token[:MAX_BYTES] else None


def _of_clocks(token: str, claim: str | None, now: float) -> str | None:
    """Return by how much clocks may differ, where it is little."""
    at = _unverified_claims(token).get(claim or "")
    if isinstance(at, bool) or not isinstance(at, (int, float)):
        return None
    seconds = abs(at - now)
    if not seconds <= CLOSE_SECONDS:  # also where it is not a number
        return None
    about = f"about {max(round(seconds), 1)} s"
    if claim == "nbf":
        return f"clocks differ by {about}, or more: set {{leeway}}"
    return f"it expired {about} ago: if clocks differ, set {{leeway}}"


def _is_id_token(token: str) -> bool:
    """Tell whether it has claims that only ID tokens have (OpenID Connect Core 2)."""
    claims = _unverified_claims(token)
    return claims.get("token_use") == "id" or not {"nonce", "at_hash"}.isdisjoint(
        claims
    )


def _unverified_claims(token: str) -> dict[str, Any]:
    """Return the payload of a token, to look at for a hint; nothing may rest on it."""
    if len(token) > MAX_BYTES:
        return {}
    try:
        return json_object(base64url_bytes(token.split(".", 2)[1]))
    except (TokenError, IndexError, ValueError):
        return {}
