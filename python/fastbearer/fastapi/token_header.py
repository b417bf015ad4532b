"""A request header that may have a token, with a scheme before it or without."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fastbearer._core import bearer_token
from fastbearer.errors import ConfigurationError

__all__ = ["HEADER_NAME", "Header", "HeaderReader", "TokenHeader", "token_headers"]

Headers = Sequence[Sequence[bytes]]

HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 5.6.2: a token
WRONG_NAME = "header must be the name of an HTTP header"
WRONG_SCHEME = "scheme must be the name of an authentication scheme, or None"
NOTHING = "header must name one header at least, or be None"

AMBIENT_SCHEMES = frozenset((b"basic", b"digest", b"negotiate", b"ntlm"))
"""What browsers and proxies send by themselves: nobody has chosen it as a token."""

SCHEMES = ("Basic", "Bearer", "Digest", "DPoP", "JWT", "Negotiate", "NTLM", "Token")
"""Those that a log may name; anything else may be a piece of a token."""
KNOWN_SCHEMES = {scheme.lower().encode(): scheme for scheme in SCHEMES}


@dataclass(frozen=True)
class TokenHeader:
    """A request header that may have a token.

    Attributes:
        name: The header's name.
        scheme: What stands before the token, in upper or lower case (RFC 9110 11.1),
            and a space after it. None where the token stands alone.

    Raises:
        ConfigurationError: One of these has characters that it must not have.
    """

    name: str = "Authorization"
    scheme: str | None = "Bearer"

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and HEADER_NAME.fullmatch(self.name)):
            raise ConfigurationError(WRONG_NAME)
        if self.scheme is not None and (
            not isinstance(self.scheme, str)
            or HEADER_NAME.fullmatch(self.scheme) is None
        ):
            raise ConfigurationError(WRONG_SCHEME)


class HeaderReader:
    """Reads the token of one such header.

    Args:
        header: Which.

    Attributes:
        header: That header.
        raw_name: Its name, as ASGI has it.
        is_bearer: Whether the scheme is ``Bearer``.
    """

    def __init__(self, header: TokenHeader) -> None:
        self.header = header
        self.raw_name: bytes = header.name.lower().encode()
        self._scheme = None if header.scheme is None else header.scheme.lower().encode()
        self.is_bearer: bool = self._scheme == b"bearer"

    @property
    def is_standard(self) -> bool:
        """Whether it is the header that RFC 6750 2.1 describes."""
        return self.raw_name == b"authorization" and self.is_bearer

    def read(self, headers: Headers) -> str | None:
        """Return the token: "" where the header has none, None without the header.

        Args:
            headers: ASGI's: pairs of bytes, the names in lower case.

        Raises:
            ValueError: There are two such headers.
        """
        if self.is_bearer:
            return bearer_token(headers, self.raw_name)
        value = self._value(headers)
        if value is None:
            return None
        if self._scheme is None:
            return value.decode("latin-1") or None
        scheme, _, token = value.partition(b" ")
        is_ours = scheme.lower() == self._scheme
        return token.lstrip(b" ").decode("latin-1") if is_ours else ""

    def has_ambient_scheme(self, headers: Headers) -> bool:
        """Tell whether the header has a scheme that nobody has chosen for a token."""
        scheme = (self._value(headers) or b"").partition(b" ")[0]
        return scheme.lower() in AMBIENT_SCHEMES

    def flaw(self, headers: Headers) -> tuple[str, str] | None:
        """Return why the header has no token, as a reason and a hint, for a log.

        There may be anything in it: only schemes that everybody knows are named.
        """
        value, name = self._value(headers), self.header.name
        if value is None or self._scheme is None:
            return None
        wanted = f'the header {name} needs "{self.header.scheme} " before the token'
        scheme, space, rest = value.partition(b" ")
        if not value or (scheme.lower() == self._scheme and not rest.strip(b" ")):
            return "token_empty", f"the header {name} has no token in it"
        known = KNOWN_SCHEMES.get(scheme.lower())
        if known is not None:
            return "scheme_other", f"{wanted}, not {known}"
        return ("scheme_other" if space else "scheme_missing"), wanted

    def _value(self, headers: Headers) -> bytes | None:
        """Return the one value, without the whitespace around it, or None.

        Raises:
            ValueError: There are two.
        """
        found = [pair[1] for pair in headers if pair[0] == self.raw_name]
        if len(found) > 1:
            raise ValueError("more than one such header")
        return bytes(found[0]).strip(b" \t") if found else None


Header = str | TokenHeader | Iterable[str | TokenHeader] | None


def token_headers(header: Header, scheme: str | None) -> tuple[TokenHeader, ...]:
    """Return the headers that may have the token, the first that has one counts.

    Args:
        header: Names, or whole descriptions; None for no header at all.
        scheme: That of those which are given by their names.

    Raises:
        ConfigurationError: One of them is not a header name (RFC 9110 5.1) or a scheme.
    """
    if header is None:
        return ()
    given = [header] if isinstance(header, (str, TokenHeader)) else list(header)
    if not given:
        raise ConfigurationError(NOTHING)
    return tuple(
        one if isinstance(one, TokenHeader) else TokenHeader(one, scheme)
        for one in given
    )
