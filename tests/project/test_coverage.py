"""What ``make coverage`` says of its counters, and the table that it is judged by."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from project import ROOT
from scripts import script

REPORT = script("coverage-report")
TABLE = REPORT.tomllib.loads(REPORT.TABLE.read_text())

SOURCE = """\
int
fb_sample(int a, int b)
{
    if (a && b) {
        a = 1;
        return a;
    }
    switch (a) {
    case 2:
        return 5;
    }
    return 0;
}
""".splitlines()


def sample() -> Any:
    """Return a file whose first condition has never held, nor its case come."""
    file = REPORT.File("csrc/lib/sample.c")
    for line in (2, 3, 4, 8, 12):
        file.saw_line(line, True)
    for line in (5, 6, 9, 10):
        file.saw_line(line, False)
    for outcome, seen in (("true at 9", True), ("false at 9", True)):
        file.saw_branch(4, outcome, seen)
    for outcome, seen in (("true at 14", False), ("false at 14", True)):
        file.saw_branch(4, outcome, seen)
    return file


def named(*lines: str, file: str = "csrc/lib/sample.c") -> Any:
    return REPORT.Named(file, lines, "It cannot be.")


def table_of(*names: Any, floor: float = 0) -> dict[str, Any]:
    return {"floor": floor, "named": [vars(name) for name in names]}


def test_what_a_condition_keeps_from_running_is_its_gap() -> None:
    first, second = REPORT.gaps_of(sample(), SOURCE)
    assert (first.text, first.lines) == ("if (a && b) {", [5, 6])
    assert first.outcomes == ["true at 14"]
    assert (second.text, second.lines, second.outcomes) == ("case 2:", [9, 10], [])
    assert str(first).startswith("csrc/lib/sample.c:4: if (a && b) {  [never true at")


def test_conditions_in_what_never_ran_are_no_gaps_of_their_own() -> None:
    file = sample()
    file.saw_branch(6, "true at 4", False)
    assert len(REPORT.gaps_of(file, SOURCE)) == 2


def test_whoever_has_seen_it_has_seen_it_for_all() -> None:
    file = sample()
    file.saw_line(5, True)
    file.saw_line(5, False)
    file.saw_branch(4, "true at 14", True)
    assert [gap.lines for gap in REPORT.gaps_of(file, SOURCE)] == [[6], [9, 10]]


def test_a_gap_without_a_name_fails_the_run() -> None:
    file = sample()
    gaps = REPORT.gaps_of(file, SOURCE)
    every = named("if (a && b) {", "case 2:")
    assert REPORT.faults([file], gaps, table_of(every)) == []
    (fault,) = REPORT.faults([file], gaps, table_of(named("case 2:")))
    assert fault.startswith("not named: csrc/lib/sample.c:4: if (a && b) {")
    elsewhere = named("if (a && b) {", "case 2:", file="csrc/module/*")
    assert len(REPORT.faults([file], gaps, table_of(elsewhere))) == 4


def test_a_name_of_what_is_reached_fails_the_run() -> None:
    file = sample()
    gaps = REPORT.gaps_of(file, SOURCE)
    every = named("if (a && b) {", "case 2:", "return 0;")
    (fault,) = REPORT.faults([file], gaps, table_of(every))
    assert fault == "named, but reached: csrc/lib/sample.c: return 0;"


@pytest.mark.parametrize(
    ("floor", "expected"),
    [
        (55, []),
        (56, ["csrc/lib: 55.56 % of lines, and the floor is 56 %"]),
        (
            75.1,
            [
                "csrc/lib: 55.56 % of lines, and the floor is 75.1 %",
                "csrc/lib: 75.00 % of branches, and the floor is 75.1 %",
            ],
        ),
    ],
)
def test_what_is_below_the_floor_fails_the_run(
    floor: float, expected: list[str]
) -> None:
    every = named("if (a && b) {", "case 2:")
    gaps = REPORT.gaps_of(sample(), SOURCE)
    assert REPORT.faults([sample()], gaps, table_of(every, floor=floor)) == expected
    assert len(REPORT.below("a file", [sample()], floor)) == len(expected)


def test_of_nothing_everything_is_seen() -> None:
    assert REPORT.below("an empty file", [REPORT.File("csrc/lib/x.h")], 100) == []


def test_llvm_covs_two_exports_make_one_file() -> None:
    path = str(ROOT / "csrc" / "lib" / "base" / "cpu.c")
    lcov = f"SF:{path}\nFN:4,f\nDA:4,7\nDA:5,0\nend_of_record\n"
    branches = [[4, 9, 4, 12, 7, 0, 0, 0, 4], [4, 9, 4, 12, 0, 2, 0, 0, 4]]
    found = [{"filename": path, "branches": branches}]
    (file,) = REPORT.c_files({"data": [{"files": found}]}, lcov)
    assert file.path == "csrc/lib/base/cpu.c"
    assert file.lines == {4: True, 5: False}
    assert file.branches == {(4, "true at 9"): True, (4, "false at 9"): True}


def test_what_the_tests_have_for_themselves_is_not_counted() -> None:
    path = str(ROOT / "tests" / "c" / "work_check.c")
    exported = {"data": [{"files": [{"filename": path, "branches": []}]}]}
    assert [*REPORT.c_files(exported, f"SF:{path}\nDA:4,7\n")] == []


def test_coverage_pys_report_is_read() -> None:
    found = {"executed_lines": [1, 2], "missing_lines": [3]}
    found |= {"executed_branches": [[2, -1]], "missing_branches": [[2, 3]]}
    path = str(ROOT / "python" / "fastbearer" / "urls.py")
    (file,) = REPORT.python_files({"files": {path: found}})
    assert file.path == "python/fastbearer/urls.py"
    assert file.lines == {1: True, 2: True, 3: False}
    assert file.branches == {(2, "out"): True, (2, "to 3"): False}


# --- the table ----------------------------------------------------------------


def test_the_floor_is_that_of_the_project() -> None:
    assert 98 <= TABLE["floor"] <= 100


def test_every_name_is_of_a_line_that_is_there() -> None:
    """Where a file has changed, a run of a quarter of an hour need not tell so."""
    for name in REPORT.read_named(TABLE):
        sources = [*ROOT.glob(name.file)]
        assert sources, name.file
        found = {line.strip() for s in sources for line in s.read_text().splitlines()}
        assert set(name.lines) <= found, (name.file, set(name.lines) - found)


def test_every_reason_is_a_sentence() -> None:
    rows = [
        row for kind in ("named", "c_alone", "left_out") for row in TABLE.get(kind, [])
    ]
    assert rows
    for row in rows:
        assert re.fullmatch(r"[A-Z].*\.", row["why"], re.DOTALL), row


def test_every_test_of_the_table_is_there() -> None:
    for row in [*TABLE.get("c_alone", []), *TABLE.get("left_out", [])]:
        path, _, name = row["test"].partition("::")
        text = (ROOT / path).read_text()
        assert not name or f"def {name.split('[')[0]}(" in text, row["test"]


def test_counters_of_python_are_of_the_package_that_is_run() -> None:
    """The build that counts is a copy: what it has seen is said of the sources."""
    project = REPORT.tomllib.loads((ROOT / "pyproject.toml").read_text())
    paths = project["tool"]["coverage"]["paths"]["package"]
    assert paths[0] == REPORT.AREAS[2]
    assert json.dumps(paths[1:]) == '["build/coverage/lib/fastbearer"]'
