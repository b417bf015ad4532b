"""Messages by e-mail, to a real SMTP server of a few lines."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any, get_args

import pytest
from fastapi import FastAPI

from accounts_kit import EMAIL, make_auth, make_service, post, sign_in, sign_up
from fastbearer.accounts import Accounts, Message
from fastbearer.accounts.codes import Purpose
from fastbearer.accounts.mail import ConfiguredSender, email_of
from fastbearer.accounts.messages import Notice, print_message
from fastbearer.errors import ConfigurationError
from fastbearer.fastapi import Settings
from mail_server import MailServer
from project import SECRET
from waiting import wait_until

Serve = Callable[[FastAPI], str]
FROM = "App <no-reply@app.example>"
NEW = "another horse battery"


@pytest.fixture
def mails() -> Iterator[MailServer]:
    with MailServer().running() as server:
        yield server


def test_a_reset_from_settings_alone(
    serve: Serve,
    tmp_path: Path,
    mails: MailServer,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings = {"smtp_url": mails.url, "mail_from": FROM}
    service = serve(make_service(tmp_path / "a.db", **settings))
    sign_up(service)
    assert post(service, "forgot-password", email=EMAIL).status_code == 202
    mail = mails.next()
    assert mail["To"] == EMAIL and mail["From"] == FROM
    assert mail["Subject"] == "Choose a new password"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mails.logins == [b"\0me\0p@ss"]
    assert mails.envelopes[0].startswith("MAIL FROM:<no-reply@app.example>")
    assert mails.envelopes[1].startswith(f"RCPT TO:<{EMAIL}>")
    text = mail.get_content()
    assert "10 minutes" in text
    code = re.search(r"^    (\S+)\r?$", text, re.MULTILINE)
    assert code is not None
    done = post(service, "reset-password", code=code[1], password=NEW)
    assert done.status_code == 200
    assert sign_in(service, password=NEW).status_code == 200
    assert code[1] not in capfd.readouterr().err + caplog.text


def settings_of(**values: Any) -> Settings:
    return Settings(better_auth_secret=SECRET, smtp_url="smtp://h.example", **values)


def test_a_link_in_place_of_the_code() -> None:
    link = "https://app.example/{purpose}?code={code}#x"
    settings = settings_of(mail_from=FROM, mail_link=link)
    message = Message(EMAIL, "verify_email", "a/b c{purpose}", timedelta(minutes=10))
    text = email_of(message, settings).get_content()
    assert "https://app.example/verify_email?code=a%2Fb%20c%7Bpurpose%7D#x" in text


def test_every_message_has_its_words() -> None:
    """In English, as its header says; what has no code asks for none."""
    link = settings_of(mail_from=FROM, mail_link="https://app.example/{purpose}/{code}")
    plain = settings_of(mail_from=FROM)
    for purpose in (*get_args(Purpose), *get_args(Notice)):
        code = "" if purpose in get_args(Notice) else "the-code"
        message = Message(EMAIL, purpose, code, timedelta(minutes=10))
        mails = [email_of(message, one) for one in (plain, link)]
        texts = [mail.get_content() for mail in mails]
        assert mails[0]["Subject"] and mails[0]["Content-Language"] == "en"
        assert not [
            text for text in texts if "{" in text or ("the-code" in text and not code)
        ]
        if code:
            assert "    the-code\n" in texts[0] and "10 minutes" in texts[0]
            assert f"https://app.example/{purpose}/the-code" in texts[1]
        else:
            assert texts[0] == texts[1] and "minutes" not in texts[0]
        assert all(len(line) <= 78 for line in texts[0].splitlines())


def test_the_console_shows_notices_without_a_code(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_message(Message(EMAIL, "email_changed"))
    assert capsys.readouterr().err == f"message to {EMAIL}: email_changed\n"


def test_nobody_waits_for_the_mail_server(
    serve: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither at sign-up nor elsewhere, be it slow or away; no code is logged."""
    answered = threading.Event()
    codes: list[str] = []

    def send(message: Message) -> None:
        codes.append(message.code)
        assert answered.wait(60)
        raise OSError(f"no mail with {message.code}")

    settings = {"email_verification": True}
    service = serve(make_service(tmp_path / "a.db", send=send, **settings))
    assert sign_up(service).status_code == 201
    assert post(service, "forgot-password", email=EMAIL).status_code == 202
    answered.set()
    wait_until(lambda: "message reset_password not sent" in caplog.text)
    wait_until(lambda: "message verify_email not sent" in caplog.text)
    assert len(codes) == 2 and not [code for code in codes if code in caplog.text]


@pytest.mark.parametrize("to", ["a@b.example\r\nBcc: c@d.example", "a@b.example\nX: y"])
def test_an_address_adds_no_header(to: str) -> None:
    message = Message(to, "verify_email", "code", timedelta(minutes=10))
    with pytest.raises(ValueError, match=r"(?i)header|linefeed|newline"):
        email_of(message, settings_of(mail_from=FROM))


def test_without_a_way_the_code_is_told_to_nobody(
    serve: Serve,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    service = serve(make_service(tmp_path / "a.db"))
    sign_up(service)
    assert post(service, "forgot-password", email=EMAIL).status_code == 202
    # The message is sent after the response; the next one comes when that is done.
    assert sign_in(service).status_code == 200
    assert "code" not in capfd.readouterr().err
    message = Message(EMAIL, "verify_email", "the-code", timedelta(minutes=10))
    send = ConfiguredSender(lambda: Settings(better_auth_secret=SECRET))
    with pytest.raises(ConfigurationError, match="set SMTP_URL and MAIL_FROM"):
        asyncio.run(send(message))
    assert "the-code" not in caplog.text


def start(folder: Path, send: Any = None, **settings: Any) -> None:
    async def run() -> None:
        async with Accounts(make_auth(folder / "a.db", **settings), send=send).lifespan(
            None
        ):
            pass

    asyncio.run(run())


def test_the_start_says_that_no_message_can_be_sent(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    start(tmp_path)
    assert "/forgot-password" in caplog.text and "set SMTP_URL" in caplog.text
    with pytest.raises(ConfigurationError, match=r"EMAIL_VERIFICATION=1.*SMTP_URL"):
        start(tmp_path, email_verification=True)
    caplog.clear()
    start(tmp_path, send=print, email_verification=True)
    start(tmp_path, mail_console=True, email_verification=True)
    start(tmp_path, smtp_url="smtp://h", mail_from=FROM, email_verification=True)
    assert "SMTP_URL" not in caplog.text


def test_tls_is_needed_but_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    async def send(message: EmailMessage, **options: Any) -> None:
        asked.append(options)

    monkeypatch.setattr("aiosmtplib.send", send)
    message = Message(EMAIL, "verify_email", "code", timedelta(minutes=10))
    for url in ("smtp://h.example", "smtps://h.example", "smtp://localhost:25"):
        settings = Settings(better_auth_secret=SECRET, smtp_url=url, mail_from=FROM)
        asyncio.run(ConfiguredSender(lambda s=settings: s)(message))  # type: ignore[misc]
    found = [(one["port"], one["use_tls"], one["start_tls"]) for one in asked]
    assert found == [(587, False, True), (465, True, None), (25, False, None)]


def test_a_missing_extra_stops_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "aiosmtplib", None)
    auth = make_auth(tmp_path / "a.db", smtp_url="smtp://h", mail_from=FROM)

    async def start() -> None:
        async with Accounts(auth).lifespan(None):
            pass

    with pytest.raises(ConfigurationError, match=r"fastbearer\[smtp\]"):
        asyncio.run(start())
