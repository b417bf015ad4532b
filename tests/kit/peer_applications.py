"""What fastapi-users and AuthX have of their own, beside the applications of the kit.

The code is added to that of ``compat_packages``, and runs in its environment.
"""

from __future__ import annotations

__all__ = ["AUTHX_MORE", "USERS_MORE"]

USERS_MORE = """
from fastapi_users.authentication import CookieTransport
from fastapi_users.authentication.strategy import DatabaseStrategy
from fastapi_users_db_sqlalchemy.access_token import (
    SQLAlchemyAccessTokenDatabase,
    SQLAlchemyBaseAccessTokenTableUUID,
)
from pwdlib.hashers.bcrypt import BcryptHasher


class AccessToken(SQLAlchemyBaseAccessTokenTableUUID, Base):
    pass


async def kept_tokens():
    async with sessions() as session:
        yield SQLAlchemyAccessTokenDatabase(session, AccessToken)


def kept(tokens=Depends(kept_tokens)):
    return DatabaseStrategy(tokens)


cookies = AuthenticationBackend("cookies", CookieTransport(cookie_secure=False), kept)
others = FastAPIUsers[User, uuid.UUID](manager, [cookies])
app.include_router(others.get_auth_router(cookies), prefix="/cookies")


@app.post("/by-cookie")
async def by_cookie(user: User = Depends(others.current_user(active=True))):
    return {"sub": str(user.id)}


@app.get("/superusers", dependencies=[Depends(users.current_user(superuser=True))])
async def for_superusers():
    return []


@app.get("/hashes")
async def hashes():
    helper = fastapi_users.password.PasswordHelper()
    old = BcryptHasher().hash("correct horse")
    return [helper.hash("x"), helper.verify_and_update("correct horse", old)[0]]
"""

AUTHX_MORE = """
from authx import AuthXConfig
from fastapi import Response

by_cookie = AuthX(
    AuthXConfig(JWT_TOKEN_LOCATION=["cookies"], JWT_COOKIE_SECURE=False)
)
by_cookie.handle_errors(app)


@app.post("/cookies")
def cookies(response: Response):
    by_cookie.set_access_cookies(by_cookie.create_access_token("ada"), response)


@app.post("/by-cookie")
def post(payload: TokenPayload = Depends(by_cookie.access_token_required)):
    return {"sub": payload.sub}


@app.get("/limited", dependencies=[Depends(auth.rate_limited(max_requests=2))])
def limited():
    return []
"""
