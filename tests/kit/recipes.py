"""Pages whose blocks with a ``title`` are files: written out, and run as they stand."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fastbearer.fastapi import Settings
from ports import free_port
from programs import run_in, started_in
from project import ROOT, SECRET

DOCS = ROOT / "docs"
PAGES = sorted((DOCS / "cookbook").glob("*.md"))
"""The pages of the cookbook."""

BLOCK = re.compile(r'(?ms)^```(\w+)(?: title="([^"\n]+)")?\n(.*?)^```$')
VENV = Path(sys.executable).parent
NAMES = {"AUTH_SECRET", *(name.upper() for name in Settings.model_fields)}
"""Of all settings."""


@dataclass(frozen=True)
class Block:
    """A block of code of a page.

    Attributes:
        language: What the fence says.
        title: The name of its file, or "".
        code: What is in it.
    """

    language: str
    title: str
    code: str


def blocks(page: Path) -> list[Block]:
    """Return the blocks of a page."""
    return [Block(*found) for found in BLOCK.findall(page.read_text())]


def recipe(name: str) -> Path:
    """Return a page of the cookbook."""
    return DOCS / "cookbook" / f"{name}.md"


class Files:
    """The files of a page, in a folder, and what runs there.

    Args:
        page: Whose blocks with a title are written.
        folder: Where; it must be there.
        settings: More of the environment.
    """

    def __init__(self, page: Path, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.environment = {
            **{name: text for name, text in os.environ.items() if name not in NAMES},
            "PATH": f"{VENV}{os.pathsep}{os.environ['PATH']}",
            "BETTER_AUTH_SECRET": SECRET,
            "PYTHONDONTWRITEBYTECODE": "1",
            **settings,
        }
        for block in blocks(page):
            if block.title and " " not in block.title:
                file = folder / block.title
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(block.code)

    def run(self, *command: str, stdin: str = "", is_good: bool = True) -> str:
        """Run a command there, and return what it prints."""
        return run_in(self.folder, self.environment, command, stdin, is_good=is_good)

    @contextmanager
    def served(self, app: str = "main:app", **settings: str) -> Iterator[str]:
        """Serve an application of the page with uvicorn; the value is its base URL."""
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        command = ["uvicorn", app, "--port", str(port), "--log-level", "warning"]
        with self.started(*command, url=url, **settings):
            yield url

    @contextmanager
    def started(self, *command: str, url: str, **settings: str) -> Iterator[None]:
        """Run a program for as long as the context lasts; it answers at a URL first."""
        environment = {**self.environment, **settings}
        log = self.folder / f"{command[0]}.log"
        with started_in(self.folder, environment, command, url, log):
            yield
