"""Origins of URLs."""

from __future__ import annotations

import re

__all__ = ["origin_and_path"]

STANDARD_PORTS = {"http": 80, "https": 443}
URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])"
    r"(:(?P<port>[0-9]{1,5}))?(?P<path>/[!-~]*?)?([?#][!-~]*)?",
    re.ASCII | re.IGNORECASE,
)
"""RFC 3986, without what a browser's origin has not: users, escaped hosts."""


def origin_and_path(url: str) -> tuple[str, str] | None:
    """Return origin and path of a URL of ASCII, or None where it is not one.

    The origin has no default port (RFC 6454 6.1).
    """
    found = URL.fullmatch(url) if isinstance(url, str) and "\\" not in url else None
    if found is None:
        return None
    scheme, host = found["scheme"].lower(), found["host"].lower()
    port = int(found["port"] or STANDARD_PORTS[scheme])
    if port > 65535:
        return None
    if port != STANDARD_PORTS[scheme]:
        host = f"{host}:{port}"
    return f"{scheme}://{host}", found["path"] or ""
