"""Messages to users. How they get there is the project's business."""

import inspect
import logging
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from starlette.concurrency import run_in_threadpool

from fastbearer.accounts.codes import Purpose
from fastbearer.accounts.models import User
from fastbearer.connections.values import hide_values

__all__ = [
    "Message",
    "MessagePurpose",
    "Notice",
    "Sender",
    "deliver",
    "in_words",
    "print_message",
    "sent",
]

Notice = Literal["email_changing", "email_changed", "already_registered"]
"""Of messages without a code."""

MessagePurpose = Purpose | Notice

logger: logging.Logger = logging.getLogger("fastbearer")


@dataclass(frozen=True)
class Message:
    """Something to send.

    Attributes:
        to: The e-mail.
        purpose: With a code: "verify_email", "reset_password", "change_email" (which
            goes to the new e-mail) or "invitation". Without one, to let somebody know:
            "email_changing" and "email_changed" (to the old e-mail), and
            "already_registered" (to who has an account, with whose e-mail somebody has
            tried to get another).
        code: What the user is to give back, in a link for example; empty without one.
        lifetime: How long the code is good.
        user: Whom it is about, as they are now; their language may be in ``user.row``.
        languages: Which ones the client prefers that has asked for the message, in that
            order, like "de-CH". It need not be the user's.
        address: The client's, if it is known.
    """

    to: str
    purpose: MessagePurpose
    code: str = field(default="", repr=False)
    lifetime: timedelta = timedelta()
    user: User | None = field(default=None, repr=False)
    languages: tuple[str, ...] = ()
    address: str | None = None


Sender = Callable[[Message], Awaitable[None] | None]


def print_message(message: Message) -> None:
    """Write a message to standard error: for development."""
    what = f"message to {message.to}: {message.purpose}"
    if message.code:
        what += f", code {message.code}, good for {in_words(message.lifetime)}"
    print(what, file=sys.stderr, flush=True)


def in_words(lifetime: timedelta) -> str:
    """Return how long something is good: "10 minutes", "7 days"."""
    if lifetime >= timedelta(days=2):
        return f"{lifetime.days} days"
    return f"{int(lifetime.total_seconds() // 60)} minutes"


async def sent(send: Sender, message: Message) -> None:
    """Send a message, and wait for it.

    Raises:
        Exception: What the sender raises.
    """
    if inspect.iscoroutinefunction(send):
        await send(message)
        return
    # It may block: mail often does.
    answer = await run_in_threadpool(send, message)
    if inspect.isawaitable(answer):
        await answer


async def deliver(send: Sender, message: Message) -> None:
    """Send a message; nobody waits for it, so a failure is logged."""
    try:
        await sent(send, message)
    except Exception as error:
        hide_values(error, message.code)
        logger.exception("message %s not sent", message.purpose)
