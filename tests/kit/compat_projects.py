"""What projects have in ``security.py``, and tokens that no project accepts.

The projects use PyJWT and pwdlib as two well-known ones do, in words of our own: the
chapter on security of FastAPI's documentation, without and with scopes, and the
template for full-stack applications, as it is now and as it was over passlib.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Any, NamedTuple

import jwt

from project import OTHER_SECRET

KEY = "c0b1f7f2a94e4c6e8d5a3b9d71e6f8200f4d2c9b8a7e6f5d4c3b2a1908f7e6d5"
PASSWORD = "correct horse"
"""Of everybody in the projects."""

YEAR_2100 = 4102444800

COMMON = f"""
from urllib.parse import parse_qsl

from fastapi import Depends, FastAPI, HTTPException, Request, Security
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from fastapi.security import SecurityScopes
from pydantic import BaseModel, ValidationError

KEY = "{KEY}"
app = FastAPI()

async def sent_form(request: Request):  # does without python-multipart
    fields = dict(parse_qsl((await request.body()).decode(), True))
    return OAuth2PasswordRequestForm(**{{"scope": "", **fields}})
"""

CHAPTER = """
from datetime import datetime, timedelta, timezone
from typing import Annotated

import jwt
from jwt.exceptions import InvalidTokenError
from pwdlib import PasswordHash

ALGORITHM = "HS256"
hasher = PasswordHash.recommended()
DUMMY_HASH = hasher.hash("of nobody")
stored = {"ada": hasher.hash("correct horse"), "bob": hasher.hash("correct horse")}
locked = {"bob"}


def refusal(words, challenge="Bearer"):
    return HTTPException(401, words, {"WWW-Authenticate": challenge})


def knows(name, password):
    if name not in stored:
        hasher.verify(password, DUMMY_HASH)
        return False
    return hasher.verify(password, stored[name])


def make_token(claims, lifetime):
    claims = {**claims, "exp": datetime.now(timezone.utc) + lifetime}
    return jwt.encode(claims, KEY, algorithm=ALGORITHM)


@app.post("/token")
def sign_in(form: Annotated[OAuth2PasswordRequestForm, Depends(sent_form)]):
    if not knows(form.username, form.password):
        raise refusal("name or password is wrong")
    claims = {"sub": form.username, "scope": " ".join(form.scopes)}
    token = make_token(claims, timedelta(minutes=20))
    return {"access_token": token, "token_type": "bearer"}
"""

PLAIN = """
bearer = OAuth2PasswordBearer(tokenUrl="token")


async def current(token: Annotated[str, Depends(bearer)]):
    try:
        name = jwt.decode(token, KEY, algorithms=[ALGORITHM]).get("sub")
    except InvalidTokenError as error:
        raise refusal(f"{type(error).__name__}: {error}") from error
    if name not in stored:
        raise refusal("of nobody we know")
    if name in locked:
        raise HTTPException(400, "locked")
    return {"name": name}


@app.get("/users/me")
async def me(user: Annotated[dict, Depends(current)]):
    return user
"""

SCOPED = """
scopes = {"me": "see yourself", "items": "see your items"}
bearer = OAuth2PasswordBearer(tokenUrl="token", scopes=scopes)


class Claims(BaseModel):
    sub: str
    scope: str = ""


async def current(wanted: SecurityScopes, token: Annotated[str, Depends(bearer)]):
    challenge = f'Bearer scope="{wanted.scope_str}"' if wanted.scopes else "Bearer"
    try:
        claims = Claims(**jwt.decode(token, KEY, algorithms=[ALGORITHM]))
    except InvalidTokenError as error:
        raise refusal(f"{type(error).__name__}: {error}", challenge) from error
    except ValidationError as error:
        raise refusal("claims are missing", challenge) from error
    if claims.sub not in stored:
        raise refusal("of nobody we know", challenge)
    if not set(wanted.scopes) <= set(claims.scope.split()):
        raise refusal("not enough scopes", challenge)
    return {"name": claims.sub}


async def unlocked(user: Annotated[dict, Security(current, scopes=["me"])]):
    if user["name"] in locked:
        raise HTTPException(400, "locked")
    return user


@app.get("/users/me")
async def me(user: Annotated[dict, Security(unlocked, scopes=["items"])]):
    return user
"""

PWDLIB = """
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from pwdlib.hashers.bcrypt import BcryptHasher

old_hasher = PasswordHash((BcryptHasher(),))
hasher = PasswordHash((Argon2Hasher(), BcryptHasher()))
check_password = hasher.verify_and_update
"""

PASSLIB = """
from passlib.context import CryptContext

hasher = CryptContext(schemes=["bcrypt"], deprecated="auto")


def check_password(password, stored):
    return hasher.verify(password, stored), None
"""

TEMPLATE = """
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any

import jwt
from jwt.exceptions import InvalidTokenError

ALGORITHM = "HS256"
stored = {"ada": hasher.hash("correct horse"), "bob": hasher.hash("correct horse")}
locked = {"bob"}
bearer = OAuth2PasswordBearer(tokenUrl="/login/access-token")


class Payload(BaseModel):
    sub: str | None = None


def access_token(subject: str | Any, lifetime: timedelta) -> str:
    claims = {"exp": datetime.now(timezone.utc) + lifetime, "sub": str(subject)}
    return jwt.encode(claims, KEY, algorithm=ALGORITHM)


def reset_token(name: str) -> str:
    now = datetime.now(timezone.utc)
    end = (now + timedelta(hours=48)).timestamp()
    return jwt.encode({"exp": end, "nbf": now, "sub": name}, KEY, algorithm=ALGORITHM)


def name_in_reset_token(token: str) -> str | None:
    try:
        return str(jwt.decode(token, KEY, algorithms=[ALGORITHM])["sub"])
    except (InvalidTokenError, KeyError):
        return None


def current(token: Annotated[str, Depends(bearer)]) -> str:
    try:
        payload = Payload(**jwt.decode(token, KEY, algorithms=[ALGORITHM]))
    except (InvalidTokenError, ValidationError) as error:
        raise HTTPException(403, f"no good token: {type(error).__name__}") from error
    if payload.sub not in stored:
        raise HTTPException(404, "gone")
    if payload.sub in locked:
        raise HTTPException(400, "locked")
    return payload.sub


@app.post("/login/access-token")
def sign_in(form: Annotated[OAuth2PasswordRequestForm, Depends(sent_form)]):
    if form.username not in stored:
        raise HTTPException(400, "name or password is wrong")
    good, renewed = check_password(form.password, stored[form.username])
    if not good:
        raise HTTPException(400, "name or password is wrong")
    if renewed:
        stored[form.username] = renewed
    return {"access_token": access_token(form.username, timedelta(days=8))}


@app.get("/users/me")
def me(name: Annotated[str, Depends(current)]):
    return {"name": name}


@app.post("/reset-password")
def reset_password(token: str, password: str):
    name = name_in_reset_token(token)
    if name not in stored:
        raise HTTPException(400, "no good token")
    stored[name] = hasher.hash(password)
"""

PROJECTS = {
    "chapter": COMMON + CHAPTER + PLAIN,
    "chapter with scopes": COMMON + CHAPTER + SCOPED,
    "template": COMMON + PWDLIB + TEMPLATE,
    "template over passlib": COMMON + PASSLIB + TEMPLATE,
}


JSON_WORDS = re.compile(
    r"(?<=string: )(not strict JSON|Expecting value: [^\"]+|'utf-8' codec [^\"]+)"
)
"""What a reader of JSON says of text that is none; each has its own words."""


def answer(response: Any) -> tuple[int, Any, str | None]:
    """Return what a client sees of a response."""
    body = json.loads(JSON_WORDS.sub("no JSON", response.text))
    return response.status_code, body, response.headers.get("WWW-Authenticate")


def bearer(token: str) -> dict[bytes, bytes]:
    return {b"Authorization": f"Bearer {token}".rstrip().encode()}


def encode(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


class Signer(NamedTuple):
    """Makes tokens with the original, by the key of a project."""

    claims: dict[str, Any]
    key: Any = KEY
    other_key: Any = OTHER_SECRET
    algorithm: str = "HS256"

    def sign(self, headers: dict[str, Any] | None = None, **claims: Any) -> str:
        given = {"exp": YEAR_2100, **self.claims, **claims}
        present = {name: value for name, value in given.items() if value is not None}
        return jwt.encode(present, self.key, self.algorithm, headers)

    def sign_text(self, text: bytes) -> str:
        return jwt.PyJWS().encode(text, self.key, self.algorithm)

    def refused(self) -> dict[str, str]:
        """Return tokens that are wrong, by what is wrong with them."""
        return dict([*self.wrong_keys(), *self.wrong_claims(), *self.wrong_texts()])

    def wrong_keys(self) -> Iterator[tuple[str, str]]:
        _, payload, signature = self.sign().split(".")
        none, shouted, unknown, nothing = (
            encode(header)
            for header in ('{"alg":"none"}', '{"alg":"NONE"}', '{"alg":"HS1"}', "{}")
        )
        sibling = self.algorithm[:2] + "512"
        yield "another key", self._replace(key=self.other_key).sign()
        yield "another algorithm", self._replace(algorithm=sibling).sign()
        yield "none", f"{none}.{payload}."
        yield "none with a signature", f"{none}.{payload}.{signature}"
        yield "NONE", f"{shouted}.{payload}."
        yield "no alg", f"{nothing}.{payload}.{signature}"
        yield "an alg of nobody", f"{unknown}.{payload}.{signature}"
        yield "extensions", self.sign(headers={"crit": ["x"], "x": 1})

    def wrong_claims(self) -> Iterator[tuple[str, str]]:
        yield "expired", self.sign(exp=1)
        yield "not yet", self.sign(nbf=YEAR_2100)
        yield "issued in the future", self.sign(iat=YEAR_2100)
        yield "for somebody", self.sign(aud="somebody")
        yield "a number as aud", self.sign(aud=7)
        yield "no sub", self.sign(sub=None)
        yield "a number as sub", self.sign(sub=7)
        yield "a number as jti", self.sign(jti=7)
        yield "text as exp", self.sign(exp="soon")
        yield "text as nbf", self.sign(nbf="soon")
        yield "text as iat", self.sign(iat="soon")

    def wrong_texts(self) -> Iterator[tuple[str, str]]:
        head, payload, signature = self.sign().split(".")
        other = self.sign(sub="bob").split(".")[1]
        yield "other claims", f"{head}.{other}.{signature}"
        yield "another signature", f"{head}.{payload}.{signature[:-4]}AAAA"
        yield "no signature", f"{head}.{payload}."
        yield "two segments", f"{head}.{payload}"
        yield "four segments", f"{head}.{payload}.{signature}.{signature}"
        yield "header is no JSON", f"{encode('x')}.{payload}.{signature}"
        yield "header is no object", f"{encode('[]')}.{payload}.{signature}"
        yield "claims are no JSON", self.sign_text(b"x")
        yield "claims are no object", self.sign_text(b"[]")
        yield "claims are no text", self.sign_text(b"\xff")
        yield "no base64", f"{head}.{payload}.!"
        yield "a word", "abc"
        yield "dots", ".."
        yield "nothing", ""
        yield "not ASCII", "\xe9.\xe9.\xe9"
