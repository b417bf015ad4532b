"""The pages of the section *Start*, done as somebody does who reads them.

    tutorial = Tutorial("protected-route", folder)
    tutorial.write_files()
    with tutorial.running():
        assert tutorial.wrong_answers() == []

What a page installs is there already. What it prints is compared with the block after
the command, where ``...`` stands for any text.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from typing import Any

from ports import free_port
from programs import run_in
from project import ROOT
from waiting import wait_until

BLOCK = re.compile(r"(?ms)^```(\w+)\n(.*?)^```$")
FILE = re.compile(
    r"(?ms)into\s+`([\w.]+)`(?:(?!\n\n).)*:\n\n"
    r"(?:<!-- not run -->\n)?```\w+\n(.*?)^```$"
)
ELSEWHERE = re.compile(r"(?m)^(mkdir|python3 -m venv|pip install|\. \.venv).*\n")
ADDRESS = "http://127.0.0.1:8000"
SEPARATOR = "\x1e"
ANY = "..."


class Tutorial:
    """A page, and the folder in which its reader works.

    Args:
        name: Of the page, in docs/start.
        folder: Where its files are.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.text = (ROOT / "docs" / "start" / f"{name}.md").read_text()
        self._folder = folder
        self.port = free_port()
        self._said = folder / "server.log"
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if name not in ("BETTER_AUTH_SECRET", "DATABASE_URL")
        }
        programs = Path(sys.executable).parent
        self.environment["PATH"] = f"{programs}:{self.environment['PATH']}"

    def write_files(self) -> None:
        """Write each file that the page shows."""
        for name, text in FILE.findall(self.text):
            (self._folder / name).write_text(text)

    def commands(self) -> list[tuple[str, str]]:
        """Return each block of commands, and the JSON that it is said to print."""
        blocks = BLOCK.findall(self.text)
        found = []
        for (kind, text), (after, shown) in zip(
            blocks, [*blocks[1:], ("", "")], strict=True
        ):
            done = ELSEWHERE.sub("", text)
            if kind == "sh" and done.strip():
                found.append((done, shown if after == "json" else ""))
        return found

    def before(self) -> list[str]:
        """Return the commands before the server is started."""
        texts = [text for text, _ in self.commands()]
        return texts[: self._start()]

    def _start(self) -> int:
        texts = [text for text, _ in self.commands()]
        return next(i for i, text in enumerate(texts) if text.startswith("uvicorn"))

    def run(self, script: str) -> str:
        """Run commands in the folder, and return what they print."""
        command = ["sh", "-eu", "-c", script]
        return run_in(self._folder, self.environment, command)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Start the server as the page does, at a port of our own."""
        command = self.commands()[self._start()][0].split()
        with self._said.open("w") as log:
            server = subprocess.Popen(
                [*command, "--port", str(self.port)],
                cwd=self._folder,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            wait_until(lambda: self._is_up(server))
            yield
        finally:
            server.terminate()
            server.wait()

    def _is_up(self, server: subprocess.Popen[bytes]) -> bool:
        assert server.poll() is None, self.log()
        return "Application startup complete" in self.log()

    def log(self) -> str:
        """Return what the server has said."""
        return self._said.read_text()

    def wrong_answers(
        self, port: int | None = None, until: str | None = None
    ) -> list[tuple[str, str]]:
        """Run the commands after the start; return those that print something else.

        Args:
            port: Of another server than that of this page.
            until: A word of the first command that is left out, with those after it.
        """
        rest = self.commands()[self._start() + 1 :]
        if until is not None:
            rest = list(takewhile(lambda one: until not in one[0], rest))
        script = f"printf '{SEPARATOR}'\n".join(text for text, _ in rest)
        printed = self.run(
            script.replace(ADDRESS, f"http://127.0.0.1:{port or self.port}")
        )
        wrong = []
        for (_, shown), told in zip(rest, printed.split(SEPARATOR), strict=True):
            if shown and not is_like(json.loads(told), json.loads(shown)):
                wrong.append((shown, told))
        return wrong


def is_like(told: Any, shown: Any) -> bool:
    """Tell whether an answer is the one shown, where ``...`` is any text."""
    if isinstance(shown, dict):
        same = isinstance(told, dict) and told.keys() == shown.keys()
        return same and all(is_like(told[name], shown[name]) for name in shown)
    if isinstance(shown, list):
        same = isinstance(told, list) and len(told) == len(shown)
        return same and all(map(is_like, told, shown))
    if shown == ANY:
        return isinstance(told, str)
    return bool(told == shown)
