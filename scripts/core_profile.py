"""What a core that counts has counted, as a profile for a compiler."""

from __future__ import annotations

import subprocess
from pathlib import Path

from counting_clang import tool

LEFT_OUT = {
    "fb_json_ready_keep": "looks for a place by address, another in each process",
    "json_out.c:json_ready_find": "looks for a place by address, too",
    "json_out.c:goes_beyond": "has a memchr that newer headers write as a condition",
}
"""A function whose counters are of no use -> why: builds would differ, or warn."""


def usable(text: str) -> str:
    """Return a profile's text without the functions that are left out."""
    records = text.split("\n\n")
    kept = (one for one in records if one.partition("\n")[0] not in LEFT_OUT)
    return "\n\n".join(kept)


def write_profile(clang: Path, counted: Path, made: Path) -> None:
    """Write the profile of counters that a process has left.

    It is sparse: a function that did not run is compiled as ever, not as a rare one.
    """
    merge = [tool(clang, "llvm-profdata"), "merge", "-sparse"]
    text = subprocess.check_output(  # noqa: S603 - our own words
        [*merge, "-text", "-o", "-", counted], text=True
    )
    kept = made.with_suffix(".proftext")
    kept.write_text(usable(text))
    subprocess.run([*merge, "-o", made, kept], check=True)  # noqa: S603
