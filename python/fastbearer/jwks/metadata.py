"""What an issuer says of itself: OpenID Connect Discovery 1.0, and RFC 8414."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from fastbearer.errors import ConfigurationError
from fastbearer.jwks.fetch import FetchError
from fastbearer.jwks.key_documents import read_json
from fastbearer.urls import check_url, read_url, without_query

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "check_issuer",
    "issuer_of",
    "keys_url",
    "metadata_urls",
    "named_url",
    "read_metadata",
]

OPENID = "/.well-known/openid-configuration"
OAUTH = "/.well-known/oauth-authorization-server"

SHOWN = 200
"""Characters of another's issuer that a log may have."""

WITH_QUERY = "the issuer must have no query or fragment (RFC 8414 2)"
NO_URL = "its discovery document has no {}"
UNLESS = "(unless allow_http=True or JWT_ALLOW_HTTP=1 says so)"
OF_THIS_MACHINE = f"{{}} is of this machine, and the issuer is not {UNLESS}"
DOWNGRADE = f"{{}} is http, and the issuer is https {UNLESS}"


class NotMetadataError(FetchError):
    """Not a document of an issuer at all: there may be one elsewhere."""


def check_issuer(issuer: str, *, allow_http: bool) -> None:
    """Refuse an issuer that cannot be discovered.

    Raises:
        ConfigurationError: It is not one that may be discovered.
    """
    check_url(issuer, allow_http=allow_http, name="the issuer")
    if "?" in issuer or "#" in issuer:
        raise ConfigurationError(WITH_QUERY)
    own = issuer_of(issuer)
    if own is not None:
        raise ConfigurationError(
            f"the issuer is the URL of its discovery document: set it to {own}"
        )


def issuer_of(url: str) -> str | None:
    """Return the issuer that has its discovery document at a URL, if one may."""
    parts = read_url(url)
    if parts is None:
        return None
    if parts.path.rstrip("/").endswith(OPENID):
        return parts.origin + parts.path.rstrip("/").removesuffix(OPENID)
    if f"{parts.path}/".startswith(f"{OAUTH}/"):
        return parts.origin + parts.path.removeprefix(OAUTH)
    return None


def metadata_urls(issuer: str) -> tuple[str, str]:
    """Return where the document of an issuer may be.

    OpenID Connect Discovery 1.0 4.1 appends to the path, RFC 8414 3.1 inserts before
    it; both leave out a slash at its end.
    """
    parts = read_url(issuer)
    path = "" if parts is None else parts.path
    base = issuer.removesuffix(path) if path else issuer
    path = path.removesuffix("/")
    return f"{base}{path}{OPENID}", f"{base}{OAUTH}{path}"


def read_metadata(body: bytes, issuer: str) -> Mapping[str, Any]:
    """Return the metadata of an issuer.

    Raises:
        NotMetadataError: It is something else.
        FetchError: It is of another issuer.
    """
    try:
        members = read_json(body)
    except FetchError as error:
        raise NotMetadataError(str(error)) from None
    found = members.get("issuer")
    if not isinstance(found, str):
        raise NotMetadataError("a JSON object without issuer")
    # OpenID Connect Discovery 1.0 4.3, RFC 8414 3.3: identical, not normalised.
    if found != issuer:
        raise FetchError(_difference(found, issuer))
    return MappingProxyType(members)


def keys_url(metadata: Mapping[str, Any], issuer: str, *, allow_http: bool) -> str:
    """Return where the keys of an issuer are; another host may have them.

    Raises:
        FetchError: It does not say, or they may not be fetched.
    """
    return named_url("jwks_uri", metadata, issuer, allow_http=allow_http)


def named_url(
    member: str, metadata: Mapping[str, Any], issuer: str, *, allow_http: bool
) -> str:
    """Return a URL that an issuer names, and that may be asked.

    No issuer but this machine has a say in what is asked here, and none that is asked
    with https sends what is secret over http.

    Args:
        member: The member of the document that has the URL.
        metadata: What the issuer says.
        issuer: The issuer.
        allow_http: Whether http may leave this machine.

    Raises:
        FetchError: It names none, or one that may not be asked.
    """
    url = metadata.get(member)
    if url is None:
        raise FetchError(NO_URL.format(member))
    name = f"the {member} of its discovery document"
    try:
        to_itself = check_url(url, allow_http=allow_http, name=name)
    except ConfigurationError as error:
        raise FetchError(str(error)) from None
    here, there = read_url(issuer), read_url(url)
    is_local = here is not None and here.reaches_this_machine
    if to_itself and not (is_local or allow_http):
        raise FetchError(OF_THIS_MACHINE.format(name))
    is_safe = here is not None and here.scheme == "https"
    if is_safe and there is not None and there.scheme == "http" and not allow_http:
        raise FetchError(DOWNGRADE.format(name))
    return str(url)


def _difference(found: str, issuer: str) -> str:
    """Say how two issuers differ, which is often not easy to see."""
    parts = read_url(found)
    is_plain = parts is not None and not parts.has_user and not set("?#") & set(found)
    shown = found if is_plain else without_query(found)
    how = ""
    if found.rstrip("/") == issuer.rstrip("/"):
        how = ", which differ in the slash at the end"
    elif found.lower() == issuer.lower():
        how = ", which differ in upper and lower case"
    return (
        f'its discovery document is of the issuer "{shown[:SHOWN]}", '
        f'not of "{issuer[:SHOWN]}"{how}'
    )
