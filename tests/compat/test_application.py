"""An application of the usual kind: only its import lines are changed.

``RECIPE`` is what many projects have in ``security.py``, over python-jose and
passlib; each test runs it as it stands and with the drop-ins.
"""

from __future__ import annotations

import subprocess
import sys
import warnings
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from fastbearer import compat
from fastbearer.compat.migrate_imports import migrated

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:passlib")

RECIPE = """
from datetime import datetime, timedelta, timezone
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, status
from fastapi.security import OAuth2PasswordBearer
from jose import JWTError, jwt
from jose.exceptions import ExpiredSignatureError
from passlib.context import CryptContext

SECRET_KEY = "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7"
ALGORITHM = "HS256"

pwd_context = CryptContext(schemes=["bcrypt"], deprecated="auto", bcrypt__rounds=4)
oauth2_scheme = OAuth2PasswordBearer(tokenUrl="token")
app = FastAPI()


def hash_password(password):
    return pwd_context.hash(password)


def verify_password(plain_password, hashed_password):
    return pwd_context.verify(plain_password, hashed_password)


def generate_jwt_token(user_id, email, minutes=30):
    payload = {
        "sub": user_id,
        "email": email,
        "exp": datetime.now(timezone.utc) + timedelta(minutes=minutes),
    }
    return jwt.encode(payload, SECRET_KEY, algorithm=ALGORITHM)


async def verify_jwt_token(token: Annotated[str, Depends(oauth2_scheme)]):
    try:
        payload = jwt.decode(token, SECRET_KEY, algorithms=[ALGORITHM])
    except ExpiredSignatureError:
        raise HTTPException(status.HTTP_401_UNAUTHORIZED, "Token has expired")
    except JWTError as error:
        raise HTTPException(status.HTTP_401_UNAUTHORIZED, f"Invalid token: {error}")
    if payload.get("sub") is None:
        raise HTTPException(status.HTTP_401_UNAUTHORIZED, "Invalid token")
    return {"user_id": payload["sub"], "email": payload.get("email")}


@app.get("/me")
async def me(user: Annotated[dict, Depends(verify_jwt_token)]):
    return user
"""


def run(code: str) -> Any:
    space: dict[str, Any] = {"__name__": "recipe"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # crypt, in passlib
        exec(compile(code, "recipe.py", "exec"), space)
    return SimpleNamespace(**space)


@pytest.fixture(scope="module")
def before() -> Any:
    return run(RECIPE)


@pytest.fixture(scope="module")
def after() -> Any:
    return run(migrated(RECIPE))


def test_only_the_import_lines_change(after: Any) -> None:
    old, new = RECIPE.splitlines(), migrated(RECIPE).splitlines()
    changed = [(a, b) for a, b in zip(old, new, strict=True) if a != b]
    assert changed == [
        (
            "from jose import JWTError, jwt",
            "from fastbearer.compat.jose import JWTError, jwt",
        ),
        (
            "from jose.exceptions import ExpiredSignatureError",
            "from fastbearer.compat.jose.exceptions import ExpiredSignatureError",
        ),
        (
            "from passlib.context import CryptContext",
            "from fastbearer.compat.passlib.context import CryptContext",
        ),
    ]
    assert after.jwt.__name__ == "fastbearer.compat.jose.jwt"


def ask(app: FastAPI, token: str) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {token}"}
    response = TestClient(app).get("/me", headers=headers)
    return response.status_code, response.json()


def test_tokens_and_hashes_are_good_crosswise(before: Any, after: Any) -> None:
    for maker, reader in ((before, after), (after, before)):
        token = maker.generate_jwt_token("user-1", "ada@example.com")
        user = {"user_id": "user-1", "email": "ada@example.com"}
        assert ask(reader.app, token) == (200, user)
        stored = maker.hash_password("correct horse")
        assert reader.verify_password("correct horse", stored)
        assert not reader.verify_password("wrong horse", stored)


def test_refusals_are_the_same(before: Any, after: Any) -> None:
    good = before.generate_jwt_token("user-1", "ada@example.com")
    head, payload, signature = good.split(".")
    tokens = [
        before.generate_jwt_token("user-1", "", minutes=-1),
        before.jwt.encode({"sub": "u"}, "another secret"),
        before.jwt.encode({"email": "e"}, before.SECRET_KEY),
        before.jwt.encode({"sub": 1}, before.SECRET_KEY),
        before.jwt.encode({"sub": "u"}, before.SECRET_KEY, algorithm="HS512"),
        f"{head}.{payload}",
        f"{head}.{payload}.{signature[:-4]}AAAA",
        f"{head}.{payload}.",
        "abc",
    ]
    for token in tokens:
        assert ask(after.app, token) == ask(before.app, token)
        assert ask(after.app, token)[0] == 401


PROBE = """
import fastbearer.compat
fastbearer.compat.install("{name}")
{code}
"""


LATER = {
    "jose": [
        "from jose import jwt; import jose.exceptions; assert 'compat' in jwt.__name__",
        "import jose.jws as a; from jose import jws as b; assert a is b",
        "fastbearer.compat.install('jose')",
    ],
    "passlib": [
        "from passlib.hash import bcrypt; assert 'compat' in type(bcrypt).__module__",
    ],
    "pwdlib": ["from pwdlib.hashers import argon2; assert 'compat' in argon2.__name__"],
}


@pytest.mark.parametrize(
    ("name", "code"), [(name, code) for name in LATER for code in LATER[name]]
)
def test_install(name: str, code: str) -> None:
    script = PROBE.format(name=name, code=code)
    subprocess.run([sys.executable, "-c", script], check=True)


def test_install_comes_first() -> None:
    script = "import jose, fastbearer.compat as c\nc.install('jose')"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert "jose was imported before" in done.stderr
    with pytest.raises(ValueError, match="stand-ins"):
        compat.install("os")
