"""The queue of the passwords that wait: in turns, and for whom there is room."""

from __future__ import annotations

import pytest

from fastbearer.fair_queue import FairQueue


def filled(**counts: int) -> FairQueue[str]:
    queue: FairQueue[str] = FairQueue()
    for key, count in counts.items():
        for number in range(count):
            queue.put(key, f"{key}{number}")
    return queue


def test_each_gets_a_turn() -> None:
    queue = filled(a=3, b=1, c=2)
    taken = [queue.take() for _ in range(7)]
    assert taken == ["a0", "b0", "c0", "a1", "c1", "a2", None]
    assert len(queue) == 0


@pytest.mark.parametrize(
    ("most", "own", "loses"),
    [(1, 0, None), (2, 0, "a1"), (2, 1, None), (3, 1, "a2"), (3, 2, None)],
)
def test_who_has_two_more_makes_room(most: int, own: int, loses: str | None) -> None:
    """With one more they would only change places, and that without an end."""
    queue = filled(a=most, b=own)
    assert queue.loser("b") == loses
    assert len(queue) == most + own


def test_nobody_makes_room_for_themselves() -> None:
    assert filled(a=9).loser("a") is None
    assert filled().loser("a") is None


def test_what_is_taken_out_waits_no_more() -> None:
    queue = filled(a=2, b=1)
    assert queue.remove("a", "a0") and not queue.remove("a", "a0")
    assert queue.remove("b", "b0") and not queue.remove("c", "c0")
    assert (len(queue), queue.take(), queue.take()) == (1, "a1", None)


def test_who_has_the_most_loses_the_newest_item() -> None:
    queue = filled(a=2, b=3, c=1)
    for name in ("b2", "a1", "b1"):
        assert queue.loser("d") == name
        assert queue.remove(name[0], name)
    assert queue.loser("d") is None
    assert (len(queue), queue.take()) == (3, "a0")


def test_somebodys_newest_item_is_taken_away() -> None:
    queue = filled(a=2, b=1)
    lost = [queue.drop(key) for key in ("a", "c", "b", "a", "a")]
    assert lost == ["a1", None, "b0", "a0", None]
    assert (len(queue), queue.keys(), queue.take()) == (0, set(), None)


def test_who_waits_and_for_how_much() -> None:
    queue = filled(a=2, b=1)
    assert queue.keys() == {"a", "b"}
    assert [queue.count(key) for key in ("a", "b", "c")] == [2, 1, 0]


def test_nobody_in_particular_has_a_share_like_others() -> None:
    queue: FairQueue[int] = FairQueue()
    for number in range(3):
        queue.put(None, number)
    assert (queue.loser("a"), queue.drop(None), queue.take()) == (2, 2, 0)
