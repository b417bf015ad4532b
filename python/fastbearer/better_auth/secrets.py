"""The secrets of a Better Auth server, and their rotation."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from fastbearer import Key
from fastbearer._core import SessionSecret
from fastbearer.errors import ConfigurationError, InvalidKeyError
from fastbearer.utf8 import utf8_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

__all__ = [
    "DEFAULT_SECRET",
    "LINK_CLAIMS",
    "NOT_A_LINK",
    "Secrets",
    "is_link",
    "session_secrets",
    "signing_key",
]

DEFAULT_SECRET = "better-auth-secret-12345678901234567890"
"""The secret that Better Auth uses where none is set: everybody knows it."""

NOT_A_LINK = {"requestType": 0}
"""Claims for every HS256 token under Better Auth's secret that names an e-mail.

Its ``/verify-email`` takes any such token for the link that it has mailed: whoever
signs up somewhere with another person's e-mail could verify it, and would be signed in.
Where this claim is present, it has to be text (``verifyEmail`` in its
api/routes/email-verification).
"""

VERSION = re.compile(r"\s*\+?([0-9]{1,15})(?![0-9])")
"""What JavaScript's ``parseInt`` takes for a number that is not negative."""

NAMES = "BETTER_AUTH_SECRET (or AUTH_SECRET, BETTER_AUTH_SECRETS)"
MISSING = f"{NAMES} is required"
LEAST_BYTES = 32
PUBLIC = (
    "{} is Better Auth's built-in default, which everybody knows; make one of your own"
    " with `fastbearer secret`"
)
SHORT = (
    "{} must be at least 32 bytes long for HS256 (RFC 7518 3.2); make one with"
    " `fastbearer secret`, or set ALLOW_SHORT_SECRET=1 to use a short one all the same"
)
UNENCODABLE = "{} must be valid UTF-8"
WRONG_LIST = (
    "BETTER_AUTH_SECRETS must be <version>:<secret> entries with commas between them,"
    " each with a version of its own"
)


class Secrets(NamedTuple):
    """The secret in use, and those before it.

    Whatever is signed is signed with the secret in use. The others only open session
    data that was sealed (strategy "jwe") before they were replaced, as in Better Auth.

    Attributes:
        current: The secret in use.
        previous: The secrets before it.
    """

    current: str
    previous: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Secrets: one in use, {len(self.previous)} before it>"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Secrets:
        """Read the variables that Better Auth reads.

        ``BETTER_AUTH_SECRETS="2:new,1:old"`` has the one in use first; without it
        ``BETTER_AUTH_SECRET`` counts, then ``AUTH_SECRET``. Beside the list, that
        one is a previous secret.

        Args:
            environment: In place of that of the process.

        Raises:
            ConfigurationError: There is none, or the list is malformed. The message
                shows no value.
        """
        found = os.environ if environment is None else environment
        single = found.get("BETTER_AUTH_SECRET") or found.get("AUTH_SECRET") or ""
        secrets = cls.read(found.get("BETTER_AUTH_SECRETS") or "", single)
        if secrets is None:
            raise ConfigurationError(MISSING)
        return secrets

    @classmethod
    def read(cls, listed: str, single: str) -> Secrets | None:
        """Return the secrets of the two variables, or None where both are empty.

        Args:
            listed: ``BETTER_AUTH_SECRETS``.
            single: ``BETTER_AUTH_SECRET``, or ``AUTH_SECRET``.

        Raises:
            ConfigurationError: The list is malformed. The message shows no value.
        """
        values = _listed(listed)
        if not values:
            return cls(single) if single else None
        others = values[1:]
        if single and single != DEFAULT_SECRET and single not in values:
            others = [*others, single]
        return cls(values[0], tuple(others))


def is_link(claims: Mapping[str, Any]) -> bool:
    """Tell whether verified claims are those of a link that Better Auth mails.

    Its links to verify or change an e-mail are HS256 tokens under the same secret:
    ``{email, updateTo?, userId?, requestType?, iat, exp}``. They are no credentials
    of anybody: whoever reads a mail's log or a referrer has them.
    """
    if isinstance(claims.get("requestType"), str) or "updateTo" in claims:
        return True
    return "email" in claims and not ("sub" in claims or "user_id" in claims)


LINK_CLAIMS = frozenset(("email", "updateTo", "userId", "requestType", "iat", "exp"))
"""What such a link may have, and no more: neither ``iss`` nor ``aud`` among them."""


def signing_key(
    secret: str | bytes, *, allow_short_secret: bool, name: str = "the secret"
) -> Key:
    """Return the HS256 key that a secret is: the one rule of what may be one.

    Args:
        secret: Text stands for its UTF-8.
        allow_short_secret: Whether it may have fewer than 32 bytes.
        name: What an error calls it.

    Raises:
        ConfigurationError: It is too short, Better Auth's default, or a key of
            another kind (RFC 8725 3.1: algorithm confusion). The message shows
            no part of it.
    """
    raw = utf8_of(secret) if isinstance(secret, str) else bytes(secret)
    if raw is None:
        raise ConfigurationError(UNENCODABLE.format(name))
    if raw == DEFAULT_SECRET.encode():
        raise ConfigurationError(PUBLIC.format(name))
    if len(raw) < LEAST_BYTES and not allow_short_secret:
        raise ConfigurationError(SHORT.format(name))
    try:
        return Key.from_secret(raw, allow_short_secret=allow_short_secret)
    except InvalidKeyError as error:
        raise ConfigurationError(f"{name}: {error}") from None


def session_secrets(
    current: str, previous: Iterable[str], *, allow_short_secret: bool
) -> list[SessionSecret]:
    """Return the secrets, prepared, the one in use first.

    Raises:
        ConfigurationError: One must not be used.
    """
    if isinstance(previous, str):
        raise ConfigurationError("previous must be several secrets, not one text")
    every = [current, *previous]
    for secret in every:
        signing_key(secret, allow_short_secret=allow_short_secret)
    return [SessionSecret(secret) for secret in every]


def _listed(text: str) -> list[str]:
    """Return the values of the list; each entry is ``<version>:<secret>``."""
    if not text:
        return []
    values, versions = [], []
    for entry in text.split(","):
        version, _, value = entry.partition(":")
        found = VERSION.match(version)
        if found is None or not value.strip():
            raise ConfigurationError(WRONG_LIST)
        versions.append(int(found[1]))
        values.append(value.strip())
    if len(set(versions)) < len(versions):
        raise ConfigurationError(WRONG_LIST)
    return values
