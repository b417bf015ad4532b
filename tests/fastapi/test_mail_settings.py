"""What the settings of e-mail must be: a server, one mailbox, a page."""

from __future__ import annotations

import pytest

from fastbearer.errors import ConfigurationError
from fastbearer.fastapi import Settings
from project import SECRET


def settings_of(**values: str) -> Settings:
    return Settings(better_auth_secret=SECRET, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://h.example", ("h.example", 587, None, None, False, False)),
        ("smtps://h.example/", ("h.example", 465, None, None, True, False)),
        ("SMTP://H.example:25", ("h.example", 25, None, None, False, False)),
        ("smtp://localhost:1025", ("localhost", 1025, None, None, False, True)),
        ("smtp://[::1]:25", ("::1", 25, None, None, False, True)),
        ("smtp://me:p%40s:s@h", ("h", 587, "me", "p@s:s", False, False)),
        ("smtp://me@x.example:pw@h", ("h", 587, "me@x.example", "pw", False, False)),
    ],
)
def test_the_server(url: str, expected: tuple[object, ...]) -> None:
    server = settings_of(smtp_url=url, mail_from="a@b.example").mail_server()
    assert server is not None
    found = (server.host, server.port, server.username, server.password)
    assert (*found, server.has_tls, server.is_local) == expected
    assert "p@s:s" not in repr(server)


@pytest.mark.parametrize(
    "url",
    [
        "smtp:h.example",
        "smtp://me@h.example",
        "smtp://me:@h.example",
        "smtp://:a-password@h.example",
        "smtp://h.example:0",
        "smtp://h.example:65536",
        "smtp://h.example/path",
        "smtp://h.example?tls=0",
        "smtp://h.example#x",
        "smtp://h\n.example",
        "smtp://a-password\tx:y@h.example",
        "smtp://h.example\r\nRCPT TO:<x@y.example>",
        " smtp://h.example",
        "smtp://h ample",
        "javascript://h",
    ],
)
def test_what_is_no_server(url: str) -> None:
    with pytest.raises(ConfigurationError, match="SMTP_URL must be like") as told:
        settings_of(smtp_url=url, mail_from="a@b.example")
    assert "a-password" not in str(told.value)


@pytest.mark.parametrize(
    "sender",
    [
        "no-reply@app.example",
        "App <no-reply@app.example>",
        "Example.com <no-reply@app.example>",
        '"App, the best" <no-reply@app.example>',
        "Bücher <no-reply@bücher.example>",
        "App <no-reply@localhost>",
    ],
)
def test_one_mailbox(sender: str) -> None:
    assert settings_of(mail_from=sender).mail_from == sender


@pytest.mark.parametrize(
    "sender",
    [
        "App",
        "@app.example",
        "App <>",
        "App <no-reply@>",
        "App <no-reply@app.example",
        "App <no reply@app.example>",
        "App <no-reply@app.example> and more",
        "a@b.example, c@d.example",
        "App, the best <no-reply@app.example>",
        "App: a@b.example;",
        "a@b.example\r\nBcc: c@d.example",
        "App\r\nBcc: c@d.example\r\nX: <a@b.example>",
        "App\nX <a@b.example>",
        "App\x0bX <a@b.example>",
        "App\0 <a@b.example>",
        "App\x85X <a@b.example>",
        "App\u2028X <a@b.example>",
        "=?utf-8?q?x=0d=0aBcc:y?= <a@b.example>",
        "a@-b.example",
        "a@b..example",
        "a@b.example" + " " * 1000,
    ],
)
def test_what_is_not_one_mailbox(sender: str) -> None:
    with pytest.raises(ConfigurationError, match="MAIL_FROM, an address like"):
        settings_of(mail_from=sender)


@pytest.mark.parametrize(
    "link",
    [
        "https://app.example/{purpose}?code={code}",
        "https://app.example/#{code}",
        "https://app.example/{code}/{purpose}",
        "http://localhost:3000/{purpose}?code={code}",
        "http://127.0.0.1/?c={code}&p={purpose}#x",
    ],
)
def test_a_page(link: str) -> None:
    assert settings_of(mail_link=link).mail_link == link


@pytest.mark.parametrize(
    "link",
    [
        "https://app.example/code",
        "{code}",
        "/{purpose}?code={code}",
        "//app.example/{code}",
        "https:///{code}",
        "https://{code}/",
        "https://{code}@app.example/",
        "https://me:pw@app.example/{code}",
        "https://app.example\\@evil.example/{code}",
        "javascript:alert('{code}')",
        "JavaScript://app.example/%0aalert('{code}')",
        "data:text/html,{code}",
        "ftp://app.example/{code}",
        "http://app.example/{code}",
        "https://app.example/{code}\r\nBcc: c@d.example",
        "https://app.example/{code} x",
        "https://app.example/{code}?u={user}",
        "https://app.example/{code}}",
        "https://app.example/{ code }",
        "https://app.example:99999/{code}",
    ],
)
def test_what_is_no_page(link: str) -> None:
    with pytest.raises(ConfigurationError, match="MAIL_LINK must be a URL with"):
        settings_of(mail_link=link)
