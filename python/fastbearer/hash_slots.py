"""Hashing, bounded: how many passwords a process hashes at a time.

Each hash has tens of MiB of its own, so whatever calls for one, from any thread,
waits here for a slot. `hashing_pool` adds what an event loop needs.
"""

from __future__ import annotations

import os

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


class _Slots:
    """The process's slots, all of them free."""

    def __init__(self) -> None:
        # At first use, for "import fastbearer" is to cost next to nothing.
        from _queue import SimpleQueue

        from .cpu_limit import available_cores

        self.cores = available_cores()
        self.threads: set[int] = set()  # in a slot: none must wait for another one
        self.free: SimpleQueue[None] = SimpleQueue()
        for _ in range(slot_count()):
            self.free.put(None)


_made: dict[str, _Slots] = {}


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
    slots = _slots()
    return _core.in_slot(slots.free, slots.threads, work, args)


def _hash(password: str | bytes, setting: str | bytes, threads: int) -> str:
    return _core.password_hash(password, setting, threads or _slots().cores)


def _verify(password: str | bytes, hash: str | bytes, threads: int, weak: bool) -> bool:
    return _core.password_verify(password, hash, threads or _slots().cores, weak)


def _slots() -> _Slots:
    """Return the process's slots, the same ones for whoever asks."""
    return _made.get("slots") or _made.setdefault("slots", _Slots())


if hasattr(os, "register_at_fork"):
    # Threads that held slots are not in the child, which begins anew.
    os.register_at_fork(after_in_child=_made.clear)
