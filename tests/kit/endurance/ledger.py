"""What was answered, and whether it may have been."""

from __future__ import annotations

import time
from array import array
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import NamedTuple

from endurance.wire import Reply

AWAY = (
    "The service cannot reach its store. Please try again.",
    "Tokens cannot be checked at the moment. Please try again.",
)
"""What the documentation says of a 503."""

BUSY = "Too many passwords are being checked. Please try again."
"""What it says of the other 503, which a slow machine may give at any time."""

REVOKED_TEXT = "Token has been revoked. Please sign in again."
NO_SUCH_USER_TEXT = "Invalid token"
REVOKED_WHY = "revoked_token: session_ended"

SHOWN = 5
"""Examples of a fault that are kept; the others are counted."""

POSTGRES, REDIS = "PostgreSQL", "Redis"
BOTH = frozenset((POSTGRES, REDIS))
NEITHER: frozenset[str] = frozenset()


class AwayError(Exception):
    """The answer is a 503, as it may be: a store is away."""


class BusyError(AwayError):
    """The answer is a 503, for too many passwords wait to be hashed."""


class BrokenError(Exception):
    """The answer was a fault; it is noted, and who asked can go on with nothing."""


class Kind(NamedTuple):
    """Of request.

    Attributes:
        name: In the report.
        needs: The stores without which it may be a 503.
        hashes: Whether a password is hashed for it: then it may be told to wait.
        is_health: Whether its 503 tells how the stores are.
    """

    name: str
    needs: frozenset[str] = BOTH
    hashes: bool = False
    is_health: bool = False


class Answer(NamedTuple):
    """One that a request may have.

    Attributes:
        status: The status.
        detail: What it says, where it refuses.
    """

    status: int
    detail: str | None = None


@dataclass
class Outage:
    """Of one store; the times are those of `time.monotonic`.

    Attributes:
        store: Its name.
        killed: Just before that.
        refused: When both workers had refused what needs it.
        started: When it answered again.
        served: When both workers had served everything once.
        recovered: When they had done so several times: from then on, nothing is a 503.
    """

    store: str
    killed: float
    refused: float | None = None
    started: float | None = None
    served: float | None = None
    recovered: float | None = None

    def covers(self, reply: Reply) -> bool:
        """Tell whether a request has been under way during it."""
        is_before = self.recovered is not None and reply.sent > self.recovered
        return reply.answered >= self.killed and not is_before


class Ledger:
    """Counts answers, and notes what must not be.

    Attributes:
        outages: Those that there have been.
        answers: Kind and status -> how often.
        refusals: Why a token was refused -> how often: what the log says has to agree.
        seconds: Kind -> how long each answer took.
        faults: What must not be -> how often it was.
    """

    def __init__(self) -> None:
        self.outages: list[Outage] = []
        self.answers: Counter[tuple[str, int]] = Counter()
        self.refusals: Counter[str] = Counter()
        self.seconds: defaultdict[str, array[float]] = defaultdict(lambda: array("d"))
        self.faults: Counter[str] = Counter()
        self._examples: defaultdict[str, list[str]] = defaultdict(list)

    @property
    def requests(self) -> int:
        return self.answers.total()

    def fault(self, what: str, example: object = "") -> None:
        """Note what must not be.

        Args:
            what: In words that several have in common.
            example: This one.
        """
        self.faults[what] += 1
        if example and len(self._examples[what]) < SHOWN:
            self._examples[what].append(str(example))

    def examples(self, what: str) -> list[str]:
        return self._examples[what]

    def begin(self, store: str) -> Outage:
        """Note that a store is about to be killed."""
        self.outages.append(Outage(store, time.monotonic()))
        return self.outages[-1]

    @property
    def is_calm(self) -> bool:
        """Whether every outage is over."""
        return all(one.recovered is not None for one in self.outages)

    def calm_since(self) -> float:
        """Return when the last outage was over: infinity while one is not."""
        ends = [one.recovered for one in self.outages]
        return max((float("inf") if one is None else one for one in ends), default=0.0)

    def judge(
        self, kind: Kind, reply: Reply, allowed: tuple[Answer, ...], about: object = ""
    ) -> Answer:
        """Return which of the answers it is.

        Args:
            kind: Of request.
            reply: What came.
            allowed: What may come.
            about: What an example of a fault says, beside the answer.

        Raises:
            AwayError: It is a 503; that it may not be is noted.
            BrokenError: It is none of them.
        """
        self.answers[kind.name, reply.status] += 1
        self.seconds[kind.name].append(reply.answered - reply.sent)
        if reply.detail == REVOKED_TEXT:
            self.refusals[REVOKED_WHY] += 1
        if reply.status == 503 and reply.detail == BUSY and kind.hashes:
            raise BusyError
        if reply.status == 503:
            self._judge_away(kind, reply)
            raise AwayError
        for one in allowed:
            if (reply.status, one.detail) == (one.status, _said(reply, one)):
                self._check_challenge(kind, reply)
                return one
        wanted = " or ".join(str(one.status) for one in allowed)
        what = f"{kind.name}: {reply.status} in place of {wanted}"
        if reply.status in [one.status for one in allowed]:
            what = f"{kind.name}: {reply.status} with another text"
        self.fault(what, f"worker {reply.worker}: {str(reply.body)[:200]} {about}")
        raise BrokenError

    def _judge_away(self, kind: Kind, reply: Reply) -> None:
        is_told = reply.detail in AWAY and "retry-after" in reply.headers
        if not is_told and not kind.is_health:
            self.fault(f"{kind.name}: a 503 that is not documented", reply.body)
            return
        around = [one.store for one in self.outages if one.covers(reply)]
        if not around:
            self.fault(f"{kind.name}: 503 while no store was away", self._when(reply))
        elif not kind.needs.intersection(around):
            self.fault(f"{kind.name}: 503 for want of {around[0]}, which it needs not")

    def _when(self, reply: Reply) -> str:
        ends = [one.recovered for one in self.outages if one.recovered is not None]
        since = [reply.sent - end for end in ends if end <= reply.sent]
        ago = f"{min(since):.2f} s after a recovery" if since else "before any outage"
        return f"worker {reply.worker}, {ago}: {str(reply.body)[:120]}"

    def _check_challenge(self, kind: Kind, reply: Reply) -> None:
        if reply.status == 401 and "www-authenticate" not in reply.headers:
            self.fault(f"{kind.name}: 401 without a challenge")


def _said(reply: Reply, wanted: Answer) -> object:
    return None if wanted.detail is None else reply.detail
