"""Where the project is, what keeps processes apart, and secrets to sign with."""

from __future__ import annotations

import fcntl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT.parent / "shared" / "vectors"
"""Third-party test vectors; tests that read them skip where they are absent."""

SECRET = "q7Wn3VfB0sXcE5rT9yUiK2mLhJ8gDzA4pO6vNxCbQwY"
"""A strong HMAC secret: 43 URL-safe characters."""

OTHER_SECRET = "Zt8RkPj1Hx6LmYb4VqGd9WnSc2Ff7TuEo3Ia5XyKw0M"
"""A second one, for signatures that must not match."""


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other processes out: several of them may run the tests.

    Args:
        path: A file beside what they share, which is made if it is missing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def made(target: str) -> Path:
    """Return a file of the project once ``make`` has brought it up to date."""
    with locked(ROOT / "build" / ".making"):
        subprocess.run(["make", "-s", target], cwd=ROOT, check=True)
    return ROOT / target
