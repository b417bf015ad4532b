"""What a request is made with: its headers, and what verifies certificates."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Callable, Mapping
from functools import cache
from os import PathLike

from fastbearer.errors import ConfigurationError

__all__ = ["TLSContext", "checked_headers", "merged_headers", "tls_context"]

TLSContext = ssl.SSLContext | str | PathLike[str]
"""What verifies certificates, or a file of CA certificates."""

FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""RFC 9110 5.1."""

FIELD_VALUE = re.compile(r"[!-~]([\t -~]*[!-~])?")
"""RFC 9110 5.5, of ASCII."""

FRAMING = frozenset(
    ("accept-encoding", "connection", "content-length", "te", "transfer-encoding")
)
"""Headers that the bounds of an answer depend on."""

WRONG_HEADERS = "headers must be a mapping of names to values, both text"
NO_CHECKS = (
    "ssl_context verifies no certificate, which is no better than http: "
    "allow_http=True says that this is meant"
)
NO_CA_FILE = (
    "ssl_context is neither an ssl.SSLContext nor a file of CA certificates in PEM"
)
OF_SERVERS = "ssl_context is made for servers; use ssl.create_default_context()"
NO_CERTIFICATES = "SSL_CERT_FILE or SSL_CERT_DIR does not name certificates"
NO_EXTRA = 'keys from a URL need the extra jwks: pip install "fastbearer[jwks]"'


def merged_headers(*groups: Mapping[str, str]) -> dict[str, str]:
    """Return all headers, whose names have any case; later ones win."""
    spelled = {name.lower(): name for group in groups for name in group}
    values = {name.lower(): text for group in groups for name, text in group.items()}
    # Those of ours are asked for by their names.
    ours = {"user-agent": "User-Agent", "host": "Host"}
    return {ours.get(name, spelled[name]): text for name, text in values.items()}


def checked_headers(headers: Mapping[str, str] | None) -> Mapping[str, str]:
    """Return headers that may be sent.

    Raises:
        ConfigurationError: One may not; the message has its name, never its value.
    """
    if headers is None:
        return {}
    if not isinstance(headers, Mapping):
        raise ConfigurationError(WRONG_HEADERS)
    for name, value in headers.items():
        if not (isinstance(name, str) and isinstance(value, str)):
            raise ConfigurationError(WRONG_HEADERS)
        if not FIELD_NAME.fullmatch(name):
            raise ConfigurationError("headers has a name that is not one of HTTP")
        if name.lower() in FRAMING:
            raise ConfigurationError(f"headers must not have {name}")
        if not FIELD_VALUE.fullmatch(value):
            raise ConfigurationError(f"headers: the value of {name} is not one of HTTP")
    return dict(headers)


def tls_context(given: TLSContext | None, *, allow_http: bool) -> ssl.SSLContext:
    """Return what verifies certificates.

    Raises:
        ConfigurationError: It cannot, its file cannot be read, or there is no extra.
    """
    default = system_context()
    if given is None:
        return default
    if not isinstance(given, ssl.SSLContext):
        try:
            # An empty path would mean the system's.
            return ssl.create_default_context(cafile=os.fspath(given) or "/")
        except (OSError, TypeError, ValueError) as error:
            kind = type(error).__name__
            raise ConfigurationError(f"{NO_CA_FILE} ({kind})") from None
    if given.protocol == ssl.PROTOCOL_TLS_SERVER:
        raise ConfigurationError(OF_SERVERS)
    if given.verify_mode != ssl.CERT_REQUIRED and not allow_http:
        raise ConfigurationError(NO_CHECKS)
    return given


def system_context() -> ssl.SSLContext:
    """Return what verifies certificates by those of the system.

    Raises:
        ConfigurationError: There are none where the environment names them, or the
            extra is not installed.
    """
    try:
        import httpx2
    except ImportError:
        raise ConfigurationError(NO_EXTRA) from None
    return made_once(httpx2.create_ssl_context)


@cache
def made_once(make: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """Return what verifies certificates: making it reads many of them."""
    try:
        return make()
    except OSError:
        raise ConfigurationError(NO_CERTIFICATES) from None
