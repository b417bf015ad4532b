"""Where a rule of tokens can be changed: a setting, or a field of what the code makes.

A setting that would be used for nothing stops the start; so a hint names it only where
there is somebody whom it is for.
"""

from __future__ import annotations

from fastbearer.errors import ConfigurationError
from fastbearer.fastapi.issuer_checks import RULES
from fastbearer.fastapi.issuers_in_force import Issuers

__all__ = ["filled", "is_verifier_given", "issuers_of", "place"]

SETTINGS = {**RULES, "algorithms": "jwt_algorithms"}
"""Field of an issuer -> its setting."""

FORMS = {
    "settings": "{0}",
    "issuers": "{1}=... of the issuer",
    "both": "{0}, or {1}=... of the issuer,",
    "verifier": "{1}=... of the verifier",
}
"""What the rules of tokens rest on -> how the place of one is called."""

ACCEPTED = {
    "settings": "JWT_ISSUER or JWT_ISSUERS",
    "issuers": "JWT_ISSUERS, or the issuers in code,",
    "both": "JWT_ISSUER, JWT_ISSUERS, or the issuers in code,",
    "verifier": "the verifier",
}
ASKED = "INTROSPECTION_CLIENT_ID"
ASKED_OTHERS = "introspect=... of an issuer"


def issuers_of(context: object) -> Issuers | None:
    """Return the issuers whose tokens are accepted, where they are known."""
    if is_verifier_given(context):
        return None
    try:
        found = getattr(context, "issuers", None)
    except ConfigurationError:
        return None
    return found if isinstance(found, Issuers) else None


def is_verifier_given(context: object) -> bool:
    """Tell whether somebody's verifier judges the tokens, and no setting does."""
    return bool(getattr(context, "_is_verifier_given", False))


def filled(text: str, context: object) -> str:
    """Return a string with the places of rules in it.

    Args:
        text: With ``{audience}``, or another field of an issuer, where its place is
            named; ``{accepted}`` for that of the issuers, and ``{asked}`` for that of
            introspection.
        context: An ``Auth``, or None where it is not known.
    """
    if "{" in text:
        issuers = issuers_of(context)
        kind = _kind(context, issuers)
        places = {field: place(field, kind) for field in SETTINGS}
        is_one = issuers is not None and len(issuers.others) == 1
        places["accepted"] = ACCEPTED[kind]
        places["asked"] = ASKED if is_one else ASKED_OTHERS
        text = text.format_map(places)
    return text.removesuffix(",").replace(",,", ",").replace(",)", ")")


def place(field: str, kind: str) -> str:
    """Return how the place of a rule is called."""
    return FORMS[kind].format(SETTINGS[field].upper(), field)


def _kind(context: object, issuers: Issuers | None) -> str:
    if is_verifier_given(context):
        return "verifier"
    if issuers is None:
        return "both"
    is_of_settings = issuers.own is not None or bool(issuers.others)
    if not issuers.further:
        return "settings"
    return "both" if is_of_settings else "issuers"
