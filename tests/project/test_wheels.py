"""The wheels: what builds them, what is claimed of them, and what is inside."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from datetime import UTC, date, datetime
from fnmatch import fnmatch
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

import core_profile
import pinned as pinned_sources
from counting_clang import tool
from project import ROOT
from scripts import script

BUILD = script("build-openssl")
BUILD_LIBSODIUM = script("build-libsodium")
FINISH = script("finish-wheel")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CIBUILDWHEEL = PROJECT["tool"]["cibuildwheel"]
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/wheels.yml").read_text())
PINS = {
    name: tomllib.loads((ROOT / f"scripts/{name}.toml").read_text())
    for name in ("openssl", "libsodium")
}

PYTHONS = ["cp311", "cp312", "cp313", "cp314", "cp314t", "cp315", "cp315t"]
SYSTEMS = {
    ("linux", "x86_64"),
    ("linux", "aarch64"),
    ("macos", "arm64"),
    ("macos", "x86_64"),
}


# --- what builds them ---------------------------------------------------------


def unpinned(workflow: str) -> list[str]:
    """Return the actions that are not named by a commit, with the version beside it."""
    pinned = re.compile(r"[\w./-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+")
    used = re.findall(r"(?m)^\s*(?:- )?uses: (.*)$", workflow)
    return [words for words in used if not pinned.fullmatch(words)]


def test_every_action_is_pinned_to_a_commit() -> None:
    for path in (ROOT / ".github/workflows").iterdir():
        assert unpinned(path.read_text()) == [], path.name


@pytest.mark.parametrize(
    "words",
    [
        "actions/checkout@v7",
        "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1",
        "actions/checkout@3d3c42e  # v7.0.1",
        "actions/checkout@main  # v7.0.1",
    ],
)
def test_a_loose_action_is_seen(words: str) -> None:
    assert unpinned(f"steps:\n  - uses: {words}\n") == [words]


def test_the_same_action_is_the_same_everywhere() -> None:
    text = (ROOT / ".github/workflows/wheels.yml").read_text()
    used = set(re.findall(r"uses: (\S+@\S+  # \S+)", text))
    assert len(used) == len({words.partition("@")[0] for words in used})


def test_every_python_is_built_for_every_system() -> None:
    rows = WORKFLOW["jobs"]["wheels"]["strategy"]["matrix"]["include"]
    assert {(row["system"], row["arch"]) for row in rows} == SYSTEMS
    assert CIBUILDWHEEL["build"].split() == [f"{python}-*" for python in PYTHONS]
    assert "skip" not in CIBUILDWHEEL and "test-skip" not in CIBUILDWHEEL
    for machine in ("x86_64", "aarch64"):
        assert CIBUILDWHEEL[f"manylinux-{machine}-image"] == "manylinux_2_28"
        assert CIBUILDWHEEL[f"musllinux-{machine}-image"] == "musllinux_1_2"


def test_the_pythons_are_those_of_the_classifiers() -> None:
    line = "Programming Language :: Python :: 3."
    named = [one for one in PROJECT["project"]["classifiers"] if one.startswith(line)]
    with_gil = [python for python in PYTHONS if not python.endswith("t")]
    assert [f"cp3{one.removeprefix(line)}" for one in named] == with_gil
    assert PROJECT["project"]["requires-python"] == ">= 3.11"


def test_a_wheel_is_tested_before_it_is_published() -> None:
    assert "{package}/tests/core" in CIBUILDWHEEL["test-command"]
    for override in CIBUILDWHEEL["overrides"]:
        assert "{package}/tests/core" in override["test-command"]
        covered = [p for p in PYTHONS if fnmatch(f"{p}-manylinux", override["select"])]
        assert covered == ["cp314t", "cp315t"]
    assert set(WORKFLOW["jobs"]["publish"]["needs"]) == {"wheels", "sdist"}


def test_publishing_needs_no_password() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    jobs: dict[str, dict[str, Any]] = WORKFLOW["jobs"]
    allowed = {name: job.get("permissions") for name, job in jobs.items()}
    assert allowed == {
        "wheels": None,
        "sdist": None,
        "publish": {"id-token": "write"},
    }
    *_, publish = jobs["publish"]["steps"]
    assert publish["with"] == {"attestations": True}
    assert "secrets." not in (ROOT / ".github/workflows/wheels.yml").read_text()


@pytest.mark.parametrize("system", ["linux", "macos"])
def test_the_wheels_of_every_system_have_our_libraries_inside(system: str) -> None:
    chosen = CIBUILDWHEEL["environment"] | CIBUILDWHEEL[system].get("environment", {})
    assert chosen["FASTBEARER_LIBCRYPTO"].endswith("/build/openssl/lib/libcrypto.a")
    assert chosen["FASTBEARER_LIBSODIUM"].endswith("/build/libsodium/lib/libsodium.a")
    assert chosen["FASTBEARER_LIBARGON2"] == "0"
    before = CIBUILDWHEEL[system].get("before-all", CIBUILDWHEEL["before-all"])
    assert "scripts/build-openssl build/openssl" in str(before)
    assert "scripts/build-libsodium build/libsodium" in str(before)
    assert (
        "scripts/finish-wheel {wheel} {dest_dir}"
        in CIBUILDWHEEL["repair-wheel-command"]
    )


# --- the libraries inside -----------------------------------------------------


@pytest.mark.parametrize("library", PINS)
def test_somebody_has_looked_for_a_newer_one(library: str) -> None:
    pin = PINS[library]
    assert isinstance(pin["checked"], date)
    assert date(2026, 11, 1) <= pin["checked"] <= datetime.now(UTC).date()


def test_the_pages_name_what_is_pinned() -> None:
    needed = " or later"
    for page in ("CONTRIBUTING.md", "docs/start/install.md"):
        text = (ROOT / page).read_text()
        named = re.findall(rf"OpenSSL (\d+\.\d+\.\d+)(?!{needed})", text)
        assert set(named) <= {PINS["openssl"]["version"]}, page
    text = (ROOT / "docs/start/install.md").read_text()
    assert f"OpenSSL {PINS['openssl']['version']}" in text
    assert f"libsodium {PINS['libsodium']['version']}" in text
    rule = (ROOT / "CONTRIBUTING.md").read_text()
    assert "New OpenSSL, new wheels" in rule
    assert "scripts/openssl.toml" in rule and "scripts/libsodium.toml" in rule


@pytest.mark.parametrize("library", PINS)
def test_the_pin_is_a_version_with_a_digest(library: str) -> None:
    pinned = PINS[library]
    assert re.fullmatch(r"\d+\.\d+\.\d+", pinned["version"])
    assert re.fullmatch(r"[0-9a-f]{64}", pinned["sha256"])
    pin = pinned_sources.read_pin(ROOT / f"scripts/{library}.toml")
    archive = pin["url"].rpartition("/")[2]
    assert archive.endswith(".tar.gz") and pinned["version"] in archive
    assert pin["url"].startswith("https://")


MAKEFILE = """
build_generated libcrypto.a:
\techo $@ $(CC) >> libcrypto.a
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """An archive with what stands in for OpenSSL's source."""
    folder = tmp_path / "openssl-9.8.7"
    (folder / "include" / "openssl").mkdir(parents=True)
    (folder / "include" / "openssl" / "evp.h").touch()
    (folder / "include" / "openssl" / "evp.h.in").touch()
    (folder / "LICENSE.txt").write_text("a licence")
    (folder / "Makefile").write_text(MAKEFILE)
    (folder / "config").write_text('#!/bin/sh\necho "$@" > options\n')
    (folder / "config").chmod(0o755)
    archive = tmp_path / "openssl-9.8.7.tar.gz"
    with tarfile.open(archive, "w:gz") as opened:
        opened.add(folder, folder.name)
    return archive


def build_openssl(source: Path, sha256: str) -> subprocess.CompletedProcess[str]:
    """Run scripts/build-openssl on an archive, pinned by a digest."""
    pin = source.with_name("pin.toml")
    pin.write_text(f'version = "9.8.7"\nsha256 = "{sha256}"\nurl = "none"\n')
    command = [ROOT / "scripts/build-openssl", source.with_name("made")]
    command += ["--archive", source, "--pin", pin]
    return subprocess.run(command, capture_output=True, text=True)


def test_openssl_is_built_of_the_pinned_source(source: Path) -> None:
    if not shutil.which("make"):
        pytest.skip("NO make")
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    run = build_openssl(source, digest)
    assert run.returncode == 0, run.stderr
    made = source.with_name("made")
    files = {str(path.relative_to(made)) for path in made.rglob("*") if path.is_file()}
    assert files == {
        "LICENSE.txt",
        "include/openssl/evp.h",
        "lib/libcrypto.a",
        "purl.txt",
    }
    assert (made / "purl.txt").read_text().endswith("@openssl-9.8.7\n")


def test_libsodium_is_laid_out_with_the_notices_of_its_files(tmp_path: Path) -> None:
    source, prefix = tmp_path / "source", tmp_path / "made"
    notice = "/* Copyright 2009 Somebody. Redistribution and use are permitted. */"
    files = {
        "LICENSE": "ISC License",
        "src/libsodium/.libs/libsodium.a": "archive",
        "src/libsodium/include/sodium.h": "",
        "src/libsodium/include/sodium/version.h": HEADER,
        "src/libsodium/include/sodium/version.h.in": "",
        "src/libsodium/include/sodium/private/common.h": "",
        "src/libsodium/one.c": f"{notice}\nint one;",
        "src/libsodium/two.c": f"{notice}\nint two;",
        "src/libsodium/none.c": "/* no notice */",
    }
    for name, text in files.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(text)
    BUILD_LIBSODIUM.install(source, prefix, "1.2.34")
    made = {str(path.relative_to(prefix)) for path in prefix.rglob("*.*")}
    assert made == {
        "LICENSE.txt",
        "include/sodium.h",
        "include/sodium/version.h",
        "lib/libsodium.a",
        "purl.txt",
    }
    licence = (prefix / "LICENSE.txt").read_text()
    assert licence.startswith("ISC License") and licence.count("Somebody") == 1
    assert "@1.2.34" in (prefix / "purl.txt").read_text()


def test_another_source_is_not_unpacked(source: Path) -> None:
    run = build_openssl(source, "0" * 64)
    assert run.returncode == 1
    assert "is pinned" in run.stderr
    assert not source.with_name("made").exists()


def test_openssl_loads_nothing_at_run_time() -> None:
    assert {"no-shared", "no-module", "no-autoload-config"} <= set(BUILD.OPTIONS)


# --- the profile --------------------------------------------------------------


def counted(**functions: int) -> str:
    """Return a profile's text, as llvm-profdata writes it."""
    line = "{}\n# Func Hash:\n24\n# Num Counters:\n1\n# Counter Values:\n{}\n"
    return "".join(f"{line.format(*one)}\n" for one in functions.items())


def test_functions_that_are_left_out_are_not_in_a_profile() -> None:
    text = counted(fb_json_put=1, fb_json_ready_keep=2, fb_json_ready_clear=3)
    assert core_profile.usable(text) == counted(fb_json_put=1, fb_json_ready_clear=3)


def test_what_is_left_out_of_a_profile_is_there() -> None:
    sources = {path.name: path for path in (ROOT / "csrc").rglob("*.[ch]")}
    text = "\n".join(path.read_text() for path in sources.values())
    for name in core_profile.LEFT_OUT:
        file, colon, function = name.rpartition(":")
        assert re.search(rf"(?m)^{function}\(", text), name
        assert not colon or file in sources


@pytest.mark.parametrize(
    ("root", "clang"), [(None, None), ("/another/root", Path("clang"))]
)
def test_a_wheel_without_a_profile_says_so(
    root: str | None, clang: Path | None, capsys: pytest.CaptureFixture[str]
) -> None:
    python = SimpleNamespace(root=root, name="3.13")
    assert script("wheel").profile(python, ROOT, {}, clang) == {}
    assert capsys.readouterr().err == "NO PROFILE: 3.13 is built without\n"


@pytest.mark.soak
def test_two_trainings_make_the_same_profile(tmp_path: Path) -> None:
    """The same sources would not make the same wheel otherwise."""
    made = script("wheel")
    clang = made.clang_that_counts()
    if clang is None:
        pytest.skip("NO CLANG THAT COUNTS: it needs clang, llvm, libclang-rt")
    made.HOME.mkdir(parents=True, exist_ok=True)
    made.tools()
    made.setuptools_alone()
    python = made.Python(sys.executable)
    chosen = made.environment(python, None, None)
    profiles = [
        made.trained(python, tmp_path / name, chosen, clang)
        for name in ("one", "other")
    ]
    one, other = (path.read_bytes() for path in profiles)
    assert one == other
    shown = [tool(clang, "llvm-profdata"), "show", "--all-functions", profiles[0]]
    functions = subprocess.check_output(shown, text=True)
    for trained in ("fb_json_read_object", "fb_json_put_name", "fb_signature_make"):
        assert f"  {trained}:" in functions


# --- what is inside a wheel ---------------------------------------------------


HEADER = '#define SODIUM_VERSION_STRING "1.2.34"\n'


@pytest.fixture
def unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel whose module has both libraries inside, which stand beside it."""
    for name, archive in (("openssl", "libcrypto"), ("libsodium", "libsodium")):
        prefix = tmp_path / name
        (prefix / "lib").mkdir(parents=True)
        (prefix / "include" / "sodium").mkdir(parents=True)
        (prefix / "LICENSE.txt").write_text(f"the licence of {name}")
        (prefix / "purl.txt").write_text(f"pkg:generic/{name}@0\n")
        variable = f"FASTBEARER_{archive.upper()}"
        monkeypatch.setenv(variable, str(prefix / "lib" / f"{archive}.a"))
    (tmp_path / "libsodium/include/sodium/version.h").write_text(HEADER)
    (tmp_path / "wheel" / "fastbearer-1.2.3.dist-info").mkdir(parents=True)
    module = tmp_path / "wheel" / "_core.so"
    module.write_bytes(b"OpenSSL 3.5.9 15 Sep 2026\0" + b"1.2.34\0")
    return module.parent


def described(wheel: Path) -> dict[str, Any]:
    """Describe an unpacked wheel, and return its list of components."""
    FINISH.describe(wheel, wheel / "_core.so")
    text = (wheel / "fastbearer-1.2.3.dist-info/sboms/fastbearer.cdx.json").read_text()
    return dict(json.loads(text))


def test_what_is_inside_is_described_in_the_wheel(unpacked: Path) -> None:
    listed = described(unpacked)
    assert (listed["bomFormat"], listed["specVersion"]) == ("CycloneDX", "1.6")
    assert listed["metadata"]["component"]["purl"] == "pkg:pypi/fastbearer@1.2.3"
    first, second = listed["components"]
    assert (first["name"], first["version"]) == ("openssl", "3.5.9")
    assert first["licenses"] == [{"expression": "Apache-2.0"}]
    assert (second["name"], second["version"]) == ("libsodium", "1.2.34")
    assert second["licenses"] == [{"expression": "ISC AND BSD-2-Clause"}]
    assert listed["dependencies"][0]["dependsOn"] == [
        "pkg:generic/openssl@0",
        "pkg:generic/libsodium@0",
    ]
    licences = unpacked / "fastbearer-1.2.3.dist-info" / "licenses"
    for folder in ("OpenSSL", "libsodium"):
        text = (licences / folder / "LICENSE.txt").read_text()
        assert text == f"the licence of {folder.lower()}"


def test_a_wheel_without_libsodium_does_not_list_it(
    unpacked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTBEARER_LIBSODIUM", "0")
    (only,) = described(unpacked)["components"]
    assert only["name"] == "openssl"


def test_another_libsodium_than_what_is_listed_is_seen(unpacked: Path) -> None:
    (unpacked / "_core.so").write_bytes(b"OpenSSL 3.5.9 15 Sep 2026\0")
    with pytest.raises(SystemExit, match="HAS NOT THE libsodium"):
        described(unpacked)


def test_the_version_of_openssl_is_read_from_the_module(tmp_path: Path) -> None:
    module = tmp_path / "_core.so"
    module.write_bytes(b"\x7fELF\0OpenSSL 3.5.9 15 Sep 2026\0")
    assert FINISH.openssl_inside(module) == "3.5.9"
    module.write_bytes(b"\x7fELF\0OpenSSL\0")
    assert FINISH.openssl_inside(module) is None


def test_the_same_files_make_the_same_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    wheels = []
    for name in ("one", "other"):
        folder = tmp_path / name / "a-1.dist-info"
        folder.mkdir(parents=True)
        (folder / "RECORD").touch()
        (folder / "METADATA").write_text("Name: a\n")
        FINISH.write_record(folder.parent)
        FINISH.pack(folder.parent, tmp_path / f"{name}.whl")
        wheels.append((tmp_path / f"{name}.whl").read_bytes())
        record = (folder / "RECORD").read_text().splitlines()
        assert record[-1] == "a-1.dist-info/RECORD,,"
        assert record[0].startswith("a-1.dist-info/METADATA,sha256=")
    assert wheels[0] == wheels[1]


def glibc_of(tag: str) -> tuple[int, int]:
    """Return the glibc that a wheel's platform tag asks for."""
    found = re.search(r"manylinux_(\d+)_(\d+)_", tag)
    assert found is not None, tag
    return int(found[1]), int(found[2])


@pytest.mark.soak
def test_a_wheel_of_this_machine_is_what_is_claimed(tmp_path: Path) -> None:
    made = script("wheel")
    if not (made.OPENSSL.static() and made.LIBSODIUM.static()):
        pytest.skip("NO STATIC LIBRARIES (apt-get install libssl-dev libsodium-dev)")
    command = [ROOT / "scripts/wheel", sys.executable]
    run = subprocess.run(command, check=True, stderr=subprocess.PIPE, text=True)
    assert "profile data" not in run.stderr
    assert ("NO PROFILE" in run.stderr) == (made.clang_that_counts() is None)
    tag = f"cp3{sys.version_info[1]}"
    (wheel,) = (ROOT / "dist").glob(f"fastbearer-*-{tag}-manylinux*.whl")
    assert glibc_of(wheel.name) <= (2, 28)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    (module,) = tmp_path.rglob("_core.*.so")
    assert FINISH.exported(module) == ["PyInit__core"]
    linked = subprocess.check_output(["readelf", "-d", str(module)], text=True)
    assert not re.search(r"libcrypto|libargon2|libsodium|RPATH|RUNPATH", linked)
    (info,) = tmp_path.glob("*.dist-info")
    assert (info / "licenses/LICENSE").is_file()
    assert "Apache" in (info / "licenses/OpenSSL/LICENSE.txt").read_text()
    listed = json.loads((info / "sboms/fastbearer.cdx.json").read_text())
    openssl, libsodium = listed["components"]
    assert openssl["version"] == FINISH.openssl_inside(module)
    assert libsodium["name"] == "libsodium"
    notices = (info / "licenses/libsodium/LICENSE.txt").read_text()
    assert "ISC" in notices and "Colin Percival" in notices
