"""Rewrites the imports of the originals in a piece of code to the drop-ins.

An import moves only where the drop-in has every name that the file takes from it:
the drop-ins themselves are asked. What stays is reported with its line.
"""

from __future__ import annotations

import difflib
import importlib
import re
from collections.abc import Iterable
from functools import cache
from io import StringIO
from types import ModuleType
from typing import Any, NamedTuple

import libcst
from libcst.helpers import get_full_name_for_node
from libcst.metadata import (
    MetadataWrapper,
    PositionProvider,
    QualifiedNameProvider,
    QualifiedNameSource,
)

from fastbearer.compat import PACKAGES

__all__ = ["Rewritten", "migrated", "rewritten"]

HERE = "fastbearer.compat"
BYTE_ORDER_MARK = "\ufeff"
NAMES = "|".join(PACKAGES)
CONTINUED = re.compile(r"\\\r?\n")
MAY_IMPORT = re.compile(
    r"(?:^\ufeff?|[;:])[ \t\f]*"
    rf"(?:from[ \t\f]+(?:{NAMES})\b|import\b[^\n;:]*\b(?:{NAMES})\b)",
    re.MULTILINE,
)
"""What each import of the originals has in its line; hardly anything else does."""


class Rewritten(NamedTuple):
    """Code whose imports were moved to the drop-ins.

    Attributes:
        code: The code.
        left: Line -> what the drop-in does not have, for each import that stays.
    """

    code: str
    left: tuple[tuple[int, str], ...]


class _Differences(libcst.CSTVisitor):
    """Finds what a file takes from the originals that the drop-ins do not have.

    Attributes:
        left: Line and name of each.
        bound: The names that the file binds to what must stay the original.
    """

    METADATA_DEPENDENCIES = (PositionProvider, QualifiedNameProvider)

    def __init__(self) -> None:
        self.left: list[tuple[int, str]] = []
        self.bound: set[str] = set()

    def visit_Import(self, node: libcst.Import) -> bool:  # noqa: N802 - libcst's
        for alias in node.names:
            name = _dotted(alias.name)
            if _is_theirs(alias.name):
                self._check(node, name, _bound_by(alias))
        return False

    def visit_ImportFrom(  # noqa: N802 - libcst's name
        self, node: libcst.ImportFrom
    ) -> bool:
        if not _moves(node):
            return False
        module = _dotted(node.module)
        if isinstance(node.names, libcst.ImportStar):
            self._check(node, f"{module}.*", "*")  # it does not say what it needs
            return False
        for alias in node.names:
            self._check(node, f"{module}.{_dotted(alias.name)}", _bound_by(alias))
        return False

    def visit_Attribute(self, node: libcst.Attribute) -> bool:  # noqa: N802
        root: libcst.BaseExpression = node
        while isinstance(root, libcst.Attribute):
            root = root.value
        if not isinstance(root, libcst.Name):
            return True  # a call, or the like, is on the way: it is another object
        for found in self.get_metadata(QualifiedNameProvider, node, set()):
            is_import = found.source is QualifiedNameSource.IMPORT
            if is_import and _top(found.name) in PACKAGES:
                self._check(node, found.name, root.value)
        return False

    def _check(self, node: libcst.CSTNode, name: str, bound: str) -> None:
        missing = _missing(name)
        if missing is None:
            return
        line = self.get_metadata(PositionProvider, node).start.line
        self.left.append((line, missing))
        self.bound.add(bound)


class _Imports(libcst.CSTTransformer):
    """Moves the imports, but for those that bind one of some names."""

    def __init__(self, kept: set[str]) -> None:
        self._kept = kept

    def leave_ImportFrom(  # noqa: N802 - libcst's name
        self, original_node: libcst.ImportFrom, updated_node: libcst.ImportFrom
    ) -> libcst.ImportFrom:
        module, names = updated_node.module, updated_node.names
        if module is None or not _moves(updated_node):
            return updated_node
        if isinstance(names, libcst.ImportStar) or self._stay(names):
            return updated_node
        return updated_node.with_changes(module=_moved(module))

    def leave_Import(  # noqa: N802 - libcst's name
        self, original_node: libcst.Import, updated_node: libcst.Import
    ) -> libcst.BaseSmallStatement | libcst.FlattenSentinel[libcst.BaseSmallStatement]:
        if not any(map(self._moves, updated_node.names)):
            return updated_node
        parts: list[libcst.BaseSmallStatement] = []
        for alias in updated_node.names:
            bare = alias.with_changes(comma=libcst.MaybeSentinel.DEFAULT)
            parts += (
                _imports_of(bare) if self._moves(alias) else [libcst.Import([bare])]
            )
        last = parts[-1].with_changes(semicolon=updated_node.semicolon)
        return libcst.FlattenSentinel([*parts[:-1], last])

    def _moves(self, alias: libcst.ImportAlias) -> bool:
        return _is_theirs(alias.name) and _bound_by(alias) not in self._kept

    def _stay(self, names: Iterable[libcst.ImportAlias]) -> bool:
        return any(_bound_by(alias) in self._kept for alias in names)


def _imports_of(alias: libcst.ImportAlias) -> list[libcst.BaseSmallStatement]:
    """Return the imports from the drop-in that bind the name which this one binds."""
    moved = libcst.ImportAlias(_moved(alias.name))
    if alias.asname is not None:
        return [libcst.Import([moved.with_changes(asname=alias.asname)])]
    bind = libcst.ImportFrom(
        _name(HERE), [libcst.ImportAlias(libcst.Name(_top(_dotted(alias.name))))]
    )
    # "import jose.jwt" binds jose, and loads jwt.
    return (
        [bind]
        if isinstance(alias.name, libcst.Name)
        else [libcst.Import([moved]), bind]
    )


def _bound_by(alias: libcst.ImportAlias) -> str:
    """Return the name that an import binds."""
    if alias.asname is not None:
        return _dotted(alias.asname.name)
    return _top(_dotted(alias.name))


def _moves(node: libcst.ImportFrom) -> bool:
    return not node.relative and node.module is not None and _is_theirs(node.module)


def _is_theirs(name: libcst.BaseExpression) -> bool:
    return _top(_dotted(name)) in PACKAGES


def _top(name: str) -> str:
    return name.partition(".")[0]


def _dotted(node: libcst.CSTNode | None) -> str:
    return "" if node is None else get_full_name_for_node(node) or ""


def _moved(name: libcst.BaseExpression) -> libcst.Attribute | libcst.Name:
    return _name(f"{HERE}.{_dotted(name)}")


def _name(text: str) -> libcst.Attribute | libcst.Name:
    found = libcst.parse_expression(text)
    assert isinstance(found, (libcst.Attribute, libcst.Name))  # noqa: S101 - ours
    return found


@cache
def _module(name: str) -> ModuleType | None:
    """Return a module of a drop-in, or None if there is none of that name.

    Args:
        name: What the original calls it.
    """
    if "._" in name:
        return None
    try:
        return importlib.import_module(f"{HERE}.{name}")
    except ModuleNotFoundError:
        return None


@cache
def _missing(name: str) -> str | None:
    """Return as much of a name as the drop-ins do not have, or None.

    Args:
        name: What the original calls it, like ``passlib.hash.bcrypt.using``.
    """
    path, *rest = name.split(".")
    found: Any = _module(path)
    for part in rest:
        path = f"{path}.{part}"
        try:
            found = getattr(found, part)
        except AttributeError:
            found = _module(path) if isinstance(found, ModuleType) else None
        if found is None or (isinstance(found, ModuleType) and part[0] == "_"):
            return path
    return None


def rewritten(code: str) -> Rewritten:
    """Move the imports of the originals in some code to the drop-ins.

    Raises:
        libcst.ParserSyntaxError: The code is not Python.
    """
    if MAY_IMPORT.search(CONTINUED.sub(" ", code)) is None:
        return Rewritten(code, ())
    mark = BYTE_ORDER_MARK if code.startswith(BYTE_ORDER_MARK) else ""
    wrapper = MetadataWrapper(libcst.parse_module(code), unsafe_skip_copy=True)
    found = _Differences()
    wrapper.visit(found)
    plain = wrapper.module.code
    moved = wrapper.module.visit(_Imports(found.bound)).code
    if moved == plain:
        return Rewritten(code, tuple(found.left))
    merged = _merged(code[len(mark) :], plain, moved)
    return Rewritten(mark + merged, tuple(found.left))


def _merged(code: str, plain: str, moved: str) -> str:
    """Return the code with the lines that moved.

    Args:
        code: As it was.
        plain: The same as libcst writes it, which may be spaced otherwise.
        moved: As libcst writes it, with its imports moved.
    """
    old, before, after = (
        [*StringIO(text, newline="")] for text in (code, plain, moved)
    )
    if len(old) != len(before):
        return moved
    lines: list[str] = []
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
        lines += old[start:end] if tag == "equal" else after[new_start:new_end]
    return "".join(lines)


def migrated(code: str) -> str:
    """Return the code with its imports of the originals moved to the drop-ins.

    Raises:
        libcst.ParserSyntaxError: The code is not Python.
    """
    return rewritten(code).code
