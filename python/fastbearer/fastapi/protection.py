"""What one configuration says of itself, and asks of tokens beside their claims."""

from __future__ import annotations

import logging
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from fastbearer.errors import (
    BoundTokenError,
    ConfigurationError,
    StoreUnavailableError,
)
from fastbearer.fastapi.challenges import PLAIN, Challenges, answer_to
from fastbearer.fastapi.dpop import DPoP, Proofs
from fastbearer.fastapi.redis_source import needed
from fastbearer.fastapi.replays import MemoryReplays, RedisReplays, ReplayStore
from fastbearer.fastapi.resource import Resource
from fastbearer.issuers.binding import check_unbound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping

    from fastbearer.connections.redis import RedisSource
    from fastbearer.fastapi.settings import Settings

__all__ = ["BoundTokens", "Protection"]

BoundTokens = Literal["refuse", "bearer"]

NO_PROOFS = "Proofs cannot be checked at the moment. Please try again."

TWO_RESOURCES = "RESOURCE_URL beside Auth(resource=...): one of them would be ignored"
TWO_PROOFS = "DPOP beside Auth(dpop=...): one of them would be ignored"
WRONG_BOUND_TOKENS = 'bound_tokens must be "refuse" or "bearer"'
NO_DOWNGRADE = (
    "with DPoP, bound tokens cannot be accepted as bearer tokens (RFC 9449 7.2):"
    ' leave out bound_tokens="bearer"'
)
NO_COOKIES = (
    "AUTH_COOKIE=1 with DPoP required: a cookie has no proof of possession, so"
    " nobody could sign in"
)
NO_RESOURCE = (
    "this service has no URL that its metadata could name: set RESOURCE_URL, or give"
    " Auth(resource=Resource(...))"
)


logger: logging.Logger = logging.getLogger("fastbearer")


class Protection:
    """The resource, the proofs and the challenges of an ``Auth``.

    Args:
        settings: Gives the settings, when they are needed.
        resource: In place of the settings' one.
        dpop: In place of the settings'.
        bound_tokens: In place of the settings'.
        clock: In place of the system's.
        redis: Returns where Redis is, when that is needed.

    Raises:
        ConfigurationError: ``bound_tokens`` is neither.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        *,
        resource: Resource | None = None,
        dpop: DPoP | None = None,
        bound_tokens: BoundTokens | None = None,
        clock: Callable[[], float] | None = None,
        redis: Callable[[], RedisSource | None] = lambda: None,
    ) -> None:
        if bound_tokens not in (None, "refuse", "bearer"):
            raise ConfigurationError(WRONG_BOUND_TOKENS)
        self._settings = settings
        self._resource = resource
        self._dpop = dpop
        self._bound_tokens = bound_tokens
        self._clock = clock
        self._redis = redis

    def check(self) -> None:
        """Read all that is configured, so that a mistake stops the start.

        Raises:
            ConfigurationError: It contradicts itself.
        """
        settings = self._settings()
        if self._resource is not None and settings.resource_url is not None:
            raise ConfigurationError(TWO_RESOURCES)
        if self._dpop is not None and settings.dpop != "off":
            raise ConfigurationError(TWO_PROOFS)
        if self.dpop is not None:
            if self.takes_bound_tokens:
                raise ConfigurationError(NO_DOWNGRADE)
            if self.dpop.required and settings.auth_cookie:
                raise ConfigurationError(NO_COOKIES)
        _ = self.proofs

    def set_clock(self, clock: Callable[[], float] | None) -> None:
        """Tell the time by another clock from now on."""
        self._clock = clock
        vars(self).pop("proofs", None)

    @cached_property
    def resource(self) -> Resource | None:
        """What is told to clients about this service, or None.

        Raises:
            ConfigurationError: The settings are not fit for use.
        """
        settings = self._settings()
        if self._resource is not None or settings.resource_url is None:
            return self._resource
        return Resource(
            settings.resource_url,
            scopes_supported=settings.scopes_of_resource(),
            name=settings.resource_name,
        )

    def needed_resource(self) -> Resource:
        """Return the resource.

        Raises:
            ConfigurationError: There is none.
        """
        if self.resource is None:
            raise ConfigurationError(NO_RESOURCE)
        return self.resource

    @cached_property
    def dpop(self) -> DPoP | None:
        """How bound tokens are accepted, or None.

        Raises:
            ConfigurationError: The settings are not fit for use.
        """
        settings = self._settings()
        if self._dpop is not None or settings.dpop == "off":
            return self._dpop
        secret = settings.dpop_nonce_secret.get_secret_value()
        replays: ReplayStore = MemoryReplays()
        if settings.dpop_replays == "redis":
            replays = RedisReplays(needed(self._redis()))
        return DPoP(
            required=settings.dpop == "required",
            base_url=settings.dpop_base_url,
            nonce_secret=secret or None,
            replays=replays,
        )

    @cached_property
    def proofs(self) -> Proofs | None:
        """What checks the proofs of requests, or None where there are none."""
        if self.dpop is None:
            return None
        origin = None if self.resource is None else self.resource.origin
        return Proofs(self.dpop, origin=origin, clock=self._clock)

    @property
    def needs_proof(self) -> bool:
        """Whether tokens are accepted with a proof alone."""
        return self.dpop is not None and self.dpop.required

    @property
    def challenges(self) -> Challenges:
        """What is said to a client that is refused, whether or not settings are fit."""
        try:
            return self._challenges
        except ConfigurationError:
            return PLAIN

    @cached_property
    def _challenges(self) -> Challenges:
        resource, dpop = self.resource, self.dpop
        return Challenges(
            None if resource is None else resource.metadata_url,
            () if resource is None else resource.first_scopes,
            () if dpop is None else tuple(dpop.algorithms),
            needs_proof=self.needs_proof,
        )

    def check_unproven(self, claims: Mapping[str, Any]) -> None:
        """Refuse a bound token that came without a proof.

        Raises:
            BoundTokenError: It is one, and such are not accepted.
        """
        if not self.takes_bound_tokens:
            check_unbound(claims)

    @staticmethod
    def refuse_unproven(token: str) -> NoReturn:
        """Refuse a token that came without a proof, where each needs one.

        Raises:
            BoundTokenError: In any case.
        """
        raise BoundTokenError("a token needs a proof of possession here", "no_proof")

    async def check_proof(
        self, scope: MutableMapping[str, Any], token: str, claims: Mapping[str, Any]
    ) -> None:
        """Check the proof of a request, where there can be any.

        Raises:
            BoundTokenError, InvalidProofError: As in `Proofs`.
            HTTPException: 503 while it cannot be told.
        """
        assert self.proofs is not None  # noqa: S101 - nobody comes here otherwise
        try:
            await self.proofs.check(scope, token, claims)
        except StoreUnavailableError as error:
            logger.error("proof not checked: %s", error.__cause__ or error)
            raise answer_to(error, NO_PROOFS) from error

    async def aclose(self) -> None:
        """Close the connections of the store of used proofs, if it has any."""
        close = getattr(self.dpop and self.dpop.replays, "aclose", None)
        if close is not None:
            await close()

    @cached_property
    def takes_bound_tokens(self) -> bool:
        """Whether a token that is bound to a key is taken without proof of it."""
        return (self._bound_tokens or self._settings().bound_tokens) == "bearer"
