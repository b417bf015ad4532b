"""The drop-ins beside the packages that they stand in for, through the same calls."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

from benchmarks import compat as kept
from benchmarks.report.figures import OURS, Effort, Figure, figures_of

from fastbearer import PasswordHash


def measure(effort: Effort) -> Iterator[Figure]:
    """Yield each call by the original and by the drop-in."""
    warnings.simplefilter("ignore")
    if effort.is_quick:
        kept.BATCH_SECONDS = 1e-5
    for peer in kept.PEERS:
        rows = kept.cases(peer)
        calls: dict[Any, kept.Call] = {}
        for name, (theirs, ours, _) in rows.items():
            calls[name, peer.name], calls[name, OURS] = theirs, ours
        least = kept.times(calls, effort.of(effort.rounds // 2))
        for name in rows:
            found = {who: least[name, who] for who in (peer.name, OURS)}
            yield from figures_of(f"drop-in: {peer.name}", name, found, "µs")
    yield from _passlib(effort)


def _passlib(effort: Effort) -> Iterator[Figure]:
    """Yield CryptContext's verify of a cheap hash, which shows its own cost."""
    try:
        from passlib.context import CryptContext
    except ImportError:
        return
    from fastbearer.compat.passlib.context import CryptContext as DropIn

    text = "correct horse battery"
    schemes: dict[str, Any] = {"schemes": ["bcrypt"], "bcrypt__rounds": 5}
    theirs, ours = CryptContext(**schemes), DropIn(**schemes)
    stored = PasswordHash("bcrypt", rounds=5).hash(text)
    assert theirs.verify(text, stored)
    assert ours.verify(text, stored)
    calls: dict[Any, kept.Call] = {
        "passlib": lambda: theirs.verify(text, stored),
        OURS: lambda: ours.verify(text, stored),
    }
    found = kept.times(calls, effort.of(5))
    case = "CryptContext.verify, bcrypt of cost 5"
    yield from figures_of("drop-in: passlib", case, found, "µs")
