"""Hashing, bounded: how many passwords a process hashes at a time.

Each hash has tens of MiB of its own, so whatever calls for one, from any thread,
waits here for a slot. `hashing_pool` adds what an event loop needs.
"""

from __future__ import annotations

import os
from _thread import _local, allocate_lock

from . import _core
from .errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _queue import SimpleQueue
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")

__all__ = ["in_slot", "password_hash", "password_verify", "slot_count"]

VARIABLE = "FASTBEARER_HASH_SLOTS"

_lock = allocate_lock()
_slots: SimpleQueue[None] | None = None
_threads = 0
_own = _local()
"""Whether this thread is in a slot: it must not wait for another one."""


def slot_count() -> int:
    """Return how many passwords this process may hash at a time.

    The environment's ``FASTBEARER_HASH_SLOTS``, or the cores that the process may
    keep busy.

    Raises:
        ConfigurationError: That variable is not a positive whole number.
    """
    from .cpu_limit import available_cores

    text = os.environ.get(VARIABLE, "")
    if not text:
        return available_cores()
    if not (text.isascii() and text.isdigit() and len(text) < 5 and int(text)):
        raise ConfigurationError(f"{VARIABLE} must be a number of threads")
    return int(text)


def password_hash(
    password: str | bytes, setting: str | bytes, threads: int = 0, /
) -> str:
    """Hash in a slot, as the core's function of this name does.

    Args:
        password: A str is taken as UTF-8.
        setting: A hash, or one without its digest.
        threads: At most this many work at the hash; 0 is one for each core that
            this process may keep busy.

    Raises:
        PasswordError: The format cannot hash such a password.
        InvalidHashError: The setting is none.
    """
    return in_slot(_hash, password, setting, threads)


def password_verify(
    password: str | bytes,
    hash: str | bytes,
    threads: int = 0,
    weak: bool = False,
    /,
) -> bool:
    """Verify in a slot, as the core's function of this name does.

    Args:
        password: A str is taken as UTF-8.
        hash: Of any format.
        threads: As for `password_hash`.
        weak: Whether hashes of weak formats are taken.

    Raises:
        InvalidHashError: The hash is malformed, unknown, too weak or too costly.
    """
    return in_slot(_verify, password, hash, threads, weak)


def in_slot(work: Callable[..., T], *args: object) -> T:
    """Return what the work returns, which is done in a slot.

    Work that calls for a hash in its turn is in the slot already.
    """
    if getattr(_own, "is_in_slot", False):
        return work(*args)
    slots = _taken_slots()
    slots.get()
    try:
        _own.is_in_slot = True
        return work(*args)
    finally:
        # A slot that is not given back, for want of memory, is lost for ever: then
        # everybody who hashes would wait.
        while True:
            try:
                slots.put(None)
                break
            except MemoryError:
                continue
        _own.is_in_slot = False


def _hash(password: str | bytes, setting: str | bytes, threads: int) -> str:
    return _core.password_hash(password, setting, threads or _threads)


def _verify(password: str | bytes, hash: str | bytes, threads: int, weak: bool) -> bool:
    return _core.password_verify(password, hash, threads or _threads, weak)


def _taken_slots() -> SimpleQueue[None]:
    """Return the process's free slots, counted at first use.

    What is written in C gives a slot back, or raises and has not; a Semaphore, in
    Python, may have done the half of it.
    """
    global _slots, _threads
    if _slots is None:
        # At first use, for "import fastbearer" is to cost next to nothing.
        from _queue import SimpleQueue

        from .cpu_limit import available_cores

        with _lock:
            if _slots is None:
                _threads = available_cores()
                slots: SimpleQueue[None] = SimpleQueue()
                for _ in range(slot_count()):
                    slots.put(None)
                _slots = slots
    return _slots


def _forget_after_fork() -> None:
    """Begin anew: threads that held slots are not in the child."""
    global _lock, _slots
    _lock, _slots = allocate_lock(), None
    _own.is_in_slot = False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
