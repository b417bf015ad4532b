"""An API key, and the rules that a stored one must keep."""

from __future__ import annotations

import hmac
import logging
import re
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

from fastbearer._core import json_object
from fastbearer.base64url import base64url_encode
from fastbearer.better_auth.api_keys.limits import Limits, limits_of
from fastbearer.better_auth.fields import cleaned, is_banned
from fastbearer.better_auth.session import moment
from fastbearer.errors import (
    APIKeyPermissionError,
    InvalidAPIKeyError,
    MalformedTokenError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "APIKey",
    "KeyRules",
    "Owner",
    "check_allowed",
    "is_key",
    "stored_form",
    "unreadable",
]

Owner = Literal["user", "organization"]

KEY = re.compile("[!-~]{1,512}")
"""What may come in a header (RFC 9110 5.5), and is no longer than a key ever is."""

FIELDS = (
    "id",
    "configId",
    "name",
    "referenceId",
    "key",
    "enabled",
    "expiresAt",
    "remaining",
    "refillInterval",
    "refillAmount",
    "lastRefillAt",
    "rateLimitEnabled",
    "rateLimitTimeWindow",
    "rateLimitMax",
    "requestCount",
    "lastRequest",
    "createdAt",
    "permissions",
)
DEFAULT = "default"

UNKNOWN = "there is no such API key"
DISABLED = "the API key is disabled"
EXPIRED = "the API key has expired"
NOT_ALLOWED = "the API key does not allow this"
WRONG_OWNER = 'references must be "user" or "organization"'
USED_UP = "the API key has no requests left"
NO_USER = "the user of the API key is not there any more, or is banned"
LIMITED = (
    "the API key has a limit on its requests, which a store that writes nothing"
    " cannot count: may_write=True, or rate_limit=False where the server has none"
)

logger: logging.Logger = logging.getLogger("fastbearer")


@dataclass(frozen=True)
class APIKey:
    """A good API key; not the key itself, which is in no attribute.

    Attributes:
        id: Of its row.
        owner_id: The ``referenceId``: the user or the organization it belongs to.
        owner: Which of them that is.
        config_id: The configuration of the plugin that it was made with.
        name: What its owner calls it, or None.
        permissions: Resource -> the actions that are allowed.
        expires_at: When it ends, in UTC, or None.
        user: The fields of the user, where the store has them.
    """

    id: str
    owner_id: str
    owner: Owner
    config_id: str
    name: str | None
    permissions: Mapping[str, frozenset[str]]
    expires_at: datetime | None
    user: Mapping[str, Any] = field(default_factory=dict)

    @property
    def user_id(self) -> str | None:
        """The user's id; None for the key of an organization."""
        return self.owner_id if self.owner == "user" else None

    def allows(self, permissions: Mapping[str, Iterable[str]]) -> bool:
        """Tell whether every action on every resource is allowed."""
        return all(
            set(actions) <= self.permissions.get(resource, frozenset())
            for resource, actions in permissions.items()
        )


def check_allowed(key: APIKey, permissions: Mapping[str, Iterable[str]] | None) -> None:
    """Refuse what a good key does not allow.

    Args:
        key: The key.
        permissions: Resource -> actions.

    Raises:
        APIKeyPermissionError: One of them is not allowed.
    """
    if permissions and not key.allows(permissions):
        raise APIKeyPermissionError(NOT_ALLOWED)


def is_key(value: object) -> bool:
    """Tell whether a value may be a key at all."""
    return isinstance(value, str) and KEY.fullmatch(value) is not None


def stored_form(key: str, *, hashed: bool) -> str:
    """Return what the plugin stores of a key: its SHA-256, unless told otherwise."""
    if not hashed:
        return key
    return base64url_encode(sha256(key.encode()).digest()).decode()


@dataclass(frozen=True)
class KeyRules:
    """What a stored key must be.

    Attributes:
        config_id: The configuration whose keys are taken.
        owner: Whom keys of that configuration belong to.
        rate_limit: Whether its rate limit is on.
        counts: Whether the store can count requests.
    """

    config_id: str = DEFAULT
    owner: Owner = "user"
    rate_limit: bool = True
    counts: bool = False

    def judge(
        self,
        row: Mapping[str, Any],
        stored: str,
        now: float,
        user: Mapping[str, Any] | None = None,
    ) -> APIKey:
        """Return a stored key, if it is good.

        Args:
            row: Field -> what is stored.
            stored: The form in which the key must be stored.
            now: Seconds since the epoch.
            user: The same of its user; empty if there is none, None where the store
                does not have users.

        Raises:
            InvalidAPIKeyError: The key is not good; ``reason`` says why.
        """
        try:
            found, limits = _read(row), limits_of(row)
            is_out = user is not None and (not user or is_banned(user, now))
        except (ValueError, MalformedTokenError) as error:
            raise unreadable(error) from None
        # Databases have ideas of their own about what is equal.
        own = str(found["key"]).encode("utf-8", "surrogatepass")
        if not hmac.compare_digest(own, stored.encode()):
            raise refused(UNKNOWN, "api_key_unknown")
        if (found["configId"] or DEFAULT) != self.config_id:
            raise refused(UNKNOWN, "api_key_configuration")
        if found["enabled"] is False:
            raise refused(DISABLED, "api_key_disabled")
        expires_at = found["expiresAt"]
        if expires_at is not None and expires_at.timestamp() <= now:
            raise refused(EXPIRED, "api_key_expired")
        if is_out:
            raise refused(NO_USER, "api_key_owner")
        if limits.remaining == 0 and found["refillAmount"] is None:
            raise refused(USED_UP, "api_key_used_up")
        if not self.counts and self.is_limited(limits):
            raise refused(LIMITED, "api_key_limited")
        return APIKey(
            found["id"],
            found["referenceId"],
            self.owner,
            self.config_id,
            found["name"],
            found["permissions"],
            expires_at,
            user or {},
        )

    def is_limited(self, limits: Limits) -> bool:
        """Tell whether requests with a key have to be counted."""
        return limits.remaining is not None or self.is_rate_limited(limits)

    def is_rate_limited(self, limits: Limits) -> bool:
        """Tell whether a key has a rate limit that is on."""
        return self.rate_limit and limits.window is not None


def _read(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a row, each of its type.

    Raises:
        ValueError: A field has a value of another kind; the message names the field.
        MalformedTokenError: The permissions are not strict JSON.
    """
    found = dict.fromkeys(FIELDS) | cleaned(row, FIELDS)
    for name in ("id", "referenceId", "key"):
        if not (isinstance(found[name], str) and found[name]):
            raise ValueError(f"{name} is not what Better Auth stores")
    for name in ("configId", "name"):
        if not isinstance(found[name], (str, type(None))):
            raise ValueError(f"{name} is not what Better Auth stores")
    if found["expiresAt"] is not None:
        found["expiresAt"] = moment(found["expiresAt"])
    found["permissions"] = _permissions(found["permissions"])
    return found


def _permissions(stored: Any) -> dict[str, frozenset[str]]:
    """Return the permissions: JSON of resource -> list of actions."""
    if stored is None or stored == "":
        return {}
    if not isinstance(stored, str):
        raise ValueError("permissions is not what Better Auth stores")
    found = json_object(stored)
    for actions in found.values():
        is_list = isinstance(actions, list)
        if not (is_list and all(isinstance(action, str) for action in actions)):
            raise ValueError("permissions is not what Better Auth stores")
    return {resource: frozenset(actions) for resource, actions in found.items()}


def unreadable(error: Exception) -> InvalidAPIKeyError:
    """Return the error of a row that cannot be read, and log that."""
    logger.error("a stored API key cannot be read: %s", error)
    return refused(UNKNOWN, "api_key_unreadable")


def refused(text: str, reason: str) -> InvalidAPIKeyError:
    """Return the error of a key that is not accepted."""
    error = InvalidAPIKeyError(text)
    error.reason = reason
    return error
