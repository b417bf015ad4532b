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

__all__ = ["check_issuer", "issuer_of", "keys_url", "metadata_urls", "read_metadata"]

OPENID = "/.well-known/openid-configuration"
OAUTH = "/.well-known/oauth-authorization-server"

SHOWN = 200
"""Characters of another's issuer that a log may have."""

WITH_QUERY = "the issuer must have no query or fragment (RFC 8414 2)"
NO_KEYS_URL = "its discovery document has no jwks_uri"
OF_THIS_MACHINE = "the jwks_uri of its discovery document is of this machine"


class NotMetadataError(FetchError):
    """Not a document of an issuer at all: there may be one elsewhere."""


def check_issuer(issuer: str, *, allow_http: bool) -> bool:
    """Return whether an issuer that is to be discovered is this machine.

    Raises:
        ConfigurationError: It is not one that may be discovered.
    """
    is_local = check_url(issuer, allow_http=allow_http, name="the issuer")
    if "?" in issuer or "#" in issuer:
        raise ConfigurationError(WITH_QUERY)
    own = issuer_of(issuer)
    if own is not None:
        raise ConfigurationError(
            f"the issuer is the URL of its discovery document: set it to {own}"
        )
    return is_local


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


def keys_url(metadata: Mapping[str, Any], *, allow_http: bool, is_local: bool) -> str:
    """Return where the keys of an issuer are; another host may have them.

    Args:
        metadata: What the issuer says.
        allow_http: Whether http may leave this machine.
        is_local: Whether the issuer is this machine: no other issuer has a say in
            what is asked here.

    Raises:
        FetchError: It does not say, or they may not be fetched.
    """
    url = metadata.get("jwks_uri")
    if url is None:
        raise FetchError(NO_KEYS_URL)
    name = "the jwks_uri of its discovery document"
    try:
        to_itself = check_url(url, allow_http=allow_http, name=name)
    except ConfigurationError as error:
        raise FetchError(str(error)) from None
    if to_itself and not (is_local or allow_http):
        raise FetchError(OF_THIS_MACHINE)
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
