"""``fastbearer doctor``, with servers that are there, and servers that are not."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from fastbearer import Key, _core
from fastbearer.cli import checkup, main
from fastbearer.errors import ConfigurationError
from introspection_server import CLIENT_ID, CLIENT_SECRET, IntrospectionServer
from key_server import (
    Behaviour,
    KeyServer,
    answer,
    by_path,
    jwks_text,
    metadata,
    serving,
)
from project import SECRET
from servers import own_postgres, own_redis

SECRETS = {"BETTER_AUTH_SECRET": SECRET}
Doctor = Callable[..., tuple[int, str]]


@pytest.fixture
def doctor(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Doctor:
    """Run the command with settings; return its status and what it prints."""
    from fastbearer.fastapi import Settings

    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.delenv("AUTH_SECRET", raising=False)

    def run(**settings: str) -> tuple[int, str]:
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        status = main(["doctor"])
        printed = capsys.readouterr()
        assert SECRET not in printed.out + printed.err
        assert printed.out.isascii()
        return status, printed.out

    return run


def wrong(out: str) -> list[str]:
    return [line for line in out.splitlines() if line.startswith("WRONG")]


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({}, "FORWARDED_HEADER=forwarded is used for nothing"),
        ({"TRUSTED_PROXIES": "10.0.0.1"}, ""),
        (
            {"TRUSTED_PROXIES": "10.0.0.1", "FORWARDED_ALLOW_IPS": "*"},
            "FORWARDED_ALLOW_IPS is set",
        ),
    ],
)
def test_a_server_that_may_read_another_header(
    doctor: Doctor, settings: dict[str, str], text: str
) -> None:
    status, out = doctor(**SECRETS, FORWARDED_HEADER="forwarded", **settings)
    assert status == (1 if text else 0)
    assert [text in one for one in wrong(out)] == ([True] if text else [])
    assert bool(text) or "ok     proxies: Forwarded counts" in out
    assert ("--no-proxy-headers" in out) is ("TRUSTED_PROXIES" in settings)


def test_a_secret_alone_is_well(doctor: Doctor) -> None:
    status, out = doctor(**SECRETS)
    assert (status, wrong(out)) == (0, [])
    assert re.search(r"^ok +versions: fastbearer .*, Python 3.*, OpenSSL 3", out)
    engines = "Argon2 by [a-z0-9]+, scrypt by lib(crypto|sodium)"
    assert re.search(f"^ok +passwords: {engines}$", out, re.MULTILINE)
    verified = "Ed25519 verified by lib(crypto|sodium), everything else by libcrypto"
    assert re.search(f"^ok +signatures: {verified}$", out, re.MULTILINE)
    inside = f", libsodium {_core.libsodium_version}\n"
    assert (inside in out) == (_core.libsodium_version is not None)
    assert "BETTER_AUTH_SECRET=(set)" in out
    assert re.search(
        r"^ok +tokens of the secret: keys loaded: HS256$", out, re.MULTILINE
    )


def test_settings_are_told_as_they_are_written(doctor: Doctor) -> None:
    switches = {"THROTTLE": "off", "AUTH_COOKIE": "true", "JWT_ISSUER": "us"}
    _, out = doctor(**SECRETS, **switches)
    (line,) = re.findall(r"^ok +settings: (.*)$", out, re.MULTILINE)
    assert {"THROTTLE=off", "AUTH_COOKIE=1"} <= set(line.split(", "))
    assert "tokens of the secret, issuer us: keys loaded: HS256" in out


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "BETTER_AUTH_SECRET environment variable is required"),
        ({"BETTER_AUTH_SECRET": "short"}, "BETTER_AUTH_SECRET"),
        ({**SECRETS, "JWT_LEEWAY": "soon"}, "JWT_LEEWAY"),
        ({**SECRETS, "COOKIE_SAMESITE": "none", "COOKIE_SECURE": "0"}, "COOKIE_"),
    ],
)
def test_settings_that_are_unfit_are_told(
    doctor: Doctor, settings: dict[str, str], told: str
) -> None:
    status, out = doctor(**settings)
    assert status == 1
    (line,) = wrong(out)
    assert "settings: " in line
    assert told in line


def test_no_setting_shows_a_secret(doctor: Doctor) -> None:
    status, out = doctor(
        **SECRETS,
        SMTP_URL="smtp://ada:hunter2@mail.example.com:587",
        MAIL_FROM="ada@example.com",
        DATABASE_URL="sqlite+aiosqlite:////nowhere/at/all/x.db",
        REDIS_URL="redis://:hunter2/with@slash@127.0.0.1:1/0?password=hunter2",
    )
    assert status == 1
    assert "hunter2" not in out
    assert "slash" not in out
    assert "MAIL_FROM=ada@example.com" in out


URLS = {
    "database_url": "postgresql",
    "better_auth_database_url": "postgresql",
    "redis_url": "redis",
    "smtp_url": "smtp",
    "jwks_url": "https",
    "introspection_url": "https",
}


ASKED = {
    "jwt_issuer": "https://id.example",
    "introspection_client_id": "api",
    "introspection_client_secret": SECRET,
}


@pytest.mark.parametrize("name", URLS)
@pytest.mark.parametrize(
    "written",
    [
        "{}://ada:hunter2@host/db",
        "{}://ada:very hunter2@host/db",
        "{}://ada:hunter2 indeed@host/db",
        "{}://ada:hunter2?@host/db",
        "{}://ada:hunter2#@host/db",
        "{}://ada:hunter2/@host/db",
        "{}://ada:a@hunter2@host/db",
        "{}://ada:1?hunter2@host/db",
        "{}://ada:1/hunter2@host/db?a=b@c",
        "{}://host/db?password=hunter2",
        "{}://host/db?password=a@hunter2",
        "{}://host/db#hunter2",
        "{}:/ada:hunter2@host/db",
        "{}:ada:hunter2@host/db",
        "ada:hunter2@host/db",
        "//ada:hunter2",
        "{}://ada:hunter2",
        "{}://host/db&password=hunter2",
        "{}://host/0;password=hunter2",
        "{}://host/db user=ada password=hunter2",
        "host=db user=ada password=hunter2",
        "hunter2",
    ],
)
def test_no_url_shows_a_password_however_it_is_written(name: str, written: str) -> None:
    from fastbearer.fastapi import Settings

    others = ASKED if name == "introspection_url" else {"better_auth_secret": SECRET}
    values: dict[str, Any] = {**others, name: written.format(URLS[name])}
    try:
        settings = Settings(**values)
        shown = ", ".join(checkup.in_force(settings))
    except ConfigurationError as error:
        shown = str(error)
    assert name.partition("_")[0] in shown.lower()
    assert "hunter2" not in shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql+asyncpg://ada:x y@db.example:5432/a-b", "://...@db.example:5432/"),
        ("redis://10.0.0.1:1,[::1]:2/0", "redis://10.0.0.1:1,[::1]:2/0"),
        ("sqlite+aiosqlite:///./my file.db", "sqlite+aiosqlite:///./my file.db"),
        ("https://id.example/jwks?key=1", "https://id.example/jwks?..."),
        ("postgresql://a@b@c", "(set)"),
        ("redis://ada:123456", "(set)"),  # which is no port
    ],
)
def test_what_is_understood_of_a_url_is_shown(url: str, shown: str) -> None:
    assert shown in checkup.public_url(url)


# --- issuers -----------------------------------------------------------------------


def test_keys_are_reached_and_those_left_out_are_named(doctor: Doctor) -> None:
    good = Key.generate("ES256", kid="current")
    bad = {"kty": "RSA", "kid": "broken\x1b[31m", "n": "AQAB", "e": "AQAB"}
    body = json.dumps({"keys": [good.public().to_jwk(), bad]}).encode()
    with KeyServer(answer(body)) as server:
        status, out = doctor(JWKS_URL=server.url, JWT_ISSUER="https://id.example.com")
    assert (status, wrong(out)) == (0, [])
    line = "issuer https://id.example.com: keys fetched: current (ES256)"
    assert line in out
    assert "left out: the key broken\\x1b[31m: an RSA key must have" in out
    assert "its clock differs by" in out


def test_keys_are_discovered_by_the_issuer_alone(doctor: Doctor) -> None:
    key = Key.generate("ES256", kid="found")
    routes = {"/keys": answer(jwks_text(key))}
    with KeyServer(by_path(routes)) as server:
        document = answer(metadata(server.origin))
        routes["/.well-known/openid-configuration"] = document
        status, out = doctor(JWT_ISSUER=server.origin)
    assert (status, wrong(out)) == (0, [])
    assert "keys fetched: found (ES256)" in out


def test_a_key_server_that_is_down_is_told_with_its_reason(doctor: Doctor) -> None:
    with KeyServer(serving(Key.generate("ES256"))) as server:
        url = server.url
    status, out = doctor(JWKS_URL=url, JWT_ISSUER="https://id.example.com")
    assert status == 1
    (line,) = wrong(out)
    assert "issuer https://id.example.com: no keys: " in line
    assert "see that the URL is right" in line


@pytest.mark.parametrize(
    ("body", "status"), [(b"not here", 404), (b"<html>", 200), (b'{"keys":[]}', 200)]
)
def test_a_wrong_answer_of_a_key_server_is_told(
    doctor: Doctor, body: bytes, status: int
) -> None:
    with KeyServer(answer(body, status)) as server:
        exit_status, out = doctor(JWKS_URL=server.url, JWT_ISSUER="https://a.example")
    assert exit_status == 1
    assert len(wrong(out)) == 1


# --- introspection -----------------------------------------------------------------


def asking(server: IntrospectionServer, **more: str) -> dict[str, str]:
    return {
        "JWT_ISSUER": server.issuer,
        "INTROSPECTION_CLIENT_ID": CLIENT_ID,
        "INTROSPECTION_CLIENT_SECRET": CLIENT_SECRET,
        **more,
    }


@pytest.fixture
def opaque() -> Iterator[IntrospectionServer]:
    """Give an issuer of opaque tokens alone: its document has no jwks_uri."""
    with IntrospectionServer() as server:
        server.metadata = {
            "issuer": server.issuer,
            "introspection_endpoint": server.endpoint,
        }
        yield server


def test_an_issuer_is_asked_about_a_made_up_token(
    doctor: Doctor, opaque: IntrospectionServer
) -> None:
    status, out = doctor(**asking(opaque))
    assert (status, wrong(out)) == (0, [])
    assert "no keys: its discovery document has no jwks_uri" in out
    assert "introspection: a made-up token is not active, as it should be" in out
    (question,) = opaque.questions
    assert len(question.form["token"]) > 20
    assert question.form["token"] not in out


@pytest.mark.parametrize("code", [401, 403])
def test_an_endpoint_that_refuses_us_is_told_with_what_to_do(
    doctor: Doctor, opaque: IntrospectionServer, code: int
) -> None:
    opaque.behave = answer(b'{"error": "invalid_client"}', code)
    status, out = doctor(**asking(opaque))
    assert status == 1
    (line,) = wrong(out)
    assert f"status {code} (invalid_client)" in line
    assert "INTROSPECTION_CLIENT_ID" in line
    assert CLIENT_SECRET not in out


def test_an_issuer_with_keys_at_hand_is_asked_as_well(
    doctor: Doctor, opaque: IntrospectionServer
) -> None:
    key = Key.generate("ES256").public().to_jwk()
    one = {
        "url": opaque.issuer,
        "keys": {"keys": [key]},
        "introspect": {"client_id": CLIENT_ID, "client_secret": "wrong"},
    }
    status, out = doctor(JWT_ISSUERS=json.dumps([one]))
    assert status == 1
    (line,) = wrong(out)
    assert "status 401 (invalid_client)" in line
    assert "client_id in JWT_ISSUERS" in line


def test_an_endpoint_that_is_down_is_told(
    doctor: Doctor, opaque: IntrospectionServer
) -> None:
    away = "http://127.0.0.1:9/introspect?key=hunter2"
    status, out = doctor(**asking(opaque, INTROSPECTION_URL=away))
    assert status == 1
    (line,) = wrong(out)
    assert "introspection: " in line and "127.0.0.1:9/introspect" in line
    assert "see that the URL is right" in line
    assert "hunter2" not in out


@pytest.mark.parametrize("kind", ["Bearer", "refresh_token"])
def test_an_endpoint_that_calls_anything_active_is_told(
    doctor: Doctor, opaque: IntrospectionServer, kind: str
) -> None:
    said = {"active": True, "sub": "ada", "token_type": kind}
    opaque.behave = answer(json.dumps(said).encode())
    status, out = doctor(**asking(opaque))
    assert status == 1
    (line,) = wrong(out)
    assert "introspection: a made-up token is active" in line


def test_a_document_without_keys_is_a_fault_where_nobody_is_asked(
    doctor: Doctor, opaque: IntrospectionServer
) -> None:
    status, out = doctor(JWT_ISSUER=opaque.issuer)
    assert status == 1
    assert "has no jwks_uri" in wrong(out)[0]


@pytest.mark.parametrize(
    ("url", "is_hinted"),
    [
        ("https://127.0.0.1:9/jwks", False),
        ("http://127.0.0.1:9/jwks", False),
        ("http://keys.invalid/jwks", True),
    ],
)
def test_http_is_spoken_of_where_the_url_has_it(
    doctor: Doctor, url: str, *, is_hinted: bool
) -> None:
    status, out = doctor(JWKS_URL=url, JWT_ISSUER="https://id.example.com")
    assert status == 1
    (line,) = wrong(out)
    assert ("JWT_ALLOW_HTTP" in line) == is_hinted


def dated(date: str | None) -> Behaviour:
    """Return what serves a key with this Date, or without one."""
    body = jwks_text(Key.generate("ES256"))

    def behave(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response_only(200)
        if date is not None:
            handler.send_header("Date", date)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return behave


@pytest.mark.parametrize("ahead", [-200, 200])
def test_a_clock_that_differs_from_the_issuer_s_is_told(
    doctor: Doctor, ahead: int
) -> None:
    date = formatdate(time.time() + ahead, usegmt=True)
    with KeyServer(dated(date)) as server:
        settings = {"JWKS_URL": server.url, "JWT_ISSUER": "https://a.example"}
        status, out = doctor(**settings)
        assert status == 1
        (line,) = wrong(out)
        found = re.search(r"its clock differs by (-?\d+) s: .*JWT_LEEWAY", line)
        assert found is not None
        assert int(found[1]) / ahead == pytest.approx(1, abs=0.5)
        assert doctor(**settings, JWT_LEEWAY="300")[0] == 0


DATES = [
    None,
    "",
    "yesterday",
    "1\x1b[2J",
    f"Mon, 01 Jan {'9' * 20} 00:00:00 GMT",
    f"Mon, 01 Jan 2024 00:00:00 +{'9' * 20}",
    "Mon, 01 Jan 2024 00:00:00 +9999",
]


@contextmanager
def local_time(zone: str) -> Iterator[None]:
    """Let this process live in a time zone."""
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TZ", zone)
            time.tzset()
            yield
    finally:
        time.tzset()


@pytest.mark.parametrize("zone", ["UTC+9", "UTC-9"])
@pytest.mark.parametrize("form", ["%a %b %d %H:%M:%S %Y", "%a, %d %b %Y %T -0000"])
def test_a_date_without_a_zone_is_in_utc(doctor: Doctor, form: str, zone: str) -> None:
    """As those in the form of asctime are (RFC 9110 5.6.7)."""
    date = time.strftime(form, time.gmtime())
    with KeyServer(dated(date)) as server, local_time(zone):
        settings = {"JWKS_URL": server.url, "JWT_ISSUER": "https://a.example"}
        status, out = doctor(**settings, JWT_LEEWAY="3600")
    assert (status, wrong(out)) == (0, [])
    assert "its clock differs by" in out


def test_the_last_of_all_dates_is_one_as_well(doctor: Doctor) -> None:
    date = "Fri, 31 Dec 9999 23:59:59 -0000"
    with KeyServer(dated(date)) as server, local_time("UTC-9"):
        status, out = doctor(JWKS_URL=server.url, JWT_ISSUER="https://a.example")
    assert status == 1
    assert "its clock differs by" in out


@pytest.mark.parametrize("date", DATES)
def test_a_key_server_without_a_date_is_no_fault(
    doctor: Doctor, date: str | None
) -> None:
    with KeyServer(dated(date)) as server:
        status, out = doctor(JWKS_URL=server.url, JWT_ISSUER="https://a.example")
    assert (status, wrong(out)) == (0, [])
    assert "its clock is not told" in out


# --- stores ------------------------------------------------------------------------


def test_a_file_of_sqlite_is_not_made(doctor: Doctor, tmp_path: Path) -> None:
    file = tmp_path / "new.db"
    status, out = doctor(**SECRETS, DATABASE_URL=f"sqlite+aiosqlite:///{file}")
    assert (status, wrong(out)) == (0, [])
    assert "database: SQLite: the file is made when" in out
    assert not file.exists()


@pytest.mark.postgres
def test_a_postgresql_that_is_empty_migrated_and_killed(doctor: Doctor) -> None:
    with own_postgres() as server:
        settings = {**SECRETS, "DATABASE_URL": server.url}
        status, out = doctor(**settings)
        assert status == 1
        (line,) = wrong(out)
        assert "database: " in line
        assert "run `fastbearer migrate`" in line

        environment = {**os.environ, **settings}
        command = [sys.executable, "-m", "fastbearer", "migrate"]
        for more, is_told in ((["--accounts"], True), ([], False)):
            subprocess.run(
                [*command, *more], env=environment, check=True, capture_output=True
            )
            status, out = doctor(**settings)
            assert (status, wrong(out)) == (0, [])
            assert "the accounts' tables are up to date" in out
            assert ("fastbearer_task" in out) is is_told

        server.kill()
        status, out = doctor(**settings)
        assert status == 1
        assert (
            "database: the database of DATABASE_URL cannot be opened" in wrong(out)[0]
        )
        server.start()


@pytest.mark.redis
def test_a_redis_that_is_there_and_killed(doctor: Doctor) -> None:
    with own_redis() as server:
        settings = {**SECRETS, "REDIS_URL": server.url, "REVOCATION": "redis"}
        status, out = doctor(**settings)
        assert (status, wrong(out)) == (0, [])
        assert "redis: does what a sign-in needs" in out
        server.kill()
        status, out = doctor(**settings)
        assert status == 1
        (line,) = wrong(out)
        assert "redis: " in line
        assert "see that Redis runs" in line


def test_the_password_engine_is_tried(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        @classmethod
        def recommended(cls) -> Broken:
            raise MemoryError

    monkeypatch.setattr(checkup, "PasswordHash", Broken)
    status, out = doctor(**SECRETS)
    assert status == 1
    assert "passwords: cannot be hashed: MemoryError" in wrong(out)[0]
