"""Messages by e-mail, as the settings say: over SMTP, or on the console."""

import logging
from collections.abc import Callable
from email.message import EmailMessage
from urllib.parse import quote, unquote, urlsplit

from fastbearer.accounts.messages import Message, in_words, print_message
from fastbearer.errors import ConfigurationError
from fastbearer.fastapi import Settings

__all__ = ["ConfiguredSender"]

TIMEOUT_SECONDS = 20.0
PORTS = {"smtp": 587, "smtps": 465}  # RFC 6409, RFC 8314
LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1"))

SUBJECTS = {
    "verify_email": "Verify your e-mail address",
    "reset_password": "Choose a new password",
    "invitation": "You are invited",
}
TEXTS = {
    "verify_email": "To verify that this e-mail address is yours, use this {kind}:",
    "reset_password": "To choose a new password, use this {kind}:",
    "invitation": "You are invited to sign up. To do so, use this {kind}:",
}
TEXT = """{what}

    {code}

It is good once, for {time}. If you did not ask for it, ignore this message.
"""
NOWHERE = (
    "no message can be sent: set SMTP_URL and MAIL_FROM, give Accounts a send="
    " of your own, or for development set MAIL_CONSOLE=1"
)
NO_EXTRA = 'SMTP_URL needs the extra smtp: pip install "fastbearer[smtp]"'

logger = logging.getLogger("fastbearer")


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
        if settings.smtp_url is not None:
            await self._send(message, settings)
        elif settings.mail_console:
            print_message(message)
        else:
            raise ConfigurationError(NOWHERE)

    def prepare(self, *, is_used: bool = True) -> None:
        """Fail at the start where the first message would, or say so in the log.

        Args:
            is_used: Whether messages go this way at all.

        Raises:
            ConfigurationError: The extra is missing; or ``email_verification`` asks
                for messages, and there is no way to send them.
        """
        settings = self._settings()
        if settings.smtp_url is None:
            if is_used and not settings.mail_console:
                _warn_or_refuse(settings)
            return
        try:
            import aiosmtplib  # noqa: F401
        except ImportError:
            raise ConfigurationError(NO_EXTRA) from None

    async def _send(self, message: Message, settings: Settings) -> None:
        import aiosmtplib

        parts = urlsplit(settings.smtp_url or "")
        is_local = parts.hostname in LOOPBACK
        await aiosmtplib.send(
            email_of(message, settings),
            hostname=parts.hostname,
            port=parts.port or PORTS[parts.scheme],
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            use_tls=parts.scheme == "smtps",
            # Without TLS everybody on the way reads the code: only on this machine.
            start_tls=None if is_local or parts.scheme == "smtps" else True,
            timeout=TIMEOUT_SECONDS,
        )


def _warn_or_refuse(settings: Settings) -> None:
    if settings.email_verification:
        raise ConfigurationError(f"EMAIL_VERIFICATION=1, and {NOWHERE}")
    logger.warning("/forgot-password and /request-verification: %s", NOWHERE)


def email_of(message: Message, settings: Settings) -> EmailMessage:
    """Return a message as an e-mail of plain text."""
    code, kind = message.code, "code"
    if settings.mail_link is not None:
        code, kind = _link(settings.mail_link, message), "link"
    result = EmailMessage()
    result["From"] = settings.mail_from
    result["To"] = message.to
    result["Subject"] = SUBJECTS[message.purpose]
    # Nobody answers a machine, nor shall a machine (RFC 3834 5).
    result["Auto-Submitted"] = "auto-generated"
    what = TEXTS[message.purpose].format(kind=kind)
    time = in_words(message.lifetime)
    result.set_content(TEXT.format(what=what, code=code, time=time))
    return result


def _link(pattern: str, message: Message) -> str:
    link = pattern.replace("{purpose}", message.purpose)
    return link.replace("{code}", quote(message.code, safe=""))
