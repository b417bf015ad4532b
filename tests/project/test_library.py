"""The lower storey is a library: it is built without Python, and links alone."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from project import ROOT, made


@pytest.fixture(scope="module")
def library() -> Path:
    return made("build/libfastbearer.a")


def names(archive: Path, kinds: str) -> set[str]:
    """Return the names of an archive whose letter in nm's table is one of these."""
    table = subprocess.run(
        ["nm", "-g", archive], capture_output=True, text=True, check=True
    )
    found = re.findall(
        rf"^[0-9a-f ]{{16}} [{kinds}] (\w+)$", table.stdout, re.MULTILINE
    )
    return set(found)


def static_library(name: str) -> Path:
    """Return where the compiler finds a library's archive, which must exist."""
    answer = subprocess.run(
        ["gcc", f"-print-file-name={name}"], capture_output=True, text=True, check=True
    )
    path = Path(answer.stdout.strip())
    if not path.is_absolute():
        pytest.skip(f"NO {name} ON THIS MACHINE")
    return path


def test_the_library_needs_nothing_of_python(library: Path) -> None:
    needed = names(library, "U")
    assert "EVP_MD_fetch" in needed
    assert {name for name in needed if re.match(r"_?Py[A-Z_]", name)} == set()


@pytest.mark.parametrize("other", ["libargon2.a", "libcrypto.a", "libc.a"])
def test_no_name_is_another_library_s_too(library: Path, other: str) -> None:
    """A linker binds both to one of the two: M2's wrong accept."""
    ours = names(library, "TDRBVW")
    theirs = names(static_library(other), "TDRBVW")
    assert len(ours) > 80
    assert len(theirs) > 10
    assert ours & theirs == set()


def test_every_name_has_our_prefix(library: Path) -> None:
    """The next version of another library may export any other name."""
    ours = names(library, "TDRBVW")
    assert {name for name in ours if not name.startswith("fb_")} == set()


def test_the_library_links_alone(library: Path, tmp_path: Path) -> None:
    program = tmp_path / "links.c"
    program.write_text(
        """#include "password/password.h"

int
main(void)
{
    span hash = {"$2b$04$", 7};
    return fb_format_find(hash) == NULL;
}
"""
    )
    subprocess.run(
        [
            *("gcc", "-std=c11", f"-I{ROOT}/csrc/lib", str(program), str(library)),
            *("-largon2", "-lcrypto", "-pthread", "-o", str(tmp_path / "links")),
        ],
        check=True,
    )
    subprocess.run([tmp_path / "links"], check=True)


def test_an_unlooked_at_status_does_not_compile(tmp_path: Path) -> None:
    program = tmp_path / "drops.c"
    program.write_text(
        """#include "jose/jose.h"

void drops(span secret, const alg *with);

void
drops(span secret, const alg *with)
{
    fb_secret_check(secret, with, false);
}
"""
    )
    flags = ["-std=c11", "-Werror=unused-result", f"-I{ROOT}/csrc/lib", "-c"]
    result = subprocess.run(
        ["gcc", *flags, "-o", tmp_path / "drops.o", program],
        capture_output=True,
        text=True,
    )
    assert result.returncode != 0
    assert "warn_unused_result" in result.stderr


LINKED = [
    path
    for path in sorted((ROOT / "tests" / "c").glob("*.c"))
    if "Python.h" not in path.read_text()
]


@pytest.mark.parametrize("source", LINKED, ids=lambda path: path.name)
def test_what_is_linked_with_it_follows_its_headers(source: Path) -> None:
    """The fuzz targets are run at night, and compiled with every change."""
    flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
    command = ["gcc", *flags, "-Icsrc/lib", str(source)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
