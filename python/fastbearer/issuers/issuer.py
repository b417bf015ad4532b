"""One issuer of tokens."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fastbearer.issuers.profiles import Profiles

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import timedelta
    from ssl import SSLContext

    from fastbearer import Key, KeySet
    from fastbearer.jwks import JWKSClient

__all__ = ["Issuer"]


@dataclass(frozen=True, eq=False)
class Issuer(Profiles):
    """Who issues tokens: its keys, and what its tokens must have.

    Attributes:
        url: The ``iss`` of its tokens, compared exactly; several where an issuer
            writes several. None for the shared secret: tokens without ``iss``.
        keys: Where its keys are: the URL of a JWK Set, the keys themselves, or a client
            of your own. None for discovery from ``url`` (OpenID Connect Discovery 1.0,
            then RFC 8414).
        audience: What ``aud`` must name, one of several; None for tokens without
            ``aud`` (RFC 7519 4.1.3).
        ignore_audience: Whether ``aud`` may be anything.
        algorithms: The accepted ``alg`` values; None for those of the keys.
        leeway: By how much clocks may differ: seconds, or a timedelta.
        typ: What the header's ``typ`` must be, like ``at+jwt`` (RFC 9068 4); one of
            several, of which None lets it be absent.
        require: Claims that must be there; of a tuple of names, one of them.
        required: Claims that must have a value: name or path -> the value, or a
            collection of the values of which the claim must have one. None among the
            values lets the claim be absent.
        user_claim: The claim that names the user; a path has dots.
        email_claim: The claim with the e-mail.
        scope_claims: The claims that may have the scopes: the first that is there
            counts.
        role_claims: Claims whose texts count as scopes as well; of an object, its
            names.
        max_bytes: Longer tokens are refused before they are read.
        allow_http: Whether keys may come over http from another machine.
        headers: Further headers of requests to the issuer.
        ssl_context: What verifies the issuer's certificate, in place of the system's.
        introspect: How opaque tokens are asked about (RFC 7662).
    """

    url: str | Iterable[str] | None
    keys: str | Key | KeySet | JWKSClient | None = None
    audience: str | Iterable[str] | None = None
    ignore_audience: bool = False
    algorithms: Iterable[str] | None = None
    leeway: float | timedelta = 0
    typ: str | Iterable[str | None] | None = None
    require: Iterable[str | tuple[str, ...]] = ("exp",)
    required: Mapping[str, Any] = field(default_factory=dict)
    user_claim: str = "sub"
    email_claim: str = "email"
    scope_claims: Iterable[str] = ("scope", "scp")
    role_claims: Iterable[str] = ()
    max_bytes: int = 16384
    allow_http: bool = False
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    ssl_context: SSLContext | None = field(default=None, repr=False)
    introspect: Any = None
