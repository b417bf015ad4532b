"""What the settings of e-mail say: the server, the sender and the link."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.errors import ObsoleteHeaderDefect
from email.headerregistry import HeaderRegistry
from typing import Any
from urllib.parse import unquote

from fastbearer.errors import ConfigurationError
from fastbearer.urls import read_url

__all__ = ["MailServer", "check_link", "check_sender", "read_smtp_url"]

WRONG_SMTP_URL = "SMTP_URL must be like smtp://user:password@host:587, or smtps://"
WRONG_SENDER = "SMTP_URL needs MAIL_FROM, an address like App <no-reply@example.com>"
WRONG_LINK = (
    "MAIL_LINK must be a URL with {code}, and {purpose} where that is needed: https://"
    " (http:// only for this machine itself)"
)

PORTS = {"smtp": 587, "smtps": 465}  # RFC 6409, RFC 8314
LOOPBACK = frozenset(("localhost", "127.0.0.1", "[::1]"))
SMTP_URL = re.compile(
    r"(?P<scheme>smtps?)://(?P<login>[^\s/?#]*@)?"
    r"(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(:(?P<port>[0-9]{1,5}))?/?",
    re.ASCII | re.IGNORECASE,
)
DOMAIN = re.compile(r"\w[\w-]*(\.[\w-]+)*")
MOST_CHARACTERS = 998  # of a line (RFC 5322 2.1.1)
PLACES = ("{code}", "{purpose}")


@dataclass(frozen=True)
class MailServer:
    """The server that messages are sent through.

    Attributes:
        host: Its name, or its address without brackets.
        port: Of ``smtp://`` 587, of ``smtps://`` 465, unless the URL has another.
        username: None where nobody signs in there.
        password: None where nobody signs in there.
        has_tls: Whether all of the connection is TLS; otherwise it begins with
            STARTTLS.
        is_local: Whether it is this machine.
    """

    host: str
    port: int
    username: str | None
    password: str | None = field(repr=False)
    has_tls: bool
    is_local: bool


def read_smtp_url(url: str) -> MailServer:
    """Return the server of ``SMTP_URL``.

    Raises:
        ConfigurationError: It is not ``smtp://`` or ``smtps://``, or has a path, a
            query, or a user without a password. The message shows nothing of it.
    """
    found = SMTP_URL.fullmatch(url) if url.isprintable() else None
    if found is None:
        raise ConfigurationError(WRONG_SMTP_URL)
    scheme, host = found["scheme"].lower(), found["host"].lower()
    port = int(found["port"] or PORTS[scheme])
    user, colon, password = (found["login"] or "").removesuffix("@").partition(":")
    if not 0 < port < 65536 or bool(user) != bool(colon and password):
        raise ConfigurationError(WRONG_SMTP_URL)
    return MailServer(
        host=host.strip("[]"),
        port=port,
        username=unquote(user) if user else None,
        password=unquote(password) if user else None,
        has_tls=scheme == "smtps",
        is_local=host in LOOPBACK,
    )


def check_sender(text: str | None) -> None:
    """Make sure that ``MAIL_FROM`` is one mailbox (RFC 5322 3.4), and nothing more.

    Raises:
        ConfigurationError: There is no mailbox, or several; or there are characters
            that begin another line, or cannot be seen.
    """
    if text is None or len(text) > MOST_CHARACTERS or not text.isprintable():
        raise ConfigurationError(WRONG_SENDER)
    try:
        header = HeaderRegistry()("From", text)
    except ValueError:  # there are line ends in what was encoded (RFC 2047)
        raise ConfigurationError(WRONG_SENDER) from None
    # "Example.com <...>" is obsolete (RFC 5322 4.1); it is sent in quotes.
    wrong = [one for one in header.defects if not isinstance(one, ObsoleteHeaderDefect)]
    groups: Any = getattr(header, "groups", ())
    is_one = len(groups) == 1 and groups[0].display_name is None
    if wrong or not is_one or not _is_mailbox(groups[0].addresses[0]):
        raise ConfigurationError(WRONG_SENDER)


def _is_mailbox(address: Any) -> bool:
    username: str = address.username
    domain: str = address.domain
    has_space = any(character.isspace() for character in username)
    return bool(username) and not has_space and bool(DOMAIN.fullmatch(domain))


def check_link(text: str) -> None:
    """Make sure that ``MAIL_LINK`` is a page that takes a code.

    Raises:
        ConfigurationError: It has no ``{code}``, or something else in braces; or it is
            not the URL of a page. Over http everybody on the way would read the code.
    """
    url = read_url(text)
    rest = text
    for place in PLACES:
        rest = rest.replace(place, "")
    is_one = url is not None and not url.has_user and PLACES[0] in text
    if url is None or not is_one or "{" in rest or "}" in rest:
        raise ConfigurationError(WRONG_LINK)
    if url.scheme != "https" and not url.is_loopback:
        raise ConfigurationError(WRONG_LINK)
