"""Messages to users. How they get there is the project's business."""

import inspect
import logging
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from starlette.concurrency import run_in_threadpool

from fastbearer.accounts.codes import Purpose
from fastbearer.connections.values import hide_values

__all__ = ["Message", "Sender", "deliver", "in_words", "print_message"]

logger = logging.getLogger("fastbearer")


@dataclass(frozen=True)
class Message:
    """Something to send.

    Attributes:
        to: The e-mail.
        purpose: "verify_email", "reset_password" or "invitation".
        code: What the user is to give back, in a link for example.
        lifetime: How long the code is good.
    """

    to: str
    purpose: Purpose
    code: str = field(repr=False)
    lifetime: timedelta


Sender = Callable[[Message], Awaitable[None] | None]


def print_message(message: Message) -> None:
    """Write a message to standard error: for development."""
    print(
        f"message to {message.to}: {message.purpose}, code {message.code}, "
        f"good for {in_words(message.lifetime)}",
        file=sys.stderr,
        flush=True,
    )


def in_words(lifetime: timedelta) -> str:
    """Return how long something is good: "10 minutes", "7 days"."""
    if lifetime >= timedelta(days=2):
        return f"{lifetime.days} days"
    return f"{int(lifetime.total_seconds() // 60)} minutes"


async def deliver(send: Sender, message: Message) -> None:
    """Send a message; nobody waits for it, so a failure is logged."""
    try:
        if inspect.iscoroutinefunction(send):
            await send(message)
            return
        # It may block: mail often does.
        answer = await run_in_threadpool(send, message)
        if inspect.isawaitable(answer):
            await answer
    except Exception as error:
        hide_values(error, message.code)
        logger.exception("message %s not sent", message.purpose)
