"""What people write down of an identity provider: domains, URLs, segments.

Each function takes the name of the argument, for its message; no message repeats a
value.
"""

from __future__ import annotations

import re

from fastbearer.errors import ConfigurationError
from fastbearer.urls import read_url

__all__ = ["base_url", "origin_of", "segment"]

DISCOVERY = "/.well-known/openid-configuration"
SEGMENT = re.compile(r"[^\s/?#%\\\x00-\x1f\x7f]{1,255}")


def base_url(name: str, value: str) -> str:
    """Return the URL of a domain, or a URL without its last slash.

    The address of the discovery document stands for the issuer. A host without a scheme
    gets ``https``. The host is in lower case and a standard port left out, as providers
    write them in ``iss``.

    Raises:
        ConfigurationError: The value is neither, or has a user or a query in it.
    """
    given = value if isinstance(value, str) else ""
    found = read_url(given if "://" in given else f"https://{given}")
    if found is None or found.has_user or "?" in given or "#" in given:
        raise ConfigurationError(
            f"{name} must be a domain like id.example.com, or its URL, without a query"
        )
    path = found.path.removesuffix(DISCOVERY)
    return f"{found.origin}{path}".rstrip("/")


def origin_of(name: str, value: str) -> str:
    """Like `base_url`, for what has no path.

    Raises:
        ConfigurationError: The value is not a domain or its URL.
    """
    url = base_url(name, value)
    if url.count("/") != 2:
        raise ConfigurationError(
            f"{name} must be a domain like id.example.com, without a path"
        )
    return url


def segment(name: str, value: str) -> str:
    """Return a name that is to be one segment of a URL.

    Raises:
        ConfigurationError: The value is not such a name.
    """
    if not isinstance(value, str) or not SEGMENT.fullmatch(value):
        raise ConfigurationError(f"{name} must be a name, without spaces and slashes")
    return value
