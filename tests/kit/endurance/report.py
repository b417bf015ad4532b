"""What came of a campaign, in tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from endurance.campaign import Outcome, Plan
from endurance.ledger import Ledger
from endurance.outages import recoveries
from endurance.watch import Sample, trend


def report(plan: Plan, outcome: Outcome) -> str:
    """Return the whole text."""
    return "\n".join(_lines(plan, outcome))


def _lines(plan: Plan, outcome: Outcome) -> Iterator[str]:
    ledger = outcome.ledger
    yield (
        f"{ledger.requests} requests of {outcome.visits} visitors, {plan.visitors} at a"
        f" time; each store killed {plan.kills} times, keys rotated"
        f" {outcome.rotations} times"
    )
    yield ""
    yield from _answers(ledger)
    yield ""
    yield from recoveries(ledger)
    yield ""
    for worker, samples in outcome.samples.items():
        yield from _growth(worker, samples)
    yield f"connections to PostgreSQL: {max(outcome.connections, default=0)} at most"
    kept = ", ".join(f"{count} {what}" for what, count in outcome.kept.items())
    yield f"looked at in the end: {kept}"
    yield ""
    yield from _faults(ledger)


def _answers(ledger: Ledger) -> Iterator[str]:
    yield f"{'kind':42} {'ms: p50':>8} {'p99':>7} {'most':>7}  statuses"
    for kind, taken in sorted(ledger.seconds.items()):
        times = sorted(1000 * one for one in taken)
        shown = [_at(times, 0.5), _at(times, 0.99), times[-1]]
        p50, p99, most = (f"{one:.0f}" for one in shown)
        counts = {
            status: n for (name, status), n in ledger.answers.items() if name == kind
        }
        statuses = ", ".join(f"{status}: {n}" for status, n in sorted(counts.items()))
        yield f"{kind:42} {p50:>8} {p99:>7} {most:>7}  {statuses}"


def _at(times: Sequence[float], share: float) -> float:
    return times[min(int(len(times) * share), len(times) - 1)]


def _growth(worker: int, samples: list[Sample]) -> Iterator[str]:
    middle = samples[len(samples) // 2]
    for what, one in (("start", samples[0]), ("middle", middle), ("end", samples[-1])):
        yield (
            f"worker {worker}, {what}: {one.rss / 1024:.1f} MiB, and"
            f" {one.hashing / 1024:.0f} for hashes; {one.files} files, {one.threads}"
            f" threads; after {one.requests} requests"
        )
    yield (
        f"worker {worker}, trend over {len(samples)} measurements:"
        f" {trend(samples):+.1f} KiB for 1000 requests"
        f"; {trend(samples[len(samples) // 2 :]):+.1f} in the second half"
    )


def _faults(ledger: Ledger) -> Iterator[str]:
    for what, count in ledger.faults.most_common():
        yield f"FAULT, {count} times: {what}"
        for one in ledger.examples(what):
            yield f"    {one.strip()}"
    yield f"{ledger.faults.total()} faults"
