"""The lower storey is a library: it is built without Python, and links alone."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from c_tools import LIBRARIES
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


@pytest.mark.slow
@pytest.mark.parametrize(
    "other", ["libargon2.a", "libsodium.a", "libcrypto.a", "libc.a"]
)
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
            *LIBRARIES,
            *("-pthread", "-o", str(tmp_path / "links")),
        ],
        check=True,
    )
    subprocess.run([tmp_path / "links"], check=True)


BESIDE_LIBARGON2 = """#include "password/password.h"

#include <stdio.h>

#define HASH "$argon2id$v=19$m=16,t=1,p=1$MTIzNDU2Nzg$UFSdKvWCgjXSo28h+w/l6w"

static bool
is_right(const argon2_engine *engine, const char *password)
{
    static arenas kept;
    const hash_means means = {engine, &kept, false};
    span hash = {HASH, sizeof HASH - 1};
    bool matches = false;
    const format *found = fb_format_find(hash);
    return found->verify(found, &means, (span){password, strlen(password)}, hash, 1,
                         &matches) == STATUS_OK && matches;
}

int
main(void)
{
    const argon2_engine *engine = fb_argon2_engine_find("libargon2");
    if (engine == NULL) {
        printf("absent");
        return 0;
    }
    printf("%d %d %d", fb_argon2_known_agrees(engine), is_right(engine, "right"),
           is_right(engine, "wrong"));
    return 0;
}
"""


def beside_libargon2(library: Path, folder: Path) -> str:
    """Link both libraries statically; return what the program says of libargon2.

    That it agrees with the known hash, takes the right password, and a wrong one.
    """
    source, program = folder / "beside.c", folder / "beside"
    source.write_text(BESIDE_LIBARGON2)
    subprocess.run(
        [
            *("gcc", "-std=c11", f"-I{ROOT}/csrc/lib", str(source), str(library)),
            *(str(static_library("libargon2.a")), *LIBRARIES, "-pthread"),
            *("-o", str(program)),
        ],
        check=True,
    )
    return subprocess.run([program], check=True, capture_output=True, text=True).stdout


def test_a_static_libargon2_finds_its_own_functions(
    library: Path, tmp_path: Path
) -> None:
    said = beside_libargon2(library, tmp_path)
    if said == "absent":
        pytest.skip("BUILT WITHOUT libargon2")
    assert said == "1 1 0"


def test_a_libargon2_that_finds_ours_is_seen(library: Path, tmp_path: Path) -> None:
    """With its names on our BLAKE2b, it computes nothing, and no hash agrees."""
    if beside_libargon2(library, tmp_path) == "absent":
        pytest.skip("BUILT WITHOUT libargon2")
    bound = tmp_path / "bound.a"
    renamed = [
        f"--redefine-sym=fb_blake2b_{name}=blake2b_{name}"
        for name in ("init", "update", "final", "long")
    ]
    subprocess.run(["objcopy", *renamed, library, bound], check=True)
    assert beside_libargon2(bound, tmp_path)[::4] == "00"


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


@pytest.mark.slow
@pytest.mark.parametrize("source", LINKED, ids=lambda path: path.name)
def test_what_is_linked_with_it_follows_its_headers(source: Path) -> None:
    """The fuzz targets are run at night, and compiled with every change."""
    flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
    command = ["gcc", *flags, "-Icsrc/lib", str(source)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
