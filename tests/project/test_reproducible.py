"""Builds of the same sources are the same bytes, wherever they are made."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from project import ROOT

pytestmark = pytest.mark.slow

SOURCES = ("setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE")
FOLDERS = ("csrc", "python")


def calls(tmp_path: Path, **environment: str) -> tuple[list[list[str]], list[str]]:
    """Return the arguments of each call of the compiler, and those of the linker."""
    command = [sys.executable, "setup.py", "build_ext", "--force"]
    command += ["--build-lib", str(tmp_path), "--build-temp", str(tmp_path)]
    printed = subprocess.check_output(
        command, cwd=ROOT, env={**os.environ, "CC": "echo", **environment}, text=True
    )
    # setuptools prints each call as well, with the name of the compiler.
    lines = (line.split() for line in printed.splitlines() if "csrc/" in line)
    called = [words for words in lines if "/" not in words[0] and words[0] != "echo"]
    (linking,) = (words for words in called if "-c" not in words)
    return [words for words in called if "-c" in words], linking


def built_in(folder: Path, build: str) -> Path:
    """Return a wheel of our sources, which are copied to a folder to be built."""
    folder.mkdir(parents=True)
    for name in SOURCES:
        shutil.copy(ROOT / name, folder)
    left_out = shutil.ignore_patterns("*.so", "*.egg-info", "__pycache__")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=left_out)
    command = [sys.executable, "setup.py", "-q", "bdist_wheel", "-d", "made"]
    fixed = {"FASTBEARER_BUILD": build, "SOURCE_DATE_EPOCH": "1700000000"}
    subprocess.run(command, cwd=folder, env={**os.environ, **fixed}, check=True)
    (wheel,) = (folder / "made").glob("*.whl")
    return wheel


@pytest.mark.soak
@pytest.mark.parametrize("build", ["debug", "release"])
def test_two_folders_give_the_same_wheel(build: str, tmp_path: Path) -> None:
    one = built_in(tmp_path / "one", build)
    other = built_in(tmp_path / "another" / "folder", build)
    assert one.name == other.name
    digests = {hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in (one, other)}
    assert len(digests) == 1


def test_no_object_knows_the_folder_of_the_build(tmp_path: Path) -> None:
    compiling, linking = calls(tmp_path)
    assert compiling
    for call in compiling:
        assert f"-ffile-prefix-map={ROOT}=." in call
    assert [word for word in linking if "build-id" in word] == []


def test_a_release_is_compiled_as_one_and_without_assertions(tmp_path: Path) -> None:
    compiling, linking = calls(tmp_path, FASTBEARER_BUILD="release", CFLAGS="-g0")
    assert "-flto=auto" in linking
    for call in compiling:
        assert {"-flto=auto", "-DNDEBUG"} <= {*call}
    compiling, linking = calls(tmp_path, FASTBEARER_BUILD="debug")
    assert not [
        word for call in (*compiling, linking) for word in call if "lto" in word
    ]


def test_a_compiler_without_a_number_of_jobs_links_as_one_too(tmp_path: Path) -> None:
    """As zig's, which knows no -flto=auto."""
    compiler = tmp_path / "cc"
    compiler.write_text(
        '#!/bin/sh\ncase " $* " in *" -flto=auto "*) exit 1; esac\necho "$@"\n'
    )
    compiler.chmod(0o755)
    compiling, linking = calls(
        tmp_path, FASTBEARER_BUILD="release", CFLAGS="-g0", CC=str(compiler)
    )
    for call in (*compiling, linking):
        assert "-flto" in call


@pytest.mark.skipif(sys.platform != "linux", reason="the flags are those of ELF")
def test_what_is_linked_in_is_not_exported(tmp_path: Path) -> None:
    _, linking = calls(tmp_path)
    assert "-Wl,--version-script=csrc/module/exports.map" in linking


def test_a_static_libcrypto_is_linked_with_its_own_headers(tmp_path: Path) -> None:
    archive = tmp_path / "openssl" / "lib" / "libcrypto.a"
    headers = tmp_path / "openssl" / "include" / "openssl"
    for folder in (archive.parent, headers):
        folder.mkdir(parents=True)
    archive.touch()
    compiling, linking = calls(tmp_path, FASTBEARER_LIBCRYPTO=str(archive))
    assert str(archive) in linking
    assert "-lcrypto" not in linking
    for call in compiling:
        assert any(
            word.startswith("-I") and Path(word[2:]).resolve() == headers.parent
            for word in call
        )


def test_a_static_libcrypto_that_is_missing_is_named(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "setup.py", "build_ext", "--build-temp", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "FASTBEARER_LIBCRYPTO": str(tmp_path / "libcrypto.a")},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 1
    assert f"no such file: {tmp_path}/libcrypto.a" in run.stderr
    assert "Traceback" not in run.stderr
