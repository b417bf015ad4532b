"""What differs where AddressSanitizer watches the core: ``make test-asan``.

The sanitizer's library is loaded before everything else, and every program that is
started inherits that. In this Python it has to be so; in a server, in Node or in a
browser, whose allocators it would replace, it must not be.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

IS_SANITIZED = "ASAN_OPTIONS" in os.environ

SKIPPED = {
    "chromium": "Chromium does not start beside AddressSanitizer",
}
"""A marker -> why its tests cannot run there."""

OWN = Path(sys.executable).parent


def is_ours(command: Any) -> bool:
    """Tell whether a command runs this Python, by its name or by a script of it."""
    if isinstance(command, (str, bytes, os.PathLike)):
        program = os.fsdecode(command).split(" ")[0]
    elif isinstance(command, Sequence) and command:
        program = os.fsdecode(command[0])
    else:
        return False
    found = shutil.which(program)
    return found is not None and Path(found).parent == OWN


def without_sanitizer(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which the release build of the core is imported."""
    changed = dict(environ)
    for name in ("LD_PRELOAD", "ASAN_OPTIONS", "PYTHONMALLOC"):
        changed.pop(name, None)
    folders = changed.get("PYTHONPATH", "").split(os.pathsep)
    changed["PYTHONPATH"] = os.pathsep.join(f for f in folders if "asan" not in f)
    return changed


def let_others_run_without() -> None:
    """Start every program that is not this Python without the sanitizer."""
    original = subprocess.Popen.__init__

    @functools.wraps(original)
    def start(self: Any, args: Any, *rest: Any, **named: Any) -> None:
        if not is_ours(named.get("executable") or args):
            environ = named.get("env")
            named["env"] = without_sanitizer(os.environ if environ is None else environ)
        original(self, args, *rest, **named)

    subprocess.Popen.__init__ = start  # type: ignore[method-assign]
