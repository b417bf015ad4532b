"""Rewrites the import lines of a project to the drop-ins, and nothing else."""

from __future__ import annotations

import difflib
import os
import shutil
import tempfile
import tokenize
from collections.abc import Iterator
from io import BytesIO, StringIO
from pathlib import Path
from typing import NamedTuple

import libcst
from libcst.helpers import get_full_name_for_node

from fastbearer.compat import PACKAGES

__all__ = ["changes", "migrated"]

HERE = "fastbearer.compat"
BYTE_ORDER_MARK = "\ufeff"
NO_END = "\n\\ No newline at end of file\n"


class _Imports(libcst.CSTTransformer):
    def leave_ImportFrom(  # noqa: N802 - libcst's name
        self, original_node: libcst.ImportFrom, updated_node: libcst.ImportFrom
    ) -> libcst.ImportFrom:
        module = updated_node.module
        if updated_node.relative or module is None or not _is_theirs(module):
            return updated_node
        return updated_node.with_changes(module=_moved(module))

    def leave_Import(  # noqa: N802 - libcst's name
        self, original_node: libcst.Import, updated_node: libcst.Import
    ) -> libcst.BaseSmallStatement | libcst.FlattenSentinel[libcst.BaseSmallStatement]:
        if not any(_is_theirs(alias.name) for alias in updated_node.names):
            return updated_node
        parts: list[libcst.BaseSmallStatement] = []
        for alias in updated_node.names:
            bare = alias.with_changes(comma=libcst.MaybeSentinel.DEFAULT)
            parts += _imports_of(bare)
        last = parts[-1].with_changes(semicolon=updated_node.semicolon)
        return libcst.FlattenSentinel([*parts[:-1], last])


def _imports_of(alias: libcst.ImportAlias) -> list[libcst.BaseSmallStatement]:
    """Return the imports that bind the name which this one has bound."""
    if not _is_theirs(alias.name):
        return [libcst.Import([alias])]
    moved = libcst.ImportAlias(_moved(alias.name))
    if alias.asname is not None:
        return [libcst.Import([moved.with_changes(asname=alias.asname)])]
    top = (get_full_name_for_node(alias.name) or "").partition(".")[0]
    bind = libcst.ImportFrom(_name(HERE), [libcst.ImportAlias(libcst.Name(top))])
    # "import jose.jwt" binds jose, and loads jwt.
    return (
        [bind]
        if isinstance(alias.name, libcst.Name)
        else [libcst.Import([moved]), bind]
    )


def _is_theirs(name: libcst.BaseExpression) -> bool:
    return (get_full_name_for_node(name) or "").partition(".")[0] in PACKAGES


def _moved(name: libcst.BaseExpression) -> libcst.Attribute | libcst.Name:
    return _name(f"{HERE}.{get_full_name_for_node(name)}")


def _name(text: str) -> libcst.Attribute | libcst.Name:
    found = libcst.parse_expression(text)
    assert isinstance(found, (libcst.Attribute, libcst.Name))  # noqa: S101 - ours
    return found


def migrated(code: str) -> str:
    """Return the code with its imports of the originals moved to the drop-ins.

    Raises:
        libcst.ParserSyntaxError: It is not Python.
    """
    mark = BYTE_ORDER_MARK if code.startswith(BYTE_ORDER_MARK) else ""
    return mark + libcst.parse_module(code).visit(_Imports()).code


def changes(path: Path, *, write: bool = False) -> Iterator[str]:
    """Yield the diff of every file below a path that changes.

    Virtual environments, and folders whose name begins with a dot, are passed by.

    Args:
        path: A file, or a folder with files in Python.
        write: Also write the files, each in one step.

    Raises:
        OSError: One cannot be written.
    """
    for file in [path] if path.is_file() else _files_below(path):
        try:
            old = _Source.of(file)
            new = migrated(old.text)
        except (libcst.ParserSyntaxError, SyntaxError, UnicodeError, OSError):
            yield f"# left alone, for it cannot be read as Python: {file}\n"
            continue
        if new == old.text:
            continue
        yield _diff(old.text, new, str(file))
        if write:
            _replace(file, old.encoded(new))


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
