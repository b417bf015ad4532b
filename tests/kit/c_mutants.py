"""The mutants of a C file, found by its tokens: no parser has to be installed.

The layout is clang-format's: a function's name begins the line before its ``{``, and
both braces of its body begin theirs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from mutant import Change, Mutant, mutant

TOKEN = re.compile(
    r"""
    (?P<noise>/\*.*?\*/|//[^\n]*|\s+)
    |(?P<directive>^\#(?:\\\n|[^\n])*)
    |(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])+')
    |(?P<number>(?:0[xX][0-9a-fA-F]+|\d+)[uUlL]*(?![\w.]))
    |(?P<name>\w[\w.]*)
    |(?P<sign><<=|>>=|->|\+\+|--|&&|\|\||[-+*/%&|^<>=!]=|<<|>>|[^\w\s])
    """,
    re.DOTALL | re.MULTILINE | re.VERBOSE,
)
FUNCTION = re.compile(r"^(\w+)\([^;{}]*\)\n\{\n.*?^\}", re.MULTILINE | re.DOTALL)
LIMIT = re.compile(r"^#define (\w+) (.*)$", re.MULTILINE)
ARRAY = re.compile(
    r"^\s+(?:static |const |unsigned |\w+ )*\w+ \*?\w+\[[^\]]*\]( =|;|,)"
)
"""A line that makes an array: one that is longer than it need be is no fault."""

CAST = re.compile(r"(?<!\w)\(\w+\)$")
"""What may stand before a sign that has one operand."""

KEYWORDS = {"return", "if", "while", "for", "do", "else", "switch", "case", "goto"}
STEPS = {"++", "--", "+=", "-=", "*=", "|=", "&=", "^=", "<<=", ">>="}
BREAKS = {";", "{", "}"}
ENDS = {"name", "number", "string"}

SWAPS = {
    "relation": {"<": "<=", "<=": "<", ">": ">=", ">=": ">"},
    "equality": {"==": "!=", "!=": "=="},
    "junction": {"&&": "||", "||": "&&"},
    "truth": {"true": "false", "false": "true"},
}
"""Operator -> the tokens that it puts in the place of others."""

BETWEEN = {
    "arithmetic": {"+": "-", "-": "+", "+=": "-=", "-=": "+="},
    "bits": {"<<": ">>", ">>": "<<", "&": "|", "|": "&", "|=": "&=", "&=": "|="},
}
"""The same of those that also have another meaning where no operand is before."""


class Token(NamedTuple):
    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def is_operand(self) -> bool:
        """Tell whether a value may end here."""
        if self.kind in ENDS:
            return self.text not in KEYWORDS
        return self.text in {")", "]"}


def tokens(text: str, start: int, end: int) -> list[Token]:
    """Return what a compiler sees between two places of a file."""
    found = []
    for match in TOKEN.finditer(text, start, end):
        kind = match.lastgroup or ""
        if kind not in {"noise", "directive"}:
            found.append(Token(kind, match[0], match.start()))
    return found


def c_mutants(file: str, text: str) -> list[Mutant]:
    """Return every mutant that the operators make of a file."""
    return [
        mutant(file, function, text, change)
        for function, found in (*in_functions(text), *in_limits(text))
        for change in found
    ]


def in_functions(text: str) -> Iterator[tuple[str, Iterator[Change]]]:
    """Yield each function's name, and the changes of its body."""
    for body in FUNCTION.finditer(text):
        inside = tokens(text, text.index("{", body.end(1)), body.end())
        yield body[1], changes(text, inside)


def in_limits(text: str) -> Iterator[tuple[str, Iterator[Change]]]:
    """Yield the name of each number that is defined, and its changes."""
    for limit in LIMIT.finditer(text):
        inside = tokens(text, limit.start(2), limit.end(2))
        yield limit[1], (one_more(one) for one in inside if one.kind == "number")


def changes(text: str, all_tokens: list[Token]) -> Iterator[Change]:
    """Yield what each operator makes of the body of a function."""
    for i in range(1, len(all_tokens) - 1):
        yield from swaps(all_tokens, i)
        yield from constants(text, all_tokens, i)
        yield from checks(text, all_tokens, i)
        yield from statements(text, all_tokens, i)


def swaps(all_tokens: list[Token], i: int) -> Iterator[Change]:
    """Yield what stands in the place of an operator, or of a truth value."""
    before, token = all_tokens[i - 1], all_tokens[i]
    for operator, table in SWAPS.items():
        if token.text in table:
            yield Change(operator, token.start, token.end, table[token.text])
    for operator, table in BETWEEN.items():
        if token.text in table and before.is_operand and not casts(all_tokens, i):
            yield Change(operator, token.start, token.end, table[token.text])
    if token.text == "!":
        yield Change("negation", token.start, token.end, "")


def casts(all_tokens: list[Token], i: int) -> bool:
    """Tell whether a bracket before a sign closes a cast: the sign has one operand."""
    before = "".join(token.text for token in all_tokens[max(0, i - 4) : i])
    return CAST.search(before) is not None


def constants(text: str, all_tokens: list[Token], i: int) -> Iterator[Change]:
    """Yield a number that is greater by one, and a refusal that is none."""
    before, token = all_tokens[i - 1], all_tokens[i]
    if token.kind == "number" and not makes_an_array(text, token):
        yield one_more(token)
    is_status = re.fullmatch(r"STATUS_(?!OK$|COUNT$)[A-Z0-9_]+", token.text)
    if is_status and before.text not in {"==", "!=", "case"}:
        yield Change("refusal", token.start, token.end, "STATUS_OK")


def one_more(token: Token) -> Change:
    """Return the change of a number into its successor."""
    return Change("constant", token.start, token.end, f"({token.text} + 1)")


def makes_an_array(text: str, token: Token) -> bool:
    """Tell whether a number is the length of an array that is made here."""
    first = text.rfind("\n", 0, token.start) + 1
    return ARRAY.match(text[first : text.index("\n", token.end)]) is not None


def checks(text: str, all_tokens: list[Token], i: int) -> Iterator[Change]:
    """Yield a condition that is negated, and a check that is left out."""
    word, bracket = all_tokens[i], all_tokens[i + 1]
    if word.text not in {"if", "while"} or bracket.text != "(":
        return
    end = all_tokens[closing(all_tokens, i + 1)].end
    condition = text[bracket.start : end]
    yield Change("condition", bracket.start, end, f"(!{condition})")
    if word.text == "if":
        yield Change("check", bracket.start, end, f"(false && {condition})")


def closing(all_tokens: list[Token], i: int) -> int:
    """Return where the bracket at ``i`` is closed."""
    depth = 0
    for j in range(i, len(all_tokens)):
        depth += {"(": 1, ")": -1}.get(all_tokens[j].text, 0)
        if depth == 0:
            return j
    raise ValueError("a bracket is never closed")


def statements(text: str, all_tokens: list[Token], i: int) -> Iterator[Change]:
    """Yield a call, an assignment or a jump that is left out."""
    first = all_tokens[i]
    if not begins_a_statement(all_tokens, i):
        return
    end = i
    while end < len(all_tokens) and all_tokens[end].text not in BREAKS:
        end += 1
    if end == len(all_tokens) or all_tokens[end].text != ";":
        return
    words = [token.text for token in all_tokens[i:end]]
    if words and is_statement(words, first):
        yield Change("statement", first.start, all_tokens[end].start, "(void)0")


def begins_a_statement(all_tokens: list[Token], i: int) -> bool:
    """Tell whether what stands before ends a statement, or is a label."""
    before = [token.text for token in all_tokens[max(0, i - 3) : i]]
    return before[-1] in BREAKS or (before[-1] == ":" and before[0] in BREAKS)


def is_statement(words: list[str], first: Token) -> bool:
    """Tell whether words are a statement without which the rest still compiles."""
    if words[0] in {"goto", "*", "++", "--"}:
        return True
    is_ours = first.kind == "name" and words[0] not in KEYWORDS
    return is_ours and len(words) > 1 and words[1] in {*"([=", "->", *STEPS}
