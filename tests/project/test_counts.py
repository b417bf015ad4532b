"""What a run of the tests says about itself, alone and on several cores."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from project import ROOT

pytestmark = pytest.mark.slow

SAMPLE = """
import pytest

@pytest.mark.redis
@pytest.mark.parametrize("n", range(3))
def test_met(n):
    pass

@pytest.mark.redis
def test_left_out():
    pytest.skip("NO SERVER FOR THIS")

@pytest.mark.skip(reason="NEVER")
def test_marked():
    pass

@pytest.mark.soak
@pytest.mark.postgres
def test_slow():
    pass
"""
SERVED = """
import pytest

@pytest.mark.parametrize("n", range(2))
def test_served(serve, n):
    pass
"""
WAYS = pytest.mark.parametrize("cores", [0, 2], ids=["alone", "on two cores"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project of its own, with our settings, our conftest and a few tests."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "tests").mkdir()
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path / "tests")
    kit = shutil.copytree(ROOT / "tests" / "kit", tmp_path / "tests" / "kit")
    with (kit / "servers.py").open("a") as file:
        file.write('\n\ndef installed() -> set[str]:\n    return {"Redis"}\n')
    (tmp_path / "tests" / "test_sample.py").write_text(SAMPLE)
    (tmp_path / "tests" / "test_served.py").write_text(SERVED)
    return tmp_path


def run(folder: Path, cores: int, *arguments: str, needed: str = "") -> tuple[int, str]:
    """Return the exit status and the output of pytest in a folder."""
    environment = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "TEST_SERVERS": needed}
    command = [sys.executable, "-m", "pytest", "-p", "xdist"]
    done = subprocess.run(
        [*command, "-n", str(cores), *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


def counted(said: str) -> dict[str, int]:
    """Return what a run says that its tests met, without what none met."""
    line = re.search("tests that met: (.*);", said)
    assert line is not None
    found = [part.split(" ", 1) for part in line[1].split(", ")]
    return {label: int(number) for number, label in found if number != "0"}


@WAYS
def test_what_was_met_and_skipped_is_counted(folder: Path, cores: int) -> None:
    status, said = run(folder, cores)
    assert status == 0, said
    assert counted(said) == {"a real HTTP server": 2, "Redis": 3}
    assert "; skipped: 2\n" in said
    sample = "tests/test_sample.py"
    assert f"skipped: {sample}::test_left_out: NO SERVER FOR THIS\n" in said
    assert f"skipped: {sample}::test_marked: NEVER\n" in said
    assert re.search(r"\b5 passed, 2 skipped", said.splitlines()[-1])


@pytest.mark.soak
@WAYS
def test_who_met_nothing_of_what_is_installed_fails(folder: Path, cores: int) -> None:
    (folder / "tests" / "test_sample.py").unlink()
    status, said = run(folder, cores)
    assert status == pytest.ExitCode.TESTS_FAILED
    assert "FAILED: no test met Redis\n" in said
    assert "no test met PostgreSQL" not in said  # it is not installed
    assert "no test met a real HTTP server" not in said


def test_a_server_that_is_not_there_is_told_of(folder: Path) -> None:
    told = "NOT TESTED, for it cannot be started here: PostgreSQL\n"
    status, said = run(folder, 0)
    assert status == 0, said
    assert told in said
    assert "cannot be started here: Redis\n" not in said
    status, said = run(folder, 0, needed="all")
    assert status == pytest.ExitCode.TESTS_FAILED
    assert told in said
    assert "FAILED: no test met PostgreSQL\n" in said
    assert "FAILED: no test met Redis\n" not in said
    assert run(folder, 0, "tests/test_served.py", needed="all")[0] == 0


def test_what_is_to_be_installed_is_what_a_run_needs() -> None:
    """A new machine has none of them."""
    script = (ROOT / "scripts" / "prepare-tests").read_text()
    for package in ("postgresql", "pgbouncer", "mariadb-server", "redis-server"):
        assert f":{package}" in script


@pytest.mark.soak
def test_a_skipped_test_has_met_nothing(folder: Path) -> None:
    sample = folder / "tests" / "test_sample.py"
    sample.write_text(SAMPLE.replace("    pass", '    pytest.skip("no")'))
    status, said = run(folder, 0)
    assert status == pytest.ExitCode.TESTS_FAILED
    assert "FAILED: no test met Redis\n" in said


@pytest.mark.soak
@pytest.mark.parametrize(
    "part", [["tests/test_served.py"], ["-k", "served"], ["-m", "not redis"]]
)
def test_a_part_may_meet_less(folder: Path, part: list[str]) -> None:
    status, said = run(folder, 0, *part)
    assert status == 0, said
    assert "FAILED" not in said


@pytest.mark.soak
def test_the_soak_is_asked_for(folder: Path) -> None:
    status, said = run(folder, 0, "-m", "soak")
    assert status == 0, said
    assert counted(said) == {"PostgreSQL": 1}
    assert re.search(r"\b1 passed\b", said.splitlines()[-1])


DATABASES = ("asyncpg", "redis", "sqlalchemy", "aiosqlite")
LAYERS = ("fastapi", "starlette", "uvicorn", "pydantic", "httpx2")
FORBIDDING = """
import sys

class Forbidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ImportError(f"{{name}} is not for the core")

sys.meta_path.insert(0, Forbidden())
import pytest
sys.exit(pytest.main(["-q", "--collect-only", "-p", "no:cacheprovider", "tests/core"]))
"""


def test_the_cores_tests_do_without_databases_and_fastapi() -> None:
    code = FORBIDDING.format(names=(*DATABASES, *LAYERS))
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


IDS = """
import sys
import time

started = time.time()
time.time = lambda: started + float(sys.argv[1])
import pytest

quiet = ["-q", "--collect-only", "-p", "no:cacheprovider", "-m", ""]
sys.exit(pytest.main(quiet))
"""


@pytest.mark.soak
def test_every_process_gives_a_test_the_same_id() -> None:
    """Whatever the time is, and however sets are ordered: xdist asks for that."""
    told = []
    for seed, later in (("1", "0"), ("2", "86400")):
        done = subprocess.run(
            [sys.executable, "-c", IDS, later],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout[-2000:]
        told.append([line for line in done.stdout.splitlines() if "::" in line])
    assert len(told[0]) > 5000
    assert told[0] == told[1]
