"""Which question is put next, and which loses its place."""

from __future__ import annotations

import pytest

from fastbearer.issuers.turns import Turns


def filled(most: int, **counts: int) -> Turns[str]:
    """Return a queue: ``ada_known=2`` are two questions of ada's about known tokens."""
    turns: Turns[str] = Turns(most)
    for name, count in counts.items():
        client, _, kind = name.partition("_")
        for number in range(count):
            assert turns.put(client, f"{name}{number}", is_known=bool(kind)) is None
    return turns


def taken(turns: Turns[str]) -> list[str]:
    return list(iter(turns.take, None))


def test_clients_take_turns() -> None:
    assert taken(filled(9, ada=3, bob=1)) == ["ada0", "bob0", "ada1", "ada2"]


def test_known_tokens_go_first_and_new_ones_every_other_time() -> None:
    turns = filled(9, ada=2, bob_known=3)
    assert taken(turns) == ["bob_known0", "ada0", "bob_known1", "ada1", "bob_known2"]


def test_new_tokens_wait_for_as_many_known_ones_as_clients_have_them() -> None:
    turns = filled(9, ada_known=2, bob_known=2, dan_known=2, eve=2)
    first = ["ada_known0", "bob_known0", "dan_known0", "eve0"]
    assert taken(turns) == [*first, "ada_known1", "bob_known1", "eve1", "dan_known1"]


def test_two_clients_with_new_tokens_wait_half_as_long() -> None:
    turns = filled(9, ada_known=2, bob_known=2, dan_known=2, eve=1, kim=1)
    first = ["ada_known0", "bob_known0", "eve0", "dan_known0", "ada_known1", "kim0"]
    assert taken(turns) == [*first, "bob_known1", "dan_known1"]


@pytest.mark.parametrize("known", [80, 79, 40, 1, 0])
def test_who_makes_up_tokens_costs_no_other_client_a_place(known: int) -> None:
    """Eighty clients ask for four fifths of what can be answered in each round."""
    turns: Turns[str] = Turns(200)
    for _ in range(20):
        lost = [
            turns.put(f"client-{number}", "good", is_known=number < known)
            for number in range(80)
        ]
        lost += [turns.put("flooder", "made up", is_known=False) for _ in range(300)]
        assert "good" not in lost
        answered = [turns.take() for _ in range(100)]
        assert answered.count("good") == 80


def test_many_addresses_with_new_tokens_keep_no_known_one_out() -> None:
    turns: Turns[str] = Turns(4)
    for number in range(9):
        turns.put(f"flooder-{number}", "made up", is_known=False)
    lost = [turns.put(name, "known", is_known=True) for name in ("ada", "bob")]
    assert lost == ["made up"] * 2
    assert turns.put("eve", "late", is_known=False) == "late"
    assert taken(turns) == ["known", "made up", "known", "made up"]


def test_a_known_token_goes_first_again_once_new_ones_had_their_turn() -> None:
    turns = filled(9, ada=3, bob_known=1)
    assert [turns.take(), turns.take()] == ["bob_known0", "ada0"]
    turns.put("bob", "later", is_known=True)
    assert taken(turns) == ["later", "ada1", "ada2"]


def test_known_tokens_that_keep_nobody_waiting_cost_them_no_turn() -> None:
    turns = filled(9, bob_known=1)
    assert turns.take() == "bob_known0"
    turns.put("ada", "new", is_known=False)
    turns.put("bob", "known", is_known=True)
    assert taken(turns) == ["known", "new"]


def test_nobody_waits_for_new_tokens_that_were_given_up() -> None:
    turns = filled(9, ada=1, bob_known=2)
    assert turns.take() == "bob_known0"
    turns.remove("ada", "ada0")
    assert turns.take() == "bob_known1"
    turns.put("ada", "new", is_known=False)
    turns.put("bob", "known", is_known=True)
    assert taken(turns) == ["known", "new"]


@pytest.mark.parametrize(
    ("client", "is_known", "waiting", "loses"),
    [
        ("bob", False, {"ada": 4}, "ada3"),
        ("bob", False, {"ada": 3, "bob": 1}, "ada2"),
        ("bob", True, {"ada": 2, "eve": 2}, "ada1"),
        ("bob", True, {"ada": 1, "bob": 1, "eve": 1, "dan": 1}, "bob0"),
        ("bob", True, {"ada": 1, "eve": 1, "dan_known": 2}, "dan_known1"),
        ("bob", True, {"ada_known": 1, "eve": 1, "dan": 1, "jim": 1}, "eve0"),
        ("bob", True, {"eve": 1, "ada": 1, "ada_known": 2}, "ada0"),
        ("bob", True, {"bob": 4}, "bob3"),
        ("bob", False, {"ada_known": 4}, "ada_known3"),
        ("bob", True, {"ada_known": 4}, "ada_known3"),
        ("bob", True, {"eve": 2, "ada_known": 2}, "eve1"),
        ("bob", True, {"ada_known": 2, "eve": 2}, "eve1"),
        ("bob", False, {"eve": 2, "ada_known": 2}, "eve1"),
    ],
)
def test_who_has_the_most_makes_room(
    client: str, is_known: bool, waiting: dict[str, int], loses: str
) -> None:
    turns = filled(4, **waiting)
    assert turns.put(client, "comes", is_known=is_known) == loses
    assert len(turns) == 4
    left = taken(turns)
    assert "comes" in left and loses not in left


@pytest.mark.parametrize(
    ("client", "is_known", "waiting"),
    [
        ("ada", False, {"ada": 4}),
        ("ada", True, {"ada_known": 4}),
        ("eve", False, {"ada": 1, "bob": 1, "eve": 1, "dan": 1}),
        ("ada", False, {"ada": 2, "bob_known": 2}),
        ("bob", False, {"eve": 1, "dan": 1, "ada_known": 2}),
        ("bob", True, {"ada": 2, "bob_known": 2}),
        ("bob", False, {"ada": 1, "eve_known": 1, "dan_known": 1, "jim_known": 1}),
        ("bob", True, {"ada_known": 1, "eve_known": 1, "dan_known": 1, "j_known": 1}),
    ],
)
def test_who_has_the_most_finds_no_room(
    client: str, is_known: bool, waiting: dict[str, int]
) -> None:
    turns = filled(4, **waiting)
    assert turns.put(client, "comes", is_known=is_known) == "comes"
    assert len(turns) == 4 and "comes" not in taken(turns)


def test_many_addresses_push_out_no_known_one_of_an_office() -> None:
    turns: Turns[str] = Turns(256)
    for number in range(100):
        turns.put("office", f"known {number}", is_known=True)
    lost = [
        turns.put(f"address {number % 250}", f"new {number}", is_known=False)
        for number in range(1000)
    ]
    assert not [one for one in lost if one is not None and one.startswith("known")]


def test_nobody_waits_where_nobody_may() -> None:
    turns = filled(0)
    assert turns.put("ada", "comes", is_known=True) == "comes"
    assert (len(turns), turns.take()) == (0, None)


def test_what_is_given_up_waits_no_more() -> None:
    turns = filled(4, ada=2, bob_known=2)
    turns.remove("ada", "ada0")
    turns.remove("bob", "bob_known0")
    turns.remove("eve", "ada1")
    assert taken(turns) == ["bob_known1", "ada1"]
