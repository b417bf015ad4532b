"""The page of the figures: docs/trust/benchmarks.md, made from the results."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.report.figures import OURS, PEERS, Figure, Results
from benchmarks.report.plots import PLOTS, Plot, drawn, file_of

HEAD = """\
# Benchmarks

Each figure is fastbearer's beside that of other libraries, taken by one command:

```sh
make bench-report
```

All libraries of a table run in one process and take turns, round by round. For tokens,
drop-ins and routes the least time of all rounds counts, for passwords and requests a
second the median: a machine may be shared, and ratios hold where single times wander.
Keys are loaded before, each library is called in the fastest way that its documentation
shows, and what it answers is compared before anything is timed. The scripts are in
[benchmarks/report](../../benchmarks/README.md), and the figures in
[benchmarks.json](benchmarks.json).

**A library that is better than fastbearer in a row is set in bold**, so that losses are
as easy to find as wins.
"""

SECTIONS = (
    ("Tokens", ("verify", "sign", "refuse")),
    ("Passwords", ("hash", "hashes on every core")),
    ("Routes", ("route", "requests")),
    ("Sign-ins", ("storm",)),
    ("Drop-ins", ("drop-in: python-jose", "drop-in: PyJWT", "drop-in: passlib")),
    ("Better Auth", ("better auth",)),
)

TITLES = {
    "verify": "Verify a good token",
    "sign": "Sign",
    "refuse": "Refuse a bad token",
    "hash": "One hash",
    "hashes on every core": "Hashes a second, every core busy",
    "route": "What protecting a route adds to a request, in process",
    "requests": "Requests a second over HTTP",
    "storm": "32 clients that sign in without pause",
    "better auth": "Cookies and tokens of a Better Auth server",
}

WORDS = {
    "verify": (
        "A dash stands for a library that does not have the algorithm, or takes no such"
        " token."
    ),
    "refuse": (
        "With the exception that is raised and caught. A dash stands for a library that"
        " takes the token."
    ),
    "route": (
        "uvloop, one pinned core, the same application without sockets; over a route"
        " without a dependency."
    ),
    "requests": (
        "uvicorn with uvloop and httptools on one core, wrk with 32 connections on"
        " another."
    ),
    "hashes on every core": (
        "One thread for each core; fastbearer hashes as its pool does, with one thread"
        " for each hash."
    ),
    "storm": (
        "The other route is asked every 20 ms, and each answer is counted from when it"
        " was due. The recipe is that of FastAPI's tutorial, which hashes on the event"
        " loop."
    ),
}

BUSY = 0.2  # cores

MORE_IS_BETTER = ("requests/s", "hashes/s", "sign-ins/s")


def write(results: Results, path: Path) -> None:
    """Write the page anew."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines(results)).rstrip() + "\n")


def lines(results: Results) -> Iterator[str]:
    """Yield the lines of the page."""
    yield HEAD
    yield from _environment(results)
    plots = {plot.suite: [] for plot in PLOTS} | _by_suite(drawn(results))
    for title, suites in SECTIONS:
        if not any(results.of(suite) for suite in suites):
            continue
        yield f"## {title}\n"
        for suite in suites:
            table = results.of(suite)
            if table:
                yield f"### {_title(suite)}\n"
                yield from _words(suite)
                yield from _pictures(plots.get(suite, []))
                yield from _tables(table)
    yield from _missing(results)


def _title(suite: str) -> str:
    return TITLES.get(suite) or f"In place of {suite.removeprefix('drop-in: ')}"


def _words(suite: str) -> Iterator[str]:
    if suite in WORDS:
        yield f"{WORDS[suite]}\n"


def _by_suite(plots: Iterable[Plot]) -> dict[str, list[Plot]]:
    found: dict[str, list[Plot]] = {}
    for plot in plots:
        found.setdefault(plot.suite, []).append(plot)
    return found


def _pictures(plots: Iterable[Plot]) -> Iterator[str]:
    for plot in plots:
        for theme in ("light", "dark"):
            file = f"../pictures/{file_of(plot, theme)}"
            yield f"![{plot.title}]({file}#only-{theme})"
        yield ""


def _environment(results: Results) -> Iterator[str]:
    """Yield on what the figures were taken, with a warning where it was busy."""
    told = results.environment
    others = told["others"]
    busiest = max((cores for pair in others.values() for cores in pair), default=0)
    yield "## Machine\n"
    yield "| | |"
    yield "|---|---|"
    yield f"| Date | {told['date']}, source {told['commit'] or 'without a commit'} |"
    yield f"| Processor | {told['cores']} cores of {told['processor']} |"
    yield f"| System | {told['system']}, {told['python']}, {told['libcrypto']} |"
    yield f"| Argon2 by | the engine {told['argon2 engine']} |"
    yield f"| Load at the start | {told['load']:g} |"
    busy = "; ".join(
        f"{suite.replace('_', ' ')} {before:g}, {after:g}"
        for suite, (before, after) in others.items()
    )
    yield f"| Cores that others kept busy, before and after | {busy} |"
    packages = ", ".join(
        f"{name} {version}" for name, version in told["versions"].items() if version
    )
    yield f"| Packages | {packages} |\n"
    if busiest >= BUSY:
        yield (
            "**The machine was busy with other work:** others kept up to"
            f" {busiest:g} of its {told['cores']} cores busy. Ratios are worth more"
            " here than single times.\n"
        )


def _tables(table: dict[str, dict[str, Figure]]) -> Iterator[str]:
    """Yield a table: the cases in rows, the libraries in columns."""
    libraries = list(dict.fromkeys(name for row in table.values() for name in row))
    units = {one.unit for row in table.values() for one in row.values()}
    yield f"| | {' | '.join(libraries)} |"
    yield "|---|" + "---:|" * len(libraries)
    for case, row in table.items():
        unit = next(iter(row.values())).unit
        head = case if len(units) == 1 else f"{case}, {unit}"
        cells = [_cell(row, library) for library in libraries]
        yield f"| {head} | {' | '.join(cells)} |"
    yield ""
    if len(units) == 1:
        yield f"In {units.pop()}, and in brackets how many times fastbearer's figure.\n"
    notes = {
        one.library: one.note
        for row in table.values()
        for one in row.values()
        if one.note
    }
    for library, note in notes.items():
        yield f"- {library}: {note}."
    if notes:
        yield ""


def _cell(row: dict[str, Figure], library: str) -> str:
    figure = row.get(library)
    if figure is None:
        return "-"
    ours = row.get(OURS)
    value = _short(figure.value)
    if ours is None or figure is ours or library.startswith(OURS):
        return value
    ratio = figure.value / ours.value if ours.value else 0
    more = figure.unit in MORE_IS_BETTER
    told = f"{value} ({ratio:.2f}x)" if ratio < 10 else f"{value} ({ratio:.0f}x)"
    return f"**{told}**" if (ratio > 1) == more and ratio != 1 else told


def _short(value: float) -> str:
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _missing(results: Results) -> Iterator[str]:
    """Yield what has no figures, and why."""
    versions = results.environment["versions"]
    absent = [package for package in PEERS if versions.get(package) is None]
    node = any(one.library.startswith("@node-rs") for one in results.figures)
    absent += [] if node else ["@node-rs/argon2"]
    if not absent and not results.failures:
        return
    yield "## What is missing\n"
    for package in absent:
        yield f"- {package} could not be installed here, so it has no figures."
    for suite, why in results.failures.items():
        yield f"- The suite {suite.replace('_', ' ')} failed: {_plain(why)}"
    yield ""


def _plain(text: str) -> str:
    """Return an error's line without what Markdown would read in it."""
    return re.sub(r"[`<>|*_\[\]]", " ", text)
