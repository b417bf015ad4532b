"""Tokens in an HttpOnly cookie, and what keeps other sites from using it."""

from typing import Any

from starlette.responses import Response

from fastbearer._core import cookie_values
from fastbearer.better_auth.cookies import SameSite
from fastbearer.fastapi.challenges import invalid_request
from fastbearer.fastapi.cross_site import check_origin

__all__ = ["TokenCookie"]

TWO_COOKIES = "More than one token cookie"


class TokenCookie:
    """One cookie with a token, for scripts out of reach.

    With ``secure`` its name begins with ``__Host-`` (RFC 6265bis 4.1.3.2): a
    browser takes it only over HTTPS and for this host alone, so no other host
    of the domain can plant one.

    Args:
        name: Its name, without the prefix.
        secure: Only over HTTPS. Without it there is no prefix either.
        same_site: When browsers send it from other sites.
        trusted_origins: Other origins whose pages may send it, like
            ``https://app.example.com``.
    """

    def __init__(
        self,
        name: str,
        *,
        secure: bool = True,
        same_site: SameSite = "lax",
        trusted_origins: frozenset[str] = frozenset(),
    ) -> None:
        self.name = f"__Host-{name}" if secure else name
        self._raw_name = self.name.encode()
        self._secure = secure
        self._same_site: SameSite = same_site
        self._trusted = frozenset(origin.encode() for origin in trusted_origins)

    def read(self, scope: Any) -> str | None:
        """Return the cookie's value in a request, or None.

        Raises:
            HTTPException: 400 where it came twice, 403 where another site may
                have sent it: see ``check_origin``.
        """
        try:
            found = cookie_values(scope["headers"], self._raw_name, True)
        except ValueError:
            raise invalid_request(TWO_COOKIES) from None
        token = found.get(self.name)
        if not token:
            return None
        self.check_origin(scope)
        return token

    def check_origin(self, scope: Any) -> None:
        """Refuse a request that changes something and comes from elsewhere.

        Raises:
            HTTPException: 403.
        """
        check_origin(scope, self._trusted)

    def set(self, response: Response, token: str, seconds: int) -> None:
        """Let the client keep the token, for that many seconds."""
        response.set_cookie(
            self.name,
            token,
            max_age=seconds,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite=self._same_site,
        )

    def clear(self, response: Response) -> None:
        """Let the client forget the token."""
        self.set(response, "", 0)
