"""The settings: where they come from, and what they refuse."""

from __future__ import annotations

import ast
import inspect
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from fastbearer import Key
from fastbearer.better_auth import Secrets
from fastbearer.errors import ConfigurationError
from fastbearer.fastapi import Auth, Settings
from fastbearer.fastapi.token_settings import TokenSettings
from project import SECRET

BETTER_AUTH_DEFAULT = "better-auth-secret-12345678901234567890"
SHORT = "a-short-secret"
PEM = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
-----END PUBLIC KEY-----
"""
JWK = '{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}'
NOT_UTF_8 = "\udcff" * 40  # what os.environ makes of such bytes


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AUTH_SECRET", *(name.upper() for name in Settings.model_fields)):
        monkeypatch.delenv(name, raising=False)


SECRETS = {
    "better_auth_secret",
    "better_auth_secrets",
    "dpop_nonce_secret",
    "introspection_client_secret",
    "jwt_issuers",
    "jwt_key_headers",
}


def message(**values: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        Settings(**values)
    context = caught.value.__context__
    assert caught.value.__cause__ is None
    assert context is None or caught.value.__suppress_context__
    for value in values.values():
        assert not isinstance(value, str) or value == "" or value not in str(context)
    return str(caught.value)


def secret_of(settings: Settings) -> str:
    return settings.better_auth_secret.get_secret_value()


def test_defaults() -> None:
    settings = Settings(better_auth_secret=SECRET)
    assert secret_of(settings) == SECRET
    assert settings.model_dump(exclude=SECRETS) == {
        "better_auth_url": None,
        "jwks_url": None,
        "jwt_expiration_days": 7,
        "jwt_issuer": None,
        "jwt_audience": None,
        "jwt_any_issuer": False,
        "jwt_leeway": 0,
        "jwt_algorithms": None,
        "jwt_typ": None,
        "jwt_required": None,
        "jwt_user_claim": None,
        "jwt_email_claim": None,
        "jwt_scope_claims": None,
        "jwt_role_claims": None,
        "jwt_max_bytes": 16384,
        "jwt_allow_http": False,
        "jwt_ca_file": None,
        "introspection_client_id": None,
        "introspection_private_key_file": None,
        "introspection_url": None,
        "allow_short_secret": False,
        "password_scheme": "argon2id",
        "password_weak_hashes": False,
        "password_min_length": 8,
        "password_max_length": 128,
        "password_refuse_common": True,
        "site_name": None,
        "database_url": "sqlite+aiosqlite:///./fastbearer.db",
        "database_pooler": "none",
        "better_auth_database_url": None,
        "better_auth_upgrade_hashes": False,
        "redis_url": None,
        "throttle": True,
        "throttle_failures": "10/minute, 30/hour, 50/day",
        "throttle_account_failures": "100/day",
        "throttle_requests": "300/minute",
        "throttle_messages": "5/hour",
        "throttle_account_messages": "20/hour",
        "trusted_proxies": None,
        "forwarded_header": "x-forwarded-for",
        "revocation": "auto",
        "revocation_failure": "closed",
        "revocation_lag_seconds": 10,
        "refresh_tokens": False,
        "refresh_days": 30,
        "refresh_grace_seconds": 10,
        "code_minutes": 10,
        "email_verification": False,
        "sign_up": "open",
        "require_verified_email": False,
        "smtp_url": None,
        "mail_from": None,
        "mail_link": None,
        "mail_console": False,
        "api_docs": True,
        "auth_cookie": False,
        "cookie_samesite": "lax",
        "cookie_secure": True,
        "trusted_origins": None,
        "resource_url": None,
        "resource_scopes": None,
        "resource_name": None,
        "dpop": "off",
        "dpop_base_url": None,
        "dpop_replays": "memory",
        "bound_tokens": "refuse",
        "requests_without_origin": "refuse",
        "token_cookies": None,
    }


def test_every_setting_has_its_environment_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    environment = {
        "BETTER_AUTH_SECRET": SHORT,
        "BETTER_AUTH_URL": "https://app.example",
        "JWKS_URL": "https://id.example/keys",
        "JWT_EXPIRATION_DAYS": "0.5",
        "JWT_ISSUER": "https://issuer.example",
        "JWT_AUDIENCE": "tasks",
        "JWT_LEEWAY": "2.5",
        "JWT_ALGORITHMS": "HS256, RS256",
        "JWT_TYP": "JWT, none",
        "JWT_REQUIRED": '{"tid": "a"}',
        "JWT_USER_CLAIM": "oid",
        "JWT_EMAIL_CLAIM": "mail",
        "JWT_SCOPE_CLAIMS": "permissions",
        "JWT_ROLE_CLAIMS": "realm_access.roles",
        "JWT_MAX_BYTES": "65536",
        "JWT_ALLOW_HTTP": "1",
        "JWT_CA_FILE": "/etc/ca.pem",
        "INTROSPECTION_CLIENT_ID": "api",
        "INTROSPECTION_CLIENT_SECRET": "a-client's-secret",
        "INTROSPECTION_URL": "https://app.example/introspect",
        "JWT_ISSUERS": '[{"url": "https://other.example"}]',
        "JWT_KEY_HEADERS": '{"X-Key": "a"}',
        "ALLOW_SHORT_SECRET": "1",
        "PASSWORD_SCHEME": "bcrypt",
        "PASSWORD_WEAK_HASHES": "1",
        "PASSWORD_MIN_LENGTH": "15",
        "PASSWORD_MAX_LENGTH": "64",
        "PASSWORD_REFUSE_COMMON": "0",
        "SITE_NAME": "Tea",
        "DATABASE_URL": "sqlite+aiosqlite:///./other.db",
        "DATABASE_POOLER": "pgbouncer",
        "BETTER_AUTH_DATABASE_URL": "postgresql://localhost/app",
        "BETTER_AUTH_UPGRADE_HASHES": "1",
        "REDIS_URL": "redis://localhost:6379/1",
        "THROTTLE": "off",
        "THROTTLE_FAILURES": "3/hour",
        "THROTTLE_REQUESTS": "60/minute",
        "THROTTLE_MESSAGES": "1/day",
        "THROTTLE_ACCOUNT_FAILURES": "30/day",
        "THROTTLE_ACCOUNT_MESSAGES": "9/day",
        "TRUSTED_PROXIES": "10.0.0.0/8, ::1",
        "FORWARDED_HEADER": "forwarded",
        "REVOCATION": "redis",
        "REVOCATION_FAILURE": "open",
        "REVOCATION_LAG_SECONDS": "60",
        "REFRESH_TOKENS": "1",
        "REFRESH_DAYS": "14",
        "REFRESH_GRACE_SECONDS": "0",
        "CODE_MINUTES": "15",
        "EMAIL_VERIFICATION": "1",
        "REQUIRE_VERIFIED_EMAIL": "1",
        "SMTP_URL": "smtp://me:pw@mail.example:2525",
        "MAIL_FROM": "App <no-reply@app.example>",
        "MAIL_LINK": "https://app.example/{purpose}?code={code}",
        "MAIL_CONSOLE": "1",
        "API_DOCS": "0",
        "AUTH_COOKIE": "1",
        "COOKIE_SAMESITE": "strict",
        "COOKIE_SECURE": "0",
        "TRUSTED_ORIGINS": "https://app.example, http://localhost:3000",
        "RESOURCE_URL": "https://api.example/mcp",
        "RESOURCE_SCOPES": "tasks:read tasks:write",
        "RESOURCE_NAME": "Tasks",
        "DPOP": "optional",
        "DPOP_BASE_URL": "https://api.example",
        "SIGN_UP": "invitation",
        "DPOP_REPLAYS": "redis",
        "DPOP_NONCE_SECRET": SECRET,
        "BOUND_TOKENS": "bearer",
        "REQUESTS_WITHOUT_ORIGIN": "allow",
        "TOKEN_COOKIES": "access_token, CF_Authorization",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert secret_of(settings) == SHORT
    assert settings.model_dump(exclude=SECRETS) == {
        "better_auth_url": "https://app.example",
        "jwks_url": "https://id.example/keys",
        "jwt_expiration_days": 0.5,
        "jwt_issuer": "https://issuer.example",
        "jwt_audience": "tasks",
        "jwt_any_issuer": False,
        "jwt_leeway": 2.5,
        "jwt_algorithms": "HS256, RS256",
        "jwt_typ": "JWT, none",
        "jwt_required": '{"tid": "a"}',
        "jwt_user_claim": "oid",
        "jwt_email_claim": "mail",
        "jwt_scope_claims": "permissions",
        "jwt_role_claims": "realm_access.roles",
        "jwt_max_bytes": 65536,
        "jwt_allow_http": True,
        "jwt_ca_file": "/etc/ca.pem",
        "introspection_client_id": "api",
        "introspection_private_key_file": None,
        "introspection_url": "https://app.example/introspect",
        "allow_short_secret": True,
        "password_scheme": "bcrypt",
        "password_weak_hashes": True,
        "password_min_length": 15,
        "password_max_length": 64,
        "password_refuse_common": False,
        "site_name": "Tea",
        "database_url": "sqlite+aiosqlite:///./other.db",
        "database_pooler": "pgbouncer",
        "better_auth_database_url": "postgresql://localhost/app",
        "better_auth_upgrade_hashes": True,
        "redis_url": "redis://localhost:6379/1",
        "throttle": False,
        "throttle_failures": "3/hour",
        "throttle_requests": "60/minute",
        "throttle_messages": "1/day",
        "throttle_account_failures": "30/day",
        "throttle_account_messages": "9/day",
        "trusted_proxies": "10.0.0.0/8, ::1",
        "forwarded_header": "forwarded",
        "revocation": "redis",
        "revocation_failure": "open",
        "revocation_lag_seconds": 60,
        "refresh_tokens": True,
        "refresh_days": 14,
        "refresh_grace_seconds": 0,
        "code_minutes": 15,
        "email_verification": True,
        "sign_up": "invitation",
        "require_verified_email": True,
        "smtp_url": "smtp://me:pw@mail.example:2525",
        "mail_from": "App <no-reply@app.example>",
        "mail_link": "https://app.example/{purpose}?code={code}",
        "mail_console": True,
        "api_docs": False,
        "auth_cookie": True,
        "cookie_samesite": "strict",
        "cookie_secure": False,
        "trusted_origins": "https://app.example, http://localhost:3000",
        "resource_url": "https://api.example/mcp",
        "resource_scopes": "tasks:read tasks:write",
        "resource_name": "Tasks",
        "dpop": "optional",
        "dpop_base_url": "https://api.example",
        "dpop_replays": "redis",
        "bound_tokens": "bearer",
        "requests_without_origin": "allow",
        "token_cookies": "access_token, CF_Authorization",
    }
    assert settings.dpop_nonce_secret.get_secret_value() == SECRET
    assert settings.scopes_of_resource() == ("tasks:read", "tasks:write")
    assert settings.origins() == {"https://app.example", "http://localhost:3000"}
    assert [str(one) for one in settings.proxies()] == ["10.0.0.0/8", "::1/128"]


def test_a_unix_socket_can_be_a_trusted_proxy() -> None:
    settings = Settings(better_auth_secret=SECRET, trusted_proxies="unix, 10.0.0.0/8")
    assert settings.trusts_unix_sockets
    assert [str(one) for one in settings.proxies()] == ["10.0.0.0/8"]
    assert not Settings(better_auth_secret=SECRET).trusts_unix_sockets


@pytest.mark.parametrize(
    ("setting", "value", "rule"),
    [
        ("trusted_origins", "app.example", "TRUSTED_ORIGINS must be origins"),
        ("trusted_origins", "https://app.example/path", "TRUSTED_ORIGINS must be"),
        ("trusted_origins", "https://a.example,,", "TRUSTED_ORIGINS must be"),
        ("trusted_origins", "null", "TRUSTED_ORIGINS must be"),
        ("token_cookies", "a b", "TOKEN_COOKIES must be names of cookies"),
        ("token_cookies", "a,,b", "TOKEN_COOKIES must be names of cookies"),
        ("token_cookies", "a;b", "TOKEN_COOKIES must be names of cookies"),
        ("requests_without_origin", "maybe", "REQUESTS_WITHOUT_ORIGIN must be refuse"),
        ("trusted_proxies", "everybody", "TRUSTED_PROXIES must be networks"),
        ("trusted_proxies", "10.0.0.1/8", "TRUSTED_PROXIES must be networks"),
        ("revocation", "on", "REVOCATION must be auto, off, memory, database or redis"),
        ("refresh_grace_seconds", -1, "REFRESH_GRACE_SECONDS must be"),
        ("code_minutes", 0, "CODE_MINUTES must be"),
    ],
)
def test_what_the_newer_settings_must_be(
    setting: str, value: object, rule: str
) -> None:
    with pytest.raises(ConfigurationError, match=rule):
        Settings(better_auth_secret=SECRET, **{setting: value})


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ({"smtp_url": "mail.example"}, "SMTP_URL must be like"),
        ({"smtp_url": "http://mail.example"}, "SMTP_URL must be like"),
        ({"smtp_url": "smtp://"}, "SMTP_URL must be like"),
        ({"smtp_url": "smtp://me:a-password@h:99999"}, "SMTP_URL must be like"),
        ({"smtp_url": "smtp://h"}, "SMTP_URL needs MAIL_FROM"),
        ({"smtp_url": "smtp://h", "mail_from": "App"}, "SMTP_URL needs MAIL_FROM"),
        ({"smtp_url": "smtp://h", "mail_from": "a@b\r\nBcc: c@d"}, "needs MAIL_FROM"),
        ({"mail_link": "https://app.example/code"}, "MAIL_LINK must be a URL with"),
    ],
)
def test_how_mail_is_sent_must_be_whole(settings: dict[str, str], rule: str) -> None:
    told = message(better_auth_secret=SECRET, **settings)
    assert rule in told and "a-password" not in told


def test_a_cookie_for_all_sites_must_be_secure() -> None:
    with pytest.raises(ConfigurationError, match="COOKIE_SECURE=1"):
        Settings(better_auth_secret=SECRET, cookie_samesite="none", cookie_secure=False)


@pytest.mark.parametrize(
    ("better_auth_secret", "auth_secret", "expected"),
    [
        ("b" * 40, None, "b" * 40),
        (None, "a" * 40, "a" * 40),
        ("b" * 40, "a" * 40, "b" * 40),
        ("", "a" * 40, "a" * 40),
    ],
)
def test_better_auth_secret_then_auth_secret(
    monkeypatch: pytest.MonkeyPatch,
    better_auth_secret: str | None,
    auth_secret: str | None,
    expected: str,
) -> None:
    if better_auth_secret is not None:
        monkeypatch.setenv("BETTER_AUTH_SECRET", better_auth_secret)
    if auth_secret is not None:
        monkeypatch.setenv("AUTH_SECRET", auth_secret)
    assert secret_of(Settings()) == expected
    assert secret_of(Settings(better_auth_secret=SECRET)) == SECRET


LISTED = f"2:{'n' * 40},1:{'o' * 40}"


def signs_with(settings: Settings, secret: str) -> bool:
    ours = settings.signing_key().to_jwk(private=True)
    return ours == Key.from_secret(secret).to_jwk(private=True)


@pytest.mark.parametrize("beside", [None, "s" * 40, BETTER_AUTH_DEFAULT])
def test_a_list_of_secrets_alone_is_enough(
    monkeypatch: pytest.MonkeyPatch, beside: str | None
) -> None:
    """As Better Auth reads it: the first of the list is in use."""
    monkeypatch.setenv("BETTER_AUTH_SECRETS", LISTED)
    if beside is not None:
        monkeypatch.setenv("BETTER_AUTH_SECRET", beside)
    settings = Settings()
    assert settings.has_secret
    assert signs_with(settings, "n" * 40)
    assert Secrets.from_environment(os.environ).current == "n" * 40
    auth = Auth()
    assert auth.verifier.verify(auth.generate_jwt_token("u", ""))["sub"] == "u"
    # A keyword wins over the environment.
    assert signs_with(Settings(better_auth_secret=SECRET), SECRET)


@pytest.mark.parametrize(
    ("listed", "told"),
    [
        ("nonsense-value", "BETTER_AUTH_SECRETS must be <version>:<secret> entries"),
        ("1:nonsense-value", "BETTER_AUTH_SECRETS must be at least 32 bytes long"),
        (f"1:{BETTER_AUTH_DEFAULT}", "BETTER_AUTH_SECRETS is Better Auth's built-in"),
        (f"1:{PEM}", "BETTER_AUTH_SECRETS: "),
    ],
)
def test_a_list_that_is_unfit(
    monkeypatch: pytest.MonkeyPatch, listed: str, told: str
) -> None:
    monkeypatch.setenv("BETTER_AUTH_SECRETS", listed)
    found = message()
    assert told in found
    assert "nonsense-value" not in found and "11qYAYKx" not in found


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.setenv(name.upper(), "")
    assert Settings(better_auth_secret=SECRET).jwt_issuer is None
    assert Settings(better_auth_secret=SECRET).jwt_expiration_days == 7


def test_no_env_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text(f"BETTER_AUTH_SECRET={SECRET}\n")
    monkeypatch.chdir(tmp_path)
    assert message() == "BETTER_AUTH_SECRET environment variable is required"


def test_the_secret_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    required = "BETTER_AUTH_SECRET environment variable is required"
    assert message() == required
    assert message(better_auth_secret="") == required
    monkeypatch.setenv("BETTER_AUTH_SECRET", "")
    assert message() == required


def test_a_short_secret_is_refused_with_the_ways_out() -> None:
    told = message(better_auth_secret=SHORT)
    assert "BETTER_AUTH_SECRET" in told
    assert "32 bytes" in told
    assert "`fastbearer secret`" in told
    assert "ALLOW_SHORT_SECRET=1" in told
    assert SHORT not in told


def test_the_secret_is_measured_in_bytes() -> None:
    assert "32 bytes" in message(better_auth_secret="x" * 31)
    assert secret_of(Settings(better_auth_secret="x" * 32)) == "x" * 32
    assert secret_of(Settings(better_auth_secret="é" * 16)) == "é" * 16


def test_a_short_secret_can_be_allowed() -> None:
    settings = Settings(better_auth_secret=SHORT, allow_short_secret=True)
    assert settings.signing_key().algorithm == "HS256"


@pytest.mark.parametrize("allow_short_secret", [False, True])
def test_better_auths_default_secret_is_never_accepted(
    allow_short_secret: bool,
) -> None:
    told = message(
        better_auth_secret=BETTER_AUTH_DEFAULT, allow_short_secret=allow_short_secret
    )
    assert "BETTER_AUTH_SECRET" in told
    assert "`fastbearer secret`" in told
    assert BETTER_AUTH_DEFAULT not in told


@pytest.mark.parametrize("key", [PEM, JWK])
def test_a_key_is_not_a_secret(key: str) -> None:
    told = message(better_auth_secret=key)
    assert told.startswith("BETTER_AUTH_SECRET")
    assert "11qYAYKx" not in told


@pytest.mark.parametrize(
    "name",
    [
        *("better_auth_secret", "better_auth_url", "jwks_url"),
        *("jwt_issuer", "jwt_audience", "database_url"),
    ],
)
def test_bytes_that_are_not_utf_8_are_refused(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("BETTER_AUTH_SECRET", SECRET)
    monkeypatch.setenv(name.upper(), NOT_UTF_8)
    told = message()
    assert told.startswith(name.upper())
    assert "\udcff" not in told


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JWT_EXPIRATION_DAYS", "0"),
        ("JWT_EXPIRATION_DAYS", "-1"),
        ("JWT_EXPIRATION_DAYS", "nan"),
        ("JWT_EXPIRATION_DAYS", "inf"),
        ("JWT_EXPIRATION_DAYS", "1e300"),
        ("JWT_EXPIRATION_DAYS", "9" * 5000),
        ("JWT_EXPIRATION_DAYS", "wrong-value"),
        ("ALLOW_SHORT_SECRET", "wrong-value"),
        ("PASSWORD_SCHEME", "wrong-value"),
        ("PASSWORD_MIN_LENGTH", "0"),
        ("PASSWORD_MIN_LENGTH", "wrong-value"),
        ("PASSWORD_MAX_LENGTH", "0"),
        ("PASSWORD_MAX_LENGTH", "8.5"),
    ],
)
def test_a_wrong_value_names_the_variable_and_its_rule(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    told = message(better_auth_secret=SECRET)
    rule = Settings.model_fields[name.lower()].description
    assert told == f"{name} must be {rule}"
    assert len(told) < 100


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("better_auth_secret", None),
        ("better_auth_secret", 12345678),
        ("better_auth_secret", [SHORT]),
        ("jwt_issuer", ""),
        ("jwt_audience", ""),
        ("jwt_audience", ["wrong-value"]),
        ("database_url", ""),
        ("database_url", None),
    ],
)
def test_a_wrong_keyword_names_the_setting(name: str, value: object) -> None:
    told = message(**{name: value})
    assert told.startswith(f"{name.upper()} must be ")
    assert "wrong-value" not in told
    assert SHORT not in told


@pytest.mark.parametrize(
    ("url", "origin", "keys"),
    [
        ("https://app.example", "https://app.example", "/api/auth/jwks"),
        ("https://app.example/", "https://app.example", "/api/auth/jwks"),
        ("https://APP.Example:443", "https://app.example", "/api/auth/jwks"),
        ("http://localhost:3000", "http://localhost:3000", "/api/auth/jwks"),
        ("http://localhost:80/", "http://localhost", "/api/auth/jwks"),
        ("http://[::1]:3000", "http://[::1]:3000", "/api/auth/jwks"),
        ("https://app.example/auth/v1/", "https://app.example", "/auth/v1/jwks"),
    ],
)
def test_the_keys_of_better_auth(url: str, origin: str, keys: str) -> None:
    (issuer,) = Settings(better_auth_url=url).issuers().every
    assert (issuer.names, issuer.keys) == ((origin,), origin + keys)
    assert issuer.audience == (origin,)
    there = Settings(better_auth_url=url, jwks_url="https://id.example/keys")
    (issuer,) = there.issuers().every
    assert issuer.names == (origin,)
    assert issuer.keys == "https://id.example/keys"


@pytest.mark.parametrize(
    "url",
    [
        *(
            "app.example",
            "//app.example",
            "ftp://app.example",
            "https://",
            "https://[::",
        ),
        *("https://app.example:99999", "https://ä.example", "https://a b\n.example"),
    ],
)
def test_what_is_no_base_url(url: str) -> None:
    told = message(better_auth_url=url)
    assert told == "BETTER_AUTH_URL must be an absolute http or https URL of ASCII"


def test_without_a_secret_nothing_is_signed() -> None:
    settings = Settings(jwks_url="https://id.example", jwt_issuer="i")
    assert not settings.has_secret
    with pytest.raises(ConfigurationError, match="BETTER_AUTH_SECRET"):
        settings.signing_key()


def test_the_other_name_of_the_secret_is_told_by_its_first() -> None:
    assert message(auth_secret=None) == "BETTER_AUTH_SECRET must be a string"


def test_all_wrong_settings_are_told_at_once() -> None:
    told = message(jwt_expiration_days="wrong-value", password_scheme="wrong-value")
    assert "JWT_EXPIRATION_DAYS" in told
    assert "PASSWORD_SCHEME" in told


def test_the_least_length_is_not_above_the_greatest() -> None:
    told = message(
        better_auth_secret=SECRET, password_min_length=20, password_max_length=10
    )
    assert told == "PASSWORD_MIN_LENGTH must not be greater than PASSWORD_MAX_LENGTH"


def test_an_unknown_setting_is_refused() -> None:
    told = message(better_auth_secret=SECRET, jwt_isuer="wrong-value")
    assert told == "unknown setting 'jwt_isuer'"


def test_a_secret_or_database_password_is_never_shown() -> None:
    url = "postgresql+asyncpg://me:a-password@db.example/tasks"
    settings = Settings(better_auth_secret=SECRET, database_url=url)
    for text in (repr(settings), str(settings), f"{settings}"):
        assert SECRET not in text
        assert "a-password" not in text
    assert settings.database_url == url


def test_the_url_of_keys_is_not_shown() -> None:
    url = "https://id.example/keys?apikey=a-password"
    settings = Settings(better_auth_secret=SECRET, jwks_url=url, jwt_issuer="i")
    assert "a-password" not in f"{settings!r} {settings}"


def test_every_field_says_once_what_it_is() -> None:
    """Its rule in the description, its meaning in a docstring below it."""
    told = {
        field.target.id
        for kind in (TokenSettings, Settings)
        for field, after in pairwise(
            ast.parse(inspect.getsource(kind)).body[0].body  # type: ignore[attr-defined]
        )
        if isinstance(field, ast.AnnAssign) and isinstance(after, ast.Expr)
    }
    assert told == set(Settings.model_fields)
    for name, field in Settings.model_fields.items():
        assert field.description
        assert name not in (Settings.__doc__ or "")


def test_settings_are_immutable() -> None:
    settings = Settings(better_auth_secret=SECRET)
    with pytest.raises(ValueError, match="frozen"):
        settings.jwt_issuer = "another"
    assert settings.jwt_issuer is None
