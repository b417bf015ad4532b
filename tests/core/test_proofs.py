"""The bounded proofs of ``tests/c/proofs`` are refuted by bugs that are planted."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from project import ROOT, locked

PROOFS = sorted(path.stem for path in (ROOT / "tests" / "c" / "proofs").glob("*.c"))

# proof, file, text, what replaces it where it comes first
PLANTED = [
    ("b64url_decode", "lib/base/b64url.c", "(c & 3) == 0", "(c & 1) == 0"),
    ("b64url_encode", "lib/base/b64url.c", "if (len == 2) {", "if (len >= 1) {"),
    (
        "b64url_wide",
        "lib/base/b64url_wide.c",
        "(len - DECODED) / 4 * 4;",
        "(len - DECODED) / 4 * 4 + 4;",
    ),
    ("compact_split", "lib/jose/compact.c", "(second - text.p)}", "(end - text.p)}"),
    ("cookie", "lib/http/cookie_pair.c", "(equals - at)}", "(equals - at + 1)}"),
    ("ecdsa_from_der", "lib/jose/ecdsa.c", "end - *p - 2 < (*p)[1]", "0"),
    ("ecdsa_to_der", "lib/jose/ecdsa.c", "!= 0;", "!= 0 && len > 1;"),
    (
        "json_cursor",
        "lib/json/json_scan.c",
        "if (p < end && *p == '.')",
        "if (*p == '.')",
    ),
    (
        "json_text",
        "lib/json/json.h",
        "break;\n        }\n    }\n    while (p < end && json_is_plain",
        "break;\n        }\n    }\n    while (json_is_plain",
    ),
    (
        "json_unescape",
        "lib/json/json_text.c",
        "*out++ = *p++;",
        "*out++ = *p, *out++ = *p++;",
    ),
]

pytestmark = pytest.mark.soak


def prove(name: str, sources: Path) -> tuple[bool, str]:
    """Return whether it is proved of these sources, and what was said."""
    with locked(ROOT / "build" / "prove.lock"):
        done = subprocess.run(
            ["scripts/prove", name],
            cwd=ROOT,
            env=os.environ | {"CSRC": str(sources)},
            capture_output=True,
            text=True,
        )
    if "NOT RUN" in done.stdout:
        pytest.skip(done.stdout.strip())
    return done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "file", "old", "new"), PLANTED, ids=[p[0] for p in PLANTED]
)
def test_a_planted_bug_is_refuted(
    name: str, file: str, old: str, new: str, tmp_path: Path
) -> None:
    sources = shutil.copytree(ROOT / "csrc", tmp_path / "csrc")
    text = (sources / file).read_text()
    assert old in text
    (sources / file).write_text(text.replace(old, new, 1))
    is_proved, said = prove(name, sources)
    assert not is_proved
    assert "VERIFICATION FAILED" in said, said


def test_each_proof_has_a_planted_bug() -> None:
    assert sorted(p[0] for p in PLANTED) == PROOFS
