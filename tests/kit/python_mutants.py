"""The mutants of a Python file, found in its syntax tree and made in its text."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

from mutant import Change, Mutant, mutant

COMPARISONS: dict[type[ast.cmpop], tuple[str, str, str]] = {
    ast.Lt: ("relation", "<", "<="),
    ast.LtE: ("relation", "<=", "<"),
    ast.Gt: ("relation", ">", ">="),
    ast.GtE: ("relation", ">=", ">"),
    ast.Eq: ("equality", "==", "!="),
    ast.NotEq: ("equality", "!=", "=="),
    ast.Is: ("equality", "is", "is not"),
    ast.IsNot: ("equality", r"is\s+not", "is"),
    ast.In: ("membership", "in", "not in"),
    ast.NotIn: ("membership", r"not\s+in", "in"),
}
"""Kind -> the operator's name, how it is written, and what is put in its place."""

LEAVES = (ast.Raise, ast.Return, ast.Continue, ast.Break)


class Places:
    """Where the nodes of a tree stand in the text."""

    def __init__(self, text: str) -> None:
        self.text = text
        ends = [match.end() for match in re.finditer("\n", text)]
        self._lines = [0, *ends, len(text)]

    def start(self, node: ast.expr | ast.stmt) -> int:
        """Return the place of a node's first character."""
        return self._place(node.lineno, node.col_offset)

    def end(self, node: ast.expr | ast.stmt) -> int:
        """Return the place after a node's last character."""
        assert node.end_lineno is not None and node.end_col_offset is not None
        return self._place(node.end_lineno, node.end_col_offset)

    def of(self, node: ast.expr | ast.stmt) -> str:
        """Return the text of a node."""
        return self.text[self.start(node) : self.end(node)]

    def _place(self, line: int, column: int) -> int:
        """Return a place; the tree counts columns in bytes of UTF-8."""
        first, last = self._lines[line - 1], self._lines[line]
        return first + len(self.text[first:last].encode()[:column].decode())

    def between(
        self, operator: str, nodes: tuple[ast.expr, ast.expr], word: str, put: str
    ) -> Iterator[Change]:
        """Yield the change of a word that stands between two nodes."""
        start, end = self.end(nodes[0]), self.start(nodes[1])
        found = re.search(rf"(?<!\w){word}(?!\w)", self.text[start:end])
        if found is not None:
            yield Change(operator, start + found.start(), start + found.end(), put)


def python_mutants(file: str, text: str) -> list[Mutant]:
    """Return every mutant that the operators make of a file."""
    places = Places(text)
    return [
        mutant(file, function, text, change)
        for function, node in nodes(ast.parse(text), "")
        for operator in OPERATORS
        for change in operator(places, node)
    ]


def nodes(parent: ast.AST, function: str) -> Iterator[tuple[str, ast.AST]]:
    """Yield what decides something, each node with the names that it stands in."""
    for name, field in ast.iter_fields(parent):
        if name in {"annotation", "returns", "decorator_list", "type_params", "bases"}:
            continue
        for node in field if isinstance(field, list) else [field]:
            if not isinstance(node, ast.AST) or is_for_readers(node):
                continue
            where = function
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                where = f"{function}.{node.name}".lstrip(".")
            yield where, node
            yield from nodes(node, where)


def is_for_readers(node: ast.AST) -> bool:
    """Tell whether a node is a text, or says something to type checkers only."""
    if isinstance(node, ast.JoinedStr):
        return True
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.If):
        return ast.unparse(node.test) == "TYPE_CHECKING"
    return getattr(node, "name", "") == "__repr__"


def comparisons(places: Places, node: ast.AST) -> Iterator[Change]:
    """Yield ``<`` for ``<=``, ``is not`` for ``is``, and their like."""
    if not isinstance(node, ast.Compare):
        return
    sides = [node.left, *node.comparators]
    for i, kind in enumerate(node.ops):
        name, word, put = COMPARISONS[type(kind)]
        yield from places.between(name, (sides[i], sides[i + 1]), word, put)


def junctions(places: Places, node: ast.AST) -> Iterator[Change]:
    """Yield ``and`` for ``or``, and the reverse."""
    if isinstance(node, ast.BoolOp):
        words = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for i in range(len(node.values) - 1):
            pair = node.values[i], node.values[i + 1]
            yield from places.between("junction", pair, *words)


def arithmetic(places: Places, node: ast.AST) -> Iterator[Change]:
    """Yield a difference for a sum, and the reverse."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
        words = (r"\+", "-") if isinstance(node.op, ast.Add) else ("-", "+")
        yield from places.between("arithmetic", (node.left, node.right), *words)


def negations(places: Places, node: ast.AST) -> Iterator[Change]:
    """Yield what a ``not`` stands before, without it."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        start = places.start(node)
        yield Change("negation", start, start + len("not "), " ")


def conditions(places: Places, node: ast.AST) -> Iterator[Change]:
    """Yield a condition that is negated, and a check that is left out."""
    tests = [node.test] if isinstance(node, (ast.If, ast.While, ast.IfExp)) else []
    if isinstance(node, ast.comprehension):
        tests = node.ifs
    for test in tests:
        start, end, text = places.start(test), places.end(test), places.of(test)
        yield Change("condition", start, end, f"not ({text})")
        if isinstance(node, ast.If) and isinstance(node.body[-1], LEAVES):
            yield Change("check", start, end, f"False and ({text})")


def constants(places: Places, node: ast.AST) -> Iterator[Change]:
    """Yield a number that is greater by one, and the other truth value."""
    if not isinstance(node, ast.Constant):
        return
    start, end = places.start(node), places.end(node)
    if isinstance(node.value, bool):
        yield Change("truth", start, end, str(not node.value))
    elif isinstance(node.value, int):
        yield Change("constant", start, end, f"({places.of(node)} + 1)")


def statements(places: Places, node: ast.AST) -> Iterator[Change]:
    """Yield a call, a refusal or an assignment that is left out, and a result."""
    if not isinstance(node, ast.stmt):
        return
    start, end = places.start(node), places.end(node)
    if isinstance(node, ast.Raise):
        yield Change("refusal", start, end, "pass")
    elif isinstance(node, ast.Return):
        if node.value is not None and places.of(node.value) not in {"None", "self"}:
            yield Change("result", start, end, "return None")
    elif isinstance(node, (ast.Expr, ast.AugAssign)) or (
        isinstance(node, ast.Assign)
        and isinstance(node.targets[0], (ast.Attribute, ast.Subscript))
    ):
        yield Change("statement", start, end, "pass")


OPERATORS: tuple[Callable[[Places, ast.AST], Iterator[Change]], ...] = (
    comparisons,
    junctions,
    arithmetic,
    negations,
    conditions,
    constants,
    statements,
)
