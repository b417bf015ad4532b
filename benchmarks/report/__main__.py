"""Take the figures that are published, and make the page of them.

    python -m benchmarks.report [--quick] [--only SUITE ...] [--results FILE]
                                [--out FOLDER]
    python -m benchmarks.report --draw [--results FILE] [--out FOLDER]

Each suite has a process of its own, in which all libraries take turns. A suite that
fails is named in the results, and the others go on. ``--only`` keeps the figures of the
suites that are not measured again.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
import warnings
from importlib import import_module
from pathlib import Path

from benchmarks.report.figures import FULL, QUICK, Results, environment, log, other_work

ROOT = Path(__file__).parent.parent.parent
SUITES = {
    "tokens": ("verify", "sign", "refuse"),
    "passwords": ("hash", "hashes on every core"),
    "routes": ("route", "requests"),
    "storm": ("storm",),
    "drop_ins": ("drop-in: python-jose", "drop-in: PyJWT", "drop-in: passlib"),
    "better_auth": ("better auth",),
}
"""A suite, a module of this folder -> the tables of its figures."""

MOST_SECONDS = 900


def measure(suite: str, *, quick: bool) -> Results:
    """Return the figures of a suite, taken in this process."""
    warnings.simplefilter("ignore")
    found = environment()
    module = import_module(f"benchmarks.report.{suite}")
    before = other_work()
    figures = list(module.measure(QUICK if quick else FULL))
    found["others"] = {suite: [before, other_work()]}
    return Results(found, figures, {})


def measure_apart(suite: str, *, quick: bool) -> Results:
    """Return the same, taken in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "figures.json")
        command = [sys.executable, "-m", "benchmarks.report", "--suite", suite]
        command += ["--results", str(path), *(["--quick"] if quick else [])]
        try:
            told = subprocess.run(
                command,
                cwd=ROOT,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                timeout=MOST_SECONDS,
            )
        except subprocess.TimeoutExpired:
            return Results(environment(), [], {suite: "it took too long"})
        if told.returncode == 0:
            return Results.read(path)
    log(told.stderr)
    lines = told.stderr.strip().splitlines() or ["it said nothing"]
    return Results(environment(), [], {suite: lines[-1]})


def merged(before: Results | None, parts: dict[str, Results]) -> Results:
    """Return all figures: those of the parts, and of the suites that were kept."""
    whole = Results({}, [], {})
    others: dict[str, object] = {}
    for suite, tables in SUITES.items():
        part = parts.get(suite)
        if part is not None:
            whole.environment = {**part.environment, **whole.environment}
            others |= part.environment.get("others", {})
            whole.figures += part.figures
            whole.failures |= part.failures
        elif before is not None:
            whole.figures += [one for one in before.figures if one.suite in tables]
            kept = before.environment["others"]
            others |= {suite: kept[suite]} if suite in kept else {}
    whole.environment["others"] = others
    return whole


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--draw", action="store_true")
    parser.add_argument("--only", nargs="+", choices=SUITES)
    parser.add_argument("--suite", choices=SUITES, help=argparse.SUPPRESS)
    parser.add_argument(
        "--results", type=Path, default=ROOT / "docs" / "trust" / "benchmarks.json"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    options = parser.parse_args()
    if options.suite:
        measure(options.suite, quick=options.quick).write(options.results)
        return 0
    if not options.draw:
        parts = {}
        for suite in options.only or SUITES:
            started = time.monotonic()
            parts[suite] = measure_apart(suite, quick=options.quick)
            seconds = time.monotonic() - started
            told = parts[suite].failures.get(suite) or (
                f"{len(parts[suite].figures)} figures"
            )
            log(f"{suite}: {told} ({seconds:.0f} s)")
        before = Results.read(options.results) if options.results.exists() else None
        merged(before if options.only else None, parts).write(options.results)
    results = Results.read(options.results)
    # What draws is needed here alone.
    from benchmarks.report import page, plots

    plots.draw(results, options.out / "pictures")
    page.write(results, options.out / "trust" / "benchmarks.md")
    return 1 if results.failures else 0


if __name__ == "__main__":
    sys.exit(main())
