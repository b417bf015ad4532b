"""Projects of today, over PyJWT and pwdlib: only their import lines are changed.

Each runs as it stands and with the drop-ins, and both must answer alike.
"""

from __future__ import annotations

import warnings
from functools import cache
from types import SimpleNamespace
from typing import Any, NamedTuple

import jwt
import pytest
from fastapi.testclient import TestClient

from compat_projects import KEY, PASSWORD, PROJECTS, YEAR_2100, Signer, answer, bearer
from fastbearer.compat.migrate_imports import migrated

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:passlib")

SECOND_PASSWORD = "battery staple"
SIGNER = Signer({"sub": "ada", "scope": "me items"})
TOKENS = {
    "of nobody": SIGNER.sign(sub="nobody"),
    "of one who is locked": SIGNER.sign(sub="bob"),
    **SIGNER.refused(),
}
MOVED = {
    "import jwt": "from fastbearer.compat import jwt",
    **{
        f"from {rest}": f"from fastbearer.compat.{rest}"
        for rest in (
            "jwt.exceptions import InvalidTokenError",
            "passlib.context import CryptContext",
            "pwdlib import PasswordHash",
            "pwdlib.hashers.argon2 import Argon2Hasher",
            "pwdlib.hashers.bcrypt import BcryptHasher",
        )
    },
}


class Pair(NamedTuple):
    code: str
    before: Any
    after: Any

    @property
    def ways(self) -> list[tuple[Any, Any]]:
        """Who makes and who reads."""
        return [(self.before, self.after), (self.after, self.before)]


def run(code: str) -> Any:
    space: dict[str, Any] = {"__name__": "project"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # crypt, in passlib
        exec(compile(code, "project.py", "exec"), space)
    return SimpleNamespace(**space)


@cache
def pair_of(name: str) -> Pair:
    code = PROJECTS[name]
    return Pair(code, run(code), run(migrated(code)))


@pytest.fixture(params=PROJECTS)
def pair(request: pytest.FixtureRequest) -> Pair:
    return pair_of(request.param)


@pytest.fixture
def template() -> Pair:
    return pair_of("template")


def sign_in(project: Any, name: str, password: str, scope: str = "me items") -> Any:
    fields = {"grant_type": "password", "username": name, "password": password}
    path = "/" + project.bearer.model.flows.password.tokenUrl.lstrip("/")
    return TestClient(project.app).post(path, data={**fields, "scope": scope})


def token_of(project: Any, **fields: str) -> str:
    response = sign_in(project, "ada", PASSWORD, **fields)
    assert response.status_code == 200, response.text
    token: str = response.json()["access_token"]
    return token


def ask(project: Any, token: str) -> Any:
    return TestClient(project.app).get("/users/me", headers=bearer(token))


def reset(project: Any, token: str, password: str) -> Any:
    fields = {"token": token, "password": password}
    return TestClient(project.app).post("/reset-password", params=fields)


def test_only_the_import_lines_change(pair: Pair) -> None:
    old, new = pair.code.splitlines(), migrated(pair.code).splitlines()
    changed = [(a, b) for a, b in zip(old, new, strict=True) if a != b]
    assert changed == [(line, MOVED[line]) for line in old if line in MOVED]
    assert len(changed) > 2


def test_each_has_its_own_packages(pair: Pair) -> None:
    assert pair.before.jwt is jwt
    assert pair.after.jwt.__name__ == "fastbearer.compat.jwt"
    assert not type(pair.before.hasher).__module__.startswith("fastbearer.compat.")
    assert type(pair.after.hasher).__module__.startswith("fastbearer.compat.")
    assert pair.before.InvalidTokenError is not pair.after.InvalidTokenError


def test_tokens_are_good_crosswise(pair: Pair) -> None:
    for maker, reader in pair.ways:
        for token in (token_of(maker), SIGNER.sign()):
            assert answer(ask(reader, token)) == (200, {"name": "ada"}, None)
        assert jwt.decode(token_of(maker), KEY, ["HS256"])["sub"] == "ada"


def test_tokens_are_the_same_text(pair: Pair) -> None:
    claims = {"sub": "ada", "n": [1, None, 1.5, "\u00e9"], "exp": YEAR_2100}
    before, after = (
        project.jwt.encode(claims, KEY, algorithm="HS256")
        for project in (pair.before, pair.after)
    )
    assert before == after


def test_password_hashes_are_good_crosswise(pair: Pair) -> None:
    for maker, reader in pair.ways:
        reader.stored["carol"] = maker.hasher.hash(SECOND_PASSWORD)
        assert sign_in(reader, "carol", SECOND_PASSWORD).status_code == 200
        assert sign_in(reader, "carol", PASSWORD).status_code in {400, 401}


@pytest.mark.parametrize(
    ("name", "password"),
    [("ada", "wrong"), ("nobody", PASSWORD), ("bob", "wrong"), ("ada", "")],
)
def test_refused_sign_ins_are_the_same(pair: Pair, name: str, password: str) -> None:
    before, after = (sign_in(p, name, password) for p in (pair.before, pair.after))
    assert answer(before) == answer(after)
    assert before.status_code in {400, 401}


@pytest.mark.parametrize("name", TOKENS)
def test_refused_tokens_are_the_same(pair: Pair, name: str) -> None:
    before, after = (ask(p, TOKENS[name]) for p in (pair.before, pair.after))
    assert answer(after) == answer(before)
    assert before.status_code in {400, 401, 403, 404}


@pytest.mark.parametrize("scope", ["", "me", "items", "meitems", "me items more"])
def test_scopes_count_alike(scope: str) -> None:
    enough = {"me", "items"} <= set(scope.split())
    for maker, reader in pair_of("chapter with scopes").ways:
        response = ask(reader, token_of(maker, scope=scope))
        assert response.status_code == (200 if enough else 401)
        assert enough or response.json() == {"detail": "not enough scopes"}
        challenge = response.headers.get("WWW-Authenticate")
        assert enough or challenge == 'Bearer scope="items me"'


def test_tokens_of_a_password_reset_are_good_crosswise(template: Pair) -> None:
    for maker, reader in template.ways:
        reader.stored["dora"] = maker.hasher.hash(PASSWORD)
        token = maker.reset_token("dora")
        assert reset(reader, token, SECOND_PASSWORD).status_code == 200
        assert sign_in(reader, "dora", PASSWORD).status_code == 400
        assert sign_in(reader, "dora", SECOND_PASSWORD).status_code == 200


@pytest.mark.parametrize("name", [name for name in TOKENS if "locked" not in name])
def test_refused_resets_are_the_same(template: Pair, name: str) -> None:
    for project in (template.before, template.after):
        response = reset(project, TOKENS[name], SECOND_PASSWORD)
        assert answer(response) == (400, {"detail": "no good token"}, None)


def test_old_hashes_are_renewed_crosswise(template: Pair) -> None:
    for maker, reader in template.ways:
        old = maker.old_hasher.hash(PASSWORD)
        assert old.startswith("$2b$12$")
        reader.stored["eve"] = old
        assert sign_in(reader, "eve", PASSWORD).status_code == 200
        renewed = reader.stored["eve"]
        assert renewed.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
        assert maker.check_password(PASSWORD, renewed) == (True, None)
        assert maker.check_password("wrong", renewed) == (False, None)
