"""Better Auth's cookies and tokens, beside fastapi-better-auth-bridge."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks import better_auth as kept
from benchmarks import compat
from benchmarks.report.figures import OURS, Effort, Figure, figures_of, is_installed

BRIDGE = "fastapi-better-auth-bridge"


def measure(effort: Effort) -> Iterator[Figure]:
    """Yield each check of ours, and those that the bridge has as well."""
    if effort.is_quick:
        compat.BATCH_SECONDS = 1e-5
    own: dict[Any, compat.Call] = {
        (name, OURS): call for name, call in kept.own_calls().items()
    }
    if is_installed(BRIDGE):
        for name, (theirs, ours) in kept.bridge_calls().items():
            own |= {(name, BRIDGE): theirs, (name, OURS): ours}
    least = compat.times(own, effort.of(effort.rounds // 2))
    cases = dict.fromkeys(name for name, _ in own)
    for case in cases:
        found = {who: taken for (name, who), taken in least.items() if name == case}
        yield from figures_of("better auth", case, found, "µs")
