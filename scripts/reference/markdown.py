"""Markdown, from the texts of docstrings."""

from __future__ import annotations

import re
from inspect import cleandoc

LITERAL = re.compile(r"(?m)^(.*)::\n\n((?:(?: {4}.*)?\n?)+)")


def text_of(docstring: str) -> str:
    """Return a docstring's text, whose literal blocks become fenced ones."""

    def fenced(found: re.Match[str]) -> str:
        opening = found[1].rstrip()
        code = cleandoc(found[2])
        return f"{opening}:\n\n```python\n{code}\n```\n\n" if opening else found[0]

    return LITERAL.sub(fenced, docstring.strip() + "\n").strip()


def one_line(text: str) -> str:
    """Return a text without its line breaks."""
    return " ".join(text.split())


def code(text: object) -> str:
    """Return a text as code within a line."""
    shown = one_line(str(text))
    return f"`` {shown} ``" if "`" in shown else f"`{shown}`"


def entry(name: str, notes: list[str], text: str) -> str:
    """Return a line of a list: a name, what is in brackets after it, and a text."""
    about = f" ({', '.join(notes)})" if notes else ""
    said = f": {one_line(text)}" if text else ""
    return f"- {code(name)}{about}{said}"


def page(*parts: str) -> str:
    """Return a page of paragraphs."""
    return "\n\n".join(part.strip("\n") for part in parts if part.strip()) + "\n"
