"""What the workers take of the machine, measured while no request is under way."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from endurance.wire import open_files

PAGES = re.compile(r"^Rss:\s+(\d+) kB$", re.MULTILINE)
FLAGS = re.compile(r"^VmFlags: .*$", re.MULTILINE)
OF_HASHES = " dd"
"""The memory of password hashes is not dumped; nothing else of a worker says so."""


class Sample(NamedTuple):
    """Of one worker, at one moment.

    Attributes:
        requests: How many had been answered by all workers together.
        rss: KiB resident, without the next.
        hashing: KiB kept for password hashes, for ten seconds after the last.
        files: Open descriptors.
        threads: Threads.
    """

    requests: int
    rss: int
    hashing: int
    files: int
    threads: int


def sample(process: int, requests: int) -> Sample:
    """Measure a process."""
    rss = hashing = 0
    for mapping in _mappings(Path(f"/proc/{process}/smaps").read_text()):
        found = PAGES.search(mapping)
        pages = int(found[1]) if found else 0
        flags = FLAGS.search(mapping)
        if flags and OF_HASHES in flags[0]:
            hashing += pages
        else:
            rss += pages
    threads = len(list(Path(f"/proc/{process}/task").iterdir()))
    return Sample(requests, rss, hashing, len(open_files(process)), threads)


def _mappings(text: str) -> list[str]:
    """Return what smaps says of each mapping; the last line of each is its flags."""
    return re.split(r"(?<=\n)(?=[0-9a-f]+-[0-9a-f]+ )", text)


def trend(samples: list[Sample]) -> float:
    """Return by how many KiB a worker grows with each thousand requests."""
    count = len(samples)
    middle = sum(one.requests for one in samples) / count
    height = sum(one.rss for one in samples) / count
    spread = sum((one.requests - middle) ** 2 for one in samples)
    if not spread:
        return 0.0
    slope = sum((one.requests - middle) * (one.rss - height) for one in samples)
    return 1000 * slope / spread
