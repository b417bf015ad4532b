"""What a URL is: read once, for origins and for places to fetch from."""

from __future__ import annotations

import re
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

from fastbearer.errors import ConfigurationError

__all__ = [
    "MAX_CHARACTERS",
    "URL",
    "check_url",
    "origin_and_path",
    "read_url",
    "without_query",
]

STANDARD_PORTS = {"http": 80, "https": 443}
HTTP_URL = re.compile(
    r"(?P<scheme>https?)://(?P<user>[^\s/?#]*@)?"
    r"(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])"
    r"(:(?P<port>[0-9]{1,5}))?(?P<path>/[!\"$->@-~]*)?([?#][!-~]*)?",
    re.ASCII | re.IGNORECASE,
)
"""RFC 3986 without escaped hosts, which no browser's origin has either. No character
can be of two parts, so that anything else is refused in linear time."""

MAX_CHARACTERS = 8000
"""What everybody has to support (RFC 9110 4.1). Longer ones are not read at all: they
may come in a discovery document, or in the header of a request."""


class URL(NamedTuple):
    """An absolute http or https URL of ASCII.

    Attributes:
        scheme: In lower case.
        host: In lower case; an address of IPv6 in its brackets.
        port: The standard one where the URL names none.
        path: Without query and fragment; may be empty.
        has_user: Whether it has a user or a password in it.
    """

    scheme: str
    host: str
    port: int
    path: str
    has_user: bool

    @property
    def origin(self) -> str:
        """The origin, without a standard port (RFC 6454 6.1)."""
        is_standard = self.port == STANDARD_PORTS[self.scheme]
        return f"{self.scheme}://{self.host}" + ("" if is_standard else f":{self.port}")

    @property
    def is_loopback(self) -> bool:
        """Whether its host is this machine: RFC 6761 6.3 has names below localhost.

        That allows something, so other spellings of this machine do not count.
        """
        try:
            return ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return f".{self.host.removesuffix('.')}".endswith(".localhost")

    @property
    def reaches_this_machine(self) -> bool:
        """Whether its host is this machine in any spelling that leads there.

        A name that the DNS gives such an address is not found out.
        """
        address = _address(self.host)
        if address is None:
            return self.is_loopback
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return address.is_loopback or address.is_unspecified


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """Return the address that a host is, as resolvers read it, or None for a name.

    They take ``127.1``, ``0x7f000001`` and ``017700000001`` for addresses, too.
    """
    try:
        if host.startswith("["):
            return ip_address(host.strip("[]"))
        return IPv4Address(socket.inet_aton(host.removesuffix(".")))
    except (OSError, ValueError):
        return None


def read_url(url: str) -> URL | None:
    """Return the parts of a URL, or None where it is not such a one.

    A backslash is refused anywhere: browsers take it for a slash (WHATWG URL 4.4).
    """
    if not isinstance(url, str) or len(url) > MAX_CHARACTERS or "\\" in url:
        return None
    found = HTTP_URL.fullmatch(url)
    if found is None:
        return None
    scheme = found["scheme"].lower()
    port = int(found["port"] or STANDARD_PORTS[scheme])
    if port > 65535:
        return None
    has_user = found["user"] is not None
    return URL(scheme, found["host"].lower(), port, found["path"] or "", has_user)


def origin_and_path(url: str) -> tuple[str, str] | None:
    """Return origin and path of a URL, or None where it is not one.

    An origin has no user in it, so neither may the URL.
    """
    found = read_url(url)
    if found is None or found.has_user:
        return None
    return found.origin, found.path


def check_url(
    url: str, *, allow_http: bool = False, name: str = "the JWKS URL"
) -> bool:
    """Return whether a URL that is to be fetched leads to this machine.

    Args:
        url: The URL.
        allow_http: Whether http may leave this machine.
        name: What the URL is called in a message.

    Raises:
        ConfigurationError: It is not one that may be fetched. The message does
            not repeat it: there may be a password in it.
    """
    found = read_url(url)
    if found is None:
        raise ConfigurationError(f"{name} is not an absolute URL of ASCII, https://...")
    if found.has_user:
        raise ConfigurationError(f"{name} must have no user or password in it")
    if found.scheme != "https" and not allow_http and not found.is_loopback:
        raise ConfigurationError(
            f"{name} must be https (http only for this machine itself, "
            "or where allow_http=True or JWT_ALLOW_HTTP=1 says so)"
        )
    return found.reaches_this_machine


def without_query(url: str) -> str:
    """Return a URL fit to be shown: queries often have a key in them."""
    found = read_url(url)
    return "a URL" if found is None else f"{found.origin}{found.path}"
