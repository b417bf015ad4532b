"""What happens to accounts: told to the project's handlers, and to a log."""

import inspect
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeVar, get_args

from fastbearer.accounts.models import User
from fastbearer.accounts.records import utc_now

__all__ = ["AccountEvent", "EventHandler", "EventName", "Events"]

EventName = Literal[
    "signed_up",
    "signed_in",
    "sign_in_failed",
    "locked_out",
    "signed_out",
    "sessions_ended",
    "token_reused",
    "password_refused",
    "password_changed",
    "reset_requested",
    "password_reset",
    "email_verified",
    "email_taken",
    "email_change_requested",
    "email_changed",
    "profile_changed",
    "account_deleted",
    "user_created",
    "user_changed",
    "user_disabled",
    "user_enabled",
    "invited",
    "invitation_revoked",
]

logger: logging.Logger = logging.getLogger("fastbearer")
audit: logging.Logger = logging.getLogger("fastbearer.audit")


@dataclass(frozen=True)
class AccountEvent:
    """Something that happened to an account. It has no secrets.

    Attributes:
        name: What happened.
        email: Of the account, or the one that was tried.
        address: The client's, as the throttle counts it; empty where there is none,
            because an administrator has done it.
        user_id: None where nobody has the e-mail.
        user: The user, where they are at hand.
        time: UTC.
        former_email: The one before, where it has changed; the one that stays until
            the new one is confirmed.
    """

    name: EventName
    email: str
    address: str
    user_id: str | None = None
    user: User | None = field(default=None, repr=False)
    time: datetime = field(default_factory=utc_now)
    former_email: str | None = None


EventHandler = Callable[[AccountEvent], Awaitable[None] | None]
Handler = TypeVar("Handler", bound=EventHandler)


class Events:
    """The handlers, and the audit log.

    The logger ``fastbearer.audit`` gets one JSON object a line, at level INFO.
    """

    def __init__(self) -> None:
        self._handlers: list[tuple[frozenset[str], EventHandler]] = []

    def register(self, *names: EventName) -> Callable[[Handler], Handler]:
        """Return a decorator for handlers of these events; of all without names.

        Raises:
            ValueError: There is no event of such a name.
        """
        wanted = frozenset(names or get_args(EventName))
        if not wanted <= set(get_args(EventName)):
            raise ValueError(f"an event is one of {', '.join(get_args(EventName))}")

        def register(handler: Handler) -> Handler:
            self._handlers.append((wanted, handler))
            return handler

        return register

    async def tell(self, event: AccountEvent) -> None:
        """Log an event, and let the handlers know, in their order.

        What happened has happened: a handler that fails is logged.
        """
        audit.info("%s", _line(event))
        for names, handler in self._handlers:
            if event.name in names:
                try:
                    answer = handler(event)
                    if inspect.isawaitable(answer):
                        await answer
                except Exception:
                    logger.exception("handler of %s failed", event.name)


def _line(event: AccountEvent) -> str:
    told = {
        "event": event.name,
        "time": event.time.isoformat(timespec="milliseconds"),
        "user_id": event.user_id,
        "email": event.email,
        "address": event.address,
    }
    if event.former_email is not None:
        told["former_email"] = event.former_email
    # json escapes what could begin another line.
    return json.dumps(told)
