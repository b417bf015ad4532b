"""One issuer of tokens."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any

from fastbearer import Key
from fastbearer.errors import ConfigurationError, InvalidKeyError
from fastbearer.issuers import options
from fastbearer.issuers.profiles import Profiles

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import timedelta
    from os import PathLike
    from ssl import SSLContext
    from typing import Self

    from fastbearer import KeySet
    from fastbearer.jwks import JWKSClient

__all__ = ["Issuer"]

NO_KEYS = "keys: tokens without iss need keys, for there is nothing to discover them by"
NO_AUDIENCE = "audience and ignore_audience exclude each other"
NOTHING_FETCHED = "{}: the keys are given, so that nothing is fetched"
SYMMETRIC = "algorithms: HS256, HS384 and HS512 need a secret, and keys has none"
NONE_LEFT = "algorithms: none of the keys is of such an algorithm"


@dataclass(frozen=True, eq=False)
class Issuer(Profiles):
    """Who issues tokens: its keys, and what its tokens must have.

    The name of a claim may be a path: the whole text is tried as a name first, then
    its parts between dots, each within the object of the one before.

    Attributes:
        url: The ``iss`` of its tokens, compared exactly; several where an issuer
            writes several, of which None lets it be absent. None for tokens without
            ``iss``, as those of a shared secret often are.
        keys: Where its keys are: the URL of a JWK Set, the keys themselves, or a client
            of your own. None for discovery from ``url`` (OpenID Connect Discovery 1.0,
            then RFC 8414).
        audience: What ``aud`` must name, one of several; None for tokens without
            ``aud`` (RFC 7519 4.1.3).
        ignore_audience: Whether ``aud`` may be anything.
        any_issuer: Whether tokens of every ``iss`` that is no other issuer's are this
            one's: for keys that sign for nobody else (RFC 8725 3.8).
        algorithms: The accepted ``alg`` values; None for those of the keys.
        leeway: By how much clocks may differ: seconds, or a timedelta.
        typ: What the header's ``typ`` must be, like ``at+jwt`` (RFC 9068 4); one of
            several, of which None lets it be absent.
        require_kid: Whether the header must name its key.
        require: Claims that must be there; of a tuple of names, one of them. Where
            one is a user's claim, it must be a string that is not empty.
        required: Claims that must have a value: name -> the value, or a collection of
            the values of which the claim must have one. None among the values lets
            the claim be absent.
        user_claim: The claim that names the user; of several the first that is a string
            and not empty.
        email_claim: The claim with the e-mail; one of several likewise.
        scope_claims: The claims that may have the scopes: the first that is there
            counts.
        role_claims: Claims whose strings count as scopes as well; of an object, its
            names.
        max_bytes: Longer tokens are refused before they are read.
        allow_http: Whether keys may come over http from another machine.
        headers: Further headers of requests to the issuer.
        ssl_context: What verifies the issuer's certificate, in place of the system's:
            a context, or a file of CA certificates in PEM.
        introspect: How opaque tokens are asked about (RFC 7662).

    Raises:
        ConfigurationError: A field has a value that makes no sense; the message names
            the field and shows no value.
    """

    url: str | Iterable[str | None] | None
    _: KW_ONLY
    # Neither in the repr: there may be a password in a URL, or a secret's digest.
    keys: str | Key | KeySet | Iterable[Key] | JWKSClient | None = field(
        default=None, repr=False
    )
    audience: str | Iterable[str] | None = None
    ignore_audience: bool = False
    any_issuer: bool = False
    algorithms: Iterable[str] | None = None
    leeway: float | timedelta = 0
    typ: str | Iterable[str | None] | None = None
    require_kid: bool = False
    require: Iterable[str | tuple[str, ...]] = ("exp",)
    required: Mapping[str, Any] = field(default_factory=dict)
    user_claim: str | Iterable[str] = ("sub", "user_id")
    email_claim: str | Iterable[str] = "email"
    scope_claims: str | Iterable[str] = ("scope", "scp")
    role_claims: str | Iterable[str] = ()
    max_bytes: int = 16384
    allow_http: bool = False
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    ssl_context: SSLContext | str | PathLike[str] | None = field(
        default=None, repr=False
    )
    introspect: Any = None

    def __post_init__(self) -> None:
        """Judge the fields, and keep each in one form: tuples, and seconds."""
        for name, judge in JUDGES.items():
            object.__setattr__(self, name, judge(name, getattr(self, name)))
        self._check_audience()
        self._check_keys()

    @classmethod
    def secret(
        cls,
        secret: str | bytes,
        issuer: str | Iterable[str | None] | None = None,
        audience: str | Iterable[str] | None = None,
        *,
        algorithm: str = "HS256",
        allow_short_secret: bool = False,
        **fields: Any,
    ) -> Self:
        """Return the issuer that shares a secret with us.

        Args:
            secret: Text stands for its UTF-8.
            issuer: The ``iss`` of its tokens, one of several, of which None lets it be
                absent. None for tokens without ``iss``.
            audience: What ``aud`` must name, one of several.
            algorithm: HS256, HS384 or HS512.
            allow_short_secret: Accept a secret of fewer bytes than the hash has.
            fields: Further fields of the issuer.

        Raises:
            ConfigurationError: The secret must not be one, or a field is wrong.
        """
        try:
            key = Key.from_secret(
                secret, algorithm, allow_short_secret=allow_short_secret
            )
        except InvalidKeyError as error:
            raise ConfigurationError(f"secret: {error}") from None
        except TypeError:
            raise ConfigurationError("secret must be text or bytes") from None
        names = options.maybe_absent("issuer", issuer)
        return cls(names, keys=key, audience=audience, **fields)

    @property
    def names(self) -> tuple[str | None, ...]:
        """Every ``iss`` of its tokens; None for tokens without."""
        names: Any = self.url
        return (None,) if names is None else names

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def _check_audience(self) -> None:
        if self.ignore_audience and self.audience is not None:
            raise ConfigurationError(NO_AUDIENCE)

    def _check_keys(self) -> None:
        keys: Any = self.keys
        wanted: Any = self.algorithms
        if keys is None and None in self.names:
            raise ConfigurationError(NO_KEYS)
        is_fetched = keys is None or isinstance(keys, str)
        if is_fetched:
            if wanted and any(one.startswith("HS") for one in wanted):
                raise ConfigurationError(SYMMETRIC)
            return
        if hasattr(keys, "akeys"):
            self._check_unused()
        elif wanted and not any(set(wanted) & set(key.algorithms) for key in keys):
            raise ConfigurationError(NONE_LEFT)
        else:
            self._check_unused()

    def _check_unused(self) -> None:
        """Refuse what would be used for nothing."""
        if self.introspect is not None:
            return
        for name in ("allow_http", "headers", "ssl_context"):
            if getattr(self, name):
                raise ConfigurationError(NOTHING_FETCHED.format(name))


def _maybe_texts(name: str, value: Any) -> tuple[str, ...] | None:
    return None if value is None else options.texts(name, value)


def _texts_or_none(name: str, value: Any) -> tuple[str, ...]:
    return options.texts(name, value, least=0)


def _headers(name: str, value: Any) -> dict[str, str] | None:
    return None if value is None else options.text_items(name, value)


JUDGES: Mapping[str, Any] = {
    "url": options.maybe_absent,
    "keys": options.key_source,
    "audience": _maybe_texts,
    "ignore_audience": options.truth,
    "any_issuer": options.truth,
    "algorithms": options.names_of_algorithms,
    "leeway": options.duration,
    "require_kid": options.truth,
    "require": options.alternatives,
    "typ": options.maybe_absent,
    "required": options.values,
    "user_claim": options.texts,
    "email_claim": _texts_or_none,
    "scope_claims": _texts_or_none,
    "role_claims": _texts_or_none,
    "max_bytes": options.positive,
    "allow_http": options.truth,
    "headers": _headers,
    "ssl_context": options.tls,
}
"""Field -> what judges it, and returns the form in which it is kept."""
