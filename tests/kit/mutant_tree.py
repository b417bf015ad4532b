"""A copy of the project in which mutants are built and tested.

The files of the project itself are never touched. Of the C code, a mutant's one file is
compiled and everything is linked again, by the commands that setup.py runs.
"""

from __future__ import annotations

import json
import os
import re
import resource
import select
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout, suppress
from functools import partial
from importlib import import_module
from io import StringIO
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, NamedTuple

MEMORY = 8 << 30
"""Bytes of address space, so that a loop that fills memory fails alone."""

CPU_SECONDS = 20
"""Many times what any one test computes: a mutant that computes longer never ends."""

SECONDS = 900
"""How long a run may take on a busy machine: a mutant that waits longer never ends."""

WHERE = "not soak and not postgres and not pgbouncer and not mariadb and not node"
"""SQLite is quicker, and shows what a mutant breaks; Node takes no limit of memory."""

WITHOUT = ["-p", "no:schemathesis", "-p", "no:cacheprovider"]
"""Plugins that are slow to load, or that write."""

PYTEST = [
    *WITHOUT,
    *("-x", "-v", "--tb=short", "-rfE"),
    *("--hypothesis-seed=0", "-m", WHERE),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),  # it is imported before
]
NO_TESTS = 5
"""What pytest exits with where nothing was chosen."""

FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)
RUNNING = re.compile(r"^(tests/\S+\.py::\S+)", re.MULTILINE)
CHECK_FLAGS = "LIB_FLAGS=-std=c11 -O1 -fPIC -pthread"


class Run(NamedTuple):
    """How a run of tests ended."""

    by: str | None
    """The test that failed, if one did."""

    is_late: bool


class NotCompiledError(Exception):
    """The compiler or the linker refuses a mutant."""


class Tree:
    """A copy of the project, built.

    Args:
        source: The project.
        folder: Where the copy is made. What is there already is brought up to date.
    """

    def __init__(self, source: Path, folder: Path) -> None:
        self.folder = folder
        self._notes = folder / "build" / "mutants" / "commands.json"
        ours = ["git", "ls-files", "-z", "-co", "--exclude-standard"]
        listed = subprocess.run(ours, cwd=source, capture_output=True, check=True)
        names = [name for name in listed.stdout.decode().split("\0") if name]
        changed = {name for name in names if copied(source / name, folder / name)}
        vectors = source.parent / "shared"
        if vectors.exists() and not (folder.parent / "shared").exists():
            (folder.parent / "shared").symlink_to(vectors)
        if any(map(is_built_from, changed)):
            self._notes.unlink(missing_ok=True)
        if not self._notes.exists():
            self._build()
        noted = json.loads(self._notes.read_text())
        self._commands: dict[str, list[str]] = noted["compiling"]
        self._linking: list[str] = noted["linking"]
        (self._core,) = (folder / "python" / "fastbearer").glob("_core.*.so")
        self._plain_core = self._core.read_bytes()
        self._plain_object = b""

    def _build(self) -> None:
        """Compile the core, and note by which commands."""
        # The stamp keeps make from preparing the machine again.
        (self.folder / ".venv").mkdir(exist_ok=True)
        (self.folder / ".venv" / ".made").touch()
        build = subprocess.run(
            [sys.executable, "setup.py", "build_ext", "--inplace", "--force"],
            cwd=self.folder,
            env={**os.environ, "FASTBEARER_BUILD": "quick"},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        compiling, linking = {}, []
        for line in build.stdout.splitlines():
            words = shlex.split(line) if " -o " in line else []
            if "-c" in words:
                compiling[words[words.index("-c") + 1]] = words
            elif "-shared" in words:
                linking = words
        if not linking:
            raise RuntimeError("setup.py does not say how it links the core")
        self._notes.parent.mkdir(parents=True, exist_ok=True)
        noted = {"compiling": compiling, "linking": linking}
        self._notes.write_text(json.dumps(noted, indent=1))

    # --- making a mutant ------------------------------------------------------

    def put(self, file: str, text: str) -> bool:
        """Put a mutant in its place; return whether that changes the program.

        Raises:
            NotCompiledError: There is no such program.
        """
        path = self.folder / file
        path.write_text(text)
        if file.endswith(".py"):
            forget_bytecode(path)
            return True
        made = self._made(self._commands[file])
        self._plain_object = made.read_bytes()
        self._tool(self._commands[file])
        if made.read_bytes() == self._plain_object:
            return False
        self._tool(self._linking)
        shutil.copy2(self._made(self._linking), self._core)
        return True

    def restore(self, file: str, text: str) -> None:
        """Put the file back as it was, and what was made of it."""
        path = self.folder / file
        path.write_text(text)
        if file.endswith(".py"):
            forget_bytecode(path)
        else:
            self._made(self._commands[file]).write_bytes(self._plain_object)
            self._core.write_bytes(self._plain_core)

    def _made(self, command: list[str]) -> Path:
        """Return the file that a command makes."""
        return self.folder / command[command.index("-o") + 1]

    def _tool(self, command: list[str]) -> None:
        made = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, check=False
        )
        if made.returncode:
            raise NotCompiledError(*made.stderr.strip().splitlines()[:1])

    # --- testing it -----------------------------------------------------------

    def tested(self, tests: list[str]) -> Run:
        """Run pytest, then C checks, up to the first failure.

        Args:
            tests: Files or tests of pytest, and names of C checks in ``tests/c``.
        """
        rest = [test for test in tests if not test.endswith(".c")]
        run = self._run(partial(test_here, rest)) if rest else Run(None, False)
        for check in (test for test in tests if test.endswith(".c")):
            if run.by is None:
                target = f"CHECKS=build/check/{Path(check).stem}"
                make = ["make", "-s", "test-c", target, flags()]
                run = self._run(partial(subprocess.call, make))
                run = run._replace(by=run.by and check)
        return run

    def _run(self, work: Callable[[], int]) -> Run:
        """Do in a child what may hang, crash or eat memory."""
        with TemporaryFile() as said:
            child = os.fork()
            if child == 0:
                try:
                    self._become_a_run(said.fileno())
                    code = work()
                    sys.stdout.flush()
                    os._exit(code)
                finally:
                    os._exit(1)
            is_late = not ended(child, SECONDS)
            with suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            said.seek(0)
            text = said.read().decode(errors="replace")
        (self.folder / "build" / "mutants" / "said.txt").write_text(text)
        shutil.rmtree(self.folder / ".hypothesis", ignore_errors=True)
        if code == NO_TESTS:
            raise RuntimeError("pytest finds no tests")
        is_late = is_late or code in {-signal.SIGXCPU, -signal.SIGALRM}
        return Run(None if code == 0 else killer(text), is_late)

    def _become_a_run(self, output: int) -> None:
        """Be a process whose project is the copy, and that can end alone."""
        os.setsid()
        os.chdir(self.folder)
        os.dup2(output, 1)
        os.dup2(output, 2)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        let_compute()
        python = str(self.folder / "python")
        os.environ["PYTHONPATH"] = python
        sys.path[:] = [
            python,
            *(
                path
                for path in sys.path
                if "-packages" in path or path.startswith(sys.base_prefix)
            ),
        ]


def ended(child: int, seconds: float) -> bool:
    """Wait for the end of a child; tell whether it came."""
    descriptor = os.pidfd_open(child)
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


def test_here(tests: list[str]) -> int:
    """Run pytest in this process; return its exit code."""
    import pytest

    return int(pytest.main([*PYTEST, *tests], plugins=[Hurry()]))


class Hurry:
    """A plugin of pytest: endless work ends, and what is drawn by lot is left out.

    A busy machine ends no test. A property may see a mutant or not, as the examples
    fall, and a rule ought to have an example of its own.
    """

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        items[:] = [item for item in items if not is_property(item.obj)]

    def pytest_runtest_setup(self) -> None:
        let_compute()


def is_property(test: object) -> bool:
    """Tell whether Hypothesis thinks out what a test is given."""
    return bool(getattr(test, "is_hypothesis_test", False))


def let_compute() -> None:
    """Let this process, and each that it starts, compute for some seconds more."""
    used = int(time.process_time()) + CPU_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (used, resource.RLIM_INFINITY))


def preload(modules: list[str]) -> None:
    """Import once what tests take long to import: pytest, and packages of others."""
    import pytest

    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        pytest.main(
            ["-VV", "--noconftest", "-c", os.devnull, *WITHOUT]
        )  # which loads its plugins
    for name in modules:
        with suppress(ImportError, RuntimeError):
            import_module(name)


def copied(source: Path, copy: Path) -> bool:
    """Copy a file if it has changed, and tell whether it has."""
    if not source.is_file():
        return False
    if copy.exists() and copy.read_bytes() == source.read_bytes():
        return False
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, copy)
    forget_bytecode(copy)
    return True


def is_built_from(name: str) -> bool:
    """Tell whether the core has to be compiled again where a file has changed."""
    return name == "setup.py" or name.startswith("csrc/")


def flags() -> str:
    """Return how make is to compile the C checks: quickly, and with what is here."""
    return f"{CHECK_FLAGS} $(OPTIONAL_DEFINES)"


def killer(said: str) -> str:
    """Return the test that failed, by what pytest said, or that was running."""
    if failed := FAILED.findall(said):
        return str(failed[0])
    running = RUNNING.findall(said)
    return f"{running[-1]} (crashed)" if running else "before the first test"


def forget_bytecode(path: Path) -> None:
    """Remove what Python keeps of a module: it would not see a change at once."""
    for kept in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        kept.unlink()
