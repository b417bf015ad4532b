"""The command line, mostly as its users meet it: as a process of its own."""

from __future__ import annotations

import base64
import getpass
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest
import uvicorn

from fastbearer import PasswordHash, __version__
from fastbearer.cli import main
from fastbearer.fastapi import Auth, Settings
from project import OTHER_SECRET, SECRET

PASSWORD = "correct horse battery"
CHEAP_HASH = PasswordHash(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
REQUIRED = "BETTER_AUTH_SECRET environment variable is required"
OURS = {
    "ALLOW_SHORT_SECRET",
    "AUTH_SECRET",
    "BETTER_AUTH_SECRET",
    "BETTER_AUTH_SECRETS",
    "DATABASE_URL",
    "PASSWORD_SCHEME",
}
FASTBEARER = [sys.executable, "-m", "fastbearer"]


def environment(**variables: str) -> dict[str, str]:
    """Return the environment without our variables, but with these."""
    others = {name: text for name, text in os.environ.items() if name not in OURS}
    return {**others, **variables}


def run(
    *arguments: str, stdin: str | bytes = b"", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run the command with this environment; the secret is set by default."""
    result = subprocess.run(
        [*FASTBEARER, *arguments],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        env=environment(**(variables or {"BETTER_AUTH_SECRET": SECRET})),
        capture_output=True,
    )
    return subprocess.CompletedProcess(
        result.args, result.returncode, result.stdout.decode(), result.stderr.decode()
    )


def output(*arguments: str, stdin: str = "", **variables: str) -> str:
    """Return what the command prints, which must succeed in silence."""
    result = run(*arguments, stdin=stdin, **variables)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout.removesuffix("\n")


def error(*arguments: str, stdin: str | bytes = b"", **variables: str) -> str:
    """Return the one line with which the command fails, with status 1."""
    result = run(*arguments, stdin=stdin, **variables)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.count("\n") == 1
    return result.stderr.removesuffix("\n")


# The frame


def test_version() -> None:
    assert output("--version") == f"fastbearer {__version__}"


def test_the_installed_command_is_the_module() -> None:
    command = Path(sys.executable).with_name("fastbearer")
    assert subprocess.check_output([command, "--help"]) == subprocess.check_output(
        [*FASTBEARER, "--help"]
    )


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["unknown"],
        ["token"],
        ["token", "--sub", ""],
        ["token", "--sub", "u", "--days", "0"],
        ["token", "--sub", "u", "--days", "nan"],
        ["token", "--sub", "u", "--days", "soon"],
        ["token", "--sub", "u", "--claim", "role"],
        ["token", "--sub", "u", "--claim", "=admin"],
        ["secret", "--bytes", "31"],
        ["secret", "--bytes", "many"],
        ["hash", "--scheme", "md5"],
        ["serve", "--port", "65536"],
    ],
)
def test_usage_errors(arguments: list[str]) -> None:
    result = run(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("usage: fastbearer")
    assert "Traceback" not in result.stderr


# fastbearer secret


def test_a_secret_is_fresh_and_fit_for_use() -> None:
    first, second = output("secret"), output("secret")
    assert first != second
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", first)
    assert output("token", "--sub", "u1", BETTER_AUTH_SECRET=first)


def test_a_longer_secret() -> None:
    text = output("secret", "--bytes", "64")
    assert len(base64.urlsafe_b64decode(text + "==")) == 64


# fastbearer token


def test_a_token_is_what_others_read() -> None:
    before = int(time.time())
    token = output("token", "--sub", "u1", "--email", "ada@example.com")
    claims = jwt.decode(token, SECRET, ["HS256"])
    assert before <= claims["iat"] <= int(time.time())
    assert claims == {
        "sub": "u1",
        "email": "ada@example.com",
        "requestType": 0,
        "iat": claims["iat"],
        "exp": claims["iat"] + 7 * 86_400,
    }


def test_lifetime_and_claims() -> None:
    token = output(
        *("token", "--sub", "u1", "--days", "0.5"),
        *("--claim", "role=admin", "--claim", 'teams=["a", "b"]'),
    )
    claims = jwt.decode(token, SECRET, ["HS256"])
    assert claims["exp"] - claims["iat"] == 43_200
    assert (claims["role"], claims["teams"]) == ("admin", ["a", "b"])


@pytest.mark.parametrize("claim", ["x=1e999", 'x="\\ud800"', "exp=soon"])
def test_claims_that_cannot_be_signed(claim: str) -> None:
    result = run("token", "--sub", "u1", "--claim", claim)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("error: invalid_claim: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("value", ["", "admin", "1=2", "{", "[" * 5000])
def test_what_is_not_json_is_text(value: str) -> None:
    token = output("token", "--sub", "u1", "--claim", f"x={value}")
    assert jwt.decode(token, SECRET, ["HS256"])["x"] == value


# fastbearer verify


def test_verify_prints_the_claims() -> None:
    token = jwt.encode({"sub": "ü", "exp": int(time.time()) + 3600}, SECRET)
    claims = jwt.decode(token, SECRET, ["HS256"])
    assert json.loads(output("verify", token)) == claims
    assert json.loads(output("verify", stdin=token + "\n")) == claims
    assert json.loads(output("verify", "-", stdin=token)) == claims


def test_refused_tokens() -> None:
    now = int(time.time())
    expired = jwt.encode({"sub": "u1", "exp": now - 1}, SECRET)
    forged = jwt.encode({"sub": "u1", "exp": now + 60}, OTHER_SECRET)
    assert error("verify", expired).startswith("error: expired_token: ")
    assert error("verify", forged).startswith("error: invalid_signature: ")
    assert error("verify", "").startswith("error: malformed_token: ")
    assert error("verify", "ünfug").startswith("error: malformed_token: ")
    for noise in (b"", b"\xff\xfe\x00", b"[" * 100_000):
        assert error("verify", stdin=noise).startswith("error: malformed_token: ")


def test_verify_refuses_what_the_application_does_after_the_signature() -> None:
    exp = int(time.time()) + 60
    bound = jwt.encode({"sub": "u1", "exp": exp, "cnf": {"jkt": "x"}}, SECRET)
    link = jwt.encode({"email": "ada@example.com", "exp": exp}, SECRET)
    assert error("verify", bound).startswith("error: bound_token: ")
    assert error("verify", link).startswith("error: invalid_claim: ")
    settings = {"BETTER_AUTH_SECRET": SECRET, "BOUND_TOKENS": "bearer"}
    assert output("verify", bound, **settings)


def test_issuer_and_audience() -> None:
    token = output("token", "--sub", "u1", "--claim", "iss=me", "--claim", "aud=api")
    assert output("verify", "--issuer", "me", "--audience", "api", token)
    assert error("verify", token).startswith("error: invalid_audience: ")
    wrong = error("verify", "--issuer", "you", "--audience", "api", token)
    assert wrong.startswith("error: invalid_issuer: ")


SETTINGS = {
    "BETTER_AUTH_SECRET": SECRET,
    "JWT_ISSUER": "me",
    "JWT_AUDIENCE": "api",
    "JWT_EXPIRATION_DAYS": "0.5",
}
WITHOUT_SETTINGS = (
    "import sys; sys.modules['pydantic_settings'] = None; "
    "from fastbearer.cli import main; sys.exit(main())"
)


@pytest.mark.parametrize("has_extra", [True, False])
def test_tokens_are_those_of_the_settings(
    monkeypatch: pytest.MonkeyPatch, has_extra: bool
) -> None:
    if not has_extra:
        command = [sys.executable, "-c", WITHOUT_SETTINGS]
        monkeypatch.setitem(globals(), "FASTBEARER", command)
    token = output("token", "--sub", "u1", **SETTINGS)
    claims = Auth(
        Settings(better_auth_secret=SECRET, jwt_issuer="me", jwt_audience="api")
    ).verifier.verify(token)
    assert (claims["iss"], claims["aud"]) == ("me", "api")
    assert claims["exp"] - claims["iat"] == 43_200
    assert json.loads(output("verify", token, **SETTINGS)) == claims
    assert error("verify", token).startswith("error: invalid_audience: ")
    other = {**SETTINGS, "JWT_ISSUER": "you"}
    assert error("verify", token, **other).startswith("error: invalid_issuer: ")
    assert output("verify", "--issuer", "me", token, **other)
    longer = output("token", "--sub", "u1", "--days", "1", **SETTINGS)
    claims = json.loads(output("verify", longer, **SETTINGS))
    assert claims["exp"] - claims["iat"] == 86_400


def test_the_first_of_listed_secrets_signs() -> None:
    listed = {"BETTER_AUTH_SECRETS": f"2:{SECRET},1:{OTHER_SECRET}"}
    token = output("token", "--sub", "u1", **listed)
    assert jwt.decode(token, SECRET, ["HS256"])["sub"] == "u1"
    assert output("verify", token, **listed)


# Where the secret comes from


def test_the_names_of_the_secret() -> None:
    token = jwt.encode({"exp": int(time.time()) + 3600}, SECRET)
    other = {"AUTH_SECRET": OTHER_SECRET}
    assert output("verify", token, AUTH_SECRET=SECRET)
    assert output("verify", token, BETTER_AUTH_SECRET=SECRET, **other)
    assert output("verify", "--secret-env", "MINE", token, MINE=SECRET, **other)
    assert output("verify", token, BETTER_AUTH_SECRET="", AUTH_SECRET=SECRET)


def test_without_a_secret() -> None:
    assert (
        error("verify", "x", AUTH_SECRET="")
        == f"error: configuration_error: {REQUIRED}"
    )
    told = error("token", "--sub", "u1", "--secret-env", "MINE", AUTH_SECRET=SECRET)
    assert told == "error: configuration_error: MINE environment variable is required"


def test_the_rule_of_secrets_is_the_settings_own() -> None:
    """Also with a variable of another name, for which the settings are not asked."""
    public = "better-auth-secret-12345678901234567890"
    for names in ({"BETTER_AUTH_SECRET": public}, {"MINE": public}):
        told = error("token", "--sub", "u1", *mine(names), **names)
        assert "built-in default, which everybody knows" in told
        assert next(iter(names)) in told and public not in told
    told = error("token", "--sub", "u1", *mine({"MINE": ""}), MINE="short-one")
    assert "MINE must be at least 32 bytes long" in told


def mine(names: dict[str, str]) -> list[str]:
    return ["--secret-env", "MINE"] if "MINE" in names else []


def test_a_short_secret() -> None:
    told = error("token", "--sub", "u1", BETTER_AUTH_SECRET="not-32-bytes")
    assert told.startswith("error: invalid_key: ")
    assert "not-32-bytes" not in told
    short = {"BETTER_AUTH_SECRET": "not-32-bytes", "ALLOW_SHORT_SECRET": "1"}
    assert output("token", "--sub", "u1", **short)


# fastbearer hash


def test_hash_and_check() -> None:
    stored = output("hash", stdin=PASSWORD + "\n")
    assert stored.startswith("$argon2id$")
    assert output("hash", "--check", stored, stdin=PASSWORD) == "match"
    wrong = run("hash", "--check", stored, stdin="another")
    assert (wrong.returncode, wrong.stdout) == (1, "no match\n")


def test_bcrypt() -> None:
    assert output("hash", "--scheme", "bcrypt", stdin=PASSWORD).startswith("$2b$12$")
    assert output("hash", stdin=PASSWORD, PASSWORD_SCHEME="bcrypt").startswith("$2b$")
    told = error("hash", "--scheme", "bcrypt", stdin="x" * 73)
    assert told.startswith("error: password_too_long: ")


def test_refused_passwords_and_hashes() -> None:
    assert error("hash") == "error: password_error: the password is empty"
    assert error("hash", stdin=b"\n") == "error: password_error: the password is empty"
    assert error("hash", stdin="x" * 5000).startswith("error: password_too_long: ")
    assert error("hash", "--check", "nonsense", stdin=PASSWORD).startswith(
        "error: invalid_hash: "
    )


def test_only_one_line_end_is_cut() -> None:
    assert output("hash", "--check", CHEAP_HASH, stdin=PASSWORD + "\r\n") == "match"
    assert run("hash", "--check", CHEAP_HASH, stdin=PASSWORD + "\n\n").returncode == 1
    assert run("hash", "--check", CHEAP_HASH, stdin=PASSWORD + " ").returncode == 1


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def type_in(monkeypatch: pytest.MonkeyPatch, *passwords: str) -> None:
    typed = iter(passwords)
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(getpass, "getpass", lambda prompt: next(typed))


def test_a_typed_password_is_asked_for_twice(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    type_in(monkeypatch, PASSWORD, PASSWORD)
    assert main(["hash"]) == 0
    stored = capsys.readouterr().out.strip()
    type_in(monkeypatch, PASSWORD)
    assert main(["hash", "--check", stored]) == 0
    type_in(monkeypatch, PASSWORD, PASSWORD + "!")
    assert main(["hash"]) == 1
    assert capsys.readouterr().err == "error: password_error: the passwords differ\n"


# fastbearer serve


def test_serve_without_a_secret_stops() -> None:
    assert (
        error("serve", "--port", "0", AUTH_SECRET="")
        == f"ConfigurationError: {REQUIRED}"
    )


def test_serve_on_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        told = error("serve", "--port", str(port))
    where = f"ConfigurationError: cannot listen on 127.0.0.1, port {port} ("
    assert told.startswith(where) and "--port" in told


def test_serve_where_this_machine_is_not() -> None:
    told = error("serve", "--port", "0", "--host", "192.0.2.1")  # RFC 5737
    assert told.startswith("ConfigurationError: cannot listen on 192.0.2.1, port 0 (")


def test_serve_without_its_database(tmp_path: Path) -> None:
    database = f"sqlite+aiosqlite:///{tmp_path}/missing/service.db"
    variables = {"BETTER_AUTH_SECRET": SECRET, "DATABASE_URL": database}
    result = run("serve", "--port", "0", MAIL_CONSOLE="1", **variables)
    assert result.returncode != 0
    lines = result.stderr.splitlines()
    assert all(line.startswith(("INFO: ", "ERROR: ")) for line in lines)
    assert [line for line in lines if "ConfigurationError: the database of" in line]


@pytest.mark.parametrize("missing", ["uvicorn", "fastapi", "sqlmodel"])
def test_serve_without_its_extra(missing: str) -> None:
    code = (
        f"import sys; sys.modules[{missing!r}] = None; "
        "from fastbearer.cli import main; sys.exit(main(['serve']))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(BETTER_AUTH_SECRET=SECRET),
        capture_output=True,
        text=True,
    )
    assert result.returncode == 2
    assert result.stderr == (
        "fastbearer serve needs an extra: pip install 'fastbearer[app]'\n"
    )


BOUND = [{"cnf": {"jkt": "x"}}, {"typ": "DPoP"}, {"token_type": "dpop"}]


@pytest.mark.parametrize("missing", ["", "fastapi"])
@pytest.mark.parametrize("claims", BOUND, ids=str)
def test_a_bound_token_is_refused_with_and_without_the_extra(
    missing: str, claims: dict[str, Any]
) -> None:
    usual = {"sub": "u1", "exp": int(time.time()) + 60}
    code = (
        f"import sys; {missing!r} and sys.modules.update({{{missing!r}: None}}); "
        "from fastbearer.cli import main; sys.exit(main(['verify', '--', sys.argv[1]]))"
    )
    for more, status in (({"typ": "Bearer"}, 0), (claims, 1)):
        token = jwt.encode({**usual, **more}, SECRET)
        result = subprocess.run(
            [sys.executable, "-c", code, token],
            env=environment(BETTER_AUTH_SECRET=SECRET),
            capture_output=True,
            text=True,
        )
        assert result.returncode == status, result.stderr
        assert "bound_token" in result.stderr or not status


@pytest.mark.http
def test_serve(tmp_path: Path) -> None:
    server = subprocess.Popen(
        [*FASTBEARER, "serve", "--port", "0"],
        cwd=tmp_path,
        env=environment(BETTER_AUTH_SECRET=SECRET),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with server:
        try:
            assert server.stderr is not None
            lines = (
                re.search(r"http://127\.0\.0\.1:\d+", line) for line in server.stderr
            )
            url = next(match[0] for match in lines if match)
            token = output("token", "--sub", "u1")
            headers = {"Authorization": f"Bearer {token}"}
            answer = httpx2.get(f"{url}/u1/tasks", headers=headers)
            assert answer.json() == {"success": True, "data": []}
            assert (tmp_path / "fastbearer.db").is_file()
        finally:
            server.send_signal(signal.SIGINT)


def test_a_busy_worker_is_not_taken_for_a_dead_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """uvicorn would kill it, and the requests that it serves, after five seconds."""
    asked: dict[str, Any] = {}
    start = (lambda app, **options: asked.update(options), "app")
    monkeypatch.setattr("fastbearer.cli.commands.import_app", lambda: start)
    monkeypatch.setenv("BETTER_AUTH_SECRET", SECRET)
    assert main(["serve", "--port", "0"]) == 0
    del asked["log_config"]  # it would be this process that logs so
    config = uvicorn.Config("app", **asked, log_config=None)
    assert config.timeout_worker_healthcheck == 60
