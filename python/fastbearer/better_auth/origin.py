"""Origins of URLs."""

from __future__ import annotations

from urllib.parse import urlsplit

__all__ = ["origin_and_path"]

STANDARD_PORTS = {"http": 80, "https": 443}


def origin_and_path(url: str) -> tuple[str, str] | None:
    """Return origin and path of a URL of ASCII, or None where it is not one.

    The origin has no default port (RFC 6454 6.1).
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not (
        url.isascii() and url.isprintable() and host and parts.scheme in STANDARD_PORTS
    ):
        return None
    host = f"[{host}]" if ":" in host else host
    if port is not None and port != STANDARD_PORTS[parts.scheme]:
        host = f"{host}:{port}"
    return f"{parts.scheme}://{host}", parts.path
