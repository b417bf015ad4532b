"""The page of the errors, from their classes and the core's table of statuses."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from fastbearer.cli.site import REQUEST_CODES
from fastbearer.errors import FastbearerError
from fastbearer.fastapi.challenges import ANSWERS
from reference.markdown import code, entry, one_line, page, text_of
from reference.modules import MODULES, SOURCES

STATUSES = Path(__file__).resolve().parents[2] / "csrc" / "lib" / "base" / "status.h"
STATUS = re.compile(r'X\((\w+),\s*"(\w+)",\s*(NULL|"\w+"),\s*((?:"[^"]*"\s*)+)\)')

INTRODUCTION = """\
# Errors

Every error that fastbearer raises on purpose is a `FastbearerError` and has a
`code`, which log lines and the command line show as well; `fastbearer docs CODE`
opens the page that says [what causes it, and what to do](../questions/codes.md).
Whatever a token contains, verifying it raises nothing but a `TokenError`. No
message repeats a token, a key or a password. Where the core has refused something,
the error has a `reason` as well: the one rule that was broken. Codes and reasons
are promises to programs; messages may be worded better at any time.
"""
OF_REQUESTS = """\
## Of requests

These codes stand in lines of the log, `... refused: CODE: REASON`, for requests that
were refused before a token was looked at, or after it was found to be good.
"""
ELSEWHERE = """\
## Of the accounts

These belong to rooms above the core: an application meets them where it calls
`fastbearer.accounts` in code, and their routes turn them into responses.
"""


def load() -> None:
    """Import the public modules, for the classes are known only then."""
    for name in MODULES:
        import_module(name)


def family(error: type[FastbearerError], depth: int = 0) -> Iterator[tuple[int, type]]:
    """Yield an error and all that are derived from it, each with its depth."""
    yield depth, error
    for derived in error.__subclasses__():
        if derived.__module__.startswith("fastbearer"):
            yield from family(derived, depth + 1)


def reasons() -> dict[str, list[tuple[str, str]]]:
    """Return class -> the reasons that the core gives, and their messages."""
    found: dict[str, list[tuple[str, str]]] = {}
    table = STATUSES.read_text().replace("\\\n", "\n")
    for name, error, _, texts in STATUS.findall(re.sub(r"\s+", " ", table)):
        message = "".join(re.findall(r'"([^"]*)"', texts))
        found.setdefault(error, []).append((name.lower(), message))
    return found


def answer(error: type[FastbearerError]) -> str:
    """Return what a request gets for it from the FastAPI layer."""
    for base in error.__mro__:
        found = ANSWERS.get(base)
        if found is not None:
            detail = "the message" if found.detail is None else f"“{found.detail}”"
            return f"Response of the FastAPI layer: {found.status}, {detail}."
    return ""


def section(
    error: type[FastbearerError], known: dict[str, list[tuple[str, str]]]
) -> str:
    """Return what is said of one class."""
    base = error.__bases__[0].__name__
    lines = [entry(reason, [], text) for reason, text in known.get(error.__name__, ())]
    text = text_of(inspect.cleandoc(error.__doc__ or "")).partition("\n\nAttributes:")[
        0
    ]
    return page(
        f"### {error.__dict__.get('code', error.__name__)}",
        f"{code(error.__name__)}, derived from {code(base)}. {text}",
        f"[Cause and remedy](../questions/codes.md#{error.code})",
        answer(error),
        "Reasons:" if lines else "",
        "\n".join(lines),
    )


def tree(found: list[tuple[int, type[FastbearerError]]]) -> str:
    """Return the classes as a list that shows what is derived from what."""
    lines = []
    for depth, error in found:
        about = one_line((error.__doc__ or "").partition("\n\n")[0])
        name = f"[{code(error.__name__)}](#{error.code})"
        lines.append(f"{'    ' * depth}- {name}: {about}")
    return "\n".join(lines)


def of_requests() -> Iterator[str]:
    """Yield what is said of each code that only the log has."""
    known: dict[str, set[str]] = {code: set() for code in REQUEST_CODES}
    for file in sorted(SOURCES.rglob("*.py")):
        for call in re.findall(r'log_refusal\(\s*"(\w+)",\s*"(\w+)"', file.read_text()):
            if call[0] in known:
                known[call[0]].add(call[1])
    for name, found in known.items():
        lines = "\n".join(f"- {code(reason)}" for reason in sorted(found))
        yield page(f"### {name}", "Reasons:" if found else "", lines)


def errors_page() -> str:
    """Return the page."""
    load()
    known = reasons()
    found = [
        (depth, error)
        for depth, error in family(FastbearerError)
        if "code" in error.__dict__
    ]
    own = [
        (depth, one) for depth, one in found if one.__module__ == "fastbearer.errors"
    ]
    others = [one for _, one in found if one.__module__ != "fastbearer.errors"]
    return page(
        INTRODUCTION,
        tree(own),
        "## Each code",
        *(section(one, known) for _, one in own),
        OF_REQUESTS,
        *of_requests(),
        ELSEWHERE,
        *(section(one, known) for one in sorted(others, key=lambda one: one.code)),
    )
