"""The campaign of `tests/kit/endurance`: what it would see, and a short one."""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from endurance.campaign import Plan, run
from endurance.deployment import LAG_SECONDS
from endurance.ledger import (
    AWAY,
    BOTH,
    BUSY,
    NEITHER,
    POSTGRES,
    REDIS,
    Answer,
    AwayError,
    BrokenError,
    Kind,
    Ledger,
)
from endurance.promises import EndedToken
from endurance.report import report
from endurance.watch import Sample, sample, trend
from endurance.wire import Reply

WORKER = 7
KIND = Kind("a request", BOTH)
OK = Answer(200)
AFTER = {"retry-after": "1"}
SHORT = Plan(seconds=6, kills=1, visitors=3)


def reply(
    status: int, sent: float, detail: str = "", headers: dict[str, str] = AFTER
) -> Reply:
    return Reply(status, headers, {"detail": detail}, sent, sent + 1, WORKER)


def judged(ledger: Ledger, kind: Kind, answer: Reply, *allowed: Answer) -> list[str]:
    """Return the faults that an answer is."""
    before = set(ledger.faults)
    with suppress(AwayError, BrokenError):
        ledger.judge(kind, answer, allowed or (OK,))
    return [one for one in ledger.faults if one not in before]


def after_an_outage(store: str) -> tuple[Ledger, float]:
    """Return a ledger with one outage, and when that was over."""
    ledger = Ledger()
    outage = ledger.begin(store)
    outage.recovered = outage.killed + 10
    return ledger, outage.recovered


def test_a_503_may_be_while_a_store_is_away() -> None:
    ledger, recovered = after_an_outage(REDIS)
    assert judged(ledger, KIND, reply(503, recovered - 5, AWAY[0])) == []
    assert judged(ledger, KIND, reply(503, recovered - 0.5, AWAY[1])) == []


def test_a_503_may_not_be_before_or_after_that() -> None:
    said = ["a request: 503 while no store was away"]
    for moment in (-20, 0.1):
        ledger, recovered = after_an_outage(REDIS)
        assert judged(ledger, KIND, reply(503, recovered + moment, AWAY[0])) == said


def test_a_503_may_not_be_for_want_of_what_is_not_needed() -> None:
    ledger, recovered = after_an_outage(POSTGRES)
    for kind in (Kind("a forged token", NEITHER), Kind("a count", frozenset([REDIS]))):
        found = judged(ledger, kind, reply(503, recovered - 5, AWAY[0]))
        assert found == [f"{kind.name}: 503 for want of PostgreSQL, which it needs not"]


def test_a_503_has_one_of_two_texts_and_says_when_to_come_again() -> None:
    for headers, text in ((AFTER, "Oh."), ({}, AWAY[0])):
        ledger, recovered = after_an_outage(REDIS)
        answer = reply(503, recovered - 5, text, headers)
        found = judged(ledger, KIND, answer)
        assert found == ["a request: a 503 that is not documented"]


def test_a_503_for_too_many_passwords_may_always_be() -> None:
    ledger = Ledger()
    answer = reply(503, 0, BUSY)
    assert judged(ledger, KIND._replace(hashes=True), answer) == []
    found = judged(ledger, KIND, answer)
    assert found[0] == "a request: a 503 that is not documented"


def test_another_status_and_another_text_are_faults() -> None:
    ledger = Ledger()
    assert judged(ledger, KIND, reply(500, 0)) == ["a request: 500 in place of 200"]
    challenged = {"www-authenticate": "Bearer"}
    wanted = Answer(401, "Invalid token")
    good = reply(401, 0, "Invalid token", challenged)
    assert judged(ledger, KIND, good, wanted) == []
    other = reply(401, 0, "Not authenticated", challenged)
    assert judged(ledger, KIND, other, wanted) == ["a request: 401 with another text"]
    bare = reply(401, 0, "Invalid token", {})
    assert judged(ledger, KIND, bare, wanted) == ["a request: 401 without a challenge"]


def test_when_an_ended_token_must_be_refused() -> None:
    ledger = Ledger()
    ended = EndedToken("a.b.c", WORKER, 100, is_sure=True)
    elsewhere = reply(200, 101)._replace(worker=8)
    assert ended.must_be_refused(reply(200, 100), ledger)
    assert not ended.must_be_refused(elsewhere, ledger)
    assert ended.must_be_refused(elsewhere._replace(sent=100.0 + LAG_SECONDS), ledger)


def test_an_end_that_was_not_acknowledged_is_known_after_the_outage() -> None:
    ledger = Ledger()
    outage = ledger.begin(REDIS)
    killed = outage.killed
    ended = EndedToken("a.b.c", 8, killed, is_sure=False)
    assert not ended.must_be_refused(reply(200, killed + 1000), ledger)
    outage.recovered = killed + 100
    known = killed + 100 + LAG_SECONDS
    assert not ended.must_be_refused(reply(200, known - 1), ledger)
    assert ended.must_be_refused(reply(200, known), ledger)


def test_a_trend_is_told_for_a_thousand_requests() -> None:
    def at(requests: int, rss: int) -> Sample:
        return Sample(requests, rss, 0, 0, 0)

    assert trend([at(0, 5000), at(1000, 5010), at(2000, 5020)]) == pytest.approx(10)
    assert trend([at(0, 5000), at(9000, 5000)]) == 0
    assert trend([at(5, 5000)]) == 0


def test_a_process_is_measured() -> None:
    before = sample(os.getpid(), 1)
    kept = [b"x" * (32 << 20)]
    with ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(Path("/dev/null").open())
        after = sample(os.getpid(), 1)
    assert after.rss - before.rss > 30 << 10
    assert after.files - before.files >= 8
    assert before.threads >= 1 and before.hashing >= 0
    del kept


# --- campaigns ---------------------------------------------------------------------

FAULTS = {
    "forgets tasks": (
        """
from fastbearer.app.task_store import TaskStore
add, numbers = TaskStore.add, iter(range(2**60))
async def forgetful(self, task):
    if next(numbers) % 10:
        await add(self, task)
TaskStore.add = forgetful
""",
        "a task that was acknowledged and is not kept",
    ),
    "fails without Redis": (
        """
from fastbearer.accounts import throttle
throttle.STORE_ERRORS = ()
""",
        "sign-in: 500 in place of 200",
    ),
    "takes what has ended": (
        """
from fastbearer.revocation.ended import Ended
Ended.has_ended = lambda *arguments: False
""",
        "account, ended token: 200 in place of 401",
    ),
    "keeps memory": (
        """
from fastbearer.app.task_store import TaskStore
add, kept = TaskStore.add, []
async def greedy(self, task):
    kept.append(b"x" * (2 << 20))
    await add(self, task)
TaskStore.add = greedy
""",
        "a worker grows: memory, MiB",
    ),
    "keeps files": (
        """
from fastbearer.app.task_store import TaskStore
add, kept = TaskStore.add, []
async def greedy(self, task):
    kept.extend(open("/dev/null") for _ in range(5 if len(kept) < 700 else 0))
    await add(self, task)
TaskStore.add = greedy
""",
        "a worker grows: open files",
    ),
    "dies": (
        """
import os
from contextlib import ExitStack, suppress
from fastbearer.app.task_store import TaskStore
add, numbers = TaskStore.add, iter(range(2**60))
async def mortal(self, task):
    if next(numbers) == 30:
        os._exit(0)
    await add(self, task)
TaskStore.add = mortal
""",
        "a worker that has died",
    ),
}


@pytest.mark.soak
@pytest.mark.http
@pytest.mark.postgres
@pytest.mark.redis
def test_a_short_campaign() -> None:
    outcome = run(SHORT)
    assert not outcome.ledger.faults, report(SHORT, outcome)
    assert {one.store for one in outcome.ledger.outages} == {POSTGRES, REDIS}
    assert all(outcome.kept.values()), outcome.kept
    statuses = {status for _, status in outcome.ledger.answers}
    assert statuses == {200, 201, 400, 401, 403, 404, 503}


@pytest.mark.soak
@pytest.mark.http
@pytest.mark.postgres
@pytest.mark.redis
@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_seen(tmp_path: Path, name: str) -> None:
    text, said = FAULTS[name]
    (tmp_path / "sitecustomize.py").write_text(text)
    plan = Plan(seconds=3, kills=1, visitors=3, first_path=str(tmp_path))
    outcome = run(plan)
    assert said in outcome.ledger.faults, report(plan, outcome)
