"""Questions that are lost before they are put."""

from __future__ import annotations

import asyncio

import pytest

from fastbearer.issuers.flights import FlightError, Flights
from scarce_files import REASON, no_more_loops
from waiting import HANG


class Clock:
    """Seconds that pass when they are told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def one() -> int:
    return 1


def test_a_loop_that_cannot_be_made_takes_no_place_along(
    caplog: pytest.LogCaptureFixture,
) -> None:
    flights: Flights[int] = Flights(1, 0, HANG, HANG)
    with no_more_loops(), pytest.raises(FlightError, match=REASON):
        flights.answer(b"x", one)
    assert caplog.messages == [f"token not introspected: {REASON}"]
    assert not flights._flights and not flights._places
    assert flights.answer(b"another", one) == 1


def test_a_question_of_a_loop_that_is_gone_is_put_anew() -> None:
    """Whoever asks the same, however much later, does not wait for that loop."""
    clock = Clock()
    flights: Flights[int] = Flights(2, 1, HANG, HANG, clock)

    async def never() -> int:
        await asyncio.Event().wait()
        return 1

    async def leave() -> None:
        asyncio.create_task(flights.aanswer(b"x", never))  # noqa: RUF006
        await asyncio.sleep(0)

    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)
    loop.run_until_complete(leave())
    for task in asyncio.all_tasks(loop):
        task._log_destroy_pending = False  # type: ignore[attr-defined]
    loop.close()
    lost, leads = flights._board(b"x", is_known=False)
    assert not leads
    clock.now += 2 * HANG + 2  # longer than any question takes
    again, leads = flights._board(b"x", is_known=False)
    assert leads and again is not lost
    assert list(flights._places) == [again]
