"""Rewrites the import lines of a project to the drop-ins, and nothing else."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path

import libcst
from libcst.helpers import get_full_name_for_node

from fastbearer.compat import PACKAGES

__all__ = ["changes", "migrated"]

HERE = "fastbearer.compat"


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
    return libcst.parse_module(code).visit(_Imports()).code


def changes(path: Path, *, write: bool = False) -> Iterator[str]:
    """Yield the diff of every file below a path that changes.

    Args:
        path: A file, or a folder with files in Python.
        write: Also write the files.
    """
    for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
        try:
            with file.open(encoding="utf-8", newline="") as opened:
                old = opened.read()
            new = migrated(old)
        except (libcst.ParserSyntaxError, UnicodeDecodeError):
            yield f"# left alone, for it cannot be read as Python: {file}\n"
            continue
        if new == old:
            continue
        before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
        yield "".join(difflib.unified_diff(before, after, str(file), str(file)))
        if write:
            with file.open("w", encoding="utf-8", newline="") as opened:
                opened.write(new)
