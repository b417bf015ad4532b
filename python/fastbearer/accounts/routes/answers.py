"""What a client keeps of its session: cookies, or the JSON of an answer."""

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from fastbearer.accounts.flows.entry import Former
from fastbearer.accounts.models import User
from fastbearer.accounts.routes.schemas import Me, SignedIn
from fastbearer.accounts.routes.shaped import Shaped
from fastbearer.accounts.sessions import Tokens
from fastbearer.fastapi import Auth
from fastbearer.fastapi.cookie import TokenCookie

__all__ = ["Answers"]

REFRESH_COOKIE = "fastbearer-refresh"

DELIVERY = "Fastbearer-Tokens"
"""The header of a request by which a client asks for tokens in the answer."""

IN_BODY = "body"


class Answers:
    """Gives tokens to clients, and takes them back.

    Args:
        auth: Says whether the tokens go in cookies.
        schemas: Of the accounts.

    Attributes:
        schemas: As given.
    """

    def __init__(self, auth: Auth, schemas: Shaped) -> None:
        self._auth = auth
        self.schemas = schemas

    def signed_in(
        self, user: User, tokens: Tokens, response: Response, request: HTTPConnection
    ) -> SignedIn:
        """Return the answer to who has signed in, and set the cookies."""
        response.headers["Cache-Control"] = "no-store"  # RFC 6749 5.1
        cookie = self._auth.cookie
        if cookie is not None and not self._wants_tokens(request):
            self._set_cookies(cookie, tokens, response)
            return self.schemas.session(user)
        refresh = None if tokens.refresh is None else tokens.refresh.token
        return self.schemas.session(user, tokens.access, refresh)

    def account(self, user: User) -> Me:
        """Return the answer to who asks for their account."""
        return self.schemas.account(user)

    async def check_site(self, request: Request) -> None:
        """Refuse a request from another site where cookies have the tokens."""
        cookie = self._auth.cookie
        if cookie is not None:
            cookie.check_origin(request.scope)

    def clear(self, response: Response) -> None:
        """Let the client forget its cookies."""
        for cookie in (self._auth.cookie, self._refresh_cookie()):
            if cookie is not None:
                cookie.clear(response)

    def refresh_token(self, conn: HTTPConnection) -> str | None:
        """Return the refresh token of the cookie, or None.

        Raises:
            HTTPException: 400 for two, 403 for a cookie from another site.
        """
        cookie = self._refresh_cookie()
        return None if cookie is None else cookie.read(conn.scope)

    def former(self, conn: HTTPConnection) -> Former:
        """Return the tokens that the browser has, before it gets others.

        Of several cookies of one name, one may be good; a bad one beside it, which
        another site of the domain may have set, keeps nothing alive. More than are
        judged would keep it alive: they are refused, before anything is done.

        Raises:
            HTTPException: 400 for too many, 403 for a cookie from another site.
        """
        cookies = (self._auth.cookie, self._refresh_cookie())
        return Former(
            *(() if one is None else one.read_few(conn.scope) for one in cookies)
        )

    def _wants_tokens(self, request: HTTPConnection) -> bool:
        """Tell whether a client keeps its tokens itself, as a native app does.

        A page of another site cannot send that header unless it is asked first (CORS).
        Nor does it give a script of our own pages the tokens of a session in cookies:
        where one of those is sent, they stay where they are.
        """
        if request.headers.get(DELIVERY) != IN_BODY:
            return False
        cookies = (*self._auth.token_cookies, self._refresh_cookie())
        return not any(one is not None and one.is_in(request.scope) for one in cookies)

    def _set_cookies(
        self, cookie: TokenCookie, tokens: Tokens, response: Response
    ) -> None:
        cookie.set(response, tokens.access, self._auth.lifetime)
        second = self._refresh_cookie()
        if tokens.refresh is not None and second is not None:
            second.set(response, tokens.refresh.token, tokens.refresh.seconds)

    def _refresh_cookie(self) -> TokenCookie | None:
        return self._auth.make_cookie(REFRESH_COOKIE)
