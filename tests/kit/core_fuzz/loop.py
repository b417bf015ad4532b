"""Makes calls, one after the other, and tells what is wrong with an answer."""

from __future__ import annotations

import faulthandler
import gc
import os
import re
import time
from collections import Counter
from dataclasses import replace
from itertools import accumulate, count
from random import Random

from . import (  # noqa: F401 - each registers its cases
    encryption_calls,
    key_calls,
    key_set_calls,
    password_calls,
    request_calls,
    session_calls,
    signing_calls,
    token_calls,
)
from .calls import CASES, Call, Case
from .odd_values import DICE, odd
from .oracle import complaint

ODDITY = 0.25
"""The part of the calls whose arguments are replaced."""

SHOWN = 3
"""Findings of one kind that are printed."""

COLLECTS = 40
"""Objects that are made between two collections: finalisers run everywhere."""


def with_odd_arguments(call: Call, dice: Random) -> Call:
    """Return the call with an argument that is anything, too much or missing."""
    args, named = [*call.args], dict(call.named)
    roll = dice.random()
    if args and roll < 0.6:
        args[dice.randrange(len(args))] = odd()
    elif named and roll < 0.8:
        named[dice.choice([*named])] = odd()
    elif roll < 0.9:
        args.append(odd())
    elif roll < 0.95:
        named[dice.choice(("kid", "unknown", "lenient", "private"))] = odd()
    elif args:
        args.pop()
    return replace(call, args=tuple(args), named=named)


class Run:
    def __init__(self, seed: int, progress: int, patience: float) -> None:
        self.seed = seed
        self.progress = progress
        self.patience = patience
        self.made: Counter[str] = Counter()
        self.found: Counter[str] = Counter()
        self.weights = [*accumulate(case.weight for case in CASES)]

    def chosen(self, number: int, dice: Random) -> Case:
        """Return whose turn it is: first everybody's, then by weight."""
        if number < len(CASES):
            return CASES[number]
        return dice.choices(CASES, cum_weights=self.weights)[0]

    def try_one(self, number: int, *, shows: bool = False) -> str | None:
        """Make the call of that number, and return what is wrong with it."""
        dice = Random(f"{self.seed}/{number}")
        DICE.seed(f"{self.seed}/{number}/odd")
        case = self.chosen(number, dice)
        is_odd = number >= len(CASES) and dice.random() < ODDITY
        self.made[case.entry] += 1
        try:
            call = case.make(dice)
            if is_odd:
                call = with_odd_arguments(call, dice)
            if shows:
                print(f"{case.entry}: {call!r:.3000}", flush=True)
            wrong = self.outcome(case, call, is_odd=is_odd)
        except Exception as error:
            wrong = f"cannot be tried: {type(error).__name__}: {error!s:.300}"
        return None if wrong is None else f"{case.entry}: {wrong}"

    def outcome(self, case: Case, call: Call, *, is_odd: bool) -> str | None:
        result, error = None, None
        try:
            result = call.function(*call.args, **call.named)
        except BaseException as raised:
            if isinstance(raised, KeyboardInterrupt):
                raise
            error = raised
        wrong = complaint(case, call, result, error)
        if wrong is None and not is_odd:
            wrong = call.check(result, error)
        if wrong is not None and error is not None:
            wrong += f" ({type(error).__name__}: {error!s:.200})"
        return wrong

    def note(self, number: int, wrong: str) -> None:
        kind = re.sub(r"\d+|'.*", "", wrong)[:90]
        self.found[kind] += 1
        if self.found[kind] <= SHOWN:
            print(f"FOUND call {number} {wrong}", flush=True)

    def once(self, number: int) -> int:
        os.pwrite(self.progress, str(number).encode(), 0)
        wrong = self.try_one(number, shows=True)
        print("nothing is wrong" if wrong is None else f"FOUND {wrong}")
        return int(wrong is not None)

    def all(self, seconds: float, most: int | None, *, stops: bool) -> int:
        print(f"seed {self.seed}", flush=True)
        gc.set_threshold(COLLECTS)
        end = time.monotonic() + seconds
        for number in count():
            is_over = time.monotonic() > end if most is None else number >= most
            is_over = is_over or (stops and bool(self.found))
            if is_over and number >= len(CASES):
                break
            if number % 200 == 0:
                faulthandler.dump_traceback_later(self.patience, exit=True)
            os.pwrite(self.progress, str(number).encode(), 0)
            wrong = self.try_one(number)
            if wrong is not None:
                self.note(number, wrong)
        faulthandler.cancel_dump_traceback_later()
        print(
            f"{sum(self.made.values())} calls of {len(self.made)} entry points, "
            f"{sum(self.found.values())} findings of {len(self.found)} kinds",
            flush=True,
        )
        return int(bool(self.found))
