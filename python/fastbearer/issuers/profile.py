"""What a profile of an identity provider is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta
    from os import PathLike
    from ssl import SSLContext
    from typing import Self

    from fastbearer import Key, KeySet
    from fastbearer.jwks import JWKSClient

__all__ = ["Options", "Profile", "Texts", "URLOptions"]

Texts = str | Iterable[str]
"""One string, or several of which one will do."""

LEEWAY = 10
"""Seconds by which a provider's clock may differ from ours: enough for machines that
follow NTP, and little against what a token lives (RFC 7519 4.1.4)."""


class Options(TypedDict, total=False):
    """Fields of an issuer that win over those of a profile.

    ``require`` and ``required`` are added to what the profile requires.
    """

    keys: str | Key | KeySet | Iterable[Key] | JWKSClient | None
    ignore_audience: bool
    algorithms: Iterable[str] | None
    leeway: float | timedelta
    typ: str | Iterable[str | None] | None
    require_kid: bool
    require: Iterable[str | tuple[str, ...]]
    required: Mapping[str, Any]
    user_claim: Texts
    email_claim: Texts
    scope_claims: Texts
    role_claims: Texts
    max_bytes: int
    allow_http: bool
    headers: Mapping[str, str] | None
    ssl_context: SSLContext | str | PathLike[str] | None
    introspect: Any


class URLOptions(Options, total=False):
    """Those, and the ``iss`` itself."""

    url: Texts


class Profile:
    """Base of the classes that have a method for each provider."""

    __slots__ = ()

    @classmethod
    def _made(cls, options: Mapping[str, Any], **row: Any) -> Self:
        """Return the issuer of a row of the table, with what overrides it."""
        make: Callable[..., Self] = cls
        given = {"leeway": LEEWAY, "user_claim": "sub", **row, **options}
        # Who asks for more does not ask for less: exp stays, and what tells access
        # tokens from others.
        needed, more = row.get("require", ("exp",)), options.get("require", ())
        if isinstance(more, Iterable) and not isinstance(more, str):
            given["require"] = (*needed, *more)
        values, others = row.get("required", {}), options.get("required", {})
        if isinstance(others, Mapping):
            given["required"] = {**values, **others}
        return make(**given)
