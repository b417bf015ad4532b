"""A storm of sign-ins, and what it does to a route that has nothing to do with it."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import storm as kept
from benchmarks.report.figures import OURS, Effort, Figure, figures_of

RECIPE = "FastAPI's recipe (argon2-cffi)"
FACTORIES = {OURS: "make_app", RECIPE: "make_recipe"}
CLIENTS = 32


def measure(effort: Effort) -> Iterator[Figure]:
    """Yield sign-ins a second, and the delays of another route, idle and meanwhile."""
    clients = 2 if effort.is_quick else CLIENTS
    seconds = 2.0 if effort.is_quick else 7.0
    runs = {
        name: kept.one_run(factory, clients, seconds)
        for name, factory in FACTORIES.items()
    }

    def told(key: str, case: str, unit: str) -> Iterator[Figure]:
        found = {name: run[key] for name, run in runs.items()}
        yield from figures_of("storm", case, found, unit)

    yield from told("signed in per s", "sign-ins a second", "sign-ins/s")
    yield from told("idle p50", "another route, nobody signs in: median", "ms")
    yield from told("p50", "another route, meanwhile: median", "ms")
    yield from told("p99", "another route, meanwhile: 99th percentile", "ms")
    yield from told("peak MiB", "peak memory", "MiB")
