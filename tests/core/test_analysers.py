"""The static analysers of ``make analyse`` see bugs that are planted in the library."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from project import ROOT

JOSE = "jose/secret.c"
ARENA = "password/argon2/arena.c"

# what it is, where, text, what replaces it, words of the analysers for it
PLANTED = [
    ("a double free", JOSE, "    free(scratch);", "    free(scratch), free(scratch);"),
    ("a leak", ARENA, "        free(made);\n", ""),
    ("a use after free", ARENA, "free(made);", "free(made), made->bytes = 1;"),
    ("a null pointer", ARENA, "if (made == NULL)", "if (bytes == 0)"),
]
WORDS = {
    "a double free": ("double-", "released memory"),
    "a leak": ("leak",),
    "a use after free": ("use after", "after it is freed"),
    "a null pointer": ("NULL", "null pointer"),
}

pytestmark = pytest.mark.soak


def analyse(tool: str, name: str, source: str, folder: Path) -> tuple[bool, str]:
    """Return whether the analyser was content, and what it said."""
    if not shutil.which(tool):
        pytest.skip(f"{tool} is not installed")
    file = folder / Path(name).name
    file.write_text(source)
    command = ["scripts/analyse", tool, str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("tool", ["gcc", "clang"])
@pytest.mark.parametrize(
    ("what", "name", "old", "new"), PLANTED, ids=[p[0] for p in PLANTED]
)
def test_a_planted_bug_is_seen(
    tool: str, what: str, name: str, old: str, new: str, tmp_path: Path
) -> None:
    source = (ROOT / "csrc" / "lib" / name).read_text()
    assert old in source
    is_content, said = analyse(tool, name, source, tmp_path)
    assert is_content, said
    is_content, said = analyse(tool, name, source.replace(old, new, 1), tmp_path)
    assert not is_content
    assert any(words in said for words in WORDS[what]), said
