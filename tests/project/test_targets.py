"""docs/targets.toml, and the table that docs/start/install.md has of it."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime

import pytest

from scripts import script

KEPT = script("targets")
TARGETS = KEPT.read()


def seen(name: str, **more: object) -> dict[str, object]:
    target = {"name": name, "built": False, "linked": False, "ran": False, "tests": ""}
    return {**target, "how": "by hand", "date": date(2026, 1, 2), **more}


def test_the_page_has_the_table_of_the_file() -> None:
    text = KEPT.PAGE.read_text()
    assert KEPT.page(text, TARGETS) == text


def test_the_file_is_as_the_script_writes_it() -> None:
    assert KEPT.TARGETS.read_text() == KEPT.written(TARGETS)


def test_each_target_is_told_once_and_in_full() -> None:
    names = [target["name"] for target in TARGETS]
    assert names and len(names) == len(set(names))
    for target in TARGETS:
        assert set(target) == {"name", *KEPT.FIELDS}
        assert target["how"]
        assert target["date"] <= datetime.now(UTC).date()


def test_what_ran_was_linked_and_built() -> None:
    for target in TARGETS:
        steps = [target[step] for step in KEPT.STEPS]
        assert steps == sorted(steps, reverse=True), target["name"]
        assert target["ran"] or not target["tests"]


def test_what_is_seen_later_is_added() -> None:
    first = KEPT.noted([], seen("a", built=True, how="make wheel"), False)
    later = seen("a", built=True, ran=True, tests="3 passed", how="make prove-wheels")
    (both,) = KEPT.noted(first, later, False)
    assert (both["built"], both["ran"], both["tests"]) == (True, True, "3 passed")
    assert both["how"] == "make wheel; make prove-wheels"


def test_a_new_build_forgets_what_an_old_one_did() -> None:
    before = [seen("b"), seen("a", built=True, ran=True)]
    _, now = KEPT.noted(before, seen("a", built=True), True)
    assert now["ran"] is False


@pytest.mark.parametrize("field", ["x", 'a "b" \\ ä', True, date(2026, 1, 2)])
def test_a_value_is_written_as_it_is_read(field: object) -> None:
    assert tomllib.loads(f"x = {KEPT.value(field)}")["x"] == field
