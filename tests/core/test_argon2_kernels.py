"""Our Argon2 in C, alone: vectors, libargon2, sanitizers and planted bugs.

``argon2_check.c`` is built from the sources and run; ``make soak`` lets it try
tens of thousands of cases, watched by sanitizers and by valgrind, and proves with
bugs that are planted that it would see them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from c_tools import DEFINES, LIBRARIES, needs_checkout
from project import ROOT

pytestmark = needs_checkout

FILES = [
    "blake2b.c",
    "argon2_fill.c",
    "argon2_wide.c",
    "argon2_neon.c",
    "argon2_lanes.c",
    "argon2_core.c",
    "argon2_known.c",
    "argon2_library.c",
]
BASE = ["cpu.c", "platform.c", "threads.c"]
LIBRARY = ROOT / "csrc" / "lib"
ROOM = Path("password", "argon2")
ALL = {"portable", "avx2", "avx512", "neon"}
RELEASE = ["-O3"]
SANITIZED = [
    *("-O1", "-g", "-fno-omit-frame-pointer"),
    *("-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
]

# file, text, what replaces it where it comes first, engines that must fail
MUTANTS = [
    (
        "argon2_fill.c",
        "rotate(v[b] ^ v[c], 63)",
        "rotate(v[b] ^ v[c], 62)",
        {"portable"},
    ),
    ("argon2_fill.c", "2 * (x & UINT32_MAX)", "(x & UINT32_MAX)", {"portable"}),
    ("argon2_fill.c", "mix(v, 3, 4, 9, 14)", "mix(v, 3, 4, 14, 9)", {"portable"}),
    ("argon2_fill.c", "add ? to->words[i] ^ word : word", "word", {"portable"}),
    ("argon2_wide.c", "0x93", "0x39", {"avx2"}),
    ("argon2_wide.c", "shift_avx2(v[2], false)", "shift_avx2(v[2], true)", {"avx2"}),
    ("argon2_wide.c", "_mm256_shuffle_epi32(x, 0xb1)", "x", {"avx2"}),
    ("argon2_wide.c", "srli_epi64(x, 63)", "srli_epi64(x, 62)", {"avx2"}),
    (
        "argon2_wide.c",
        "out[at] = add ? _mm256_xor_si256(sum, out[at]) : sum",
        "out[at] = sum",
        {"avx2"},
    ),
    (
        "argon2_wide.c",
        "if (column == 0 && next",
        "if (column == 1 && next && 0",
        {"avx2"},
    ),
    ("argon2_wide.c", "v[1], 63);\n}\n\nAVX512", "v[1], 62);\n}\n\nAVX512", {"avx512"}),
    (
        "argon2_wide.c",
        "(5, 0, 7, 2, 1, 4, 3, 6)",
        "(5, 0, 7, 2, 1, 4, 6, 3)",
        {"avx512"},
    ),
    (
        "argon2_wide.c",
        "permute_columns_avx512(columns, 2, 4)",
        "permute_columns_avx512(columns, 2, 3)",
        {"avx512"},
    ),
    ("argon2_wide.c", "r[at], 0x96", "r[at], 0x69", {"avx512"}),
    (
        "argon2_wide.c",
        "out[at] = add ? _mm512_xor_si512(sum, out[at]) : sum",
        "out[at] = sum",
        {"avx512"},
    ),
    ("argon2_lanes.c", "slice < ARGON2_SLICES / 2", "slice < ARGON2_SLICES", ALL),
    (
        "argon2_lanes.c",
        "(slice + 1) % ARGON2_SLICES * size",
        "(slice + 1) * size % (size * 3)",
        ALL,
    ),
    ("argon2_lanes.c", "pass > 0 && !in->overwrites", "pass > 0", ALL),
    ("argon2_lanes.c", "index % ARGON2_WORDS == 0", "index % 256 == 0", ALL),
    ("argon2_lanes.c", "            fb_threads_wait(team);\n", "", ALL),
    (
        "argon2_lanes.c",
        "slice * size : in->length - size",
        "slice * size : in->length - 1",
        ALL,
    ),
    ("argon2_inner.h", "- (next->index == 0)", "", ALL),
    ("argon2_inner.h", "% next->lanes;", "% 2;", ALL),
    ("argon2_inner.h", "among - 1 - (", "among - (", ALL),
    ("argon2_core.c", "fb_blake2b_update(state, bytes.p, bytes.len);", "", ALL),
    ("argon2_core.c", "params->memory,  params->passes", "0, params->passes", ALL),
    ("blake2b.c", "{9, 0, 5, 7,", "{9, 0, 7, 5,", ALL | {"blake2b"}),
    ("blake2b.c", "size > BLAKE2B_MAX)", "size >= BLAKE2B_MAX)", ALL),
]


def build(folder: Path, sources: Path, flags: list[str]) -> Path:
    program = folder / "check"
    subprocess.run(
        [
            *("gcc", "-std=c11", "-w", *DEFINES, *flags),
            f"-I{sources}",
            str(ROOT / "tests" / "c" / "argon2_check.c"),
            *(str(sources / ROOM / name) for name in FILES),
            *(str(LIBRARY / "base" / name) for name in BASE),
            *LIBRARIES,
            *("-pthread", "-Wl,--wrap=pthread_create"),
            *("-o", str(program)),
        ],
        check=True,
    )
    return program


def run(program: Path, cases: int, seed: int = 3) -> subprocess.CompletedProcess[str]:
    environment = {name: os.environ[name] for name in ("PATH",)}
    return subprocess.run(
        [program, str(cases), str(seed)],
        env=environment,
        capture_output=True,
        text=True,
    )


def wrong(result: subprocess.CompletedProcess[str]) -> set[str]:
    """Return the engines, or ``blake2b``, that gave wrong answers."""
    pattern = r"^(\w+):(?: tested,)? [1-9]\d* wrong"
    found = set(re.findall(pattern, result.stdout, re.MULTILINE))
    return found or ({"crash"} if result.returncode else set())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flags", "cases"),
    [
        pytest.param(RELEASE, 400, id="release"),
        pytest.param(RELEASE, 20_000, id="many cases", marks=pytest.mark.soak),
        pytest.param(SANITIZED, 20_000, id="sanitized", marks=pytest.mark.soak),
    ],
)
def test_every_engine_agrees_with_libargon2(
    flags: list[str], cases: int, tmp_path: Path
) -> None:
    result = run(build(tmp_path, LIBRARY, flags), cases)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "portable: tested, 0 wrong" in result.stdout


@pytest.mark.soak
@pytest.mark.skipif(not shutil.which("valgrind"), reason="valgrind is not installed")
def test_the_portable_and_the_avx2_engine_under_valgrind(tmp_path: Path) -> None:
    """valgrind 3.19 knows no AVX-512, and says so to those who ask the CPU."""
    program = build(tmp_path, LIBRARY, ["-O1", "-g"])
    command = ["valgrind", "-q", "--error-exitcode=9", str(program), "8", "5"]
    clean = {"PATH": os.environ["PATH"]}  # without a sanitizer's libraries
    result = subprocess.run(command, env=clean, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "avx512: NOT ON THIS MACHINE" in result.stdout


@pytest.mark.soak
@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [pytest.param(*mutant, id=f"{mutant[0]} {mutant[1]}"[:60]) for mutant in MUTANTS],
)
def test_a_planted_bug_is_seen(
    file: str, old: str, new: str, expected: set[str], tmp_path: Path
) -> None:
    library = shutil.copytree(LIBRARY, tmp_path / "lib")
    text = (library / ROOM / file).read_text()
    assert old in text
    (library / ROOM / file).write_text(text.replace(old, new, 1))
    result = run(build(tmp_path, library, ["-O2"]), 600)
    missing = set(re.findall(r"^(\w+): NOT ON", result.stdout, re.MULTILINE))
    if expected <= missing:
        pytest.skip(f"this CPU has no {', '.join(sorted(expected))}")
    found = wrong(result)
    assert found == expected or (expected >= ALL and found)
