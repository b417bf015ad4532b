"""Calls of the core, each of whose allocations fails in turn.

Run with alloc_fail.so preloaded: ``python scarce_memory.py MODE [ALLOCATOR...]``. MODE
is one of

- ``some``: a few of the allocations of each call fail, each alone and with those that
  follow it;
- ``every``: each of them does;
- ``leaks``: each of them does, and the calls are repeated to see what they leave;
- ``fresh``: up to a hundred of them do, in processes that make the call for the first
  time, so that nothing which Python or libcrypto keeps between calls is there already;
- ``others``: none does, but libcrypto has an error of somebody else's.

ALLOCATOR is ``malloc``, under which Python's and libcrypto's are counted, too,
``libcrypto`` or ``python``; ``--first`` ends at the first fault, and ``--calls=sign``
makes those calls alone whose names begin with "sign". It prints a line for
each call that did not do as it should: give its answer, raise what it raises with
memory to spare, or raise a MemoryError; and at last how many allocations have failed.
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import alloc_call  # type: ignore[import-not-found] # before the core: see there

import core_entries
from scarce_entries import ENTRIES, Entry, forgotten

ERR_LIB_CRYPTO = 15
ERR_R_MALLOC_FAILURE = 0xC0100
"""Of openssl/err.h."""

SILENT = {"crypto_failed", "key_unreadable", "key_point"}
UNTOLD = {("rsa_oaep_open", "signature_wrong")}
"""Entry point and reason: libcrypto says of nothing in OAEP's padding why it is wrong,
so that nobody learns it by trying (Manger, CRYPTO 2001)."""
OF_CPYTHON = (
    "error return without exception set",
    "returned NULL without setting an exception",
    "can't allocate read lock",
)
"""What CPython says where a traceback of a function in Python, or a file that it reads,
finds no memory."""

IN_PYTHON = frozenset(core_entries.of_python())

FEW = 4
"""How many allocations of a call fail, about, where not every one does."""

HUNDRED = 100
"""The same of ``fresh``, since each takes a process."""

CALLS = "--calls="
ALLOCATORS = ("malloc", "libcrypto", "python")
failures: Counter[str] = Counter()
"""Entry point -> how many of its allocations have failed."""


def complaint(entry: Entry, result: Any, error: BaseException | None) -> str | None:
    """Return what is wrong with an answer, if anything.

    libcrypto does not always say that it was memory that it lacked: then what
    it could not do is refused. What is refused is never accepted.
    """
    if isinstance(error, MemoryError):
        return None
    if entry.of in IN_PYTHON and str(error).endswith(OF_CPYTHON):
        return None
    reason = getattr(error, "reason", None)
    if reason in SILENT or (entry.of, reason) in UNTOLD:
        return None
    if error is not None:
        is_known = entry.raises is not None and isinstance(error, entry.raises)
        return None if is_known else f"raises {type(error).__name__}: {error}"
    if entry.raises is not None:
        return f"accepts: {result!r}"
    return None if entry.is_right(result) else f"answers {result!r}"


def places(count: int, few: int) -> list[int]:
    """Return which allocations fail: all, or a few of many."""
    step = max(1, count // few)
    return [*range(1, count + 1, step)]


def first_of_all(call: tuple[Any, ...], n: int, entry: Entry) -> tuple[int, str | None]:
    """Make a call in a child: how many allocations it took, and what is wrong."""
    end, other = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            result, error, seen = alloc_call.call(*call, n, False)
            wrong = complaint(entry, result, error)
        except AssertionError as broken:
            seen, wrong = n, str(broken)
        os.write(other, f"{seen} {wrong or ''}".encode()[:4000])
        os._exit(0)
    os.close(other)
    told = Path(f"/dev/fd/{end}").read_text()
    os.close(end)
    os.waitpid(child, 0)
    seen, _, wrong = told.partition(" ")
    return int(seen or n), (wrong if told else "ends the process") or None


def try_fresh(entry: Entry, whose: int) -> Iterator[str]:
    call = (entry.call, entry.args, entry.named, whose)
    count, _ = first_of_all(call, 0, entry)
    failures[entry.of] += 0
    for n in places(count, HUNDRED):
        label = f"{entry.of} ({entry.name}) {ALLOCATORS[whose]}"
        print(f"# {label} {n} fresh", file=sys.stderr, flush=True)
        seen, wrong = first_of_all(call, n, entry)
        failures[entry.of] += seen >= n
        if wrong is not None:
            yield f"{label}: at {n} of {count}, at first: {wrong}"


def try_entry(entry: Entry, mode: str, whose: int) -> Iterator[str]:
    if mode == "fresh":
        yield from try_fresh(entry, whose)
        return
    call = (entry.call, entry.args, entry.named, whose)
    for _ in range(3):
        _, _, count = alloc_call.call(*call, 0, False)
    failures[entry.of] += 0
    for on in (False, True):
        for n in places(count, FEW if mode == "some" else count + 1):
            label = f"{entry.of} ({entry.name}) {ALLOCATORS[whose]}"
            print(f"# {label} {n} {on}", file=sys.stderr, flush=True)
            result, error, seen = alloc_call.call(*call, n, on)
            failures[entry.of] += seen >= n
            wrong = complaint(entry, result, error)
            del result, error
            result, error, _ = alloc_call.call(*call, 0, False)
            if isinstance(error, MemoryError):
                wrong = "has no memory afterwards"
            wrong = wrong or complaint(entry, result, error)
            if wrong is None and mode == "leaks":
                alloc_call.leak(*call, n, on, 200)
                left = alloc_call.leak(*call, n, on, 100)
                wrong = f"leaves {left / 100:g} a call" if left >= 100 else None
            if wrong is not None:
                yield f"{label}: {'from' if on else 'at'} {n} of {count}: {wrong}"


def try_after_others(entry: Entry, queue: ctypes.CDLL) -> Iterator[str]:
    """Call it while the thread has an error of somebody else's: memory was wanting."""
    queue.ERR_new()
    queue.ERR_set_error(ERR_LIB_CRYPTO, ERR_R_MALLOC_FAILURE, None)
    try:
        result, error = entry.call(*entry.args, **entry.named), None
    except Exception as raised:
        result, error = None, raised
    queue.ERR_clear_error()
    wrong = complaint(entry, result, error)
    if isinstance(error, MemoryError):
        wrong = "believes an error of others"
    if wrong is not None:
        yield f"{entry.name}: {wrong}"


def error_queue() -> ctypes.CDLL:
    """Return the libcrypto that the core uses."""
    maps = Path("/proc/self/maps").read_text()
    path = re.search(r"/\S*libcrypto\S*", maps)
    if path is None:
        sys.exit("libcrypto is inside the module")
    return ctypes.CDLL(path[0])


def every_entry(begins: str = "") -> Iterator[Entry]:
    """Yield the calls whose names begin so, each room's made while there is memory."""
    for entries in ENTRIES:
        yield from [one for one in entries() if one.name.startswith(begins)]


def main(mode: str = "some", *given: str) -> None:
    stops = "--first" in given
    begins = "".join(one[len(CALLS) :] for one in given if one.startswith(CALLS))
    chosen = tuple(one for one in given if not one.startswith("--"))
    if mode == "others":
        queue = error_queue()
        for entry in every_entry():
            for line in try_after_others(entry, queue):
                print(line, flush=True)
        return
    for allocator in chosen or ALLOCATORS:
        if allocator == "libcrypto" and not alloc_call.has_libcrypto:
            sys.exit("libcrypto's allocator cannot be changed any more")
        if allocator == "python":
            alloc_call.hook_python()
        for entry in every_entry(begins):
            for line in try_entry(entry, mode, ALLOCATORS.index(allocator)):
                print(line, flush=True)
                if stops:
                    return
    for name in forgotten({*failures}) if begins == "" else ():
        print(f"{name}: nobody calls it", flush=True)
    total, points = sum(failures.values()), len(failures)
    print(f"= {total} allocations of {points} entry points failed", file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
