"""No error brings along the error of a text that could not be encoded or decoded.

Such an error holds the whole text, which may be a password, a key or a token; raised
within its handler, ours would hold it in turn, also with ``from None``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from fastbearer import FastbearerError, Key, PasswordHash, _core
from fastbearer.accounts.flows.entry import typed_login
from fastbearer.better_auth.secrets import signing_key
from fastbearer.compat import jwt
from fastbearer.compat.jose import jwe, jwk, jws
from fastbearer.compat.jose import jwt as jose_jwt
from fastbearer.compat.jose.backends import AESKey, DIRKey, HMACKey
from fastbearer.compat.jose.exceptions import JOSEError
from fastbearer.compat.passlib.hash import argon2
from fastbearer.compat.pwdlib.hashers.bcrypt import BcryptHasher
from fastbearer.connections.mysql import mysql_arguments
from fastbearer.fastapi.dpop import DPoP
from fastbearer.hash_verifiers import DeviseBcrypt
from fastbearer.issuers.client_authentication import ClientAuthentication
from project import ROOT

PACKAGE = ROOT / "python" / "fastbearer"
HOLDING = {"UnicodeEncodeError", "UnicodeDecodeError", "UnicodeError"}
PARENTS = {"ValueError", "Exception", "BaseException"}
SECRET = "a-secret-that-no-error-may-hold-\ud800"


def named(handler: ast.ExceptHandler) -> set[str]:
    if handler.type is None:
        return set()
    return {one.id for one in ast.walk(handler.type) if isinstance(one, ast.Name)}


def transcodes(body: list[ast.stmt]) -> bool:
    """Return whether a text is encoded here, or bytes decoded."""
    calls = (
        one for part in body for one in ast.walk(part) if isinstance(one, ast.Call)
    )
    return any(
        isinstance(call.func, ast.Attribute) and call.func.attr in ("encode", "decode")
        for call in calls
    )


def raising_handlers(source: str) -> Iterator[int]:
    """Yield the lines of handlers of such an error that raise another one."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Try):
            continue
        holding = HOLDING | (PARENTS if transcodes(node.body) else set())
        for handler in node.handlers:
            raises = any(isinstance(one, ast.Raise) for one in ast.walk(handler))
            if raises and named(handler) & holding:
                yield handler.lineno


PLANTED = """
try:
    text.encode()
except (TypeError, UnicodeEncodeError):
    raise ValueError("no text") from None
"""


def test_a_planted_handler_is_seen() -> None:
    assert [*raising_handlers(PLANTED)] == [4]
    parent = PLANTED.replace("UnicodeEncodeError", "ValueError")
    assert [*raising_handlers(parent)] == [4]
    assert not [*raising_handlers(parent.replace("text.encode()", "int(text)"))]
    quiet = PLANTED.replace("raise ", "text = ").replace(" from None", "")
    assert not [*raising_handlers(quiet)]


def test_no_handler_of_such_an_error_raises() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{line}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for line in raising_handlers(path.read_text())
    ]
    assert found == []


SECRETS = re.compile("password|pepper|secret|pair|token|key")
ENCODED = {
    "accounts/records.py": {"secret"},  # made here, or a field of a body, in UTF-8
    "accounts/refresh.py": {"token"},  # that was found
    "better_auth/api_keys/key.py": {"key"},  # of the alphabet of keys
    "better_auth/secrets.py": {"DEFAULT_SECRET"},  # everybody knows it
    "compat/_shared/key_objects.py": {"key.to_pem(private=key.is_private)"},  # ASCII
    "compat/passlib/handlers/django.py": {"hashlib.sha256(password).hexdigest()"},
    "connections/redis_cluster.py": {"str(key)"},  # a name
    "fastapi/dpop.py": {"asked.token"},  # out of a header, in Latin-1
    "issuers/client_authentication.py": {"pair"},  # ASCII
    "mcp/claims.py": {"token"},  # ASCII
}
"""File -> what is encoded there though its name is that of a secret, and why it may."""


def encoded_secrets(source: str) -> Iterator[str]:
    """Yield what is encoded by hand, and may be a secret by its name."""
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "encode"
            and not isinstance(node.func.value, ast.Constant)
            and len(node.args) < 2
        ):
            names = [
                one.id if isinstance(one, ast.Name) else one.attr
                for one in ast.walk(node.func.value)
                if isinstance(one, (ast.Name, ast.Attribute))
            ]
            if SECRETS.search(" ".join(names).lower()):
                yield ast.unparse(node.func.value)


def test_a_planted_encoding_is_seen() -> None:
    planted = "self._pepper = (text + pepper).encode(); self._secret.encode()"
    assert [*encoded_secrets(planted)] == ["text + pepper", "self._secret"]
    assert not [*encoded_secrets("utf8_of(pepper); name.encode(); 'key'.encode()")]


def test_no_secret_is_encoded_by_hand() -> None:
    """Then nobody has to think of the error: `utf8_of` has none."""
    found = {
        str(path.relative_to(PACKAGE)): set(encoded_secrets(path.read_text()))
        for path in sorted(PACKAGE.rglob("*.py"))
    }
    assert {file: names for file, names in found.items() if names} == ENCODED


def unreadable(folder: Path) -> Path:
    file = folder / "key.pem"
    file.write_bytes(b"a-secret-that-no-error-may-hold-\xff")
    return file


PEPPERED = PasswordHash(
    time_cost=1, memory_cost=8, parallelism=1, pepper={"1": b"p" * 32}
)
RSA_JWK = Key.generate("RS256").to_jwk()
AT_HASH = jose_jwt.encode({}, "k", access_token="t")
CALLS: list[Callable[[Path], object]] = [
    lambda _: Key.from_secret(SECRET),
    lambda _: Key.from_pem(SECRET),
    lambda _: Key.from_jwk(SECRET),
    lambda _: Key.from_der(b"x", password=SECRET),
    lambda _: _core.SessionSecret(SECRET),
    lambda _: _core.password_hash(SECRET, "$2b$04$" + "." * 22),
    lambda _: PEPPERED.hash(SECRET),
    lambda _: PEPPERED.verify("x", SECRET.encode("utf-8", "surrogatepass")),
    lambda _: PEPPERED.identify(SECRET),
    lambda _: signing_key(SECRET, allow_short_secret=True),
    lambda _: argon2.hash(SECRET),
    lambda _: BcryptHasher(4).hash(SECRET),
    lambda _: HMACKey(SECRET, "HS256"),
    lambda _: HMACKey({"kty": "oct", "k": SECRET}, "HS256"),
    lambda _: AESKey(SECRET, "A128KW"),
    lambda _: AESKey({"k": SECRET}, "A128KW"),
    lambda _: DIRKey(SECRET, "dir"),
    lambda _: jwk.construct({**RSA_JWK, "d": SECRET}, "RS256"),
    lambda _: jws.sign({}, SECRET),
    lambda _: jwe.encrypt(SECRET, "k" * 32),
    lambda _: jwe.decrypt(SECRET, "k" * 32),
    lambda _: jose_jwt.encode({}, "k", access_token=SECRET),
    lambda _: jose_jwt.decode(AT_HASH, "k", "HS256", access_token=SECRET),
    lambda _: jwt.encode({}, SECRET),
    lambda _: jwt.decode(AT_HASH, SECRET, ["HS256"]),
    lambda _: jwt.encode({}, SECRET, "RS256"),
    lambda _: jwt.PyJWK({"kty": "oct", "k": SECRET}),
    lambda _: jwt.PyJWK({**RSA_JWK, "d": SECRET}),
    lambda _: DeviseBcrypt(SECRET),
    lambda _: mysql_arguments(URL.create("mysql", password=SECRET), "a URL"),
    lambda _: DPoP(nonce_secret=SECRET),
    lambda _: typed_login("a@example.com", SECRET, ["email"]),
    lambda _: ClientAuthentication("c", SECRET, None).proof(""),
    lambda folder: ClientAuthentication("c", None, unreadable(folder)),
    lambda _: ClientAuthentication(SECRET, "secret", None),
    lambda _: typed_login(SECRET, "x", ["email"]),
]


@pytest.mark.parametrize("call", CALLS)
def test_an_error_holds_no_text(call: Callable[[Path], object], tmp_path: Path) -> None:
    with pytest.raises(
        (FastbearerError, JOSEError, jwt.PyJWTError, ValueError)
    ) as caught:
        call(tmp_path)
    error: BaseException | None = caught.value
    while error is not None:
        assert "no-error-may-hold" not in f"{error!s} {error.args!r}"
        error = error.__cause__ or error.__context__
