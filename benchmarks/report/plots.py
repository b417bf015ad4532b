"""The plots of the page, as SVG, for a light and for a dark background."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from benchmarks.report.figures import OURS, Figure, Results
from matplotlib import pyplot as plt
from matplotlib.ticker import FuncFormatter

mpl.use("svg")


@dataclass(frozen=True)
class Theme:
    """The colours of a background."""

    name: str
    text: str
    grid: str
    ours: str
    theirs: str


# The contrast of each with its background (white, and #0d1117) is 4.5 or more.
THEMES = (
    Theme("light", "#24292f", "#d0d7de", "#0b6e4f", "#57606a"),
    Theme("dark", "#e6edf3", "#30363d", "#3fb984", "#8b949e"),
)


@dataclass(frozen=True)
class Plot:
    """One plot: bars of the libraries in one case.

    Attributes:
        name: Of its files.
        title: What it says.
        suite: The table of which it shows a row.
        case: The row, or what it begins with.
        less_is_better: Whether short bars are good ones.
    """

    name: str
    title: str
    suite: str
    case: str
    less_is_better: bool = True


PLOTS = (
    Plot("verify", "Verifying an HS256 token", "verify", "HS256, 2"),
    Plot("sign", "Signing an HS256 token", "sign", "HS256, 2"),
    Plot("verify-large", "Verifying an HS256 token of 20 kB", "verify", "HS256, 20 kB"),
    Plot("verify-rs256", "Verifying an RS256 token", "verify", "RS256"),
    Plot("verify-es256", "Verifying an ES256 token", "verify", "ES256"),
    Plot("verify-eddsa", "Verifying an EdDSA token", "verify", "EdDSA"),
    Plot("refuse", "Refusing a changed signature", "refuse", "a changed"),
    Plot("argon2", "A hash by Argon2id, 64 MiB", "hash", "Argon2id, 64 MiB, t=3, p=4"),
    Plot("bcrypt", "A hash by bcrypt, cost 12", "hash", "bcrypt"),
    Plot("route", "Added to a request by protecting its route", "route", "added"),
    Plot("requests", "Requests over HTTP, one worker", "requests", "one", False),
    Plot("sign-ins", "Sign-ins, 32 clients", "storm", "sign-ins", False),
)

ROW_HEIGHT = 0.27  # inches
HEAD_HEIGHT = 0.85
WIDTH = 7.2


@contextmanager
def _style(theme: Theme) -> Iterator[None]:
    """Set colours, and what makes the same figures give the same file."""
    colours = dict.fromkeys(
        ("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), theme.text
    )
    settings: dict[str, Any] = {
        **colours,
        "font.size": 10,
        "svg.fonttype": "none",
        "svg.hashsalt": "fastbearer",
    }
    with mpl.rc_context(settings):
        yield


def _case(results: Results, plot: Plot) -> dict[str, Figure]:
    """Return library -> figure of the row that a plot shows."""
    table = results.of(plot.suite)
    return next((row for case, row in table.items() if case.startswith(plot.case)), {})


def _told(value: float) -> str:
    if value >= 10_000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def _bars(plot: Plot, row: dict[str, Figure], theme: Theme, path: Path) -> None:
    """Write one file."""
    order = sorted(row, key=lambda one: row[one].value, reverse=plot.less_is_better)
    values = [row[library].value for library in order]
    unit = row[order[0]].unit
    with _style(theme):
        height = HEAD_HEIGHT + ROW_HEIGHT * len(order)
        figure, axes = plt.subplots(figsize=(WIDTH, height))
        colours = [
            theme.ours if library.startswith(OURS) else theme.theirs
            for library in order
        ]
        axes.barh(order, values, color=colours, height=0.66)
        # From zero, and linear: a bar is as long as what it stands for.
        axes.set_xlim(0, max(values) * 1.16)
        for place, value in enumerate(values):
            axes.annotate(
                _told(value),
                (value, place),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
            )
        better = "less" if plot.less_is_better else "more"
        axes.set_title(f"{plot.title} ({unit}, {better} is better)", loc="left")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.grid(axis="x", color=theme.grid, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.tick_params(length=0)
        for side in axes.spines.values():
            side.set_visible(False)
        figure.tight_layout()
        figure.savefig(path, transparent=True, metadata={"Date": None})
        plt.close(figure)


def file_of(plot: Plot, theme: str) -> str:
    """Return the name of a plot's file."""
    return f"benchmark-{plot.name}-{theme}.svg"


def drawn(results: Results) -> list[Plot]:
    """Return the plots for which there are figures."""
    return [plot for plot in PLOTS if len(_case(results, plot)) > 1]


def draw(results: Results, folder: Path) -> None:
    """Write each plot for each background, and remove those that are no more."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("benchmark-*.svg"):
        old.unlink()
    for plot in drawn(results):
        for theme in THEMES:
            path = folder / file_of(plot, theme.name)
            _bars(plot, _case(results, plot), theme, path)
            path.write_text(_tidied(path.read_text(), plot, results))


def _tidied(text: str, plot: Plot, results: Results) -> str:
    """Return an SVG with a text for those who do not see it, without space at ends."""
    row = _case(results, plot)
    told = ", ".join(f"{name} {_told(one.value)}" for name, one in row.items())
    unit = next(iter(row.values())).unit
    title = f"<title>{plot.title}, {unit}: {told}</title>"
    start = text.index(">", text.index("<svg")) + 1
    whole = f"{text[:start]}\n {title}{text[start:]}"
    return "\n".join(line.rstrip() for line in whole.splitlines()) + "\n"
