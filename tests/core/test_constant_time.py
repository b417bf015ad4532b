"""What is done with a secret takes the same time whatever the secret is.

``tests/c/secrets_check.c`` and ``digest_secrets_check.c`` mark secrets as memory that
nobody has written, and valgrind tells of each branch and each address that depends on
one. Comparisons that stop at the first difference are planted to prove that it would.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from c_tools import DEFINES, LIBRARIES, needs_checkout
from project import ROOT, locked, made

LIBRARY = ROOT / "csrc" / "lib"
CONSTANT = "CRYPTO_memcmp("
COMPARING = sorted(p for p in LIBRARY.rglob("*.c") if CONSTANT in p.read_text())
OURS = "fb_equal_macs("
EARLY = "!memcmp("
FLAGS = ["-std=c11", "-g", "-O2", "-w", "-pthread", *DEFINES]

# file, text, what replaces it: other things that an attacker would see
PLANTED = [
    ("crypto/hmac.c", "if (len > block) {", "if (len > block || !secret[0]) {"),
    ("crypto/hmac.c", OURS, EARLY),
    ("crypto/equal.c", "differing |=", "if (differing) break; differing |="),
    ("crypto/equal.c", "differing |=", "if (!left) break; differing |="),
    (
        "crypto/sha2.c",
        "begin(&state, key->outer);",
        "if (*digest) begin(&state, key->outer);",
    ),
    ("crypto/sha2.c", "if (left > 0) {", "if (left > state->h[0] % 2) {"),
    ("crypto/aead.c", "OPENSSL_cleanse(mac,", "if (mac[0]) OPENSSL_cleanse(mac,"),
    ("base/b64url.c", "uint32_t c = 'A' + value;", 'uint32_t c = "AB"[value > 25];'),
    ("better_auth/session_token.c", "CRYPTO_memcmp(mac", "mac[0] && CRYPTO_memcmp(mac"),
]

pytestmark = [
    needs_checkout,
    pytest.mark.soak,
    pytest.mark.skipif(
        not shutil.which("valgrind"), reason="valgrind is not installed"
    ),
]


def leaks(program: Path) -> bool:
    """Tell whether valgrind has seen that something depends on a secret."""
    options = ["-q", "--error-limit=no", "--error-exitcode=9"]
    supp = f"--suppressions={ROOT}/tests/c/secrets.supp"
    command = ["valgrind", *options, supp, str(program)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    assert (done.returncode == 0) == (not done.stderr), done.stdout + done.stderr
    return done.returncode != 0


def check_of(file: Path) -> str:
    """Return the check that watches what this file compares."""
    is_password = "password" in file.relative_to(LIBRARY).parts
    return "digest_secrets_check" if is_password else "secrets_check"


def planted(file: Path, source: str, folder: Path) -> Path:
    """Build the check with other contents of a file of the library."""
    check = check_of(file)
    changed = folder / file.name
    changed.write_text(source)
    with locked(ROOT / "build" / ".making"):
        subprocess.run(["make", "-s", "build/libfastbearer.a"], cwd=ROOT, check=True)
        subprocess.run(  # what stands before the library takes its place
            [
                *("gcc", *FLAGS, "-Icsrc/lib", f"-I{file.parent}"),
                *("-o", str(folder / check), f"tests/c/{check}.c", str(changed)),
                *("build/libfastbearer.a", f"@tests/c/{check}.wraps", *LIBRARIES),
            ],
            cwd=ROOT,
            check=True,
        )
    return folder / check


@pytest.mark.parametrize(
    "check", ["secrets_check", "digest_secrets_check", "release/secrets_check"]
)
def test_nothing_depends_on_a_secret(check: str) -> None:
    assert not leaks(made(f"build/check/{check}"))


@pytest.mark.parametrize("file", COMPARING, ids=lambda file: file.name)
def test_a_comparison_that_stops_early_is_seen(file: Path, tmp_path: Path) -> None:
    source = file.read_text()
    assert source.count(CONSTANT) == 1
    assert leaks(planted(file, source.replace(CONSTANT, "memcmp("), tmp_path))


@pytest.mark.parametrize(
    ("name", "old", "new"), PLANTED, ids=[f"{p[0]} {p[1]}" for p in PLANTED]
)
def test_a_planted_leak_is_seen(name: str, old: str, new: str, tmp_path: Path) -> None:
    file = LIBRARY / name
    source = file.read_text()
    assert old in source
    assert leaks(planted(file, source.replace(old, new, 1), tmp_path))


WHOLE = ["-O3", "-flto=auto", "-DNDEBUG", "-fno-semantic-interposition", "-fPIC"]
TOP = re.compile(r"(?m)^==\d+==    at .*\((\S+:\d+)\)$")
"""Where valgrind says that something depends on a secret: file and line."""


def seen_in_the_whole(folder: Path, **replaced: str) -> set[str]:
    """Return the lines that depend on a secret in what is compiled as a release is,
    where the comparison of MACs becomes part of its caller."""
    library = shutil.copytree(LIBRARY, folder / "lib")
    equal = library / "crypto" / "equal.c"
    for old, new in replaced.items():
        equal.write_text(equal.read_text().replace(old, new))
    sources = map(str, library.rglob("*.c"))
    program = folder / "secrets_check"
    check = "tests/c/secrets_check"
    subprocess.run(
        [
            *("gcc", *FLAGS, *WHOLE, f"-I{library}", "-o", program, f"{check}.c"),
            *(*sources, f"@{check}.wraps", *LIBRARIES),
        ],
        cwd=ROOT,
        check=True,
    )
    options = ["-q", "--error-limit=no", f"--suppressions={ROOT}/tests/c/secrets.supp"]
    told = subprocess.run(
        ["valgrind", *options, program],
        capture_output=True,
        text=True,
        errors="replace",
    )
    return set(TOP.findall(told.stderr))


def test_the_comparison_of_a_release(tmp_path: Path) -> None:
    """Of its verdict alone depends what comes next; and that is public."""
    lines = (LIBRARY / "crypto" / "hmac.c").read_text().splitlines()
    (at,) = [number for number, line in enumerate(lines, 1) if OURS in line]
    assert seen_in_the_whole(tmp_path) == {f"hmac.c:{at + 1}"}  # its "?"


def test_a_release_that_stops_early_is_seen(tmp_path: Path) -> None:
    planted = {"differing |=": "if (differing) break; differing |="}
    seen = seen_in_the_whole(tmp_path, **planted)
    assert any(line.startswith("equal.c:") for line in seen)


def test_every_comparison_of_the_library_is_planted() -> None:
    """And none of the extension compares a secret by itself."""
    module = (ROOT / "csrc" / "module").rglob("*.c")
    texts = [path.read_text() for path in module]
    assert not [text for text in texts if CONSTANT in text or OURS in text]
    assert len(COMPARING) >= 7
    ours = [p.name for p in LIBRARY.rglob("*.c") if OURS in p.read_text()]
    assert sorted(ours) == ["equal.c", "hmac.c"]
