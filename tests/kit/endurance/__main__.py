"""Run a campaign: `python -m endurance --minutes 30`."""

from __future__ import annotations

import argparse
import sys
import time

import pytest

from endurance.campaign import Plan, run
from endurance.report import report


class Progress:
    """Tells on standard error what is done, and since when it has gone on."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self, text: str) -> None:
        seconds = time.monotonic() - self._began
        print(f"{seconds:7.1f} s  {text}", file=sys.stderr, flush=True)


def main() -> int:
    """Return 1 where something was not as it has to be."""
    plan = Plan()
    parser = argparse.ArgumentParser(prog="endurance", description=__doc__)
    parser.add_argument("--minutes", type=float, default=plan.seconds / 60)
    parser.add_argument("--kills", type=int, default=plan.kills)
    parser.add_argument("--visitors", type=int, default=plan.visitors)
    parser.add_argument("--seed", type=int, default=plan.seed)
    parser.add_argument("--first-path", help="where the service imports from first")
    asked = vars(parser.parse_args())
    plan = Plan(seconds=60 * asked.pop("minutes"), **asked)
    try:
        outcome = run(plan, Progress())
    except pytest.skip.Exception as missing:
        print(missing, file=sys.stderr)
        return 1
    print(report(plan, outcome))
    return 1 if outcome.ledger.faults else 0


if __name__ == "__main__":
    sys.exit(main())
