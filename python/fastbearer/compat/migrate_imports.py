"""Rewrites the import lines of a project to the drop-ins, and nothing else."""

from __future__ import annotations

import difflib
import os
import shutil
import tempfile
import tokenize
from collections.abc import Iterable, Iterator
from io import BytesIO, StringIO
from pathlib import Path
from typing import NamedTuple

import libcst

from fastbearer.compat.import_rewriter import migrated, rewritten

__all__ = ["Outcome", "changes", "migrated"]

NO_END = "\n\\ No newline at end of file\n"


class Outcome(NamedTuple):
    """What became of one file.

    Attributes:
        file: The file.
        text: Its diff, or a comment; empty where nothing changes.
        is_changed: Whether it changes.
        left: As in `Rewritten`.
    """

    file: Path
    text: str
    is_changed: bool
    left: tuple[tuple[int, str], ...] = ()


def changes(paths: Iterable[Path], *, write: bool = False) -> Iterator[Outcome]:
    """Yield what becomes of every file below some paths.

    Virtual environments, and folders whose name begins with a dot, are left out.

    Args:
        paths: Files, and folders with files in Python.
        write: Also write the files, each in one step.

    Raises:
        OSError: A file cannot be written.
    """
    seen: set[Path] = set()
    for path in paths:
        for file in [path] if path.is_file() else _files_below(path):
            if file.resolve() not in seen:
                seen.add(file.resolve())
                yield _changed(file, write=write)


def _changed(file: Path, *, write: bool) -> Outcome:
    try:
        old = _Source.of(file)
        new = rewritten(old.text)
    except (libcst.ParserSyntaxError, SyntaxError, UnicodeError, OSError):
        text = f"# left alone, for it cannot be read as Python: {file}\n"
        return Outcome(file, text, is_changed=False)
    if new.code == old.text:
        return Outcome(file, "", is_changed=False, left=new.left)
    if write:
        _replace(file, old.encoded(new.code))
    diff = _diff(old.text, new.code, str(file))
    return Outcome(file, diff, is_changed=True, left=new.left)


class _Source(NamedTuple):
    """The text of a file, and how it is encoded (PEP 263)."""

    text: str
    encoding: str

    @classmethod
    def of(cls, file: Path) -> _Source:
        content = file.read_bytes()
        encoding, _ = tokenize.detect_encoding(BytesIO(content).readline)
        # A byte order mark stays in the text, for the diff to have it.
        encoding = encoding.removesuffix("-sig")
        return cls(content.decode(encoding), encoding)

    def encoded(self, text: str) -> bytes:
        return text.encode(self.encoding)


def _files_below(folder: Path) -> Iterator[Path]:
    for parent, names, files in os.walk(folder):
        names[:] = sorted(name for name in names if not _is_foreign(parent, name))
        for name in sorted(files):
            if name.endswith(".py") and Path(parent, name).is_file():
                yield Path(parent, name)


def _is_foreign(parent: str, name: str) -> bool:
    """Tell whether a folder holds what others wrote, or what is generated."""
    if name.startswith(".") or name in {"__pycache__", "node_modules"}:
        return True
    return Path(parent, name, "pyvenv.cfg").exists()


def _diff(old: str, new: str, name: str) -> str:
    # Not splitlines(): to it, form feeds and more end a line.
    lines = difflib.unified_diff([*StringIO(old)], [*StringIO(new)], name, name)
    return "".join(line if line.endswith("\n") else f"{line}{NO_END}" for line in lines)


def _replace(file: Path, content: bytes) -> None:
    """Write a file so that it is the old one or the new one, never half of it."""
    target = file.resolve()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(content)
        shutil.copymode(target, beside)
        beside.replace(target)
    except BaseException:
        beside.unlink()
        raise
