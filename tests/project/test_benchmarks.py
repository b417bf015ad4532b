"""The report of the benchmarks: measured in small, kept, drawn and shown.

What it measures here is worth nothing. That every suite runs, that its figures arrive
on the page, and that losses are shown as such, is worth a test.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from benchmarks.report import page, plots
from benchmarks.report.figures import OURS, PEERS, Figure, Results, is_installed

from project import ROOT

pytestmark = pytest.mark.slow

KEPT = ROOT / "docs" / "trust" / "benchmarks.json"
QUICK_SUITES = ["tokens", "passwords", "drop_ins", "better_auth"]


def measured(folder: Path, *suites: str) -> Results:
    """Run the report as `make bench-report` does, and return what it kept."""
    results = folder / "benchmarks.json"
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.report", "--quick"]
    command += ["--results", str(results), "--out", str(folder / "docs")]
    told = subprocess.run(
        [*command, "--only", *suites], cwd=ROOT, capture_output=True, text=True
    )
    assert told.returncode == 0, told.stderr
    return Results.read(results)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a quick run of the suites without servers has written."""
    made = tmp_path_factory.mktemp("report")
    assert measured(made, *QUICK_SUITES).failures == {}
    return made


def test_each_library_that_is_here_has_figures(folder: Path) -> None:
    results = Results.read(folder / "benchmarks.json")
    found = {figure.library for figure in results.figures}
    # What answers requests is measured with servers.
    servers = {"AuthX", "fastapi-users"}
    here = {package for package in PEERS if is_installed(package)} - servers
    assert found >= here | {OURS}


def test_the_page_shows_every_figure(folder: Path) -> None:
    results = Results.read(folder / "benchmarks.json")
    text = (folder / "docs" / "trust" / "benchmarks.md").read_text()
    for figure in results.figures:
        assert f"| {figure.case}" in text, figure
        assert f" {figure.library} |" in text, figure
    for package in PEERS:
        if not is_installed(package):
            assert f"- {package} could not be installed here" in text


def test_the_plots_are_there_for_both_backgrounds(folder: Path) -> None:
    results = Results.read(folder / "benchmarks.json")
    text = (folder / "docs" / "trust" / "benchmarks.md").read_text()
    drawn = plots.drawn(results)
    assert {plot.name for plot in drawn} >= {"verify", "sign", "refuse", "bcrypt"}
    for plot in drawn:
        for theme in ("light", "dark"):
            path = folder / "docs" / "pictures" / plots.file_of(plot, theme)
            title = ET.parse(path).getroot().find("{*}title")
            assert title is not None
            assert OURS in str(title.text)
            assert f"({'../pictures/'}{path.name}#only-{theme})" in text


def test_a_suite_that_fails_is_named_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "nacl").mkdir()
    (tmp_path / "nacl" / "__init__.py").write_text("raise RuntimeError('planted')\n")
    results = tmp_path / "benchmarks.json"
    command = [sys.executable, "-m", "benchmarks.report", "--quick", "--only"]
    command += ["passwords", "better_auth", "--results", str(results)]
    told = subprocess.run(
        [*command, "--out", str(tmp_path)], cwd=ROOT, capture_output=True, text=True
    )
    assert told.returncode == 1
    kept = json.loads(results.read_text())
    assert "planted" in kept["failures"]["passwords"]
    assert {one["suite"] for one in kept["figures"]} == {"better auth"}
    text = (tmp_path / "trust" / "benchmarks.md").read_text()
    assert "The suite passwords failed" in text


# --- what the page says of figures that are given ---------------------------------


def given(*figures: Figure, others: float = 0) -> str:
    environment = {
        **dict.fromkeys(("date", "commit", "processor", "system", "python"), "x"),
        "libcrypto": "x",
        "argon2 engine": "x",
        "cores": 2,
        "load": 0.1,
        "versions": dict.fromkeys(PEERS, "1.0"),
        "others": {"tokens": [others, 0.0]},
    }
    return "\n".join(page.lines(Results(environment, list(figures), {})))


def row(text: str, case: str) -> list[str]:
    (line,) = re.findall(rf"(?m)^\| {case} \| (.*) \|$", text)
    return str(line).split(" | ")


def test_a_loss_is_bold_and_a_win_is_not() -> None:
    text = given(
        Figure("verify", "HS256", OURS, 2.0, "µs"),
        Figure("verify", "HS256", "slower", 4.0, "µs"),
        Figure("verify", "HS256", "faster", 1.0, "µs"),
    )
    assert row(text, "HS256") == ["2", "4 (2.00x)", "**1 (0.50x)**"]


def test_where_more_is_better_more_is_a_loss_of_ours() -> None:
    text = given(
        Figure("requests", "one worker", OURS, 2000, "requests/s"),
        Figure("requests", "one worker", "slower", 1000, "requests/s"),
        Figure("requests", "one worker", "faster", 4000, "requests/s"),
    )
    assert row(text, "one worker") == ["2,000", "1,000 (0.50x)", "**4,000 (2.00x)**"]


def test_a_busy_machine_is_told() -> None:
    assert "The machine was busy" in given(others=1.0)
    assert "The machine was busy" not in given(others=0.1)


# --- what is committed ------------------------------------------------------------


def test_the_page_is_that_of_the_figures_which_are_kept(tmp_path: Path) -> None:
    made = tmp_path / "benchmarks.md"
    page.write(Results.read(KEPT), made)
    kept = ROOT / "docs" / "trust" / "benchmarks.md"
    assert kept.read_text() == made.read_text(), 'make bench-report REPORT="--draw"'


def test_the_plots_which_are_kept_are_those_of_the_page() -> None:
    text = (ROOT / "docs" / "trust" / "benchmarks.md").read_text()
    shown = set(re.findall(r"\.\./pictures/(benchmark-[\w-]+\.svg)", text))
    pictures = ROOT / "docs" / "pictures"
    assert shown == {path.name for path in pictures.glob("benchmark-*.svg")}
    assert shown


def test_every_library_that_is_compared_has_figures_or_is_named() -> None:
    results = Results.read(KEPT)
    text = (ROOT / "docs" / "trust" / "benchmarks.md").read_text()
    found = {figure.library for figure in results.figures}
    for package in [*PEERS, "@node-rs/argon2"]:
        named = f"- {package} could not be installed here" in text
        assert package in found or named, package
    assert any(library.startswith("FastAPI's recipe") for library in found)
