"""An API key of Better Auth's plugin, as a dependency.

No ``from __future__ import annotations`` here: FastAPI has to see the real class in
the signature of ``__call__``.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from fastapi import HTTPException
from fastapi.openapi.models import APIKey as Scheme
from fastapi.openapi.models import APIKeyIn
from fastapi.openapi.models import SecurityBase as SecurityScheme
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection
from starlette.types import Scope

from fastbearer.better_auth.api_keys import APIKey, APIKeyStore
from fastbearer.better_auth.api_keys.key import check_allowed
from fastbearer.errors import (
    ConfigurationError,
    FastbearerError,
    InvalidAPIKeyError,
    StoreUnavailableError,
    TokenError,
    TooManyAttemptsError,
)
from fastbearer.fastapi.challenges import NOT_AUTHENTICATED, answer_to
from fastbearer.fastapi.once import once
from fastbearer.fastapi.refusal_log import log_token_error
from fastbearer.fastapi.token_header import TokenHeader

__all__ = ["BetterAuthAPIKey", "better_auth_api_key"]

CHALLENGE = {"WWW-Authenticate": 'APIKey realm="fastbearer"'}
"""RFC 9110 15.5.2 asks for one; there is no scheme for such headers but this name."""

TWO_KEYS = "More than one API key"
NO_LOOK_UP = "API keys cannot be looked up at the moment. Please try again."
WRONG_PERMISSIONS = "permissions are resource -> list of actions"

logger: logging.Logger = logging.getLogger("fastbearer")


class Verdict(NamedTuple):
    """What a store says of a key.

    Attributes:
        found: The key, or why it is refused.
        permissions: What the store was asked for.
    """

    found: APIKey | FastbearerError
    permissions: Mapping[str, tuple[str, ...]]


class BetterAuthAPIKey(SecurityBase):
    """Finds the API key of a request, in a header.

    Serves HTTP and WebSocket routes alike; compared and hashed by identity, which
    ``dependency_overrides`` relies on. See `better_auth_api_key` for the arguments.
    """

    def __init__(
        self,
        store: APIKeyStore,
        *,
        permissions: Mapping[str, Iterable[str]] | None,
        header: str | Iterable[str],
        optional: bool,
    ) -> None:
        names = [header] if isinstance(header, str) else list(header)
        if not names:
            raise ConfigurationError("header must name one header at least")
        headers = [TokenHeader(name, scheme=None).name for name in names]
        self._store = store
        self._permissions = _checked(permissions or {})
        self._headers = frozenset(name.lower().encode() for name in headers)
        self._is_optional = optional
        named = {"in": APIKeyIn.header, "name": headers[0]}
        self.model: SecurityScheme = Scheme.model_validate(named)
        self.scheme_name = "BetterAuthAPIKey"

    async def __call__(self, conn: HTTPConnection) -> APIKey | None:
        """Return the key; 401 without a good one, 403 without the permissions."""
        given = {v for name, v in conn.scope["headers"] if name in self._headers and v}
        if not given:
            if self._is_optional:
                return None
            raise HTTPException(401, NOT_AUTHENTICATED, headers=CHALLENGE)
        if len(given) > 1:
            raise HTTPException(400, TWO_KEYS)
        try:
            return await self._verified(conn.scope, given.pop().decode("latin-1"))
        except StoreUnavailableError as error:
            logger.error("API key not looked up: %s", error.__cause__ or error)
            raise answer_to(error, NO_LOOK_UP) from error
        except (TokenError, TooManyAttemptsError) as error:
            log_token_error(error, str(error), "API key")
            raise _refusal(error) from error

    async def _verified(self, scope: Scope, key: str) -> APIKey:
        """Return a good key, whose request is counted once."""
        # The store may be somebody else's, and then perhaps not hashable.
        what = (BetterAuthAPIKey, id(self._store), key)
        verdict = await once(scope, what, lambda: self._judge(key))
        if isinstance(verdict.found, FastbearerError):
            raise verdict.found
        if verdict.permissions != self._permissions:
            check_allowed(verdict.found, self._permissions)
        return verdict.found

    async def _judge(self, key: str) -> Verdict:
        """Ask the store; what counts nothing is no verdict, and is raised."""
        found: APIKey | FastbearerError
        try:
            found = await self._store.verify(key, permissions=self._permissions)
        except (InvalidAPIKeyError, TooManyAttemptsError) as refused:
            found = refused
        return Verdict(found, self._permissions)


def better_auth_api_key(
    store: APIKeyStore,
    *,
    permissions: Mapping[str, Iterable[str]] | None = None,
    header: str | Iterable[str] = "x-api-key",
    optional: bool = False,
) -> BetterAuthAPIKey:
    """Return a dependency: the API key of a request, or 401.

    For ``Depends(better_auth_api_key(keys))``. Make it once: each is a dependency of
    its own. Several over one store count a request once, and each asks for its own
    permissions. A key that does not have them is a 403, one that has reached its limit
    a 429, and while the store cannot be reached it is a 503.

    Args:
        store: Where keys are looked up: ``SQLAPIKeys``, ``RedisAPIKeys``, or your own.
        permissions: Resource -> actions that the key must allow.
        header: The header that has the key, or several, as the plugin's
            ``apiKeyHeaders`` has them.
        optional: Whether the key is None where none came.

    Raises:
        ConfigurationError: ``header`` or ``permissions`` makes no sense.
    """
    return BetterAuthAPIKey(
        store, permissions=permissions, header=header, optional=optional
    )


def _checked(permissions: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    # A text is iterable as well: its letters would be actions.
    if not isinstance(permissions, Mapping):
        raise ConfigurationError(WRONG_PERMISSIONS)
    if any(isinstance(actions, (str, bytes)) for actions in permissions.values()):
        raise ConfigurationError(WRONG_PERMISSIONS)
    return {resource: tuple(actions) for resource, actions in permissions.items()}


def _refusal(error: FastbearerError) -> HTTPException:
    """Return the response; a Bearer challenge would ask for the wrong thing."""
    answer = answer_to(error)
    if answer.status_code == 401:
        return HTTPException(401, answer.detail, headers=CHALLENGE)
    return answer
