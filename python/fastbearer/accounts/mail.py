"""Messages by e-mail, as the settings say: over SMTP, or on the console."""

import logging
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from urllib.parse import quote

from fastbearer.accounts.messages import (
    Message,
    MessagePurpose,
    in_words,
    print_message,
)
from fastbearer.errors import ConfigurationError
from fastbearer.fastapi import Settings
from fastbearer.fastapi.mail_settings import MailServer

__all__ = ["ConfiguredSender", "check_without_sender"]

TIMEOUT_SECONDS = 20.0

SUBJECTS: Mapping[MessagePurpose, str] = {
    "verify_email": "Verify your e-mail address",
    "reset_password": "Choose a new password",
    "invitation": "You are invited",
    "change_email": "Confirm your new e-mail address",
    "email_changing": "Your e-mail address is about to change",
    "email_changed": "Your e-mail address has changed",
    "already_registered": "You have an account already",
}
TEXTS: Mapping[MessagePurpose, str] = {
    "verify_email": "To verify that this e-mail address is yours, use this {kind}:",
    "reset_password": "To choose a new password, use this {kind}:",
    "invitation": "You are invited to sign up. To do so, use this {kind}:",
    "change_email": "To make this the e-mail address of your account, use this {kind}:",
    "email_changing": """\
Somebody who knows the password of your account has asked to change its
e-mail address. It changes when the new address is confirmed.

If it was you, there is nothing to do here. If it was not, choose a new
password at once: then the address stays what it is, and every other
session ends.
""",
    "email_changed": """\
The e-mail address of your account has changed: messages go to the new one
from now on.

If it was not you, tell those who run the service at once. With this address
you can no longer choose a new password.
""",
    "already_registered": """\
Somebody has asked for an account with this e-mail address, which has one
already.

If it was you, sign in, or choose a new password. If it was not, there is
nothing to do: nothing has changed.
""",
}
TEXT = """{what}

    {code}

It is good once, for {time}.

If you did not ask for it, ignore this message.
"""
"""Of messages with a code; the others are what they say."""
NOWHERE = (
    "no message can be sent: set SMTP_URL and MAIL_FROM, give Accounts a send="
    " of your own, or for development set MAIL_CONSOLE=1"
)
NOT_BY_SETTINGS = (
    "messages about users in a store of your own are sent by Accounts(send=...) alone,"
    " and there is none"
)
NO_EXTRA = 'SMTP_URL needs the extra smtp: pip install "fastbearer[smtp]"'

logger: logging.Logger = logging.getLogger("fastbearer")


class ConfiguredSender:
    """Sends messages the way that the settings describe.

    Args:
        settings: Asked when needed.
    """

    def __init__(self, settings: Callable[[], Settings]) -> None:
        self._settings = settings

    async def __call__(self, message: Message) -> None:
        """Send a message.

        Raises:
            ConfigurationError: There is no way to.
            OSError: The server cannot be reached.
            SMTPException: It refuses the message.
        """
        settings = self._settings()
        server = settings.mail_server()
        if server is not None:
            await self._send(message, server, settings)
        elif settings.mail_console:
            print_message(message)
        else:
            raise ConfigurationError(NOWHERE)

    def prepare(self, *, is_used: bool = True) -> None:
        """Fail at the start where the first message would, or say so in the log.

        Args:
            is_used: Whether messages go this way at all.

        Raises:
            ConfigurationError: The extra is missing; or another setting asks for
                messages, and there is no way to send them.
        """
        settings = self._settings()
        if settings.smtp_url is None:
            if is_used and not settings.mail_console:
                _refuse(settings, NOWHERE)
                logger.warning(
                    "/forgot-password and /request-verification: %s", NOWHERE
                )
            return
        try:
            import aiosmtplib  # noqa: F401
        except ImportError:
            raise ConfigurationError(NO_EXTRA) from None

    async def _send(
        self, message: Message, server: MailServer, settings: Settings
    ) -> None:
        import aiosmtplib

        await aiosmtplib.send(
            email_of(message, settings),
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            use_tls=server.has_tls,
            # Without TLS everybody on the way reads the code: only on this machine.
            start_tls=None if server.is_local or server.has_tls else True,
            timeout=TIMEOUT_SECONDS,
        )


def check_without_sender(settings: Settings) -> None:
    """Make sure that no setting asks for messages where there are none, or say so.

    Raises:
        ConfigurationError: One does.
    """
    _refuse(settings, NOT_BY_SETTINGS)
    if settings.smtp_url is not None:
        logger.warning("SMTP_URL is not used: %s", NOT_BY_SETTINGS)


def _refuse(settings: Settings, reason: str) -> None:
    asking = {
        "EMAIL_VERIFICATION=1": settings.email_verification,
        "REQUIRE_VERIFIED_EMAIL=1": settings.require_verified_email,
    }
    for setting, asks in asking.items():
        if asks:
            raise ConfigurationError(f"{setting}, and {reason}")


def email_of(message: Message, settings: Settings) -> EmailMessage:
    """Return a message as an e-mail of plain text."""
    result = EmailMessage()
    result["From"] = settings.mail_from
    result["To"] = message.to
    result["Subject"] = SUBJECTS[message.purpose]
    # Nobody answers a machine, nor shall a machine (RFC 3834 5).
    result["Auto-Submitted"] = "auto-generated"
    result.set_content(_text(message, settings.mail_link))
    result["Content-Language"] = "en"  # after the content, which clears such headers
    return result


def _text(message: Message, link: str | None) -> str:
    what = TEXTS[message.purpose]
    if not message.code:
        return what
    kind = "code" if link is None else "link"
    code = message.code if link is None else _link(link, message)
    return TEXT.format(
        what=what.format(kind=kind), code=code, time=in_words(message.lifetime)
    )


def _link(pattern: str, message: Message) -> str:
    link = pattern.replace("{purpose}", message.purpose)
    return link.replace("{code}", quote(message.code, safe=""))
