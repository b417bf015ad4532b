"""``python -m core_fuzz SECONDS [--seed N] [--calls N] [--case N]``.

Every call is made of the seed and its number alone. Where one is wrong, the number is
printed: ``--seed N --case NUMBER`` makes that one call again, and shows it.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

HANG = 600
"""Seconds without a call that ends: then Python's stacks are shown, and it is over."""


def options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="core_fuzz")
    parser.add_argument("seconds", type=float, nargs="?", default=60.0)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--calls", type=int, help="how many, whatever time they take")
    parser.add_argument("--case", type=int, help="the number of a single call")
    parser.add_argument("--first", action="store_true", help="stop where one is wrong")
    parser.add_argument("--progress", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def told(code: int, progress: Path) -> str:
    """Return which call ended the process, and how."""
    return f"FOUND call {progress.read_text().strip()} ended the process: {code}"


def watched(arguments: list[str], seed: int) -> int:
    """Make the calls in a process of their own; say which one ended it."""
    with tempfile.TemporaryDirectory() as folder:
        progress = Path(folder) / "number"
        progress.write_text("0")
        command = [sys.executable, "-m", "core_fuzz", *arguments]
        command += ["--seed", str(seed), "--progress", str(progress)]
        done = subprocess.run(command, check=False)
        if done.returncode not in (0, 1):
            print(told(done.returncode, progress))
    if done.returncode != 0:
        print(f"again: python -m core_fuzz --seed {seed} --case NUMBER", flush=True)
    return done.returncode


def main(arguments: list[str]) -> int:
    chosen = options(arguments)
    if chosen.progress is None:
        seed = secrets.randbits(32) if chosen.seed is None else chosen.seed
        return watched(arguments, seed)
    faulthandler.enable()
    from . import loop

    with os.fdopen(os.open(chosen.progress, os.O_WRONLY), "wb") as progress:
        run = loop.Run(chosen.seed, progress.fileno(), HANG)
        if chosen.case is not None:
            return run.once(chosen.case)
        return run.all(chosen.seconds, chosen.calls, stops=chosen.first)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
