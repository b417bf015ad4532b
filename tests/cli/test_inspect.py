"""``fastbearer inspect``: what a token says, and what the settings say of it."""

from __future__ import annotations

import io
import json
import os
import sys
from base64 import urlsafe_b64encode

import pytest
from fastapi import Depends, FastAPI
from starlette.testclient import TestClient

from fastbearer import Key, Signer
from fastbearer.cli import main
from fastbearer.cli.inspection import dated, described, relative
from fastbearer.fastapi import Auth
from project import OTHER_SECRET, SECRET

NOW = 1_900_000_000
KEY = Key.from_secret(SECRET)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave no setting of ours but the secret."""
    for name in list(os.environ):
        if name.startswith(
            (
                "JWT_",
                "JWKS_",
                "BETTER_AUTH_",
                "AUTH_",
                "DATABASE_",
                "REVOCATION",
                "DPOP",
                "BOUND_",
            )
        ):
            monkeypatch.delenv(name)
    monkeypatch.setenv("BETTER_AUTH_SECRET", SECRET)


def inspect(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    status = main(["inspect", *arguments])
    printed = capsys.readouterr()
    assert printed.err == ""
    return status, printed.out


def token(**claims: object) -> str:
    return Signer(KEY, lifetime=3600).sign({"sub": "u1", **claims})


def test_a_good_token_is_shown_and_accepted(capsys: pytest.CaptureFixture[str]) -> None:
    made = token(name="Ada")
    status, out = inspect(capsys, made)
    assert status == 0
    assert out.startswith("UNVERIFIED: anybody could have written")
    assert '"alg": "HS256"' in out
    assert '"name": "Ada"' in out
    assert "UTC, in 1 hour\n" in out or "UTC, in 59 minutes" in out
    assert out.endswith("\nACCEPTED with the settings in force\n")
    assert made.rpartition(".")[2] not in out
    assert SECRET not in out


def test_a_token_of_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(token().encode() + b"\n"))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert inspect(capsys)[0] == 0


@pytest.mark.parametrize(
    ("claims", "settings", "told"),
    [
        ({"exp": 1}, {}, "REFUSED: expired_token: exp_passed (exp)"),
        ({"aud": "b"}, {}, "REFUSED: invalid_audience: aud_unexpected (aud)"),
        (
            {"aud": "b"},
            {"JWT_AUDIENCE": "a"},
            "REFUSED: invalid_audience: aud_wrong (aud)",
        ),
        (
            {},
            {"JWT_ISSUER": "https://id.example.com", "JWT_ALGORITHMS": "HS256"},
            "REFUSED: missing_claim: claim_missing (iss)",
        ),
        (
            {},
            {"BETTER_AUTH_SECRET": OTHER_SECRET},
            "REFUSED: invalid_signature: signature_wrong",
        ),
        (
            {"nbf": 9_999_999_999},
            {},
            "REFUSED: immature_token: nbf_ahead (nbf)",
        ),
    ],
)
def test_a_refusal_says_code_reason_claim_and_hint(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    claims: dict[str, object],
    settings: dict[str, str],
    told: str,
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    status, out = inspect(capsys, token(**claims))
    assert status == 1
    assert told in out
    assert '"sub": "u1"' in out
    assert SECRET not in out
    assert OTHER_SECRET not in out


NO_USER: list[tuple[dict[str, object], dict[str, str], str]] = [
    ({"sub": None}, {}, "missing_claim: no_user (sub)"),
    ({"sub": ""}, {}, "missing_claim: no_user (sub)"),
    ({"sub": 4}, {}, "invalid_claim: user_not_text (sub)"),
    ({}, {"JWT_USER_CLAIM": "uid"}, "missing_claim: no_user (uid)"),
    ({"cnf": {"jkt": "x"}}, {}, "bound_token: no_proof"),
    ({"cnf": None}, {}, "bound_token: no_proof"),
    ({}, {"DPOP": "required"}, "bound_token: no_proof"),
    ({"updateTo": "b@example.com"}, {}, "invalid_claim: link_of_a_message (email)"),
    ({"requestType": "x"}, {}, "invalid_claim: link_of_a_message (email)"),
    ({"exp": 1}, {}, "expired_token: exp_passed (exp)"),
    ({"aud": "b"}, {"JWT_AUDIENCE": "a"}, "invalid_audience: aud_wrong (aud)"),
]


@pytest.mark.parametrize(("claims", "settings", "told"), NO_USER)
def test_what_the_application_refuses_is_refused_as_in_its_log(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    claims: dict[str, object],
    settings: dict[str, str],
    told: str,
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    made = token(**claims)
    status, out = inspect(capsys, made)
    assert status == 1
    assert f"\nREFUSED: {told}\n" in out
    assert caplog.text == ""
    auth = Auth()
    link = "link_of" in told
    door = auth.token_claims if link else auth.verify_jwt_token
    app = FastAPI()
    app.get("/", dependencies=[Depends(door)])(lambda: None)
    refused = TestClient(app).get("/", headers={"Authorization": f"Bearer {made}"})
    assert refused.status_code == 401
    (record,) = [one for one in caplog.records if one.name == "fastbearer"]
    logged, _, hint = record.getMessage().partition("; ")
    assert logged == f"token refused: {told}"
    assert (f"  hint: {hint}\n" in out) == bool(hint)


def test_a_link_of_a_message_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    link = Signer(KEY, lifetime=3600).sign({"email": "ada@example.com"})
    status, out = inspect(capsys, link)
    assert status == 1
    assert "REFUSED: invalid_claim: link_of_a_message (email)" in out


@pytest.mark.parametrize(
    ("claims", "settings"),
    [
        ({"sub": None, "user_id": "u1"}, {}),
        ({"sub": None, "uid": "u1"}, {"JWT_USER_CLAIM": "uid"}),
        ({"cnf": {"jkt": "x"}}, {"BOUND_TOKENS": "bearer"}),
    ],
)
def test_what_the_application_accepts_is_accepted(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    claims: dict[str, object],
    settings: dict[str, str],
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    status, out = inspect(capsys, token(**claims))
    assert (status, out.splitlines()[-1]) == (0, "ACCEPTED with the settings in force")


def test_ended_sessions_are_not_asked_for_which_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REVOCATION", "redis")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:9/0")
    status, out = inspect(capsys, token())
    assert status == 0
    assert "ACCEPTED with the settings in force; whether its session has ended" in out


def test_a_hint_is_that_of_the_log(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "hint: set JWT_AUDIENCE" in inspect(capsys, token(aud="api"))[1]
    ec = Signer(Key.generate("ES256"), lifetime=60).sign({"sub": "1"})
    status, out = inspect(capsys, ec)
    assert status == 1
    assert "REFUSED: invalid_algorithm: alg_not_keys" in out
    assert "Set BETTER_AUTH_URL" in out


def test_without_settings_it_is_shown_and_not_judged(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BETTER_AUTH_SECRET")
    status, out = inspect(capsys, token())
    assert status == 1  # nobody may take it for accepted
    assert '"sub": "u1"' in out
    assert "NOT JUDGED: configuration_error: BETTER_AUTH_SECRET" in out


def test_keys_that_cannot_be_fetched_leave_it_unjudged(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BETTER_AUTH_SECRET")
    monkeypatch.setenv("JWKS_URL", "http://127.0.0.1:9/jwks")
    monkeypatch.setenv("JWT_ISSUER", "https://id.example.com")
    made = Signer(Key.generate("ES256"), issuer="https://id.example.com").sign({})
    status, out = inspect(capsys, made)
    assert status == 1
    assert "NOT JUDGED: key_source_unavailable" in out
    assert "127.0.0.1:9/jwks" in out  # why, as the log has it


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("opaque-token", "not a JWT: it has no dots"),
        ("a.b", "2 segments, where a signed token has three"),
        ("a.b.c.d", "4 segments, where a signed token has three"),
        ("e30.e30.c", "header:\n  {}\nclaims:\n  {}"),
        ("e30.b.c.d.e", "claims: encrypted (JWE)"),
        ("!.e30.c", "header: unreadable: a segment is not strict base64url"),
        ("e30.W10.c", "claims: unreadable: header and payload must be JSON objects"),
        ("Bearer e30.e30.c", "header: unreadable"),
        ("\u20ac.e30.c", "header: unreadable"),
        (".." + "x" * (1 << 20), "which is not looked at"),
    ],
    ids=lambda text: text[:20],
)
def test_whatever_is_given_is_told(
    capsys: pytest.CaptureFixture[str], text: str, told: str
) -> None:
    status, out = inspect(capsys, text)
    assert status == 1
    assert told in out
    assert "REFUSED: " in out


def test_no_terminal_obeys_what_is_in_a_token() -> None:
    evil = {"sub": "\x1b]0;title\x07\x9b31m\u202e\x7f\r\n", "\x1b[2J": "\u2028"}
    text = json.dumps(evil, ensure_ascii=False).encode()
    payload = urlsafe_b64encode(text).rstrip(b"=").decode()
    made = token(**evil) if payload else ""
    out = described(made, NOW)
    assert out.isascii()
    assert all(character.isprintable() or character == "\n" for character in out)


def test_a_claim_that_is_missing_has_a_printable_name(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JWT_REQUIRED", '{"\\u001b[31m": "x"}')
    status, out = inspect(capsys, token())
    assert status == 1
    assert "\x1b" not in out


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (NOW, "2030-03-17 17:46:40 UTC, now"),
        (NOW + 3600, "2030-03-17 18:46:40 UTC, in 1 hour"),
        (NOW - 86_400 * 2 - 7300, "UTC, 2 days, 2 hours ago"),
        (NOW - 61, "UTC, 1 minute, 1 second ago"),
        (NOW + 0.6, "UTC, in 1 second"),
        (NOW * 1000, "no date as seconds; milliseconds?"),
        (2**53, "no date as seconds; milliseconds?"),
        (-(2**53), "no date as seconds; milliseconds?"),
        (float("1e300"), "no date as seconds; milliseconds?"),
        ("1900000000", "not a number of seconds"),
        (True, "not a number of seconds"),
        (None, "not a number of seconds"),
        ([1], "not a number of seconds"),
    ],
)
def test_dates_are_shown_as_people_read_them(value: object, told: str) -> None:
    assert dated(value, NOW).endswith(told)


def test_distances_have_two_units_at_most() -> None:
    assert relative(90_061) == "in 1 day, 1 hour"
    assert relative(-86_405) == "1 day ago"
    assert relative(0.2) == "now"
