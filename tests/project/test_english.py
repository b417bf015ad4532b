"""Phrases that this project has had too often, which are not what people write.

They are looked for in the pages, and in docstrings, comments and messages of the code.
CONTRIBUTING.md says what to write instead.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from project import ROOT

AWKWARD = {
    # Of a place it is right: behind a proxy, a frontend, a login; and left behind.
    r"\bbehind(?! (an?|the|Better|its|your|one|bearer|nginx|them)\b)": "after",
    r"\b(?-i:It|That|They) (is|are) (none|no longer one)\b": "say what it is not",
    r"\b(?-i:It) (does|is|has|was|would|cannot)( not)?\.": "say what it does not do",
    r"\bif it is none\b": "say what it is not",
    r"\bso many\b(?! \w+ that)": "this many, that many",
    r"\b(as|at) (soon|early|late) as may be\b": "as soon as possible",
    r"\bone an? (core|process|worker|request)\b": "one for each",
    r"\bfor who(ever)? (needs?|wants?|has|have)\b": "for those who need",
    r"\bwho has a\b": "whoever has a",
    r"\bonly who\b": "only those who",
    r"\bthat JSON has not\b": "that JSON does not have",
    r"\b(has|have) nowhere\b": "does not have",
    r"\bhas not (all|the)\b": "does not have",
    r"\bor who has\b": "or whoever has",
    r"\b(?<!there\W)(is|are) no (text|base64|JSON|strict|PEM|URL|key|token|hash)\b": (
        "is not"
    ),
    r"\bnothing that \w+ (would )?(writes?|stores?)\b": "not in a form that",
    r"\bis (passed by|left be)\b": "is skipped",
    r"\bgives? it nowhere\b": "does not give it",
}
"""Pattern -> what to write instead."""

IN_PAGES = {
    r"\bgood no more\b": "no longer good",
    r"\bbut for\b": "except for",
    r"\b(?-i:Who) (has|sees|changes|deletes|calls|gets)\b(?![^.]*\?)": "those who",
    r", for (it|he|they|its|nothing) (is|are|has|have|does|here|in)\b": "because",
    r"\b(?-i:It) is (said|told) (at|in|by)\b": "say who says it",
    r"\b(?-i:What) is (no|not) (mail|JWT|address|valid)\b": "a value that is not",
    r"\bof these days\b": "current",
    r"\b(database|Redis|issuer|server|store) is away\b": "is unavailable",
    r"\bmind that\b": "note that",
    r"(?-i:\[[a-z-]+\.md\])": "the title of the page, not the name of its file",
}
"""The same for the pages alone, which people read who have not come for the code."""

_RELATIVE = "who|whose|whom|which|that|what|whatever|where|when|how|if|unless|or|to"
_NAMES = "it|he|she|they|we|there|nobody|nothing|everybody|somebody"
_NOT_VERBS = f"{_RELATIVE}|of|and|in|from|but|else|with|by|at|on"
_VERBS = (
    "is|are|was|were|has|have|had|may|might|must|can|cannot|could|would|will|does|do|did"
    "|allows?|comes?|costs?|counts?|ends?|gives?|goes|keeps?|knows?|limits|makes?|needs?"
    "|puts?|reads|says?|stands?|takes?"
)

IN_PROSE = {
    rf", for ({_NAMES}) (?!({_NOT_VERBS})\b)[a-z]+": "because",
    rf", for ((?!({_RELATIVE})\b)[\w'`*/-]+ ){{1,5}}({_VERBS})\b": "because",
    r"\b(an?|one|another|each|every|any|no|several) ((?!JSON\b)[\w`-]+ )?text\b": (
        "a string, a message, a document"
    ),
    r"\btexts\b(?!:)": "strings, messages",
}
"""The same for pages, without their code, and for docstrings: what is read as prose.

A JSON text is what RFC 8259 calls it, and ``texts:`` is an argument.
"""

QUOTES = {"CONTRIBUTING.md"}
"""Pages that show what not to write."""

FENCE = re.compile(r"(?ms)^( *)```.*?^\1```")


def awkward(
    text: str, patterns: Iterable[str] = tuple(AWKWARD)
) -> list[tuple[int, str]]:
    """Return line and words of each such phrase; a phrase may go over a line's end."""
    found = []
    for pattern in patterns:
        spaced = pattern.replace(" ", r"\s+(?:[#*]\s+)?")
        for match in re.finditer(spaced, text, re.IGNORECASE):
            before = text[max(0, match.start() - 40) : match.start()]
            if match[0].lower() == "behind" and re.search(r"\b(leav|left)", before):
                continue
            line = text.count("\n", 0, match.start()) + 1
            found.append((line, " ".join(match[0].split())))
    return sorted(found)


def words_of_python(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the first line and the text of each comment, docstring and message."""
    source = path.read_text()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
    comments = [
        (token.start[0], token.string)
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    ]
    yield from ((line, text.lstrip("# ")) for line, text in comments)
    yield 1, "\n".join(text for _, text in comments)


def words_of_c(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the first line and the text of each comment and string."""
    source = path.read_text()
    for match in re.finditer(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"', source, re.DOTALL):
        yield source.count("\n", 0, match.start()) + 1, match[0]


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the first line and the text of each part of a file that is prose."""
    source = path.read_text()
    if path.suffix == ".md" and ("docs" in path.parts or path.name == "README.md"):
        yield 1, FENCE.sub(lambda fence: "\n" * fence[0].count("\n"), source)
    elif path.suffix in (".py", ".pyi"):
        for node in ast.walk(ast.parse(source)):
            match node:
                case ast.Expr(ast.Constant(str(text))):
                    yield node.lineno, text


def faults(path: Path) -> list[str]:
    """Return what is awkward in a file."""
    if path.suffix in (".py", ".pyi"):
        parts = words_of_python(path)
    elif path.suffix in (".c", ".h"):
        parts = words_of_c(path)
    else:
        parts = iter([(1, path.read_text())])
    patterns = {**AWKWARD, **IN_PAGES} if "docs" in path.parts else AWKWARD
    looked = [(parts, patterns), (prose(path), IN_PROSE)]
    return sorted(
        {
            f"{first + line - 1}: {words}"
            for parts, patterns in looked
            for first, text in parts
            for line, words in awkward(text, patterns)
        }
    )


PLACES = (
    *("*.md", "docs/**/*.md", "changelog.d/*.md", "python/**/*.md"),
    *("python/**/*.py", "python/**/*.pyi", "csrc/**/*.[ch]"),
)
FILES = [
    path
    for pattern in PLACES
    for path in sorted(ROOT.glob(pattern))
    if path.name not in QUOTES
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_has_no_awkward_phrases(path: Path) -> None:
    assert faults(path) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.md", "The second comes behind it.\n"),
        ("a.md", "A type that\nJSON has not is refused.\n"),
        ("a.py", '"""Return it.\n\nRaises:\n    ValueError: It is none.\n"""\n'),
        ("a.py", "x = 1  # at most so many\n"),
        ("a.py", "# For who\n# needs them.\n"),
        ("a.py", 'raise ValueError("a member of the JWK is no text")\n'),
        ("a.c", "/* One a\n * core. */\n"),
        ("a.c", 'x = "as soon as may be";\n'),
    ],
)
def test_a_planted_phrase_is_seen(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert len(faults(tmp_path / name)) >= 1


@pytest.mark.parametrize(
    "text",
    [
        "Its tokens are good no more.",
        "All are read but for the last.",
        "Who has none gets a 403.",
        "It is refused, for nothing here checks it.",
        "See [operations.md](operations.md).",
    ],
)
def test_a_phrase_that_pages_must_not_have_is_seen(tmp_path: Path, text: str) -> None:
    (tmp_path / "docs").mkdir()
    page = tmp_path / "docs" / "a.md"
    page.write_text(text)
    assert len(faults(page)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "It waits, for it may\nbe late.",
        "It waits, for nobody has come.",
        "It waits, for the copy may be late.",
        "It waits, for some algorithms allow a second signature.",
        "The user's name is a text.",
        "The user's name is no empty text.",
        "Lists of texts are kept.",
    ],
)
@pytest.mark.parametrize(
    ("name", "form"),
    [("README.md", "{}\n"), ("a.py", '"""{}"""\n'), ("a.pyi", 'x = 1\n"""{}"""\n')],
)
def test_a_phrase_that_prose_must_not_have_is_seen(
    tmp_path: Path, text: str, name: str, form: str
) -> None:
    (tmp_path / name).write_text(form.format(text))
    assert len(faults(tmp_path / name)) >= 1


@pytest.mark.parametrize(
    "text",
    [
        "It lives, for ten minutes, in memory. It is kept, for a user who has one.",
        "Plain text is sent, for want of a page. The text of a message is ours.",
        "A form, for each of which there is a row, reads a JSON text.",
        "```text\na text, for it is code\n```",
    ],
)
def test_prose_that_is_good_passes(tmp_path: Path, text: str) -> None:
    (tmp_path / "README.md").write_text(f"{text}\n")
    assert faults(tmp_path / "README.md") == []


def test_what_is_no_prose_may_have_it(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text('x = "a text"  # for texts\n')
    assert faults(tmp_path / "a.py") == []


def test_good_english_passes(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(
        "Behind a proxy, or behind a Better Auth frontend, it waits after each try.\n"
        "So many rows that it fails. The token has no kid. Nothing is left behind.\n"
    )
    assert faults(tmp_path / "a.md") == []
