"""The fuzz targets see bugs that are planted in the library that they link with."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from project import ROOT, locked
from waiting import HANG

LIBRARY = ROOT / "csrc" / "lib"
FLAGS = ["-std=c11", "-g", "-O1", "-fsanitize=address,undefined", "-w", "-pthread"]
PARTS = ["build/fuzz/fuzz_main.o", "build/fuzz/lib.a"]

# target, file, text, what replaces it where it comes first
PLANTED = [
    ("json", "json/json_text.c", "if (end - p < 4) {", "if (end - p < 3) {"),
    ("json", "json/json_text.c", "while (p < end && is_plain", "while (is_plain"),
    ("json", "json/json_find.c", "times == 1", "times >= 1"),
    (
        "compact",
        "jose/compact.c",
        "(size_t)(end - signature)};",
        "(size_t)(end - signature) + 1};",
    ),
    ("secret", "jose/secret.c", "malloc(2 * secret.len)", "malloc(secret.len)"),
    (
        "session",
        "better_auth/session_compact.c",
        "brace[tail.len] =",
        "brace[tail.len + 200] =",
    ),
    ("session", "better_auth/session_sealed.c", "!= TAG_LEN", "== 0"),
    ("format", "base/text.c", "return *len <= max &&", "return"),
    (
        "format",
        "password/sha_crypt.c",
        "salt.len > SALT_MAX",
        "salt.len > OLD_SALT_MAX",
    ),
    ("format", "password/crypt64.c", "text.len != (", "text.len < ("),
    ("pkey", "jose/pkey_read.c", "ERR_clear_error();", ""),
]


@pytest.mark.soak
@pytest.mark.parametrize(
    ("target", "file", "old", "new"), PLANTED, ids=[f"{p[1]} {p[2]}" for p in PLANTED]
)
def test_a_planted_bug_is_seen(
    target: str, file: str, old: str, new: str, tmp_path: Path
) -> None:
    with locked(ROOT / "build" / "fuzz.lock"):
        subprocess.run(["make", "-s", "CC=gcc", *PARTS], cwd=ROOT, check=True)
    text = (LIBRARY / file).read_text()
    assert old in text
    planted = tmp_path / Path(file).name
    program = tmp_path / "fuzz"
    for source, outcome in ((text, True), (text.replace(old, new, 1), False)):
        planted.write_text(source)
        subprocess.run(  # what stands before the library takes its place
            [
                *("gcc", *FLAGS, "-Icsrc/lib", f"-I{(LIBRARY / file).parent}"),
                *("-o", str(program), f"tests/c/fuzz_{target}.c", str(planted)),
                *(*PARTS, "-largon2", "-lcrypto"),
            ],
            cwd=ROOT,
            check=True,
        )
        seeds = ROOT / "tests" / "c" / "seeds" / target
        seconds = "1" if outcome else str(int(HANG))  # a crash ends it at once
        command = [program, seeds, seconds, tmp_path / "crash"]
        done = subprocess.run(command, capture_output=True, text=True)
        assert (done.returncode == 0) is outcome, done.stdout + done.stderr
